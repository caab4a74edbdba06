//! A lock: somebody asks others to wait, for a reason and until a time.

use serde::{Deserialize, Serialize};

use super::Scope;
use crate::clock::{Millis, Time};
use crate::config::{HoldSettings, PersonKind, Settings};
use crate::name::Person;
use crate::plan::Plan;

/// A lock as briefs keep it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    pub id: String,
    pub scope: Scope,
    pub owner: Person,
    pub why: String,
    pub since: Time,
    pub until: Time,
    /// Its owner is no longer among the people, or was deactivated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
}

/// How a lock ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Unlocked,
    Stolen,
    Expired,
}

impl End {
    pub fn as_str(self) -> &'static str {
        match self {
            End::Unlocked => "unlocked",
            End::Stolen => "stolen",
            End::Expired => "expired",
        }
    }
}

impl Lock {
    /// Whether a plan has to wait for it at a moment. Its owner never has.
    pub fn stops(&self, plan: &Plan, at: Time) -> bool {
        self.owner != plan.by && self.stands(at) && self.scope.covers(&plan.service, &plan.environment)
    }

    /// What ran out holds nobody, also before anybody had the time to say so.
    pub fn stands(&self, at: Time) -> bool {
        at < self.until
    }

    /// When its owner is asked whether it is still needed: early enough to answer, never before half of it is over.
    pub fn asks_at(&self, settings: &HoldSettings) -> Time {
        let half = self.until.since(self.since) / 2;
        self.until.plus(-settings.lock_asks.ms().min(half))
    }
}

/// How long a lock is to hold, from what was asked for; the error is a sentence.
pub fn length(asked: Option<Millis>, settings: &HoldSettings) -> Result<Millis, String> {
    const LEAST: Millis = crate::clock::MINUTE;
    let longest = settings.lock_longest.ms().max(LEAST);
    match asked {
        None => Ok(settings.lock_for.ms().clamp(LEAST, longest)),
        Some(length) if length < LEAST => Err("A lock holds for at least a minute.".to_owned()),
        Some(length) if length > longest => {
            Err(format!("A lock holds for at most {}; it can be extended before it ends.", settings.lock_longest))
        }
        Some(length) => Ok(length),
    }
}

/// Whether somebody is no longer there, as the settings tell.
pub fn has_left(person: &Person, settings: &Settings) -> bool {
    settings.people.get(person).is_none_or(|known| known.kind == PersonKind::Deactivated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{HOUR, MINUTE};

    fn settings() -> HoldSettings {
        Settings::read("", "tidegate.toml", std::path::PathBuf::new()).unwrap().hold
    }

    fn lock(minutes: i64) -> Lock {
        let since = Time::from_ms(1_800_000_000_000);
        let owner = Person::new("ada");
        let why = "a repair".to_owned();
        let until = since.plus(minutes * MINUTE);
        Lock { id: "l".to_owned(), scope: Scope::default(), owner, why, since, until, left: false }
    }

    #[test]
    fn there_is_no_lock_without_an_end() {
        assert_eq!(length(None, &settings()), Ok(2 * HOUR));
        assert_eq!(length(Some(24 * HOUR), &settings()), Ok(24 * HOUR));
        assert!(length(Some(25 * HOUR), &settings()).unwrap_err().contains("at most"));
        assert!(length(Some(0), &settings()).is_err());
    }

    #[test]
    fn the_owner_is_asked_before_the_end_and_not_at_the_beginning() {
        let long = lock(120);
        assert_eq!(long.asks_at(&settings()), long.until.plus(-15 * MINUTE));
        let short = lock(10);
        assert_eq!(short.asks_at(&settings()), short.since.plus(5 * MINUTE));
        assert!(short.stands(short.until.plus(-1)) && !short.stands(short.until));
    }
}
