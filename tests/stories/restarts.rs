//! Killed, stopped, started again: everything acknowledged is carried out, once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::faults::acknowledged;
use crate::harness::{MONDAY_11, Story, settings};

/// The clock at the start of a round; each begins later than leases last.
fn at(round: i64) -> String {
    tidegate::clock::Time::parse_rfc3339(MONDAY_11).unwrap().plus(round * 31_000).rfc3339()
}

const ROUNDS: i64 = 40;

#[test]
fn killed_forty_times_it_does_everything_acknowledged_once() {
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop staging v1.1.0 --why mark-start");
    let first_card = story.card();
    let mut planned: Vec<String> = Vec::new();
    let mut doubtful: Vec<String> = Vec::new();
    let mut reported: Vec<String> = Vec::new();
    let mut approved = false;
    let mut asked = 0;
    for round in 1..=ROUNDS {
        let mark = format!("mark-{round}");
        let text = format!("/deploy plan shop staging v1.1.0 --why {mark}");
        // A pipeline delivers again until it is told that it was heard; here twice at once.
        let hook = format!("ci-{}", (round + 1) / 2);
        let report = json!({ "id": hook, "status": "started", "service": "shop", "environment": "production", "version": "v1.0.0" });
        let sent = [
            send(&story, "/console/api/command", json!({ "user": "ada", "channel": "deploys", "text": text })),
            send(&story, "/hooks/deployments", report.clone()),
            send(&story, "/hooks/deployments", report),
            send(
                &story,
                "/console/api/react",
                json!({ "user": "lin", "message": first_card, "reaction": "white_check_mark" }),
            ),
            send(
                &story,
                "/console/api/command",
                json!({ "user": "noor", "channel": "deploys", "text": "/deploy status" }),
            ),
        ];
        // Somewhere in between: while requests arrive, while handlers run, while messages go out, at rest.
        std::thread::sleep(std::time::Duration::from_millis((round as u64 * 53) % 700));
        story.kill();
        let [was_planned, heard, heard_again, was_approved, was_asked] = sent.map(|thread| thread.join().unwrap());
        if was_planned {
            planned.push(mark)
        } else {
            doubtful.push(mark)
        }
        if heard || heard_again {
            reported.push(hook);
        }
        approved |= was_approved;
        asked += usize::from(was_asked);
        story.start(&at(round));
    }
    settles(&story);

    let plans = story.get("/api/plans?most=1000")["plans"].as_array().unwrap().clone();
    let whys: Vec<String> = plans
        .iter()
        .map(|p| {
            story.plan(p["plan"]["id"].as_str().or(p["id"].as_str()).unwrap())["plan"]["why"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    for mark in &planned {
        assert_eq!(whys.iter().filter(|why| *why == mark).count(), 1, "{mark} was acknowledged: {whys:?}");
    }
    for mark in &doubtful {
        assert!(whys.iter().filter(|why| *why == mark).count() <= 1, "{mark}");
    }
    reported.sort();
    reported.dedup();
    for hook in &reported {
        assert_eq!(story.number(&format!("select count(*) from deployment where external_id = '{hook}'")), 1, "{hook}");
    }
    assert_eq!(
        story.number("select count(*) from ledger_entry where kind = 'deployment.started'"),
        story.number("select count(*) from deployment"),
        "one entry for each report"
    );
    if approved {
        let words = "select count(*) from word where person = 'lin' and withdrawn_at is null and voided_at is null";
        assert!(story.number(words) <= 1);
        assert_eq!(
            story.number("select count(*) from word where person = 'lin'"),
            story.number("select count(*) from ledger_entry where kind = 'word.given'")
        );
    }
    let answers = story.messages().into_iter().filter(|m| m["for"] == "noor").count();
    assert!((asked..=ROUNDS as usize).contains(&answers), "{asked} questions were acknowledged, {answers} answered");
    nothing_is_said_twice(&story, plans.len());
    assert_eq!(story.number("select count(*) from work where dead_at is not null"), 0);
    assert_eq!(story.get("/api/ledger/verify")["ok"], true, "{}", story.get("/api/ledger/verify"));
    story.kill();
    let (code, verdict) = story.verifies(&[]);
    assert_eq!(code, 0, "{verdict}");
    let acknowledged = format!("{} plans, {} reports, {asked} questions", planned.len(), reported.len());
    assert!(
        planned.len() > 5 && reported.len() > 5 && asked > 5,
        "too little was acknowledged to say anything: {acknowledged}"
    );
    println!("{acknowledged}");
}

/// Sends from a thread of its own; whether it was acknowledged.
fn send(story: &Story, path: &'static str, body: Value) -> std::thread::JoinHandle<bool> {
    let address = story.address.clone();
    std::thread::spawn(move || acknowledged(&address, path, &body))
}

/// A backlog of forty lives may take more than one minute.
fn settles(story: &Story) {
    for _ in 0..5 {
        if story.call("GET", "/console/api/settled", None).1["ok"] == true {
            return;
        }
    }
    panic!("it does not come to rest: {}", story.log());
}

/// One message for each plan, and in no thread the same words twice.
fn nothing_is_said_twice(story: &Story, plans: usize) {
    let messages: Vec<Value> = story.messages().into_iter().filter(|m| m["author"] == "tidegate").collect();
    let public = messages.iter().filter(|m| m["for"].is_null() && m["thread"].is_null());
    let mains = public
        .clone()
        .filter(|m| m["text"].as_str().unwrap().contains("shop") && m["text"].as_str().unwrap().contains("staging"))
        .count();
    assert_eq!(mains, plans, "one message for each plan: {:#?}", public.map(|m| m["text"].clone()).collect::<Vec<_>>());
    let mut said: BTreeMap<(String, String), usize> = BTreeMap::new();
    for message in messages.iter().filter(|m| m["for"].is_null() && !m["thread"].is_null()) {
        *said.entry((message["thread"].to_string(), message["text"].to_string())).or_default() += 1;
    }
    for ((thread, text), count) in said {
        assert_eq!(count, 1, "said twice in {thread}: {text}");
    }
}

#[test]
fn asked_to_stop_it_finishes_or_hands_over() {
    let mut story = Story::begin(&settings());
    for i in 0..5 {
        story.sends("ada", &format!("/deploy plan shop staging v1.1.0 --why mark-{i}"));
    }
    assert!(story.stop(), "{}", story.log());
    assert!(!story.data().join("server.json").exists(), "nobody listens there any more");
    story.start(&at(1));
    settles(&story);
    assert_eq!(story.number("select count(*) from plan"), 5);
    assert_eq!(story.number("select count(*) from revision"), 5);
    nothing_is_said_twice(&story, 5);
}

#[test]
fn a_report_delivered_again_is_one_event_and_a_late_started_turns_nothing_back() {
    let mut story = Story::begin(&settings());
    let report = |status: &str| json!({ "id": "ci-1", "status": status, "service": "shop", "environment": "staging", "version": "v1.1.0" });
    story.reports(&report("succeeded"));
    for _ in 0..3 {
        story.reports(&report("started"));
        story.reports(&report("succeeded"));
    }
    assert_eq!(story.number("select count(*) from deployment"), 1);
    assert_eq!(story.word_in_database("select status from deployment"), "succeeded");
    assert_eq!(story.number("select count(*) from ledger_entry where kind = 'deployment.succeeded'"), 1);
    assert_eq!(story.number("select count(*) from ledger_entry where kind = 'deployment.started'"), 1);
}

#[test]
fn a_second_start_goes_on_where_the_first_ended() {
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"");
    let card = story.card();
    assert!(story.stop());
    story.start(&at(1));
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    story.says("ada", "/deploy plan shop staging v1.1.0 --why PAY-2");
    assert_eq!(story.plan("shop-2")["plan"]["environment"], "staging");
}

#[test]
fn a_waiting_plan_is_looked_at_again_although_its_expiry_is_set() {
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"");
    let looked = "select coalesce(refreshed_at, 0) from plan";
    let before = story.number(looked);
    story.advances(2 * 3600);
    assert!(story.number(looked) > before, "two hours later nobody had looked again");
}

#[test]
fn a_store_of_a_newer_tidegate_is_left_alone() {
    let mut story = Story::begin(&settings());
    assert!(story.stop());
    let checksum = if crate::harness::engine() == "postgres" { "'\\x00'::bytea" } else { "x'00'" };
    story
        .by_hand(&format!(
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (9001, 'of the future', true, {checksum}, 0)"
        ))
        .unwrap();
    let (code, says) =
        story.refuses_to_start(&["try", "--config", "tidegate.toml", "--data", "data", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, 2, "{says}");
    assert!(says.contains("newer Tidegate") && says.trim().lines().count() == 1, "{says}");
}
