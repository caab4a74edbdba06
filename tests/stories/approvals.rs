//! Who may approve, what counts, what voids it.

use crate::harness::{Story, settings};

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
