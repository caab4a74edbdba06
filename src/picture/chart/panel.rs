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
pub const NAME: f64 = 24.0;
/// After the plot.
pub const AFTER: f64 = 18.0;
/// The strip of requests.
pub const STRIP: f64 = 26.0;

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

    name(canvas, panel, area.y - 8.0);
    grid(canvas, &scale, step, panel.unit);
    usual(canvas, &scale, &band);
    for run in &runs {
        match run {
            Run::Data(points) => line(canvas, &scale, points),
            Run::Gap { x1, x2 } => no_data(canvas, Area::new(*x1, area.y, x2 - x1, area.h)),
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
    canvas.text((MARGIN, area.y - 8.0), Anchor::Start, kind, Ink::Text, "Requests");
    if top > 0.0 {
        let says = format!("at most {} at once", Unit::Count.says(top));
        let x = MARGIN + width("Requests", kind) + 8.0;
        canvas.text((x, area.y - 8.0), Anchor::Start, Type::regular(11.0), Ink::Soft, &says);
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
            Run::Gap { x1, x2 } => no_data(canvas, Area::new(*x1, area.y, x2 - x1, area.h)),
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
    if let Some((x, at)) = band.first() {
        let y = (scale.y(at.high) - 4.0).max(scale.area.y + 11.0);
        let kind = Type::regular(10.5);
        canvas.text_on((x + 5.0, y), Anchor::Start, kind, (Ink::Soft, Ink::Day), "usual");
    }
}

fn line(canvas: &mut Canvas, scale: &Scale, points: &[(f64, f64)]) {
    let line: Vec<(f64, f64)> = points.iter().map(|(x, value)| (*x, scale.y(*value))).collect();
    canvas.curve(&line, Ink::Load, 2.0, false);
    match line[..] {
        // One point alone has no line.
        [(x, y)] => canvas.circle(x, y, 2.5, Ink::Load),
        _ => {
            if let Some((x, y)) = line.last() {
                canvas.circle(*x, *y, 3.0, Ink::Load);
            }
        }
    }
}

fn no_data(canvas: &mut Canvas, hole: Area) {
    canvas.hatch(hole, 7.0, Ink::Bar, 1.25);
    let kind = Type::bold(11.0);
    if width("no data", kind) + 8.0 <= hole.w {
        let middle = (hole.x + hole.w / 2.0, hole.y + hole.h / 2.0 + 4.0);
        canvas.text_on(middle, Anchor::Middle, kind, (Ink::Text, Ink::Day), "no data");
    }
}

/// A round top at or above `highest`, and the step between labels: two or three of them.
fn round_scale(highest: f64, unit: Unit) -> (f64, f64) {
    let least = match unit {
        // So that one failed request in a thousand does not look like a mountain.
        Unit::Share => 0.002,
        Unit::Millis => 10.0,
        Unit::Count => 4.0,
    };
    let highest = highest.clamp(least, 1e12);
    let decade = 10f64.powf((highest / 2.0).log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|n| n * decade).into_iter().find(|step| step * 2.0 >= highest);
    let step = step.unwrap_or(highest / 2.0);
    (step * 2.0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_is_round_and_holds_its_highest() {
        for (highest, top) in [(0.019, 0.02), (0.021, 0.04), (0.5, 0.5), (0.51, 1.0), (0.45, 0.5)] {
            assert!((round_scale(highest, Unit::Share).0 - top).abs() < 1e-9, "{highest}");
        }
        for highest in [0.0, 1e-300, 3.0, 777.0, 1e12, 1e300] {
            let (top, step) = round_scale(highest, Unit::Millis);
            assert!(top >= highest.min(1e12) && step > 0.0 && top / step <= 2.01, "{highest}: {top} {step}");
        }
    }
}
