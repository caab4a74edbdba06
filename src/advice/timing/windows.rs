//! The windows that are suggested: the good ones first, then those that would be sooner but cost something.

use super::obstacle::in_the_way;
use super::people::part_of_week;
use super::reason::{costs, reasons};
use super::search::{Terms, Tried, best, first_good, lowest_load, runs, soonest, tried};
use super::spans::Stretch;
use super::timeline::SEARCHED;
use super::{Fit, Timeline};
use crate::advice::{Context, Slot, Windows, says};
use crate::clock::{DAY, HOUR, Millis, Time};

/// How many windows are told.
const MOST: usize = 5;
/// How many of them may cost something.
const MOST_COSTLY: usize = 2;
/// A window that costs something is told if it is sooner than the first good one by this much,
const SOONER: Millis = 2 * HOUR;
/// or less risky than the best good one by so many points.
const WORTH: i32 = 3;

/// The windows of a plan: `base_points` is what the rest of the advice gives, without the points of any
/// [`Code`](super::Code). Searches the policy's horizon, and ninety days where nothing in it is good.
pub fn windows(ctx: &Context<'_>, line: &Timeline<'_>, base_points: i32) -> Windows {
    let (now, horizon) = (ctx.now.ms(), line.horizon_end());
    let all = tried(line, (now, horizon));
    let search = Search { line, base: base_points };
    let mut terms = Terms::STRICT;
    let mut good = search.good(&all, terms);
    let mut later = None;
    if good.is_empty() {
        later = first_good(line, horizon - line.length, terms);
        if later.is_none() {
            terms = search.give_way();
            good = search.good(&all, terms);
            later = first_good(line, horizon - line.length, terms).filter(|_| good.is_empty());
        }
    }
    let obstacle = good.is_empty().then(|| in_the_way(line, &all, later.as_ref().and_then(|run| run.first())));
    let mut found: Vec<Found> = good;
    let none_before = later.as_ref().and_then(|run| run.first()).map(|first| Time::from_ms(first.at));
    found.extend(later.as_deref().and_then(Found::of));
    let costly = search.costly(&all, &found, terms);
    found.truncate(MOST - costly.len());
    let mut windows: Vec<Slot> = found.iter().map(|found| search.slot(found, terms, true)).collect();
    windows.extend(costly.iter().map(|found| search.slot(found, terms, false)));
    let mut now = search.own_time(ctx, terms);
    if let Some(says) = obstacle {
        if let Some(first) = windows.first_mut().filter(|first| first.good) {
            first.reasons.insert(0, format!("the first good one: {says}"));
        }
        now.reasons.push(says);
    }
    Windows { horizon_end: Time::from_ms(horizon), now, windows, none_before }
}

struct Search<'t, 'a> {
    line: &'t Timeline<'a>,
    base: i32,
}

/// A stretch of moments that are as good as each other.
#[derive(Clone, Debug)]
struct Found {
    first: Tried,
    last: Tried,
    /// The worst of them: what is promised holds anywhere in the window.
    points: i32,
}

impl Found {
    fn of(run: &[Tried]) -> Option<Found> {
        let points = run.iter().map(|tried| tried.cost.points).max()?;
        Some(Found { first: *run.first()?, last: *run.last()?, points })
    }
}

impl Search<'_, '_> {
    /// The good windows, best first, at most two of a day.
    fn good(&self, all: &[Tried], terms: Terms) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for run in runs(all, |tried| terms.good(&tried.cost)) {
            let (best, soonest) = (Found::of(best(run)), Found::of(soonest(run)));
            let apart = |a: &Found, b: &Found| a.last.at < b.first.at;
            found.extend(soonest.filter(|soonest| best.as_ref().is_some_and(|best| apart(soonest, best))));
            found.extend(best);
        }
        found.sort_by_key(|found| (found.points, found.first.at));
        let mut days: Vec<i64> = Vec::new();
        found.retain(|found| {
            let day = self.day(found.first.at);
            days.push(day);
            days.iter().filter(|other| **other == day).count() <= 2
        });
        found.truncate(MOST);
        found
    }

    /// What would be sooner, or a good deal quieter, and costs an override or somebody's free time. Never in a freeze.
    fn costly(&self, all: &[Tried], good: &[Found], terms: Terms) -> Vec<Found> {
        let people = Fit::ATTENDED.with(Fit::PLANNER);
        let wanted = |tried: &Tried| {
            let fit = tried.cost.fit;
            let quiet = fit.has(Fit::QUIET) || terms.limit.is_some();
            !terms.good(&tried.cost)
                && quiet
                && fit.has(Fit::UNFROZEN.with(Fit::NEAR))
                && !fit.has(people.with(Fit::ALLOWED))
        };
        let first_good = good.iter().map(|found| found.first.at).min();
        let least = good.iter().map(|found| found.points).min();
        // For each kind of cost the best, and the soonest of those that are as good.
        let mut kinds: Vec<(&str, Found)> = Vec::new();
        for run in runs(all, wanted) {
            for part in run.chunk_by(|a, b| self.kind(a) == self.kind(b)) {
                let Some(found) = Found::of(best(part)) else { continue };
                let worth = first_good.is_none_or(|first| found.first.at + SOONER <= first)
                    || least.is_none_or(|least| found.points <= least - WORTH);
                if !worth {
                    continue;
                }
                let kind = self.kind(&found.first);
                match kinds.iter_mut().find(|(known, _)| *known == kind) {
                    Some((_, known)) if found.points < known.points => *known = found,
                    Some(_) => {}
                    None => kinds.push((kind, found)),
                }
            }
        }
        // Nights are for those who have nothing else.
        if !good.is_empty() || kinds.iter().any(|(kind, _)| *kind != "night") {
            kinds.retain(|(kind, _)| *kind != "night");
        }
        let mut found: Vec<Found> = kinds.into_iter().map(|(_, found)| found).collect();
        found.sort_by_key(|found| (found.first.at, found.points));
        found.truncate(MOST_COSTLY);
        if found.is_empty() && good.is_empty() {
            found.extend(self.any_allowed());
        }
        found
    }

    /// What a moment would take from people: nothing (only an override), or which part of their free time.
    fn kind(&self, tried: &Tried) -> &'static str {
        if tried.cost.fit.has(Fit::ATTENDED.with(Fit::PLANNER)) {
            return "override";
        }
        match part_of_week(self.line.wall.shows(tried.at)) {
            "early morning" => "night",
            other => other,
        }
    }

    /// The first moment that is at least allowed and not frozen, where ninety days hold nothing better.
    fn any_allowed(&self) -> Option<Found> {
        let line = self.line;
        let step = 6 * super::search::STEP;
        let (from, until) = (line.ctx.now.ms(), line.ctx.now.ms() + SEARCHED);
        let mut all = line.wall.steps(from, until, step);
        let fits =
            |at: &Millis| line.cost(Time::from_ms(*at)).fit.has(Fit::ALLOWED.with(Fit::UNFROZEN).with(Fit::NEAR));
        let at = all.find(fits)?;
        let tried = Tried { at, cost: line.cost(Time::from_ms(at)) };
        Found::of(&[tried])
    }

    /// Terms that some moment of ninety days can meet, giving up as little as possible.
    fn give_way(&self) -> Terms {
        let line = self.line;
        let limit = |planner| lowest_load(line, planner).map(|load| load + load / 20);
        let tries = [
            Some(Terms { planner: false, limit: None }),
            limit(true).map(|limit| Terms { planner: true, limit: Some(limit) }),
            limit(false).map(|limit| Terms { planner: false, limit: Some(limit) }),
        ];
        let now = line.ctx.now.ms();
        tries.into_iter().flatten().find(|terms| first_good(line, now, *terms).is_some()).unwrap_or(Terms::STRICT)
    }

    fn slot(&self, found: &Found, terms: Terms, good: bool) -> Slot {
        let stretch: Stretch = (found.first.at, found.last.at + self.line.length);
        let costs = if good { Vec::new() } else { costs(self.line, found.first.at, &found.first.cost) };
        Slot {
            start: Time::from_ms(stretch.0),
            end: Time::from_ms(stretch.1),
            score: self.score(found.points),
            reasons: reasons(self.line, stretch, &found.first.cost, terms),
            good,
            costs,
        }
    }

    /// The plan's own time.
    fn own_time(&self, ctx: &Context<'_>, terms: Terms) -> Slot {
        let line = self.line;
        let start = ctx.plan.when.start(ctx.now).max(ctx.now);
        let cost = line.cost(start);
        let good = terms.good(&cost);
        let stretch = (start.ms(), start.ms() + line.length);
        Slot {
            start,
            end: Time::from_ms(stretch.1),
            score: self.score(cost.points),
            reasons: reasons(line, stretch, &cost, terms),
            good,
            costs: if good { Vec::new() } else { costs(line, start.ms(), &cost) },
        }
    }

    fn score(&self, points: i32) -> u32 {
        self.base.saturating_add(points).clamp(0, 100).unsigned_abs()
    }

    /// The day on the team's clocks.
    fn day(&self, at: Millis) -> i64 {
        self.line.wall.shows(at).div_euclid(DAY)
    }
}

/// "the next 48 h", "the next 14 days".
pub(super) fn horizon(line: &Timeline<'_>) -> String {
    let length = line.horizon_end() - line.ctx.now.ms();
    let hours = length / HOUR;
    if hours <= 72 { format!("the next {hours} h") } else { format!("the next {}", says::span(length)) }
}
