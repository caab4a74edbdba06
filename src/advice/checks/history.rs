//! What became of changes like this one: by service and by kind of change, never by person.

use crate::advice::checks::Answer;
use crate::advice::checks::contents::interval;
use crate::advice::facts::{Outcome, Rate, Similar};
use crate::advice::model::{self, USUAL};
use crate::advice::rollback::outcome_says;
use crate::advice::sight::{Topic, gap};
use crate::advice::view::{View, because, newest};
use crate::advice::{Because, FlagLevel, says};
use crate::message::tame;

/// Fewer outcomes than this say nothing about a rate.
pub const LEAST: u32 = 5;

pub fn similar(view: &View<'_>) -> Option<Answer> {
    const OF: i32 = 10;
    let Some(fact) = newest(view.history) else { return Some(Answer::gap(gap(view, Topic::History)?)) };
    let history = &fact.value;
    let (least, _) = view.limits("history.similar", 0.25, f64::INFINITY);
    let mut alike: Vec<&Similar> =
        history.similar.iter().filter(|s| s.likeness >= least && s.deployment.outcome.is_some()).collect();
    alike.sort_by(|a, b| {
        let by_likeness = b.likeness.total_cmp(&a.likeness);
        by_likeness
            .then_with(|| b.deployment.at.cmp(&a.deployment.at))
            .then_with(|| a.deployment.id.cmp(&b.deployment.id))
    });
    alike.truncate(5);
    let compared = says::count(history.compared, "past deployment");
    if alike.is_empty() && history.compared == 0 {
        return Some(Answer::unknown(
            "Similar changes unknown: no past deployment with a known outcome to compare with.",
        ));
    }
    if alike.is_empty() {
        return Some(Answer::info(format!("Nothing alike among {compared}.")).unless(gap(view, Topic::History)));
    }
    let bad: Vec<&Similar> =
        alike.iter().copied().filter(|s| s.deployment.outcome.is_some_and(Outcome::is_bad)).collect();
    let points = similar_points(&alike, history.service_rate, OF);
    if bad.is_empty() {
        let says = match alike.len() {
            1 => format!("The one deployment that is alike (of {compared}) ended clean."),
            n => format!("The {n} most alike of {compared} ended clean."),
        };
        let pass = if alike.len() >= 3 { Answer::pass(says) } else { Answer::info(says) };
        return Some(
            pass.because(alike.iter().map(|s| told(view, s, fact.at)))
                .unless(gap(view, Topic::History))
                .likelihood(points, OF),
        );
    }
    // The gravest of the most alike is the one to name.
    let worst =
        bad.iter().copied().max_by(|a, b| grave(a).cmp(&grave(b)).then_with(|| a.likeness.total_cmp(&b.likeness)));
    let worst = worst.map(|s| what_became(view, s)).unwrap_or_default();
    let of = if alike.len() == 1 {
        "The one deployment that is alike led to trouble".to_owned()
    } else {
        format!("{} of the {} most alike led to trouble", bad.len(), alike.len())
    };
    let answer = Answer::at(FlagLevel::Caution, format!("{of}: {worst}."));
    let answer = answer.because(alike.iter().map(|s| told(view, s, fact.at)));
    Some(answer.unless(gap(view, Topic::History)).likelihood(points, OF))
}

fn grave(similar: &Similar) -> u8 {
    match similar.deployment.outcome {
        Some(Outcome::Incident) => 4,
        Some(Outcome::RolledBack) => 3,
        Some(Outcome::Hotfix) => 2,
        Some(Outcome::Degraded) => 1,
        Some(Outcome::Clean) | None => 0,
    }
}

/// "checkout v2.11.0 led to incident #482 on Wed 21 Oct; both touch `payments/capture.rs`".
fn what_became(view: &View<'_>, similar: &Similar) -> String {
    let deployment = &similar.deployment;
    let version = deployment.version.as_ref().map(|version| format!(" {}", tame(version, 40))).unwrap_or_default();
    let outcome = deployment
        .outcome
        .map_or("has no outcome yet".to_owned(), |outcome| outcome_says(outcome, deployment.incident.as_deref()));
    let cause = deployment.cause.map(|cause| format!(" ({})", cause.as_str())).unwrap_or_default();
    let shares: Vec<String> = similar.shares.iter().take(3).map(|share| tame(share, 120)).collect();
    let shares = if shares.is_empty() { String::new() } else { format!("; {}", says::list(&shares)) };
    format!("{}{version} {outcome}{cause} on {}{shares}", deployment.service, view.day(deployment.at))
}

fn told(view: &View<'_>, similar: &Similar, _at: crate::clock::Time) -> Because {
    Because {
        source: newest(view.history).map_or_else(|| "history".into(), |fact| fact.source.clone()),
        says: format!("{} alike: {}", says::share(similar.likeness), what_became(view, similar)),
        link: similar.deployment.link.clone(),
        at: similar.deployment.at,
    }
}

/// What the most alike add to what the service's own rate gives already. The rate among them, weighted by likeness and
/// held back by three deployments' worth of the service's rate, is counted against the usual one; the service's points
/// are taken off, so that both together never fall when either rate rises.
fn similar_points(alike: &[&Similar], rate: Rate, of: i32) -> i32 {
    let weight: f64 = alike.iter().map(|s| s.likeness).sum();
    let bad: f64 = alike.iter().filter(|s| s.deployment.outcome.is_some_and(Outcome::is_bad)).map(|s| s.likeness).sum();
    let share = (bad + 3.0 * model::shrunk(rate, USUAL)) / (weight + 3.0);
    let both = model::points(model::log_odds(share) - model::log_odds(USUAL), -100, 100);
    (both - service_points(rate)).clamp(-3, of)
}

/// Points that the service's own record can add.
const SERVICE_OF: i32 = 10;

/// The service's own share of deployments that needed a fix, held near the usual one while they are few.
fn service_points(rate: Rate) -> i32 {
    model::points(model::log_odds(model::shrunk(rate, USUAL)) - model::log_odds(USUAL), -6, SERVICE_OF)
}

pub fn service(view: &View<'_>) -> Option<Answer> {
    let Some(fact) = newest(view.history) else { return Some(Answer::gap(gap(view, Topic::History)?)) };
    let rate = fact.value.service_rate;
    let points = service_points(rate);
    let (service, environment) = (&view.plan.service, &view.plan.environment);
    if rate.n < LEAST {
        let n = says::count(rate.n, "deployment");
        let says = format!(
            "How often {service} needs a fix in {environment} is unknown: {n} with a known outcome is too few."
        );
        return Some(Answer::unknown(says).likelihood(points.max(0), SERVICE_OF));
    }
    let share = f64::from(rate.bad) / f64::from(rate.n);
    let says = format!(
        "{} of {} of {service} to {environment} needed a fix ({}; 90 % interval {}).",
        rate.bad,
        says::count(rate.n, "deployment"),
        says::share(share),
        interval(rate)
    );
    let (caution, critical) = view.limits("history.service", 0.2, f64::INFINITY);
    let level =
        super::size::level(share, caution, critical, if rate.n >= 10 { FlagLevel::Pass } else { FlagLevel::Info });
    let answer = Answer::at(level, says.clone()).because([because(fact, says)]);
    Some(answer.unless(gap(view, Topic::History)).likelihood(points, SERVICE_OF))
}
