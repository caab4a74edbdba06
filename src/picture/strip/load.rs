//! The traffic of the strip: an area with its peak named; hatched where nobody knows.

use super::super::axis::Axis;
use super::super::font::{Type, width};
use super::super::ink::Ink;
use super::super::svg::{Anchor, Area, Canvas};
use super::{LoadPoint, MARGIN, Strip};
use crate::clock::{HOUR, Millis, Time};

/// Space between the weekly peak and the top of the plot, as a share of its height.
const HEADROOM: f64 = 0.16;

/// A stretch of the profile: known, with points, or not.
#[derive(Clone, Debug, PartialEq)]
pub enum Run {
    Known(Vec<(Time, f64)>),
    Unknown(Time, Time),
}

pub fn draw(canvas: &mut Canvas, strip: &Strip, axis: &Axis, area: Area) {
    let runs = runs(&strip.load, axis);
    let top = runs.iter().filter_map(Run::peak).map(|(_, share)| share).fold(1.0, f64::max) / (1.0 - HEADROOM);
    let y = |share: f64| area.bottom() - area.h * (share / top).clamp(0.0, 1.0);

    for share in [0.5, 1.0] {
        canvas.line((axis.x, y(share)), (axis.right(), y(share)), Ink::Grid, 1.0, share < 1.0);
        let says = format!("{} %", share * 100.0);
        canvas.text((axis.x - 6.0, y(share) + 4.0), Anchor::End, Type::regular(10.5), Ink::Soft, &says);
    }
    for run in &runs {
        match run {
            Run::Known(points) => known(canvas, axis, area, points, &y),
            Run::Unknown(from, to) => unknown(canvas, axis, area, *from, *to),
        }
    }
    canvas.line((axis.x, area.bottom()), (axis.right(), area.bottom()), Ink::Soft, 1.0, false);
    canvas.text((MARGIN, area.bottom() - 14.0), Anchor::Start, Type::bold(11.5), Ink::Text, "Traffic");
    canvas.text((MARGIN, area.bottom() - 1.0), Anchor::Start, Type::regular(10.5), Ink::Soft, "of peak");
    let peak = runs.iter().filter_map(Run::peak).reduce(|best, next| if next.1 > best.1 { next } else { best });
    if let Some((at, share)) = peak {
        let says = format!("{} %", (share * 100.0).round());
        let kind = Type::bold(12.0);
        let half = width(&says, kind) / 2.0 + 7.0;
        let x = axis.at(at).clamp(axis.x + half, axis.right() - half);
        canvas.circle(axis.at(at), y(share), 3.5, Ink::Load);
        canvas.text_on((x, y(share) - 7.0), Anchor::Middle, kind, (Ink::Load, Ink::Day), &says);
    }
}

impl Run {
    pub fn peak(&self) -> Option<(Time, f64)> {
        let Run::Known(points) = self else { return None };
        points.iter().copied().reduce(|best, next| if next.1 > best.1 { next } else { best })
    }
}

/// The profile cut into what is known and what is not, at most one point for each pixel; a point holds until the next,
/// the last as long as points usually do.
pub fn runs(load: &[LoadPoint], axis: &Axis) -> Vec<Run> {
    let mut points: Vec<LoadPoint> = load.to_vec();
    points.sort_by_key(|point| point.at);
    points.dedup_by_key(|point| point.at);
    let holds = usual_gap(&points);
    let mut runs: Vec<Run> = Vec::new();
    let mut seen = axis.start;
    for (n, point) in points.iter().enumerate() {
        let next = points.get(n + 1).map_or(point.at.plus(holds), |next| next.at.min(point.at.plus(2 * holds)));
        let (from, to) = (point.at.max(axis.start), next.min(axis.end));
        if from > to || to < axis.start || from > axis.end {
            continue;
        }
        if from > seen {
            runs.push(Run::Unknown(seen, from));
        }
        match (point.share.filter(|share| share.is_finite()).map(|share| share.clamp(0.0, 3.0)), runs.last_mut()) {
            (Some(share), Some(Run::Known(run))) => run.extend([(from, share)]),
            (Some(share), _) => runs.push(Run::Known(vec![(from, share)])),
            (None, Some(Run::Unknown(_, end))) => *end = to,
            (None, _) => runs.push(Run::Unknown(from, to)),
        }
        seen = seen.max(to);
    }
    if seen < axis.end {
        runs.push(Run::Unknown(seen, axis.end));
    }
    join(runs, axis)
}

/// Joins neighbours of a kind, thins points out, and lets each known run last until the next begins.
fn join(runs: Vec<Run>, axis: &Axis) -> Vec<Run> {
    let mut out: Vec<Run> = Vec::new();
    let mut runs = runs.into_iter().peekable();
    while let Some(run) = runs.next() {
        match (run, out.last_mut()) {
            (Run::Unknown(_, to), Some(Run::Unknown(_, end))) => *end = to,
            (Run::Known(mut points), _) => {
                let end = match runs.peek() {
                    Some(Run::Unknown(from, _)) => *from,
                    _ => axis.end,
                };
                let last = points.last().map_or(0.0, |last| last.1);
                points.push((end, last));
                out.push(Run::Known(thin(points, axis)));
            }
            (run, _) => out.push(run),
        }
    }
    out
}

/// The highest point of each pixel: a peak is never thinned away.
fn thin(points: Vec<(Time, f64)>, axis: &Axis) -> Vec<(Time, f64)> {
    let mut out: Vec<(Time, f64)> = Vec::new();
    let end = points.last().copied();
    for point in points {
        match out.last_mut() {
            Some(last) if (axis.at(point.0) - axis.at(last.0)).abs() < 1.0 => last.1 = last.1.max(point.1),
            _ => out.push(point),
        }
    }
    if let (Some(end), Some(last)) = (end, out.last().copied())
        && end.0 > last.0
    {
        out.push((end.0, last.1));
    }
    out
}

fn usual_gap(points: &[LoadPoint]) -> Millis {
    let mut gaps: Vec<Millis> = points.windows(2).map(|pair| pair[1].at.since(pair[0].at)).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().unwrap_or(HOUR)
}

fn known(canvas: &mut Canvas, axis: &Axis, area: Area, points: &[(Time, f64)], y: &dyn Fn(f64) -> f64) {
    let line: Vec<(f64, f64)> = points.iter().map(|(at, share)| (axis.at(*at), y(*share))).collect();
    if let (Some(first), Some(last)) = (line.first(), line.last()) {
        let mut shape = line.clone();
        shape.extend([(last.0, area.bottom()), (first.0, area.bottom())]);
        canvas.shape(&shape, Ink::Load, 0.22);
    }
    canvas.curve(&line, Ink::Load, 2.0, false);
}

fn unknown(canvas: &mut Canvas, axis: &Axis, area: Area, from: Time, to: Time) {
    let hole = Area::new(axis.at(from), area.y, axis.at(to) - axis.at(from), area.h);
    canvas.hatch(hole, 7.0, Ink::Soft, 0.7);
    let kind = Type::bold(10.5);
    let says = ["traffic unknown", "unknown", "?"];
    if let Some(says) = says.iter().find(|says| width(says, kind) + 4.0 <= hole.w) {
        let middle = (hole.x + hole.w / 2.0, area.y + area.h / 2.0 + 4.0);
        canvas.text_on(middle, Anchor::Middle, kind, (Ink::Text, Ink::Evening), says);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Tz;

    fn axis() -> Axis {
        Axis::new(Time::from_ms(0), Time::from_ms(48 * HOUR), 0.0, 384.0, Tz::UTC)
    }

    fn hourly(share: impl Fn(i64) -> Option<f64>) -> Vec<LoadPoint> {
        (0..48).map(|n| LoadPoint { at: Time::from_ms(n * HOUR), share: share(n) }).collect()
    }

    #[test]
    fn a_gap_is_never_bridged() {
        let runs = runs(&hourly(|n| (!(10..14).contains(&n)).then_some(0.5)), &axis());
        assert_eq!(runs.len(), 3);
        assert_eq!(runs[1], Run::Unknown(Time::from_ms(10 * HOUR), Time::from_ms(14 * HOUR)));
    }

    #[test]
    fn points_that_are_missing_are_a_gap_too() {
        let mut load = hourly(|_| Some(0.5));
        load.retain(|point| !(10 * HOUR..20 * HOUR).contains(&point.at.ms()));
        assert!(runs(&load, &axis()).iter().any(|run| matches!(run, Run::Unknown(..))));
    }

    #[test]
    fn nothing_known_is_one_unknown() {
        assert_eq!(runs(&[], &axis()), [Run::Unknown(Time::from_ms(0), Time::from_ms(48 * HOUR))]);
        assert_eq!(runs(&hourly(|_| Some(f64::NAN)), &axis()).len(), 1);
    }

    #[test]
    fn a_peak_survives_ten_thousand_points() {
        let load: Vec<LoadPoint> = (0..10_000)
            .map(|n| LoadPoint { at: Time::from_ms(n * 17_280), share: Some(if n == 7_777 { 0.94 } else { 0.3 }) })
            .collect();
        let runs = runs(&load, &axis());
        let Run::Known(points) = &runs[0] else { panic!("{runs:?}") };
        assert!(points.len() < 400);
        assert_eq!(runs[0].peak().unwrap().1, 0.94);
    }
}
