//! The last act is a human's: start, and the typed name of a protected environment.

use serde_json::json;

use crate::harness::{Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

/// An approved plan of Ada's for now; also its card and its thread.
fn approved(settings: &str) -> (Story, String, String) {
    let mut story = Story::begin(settings);
    story.says("ada", PLAN);
    let (card, thread) = (story.card(), story.main()["id"].as_str().unwrap().to_owned());
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    (story, card, thread)
}

#[test]
fn approved_for_later_is_not_yet_then_not_started_until_a_person_starts_it() {
    let evening = settings().replace("Mon-Thu 10:00-16:00", "Mon-Thu 10:00-22:00");
    let mut story = Story::begin_at(&evening, "2026-11-23T15:42:00-08:00");
    story.says("ada", &format!("{PLAN} --when 20:10"));
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1"), ("not-yet".to_owned(), vec!["plan.not-yet".to_owned()]));
    assert_eq!(story.plan("shop-1")["plan"]["when"], "2026-11-24T04:10:00Z");
    // Nobody opens the gate before its time, and that costs no confirmation.
    story.says("ada", "/deploy start shop-1");
    assert!(story.whispered_to("ada").contains("not-yet"), "{}", story.whispered_to("ada"));
    story.advances(4 * 3_600 + 27 * 60);
    assert_eq!(story.verdict("shop-1").0, "not-yet");
    story.advances(70);
    assert_eq!(story.verdict("shop-1").0, "not-started");
    assert!(story.texts().contains("@ada, it is time for shop-1"), "{}", story.texts());
    story.says("ada", "/deploy start shop-1");
    story.submits("ada", "confirm:shop-1", &json!({ "environment": "production" }));
    let gate = story.gate("plan=shop-1");
    assert_eq!((&gate["verdict"], &gate["approved"]), (&json!("approved"), &json!(true)), "{gate}");
    assert!(story.texts().contains("@ada started shop-1"), "{}", story.texts());
}

#[test]
fn the_typed_name_completes_the_start_that_was_asked_for() {
    let (mut story, _, _) = approved(&settings());
    story.says("ada", "/deploy start shop-1");
    let form = story.form_of("ada");
    assert_eq!(form["id"], "confirm:shop-1");
    assert_eq!(form["fields"][0]["name"], "environment");
    assert_eq!(story.verdict("shop-1"), ("blocked".to_owned(), vec!["plan.unconfirmed".to_owned()]));
    assert_eq!(story.plan("shop-1")["state"], "approved");
    // Another name is not it.
    let answer = story.submits("ada", "confirm:shop-1", &json!({ "environment": "staging" }));
    assert!(answer["errors"]["environment"].is_string(), "{answer}");
    assert_eq!(story.verdict("shop-1").0, "blocked");
    story.submits("ada", "confirm:shop-1", &json!({ "environment": "production" }));
    assert_eq!(story.verdict("shop-1").0, "approved");
    let view = story.plan("shop-1");
    assert_eq!(view["state"], "started");
    assert_eq!((&view["started"]["by"], &view["confirmed"]["by"]), (&json!("ada"), &json!("ada")));
    let kinds: Vec<_> = story
        .ledger("shop-1")
        .iter()
        .map(|e| e["kind"].as_str().unwrap().to_owned())
        .filter(|k| k.contains("start") || k == "confirm")
        .collect();
    assert_eq!(kinds, ["start.asked", "confirm", "start"]);
}

#[test]
fn a_reply_with_the_name_confirms_too_before_or_after() {
    let (mut story, _, thread) = approved(&settings());
    story.replies("ada", &thread, "production");
    assert_eq!(story.verdict("shop-1").0, "not-started", "confirming starts nothing by itself");
    story.says("ada", "/deploy start shop-1");
    assert_eq!(story.verdict("shop-1").0, "approved");

    let (mut story, card, thread) = approved(&settings());
    story.reacts("ada", &card, "rocket");
    assert_eq!(story.verdict("shop-1").1, ["plan.unconfirmed"]);
    story.replies("ada", &thread, "production");
    assert_eq!(story.verdict("shop-1").0, "approved");
}

#[test]
fn only_the_planner_confirms_and_an_owner_may_ask_to_start() {
    let owned = settings().replace("owners = [\"ada\"]", "owners = [\"ada\", \"noor\"]");
    let (mut story, _, thread) = approved(&owned);
    story.says("noor", "/deploy start shop-1");
    assert_eq!(story.verdict("shop-1").1, ["plan.unconfirmed"]);
    assert!(story.texts().contains("@noor asked to start shop-1"), "{}", story.texts());
    story.replies("noor", &thread, "production");
    let told = story.whispered_to("noor").replace('`', "");
    assert!(told.contains("@ada planned shop-1 and confirms it"), "{told}");
    assert_eq!(story.verdict("shop-1").1, ["plan.unconfirmed"]);
    story.replies("ada", &thread, "production");
    assert_eq!(story.verdict("shop-1").0, "approved");
    let view = story.plan("shop-1");
    assert_eq!((&view["started"]["by"], &view["confirmed"]["by"]), (&json!("noor"), &json!("ada")));
    let (code, out, _) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}");
}

#[test]
fn somebody_who_may_not_start_is_told_who_may() {
    let (mut story, card, _) = approved(&settings());
    for user in ["grace", "noor"] {
        story.says(user, "/deploy start shop-1");
        assert!(story.whispered_to(user).contains("is started by @ada"), "{}", story.whispered_to(user));
    }
    story.says("gil", "/deploy start shop-1");
    assert!(story.whispered_to("gil").contains("Guests may look"), "{}", story.whispered_to("gil"));
    story.reacts("robo", &card, "rocket");
    assert!(story.whispered_to("robo").contains("Bots may look"), "{}", story.whispered_to("robo"));
    assert_eq!(story.verdict("shop-1").0, "not-started");
    assert_eq!(story.plan("shop-1")["state"], "approved");
}

#[test]
fn what_is_not_approved_does_not_start() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    story.says("ada", "/deploy start shop-1");
    assert!(story.whispered_to("ada").contains("cannot start (waiting)"), "{}", story.whispered_to("ada"));
    let thread = story.main()["id"].as_str().unwrap().to_owned();
    story.replies("ada", &thread, "production");
    assert_eq!(story.verdict("shop-1").0, "waiting");
}

#[test]
fn a_wish_to_start_does_not_wait_for_ever() {
    let (mut story, _, thread) = approved(&settings());
    story.says("ada", "/deploy start shop-1");
    story.advances(2 * 3_600);
    assert_eq!(story.verdict("shop-1").0, "not-started");
    story.replies("ada", &thread, "production");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    story.says("ada", "/deploy start shop-1");
    assert_eq!(story.verdict("shop-1").0, "approved");
}

#[test]
fn the_start_uses_the_approval_up() {
    let (mut story, _, thread) = approved(&settings());
    story.says("ada", "/deploy start shop-1");
    story.replies("ada", &thread, "production");
    story.says("ada", "/deploy start shop-1");
    assert!(story.whispered_to("ada").contains("was started by @ada"), "{}", story.whispered_to("ada"));
    let report = |status: &str| json!({ "id": "ci-1", "status": status, "service": "shop", "environment": "production", "version": "v1.1.0", "plan": "shop-1" });
    story.reports(&report("started"));
    assert_eq!(story.verdict("shop-1").0, "approved", "the pipeline is on its way");
    story.reports(&report("succeeded"));
    assert_eq!(story.verdict("shop-1"), ("blocked".to_owned(), vec!["plan.used".to_owned()]));
    assert_eq!(story.gate("plan=shop-1&rollback=1")["verdict"], "approved");
    story.says("ada", "/deploy outcome shop-1 clean");
    assert_eq!(story.plan("shop-1")["state"], "settled");
    assert_eq!(story.verdict("shop-1"), ("blocked".to_owned(), vec!["plan.used".to_owned()]));
    assert_eq!(story.gate("service=shop&environment=production&version=v1.1.0")["verdict"], "blocked");
    story.says("ada", "/deploy start shop-1");
    assert_eq!(story.plan("shop-1")["state"], "settled");
}

#[test]
fn a_start_is_for_the_time_that_was_approved() {
    let (mut story, _, thread) = approved(&settings());
    story.says("ada", "/deploy start shop-1");
    story.replies("ada", &thread, "production");
    assert_eq!(story.verdict("shop-1").0, "approved");
    story.advances(13 * 3_600);
    assert_eq!(story.verdict("shop-1"), ("outside-window".to_owned(), vec!["plan.window-over".to_owned()]));
}
