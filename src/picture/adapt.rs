//! Facts and advice to what the pictures show.

use chrono::{Datelike, Days};
use chrono_tz::Tz;

use super::{Labelled, Moment, Stretch, Theme, chart, strip};
use crate::advice::facts::{Deployment, Facts, Means};
use crate::advice::{Windows, says};
use crate::clock::{DAY, HOUR, MINUTE, Time};
use crate::config::{Settings, WeekHours};
use crate::deploy::watch::{Look, SignalState};
use crate::plan::Plan;
use crate::source::Series;

/// A picture in both themes, with the words that say the same.
#[derive(Clone, Debug)]
pub struct Drawn {
    pub light: String,
    pub dark: String,
    pub alt: String,
}

/// The strip of the next days for a plan's target.
pub fn strip_of(plan: &Plan, facts: &Facts, windows: &Windows, settings: &Settings, now: Time) -> Drawn {
    let zone = crate::wording::zone(settings, &plan.service, &plan.environment);
    let horizon = windows.horizon_end.max(now.plus(DAY));
    let (start, end) = (now.plus(-2 * HOUR), horizon);
    let load = facts.load.first().map(|fact| &fact.value);
    let hours = (0..=end.since(start) / HOUR).map(|i| start.plus(i * HOUR));
    let concerns = |services: &[crate::name::Service], environments: &[crate::name::Environment]| {
        (services.is_empty() || services.contains(&plan.service))
            && (environments.is_empty() || environments.contains(&plan.environment))
    };
    let events = || {
        let all = facts.calendar.known.iter().flat_map(|fact| &fact.value);
        all.filter(|e| concerns(&e.services, &e.environments) && e.end > start && e.start < end && e.person.is_none())
    };
    let seen = |known: bool| known.then_some(());
    let calendars = seen(!facts.calendar.known.is_empty());
    let rules = settings.environment.get(&plan.environment).map(|e| e.window.clone()).unwrap_or_default();
    let allowed = if rules.is_empty() { vec![Stretch { start, end }] } else { stretches(&rules, zone, start, end) };
    let mut deployments: Vec<Moment> = Vec::new();
    for other in facts
        .others
        .known
        .iter()
        .flat_map(|f| &f.value)
        .filter(|o| o.environment == plan.environment && o.start > start && o.start < end)
    {
        deployments.push(Moment {
            at: other.start,
            label: format!("{} {}", other.service, other.version.as_deref().unwrap_or_default()),
        });
    }
    let shown = strip::Strip {
        title: format!("{} → {}", plan.service, plan.environment),
        start,
        end,
        now,
        zone,
        score_now: Some(windows.now.score),
        load: hours.map(|at| strip::LoadPoint { at, share: load.and_then(|l| l.usual(at)) }).collect(),
        allowed: Some(allowed),
        freezes: calendars.map(|()| {
            let own = facts.freezes.known.iter().flat_map(|fact| &fact.value).map(|freeze| &freeze.entry);
            let own = own.filter(|e| concerns(&e.services, &e.environments) && e.end > start && e.start < end);
            let all = events().filter(|e| e.means == Means::Freeze).chain(own);
            all.map(|e| labelled(e.start, e.end, &e.summary)).collect()
        }),
        events: calendars.map(|()| events().filter_map(event).collect()),
        on_call: seen(!facts.on_call.known.is_empty()).map(|()| {
            let shifts = facts.on_call.known.iter().flat_map(|f| &f.value);
            let own =
                shifts.filter(|s| s.service.as_ref().is_none_or(|service| *service == plan.service) && s.level <= 1);
            own.map(|s| labelled(s.start.max(start), s.end.unwrap_or(end).min(end), s.person.as_str()))
                .filter(|l| l.end > l.start)
                .collect()
        }),
        deployments: seen(!facts.others.known.is_empty()).map(|()| deployments),
        working: stretches(&settings.team.hours, settings.team.zone, start, end),
        windows: windows
            .windows
            .iter()
            .map(|w| strip::Window { start: w.start, end: w.end, score: w.score, good: w.good, why: why(w) })
            .collect(),
        none_good: windows.none_before.map(|at| format!("Nothing good before {}", says::time(at, zone, now))),
    };
    Drawn { light: strip::svg(&shown, Theme::Light), dark: strip::svg(&shown, Theme::Dark), alt: strip::alt(&shown) }
}

/// The first reasons for a slot; what its place in the picture shows anyhow is left out.
fn why(slot: &crate::advice::Slot) -> String {
    let shown = |reason: &&String| {
        !reason.starts_with("the first good one: ") && !reason.starts_with("inside the allowed window")
    };
    slot.reasons.iter().filter(shown).take(3).cloned().collect::<Vec<_>>().join(", ")
}

fn labelled(start: Time, end: Time, label: &str) -> Labelled {
    Labelled { start, end, label: label.to_owned() }
}

fn event(event: &crate::advice::facts::CalendarEvent) -> Option<strip::Event> {
    let kind = match event.means {
        Means::Launch | Means::Campaign | Means::Demo | Means::Training => strip::EventKind::Launch,
        Means::Holiday | Means::QuarterEnd | Means::Maintenance => strip::EventKind::Busy,
        _ => return None,
    };
    Some(strip::Event { start: event.start, end: event.end, label: event.summary.clone(), kind })
}

/// Weekly hours as stretches of time. Where the clocks skip an hour, a stretch begins or ends right after it.
fn stretches(rules: &[WeekHours], zone: Tz, start: Time, end: Time) -> Vec<Stretch> {
    use chrono::TimeZone;
    let mut found = Vec::new();
    let mut day = start.at(zone).date_naive() - Days::new(1);
    let last = end.at(zone).date_naive();
    let settle = |naive: chrono::NaiveDateTime| {
        zone.from_local_datetime(&naive)
            .earliest()
            .or_else(|| zone.from_local_datetime(&(naive + chrono::TimeDelta::hours(1))).earliest())
            .map(Time::from)
    };
    while day <= last {
        for rule in rules.iter().filter(|rule| rule.days.contains(&day.weekday())) {
            let ends = if rule.end > rule.start { day } else { day + Days::new(1) };
            if let (Some(from), Some(to)) = (settle(day.and_time(rule.start)), settle(ends.and_time(rule.end))) {
                found.push(Stretch { start: from, end: to });
            }
        }
        day = day + Days::new(1);
    }
    found
}

/// The chart of a watched deployment.
pub fn health_chart(
    deployment: &Deployment,
    series: &Series,
    look: &Look,
    (deployed, alerted, recovered): (Time, Time, Option<Time>),
    settings: &Settings,
    now: Time,
) -> Drawn {
    let zone = crate::wording::zone(settings, &deployment.service, &deployment.environment);
    let (start, end) = (deployed.plus(-HOUR), now.max(deployed.plus(15 * MINUTE)));
    let minutes: Vec<_> = series.minutes.iter().filter(|m| m.at >= start && m.at <= end).collect();
    let points = |value: &dyn Fn(&crate::source::Minute) -> Option<f64>| {
        minutes.iter().map(|m| chart::Point { at: m.at, value: value(m) }).collect::<Vec<_>>()
    };
    let verdict = |name: &str| match look.signals.iter().find(|s| s.signal == name).map(|s| s.state) {
        Some(SignalState::Worse) => chart::Verdict::Worse,
        Some(SignalState::Fine) => chart::Verdict::Usual,
        _ => chart::Verdict::Unknown,
    };
    let ratio = |m: &crate::source::Minute| (m.requests > 0.0).then(|| m.errors / m.requests);
    // What the picture shows of the time before and after, in one number each.
    let sides = |value: &dyn Fn(&[&crate::source::Minute]) -> Option<f64>| {
        let (before, after): (Vec<_>, Vec<_>) = minutes.iter().copied().partition(|m| m.at < deployed);
        (value(&before), value(&after))
    };
    let errors = sides(&|minutes| {
        let requests: f64 = minutes.iter().map(|m| m.requests).sum();
        (requests > 0.0).then(|| minutes.iter().map(|m| m.errors).sum::<f64>() / requests)
    });
    let latency = sides(&|minutes| {
        let mut known: Vec<f64> = minutes.iter().filter_map(|m| m.latency_ms).collect();
        known.sort_by(f64::total_cmp);
        known.get(known.len() / 2).copied()
    });
    let panel = |name: &str, unit, points, (before, after), verdict| chart::Panel {
        name: name.to_owned(),
        unit,
        points,
        band: Vec::new(),
        before,
        after,
        verdict,
        limit: None,
    };
    let mut marks = vec![
        chart::Mark {
            at: deployed,
            kind: chart::MarkKind::Deployment,
            label: deployment.version.clone().unwrap_or_default(),
        },
        chart::Mark { at: alerted, kind: chart::MarkKind::Alert, label: String::new() },
    ];
    if let Some(at) = recovered {
        marks.push(chart::Mark { at, kind: chart::MarkKind::Recovery, label: String::new() });
    }
    let headline: Vec<&str> =
        look.signals.iter().filter(|s| !s.signal.starts_with("condition")).map(|s| s.says.as_str()).collect();
    let shown = chart::Chart {
        title: format!("{} in {}", deployment.service, deployment.environment),
        headline: headline.join(", "),
        state: if recovered.is_some() { chart::State::Recovered } else { chart::State::Alert },
        start,
        end,
        now,
        zone,
        panels: vec![
            panel("Errors", chart::Unit::Share, points(&ratio), errors, verdict("errors")),
            panel("Latency", chart::Unit::Millis, points(&|m| m.latency_ms), latency, verdict("latency")),
        ],
        requests: Some(points(&|m| Some(m.requests))),
        marks,
        usual: "the hour before".to_owned(),
    };
    Drawn { light: chart::svg(&shown, Theme::Light), dark: chart::svg(&shown, Theme::Dark), alt: chart::alt(&shown) }
}
