//! What wall-clock times are read in: from wall clock to UTC and back, in gaps and overlaps too.

use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::recur::{self, Budget};
use super::rule::{Rule, Until};

/// What a wall-clock time is to be read in.
#[derive(Clone, Debug, PartialEq)]
pub enum Zone {
    /// Whatever zone the reader is in.
    Floating,
    Utc,
    /// Seconds east of UTC.
    Fixed(i32),
    Named(Tz),
    Custom(Arc<CustomZone>),
}

impl Zone {
    /// The moment in UTC. In a gap and in an overlap the offset before the change counts: a time that does not exist
    /// is moved forward, of two the first is meant.
    pub fn to_utc(&self, wall: NaiveDateTime, floating: Tz) -> NaiveDateTime {
        let offset = match self {
            Zone::Floating => offset_before(floating, wall),
            Zone::Utc => 0,
            Zone::Fixed(seconds) => *seconds,
            Zone::Named(zone) => offset_before(*zone, wall),
            Zone::Custom(zone) => zone.offset_at_wall(wall),
        };
        wall.checked_sub_signed(TimeDelta::seconds(i64::from(offset))).unwrap_or(wall)
    }

    /// What the clocks of the zone show at a moment in UTC.
    pub fn to_wall(&self, utc: NaiveDateTime, floating: Tz) -> NaiveDateTime {
        let offset = match self {
            Zone::Floating => offset_at(floating, utc),
            Zone::Utc => 0,
            Zone::Fixed(seconds) => *seconds,
            Zone::Named(zone) => offset_at(*zone, utc),
            Zone::Custom(zone) => zone.offset_at_utc(utc),
        };
        utc.checked_add_signed(TimeDelta::seconds(i64::from(offset))).unwrap_or(utc)
    }
}

fn offset_at(zone: Tz, utc: NaiveDateTime) -> i32 {
    zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()
}

fn offset_before(zone: Tz, wall: NaiveDateTime) -> i32 {
    if let Some(offset) = zone.offset_from_local_datetime(&wall).earliest() {
        return offset.fix().local_minus_utc();
    }
    // In a gap. The longest one skipped a whole day; what was valid before it began is the answer.
    let before = [3, 26].into_iter().find_map(|hours| {
        let earlier = wall.checked_sub_signed(TimeDelta::hours(hours))?;
        zone.offset_from_local_datetime(&earlier).latest()
    });
    before.map_or(0, |offset| offset.fix().local_minus_utc())
}

/// One STANDARD or DAYLIGHT part of a VTIMEZONE.
#[derive(Clone, Debug)]
pub struct Observance {
    pub start: NaiveDateTime,
    /// Seconds east of UTC, before and after.
    pub from: i32,
    pub to: i32,
    pub rules: Vec<Rule>,
    pub dates: Vec<NaiveDateTime>,
}

/// A zone that a calendar defines: its changes of offset, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomZone {
    changes: Vec<Change>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Change {
    at: NaiveDateTime,
    from: i32,
    to: i32,
}

const MOST_CHANGES: usize = 4_000;

impl CustomZone {
    /// Works the changes out up to the end of 2100. `None` when there is nothing to go by.
    pub fn new(observances: &[Observance], budget: &mut Budget) -> Result<Option<CustomZone>, recur::Refused> {
        let day =
            |year| NaiveDate::from_ymd_opt(year, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0)).unwrap_or_default();
        let mut changes = Vec::new();
        for observance in observances {
            let shift = TimeDelta::seconds(i64::from(observance.from));
            let mut onsets = vec![observance.start];
            onsets.extend(observance.dates.iter().copied().take(MOST_CHANGES));
            for rule in observance.rules.iter().take(4) {
                let until = rule.until.map(|until| match until {
                    Until::Utc(utc) => utc + shift,
                    Until::Wall(wall) => wall,
                    Until::Date(date) => date.and_hms_opt(23, 59, 59).unwrap_or_default(),
                });
                onsets.extend(recur::starts(rule, observance.start, (day(1970), day(2101)), until, budget)?);
            }
            changes.extend(onsets.into_iter().filter_map(|onset| {
                let at = onset.checked_sub_signed(shift)?;
                Some(Change { at, from: observance.from, to: observance.to })
            }));
            if changes.len() > MOST_CHANGES {
                return Err("its time zone has too many changes".into());
            }
        }
        changes.sort_by_key(|change| change.at);
        changes.dedup();
        Ok((!changes.is_empty()).then_some(CustomZone { changes }))
    }

    fn offset_at_utc(&self, utc: NaiveDateTime) -> i32 {
        let passed = self.changes.partition_point(|change| change.at <= utc);
        self.offset_after(passed)
    }

    fn offset_at_wall(&self, wall: NaiveDateTime) -> i32 {
        // A change has happened, for a wall clock, once neither the old nor the new offset could still show that time.
        let passed = self
            .changes
            .partition_point(|change| change.at + TimeDelta::seconds(i64::from(change.from.max(change.to))) <= wall);
        self.offset_after(passed)
    }

    fn offset_after(&self, passed: usize) -> i32 {
        match passed.checked_sub(1) {
            Some(last) => self.changes[last].to,
            None => self.changes[0].from,
        }
    }
}
