//! A series made ready to be drawn: in order, thinned out to the pixels, cut where there is no data.

use super::super::axis::Axis;
use super::{Band, Point};
use crate::clock::{MINUTE, Millis, Time};

/// Points in a row, or a time without data.
#[derive(Clone, Debug, PartialEq)]
pub enum Run {
    Data(Vec<(f64, f64)>),
    Gap { x1: f64, x2: f64 },
}

/// Cuts a series into runs, from the axis' start until `now`. Points are missing where two lie more than three times
/// as far from each other as they usually do.
pub fn runs(points: &[Point], axis: &Axis, now: Time) -> Vec<Run> {
    let end = now.min(axis.end);
    let mut points: Vec<Point> =
        points.iter().copied().filter(|point| axis.holds(point.at) && point.at <= end).collect();
    points.sort_by_key(|point| point.at);
    let step = usual_step(&points);
    let mut runs = Vec::new();
    let mut data: Vec<(Time, f64)> = Vec::new();
    // Up to when something is known.
    let mut known = axis.start;
    for point in points {
        let Some(value) = point.value.filter(|value| value.is_finite()).map(|value| value.clamp(-1e12, 1e12)) else {
            continue;
        };
        // The first and the last point stand for the time around them.
        let reach = if data.is_empty() && runs.is_empty() { 2 * step } else { 3 * step };
        if point.at.since(known) > reach {
            close(&mut runs, &mut data, axis);
            runs.push(Run::Gap { x1: axis.at(known), x2: axis.at(point.at) });
        }
        data.push((point.at, value));
        known = point.at;
    }
    close(&mut runs, &mut data, axis);
    if end.since(known) > 3 * step || runs.is_empty() && end > axis.start {
        runs.push(Run::Gap { x1: axis.at(known), x2: axis.at(end) });
    }
    runs
}

/// Every value that will be drawn.
pub fn values(runs: &[Run]) -> impl Iterator<Item = f64> {
    runs.iter()
        .flat_map(|run| match run {
            Run::Data(points) => points.as_slice(),
            Run::Gap { .. } => &[],
        })
        .map(|(_, value)| *value)
}

/// The band in order, thinned out, with its quantiles the right way round; what is not a number is left out.
pub fn band(band: &[Band], axis: &Axis) -> Vec<(f64, Band)> {
    let mut band: Vec<Band> = band.iter().copied().filter(|at| axis.holds(at.at)).collect();
    band.retain(|at| [at.low, at.median, at.high].iter().all(|value| value.is_finite() && value.abs() <= 1e12));
    band.sort_by_key(|at| at.at);
    let mut out: Vec<(f64, Band)> = Vec::new();
    for at in band {
        let x = axis.at(at.at);
        if out.last().is_none_or(|last| x - last.0 >= 1.0) {
            out.push((x, Band { low: at.low.min(at.high), high: at.high.max(at.low), ..at }));
        }
    }
    out
}

fn usual_step(points: &[Point]) -> Millis {
    let mut steps: Vec<Millis> =
        points.windows(2).map(|pair| pair[1].at.since(pair[0].at)).filter(|step| *step > 0).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied().unwrap_or(MINUTE)
}

fn close(runs: &mut Vec<Run>, data: &mut Vec<(Time, f64)>, axis: &Axis) {
    if !data.is_empty() {
        runs.push(Run::Data(thin(data, axis)));
        data.clear();
    }
}

/// At most four points for each pixel: the first, the lowest, the highest and the last, so that no spike is lost.
fn thin(points: &[(Time, f64)], axis: &Axis) -> Vec<(f64, f64)> {
    let mut out: Vec<(f64, f64)> = Vec::new();
    for pixel in points.chunk_by(|a, b| axis.at(a.0).floor() == axis.at(b.0).floor()) {
        if pixel.len() <= 4 {
            out.extend(pixel.iter().map(|(at, value)| (axis.at(*at), *value)));
            continue;
        }
        let extreme = |better: fn(f64, f64) -> bool| {
            (0..pixel.len()).fold(0, |best, n| if better(pixel[n].1, pixel[best].1) { n } else { best })
        };
        let mut kept = [0, extreme(|a, b| a < b), extreme(|a, b| a > b), pixel.len() - 1];
        kept.sort_unstable();
        out.extend(kept.iter().map(|n| (axis.at(pixel[*n].0), pixel[*n].1)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Tz;

    fn axis() -> Axis {
        Axis::new(Time::from_ms(0), Time::from_ms(100 * MINUTE), 0.0, 400.0, Tz::UTC)
    }

    fn minutely(value: impl Fn(i64) -> Option<f64>) -> Vec<Point> {
        (0..=100).map(|n| Point { at: Time::from_ms(n * MINUTE), value: value(n) }).collect()
    }

    #[test]
    fn a_gap_is_a_gap_whether_said_or_left_out() {
        let said = minutely(|n| (!(40..60).contains(&n)).then_some(1.0));
        let mut left_out = said.clone();
        left_out.retain(|point| point.value.is_some());
        for points in [said, left_out] {
            let runs = runs(&points, &axis(), axis().end);
            assert!(matches!(runs[..], [Run::Data(_), Run::Gap { .. }, Run::Data(_)]), "{runs:?}");
        }
    }

    #[test]
    fn silence_until_now_is_a_gap_and_the_future_is_not() {
        let mut points = minutely(|_| Some(1.0));
        points.truncate(50);
        let now = Time::from_ms(80 * MINUTE);
        let runs = runs(&points, &axis(), now);
        assert_eq!(runs.last(), Some(&Run::Gap { x1: 196.0, x2: 320.0 }));
        let calm = super::runs(&points, &axis(), Time::from_ms(50 * MINUTE));
        assert_eq!(calm.len(), 1);
    }

    #[test]
    fn no_points_are_one_gap() {
        assert_eq!(runs(&[], &axis(), axis().end), [Run::Gap { x1: 0.0, x2: 400.0 }]);
        assert_eq!(runs(&minutely(|_| Some(f64::INFINITY)), &axis(), axis().end).len(), 1);
    }

    #[test]
    fn a_spike_survives_ten_thousand_points() {
        let points: Vec<Point> = (0..10_000)
            .map(|n| Point { at: Time::from_ms(n * 600), value: Some(if n == 7_777 { 9.0 } else { 1.0 }) })
            .collect();
        let runs = runs(&points, &axis(), axis().end);
        assert!(values(&runs).count() <= 1_604);
        assert_eq!(values(&runs).fold(0.0, f64::max), 9.0);
    }
}
