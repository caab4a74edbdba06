//! Jenkins: how the builds of a job went, by the commits that they built.
//!
//! <https://www.jenkins.io/doc/book/using/remote-access-api/>: the newest builds of one job in one question, cut to what is
//! needed by `tree`. Which commit a build built its Git plugin tells. Read only.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use serde::Deserialize;

use super::rest::{Credential, Rest};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::{Build, BuildState, Builds, Run};
use crate::clock::Time;
use crate::config::Secret;
use crate::message::tame;
use crate::name::SourceName;

/// What is asked of a job: its newest hundred builds, as many as Jenkins tells without reading them all from disk.
const TREE: &str = "builds[number,url,result,building,timestamp,duration,\
                    actions[lastBuiltRevision[SHA1,branch[SHA1,name]],remoteUrls]]{0,100}";
/// So many builds that is.
const MOST: usize = 100;
/// So many runs of the main branch are told.
const MOST_RUNS: usize = 50;

/// A job of a Jenkins.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// Where Jenkins is: `https://jenkins.example.com`.
    url: url::Url,
    /// The job with the folders it lies in: `shop/checkout`; of a multibranch job with its branch: `shop/checkout/main`.
    job: String,
    user: String,
    token: Secret,
    /// The branch that releases come from.
    #[serde(default = "main")]
    branch: String,
    /// A part of the repository's address, where builds fetch several: `harbor/shop`.
    #[serde(default)]
    repository: Option<String>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Builds]
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        let job: Vec<String> = self.job.split('/').map(|part| part.trim().to_owned()).collect();
        if job.iter().any(|part| matches!(part.as_str(), "" | "." | "..")) || job.len() > 10 {
            bail!("`job` is the job's name after the folders that it lies in, such as `shop/checkout`");
        }
        Ok(Arc::new(Jenkins {
            name: opening.settings.name.clone(),
            job,
            branch: self.branch.clone(),
            repository: self.repository.clone(),
            api: Rest::open(opening, "Jenkins", &self.url, Credential::Basic(self.user.clone(), self.token.clone()))?,
        }))
    }
}

struct Jenkins {
    name: SourceName,
    job: Vec<String>,
    branch: String,
    repository: Option<String>,
    api: Rest,
}

#[derive(Debug, Deserialize)]
struct Job {
    /// Folders and multibranch jobs have none.
    #[serde(default)]
    builds: Option<Vec<Told>>,
}

#[derive(Debug, Deserialize)]
struct Told {
    number: u64,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    result: Option<String>,
    #[serde(default)]
    building: Option<bool>,
    /// When it began, in milliseconds since 1970.
    #[serde(default)]
    timestamp: i64,
    /// Milliseconds.
    #[serde(default)]
    duration: i64,
    #[serde(default)]
    actions: Vec<Option<Action>>,
}

/// What a plugin adds to a build; only the Git plugin's is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    #[serde(default)]
    last_built_revision: Option<Revision>,
    #[serde(default)]
    remote_urls: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Revision {
    #[serde(default, rename = "SHA1")]
    sha: Option<String>,
    #[serde(default)]
    branch: Option<Vec<Branch>>,
}

#[derive(Debug, Deserialize)]
struct Branch {
    #[serde(default)]
    name: Option<String>,
}

impl fmt::Debug for Jenkins {
    /// The name alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jenkins").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Source for Jenkins {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            match ask.question {
                Question::Builds => self.builds(ask).await,
                other => Err(CannotSay::unasked(other)),
            }
        })
    }
}

impl Jenkins {
    async fn builds(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let mut path: Vec<&str> = Vec::new();
        for part in &self.job {
            path.extend(["job", part.as_str()]);
        }
        path.extend(["api", "json"]);
        let job: Job = self.api.get(&path, &[("tree", TREE)]).await?;
        let Some(mut told) = job.builds else {
            return Err(CannotSay::because("has a folder there, not a job: a multibranch job needs its branch too"));
        };
        told.sort_by_key(|build| std::cmp::Reverse(build.number));
        told.truncate(MOST);
        let mut incomplete = Vec::new();
        let (mut unclear, mut nameless) = (0, 0);
        let mut known: Vec<(&Told, &str, bool)> = Vec::new();
        for build in &told {
            let mut revisions = build.revisions(self.repository.as_deref());
            match (revisions.next(), revisions.next()) {
                (Some((sha, on)), None) => known.push((build, sha, on.is_empty() || on.iter().any(|on| self.is(on)))),
                (Some(_), Some(_)) => unclear += 1,
                (None, _) => nameless += 1,
            }
        }
        if unclear > 0 {
            incomplete.push(format!("{unclear} builds fetched several repositories: `repository` says which is meant"));
        }
        if nameless > 0 {
            incomplete.push(format!("{nameless} builds do not say which commit they built"));
        }
        let asked = ask.version.as_deref();
        let here = asked.and_then(|asked| known.iter().find(|(_, sha, _)| is_of(sha, asked)));
        if asked.is_some() && here.is_none() {
            incomplete.push(format!("none of its newest {} builds is of this commit", told.len()));
        }
        let builds = here.map(|(build, ..)| Build {
            name: tame(&self.job.join("/"), 200),
            state: build.state(),
            finished: build.ended(),
            link: build.url.clone().filter(|url| url.starts_with("https://") && url.len() <= 500),
        });
        let learned = Learned::Builds(Builds {
            commit: here.map(|(_, sha, _)| *sha).or(asked).unwrap_or_default().to_owned(),
            builds: builds.into_iter().collect(),
            required: None,
            branch: Some(self.branch.clone()),
            runs: runs(&known),
            flaky: Vec::new(),
        });
        Ok(Answer { learned, at: ask.now, link: None, incomplete })
    }

    /// Whether a name of Git's is the main branch: `main`, `origin/main`, `refs/remotes/origin/main`.
    fn is(&self, name: &str) -> bool {
        let name = name.strip_prefix("refs/remotes/").or_else(|| name.strip_prefix("refs/heads/")).unwrap_or(name);
        // A commit that was fetched by itself is on no branch by name; the job says what it builds.
        name == self.branch || name == "detached" || name.split_once('/').is_some_and(|(_, rest)| rest == self.branch)
    }
}

impl Told {
    /// The commits that it built, each once, with the branches that they were taken from.
    fn revisions<'a>(&'a self, repository: Option<&'a str>) -> impl Iterator<Item = (&'a str, Vec<&'a str>)> {
        let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for action in self.actions.iter().flatten() {
            let meant = repository.is_none_or(|repository| {
                action.remote_urls.iter().flatten().any(|url| url.trim_end_matches(".git").contains(repository))
            });
            let Some(revision) = action.last_built_revision.as_ref().filter(|_| meant) else { continue };
            let Some(sha) = revision.sha.as_deref().filter(|sha| is_commit(sha)) else { continue };
            let names = revision.branch.iter().flatten().filter_map(|branch| branch.name.as_deref());
            found.entry(sha).or_default().extend(names);
        }
        found.into_iter()
    }

    fn state(&self) -> BuildState {
        match self.result.as_deref() {
            _ if self.building == Some(true) => BuildState::Pending,
            Some("SUCCESS") => BuildState::Passed,
            // Built, with tests that failed.
            Some("FAILURE" | "UNSTABLE") => BuildState::Failed,
            Some("ABORTED") => BuildState::Cancelled,
            Some("NOT_BUILT") => BuildState::Skipped,
            _ => BuildState::Pending,
        }
    }

    fn began(&self) -> Time {
        Time::from_ms(self.timestamp)
    }

    fn ended(&self) -> Option<Time> {
        (self.state() != BuildState::Pending)
            .then(|| Time::from_ms(self.timestamp.saturating_add(self.duration.max(0))))
    }
}

/// How the main branch's commits ended, newest first; built again counts as another attempt.
fn runs(known: &[(&Told, &str, bool)]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (build, sha, _) in known.iter().filter(|(_, _, on_main)| *on_main) {
        let passed = match build.state() {
            BuildState::Passed => true,
            BuildState::Failed => false,
            _ => continue,
        };
        if let Some(run) = runs.iter_mut().find(|run| run.commit == *sha) {
            run.attempts += 1;
        } else if runs.len() < MOST_RUNS {
            runs.push(Run { commit: (*sha).to_owned(), at: build.began(), passed, attempts: 1 });
        }
    }
    runs
}

/// Whether this is the commit that was asked for, in full or by its beginning.
fn is_of(sha: &str, asked: &str) -> bool {
    sha == asked || asked.len() >= 7 && sha.starts_with(asked)
}

/// SHA-1 or SHA-256, in full.
fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn main() -> String {
    "main".to_owned()
}
