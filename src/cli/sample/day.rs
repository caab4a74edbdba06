//! Days as Harbor lives them: its zone, its working days, its public holidays.

use chrono::{Datelike, Days, LocalResult, Months, NaiveDate, NaiveDateTime, TimeZone, Weekday};
use chrono_tz::Tz;

use crate::clock::{HOUR, Time};

/// Where Harbor is.
pub const ZONE: Tz = chrono_tz::America::Los_Angeles;

/// The date in Harbor's zone.
pub fn date_of(at: Time) -> NaiveDate {
    at.at(ZONE).date_naive()
}

/// The moment at which Harbor's clocks show this; an hour later where they skip it.
pub fn moment(local: NaiveDateTime) -> Time {
    match ZONE.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Time::from(at),
        LocalResult::None => Time::from(ZONE.from_utc_datetime(&local)).plus(8 * HOUR),
    }
}

/// The moment on a date at an hour and minute.
pub fn on(date: NaiveDate, hour: u32, minute: u32) -> Time {
    moment(at_hour(date, hour, minute))
}

/// A date with an hour and minute, both within their usual bounds.
pub fn at_hour(date: NaiveDate, hour: u32, minute: u32) -> NaiveDateTime {
    date.and_hms_opt(hour.min(23), minute.min(59), 0).unwrap_or_default()
}

/// The working day that is `n` working days after this date.
pub fn working_day_after(date: NaiveDate, n: u32) -> NaiveDate {
    let (mut day, mut left) = (date, n);
    while left > 0 {
        day = day + Days::new(1);
        if is_working_day(day) {
            left -= 1;
        }
    }
    day
}

pub fn is_working_day(day: NaiveDate) -> bool {
    is_weekday(day) && !public_holidays(day.year()).iter().any(|(date, _)| *date == day)
}

pub fn is_weekday(day: NaiveDate) -> bool {
    day.weekday().num_days_from_monday() < 5
}

/// The Monday of a date's week.
pub fn monday_of(day: NaiveDate) -> NaiveDate {
    day - Days::new(u64::from(day.weekday().num_days_from_monday()))
}

/// The last day of a date's quarter.
pub fn quarter_end(day: NaiveDate) -> NaiveDate {
    let month = day.month0() / 3 * 3 + 3;
    let first = NaiveDate::from_ymd_opt(day.year(), month, 1).unwrap_or(day);
    first + Months::new(1) - Days::new(1)
}

/// The fourth Thursday of November.
pub fn thanksgiving(year: i32) -> NaiveDate {
    nth(year, 11, Weekday::Thu, 4)
}

/// Federal holidays of the United States (5 U.S.C. 6103) and the day after Thanksgiving, in order, on the day when they
/// are observed: a holiday on a Saturday is kept the Friday before, one on a Sunday the Monday after.
pub fn public_holidays(year: i32) -> Vec<(NaiveDate, &'static str)> {
    let fixed = |month, day| {
        let date = NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
        match date.weekday() {
            Weekday::Sat => date - Days::new(1),
            Weekday::Sun => date + Days::new(1),
            _ => date,
        }
    };
    let last_of_may = NaiveDate::from_ymd_opt(year, 5, 31).unwrap_or_default();
    let mut all = vec![
        (fixed(1, 1), "New Year's Day"),
        (nth(year, 1, Weekday::Mon, 3), "Martin Luther King Jr. Day"),
        (nth(year, 2, Weekday::Mon, 3), "Presidents' Day"),
        (monday_of(last_of_may), "Memorial Day"),
        (fixed(6, 19), "Juneteenth"),
        (fixed(7, 4), "Independence Day"),
        (nth(year, 9, Weekday::Mon, 1), "Labor Day"),
        (nth(year, 10, Weekday::Mon, 2), "Columbus Day"),
        (fixed(11, 11), "Veterans Day"),
        (thanksgiving(year), "Thanksgiving Day"),
        (thanksgiving(year) + Days::new(1), "Day after Thanksgiving"),
        (fixed(12, 25), "Christmas Day"),
    ];
    all.sort_by_key(|(date, _)| *date);
    all
}

fn nth(year: i32, month: u32, weekday: Weekday, n: u8) -> NaiveDate {
    NaiveDate::from_weekday_of_month_opt(year, month, weekday, n).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn public_holidays_fall_where_the_office_of_personnel_management_has_them() {
        // https://www.opm.gov/policy-data-oversight/pay-leave/federal-holidays/, 2026
        let of_2026 = public_holidays(2026);
        for (day, name) in [
            ("2026-01-19", "Martin Luther King Jr. Day"),
            ("2026-02-16", "Presidents' Day"),
            ("2026-05-25", "Memorial Day"),
            ("2026-06-19", "Juneteenth"),
            ("2026-07-03", "Independence Day"),
            ("2026-09-07", "Labor Day"),
            ("2026-10-12", "Columbus Day"),
            ("2026-11-11", "Veterans Day"),
            ("2026-11-26", "Thanksgiving Day"),
            ("2026-12-25", "Christmas Day"),
        ] {
            assert!(of_2026.contains(&(date(day), name)), "{name}");
        }
    }

    #[test]
    fn the_working_day_after_a_friday_is_monday_unless_that_is_a_holiday() {
        assert_eq!(working_day_after(date("2026-11-20"), 1), date("2026-11-23"));
        assert_eq!(working_day_after(date("2026-09-04"), 1), date("2026-09-08"));
        assert_eq!(working_day_after(date("2026-11-25"), 1), date("2026-11-30"));
    }

    #[test]
    fn an_hour_that_the_clocks_skip_comes_an_hour_later() {
        let skipped = at_hour(date("2026-03-08"), 2, 30);
        assert_eq!(moment(skipped).rfc3339(), "2026-03-08T10:30:00Z");
        assert_eq!(on(date("2026-11-20"), 16, 30).rfc3339(), "2026-11-21T00:30:00Z");
    }

    #[test]
    fn quarters_end_in_their_third_month() {
        assert_eq!(quarter_end(date("2026-11-21")), date("2026-12-31"));
        assert_eq!(quarter_end(date("2026-06-30")), date("2026-06-30"));
        assert_eq!(quarter_end(date("2026-01-01")), date("2026-03-31"));
    }
}
