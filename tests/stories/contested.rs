//! A declared word that looks too low: it stands, the doubt is said, and a person settles it.

use tidegate::cli::sample::repository::{CommitStory, RepositoryStory, make};
use tidegate::clock::Time;

use crate::harness::{MONDAY_11, Story, settings};

/// Payments code by Noor; Grace is the VP, Vic another.
fn payments() -> Story {
    let folder = tempfile::tempdir().unwrap();
    let at = |day: &str| Time::parse_rfc3339(&format!("{day}T12:00:00Z")).unwrap();
    let story = RepositoryStory::new(vec![
        CommitStory::new("Ada", "ada@example.org", at("2026-10-01"), "Open the shop")
            .file("src/main.rs", "fn main() {}\n")
            .tag("v1.0.0"),
        CommitStory::new("Noor", "noor@example.org", at("2026-11-10"), "Round amounts")
            .file("src/payments/capture.rs", "pub fn round() {}\n")
            .tag("v1.1.0"),
    ]);
    make(&folder.path().join("code.git"), &story).unwrap();
    let settings = settings().replace(
        "[people.noor]\nemail = [\"noor@example.org\"]\nroles = [\"lead\"]",
        "[people.noor]\nemail = [\"noor@example.org\"]\nroles = [\"lead\", \"vp-engineering\"]",
    ) + "[people.vic]\nroles = [\"vp-engineering\"]\n";
    Story::begin_in(folder, &settings, MONDAY_11)
}

const LOW: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

fn button(story: &Story, card: &str, part: &str) -> String {
    let message = story.message(card);
    let buttons = message["message"]["buttons"].as_array().unwrap();
    let found = buttons.iter().find(|b| b["id"].as_str().unwrap().starts_with(part));
    found.unwrap_or_else(|| panic!("no button {part}: {buttons:?}"))["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_low_word_on_payments_stands_and_the_gate_is_contested_until_somebody_independent_settles_it() {
    let mut story = payments();
    story.says("ada", LOW);
    let view = story.plan("shop-1");
    assert_eq!(view["plan"]["risk"], "low");
    assert!(view["approvals"]["needed"].to_string().contains("vp-engineering"), "{}", view["approvals"]);
    let flag = story.flag("shop-1", "risk.declared");
    assert_eq!(flag["level"], "caution");
    assert!(flag["says"].as_str().unwrap().contains("payments"), "{flag}");
    let card = story.card();
    assert!(story.message(&card)["text"].as_str().unwrap().contains("looks higher"));

    // The author's approval is refused, though she is a VP; Grace's and Lin's are enough.
    story.reacts("noor", &card, "white_check_mark");
    assert_eq!(story.refused("shop-1"), [("noor".to_owned(), "author".to_owned())]);
    story.reacts("grace", &card, "white_check_mark");
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    assert_eq!(story.verdict("shop-1"), ("contested".to_owned(), vec!["category.contested".to_owned()]));
    story.says("ada", "/deploy start shop-1");
    assert!(story.whispered_to("ada").contains("contested"), "{}", story.whispered_to("ada"));

    let high = button(&story, &card, "settle-high");
    for user in ["ada", "noor", "gil", "robo"] {
        story.presses(user, &card, &high);
        assert!(
            story.whispered_to(user).contains("other than planner and authors"),
            "{user}: {}",
            story.whispered_to(user)
        );
        assert_eq!(story.verdict("shop-1").0, "contested", "{user}");
    }
    story.presses("vic", &card, &high);
    assert_eq!(story.verdict("shop-1").0, "not-started");
    assert!(story.texts().contains("@vic settled it: high-risk"), "{}", story.texts());
    assert_eq!(story.plan("shop-1")["plan"]["risk"], "low", "the declared word stays in the record");
    let settled: Vec<_> = story.ledger("shop-1").into_iter().filter(|e| e["kind"] == "risk.settled").collect();
    assert_eq!(
        (settled.len(), &settled[0]["actor"]["person"], &settled[0]["verdict"]),
        (1, &"vic".into(), &"high".into())
    );
    let revised = story.ledger("shop-1").into_iter().find(|e| e["kind"] == "plan.revised").unwrap();
    assert_eq!(revised["data"]["risk_declared"], "low");
    assert_eq!(revised["data"]["contested"], true);
    let left = story.message(&card)["message"]["buttons"].to_string();
    assert!(!left.contains("settle-"), "the card no longer asks: {left}");
}

#[test]
fn the_declared_word_may_be_found_right() {
    let mut story = payments();
    story.says("ada", LOW);
    let card = story.card();
    let right = button(&story, &card, "settle-declared");
    story.presses("grace", &card, &right);
    assert_eq!(story.verdict("shop-1").0, "waiting");
    let settled = story.ledger("shop-1").into_iter().find(|e| e["kind"] == "risk.settled").unwrap();
    assert_eq!(settled["verdict"], "as-declared");
}

#[test]
fn what_was_settled_for_one_commit_is_open_again_for_the_next() {
    let mut story = payments();
    story.says("ada", &LOW.replace("v1.1.0", "main"));
    let card = story.card();
    let right = button(&story, &card, "settle-declared");
    story.presses("grace", &card, &right);
    let at = Time::parse_rfc3339("2026-11-23T19:05:00Z").unwrap();
    let next = CommitStory::new("Noor", "noor@example.org", at, "Round amounts up")
        .file("src/payments/capture.rs", "pub fn round_up() {}\n");
    tidegate::cli::sample::repository::add_commit(&story.folder.path().join("code.git"), "main", &next).unwrap();
    story.advances(6 * 60);
    assert_eq!(story.plan("shop-1")["revision"], 2);
    assert_eq!(story.verdict("shop-1").0, "contested");
    let card = story.card();
    assert!(button(&story, &card, "settle-high").ends_with("shop-1"));
    let (code, out, _) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}");
}

#[test]
fn declared_high_is_not_contested() {
    let mut story = payments();
    story.says("ada", "/deploy plan shop production v1.1.0 --why PAY-1 --risk high --category payments --rollback \"redeploy v1.0.0\"");
    assert_eq!(story.verdict("shop-1").0, "waiting");
}
