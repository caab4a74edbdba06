//! Whose word counts, when it is enough, and what takes it back.

use crate::harness::{MONDAY_11, Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

/// Production asks for two leads and somebody from security.
fn three_of_four() -> String {
    settings()
        + r#"
[people.kim]
roles = ["security", "lead"]
[people.bo]
roles = ["security"]
[people.sam]
[[policy.approval]]
because = "the shop takes money"
environment = "production"
needs = [{ role = "lead", count = 2 }, { role = "security", count = 1 }]
"#
}

#[test]
fn guests_bots_deactivated_people_and_strangers_do_not_count_and_are_told_alone() {
    let mut story = Story::begin(&three_of_four());
    story.says("ada", PLAN);
    let card = story.card();
    for (user, because, says) in [
        ("ada", "planner", "someone other than the planner"),
        ("gil", "guest", "guests do not approve"),
        ("robo", "bot", "bots never approve"),
        ("dee", "deactivated", "deactivated"),
        ("grace", "role", "this asks for lead or security"),
        ("sam", "role", "this asks for lead or security"),
        ("mallory", "stranger", "I do not know you"),
    ] {
        let public = story.texts();
        story.reacts(user, &card, "white_check_mark");
        let told = story.whispered_to(user);
        assert!(told.contains(says), "{user}: {told}");
        assert!(told.contains("@lin") && told.contains("@noor"), "{user} is told who can: {told}");
        assert_eq!(story.texts(), public, "nobody else hears of {user}");
        assert_eq!(story.refused("shop-1").last(), Some(&(user.to_owned(), because.to_owned())));
    }
    assert_eq!(story.refused("shop-1").len(), 7);
    let view = story.plan("shop-1");
    assert_eq!(view["state"], "advised");
    assert_eq!(view["approvals"]["given"].as_array().unwrap().len(), 0);
    assert_eq!(story.verdict("shop-1"), ("waiting".to_owned(), vec!["approval.missing".to_owned()]));
}

#[test]
fn an_author_of_the_change_does_not_count() {
    let mut story = Story::begin(
        &settings()
            .replace("[people.lin]\nemail = [\"lin@example.org\"]", "[people.lin]\nemail = [\"ada@example.org\"]")
            .replace("[people.ada]\nemail = [\"ada@example.org\"]", "[people.ada]"),
    );
    story.says("noor", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert!(story.whispered_to("lin").contains("you wrote one of its commits"), "{}", story.whispered_to("lin"));
    assert_eq!(story.refused("shop-1"), [("lin".to_owned(), "author".to_owned())]);
    assert_eq!(story.plan("shop-1")["state"], "advised");
}

#[test]
fn several_people_of_several_roles_are_matched_to_what_is_needed() {
    let mut story = Story::begin(&three_of_four());
    story.says("ada", PLAN);
    let card = story.card();
    // Kim is lead and security, and fills one place of the two.
    story.reacts("kim", &card, "white_check_mark");
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "advised");
    let missing = story.gate("plan=shop-1")["needed"].clone();
    assert_eq!(missing.as_array().unwrap().len(), 1, "{missing}");
    // Whichever place is left, Noor the lead fills it: Kim moves to security.
    story.reacts("noor", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved", "{}", story.texts());
    assert!(story.texts().contains("3 of 3: approved."));
    let given = story.plan("shop-1")["approvals"]["given"].clone();
    let brief = story.plan("shop-1")["brief"].clone();
    for one in given.as_array().unwrap() {
        assert_eq!(one["brief"], brief);
        assert!(one["at"].as_str().unwrap().starts_with("2026-11-23T19:0"), "{one}");
        assert!(one["by"].is_string() && one["role"].is_string(), "{one}");
    }
}

#[test]
fn two_approve_and_one_takes_it_back() {
    let two = settings() + "[[policy.approval]]\nenvironment = \"production\"\nneeds = [{ count = 2 }]\n";
    let mut story = Story::begin(&two);
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert!(story.texts().contains("1 of 2"), "{}", story.texts());
    story.reacts("noor", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    story.unreacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "advised");
    assert_eq!(story.verdict("shop-1").0, "waiting");
    assert!(story.texts().contains("took the approval back. 1 of 2"), "{}", story.texts());
    assert!(story.main()["text"].as_str().unwrap().contains("Approvals 1 of 2"));
    // Taking back what was never given changes nothing.
    story.unreacts("grace", &card, "white_check_mark");
    assert_eq!(story.ledger("shop-1").iter().filter(|e| e["kind"] == "word.withdrawn").count(), 1);
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
}

#[test]
fn an_objection_stops_it_gives_its_reason_and_can_be_withdrawn() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story.reacts("noor", &card, "no_entry");
    assert_eq!(story.plan("shop-1")["state"], "objected");
    assert_eq!(story.verdict("shop-1"), ("objected".to_owned(), vec!["approval.objected".to_owned()]));
    assert!(story.main()["text"].as_str().unwrap().contains("@noor objected"));
    let thread = story.main()["id"].as_str().unwrap().to_owned();
    story.replies("noor", &thread, "The greeting is not translated");
    let reasons: Vec<_> = story.ledger("shop-1").into_iter().filter(|e| e["kind"] == "word.reason").collect();
    assert_eq!(reasons.len(), 1);
    assert_eq!(reasons[0]["actor"]["person"], "noor");
    // Somebody else's chat is theirs.
    story.replies("grace", &thread, "Oh dear");
    assert_eq!(story.ledger("shop-1").iter().filter(|e| e["kind"] == "word.reason").count(), 1);
    story.says("ada", "/deploy start shop-1");
    assert!(story.whispered_to("ada").contains("noor objected"), "{}", story.whispered_to("ada"));
    story.unreacts("noor", &card, "no_entry");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    assert_eq!(story.verdict("shop-1").0, "not-started");
}

#[test]
fn a_hold_blocks_until_it_is_lifted() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story.reacts("grace", &card, "raised_hand");
    assert_eq!(story.plan("shop-1")["state"], "held");
    assert_eq!(story.verdict("shop-1"), ("blocked".to_owned(), vec!["plan.held".to_owned()]));
    story.unreacts("grace", &card, "raised_hand");
    assert_eq!(story.verdict("shop-1").0, "not-started");
}

#[test]
fn a_reaction_elsewhere_than_on_the_card_is_explained_and_not_counted() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let main = story.main()["id"].as_str().unwrap().to_owned();
    story.reacts("lin", &main, "white_check_mark");
    let told = story.whispered_to("lin");
    assert!(told.contains("Not counted") && told.contains("card of revision 1"), "{told}");
    assert_eq!(story.refused("shop-1"), [("lin".to_owned(), "card.elsewhere".to_owned())]);
    assert_eq!(story.plan("shop-1")["state"], "advised");
    // What the bot seeded counts for nobody, and what means nothing is nobody's business.
    story.reacts("lin", &story.card(), "tada");
    assert_eq!(story.plan("shop-1")["state"], "advised");
}

#[test]
fn an_approval_of_an_older_revision_does_not_approve_the_new_one() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let older = story.card();
    story.reacts("lin", &older, "white_check_mark");
    story.says("ada", "/deploy amend shop-1 --why PAY-2");
    let newer = story.card();
    assert_ne!(older, newer);
    assert_eq!(story.plan("shop-1")["revision"], 2);
    assert_eq!(story.plan("shop-1")["state"], "advised");
    story.reacts("noor", &older, "white_check_mark");
    let told = story.whispered_to("noor");
    assert!(told.contains("revision 1") && told.contains("revision 2"), "{told}");
    assert_eq!(story.refused("shop-1"), [("noor".to_owned(), "card.older".to_owned())]);

    // The process dies and comes back; Lin's mark still stands on the older card.
    story.kill();
    story.start(MONDAY_11);
    story.settle();
    let reactions = story.message(&older)["reactions"]["white_check_mark"].clone();
    assert!(reactions.as_array().unwrap().iter().any(|user| user == "lin"), "{reactions}");
    assert_eq!(story.plan("shop-1")["state"], "advised");
    assert_eq!(story.verdict("shop-1").0, "waiting");
    // Taking the old mark off and putting it on again is not a word on the new card either.
    story.unreacts("lin", &older, "white_check_mark");
    story.reacts("lin", &older, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "advised");
    story.reacts("lin", &newer, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
}
