//! What users told support after this component last changed, against what they usually tell it.
//!
//! Counted in whole days in UTC, from the start of day that is nearest to the deployment; the usual is the mean of the same
//! weekdays elsewhere in the time that was counted, because weekends are not like other days.

use crate::advice::checks::Answer;
use crate::advice::facts::{Deployment, Fact, Support};
use crate::advice::says;
use crate::advice::sight::{Topic, gap};
use crate::advice::view::{View, because};
use crate::clock::{DAY, Time};
use crate::message::tame;

/// The first days, and the days in all, that are looked at after a deployment.
const FIRST: i64 = 2;
const AFTER: i64 = 7;
/// Fewer days to compare with say nothing about what is usual.
const LEAST_USUAL: usize = 7;
/// So many of the last deployments are looked at.
const LAST: usize = 3;

/// How many came after a deployment, and how many usually do.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Came {
    days: i64,
    n: u32,
    usual: f64,
}

pub fn last_time(view: &View<'_>) -> Option<Answer> {
    if view.support.is_unasked() {
        return None;
    }
    let missing = gap(view, Topic::Support);
    if view.support.known.iter().all(|fact| fact.value.days.is_empty()) {
        return Some(Answer::gap(missing?));
    }
    let Some(history) = view.the_history() else { return Some(Answer::gap(gap(view, Topic::History)?)) };
    let mut deployments: Vec<&Deployment> = history.recent.iter().filter(|d| d.at <= view.now).collect();
    deployments.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    let mut answers: Vec<Answer> =
        view.support.known.iter().filter_map(|fact| told(view, fact, &deployments)).collect();
    // The gravest first; of several that are as grave the first by its words, so that the order of sources never matters.
    answers.sort_by(|a, b| b.level.cmp(&a.level).then_with(|| a.says.cmp(&b.says)));
    let mut answers = answers.into_iter();
    let first = answers.next()?;
    let rest = answers.flat_map(|answer| answer.because);
    Some(first.because(rest).unless(missing))
}

/// What one support desk tells.
fn told(view: &View<'_>, fact: &Fact<Support>, deployments: &[&Deployment]) -> Option<Answer> {
    let (factor, _) = view.limits("users.last-time", 2.0, f64::INFINITY);
    let unit = tame(&fact.value.unit, 120);
    // A day that is not over counts too few.
    let mut days: Vec<(Time, u32)> = fact.value.days.clone();
    days.retain(|(start, _)| start.plus(DAY) <= view.now.min(fact.at));
    days.sort_unstable();
    let (from, to) = (days.first()?.0, days.last()?.0.plus(DAY));
    let service = &view.plan.service;
    let within: Vec<&Deployment> = deployments.iter().copied().filter(|d| begin(d) >= from).collect();
    let span = says::span(to.since(from));
    if within.is_empty() {
        let says = format!("{service} was not deployed here in the {span} over which {} counted {unit}.", fact.source);
        return Some(Answer::info(says).because([because(fact, total(&days, &unit))]));
    }
    let mut found: Vec<(&Deployment, Came, Came)> = Vec::new();
    for (at, deployment) in within.iter().enumerate() {
        // What comes after the next deployment is no longer this one's.
        let next = at.checked_sub(1).and_then(|next| within.get(next)).map_or(to, |next| begin(next).min(to));
        let length = (next.since(begin(deployment)) / DAY).min(AFTER);
        if length < FIRST {
            continue;
        }
        let came = |length| came(&days, begin(deployment), length);
        if let (Some(first), Some(all)) = (came(FIRST), came(length)) {
            found.push((deployment, first, all));
        }
        if found.len() == LAST {
            break;
        }
    }
    let Some((newest, ..)) = found.first() else {
        let says = format!(
            "{service} was deployed too often, too lately or before too little was counted to tell what users said \
             after it ({unit})."
        );
        return Some(Answer::info(says).because([because(fact, total(&days, &unit))]));
    };
    let notable = |came: &Came| is_more(came, factor);
    let worse = found.iter().filter(|(_, first, all)| notable(first) || notable(all)).count();
    let evidence = found
        .iter()
        .map(|(deployment, first, all)| because(fact, format!("{}: {}", after(view, deployment), counts(first, all))));
    let evidence: Vec<_> = evidence.collect();
    let worst = found.iter().find(|(_, first, all)| notable(first) || notable(all));
    let Some((deployment, first, all)) = worst else {
        let (_, first, all) = found.first()?;
        let says = format!("{} no more came than usual: {} ({unit}).", after(view, newest), counts(first, all));
        return Some(Answer::pass(says).because(evidence));
    };
    let of = match (found.len(), worse) {
        (1, _) => String::new(),
        (n, worse) => format!(" So it was after {worse} of the last {n} deployments."),
    };
    let says = format!("{} more came than usual: {} ({unit}).{of}", after(view, deployment), counts(first, all));
    Some(Answer::caution(says).because(evidence))
}

/// The start of day that is nearest to a deployment.
fn begin(deployment: &Deployment) -> Time {
    let at = deployment.finished.unwrap_or(deployment.at).max(deployment.at);
    Time::from_ms(at.ms().saturating_add(DAY / 2).div_euclid(DAY) * DAY)
}

/// How many came in the days from `begin`, beside what usually comes on such days. None where a day was not counted, or too
/// little is known of other days.
fn came(days: &[(Time, u32)], begin: Time, length: i64) -> Option<Came> {
    let inside = |at: Time| begin <= at && at < begin.plus(AFTER * DAY);
    let outside: Vec<&(Time, u32)> = days.iter().filter(|(at, _)| !inside(*at)).collect();
    if outside.len() < LEAST_USUAL {
        return None;
    }
    let mut came = Came { days: length, n: 0, usual: 0.0 };
    for day in 0..length {
        let at = begin.plus(day * DAY);
        let (_, n) = days.iter().find(|(start, _)| *start == at)?;
        came.n = came.n.saturating_add(*n);
        let alike = outside.iter().filter(|(other, _)| other.since(at).rem_euclid(7 * DAY) == 0).map(|(_, n)| *n);
        let alike: Vec<u32> = alike.collect();
        came.usual += if alike.is_empty() { mean(outside.iter().map(|(_, n)| *n)) } else { mean(alike.into_iter()) };
    }
    Some(came)
}

/// Whether it is more by the factor, and by more than chance gives: three standard deviations of what is counted.
fn is_more(came: &Came, factor: f64) -> bool {
    let n = f64::from(came.n);
    n >= factor * came.usual && n - came.usual >= 3.0 * came.usual.max(1.0).sqrt()
}

fn mean(values: impl ExactSizeIterator<Item = u32>) -> f64 {
    let n = values.len().max(1) as f64;
    values.map(f64::from).sum::<f64>() / n
}

/// "After v2.13.2 on Thu 12 Nov".
fn after(view: &View<'_>, deployment: &Deployment) -> String {
    let version = deployment.version.as_ref().map_or("the deployment".to_owned(), |version| tame(version, 40));
    format!("After {version} on {}", view.day(deployment.at))
}

/// "14 in 2 days (usually 5), 30 in 7 (usually 18)".
fn counts(first: &Came, all: &Came) -> String {
    let usually = |came: &Came| says::value(came.usual);
    let start = format!("{} in {} days (usually {})", first.n, first.days, usually(first));
    if all.days == first.days {
        return start;
    }
    format!("{start}, {} in {} (usually {})", all.n, all.days, usually(all))
}

fn total(days: &[(Time, u32)], unit: &str) -> String {
    let n: i64 = days.iter().map(|(_, n)| i64::from(*n)).sum();
    format!("counted {} {unit} in {}", says::number(n), says::count(i64::try_from(days.len()).unwrap_or(0), "day"))
}
