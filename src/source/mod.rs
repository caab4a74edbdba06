//! Questions, and the systems that can answer them.
//!
//! A source is asked one question at a time and answers with one [`Learned`] or says why it cannot. It never decides
//! what an answer means; checks do. Adding a source: one file or folder here, and one line in the list of `kind.rs`.

pub mod alertmanager;
pub mod argocd;
pub mod caldav;
pub mod calendar;
mod called;
pub mod circleci;
mod code;
mod codecov;
pub mod database;
pub mod datadog;
pub mod flagd;
mod flags;
pub mod gather;
pub mod git;
pub mod github;
pub mod gitlab;
pub mod google_calendar;
mod grant;
pub mod http;
pub mod ics;
mod incident_io;
pub mod jenkins;
pub mod jira;
mod jsm;
pub mod jsonl;
mod kept;
mod kind;
mod labels;
pub mod launchdarkly;
mod lcov;
pub mod linear;
mod metrics;
pub mod microsoft_365;
mod opened;
pub mod osv;
mod pagerduty;
pub mod prometheus;
pub mod rest;
mod review;
pub mod sarif;
pub mod sentry;
mod statuspage;
mod tracker;
pub mod unleash;
mod unreached;
pub mod zendesk;

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::advice::facts::{
    Alert, Builds, CalendarEvent, Change, Coverage, Deployment, Finding, FlagState, Health, Incident, Load,
    MigrationState, Reviews, Shift, Support, Ticket, Versions,
};
use crate::clock::Time;
use crate::config::Settings;
use crate::name::{Environment, Service};

pub use self::called::around;
pub use self::gather::{Said, ask_all, ask_all_until, asked, brief_deadline, gather};
pub use self::kind::{Kind, Opening, SourceKind};
pub use self::opened::{Opened, open};
pub use self::review::{Decision, Review, Untold};

/// What must be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    Calendar,
    OnCall,
    Incidents,
    Deployments,
    /// Which commit a version is, and which versions there are.
    Versions,
    Change,
    Migrations,
    Load,
    Health,
    /// The series that the watch looks at.
    Series,
    /// Who read the change before it was merged.
    Reviews,
    /// How the commit, and the main branch, fared in the builds.
    Builds,
    /// The feature flags of `Ask::names`, in this environment.
    Flags,
    /// What scanners and advisories found in the change.
    Findings,
    /// How much of the change, and of the whole, tests run.
    Coverage,
    /// The ticket behind the plan: the first of `Ask::names` that is one.
    Ticket,
    /// What fires for the service now.
    Alerts,
    /// What users told support, day by day.
    Support,
}

impl Question {
    pub const ALL: [Question; 18] = [
        Question::Calendar,
        Question::OnCall,
        Question::Incidents,
        Question::Deployments,
        Question::Versions,
        Question::Change,
        Question::Migrations,
        Question::Load,
        Question::Health,
        Question::Series,
        Question::Reviews,
        Question::Builds,
        Question::Flags,
        Question::Findings,
        Question::Coverage,
        Question::Ticket,
        Question::Alerts,
        Question::Support,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Question::Calendar => "calendar",
            Question::OnCall => "on-call",
            Question::Incidents => "incidents",
            Question::Deployments => "deployments",
            Question::Versions => "versions",
            Question::Change => "change",
            Question::Migrations => "migrations",
            Question::Load => "load",
            Question::Health => "health",
            Question::Series => "series",
            Question::Reviews => "reviews",
            Question::Builds => "builds",
            Question::Flags => "flags",
            Question::Findings => "findings",
            Question::Coverage => "coverage",
            Question::Ticket => "ticket",
            Question::Alerts => "alerts",
            Question::Support => "support",
        }
    }
}

/// One question about one service in one environment.
#[derive(Clone, Debug)]
pub struct Ask {
    pub question: Question,
    pub settings: Arc<Settings>,
    pub service: Service,
    pub environment: Environment,
    /// The version wanted (as typed or as the commit that it resolved to), for `Versions`, `Change`, `Reviews`, `Builds` and
    /// `Findings`.
    pub version: Option<String>,
    /// What runs now, for `Change`: a commit or a version.
    pub running: Option<String>,
    /// Other names that are meant: what looks like versions, for `Versions` (from the rollback plan); flags, for `Flags`;
    /// what looks like a ticket, for `Ticket`.
    pub names: Vec<String>,
    /// What changes, for `Findings` and `Coverage`: its packages, files and lines. None where nobody could tell.
    pub change: Option<Arc<Change>>,
    /// The time looked at, for `Calendar`, `OnCall`, `Incidents`, `Series`.
    pub from: Time,
    pub to: Time,
    pub now: Time,
    /// Whether an answer of a moment ago will not do.
    pub fresh: bool,
}

impl Ask {
    /// A question about now, without a version.
    pub fn of(
        question: Question,
        settings: &Arc<Settings>,
        service: &Service,
        environment: &Environment,
        now: Time,
    ) -> Ask {
        Ask {
            question,
            settings: settings.clone(),
            service: service.clone(),
            environment: environment.clone(),
            version: None,
            running: None,
            names: Vec::new(),
            change: None,
            from: now,
            to: now,
            now,
            fresh: false,
        }
    }
}

/// What a source says to one question.
#[derive(Clone, Debug, PartialEq)]
pub enum Learned {
    Calendar(Vec<CalendarEvent>),
    OnCall(Vec<Shift>),
    Incidents(Vec<Incident>),
    Deployments(Vec<Deployment>),
    Versions(Versions),
    Change(Box<Change>),
    Migrations(MigrationState),
    Load(Load),
    Health(Health),
    Series(Series),
    Reviews(Reviews),
    Builds(Builds),
    Flags(Vec<FlagState>),
    Findings(Vec<Finding>),
    Coverage(Coverage),
    Ticket(Ticket),
    Alerts(Vec<Alert>),
    Support(Support),
}

/// An answer: what was learned, when the source said so, where to read more, and what it could not read.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub learned: Learned,
    pub at: Time,
    pub link: Option<String>,
    pub incomplete: Vec<String>,
}

/// Minute by minute, how a service did. Minutes without data are absent, which is not the same as zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    pub minutes: Vec<Minute>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Minute {
    /// Start of the minute.
    pub at: Time,
    /// Requests (or probes) in it.
    pub requests: f64,
    /// How many of them failed.
    pub errors: f64,
    /// Their usual latency in milliseconds, where measured.
    pub latency_ms: Option<f64>,
}

/// Why a source could not answer: a fragment that ends a sentence beginning with the source's name, such as
/// "did not answer in 2 s" or "refused the token (401)". Never holds a secret or a body from outside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CannotSay(pub String);

impl CannotSay {
    /// A question that its kind does not answer. Nobody puts it: who can answer is settled when the source is opened.
    pub fn unasked(question: Question) -> CannotSay {
        CannotSay(format!("cannot answer `{}`", question.as_str()))
    }

    pub fn because(reason: impl Into<String>) -> CannotSay {
        CannotSay(reason.into())
    }
}

/// A system that can answer questions. Production has one implementation for each kind of `[[source]]`.
pub trait Source: Send + Sync + fmt::Debug {
    /// Whether it can know anything of this service and environment; what it does not know it is not asked.
    fn knows(&self, _: &Service, _: &Environment) -> bool {
        true
    }

    /// Asks. The caller holds the deadline; dropping the future must be harmless.
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>>;

    /// Who is in a team of the system's, by the logins that they have there. Only what its [`Kind`] gives roles by is asked.
    fn members<'a>(&'a self, _team: &'a str, _now: Time) -> BoxFuture<'a, Result<Vec<String>, CannotSay>> {
        Box::pin(async { Err(CannotSay::because("tells of no teams")) })
    }

    /// Tells the platform's own gate about a job that waits there.
    fn review<'a>(&'a self, _: &'a Review, _: Time) -> BoxFuture<'a, Result<(), Untold>> {
        Box::pin(async { Err(Untold::Denied(CannotSay::because("has no gate that could be answered"))) })
    }

    /// What it could tell its platform's gate, or why it could not; None where the settings ask for nothing of the kind.
    fn could_review(&self, _: Time) -> BoxFuture<'_, Option<Result<String, CannotSay>>> {
        Box::pin(async { None })
    }
}

/// Opens every source of the settings. A source that cannot be opened at all is named with its reason.
pub fn build(settings: &Settings, clock: &crate::clock::Clock) -> anyhow::Result<Vec<Arc<Opened>>> {
    let clients = &crate::http::Clients::default();
    let opened = settings.source.iter().map(|source| {
        let patience = source.timeout.unwrap_or(settings.policy.source_timeout).std();
        let keep = source.keep.unwrap_or(settings.policy.source_keep).std();
        open(&Opening { settings: source, folder: &settings.base, clock, patience, keep, clients }).map(Arc::new)
    });
    opened.collect()
}

#[cfg(test)]
pub(crate) mod tests;
