//! What code hosts tell: builds and reviews.

use super::world::*;
use crate::advice::FlagLevel::{Caution, Critical, Info, Pass, Unknown};
use crate::advice::facts::*;
use crate::clock::{HOUR, MINUTE};

fn build(name: &str, state: BuildState) -> Build {
    Build { name: name.to_owned(), state, finished: Some(now()), link: None }
}

fn builds(world: &mut World) -> &mut Builds {
    if world.facts.builds.known.is_empty() {
        let run = |n: i64| Run { commit: format!("{n:040x}"), at: now().plus(-n * HOUR), passed: true, attempts: 1 };
        let builds = Builds {
            commit: "0123456789abcdef".to_owned(),
            builds: vec![build("unit", BuildState::Passed), build("lint", BuildState::Passed)],
            required: None,
            branch: Some("main".to_owned()),
            runs: (0..20).map(run).collect(),
            flaky: Vec::new(),
        };
        world.facts.builds = known("github", builds);
    }
    &mut world.facts.builds.known[0].value
}

fn request(id: &str) -> MergeRequest {
    let review = Review { by: "grace".into(), verdict: Verdict::Approved, at: now().plus(-HOUR), newest: Some(true) };
    MergeRequest {
        id: id.to_owned(),
        title: "Add refunds".to_owned(),
        author: "ada".into(),
        labels: Vec::new(),
        opened: now().plus(-5 * HOUR),
        last_push: None,
        lines: 400,
        comments: 6,
        reviews: vec![review],
        rollback: None,
        link: None,
    }
}

fn reviewed(requests: Vec<MergeRequest>, direct: u32) -> World {
    let mut world = World::calm();
    world.facts.reviews = known("github", Reviews { commit: "0123".to_owned(), requests, direct });
    world
}

#[test]
fn a_failed_pending_missing_or_cancelled_build_is_not_green() {
    let mut world = World::calm();
    builds(&mut world);
    world.says("tests.status", Pass, &["2 builds passed at 01234567"]);
    builds(&mut world).builds.push(build("e2e", BuildState::Pending));
    world.says("tests.status", Caution, &["E2e is not finished at 01234567"]);
    builds(&mut world).builds[1].state = BuildState::Failed;
    assert!(world.says("tests.status", Critical, &["Lint failed at 01234567"]).points > 0);
    builds(&mut world).required = Some(vec!["unit".to_owned()]);
    world.says("tests.status", Pass, &["1 required build passed"]);
    builds(&mut world).required = Some(vec!["unit".to_owned(), "smoke".to_owned()]);
    world.says("tests.status", Caution, &["Smoke never ran at 01234567, and must have passed"]);
    builds(&mut world).required = None;
    builds(&mut world).builds = vec![build("unit", BuildState::Cancelled)];
    world.says("tests.status", Caution, &["Unit was cancelled"]);
    builds(&mut world).builds = vec![build("unit", BuildState::Skipped)];
    world.says("tests.status", Unknown, &["none that passed or failed"]);
    world.facts.builds = broken("github", "did not answer in 2 s");
    world.says("tests.status", Unknown, &["github did not answer in 2 s"]);
}

#[test]
fn what_one_system_lets_pass_does_not_make_up_for_what_another_found() {
    let mut world = World::calm();
    builds(&mut world);
    let mut other = world.facts.builds.known[0].clone();
    other.source = "circleci".into();
    other.value.builds = vec![build("e2e", BuildState::Failed)];
    other.value.runs.clear();
    // The newest answer is the one that passed.
    other.at = other.at.plus(-MINUTE);
    world.facts.builds.known.push(other);
    world.says("tests.status", Critical, &["E2e failed"]);
    world.says("tests.main-branch", Pass, &["100 %"]);
}

#[test]
fn the_main_branch_is_measured_against_ninety_per_cent() {
    let mut world = World::calm();
    builds(&mut world);
    world.says("tests.main-branch", Pass, &["100 % of the last 20 runs of main passed"]);
    builds(&mut world).runs[0].attempts = 2;
    world.says("tests.main-branch", Pass, &["1 run only after being run again unchanged"]);
    for run in &mut builds(&mut world).runs[..3] {
        run.passed = false;
    }
    assert_eq!(world.says("tests.main-branch", Info, &["85 %"]).points, 0);
    for run in &mut builds(&mut world).runs[..6] {
        run.passed = false;
    }
    assert!(world.says("tests.main-branch", Caution, &["70 %", "90 % is good"]).points > 0);
    builds(&mut world).runs.truncate(9);
    world.says("tests.main-branch", Unknown, &["tells of 9 runs", "too few"]);
}

#[test]
fn an_approval_counts_where_another_person_read_what_is_there_now() {
    reviewed(vec![request("#12")], 0).says("review.approved", Pass, &["Approved: #12 by grace"]);
    let mut own = request("#12");
    own.reviews[0].by = "ada".into();
    reviewed(vec![own], 0).says("review.approved", Caution, &["Nobody approved #12"]);
    let mut stale = request("#12");
    stale.reviews[0].newest = Some(false);
    reviewed(vec![stale], 0).says("review.approved", Caution, &["Commits came into #12 after its last approval"]);
    let mut pushed = request("!7");
    (pushed.reviews[0].newest, pushed.last_push) = (None, Some(now()));
    reviewed(vec![pushed], 0).says("review.approved", Caution, &["Commits came into !7 after its last approval"]);
    let mut refused = request("#12");
    let word = Review { by: "lin".into(), verdict: Verdict::ChangesRequested, at: now(), newest: Some(true) };
    refused.reviews.push(word);
    reviewed(vec![refused], 0).says("review.approved", Caution, &["Lin asked for changes in #12"]);
    let direct =
        reviewed(vec![request("#12")], 2).says("review.approved", Caution, &["2 commits came by no such request"]);
    assert!(direct.points > 0);
    reviewed(Vec::new(), 0).says("review.approved", Unknown, &["knows no request"]);
}

#[test]
fn an_approval_that_was_faster_than_reading_is_named_with_its_minutes() {
    reviewed(vec![request("#12")], 0).says("review.depth", Info, &["#12: 400 lines in 4 h", "6 comments"]);
    let mut hasty = request("#12");
    (hasty.opened, hasty.comments) = (now().plus(-HOUR - 2 * MINUTE), 0);
    let said = reviewed(vec![hasty.clone()], 0).says("review.depth", Caution, &["#12: 400 lines in 2 min, 0 comments"]);
    assert!(said.points > 0);
    hasty.lines = 20;
    assert!(!reviewed(vec![hasty], 0).advise().flags.iter().any(|flag| flag.code == "review.depth"));
}

#[test]
fn a_way_back_that_only_the_request_tells_is_named_and_is_no_rollback_plan_yet() {
    let mut told = request("#12");
    told.rollback = Some("Redeploy v2.13.2, then turn refunds off.".to_owned());
    let mut world = reviewed(vec![told], 0);
    world.plan.rollback = None;
    let says = ["No rollback plan.", "#12 tells one: \"redeploy v2.13.2, then turn refunds off\"."];
    assert!(world.says("plan.rollback", Caution, &says).points > 0);
}
