//! The whole chart: what lies where.

use super::super::Theme;
use super::super::axis::{Axis, date_short};
use super::super::font::{Type, drawable, fit, width, wrap};
use super::super::ink::Ink;
use super::super::lane::{Packed, Wanted, pack};
use super::super::svg::{Anchor, Area, Canvas};
use super::series::{self, Run};
use super::{Chart, MARGIN, Mark, MarkKind, PANELS, PLOT_W, PLOT_X, State, WIDTH, alt, panel};

const WORDS: Type = Type::bold(11.0);
const ROW: f64 = 17.0;
/// Half the width of a mark's sign.
const SIGN: f64 = 6.0;
/// Of more marks than this the older ones are counted, not drawn.
const MARKS: usize = 8;

/// Draws the chart, 480 wide and as high as it has panels.
pub fn svg(chart: &Chart, theme: Theme) -> String {
    let mut canvas = Canvas::new(theme, WIDTH);
    let axis = Axis::new(chart.start, chart.end, PLOT_X, PLOT_W, chart.zone);
    let marks = Marks::of(chart, &axis);

    let top = heading(&mut canvas, chart);
    let plots = top + 8.0 + ROW * marks.rows() as f64;
    let mut areas = Vec::new();
    let mut y = plots;
    for _ in chart.panels.iter().take(PANELS) {
        areas.push(Area::new(axis.x, y + panel::NAME, axis.w, panel::HEIGHT));
        y += panel::NAME + panel::HEIGHT + panel::AFTER;
    }
    let strip =
        chart.requests.as_ref().map(|points| (points, Area::new(axis.x, y + panel::NAME, axis.w, panel::STRIP)));
    if strip.is_some() {
        y += panel::NAME + panel::STRIP + panel::AFTER;
    }
    // The last plot has the hours under it instead of the next name.
    let bottom = y - panel::AFTER;

    for area in areas.iter().copied().chain(strip.map(|(_, area)| area)) {
        behind(&mut canvas, chart, &axis, area);
    }
    for (panel, area) in chart.panels.iter().zip(&areas) {
        panel::draw(&mut canvas, chart, panel, &axis, *area);
    }
    if let Some((points, area)) = strip {
        panel::requests(&mut canvas, chart, points, &axis, area);
    }
    for area in areas.iter().copied().chain(strip.map(|(_, area)| area)) {
        marks.lines(&mut canvas, area);
    }
    marks.signs(&mut canvas, top + 8.0);
    hours(&mut canvas, &axis, bottom);
    let end = footer(&mut canvas, chart, &axis, bottom + 38.0);
    canvas.finish(end, &alt(chart))
}

fn heading(canvas: &mut Canvas, chart: &Chart) -> f64 {
    let mut y = 28.0;
    let kind = Type::bold(13.0);
    let (word, ink) = match chart.state {
        State::Calm => ("", Ink::Soft),
        State::Alert => ("Alert", Ink::Stop),
        State::Recovered => ("Recovered", Ink::Good),
        State::Unknown => ("Cannot tell", Ink::Soft),
    };
    let room = WIDTH - 2.0 * MARGIN - width(word, kind) - 28.0;
    canvas.text((MARGIN, y), Anchor::Start, kind, Ink::Soft, &fit(&drawable(&chart.title), kind, room));
    canvas.text((WIDTH - MARGIN, y), Anchor::End, kind, ink, word);
    let sign = WIDTH - MARGIN - width(word, kind) - 6.0 - SIGN;
    match chart.state {
        State::Alert => sign_of(canvas, MarkKind::Alert, sign, y - 4.5),
        State::Recovered => sign_of(canvas, MarkKind::Recovery, sign, y - 4.5),
        State::Calm | State::Unknown => {}
    }
    y += 4.0;
    for line in wrap(&drawable(&chart.headline), Type::bold(16.0), WIDTH - 2.0 * MARGIN, 2) {
        y += 22.0;
        canvas.text((MARGIN, y), Anchor::Start, Type::bold(16.0), Ink::Text, &line);
    }
    y + 12.0
}

/// The plot's ground, redder while an alert lasted, night for what is yet to come.
fn behind(canvas: &mut Canvas, chart: &Chart, axis: &Axis, area: Area) {
    canvas.rect(area, 0.0, Ink::Day);
    let mut marks: Vec<&Mark> = chart.marks.iter().collect();
    marks.sort_by_key(|mark| mark.at);
    for (n, alert) in marks.iter().enumerate().filter(|(_, mark)| mark.kind == MarkKind::Alert).take(200) {
        let over = marks.iter().skip(n + 1).find(|mark| matches!(mark.kind, MarkKind::Recovery | MarkKind::Alert));
        if let Some((x1, x2)) = axis.clip(alert.at, over.map_or(chart.now.max(alert.at), |over| over.at)) {
            canvas.tint(Area::new(x1, area.y, x2 - x1, area.h), 0.0, Ink::StopWash, 0.6);
        }
    }
    if chart.now < axis.end {
        let x = axis.at(chart.now);
        canvas.rect(Area::new(x, area.y, axis.right() - x, area.h), 0.0, Ink::Evening);
    }
}

/// The marks with their words, put into rows above the plots.
struct Marks<'a> {
    marks: Vec<&'a Mark>,
    places: Vec<f64>,
    packed: Packed,
}

impl<'a> Marks<'a> {
    fn of(chart: &'a Chart, axis: &Axis) -> Marks<'a> {
        let mut marks: Vec<&Mark> = chart.marks.iter().filter(|mark| axis.holds(mark.at)).collect();
        marks.sort_by_key(|mark| mark.at);
        let older = marks.len().saturating_sub(MARKS);
        marks.drain(..older);
        let places: Vec<f64> = marks.iter().map(|mark| axis.at(mark.at)).collect();
        let wanted: Vec<Wanted> = marks
            .iter()
            .zip(&places)
            .map(|(mark, x)| {
                let at = mark.at.at(axis.zone).format("%H:%M");
                let label = match drawable(&mark.label) {
                    label if label.is_empty() => format!("{} {at}", mark.kind.says()),
                    label => format!("{} {} {at}", fit(&label, WORDS, 110.0), mark.kind.says()),
                };
                Wanted { x1: x - SIGN, x2: x + SIGN, label, before: mark.kind == MarkKind::Deployment }
            })
            .collect();
        let mut packed = pack(&wanted, WORDS, MARGIN, WIDTH - MARGIN, 4, 240.0);
        packed.hidden += older;
        Marks { marks, places, packed }
    }

    /// With one for the count of what found no room.
    fn rows(&self) -> usize {
        self.packed.rows + usize::from(self.packed.hidden > 0)
    }

    fn lines(&self, canvas: &mut Canvas, area: Area) {
        for placed in &self.packed.placed {
            let (Some(mark), Some(x)) = (self.marks.get(placed.of), self.places.get(placed.of)) else { continue };
            canvas.line((*x, area.y), (*x, area.bottom()), ink_of(mark.kind), 1.5, mark.kind != MarkKind::Deployment);
        }
    }

    fn signs(&self, canvas: &mut Canvas, top: f64) {
        for placed in &self.packed.placed {
            let (Some(mark), Some(x)) = (self.marks.get(placed.of), self.places.get(placed.of)) else { continue };
            let y = top + ROW * placed.row as f64;
            sign_of(canvas, mark.kind, *x, y);
            canvas.text((placed.label_x, y + 4.0), Anchor::Start, WORDS, ink_of(mark.kind), &placed.label);
        }
        if self.packed.hidden > 0 {
            let says = format!("+{} more", self.packed.hidden);
            let y = top + ROW * self.packed.rows as f64 + 4.0;
            canvas.text((MARGIN, y), Anchor::Start, Type::regular(10.5), Ink::Soft, &says);
        }
    }
}

fn ink_of(kind: MarkKind) -> Ink {
    match kind {
        MarkKind::Deployment => Ink::Text,
        MarkKind::Alert => Ink::Stop,
        MarkKind::Recovery => Ink::Good,
        MarkKind::RollBack => Ink::Event,
    }
}

/// A shape for each kind: up, a diamond, a disc, down.
fn sign_of(canvas: &mut Canvas, kind: MarkKind, x: f64, y: f64) {
    let ink = ink_of(kind);
    match kind {
        MarkKind::Deployment => canvas.shape(&[(x - 5.0, y + 4.0), (x + 5.0, y + 4.0), (x, y - 5.0)], ink, 1.0),
        MarkKind::Alert => canvas.shape(&[(x - 6.0, y), (x, y - 6.0), (x + 6.0, y), (x, y + 6.0)], ink, 1.0),
        MarkKind::Recovery => canvas.circle(x, y, 5.0, ink),
        MarkKind::RollBack => canvas.shape(&[(x - 5.0, y - 4.0), (x + 5.0, y - 4.0), (x, y + 5.0)], ink, 1.0),
    }
}

fn hours(canvas: &mut Canvas, axis: &Axis, bottom: f64) {
    let kind = Type::regular(11.0);
    for tick in axis.ticks(52.0) {
        let half = width(&tick.says, kind) / 2.0;
        let x = tick.x.clamp(axis.x + half, axis.right() - half);
        canvas.line((tick.x, bottom), (tick.x, bottom + 3.0), Ink::Soft, 0.75, false);
        canvas.text((x, bottom + 15.0), Anchor::Middle, kind, Ink::Soft, &tick.says);
    }
}

/// Whether a hole is too narrow for the words that name it.
fn unnamed_holes(chart: &Chart, axis: &Axis) -> bool {
    let series = chart.panels.iter().take(PANELS).map(|panel| panel.points.as_slice());
    series.chain(chart.requests.as_deref()).any(|points| {
        let narrow = |run: &Run| matches!(run, Run::Gap { x1, x2 } if x2 - x1 < panel::NAMED);
        series::runs(points, axis, chart.now).iter().any(narrow)
    })
}

/// Says where it ends.
fn footer(canvas: &mut Canvas, chart: &Chart, axis: &Axis, y: f64) -> f64 {
    let kind = Type::regular(10.5);
    let date = date_short(axis.start.at(axis.zone).date_naive());
    let usual = drawable(&chart.usual);
    let band = if usual.is_empty() || chart.panels.iter().all(|panel| panel.band.is_empty()) {
        String::new()
    } else {
        format!(" Grey: {usual}.")
    };
    let hatched = if unnamed_holes(chart, axis) { " Hatched: no data." } else { "" };
    let says = format!("{date}, {}.{band}{hatched}", drawable(&axis.zone_says()));
    let lines = wrap(&says, kind, WIDTH - 2.0 * MARGIN, 2);
    for (n, line) in lines.iter().enumerate() {
        canvas.text((MARGIN, y + 14.0 * n as f64), Anchor::Start, kind, Ink::Soft, line);
    }
    y + 14.0 * lines.len() as f64
}
