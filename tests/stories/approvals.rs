//! Who may approve, what counts, what voids it.

use tidegate::cli::sample::repository::{CommitStory, add_commit};
use tidegate::clock::Time;

use crate::harness::{Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";
const TWO: &str = "[[policy.approval]]\nenvironment = \"production\"\nneeds = [{ count = 2 }]\n";

#[test]
fn the_planner_cannot_approve_and_a_lead_can() {
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"");
    let card = story.card();
    story.reacts("ada", &card, "white_check_mark");
    assert!(story.whispered_to("ada").contains("someone other than the planner"));
    assert_eq!(story.plan("shop-1")["state"], "advised");
    story.reacts("lin", &card, "white_check_mark::skin-tone-2");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    story.unreacts("lin", &card, "white_check_mark::skin-tone-2");
    assert_eq!(story.plan("shop-1")["state"], "advised");
}

#[test]
fn two_approvals_at_once_are_both_counted() {
    let mut story = Story::begin(&(settings() + TWO));
    story.says("ada", PLAN);
    let card = story.card();
    story.react_at_once(&card, &[("lin", "white_check_mark", false), ("noor", "white_check_mark", false)]);
    assert_eq!(story.plan("shop-1")["state"], "approved");
    let given = story.ledger("shop-1").into_iter().filter(|entry| entry["kind"] == "word.given").count();
    assert_eq!(given, 2);
}

#[test]
fn an_approval_that_races_a_new_commit_approves_nothing_of_it() {
    let mut story = Story::begin(&settings());
    story.says("ada", &PLAN.replace("v1.1.0", "main"));
    let card = story.card();
    let at = Time::parse_rfc3339("2026-11-23T19:05:00Z").unwrap();
    let next = CommitStory::new("Ada", "ada@example.org", at, "One more").file("src/extra.rs", "// more\n");
    add_commit(&story.folder.path().join("code.git"), "main", &next).unwrap();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "stale");
    story.settle();
    assert_eq!(story.verdict("shop-1").0, "waiting");
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "waiting", "the older card approves nothing");
}

#[test]
fn a_withdrawal_that_races_the_start_comes_before_it_or_after_it() {
    let mut story = Story::begin(&settings().replace("protected = true", "start = \"human\""));
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story.react_at_once(&card, &[("lin", "white_check_mark", true), ("ada", "rocket", false)]);
    let kinds: Vec<String> =
        story.ledger("shop-1").iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect();
    let at = |kind: &str| kinds.iter().position(|known| known == kind);
    match (at("word.withdrawn"), at("start")) {
        (Some(withdrawn), Some(start)) => assert!(start < withdrawn, "it began without an approval: {kinds:?}"),
        (Some(_), None) => assert_eq!(story.verdict("shop-1").0, "waiting"),
        // A word is no longer taken back once what it allowed has begun.
        (None, Some(_)) => assert_eq!(story.verdict("shop-1").0, "approved"),
        (None, None) => panic!("neither was handled: {kinds:?}"),
    }
}

#[test]
fn pipelines_that_ask_while_a_word_is_taken_back_hear_no_yes_behind_it() {
    let mut story = Story::begin(&settings().replace("protected = true", ""));
    story.says("ada", PLAN);
    let card = story.card();
    let pipelines = story.pipelines("service=shop&environment=production&version=v1.1.0", 3);
    for _ in 0..6 {
        story.reacts("lin", &card, "white_check_mark");
        assert_eq!(story.verdict("shop-1").0, "approved");
        story.unreacts("lin", &card, "white_check_mark");
        assert_eq!(story.verdict("shop-1").0, "waiting");
    }
    let heard = pipelines.heard();
    let yes = heard.iter().filter(|answer| answer["approved"] == true).count();
    let (mut stands, mut recorded) = (false, 0);
    for entry in story.ledger("shop-1") {
        match entry["kind"].as_str().unwrap() {
            "word.given" => stands = true,
            "word.withdrawn" => stands = false,
            "gate.answered" => {
                assert!(stands, "the gate opened behind a withdrawal: {entry}");
                recorded += 1;
            }
            _ => {}
        }
    }
    assert!(yes > 0 && yes < heard.len(), "{yes} of {}", heard.len());
    assert_eq!(yes, recorded, "each yes that was heard is on the record, and no other");
}

#[test]
fn an_approver_who_lost_the_role_or_left_no_longer_counts() {
    let strict = settings()
        + "[[policy.approval]]\nenvironment = \"production\"\nneeds = [{ role = \"vp-engineering\", count = 1 }]\n";
    let mut story = Story::begin(&strict);
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("grace", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    let grace = "email = [\"grace@example.org\"]\nroles = [\"vp-engineering\"]";
    story.changes_settings(grace, "email = [\"grace@example.org\"]\nroles = []");
    assert_eq!(story.verdict("shop-1"), ("waiting".to_owned(), vec!["approval.missing".to_owned()]));
    story.says("ada", "/deploy start shop-1");
    assert!(story.whispered_to("ada").contains("cannot start (waiting)"), "{}", story.whispered_to("ada"));
    story.changes_settings("email = [\"grace@example.org\"]\nroles = []", grace);
    assert_eq!(story.verdict("shop-1").0, "not-started");
    story.changes_settings(grace, &format!("kind = \"deactivated\"\n{grace}"));
    assert_eq!(story.verdict("shop-1").0, "waiting");
}

#[test]
fn a_clock_that_steps_back_neither_loses_nor_adds_an_approval() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert!(story.stop(), "{}", story.log());
    story.start("2026-11-23T10:30:00-08:00");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    story.unreacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "waiting");
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn an_hour_that_came_later_asks_for_more() {
    let strict = settings()
        + "[[policy.approval]]\nenvironment = \"production\"\nneeds = [{ count = 1 }]\n[[policy.approval]]\nbecause = \"a VP answers for the night\"\nenvironment = \"production\"\noutside-window = true\nneeds = [{ role = \"vp-engineering\", count = 1 }]\n";
    let mut story = Story::begin(&strict);
    story.says("ada", PLAN);
    let card = story.card();
    let text = story.message(&card)["text"].as_str().unwrap().to_owned();
    assert!(text.contains("outside the allowed window, also: vp-engineering"), "{text}");
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    story.advances(6 * 3_600);
    assert_eq!(story.verdict("shop-1"), ("waiting".to_owned(), vec!["approval.missing".to_owned()]));
    story.reacts("grace", &card, "white_check_mark");
    // The approval alone opens no window.
    assert_eq!(story.verdict("shop-1"), ("outside-window".to_owned(), vec!["timing.window".to_owned()]));
}
