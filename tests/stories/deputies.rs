//! Deputies: roles that are lent for a while, by name, never on and never for one's own plans.

use crate::harness::{Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";
const LEND: &str = "/deploy delegate noor --until \"tomorrow 18:00\"";

/// A VP must approve; Grace is the only one.
fn strict() -> String {
    settings()
        + "[[policy.approval]]\nbecause = \"a VP answers for it\"\nenvironment = \"production\"\nneeds = [{ role = \"vp-engineering\", count = 1 }]\n"
}

fn is_sound(story: &Story) {
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn a_deputy_approves_for_the_lender_until_the_time_is_over() {
    let mut story = Story::begin(&strict());
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("noor", &card, "white_check_mark");
    assert_eq!(story.refused("shop-1"), [("noor".to_owned(), "role".to_owned())]);
    story.unreacts("noor", &card, "white_check_mark");
    story.says("grace", LEND);
    let said = story.texts();
    assert!(said.contains("@grace named @noor as deputy for all roles until"), "{said}");
    story.reacts("noor", &card, "white_check_mark");
    let said = story.texts();
    assert!(said.contains("@noor approved revision 1 as vp-engineering for grace"), "{said}");
    assert!(said.contains("@noor for @grace (all roles)"), "{said}");
    let view = story.plan("shop-1");
    assert_eq!((&view["state"], &view["approvals"]["given"][0]["for"]), (&"approved".into(), &"grace".into()));
    assert_eq!(story.gate("plan=shop-1")["approvals"][0]["for"], "grace");
    story.says("lin", "/deploy status");
    assert!(story.whispered_to("lin").contains("@noor for @grace"), "{}", story.whispered_to("lin"));
    story.says("lin", "/deploy why shop-1");
    assert!(story.whispered_to("lin").contains("as vp-engineering for grace"), "{}", story.whispered_to("lin"));
    is_sound(&story);
    // Her own word beside the deputy's is the same voice, and counts on its own when the deputy's ends.
    story.says("grace", "/deploy delegate noor --end yes");
    assert_eq!(story.plan("shop-1")["state"], "advised");
    assert_eq!(story.verdict("shop-1").0, "waiting");
    assert!(story.texts().contains("What @noor said for @grace no longer counts"), "{}", story.texts());
    is_sound(&story);

    story.says("grace", "/deploy delegate noor --until \"in 2h\"");
    assert_eq!(story.verdict("shop-1").0, "not-started", "the same word counts again while the role is lent again");
    story.advances(2 * 3_600 + 60);
    assert_eq!(story.verdict("shop-1").0, "waiting");
    assert!(story.texts().contains("no longer stands in for @grace: its time is over"), "{}", story.texts());
    is_sound(&story);
}

#[test]
fn what_was_lent_is_not_lent_on_and_counts_for_no_plan_of_the_lender() {
    let mut story = Story::begin(&strict());
    story.says("grace", LEND);
    story.says("noor", "/deploy delegate lin --until \"tomorrow 18:00\" --role vp-engineering");
    assert!(story.whispered_to("noor").contains("not yours to lend"), "{}", story.whispered_to("noor"));
    story.says("noor", "/deploy delegate lin --until \"tomorrow 18:00\"");
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.refused("shop-1"), [("lin".to_owned(), "role".to_owned())]);

    story.says("grace", PLAN);
    let card = story.card();
    story.reacts("noor", &card, "white_check_mark");
    assert_eq!(story.refused("shop-2"), [("noor".to_owned(), "role".to_owned())]);
    story.reacts("grace", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-2").0, "waiting");
}

#[test]
fn a_lent_role_ends_with_its_lenders_role() {
    let mut story = Story::begin(&strict());
    story.says("grace", LEND);
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("noor", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    story.changes_settings("roles = [\"vp-engineering\"]", "roles = [\"director\"]");
    assert_eq!(story.verdict("shop-1").0, "waiting");
    story.changes_settings("roles = [\"director\"]", "kind = \"deactivated\"\nroles = [\"vp-engineering\"]");
    assert_eq!(story.verdict("shop-1").0, "waiting");
}

#[test]
fn a_deputy_beside_the_lender_is_one_voice() {
    let two = strict().replace("count = 1 }]\n", "count = 2 }]\n").replace(
        "roles = [\"lead\"]\n[people.gil]",
        "roles = [\"lead\"]\n[people.vic]\nroles = [\"vp-engineering\"]\n[people.gil]",
    );
    let mut story = Story::begin(&two);
    story.says("grace", LEND);
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("noor", &card, "white_check_mark");
    story.reacts("grace", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "waiting");
    story.reacts("vic", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
}

#[test]
fn a_deputy_is_one_member_for_a_limited_time() {
    let mut story = Story::begin(&strict());
    let mut refused = |user: &str, text: &str, part: &str| {
        story.says(user, text);
        assert!(story.whispered_to(user).contains(part), "{text}: {}", story.whispered_to(user));
    };
    refused("grace", "/deploy delegate noor", "Until when?");
    refused("grace", "/deploy delegate noor --until \"in 30d\"", "at most 14d");
    refused("grace", "/deploy delegate grace --until \"in 2h\"", "somebody else");
    refused("grace", "/deploy delegate gil --until \"in 2h\"", "is no member");
    refused("grace", "/deploy delegate nobody --until \"in 2h\"", "There is no person");
    refused("gil", LEND, "Guests may look");
    refused("grace", "/deploy delegate lin --end yes", "does not stand in for you");
    story.says("grace", LEND);
    story.says("grace", "/deploy delegate lin --until \"in 2h\"");
    assert!(story.whispered_to("grace").contains("stands in for you already"), "{}", story.whispered_to("grace"));
    is_sound(&story);
}

#[test]
fn a_deputy_that_a_hand_wrote_into_the_store_is_found() {
    let mut story = Story::begin(&strict());
    story.says("grace", LEND);
    is_sound(&story);
    story.by_hand("update deputy set until = until + 86400000").unwrap();
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 1, "{out}{err}");
}
