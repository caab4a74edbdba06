//! The suggested windows in words: when, how risky, why.

use super::super::axis::{moment, stretch};
use super::super::font::{Type, drawable, fit, width, wrap};
use super::super::ink::Ink;
use super::super::svg::{Anchor, Area, Canvas};
use super::{MARGIN, Strip, TOLD, WIDTH, Window};

/// Where words begin, to the right of the numbers.
const WORDS_X: f64 = 44.0;
/// The bars of the scores.
const BAR_W: f64 = 64.0;
const SCORE_W: f64 = 30.0;
const BAR_X: f64 = WIDTH - MARGIN - SCORE_W - BAR_W;

/// Draws the title and the table, and says where it ends.
pub fn draw(canvas: &mut Canvas, strip: &Strip) -> f64 {
    let mut y = 28.0;
    let title = fit(&drawable(&strip.title), Type::bold(13.0), WIDTH - 2.0 * MARGIN - 84.0);
    canvas.text((MARGIN, y), Anchor::Start, Type::bold(13.0), Ink::Soft, &title);
    canvas.text((WIDTH - MARGIN, y), Anchor::End, Type::regular(11.5), Ink::Soft, "risk of 100");
    y += 26.0;
    let heading = strip.none_good.as_deref().map(drawable).unwrap_or_default();
    let heading = match (heading.is_empty(), strip.windows.is_empty()) {
        (true, true) => "No window found".to_owned(),
        _ => heading,
    };
    for line in wrap(&heading, Type::bold(15.0), WIDTH - 2.0 * MARGIN, 2) {
        canvas.text((MARGIN, y), Anchor::Start, Type::bold(15.0), Ink::Text, &line);
        y += 22.0;
    }
    if !heading.is_empty() {
        y += 6.0;
    }
    for (n, window) in strip.windows.iter().take(TOLD).enumerate() {
        y = row(canvas, strip, n, window, y);
    }
    y = now(canvas, strip, y);
    canvas.line((MARGIN, y - 8.0), (WIDTH - MARGIN, y - 8.0), Ink::Grid, 1.0, false);
    y
}

/// The number of a window in its disc: full for a good one, an open ring for one that costs something.
pub fn number(canvas: &mut Canvas, (x, y): (f64, f64), n: usize, good: bool) {
    let says = (n + 1).to_string();
    if good {
        canvas.circle(x, y, 9.5, Ink::Good);
        canvas.text((x, y + 4.2), Anchor::Middle, Type::bold(12.0), Ink::OnGood, &says);
    } else {
        canvas.circle(x, y, 9.5, Ink::Paper);
        canvas.ring(x, y, 8.5, Ink::Costs, 2.0);
        canvas.text((x, y + 4.2), Anchor::Middle, Type::bold(12.0), Ink::Text, &says);
    }
}

fn row(canvas: &mut Canvas, strip: &Strip, n: usize, window: &Window, mut y: f64) -> f64 {
    let kind = if n == 0 { Type::bold(16.0) } else { Type::bold(13.0) };
    number(canvas, (MARGIN + 9.5, y - 5.0), n, window.good);
    let when = fit(&stretch(window.start, window.end, strip.zone), kind, BAR_X - WORDS_X - 10.0);
    canvas.text((WORDS_X, y), Anchor::Start, kind, Ink::Text, &when);
    score(canvas, window.score, if window.good { Ink::Good } else { Ink::Costs }, y);
    let why = drawable(&window.why);
    let small = Type::regular(12.0);
    for line in wrap(&why, small, WIDTH - MARGIN - WORDS_X, if n == 0 { 2 } else { 1 }) {
        y += 16.5;
        canvas.text((WORDS_X, y), Anchor::Start, small, Ink::Soft, &line);
    }
    y + if n == 0 { 27.0 } else { 25.0 }
}

/// What the plan's own time looks like, to compare with.
fn now(canvas: &mut Canvas, strip: &Strip, y: f64) -> f64 {
    let kind = Type::bold(13.0);
    canvas.line((MARGIN + 9.5, y - 12.0), (MARGIN + 9.5, y + 3.0), Ink::Text, 2.0, false);
    canvas.text((WORDS_X, y), Anchor::Start, kind, Ink::Text, "Now");
    let at = moment(strip.now, strip.zone);
    canvas.text((WORDS_X + width("Now", kind) + 8.0, y), Anchor::Start, Type::regular(12.0), Ink::Soft, &at);
    match strip.score_now {
        Some(value) => score(canvas, value, Ink::Soft, y),
        None => canvas.text((WIDTH - MARGIN, y), Anchor::End, Type::regular(12.0), Ink::Soft, "unknown"),
    }
    y + 24.0
}

fn score(canvas: &mut Canvas, value: u32, ink: Ink, y: f64) {
    let value = value.min(100);
    let track = Area::new(BAR_X, y - 9.0, BAR_W, 8.0);
    canvas.rect(track, 4.0, Ink::Grid);
    canvas.rect(Area { w: (BAR_W * f64::from(value) / 100.0).max(4.0), ..track }, 4.0, ink);
    canvas.text((WIDTH - MARGIN, y), Anchor::End, Type::bold(15.0), Ink::Text, &value.to_string());
}
