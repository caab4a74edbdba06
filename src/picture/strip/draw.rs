//! The whole strip: what lies where.

use chrono::NaiveTime;

use super::super::Theme;
use super::super::axis::{Axis, Day};
use super::super::font::{Type, drawable, fit, width};
use super::super::ink::Ink;
use super::super::lane::spread;
use super::super::svg::{Anchor, Area, Canvas};
use super::{MARGIN, PLOT_W, PLOT_X, Strip, TOLD, WIDTH, Window, alt, lanes, load, table};
use crate::clock::HOUR;

const LOAD_HEIGHT: f64 = 88.0;
const MARK: f64 = 9.5;

/// Draws the strip, 480 wide and about as high.
pub fn svg(strip: &Strip, theme: Theme) -> String {
    let mut canvas = Canvas::new(theme, WIDTH);
    let axis = Axis::new(strip.start, strip.end, PLOT_X, PLOT_W, strip.zone);
    let lanes = lanes::of(strip, &axis);

    let top = table::draw(&mut canvas, strip);
    let plot = top + 46.0;
    let hours = plot + LOAD_HEIGHT + 15.0;
    let first_lane = hours + 12.0;
    let bottom = first_lane + lanes.iter().map(lanes::Lane::height).sum::<f64>();

    // From back to front: the hours of the day, the windows, the grid, what is known, the marks.
    let whole = Area::new(axis.x, plot, axis.w, LOAD_HEIGHT);
    let below = Area::new(axis.x, first_lane - 4.0, axis.w, bottom - first_lane + 4.0);
    for area in [whole, below] {
        hours_of_people(&mut canvas, strip, &axis, area);
        windows(&mut canvas, strip, &axis, area);
        midnights(&mut canvas, &axis, area);
    }
    load::draw(&mut canvas, strip, &axis, whole);
    day_names(&mut canvas, &axis, top + 14.0);
    hour_names(&mut canvas, &axis, hours);
    let mut y = first_lane;
    for lane in &lanes {
        lane.draw(&mut canvas, y);
        y += lane.height();
    }
    now_and_windows(&mut canvas, strip, &axis, (plot, bottom));
    footer(&mut canvas, &axis, !strip.working.is_empty(), bottom + 20.0);
    canvas.finish(bottom + 32.0, &alt(strip))
}

/// Shades what lies outside working hours, and the night.
fn hours_of_people(canvas: &mut Canvas, strip: &Strip, axis: &Axis, area: Area) {
    let known = !strip.working.is_empty();
    canvas.rect(area, 0.0, if known { Ink::Evening } else { Ink::Day });
    for work in strip.working.iter().filter_map(|work| axis.clip(work.start, work.end)).take(200) {
        canvas.rect(Area::new(work.0, area.y, work.1 - work.0, area.h), 0.0, Ink::Day);
    }
    for day in axis.days() {
        for (from, to) in [(0, 6), (22, 24)] {
            if let Some((x1, x2)) = part_of_day(axis, day, from, to) {
                canvas.rect(Area::new(x1, area.y, x2 - x1, area.h), 0.0, Ink::Night);
            }
        }
    }
}

/// The hours of a day that are seen, on the zone's clocks.
fn part_of_day(axis: &Axis, day: Day, from: u32, to: u32) -> Option<(f64, f64)> {
    use chrono::TimeZone;
    let at = |hour: u32| {
        let (date, hour) = if hour == 24 { (day.date.succ_opt()?, 0) } else { (day.date, hour) };
        let local = date.and_time(NaiveTime::from_hms_opt(hour, 0, 0)?);
        axis.zone.from_local_datetime(&local).earliest().map(crate::clock::Time::from)
    };
    // Where the clocks skip the edge, the hour after it is the edge.
    let start = at(from).or_else(|| at(from + 1))?;
    let end = at(to).or_else(|| at(to - 1).map(|end| end.plus(HOUR)))?;
    (start < axis.end && end > axis.start).then(|| (axis.at(start), axis.at(end)))
}

/// The suggested windows, as columns through everything.
fn windows(canvas: &mut Canvas, strip: &Strip, axis: &Axis, area: Area) {
    for window in strip.windows.iter().take(TOLD).rev() {
        let Some((x1, x2)) = axis.clip(window.start, window.end) else { continue };
        let column = Area::new(x1, area.y, (x2 - x1).max(3.0), area.h);
        if window.good {
            canvas.tint(column, 0.0, Ink::Good, 0.28);
        } else {
            canvas.tint(column, 0.0, Ink::Costs, 0.16);
            canvas.hatch(column, 5.0, Ink::Costs, 1.0);
        }
    }
}

fn midnights(canvas: &mut Canvas, axis: &Axis, area: Area) {
    for day in axis.days().iter().skip(1) {
        canvas.line((day.x1, area.y), (day.x1, area.bottom()), Ink::Soft, 0.75, false);
    }
}

fn day_names(canvas: &mut Canvas, axis: &Axis, y: f64) {
    let kind = Type::bold(12.0);
    for day in axis.days() {
        let room = day.x2 - day.x1 - 4.0;
        let says = ["%a %-d %b", "%a %-d", "%a"].map(|format| day.date.format(format).to_string());
        if let Some(says) = says.iter().find(|says| width(says, kind) <= room) {
            canvas.text((day.x1 + if day.x1 > axis.x { 3.0 } else { 0.0 }, y), Anchor::Start, kind, Ink::Text, says);
        }
    }
}

fn hour_names(canvas: &mut Canvas, axis: &Axis, y: f64) {
    let kind = Type::regular(11.0);
    for tick in axis.ticks(46.0) {
        let half = width(&tick.says, kind) / 2.0;
        let x = tick.x.clamp(axis.x + half, axis.right() - half + 8.0);
        canvas.line((tick.x, y - 15.0), (tick.x, y - 12.0), Ink::Soft, 0.75, false);
        canvas.text((x, y), Anchor::Middle, kind, Ink::Soft, &tick.says);
    }
}

/// The numbers over the windows, the line of the present, the change of the clocks.
fn now_and_windows(canvas: &mut Canvas, strip: &Strip, axis: &Axis, (top, bottom): (f64, f64)) {
    let now = axis.holds(strip.now).then(|| axis.at(strip.now));
    // Where each numbered window stands: those that begin after the strip at its end, with an arrow.
    let told: Vec<(usize, &Window, Option<f64>)> = strip
        .windows
        .iter()
        .take(TOLD)
        .enumerate()
        .filter_map(|(n, window)| match axis.clip(window.start, window.end) {
            Some((x1, x2)) => Some((n, window, Some(f64::midpoint(x1, x2.max(x1 + 3.0))))),
            None => (window.start > axis.end).then_some((n, window, None)),
        })
        .collect();
    let mut places: Vec<f64> = told.iter().map(|(_, _, x)| x.unwrap_or(axis.right())).collect();
    // The word "now" takes its place among the numbers.
    places.extend(now);
    let places = spread(&places, 2.0 * MARK + 6.0, axis.x, axis.right() - MARK);
    let y = top - MARK - 6.0;
    for ((n, window, x), place) in told.iter().zip(&places) {
        let ink = if window.good { Ink::Good } else { Ink::Costs };
        if let Some(x) = x {
            canvas.line((place.clamp(x - 40.0, x + 40.0), y + MARK), (*x, top), ink, 1.5, false);
        } else {
            let tip = place + MARK + 10.0;
            canvas.shape(&[(tip - 6.0, y - 5.0), (tip, y), (tip - 6.0, y + 5.0)], ink, 1.0);
        }
        table::number(canvas, (*place, y), *n, window.good);
    }
    if let (Some(x), Some(place)) = (now, places.last()) {
        canvas.line((x, top), (x, bottom), Ink::Text, 1.5, false);
        canvas.line((*place, y + 5.0), (x, top), Ink::Text, 1.5, false);
        canvas.text((*place, y + 2.0), Anchor::Middle, Type::bold(11.0), Ink::Text, "now");
    }
    for shift in axis.shifts() {
        let x = axis.at(shift.at);
        canvas.line((x, top), (x, bottom), Ink::Event, 1.25, true);
        let hours = shift.by as f64 / HOUR as f64;
        let says = if hours > 0.0 { format!("clocks +{hours} h") } else { format!("clocks −{} h", -hours) };
        let kind = Type::bold(10.5);
        let (x, anchor) =
            if x + width(&says, kind) + 6.0 < axis.right() { (x + 4.0, Anchor::Start) } else { (x - 4.0, Anchor::End) };
        canvas.text_on((x, top + 12.0), anchor, kind, (Ink::Event, Ink::Night), &says);
    }
}

fn footer(canvas: &mut Canvas, axis: &Axis, known: bool, y: f64) {
    let kind = Type::regular(10.5);
    let shaded = if known { "evening, night, days off" } else { "night" };
    let says = format!("Times in {}. Shaded: {shaded}.", drawable(&axis.zone_says()));
    canvas.text((MARGIN, y), Anchor::Start, kind, Ink::Soft, &fit(&says, kind, WIDTH - 2.0 * MARGIN));
}
