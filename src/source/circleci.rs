//! CircleCI: how the workflows of a commit went, how the main branch went lately, and which tests are flaky.
//!
//! <https://circleci.com/docs/api/v2/>: a pipeline has workflows, a workflow has jobs; running a workflow again adds another
//! of the same name. Pipelines cannot be asked for by commit, so the newest are looked through. Read only.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use futures::future::{BoxFuture, try_join_all};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::rest::{Credential, Failed, Rest, fixed};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::{Build, BuildState, Builds, Run};
use crate::clock::Time;
use crate::config::Secret;
use crate::message::tame;
use crate::name::SourceName;

/// So many pages of pipelines are looked through for a commit, and of anything else.
const MOST_PAGES: usize = 5;
/// Of so many of the main branch's newest pipelines the workflows are asked for; each is a question of its own.
const MOST_RUNS: usize = 20;
/// So many flaky tests are named.
const MOST_FLAKY: usize = 20;

/// A project on CircleCI.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// As CircleCI writes it: `gh/owner/name`, or `circleci/ORGANISATION/PROJECT` with their ids.
    project: String,
    /// The API; of a server of your own `https://HOST/api/v2`.
    #[serde(default = "circleci")]
    url: url::Url,
    token: Secret,
    /// The branch that releases come from.
    #[serde(default = "main")]
    branch: String,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Builds]
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        let parts: Vec<&str> = self.project.split('/').collect();
        if parts.len() != 3 || parts.iter().any(|part| part.trim().is_empty()) || self.project.len() > 300 {
            bail!("`project` is as CircleCI writes it, such as `gh/owner/name`");
        }
        let credential = Credential::Headers(vec![("circle-token", "", self.token.clone())]);
        Ok(Arc::new(Circleci {
            name: opening.settings.name.clone(),
            project: self.project.clone(),
            branch: self.branch.clone(),
            api: Rest::open(opening, "CircleCI", &self.url, credential)?,
        }))
    }
}

struct Circleci {
    name: SourceName,
    project: String,
    branch: String,
    api: Rest,
}

#[derive(Debug, Deserialize)]
struct Page<T> {
    items: Vec<T>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Pipeline {
    id: String,
    number: u64,
    #[serde(default)]
    state: Option<String>,
    created_at: Time,
    #[serde(default)]
    vcs: Option<Vcs>,
}

#[derive(Clone, Debug, Deserialize)]
struct Vcs {
    #[serde(default)]
    revision: Option<String>,
    #[serde(default)]
    tag: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Workflow {
    id: String,
    name: String,
    #[serde(default)]
    status: Option<String>,
    created_at: Time,
    #[serde(default)]
    stopped_at: Option<Time>,
}

#[derive(Debug, Deserialize)]
struct Job {
    name: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    stopped_at: Option<Time>,
}

/// CircleCI's description writes these names with hyphens, its answers with underscores.
#[derive(Debug, Deserialize)]
struct Flaky {
    #[serde(alias = "flaky-tests")]
    flaky_tests: Vec<FlakyTest>,
}

#[derive(Debug, Deserialize)]
struct FlakyTest {
    #[serde(alias = "test-name")]
    test_name: String,
    #[serde(default, alias = "times-flaked")]
    times_flaked: i64,
}

impl fmt::Debug for Circleci {
    /// The name alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Circleci").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Source for Circleci {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            match ask.question {
                Question::Builds => self.builds(ask).await,
                other => Err(CannotSay::unasked(other)),
            }
        })
    }
}

impl Circleci {
    async fn builds(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let mut incomplete = Vec::new();
        let (main, flaky) = futures::join!(self.on_branch(), self.flaky());
        let main = main?;
        let flaky = flaky.unwrap_or_else(|why| {
            incomplete.push(format!("which tests are flaky it did not tell: it {}", CannotSay::from(why)));
            Vec::new()
        });
        let mut at_commit = Vec::new();
        if let Some(version) = ask.version.as_deref() {
            at_commit = self.of(version, &main).await?;
            if at_commit.is_empty() {
                incomplete.push("none of its newest pipelines is of this commit".to_owned());
            }
        }
        let commit = at_commit.first().and_then(Pipeline::revision).or(ask.version.as_deref()).unwrap_or_default();
        let (builds, runs) = futures::try_join!(self.results(&at_commit), self.runs(&main))?;
        let learned = Learned::Builds(Builds {
            commit: commit.to_owned(),
            builds,
            required: None,
            branch: Some(self.branch.clone()),
            runs,
            flaky,
        });
        let link = Some(format!("https://app.circleci.com/pipelines/{}", self.project)).filter(|_| self.is_public());
        Ok(Answer { learned, at: ask.now, link, incomplete })
    }

    /// The path of something of the project.
    fn path<'p>(&'p self, before: &'p str, after: &'p str) -> Vec<&'p str> {
        [before].into_iter().chain(self.project.split('/')).chain([after]).collect()
    }

    /// The newest pipelines of the main branch, newest first.
    async fn on_branch(&self) -> Result<Vec<Pipeline>, CannotSay> {
        let page: Page<Pipeline> = self.api.get(&self.path("project", "pipeline"), &[("branch", &self.branch)]).await?;
        Ok(page.items.into_iter().take(MOST_RUNS).collect())
    }

    /// The pipelines of a commit or tag: those of the main branch, or the first page of all that has one.
    async fn of(&self, version: &str, main: &[Pipeline]) -> Result<Vec<Pipeline>, CannotSay> {
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let query: Vec<(&str, &str)> = token.iter().map(|token| ("page-token", token.as_str())).collect();
            let page: Page<Pipeline> = self.api.get(&self.path("project", "pipeline"), &query).await?;
            let found: Vec<Pipeline> = page.items.into_iter().filter(|pipeline| pipeline.is_of(version)).collect();
            token = page.next_page_token;
            if !found.is_empty() || token.is_none() {
                if found.is_empty() {
                    break;
                }
                return Ok(found);
            }
        }
        Ok(main.iter().filter(|pipeline| pipeline.is_of(version)).cloned().collect())
    }

    /// How each workflow of these pipelines went; of one that failed, the jobs that did.
    async fn results(&self, pipelines: &[Pipeline]) -> Result<Vec<Build>, CannotSay> {
        let mut builds = Vec::new();
        let mut newest: BTreeMap<String, (u64, Workflow)> = BTreeMap::new();
        let all = try_join_all(pipelines.iter().map(|pipeline| self.workflows(pipeline))).await?;
        for (pipeline, workflows) in pipelines.iter().zip(all) {
            if pipeline.state.as_deref() == Some("errored") {
                let name = format!("pipeline {}", pipeline.number);
                let finished = Some(pipeline.created_at);
                builds.push(Build { name, state: BuildState::Failed, finished, link: None });
            }
            for workflow in workflows {
                let seen = newest.get(&workflow.name);
                if seen.is_none_or(|(_, seen)| seen.created_at < workflow.created_at) {
                    newest.insert(workflow.name.clone(), (pipeline.number, workflow));
                }
            }
        }
        for (number, workflow) in newest.into_values() {
            let (name, state) = (tame(&workflow.name, 100), self.state(&workflow).await?);
            let link = self.is_public().then(|| self.link(number, &workflow.id)).flatten();
            let mut failed: Vec<Build> = Vec::new();
            if state == BuildState::Failed {
                let jobs: Vec<Job> = self.all(&["workflow", &workflow.id, "job"]).await?;
                let jobs = jobs.into_iter().filter(|job| job_failed(job.status.as_deref()));
                failed.extend(jobs.map(|job| Build {
                    name: format!("{name}: {}", tame(&job.name, 100)),
                    state,
                    finished: job.stopped_at,
                    link: link.clone(),
                }));
            }
            if failed.is_empty() {
                failed.push(Build { name, state, finished: workflow.stopped_at, link });
            }
            builds.append(&mut failed);
        }
        Ok(builds)
    }

    /// How the main branch's pipelines ended; those that have not, or that somebody stopped, tell nothing.
    async fn runs(&self, pipelines: &[Pipeline]) -> Result<Vec<Run>, CannotSay> {
        let runs = try_join_all(pipelines.iter().map(|pipeline| self.run(pipeline))).await?;
        Ok(runs.into_iter().flatten().collect())
    }

    async fn run(&self, pipeline: &Pipeline) -> Result<Option<Run>, CannotSay> {
        let workflows = self.workflows(pipeline).await?;
        let mut by_name: BTreeMap<&str, Vec<&Workflow>> = BTreeMap::new();
        for workflow in &workflows {
            by_name.entry(&workflow.name).or_default().push(workflow);
        }
        let attempts = by_name.values().map(Vec::len).max().unwrap_or(1);
        let newest = by_name.values().filter_map(|tries| tries.iter().max_by_key(|workflow| workflow.created_at));
        let states = try_join_all(newest.map(|workflow| self.state(workflow))).await?;
        let failed = pipeline.state.as_deref() == Some("errored") || states.contains(&BuildState::Failed);
        let passed = states.contains(&BuildState::Passed)
            && !states.iter().any(|state| matches!(state, BuildState::Pending | BuildState::Cancelled));
        Ok((failed || passed).then(|| Run {
            commit: pipeline.revision().unwrap_or_default().to_owned(),
            at: pipeline.created_at,
            passed: !failed,
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        }))
    }

    /// How a workflow went; of one that waits for somebody's approval, what ran until then.
    async fn state(&self, workflow: &Workflow) -> Result<BuildState, CannotSay> {
        if workflow.status.as_deref() != Some("on_hold") {
            return Ok(state(workflow.status.as_deref()));
        }
        let mut jobs: Vec<Job> = self.all(&["workflow", &workflow.id, "job"]).await?;
        jobs.retain(|job| job.kind.as_deref() != Some("approval"));
        let any = |states: &[&str]| jobs.iter().any(|job| job.status.as_deref().is_some_and(|s| states.contains(&s)));
        Ok(if jobs.iter().any(|job| job_failed(job.status.as_deref())) {
            BuildState::Failed
        } else if any(&["running", "queued", "not_running"]) {
            BuildState::Pending
        } else if any(&["success"]) {
            BuildState::Passed
        } else {
            BuildState::Skipped
        })
    }

    async fn workflows(&self, pipeline: &Pipeline) -> Result<Vec<Workflow>, CannotSay> {
        self.all(&["pipeline", &pipeline.id, "workflow"]).await
    }

    /// The tests that passed and failed at one commit, the most restless first.
    async fn flaky(&self) -> Result<Vec<String>, Failed> {
        let mut flaky: Flaky = self.api.get(&self.path("insights", "flaky-tests"), &[]).await?;
        flaky
            .flaky_tests
            .sort_by(|a, b| b.times_flaked.cmp(&a.times_flaked).then_with(|| a.test_name.cmp(&b.test_name)));
        Ok(flaky.flaky_tests.iter().take(MOST_FLAKY).map(|test| tame(&test.test_name, 120)).collect())
    }

    /// A list, whole.
    async fn all<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Vec<T>, CannotSay> {
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let query: Vec<(&str, &str)> = token.iter().map(|token| ("page-token", token.as_str())).collect();
            let page: Page<T> = self.api.get(path, &query).await?;
            all.extend(page.items);
            token = page.next_page_token;
            if token.is_none() {
                return Ok(all);
            }
        }
        Err(CannotSay::because("lists more than can be read"))
    }

    /// Whether people look at it on circleci.com.
    fn is_public(&self) -> bool {
        self.api.base().host_str() == Some("circleci.com")
    }

    fn link(&self, pipeline: u64, workflow: &str) -> Option<String> {
        let fine = workflow.len() == 36 && workflow.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        fine.then(|| format!("https://app.circleci.com/pipelines/{}/{pipeline}/workflows/{workflow}", self.project))
    }
}

impl Pipeline {
    fn revision(&self) -> Option<&str> {
        self.vcs.as_ref()?.revision.as_deref()
    }

    /// Whether it built this commit (in full, or its beginning) or tag.
    fn is_of(&self, version: &str) -> bool {
        let Some(vcs) = &self.vcs else { return false };
        let part = version.len() >= 7 && version.bytes().all(|b| b.is_ascii_hexdigit());
        vcs.tag.as_deref() == Some(version)
            || vcs
                .revision
                .as_deref()
                .is_some_and(|revision| revision == version || part && revision.starts_with(version))
    }
}

/// What a workflow's status means. One that is unknown to us has not passed.
fn state(status: Option<&str>) -> BuildState {
    match status {
        Some("success") => BuildState::Passed,
        Some("failed" | "failing" | "error" | "unauthorized") => BuildState::Failed,
        Some("canceled") => BuildState::Cancelled,
        Some("not_run") => BuildState::Skipped,
        _ => BuildState::Pending,
    }
}

fn job_failed(status: Option<&str>) -> bool {
    matches!(status, Some("failed" | "infrastructure_fail" | "timedout" | "terminated-unknown" | "unauthorized"))
}

fn circleci() -> url::Url {
    fixed("https://circleci.com/api/v2")
}

fn main() -> String {
    "main".to_owned()
}
