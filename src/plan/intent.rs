//! What someone intends: the plan itself, as it stands in a brief.

use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::name::{Environment, Person, PlanId, Service};

/// Someone's intent. All text in it was written by people and is hostile until a renderer has escaped it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub id: PlanId,
    pub kind: Kind,
    pub service: Service,
    pub environment: Environment,
    /// The version as typed: a tag, a branch or a commit. None for a flag or configuration plan.
    #[serde(default)]
    pub version: Option<String>,
    /// The full commit that the version resolved to when this revision was made. None while it cannot be resolved.
    #[serde(default)]
    pub commit: Option<String>,
    /// What a flag or configuration plan changes, one entry for each `--set name=new`.
    #[serde(default)]
    pub set: Vec<Setting>,
    pub by: Person,
    #[serde(default)]
    pub why: Option<String>,
    #[serde(default)]
    pub why_now: Option<String>,
    pub when: When,
    /// Commands to be run.
    #[serde(default)]
    pub how: Option<String>,
    #[serde(default)]
    pub validate: Option<String>,
    #[serde(default)]
    pub rollback: Option<String>,
    /// Conditions that call for the rollback, as written: `errors > 2 % for 5m`.
    #[serde(default)]
    pub rollback_if: Option<String>,
    #[serde(default)]
    pub success: Option<String>,
    /// Whom to tell: people, roles or outsiders in words.
    #[serde(default)]
    pub tell: Vec<String>,
    #[serde(default)]
    pub watch: Vec<Person>,
    #[serde(default)]
    pub respond: Vec<Person>,
    /// The risk that a human declared. Undeclared counts as high.
    #[serde(default)]
    pub risk: Option<Risk>,
    /// The category that a human declared, one of the settings' names.
    #[serde(default)]
    pub category: Option<String>,
    /// The incident that this is a hotfix for.
    #[serde(default)]
    pub hotfix: Option<String>,
    /// Until when approvals are needed, where the planner said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed_by: Option<Time>,
    pub made_at: Time,
}

impl Plan {
    /// A release, now, of which nothing else is said yet: no version, no handle.
    pub fn bare(service: Service, environment: Environment, by: Person, made_at: Time) -> Plan {
        Plan {
            id: PlanId::new(""),
            kind: Kind::Release,
            service,
            environment,
            version: None,
            commit: None,
            set: Vec::new(),
            by,
            why: None,
            why_now: None,
            when: When::Now,
            how: None,
            validate: None,
            rollback: None,
            rollback_if: None,
            success: None,
            tell: Vec::new(),
            watch: Vec::new(),
            respond: Vec::new(),
            risk: None,
            category: None,
            hotfix: None,
            needed_by: None,
            made_at,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    #[default]
    Release,
    Flag,
    Config,
    Migration,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Release, Kind::Flag, Kind::Config, Kind::Migration];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Release => "release",
            Kind::Flag => "flag",
            Kind::Config => "config",
            Kind::Migration => "migration",
        }
    }

    /// Whether a plan of this kind puts a version somewhere (a flag or configuration plan carries values instead).
    pub fn has_version(self) -> bool {
        matches!(self, Kind::Release | Kind::Migration)
    }
}

/// One value that a flag or configuration plan changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    pub name: String,
    /// What the provider says now; None where no provider could be asked.
    pub before: Option<String>,
    pub after: String,
}

/// When it is meant to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum When {
    /// As soon as it is approved.
    Now,
    /// At a moment.
    At { at: Time },
    /// In a window that was suggested and taken.
    Window { start: Time, end: Time },
}

impl When {
    /// The moment at which the plan would begin, seen from `now`.
    pub fn start(self, now: Time) -> Time {
        match self {
            When::Now => now,
            When::At { at } => at,
            When::Window { start, .. } => start,
        }
    }
}

/// The risk that a human declares; orderly: low < standard < high.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    Low,
    Standard,
    High,
}

impl Risk {
    pub const ALL: [Risk; 3] = [Risk::Low, Risk::Standard, Risk::High];

    pub fn as_str(self) -> &'static str {
        match self {
            Risk::Low => "low",
            Risk::Standard => "standard",
            Risk::High => "high",
        }
    }
}

impl Plan {
    /// What is deployed, for a title: the version, or the values set.
    pub fn what(&self) -> String {
        if self.kind.has_version() {
            return self.version.clone().unwrap_or_else(|| "(no version)".to_owned());
        }
        let set: Vec<String> = self.set.iter().map(|s| format!("{}={}", s.name, s.after)).collect();
        set.join(", ")
    }

    /// What identifies a flag or configuration change to the gate: `sha256:…` over its names and new values. None for
    /// a plan that has a version.
    pub fn set_digest(&self) -> Option<String> {
        if self.kind.has_version() {
            return None;
        }
        let mut set: Vec<(&str, &str)> = self.set.iter().map(|s| (s.name.as_str(), s.after.as_str())).collect();
        set.sort_unstable();
        let text = serde_json::to_string(&set).ok()?;
        Some(crate::ledger::sha256(text.as_bytes()))
    }
}
