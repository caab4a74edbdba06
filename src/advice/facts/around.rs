//! What other systems say around a change: flags, its ticket, what fires, what users told support.

use serde::{Deserialize, Serialize};

use crate::clock::Time;

/// A feature flag in one environment, as its provider tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlagState {
    pub name: String,
    /// False: the provider knows no such flag here; nothing else is told then.
    pub defined: bool,
    #[serde(default)]
    pub on: Option<bool>,
    /// What is served where it is off or nothing else applies, as the provider writes it.
    #[serde(default)]
    pub default: Option<String>,
    /// Share of users that get it where it is on, in per cent; None: by rules, or not told.
    #[serde(default)]
    pub percent: Option<f64>,
    #[serde(default)]
    pub archived: bool,
    /// When it was last changed here.
    #[serde(default)]
    pub changed: Option<Time>,
    #[serde(default)]
    pub link: Option<String>,
}

impl FlagState {
    /// A flag that the provider does not know.
    pub fn nowhere(name: &str) -> FlagState {
        FlagState {
            name: name.to_owned(),
            defined: false,
            on: None,
            default: None,
            percent: None,
            archived: false,
            changed: None,
            link: None,
        }
    }
}

/// The ticket that a plan names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    pub key: String,
    /// False: the tracker knows no such ticket; nothing else is told then.
    pub exists: bool,
    #[serde(default)]
    pub title: String,
    /// In the tracker's words: "In review".
    #[serde(default)]
    pub status: String,
    /// Whether that status is one at which work has ended.
    #[serde(default)]
    pub closed: bool,
    #[serde(default)]
    pub kind: Option<String>,
    #[serde(default)]
    pub link: Option<String>,
}

/// An alert that fires, or what would be kept quiet if it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub name: String,
    #[serde(default, skip_serializing_if = "AlertState::is_firing")]
    pub state: AlertState,
    #[serde(default)]
    pub severity: Option<String>,
    #[serde(default)]
    pub summary: Option<String>,
    pub since: Time,
    /// Until when somebody silenced it.
    #[serde(default)]
    pub silenced: Option<Time>,
    #[serde(default)]
    pub link: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertState {
    #[default]
    Firing,
    /// Nothing fires, and nobody would be told if it did: a silence of `name`, or of every alert where that is empty.
    Muted,
}

impl AlertState {
    pub fn is_firing(&self) -> bool {
        *self == AlertState::Firing
    }
}

/// What users told support about a component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Support {
    /// What is counted, for people: "tickets tagged `checkout`".
    pub unit: String,
    /// Start of the day in UTC and how many came on it, oldest first; a day without any is told as 0.
    pub days: Vec<(Time, u32)>,
}
