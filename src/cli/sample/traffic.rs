//! How busy Harbor's services are, minute by minute, and how they fare: pure functions of time and of what is wrong.

use chrono::{Datelike, Timelike};

use super::day::ZONE;
use super::dice::noise;
use crate::clock::{MINUTE, Time};

/// A service's name, its requests per second in its busiest hour, usual latency in milliseconds (95th percentile), and
/// usual share of failed requests.
type Usual = (&'static str, f64, f64, f64);

const SERVICES: [Usual; 6] = [
    ("checkout", 26.0, 180.0, 0.002),
    ("ledger", 44.0, 60.0, 0.0005),
    ("search", 70.0, 95.0, 0.003),
    ("storefront", 130.0, 240.0, 0.004),
    ("notifications", 9.0, 320.0, 0.006),
    ("docs-site", 2.0, 40.0, 0.001),
];

/// Shares of the peak by hour of a weekday in Harbor's zone: quiet nights, a late afternoon rush, an evening shoulder.
const HOURS: [f64; 24] = [
    0.14, 0.10, 0.08, 0.07, 0.07, 0.09, 0.14, 0.22, 0.30, 0.36, 0.42, 0.55, 0.68, 0.80, 0.92, 1.00, 0.93, 0.80, 0.68,
    0.60, 0.50, 0.38, 0.26, 0.18,
];

/// Monday to Sunday.
const DAYS: [f64; 7] = [0.96, 1.00, 0.99, 0.97, 0.90, 0.62, 0.58];

/// What can be wrong with a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    #[default]
    Well,
    /// About one request in 25 fails.
    Errors,
    /// Answers take four times as long.
    Slow,
    /// Nearly everything fails.
    Down,
    /// It works, but its metrics do not arrive.
    Silent,
}

impl Mood {
    pub const ALL: [Mood; 5] = [Mood::Well, Mood::Errors, Mood::Slow, Mood::Down, Mood::Silent];

    pub fn as_str(self) -> &'static str {
        match self {
            Mood::Well => "well",
            Mood::Errors => "errors",
            Mood::Slow => "slow",
            Mood::Down => "down",
            Mood::Silent => "silent",
        }
    }
}

/// One minute of a service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fared {
    pub requests: f64,
    pub errors: f64,
    /// Seconds, 95th percentile.
    pub latency: f64,
}

pub fn is_service(name: &str) -> bool {
    place(name).is_some()
}

/// The usual share of the weekly peak at a moment, 0 to 1.
pub fn share(service: &str, at: Time) -> f64 {
    let local = at.at(ZONE);
    let day = DAYS[local.weekday().num_days_from_monday() as usize % 7];
    // Each hour's value stands for its middle; between the middles the way is straight.
    let minute = f64::from(local.minute()) + f64::from(local.second()) / 60.0;
    let hour = local.hour() as usize;
    let (first, second, along) = if minute < 30.0 {
        ((hour + 23) % 24, hour, (minute + 30.0) / 60.0)
    } else {
        (hour, (hour + 1) % 24, (minute - 30.0) / 60.0)
    };
    let usual = HOURS[first % 24] * (1.0 - along) + HOURS[second % 24] * along;
    // The nightly settlement keeps ledger busy while customers sleep.
    let settling = service == "ledger" && (hour == 2 || hour == 3 && minute < 30.0);
    if settling { f64::max(usual * day, 0.45) } else { usual * day }
}

/// How a service fares in the minute that begins at `at`. None: no metrics arrive, or it does not run there.
pub fn minute(service: &str, environment: &str, at: Time, mood: Mood, upstream_down: bool) -> Option<Fared> {
    let (place, (_, peak, latency, failing)) = place(service)?;
    let minute = at.ms().div_euclid(MINUTE);
    let mut seed = 7 + u64::try_from(place).unwrap_or(0) * 101;
    let rps = match environment {
        "production" => peak * share(service, Time::from_ms(minute * MINUTE)),
        "staging" => {
            seed += 13;
            2.5
        }
        _ => return None,
    };
    let wobble = |which: u64, width: f64| 1.0 + width * (2.0 * noise(seed * 31 + which, minute) - 1.0);
    let requests = (rps * 60.0 * wobble(1, 0.05)).round();
    let (failing, latency) = match mood {
        Mood::Silent => return None,
        Mood::Well if upstream_down => (0.3, latency * 2.5),
        Mood::Well => (failing, latency),
        Mood::Errors => (failing + 0.04, latency * 1.05),
        Mood::Slow => (failing * 2.0, latency * 4.0),
        Mood::Down => (0.96, latency * 6.0),
    };
    let errors = (requests * failing * wobble(2, 0.4)).clamp(0.0, requests);
    let busy = if environment == "production" { share(service, at) } else { 0.1 };
    Some(Fared { requests, errors, latency: latency / 1_000.0 * (1.0 + 0.2 * busy) * wobble(3, 0.04) })
}

fn place(service: &str) -> Option<(usize, Usual)> {
    SERVICES.iter().copied().enumerate().find(|(_, (name, ..))| *name == service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sample::day::on;
    use crate::clock::HOUR;

    fn tuesday(hour: u32, minute: u32) -> Time {
        on("2026-11-17".parse().unwrap(), hour, minute)
    }

    #[test]
    fn traffic_peaks_about_three_in_the_afternoon_and_nights_are_quiet() {
        assert!(share("checkout", tuesday(15, 0)) > 0.94);
        assert!(share("checkout", tuesday(15, 30)) > 0.99);
        assert!(share("checkout", tuesday(10, 20)) < 0.45);
        assert!(share("checkout", tuesday(3, 0)) < 0.1);
        assert!(share("ledger", tuesday(2, 30)) > 0.4, "the settlement runs");
        let week = (0..168).map(|h| share("search", tuesday(0, 30).plus(h * HOUR)));
        assert!(week.fold(0.0, f64::max) <= 1.0);
    }

    #[test]
    fn a_mood_shows_in_the_minute_and_nowhere_else() {
        let at = tuesday(14, 0);
        let well = minute("checkout", "production", at, Mood::Well, false).unwrap();
        let bad = minute("checkout", "production", at, Mood::Errors, false).unwrap();
        let slow = minute("checkout", "production", at, Mood::Slow, false).unwrap();
        assert_eq!(well.requests, bad.requests);
        assert!(well.errors / well.requests < 0.004 && bad.errors / bad.requests > 0.02);
        assert!(slow.latency > 3.0 * well.latency);
        assert_eq!(minute("checkout", "production", at, Mood::Silent, false), None);
        assert_eq!(minute("checkout", "development", at, Mood::Well, false), None);
        assert_eq!(minute("nothing", "production", at, Mood::Well, false), None);
    }
}
