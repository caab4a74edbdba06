//! What waits, is under way or is watched; what changed.

use std::collections::BTreeMap;

use crate::advice::facts::{Asked, Deployment, Incident, Outcome};
use crate::advice::says;
use crate::approval::deputy::Deputy;
use crate::audit::Obligation;
use crate::clock::Time;
use crate::config::{Settings, Span as Length};
use crate::message::{Block, Line, Mark, Message, Span, tame};
use crate::name::{Person, PlanId, Service};
use crate::plan::State;
use crate::store::deployment::{DeploymentRow, Status};
use crate::store::plan::PlanRow;

/// What is going on, of a service or environment or everywhere.
#[derive(Debug)]
pub struct GoingOn<'a> {
    pub plans: &'a [PlanRow],
    /// The codes that somebody overrode, by plan.
    pub overridden: &'a BTreeMap<PlanId, Vec<String>>,
    /// Whose approval waits for them to confirm it, by plan.
    pub unconfirmed: &'a BTreeMap<PlanId, Vec<Person>>,
    /// Approvals whose condition is not met, by plan, as they are said.
    pub unmet: &'a BTreeMap<PlanId, Vec<String>>,
    pub deputies: &'a [Deputy],
    pub watched: &'a [DeploymentRow],
    pub owed: &'a [Obligation],
    /// Locks, freezes and queues, as they are said.
    pub holds: Vec<Block>,
}

pub fn status(of: Option<&str>, going_on: GoingOn<'_>, settings: &Settings, now: Time) -> Message {
    let GoingOn { plans, overridden, unconfirmed, unmet, deputies, watched, owed, holds } = going_on;
    let zone = settings.team.zone;
    let title = of.map_or_else(|| "What is going on".to_owned(), |of| format!("What is going on: {of}"));
    let mut blocks = vec![Block::Title { text: title, context: says::time(now, zone, now) }];
    let of_state = |states: &[State]| -> Vec<Line> {
        plans
            .iter()
            .filter(|row| states.contains(&row.state))
            .map(|row| {
                let plan = &row.plan;
                let when = if plan.when.start(now) > now {
                    format!(", for {}", says::time(plan.when.start(now), zone, now))
                } else {
                    String::new()
                };
                let codes = overridden.get(&plan.id).filter(|codes| !codes.is_empty());
                let overridden = codes.map(|codes| format!(", overridden: {}", codes.join(", "))).unwrap_or_default();
                let waits = unconfirmed.get(&plan.id).into_iter().flatten();
                let mut waits: String = waits.map(|person| format!(", @{person} must still confirm")).collect();
                if let Some(unmet) = unmet.get(&plan.id).filter(|unmet| !unmet.is_empty()) {
                    waits.push_str(&format!(", approved by {}", unmet.join("; ")));
                }
                Line::plain(format!(
                    "{}: {} {} → {}, {}, planned by @{}{when}{overridden}{waits}",
                    plan.id,
                    plan.service,
                    tame(&plan.what(), 40),
                    plan.environment,
                    row.state.as_str(),
                    plan.by
                ))
            })
            .collect()
    };
    let waiting = of_state(&[State::Draft, State::Advised, State::Approved, State::Held, State::Objected]);
    let under_way = of_state(&[State::Started]);
    let watching: Vec<Line> = watched
        .iter()
        .map(|row| {
            let until =
                row.watch_until.map(|until| format!(" until {}", says::time(until, zone, now))).unwrap_or_default();
            let what = row.deployment.version.as_deref().map(|v| tame(v, 40)).unwrap_or_default();
            Line::plain(format!("{} {what} in {}, watched{until}", row.deployment.service, row.deployment.environment))
        })
        .collect();
    if !owed.is_empty() {
        // The earliest deadline first: what is overdue leads.
        let line = |one: &Obligation| {
            let mut line = super::obligation::line(one, settings, now);
            line.spans.insert(0, Span::plain(format!("{}: ", one.subject())));
            line
        };
        let lines = owed.iter().map(line).collect();
        blocks.push(Block::List { says: "Owed".to_owned(), lines, folded: false });
    }
    let idle = waiting.is_empty() && under_way.is_empty() && watching.is_empty();
    for (says, lines) in [("Waiting", waiting), ("Under way", under_way), ("Watched", watching)] {
        if !lines.is_empty() {
            blocks.push(Block::List { says: says.to_owned(), lines, folded: false });
        }
    }
    if idle {
        blocks.push(Block::Line(Line::marked(Mark::Pass, "Nothing waits, is under way or is watched here.")));
    }
    if !deputies.is_empty() {
        let lines = deputies.iter().map(|deputy| super::deputy::line(deputy, settings, now)).collect();
        blocks.push(Block::List { says: "Deputies".to_owned(), lines, folded: false });
    }
    blocks.extend(holds);
    let places: Vec<Line> = settings
        .environment
        .iter()
        .filter(|(name, _)| of.is_none_or(|of| of == name.as_str() || settings.service.contains_key(of)))
        .map(|(name, environment)| {
            let windows: Vec<String> = environment.window.iter().map(|w| w.says()).collect();
            let when = if windows.is_empty() { "at any time".to_owned() } else { windows.join(", ") };
            Line::plain(format!("{name}: {when}"))
        })
        .collect();
    blocks.push(Block::List { says: "Where and when one may deploy".to_owned(), lines: places, folded: false });
    Message { blocks, ..Message::default() }
}

#[allow(clippy::too_many_arguments)]
pub fn changed(
    service: &Service,
    since: Length,
    deployments: &[DeploymentRow],
    told: &Asked<Vec<Deployment>>,
    plans: &[PlanRow],
    incidents: &Asked<Vec<Incident>>,
    settings: &Settings,
    now: Time,
) -> Message {
    let zone = settings.team.zone;
    let mut blocks = vec![Block::Title {
        text: format!("What changed on {service} and around it"),
        context: format!("in the last {since}"),
    }];
    let line = |d: &Deployment, status: &str, by: String| {
        let migration = if d.shape.migration { ", with a migration" } else { "" };
        let version = d.version.as_deref().map(|v| format!(" {}", tame(v, 40))).unwrap_or_default();
        let at = says::time(d.at, zone, now);
        Line::plain(format!("{}{version} {status} in {} at {at}{migration}{by}", d.service, d.environment))
    };
    let own = deployments.iter().map(|row| {
        let status = match row.status {
            Status::Started => "began",
            Status::Succeeded => "was deployed",
            Status::Failed => "failed to deploy",
            Status::RolledBack => "was rolled back",
        };
        let plan = row.plan.as_ref().map_or(", without a plan".to_owned(), |p| format!(", {p}"));
        (&row.deployment, line(&row.deployment, status, plan))
    });
    let others = told.known.iter().flat_map(|fact| {
        fact.value.iter().map(|d| {
            let status =
                if d.outcome == Some(Outcome::RolledBack) { "was deployed and rolled back" } else { "was deployed" };
            (d, line(d, status, format!(", as {} tells", fact.source)))
        })
    });
    let mut happened: Vec<(&Deployment, Line)> = own.chain(others).collect();
    happened.sort_by_key(|(d, _)| std::cmp::Reverse(d.at));
    let (here, around): (Vec<_>, Vec<_>) = happened.into_iter().partition(|(d, _)| d.service == *service);
    let lines = |of: Vec<(&Deployment, Line)>| -> Vec<Line> { of.into_iter().map(|(_, line)| line).collect() };
    let (here, around) = (lines(here), lines(around));
    let under_way: Vec<Line> = plans
        .iter()
        .filter(|p| matches!(p.state, State::Started | State::Watching))
        .map(|row| Line::plain(format!("{}: {} by @{}", row.plan.id, row.state.as_str(), row.plan.by)))
        .collect();
    let nothing = here.is_empty() && around.is_empty() && under_way.is_empty();
    for (says, lines) in [("Here", here), ("Around it", around), ("Under way", under_way)] {
        if !lines.is_empty() {
            blocks.push(Block::List { says: says.to_owned(), lines, folded: false });
        }
    }
    if nothing {
        blocks.push(Block::Line(Line::marked(Mark::Info, "No deployment that I know of.")));
    }
    let open: Vec<Line> = incidents
        .known
        .iter()
        .flat_map(|f| &f.value)
        .filter(|i| i.resolved.is_none())
        .map(|i| Line::plain(format!("{} {}", tame(&i.id, 40), tame(&i.title, 120))))
        .collect();
    if !open.is_empty() {
        blocks.push(Block::List { says: "Open incidents".to_owned(), lines: open, folded: false });
    }
    for (what, unknown) in [("Incidents", &incidents.unknown), ("Other deployments", &told.unknown)] {
        for unknown in unknown {
            let says = format!("{what} unknown: {} {}.", unknown.source, unknown.reason);
            blocks.push(Block::Line(Line::marked(Mark::Unknown, says)));
        }
    }
    Message { blocks, ..Message::default() }
}
