//! The lanes under the traffic: what is allowed, what stands in the way, who is there.

use chrono::Timelike;

use super::super::axis::Axis;
use super::super::font::{Type, drawable, width};
use super::super::ink::Ink;
use super::super::lane::{Packed, Wanted, pack};
use super::super::svg::{Anchor, Area, Canvas};
use super::super::{Labelled, Moment, Stretch};
use super::{Event, EventKind, MARGIN, Strip};
use crate::clock::{MINUTE, Time};

const ROW: f64 = 19.0;
const BAR: f64 = 16.0;
const AFTER: f64 = 7.0;
const WORDS: Type = Type::regular(11.0);
const CAPTION: Type = Type::bold(11.5);

/// More of a kind than this are counted, not drawn.
const MOST: usize = 200;

/// One lane: its name, its bars and where they stand.
#[derive(Debug)]
pub struct Lane {
    name: &'static str,
    axis: Axis,
    bars: Option<Vec<Bar>>,
    packed: Packed,
}

#[derive(Clone, Debug)]
struct Bar {
    wanted: Wanted,
    look: Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Allowed,
    Freeze,
    Shift,
    Nobody,
    Busy,
    Launch,
    Deployment,
}

/// All lanes, always the same and in the same order, so that the eye learns where to look.
pub fn of(strip: &Strip, axis: &Axis) -> Vec<Lane> {
    vec![
        lane("Allowed", axis, strip.allowed.as_ref().map(|list| allowed(list, axis)), 1),
        lane("Freeze", axis, strip.freezes.as_ref().map(|list| labelled(list, axis, Look::Freeze, "freeze")), 2),
        lane("Events", axis, strip.events.as_ref().map(|list| events(list, axis)), 3),
        lane("Deploys", axis, strip.deployments.as_ref().map(|list| deployments(list, axis)), 2),
        lane("On call", axis, strip.on_call.as_ref().map(|list| on_call(list, axis)), 2),
    ]
}

impl Lane {
    pub fn height(&self) -> f64 {
        ROW * self.packed.rows.max(1) as f64 + AFTER
    }

    pub fn draw(&self, canvas: &mut Canvas, y: f64) {
        let base = y + BAR - 4.0;
        canvas.text((MARGIN, base), Anchor::Start, CAPTION, Ink::Text, self.name);
        let row = Area::new(self.axis.x, y, self.axis.w, BAR);
        let Some(bars) = &self.bars else {
            canvas.hatch(row, 7.0, Ink::Soft, 0.7);
            let at = (row.x + 6.0, base);
            canvas.text_on(at, Anchor::Start, Type::bold(11.0), (Ink::Text, Ink::Evening), "unknown");
            return;
        };
        if bars.is_empty() {
            canvas.text((row.x + 6.0, base), Anchor::Start, WORDS, Ink::Soft, "none");
        }
        for placed in &self.packed.placed {
            let Some(bar) = bars.get(placed.of) else { continue };
            let y = y + ROW * placed.row as f64;
            let area = Area::new(bar.wanted.x1, y, bar.wanted.x2 - bar.wanted.x1, BAR);
            bar.look.draw(canvas, area);
            let at = (placed.label_x, y + BAR - 4.0);
            let inside = if placed.inside { bar.look.wash() } else { Ink::Evening };
            canvas.text_on(at, Anchor::Start, WORDS, (Ink::Text, inside), &placed.label);
        }
        if self.packed.hidden > 0 {
            let says = format!("+{} more", self.packed.hidden);
            // Under the name where the lane is high enough, else right of it.
            let (x, y) = if self.packed.rows > 1 { (MARGIN, base + ROW - 4.0) } else { (MARGIN + 50.0, base) };
            canvas.text((x, y), Anchor::Start, Type::regular(10.5), Ink::Soft, &says);
        }
    }
}

impl Look {
    fn draw(self, canvas: &mut Canvas, area: Area) {
        match self {
            Look::Allowed => canvas.rect(area, 3.0, Ink::GoodWash),
            Look::Shift => canvas.rect(area, 3.0, Ink::Bar),
            Look::Nobody => canvas.frame(inset(area), 3.0, Ink::Stop, 1.25, true),
            Look::Busy => canvas.rect(area, 3.0, Ink::EventWash),
            Look::Launch => {
                canvas.rect(area, 3.0, Ink::EventWash);
                canvas.rect(Area { w: area.w.min(4.0), ..area }, 1.5, Ink::Event);
                canvas.frame(inset(area), 3.0, Ink::Event, 1.25, false);
            }
            Look::Freeze => {
                canvas.rect(area, 3.0, Ink::StopWash);
                canvas.hatch(area, 5.0, Ink::Stop, 1.0);
                canvas.frame(inset(area), 3.0, Ink::Stop, 1.25, false);
            }
            Look::Deployment => {
                let (x, top) = (area.x + area.w / 2.0, area.y + 3.0);
                canvas.shape(&[(x - 5.0, top + 10.0), (x + 5.0, top + 10.0), (x, top)], Ink::Load, 1.0);
            }
        }
    }

    /// What lies behind words inside.
    fn wash(self) -> Ink {
        match self {
            Look::Allowed => Ink::GoodWash,
            Look::Freeze => Ink::StopWash,
            Look::Shift => Ink::Bar,
            Look::Busy | Look::Launch => Ink::EventWash,
            Look::Nobody | Look::Deployment => Ink::Evening,
        }
    }
}

fn lane(name: &'static str, axis: &Axis, bars: Option<Vec<Bar>>, rows: usize) -> Lane {
    let wanted: Vec<Wanted> = bars.iter().flatten().map(|bar| bar.wanted.clone()).collect();
    let (drawn, rest) = wanted.split_at(wanted.len().min(MOST));
    // Many share the room: shorter words, more of them.
    let widest = if wanted.len() > 8 { 104.0 } else { 190.0 };
    let mut packed = pack(drawn, WORDS, axis.x, axis.right(), rows, widest);
    packed.hidden += rest.len();
    Lane { name, axis: *axis, bars, packed }
}

fn bar(axis: &Axis, start: Time, end: Time, label: &str, look: Look) -> Option<Bar> {
    let (x1, x2) = axis.clip(start, end)?;
    let x2 = x2.max(x1 + 3.0).min(axis.right());
    Some(Bar { wanted: Wanted { x1: x1.min(x2 - 3.0), x2, label: label.to_owned(), before: false }, look })
}

fn allowed(list: &[Stretch], axis: &Axis) -> Vec<Bar> {
    let mut list: Vec<_> = list.to_vec();
    list.sort_by_key(|stretch| stretch.start);
    // Stretches that touch are one: a rule for each hour is still one window.
    let mut joined: Vec<Stretch> = Vec::new();
    for stretch in list {
        match joined.last_mut() {
            Some(last) if stretch.start <= last.end => last.end = last.end.max(stretch.end),
            _ => joined.push(stretch),
        }
    }
    let says = |stretch: &Stretch| {
        if stretch.start <= axis.start && stretch.end >= axis.end {
            return "at any time".to_owned();
        }
        let (from, to) = (stretch.start.at(axis.zone), stretch.end.at(axis.zone));
        let short = |at: &chrono::DateTime<chrono_tz::Tz>| match at.minute() {
            0 => at.hour().to_string(),
            minute => format!("{}:{minute:02}", at.hour()),
        };
        let (whole, brief) =
            (format!("{}–{}", from.format("%H:%M"), to.format("%H:%M")), format!("{}–{}", short(&from), short(&to)));
        let room = axis.clip(stretch.start, stretch.end).map_or(0.0, |(x1, x2)| x2 - x1 - 8.0);
        [whole, brief].into_iter().find(|says| width(says, WORDS) <= room).unwrap_or_default()
    };
    joined.iter().filter_map(|stretch| bar(axis, stretch.start, stretch.end, &says(stretch), Look::Allowed)).collect()
}

fn labelled(list: &[Labelled], axis: &Axis, look: Look, otherwise: &str) -> Vec<Bar> {
    let mut list: Vec<_> = list.iter().collect();
    list.sort_by_key(|one| one.start);
    list.into_iter().filter_map(|one| bar(axis, one.start, one.end, &named(&one.label, otherwise), look)).collect()
}

fn events(list: &[Event], axis: &Axis) -> Vec<Bar> {
    let mut list: Vec<_> = list.iter().collect();
    list.sort_by_key(|event| (event.kind != EventKind::Launch, event.start));
    let look = |kind| if kind == EventKind::Launch { Look::Launch } else { Look::Busy };
    list.into_iter()
        .filter_map(|event| bar(axis, event.start, event.end, &named(&event.label, "event"), look(event.kind)))
        .collect()
}

fn deployments(list: &[Moment], axis: &Axis) -> Vec<Bar> {
    let mut list: Vec<_> = list.iter().filter(|one| axis.holds(one.at)).collect();
    list.sort_by_key(|one| one.at);
    let place = |at: Time| axis.at(at).clamp(axis.x + 5.0, axis.right() - 5.0);
    list.into_iter()
        .map(|one| {
            let (x, label) = (place(one.at), named(&one.label, "deployment"));
            Bar { wanted: Wanted { x1: x - 5.0, x2: x + 5.0, label, before: false }, look: Look::Deployment }
        })
        .collect()
}

/// Shifts by name, and the time that nobody has, which comes first: it must not be what finds no room.
fn on_call(list: &[Labelled], axis: &Axis) -> Vec<Bar> {
    let room = |gap: &Stretch| axis.clip(gap.start, gap.end).map_or(0.0, |(x1, x2)| x2 - x1 - 8.0);
    let label = |gap: &Stretch| if room(gap) > width("nobody", WORDS) { "nobody" } else { "" };
    let gaps = nobody(list, axis);
    let gaps = gaps.iter().filter_map(|gap| bar(axis, gap.start, gap.end, label(gap), Look::Nobody));
    let mut bars: Vec<Bar> = gaps.chain(labelled(list, axis, Look::Shift, "somebody")).collect();
    // A hand-over leaves a hair between two shifts, or they would be put into two rows.
    for bar in bars.iter_mut().filter(|bar| bar.wanted.x2 - bar.wanted.x1 > 8.0) {
        bar.wanted.x1 += 1.5;
        bar.wanted.x2 -= 1.5;
    }
    bars
}

/// The stretches of the strip in which nobody is on call; what lasts less than a minute is a hand-over.
pub fn nobody(list: &[Labelled], axis: &Axis) -> Vec<Stretch> {
    let mut shifts: Vec<(Time, Time)> =
        list.iter().map(|one| (one.start.min(one.end), one.end.max(one.start))).collect();
    shifts.sort_unstable();
    let mut covered = axis.start;
    let mut gaps = Vec::new();
    for (start, end) in shifts.into_iter().chain([(axis.end, axis.end)]) {
        let start = start.min(axis.end);
        if start.since(covered) > MINUTE {
            gaps.push(Stretch { start: covered, end: start });
        }
        covered = covered.max(end);
    }
    gaps
}

fn named(label: &str, otherwise: &str) -> String {
    let label = drawable(label);
    if label.is_empty() { otherwise.to_owned() } else { label }
}

fn inset(area: Area) -> Area {
    Area::new(area.x + 0.6, area.y + 0.6, area.w - 1.2, area.h - 1.2)
}
