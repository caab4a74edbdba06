//! Going on in spite of a named blocker: by role, with a reason, aloud, for one commit and for what the blocker said then.

use tidegate::cli::sample::repository::{CommitStory, add_commit};
use tidegate::clock::Time;

use crate::harness::{MONDAY_11, Story, settings};

const EVENING: &str = "2026-11-23T18:00:00-08:00";
const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";
const OVERRIDE: &str = "/deploy override shop-1 timing.window --why \"the till is down\"";
const VP: &str = "roles = [\"vp-engineering\"]";

fn may(codes: &str) -> String {
    format!("[[policy.override]]\ncodes = [{codes}]\nroles = [\"vp-engineering\"]\n")
}

/// Ada's plan outside the window, approved by Lin.
fn outside(settings: &str, version: &str) -> Story {
    let mut story = Story::begin_at(settings, EVENING);
    story.says("ada", &PLAN.replace("v1.1.0", version));
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1"), ("outside-window".to_owned(), vec!["timing.window".to_owned()]));
    story
}

fn is_sound(story: &Story) {
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}{err}");
}

fn entries(story: &Story, verdict: &str) -> usize {
    story.ledger("shop-1").iter().filter(|e| e["kind"] == "override" && e["verdict"] == verdict).count()
}

#[test]
fn a_vp_goes_on_outside_the_window_by_name_with_a_reason_and_it_is_counted() {
    let mut story = outside(&settings(), "v1.1.0");
    story.says("noor", OVERRIDE);
    assert!(story.whispered_to("noor").contains("is overridden by vp-engineering"), "{}", story.whispered_to("noor"));
    story.says("grace", "/deploy override shop-1 timing.window");
    assert!(story.whispered_to("grace").contains("needs a reason"), "{}", story.whispered_to("grace"));
    story.says("grace", "/deploy override shop-1 plan.rollback --why \"no time\"");
    let told = story.whispered_to("grace");
    assert!(told.contains("No role may override") && told.contains("timing.window"), "{told}");
    // What does not block needs no override, and none is recorded.
    story.says("grace", "/deploy override shop-1 incident.open --why \"no time\"");
    assert!(story.whispered_to("grace").contains("Nothing needs it"), "{}", story.whispered_to("grace"));
    assert_eq!((entries(&story, "given"), entries(&story, "refused")), (0, 1));
    assert_eq!(story.verdict("shop-1").0, "outside-window");

    story.says("grace", OVERRIDE);
    let said = story.texts();
    assert!(said.contains("@grace, this is an override: as vp-engineering"), "{said}");
    assert!(said.contains("Your reason: \"the till is down\"") && said.contains("Overridden by @grace"), "{said}");
    let gate = story.gate("plan=shop-1");
    assert_eq!((&gate["verdict"], &gate["overrides"][0]["by"]), (&"not-started".into(), &"grace".into()), "{gate}");
    assert_eq!(story.verdict("shop-1").1, ["plan.not-started", "plan.unconfirmed", "overridden"]);
    story.says("grace", OVERRIDE);
    assert!(story.whispered_to("grace").contains("overridden already"), "{}", story.whispered_to("grace"));
    assert_eq!(entries(&story, "given"), 1);

    story.says("ada", "/deploy start shop-1");
    let thread = story.main()["id"].as_str().unwrap().to_owned();
    story.replies("ada", &thread, "production");
    assert_eq!(story.verdict("shop-1"), ("approved".to_owned(), vec!["approved".to_owned(), "overridden".to_owned()]));
    story.says("lin", "/deploy why shop-1");
    let why = story.whispered_to("lin");
    assert!(why.contains("the till is down") && why.contains("relied on it"), "{why}");
    story.says("lin", "/deploy status");
    assert!(story.whispered_to("lin").contains("overridden: timing.window"), "{}", story.whispered_to("lin"));
    let metrics = story.get("/metrics");
    assert!(metrics.as_str().unwrap().contains("tidegate_overrides{code=\"timing.window\"} 1"), "{metrics}");
    is_sound(&story);
}

#[test]
fn an_override_ends_with_its_commit() {
    let mut story = outside(&settings(), "main");
    story.says("grace", OVERRIDE);
    assert_eq!(story.verdict("shop-1").0, "not-started");
    let at = Time::parse_rfc3339("2026-11-24T02:05:00Z").unwrap();
    let next = CommitStory::new("Ada", "ada@example.org", at, "One more").file("src/extra.rs", "// more\n");
    add_commit(&story.folder.path().join("code.git"), "main", &next).unwrap();
    assert_eq!(story.verdict("shop-1").0, "stale");
    story.settle();
    let said = story.texts();
    assert!(said.contains("no longer holds: it was given for another commit"), "{said}");
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1"), ("outside-window".to_owned(), vec!["timing.window".to_owned()]));
    assert_eq!(entries(&story, "void"), 1);
    is_sound(&story);
}

#[test]
fn an_override_by_someone_who_lost_the_role_does_not_hold_before_nor_after_the_start() {
    let mut story = outside(&settings(), "v1.1.0");
    story.says("grace", OVERRIDE);
    assert_eq!(story.verdict("shop-1").0, "not-started");
    story.changes_settings(VP, "roles = [\"director\"]");
    assert_eq!(story.verdict("shop-1"), ("outside-window".to_owned(), vec!["timing.window".to_owned()]));
    story.says("ada", "/deploy start shop-1");
    assert!(story.whispered_to("ada").contains("outside-window"), "{}", story.whispered_to("ada"));
    story.changes_settings("roles = [\"director\"]", VP);
    assert_eq!(story.verdict("shop-1").0, "not-started");
    story.says("ada", "/deploy start shop-1");
    let thread = story.main()["id"].as_str().unwrap().to_owned();
    story.replies("ada", &thread, "production");
    assert_eq!(story.verdict("shop-1").0, "approved");
    story.changes_settings(VP, "roles = [\"director\"]");
    assert_eq!(story.verdict("shop-1").0, "blocked");
    assert_eq!(story.verdict("shop-1").1[0], "override.void");
    is_sound(&story);
}

#[test]
fn an_objection_is_overridden_where_a_rule_names_it_and_the_next_one_is_not() {
    let mut story = Story::begin(&(settings() + &may("\"plan.objected\"")));
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story.reacts("noor", &card, "no_entry");
    assert_eq!(story.verdict("shop-1").0, "objected");
    story.says("grace", "/deploy override shop-1 plan.objected --why \"seen with noor\"");
    assert_eq!(story.verdict("shop-1").0, "not-started", "{}", story.whispered_to("grace"));
    assert_eq!(story.plan("shop-1")["state"], "approved");
    assert_eq!(story.plan("shop-1")["overrides"][0]["code"], "plan.objected");
    // Somebody else's objection is another one.
    story.reacts("lin", &card, "no_entry");
    assert_eq!(story.verdict("shop-1").0, "objected");
    assert_eq!(story.plan("shop-1")["state"], "objected");
    is_sound(&story);
}

#[test]
fn nobody_overrides_for_their_own_plan_unless_the_rule_says_so() {
    let own = settings() + &may("\"timing.window\"");
    let mut story = Story::begin_at(&own, EVENING);
    story.says("grace", PLAN);
    story.says("grace", OVERRIDE);
    assert!(story.whispered_to("grace").contains("You planned or wrote this"), "{}", story.whispered_to("grace"));
    story.changes_settings("codes = [\"timing.window\"]", "own = true\ncodes = [\"timing.window\"]");
    story.says("grace", OVERRIDE);
    assert_eq!(entries(&story, "given"), 1, "{}", story.whispered_to("grace"));
}

#[test]
fn a_second_freeze_is_not_what_was_overridden() {
    let folder = tempfile::tempdir().unwrap();
    crate::harness::repository(&folder.path().join("code.git"));
    let calendar = folder.path().join("freezes.ics");
    let event = |uid: u8, title: &str| {
        format!(
            "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261123T180000Z\r\nDTEND:20261124T180000Z\r\nSUMMARY:{title}\r\nEND:VEVENT\r\n"
        )
    };
    let write = |events: &str| {
        let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{events}END:VCALENDAR\r\n");
        std::fs::write(&calendar, text).unwrap();
    };
    write(&event(1, "Stocktaking"));
    let with = settings()
        + "[[source]]\nkind = \"ics\"\nname = \"freezes\"\nfrom = \"{folder}/freezes.ics\"\nmeans = \"freeze\"\nrefresh = \"1m\"\n";
    let mut story = Story::begin_in(folder, &with, MONDAY_11);
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1"), ("blocked".to_owned(), vec!["timing.freeze".to_owned()]));
    story.says("grace", "/deploy override shop-1 timing.freeze --why \"agreed with the shop\"");
    assert_eq!(story.verdict("shop-1").0, "not-started", "{}", story.whispered_to("grace"));
    // The same freeze, looked at again, is still overridden.
    story.advances(6 * 60);
    assert_eq!(story.verdict("shop-1").0, "not-started", "{}", story.texts());
    write(&(event(1, "Stocktaking") + &event(2, "Audit")));
    story.advances(6 * 60);
    let said = story.texts();
    assert!(said.contains("the overridden timing.freeze got worse: freezes: “Audit”"), "{said}");
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1"), ("blocked".to_owned(), vec!["timing.freeze".to_owned()]));
    is_sound(&story);
}

#[test]
fn an_override_that_a_hand_wrote_into_the_store_is_found() {
    let mut story = outside(&settings(), "v1.1.0");
    story.says("grace", OVERRIDE);
    is_sound(&story);
    story.by_hand("update overriding set facts = '[\"a fact that nobody saw\"]'").unwrap();
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 1, "{out}{err}");
    story.by_hand("update overriding set facts = '[]', person = 'noor'").unwrap();
    let (code, out, err) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 1, "{out}{err}");
}
