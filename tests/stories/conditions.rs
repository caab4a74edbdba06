//! Approvals on a condition: "yes, if Lin watches". They count while the condition holds, and no longer.

use serde_json::json;

use crate::harness::stage::chat;
use crate::harness::{MONDAY_11, Story, repository, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

fn begun(settings: &str) -> Story {
    let mut story = Story::begin(settings);
    story.says("ada", PLAN);
    story
}

fn is_sound(story: &Story) {
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}{err}");
}

fn waits() -> (String, Vec<String>) {
    ("waiting".to_owned(), vec!["approval.missing".to_owned(), "approval.condition".to_owned()])
}

fn entries(story: &Story, kind: &str) -> Vec<serde_json::Value> {
    story.ledger("shop-1").into_iter().filter(|entry| entry["kind"] == kind).collect()
}

/// The button on a message whose id begins so.
fn button(story: &Story, message: &str, part: &str) -> String {
    let message = story.message(message);
    let buttons = message["message"]["buttons"].as_array().unwrap();
    let mut ids = buttons.iter().map(|button| button["id"].as_str().unwrap().to_owned());
    ids.find(|id| id.starts_with(part)).unwrap_or_else(|| panic!("no button {part}: {message}"))
}

/// The newest message of the thread that says this.
fn saying(story: &Story, part: &str) -> String {
    let mut said = story.messages().into_iter().filter(|m| m["text"].as_str().is_some_and(|text| text.contains(part)));
    said.next_back().unwrap_or_else(|| panic!("nobody said {part}: {}", story.texts()))["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Presses *Approve if…* on the card and fills in the form.
fn approves_if(story: &mut Story, user: &str, mut values: serde_json::Value) -> serde_json::Value {
    values["plan"] = json!("shop-1");
    let card = story.card();
    let approve_if = button(story, &card, "approve-if");
    story.presses(user, &card, &approve_if);
    story.submits(user, "approve-if", &values)
}

/// Presses a button on the newest message of the thread that says this.
fn presses_on(story: &mut Story, user: &str, part: &str, id: &str) {
    let message = saying(story, part);
    let id = button(story, &message, id);
    story.presses(user, &message, &id);
}

fn if_watches(story: &mut Story, user: &str, who: &str) {
    let answer = approves_if(story, user, json!({ "condition": "watches", "who": who }));
    assert_eq!(answer["ok"], true, "{answer}");
}

#[test]
fn a_yes_if_somebody_watches_counts_when_they_say_so_and_while_they_do() {
    let mut story = begun(&settings());
    let card = story.card();
    // What the condition needs is asked for beside the field.
    let answer = approves_if(&mut story, "noor", json!({ "condition": "watches" }));
    assert!(answer["errors"]["who"].as_str().is_some_and(|says| says.contains("Who?")), "{answer}");
    let form = story.form_of("noor");
    assert!(form["fields"].to_string().contains("watches"), "{form}");
    if_watches(&mut story, "noor", "lin");
    let said = story.texts();
    assert!(said.contains("@noor approves revision 1 as lead, if lin watches"), "{said}");
    let view = story.plan("shop-1");
    assert_eq!((&view["state"], &view["approvals"]["given"]), (&json!("advised"), &json!([])), "{view}");
    let waiting = &view["approvals"]["conditional"][0];
    assert_eq!(
        (&waiting["by"], &waiting["if"], &waiting["met_at"]),
        (&json!("noor"), &json!("watches lin"), &json!(null))
    );
    assert_eq!(story.verdict("shop-1"), waits());
    let says = story.gate("plan=shop-1")["reasons"][1]["says"].as_str().unwrap().to_owned();
    assert_eq!(says, "The approval of noor does not count yet: it holds if lin watches.");
    assert_eq!(story.gate("plan=shop-1")["approvals"], json!([]));
    assert!(story.message(&card)["text"].as_str().unwrap().contains("if lin watches; not yet"), "{}", story.texts());
    assert!(story.main()["text"].as_str().unwrap().contains("noor: if lin watches, not yet"), "{}", story.main());
    story.says("ada", "/deploy start shop-1");
    assert_eq!(story.plan("shop-1")["started"], json!(null));
    story.says("ada", "/deploy status");
    assert!(
        story.whispered_to("ada").contains("approved by noor: if lin watches, not yet"),
        "{}",
        story.whispered_to("ada")
    );

    // Somebody else's watching is not hers.
    presses_on(&mut story, "grace", "approves revision 1", "watch");
    assert_eq!(story.verdict("shop-1"), waits());
    presses_on(&mut story, "lin", "approves revision 1", "watch");
    assert!(
        story.texts().contains("@noor's condition is met: lin watches. The approval counts. 1 of 1: approved."),
        "{}",
        story.texts()
    );
    let view = story.plan("shop-1");
    let given = &view["approvals"]["given"][0];
    assert_eq!(
        (&view["state"], &given["by"], &given["met_by"]),
        (&json!("approved"), &json!("noor"), &json!("lin watches"))
    );
    assert_eq!(view["watching"].as_array().unwrap().len(), 2);
    assert_eq!(story.verdict("shop-1").0, "not-started");
    assert_eq!(story.gate("plan=shop-1")["approvals"][0]["if"], "watches lin");
    let met = entries(&story, "condition.met");
    assert_eq!(
        (&met[0]["data"]["of"], &met[0]["data"]["condition"]),
        (&json!("noor"), &json!("watches lin")),
        "{met:?}"
    );
    assert_eq!(entries(&story, "watcher.joined").len(), 2);
    is_sound(&story);

    presses_on(&mut story, "lin", "@lin watches the deployment", "watch");
    assert!(story.texts().contains("@noor's condition is no longer met: lin has not said so"), "{}", story.texts());
    assert_eq!(story.verdict("shop-1"), waits());
    story.says("ada", "/deploy why shop-1");
    assert!(story.whispered_to("ada").contains("if lin watches (not met)"), "{}", story.whispered_to("ada"));
    presses_on(&mut story, "lin", "approves revision 1", "watch");
    story.says("ada", "/deploy why shop-1");
    assert!(story.whispered_to("ada").contains("if lin watches (met at"), "{}", story.whispered_to("ada"));
    assert_eq!((entries(&story, "condition.met").len(), entries(&story, "condition.lost").len()), (2, 1));
    is_sound(&story);

    // An amended plan is another: words and watchers are asked anew, by name.
    story.says("ada", "/deploy amend shop-1 --why PAY-2");
    assert!(story.texts().contains("please look again: @grace, @lin, @noor"), "{}", story.texts());
    assert_eq!(story.plan("shop-1")["watching"], json!([]));
    assert_eq!(story.verdict("shop-1").1, ["approval.missing"]);
    is_sound(&story);
}

#[test]
fn whoever_may_approve_may_do_so_on_a_condition_and_nobody_else() {
    // As typed; on Discord it is the form alone, and the same is said there.
    if chat() == "discord" {
        return;
    }
    let mut story = begun(&settings());
    for (user, text, says) in [
        ("ada", "watches --who lin", "someone other than the planner"),
        ("gil", "watches --who lin", "Guests may look"),
        ("lin", "watches", "Who?"),
        ("lin", "watches --who lin", "somebody else"),
        ("lin", "watches --who nobody", "There is no person"),
        ("lin", "approves --who ada", "could never be met"),
        ("lin", "traffic --under 120", "From 1 to 100"),
        ("lin", "before --time 10:00-08:00", "not a time"),
        ("lin", "before --time 2026-11-23T10:00:00-08:00", "is past"),
        ("lin", "watches --who noor --revision 7", "that card asks for revision 7"),
        ("lin", "--back yes", "No approval of yours on a condition"),
    ] {
        story.says(user, &format!("/deploy approve-if shop-1 {text}"));
        let told = story.whispered_to(user);
        assert!(told.contains(says), "{user} {text}: {told}");
        assert!(entries(&story, "word.given").is_empty(), "{user} {text}");
    }
    assert_eq!(story.refused("shop-1"), [("ada".to_owned(), "planner".to_owned())]);
    is_sound(&story);
}

#[test]
fn an_approval_without_a_condition_takes_the_place_of_one_with_it() {
    let mut story = begun(&settings());
    let card = story.card();
    if_watches(&mut story, "lin", "grace");
    if_watches(&mut story, "lin", "grace");
    assert_eq!(entries(&story, "word.given").len(), 1, "the same word twice is one");
    if_watches(&mut story, "lin", "noor");
    assert_eq!(story.plan("shop-1")["approvals"]["conditional"].as_array().unwrap().len(), 1);
    // A look at the card's marks takes nothing away that no mark gave.
    story.advances(61);
    assert_eq!(story.verdict("shop-1"), waits());
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    if_watches(&mut story, "lin", "grace");
    assert!(story.whispered_to("lin").contains("already, without a condition"), "{}", story.whispered_to("lin"));
    story.advances(61);
    assert_eq!(story.verdict("shop-1").0, "not-started");
    story.unreacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "waiting");
    if_watches(&mut story, "lin", "grace");
    presses_on(&mut story, "lin", "approves revision 1", "approve-if");
    assert!(story.texts().contains("@lin took the approval back"), "{}", story.texts());
    assert_eq!(story.verdict("shop-1").1, ["approval.missing"]);
    is_sound(&story);
}

#[test]
fn a_yes_if_somebody_approves_too_follows_their_word() {
    let two = settings() + "[[policy.approval]]\nenvironment = \"production\"\nneeds = [{ count = 2 }]\n";
    let mut story = begun(&two);
    let card = story.card();
    approves_if(&mut story, "lin", json!({ "condition": "approves", "who": "grace" }));
    approves_if(&mut story, "grace", json!({ "condition": "approves", "who": "lin" }));
    assert_eq!(story.verdict("shop-1").0, "waiting", "two who wait for each other wait");
    assert_eq!(story.plan("shop-1")["approvals"]["given"], json!([]));
    story.reacts("grace", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    assert!(story.texts().contains("@lin's condition is met: grace approved"), "{}", story.texts());
    story.unreacts("grace", &card, "white_check_mark");
    assert!(story.texts().contains("@lin's condition is no longer met"), "{}", story.texts());
    assert_eq!(story.verdict("shop-1").0, "waiting");
    is_sound(&story);
}

#[test]
fn a_time_is_kept_to_the_second_also_when_nobody_looks() {
    let mut story = begun(&settings());
    approves_if(&mut story, "lin", json!({ "condition": "after", "time": "2026-11-23T11:30:00-08:00" }));
    assert_eq!(story.verdict("shop-1"), waits());
    story.advances(45 * 60);
    assert!(story.texts().contains("@lin's condition is met: it begins no earlier"), "{}", story.texts());
    assert_eq!(story.verdict("shop-1").0, "not-started");
    approves_if(&mut story, "lin", json!({ "condition": "before", "time": "2026-11-23T12:30:00-08:00" }));
    assert_eq!(story.verdict("shop-1").0, "not-started");
    story.advances(3_600);
    assert_eq!(story.verdict("shop-1"), waits());
    assert!(story.texts().contains("no longer met: it would begin too late"), "{}", story.texts());
    is_sound(&story);
}

#[test]
fn who_is_on_call_is_asked_at_the_gates_own_moment_and_unknown_is_not_met() {
    let folder = tempfile::tempdir().unwrap();
    repository(&folder.path().join("code.git"));
    let rota = folder.path().join("on-call.ics");
    let serves = |who: &str| {
        let event = format!(
            "BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261122T000000Z\r\nDTEND:20261130T000000Z\r\nSUMMARY:{who}\r\nEND:VEVENT"
        );
        std::fs::write(
            &rota,
            format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//s//s//EN\r\n{event}\r\nEND:VCALENDAR\r\n"),
        )
        .unwrap();
    };
    serves("noor");
    let source =
        "[[source]]\nkind = \"ics\"\nname = \"rota\"\nfrom = \"on-call.ics\"\non-call = true\nrefresh = \"1s\"\n";
    let mut story = Story::begin_in(folder, &(settings() + source), MONDAY_11);
    story.says("ada", PLAN);
    approves_if(&mut story, "lin", json!({ "condition": "on-call", "who": "noor" }));
    assert!(story.texts().contains("condition is met: noor is on call, says rota"), "{}", story.texts());
    assert_eq!(story.verdict("shop-1").0, "not-started");
    serves("grace");
    story.advances(61);
    assert_eq!(story.verdict("shop-1"), waits());
    story.settle();
    assert!(story.texts().contains("no longer met: noor is not on call then"), "{}", story.texts());
    serves("noor");
    story.advances(61);
    assert_eq!(story.verdict("shop-1").0, "not-started");
    std::fs::write(&rota, "what is this").unwrap();
    story.advances(61);
    assert_eq!(story.verdict("shop-1"), waits());
    story.settle();
    assert!(story.texts().contains("no longer met: who is on call then is not known"), "{}", story.texts());
    is_sound(&story);
}

#[test]
fn traffic_and_tests_that_nobody_tells_of_are_never_met() {
    let mut story = begun(&settings());
    approves_if(&mut story, "lin", json!({ "condition": "tests" }));
    assert_eq!(story.verdict("shop-1"), waits());
    approves_if(&mut story, "lin", json!({ "condition": "traffic", "under": "100" }));
    assert_eq!(story.verdict("shop-1"), waits());
    story.advances(3_600);
    assert_eq!(story.verdict("shop-1"), waits());
    assert!(entries(&story, "condition.met").is_empty());
}

#[test]
fn a_condition_that_a_hand_took_away_or_met_is_found() {
    for by_hand in [
        "update word set only_if = null",
        "update word set only_if = 'watches ada'",
        "update word set met_at = 1, met_by = 'a hand'",
        "insert into watcher (plan, person, at) values ('shop-1', 'grace', 1)",
    ] {
        let mut story = begun(&settings());
        if_watches(&mut story, "lin", "grace");
        is_sound(&story);
        story.by_hand(by_hand).unwrap();
        let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
        assert_eq!(code, 1, "{by_hand}: {out}{err}");
    }
}

#[test]
fn an_auditor_finds_the_condition_in_every_export() {
    let mut story = begun(&settings());
    if_watches(&mut story, "lin", "grace");
    let export = |story: &Story, format: &str| {
        let (code, out, err) = story.runs_with(&["audit", "export", "--plan", "shop-1", "--format", format], &[], "");
        assert_eq!(code, 0, "{out}{err}");
        out
    };
    let table = |story: &Story| {
        let (code, out, err) = story.runs_with(&["audit", "report", "--format", "csv"], &[], "");
        assert_eq!(code, 0, "{out}{err}");
        out
    };
    assert!(table(&story).contains("if watches grace, not met"), "{}", table(&story));
    presses_on(&mut story, "grace", "approves revision 1", "watch");
    assert!(
        table(&story).contains("if watches grace\"") || table(&story).contains("if watches grace,"),
        "{}",
        table(&story)
    );
    for format in ["jsonl", "csv", "html"] {
        let out = export(&story, format);
        assert!(out.contains("watches grace") && out.contains("condition.met"), "{format}: {out}");
    }
    // What the approval authorises: the deployment and the way back, by the commitment to its text.
    let given = &entries(&story, "word.given")[0];
    let revised = &entries(&story, "plan.revised")[0];
    assert_eq!(given["data"]["authorises"], json!(["deployment", "rollback"]));
    assert_eq!(given["data"]["rollback"], revised["commitments"]["rollback"]);
    assert_eq!(given["data"]["rollback_entry"], revised["seq"]);
}
