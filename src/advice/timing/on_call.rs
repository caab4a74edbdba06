//! Who is on call when: shifts laid over each other, the nearest first; hand-overs and gaps.

use std::collections::BTreeSet;

use super::calendar::Calendar;
use super::people::{Desk, Desks};
use super::spans::{Spans, Stretch};
use crate::advice::Context;
use crate::advice::facts::Shift;
use crate::clock::Millis;

/// Somebody called first, from start to end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Duty {
    pub start: Millis,
    pub end: Millis,
    /// Their place among the desks.
    pub seat: usize,
}

/// The rota as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Rota {
    pub duties: Vec<Duty>,
    /// When somebody is on call.
    pub covered: Spans,
    /// When whoever is on call is also at work.
    pub at_work: Spans,
    /// Beyond this moment nobody is named yet, which is not the same as nobody on call.
    pub known_until: Millis,
}

impl Rota {
    pub fn read<'a>(ctx: &Context<'a>, calendar: &Calendar<'a>, desks: &mut Desks<'a>, range: Stretch) -> Rota {
        let known = ctx.facts.on_call.known.iter().flat_map(|fact| &fact.value);
        let ours = known.filter(|shift| shift.service.as_ref().is_none_or(|service| *service == ctx.plan.service));
        let mut shifts: Vec<(Stretch, &'a Shift)> = ours.map(|shift| (stretch(shift, range), shift)).collect();
        shifts.retain(|((start, end), _)| start < end);
        shifts.sort_by_key(|((start, end), shift)| (*start, *end, &shift.person));
        let duties = first_called(&shifts, |shift| desks.seat(&shift.person, calendar));
        Rota {
            covered: Spans::new(duties.iter().map(|duty| (duty.start, duty.end)).collect()),
            at_work: Spans::default(),
            known_until: duties.last().map_or(range.0, |duty| duty.end),
            duties,
        }
    }

    /// Fills in when whoever is on call is at work.
    pub fn with_work(mut self, desks: &[Desk<'_>]) -> Rota {
        let duties = self.duties.iter();
        self.at_work = Spans::new(duties.flat_map(|duty| desks[duty.seat].work.within(duty.start, duty.end)).collect());
        self
    }

    /// Who is called first at a moment.
    pub fn at(&self, at: Millis) -> Option<(usize, Duty)> {
        let i = self.duties.partition_point(|duty| duty.end <= at);
        self.duties.get(i).copied().filter(|duty| duty.start <= at).map(|duty| (i, duty))
    }

    /// The first hand-over after `from` and before `to`: who goes and who comes.
    pub fn hand_over(&self, from: Millis, to: Millis) -> Option<(Duty, Duty)> {
        let i = self.duties.partition_point(|duty| duty.start <= from);
        let (next, last) = (*self.duties.get(i)?, *self.duties.get(i.checked_sub(1)?)?);
        (next.start < to && last.end == next.start).then_some((last, next))
    }
}

/// The shift that counts at each time: the lowest level, then one for this service alone, then the one that began last.
fn first_called<'a>(shifts: &[(Stretch, &'a Shift)], mut seat: impl FnMut(&'a Shift) -> usize) -> Vec<Duty> {
    let mut edges: Vec<Millis> = shifts.iter().flat_map(|((start, end), _)| [*start, *end]).collect();
    edges.sort_unstable();
    edges.dedup();
    let mut by_end: Vec<usize> = (0..shifts.len()).collect();
    by_end.sort_by_key(|i| shifts[*i].0.1);
    let rank = |i: usize| (shifts[i].1.level, shifts[i].1.service.is_none(), -shifts[i].0.0, i);
    let mut active = BTreeSet::new();
    let (mut begun, mut ended) = (0, 0);
    let mut duties: Vec<Duty> = Vec::new();
    for pair in edges.windows(2) {
        let (start, end) = (pair[0], pair[1]);
        while begun < shifts.len() && shifts[begun].0.0 <= start {
            active.insert(rank(begun));
            begun += 1;
        }
        while ended < shifts.len() && shifts[by_end[ended]].0.1 <= start {
            active.remove(&rank(by_end[ended]));
            ended += 1;
        }
        let Some((.., i)) = active.first() else { continue };
        let seat = seat(shifts[*i].1);
        match duties.last_mut() {
            Some(last) if last.end == start && last.seat == seat => last.end = end,
            _ => duties.push(Duty { start, end, seat }),
        }
    }
    duties
}

fn stretch(shift: &Shift, (from, until): Stretch) -> Stretch {
    (shift.start.ms().max(from), shift.end.map_or(until, |end| end.ms().min(until)))
}
