//! What waits, is under way or is watched; what changed.

use crate::advice::facts::{Asked, Incident};
use crate::advice::says;
use crate::clock::Time;
use crate::config::{Settings, Span as Length};
use crate::message::{Block, Line, Mark, Message, tame};
use crate::name::Service;
use crate::plan::State;
use crate::store::deployment::{DeploymentRow, Status};
use crate::store::plan::PlanRow;

pub fn status(
    of: Option<&str>,
    plans: &[PlanRow],
    watched: &[DeploymentRow],
    settings: &Settings,
    now: Time,
) -> Message {
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
                Line::plain(format!(
                    "{}: {} {} → {}, {}, planned by @{}{when}",
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
    let idle = waiting.is_empty() && under_way.is_empty() && watching.is_empty();
    for (says, lines) in [("Waiting", waiting), ("Under way", under_way), ("Watched", watching)] {
        if !lines.is_empty() {
            blocks.push(Block::List { says: says.to_owned(), lines, folded: false });
        }
    }
    if idle {
        blocks.push(Block::Line(Line::marked(Mark::Pass, "Nothing waits, is under way or is watched here.")));
    }
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

pub fn changed(
    service: &Service,
    since: Length,
    deployments: &[DeploymentRow],
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
    let own = |row: &&DeploymentRow| row.deployment.service == *service;
    let line = |row: &DeploymentRow| {
        let d = &row.deployment;
        let status = match row.status {
            Status::Started => "began",
            Status::Succeeded => "was deployed",
            Status::Failed => "failed to deploy",
            Status::RolledBack => "was rolled back",
        };
        let migration = if d.shape.migration { ", with a migration" } else { "" };
        let plan = row.plan.as_ref().map_or(", without a plan".to_owned(), |p| format!(", {p}"));
        let version = d.version.as_deref().map(|v| format!(" {}", tame(v, 40))).unwrap_or_default();
        Line::plain(format!(
            "{}{version} {status} in {} at {}{migration}{plan}",
            d.service,
            d.environment,
            says::time(d.at, zone, now)
        ))
    };
    let here: Vec<Line> = deployments.iter().rev().filter(own).map(line).collect();
    let around: Vec<Line> = deployments.iter().rev().filter(|row| !own(row)).map(line).collect();
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
    for unknown in &incidents.unknown {
        blocks.push(Block::Line(Line::marked(
            Mark::Unknown,
            format!("Incidents unknown: {} {}.", unknown.source, unknown.reason),
        )));
    }
    Message { blocks, ..Message::default() }
}
