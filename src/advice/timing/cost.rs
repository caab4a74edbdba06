//! A moment in numbers: what the search compares, without a word.

use super::load::points;
use super::{Code, Timeline};
use crate::clock::{HOUR, Time};
use crate::config::CheckMode;

/// What beginning at a moment costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotCost {
    /// What it adds to the score: the parts of those checks that are on.
    pub points: i32,
    /// Points by [`Code`].
    pub parts: [i32; Code::ALL.len()],
    pub fit: Fit,
    /// The greatest load over the deployment and the first hours of its watch, in thousandths of the weekly peak.
    pub load: Option<u32>,
    /// Who is on call: the place in the rota.
    pub duty: Option<usize>,
}

/// Which conditions a moment meets. One whose check is not on counts as met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fit(u8);

impl Fit {
    /// The whole deployment lies in the allowed window.
    pub const ALLOWED: Fit = Fit(1);
    /// No freeze until the watch ends.
    pub const UNFROZEN: Fit = Fit(2);
    /// Somebody who would notice is at work over the deployment and the first hours of its watch.
    pub const ATTENDED: Fit = Fit(4);
    /// The planner is at work during the deployment.
    pub const PLANNER: Fit = Fit(8);
    /// The load stays below the limit of caution, or is unknown.
    pub const QUIET: Fit = Fit(16);
    /// Near enough to be judged.
    pub const NEAR: Fit = Fit(32);
    /// No hand-over until the watch ends.
    pub const ONE_SHIFT: Fit = Fit(64);

    pub const fn with(self, other: Fit) -> Fit {
        Fit(self.0 | other.0)
    }

    pub const fn has(self, other: Fit) -> bool {
        self.0 & other.0 == other.0
    }

    fn set(&mut self, condition: Fit, met: bool) {
        if met {
            self.0 |= condition.0;
        }
    }
}

impl SlotCost {
    pub fn part(&self, code: Code) -> i32 {
        self.parts[code as usize]
    }
}

impl Timeline<'_> {
    /// A plan that begins at a moment, in numbers. The past counts as now. Always the same points as
    /// [`Timeline::moment`] gives.
    pub fn cost(&self, at: Time) -> SlotCost {
        let at = at.max(self.ctx.now).ms();
        let on = |code| self.mode(code) == CheckMode::On;
        if at > self.last {
            let parts = Code::ALL.map(Code::of_unknown);
            return SlotCost { points: self.total(&parts), parts, fit: Fit::default(), load: None, duty: None };
        }
        let (done, looked, watched) = (at + self.length, at + self.look, self.watched_until(at));
        let mut fit = Fit::NEAR;
        let mut parts = [0; Code::ALL.len()];

        let allowed = self.allowed.as_ref().is_none_or(|(allowed, _)| allowed.covers(at, done));
        fit.set(Fit::ALLOWED, allowed || !on(Code::Window));
        fit.set(Fit::UNFROZEN, !self.calendar.freezes.time.overlaps(at, watched) || !on(Code::Freeze));

        let load = self.load.most((at, looked)).map(|(share, _)| share);
        parts[Code::PeakTraffic as usize] = load.map_or(Code::PeakTraffic.of_unknown(), points);
        fit.set(Fit::QUIET, load.is_none_or(|share| share < self.load.caution) || !on(Code::PeakTraffic));

        let missed = self.look - self.attended.measure(at, looked);
        let slow_signals = match self.attended.measure(done, done + 48 * HOUR) {
            hours if hours < 4 * HOUR => 2,
            hours if hours < 8 * HOUR => 1,
            _ => 0,
        };
        let quarter = if self.calendar.quarter_ends.time.overlaps(at, watched) { 2 } else { 0 };
        parts[Code::Watchable as usize] = eighths(missed, self.look) + slow_signals + quarter;
        fit.set(Fit::ATTENDED, missed == 0 || !on(Code::Watchable));
        fit.set(Fit::PLANNER, self.desks[self.planner].work.covers(at, done) || !on(Code::Watchable));

        let hand_over = self.rota.hand_over(at, watched).is_some();
        fit.set(Fit::ONE_SHIFT, !hand_over);
        parts[Code::OnCall as usize] = self.on_call_points(at, hand_over);
        parts[Code::People as usize] = self.people_points(at);

        parts[Code::Soak as usize] = match &self.others {
            others if others.soaking.overlaps(at, done) => 6,
            others if others.soaking_below.overlaps(at, done) => 3,
            others => unknown(others.gap.is_some(), Code::Soak),
        };
        parts[Code::Launch as usize] = match &self.calendar {
            calendar if calendar.launches.time.overlaps(at, watched) => 6,
            calendar if calendar.demos.time.overlaps(at, watched) => 3,
            calendar if calendar.maintenance.time.overlaps(at, watched) => 3,
            _ => unknown(self.calendar_gap.is_some(), Code::Launch),
        };
        let moving = self.others.moving.iter().find(|(time, _)| time.overlaps(at, watched));
        let unseen = unknown(self.others.gap.is_some(), Code::InFlight);
        parts[Code::InFlight as usize] = moving.map_or(unseen, |(_, points)| *points);

        let duty = self.rota.at(at).map(|(place, _)| place);
        SlotCost { points: self.total(&parts), parts, fit, load, duty }
    }

    /// Nobody on call, a hand-over, or somebody on call who is not at work.
    fn on_call_points(&self, at: i64, hand_over: bool) -> i32 {
        let to = (at + self.look).min(self.rota.known_until);
        if to <= at {
            return Code::OnCall.of_unknown();
        }
        let covered = self.rota.covered.measure(at, to);
        let nobody = eighths(to - at - covered, to - at);
        let off = if self.rota.at_work.measure(at, to) < covered { 3 } else { 0 };
        let found = if nobody > 0 { nobody.max(4) } else { 0 } + off + if hand_over { 2 } else { 0 };
        found.max(unknown(self.on_call_gap.is_some(), Code::OnCall)).min(Code::OnCall.of())
    }

    /// Absences count three, meetings one each.
    fn people_points(&self, at: i64) -> i32 {
        let absent = self.absences.iter().filter(|(.., time)| time.overlaps(at, at + self.look));
        let found: i32 = absent.map(|(_, points, _)| points).sum();
        let unseen = self.calendar_gap.is_some() || !self.unseen.is_empty();
        found.max(unknown(unseen, Code::People)).min(Code::People.of())
    }

    fn total(&self, parts: &[i32; Code::ALL.len()]) -> i32 {
        let on = Code::ALL.into_iter().filter(|code| self.mode(*code) == CheckMode::On);
        on.map(|code| parts[code as usize]).sum()
    }
}

fn unknown(is_unknown: bool, code: Code) -> i32 {
    if is_unknown { code.of_unknown() } else { 0 }
}

/// A share in eighths, rounded up.
fn eighths(part: i64, of: i64) -> i32 {
    if part <= 0 { 0 } else { i32::try_from((part * 8 + of - 1) / of).unwrap_or(8).min(8) }
}
