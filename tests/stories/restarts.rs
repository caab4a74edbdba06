//! Killed, stopped, started again: everything acknowledged is carried out, once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::faults::acknowledged;
use crate::harness::{MONDAY_11, Story, settings};

/// The clock at the start of a round; each begins later than leases last.
fn at(round: i64) -> String {
    tidegate::clock::Time::parse_rfc3339(MONDAY_11).unwrap().plus(round * 31_000).rfc3339()
}

const KILLS: i64 = 60;

/// What one life was sent, and whether it was acknowledged before the end.
#[derive(Default)]
struct Sent {
    /// The marks of plans that were acknowledged, and of those that may or may not have arrived.
    planned: Vec<String>,
    doubtful: Vec<String>,
    amended: Vec<String>,
    amends: usize,
    reported: Vec<String>,
    asked: usize,
    /// The last thing that Lin's objection was told to be, where that is certain.
    objects: Option<bool>,
}

/// Sixty lives, each ended by SIGKILL at a random moment: while requests arrive, while handlers run, while messages go
/// out, while due work (reminders, refreshed briefs, deliveries again) is done, or at rest.
///
/// Mutants that this is meant to catch: an arrival that is acknowledged before it is committed (a plan is lost); a work item
/// that is marked done in another transaction than its effects (an answer is lost, or a plan is made twice); a message
/// that is sent again without asking whether it is there (said twice); a webhook without its own key (two deployments).
#[test]
fn killed_at_random_moments_it_does_everything_acknowledged_once() {
    let seed = std::env::var("TIDEGATE_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| std::process::id().into());
    // Repeats what failed: the harness prints nothing of a test that passes.
    eprintln!("TIDEGATE_TEST_SEED={seed}");
    let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut roll = move |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % sides
    };
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop production v1.1.0 --why mark-start --risk low --rollback \"redeploy v1.0.0\"");
    let card = story.card();
    story.says("ada", "/deploy plan shop staging v1.0.0 --why to-amend");
    let mut sent = Sent::default();
    for round in 1..=KILLS {
        one_life(&mut story, &mut sent, round, &card, roll(400));
        story.start(&at(round));
        let verdict = story.get("/api/ledger/verify");
        assert_eq!(verdict["ok"], true, "after kill {round}: {verdict}");
    }
    settles(&story);
    everything_happened_once(&mut story, &sent, &card);
}

fn one_life(story: &mut Story, sent: &mut Sent, round: i64, card: &str, milliseconds: u64) {
    let command = |user: &str, text: String| json!({ "user": user, "channel": "deploys", "text": text });
    let mark = format!("mark-{round}");
    // Due in the next life, or the one after: its people are told that it is time.
    let when = tidegate::clock::Time::parse_rfc3339(&at(round)).unwrap().plus(20_000).rfc3339();
    let plan = format!("/deploy plan shop staging v1.1.0 --why {mark} --when {when}");
    let amendment = format!("amended-{round}");
    // A pipeline delivers again until it is told that it was heard; here twice at once.
    let hook = format!("ci-{}", (round + 1) / 2);
    let status = if round % 2 == 0 { "succeeded" } else { "started" };
    let report =
        json!({ "id": hook, "status": status, "service": "shop", "environment": "production", "version": "v1.0.0" });
    let objects = round % 2 == 1;
    let reaction = json!({ "user": "lin", "message": card, "reaction": "no_entry", "remove": !objects });
    let amends = round % 4 == 0;
    let amend = command("ada", format!("/deploy amend shop-2 --why {amendment}"));
    let threads = [
        send(story, "/console/api/command", command("ada", plan)),
        send(story, "/hooks/deployments", report.clone()),
        send(story, "/hooks/deployments", report),
        send(story, "/console/api/react", reaction),
        send(story, "/console/api/command", command("noor", "/deploy status".to_owned())),
    ];
    let amending = amends.then(|| send(story, "/console/api/command", amend));
    std::thread::sleep(std::time::Duration::from_millis(milliseconds));
    story.kill();
    let [was_planned, heard, heard_again, reacted, was_asked] = threads.map(|thread| thread.join().unwrap());
    if was_planned {
        sent.planned.push(mark)
    } else {
        sent.doubtful.push(mark)
    }
    if heard || heard_again {
        sent.reported.push(format!("{hook}/{status}"));
    }
    sent.objects = reacted.then_some(objects);
    sent.asked += usize::from(was_asked);
    sent.amends += usize::from(amends);
    if amending.is_some_and(|thread| thread.join().unwrap()) {
        sent.amended.push(amendment);
    }
}

fn everything_happened_once(story: &mut Story, sent: &Sent, card: &str) {
    // Plans: all that were acknowledged, none twice, and one `plan.made` each.
    let plans = story.get("/api/plans?most=1000")["plans"].as_array().unwrap().clone();
    let id = |plan: &Value| plan["plan"]["id"].as_str().or(plan["id"].as_str()).unwrap().to_owned();
    let whys: Vec<String> =
        plans.iter().map(|plan| story.plan(&id(plan))["plan"]["why"].as_str().unwrap().to_owned()).collect();
    let times = |mark: &String| whys.iter().filter(|why| *why == mark).count();
    for mark in &sent.planned {
        assert_eq!(times(mark), 1, "{mark} was acknowledged: {whys:?}");
    }
    for mark in &sent.doubtful {
        assert!(times(mark) <= 1, "{mark}");
    }
    let entries = |kind: &str| story.number(&format!("select count(*) from ledger_entry where kind = '{kind}'"));
    assert_eq!(entries("plan.made"), plans.len() as i64);
    assert_eq!(entries("plan.revised"), story.number("select count(*) from revision"));
    // Amendments, by the texts beside their entries.
    let amended = |mark: &str| {
        let of_entry =
            "select count(*) from ledger_text t join ledger_entry e on e.seq = t.seq where e.kind = 'plan.amended'";
        story.number(&format!("{of_entry} and t.name = 'why' and t.body = '{mark}'"))
    };
    for mark in &sent.amended {
        assert_eq!(amended(mark), 1, "{mark} was acknowledged");
    }
    let amendments = entries("plan.amended");
    assert!((sent.amended.len() as i64..=sent.amends as i64).contains(&amendments), "{amendments} amendments");
    // Webhooks: one deployment for each id, one entry for each id and status.
    for report in &sent.reported {
        let (hook, status) = report.split_once('/').unwrap();
        let deployments = format!("select count(*) from deployment where external_id = '{hook}'");
        assert_eq!(story.number(&deployments), 1, "{report}");
        if status == "succeeded" {
            let done = format!("{deployments} and status = 'succeeded'");
            assert_eq!(story.number(&done), 1, "{report} was acknowledged and forgotten");
        }
    }
    let reached = story.number("select count(*) from deployment where status = 'succeeded'");
    assert_eq!(entries("deployment.succeeded"), reached);
    assert!(entries("deployment.started") <= story.number("select count(*) from deployment"));
    // Words: one entry for each that was given and for each that was taken back; the last one stands as it was left.
    let words = |rest: &str| story.number(&format!("select count(*) from word where person = 'lin'{rest}"));
    assert_eq!(words(""), entries("word.given"));
    assert_eq!(words(" and withdrawn_at is not null"), entries("word.withdrawn"));
    let stands = words(" and withdrawn_at is null and voided_at is null");
    if let Some(objects) = sent.objects {
        assert_eq!(stands, i64::from(objects), "Lin's last word was acknowledged");
    }
    // As often as Lin spoke, and no more, the thread says so.
    let spoke = story.messages().into_iter().filter(|m| !m["thread"].is_null() && of_lin(m)).count() as i64;
    assert_eq!(spoke, entries("word.given") + entries("word.withdrawn"), "Lin's words in the thread");
    let said = |m: &Value| !m["thread"].is_null() && m["text"].as_str().unwrap().contains("@ada amended");
    assert_eq!(story.messages().iter().filter(|m| said(m)).count() as i64, amendments, "amendments in the thread");
    let answers = story.messages().into_iter().filter(|m| m["for"] == "noor").count();
    assert!((sent.asked..=KILLS as usize).contains(&answers), "{} asked, {answers} answered", sent.asked);
    nothing_is_said_twice(story, plans.len());
    assert_eq!(story.number("select count(*) from work where dead_at is not null"), 0);
    // It goes on: the next word counts once, too.
    let before = words("");
    story.reacts("lin", card, "raised_hand");
    let words = |rest: &str| story.number(&format!("select count(*) from word where person = 'lin'{rest}"));
    assert_eq!(words(""), before + 1);
    story.kill();
    let (code, verdict) = story.verifies(&[]);
    assert_eq!(code, 0, "{verdict}");
    let acknowledged = format!(
        "{} plans, {} amendments, {} reports, {} questions",
        sent.planned.len(),
        sent.amended.len(),
        sent.reported.len(),
        sent.asked
    );
    let enough = sent.planned.len() > 10 && sent.reported.len() > 10 && sent.asked > 10 && !sent.amended.is_empty();
    assert!(enough, "too little was acknowledged to say anything: {acknowledged}");
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

/// Whether the bot says in a thread what Lin said, or that Ada amended: the same words as often as they do so.
fn of_acts(message: &Value) -> bool {
    of_lin(message) || message["text"].as_str().unwrap().contains("@ada amended")
}

fn of_lin(message: &Value) -> bool {
    let text = message["text"].as_str().unwrap();
    message["author"] == "tidegate"
        && message["for"].is_null()
        && text.lines().next().unwrap_or_default().contains("@lin")
}

/// One message for each plan, and in no thread the same words twice.
fn nothing_is_said_twice(story: &Story, plans: usize) {
    let messages: Vec<Value> = story.messages().into_iter().filter(|m| m["author"] == "tidegate").collect();
    let public = messages.iter().filter(|m| m["for"].is_null() && m["thread"].is_null());
    let mains = public.clone().filter(|m| m["text"].as_str().unwrap().contains("planned by @ada")).count();
    assert_eq!(mains, plans, "one message for each plan: {:#?}", public.map(|m| m["text"].clone()).collect::<Vec<_>>());
    let mut said: BTreeMap<(String, String), usize> = BTreeMap::new();
    for message in messages.iter().filter(|m| m["for"].is_null() && !m["thread"].is_null() && !of_acts(m)) {
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
