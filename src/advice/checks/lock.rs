//! Did somebody ask others to wait? The owner of a lock is never stopped by it.

use crate::advice::checks::Answer;
use crate::advice::facts::Fact;
use crate::advice::view::{View, because};
use crate::advice::{Because, says};
use crate::hold::Lock;
use crate::message::tame;

pub fn lock(view: &View<'_>) -> Option<Answer> {
    if view.locks.is_unasked() {
        return None;
    }
    let mut here: Vec<(&Fact<Vec<Lock>>, &Lock)> = Vec::new();
    for fact in &view.locks.known {
        let near =
            |lock: &&Lock| lock.stands(view.now) && lock.scope.covers(&view.plan.service, &view.plan.environment);
        here.extend(fact.value.iter().filter(near).map(|lock| (fact, lock)));
    }
    // Whoever makes others wait comes first, and of those whoever makes them wait longest.
    here.sort_by(|(_, a), (_, b)| {
        let rank = |lock: &Lock| (!lock.stops(view.plan, view.begin), std::cmp::Reverse(lock.until));
        rank(a).cmp(&rank(b)).then_with(|| a.id.cmp(&b.id))
    });
    let because: Vec<Because> = here.iter().map(|(fact, lock)| told(fact, lock, view)).collect();
    let Some((_, first)) = here.first() else {
        if let Some(unknown) = view.locks.unknown.first() {
            return Some(Answer::unknown(format!("Locks unknown: {} {}.", unknown.source, tame(&unknown.reason, 200))));
        }
        return Some(Answer::pass(format!("Nobody locked {} or {}.", view.plan.service, view.plan.environment)));
    };
    let more = match here.iter().filter(|(_, lock)| lock.stops(view.plan, view.begin)).count() {
        0 | 1 => String::new(),
        n => format!(" {} more.", says::count(i64::try_from(n - 1).unwrap_or(0), "lock")),
    };
    let until = view.time(first.until);
    let why = tame(&first.why, 200);
    let answer = if first.stops(view.plan, view.begin) {
        let left = if first.left {
            format!(" {} is no longer here: anyone who may lock can unlock it.", first.owner)
        } else {
            String::new()
        };
        Answer::critical(format!(
            "{} is locked by {} since {} until {until}: “{why}”.{left}{more}",
            says::capital(&first.scope.to_string()),
            first.owner,
            view.time(first.since),
        ))
    } else if first.owner == view.plan.by {
        Answer::info(format!("{} holds the lock on {} until {until}: “{why}”.", first.owner, first.scope))
    } else {
        Answer::info(format!(
            "{} is locked by {} until {until}, which is over before this begins: “{why}”.",
            says::capital(&first.scope.to_string()),
            first.owner
        ))
    };
    Some(answer.because(because))
}

fn told(fact: &Fact<Vec<Lock>>, lock: &Lock, view: &View<'_>) -> Because {
    let says = format!("{} by {}, {}–{}", lock.scope, lock.owner, view.time(lock.since), view.time(lock.until));
    because(fact, says)
}
