//! `[environment.NAME]`: where things are deployed to, and what is asked there.

use chrono_tz::Tz;
use serde::Deserialize;

use super::{Span, WeekHours};
use crate::name::Environment;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct EnvironmentSettings {
    pub mode: Mode,
    /// A protected environment is confirmed by typing its name, and its gate opens only when a human starts.
    pub protected: bool,
    pub start: Start,
    /// The environment in which a version must have run before.
    pub after: Option<Environment>,
    /// For how long.
    pub soak: Option<Span>,
    /// When deployments are allowed; empty means always.
    pub window: Vec<WeekHours>,
    pub zone: Option<Tz>,
    /// Approved plans stand in line here, and begin one at a time.
    pub queue: bool,
    /// What a command or a shell aims at when it means this environment.
    pub target: crate::target::Target,
}

/// How much Tidegate says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Records; the planner alone sees the brief.
    Observe,
    #[default]
    Advise,
    /// Pipelines ask and obey.
    Gate,
}

/// What opens the gate after approval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// A named human says start.
    Human,
    /// Approval is enough (never for a protected environment).
    #[default]
    Approval,
}

impl EnvironmentSettings {
    /// Whether a human must say start before the gate opens.
    pub fn needs_start(&self) -> bool {
        self.protected || self.start == Start::Human
    }
}
