//! What is owed after an incident or a deployment without a plan: asked for, reminded of, given by a named person.

use super::{report, started};
use crate::harness::{Story, settings};

const HOUR: i64 = 3_600;

fn incident() -> Story {
    let mut story = started();
    story.reports(&report("ci-1", "succeeded", "v1.1.0"));
    story.says("ada", "/deploy outcome shop-1 incident --cause technical");
    story
}

fn verified(story: &mut Story) {
    assert!(story.stop(), "{}", story.log());
    let (code, verdict) = story.verifies(&[]);
    assert_eq!(code, 0, "{verdict:#}");
}

#[test]
fn an_incident_obliges_its_planner_who_gives_a_link_in_time() {
    let mut story = incident();
    let owed: Vec<_> = story.ledger("shop-1").into_iter().filter(|e| e["kind"] == "obligation").collect();
    assert_eq!(owed.len(), 1, "{owed:#?}");
    assert!(story.texts().contains("Root cause after an incident: owed by ada"), "{}", story.texts());
    story.says("noor", "/deploy followup shop-1 root-cause --link https://wiki.example/pm-1");
    assert!(story.whispered_to("noor").contains("is owed by ada"), "{}", story.whispered_to("noor"));
    story.says("ada", "/deploy followup shop-1 report --text \"all is well\"");
    assert!(story.whispered_to("ada").contains("No report is owed"), "{}", story.whispered_to("ada"));
    story.says("ada", "/deploy followup shop-1 root-cause --link javascript:alert(1)");
    assert!(story.whispered_to("ada").contains("must begin with http"), "{}", story.whispered_to("ada"));
    story.says(
        "ada",
        "/deploy followup shop-1 root-cause --link https://wiki.example/pm-1 --text \"the pool was too small\"",
    );
    assert!(story.texts().contains("gave the root cause for shop-1"), "{}", story.texts());
    assert!(story.texts().contains("Everything owed was given"), "{}", story.texts());
    story.says("lin", "/deploy why shop-1");
    let why = story.whispered_to("lin");
    assert!(why.contains("Root cause after an incident: given by ada"), "{why}");
    story.says("ada", "/deploy followup shop-1 root-cause --text again");
    assert!(story.whispered_to("ada").contains("was given already"), "{}", story.whispered_to("ada"));
    story.advances(72 * HOUR);
    assert!(!story.texts().contains("was not given"), "what was given is not asked for again");
    verified(&mut story);
}

#[test]
fn what_is_not_given_is_reminded_of_before_its_time_and_at_it_and_stands_first() {
    let mut story = incident();
    story.advances(35 * HOUR);
    assert!(!story.texts().contains("@ada The root cause"), "nothing rings in the first three quarters of the time");
    story.advances(2 * HOUR);
    assert!(story.texts().contains("@ada The root cause after an incident is due"), "{}", story.texts());
    story.advances(12 * HOUR);
    assert!(story.texts().contains("and was not given."), "{}", story.texts());
    story.says("lin", "/deploy status");
    assert!(story.whispered_to("lin").contains("shop-1: Root cause after an incident: overdue since"));
    let report = story.get("/api/ledger/report");
    assert_eq!(report["overdue"][0]["change"], "shop-1", "{report:#}");
    story.says("ada", "/deploy followup shop-1 root-cause --text \"the pool was too small\"");
    assert!(story.texts().contains("gave the root cause for shop-1, after its time"), "{}", story.texts());
    let late = story.get("/api/ledger/report");
    assert!(late["overdue"][0]["given"].is_string(), "what came late is still told: {late:#}");
    verified(&mut story);
}

#[test]
fn a_deployment_without_a_plan_obliges_its_services_owners() {
    let mut story = Story::begin(&settings());
    story.reports(&report("ci-9", "started", "v9"));
    story.reports(&report("ci-9", "succeeded", "v9"));
    let report = story.get("/api/ledger/report");
    let unplanned = report["findings"].as_array().unwrap().iter().find(|f| f["code"] == "unplanned").unwrap();
    assert_eq!(unplanned["count"], 1, "{report:#}");
    let id = unplanned["changes"][0]["name"].as_str().unwrap().to_owned();
    assert!(story.texts().contains("Report after a deployment without a plan: owed by ada"), "{}", story.texts());
    story.says("ada", &format!("/deploy followup {id} report --text \"a hotfix by hand, reviewed by lin\""));
    assert!(story.texts().contains(&format!("gave the report for {id}")), "{}", story.texts());
    verified(&mut story);
}

#[test]
fn a_table_that_says_it_was_given_is_named_by_verification() {
    for forged in [
        "update obligation set given_at = made_at, given_by = 'ada', given_entry = 3",
        "update obligation set due_at = due_at + 864000000",
        "delete from obligation",
        "insert into obligation select 'shop-1:review:forged', plan, deployment, service, environment, 'review', after, cause, \
         person, role, not_by, made_at, due_at, null, null, null, null, null, entry, null from obligation",
    ] {
        let mut story = incident();
        assert!(story.stop(), "{}", story.log());
        story.by_hand(forged).unwrap();
        let (code, verdict) = story.verifies(&[]);
        assert_eq!((code, &verdict["first_bad"]["damage"]), (1, &"projection".into()), "{forged}: {verdict:#}");
    }
}

#[test]
fn a_button_asks_for_what_a_command_would_take() {
    let mut story = incident();
    let list =
        story.messages().into_iter().find(|m| m["text"].as_str().unwrap_or_default().contains("Owed after")).unwrap();
    let id = list["id"].as_str().unwrap().to_owned();
    let button = list["message"]["buttons"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(button, "followup shop-1 root-cause");
    story.presses("ada", &id, &button);
    let values = serde_json::json!({ "plan": "shop-1", "what": "root-cause", "text": "the pool was too small" });
    story.submits("ada", "followup", &values);
    assert!(story.texts().contains("Everything owed was given"), "{}", story.texts());
}
