//! Did the builds pass: at the exact commit, and lately on the main branch?

use crate::advice::checks::Answer;
use crate::advice::facts::{Build, BuildState, Builds, Fact};
use crate::advice::sight::{Topic, gap};
use crate::advice::view::{View, because};
use crate::advice::{FlagLevel, says};
use crate::message::tame;

/// Fewer runs of the main branch say nothing about it.
const LEAST_RUNS: usize = 10;

pub fn status(view: &View<'_>) -> Option<Answer> {
    /// Chosen, not measured: history files seldom keep deployments of commits whose builds failed.
    const OF: i32 = 12;
    if !view.plan.kind.has_version() || view.builds.is_unasked() {
        return None;
    }
    if view.builds.known.is_empty() {
        return Some(Answer::gap(gap(view, Topic::Builds)?));
    }
    // Several systems may build the same commit; what one lets pass does not make up for what another found.
    let answer = gravest(view.builds.known.iter().map(|fact| at_commit(fact, OF)))?;
    Some(answer.unless(gap(view, Topic::Builds)))
}

fn at_commit(fact: &Fact<Builds>, of: i32) -> Answer {
    let builds = &fact.value;
    let commit: String = builds.commit.chars().take(8).collect();
    let needed = |build: &&Build| builds.required.as_ref().is_none_or(|names| names.contains(&build.name));
    let here = |state: BuildState| -> Vec<String> {
        builds.builds.iter().filter(needed).filter(|b| b.state == state).map(|b| tame(&b.name, 60)).collect()
    };
    let (passed, failed) = (here(BuildState::Passed), here(BuildState::Failed));
    let (pending, cancelled) = (here(BuildState::Pending), here(BuildState::Cancelled));
    let missing: Vec<String> =
        builds.required.iter().flatten().filter(|name| !is_told(builds, name)).cloned().collect();
    let what = if builds.required.is_some() { "required build" } else { "build" };
    let answer = if !failed.is_empty() {
        let says = format!("{} failed at {commit}.", says::capital(&says::some(&failed, 3)));
        Answer::critical(says).likelihood(of, of)
    } else if !pending.is_empty() {
        let is = if pending.len() == 1 { "is" } else { "are" };
        let says = format!("{} {is} not finished at {commit}.", says::capital(&says::some(&pending, 3)));
        Answer::caution(says).likelihood(4, of)
    } else if !missing.is_empty() {
        let missing: Vec<String> = missing.iter().map(|name| tame(name, 60)).collect();
        let says = format!("{} never ran at {commit}, and must have passed.", says::capital(&says::some(&missing, 3)));
        Answer::caution(says).likelihood(6, of)
    } else if !cancelled.is_empty() {
        let was = if cancelled.len() == 1 { "was" } else { "were" };
        let says = format!("{} {was} cancelled at {commit}.", says::capital(&says::some(&cancelled, 3)));
        Answer::caution(says).likelihood(4, of)
    } else if passed.is_empty() {
        Answer::unknown(format!("Builds unknown: {} knows none that passed or failed at {commit}.", fact.source))
    } else {
        let passed = i64::try_from(passed.len()).unwrap_or(0);
        Answer::pass(format!("{} passed at {commit}.", says::capital(&says::count(passed, what)))).likelihood(0, of)
    };
    let seen = says::count(i64::try_from(builds.builds.len()).unwrap_or(0), "build");
    answer.because([because(fact, format!("{seen} at {commit}"))])
}

/// The 90 % is what CircleCI's reports on the State of Software Delivery recommend for the main branch.
pub fn main_branch(view: &View<'_>) -> Option<Answer> {
    const OF: i32 = 4;
    if !view.plan.kind.has_version() || view.builds.is_unasked() {
        return None;
    }
    gravest(view.builds.known.iter().map(|fact| on_branch(view, fact, OF)))
}

fn on_branch(view: &View<'_>, fact: &Fact<Builds>, of: i32) -> Answer {
    let builds = &fact.value;
    let branch = tame(builds.branch.as_deref().unwrap_or("the main branch"), 60);
    if builds.runs.len() < LEAST_RUNS {
        let says = format!(
            "How {branch} does is unknown: {} tells of {} of it, too few to say.",
            fact.source,
            says::count(i64::try_from(builds.runs.len()).unwrap_or(0), "run")
        );
        return Answer::unknown(says).because([because(fact, "runs of the main branch")]);
    }
    let n = builds.runs.len();
    let passed = builds.runs.iter().filter(|run| run.passed).count();
    let flaky = builds.runs.iter().filter(|run| run.passed && run.attempts > 1).count();
    let share = passed as f64 / n as f64;
    // Below the limit is worse, so that the limits are said from above.
    let (caution, critical) = view.limits("tests.main-branch", 0.8, 0.0);
    let level = if share < critical {
        FlagLevel::Critical
    } else if share < caution {
        FlagLevel::Caution
    } else if share < 0.9 {
        FlagLevel::Info
    } else {
        FlagLevel::Pass
    };
    let unsure = match (flaky, builds.flaky.as_slice()) {
        (0, []) => String::new(),
        (0, names) => {
            let names: Vec<String> = names.iter().map(|name| tame(name, 60)).collect();
            format!("; known to be flaky: {}", says::some(&names, 3))
        }
        (n, _) => {
            format!("; {} only after being run again unchanged", says::count(i64::try_from(n).unwrap_or(0), "run"))
        }
    };
    let says = format!("{} of the last {n} runs of {branch} passed (90 % is good){unsure}.", says::share(share));
    let points = if level >= FlagLevel::Caution { of } else { 0 };
    let evidence = because(fact, format!("{passed} of {n} runs of {branch}"));
    Answer::at(level, says).because([evidence]).likelihood(points, of)
}

/// What weighs most of what several systems say; one that cannot say gives way to one that can.
fn gravest(answers: impl Iterator<Item = Answer>) -> Option<Answer> {
    answers.max_by_key(|answer| (answer.level != FlagLevel::Unknown, answer.level))
}

fn is_told(builds: &Builds, name: &str) -> bool {
    builds.builds.iter().any(|build| build.name == name)
}
