//! The only teller of time.
//!
//! Everything else takes `now` as a parameter or asks a [`Clock`]. A clock runs with the machine's, shifted by an offset
//! that `try --at` sets and the console's `advance` moves.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment: milliseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in UTC in JSON, as `bigint` in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// A stretch of time in milliseconds; may be negative as a difference.
pub type Millis = i64;

pub const SECOND: Millis = 1_000;
pub const MINUTE: Millis = 60 * SECOND;
pub const HOUR: Millis = 60 * MINUTE;
pub const DAY: Millis = 24 * HOUR;

/// 9999-12-31T23:59:59.999Z: what lies outside 1970 to here is not a moment that Tidegate speaks of.
const LATEST: i64 = 253_402_300_799_999;

impl Time {
    /// From milliseconds since the epoch; values outside 1970 to 9999 are clamped, so that formatting never fails.
    pub const fn from_ms(ms: i64) -> Time {
        if ms < 0 {
            Time(0)
        } else if ms > LATEST {
            Time(LATEST)
        } else {
            Time(ms)
        }
    }

    /// Milliseconds since the epoch.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// This moment and `ms` milliseconds more (or less).
    pub const fn plus(self, ms: Millis) -> Time {
        Time::from_ms(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment; negative if it lies before.
    pub const fn since(self, earlier: Time) -> Millis {
        self.0 - earlier.0
    }

    pub fn utc(self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.0).single().unwrap_or_default()
    }

    /// The same moment on the clocks of a zone.
    pub fn at(self, zone: Tz) -> DateTime<Tz> {
        self.utc().with_timezone(&zone)
    }

    /// RFC 3339 in UTC, to the second, or to the millisecond where it has any.
    pub fn rfc3339(self) -> String {
        let format = if self.0 % SECOND == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
        self.utc().to_rfc3339_opts(format, true)
    }

    /// Reads RFC 3339.
    pub fn parse_rfc3339(text: &str) -> Option<Time> {
        DateTime::parse_from_rfc3339(text).ok().map(Time::from)
    }
}

impl<Z: TimeZone> From<DateTime<Z>> for Time {
    fn from(at: DateTime<Z>) -> Time {
        Time::from_ms(at.timestamp_millis())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
        let text = String::deserialize(from)?;
        Time::parse_rfc3339(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not an RFC 3339 time")))
    }
}

/// Tells the time; clones share the offset.
#[derive(Clone, Debug)]
pub struct Clock {
    offset: Arc<AtomicI64>,
    moved: Arc<tokio::sync::Notify>,
    /// What the machine said when it was last looked at for jumps, and when that was by the time that only passes.
    looked: Arc<Mutex<(Time, std::time::Instant)>>,
    /// Whether the clock was found to be off.
    faulty: Arc<AtomicBool>,
}

impl Default for Clock {
    fn default() -> Clock {
        let looked = Arc::new(Mutex::new((machine_time(), std::time::Instant::now())));
        Clock { offset: Arc::default(), moved: Arc::default(), looked, faulty: Arc::default() }
    }
}

impl Clock {
    /// The machine's own time.
    pub fn system() -> Clock {
        Clock::default()
    }

    /// A clock that begins at `at` and runs on from there.
    pub fn beginning_at(at: Time) -> Clock {
        let clock = Clock::default();
        clock.offset.store(at.since(machine_time()), Ordering::SeqCst);
        clock
    }

    pub fn now(&self) -> Time {
        machine_time().plus(self.offset.load(Ordering::SeqCst))
    }

    /// What the machine's clock shows, whatever this one was moved by.
    pub fn machine(&self) -> Time {
        machine_time()
    }

    /// Whether it was moved away from the machine's clock, as `try` may.
    pub fn is_moved(&self) -> bool {
        self.offset.load(Ordering::SeqCst) != 0
    }

    /// By how much the machine's clock jumped since this was asked last: what it shows more (or, below zero, less) than
    /// the time that passed. It was set, or the machine slept.
    pub fn jumped(&self) -> Millis {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, then) = std::mem::replace(&mut *looked, (machine_time(), std::time::Instant::now()));
        let passed = i64::try_from(looked.1.duration_since(then).as_millis()).unwrap_or(i64::MAX);
        looked.0.since(at).saturating_sub(passed)
    }

    /// Notes that the clock is off by `off`; tells whether it is faulty now where that changed.
    pub fn judged(&self, off: Millis, limit: Millis) -> Option<bool> {
        let faulty = off.saturating_abs() > limit;
        (self.faulty.swap(faulty, Ordering::SeqCst) != faulty).then_some(faulty)
    }

    /// Moves the clock forward (or back) and wakes whoever waits for a time to come.
    pub fn advance(&self, ms: Millis) {
        self.offset.fetch_add(ms, Ordering::SeqCst);
        self.moved.notify_waiters();
    }

    /// Waits until the clock shows `at`, also when it is moved there.
    pub async fn sleep_until(&self, at: Time) {
        loop {
            let moved = self.moved.notified();
            let left = at.since(self.now());
            if left <= 0 {
                return;
            }
            let left = std::time::Duration::from_millis(left.unsigned_abs());
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                () = moved => {}
            }
        }
    }
}

#[allow(clippy::disallowed_methods)]
fn machine_time() -> Time {
    Time::from(Utc::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_json() {
        let at = Time::parse_rfc3339("2026-11-24T10:00:00.250-08:00").unwrap();
        assert_eq!(serde_json::to_string(&at).unwrap(), "\"2026-11-24T18:00:00.250Z\"");
        assert_eq!(serde_json::from_str::<Time>("\"2026-11-24T18:00:00.25Z\"").unwrap(), at);
    }

    #[test]
    fn a_clock_begins_where_it_is_told_and_moves_when_it_is_moved() {
        let at = Time::from_ms(1_800_000_000_000);
        let clock = Clock::beginning_at(at);
        assert!(clock.now().since(at) < MINUTE);
        clock.advance(2 * HOUR);
        assert!(clock.now().since(at) >= 2 * HOUR);
    }

    #[test]
    fn a_clock_that_is_off_is_told_of_once_and_so_is_its_return() {
        let clock = Clock::system();
        assert!(clock.jumped().abs() < SECOND);
        assert_eq!(clock.judged(4_000, 5_000), None);
        assert_eq!(clock.judged(-6_000, 5_000), Some(true));
        assert_eq!(clock.judged(7_000, 5_000), None);
        assert_eq!(clock.judged(1_000, 5_000), Some(false));
        clock.advance(HOUR);
        assert!(
            clock.is_moved() && clock.jumped().abs() < SECOND,
            "moving it for a trial is no fault of the machine's"
        );
    }

    #[test]
    fn times_outside_the_calendar_are_clamped() {
        assert_eq!(Time::from_ms(i64::MAX).rfc3339(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Time::from_ms(i64::MIN).ms(), 0);
    }
}
