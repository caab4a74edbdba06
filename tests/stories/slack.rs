//! Tidegate on Slack: faults in the middle of a talk, and requests that are not Slack's.

use std::sync::Arc;

use serde_json::Value;

use crate::harness::slack::signed::{Signed, signature};
use crate::harness::slack::world::HOME;
use crate::harness::slack::{BOT_TOKEN, Fault, Play, SIGNING_SECRET, Slack};
use crate::harness::{MONDAY_11, Story, eventually, repository, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

/// What the library logs when a connection breaks; it opens another by itself.
const BROKEN: &str = "Slack WSS error";

/// [`MONDAY_11`] in seconds since 1970; the program's clock goes on from there.
fn now() -> i64 {
    tidegate::clock::Time::parse_rfc3339(MONDAY_11).unwrap().ms() / 1_000
}

/// A story that is played on Slack whatever the run is about.
fn on_slack() -> (Story, Arc<Slack>) {
    let folder = tempfile::tempdir().unwrap();
    repository(&folder.path().join("code.git"));
    let play = Play::open();
    let slack = play.slack.clone();
    (Story::begin_on(Box::new(play), folder, &settings(), MONDAY_11), slack)
}

fn planned() -> (Story, Arc<Slack>) {
    let (mut story, slack) = on_slack();
    story.says("ada", PLAN);
    (story, slack)
}

fn words(story: &Story, kind: &str) -> Vec<Value> {
    story.ledger("shop-1").into_iter().filter(|entry| entry["kind"] == kind).collect()
}

/// Messages in the channel itself.
fn mains(story: &Story) -> usize {
    story.messages().iter().filter(|m| m["thread"].is_null() && m["for"].is_null()).count()
}

/// How many messages ask for approval.
fn cards(story: &Story) -> usize {
    let asks =
        |m: &&Value| m["message"]["reactions"].as_array().is_some_and(|r| r.iter().any(|n| n == "white_check_mark"));
    story.messages().iter().filter(asks).count()
}

fn plans(story: &Story) -> usize {
    story.get("/api/plans")["plans"].as_array().unwrap().len()
}

/// Lets what waits for its moment have it: the program's clock moves, and Slack's pauses pass.
fn in_time(story: &mut Story, what: &str, mut holds: impl FnMut(&Story) -> bool) {
    for _ in 0..40 {
        if holds(story) {
            return;
        }
        story.advances(2);
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{what} did not come about: {}\n{}", story.texts(), story.log());
}

#[test]
fn envelopes_that_come_twice_count_once() {
    let (mut story, slack) = on_slack();
    slack.shared.world().twice = true;
    story.says("ada", PLAN);
    assert_eq!((mains(&story), cards(&story), plans(&story)), (1, 1, 1), "{}", story.texts());
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(words(&story, "word.given").len(), 1);
    assert_eq!(story.plan("shop-1")["state"], "approved");
}

#[test]
fn events_in_another_order_come_to_the_same() {
    let (mut story, slack) = planned();
    let card = story.card();
    slack.shared.world().held = Some(Vec::new());
    std::thread::scope(|scope| {
        for (user, reaction) in [("lin", "white_check_mark"), ("grace", "raised_hand"), ("noor", "no_entry")] {
            let (slack, card) = (&slack, &card);
            scope.spawn(move || slack.react(user, card, reaction, false));
        }
        slack.shared.until("all three are kept back", |world| {
            (world.held.as_ref().is_some_and(|held| held.len() == 3)).then_some(())
        });
        slack.shared.world().release();
    });
    in_time(&mut story, "three words", |story| words(story, "word.given").len() == 3);
    assert_eq!(story.plan("shop-1")["state"], "objected");
}

#[test]
fn a_socket_that_drops_before_a_command_is_acknowledged_loses_and_doubles_nothing() {
    let (mut story, slack) = on_slack();
    story.expects_error(BROKEN);
    slack.shared.world().cut_next = true;
    story.says("ada", PLAN);
    assert_eq!((mains(&story), cards(&story), plans(&story)), (1, 1, 1), "{}", story.texts());
}

#[test]
fn what_is_said_while_no_socket_is_open_is_heard_afterwards() {
    let (mut story, slack) = planned();
    let card = story.card();
    story.expects_error(BROKEN);
    slack.shared.world().cut();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    assert_eq!(words(&story, "word.given").len(), 1);
}

#[test]
fn a_pause_that_slack_asks_for_is_kept_and_nothing_is_said_twice() {
    let (mut story, slack) = on_slack();
    slack.plans("chat.postMessage", Fault::Limited(1), 2);
    story.says("ada", PLAN);
    in_time(&mut story, "the card", |story| cards(story) == 1);
    assert_eq!(mains(&story), 1, "{}", story.texts());
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
}

#[test]
fn a_slack_that_fails_is_asked_again() {
    let (mut story, slack) = on_slack();
    slack.plans("chat.postMessage", Fault::Status(503), 2);
    slack.plans("chat.update", Fault::Status(500), 1);
    story.says("ada", PLAN);
    in_time(&mut story, "the card", |story| cards(story) == 1);
    assert_eq!(mains(&story), 1, "{}", story.texts());
}

#[test]
fn an_answer_that_got_lost_after_the_post_makes_no_second_post() {
    let (mut story, slack) = on_slack();
    slack.plans("chat.postMessage", Fault::LostAnswer, 1);
    story.says("ada", PLAN);
    in_time(&mut story, "the card", |story| cards(story) == 1);
    assert_eq!((mains(&story), cards(&story)), (1, 1), "{}", story.texts());
    assert!(slack.shared.world().fault("chat.postMessage").is_none(), "the fault was played");
}

#[test]
fn a_revoked_token_is_said_clearly_and_once_and_nothing_is_lost() {
    let (mut story, slack) = on_slack();
    let says = "put the new bot token into the settings";
    slack.shared.world().bot_token = "another".to_owned();
    story.expects_error(says);
    story.sends("ada", PLAN);
    eventually("the error", || story.log().contains(says));
    slack.shared.until("it was tried again", |world| {
        (world.requests.iter().filter(|(.., error)| error == "invalid_auth").count() >= 2).then_some(())
    });
    let errors = story.log().lines().filter(|line| line.contains("ERROR") && line.contains(says)).count();
    assert_eq!((errors, mains(&story)), (1, 0), "{}", story.log());
    slack.shared.world().bot_token = BOT_TOKEN.to_owned();
    in_time(&mut story, "the card", |story| cards(story) == 1);
    assert_eq!((mains(&story), plans(&story)), (1, 1), "{}", story.texts());
}

#[test]
fn what_was_to_be_said_waits_for_a_token_that_works() {
    let (mut story, slack) = on_slack();
    story.expects_error("put the new bot token into the settings");
    slack.plans("chat.postMessage", Fault::Error("token_revoked"), 1);
    story.sends("ada", PLAN);
    eventually("the refusal", || story.log().contains("refused chat.postMessage"));
    assert_eq!((mains(&story), plans(&story)), (0, 1));
    // It waits for a minute of the program's clock.
    story.post("/console/api/advance", &serde_json::json!({ "seconds": 61 }));
    in_time(&mut story, "the card", |story| cards(story) == 1);
    assert_eq!(mains(&story), 1, "{}", story.texts());
}

#[test]
fn a_channel_that_the_bot_was_removed_from_is_named_with_what_to_do() {
    let (mut story, slack) = on_slack();
    slack.shared.world().channels.remove(HOME);
    story.expects_error("invite the bot");
    story.sends("ada", PLAN);
    eventually("what to do", || story.log().contains("invite the bot to the channel"));
    assert_eq!((mains(&story), plans(&story)), (0, 1));
    // A private answer still reaches her.
    story.sends("ada", "/deploy plan nothing production v1");
    eventually("her answer", || !story.whispered_to("ada").is_empty());
    // Invited again, it says what it had to say, once.
    slack.shared.world().channels.insert(HOME.to_owned());
    story.post("/console/api/advance", &serde_json::json!({ "seconds": 16 * 60 }));
    in_time(&mut story, "the card", |story| cards(story) == 1);
    assert_eq!((mains(&story), plans(&story)), (1, 1), "{}", story.texts());
}

#[test]
fn a_deleted_plan_message_is_posted_again_and_recorded() {
    let (mut story, slack) = planned();
    let main = story.main()["id"].as_str().unwrap().to_owned();
    slack.delete(&main);
    in_time(&mut story, "the message again", |story| words(story, "message.reposted").len() == 1);
    let again = story.main();
    assert_ne!(again["id"], main);
    assert!(again["text"].as_str().unwrap().contains("shop"), "{again}");
}

#[test]
fn a_program_that_is_killed_in_the_middle_loses_and_doubles_nothing() {
    let (mut story, slack) = on_slack();
    // It is killed while Slack has the message and the program does not yet know.
    slack.plans("chat.postMessage", Fault::LostAnswer, 1);
    story.sends("ada", PLAN);
    slack.shared.until("the post", |world| world.requests.iter().any(|(m, ..)| m == "chat.postMessage").then_some(()));
    story.kill();
    slack.shared.world().lines.clear();
    story.start(MONDAY_11);
    story.advances(30);
    in_time(&mut story, "the card", |story| cards(story) == 1);
    assert_eq!((mains(&story), cards(&story), plans(&story)), (1, 1, 1), "{}", story.texts());
}

#[test]
fn a_word_that_was_given_and_taken_back_while_the_program_was_down_is_read_back() {
    let (mut story, slack) = planned();
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    story.kill();
    {
        // Slack tells nobody: after a time it gives up.
        let mut world = slack.shared.world();
        world.lines.clear();
        let (lin, noor) = (world.user("lin"), world.user("noor"));
        world.react(&card, "white_check_mark", &lin, true).unwrap();
        world.react(&card, "raised_hand", &noor, false).unwrap();
    }
    story.start("2026-11-23T11:05:00-08:00");
    in_time(&mut story, "what was missed", |story| {
        words(story, "word.given").iter().any(|word| word["data"]["read_back"] == true)
    });
    assert_ne!(story.plan("shop-1")["state"], "approved");
}

#[test]
fn a_word_left_on_the_first_revision_while_the_program_was_down_does_not_approve_the_second() {
    let (mut story, slack) = planned();
    let first = story.card();
    story.says("ada", "/deploy amend shop-1 --why PAY-2");
    assert_ne!(story.card(), first, "each revision has a card of its own");
    story.kill();
    {
        let mut world = slack.shared.world();
        world.lines.clear();
        let lin = world.user("lin");
        world.react(&first, "white_check_mark", &lin, false).unwrap();
    }
    story.start("2026-11-23T11:05:00-08:00");
    story.settle();
    story.advances(61);
    let view = story.plan("shop-1");
    assert_eq!((&view["revision"], &view["state"]), (&serde_json::json!(2), &serde_json::json!("advised")), "{view}");
    assert_eq!(view["approvals"]["given"], serde_json::json!([]));
    assert_ne!(story.verdict("shop-1").0, "approved");
    // The same word on the card that stands now counts.
    story.reacts("lin", &story.card(), "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved", "{}", story.texts());
}

#[test]
fn signed_requests_are_taken_and_come_once() {
    let (story, slack) = on_slack();
    let request = Signed::command(&slack.command_payload("ada", PLAN), now());
    assert_eq!(request.sent(&story), (200, String::new()));
    // The same again is Slack's retry.
    assert_eq!(request.sent(&story).0, 200);
    story.settle();
    assert_eq!((mains(&story), cards(&story), plans(&story)), (1, 1, 1), "{}", story.texts());
    let asked = serde_json::json!({ "token": "legacy", "type": "url_verification", "challenge": "3eZbrw1aB" });
    let (status, said) = Signed::event(&asked, now()).sent(&story);
    assert_eq!((status, said.contains("3eZbrw1aB")), (200, true), "{said}");
}

#[test]
fn forged_replayed_and_oversized_requests_are_refused() {
    let (story, slack) = on_slack();
    let good = Signed::command(&slack.command_payload("ada", PLAN), now());
    let forged = Signed { signature: signature("another secret", good.timestamp, &good.body), ..good.clone() };
    let changed = Signed { body: good.body.replace("shop", "ship"), ..good.clone() };
    let unsigned = Signed { signature: String::new(), ..good.clone() };
    let old = good.timestamp - 900;
    let replayed = Signed { timestamp: old, signature: signature(SIGNING_SECRET, old, &good.body), ..good.clone() };
    for wrong in [forged, changed, unsigned, replayed] {
        assert_eq!(wrong.sent(&story).0, 401, "{wrong:?}");
    }
    let body = "x".repeat(300 * 1024);
    let large = Signed { signature: signature(SIGNING_SECRET, good.timestamp, &body), body, ..good.clone() };
    assert_eq!(large.sent(&story).0, 413);
    story.settle();
    assert_eq!((mains(&story), plans(&story)), (0, 0), "{}", story.texts());
    // It was none of these for want of a good one.
    assert_eq!(good.sent(&story).0, 200);
    eventually("the plan", || plans(&story) == 1);
    story.settle();
}

#[test]
fn what_is_wrong_in_a_form_is_said_beside_its_field_and_can_be_mended() {
    let (mut story, _slack) = on_slack();
    story.says("ada", "/deploy plan");
    let filled = |version: &str| {
        serde_json::json!({ "service": "shop", "environment": "production", "version": version, "why": "PAY-1",
            "risk": "low", "rollback": "redeploy v1.0.0" })
    };
    let answer = story.submits("ada", "plan", &filled("v9"));
    assert!(answer["errors"]["version"].as_str().is_some_and(|says| says.contains("v9")), "{answer}");
    assert_eq!(plans(&story), 0);
    assert_eq!(story.submits("ada", "plan", &filled("v1.1.0"))["ok"], true);
    assert_eq!(story.plan("shop-1")["plan"]["version"], "v1.1.0");
}

#[test]
fn a_form_that_could_not_open_in_time_is_offered_by_a_button() {
    let (mut story, slack) = on_slack();
    slack.plans("views.open", Fault::Error("expired_trigger_id"), 1);
    story.says("ada", "/deploy plan shop --why PAY-1");
    assert!(slack.shared.world().views.is_empty());
    // She presses the button of the private answer.
    let form = story.form_of("ada");
    let why = form["fields"].as_array().unwrap().iter().find(|field| field["name"] == "why").unwrap();
    assert_eq!(why["value"], "PAY-1", "what was given is kept: {form}");
}

#[test]
fn check_names_each_missing_scope_and_what_is_lost_without_it() {
    let (story, slack) = on_slack();
    let (_, out, errors) = story.runs(&["check", "--config", "tidegate.toml"]);
    assert!(!(out + &errors).contains("is missing"), "{errors}");
    slack.shared.world().scopes.retain(|scope| scope != "reactions:read");
    slack.shared.world().channels.remove(HOME);
    let (code, out, errors) = story.runs(&["check", "--config", "tidegate.toml"]);
    let told = out + &errors;
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("the scope reactions:read is missing: without it, no reaction counts"), "{told}");
    assert!(told.contains("type /invite there"), "{told}");
    assert!(!told.contains(BOT_TOKEN));
}
