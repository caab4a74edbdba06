//! After the deployment: the watch, its alerts, the outcome. On the sample company, whose services can be made to
//! misbehave, through the same sources as in earnest.

use serde_json::json;

use crate::harness::Story;

/// A plan that is deployed, so that its watch runs.
fn deployed() -> Story {
    let mut story = Story::sample("2026-11-23T11:00:00-08:00");
    story.says("ada", "/deploy plan search production v3.2.0 --why S-1 --rollback \"redeploy v3.1.5\" --rollback-if \"errors > 2 % for 5m\" --respond rae");
    assert_eq!(story.plan("search-1")["state"], "advised", "{}", story.texts());
    story.reports(&json!({ "id": "ci-1", "status": "succeeded", "service": "search", "environment": "production", "version": "v3.2.0" }));
    assert_eq!(story.plan("search-1")["state"], "watching");
    story
}

fn alerts(story: &Story) -> Vec<String> {
    let open = |m: &&serde_json::Value| m["text"].as_str().is_some_and(|t| t.starts_with("🔴") || t.starts_with("🟢"));
    story.messages().iter().filter(open).map(|m| m["text"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The newest message that says this.
fn said(story: &Story, words: &str) -> String {
    let messages = story.messages();
    let found = messages.iter().rfind(|m| m["text"].as_str().is_some_and(|text| text.contains(words)));
    found.map(|m| m["text"].as_str().unwrap_or_default().to_owned()).unwrap_or_else(|| panic!("{}", story.texts()))
}

#[test]
fn errors_after_a_deployment_alert_once_and_recovery_edits_the_alert() {
    let mut story = deployed();
    story.advances(180);
    assert!(alerts(&story).is_empty(), "{}", story.texts());
    story.post("/console/api/world", &json!({ "id": "search-errors" }));
    for _ in 0..8 {
        story.advances(60);
    }
    let raised = alerts(&story);
    assert_eq!(raised.len(), 1, "{raised:#?}");
    assert!(
        raised[0].contains("search in production looks worse") && raised[0].contains("redeploy v3.1.5"),
        "{}",
        raised[0]
    );
    assert!(raised[0].contains("calls for the rollback"), "{}", raised[0]);
    assert!(raised[0].contains("(the plan says: errors > 2 % for 5m"), "{}", raised[0]);
    assert!(!raised[0].contains("; errors "), "the figure is said once: {}", raised[0]);
    story.post("/console/api/world", &json!({ "id": "everything-well" }));
    for _ in 0..14 {
        story.advances(60);
    }
    let after = alerts(&story);
    assert!(after.iter().any(|a| a.contains("recovered at")), "{after:#?}");
    assert!(
        !after.iter().any(|a| a.starts_with("🔴 search in production looks worse")),
        "an old alarm goes on shouting: {after:#?}"
    );
    story.advances(3_600);
    assert!(story.texts().contains("what became of it?"), "{}", story.texts());
    let over = said(&story, "The watch is over");
    assert!(over.contains("Errors looked worse from 11:0") && over.contains(" to 11:"), "{over}");
    assert!(over.contains("At the end: errors") && !over.contains("the plan says"), "{over}");
    story.says("ada", "/deploy outcome search-1 degraded --cause technical");
    assert_eq!(story.plan("search-1")["state"], "settled");
    let history = story.get("/api/history?service=search");
    assert_eq!(history["deployments"][0]["deployment"]["outcome"], "degraded");
    assert_eq!(history["deployments"][0]["outcome_by"], "ada");
}

#[test]
fn a_newer_deployment_takes_the_watch_over_and_only_one_of_two_speaks() {
    let mut story = deployed();
    story.advances(60);
    story.says("ada", "/deploy plan search production v3.1.5 --why S-2 --rollback \"redeploy v3.2.0\" --respond rae");
    story.reports(&json!({ "id": "ci-2", "status": "succeeded", "service": "search", "environment": "production", "version": "v3.1.5" }));
    story.advances(61);
    let over = said(&story, "The watch is over");
    assert!(over.contains("v3.1.5 has taken this one's place"), "{over}");
    assert!(over.contains("Until now nothing looked worse") || over.contains("could not tell"), "{over}");
    story.post("/console/api/world", &json!({ "id": "search-errors" }));
    for _ in 0..8 {
        story.advances(60);
    }
    let raised = alerts(&story);
    assert_eq!(raised.len(), 1, "{raised:#?}");
    assert!(raised[0].contains("redeploy v3.2.0"), "the newer one's: {}", raised[0]);
}

#[test]
fn what_a_person_says_was_rolled_back_is_watched_no_longer() {
    let mut story = deployed();
    story.advances(60);
    story.says("ada", "/deploy outcome search-1 rolledback");
    story.advances(61);
    assert!(said(&story, "The watch is over").contains("The watch is over"));
    story.post("/console/api/world", &json!({ "id": "search-errors" }));
    for _ in 0..8 {
        story.advances(60);
    }
    assert!(alerts(&story).is_empty(), "{}", story.texts());
}

#[test]
fn a_deployment_without_a_plan_is_recorded_and_asked_about() {
    let mut story = Story::sample("2026-11-23T11:00:00-08:00");
    let report = json!({ "id": "ci-7", "status": "succeeded", "service": "ledger", "environment": "production", "version": "v1.8.0", "actor": "deploybot" });
    story.reports(&report);
    story.reports(&report);
    assert_eq!(story.texts().matches("It is recorded as unplanned").count(), 1, "{}", story.texts());
    story.says("ada", "/deploy changed ledger");
    assert!(story.whispered_to("ada").contains("without a plan"));
}

#[test]
fn thin_traffic_says_that_it_cannot_tell() {
    let mut story = Story::sample("2026-11-23T11:00:00-08:00");
    story.says("ada", "/deploy plan search staging v3.2.0 --why S-1 --risk low");
    story.reports(&json!({ "id": "ci-2", "status": "succeeded", "service": "search", "environment": "staging", "version": "v3.2.0" }));
    for _ in 0..3 {
        story.advances(60);
    }
    assert!(
        story.texts().contains("Too little to tell") || story.texts().contains("too few to tell"),
        "{}",
        story.texts()
    );
}
