//! `[team]`: whose days and hours are meant when nothing nearer says otherwise.

use chrono::{DateTime, Datelike, NaiveTime, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Team {
    pub name: String,
    /// An IANA zone.
    pub zone: Tz,
    /// When people are at work.
    pub hours: Vec<WeekHours>,
}

/// Days of the week and hours in them: `Mon-Fri 09:00-18:00`. An end at or before the start runs past midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeekHours {
    pub days: Vec<Weekday>,
    pub start: NaiveTime,
    /// 24:00 is written as 00:00 of the next day.
    pub end: NaiveTime,
}

impl WeekHours {
    /// Reads `Mon-Thu 10:00-16:00`, `Mon,Wed,Fri 10:00-16:00`, `Sat 00:00-24:00`, `daily 10:00-16:00`.
    pub fn parse(text: &str) -> Option<WeekHours> {
        let text = text.replace('–', "-");
        let (days, hours) = text.trim().split_once(char::is_whitespace)?;
        let (start, end) = hours.trim().split_once('-')?;
        Some(WeekHours { days: parse_days(days)?, start: parse_hour(start)?, end: parse_hour(end)? })
    }

    /// Whether a moment, in the zone that the hours are meant in, is inside.
    pub fn holds(&self, at: DateTime<Tz>) -> bool {
        let (day, time) = (at.weekday(), at.time());
        if self.start < self.end {
            return self.days.contains(&day) && self.start <= time && time < self.end;
        }
        self.days.contains(&day) && self.start <= time || self.days.contains(&day.pred()) && time < self.end
    }

    /// As people write it: `Mon-Thu 10:00-16:00`.
    pub fn says(&self) -> String {
        let end = if self.end == NaiveTime::MIN { "24:00".to_owned() } else { self.end.format("%H:%M").to_string() };
        format!("{} {}–{end}", says_days(&self.days), self.start.format("%H:%M"))
    }
}

fn parse_days(text: &str) -> Option<Vec<Weekday>> {
    if text.eq_ignore_ascii_case("daily") {
        return Some(ALL_DAYS.to_vec());
    }
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut day, last): (Weekday, Weekday) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        loop {
            if !days.contains(&day) {
                days.push(day);
            }
            if day == last {
                break;
            }
            day = day.succ();
        }
    }
    days.sort_by_key(Weekday::num_days_from_monday);
    Some(days)
}

const ALL_DAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

fn parse_hour(text: &str) -> Option<NaiveTime> {
    let text = text.trim();
    if text == "24:00" {
        return Some(NaiveTime::MIN);
    }
    NaiveTime::parse_from_str(text, "%H:%M").ok()
}

fn says_days(days: &[Weekday]) -> String {
    let runs = days.chunk_by(|a, b| a.succ() == *b);
    let names: Vec<String> = runs
        .map(|run| match run {
            [one] => one.to_string(),
            [first, .., last] => format!("{first}–{last}"),
            [] => String::new(),
        })
        .collect();
    names.join(", ")
}

impl<'de> Deserialize<'de> for WeekHours {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<WeekHours, D::Error> {
        let text = String::deserialize(from)?;
        WeekHours::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is not days and hours (write `Mon-Thu 10:00-16:00`)"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_are_read_and_said() {
        let hours = WeekHours::parse("Mon-Thu 10:00-16:00").unwrap();
        assert_eq!(hours.days.len(), 4);
        assert_eq!(hours.says(), "Mon–Thu 10:00–16:00");
        assert_eq!(WeekHours::parse("Fri-Mon 00:00-24:00").unwrap().days.len(), 4);
        assert_eq!(WeekHours::parse("Mon-Thu"), None);
        assert_eq!(WeekHours::parse("Mon-Thu 25:00-26:00"), None);
    }

    #[test]
    fn a_moment_is_inside_until_the_end_and_past_midnight() {
        let holds = |hours: &str, at: &str| {
            let at = crate::clock::Time::parse_rfc3339(at).unwrap().at(chrono_tz::UTC);
            WeekHours::parse(hours).unwrap().holds(at)
        };
        // 2026-11-23 is a Monday.
        for (hours, at, inside) in [
            ("Mon-Thu 10:00-16:00", "2026-11-23T10:00:00Z", true),
            ("Mon-Thu 10:00-16:00", "2026-11-23T16:00:00Z", false),
            ("Mon-Thu 10:00-16:00", "2026-11-22T12:00:00Z", false),
            ("Sun 00:00-24:00", "2026-11-22T23:59:59Z", true),
            ("Sun 00:00-24:00", "2026-11-23T00:00:00Z", false),
            ("Sun 22:00-02:00", "2026-11-23T01:00:00Z", true),
            ("Sun 22:00-02:00", "2026-11-22T01:00:00Z", false),
            ("Sun 22:00-02:00", "2026-11-23T22:30:00Z", false),
        ] {
            assert_eq!(holds(hours, at), inside, "{hours} {at}");
        }
    }
}
