//! How builds went: check runs and statuses at the commit, and GitHub Actions' runs of the default branch.
//!
//! Newer CI tells check runs, older tells statuses; many repositories have both.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Github;
use crate::advice::facts::{Build, BuildState, Builds, Run};
use crate::clock::Time;
use crate::message::{is_web, tame};
use crate::source::rest::{Failed, PAGE};
use crate::source::{Answer, Ask, CannotSay, Learned};

/// So many runs of the default branch are told.
const MOST_RUNS: usize = 50;

#[derive(Debug, Deserialize)]
struct CheckRuns {
    total_count: usize,
    check_runs: Vec<CheckRun>,
}

#[derive(Debug, Deserialize)]
struct CheckRun {
    name: String,
    status: String,
    #[serde(default)]
    conclusion: Option<String>,
    #[serde(default)]
    completed_at: Option<Time>,
    #[serde(default)]
    html_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Combined {
    #[serde(default)]
    total_count: usize,
    statuses: Vec<Status>,
}

#[derive(Debug, Deserialize)]
struct Status {
    context: String,
    state: String,
    #[serde(default)]
    updated_at: Option<Time>,
    #[serde(default)]
    target_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    default_branch: String,
}

#[derive(Debug, Deserialize)]
struct Rule {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    parameters: Option<Parameters>,
}

#[derive(Debug, Deserialize)]
struct Parameters {
    #[serde(default)]
    required_status_checks: Vec<Required>,
}

#[derive(Debug, Deserialize)]
struct Required {
    context: String,
}

#[derive(Debug, Deserialize)]
struct WorkflowRuns {
    workflow_runs: Vec<WorkflowRun>,
}

#[derive(Debug, Deserialize)]
struct WorkflowRun {
    head_sha: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    conclusion: Option<String>,
    #[serde(default)]
    run_attempt: Option<u32>,
    created_at: Time,
}

impl Github {
    pub(super) async fn builds(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let head = self.head(ask).await?;
        let repository: Repository = self.api.get(&self.path(&[]), &[]).await?;
        let branch = repository.default_branch;
        let per_page = PAGE.to_string();
        let latest = [("filter", "latest"), ("per_page", per_page.as_str())];
        let newest = [("per_page", per_page.as_str())];
        let on_branch = [("branch", branch.as_str()), ("event", "push"), ("per_page", per_page.as_str())];
        let (checks_path, status_path) =
            (self.path(&["commits", &head.sha, "check-runs"]), self.path(&["commits", &head.sha, "status"]));
        let (rules_path, runs_path) = (self.path(&["rules", "branches", &branch]), self.path(&["actions", "runs"]));
        let (checks, combined, rules, runs) = futures::join!(
            self.api.get::<CheckRuns>(&checks_path, &latest),
            self.api.get::<Combined>(&status_path, &newest),
            self.api.get::<Vec<Rule>>(&rules_path, &newest),
            self.api.get::<WorkflowRuns>(&runs_path, &on_branch),
        );
        let (checks, combined) = (checks?, combined?);
        let mut incomplete = Vec::new();
        if checks.total_count > checks.check_runs.len() || combined.total_count > combined.statuses.len() {
            incomplete.push(format!("only the newest {PAGE} builds of a kind were read"));
        }
        let mut required = allowed(rules)?.map(|rules| required(&rules));
        if required.as_ref().is_some_and(Vec::is_empty) {
            // Rules that demand nothing say nothing about what matters: then everything does.
            required = None;
        }
        let runs = allowed(runs)?.map(|runs| runs.workflow_runs).unwrap_or_default();
        let builds = Builds {
            commit: head.sha,
            builds: checks.check_runs.into_iter().map(check).chain(combined.statuses.into_iter().map(status)).collect(),
            required,
            branch: Some(tame(&branch, 100)),
            runs: by_commit(runs),
            flaky: Vec::new(),
        };
        Ok(Answer { learned: Learned::Builds(builds), at: ask.now, link: head.html_url, incomplete })
    }
}

/// What the token may not see, or what this server does not have, is not told; anything else is a failure.
fn allowed<T>(answer: Result<T, Failed>) -> Result<Option<T>, CannotSay> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(Failed::Missing) => Ok(None),
        Err(Failed::Says(why)) if why.0.contains("lacks a permission") => Ok(None),
        Err(Failed::Says(why)) => Err(why),
    }
}

fn required(rules: &[Rule]) -> Vec<String> {
    let checks =
        rules.iter().filter(|rule| rule.kind == "required_status_checks").filter_map(|r| r.parameters.as_ref());
    let mut names: Vec<String> =
        checks.flat_map(|p| &p.required_status_checks).map(|required| tame(&required.context, 200)).collect();
    names.sort();
    names.dedup();
    names
}

fn check(run: CheckRun) -> Build {
    let state = match (run.status.as_str(), run.conclusion.as_deref()) {
        ("completed", Some("success")) => BuildState::Passed,
        ("completed", Some("neutral" | "skipped")) => BuildState::Skipped,
        ("completed", Some("cancelled" | "stale")) => BuildState::Cancelled,
        // Failure, timed_out, action_required, startup_failure, and what is not known yet: not green.
        ("completed", _) => BuildState::Failed,
        _ => BuildState::Pending,
    };
    Build { name: tame(&run.name, 200), state, finished: run.completed_at, link: page(run.html_url) }
}

fn status(status: Status) -> Build {
    let state = match status.state.as_str() {
        "success" => BuildState::Passed,
        "pending" => BuildState::Pending,
        _ => BuildState::Failed,
    };
    Build { name: tame(&status.context, 200), state, finished: status.updated_at, link: page(status.target_url) }
}

fn page(link: Option<String>) -> Option<String> {
    link.filter(|link| is_web(link))
}

/// One run for each commit: passed where all its workflows did; tried as often as the one that was tried most.
fn by_commit(runs: Vec<WorkflowRun>) -> Vec<Run> {
    let mut commits: BTreeMap<String, Run> = BTreeMap::new();
    for run in runs.into_iter().filter(|run| run.status.as_deref() == Some("completed")) {
        let passed = match run.conclusion.as_deref() {
            Some("success") => true,
            // Neither a pass nor a failure of the code.
            Some("cancelled" | "skipped" | "neutral" | "stale") => continue,
            _ => false,
        };
        let (at, attempts) = (run.created_at, run.run_attempt.unwrap_or(1));
        let commit = run.head_sha.clone();
        let known = commits.entry(run.head_sha).or_insert(Run { commit, at, passed, attempts });
        known.passed &= passed;
        known.attempts = known.attempts.max(attempts);
        known.at = known.at.max(at);
    }
    let mut runs: Vec<Run> = commits.into_values().collect();
    runs.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.commit.cmp(&b.commit)));
    runs.truncate(MOST_RUNS);
    runs
}
