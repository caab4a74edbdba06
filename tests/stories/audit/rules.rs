//! The rules in force: on record from the first start, again when they change, with a named person's word for them.

use serde_json::Value;

use super::PLAN;
use crate::harness::{MONDAY_11, Story, settings};

fn strict() -> String {
    format!("[policy]\napproved-by = [\"vp-engineering\"]\n[policy.checks]\n\"change.ai\" = \"shadow\"\n{}", settings())
}

fn of_kind(story: &Story, kind: &str) -> Vec<Value> {
    let all = story.get("/api/ledger?most=1000");
    let entries = all["entries"].as_array().unwrap().iter().filter(|e| e["kind"] == kind);
    entries.map(|e| serde_json::from_str(e["bytes"].as_str().unwrap()).unwrap()).collect()
}

#[test]
fn the_rules_are_on_record_before_anything_is_decided_under_them() {
    let mut story = Story::begin(&strict());
    story.says("ada", PLAN);
    let changed = of_kind(&story, "policy.changed");
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0]["data"]["shadow"], serde_json::json!(["change.ai"]));
    let revised = of_kind(&story, "plan.revised");
    assert_eq!(revised[0]["policy"]["digest"], changed[0]["data"]["after"]);
    assert!(changed[0]["seq"].as_i64() < revised[0]["seq"].as_i64());
    // The same rules again say nothing.
    assert!(story.stop(), "{}", story.log());
    story.start(MONDAY_11);
    assert_eq!(of_kind(&story, "policy.changed").len(), 1);
}

#[test]
fn a_named_person_approves_the_rules_and_why_tells_under_which_a_plan_was_decided() {
    let mut story = Story::begin(&strict());
    story.settle();
    assert!(story.texts().contains("The word of vp-engineering for them is asked"), "{}", story.texts());
    story.says("lin", "/deploy policy approve");
    assert!(story.whispered_to("lin").contains("approved by vp-engineering"), "{}", story.whispered_to("lin"));
    assert!(of_kind(&story, "policy.approved").is_empty());
    story.says("grace", "/deploy policy approve");
    story.says("grace", "/deploy policy approve");
    assert_eq!(of_kind(&story, "policy.approved").len(), 1, "one word is enough");
    assert!(story.whispered_to("grace").contains("You approved these rules"));
    story.says("lin", "/deploy policy");
    assert!(story.whispered_to("lin").contains("grace as vp-engineering"), "{}", story.whispered_to("lin"));
    story.says("ada", PLAN);
    story.says("lin", "/deploy why shop-1");
    let why = story.whispered_to("lin");
    assert!(why.contains("approved by grace as vp-engineering") && why.contains("in shadow: change.ai"), "{why}");
}

#[test]
fn nobody_approves_rules_that_ask_nobody() {
    let mut story = Story::begin(&settings());
    story.says("grace", "/deploy policy approve");
    assert!(story.whispered_to("grace").contains("ask nobody"), "{}", story.whispered_to("grace"));
    story.says("grace", "/deploy policy");
    assert!(story.whispered_to("grace").contains("entry #"), "{}", story.whispered_to("grace"));
}
