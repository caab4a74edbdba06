//! The state of Harbor's services: what is wrong with which, since when. The switches of the console turn it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::traffic::{Fared, Mood, is_service, minute};
use crate::clock::{Clock, Time};

/// So many turns are remembered; older ones are forgotten.
const MOST_TURNS: usize = 10_000;

/// What needs what, as the settings have it.
const NEEDS: [(&str, &str); 4] =
    [("checkout", "ledger"), ("storefront", "checkout"), ("storefront", "search"), ("notifications", "ledger")];

/// The services as they are and were. Turns are kept in a file, so that a restart does not heal anything.
#[derive(Debug)]
pub struct Town {
    clock: Clock,
    turns: Mutex<Vec<Turn>>,
    kept: PathBuf,
}

/// From this moment on a service is so.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Turn {
    at: Time,
    service: String,
    environment: String,
    mood: String,
}

impl Town {
    /// Reads the turns that were kept; what cannot be read of them is left out.
    pub fn open(kept: &Path, clock: Clock) -> Town {
        let text = std::fs::read_to_string(kept).unwrap_or_default();
        let mut turns: Vec<Turn> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        turns.drain(..turns.len().saturating_sub(MOST_TURNS));
        Town { clock, turns: Mutex::new(turns), kept: kept.to_owned() }
    }

    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Turns a service from now on. False: there is no such service.
    pub fn turn(&self, service: &str, environment: &str, mood: Mood) -> bool {
        if !is_service(service) {
            return false;
        }
        let at = self.now();
        let turn = Turn {
            at,
            service: service.to_owned(),
            environment: environment.to_owned(),
            mood: mood.as_str().to_owned(),
        };
        if let Err(error) = keep(&self.kept, &turn) {
            tracing::warn!(error = %error, "the sample world's turn is forgotten at the next start");
        }
        let mut turns = self.turns();
        if turns.len() >= MOST_TURNS {
            turns.remove(0);
        }
        turns.push(turn);
        true
    }

    /// What was wrong with a service at a moment; the last word before it counts.
    pub fn mood(&self, service: &str, environment: &str, at: Time) -> Mood {
        let turns = self.turns();
        let last = turns.iter().rev().find(|t| t.at <= at && t.service == service && t.environment == environment);
        last.and_then(|turn| Mood::ALL.into_iter().find(|mood| mood.as_str() == turn.mood)).unwrap_or_default()
    }

    /// Whether something that a service needs was down at a moment.
    pub fn upstream_down(&self, service: &str, environment: &str, at: Time) -> bool {
        let needed = NEEDS.iter().filter(|(needing, _)| *needing == service).map(|(_, needed)| *needed);
        needed.into_iter().any(|needed| self.mood(needed, environment, at) == Mood::Down)
    }

    /// How a service fared in the minute that begins at `at`. None: it is not over, or there are no metrics of it.
    pub fn fared(&self, service: &str, environment: &str, at: Time) -> Option<Fared> {
        if at > self.now() {
            return None;
        }
        let upstream_down = self.upstream_down(service, environment, at);
        minute(service, environment, at, self.mood(service, environment, at), upstream_down)
    }

    fn turns(&self) -> MutexGuard<'_, Vec<Turn>> {
        // A panic while holding it leaves a whole list behind.
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep(file: &Path, turn: &Turn) -> std::io::Result<()> {
    let mut line = serde_json::to_string(turn)?;
    line.push('\n');
    std::fs::OpenOptions::new().create(true).append(true).open(file)?.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::MINUTE;

    #[test]
    fn a_turn_shows_from_its_moment_on_and_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("turns.jsonl");
        let clock = Clock::beginning_at(Time::parse_rfc3339("2026-11-17T20:00:00Z").unwrap());
        let town = Town::open(&kept, clock.clone());
        let before = town.now();
        clock.advance(5 * MINUTE);
        assert!(town.turn("checkout", "production", Mood::Errors));
        assert!(!town.turn("chekout", "production", Mood::Errors));
        clock.advance(5 * MINUTE);
        let again = Town::open(&kept, clock.clone());
        for town in [&town, &again] {
            assert_eq!(town.mood("checkout", "production", before), Mood::Well);
            assert_eq!(town.mood("checkout", "production", clock.now()), Mood::Errors);
            assert_eq!(town.mood("checkout", "staging", clock.now()), Mood::Well);
        }
        assert_eq!(town.fared("checkout", "production", clock.now().plus(MINUTE)), None, "the future is not told");
    }

    #[test]
    fn who_needs_a_service_that_is_down_suffers() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::beginning_at(Time::parse_rfc3339("2026-11-17T20:00:00Z").unwrap());
        let town = Town::open(&folder.path().join("turns.jsonl"), clock.clone());
        town.turn("ledger", "production", Mood::Down);
        let fared = town.fared("checkout", "production", clock.now()).unwrap();
        assert!(fared.errors / fared.requests > 0.1);
        let fared = town.fared("search", "production", clock.now()).unwrap();
        assert!(fared.errors / fared.requests < 0.01);
    }
}
