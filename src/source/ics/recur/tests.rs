//! Recurrence rules, compared with the `rrule` crate.

use chrono::TimeZone;
use proptest::prelude::*;

use super::super::Limits;
use super::*;

fn day(year: i32, month: u32, day: u32, hour: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(year, month, day).unwrap().and_hms_opt(hour, 0, 0).unwrap()
}

fn ours(text: &str, first: NaiveDateTime, window: (NaiveDateTime, NaiveDateTime)) -> Vec<NaiveDateTime> {
    let rule = Rule::parse(text, &Limits::default()).unwrap();
    starts(&rule, first, window, None, &mut Budget::new(10_000_000)).unwrap()
}

/// What the `rrule` crate makes of it, walking from the first.
fn theirs(text: &str, first: NaiveDateTime, window: (NaiveDateTime, NaiveDateTime)) -> Option<Vec<NaiveDateTime>> {
    let first = rrule::Tz::UTC.from_utc_datetime(&first);
    let rule = text.parse::<rrule::RRule<rrule::Unvalidated>>().ok()?.validate(first).ok()?;
    let set = rrule::RRuleSet::new(first).rrule(rule).limit();
    let starts = set.into_iter().map(|start| start.naive_utc()).take_while(|start| *start < window.1);
    Some(starts.filter(|start| *start >= window.0).collect())
}

fn some_of(values: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    proptest::sample::subsequence(values, 1..=most).prop_map(|values| values.join(","))
}

fn part(name: &'static str, values: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    proptest::option::weighted(0.3, values)
        .prop_map(move |value| value.map_or(String::new(), |v| format!(";{name}={v}")))
}

fn rules() -> impl Strategy<Value = String> {
    let weekdays = || some_of(&["MO", "TU", "WE", "TH", "FR", "SA", "SU"], 5);
    let nth = || some_of(&["1MO", "2TU", "-1FR", "3SU", "-2WE"], 4);
    let months = || part("BYMONTH", some_of(&["1", "2", "3", "6", "9", "10", "12"], 4));
    let month_days = || part("BYMONTHDAY", some_of(&["1", "13", "29", "30", "31", "-1", "-3"], 4));
    let hours = || part("BYHOUR", some_of(&["0", "9", "17", "23"], 3));
    let positions = || some_of(&["1", "2", "-1", "-2"], 3);
    let interval = (1..5u8).prop_map(|interval| format!(";INTERVAL={interval}"));
    let count =
        proptest::option::weighted(0.3, 1..60u32).prop_map(|c| c.map_or(String::new(), |c| format!(";COUNT={c}")));
    let week_start = part("WKST", proptest::sample::select(vec!["SU", "MO", "TH"]).prop_map(String::from));
    let yearly = (
        months(),
        month_days(),
        part("BYDAY", nth()),
        part("BYYEARDAY", some_of(&["1", "60", "366", "-1"], 3)),
        hours(),
    )
        .prop_map(|(a, b, c, d, e)| format!("FREQ=YEARLY{a}{b}{c}{d}{e}"));
    let weeks = (some_of(&["1", "2", "20", "40", "51"], 3), weekdays())
        .prop_map(|(weeks, days)| format!("FREQ=YEARLY;BYWEEKNO={weeks};BYDAY={days}"));
    let monthly = (months(), month_days(), part("BYDAY", nth()), hours())
        .prop_map(|(a, b, c, d)| format!("FREQ=MONTHLY{a}{b}{c}{d}"));
    let picked = (weekdays(), positions()).prop_map(|(days, at)| format!("FREQ=MONTHLY;BYDAY={days};BYSETPOS={at}"));
    let weekly = (months(), part("BYDAY", weekdays()), hours()).prop_map(|(a, b, c)| format!("FREQ=WEEKLY{a}{b}{c}"));
    let daily = (months(), month_days(), part("BYDAY", weekdays()), hours())
        .prop_map(|(a, b, c, d)| format!("FREQ=DAILY{a}{b}{c}{d}"));
    let hourly = (months(), part("BYDAY", weekdays()), hours(), part("BYMINUTE", some_of(&["0", "30", "59"], 2)))
        .prop_map(|(a, b, c, d)| format!("FREQ=HOURLY{a}{b}{c}{d}"));
    let freq = prop_oneof![yearly, weeks, monthly, picked, weekly, daily, hourly];
    (freq, interval, count, week_start)
        .prop_map(|(freq, interval, count, start)| format!("{freq}{interval}{count}{start}"))
}

/// Rules that the reference gets wrong, with what the standard says.
#[test]
fn rules_mean_what_the_standard_says_where_the_reference_does_not() {
    let first = day(2021, 1, 1, 9);
    let mixed = ours("FREQ=MONTHLY;BYDAY=1MO,SA", first, (first, day(2021, 1, 12, 0)));
    assert_eq!(mixed, [day(2021, 1, 2, 9), day(2021, 1, 4, 9), day(2021, 1, 9, 9)]);
    // 2021 has 52 weeks: 1 January 2022 lies in the last of them.
    let week = ours("FREQ=YEARLY;BYWEEKNO=53;BYDAY=SA", first, (first, day(2023, 1, 1, 0)));
    assert_eq!(week, [day(2021, 1, 2, 9)]);
}

#[test]
fn a_walk_ends_with_its_budget() {
    let rule = Rule::parse("FREQ=DAILY;BYMONTHDAY=31;BYMONTH=12;BYDAY=MO", &Limits::default()).unwrap();
    let first = day(1970, 1, 1, 0);
    let spent = starts(&rule, first, (first, day(2200, 1, 1, 0)), None, &mut Budget::new(1_000));
    assert_eq!(spent.unwrap_err(), TOO_MUCH_WORK);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn rules_have_the_starts_that_the_rrule_crate_finds(text in rules(), hours in 0..40_000i64, ahead in 0..400i64) {
        let first = day(2020, 1, 1, 0) + TimeDelta::hours(hours);
        let from = first + TimeDelta::days(ahead);
        let window = (from, from + TimeDelta::days(400));
        if let Some(theirs) = theirs(&text, first, window) {
            prop_assert_eq!(ours(&text, first, window), theirs, "{} from {}", text, first);
        }
    }

    #[test]
    fn looking_later_finds_what_walking_from_the_first_finds(text in rules(), hours in 0..40_000i64, ahead in 0..5_000i64) {
        let first = day(2020, 1, 1, 0) + TimeDelta::hours(hours);
        let from = first + TimeDelta::days(ahead);
        let to = from + TimeDelta::days(60);
        let mut all = ours(&text, first, (first, to));
        all.retain(|start| *start >= from);
        prop_assert_eq!(ours(&text, first, (from, to)), all);
    }
}
