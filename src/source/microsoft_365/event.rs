//! Graph's events as occurrences.

use std::ops::Range;
use std::sync::Arc;

use chrono::{NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::clock::Time;
use crate::source::ics::{Entry, Occurrence, Presence, moment, plain};

/// A page of a calendar view. Whatever may be null may be missing.
#[derive(Debug, Deserialize)]
pub struct Page {
    value: Vec<serde_json::Value>,
    #[serde(default, rename = "@odata.nextLink")]
    pub next_link: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Event {
    id: Option<String>,
    i_cal_u_id: Option<String>,
    subject: Option<String>,
    start: Option<At>,
    end: Option<At>,
    is_all_day: Option<bool>,
    is_cancelled: Option<bool>,
    show_as: Option<String>,
    categories: Option<Vec<String>>,
    location: Option<Location>,
    organizer: Option<Organizer>,
    response_status: Option<Response>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct At {
    date_time: Option<String>,
    time_zone: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Location {
    display_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Organizer {
    email_address: Option<Address>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Address {
    name: Option<String>,
    address: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Response {
    response: Option<String>,
}

impl Page {
    /// Adds what overlaps the range, and what could not be read. Whole days are read in `zone`.
    pub fn take_in(self, range: &Range<Time>, zone: Tz, found: &mut Vec<Occurrence>, incomplete: &mut Vec<String>) {
        for item in self.value {
            let Ok(event) = serde_json::from_value::<Event>(item) else {
                incomplete.push("An entry is left out: it could not be read.".to_owned());
                continue;
            };
            let declined = event.response_status.as_ref().and_then(|r| r.response.as_deref()) == Some("declined");
            if event.is_cancelled == Some(true) || declined {
                continue;
            }
            match event.placed(zone) {
                Some((start, end)) if start < range.end && end > range.start => {
                    let all_day = event.is_all_day == Some(true);
                    found.push(Occurrence { start, end, all_day, entry: Arc::new(event.entry()) });
                }
                Some(_) => {}
                None => incomplete.push("An entry is left out: its time could not be read.".to_owned()),
            }
        }
    }
}

impl Event {
    fn placed(&self, zone: Tz) -> Option<(Time, Time)> {
        let wall = |at: &At| {
            let text = at.date_time.as_deref()?;
            NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), "%Y-%m-%dT%H:%M:%S%.f").ok()
        };
        let (from, to) = (self.start.as_ref()?, self.end.as_ref()?);
        let (start, end) = (wall(from)?, wall(to)?);
        let is_day = |wall: NaiveDateTime| wall.time() == NaiveTime::MIN;
        if self.is_all_day == Some(true) && is_day(start) && is_day(end) {
            return Some((moment(start, zone)?, moment(end, zone)?));
        }
        // Asked for in UTC; another zone is one that was not asked for.
        let zone_of = |at: &At| at.time_zone.as_deref().unwrap_or("UTC").parse::<Tz>().ok();
        Some((moment(start, zone_of(from)?)?, moment(end, zone_of(to)?)?))
    }

    fn entry(self) -> Entry {
        let presence = match self.show_as.as_deref() {
            Some("oof") => Some(Presence::OutOfOffice),
            Some("workingElsewhere") => Some(Presence::Elsewhere),
            _ => None,
        };
        let organizer = self.organizer.and_then(|by| by.email_address).and_then(|by| by.name.or(by.address));
        let short = |text: Option<String>| text.map(|text| plain(&text, 500, true)).filter(|text| !text.is_empty());
        let categories = self.categories.unwrap_or_default();
        Entry {
            uid: plain(&self.i_cal_u_id.or(self.id).unwrap_or_default(), 500, false),
            summary: short(self.subject),
            location: short(self.location.and_then(|at| at.display_name)),
            categories: categories.iter().map(|text| plain(text, 100, false)).take(50).collect(),
            transparent: self.show_as.as_deref() == Some("free"),
            organizer: organizer.map(|name| plain(&name, 200, false)),
            presence,
            ..Entry::default()
        }
    }
}
