//! What the smaller commands answer in chat, and what the terminal answers while no server runs.

use serde_json::Value;
use tidegate::clock::Time;

use crate::harness::{Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

/// What `user` alone is answered.
fn answer(story: &mut Story, user: &str, text: &str) -> String {
    story.says(user, text);
    story.whispered_to(user)
}

#[test]
fn every_small_question_has_an_answer_for_who_asks_alone() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let public = story.texts();
    for (text, parts) in [
        ("/deploy windows shop production", &["shop in production", "1.", "Mon 23 Nov", "risk"][..]),
        ("/deploy status", &["shop-1", "advised", "@ada", "Mon–Thu 10:00–16:00", "staging"]),
        ("/deploy status production", &["shop-1", "Mon–Thu 10:00–16:00"]),
        ("/deploy changed shop", &["What changed on shop"]),
        ("/deploy help", &["/deploy plan", "/deploy why", "/deploy verify", "/deploy windows", "/deploy outcome"]),
        ("/deploy help plan", &["/deploy plan SERVICE ENVIRONMENT [VERSION]", "--rollback-if", "--hotfix"]),
        ("/deploy verify", &["sound", "4 entries"]),
        ("/deploy verify shop-1", &["sound", "shop-1: Proved: entries 3, 4 stand", "audit prove shop-1"]),
        ("/deploy why shop-1", &["PAY-1", "redeploy v1.0.0", "plan.made", "plan.revised"]),
        ("/deploy why 20 November 09:00", &["Nothing was deployed"]),
    ] {
        let says = answer(&mut story, "lin", text);
        for part in parts {
            assert!(says.contains(part), "{text}: no {part:?} in: {says}");
        }
    }
    assert_eq!(story.texts(), public, "an answer for one person was said to all");
    // Somebody changed the record: the chat says so too, and names the plan.
    story.by_hand("update revision set facts = replace(facts, 'v1.0.0', 'v1.0.1')").unwrap();
    let says = answer(&mut story, "lin", "/deploy verify");
    assert!(says.contains("revision 1 of `shop-1`") || says.contains("revision 1 of shop-1"), "{says}");
    assert!(!says.contains("is sound"), "{says}");
}

#[test]
fn what_only_a_source_tells_of_is_among_the_answers_with_its_name() {
    let mut story = Story::sample("2026-11-23T11:00:00-08:00");
    // The sample's past stands in a file; nothing of it went through Tidegate.
    let past = story.get("/api/history?service=checkout&most=1000");
    let all = past["deployments"].as_array().unwrap().clone();
    assert!(all.len() > 100 && past["unknown"] == serde_json::json!([]), "{} {}", all.len(), past["unknown"]);
    assert!(all.is_sorted_by(|a, b| a["deployment"]["at"].as_str() >= b["deployment"]["at"].as_str()));
    let newest = &all[0];
    let (source, version) = (newest["source"].as_str().unwrap(), newest["deployment"]["version"].as_str().unwrap());
    story.says("ada", "/deploy changed checkout --since 30d");
    let told = story.whispered_to("ada");
    assert!(told.contains(&format!("checkout {version} was deployed in")), "{told}");
    assert!(told.contains(&format!("as {source} tells")), "{told}");
    // The auditor's moment: a minute after it.
    let at = tidegate::clock::Time::parse_rfc3339(newest["deployment"]["at"].as_str().unwrap()).unwrap();
    story.says("ada", &format!("/deploy why {}", at.plus(60_000).rfc3339()));
    let told = story.whispered_to("ada");
    assert!(told.contains(&format!("checkout {version} →")) || told.contains("Told by"), "{told}");
    assert!(told.contains("none here: it is not in this record") && told.contains(source), "{told}");
    // One that is reported too is told once.
    let deployment = &newest["deployment"];
    story.reports(&serde_json::json!({ "id": "ci-77", "status": "succeeded", "service": "checkout",
        "environment": deployment["environment"], "version": version, "at": deployment["at"] }));
    let again = story.get("/api/history?service=checkout&most=1000");
    assert_eq!(again["deployments"].as_array().unwrap().len(), all.len());
}

#[test]
fn changed_names_the_deployment_that_was_reported() {
    let mut story = Story::begin(&settings());
    story.reports(&serde_json::json!({ "id": "ci-1", "status": "succeeded", "service": "shop", "environment": "production", "version": "v1.0.0", "actor": "ada" }));
    story.advances(600);
    let says = answer(&mut story, "lin", "/deploy changed shop --since 1h");
    assert!(says.contains("v1.0.0") && says.contains("production"), "{says}");
}

/// Every act with its second, as the ledger has it.
#[test]
fn why_for_a_moment_gives_every_act_to_the_second_and_every_flag() {
    let open = settings().replace("protected = true", "protected = false");
    let mut story = Story::begin_at(&open, "2027-03-15T15:30:00-07:00");
    story.says("ada", &format!("{PLAN} --how \"make deploy\""));
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story.advances(60);
    story.says("ada", "/deploy start shop-1");
    story.advances(960);
    story.says("ada", "/deploy finished shop-1");
    story.advances(120);
    let says = answer(&mut story, "grace", "/deploy why 15 March 15:47");
    let zone: chrono_tz::Tz = "America/Los_Angeles".parse().unwrap();
    let mut acts = 0;
    for entry in story.ledger("shop-1") {
        let at = Time::from_ms(entry["at"].as_i64().unwrap()).at(zone).format("%-d %B %Y %H:%M:%S %Z").to_string();
        let kind = entry["kind"].as_str().unwrap();
        assert!(says.contains(&at), "{kind} at {at} is not in: {says}");
        assert!(says.contains(kind), "{kind} is not in: {says}");
        acts += 1;
    }
    assert!(acts >= 5, "{acts} entries only");
    let plan = story.plan("shop-1");
    for flag in plan["flags"].as_array().unwrap().iter().filter(|f| f["level"] != "pass") {
        let shown = flag["says"].as_str().unwrap();
        assert!(says.contains(shown), "the flag {} is not in the answer: {shown}\n{says}", flag["code"]);
    }
    for part in ["shop v1.1.0 → production", "ada", "lin", "PAY-1", "make deploy", "redeploy v1.0.0"] {
        assert!(says.contains(part), "no {part:?} in: {says}");
    }
}

const PLACE: [&str; 4] = ["--config", "tidegate.toml", "--data", "data"];

#[test]
fn the_terminal_plans_and_shows_windows_while_no_server_runs() {
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop staging v1.1.0 --why PAY-1");
    assert!(story.stop());
    let entries = story.number("select count(*) from ledger_entry");
    let run = |words: &[&str]| story.runs(&[words, &PLACE[..]].concat());

    let (code, out, err) = run(&["plan", "shop", "production", "v1.1.0", "--why", "PAY-2", "--json"]);
    assert_eq!(code, 0, "{err}");
    let plan: Value =
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: standard output is not JSON alone: {out}"));
    for path in [
        "/plan/commit",
        "/revision",
        "/flags/0/says",
        "/blockers",
        "/score/confidence",
        "/score/rate",
        "/windows",
        "/mitigations",
        "/approvals/needed",
        "/state",
    ] {
        assert!(plan.pointer(path).is_some(), "{path}: {plan}");
    }
    assert!(plan["brief"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!((&plan["plan"]["service"], &plan["plan"]["why"]), (&"shop".into(), &"PAY-2".into()));

    let (code, out, err) = run(&["windows", "shop", "production", "--json"]);
    assert_eq!(code, 0, "{err}");
    let windows: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"));
    for name in ["zone", "horizon_end", "now", "windows", "none_before"] {
        assert!(windows.get(name).is_some(), "{name}: {windows}");
    }
    let first = &windows["windows"][0];
    for name in ["start", "end", "score", "reasons"] {
        assert!(first.get(name).is_some(), "{name}: {first}");
    }
    let (code, out, _) = run(&["windows", "shop", "production"]);
    assert!(code == 0 && out.contains("1. "), "{out}");
    // In the team's own time.
    let says = first["says"].as_str().unwrap();
    assert!(out.contains(says) && says.ends_with(" PST") && !out.contains('Z'), "{out}");

    // What does not exist is one sentence on standard error, and nothing on standard output.
    for words in [
        &["plan", "shopp", "production", "v1.1.0", "--json"][..],
        &["plan", "shop", "production", "v9.9.9", "--json"],
        &["windows", "shopp", "production", "--json"],
        &["windows", "shop", "productoin", "--json"],
    ] {
        let (code, out, err) = run(words);
        assert_eq!((code, out.as_str()), (2, ""), "{words:?}: {err}");
        assert!(err.trim().lines().count() == 1 && !err.contains("panicked"), "{words:?}: {err}");
    }
    assert_eq!(story.number("select count(*) from ledger_entry"), entries, "a look was recorded");
    assert_eq!(story.number("select count(*) from plan"), 1);
    let (code, verdict) = story.verifies(&[]);
    assert_eq!(code, 0, "{verdict}");
}
