//! Is the service well now, and would anyone notice if it were not?

use crate::advice::checks::{Answer, firing};
use crate::advice::facts::{Fact, Health};
use crate::advice::sight::{Topic, gap};
use crate::advice::view::{View, because, newest};
use crate::advice::{FlagLevel, says};
use crate::clock::MINUTE;
use crate::message::tame;
use crate::plan::Kind;

/// Data older than this is no view of now.
const FRESH: i64 = 15 * MINUTE;

/// What a service that is not well adds to the score, at most.
const OF: i32 = 8;

pub fn now(view: &View<'_>) -> Option<Answer> {
    let measured = measured(view)?;
    let Some(fires) = firing::firing(view) else {
        let answer = measured.because(firing::quiet(view));
        return Some(if view.alerts.is_unasked() { answer } else { answer.unless(gap(view, Topic::Alerts)) });
    };
    let level = measured.level.max(fires.level);
    let measured_says = measured.says.trim_end_matches('.');
    let says = match (measured.level, fires.level) {
        (FlagLevel::Caution | FlagLevel::Critical, _) | (_, FlagLevel::Info) => {
            format!("{measured_says}; {}.", fires.says)
        }
        (FlagLevel::Unknown, _) => {
            format!("{} is not well already: {}. {measured_says}.", view.plan.service, fires.says)
        }
        _ => format!("{} is not well already: {}.", view.plan.service, fires.says),
    };
    let answer = Answer::at(level, says).because(measured.because).because(fires.because);
    Some(answer.likelihood(points(level), OF).unless(gap(view, Topic::Health)))
}

fn points(level: FlagLevel) -> i32 {
    match level {
        FlagLevel::Critical => OF,
        FlagLevel::Caution => 5,
        _ => 0,
    }
}

/// What the metrics say: where several systems measure, what one of them finds, and else the newest.
fn measured(view: &View<'_>) -> Option<Answer> {
    let Some(newest) = newest(view.health) else { return Some(Answer::gap(gap(view, Topic::Health)?)) };
    let ill = view.health.known.iter().map(|fact| judged(view, fact)).filter(|a| a.level >= FlagLevel::Caution);
    let gravest = ill.min_by(|a, b| (b.level, &a.says).cmp(&(a.level, &b.says)));
    Some(gravest.unwrap_or_else(|| judged(view, newest)))
}

fn judged(view: &View<'_>, fact: &Fact<Health>) -> Answer {
    let health = &fact.value;
    let (caution, critical) = view.limits("health.now", 0.01, 0.05);
    let mut found: Vec<(FlagLevel, String)> = Vec::new();
    let mut well: Vec<String> = Vec::new();
    if let Some(errors) = health.errors.filter(|errors| errors.is_finite()) {
        let usual = health.usual_errors.filter(|usual| usual.is_finite());
        let beside = usual.map(|usual| format!(" (usually {})", says::share(usual))).unwrap_or_default();
        let what = health.counts.as_deref().unwrap_or("requests fail");
        let says = format!("{} of {}{beside}", says::share(errors), tame(what, 40));
        // A service that always fails a little is not ill because of it; twice its usual, and by more than noise, is.
        let worse = usual.is_none_or(|usual| errors > 2.0 * usual && errors - usual > 0.002);
        let risen = usual.is_some_and(|usual| errors > 2.0 * usual && errors - usual > 0.005);
        if errors >= critical && worse {
            found.push((FlagLevel::Critical, says));
        } else if errors >= caution && worse || risen {
            found.push((FlagLevel::Caution, says));
        } else {
            well.push(says);
        }
    }
    if let Some(latency) = health.latency_ms.filter(|latency| latency.is_finite()) {
        let usual = health.usual_latency_ms.filter(|usual| usual.is_finite() && *usual > 0.0);
        let beside = usual.map(|usual| format!(" (usually {} ms)", says::value(usual))).unwrap_or_default();
        let says = format!("latency is {} ms{beside}", says::value(latency));
        match usual {
            Some(usual) if latency > 2.0 * usual && latency - usual > 20.0 => found.push((FlagLevel::Caution, says)),
            _ => well.push(says),
        }
    }
    if let Some(left) = health.budget_left.filter(|left| left.is_finite()) {
        if left <= 0.0 {
            found.push((FlagLevel::Caution, "the error budget is spent".to_owned()));
        } else {
            well.push(format!("{} of the error budget is left", says::share(left)));
        }
    }
    let stale = stale(view, health);
    let all: Vec<String> = found.iter().map(|(_, says)| says.clone()).chain(well.iter().cloned()).collect();
    let evidence = because(fact, all.join("; "));
    if let Some(level) = found.iter().map(|(level, _)| *level).max() {
        let says: Vec<String> = found.into_iter().map(|(_, says)| says).collect();
        let says = format!("{} is not well already: {}.", view.plan.service, says.join("; "));
        return Answer::at(level, says).because([evidence]).likelihood(points(level), OF);
    }
    if let Some(stale) = stale {
        return Answer::unknown(format!("Health unknown: {} {stale}.", fact.source)).because([evidence]);
    }
    if health.requests.is_some_and(|requests| requests <= 0.0) {
        let says = format!("Health unknown: {} saw no request in the last minutes.", fact.source);
        return Answer::unknown(says).because([evidence]);
    }
    if well.is_empty() {
        let says = format!("Health unknown: {} measures neither errors nor latency.", fact.source);
        return Answer::unknown(says).because([evidence]);
    }
    let says = format!("{} is well: {}.", view.plan.service, well.join("; "));
    Answer::pass(says).because([evidence]).unless(gap(view, Topic::Health))
}

pub fn monitored(view: &View<'_>) -> Option<Answer> {
    /// Without eyes a fault lasts longer; twice as long is five points.
    const OF: i32 = 5;
    let Some(fact) = newest(view.health) else {
        return Some(Answer::gap(gap(view, Topic::Health)?).consequence(OF, OF));
    };
    let watchers = view.plan.watch.len();
    let person = match watchers {
        0 => "nobody is named to watch".to_owned(),
        _ => format!(
            "{} to watch",
            says::count(i64::try_from(watchers).unwrap_or(0), "person").replace("persons", "people")
        ),
    };
    let evidence = because(fact, "the metric that the watch looks at");
    if let Some(stale) = stale(view, &fact.value) {
        let says = format!("Nobody would notice by numbers: {} {stale}; {person}.", fact.source);
        return Some(Answer::caution(says).because([evidence]).consequence(OF, OF));
    }
    let seen = fact.value.last_data.map_or("has data".to_owned(), |at| format!("had data {}", says::ago(at, view.now)));
    let what = match view.plan.kind {
        Kind::Flag | Kind::Config => "the service as a whole, not the setting",
        _ => "errors and latency of the service",
    };
    let told = firing::told_by(view).map(|source| format!("; {source} tells of alerts")).unwrap_or_default();
    let says = format!(
        "{} measures {what} ({seen}), and the watch looks at it for {}{told}.",
        fact.source, view.settings.watch.length
    );
    if let Some(silence) = firing::silence(view) {
        let says = format!("{} {}", says, silence.says);
        return Some(Answer::at(silence.level, says).because([evidence]).because(silence.because).consequence(2, OF));
    }
    Some(Answer::pass(says).because([evidence]).unless(gap(view, Topic::Health)).consequence(0, OF))
}

/// Where the last data is too old, or none was ever seen.
fn stale(view: &View<'_>, health: &Health) -> Option<String> {
    match health.last_data {
        None if health.errors.is_none() && health.latency_ms.is_none() => Some("has never seen data".to_owned()),
        Some(at) if view.now.since(at) > FRESH => Some(format!("last had data {}", says::ago(at, view.now))),
        _ => None,
    }
}
