//! Writes calendars (iCalendar, RFC 5545) as calendar programs write them: folded lines, zones, recurrence.

use chrono::{NaiveDate, NaiveDateTime};

use crate::clock::Time;

/// One entry of a calendar.
#[derive(Clone, Debug)]
pub struct Entry {
    pub uid: String,
    pub summary: String,
    pub when: When,
    /// A recurrence rule without its name: `FREQ=WEEKLY;BYDAY=MO`.
    pub rule: Option<String>,
    /// Starts of the series that do not take place; of the same kind as `when`.
    pub except: Vec<NaiveDateTime>,
    /// The start in the series that this entry replaces.
    pub instead_of: Option<NaiveDateTime>,
    pub organizer: Option<(String, String)>,
    pub description: Option<String>,
    pub category: Option<String>,
    pub url: Option<String>,
    pub free: bool,
    pub cancelled: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum When {
    /// Whole days, so many of them.
    Days { first: NaiveDate, days: u32 },
    /// Minutes on the clocks of a zone that this file knows.
    Hours { start: NaiveDateTime, minutes: u32, zone: Zone },
    /// In UTC.
    Utc { start: Time, end: Time },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    LosAngeles,
    Berlin,
}

impl Entry {
    pub fn new(uid: &str, summary: &str, when: When) -> Entry {
        Entry {
            uid: format!("{uid}@harbor.example"),
            summary: summary.to_owned(),
            when,
            rule: None,
            except: Vec::new(),
            instead_of: None,
            organizer: None,
            description: None,
            category: None,
            url: None,
            free: false,
            cancelled: false,
        }
    }

    pub fn rule(mut self, rule: impl Into<String>) -> Entry {
        self.rule = Some(rule.into());
        self
    }

    pub fn except(mut self, starts: impl IntoIterator<Item = NaiveDateTime>) -> Entry {
        self.except.extend(starts);
        self
    }

    pub fn instead_of(mut self, start: NaiveDateTime) -> Entry {
        self.instead_of = Some(start);
        self
    }

    pub fn by(mut self, name: &str) -> Entry {
        let address = format!("{}@harbor.example", name.to_lowercase().replace(' ', "."));
        self.organizer = Some((name.to_owned(), address));
        self
    }

    pub fn about(mut self, description: &str) -> Entry {
        self.description = Some(description.to_owned());
        self
    }

    pub fn category(mut self, category: &str) -> Entry {
        self.category = Some(category.to_owned());
        self
    }

    pub fn url(mut self, url: &str) -> Entry {
        self.url = Some(url.to_owned());
        self
    }

    pub fn free(mut self) -> Entry {
        self.free = true;
        self
    }

    pub fn cancelled(mut self) -> Entry {
        self.cancelled = true;
        self
    }
}

/// The text of a calendar. `stamp` is when it was written.
pub fn write(name: &str, entries: &[Entry], stamp: Time) -> String {
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//Harbor//Calendar 4.2//EN".to_owned(),
        "CALSCALE:GREGORIAN".to_owned(),
        "METHOD:PUBLISH".to_owned(),
        format!("X-WR-CALNAME:{}", escape(name)),
        "X-WR-TIMEZONE:America/Los_Angeles".to_owned(),
    ];
    for zone in [Zone::LosAngeles, Zone::Berlin] {
        let used = |entry: &Entry| matches!(entry.when, When::Hours { zone: z, .. } if z == zone);
        if entries.iter().any(used) {
            lines.extend(zone.rules().lines().map(str::to_owned));
        }
    }
    for entry in entries {
        event(entry, stamp, &mut lines);
    }
    lines.push("END:VCALENDAR".to_owned());
    lines.iter().map(|line| fold(line)).collect()
}

fn event(entry: &Entry, stamp: Time, lines: &mut Vec<String>) {
    lines.push("BEGIN:VEVENT".to_owned());
    lines.push(format!("UID:{}", entry.uid));
    lines.push(format!("DTSTAMP:{}", utc(stamp)));
    match entry.when {
        When::Days { first, days } => {
            lines.push(format!("DTSTART;VALUE=DATE:{}", first.format("%Y%m%d")));
            let end = first + chrono::Days::new(u64::from(days.max(1)));
            lines.push(format!("DTEND;VALUE=DATE:{}", end.format("%Y%m%d")));
        }
        When::Hours { start, minutes, zone } => {
            let end = start + chrono::Duration::minutes(i64::from(minutes));
            lines.push(format!("DTSTART;TZID={}:{}", zone.name(), local(start)));
            lines.push(format!("DTEND;TZID={}:{}", zone.name(), local(end)));
        }
        When::Utc { start, end } => {
            lines.push(format!("DTSTART:{}", utc(start)));
            lines.push(format!("DTEND:{}", utc(end)));
        }
    }
    lines.extend(entry.rule.iter().map(|rule| format!("RRULE:{rule}")));
    lines.extend(entry.except.iter().map(|start| format!("EXDATE{}", placed(entry.when, *start))));
    lines.extend(entry.instead_of.iter().map(|start| format!("RECURRENCE-ID{}", placed(entry.when, *start))));
    lines.push(format!("SUMMARY:{}", escape(&entry.summary)));
    lines.extend(entry.description.iter().map(|text| format!("DESCRIPTION:{}", escape(text))));
    lines.extend(entry.category.iter().map(|text| format!("CATEGORIES:{}", escape(text))));
    lines.extend(entry.url.iter().map(|url| format!("URL:{url}")));
    if let Some((name, address)) = &entry.organizer {
        lines.push(format!("ORGANIZER;CN={name}:mailto:{address}"));
    }
    lines.push(format!("STATUS:{}", if entry.cancelled { "CANCELLED" } else { "CONFIRMED" }));
    lines.push(format!("TRANSP:{}", if entry.free { "TRANSPARENT" } else { "OPAQUE" }));
    lines.push("END:VEVENT".to_owned());
}

/// A start of the series, with the parameters that its kind of time wants.
fn placed(when: When, start: NaiveDateTime) -> String {
    match when {
        When::Days { .. } => format!(";VALUE=DATE:{}", start.format("%Y%m%d")),
        When::Hours { zone, .. } => format!(";TZID={}:{}", zone.name(), local(start)),
        When::Utc { .. } => format!(":{}Z", local(start)),
    }
}

impl Zone {
    fn name(self) -> &'static str {
        match self {
            Zone::LosAngeles => "America/Los_Angeles",
            Zone::Berlin => "Europe/Berlin",
        }
    }

    /// The rules in force: the United States since 2007, the European Union since 1996.
    fn rules(self) -> &'static str {
        match self {
            Zone::LosAngeles => concat!(
                "BEGIN:VTIMEZONE\nTZID:America/Los_Angeles\n",
                "BEGIN:DAYLIGHT\nTZOFFSETFROM:-0800\nTZOFFSETTO:-0700\nTZNAME:PDT\nDTSTART:20070311T020000\n",
                "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\nEND:DAYLIGHT\n",
                "BEGIN:STANDARD\nTZOFFSETFROM:-0700\nTZOFFSETTO:-0800\nTZNAME:PST\nDTSTART:20071104T020000\n",
                "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\nEND:STANDARD\nEND:VTIMEZONE",
            ),
            Zone::Berlin => concat!(
                "BEGIN:VTIMEZONE\nTZID:Europe/Berlin\n",
                "BEGIN:DAYLIGHT\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nTZNAME:CEST\nDTSTART:19960331T020000\n",
                "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nEND:DAYLIGHT\n",
                "BEGIN:STANDARD\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nTZNAME:CET\nDTSTART:19961027T030000\n",
                "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\nEND:VTIMEZONE",
            ),
        }
    }
}

fn local(at: NaiveDateTime) -> String {
    at.format("%Y%m%dT%H%M%S").to_string()
}

fn utc(at: Time) -> String {
    at.utc().format("%Y%m%dT%H%M%SZ").to_string()
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

/// A line and its end, folded so that no part is longer than 75 octets.
fn fold(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 2);
    let mut width = 0;
    for c in line.chars() {
        if width + c.len_utf8() > 74 {
            out.push_str("\r\n ");
            width = 1;
        }
        out.push(c);
        width += c.len_utf8();
    }
    out + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_foreign_texts_are_folded_and_escaped() {
        let day = "2026-11-24".parse().unwrap();
        let text = write(
            "Launches",
            &[Entry::new("a", &"Große Aktion; alles, was geht ".repeat(5), When::Days { first: day, days: 2 })],
            Time::from_ms(1_760_000_000_000),
        );
        assert!(text.lines().all(|line| line.len() <= 75), "{text}");
        assert!(text.contains("DTSTART;VALUE=DATE:20261124\r\nDTEND;VALUE=DATE:20261126\r\n"), "{text}");
        let unfolded = text.replace("\r\n ", "");
        assert!(unfolded.contains("SUMMARY:Große Aktion\\; alles\\, was geht "), "{unfolded}");
    }
}
