//! Hours on the wall: which moments are `Mon-Thu 10:00-16:00` in a zone, whatever daylight saving does.
//!
//! A zone's time is cut into stretches with one offset each, and days and hours are laid over each of them by plain
//! arithmetic. So a moment is inside exactly when the clock on the wall there says so: an hour that does not exist is in
//! no window, and one that happens twice is in it twice.

use chrono::{Offset, TimeZone};
use chrono_tz::Tz;

use super::spans::{Spans, Stretch};
use crate::clock::{DAY, Millis, SECOND, Time};
use crate::config::WeekHours;

/// A zone over some time, in stretches of one offset.
#[derive(Clone, Debug)]
pub struct Wall {
    regimes: Vec<Regime>,
}

#[derive(Clone, Copy, Debug)]
struct Regime {
    from: Millis,
    until: Millis,
    /// What is added to UTC.
    offset: Millis,
}

impl Wall {
    pub fn new(zone: Tz, (from, until): Stretch) -> Wall {
        let mut regimes = Vec::new();
        let mut regime = Regime { from, until, offset: offset(zone, from) };
        let mut at = from;
        while at < until {
            let next = (at + DAY).min(until);
            let there = offset(zone, next);
            if there != regime.offset {
                let change = change_between(zone, at, next);
                regimes.push(Regime { until: change, ..regime });
                regime = Regime { from: change, until, offset: offset(zone, change) };
            }
            at = next;
        }
        regimes.push(regime);
        Wall { regimes }
    }

    /// When the rules hold.
    pub fn hours(&self, rules: &[WeekHours]) -> Spans {
        let rules: Vec<(u8, Millis, Millis)> = rules.iter().map(day_hours).collect();
        let mut spans = Vec::new();
        for regime in &self.regimes {
            let (first, last) = (regime.from + regime.offset, regime.until + regime.offset);
            // Hours that begin on the day before may still run.
            for day in first.div_euclid(DAY) - 1..=last.div_euclid(DAY) {
                // 1970-01-01 was a Thursday.
                let weekday = (day + 3).rem_euclid(7);
                for (_, start, end) in rules.iter().filter(|(days, ..)| days >> weekday & 1 == 1) {
                    let (start, end) = (day * DAY + start - regime.offset, day * DAY + end - regime.offset);
                    spans.push((start.max(regime.from), end.min(regime.until)));
                }
            }
        }
        Spans::new(spans)
    }

    /// The days on the wall, as stretches of UTC with the number of the day since 1970-01-01.
    pub fn days(&self) -> Vec<(Stretch, i64)> {
        let mut days: Vec<(Stretch, i64)> = Vec::new();
        for regime in &self.regimes {
            let (first, last) = (regime.from + regime.offset, regime.until + regime.offset);
            for day in first.div_euclid(DAY)..=last.div_euclid(DAY) {
                let start = (day * DAY - regime.offset).max(regime.from);
                let end = ((day + 1) * DAY - regime.offset).min(regime.until);
                match days.last_mut() {
                    Some((stretch, number)) if *number == day => stretch.1 = end.max(stretch.1),
                    _ if start < end => days.push(((start, end), day)),
                    _ => {}
                }
            }
        }
        days
    }

    /// What the clocks show, as milliseconds since 1970-01-01T00:00 on them.
    pub fn shows(&self, at: Millis) -> Millis {
        let i = self.regimes.partition_point(|regime| regime.until <= at).min(self.regimes.len() - 1);
        at + self.regimes[i].offset
    }

    /// The moments at or after `from` and before `until` whose minutes on the wall are multiples of `step`.
    pub fn steps(&self, from: Millis, until: Millis, step: Millis) -> impl Iterator<Item = Millis> + '_ {
        self.regimes.iter().flat_map(move |regime| {
            let (from, until) = (from.max(regime.from), until.min(regime.until));
            let past = (from + regime.offset).rem_euclid(step);
            let first = if past == 0 { from } else { from + step - past };
            let count = if first < until { (until - first - 1) / step + 1 } else { 0 };
            (0..count).map(move |i| first + i * step)
        })
    }
}

/// Days as bits from Monday, start and end in milliseconds from midnight.
fn day_hours(rule: &WeekHours) -> (u8, Millis, Millis) {
    use chrono::Timelike;
    let days = rule.days.iter().fold(0u8, |days, day| days | 1 << day.num_days_from_monday());
    let of_day = |time: chrono::NaiveTime| Millis::from(time.num_seconds_from_midnight()) * SECOND;
    let (start, end) = (of_day(rule.start), of_day(rule.end));
    (days, start, if end <= start { end + DAY } else { end })
}

/// What a zone adds to UTC at a moment.
pub fn offset(zone: Tz, at: Millis) -> Millis {
    let there = zone.offset_from_utc_datetime(&Time::from_ms(at).utc().naive_utc());
    Millis::from(there.fix().local_minus_utc()) * SECOND
}

/// The first millisecond of the offset that comes after that of `from`.
fn change_between(zone: Tz, from: Millis, to: Millis) -> Millis {
    let before = offset(zone, from);
    let (mut low, mut high) = (from, to);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if offset(zone, middle) == before { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveTime, Timelike, Weekday};
    use chrono_tz::America::Los_Angeles;
    use chrono_tz::Asia::{Kathmandu, Kolkata};
    use chrono_tz::Australia::Lord_Howe;
    use chrono_tz::Europe::Berlin;
    use proptest::prelude::*;

    use super::*;
    use crate::clock::MINUTE;

    fn at(text: &str) -> Millis {
        Time::parse_rfc3339(text).unwrap().ms()
    }

    fn spans(zone: Tz, rule: &str, from: &str, to: &str) -> Vec<(String, String)> {
        let hours = Wall::new(zone, (at(from), at(to))).hours(&[WeekHours::parse(rule).unwrap()]);
        let say = |ms| Time::from_ms(ms).at(zone).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        hours.iter().map(|(start, end)| (say(start), say(end))).collect()
    }

    #[test]
    fn a_window_keeps_its_hours_when_clocks_change() {
        let spring = spans(Los_Angeles, "Sat-Mon 10:00-16:00", "2027-03-13T00:00:00Z", "2027-03-16T07:00:00Z");
        let hours = [("2027-03-13", "-08:00"), ("2027-03-14", "-07:00"), ("2027-03-15", "-07:00")];
        let expected = hours.map(|(day, zone)| (format!("{day}T10:00:00{zone}"), format!("{day}T16:00:00{zone}")));
        assert_eq!(spring, expected);
        let autumn = spans(Berlin, "Sat-Mon 10:00-16:00", "2026-10-23T22:00:00Z", "2026-10-26T23:00:00Z");
        let hours = [("2026-10-24", "+02:00"), ("2026-10-25", "+01:00"), ("2026-10-26", "+01:00")];
        let expected = hours.map(|(day, zone)| (format!("{day}T10:00:00{zone}"), format!("{day}T16:00:00{zone}")));
        assert_eq!(autumn, expected);
    }

    #[test]
    fn an_hour_that_does_not_exist_is_in_no_window() {
        // Clocks go from 02:00 to 03:00 on 14 March 2027 in Los Angeles.
        let none = spans(Los_Angeles, "Sun 02:00-03:00", "2027-03-14T00:00:00Z", "2027-03-15T00:00:00Z");
        assert_eq!(none, []);
        let rest = spans(Los_Angeles, "Sun 02:30-04:00", "2027-03-14T00:00:00Z", "2027-03-15T00:00:00Z");
        assert_eq!(rest, [("2027-03-14T03:00:00-07:00".to_owned(), "2027-03-14T04:00:00-07:00".to_owned())]);
    }

    #[test]
    fn an_hour_that_happens_twice_is_in_the_window_twice() {
        // Clocks go back from 02:00 to 01:00 on 1 November 2026 in Los Angeles.
        let twice = spans(Los_Angeles, "Sun 01:30-02:00", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z");
        assert_eq!(
            twice,
            [
                ("2026-11-01T01:30:00-07:00".to_owned(), "2026-11-01T01:00:00-08:00".to_owned()),
                ("2026-11-01T01:30:00-08:00".to_owned(), "2026-11-01T02:00:00-08:00".to_owned()),
            ]
        );
    }

    #[test]
    fn a_window_across_midnight_belongs_to_the_day_on_which_it_begins() {
        let night = spans(Berlin, "Fri 22:00-02:00", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z");
        assert_eq!(night, [("2026-11-20T22:00:00+01:00".to_owned(), "2026-11-21T02:00:00+01:00".to_owned())]);
        let whole = spans(Berlin, "Sat 00:00-24:00", "2026-10-19T00:00:00Z", "2026-10-27T00:00:00Z");
        assert_eq!(whole, [("2026-10-24T00:00:00+02:00".to_owned(), "2026-10-25T00:00:00+02:00".to_owned())]);
    }

    #[test]
    fn steps_are_round_on_the_wall() {
        for zone in [Los_Angeles, Kolkata, Kathmandu, Lord_Howe] {
            let wall = Wall::new(zone, (at("2026-09-21T00:00:00Z"), at("2027-04-20T00:00:00Z")));
            let (from, until) = (at("2026-10-01T00:03:07Z"), at("2026-11-04T00:00:00Z"));
            let steps: Vec<Millis> = wall.steps(from, until, 10 * MINUTE).collect();
            assert!(steps.len() > 33 * 144);
            assert!(steps.iter().all(|step| Time::from_ms(*step).at(zone).minute().is_multiple_of(10)), "{zone}");
            assert!(steps.windows(2).all(|pair| pair[1] - pair[0] == 10 * MINUTE), "{zone}");
        }
    }

    #[test]
    fn days_are_as_long_as_the_clocks_make_them() {
        let wall = Wall::new(Berlin, (at("2026-10-23T22:00:00Z"), at("2026-10-26T23:00:00Z")));
        let lengths: Vec<Millis> = wall.days().iter().map(|((start, end), _)| end - start).collect();
        let hour = crate::clock::HOUR;
        assert_eq!(lengths, [24 * hour, 25 * hour, 24 * hour]);
    }

    const ZONES: [Tz; 8] = [
        Los_Angeles,
        Berlin,
        Kolkata,
        Kathmandu,
        Lord_Howe,
        chrono_tz::Africa::Casablanca,
        chrono_tz::Pacific::Apia,
        chrono_tz::Asia::Gaza,
    ];

    proptest! {
        #[test]
        fn a_moment_is_inside_exactly_when_the_wall_clock_says_so(
            zone in 0..ZONES.len(), day in 0i64..7_000, start in 0u32..96, end in 0u32..96, days in 1u8..128,
            minute in 0i64..(90 * 24 * 60),
        ) {
            let zone = ZONES[zone];
            let weekdays = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
            let days: Vec<Weekday> = weekdays.into_iter().filter(|d| days >> d.num_days_from_monday() & 1 == 1).collect();
            let of = |quarter: u32| NaiveTime::from_num_seconds_from_midnight_opt(quarter * 900, 0).unwrap();
            let rule = WeekHours { days: days.clone(), start: of(start), end: of(end) };
            let from = (16_000 + day) * DAY;
            let moment = from + minute * MINUTE;
            let inside = Wall::new(zone, (from, from + 90 * DAY)).hours(&[rule]).holding(moment).is_some();
            let there = Time::from_ms(moment).at(zone);
            let (today, time) = (there.weekday(), there.time().num_seconds_from_midnight() / 900);
            let expected = if start < end {
                days.contains(&today) && (start..end).contains(&time)
            } else {
                days.contains(&today) && time >= start || days.contains(&today.pred()) && time < end
            };
            prop_assert_eq!(inside, expected);
        }
    }
}
