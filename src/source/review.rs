//! What a platform's own gate is told about a job that it holds. The one thing that a source ever does besides reading, and
//! only where its settings give it a credential for that alone.

use super::CannotSay;

/// The gate's word on a job that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Approved,
    Rejected,
}

impl Decision {
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Approved => "approved",
            Decision::Rejected => "rejected",
        }
    }

    pub fn parse(text: &str) -> Option<Decision> {
        [Decision::Approved, Decision::Rejected].into_iter().find(|decision| decision.as_str() == text)
    }
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The platform's number of the run that the job belongs to.
    pub run: u64,
    /// The environment, as the platform calls it.
    pub gate: String,
    /// None: a word on how things stand, which decides nothing.
    pub decision: Option<Decision>,
    /// For people who look at the job, at most 1,024 characters (GitHub's limit).
    pub comment: String,
}

/// Why the platform was not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untold {
    /// The platform no longer waits for it.
    #[error("{0}")]
    Over(CannotSay),
    /// Somebody has to mend the settings, or the App's permissions.
    #[error("{0}")]
    Denied(CannotSay),
    #[error("{0}")]
    Later(CannotSay),
}
