//! `[people.NAME]`: who is who on every platform, in git and on call, and what they may do.

use chrono_tz::Tz;
use serde::Deserialize;

use super::{Secret, WeekHours};
use crate::name::Role;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PersonSettings {
    /// The full name, for the record.
    pub name: Option<String>,
    /// Every address that they commit with or that on-call systems know them by.
    pub email: Vec<String>,
    pub roles: Vec<Role>,
    pub kind: PersonKind,
    pub zone: Option<Tz>,
    pub hours: Option<Vec<WeekHours>>,
    /// Slack user ids, each `TEAM/USER` or `USER`.
    pub slack: Vec<String>,
    /// Discord user ids.
    pub discord: Vec<String>,
    /// What signs this person in to the console of `serve`.
    pub console: Option<Secret>,
    /// Names in on-call schedules that mean this person.
    pub on_call: Vec<String>,
}

/// Guests, bots and deactivated people never count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonKind {
    #[default]
    Member,
    Guest,
    Bot,
    Deactivated,
}
