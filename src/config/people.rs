//! `[people.NAME]`: who is who on every platform, in git and on call, and what they may do.

use chrono_tz::Tz;
use serde::Deserialize;

use super::{Secret, Settings, WeekHours};
use crate::name::{Person, Role};

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
    /// What the claim of `[sign-in]` says of this person, where that is not `email`.
    pub sign_in: Vec<String>,
    /// Logins in code hosts, trackers and other systems that mean this person.
    pub logins: Vec<String>,
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

impl Settings {
    /// The person of ours whom another system calls so, by address or login. A name that merely looks like one of ours is
    /// nobody's: anyone may take it there.
    pub fn person_known_as(&self, name: &str) -> Option<&Person> {
        let name = name.trim();
        let is = |known: &String| known.eq_ignore_ascii_case(name);
        let found = self.people.iter().find(|(_, about)| about.email.iter().chain(&about.logins).any(is));
        found.filter(|_| !name.is_empty()).map(|(person, _)| person)
    }
}
