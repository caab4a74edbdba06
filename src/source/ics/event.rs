//! One VEVENT, understood.

use std::sync::Arc;

use chrono::{Days, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;

use super::Entry;
use super::rule::Rule;
use super::zone::Zone;

/// A time as it was written: what a clock shows, or only a date, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    pub wall: NaiveDateTime,
    pub date_only: bool,
    pub zone: Zone,
}

impl Moment {
    pub fn utc(&self, floating: Tz) -> NaiveDateTime {
        self.zone.to_utc(self.wall, floating)
    }
}

/// How long an event lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Days on the calendar, of an event given by dates.
    Days(u64),
    /// Seconds on the wall clock: 23:00 to 05:00 stays so when the clocks change.
    Wall(i64),
    /// Seconds that pass.
    Exact(i64),
}

impl Length {
    pub fn end(self, start: NaiveDateTime, zone: &Zone, floating: Tz) -> NaiveDateTime {
        let start_utc = zone.to_utc(start, floating);
        let end = match self {
            Length::Days(days) => start.checked_add_days(Days::new(days)).map(|end| zone.to_utc(end, floating)),
            Length::Wall(seconds) => {
                start.checked_add_signed(TimeDelta::seconds(seconds)).map(|end| zone.to_utc(end, floating))
            }
            Length::Exact(seconds) => start_utc.checked_add_signed(TimeDelta::seconds(seconds)),
        };
        end.unwrap_or(start_utc).max(start_utc)
    }

    pub fn seconds(self) -> i64 {
        match self {
            Length::Days(days) => i64::try_from(days).unwrap_or(i64::MAX / 86_400) * 86_400,
            Length::Wall(seconds) | Length::Exact(seconds) => seconds,
        }
    }
}

/// An additional start (RDATE), with its own length where it was given as a period.
#[derive(Clone, Debug, PartialEq)]
pub struct Extra {
    pub start: Moment,
    pub length: Option<Length>,
}

/// One VEVENT: a single event, a series, or a changed instance of one.
#[derive(Clone, Debug)]
pub struct Event {
    pub entry: Arc<Entry>,
    pub sequence: i64,
    pub start: Moment,
    pub length: Length,
    pub rules: Vec<Counted>,
    pub except_rules: Vec<Counted>,
    pub extra: Vec<Extra>,
    pub except: Vec<Moment>,
    /// Which instance of its series this one replaces.
    pub replaces: Option<Moment>,
    /// Whether it stands for all later instances too.
    pub and_future: bool,
}

/// A rule whose COUNT was turned into the last start.
#[derive(Clone, Debug)]
pub struct Counted {
    pub rule: Rule,
    pub last: Option<NaiveDateTime>,
}

/// All VEVENTs of one UID.
#[derive(Clone, Debug, Default)]
pub struct Series {
    pub masters: Vec<Event>,
    pub changes: Vec<Event>,
}
