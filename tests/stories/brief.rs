//! What a brief says of the change, its way back, its past and its calendars, on the sample company.

use serde_json::Value;

use crate::harness::Story;

const MONDAY_15: &str = "2026-11-23T15:00:00-08:00";
const PLAN: &str = "/deploy plan checkout production v2.14.0 --why PAY-481 --risk low";

fn planned(at: &str, text: &str) -> Story {
    let mut story = Story::sample(at);
    story.says("ada", text);
    story
}

fn says(flag: &Value) -> &str {
    flag["says"].as_str().unwrap_or_default()
}

#[test]
fn the_peak_of_traffic_is_said_with_its_value_and_its_end_and_the_evening_with_its_cost() {
    let story = planned(MONDAY_15, PLAN);
    let peak = story.flag("checkout-1", "timing.peak-traffic");
    assert_eq!(peak["level"], "critical");
    assert!(says(&peak).contains("% of the weekly peak (15:00 PST); it falls below 70 % at 18:00 PST"), "{peak}");
    assert!(peak["because"][0]["says"].as_str().unwrap().contains("requests per second now"), "{peak}");
    let plan = story.plan("checkout-1");
    let windows = plan["windows"].as_array().unwrap();
    let evening = windows.iter().find(|w| w["good"] == false).unwrap_or_else(|| panic!("{windows:#?}"));
    let costs = evening["costs"].to_string();
    assert!(costs.contains("needs an override by vp-engineering") && costs.contains("evening"), "{costs}");
    assert_eq!(windows[0]["good"], true, "a window without costs comes first");
    assert_eq!(windows[0]["start"], "2026-11-24T18:00:00Z");
}

#[test]
fn a_command_that_names_no_cluster_is_critical() {
    let mut story = planned(MONDAY_15, &format!("{PLAN} --how \"kubectl apply -f config.yaml\""));
    let flag = story.flag("checkout-1", "plan.commands");
    assert_eq!(flag["level"], "critical");
    assert!(says(&flag).contains("`kubectl apply -f config.yaml` names no cluster"), "{flag}");
    story.says("ada", "/deploy plan search production v3.2.0 --why S-1 --how \"kubectl --context harbor-prod -n search apply -f config.yaml\"");
    let named = story.plan("search-1");
    let flags = named["flags"].as_array().unwrap();
    assert!(!flags.iter().any(|f| f["code"] == "plan.commands" && f["level"] == "critical"), "{flags:#?}");
}

#[test]
fn a_migration_that_already_ran_is_to_be_skipped() {
    let story = planned(MONDAY_15, PLAN);
    let state = story.flag("checkout-1", "migration.state");
    assert!(says(&state).contains("0047 already ran in production") && says(&state).contains("skip it"), "{state}");
}

#[test]
fn a_likeness_to_an_incident_is_named_with_its_link_and_what_is_shared() {
    let story = planned(MONDAY_15, PLAN);
    let similar = story.flag("checkout-1", "history.similar");
    assert!(
        says(&similar).contains("incident #482") && says(&similar).contains("both touch `payments/capture.rs`"),
        "{similar}"
    );
    let because = similar["because"].as_array().unwrap();
    let of_it = because.iter().find(|b| b["says"].as_str().is_some_and(|s| s.contains("#482"))).unwrap();
    assert!(of_it["link"].as_str().is_some_and(|l| l.starts_with("https://harbor.example/")), "{of_it}");
}

#[test]
fn no_way_back_and_ways_back_that_cannot_work_are_each_said() {
    let mut story = planned(MONDAY_15, PLAN);
    let none = story.flag("checkout-1", "plan.rollback");
    assert!(says(&none).starts_with("No rollback plan"), "{none}");
    assert!(story.plan("checkout-1")["rollback_draft"].is_string());
    story.says("ada", &format!("{PLAN} --rollback \"redeploy v2.99.0\""));
    let never = story.flag("checkout-2", "plan.rollback");
    assert_eq!(never["level"], "critical");
    assert!(says(&never).contains("v2.99.0, which never existed"), "{never}");
    story.says("ada", &format!("{PLAN} --rollback \"redeploy v2.13.2\""));
    let blocked = story.flag("checkout-3", "plan.rollback");
    assert_eq!(blocked["level"], "critical");
    assert!(
        says(&blocked).contains("v2.13.2 cannot run on the new schema") && says(&blocked).contains("0048"),
        "{blocked}"
    );
}

#[test]
fn payments_with_low_risk_stay_declared_low_and_contested() {
    let story = planned(MONDAY_15, PLAN);
    assert_eq!(story.plan("checkout-1")["plan"]["risk"], "low");
    let doubt = story.flag("checkout-1", "risk.declared");
    assert!(
        says(&doubt).contains("Declared low risk, but looks higher") && says(&doubt).contains("payments"),
        "{doubt}"
    );
    let gate = story.gate("plan=checkout-1");
    assert_eq!(gate["verdict"], "contested", "{gate}");
    assert_eq!(gate["approved"], false);
}

#[test]
fn a_flag_is_planned_without_a_version() {
    let story = planned(
        MONDAY_15,
        "/deploy plan storefront production --kind flag --set express-pay=on --why PAY-9 --rollback \"turn express-pay off\"",
    );
    let view = story.plan("storefront-1");
    assert_eq!(view["state"], "advised");
    assert_eq!(view["plan"]["version"], Value::Null);
    assert_eq!(view["plan"]["after"]["express-pay"], "on");
    assert!(view["brief"].as_str().is_some_and(|b| b.starts_with("sha256:")));
    assert!(!view["flags"].as_array().unwrap().is_empty());
}

#[test]
fn a_launch_and_a_campaign_are_named_with_calendar_and_time() {
    let mut story = planned(MONDAY_15, &format!("{PLAN} --when \"2026-11-24T13:30-08:00\""));
    let launch = story.flag("checkout-1", "coordination.launch");
    assert!(
        says(&launch).contains("gift cards")
            && says(&launch).contains("13:00–15:00 PST")
            && says(&launch).contains("launches"),
        "{launch}"
    );
    story.says("ada", &format!("{PLAN} --when \"2026-11-25T10:00-08:00\""));
    let campaign = story.flag("checkout-2", "coordination.launch");
    assert!(
        says(&campaign).contains("20 % off")
            && says(&campaign).contains("09:00–19:00 PST")
            && says(&campaign).contains("marketing"),
        "{campaign}"
    );
    let holiday = story.flag("checkout-2", "timing.watchable");
    assert!(says(&holiday).contains("Thanksgiving") && says(&holiday).contains("calendar holidays"), "{holiday}");
}

#[test]
fn the_end_of_the_quarter_is_named_with_its_calendar() {
    let story = planned("2026-12-29T11:00:00-08:00", "/deploy plan ledger production v1.8.0 --why L-1");
    let flags = story.plan("ledger-1")["flags"].to_string();
    let named = story.plan("ledger-1")["flags"].as_array().unwrap().clone();
    let named = named.iter().filter(|f| f["level"] != "pass").map(says).find(|s| s.contains("End of Q4 2026"));
    let named = named.unwrap_or_else(|| panic!("{flags}"));
    assert!(named.contains("finance") && named.contains("29 Dec"), "{named}");
    assert!(story.texts().contains(named), "the brief does not say it");
}
