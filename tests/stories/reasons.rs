//! What was written is what stands: a reason that is edited afterwards is kept beside the first one, an amended plan asks
//! anew, and the reason of an override or an emergency approval cannot be changed by anybody.

use crate::harness::discord;
use crate::harness::slack;
use crate::harness::{MONDAY_11, Story, repository, settings};

const PLAN: &str =
    "/deploy plan shop production v1.1.0 --why \"the first reason\" --risk low --rollback \"redeploy v1.0.0\"";

fn is_sound(story: &Story) {
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}{err}");
}

/// The lines of a plan's export: entries with their texts.
fn exported(story: &Story) -> Vec<serde_json::Value> {
    let (code, out, err) = story.runs_with(&["audit", "export", "--plan", "shop-1"], &[], "");
    assert_eq!(code, 0, "{err}");
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The texts of this name in entries of a kind, in their order.
fn texts(story: &Story, kind: &str, name: &str) -> Vec<String> {
    let of_kind = |line: &serde_json::Value| {
        let entry: serde_json::Value = serde_json::from_str(line["bytes"].as_str()?).ok()?;
        (entry["kind"] == kind).then(|| line.to_string())
    };
    let lines = exported(story);
    let found = lines.iter().filter_map(|line| of_kind(line).map(|_| line));
    found
        .filter_map(|line| {
            let texts = &line["texts"];
            let named = texts.as_array().into_iter().flatten().find(|text| text["name"] == name);
            named.or(texts.get(name)).and_then(|text| text["body"].as_str().or(text.as_str())).map(str::to_owned)
        })
        .collect()
}

#[test]
fn whoever_changes_why_after_approvals_asks_for_them_anew_and_both_reasons_are_on_record() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    let first = story.plan("shop-1")["brief"].clone();
    story.says("ada", "/deploy amend shop-1 --why \"another reason\"");
    assert_eq!(story.verdict("shop-1"), ("waiting".to_owned(), vec!["approval.missing".to_owned()]));
    assert!(story.texts().contains("please look again: @lin"), "{}", story.texts());
    assert_eq!(texts(&story, "plan.revised", "why"), ["the first reason", "another reason"]);
    let given = story.ledger("shop-1").into_iter().find(|entry| entry["kind"] == "word.given").unwrap();
    assert_eq!(given["plan"]["brief"], first, "what its giver saw");
    assert_ne!(story.plan("shop-1")["brief"], first);
    // The older card approves nothing any more.
    story.reacts("noor", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "waiting");
    is_sound(&story);
}

#[test]
fn an_overrides_reason_is_said_once() {
    let mut story = Story::begin_at(&settings(), "2026-11-23T18:00:00-08:00");
    story.says("ada", PLAN);
    story.says("grace", "/deploy override shop-1 timing.window --why \"the till is down\"");
    story.says("grace", "/deploy override shop-1 timing.window --why \"it seemed right\"");
    assert!(story.whispered_to("grace").contains("overridden already"), "{}", story.whispered_to("grace"));
    assert_eq!(texts(&story, "override", "why"), ["the till is down"]);
    is_sound(&story);
    // Not even by a hand in the database.
    let changed = story
        .by_hand("update ledger_text set body = 'it seemed right' where name = 'why' and body = 'the till is down'");
    if changed.is_ok() {
        let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
        assert_eq!(code, 1, "{out}{err}");
    }
}

#[test]
fn an_emergency_approvals_reason_is_said_once() {
    let token = "[people.lin]\nconsole = { value = \"lin-token\" }\n";
    let mut story = Story::begin(&settings().replace("[people.lin]\n", token));
    story.says("ada", PLAN);
    let approves = |story: &Story, why: &str| {
        let arguments = ["approve", "shop-1", "--why", why];
        story.runs_with(&arguments, &[("TIDEGATE_PERSON_TOKEN", "lin-token")], "shop-1\n").0
    };
    assert_eq!(approves(&story, "the chat is down"), 0);
    assert_eq!(approves(&story, "it seemed right"), 1);
    assert_eq!(texts(&story, "word.given", "why"), ["the chat is down"]);
    is_sound(&story);
}

/// Lin objects, gives a reason and edits it; both are on record, and the objection stands.
fn edited(story: &Story) {
    story.settle();
    assert_eq!(texts(story, "word.reason", "reason"), ["the queue is full", "I was wrong"]);
    assert!(story.texts().contains("edited the reason of an objection"), "{}", story.texts());
    assert_eq!(story.verdict("shop-1").0, "objected", "an edit takes nothing back");
    let reasons: Vec<_> = story.ledger("shop-1").into_iter().filter(|entry| entry["kind"] == "word.reason").collect();
    assert_eq!(reasons[0]["evidence"]["message"], reasons[1]["evidence"]["message"], "of one message");
    assert_eq!(
        (&reasons[0]["data"]["edited"], &reasons[1]["data"]["edited"]),
        (&serde_json::Value::Null, &true.into())
    );
    is_sound(story);
}

#[test]
fn on_slack_an_edited_reply_is_kept_beside_the_first() {
    let folder = tempfile::tempdir().unwrap();
    repository(&folder.path().join("code.git"));
    let play = slack::Play::open();
    let slack = play.slack.clone();
    let mut story = Story::begin_on(Box::new(play), folder, &settings(), MONDAY_11);
    story.says("ada", PLAN);
    let thread = story.main()["id"].as_str().unwrap().to_owned();
    let card = story.card();
    story.reacts("lin", &card, "no_entry");
    let reply = slack.write("lin", &thread, "the queue is full");
    story.settle();
    slack.rewrites("lin", &thread, &reply, "the queue is full", "I was wrong");
    edited(&story);
    // What was no reason is none by being edited; and an edit neither commands nor confirms.
    let chat = slack.write("ada", &thread, "one moment");
    story.settle();
    slack.rewrites("ada", &thread, &chat, "one moment", "production");
    slack.rewrites("ada", &thread, &chat, "production", "/deploy cancel shop-1");
    story.settle();
    assert_eq!(story.plan("shop-1")["confirmed"], serde_json::Value::Null);
    assert_eq!(story.plan("shop-1")["state"], "objected");
}

#[test]
fn on_discord_an_edited_reply_is_kept_beside_the_first() {
    let folder = tempfile::tempdir().unwrap();
    repository(&folder.path().join("code.git"));
    let play = discord::Play::open();
    let discord = play.discord.clone();
    let mut story = Story::begin_on(Box::new(play), folder, &settings(), MONDAY_11);
    story.says("ada", PLAN);
    let thread: u64 = story.main()["id"].as_str().unwrap().parse().unwrap();
    let card = story.card();
    story.reacts("lin", &card, "no_entry");
    let kept = |story: &Story, n: i64| {
        let count = "select count(*) from ledger_entry where kind = 'word.reason'";
        crate::harness::eventually("the reason", || story.number(count) == n);
    };
    let reply = discord.write("lin", thread, "the queue is full", true);
    kept(&story, 1);
    discord.rewrites(reply, "I was wrong");
    kept(&story, 2);
    edited(&story);
}
