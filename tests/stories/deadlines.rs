//! Until when approvals are needed: said, reminded of, and recorded when nobody came.

use crate::harness::{Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

fn told(story: &Story, user: &str) -> usize {
    let mine = story.messages().into_iter().filter(|m| m["for"] == user);
    mine.filter(|m| m["text"].as_str().unwrap_or_default().contains("Your word")).count()
}

fn missed(story: &Story) -> usize {
    story.ledger("shop-1").iter().filter(|entry| entry["kind"] == "deadline.missed").count()
}

#[test]
fn those_who_could_approve_are_reminded_once_before_and_once_at_the_deadline() {
    let mut story = Story::begin(&settings());
    story.says("ada", &format!("{PLAN} --when 15:00"));
    let card = story.card();
    let text = story.message(&card)["text"].as_str().unwrap().to_owned();
    assert!(text.contains("Approvals are needed by") && text.contains("14:30"), "{text}");
    let before = told(&story, "lin");
    story.advances(2 * 3_600 + 20 * 60);
    assert_eq!(told(&story, "lin"), before, "nobody is reminded two hours before");
    story.advances(15 * 60);
    assert_eq!(told(&story, "lin"), before + 1, "{}", story.texts());
    assert!(story.texts().contains("Missing: anyone who may approve"), "{}", story.texts());
    assert_eq!((told(&story, "ada"), told(&story, "gil"), missed(&story)), (0, 0, 0));
    story.advances(60 * 60);
    assert_eq!(told(&story, "lin"), before + 2);
    assert!(story.texts().contains("Approvals were needed by"), "{}", story.texts());
    assert_eq!(missed(&story), 1);
    story.advances(10 * 60);
    assert_eq!((told(&story, "lin"), missed(&story)), (before + 2, 1));
    // It goes on waiting.
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
}

#[test]
fn who_approved_in_time_hears_nothing_more() {
    let mut story = Story::begin(&settings());
    story.says("ada", &format!("{PLAN} --needed-by 12:30"));
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    let before = (told(&story, "lin"), told(&story, "noor"));
    story.advances(3 * 3_600);
    assert_eq!((told(&story, "lin"), told(&story, "noor")), before, "{}", story.texts());
    assert_eq!(missed(&story), 0);
}

#[test]
fn a_deadline_after_the_plans_own_time_is_refused() {
    let mut story = Story::begin(&settings());
    story.says("ada", &format!("{PLAN} --when 13:00 --needed-by 14:00"));
    assert!(story.whispered_to("ada").contains("after the plan's own time"), "{}", story.whispered_to("ada"));
}
