//! Google's events as occurrences.

use std::ops::Range;
use std::sync::Arc;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::advice::facts::Means;
use crate::clock::Time;
use crate::source::ics::{Entry, Occurrence, Presence, moment, plain};

/// A page of `events.list`. Whatever may be missing may be missing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    items: Vec<serde_json::Value>,
    #[serde(default)]
    pub next_page_token: Option<String>,
    #[serde(default)]
    time_zone: Option<String>,
    #[serde(default)]
    access_role: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Event {
    id: Option<String>,
    #[serde(rename = "iCalUID")]
    ical_uid: Option<String>,
    status: Option<String>,
    summary: Option<String>,
    description: Option<String>,
    location: Option<String>,
    transparency: Option<String>,
    event_type: Option<String>,
    start: Option<At>,
    end: Option<At>,
    organizer: Option<Somebody>,
    attendees: Option<Vec<Attendee>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct At {
    date: Option<String>,
    date_time: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Somebody {
    display_name: Option<String>,
    email: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Attendee {
    #[serde(rename = "self")]
    is_self: Option<bool>,
    response_status: Option<String>,
}

impl Page {
    /// Adds what overlaps the range, and what could not be read.
    pub fn take_in(
        self,
        range: &Range<Time>,
        zone: Tz,
        means: Option<Means>,
        found: &mut Vec<Occurrence>,
        incomplete: &mut Vec<String>,
    ) {
        if self.access_role.as_deref() == Some("freeBusyReader") && means.is_none() {
            incomplete.push("It shows when time is taken, but not for what: the account may see no more.".to_owned());
        }
        let zone = self.time_zone.and_then(|name| name.parse().ok()).unwrap_or(zone);
        for item in self.items {
            let Ok(event) = serde_json::from_value::<Event>(item) else {
                incomplete.push("An entry is left out: it could not be read.".to_owned());
                continue;
            };
            // Cancelled ones may come without times.
            if event.status.as_deref() == Some("cancelled") || event.was_declined() {
                continue;
            }
            match event.placed(zone) {
                Some((start, end, all_day)) if start < range.end && end > range.start => {
                    found.push(Occurrence { start, end, all_day, entry: Arc::new(event.entry()) });
                }
                Some(_) => {}
                None => incomplete.push("An entry is left out: its time could not be read.".to_owned()),
            }
        }
    }
}

impl Event {
    fn was_declined(&self) -> bool {
        let declined = |attendee: &Attendee| {
            attendee.is_self == Some(true) && attendee.response_status.as_deref() == Some("declined")
        };
        self.attendees.iter().flatten().any(declined)
    }

    fn placed(&self, zone: Tz) -> Option<(Time, Time, bool)> {
        let read = |at: &At| match (&at.date_time, &at.date) {
            (Some(text), _) => Some((Time::parse_rfc3339(text)?, false)),
            (None, Some(text)) => {
                let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
                Some((moment(day.and_time(NaiveTime::MIN), zone)?, true))
            }
            (None, None) => None,
        };
        let (start, all_day) = read(self.start.as_ref()?)?;
        let (end, _) = read(self.end.as_ref()?)?;
        Some((start, end, all_day))
    }

    fn entry(self) -> Entry {
        let presence = match self.event_type.as_deref() {
            Some("outOfOffice") => Some(Presence::OutOfOffice),
            Some("workingLocation") => Some(Presence::Elsewhere),
            _ => None,
        };
        let organizer = self.organizer.and_then(|by| by.display_name.or(by.email));
        let short = |text: Option<String>, most| text.map(|text| plain(&text, most, true));
        Entry {
            uid: plain(&self.ical_uid.or(self.id).unwrap_or_default(), 500, false),
            summary: short(self.summary, 500),
            description: short(self.description, 8_000),
            location: short(self.location, 500),
            status: self.status.map(|status| plain(&status, 40, false).to_ascii_uppercase()),
            transparent: self.transparency.as_deref() == Some("transparent"),
            organizer: organizer.map(|name| plain(&name, 200, false)),
            presence,
            ..Entry::default()
        }
    }
}
