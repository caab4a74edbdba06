//! What a report of coverage adds to other checks: whether tests run the new lines, and whether less is covered than before.

use crate::advice::facts::{Coverage, Fact};
use crate::advice::sight::{Gap, Topic, gap};
use crate::advice::view::{View, because};
use crate::advice::{Because, FlagLevel, says};

/// From so many new lines on their share is judged.
const LEAST: u32 = 20;
/// Where fewer of the new lines than this are run, from 0 to 1, it is a caution.
const LOW: f64 = 0.5;
/// A fall by so many percentage points is a caution.
const FALL: f64 = 1.0;

/// What is added to a check; nothing where nothing is reported.
pub(super) struct Adds {
    pub level: FlagLevel,
    /// A sentence after a space, or nothing.
    pub says: String,
    pub because: Option<Because>,
    pub points: i32,
}

/// How many of the new lines tests run.
pub(super) fn touched(view: &View<'_>) -> Adds {
    // Of several reports the one that knows most of the new lines; the first by name where they know as many.
    let told = view.coverage.known.iter().filter_map(|fact| Some((fact, fact.value.touched?)));
    let best = told.max_by(|(a, x), (b, y)| x.of.cmp(&y.of).then_with(|| b.source.cmp(&a.source)));
    let Some((fact, covered)) = best else { return Adds::nothing() };
    let Some(share) = covered.share() else { return Adds::nothing() };
    let what =
        format!("tests run {} of {} ({})", covered.lines, says::count(covered.of, "new line"), says::share(share));
    let low = covered.of >= LEAST && share < LOW;
    let level = if low { FlagLevel::Caution } else { FlagLevel::Pass };
    Adds { level, says: format!(" {}.", says::capital(&what)), because: Some(because(fact, what)), points: 0 }
}

/// How much of the whole is covered, and how that moves.
pub(super) fn moved(view: &View<'_>) -> Adds {
    let told = view.coverage.known.iter().filter_map(|fact| Some((fact, fact.value.project?, fact.value.delta?)));
    let found: Option<(&Fact<Coverage>, f64, f64)> =
        told.min_by(|a, b| a.2.total_cmp(&b.2).then_with(|| a.0.source.cmp(&b.0.source)));
    let Some((fact, project, delta)) = found else { return Adds::nothing() };
    let (fell, moves) = (delta <= -FALL, delta.abs() >= 0.05);
    let how = match (moves, delta < 0.0) {
        (false, _) => format!("coverage stays at {project:.1} %"),
        (_, true) => format!("coverage falls by {:.1} points to {project:.1} %", -delta),
        (_, false) => format!("coverage rises by {delta:.1} points to {project:.1} %"),
    };
    let (level, points) = if fell { (FlagLevel::Caution, 2) } else { (FlagLevel::Pass, 0) };
    Adds { level, says: format!(" {}.", says::capital(&how)), because: Some(because(fact, how)), points }
}

/// Coverage that somebody should tell and does not.
pub(super) fn unseen(view: &View<'_>) -> Option<Gap> {
    if view.coverage.is_unasked() { None } else { gap(view, Topic::Coverage) }
}

impl Adds {
    fn nothing() -> Adds {
        Adds { level: FlagLevel::Pass, says: String::new(), because: None, points: 0 }
    }
}
