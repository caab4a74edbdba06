//! How checks say times, lengths, shares and lists: one way each, so that every sentence reads alike.

use chrono::Datelike;
use chrono_tz::Tz;

use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND, Time};

/// A moment on a zone's clocks: `15:00 PST`; with its day when that is not today: `Mon 30 Nov 10:20 PST`; with the year
/// when that is not this year.
pub fn time(at: Time, zone: Tz, now: Time) -> String {
    format!("{} {}", bare_time(at, zone, now), zone_name(at, zone))
}

/// A stretch of time: `10:20–11:40 PST`, `Mon 30 Nov 10:20–11:40 PST`, `Fri 27 Nov 18:00–Mon 30 Nov 09:00 PST`.
pub fn range(start: Time, end: Time, zone: Tz, now: Time) -> String {
    let same_day = start.at(zone).date_naive() == end.at(zone).date_naive();
    let until = if same_day { clock(end, zone) } else { format!("{} {}", day(end, zone, now), clock(end, zone)) };
    format!("{}–{until} {}", bare_time(start, zone, now), zone_name(end, zone))
}

/// A day: `Mon 30 Nov`, with the year when that is not this year.
pub fn day(at: Time, zone: Tz, now: Time) -> String {
    let there = at.at(zone);
    let format = if there.year() == now.at(zone).year() { "%a %-d %b" } else { "%a %-d %b %Y" };
    there.format(format).to_string()
}

/// The days of an all-day entry: `Thu 26 Nov`, `Thu 26 Nov–Fri 27 Nov`. The end is not part of it.
pub fn days(start: Time, end: Time, zone: Tz, now: Time) -> String {
    let (first, last) = (day(start, zone, now), day(end.plus(-SECOND).max(start), zone, now));
    if first == last { first } else { format!("{first}–{last}") }
}

/// The hour alone: `15:00`.
pub fn clock(at: Time, zone: Tz) -> String {
    at.at(zone).format("%H:%M").to_string()
}

fn bare_time(at: Time, zone: Tz, now: Time) -> String {
    let today = at.at(zone).date_naive() == now.at(zone).date_naive();
    if today { clock(at, zone) } else { format!("{} {}", day(at, zone, now), clock(at, zone)) }
}

/// `PST`; `UTC+03` where the zone has no letters of its own.
pub fn zone_name(at: Time, zone: Tz) -> String {
    let name = at.at(zone).format("%Z").to_string();
    if name.starts_with(['+', '-']) { format!("UTC{name}") } else { name }
}

/// A share of 1 in per cent: `94 %`; under one per cent with the digits that tell: `0.2 %`, `0.05 %`.
pub fn share(share: f64) -> String {
    let pct = share * 100.0;
    let size = pct.abs();
    if !pct.is_finite() {
        "an unknown share".to_owned()
    } else if size == 0.0 || size >= 9.95 {
        format!("{:.0} %", if size == 0.0 { 0.0 } else { pct })
    } else if size >= 0.095 {
        format!("{} %", trim_zeros(&format!("{pct:.1}")))
    } else if size >= 0.005 {
        format!("{} %", trim_zeros(&format!("{pct:.2}")))
    } else {
        "under 0.01 %".to_owned()
    }
}

/// A length of time in its two largest units: `40 s`, `12 min`, `3 h 20 min`, `4 days`. Its sign is not said.
pub fn span(ms: Millis) -> String {
    let ms = Millis::try_from(ms.unsigned_abs()).unwrap_or(Millis::MAX);
    if ms < SECOND {
        return format!("{ms} ms");
    }
    if ms < 2 * MINUTE {
        return format!("{} s", ms / SECOND);
    }
    if ms < 2 * HOUR {
        return format!("{} min", ms / MINUTE);
    }
    if ms < 2 * DAY {
        let (hours, minutes) = (ms / HOUR, ms % HOUR / MINUTE);
        return if minutes == 0 { format!("{hours} h") } else { format!("{hours} h {minutes} min") };
    }
    count(ms / DAY, "day")
}

/// How long ago, or how far ahead: `12 min ago`, `in 3 h`, `just now`.
pub fn ago(at: Time, now: Time) -> String {
    let gone = now.since(at);
    if gone.abs() < MINUTE {
        "just now".to_owned()
    } else if gone > 0 {
        format!("{} ago", span(gone))
    } else {
        format!("in {}", span(gone))
    }
}

/// A number and its noun, in the plural where it needs one: `1 file`, `1,204 files`. Nouns in -y (not -ay) get -ies.
pub fn count(n: impl Into<i64>, noun: &str) -> String {
    let n = n.into();
    if n == 1 {
        return format!("1 {noun}");
    }
    let plural = match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    };
    format!("{} {plural}", number(n))
}

/// With commas between thousands: `1,204`.
pub fn number(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('−');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A rough number: `about 40 M`, `about 12 k`, `about 300`.
pub fn about(n: u64) -> String {
    match n {
        10_000_000_000.. => format!("about {} G", n / 1_000_000_000),
        10_000_000.. => format!("about {} M", n / 1_000_000),
        1_000_000.. => format!("about {} M", trim_zeros(&format!("{:.1}", n as f64 / 1e6))),
        10_000.. => format!("about {} k", n / 1_000),
        _ => format!("about {}", number(i64::try_from(n).unwrap_or(i64::MAX))),
    }
}

/// An amount of data as databases say it, in powers of 1,024: `12 GB`, `1.5 GB`, `340 MB`, `8 kB`.
pub fn bytes(n: u64) -> String {
    let mut size = n as f64 / 1024.0;
    for unit in ["kB", "MB", "GB"] {
        if size < 1000.0 {
            return in_unit(size, unit);
        }
        size /= 1024.0;
    }
    in_unit(size, "TB")
}

fn in_unit(size: f64, unit: &str) -> String {
    if size < 9.95 { format!("{} {unit}", trim_zeros(&format!("{size:.1}"))) } else { format!("{size:.0} {unit}") }
}

/// A measured value with the digits that tell: `0.25`, `3.4`, `120`.
pub fn value(value: f64) -> String {
    match value.abs() {
        size if (99.5..9e15).contains(&size) => number(value.round() as i64),
        size if size >= 10.0 => format!("{value:.0}"),
        size if size >= 1.0 => trim_zeros(&format!("{value:.1}")),
        _ => trim_zeros(&format!("{value:.2}")),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<S: AsRef<str>>(items: &[S]) -> String {
    join(items, "and")
}

/// `a`, `a or b`, `a, b or c`.
pub fn any_of<S: AsRef<str>>(items: &[S]) -> String {
    join(items, "or")
}

/// The first `most` of a list, and how many more there are: `a, b and 3 more`.
pub fn some<S: AsRef<str>>(items: &[S], most: usize) -> String {
    if items.len() <= most {
        return list(items);
    }
    let first: Vec<&str> = items.iter().take(most).map(AsRef::as_ref).collect();
    format!("{} and {} more", first.join(", "), items.len() - first.len())
}

fn join<S: AsRef<str>>(items: &[S], word: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} {word} {}", first.join(", "), last.as_ref())
        }
    }
}

fn trim_zeros(text: &str) -> String {
    let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    trimmed.to_owned()
}

/// With a capital, to begin a sentence.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LA: Tz = chrono_tz::America::Los_Angeles;

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_time_carries_its_zone_and_its_day_when_that_is_not_today() {
        let now = at("2026-11-20T15:00:00-08:00");
        assert_eq!(time(now, LA, now), "15:00 PST");
        assert_eq!(time(at("2026-11-30T10:20:00-08:00"), LA, now), "Mon 30 Nov 10:20 PST");
        assert_eq!(time(at("2025-07-01T10:20:00-07:00"), LA, now), "Tue 1 Jul 2025 10:20 PDT");
        assert_eq!(time(now, chrono_tz::America::Sao_Paulo, now), "20:00 UTC-03");
    }

    #[test]
    fn a_range_says_its_day_once() {
        let now = at("2026-11-20T15:00:00-08:00");
        let (start, end) = (at("2026-11-30T10:20:00-08:00"), at("2026-11-30T11:40:00-08:00"));
        assert_eq!(range(start, end, LA, now), "Mon 30 Nov 10:20–11:40 PST");
        assert_eq!(range(now, end, LA, now), "15:00–Mon 30 Nov 11:40 PST");
        assert_eq!(
            days(at("2026-11-26T00:00:00-08:00"), at("2026-11-28T00:00:00-08:00"), LA, now),
            "Thu 26 Nov–Fri 27 Nov"
        );
    }

    #[test]
    fn shares_keep_the_digits_that_tell() {
        for (value, says) in
            [(0.94, "94 %"), (0.019, "1.9 %"), (0.002, "0.2 %"), (0.0005, "0.05 %"), (0.0, "0 %"), (1.0, "100 %")]
        {
            assert_eq!(share(value), says);
        }
        assert_eq!(share(0.0999), "10 %");
        assert_eq!(share(0.00001), "under 0.01 %");
        assert_eq!(share(f64::NAN), "an unknown share");
    }

    #[test]
    fn lengths_are_said_in_their_largest_units() {
        for (ms, says) in [
            (250, "250 ms"),
            (90 * SECOND, "90 s"),
            (12 * MINUTE, "12 min"),
            (200 * MINUTE, "3 h 20 min"),
            (2 * HOUR, "2 h"),
            (4 * DAY + HOUR, "4 days"),
        ] {
            assert_eq!(span(ms), says);
        }
        let now = at("2026-11-20T15:00:00Z");
        assert_eq!(ago(now.plus(-12 * MINUTE), now), "12 min ago");
        assert_eq!(ago(now.plus(3 * HOUR), now), "in 3 h");
    }

    #[test]
    fn lists_and_numbers_read_like_speech() {
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(any_of(&["a", "b"]), "a or b");
        assert_eq!(some(&["a", "b", "c", "d"], 2), "a, b and 2 more");
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(1204, "entry"), "1,204 entries");
        assert_eq!(count(2, "day"), "2 days");
        assert_eq!(about(40_000_000), "about 40 M");
        assert_eq!(value(0.25), "0.25");
        for (n, says) in [(8192, "8 kB"), (12 << 30, "12 GB"), (1610612736, "1.5 GB"), (u64::MAX, "16777216 TB")] {
            assert_eq!(bytes(n), says);
        }
    }
}
