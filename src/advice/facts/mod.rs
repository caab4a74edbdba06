//! What was learned for a brief: typed facts, each with its source, link and age, or unknown with the reason.

mod around;
mod code;
mod past;

use serde::{Deserialize, Serialize};

use crate::advice::server::Server;
use crate::clock::Time;
use crate::hold::{Freeze, Lock};
use crate::name::{Environment, Person, Service, SourceName};

pub use self::around::{Alert, AlertState, FlagState, Support, Ticket};
pub use self::code::{
    Build, BuildState, Builds, CodeOwner, Coverage, Covered, Finding, FindingKind, MergeRequest, OWNERS_UNKNOWN, Owned,
    PackageChange, Review, Reviews, Run, Verdict,
};
pub use self::past::{Cause, Deployment, Doing, History, Other, Outcome, Rate, Shape, Similar};

/// All that was learned for one plan at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    pub calendar: Asked<Vec<CalendarEvent>>,
    pub on_call: Asked<Vec<Shift>>,
    pub incidents: Asked<Vec<Incident>>,
    pub versions: Asked<Versions>,
    pub change: Asked<Change>,
    pub migrations: Asked<MigrationState>,
    pub load: Asked<Load>,
    pub health: Asked<Health>,
    #[serde(default, skip_serializing_if = "Asked::is_unasked")]
    pub reviews: Asked<Reviews>,
    #[serde(default, skip_serializing_if = "Asked::is_unasked")]
    pub builds: Asked<Builds>,
    #[serde(default, skip_serializing_if = "Asked::is_unasked")]
    pub flags: Asked<Vec<FlagState>>,
    #[serde(default, skip_serializing_if = "Asked::is_unasked")]
    pub findings: Asked<Vec<Finding>>,
    #[serde(default, skip_serializing_if = "Asked::is_unasked")]
    pub coverage: Asked<Coverage>,
    #[serde(default, skip_serializing_if = "Asked::is_unasked")]
    pub ticket: Asked<Ticket>,
    #[serde(default, skip_serializing_if = "Asked::is_unasked")]
    pub alerts: Asked<Vec<Alert>>,
    #[serde(default, skip_serializing_if = "Asked::is_unasked")]
    pub support: Asked<Support>,
    /// Who asked others to wait here, and the freezes that live in Tidegate, as they were.
    #[serde(default, skip_serializing_if = "Asked::is_unasked")]
    pub locks: Asked<Vec<Lock>>,
    #[serde(default, skip_serializing_if = "Asked::is_unasked")]
    pub freezes: Asked<Vec<Freeze>>,
    /// Tidegate's own history, with what deployment files tell.
    pub history: Asked<History>,
    /// Other plans and deployments that are waiting, under way or watched.
    pub others: Asked<Vec<Other>>,
}

/// The answers to one question. A question that no source answers has neither known nor unknown answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked<T> {
    pub known: Vec<Fact<T>>,
    pub unknown: Vec<Unknown>,
}

/// One thing learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact<T> {
    pub source: SourceName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// When the source said so.
    pub at: Time,
    pub value: T,
    /// What the source could not read of its own answer: an answer with gaps is never an all-clear.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<String>,
}

/// What could not be seen: who did not tell, and why, as a fragment: "did not answer in 2 s".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    pub source: SourceName,
    pub reason: String,
    pub at: Time,
}

impl<T> Default for Asked<T> {
    fn default() -> Asked<T> {
        Asked { known: Vec::new(), unknown: Vec::new() }
    }
}

impl<T> Asked<T> {
    /// The first known answer.
    pub fn first(&self) -> Option<&Fact<T>> {
        self.known.first()
    }

    /// Whether no source is set up for this question.
    pub fn is_unasked(&self) -> bool {
        self.known.is_empty() && self.unknown.is_empty()
    }

    /// Whether everything that was asked answered, and in full.
    pub fn is_whole(&self) -> bool {
        !self.known.is_empty() && self.unknown.is_empty() && self.known.iter().all(|fact| fact.incomplete.is_empty())
    }
}

/// One occurrence of a calendar entry that overlaps the time looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalendarEvent {
    pub uid: String,
    pub start: Time,
    pub end: Time,
    pub all_day: bool,
    pub summary: String,
    pub means: Means,
    /// Services and environments that it concerns; empty means all.
    #[serde(default)]
    pub services: Vec<Service>,
    #[serde(default)]
    pub environments: Vec<Environment>,
    /// Who answers for it, in the calendar's words.
    #[serde(default)]
    pub owner: Option<String>,
    /// Whose time it takes, where it is somebody's own calendar.
    #[serde(default)]
    pub person: Option<Person>,
}

/// What a calendar entry means for deployments; from the settings of its calendar and from its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    Freeze,
    Launch,
    Campaign,
    Demo,
    Training,
    Holiday,
    QuarterEnd,
    Maintenance,
    OutOfOffice,
    Meeting,
    Other,
}

/// Somebody on call, from start to end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// The person of ours, or the name that the source gave.
    pub person: Person,
    /// For which service; None means for all.
    #[serde(default)]
    pub service: Option<Service>,
    pub start: Time,
    /// None means until further notice.
    #[serde(default)]
    pub end: Option<Time>,
    /// 1 is called first.
    pub level: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// As people call it: `#482`.
    pub id: String,
    pub title: String,
    pub services: Vec<Service>,
    #[serde(default)]
    pub severity: Option<String>,
    pub opened: Time,
    #[serde(default)]
    pub resolved: Option<Time>,
    /// Whether somebody marked it as blocking deployments; severity alone never does.
    pub blocks: bool,
    /// Follow-ups that are still open.
    #[serde(default)]
    pub follow_ups: u32,
    #[serde(default)]
    pub link: Option<String>,
}

/// The versions that a repository knows, newest first, and how the texts of the plan that look like one resolved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Versions {
    pub known: Vec<Version>,
    /// Each name that was asked for, with the commit it resolves to; None: there is no such version.
    pub resolved: Vec<(String, Option<String>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub name: String,
    pub commit: String,
    pub at: Time,
}

/// What lies between the version that runs and the version wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What runs now, where known: without it the change is the head commit alone.
    #[serde(default)]
    pub base: Option<Version>,
    pub head: Version,
    pub direction: Direction,
    /// Newest first; at most 250, `commit_count` tells how many there are.
    pub commits: Vec<Commit>,
    pub commit_count: u32,
    /// At most 1,000, `file_count` tells how many there are.
    pub files: Vec<FileChange>,
    pub file_count: u32,
    /// Migrations that the change adds, alters or removes.
    #[serde(default)]
    pub migrations: Vec<MigrationFile>,
    /// Every migration in the tree at the head, in order of their names: what should have run after this change.
    #[serde(default)]
    pub migrations_at_head: Vec<String>,
    /// Names of feature flags that the added lines mention, by the patterns of the settings.
    #[serde(default)]
    pub flags: Vec<String>,
    /// Packages whose locked versions differ, by the lock files; at most 1,000.
    #[serde(default)]
    pub packages: Vec<PackageChange>,
    /// Who owns the files, by the repository's file `CODEOWNERS`, those of most files first; at most 50. None where there is
    /// no such file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owners: Option<Vec<CodeOwner>>,
    /// The same by the files: each group of files has other owners; files that nobody owns are in none. None where it is
    /// not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned: Option<Vec<Owned>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Newer than what runs.
    Forward,
    /// An ancestor of what runs.
    Back,
    /// The same commit.
    Same,
    /// Neither contains the other.
    Sideways,
    /// It is not known what runs.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    pub sha: String,
    pub title: String,
    /// Author's e-mail; `author` is the person of ours behind it, where known.
    pub email: String,
    #[serde(default)]
    pub author: Option<Person>,
    /// Others who share the authorship by trailer, as e-mails.
    #[serde(default)]
    pub co_authors: Vec<String>,
    pub at: Time,
    pub ai: AiMark,
    /// Whether its words say that it mends a fault.
    pub fix: bool,
}

/// Whether a commit declares AI assistance. Absence of a declaration proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AiMark {
    Declared {
        tool: String,
    },
    Undeclared,
    /// A bot's own commit (dependency updates and the like), which is neither.
    Bot,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileChange {
    pub path: String,
    #[serde(default)]
    pub was: Option<String>,
    pub status: FileStatus,
    /// Lines; None for binary or oversized files.
    pub added: Option<u32>,
    pub deleted: Option<u32>,
    /// How many commits touched it in the 180 days before; None where it was not looked up.
    #[serde(default)]
    pub churn: Option<u32>,
    /// Days since it was last changed before this.
    #[serde(default)]
    pub age_days: Option<u32>,
    /// The lines that are new at the head, as ranges of their numbers, first and last, from 1; at most 200. None where they
    /// are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_lines: Option<Vec<(u32, u32)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileStatus {
    Added,
    Changed,
    Removed,
    Renamed,
}

/// A migration's file as it stands at the head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MigrationFile {
    pub path: String,
    /// Its identity in the tool's table: `0047`, `20261101120000`.
    pub version: String,
    pub status: FileStatus,
    /// The SQL, cut at 256 KiB; None where it is not SQL.
    #[serde(default)]
    pub sql: Option<String>,
    /// Whether a way down exists (a down file, a down section).
    pub reversible: bool,
    /// SHA-384 (sqlx) or CRC32 (Flyway) of the content, as the tool of this repository would store it.
    #[serde(default)]
    pub checksum: Option<String>,
}

/// What the target database says has run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MigrationState {
    /// `sqlx`, `flyway`, `rails`, `alembic`, `django`, `diesel`, `goose`.
    pub tool: String,
    pub table: String,
    pub applied: Vec<AppliedMigration>,
    /// `postgres`, `sqlite`, `mysql`.
    pub engine: String,
    /// Sizes, open transactions, waits and replicas; None where nobody looked (SQLite, older records).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Server>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppliedMigration {
    pub version: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub at: Option<Time>,
    /// False: it began and failed.
    pub success: bool,
    #[serde(default)]
    pub checksum: Option<String>,
}

/// How busy the service is, in the unit of its own metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// What is measured, for people: "requests per second".
    pub unit: String,
    /// The last measured value and its time; None: the metric has no recent data.
    #[serde(default)]
    pub now: Option<(Time, f64)>,
    /// Median by hour of the week in UTC (0 = Monday 00:00), 168 values; None where there was no data.
    pub week: Vec<Option<f64>>,
    /// How many weeks the profile rests on.
    pub weeks: u32,
}

impl Load {
    /// The busiest hour of the usual week.
    pub fn peak(&self) -> Option<f64> {
        self.week.iter().flatten().copied().filter(|v| v.is_finite()).reduce(f64::max).filter(|v| *v > 0.0)
    }

    /// The usual share of the weekly peak at a moment, 0 to 1.
    pub fn usual(&self, at: Time) -> Option<f64> {
        let hour = hour_of_week(at);
        let value = self.week.get(hour).copied().flatten()?;
        Some((value / self.peak()?).clamp(0.0, 10.0))
    }
}

/// The hour of the week in UTC, 0 to 167, Monday 00:00 being 0.
pub fn hour_of_week(at: Time) -> usize {
    // 1970-01-01 was a Thursday, three days after a Monday.
    let hours = at.ms().div_euclid(crate::clock::HOUR) + 3 * 24;
    usize::try_from(hours.rem_euclid(168)).unwrap_or(0)
}

/// How the service is doing now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// Share of failed requests, 0 to 1, over the last minutes.
    #[serde(default)]
    pub errors: Option<f64>,
    /// Milliseconds.
    #[serde(default)]
    pub latency_ms: Option<f64>,
    /// Requests in the time looked at.
    #[serde(default)]
    pub requests: Option<f64>,
    /// The same, usual: median over the same hours of earlier weeks, or of the last day.
    #[serde(default)]
    pub usual_errors: Option<f64>,
    #[serde(default)]
    pub usual_latency_ms: Option<f64>,
    /// What is counted and how it fails, where it is not requests: "sessions crash".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<String>,
    /// When the metric last had data at all; None: never seen.
    #[serde(default)]
    pub last_data: Option<Time>,
    /// Share of the error budget left, where a target is set; below 0: overspent.
    #[serde(default)]
    pub budget_left: Option<f64>,
}
