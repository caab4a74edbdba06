//! The second step: for the highest categories a reaction is not enough; its giver reads what it is and types a name.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::slack::{Play, Slack};
use crate::harness::{MONDAY_11, Story, eventually, repository, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

/// Whoever approves a change of the shop's source types its name.
fn typed() -> String {
    settings() + "[policy.category.till]\nsays = \"the till\"\npaths = [\"src/**\"]\nsecond-step = \"typed\"\n"
}

/// A plan of Ada's that asks for it, and its card.
fn planned(settings: &str) -> (Story, String) {
    let mut story = Story::begin(settings);
    story.says("ada", PLAN);
    let card = story.card();
    (story, card)
}

/// The message with the button that somebody was sent last, and the button.
fn asked(story: &Story, user: &str) -> (String, String) {
    let button = |message: &Value| {
        let buttons = message["message"]["buttons"].as_array().into_iter().flatten();
        let mut ids = buttons.filter_map(|button| button["id"].as_str());
        ids.find(|id| id.starts_with("second-step ")).map(str::to_owned)
    };
    let mine = story.messages().into_iter().filter(|m| m["for"] == user);
    let found = mine.filter_map(|m| Some((m["id"].as_str()?.to_owned(), button(&m)?))).next_back();
    found.unwrap_or_else(|| panic!("{user} was asked nothing: {} {}", story.whispered_to(user), story.log()))
}

/// Opens the form and types a word; what the form says to it.
fn confirms(story: &mut Story, user: &str, word: &str) -> Value {
    let (message, button) = asked(story, user);
    story.presses(user, &message, &button);
    story.submits(user, &button.replace(' ', ":"), &json!({ "service": word }))
}

fn text(story: &Story, message: &str) -> String {
    story.message(message)["text"].as_str().unwrap_or_default().to_owned()
}

/// What became of the steps, in order.
fn ended(story: &Story) -> Vec<String> {
    let ended = story.ledger("shop-1").into_iter().filter(|entry| entry["kind"] == "step.ended");
    ended.map(|entry| entry["verdict"].as_str().unwrap().to_owned()).collect()
}

fn is_sound(story: &Story) {
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}{err}");
}

/// A condition would have to wait with the step, and turn while it waits.
#[test]
fn where_a_second_step_is_asked_nobody_approves_on_a_condition() {
    let (mut story, card) = planned(&typed());
    let card = story.message(&card);
    let mut buttons = card["message"]["buttons"].as_array().into_iter().flatten();
    assert!(!buttons.any(|button| button["id"].as_str().is_some_and(|id| id.starts_with("approve-if"))), "{card}");
    // Elsewhere the command is a button alone.
    if crate::harness::stage::is_console() {
        story.says("lin", "/deploy approve-if shop-1 watches --who noor");
        let says = story.whispered_to("lin");
        assert!(says.contains("asks every approver for a second step"), "{says}");
        assert_eq!(story.plan("shop-1")["approvals"]["conditional"], json!([]));
    }
    is_sound(&story);
}

#[test]
fn a_reaction_counts_once_its_giver_has_typed_the_services_name() {
    let (mut story, card) = planned(&typed());
    let says = text(&story, &card);
    assert!(says.contains("Till asks for a second step") && says.contains("by typing shop"), "{says}");
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "advised");
    let waits = ("waiting".to_owned(), vec!["approval.missing".to_owned(), "approval.unconfirmed".to_owned()]);
    assert_eq!(story.verdict("shop-1"), waits);
    assert_eq!(story.plan("shop-1")["unconfirmed"][0]["by"], "lin");
    assert!(text(&story, &card).contains("@lin must still confirm, until"), "{}", text(&story, &card));
    story.says("noor", "/deploy status");
    assert!(story.whispered_to("noor").contains("@lin must still confirm"), "{}", story.whispered_to("noor"));
    is_sound(&story);
    // The form says what is approved, exactly.
    let (message, button) = asked(&story, "lin");
    let said = text(&story, &message);
    assert!(said.contains("does not count yet: till asks for a second step"), "{said}");
    story.presses("lin", &message, &button);
    let form = story.form_of("lin");
    assert_eq!((&form["id"], &form["fields"][0]["name"]), (&json!(button.replace(' ', ":")), &json!("service")));
    // Another word is not it.
    let answer = story.submits("lin", &button.replace(' ', ":"), &json!({ "service": "production" }));
    let wrong = answer["errors"]["service"].as_str().unwrap_or_default().to_owned();
    assert!(wrong.contains("nothing was approved"), "{answer}");
    assert_eq!(story.verdict("shop-1"), waits);
    story.submits("lin", &button.replace(' ', ":"), &json!({ "service": "shop" }));
    let view = story.plan("shop-1");
    assert_eq!((&view["state"], &view["approvals"]["given"][0]["confirmed"]), (&json!("approved"), &json!("typed")));
    assert_eq!(view["unconfirmed"], json!([]));
    assert_eq!(story.verdict("shop-1").0, "not-started");
    let told = story.texts();
    assert!(told.contains("@lin approved revision 1 as lead, confirmed by typing the service's name"), "{told}");
    assert!(!text(&story, &card).contains("must still confirm"), "{}", text(&story, &card));
    assert!(
        text(&story, &message).replace('`', "").contains("your approval of shop-1 counts"),
        "{}",
        text(&story, &message)
    );
    let given = story.ledger("shop-1").into_iter().find(|entry| entry["kind"] == "word.given").unwrap();
    assert_eq!((&given["data"]["confirmed"], &given["data"]["word"]), (&json!("typed"), &json!("approve")));
    assert_eq!((&given["actor"]["person"], &given["actor"]["role"]), (&json!("lin"), &json!("lead")));
    story.says("ada", "/deploy why shop-1");
    assert!(story.whispered_to("ada").contains("confirmed by typing"), "{}", story.whispered_to("ada"));
    is_sound(&story);
    // Taken away, it is withdrawn as ever.
    story.unreacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "advised");
    assert_eq!(ended(&story), [""; 0]);
    is_sound(&story);
}

#[test]
fn the_form_restates_what_is_approved_and_in_which_role() {
    let closed = typed().replace("Mon-Thu 10:00-16:00", "Sun 10:00-16:00");
    let (mut story, card) = planned(&closed);
    story.says("grace", "/deploy override shop-1 timing.window --why \"the tide waits for nobody\"");
    story.reacts("lin", &card, "white_check_mark");
    let (message, button) = asked(&story, "lin");
    story.presses("lin", &message, &button);
    let shown = story.form_of("lin")["says"].as_str().unwrap_or_default().to_owned();
    let view = story.plan("shop-1");
    let (commit, brief) = (view["plan"]["commit"].as_str().unwrap(), view["brief"].as_str().unwrap());
    for part in [
        "shop",
        "v1.1.0",
        "production",
        "redeploy v1.0.0",
        "timing.window",
        "overridden by grace as vp-engineering",
        "lead",
        commit,
        &brief[..19],
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
}

#[test]
fn whoever_takes_the_reaction_away_has_nothing_to_confirm() {
    let (mut story, card) = planned(&typed());
    story.reacts("lin", &card, "white_check_mark");
    let (message, _) = asked(&story, "lin");
    story.unreacts("lin", &card, "white_check_mark");
    assert_eq!(ended(&story), ["withdrawn"]);
    assert!(text(&story, &message).contains("nothing to confirm"), "{}", text(&story, &message));
    assert!(!text(&story, &card).contains("must still confirm"), "{}", text(&story, &card));
    // Set again, it is asked anew, and objections and holds never were.
    story.reacts("noor", &card, "raised_hand");
    assert_eq!(story.plan("shop-1")["state"], "held");
    story.unreacts("noor", &card, "raised_hand");
    story.reacts("lin", &card, "white_check_mark");
    confirms(&mut story, "lin", "shop");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    is_sound(&story);
}

#[test]
fn nobody_confirms_for_another_and_nothing_is_asked_twice() {
    let (mut story, card) = planned(&typed());
    story.reacts("lin", &card, "white_check_mark");
    story.reacts("lin", &card, "white_check_mark");
    let asks = story.ledger("shop-1").into_iter().filter(|entry| entry["kind"] == "step.asked").count();
    assert_eq!(asks, 1);
    let (_, button) = asked(&story, "lin");
    story.says("ada", "/deploy status");
    if crate::harness::stage::is_console() {
        story.submits("noor", &button.replace(' ', ":"), &json!({ "service": "shop" }));
        assert!(story.whispered_to("noor").contains("nobody else"), "{}", story.whispered_to("noor"));
    }
    assert_eq!(story.plan("shop-1")["state"], "advised");
    // Who may not approve is refused at once and asked nothing.
    story.reacts("ada", &card, "white_check_mark");
    assert_eq!(story.refused("shop-1"), [("ada".to_owned(), "planner".to_owned())]);
    assert_eq!(story.plan("shop-1")["unconfirmed"].as_array().unwrap().len(), 1);
}

#[test]
fn a_brief_that_changed_is_not_confirmed() {
    let (mut story, card) = planned(&typed());
    story.reacts("lin", &card, "white_check_mark");
    let (message, button) = asked(&story, "lin");
    story.presses("lin", &message, &button);
    story.says("ada", "/deploy amend shop-1 --why PAY-2");
    assert_eq!(ended(&story), ["void"]);
    assert!(text(&story, &message).contains("changed meanwhile"), "{}", text(&story, &message));
    story.submits("lin", &button.replace(' ', ":"), &json!({ "service": "shop" }));
    assert!(story.whispered_to("lin").contains("changed meanwhile"), "{}", story.whispered_to("lin"));
    assert_eq!(story.plan("shop-1")["state"], "advised");
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    confirms(&mut story, "lin", "shop");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    is_sound(&story);
}

#[test]
fn the_time_to_confirm_runs_out() {
    let (mut story, card) = planned(&typed());
    story.reacts("lin", &card, "white_check_mark");
    let (message, button) = asked(&story, "lin");
    story.presses("lin", &message, &button);
    story.advances(31 * 60);
    assert_eq!(ended(&story), ["expired"]);
    assert!(text(&story, &message).contains("is over"), "{}", text(&story, &message));
    assert!(!text(&story, &card).contains("must still confirm"), "{}", text(&story, &card));
    assert_eq!(story.verdict("shop-1").1, ["approval.missing"]);
    story.submits("lin", &button.replace(' ', ":"), &json!({ "service": "shop" }));
    assert!(story.whispered_to("lin").contains("is over"), "{}", story.whispered_to("lin"));
    assert_eq!(story.plan("shop-1")["state"], "advised");
    story.unreacts("lin", &card, "white_check_mark");
    story.reacts("lin", &card, "white_check_mark");
    confirms(&mut story, "lin", "shop");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    is_sound(&story);
}

#[test]
fn a_role_that_was_lost_meanwhile_does_not_confirm() {
    let asks = typed()
        + "[[policy.approval]]\nbecause = \"a lead answers\"\nenvironment = \"production\"\nneeds = [{ role = \"lead\", count = 1 }]\n";
    let (mut story, card) = planned(&asks);
    story.reacts("lin", &card, "white_check_mark");
    let lin = |role: &str| format!("email = [\"lin@example.org\"]\nroles = [\"{role}\"]");
    story.changes_settings(&lin("lead"), &lin("cook"));
    confirms(&mut story, "lin", "shop");
    assert_eq!(story.refused("shop-1"), [("lin".to_owned(), "role".to_owned())]);
    assert_eq!(ended(&story), ["refused"]);
    assert_eq!(story.plan("shop-1")["state"], "advised");
    is_sound(&story);
}

#[test]
fn a_deputy_confirms_for_the_lender() {
    let asks = typed()
        + "[[policy.approval]]\nbecause = \"a VP answers for it\"\nenvironment = \"production\"\nneeds = [{ role = \"vp-engineering\", count = 1 }]\n";
    let (mut story, card) = planned(&asks);
    story.says("grace", "/deploy delegate noor --until \"tomorrow 18:00\"");
    story.reacts("noor", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "advised");
    confirms(&mut story, "noor", "shop");
    let given = story.plan("shop-1")["approvals"]["given"][0].clone();
    assert_eq!((&given["by"], &given["for"], &given["confirmed"]), (&json!("noor"), &json!("grace"), &json!("typed")));
    is_sound(&story);
}

#[test]
fn the_terminal_asks_for_the_word_too() {
    let with_token = typed().replace("[people.lin]\n", "[people.lin]\nconsole = { value = \"lin-token\" }\n");
    let (mut story, _) = planned(&with_token);
    let approves = |story: &Story, typed: &str| {
        let arguments = ["approve", "shop-1", "--why", "the chat is down"];
        let (code, _, said) = story.runs_with(&arguments, &[("TIDEGATE_PERSON_TOKEN", "lin-token")], typed);
        (code, said)
    };
    let (code, said) = approves(&story, "shop-1\nproduction\n");
    assert!(code == 1 && said.contains("Nothing was approved"), "{said}");
    // Nor is it left out by asking the server directly.
    let body = json!({ "plan": "shop-1", "brief": story.plan("shop-1")["brief"], "why": "the chat is down" });
    let (status, answer) = posts_as(&story, "lin-token", &body);
    assert!(status == 422 && answer.contains("asks for a second step"), "{status} {answer}");
    assert_eq!(story.plan("shop-1")["state"], "advised");
    let (code, said) = approves(&story, "shop-1\nshop\n");
    assert!(code == 0 && said.contains("Approved"), "{said}");
    story.settle();
    let given = story.ledger("shop-1").into_iter().find(|entry| entry["kind"] == "word.given").unwrap();
    assert_eq!((&given["data"]["confirmed"], &given["data"]["medium"]), (&json!("typed"), &json!("terminal")));
    story.says("ada", "/deploy status");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    is_sound(&story);
}

fn posts_as(story: &Story, token: &str, body: &Value) -> (u16, String) {
    tidegate::http::provide_tls();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = tidegate::http::trusted(std::time::Duration::from_secs(20)).unwrap();
        let request = client.post(format!("{}/api/approve", story.address)).bearer_auth(token).json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    })
}

#[test]
fn an_approval_that_the_store_holds_unconfirmed_counts_for_nothing() {
    let (mut story, card) = planned(&typed());
    story.reacts("lin", &card, "white_check_mark");
    confirms(&mut story, "lin", "shop");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    story.by_hand("update word set confirmed = null").unwrap();
    assert_eq!(story.verdict("shop-1").0, "waiting");
    let (code, out, _) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 1, "{out}");
}

#[test]
fn a_reaction_that_is_read_back_starts_the_step_and_one_that_is_gone_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    repository(&folder.path().join("code.git"));
    let play = Play::open();
    let slack: Arc<Slack> = play.slack.clone();
    let mut story = Story::begin_on(Box::new(play), folder, &typed(), MONDAY_11);
    story.says("ada", PLAN);
    let card = story.card();
    let kinds = |story: &Story, kind: &str| story.ledger("shop-1").iter().filter(|entry| entry["kind"] == kind).count();
    let missed = |story: &mut Story, removed: bool, at: &str| {
        story.kill();
        {
            let mut world = slack.shared.world();
            world.lines.clear();
            let lin = world.user("lin");
            world.react(&card, "white_check_mark", &lin, removed).unwrap();
        }
        story.start(at);
    };
    missed(&mut story, false, "2026-11-23T11:05:00-08:00");
    eventually("the step that was missed", || kinds(&story, "step.asked") == 1);
    story.settle();
    assert_eq!((story.plan("shop-1")["state"].clone(), kinds(&story, "word.given")), (json!("advised"), 0));
    // Reading back once more asks nothing anew, not even when the time is over.
    story.advances(120);
    assert_eq!(story.verdict("shop-1").1, ["approval.missing", "approval.unconfirmed"]);
    story.advances(31 * 60);
    assert_eq!(story.verdict("shop-1").1, ["approval.missing"]);
    story.settle();
    assert_eq!(kinds(&story, "step.asked"), 1);
    story.unreacts("lin", &card, "white_check_mark");
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(kinds(&story, "step.asked"), 2);
    missed(&mut story, true, "2026-11-23T11:50:00-08:00");
    eventually("the reaction that is gone", || ended(&story) == ["expired", "withdrawn"]);
    story.settle();
    is_sound(&story);
}
