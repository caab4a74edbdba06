//! What was approved changed: words are void, said aloud, and the approvers asked again.

use tidegate::cli::sample::repository::{CommitStory, add_commit, move_tag};
use tidegate::clock::Time;

use crate::harness::{MONDAY_11, Story, said, settings};

fn more(text: &str) -> CommitStory {
    let at = Time::parse_rfc3339("2026-11-23T19:05:00Z").unwrap();
    CommitStory::new("Ada", "ada@example.org", at, text).file("src/extra.rs", format!("// {text}\n"))
}

/// Ada's approved plan of this version.
fn approved(version: &str) -> Story {
    let mut story = Story::begin(&settings());
    story.says(
        "ada",
        &format!("/deploy plan shop production {version} --why PAY-1 --risk low --rollback \"redeploy v1.0.0\""),
    );
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    story
}

fn repository(story: &Story) -> std::path::PathBuf {
    story.folder.path().join("code.git")
}

/// Lin's word is void and she was asked anew, on a new card, for this commit.
fn asked_again(story: &mut Story, older: &str, commit: &str) {
    let view = story.plan("shop-1");
    assert_eq!((&view["state"], &view["revision"]), (&"advised".into(), &2.into()), "{}", story.texts());
    assert_eq!(view["plan"]["commit"], commit);
    assert_eq!(view["approvals"]["given"].as_array().unwrap().len(), 0);
    assert_eq!(story.verdict("shop-1").0, "waiting");
    let said = story.texts();
    assert!(said.contains("Earlier words no longer count; please look again: @lin"), "{said}");
    assert!(story.message(older)["text"].as_str().unwrap().contains("Superseded by revision 2"));
    let voided: Vec<_> = story.ledger("shop-1").into_iter().filter(|e| e["kind"] == "word.voided").collect();
    assert_eq!(voided.len(), 1);
    assert_eq!(voided[0]["data"]["people"][0], "lin");
    let card = story.card();
    assert_ne!(card, older);
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    let (code, out, _) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}");
}

#[test]
fn a_new_commit_on_the_branch_voids_the_approval_at_the_gates_next_question() {
    let mut story = approved("main");
    let older = story.card();
    let commit = add_commit(&repository(&story), "main", &more("Another thing")).unwrap();
    assert_eq!(story.verdict("shop-1"), ("stale".to_owned(), vec!["brief.stale".to_owned()]));
    story.settle();
    assert!(story.texts().contains("main is now commit"), "{}", story.texts());
    asked_again(&mut story, &older, &commit);
}

#[test]
fn a_moved_tag_is_noticed_by_itself_within_minutes() {
    let mut story = approved("v1.1.0");
    let older = story.card();
    let commit = add_commit(&repository(&story), "side", &more("Not what was reviewed")).unwrap();
    move_tag(&repository(&story), "v1.1.0", &commit).unwrap();
    story.advances(6 * 60);
    assert!(story.texts().contains("v1.1.0 is now commit"), "{}", story.texts());
    asked_again(&mut story, &older, &commit);
}

#[test]
fn a_start_on_a_branch_that_grew_does_not_start() {
    let mut story = approved("main");
    add_commit(&repository(&story), "main", &more("Another thing")).unwrap();
    let thread = story.main()["id"].as_str().unwrap().to_owned();
    story.says("ada", "/deploy start shop-1");
    story.replies("ada", &thread, "production");
    assert_eq!(story.plan("shop-1")["state"], "advised");
    assert!(story.plan("shop-1")["started"].is_null());
    assert_eq!(story.verdict("shop-1").0, "waiting");
}

#[test]
fn the_pipelines_own_commit_is_compared_with_the_approved_one() {
    let mut story = approved("main");
    let commit = add_commit(&repository(&story), "main", &more("Another thing")).unwrap();
    let query = format!("service=shop&environment=production&version=main&commit={commit}");
    assert_eq!(story.gate(&query)["verdict"], "stale");
    story.settle();
    assert_eq!(story.gate(&query)["verdict"], "waiting");
    story.says("ada", "/deploy cancel shop-1");
}

#[test]
fn a_version_that_vanished_is_stale_until_somebody_acts() {
    let mut story = approved("v1.1.0");
    std::fs::remove_file(repository(&story).join("refs/tags/v1.1.0")).unwrap();
    assert_eq!(story.verdict("shop-1").0, "stale");
    story.settle();
    story.advances(6 * 60);
    assert_ne!(story.verdict("shop-1").0, "approved");
    assert_ne!(story.verdict("shop-1").0, "not-started");
}

#[test]
fn refreshing_without_a_change_that_matters_makes_no_revision() {
    let mut story = approved("v1.1.0");
    let before = (story.plan("shop-1")["brief"].clone(), story.messages().len());
    story.advances(31 * 60);
    // Something elsewhere in the repository is no change of this plan's.
    add_commit(&repository(&story), "side", &more("Elsewhere")).unwrap();
    story.advances(31 * 60);
    let view = story.plan("shop-1");
    assert_eq!((&view["revision"], &view["state"], &view["brief"]), (&1.into(), &"approved".into(), &before.0));
    assert_eq!(story.messages().len(), before.1, "nobody hears of it");
    assert_eq!(story.verdict("shop-1").0, "not-started");
}

#[test]
fn an_amended_plan_asks_its_approvers_again_by_name() {
    let mut story = approved("v1.1.0");
    let older = story.card();
    let commit = story.plan("shop-1")["plan"]["commit"].as_str().unwrap().to_owned();
    story.says("ada", "/deploy amend shop-1 --rollback \"switch the greeting off\"");
    assert!(story.texts().contains("@ada amended shop-1"), "{}", story.texts());
    asked_again(&mut story, &older, &commit);
}

#[test]
fn somebody_elses_plan_is_not_amended_and_nothing_new_is_no_amendment() {
    let mut story = approved("v1.1.0");
    story.says("noor", "/deploy amend shop-1 --why mine");
    assert!(story.whispered_to("noor").contains("is @ada's plan"), "{}", story.whispered_to("noor"));
    story.says("noor", "/deploy take shop-1");
    assert!(story.whispered_to("noor").contains("is @ada's plan"), "{}", story.whispered_to("noor"));
    story.says("ada", "/deploy amend shop-1 --why PAY-1");
    // A platform that shows code as code has no backticks there.
    let told = story.whispered_to("ada").replace('`', "");
    assert!(told.contains("Nothing in shop-1 would change"), "{told}");
    assert_eq!(story.plan("shop-1")["state"], "approved");
}

#[test]
fn taking_a_window_asks_again_and_binds_the_start_to_it() {
    let mut story = approved("v1.1.0");
    let (older, thread) = (story.card(), story.main()["id"].as_str().unwrap().to_owned());
    story.replies("ada", &thread, "production");
    let commit = story.plan("shop-1")["plan"]["commit"].as_str().unwrap().to_owned();
    let window = story.plan("shop-1")["windows"][0].clone();
    story.says("ada", "/deploy take shop-1 1");
    asked_again(&mut story, &older, &commit);
    let view = story.plan("shop-1");
    assert_eq!((&view["plan"]["when"], &view["plan"]["window"]["end"]), (&window["start"], &window["end"]));
    assert!(view["confirmed"].is_null(), "another time is confirmed anew");
    let time = |value: &serde_json::Value| Time::parse_rfc3339(value.as_str().unwrap()).unwrap();
    let now = Time::parse_rfc3339(MONDAY_11).unwrap();
    if time(&window["start"]) > now.plus(60_000) {
        assert_eq!(story.verdict("shop-1").0, "not-yet");
    }
    story.advances(time(&window["end"]).since(now) / 1_000 + 60);
    assert_eq!(said(&story.gate("plan=shop-1")).0, "outside-window");
}

#[test]
fn a_new_blocker_makes_a_revision_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    crate::harness::repository(&folder.path().join("code.git"));
    let calendar = folder.path().join("freezes.ics");
    std::fs::write(&calendar, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n").unwrap();
    let with = settings()
        + "[[source]]\nkind = \"ics\"\nname = \"freezes\"\nfrom = \"{folder}/freezes.ics\"\nmeans = \"freeze\"\nrefresh = \"1m\"\n";
    let mut story = Story::begin_in(folder, &with, MONDAY_11);
    story.says("ada", "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"");
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
    std::fs::write(&calendar, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261123T180000Z\r\nDTEND:20261124T180000Z\r\nSUMMARY:Stocktaking\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n").unwrap();
    story.advances(6 * 60);
    let view = story.plan("shop-1");
    assert_eq!((&view["revision"], &view["state"]), (&2.into(), &"advised".into()), "{}", story.texts());
    let said = story.texts();
    assert!(said.contains("Revision 2: new blocker") && said.contains("Stocktaking"), "{said}");
    assert!(said.contains("please look again: @lin"), "{said}");
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1"), ("blocked".to_owned(), vec!["timing.freeze".to_owned()]));
}

#[test]
fn a_window_that_closes_is_no_news_and_the_approval_stands() {
    let mut story = approved("v1.1.0");
    story.advances(6 * 3_600);
    assert_eq!(story.verdict("shop-1"), ("outside-window".to_owned(), vec!["timing.window".to_owned()]));
    assert_eq!(
        (&story.plan("shop-1")["revision"], &story.plan("shop-1")["state"]),
        (&1.into(), &"approved".into()),
        "{}",
        story.texts()
    );
}
