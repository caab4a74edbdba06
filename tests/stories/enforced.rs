//! How much Tidegate says in an environment.

use crate::harness::{Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

#[test]
fn advise_answers_the_same_and_says_that_nothing_is_enforced() {
    let mut story = Story::begin(&settings().replace("mode = \"gate\"", "mode = \"advise\""));
    assert_eq!(story.gate("service=shop&environment=production&version=v1.1.0")["enforced"], false);
    story.says("ada", PLAN);
    let gate = story.gate("plan=shop-1");
    assert_eq!((&gate["verdict"], &gate["enforced"]), (&"waiting".into(), &false.into()));
}

#[test]
fn gate_enforces() {
    let mut story = Story::begin(&settings());
    assert_eq!(story.gate("service=shop&environment=production&version=v1.1.0")["enforced"], true);
    story.says("ada", PLAN);
    assert_eq!(story.gate("plan=shop-1")["enforced"], true);
}

#[test]
fn in_observe_the_planner_alone_hears_of_it() {
    let mut story = Story::begin(&settings().replace("mode = \"gate\"", "mode = \"observe\""));
    story.says("ada", PLAN);
    assert_eq!(story.gate("plan=shop-1")["enforced"], false);
    let public: Vec<_> = story.messages().into_iter().filter(|m| m["for"].is_null()).collect();
    assert!(public.is_empty(), "{public:#?}");
    let hers = story.messages().into_iter().filter(|m| m["for"] == "ada").count();
    assert!(hers >= 4, "message, evidence, picture and card: {hers}");
    assert!(story.ledger("shop-1").iter().any(|e| e["kind"] == "plan.revised"), "it is recorded all the same");
}

#[test]
fn an_environment_that_wants_no_start_opens_with_the_approval() {
    let mut story = Story::begin(&settings().replace("protected = true", ""));
    story.says("ada", PLAN);
    assert_eq!(story.verdict("shop-1").0, "waiting");
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1"), ("approved".to_owned(), vec!["approved".to_owned()]));
    // The pipeline says that it began, and asks again at its next step.
    let report = serde_json::json!({ "id": "ci-1", "status": "started", "service": "shop", "environment": "production", "version": "v1.1.0" });
    story.reports(&report);
    assert_eq!(story.plan("shop-1")["state"], "started");
    assert_eq!(story.verdict("shop-1").0, "approved");
}

#[test]
fn an_environment_may_want_a_start_without_being_protected() {
    let mut story = Story::begin(&settings().replace("protected = true", "start = \"human\""));
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1"), ("not-started".to_owned(), vec!["plan.not-started".to_owned()]));
    story.says("ada", "/deploy start shop-1");
    assert_eq!(story.verdict("shop-1").0, "approved");
}

#[test]
fn a_pipeline_that_says_it_began_before_anybody_did_still_waits_for_a_human() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    let report = serde_json::json!({ "id": "ci-1", "status": "started", "service": "shop", "environment": "production", "version": "v1.1.0" });
    story.reports(&report);
    assert_eq!(story.verdict("shop-1").0, "not-started");
    story.says("ada", "/deploy start shop-1");
    let thread = story.main()["id"].as_str().unwrap().to_owned();
    story.replies("ada", &thread, "production");
    assert_eq!(story.verdict("shop-1").0, "approved");
}
