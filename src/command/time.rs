//! Times as people type them: `now`, `15:30`, `tomorrow 10:00`, `Mon 9am`, `15 March 15:47`, `in 2h`, ISO 8601.

use chrono::{Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Weekday};
use chrono_tz::Tz;

use crate::clock::Time;
use crate::config::Span;

/// Which way a day without a year, or an hour without a day, is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lean {
    /// A plan is for later.
    Future,
    /// An auditor asks about what was.
    Past,
}

/// Reads a time on the clocks of `zone`; the error is a sentence.
pub fn parse_time(text: &str, now: Time, zone: Tz, lean: Lean) -> Result<Time, String> {
    let text = text.trim();
    let unread = || {
        let text = crate::message::tame(text, 60);
        format!("`{text}` is not a time. Write `tomorrow 10:00`, `Mon 14:30`, `in 2h` or `2026-11-24T10:00-08:00`.")
    };
    if text.is_empty() || text.len() > 100 {
        return Err(unread());
    }
    if text.eq_ignore_ascii_case("now") {
        return Ok(now);
    }
    if let Some(at) = Time::parse_rfc3339(text) {
        return Ok(at);
    }
    // RFC 3339 wants seconds; people leave them out.
    let zulu = text.strip_suffix(['Z', 'z']).map(|time| format!("{time}+00:00"));
    if let Ok(at) = chrono::DateTime::parse_from_str(zulu.as_deref().unwrap_or(text), "%Y-%m-%dT%H:%M%:z") {
        return Ok(Time::from(at));
    }
    let lower = text.to_lowercase();
    if let Some(span) = lower.strip_prefix("in ").and_then(Span::parse) {
        return Ok(now.plus(span.ms()));
    }
    if let Some(span) = lower.strip_suffix(" ago").and_then(Span::parse) {
        return Ok(now.plus(-span.ms()));
    }
    if let Some(naive) = iso_local(&lower) {
        return settle(naive, zone);
    }
    let (date, hour) = split_day(&lower).ok_or_else(unread)?;
    let today = now.at(zone).date_naive();
    let hour = match hour {
        Some(hour) => hour,
        None => NaiveTime::from_hms_opt(9, 0, 0).ok_or_else(unread)?,
    };
    let day = match date {
        None => {
            let same = settle(today.and_time(hour), zone)?;
            return match lean {
                Lean::Future if same < now => settle((today + Days::new(1)).and_time(hour), zone),
                Lean::Past if same > now => settle((today - Days::new(1)).and_time(hour), zone),
                _ => Ok(same),
            };
        }
        Some(day) => day.resolve(today, lean).ok_or_else(unread)?,
    };
    settle(day.and_time(hour), zone)
}

#[derive(Clone, Copy, Debug)]
enum Day {
    Offset(i64),
    Week(Weekday),
    Date(NaiveDate),
    Year { day: u32, month: u32 },
}

impl Day {
    fn resolve(self, today: NaiveDate, lean: Lean) -> Option<NaiveDate> {
        match self {
            Day::Offset(days) => today.checked_add_signed(chrono::TimeDelta::days(days)),
            Day::Date(date) => Some(date),
            Day::Week(weekday) => {
                let ahead = (7 + i64::from(weekday.num_days_from_monday())
                    - i64::from(today.weekday().num_days_from_monday()))
                    % 7;
                let days = if lean == Lean::Past && ahead > 0 { ahead - 7 } else { ahead };
                today.checked_add_signed(chrono::TimeDelta::days(days))
            }
            Day::Year { day, month } => {
                let this = NaiveDate::from_ymd_opt(today.year(), month, day);
                let other = NaiveDate::from_ymd_opt(
                    if lean == Lean::Past { today.year() - 1 } else { today.year() + 1 },
                    month,
                    day,
                );
                match this {
                    Some(date) if lean == Lean::Past && date > today => other,
                    Some(date) if lean == Lean::Future && date < today => other,
                    this => this.or(other),
                }
            }
        }
    }
}

fn iso_local(text: &str) -> Option<NaiveDateTime> {
    ["%Y-%m-%dt%H:%M", "%Y-%m-%dt%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

/// Splits `tomorrow 10:00` into day and hour; either may be missing, not both.
fn split_day(text: &str) -> Option<(Option<Day>, Option<NaiveTime>)> {
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty() && *word != "at").collect();
    let (mut days, mut hour) = (Vec::new(), None);
    let mut i = 0;
    while i < words.len() {
        let joined =
            words.get(i + 1).filter(|next| matches!(**next, "am" | "pm")).map(|next| format!("{}{next}", words[i]));
        if let Some(read) = joined.as_deref().and_then(parse_hour) {
            hour = Some(read);
            i += 2;
            continue;
        }
        match parse_hour(words[i]) {
            Some(read) if hour.is_none() => hour = Some(read),
            _ => days.push(words[i]),
        }
        i += 1;
    }
    if days.is_empty() {
        return hour.map(|hour| (None, Some(hour)));
    }
    Some((Some(parse_day(&days)?), hour))
}

fn parse_day(words: &[&str]) -> Option<Day> {
    match words {
        ["today"] => Some(Day::Offset(0)),
        ["tonight"] => Some(Day::Offset(0)),
        ["tomorrow"] => Some(Day::Offset(1)),
        ["yesterday"] => Some(Day::Offset(-1)),
        ["next" | "last" | "on", rest @ ..] => parse_day(rest),
        [one] => {
            if let Ok(weekday) = one.parse::<Weekday>() {
                return Some(Day::Week(weekday));
            }
            ["%Y-%m-%d", "%d.%m.%Y"]
                .iter()
                .find_map(|format| NaiveDate::parse_from_str(one, format).ok())
                .map(Day::Date)
        }
        [a, b] => {
            let (day, month) = day_of(a).zip(month_of(b)).or_else(|| day_of(b).zip(month_of(a)))?;
            Some(Day::Year { day, month })
        }
        [weekday, rest @ ..] if weekday.parse::<Weekday>().is_ok() => parse_day(rest),
        [a, b, year] => {
            let (day, month) = day_of(a).zip(month_of(b)).or_else(|| day_of(b).zip(month_of(a)))?;
            NaiveDate::from_ymd_opt(year.parse().ok()?, month, day).map(Day::Date)
        }
        _ => None,
    }
}

fn day_of(text: &str) -> Option<u32> {
    let digits = text.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h', '.']);
    digits.parse().ok().filter(|day| (1..=31).contains(day))
}

fn month_of(text: &str) -> Option<u32> {
    text.parse::<chrono::Month>().ok().map(|month| month.number_from_month())
}

fn parse_hour(text: &str) -> Option<NaiveTime> {
    let (digits, half) = match text.strip_suffix("am") {
        Some(digits) => (digits, Some(0)),
        None => match text.strip_suffix("pm") {
            Some(digits) => (digits, Some(12)),
            None => (text, None),
        },
    };
    let mut parts = digits.split(':');
    let hour: u32 = parts.next()?.parse().ok()?;
    let minute = parts.next();
    let second = parts.next().map_or(Some(0), |second| second.parse().ok())?;
    if parts.next().is_some() || (minute.is_none() && half.is_none()) {
        return None;
    }
    let minute: u32 = minute.map_or(Some(0), |minute| minute.parse().ok())?;
    let hour = match half {
        Some(_) if hour == 0 || hour > 12 => return None,
        Some(half) => hour % 12 + half,
        None => hour,
    };
    NaiveTime::from_hms_opt(hour, minute, second)
}

/// The moment of a local time. One that the clocks skip does not exist; of one that comes twice the first is meant.
fn settle(naive: NaiveDateTime, zone: Tz) -> Result<Time, String> {
    match zone.from_local_datetime(&naive) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Ok(Time::from(at)),
        LocalResult::None => {
            Err(format!("{} does not exist in {zone}: the clocks go forward over it.", naive.format("%-d %B %H:%M")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, lean: Lean) -> Result<String, String> {
        // Friday 2026-11-20, 16:30 in Los Angeles.
        let now = Time::parse_rfc3339("2026-11-21T00:30:00Z").unwrap();
        parse_time(text, now, chrono_tz::America::Los_Angeles, lean).map(Time::rfc3339)
    }

    #[test]
    fn times_are_read_as_people_type_them() {
        for (text, at) in [
            ("now", "2026-11-21T00:30:00Z"),
            ("in 2h", "2026-11-21T02:30:00Z"),
            ("17:00", "2026-11-21T01:00:00Z"),
            ("09:00", "2026-11-21T17:00:00Z"),
            ("tomorrow 10:00", "2026-11-21T18:00:00Z"),
            ("Mon 2pm", "2026-11-23T22:00:00Z"),
            ("Monday at 9:30 am", "2026-11-23T17:30:00Z"),
            ("2026-11-24T10:00-08:00", "2026-11-24T18:00:00Z"),
            ("2026-11-24T18:00Z", "2026-11-24T18:00:00Z"),
            ("2026-11-24 10:00", "2026-11-24T18:00:00Z"),
            ("24 Nov 10:00", "2026-11-24T18:00:00Z"),
            ("March 15 2027 15:47", "2027-03-15T22:47:00Z"),
        ] {
            assert_eq!(read(text, Lean::Future).as_deref(), Ok(at), "{text}");
        }
        assert_eq!(read("15 March 15:47", Lean::Past).as_deref(), Ok("2026-03-15T22:47:00Z"));
        assert_eq!(read("09:00", Lean::Past).as_deref(), Ok("2026-11-20T17:00:00Z"));
    }

    #[test]
    fn what_is_no_time_is_said() {
        for text in ["", "soon", "25:00", "10", "32 Nov 10:00", "tomorrow tomorrow"] {
            assert!(read(text, Lean::Future).unwrap_err().contains("is not a time"), "{text}");
        }
    }

    #[test]
    fn an_hour_that_the_clocks_skip_does_not_exist() {
        assert!(read("2027-03-14 02:30", Lean::Future).unwrap_err().contains("does not exist"));
    }
}
