//! What a code host and its tools say of a change: who read it, how its builds went, what scanners found.

use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::name::Person;

/// Who read the change, by the requests (pull requests, merge requests) that brought it to the commit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reviews {
    pub commit: String,
    pub requests: Vec<MergeRequest>,
    /// Commits of the change that came by no request at all.
    #[serde(default)]
    pub direct: u32,
}

/// A pull request or merge request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MergeRequest {
    /// As people call it: `#12`, `!12`.
    pub id: String,
    pub title: String,
    /// The person of ours, or the host's name for them.
    pub author: Person,
    #[serde(default)]
    pub labels: Vec<String>,
    /// When reviewers could first see it: when it was opened, or marked as ready.
    pub opened: Time,
    /// When its newest commit came, where the host tells.
    #[serde(default)]
    pub last_push: Option<Time>,
    /// Lines added and deleted.
    pub lines: u32,
    /// Comments on the code and on the request, replies included.
    pub comments: u32,
    /// The last word of each reviewer.
    pub reviews: Vec<Review>,
    /// What the text says under a heading about the way back.
    #[serde(default)]
    pub rollback: Option<String>,
    #[serde(default)]
    pub link: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Review {
    pub by: Person,
    pub verdict: Verdict,
    pub at: Time,
    /// Whether the request's newest commit is the one that was read; None: the host does not tell.
    #[serde(default)]
    pub newest: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Approved,
    ChangesRequested,
    Commented,
}

/// How builds went: at the commit, and lately on the main branch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Builds {
    pub commit: String,
    /// The newest of each name at the commit.
    pub builds: Vec<Build>,
    /// Names that must have passed before a merge; None: the host does not tell.
    #[serde(default)]
    pub required: Option<Vec<String>>,
    /// The branch whose newest runs are told, newest first, at most 50.
    #[serde(default)]
    pub branch: Option<String>,
    #[serde(default)]
    pub runs: Vec<Run>,
    /// Tests or jobs that are known to fail now and then without a reason in the code.
    #[serde(default)]
    pub flaky: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Build {
    pub name: String,
    pub state: BuildState,
    #[serde(default)]
    pub finished: Option<Time>,
    #[serde(default)]
    pub link: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuildState {
    Passed,
    Failed,
    /// Queued, waiting or under way.
    Pending,
    /// Skipped, neutral, or allowed to fail and failed.
    Skipped,
    Cancelled,
}

/// One run of everything on the main branch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub commit: String,
    pub at: Time,
    pub passed: bool,
    /// How often it was tried; passed after several is flaky.
    pub attempts: u32,
}

/// Something that a scanner or an advisory says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub kind: FindingKind,
    /// As its tool calls it: `GHSA-…`, a rule.
    pub id: String,
    pub title: String,
    /// `critical`, `high`, `medium`, `low`, where it is told.
    #[serde(default)]
    pub severity: Option<String>,
    #[serde(default)]
    pub path: Option<String>,
    /// Package and version, for advisories.
    #[serde(default)]
    pub package: Option<String>,
    /// Whether this change brings it; None: cannot tell.
    #[serde(default)]
    pub new: Option<bool>,
    #[serde(default)]
    pub link: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    Code,
    Secret,
    Dependency,
    Container,
}

/// A package that the change adds (`from` is None), takes away (`to` is None), raises or lowers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageChange {
    pub name: String,
    /// As OSV calls it: `crates.io`, `npm`, `Go`, `PyPI`, `Maven`, …
    pub ecosystem: String,
    #[serde(default)]
    pub from: Option<String>,
    #[serde(default)]
    pub to: Option<String>,
}

/// Whom a repository's file `CODEOWNERS` names for what changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeOwner {
    /// As it is written there: `@login`, `@organisation/team`, an address.
    pub owner: String,
    /// How many of the changed files are theirs.
    pub files: u32,
}

/// How a gap begins that says why nobody knows who owns the code.
pub const OWNERS_UNKNOWN: &str = "who owns the code is not known";

/// Files of a change that the same people own, by the repository's file `CODEOWNERS`: any one of them answers for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// As they are written there.
    pub owners: Vec<String>,
    /// How many of them must look; more than one where a section of GitLab's says so.
    pub least: u32,
    /// How many of the changed files these are.
    pub files: u32,
    /// The one file, or the folder that holds them all, with its slash; `/`: the repository.
    pub place: String,
}

/// How much of a change, and of the whole, is run by tests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Of the lines that the change adds and that can be run; None where it is not told.
    #[serde(default)]
    pub touched: Option<Covered>,
    /// Of the whole project, in per cent.
    #[serde(default)]
    pub project: Option<f64>,
    /// How far that is from what runs now, in percentage points: below 0, less is covered.
    #[serde(default)]
    pub delta: Option<f64>,
}

/// So many lines are run by tests, of so many that can be run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    pub lines: u32,
    pub of: u32,
}

impl Covered {
    /// From 0 to 1; None where no line can be run.
    pub fn share(self) -> Option<f64> {
        (self.of > 0).then(|| f64::from(self.lines) / f64::from(self.of))
    }
}
