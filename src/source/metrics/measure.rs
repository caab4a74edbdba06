//! What values over time say: a week's profile, a service's health, minutes. Pure.

use std::collections::BTreeMap;

use super::Values;
use crate::advice::facts::{Load, hour_of_week};
use crate::clock::{DAY, MINUTE, Millis, SECOND, Time};
use crate::source::{Minute, Series};

/// Points this near the same time of an earlier day count as usual for this time.
const SAME_HOUR: Millis = 30 * MINUTE;

/// The usual week: the median by hour of the week of values that were taken an hour apart.
pub fn load(hourly: &Values, recent: &Values) -> Load {
    let mut by_hour: Vec<Vec<f64>> = vec![Vec::new(); 168];
    for (at, value) in hourly.points.iter().filter(|(_, value)| *value >= 0.0) {
        if let Some(values) = by_hour.get_mut(hour_of_week(*at)) {
            values.push(*value);
        }
    }
    let weeks = by_hour.iter().map(Vec::len).max().unwrap_or(0);
    let now = recent.points.last().map(|(at, _)| (*at, mean(recent.points.iter().map(|(_, value)| *value))));
    Load {
        unit: "requests per second".to_owned(),
        now: now.and_then(|(at, value)| Some((at, value.filter(|value| *value >= 0.0)?))),
        week: by_hour.into_iter().map(|mut values| median(&mut values)).collect(),
        weeks: u32::try_from(weeks).unwrap_or(u32::MAX),
    }
}

/// The share of requests that failed over all points that have both; a time with requests and no errors had none. None
/// where there were no requests.
pub fn error_share(requests: &Values, errors: &Values) -> Option<f64> {
    let failed: BTreeMap<Time, f64> = errors.points.iter().copied().collect();
    let total: f64 = requests.points.iter().map(|(_, value)| value.max(0.0)).sum();
    let bad: f64 = requests.points.iter().filter_map(|(at, _)| failed.get(at)).map(|value| value.max(0.0)).sum();
    (total > 0.0).then(|| (bad / total).clamp(0.0, 1.0))
}

/// The points of earlier days near the same time of day.
pub fn same_hours(values: &Values, now: Time) -> Values {
    let near = |at: &Time| {
        let apart = now.since(*at).rem_euclid(DAY);
        apart.min(DAY - apart) <= SAME_HOUR && now.since(*at) > DAY / 2
    };
    Values { points: values.points.iter().filter(|(at, _)| near(at)).copied().collect(), ..values.clone() }
}

/// The median share of failed requests by day, over the same hours of earlier days.
pub fn usual_errors(requests: &Values, errors: &Values, now: Time) -> Option<f64> {
    let (requests, errors) = (same_hours(requests, now), same_hours(errors, now));
    let mut shares: Vec<f64> = Vec::new();
    for day in 1..=7 {
        let of_day = |values: &Values| Values {
            points: values.points.iter().filter(|(at, _)| (now.since(*at) + DAY / 2) / DAY == day).copied().collect(),
            ..Values::default()
        };
        shares.extend(error_share(&of_day(&requests), &of_day(&errors)));
    }
    median(&mut shares)
}

/// The median of the same hours of earlier days.
pub fn usual(values: &Values, now: Time) -> Option<f64> {
    let mut values: Vec<f64> = same_hours(values, now).points.iter().map(|(_, value)| *value).collect();
    median(&mut values)
}

/// The share of the error budget that is left after a time: 1 all of it, below 0 overspent.
pub fn budget_left(requests: &Values, errors: &Values, target_pct: f64) -> Option<f64> {
    let allowed = 1.0 - target_pct / 100.0;
    if !(allowed > 0.0 && allowed < 1.0) {
        return None;
    }
    error_share(requests, errors).map(|share| 1.0 - share / allowed)
}

/// Minutes from rates per second and latencies in seconds that were taken at the end of each minute. A minute without
/// requests' data is absent; one with requests and no errors had none.
pub fn series(requests: &Values, errors: &Values, latency: &Values) -> Series {
    let failed: BTreeMap<Time, f64> = errors.points.iter().copied().collect();
    let latency: BTreeMap<Time, f64> = latency.points.iter().copied().collect();
    let minutes = requests.points.iter().filter(|(_, value)| *value >= 0.0).map(|(at, rate)| {
        let requests = rate * 60.0;
        let errors = failed.get(at).map_or(0.0, |rate| (rate * 60.0).clamp(0.0, requests));
        let latency_ms = latency.get(at).map(|seconds| seconds * 1000.0).filter(|ms| *ms >= 0.0);
        Minute { at: at.plus(-MINUTE), requests, errors, latency_ms }
    });
    Series { minutes: minutes.collect() }
}

/// The mean; None of nothing.
pub fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0_u32), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => values.get(middle).copied(),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

/// The start of the minute or hour that a moment lies in.
pub fn floor(at: Time, unit: Millis) -> Time {
    Time::from_ms(at.ms() - at.ms().rem_euclid(unit.max(SECOND)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::HOUR;

    fn values(points: &[(i64, f64)]) -> Values {
        Values { points: points.iter().map(|(at, v)| (Time::from_ms(*at), *v)).collect(), series: 1, partial: false }
    }

    #[test]
    fn the_week_is_a_median_and_hours_without_data_stay_empty() {
        // 1970-01-05 00:00 was a Monday.
        let monday = 4 * DAY;
        let hourly = values(&[(monday, 1.0), (monday + 7 * DAY, 9.0), (monday + 14 * DAY, 3.0), (monday + HOUR, 5.0)]);
        let load = load(&hourly, &values(&[(1000, 2.0), (2000, 4.0)]));
        assert_eq!((load.week[0], load.week[1], load.week[2], load.weeks), (Some(3.0), Some(5.0), None, 3));
        assert_eq!(load.now, Some((Time::from_ms(2000), 3.0)));
        assert_eq!(super::load(&hourly, &values(&[])).now, None);
    }

    #[test]
    fn a_minute_without_requests_is_absent_and_one_without_errors_had_none() {
        let minute = |n: i64| n * MINUTE;
        let series = series(
            &values(&[(minute(1), 2.0), (minute(3), 0.5)]),
            &values(&[(minute(2), 1.0), (minute(3), 0.25)]),
            &values(&[(minute(1), 0.2)]),
        );
        let want = |at, requests, errors, latency_ms| Minute { at: Time::from_ms(at), requests, errors, latency_ms };
        assert_eq!(series.minutes, [want(0, 120.0, 0.0, Some(200.0)), want(minute(2), 30.0, 15.0, None)]);
    }

    #[test]
    fn usual_is_what_the_same_hours_of_earlier_days_were() {
        let now = Time::from_ms(20 * DAY);
        let requests = values(&[
            (20 * DAY - 2 * DAY, 100.0),
            (20 * DAY - DAY, 100.0),
            (20 * DAY - DAY + 5 * HOUR, 900.0),
            (20 * DAY - 3 * DAY - 10 * MINUTE, 100.0),
        ]);
        let errors = values(&[(20 * DAY - 2 * DAY, 1.0), (20 * DAY - DAY, 50.0), (20 * DAY - DAY + 5 * HOUR, 900.0)]);
        assert_eq!(usual_errors(&requests, &errors, now), Some(0.01));
        assert_eq!(usual(&requests, now), Some(100.0));
        assert_eq!(usual(&values(&[]), now), None);
    }

    #[test]
    fn an_error_budget_is_spent_by_the_share_of_errors() {
        let requests = values(&[(0, 1000.0), (1, 1000.0)]);
        let left = |errors: f64, target| budget_left(&requests, &values(&[(0, errors)]), target);
        assert!((left(1.0, 99.9).unwrap() - 0.5).abs() < 1e-9);
        assert!(left(10.0, 99.9).unwrap() < 0.0);
        assert_eq!(left(1.0, 100.0), None);
        assert_eq!(budget_left(&values(&[]), &values(&[]), 99.0), None);
    }
}
