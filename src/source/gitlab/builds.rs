//! How builds went: the newest job or status of each name at the commit, and the pipelines of the default branch.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Gitlab, link};
use crate::advice::facts::{Build, BuildState, Builds, Run};
use crate::clock::Time;
use crate::message::tame;
use crate::source::{Answer, Ask, CannotSay, Learned};

/// So many statuses of a commit are read.
const MOST: usize = 300;
/// So many runs of the default branch are told.
const MOST_RUNS: usize = 50;

#[derive(Debug, Deserialize)]
struct Project {
    #[serde(default)]
    default_branch: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Status {
    id: u64,
    name: String,
    status: String,
    #[serde(default)]
    allow_failure: bool,
    #[serde(default)]
    finished_at: Option<Time>,
    #[serde(default)]
    target_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Pipeline {
    sha: String,
    status: String,
    created_at: Time,
}

impl Gitlab {
    pub(super) async fn builds(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let head = self.head(ask).await?;
        let project: Project = self.api.get(&self.path(&[]), &[]).await?;
        let path = self.path(&["repository", "commits", &head.id, "statuses"]);
        let (statuses, more) = self.api.pages::<Status>(&path, &[], MOST).await?;
        let mut incomplete = Vec::new();
        if more {
            incomplete.push(format!("only {MOST} builds of the commit were read"));
        }
        let runs = match &project.default_branch {
            Some(branch) => self.runs(branch).await?,
            None => Vec::new(),
        };
        let builds = Builds {
            commit: head.id,
            builds: newest(statuses).map(build).collect(),
            required: None,
            branch: project.default_branch.map(|branch| tame(&branch, 100)),
            runs,
            flaky: Vec::new(),
        };
        let link = link(head.web_url);
        Ok(Answer { learned: Learned::Builds(builds), at: ask.now, link, incomplete })
    }

    /// One run for each commit of a branch, newest first: passed where all its pipelines did. How often a job was tried
    /// again is not told by pipelines.
    async fn runs(&self, branch: &str) -> Result<Vec<Run>, CannotSay> {
        let query = [("ref", branch), ("order_by", "id"), ("sort", "desc")];
        let (pipelines, _) = self.api.pages::<Pipeline>(&self.path(&["pipelines"]), &query, 100).await?;
        let mut commits: BTreeMap<String, Run> = BTreeMap::new();
        for pipeline in pipelines {
            let passed = match pipeline.status.as_str() {
                "success" => true,
                "failed" => false,
                // Under way, waiting, cancelled, skipped: neither a pass nor a failure of the code.
                _ => continue,
            };
            let (at, commit) = (pipeline.created_at, pipeline.sha.clone());
            let known = commits.entry(pipeline.sha).or_insert(Run { commit, at, passed, attempts: 1 });
            known.passed &= passed;
            known.at = known.at.max(at);
        }
        let mut runs: Vec<Run> = commits.into_values().collect();
        runs.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.commit.cmp(&b.commit)));
        runs.truncate(MOST_RUNS);
        Ok(runs)
    }
}

/// The newest of each name: one that was tried again stands beside its earlier failure.
fn newest(statuses: Vec<Status>) -> impl Iterator<Item = Status> {
    let mut names: BTreeMap<String, Status> = BTreeMap::new();
    for status in statuses {
        if names.get(&status.name).is_none_or(|known| known.id < status.id) {
            names.insert(status.name.clone(), status);
        }
    }
    names.into_values()
}

fn build(status: Status) -> Build {
    let state = match status.status.as_str() {
        "success" => BuildState::Passed,
        "failed" if status.allow_failure => BuildState::Skipped,
        // What waits for somebody to start it, and may: it was not to pass before.
        "skipped" => BuildState::Skipped,
        "manual" if status.allow_failure => BuildState::Skipped,
        "canceled" | "canceling" => BuildState::Cancelled,
        "created"
        | "pending"
        | "running"
        | "preparing"
        | "scheduled"
        | "waiting_for_resource"
        | "waiting_for_callback"
        | "manual" => BuildState::Pending,
        // Failed, and what is not known yet: not green.
        _ => BuildState::Failed,
    };
    Build { name: tame(&status.name, 200), state, finished: status.finished_at, link: link(status.target_url) }
}
