//! A job that a platform holds until its gate is answered, as it is told.

use serde::{Deserialize, Serialize};

use crate::name::{Environment, Service, SourceName};

/// What a platform tells of a job that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waits {
    pub source: SourceName,
    /// `owner/name`, as the platform writes it.
    pub repository: String,
    /// The run that it belongs to.
    pub run: u64,
    /// The environment, as the platform calls it.
    pub gate: String,
    /// The platform's id of the deployment: a run that is tried again has another.
    pub deployment: String,
    pub target: Target,
    /// The whole commit.
    pub commit: String,
    pub reference: Option<String>,
    /// Where people see the run.
    pub link: Option<String>,
}

/// What it would be deployed to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    Known(Service, Environment),
    /// Nothing that the settings know, and why: whoever keeps them hears of it, because the job waits.
    Unknown(String),
}
