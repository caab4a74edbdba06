//! Alerts that fire, and silences under which nobody would be told: what `health.now` and `health.monitored` say of them.

use std::cmp::Reverse;

use crate::advice::facts::{Alert, Fact};
use crate::advice::view::{View, because};
use crate::advice::{Because, FlagLevel, says};
use crate::message::tame;
use crate::name::SourceName;

/// Words with which teams mark the alerts that wake somebody.
const GRAVE: [&str; 9] = ["critical", "page", "fatal", "emergency", "disaster", "sev1", "sev-1", "p1", "urgent"];
/// Words for alerts that ask nobody to do anything.
const SLIGHT: [&str; 6] = ["none", "info", "information", "notice", "debug", "ok"];

/// What is said of alerts.
pub struct Said {
    pub level: FlagLevel,
    /// A fragment; of a silence a sentence.
    pub says: String,
    pub because: Vec<Because>,
}

/// The alerts of the service that fire and matter; the gravest and oldest by name.
pub fn firing(view: &View<'_>) -> Option<Said> {
    let mut found: Vec<(FlagLevel, &Fact<Vec<Alert>>, &Alert)> = each(view)
        .filter(|(_, alert)| alert.state.is_firing())
        .filter_map(|(fact, alert)| Some((level(view, alert)?, fact, alert)))
        .collect();
    found.sort_by_key(|(level, fact, alert)| (Reverse(*level), alert.since, &alert.name, &fact.source));
    let (level, _, first) = found.first()?;
    let more = match found.len() {
        1 => String::new(),
        2 => ", and one more fires".to_owned(),
        n => format!(", and {} more fire", n - 1),
    };
    let because = found.iter().map(|(_, fact, alert)| evidence(view, fact, alert)).collect();
    Some(Said { level: *level, says: format!("{}{more}", named(view, first)), because })
}

/// That nothing fires, for each source that was seen.
pub fn quiet(view: &View<'_>) -> Vec<Because> {
    view.alerts.known.iter().map(|fact| because(fact, "no alert of the service fires")).collect()
}

/// A source that tells of alerts; the first by name.
pub fn told_by<'a>(view: &View<'a>) -> Option<&'a SourceName> {
    view.alerts.known.iter().map(|fact| &fact.source).min()
}

/// A silence that lasts into the deployment. Of one alert it is a remark, of every alert a caution.
pub fn silence(view: &View<'_>) -> Option<Said> {
    let lasts = |alert: &Alert| alert.silenced.is_some_and(|until| until > view.begin);
    let mut found: Vec<(&Fact<Vec<Alert>>, &Alert)> =
        each(view).filter(|(_, alert)| !alert.state.is_firing() && lasts(alert)).collect();
    found.sort_by_key(|(fact, alert)| (!alert.name.is_empty(), Reverse(alert.silenced), &alert.name, &fact.source));
    let (_, first) = found.first()?;
    let until = first.silenced.map(|until| view.time(until)).unwrap_or_default();
    let (level, what) = match first.name.as_str() {
        "" => (FlagLevel::Caution, "Nobody is told of an alert".to_owned()),
        name => (FlagLevel::Info, format!("Nobody is told of the alert {}", tame(name, 60))),
    };
    let by = first.summary.as_ref().map(|summary| format!(" ({})", tame(summary, 100))).unwrap_or_default();
    let because = found.iter().map(|(fact, alert)| evidence(view, fact, alert)).collect();
    Some(Said { level, says: format!("{what} until {until}: silenced{by}."), because })
}

fn each<'a>(view: &View<'a>) -> impl Iterator<Item = (&'a Fact<Vec<Alert>>, &'a Alert)> {
    view.alerts.known.iter().flat_map(|fact| fact.value.iter().map(move |alert| (fact, alert)))
}

/// How much an alert matters; one that somebody silenced a step less. None: it asks nobody to do anything.
fn level(view: &View<'_>, alert: &Alert) -> Option<FlagLevel> {
    let is = |words: &[&str]| {
        alert.severity.as_ref().is_some_and(|word| words.iter().any(|known| word.trim().eq_ignore_ascii_case(known)))
    };
    if is(&SLIGHT) {
        return None;
    }
    let silenced = alert.silenced.is_some_and(|until| until > view.now);
    Some(match (is(&GRAVE), silenced) {
        (true, false) => FlagLevel::Critical,
        (true, true) | (false, false) => FlagLevel::Caution,
        (false, true) => FlagLevel::Info,
    })
}

/// "alert HighErrorRate (critical) has fired since 11:40, silenced until 13:00".
fn named(view: &View<'_>, alert: &Alert) -> String {
    let severity = alert.severity.as_ref().map(|word| format!(" ({})", tame(word, 20))).unwrap_or_default();
    let silenced = alert.silenced.filter(|until| *until > view.now);
    let silenced = match silenced {
        Some(until) => format!("silenced until {}", view.time(until)),
        None => "not silenced".to_owned(),
    };
    let since = view.time(alert.since);
    format!("alert {}{severity} has fired since {since}, {silenced}", tame(&alert.name, 60))
}

fn evidence(view: &View<'_>, fact: &Fact<Vec<Alert>>, alert: &Alert) -> Because {
    let says = match alert.state.is_firing() {
        true => named(view, alert),
        false => {
            let until = alert.silenced.map(|until| view.time(until)).unwrap_or_default();
            let name = if alert.name.is_empty() { "every alert".to_owned() } else { tame(&alert.name, 60) };
            format!("{name} is silenced until {until}")
        }
    };
    let summary = alert.summary.as_ref().map(|summary| format!(": {}", tame(summary, 160))).unwrap_or_default();
    let link = alert.link.clone().or_else(|| fact.link.clone());
    Because { link, ..because(fact, format!("{}{summary}", says::capital(&says))) }
}
