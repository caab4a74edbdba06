//! What the probe has seen, minute by minute, for the last three days, in memory alone.

use std::collections::BTreeMap;

use crate::clock::{DAY, MINUTE, Millis, Time};
use crate::source::{Minute, Series};

/// Older minutes are forgotten.
const KEPT: Millis = 3 * DAY;
/// What health is judged by.
const RECENT: Millis = 10 * MINUTE;
/// Fewer minutes than this say nothing about what is usual.
const LEAST_USUAL: usize = 10;

/// One look at a URL.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    pub well: bool,
    /// Milliseconds until it answered; None: it did not.
    pub latency_ms: Option<f64>,
}

/// The minutes of one URL. A minute in which nobody looked is absent.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    minutes: BTreeMap<i64, Tally>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    looks: u32,
    errors: u32,
    answered: u32,
    latency_ms: f64,
}

/// How it did in the last minutes, and what is usual.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    pub looks: u32,
    pub errors: Option<f64>,
    pub latency_ms: Option<f64>,
    pub usual_errors: Option<f64>,
    pub usual_latency_ms: Option<f64>,
}

impl Seen {
    pub fn add(&mut self, at: Time, look: Look) {
        let tally = self.minutes.entry(at.ms() / MINUTE).or_default();
        tally.looks = tally.looks.saturating_add(1);
        tally.errors = tally.errors.saturating_add(u32::from(!look.well));
        if let Some(latency) = look.latency_ms {
            tally.answered = tally.answered.saturating_add(1);
            tally.latency_ms += latency;
        }
        // A clock that was moved back leaves minutes that have not come yet; they count for as little as old ones.
        let (oldest, newest) = ((at.ms() - KEPT) / MINUTE, (at.ms() + KEPT) / MINUTE);
        self.minutes.retain(|minute, _| (oldest..=newest).contains(minute));
    }

    /// The minutes that overlap a stretch of time.
    pub fn series(&self, from: Time, to: Time) -> Series {
        let minutes = self.range(from, to).map(|(minute, tally)| Minute {
            at: Time::from_ms(minute * MINUTE),
            requests: f64::from(tally.looks),
            errors: f64::from(tally.errors),
            latency_ms: tally.latency(),
        });
        Series { minutes: minutes.collect() }
    }

    /// The first minute that it knows.
    pub fn since(&self) -> Option<Time> {
        self.minutes.keys().next().map(|minute| Time::from_ms(minute * MINUTE))
    }

    pub fn summary(&self, now: Time) -> Summary {
        let recent = sum(self.range(now.plus(-RECENT), now).map(|(_, tally)| tally));
        let day: Vec<Tally> = self.range(now.plus(-DAY), now.plus(-RECENT - MINUTE)).map(|(_, tally)| tally).collect();
        let before = sum(day.iter().copied());
        let enough = day.len() >= LEAST_USUAL;
        let mut latencies: Vec<f64> = day.iter().filter_map(Tally::latency).collect();
        latencies.sort_by(f64::total_cmp);
        Summary {
            looks: recent.looks,
            errors: recent.share(),
            latency_ms: recent.latency(),
            usual_errors: before.share().filter(|_| enough),
            usual_latency_ms: latencies.get(latencies.len() / 2).copied().filter(|_| enough),
        }
    }

    fn range(&self, from: Time, to: Time) -> impl Iterator<Item = (i64, Tally)> + '_ {
        let (first, last) = (from.ms() / MINUTE, to.ms() / MINUTE);
        let range = (first <= last).then(|| self.minutes.range(first..=last));
        range.into_iter().flatten().map(|(minute, tally)| (*minute, *tally))
    }
}

impl Tally {
    fn latency(&self) -> Option<f64> {
        (self.answered > 0).then(|| self.latency_ms / f64::from(self.answered))
    }

    fn share(&self) -> Option<f64> {
        (self.looks > 0).then(|| f64::from(self.errors) / f64::from(self.looks))
    }
}

fn sum(tallies: impl Iterator<Item = Tally>) -> Tally {
    tallies.fold(Tally::default(), |sum, tally| Tally {
        looks: sum.looks.saturating_add(tally.looks),
        errors: sum.errors.saturating_add(tally.errors),
        answered: sum.answered.saturating_add(tally.answered),
        latency_ms: sum.latency_ms + tally.latency_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Look = Look { well: true, latency_ms: Some(20.0) };
    const SILENT: Look = Look { well: false, latency_ms: None };

    fn minute(n: i64) -> Time {
        Time::from_ms((30_000_000 + n) * MINUTE)
    }

    #[test]
    fn minutes_that_were_skipped_are_absent() {
        let mut seen = Seen::default();
        seen.add(minute(0), WELL);
        seen.add(minute(0).plus(20_000), SILENT);
        seen.add(minute(60), WELL);
        let series = seen.series(minute(-5), minute(60));
        let want = |at, requests, errors| Minute { at, requests, errors, latency_ms: Some(20.0) };
        assert_eq!(series.minutes, [want(minute(0), 2.0, 1.0), want(minute(60), 1.0, 0.0)]);
        assert_eq!(seen.series(minute(1), minute(59)).minutes, []);
        assert_eq!(seen.series(minute(9), minute(1)).minutes, []);
        assert_eq!(seen.since(), Some(minute(0)));
    }

    #[test]
    fn what_is_older_than_three_days_is_forgotten() {
        let mut seen = Seen::default();
        for n in 0..10_000 {
            seen.add(minute(n), WELL);
        }
        assert_eq!(seen.minutes.len(), 3 * 24 * 60 + 1);
    }

    #[test]
    fn a_fault_stands_out_from_what_is_usual() {
        let mut seen = Seen::default();
        assert_eq!(seen.summary(minute(0)), Summary::default());
        for n in 0..60 {
            seen.add(minute(n), WELL);
        }
        for n in 60..70 {
            seen.add(minute(n), SILENT);
        }
        let summary = seen.summary(minute(70));
        assert_eq!((summary.looks, summary.errors, summary.latency_ms), (10, Some(1.0), None));
        assert_eq!((summary.usual_errors, summary.usual_latency_ms), (Some(0.0), Some(20.0)));
    }
}
