//! Calendars as files and feeds (iCalendar, RFC 5545): what is on, when, in spite of recurrence, exceptions, time zones
//! and malice. What cannot be read is named, because a calendar that looks empty would read as "safe to deploy".
//!
//! [`Calendar::parse`] reads a text once; [`Calendar::expand`] looks at a stretch of it as often as wanted. [`feed`]
//! keeps a text fresh.

mod event;
mod expand;
pub mod feed;
mod guard;
mod parse;
mod recur;
mod rule;
mod zone;
mod zones;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use chrono::{Datelike, NaiveDateTime};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::clock::Time;
pub use guard::Unreadable;
pub use parse::{Calendar, plain};

/// How much of a calendar is read, and how much work is spent on it. The defaults bear a large team's calendar and
/// keep the worst input under about two seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Entries of any kind (`BEGIN:` lines).
    pub entries: usize,
    /// Occurrences that one expansion returns.
    pub occurrences: usize,
    /// Occurrences a day that a rule may ask for.
    pub times_per_day: usize,
    /// Occurrences that a rule may have in one of its periods (a year, a month, …).
    pub instances_per_period: usize,
    /// Recurrence rules of one event.
    pub rules_per_event: usize,
    /// Steps of work for reading, and again for each expansion.
    pub steps: u64,
    /// The longest an event may last, in days; a recurring one, a tenth of it.
    pub days_long: i64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            bytes: 5_000_000,
            entries: 20_000,
            occurrences: 200_000,
            times_per_day: 1_000,
            instances_per_period: 10_000,
            rules_per_event: 4,
            steps: 4_000_000,
            days_long: 3_660,
        }
    }
}

/// What a calendar holds in a stretch of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expansion {
    /// Everything that overlaps the stretch, by start; also what is cancelled or takes no time.
    pub occurrences: Vec<Occurrence>,
    /// When time is taken: merged, in order, not clipped. Cancelled, transparent and zero-length entries take none.
    pub busy: Vec<(Time, Time)>,
    /// What could not be read or was left out, a sentence each. Unless this is empty, nothing here is an all-clear.
    pub incomplete: Vec<String>,
}

/// One time that an entry takes place.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    pub start: Time,
    /// Exclusive; the same as `start` for an entry without length.
    pub end: Time,
    /// Given by dates: from local midnight to local midnight.
    pub all_day: bool,
    pub entry: Arc<Entry>,
}

/// What is said about an entry; shared by its occurrences. Texts are cut to a bearable length and hold no control
/// characters besides line ends, but may hold markup and mentions: whoever shows them escapes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    pub uid: String,
    pub summary: Option<String>,
    pub description: Option<String>,
    pub location: Option<String>,
    pub url: Option<String>,
    pub categories: Vec<String>,
    /// `CONFIRMED`, `TENTATIVE`, `CANCELLED` or whatever else stands there.
    pub status: Option<String>,
    /// Takes no time of whoever keeps the calendar.
    pub transparent: bool,
    /// The organiser's name, or else the address.
    pub organizer: Option<String>,
    /// Where it says that its owner is meanwhile.
    pub presence: Option<Presence>,
}

/// Where the owner of a calendar is while an entry lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Not at work.
    OutOfOffice,
    /// At work from another place, which takes no time.
    Elsewhere,
}

impl Entry {
    pub fn is_cancelled(&self) -> bool {
        self.status.as_deref() == Some("CANCELLED")
    }
}

/// The moment at which clocks in `zone` show a time; None where there is no such year.
pub fn moment(wall: NaiveDateTime, zone: Tz) -> Option<Time> {
    let reads = (1601..=2200).contains(&wall.year());
    reads.then(|| Time::from_ms(zone::Zone::Named(zone).to_utc(wall, zone).and_utc().timestamp_millis()))
}

/// Reads a text and looks at one stretch of it. Times without a zone, and dates, are read in the calendar's own zone,
/// or else in `default_zone`. A text that is no calendar gives no occurrences and says why in `incomplete`.
pub fn expand(text: &str, range: Range<Time>, default_zone: Tz, limits: &Limits) -> Expansion {
    match Calendar::parse(text, limits) {
        Ok(calendar) => calendar.expand(range, default_zone),
        Err(unreadable) => Expansion { incomplete: vec![unreadable.to_string()], ..Expansion::default() },
    }
}

/// An expansion as `tidegate calendar` prints it.
pub fn calendar_json(expansion: &Expansion) -> Value {
    let occurrence = |occurrence: &Occurrence| {
        json!({
            "uid": occurrence.entry.uid,
            "start": occurrence.start,
            "end": occurrence.end,
            "summary": occurrence.entry.summary.as_deref().unwrap_or_default(),
            "status": occurrence.entry.status,
            "transparent": occurrence.entry.transparent,
        })
    };
    json!({
        "busy": expansion.busy,
        "occurrences": expansion.occurrences.iter().map(occurrence).collect::<Vec<_>>(),
        "incomplete": expansion.incomplete,
    })
}
