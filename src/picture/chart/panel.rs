//! One measure of the chart: its line, what is usual, its limit, and where there is no data.

use super::super::axis::Axis;
use super::super::font::{Type, drawable, fit, width};
use super::super::ink::Ink;
use super::super::svg::{Anchor, Area, Canvas};
use super::series::{self, Run};
use super::{Band, Chart, MARGIN, Panel, Unit, Verdict, WIDTH};

/// Of the plot itself.
pub const HEIGHT: f64 = 84.0;
/// From the name above the plot to the plot.
pub const NAME: f64 = 30.0;
/// After the plot.
pub const AFTER: f64 = 18.0;
/// The strip of requests.
pub const STRIP: f64 = 26.0;

/// A hole at least this wide holds the words "no data".
pub const NAMED: f64 = 29.0;

/// The scale of a panel: from nothing to its highest label.
struct Scale {
    area: Area,
    top: f64,
}

impl Scale {
    fn y(&self, value: f64) -> f64 {
        self.area.bottom() - self.area.h * (value / self.top).clamp(0.0, 1.0)
    }
}

/// Draws a panel whose plot is `area`; its name stands above.
pub fn draw(canvas: &mut Canvas, chart: &Chart, panel: &Panel, axis: &Axis, area: Area) {
    let runs = series::runs(&panel.points, axis, chart.now);
    let band = series::band(&panel.band, axis);
    let limit = panel.limit.as_ref().filter(|limit| limit.0.is_finite() && limit.0 > 0.0);
    let highest = series::values(&runs).chain(band.iter().map(|(_, at)| at.high)).chain(limit.map(|limit| limit.0));
    let highest = highest.fold(0.0, f64::max);
    let (top, step) = round_scale(highest, panel.unit);
    let scale = Scale { area, top };

    name(canvas, panel, area.y - 13.0);
    if highest > 0.0 || series::values(&runs).next().is_some() {
        grid(canvas, &scale, step, panel.unit);
    }
    usual(canvas, &scale, &band);
    for (n, run) in runs.iter().enumerate() {
        match run {
            Run::Data(points) => line(canvas, &scale, points, n + 1 == runs.len()),
            Run::Gap { x1, x2 } => {
                let hole = Area::new(*x1, area.y, x2 - x1, area.h);
                no_data(canvas, hole, limit.map(|limit| scale.y(limit.0)));
            }
        }
    }
    if let Some((value, says)) = limit {
        let y = scale.y(*value);
        canvas.line((area.x, y), (area.right(), y), Ink::Stop, 1.25, true);
        let kind = Type::bold(10.5);
        let says = fit(&drawable(says), kind, area.w * 0.6);
        // Under the line where it lies so high that words above it would leave the plot.
        let y = if y - area.y < 14.0 { y + 12.0 } else { y - 4.0 };
        canvas.text_on((area.x + 5.0, y), Anchor::Start, kind, (Ink::Stop, Ink::Day), &says);
    }
    canvas.line((area.x, area.bottom()), (area.right(), area.bottom()), Ink::Soft, 1.0, false);
}

/// The thin strip of requests: a bar for each few pixels.
pub fn requests(canvas: &mut Canvas, chart: &Chart, points: &[super::Point], axis: &Axis, area: Area) {
    let runs = series::runs(points, axis, chart.now);
    let top = series::values(&runs).fold(0.0, f64::max);
    let kind = Type::bold(11.5);
    canvas.text((MARGIN, area.y - 13.0), Anchor::Start, kind, Ink::Text, "Requests");
    if top > 0.0 {
        let says = format!("highest {}", Unit::Count.says(top));
        let x = MARGIN + width("Requests", kind) + 8.0;
        canvas.text((x, area.y - 13.0), Anchor::Start, Type::regular(11.0), Ink::Soft, &says);
    }
    let scale = Scale { area, top: if top > 0.0 { top } else { 1.0 } };
    for run in &runs {
        match run {
            Run::Data(points) => {
                let mut shape: Vec<(f64, f64)> = points.iter().map(|(x, value)| (*x, scale.y(*value))).collect();
                if let (Some(first), Some(last)) = (shape.first().copied(), shape.last().copied()) {
                    shape.extend([(last.0, area.bottom()), (first.0, area.bottom())]);
                }
                canvas.shape(&shape, Ink::Soft, 0.55);
            }
            Run::Gap { x1, x2 } => no_data(canvas, Area::new(*x1, area.y, x2 - x1, area.h), None),
        }
    }
    canvas.line((area.x, area.bottom()), (area.right(), area.bottom()), Ink::Soft, 1.0, false);
}

/// The name, and what the watch compared: "Errors  0.2 % → 1.9 %  worse".
fn name(canvas: &mut Canvas, panel: &Panel, y: f64) {
    let kind = Type::bold(13.0);
    let says = |value: Option<f64>| value.map_or("no data".to_owned(), |value| panel.unit.says(value));
    let (word, ink) = match panel.verdict {
        Verdict::Worse => ("worse", Ink::Stop),
        Verdict::Usual => ("as usual", Ink::Good),
        Verdict::Better => ("better", Ink::Good),
        Verdict::Unknown => ("cannot tell", Ink::Soft),
    };
    let values = format!("{} → {}", says(panel.before), says(panel.after));
    let right = WIDTH - MARGIN;
    canvas.text((right, y), Anchor::End, kind, ink, word);
    let x = right - width(word, kind) - 10.0;
    canvas.text((x, y), Anchor::End, kind, Ink::Text, &values);
    let room = x - width(&values, kind) - 12.0 - MARGIN;
    canvas.text((MARGIN, y), Anchor::Start, kind, Ink::Text, &fit(&drawable(&panel.name), kind, room));
}

fn grid(canvas: &mut Canvas, scale: &Scale, step: f64, unit: Unit) {
    let area = scale.area;
    let mut value = 0.0;
    while value <= scale.top * 1.001 {
        let y = scale.y(value);
        canvas.line((area.x, y), (area.right(), y), Ink::Grid, 1.0, false);
        let kind = Type::regular(10.5);
        let says = fit(&unit.says(value), kind, area.x - 8.0);
        canvas.text((area.x - 6.0, y + 3.8), Anchor::End, kind, Ink::Soft, &says);
        value += step;
    }
}

fn usual(canvas: &mut Canvas, scale: &Scale, band: &[(f64, Band)]) {
    let mut shape: Vec<(f64, f64)> = band.iter().map(|(x, at)| (*x, scale.y(at.high))).collect();
    shape.extend(band.iter().rev().map(|(x, at)| (*x, scale.y(at.low))));
    canvas.shape(&shape, Ink::Bar, 0.75);
    let median: Vec<(f64, f64)> = band.iter().map(|(x, at)| (*x, scale.y(at.median))).collect();
    canvas.curve(&median, Ink::Soft, 1.0, true);
    // One moment is no band.
    if let [(x, at), _, ..] = band {
        let y = (scale.y(at.high) - 4.0).max(scale.area.y + 11.0);
        let kind = Type::regular(10.5);
        let x = (x + 5.0).min(scale.area.right() - width("usual", kind) - 2.0);
        canvas.text_on((x, y), Anchor::Start, kind, (Ink::Soft, Ink::Day), "usual");
    }
}

/// The line of a run; the last one ends in a dot, the present value. One point alone has no line and is a dot too.
fn line(canvas: &mut Canvas, scale: &Scale, points: &[(f64, f64)], last: bool) {
    let line: Vec<(f64, f64)> = points.iter().map(|(x, value)| (*x, scale.y(*value))).collect();
    canvas.curve(&line, Ink::Load, 2.0, false);
    if let Some((x, y)) = line.last().filter(|_| last || line.len() == 1) {
        canvas.circle(*x, *y, 3.0, Ink::Load);
    }
}

/// A hole, hatched and named; the words keep away from the line at `avoid` and what is written on it.
fn no_data(canvas: &mut Canvas, hole: Area, avoid: Option<f64>) {
    canvas.hatch(hole, 7.0, Ink::Soft, 0.7);
    let kind = Type::bold(10.0);
    let room = |says: &str| width(says, kind) + 3.0 <= hole.w;
    let x = hole.x + hole.w / 2.0;
    let y = [0.5, 0.2, 0.8]
        .map(|share| hole.y + hole.h * share)
        .into_iter()
        .find(|y| avoid.is_none_or(|line| (y - (line - 6.0)).abs() > 22.0))
        .unwrap_or(hole.y + hole.h / 2.0);
    let mut says = |y: f64, says: &str| canvas.text_on((x, y), Anchor::Middle, kind, (Ink::Text, Ink::Day), says);
    if room("no data") {
        says(y + 4.0, "no data");
    } else if room("data") {
        says(y - 2.5, "no");
        says(y + 10.5, "data");
    }
}

/// A round top at or above `highest`, and the step between labels: two to four of them.
fn round_scale(highest: f64, unit: Unit) -> (f64, f64) {
    let least = match unit {
        // So that one failed request in a thousand does not look like a mountain.
        Unit::Share => 0.002,
        Unit::Millis => 10.0,
        Unit::Count => 4.0,
    };
    let highest = highest.clamp(least, 1e12);
    let decade = 10f64.powf(highest.log10().floor());
    let steps = [0.2, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0].map(|n| n * decade);
    let scales = steps.into_iter().flat_map(|step| [2.0, 3.0, 4.0].map(|n| (step * n, step)));
    // The lowest top; of two with the same, the one with fewer labels.
    scales
        .filter(|(top, _)| *top >= highest * 0.999)
        .reduce(|best, next| if next.0 < best.0 * 1.001 { next } else { best })
        .unwrap_or((highest, highest / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_is_round_and_holds_its_highest() {
        for (highest, top) in [(0.019, 0.02), (0.021, 0.03), (0.5, 0.5), (0.51, 0.6), (0.45, 0.5), (0.95, 1.0)] {
            assert!((round_scale(highest, Unit::Share).0 - top).abs() < 1e-9, "{highest}");
        }
        for highest in [0.0, 1e-300, 3.0, 777.0, 1e12, 1e300] {
            let (top, step) = round_scale(highest, Unit::Millis);
            assert!(top >= highest.min(1e12) * 0.99 && step > 0.0 && top / step <= 4.01, "{highest}: {top} {step}");
        }
    }
}
