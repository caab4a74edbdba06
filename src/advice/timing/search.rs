//! The search for stretches of equally good moments to begin at.

use super::spans::Stretch;
use super::timeline::SEARCHED;
use super::{Code, Fit, SlotCost, Timeline};
use crate::clock::{DAY, MINUTE, Millis, Time};

/// Moments are tried this far apart, on round minutes of the team's clocks.
pub const STEP: Millis = 10 * MINUTE;
/// Moments whose points differ by no more than this, and by load alone, are equally good.
const ALIKE: i32 = 1;

/// One moment that was tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tried {
    pub at: Millis,
    pub cost: SlotCost,
}

/// What counts as good: inside the allowed window, no freeze, somebody at work to notice, the planner at work, the load
/// under the limit of caution. Where no moment of ninety days meets all of that, the last two may give way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// Whether the planner must be at work.
    pub planner: bool,
    /// The load that is still good, in thousandths of the peak, where the usual limit cannot be kept.
    pub limit: Option<u32>,
}

impl Terms {
    pub const STRICT: Terms = Terms { planner: true, limit: None };

    pub fn good(&self, cost: &SlotCost) -> bool {
        let firm = Fit::ALLOWED.with(Fit::UNFROZEN).with(Fit::ATTENDED).with(Fit::NEAR);
        let quiet = match self.limit {
            None => cost.fit.has(Fit::QUIET),
            Some(limit) => cost.load.is_none_or(|load| load <= limit),
        };
        cost.fit.has(firm) && quiet && (!self.planner || cost.fit.has(Fit::PLANNER))
    }
}

/// Every moment of a stretch at which a deployment could begin and still end in it.
pub fn tried(line: &Timeline<'_>, (from, until): Stretch) -> Vec<Tried> {
    let steps = line.wall.steps(from, until - line.length + 1, STEP);
    steps.map(|at| Tried { at, cost: line.cost(Time::from_ms(at)) }).collect()
}

/// Runs of neighbours that meet the same conditions, of those that are wanted.
pub fn runs<'t>(tried: &'t [Tried], wanted: impl Fn(&Tried) -> bool + Copy + 't) -> impl Iterator<Item = &'t [Tried]> {
    let together = move |a: &Tried, b: &Tried| {
        b.at - a.at == STEP && wanted(a) == wanted(b) && a.cost.fit == b.cost.fit && a.cost.duty == b.cost.duty
    };
    tried.chunk_by(together).filter(move |run| run.first().is_some_and(wanted))
}

/// The best part of a run: around the earliest of its lowest points, as far as the moments are as good.
pub fn best(run: &[Tried]) -> &[Tried] {
    let lowest = run.iter().enumerate().min_by_key(|(_, tried)| tried.cost.points);
    let Some((i, lowest)) = lowest else { return run };
    let start = run[..i].iter().rposition(|tried| !alike(tried, lowest)).map_or(0, |i| i + 1);
    let end = run[i..].iter().position(|tried| !alike(tried, lowest)).map_or(run.len(), |ahead| i + ahead);
    &run[start..end]
}

/// The first part of a run: what begins soonest, as far as the moments are no worse than the first.
pub fn soonest(run: &[Tried]) -> &[Tried] {
    let Some(first) = run.first() else { return run };
    &run[..run.iter().position(|tried| !alike(tried, first)).unwrap_or(run.len())]
}

fn alike(a: &Tried, b: &Tried) -> bool {
    let rest = |tried: &Tried| {
        let mut parts = tried.cost.parts;
        parts[Code::PeakTraffic as usize] = 0;
        parts
    };
    rest(a) == rest(b) && (a.cost.points - b.cost.points).abs() <= ALIKE
}

/// The first good moment from `from` on, within ninety days of now, with those after it that are as good.
pub fn first_good(line: &Timeline<'_>, from: Millis, terms: Terms) -> Option<Vec<Tried>> {
    let now = line.ctx.now.ms();
    let end = now + SEARCHED;
    // A deployment that takes longer than the horizon is "beyond" it from before now on.
    let mut at = round_up(line, from.max(now))?;
    while at <= end {
        let cost = line.cost(Time::from_ms(at));
        if terms.good(&cost) {
            let day = tried(line, (at, (at + DAY).min(end) + line.length));
            let run = runs(&day, |tried| terms.good(&tried.cost)).next()?;
            return Some(soonest(run).to_vec());
        }
        at = round_up(line, after(line, at, &cost)?.max(at + STEP))?;
    }
    None
}

/// The lowest load of the next two weeks among moments that are good but for it.
pub fn lowest_load(line: &Timeline<'_>, planner: bool) -> Option<u32> {
    let terms = Terms { planner, limit: Some(u32::MAX) };
    let all = line.wall.steps(line.ctx.now.ms(), line.ctx.now.ms() + 14 * DAY, STEP);
    let good = all.map(|at| line.cost(Time::from_ms(at))).filter(|cost| terms.good(cost));
    good.filter_map(|cost| cost.load).min()
}

/// The first moment at which what stands in the way of `at` could be over; None: never.
fn after(line: &Timeline<'_>, at: Millis, cost: &SlotCost) -> Option<Millis> {
    let mut next = at;
    if let Some((allowed, _)) = line.allowed.as_ref().filter(|_| !cost.fit.has(Fit::ALLOWED)) {
        next = next.max(allowed.next(at + 1)?.0);
    }
    if !cost.fit.has(Fit::UNFROZEN) {
        let freezes = &line.calendar.freezes.time;
        let ahead = freezes.within(at, line.watched_until(at)).next().and_then(|(start, _)| freezes.holding(start));
        next = next.max(ahead.map_or(at, |(_, end)| end));
    }
    if !cost.fit.has(Fit::ATTENDED) {
        next = next.max(line.attended.next(at + 1)?.0);
    }
    Some(next)
}

fn round_up(line: &Timeline<'_>, at: Millis) -> Option<Millis> {
    line.wall.steps(at, at.saturating_add(DAY), STEP).next()
}
