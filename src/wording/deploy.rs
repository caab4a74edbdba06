//! Deployments, the watch, alerts, outcomes.

use super::zone;
use crate::advice::facts::{Cause, Outcome};
use crate::advice::says;
use crate::clock::Time;
use crate::config::Settings;
use crate::deploy::Report;
use crate::deploy::watch::{Look, Signal};
use crate::gate::Reason;
use crate::message::{Block, Button, ButtonStyle, Level, Line, Mark, Message, Span, tame};
use crate::name::{Person, Service};
use crate::store::deployment::{Alert, DeploymentRow, Status};
use crate::store::plan::PlanRow;
use crate::wording::brief::picture_block;
use crate::wording::short;

/// A deployment was reported, in its plan's thread.
#[allow(clippy::too_many_arguments)]
pub fn told(
    plan: &PlanRow,
    report: &Report,
    actor: Option<&str>,
    unapproved: bool,
    unstarted: bool,
    watch_until: Option<Time>,
    settings: &Settings,
    now: Time,
) -> Message {
    let zone = zone(settings, &report.service, &report.environment);
    let by = actor.map(|a| format!(" ({})", tame(a, 60))).unwrap_or_default();
    let what = tame(&plan.plan.what(), 60);
    let (mark, mut says) = match report.status {
        Status::Started => (Mark::Start, format!("The deployment of {what} began{by}.")),
        Status::Succeeded => {
            let until = watch_until
                .map(|u| {
                    format!(
                        " Watching errors, latency and the plan's own conditions until {}.",
                        says::time(u, zone, now)
                    )
                })
                .unwrap_or_default();
            (Mark::Finish, format!("{what} is deployed{by}.{until}"))
        }
        Status::Failed => (Mark::Caution, format!("The deployment of {what} failed{by}.")),
        Status::RolledBack => (
            Mark::Back,
            format!(
                "{what} was rolled back{by}. The commit must be reverted too, or the next deployment brings it back."
            ),
        ),
    };
    if unapproved {
        says.push_str(" It was not approved; the record says so.");
    } else if unstarted {
        says.push_str(" Nobody said start; the record says so.");
    }
    let level = if unapproved { Level::Critical } else { Level::Info };
    Message { level, ..Message::line(mark, says) }
}

pub fn other_commit(deployed: &str, approved: &str) -> Message {
    let says = format!(
        "What was deployed is commit {}, what was approved is {}.",
        short(&tame(deployed, 40)),
        short(approved)
    );
    Message { level: Level::Critical, ..Message::line(Mark::Critical, says) }
}

/// A deployment that the gate would not have let through, to those who own the service.
pub fn against(service: &Service, reasons: &[Reason], settings: &Settings) -> Message {
    let mut spans = owners(service, settings);
    spans.push(Span::plain(format!(
        "The gate had not let this deployment through: {} The record says so.",
        said(reasons)
    )));
    Message { level: Level::Critical, ..Message::spans(Some(Mark::Critical), spans) }
}

fn said(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| tame(&reason.says, 200)).collect::<Vec<_>>().join(" ")
}

fn owners(service: &Service, settings: &Settings) -> Vec<Span> {
    let owners = settings.service.get(service).map(|service| service.owners.as_slice()).unwrap_or_default();
    owners.iter().flat_map(|owner| [Span::person(owner), Span::plain(" ")]).collect()
}

pub fn unplanned(report: &Report, against: &[Reason], settings: &Settings, now: Time) -> Message {
    let zone = zone(settings, &report.service, &report.environment);
    let at = report.at.unwrap_or(now);
    let version = report.version.as_deref().map(|v| format!(" {}", tame(v, 60))).unwrap_or_default();
    let by = report.actor.as_deref().map(|a| format!(" by {}", tame(a, 60))).unwrap_or_default();
    let says = format!(
        "{}{version} was deployed to {} at {}{by} without a plan. Whose is it, and why? It is recorded as unplanned.",
        tame(report.service.as_str(), 60),
        tame(report.environment.as_str(), 60),
        says::time(at, zone, now)
    );
    let mut spans = owners(&report.service, settings);
    spans.push(Span::plain(says));
    let others: Vec<Reason> = against.iter().filter(|reason| reason.code != "plan.none").cloned().collect();
    if !others.is_empty() {
        spans.push(Span::plain(format!(" Besides: {}", said(&others))));
    }
    Message { level: Level::Caution, ..Message::spans(Some(Mark::Caution), spans) }
}

/// An alert, or how it ended: one message, edited in place.
#[allow(clippy::too_many_arguments)]
pub fn alert(
    row: &DeploymentRow,
    plan: Option<&PlanRow>,
    alert: &Alert,
    look: &Look,
    signal: &Signal,
    picture: &str,
    alt: &str,
    settings: &Settings,
    now: Time,
) -> Message {
    let d = &row.deployment;
    let zone = zone(settings, &d.service, &d.environment);
    let mut blocks = Vec::new();
    let requests = says::number(look.requests.round().clamp(0.0, 1e15) as i64);
    let other: Vec<&str> = look
        .signals
        .iter()
        .filter(|s| s.subject != signal.subject && !s.signal.starts_with("condition"))
        .map(|s| s.says.as_str())
        .collect();
    let other = if other.is_empty() { String::new() } else { format!(" Also: {}.", other.join(", ")) };
    match alert.recovered_at {
        None => {
            let head = format!(
                "{} in {} looks worse since {}",
                d.service,
                d.environment,
                says::time(alert.opened_at, zone, now)
            );
            let spans = vec![
                Span::strong(head),
                Span::plain(format!(
                    " — {} ({requests} requests; before: the hour before and the same hours of the last days).{other}",
                    signal.says
                )),
            ];
            blocks.push(Block::Line(Line { mark: Some(Mark::Alert), spans, code: None }));
            if signal.calls_back {
                blocks.push(Block::Line(Line::marked(Mark::Back, "The plan says that this calls for the rollback.")));
            }
            let way_back = plan.and_then(|p| p.plan.rollback.as_deref()).map(|r| tame(r, 300));
            blocks.push(match way_back {
                Some(text) => Block::List {
                    says: "The rollback plan was".to_owned(),
                    lines: vec![Line::plain(text)],
                    folded: false,
                },
                None => Block::Line(Line::plain("The plan states no rollback.")),
            });
            let respond = plan.map(|p| p.plan.respond.clone()).unwrap_or_default();
            let mut spans = Vec::new();
            for person in &respond {
                spans.push(Span::person(person));
                spans.push(Span::plain(" "));
            }
            spans.push(Span::plain(match &alert.taken {
                Some((_, by)) => format!("@{by} has it."),
                None => "👀 to say you have it.".to_owned(),
            }));
            blocks.push(Block::Line(Line { mark: None, spans, code: None }));
        }
        Some(at) => {
            let head = format!("{} in {} recovered at {}", d.service, d.environment, says::time(at, zone, now));
            let spans = vec![
                Span::strong(head),
                Span::plain(format!(
                    " — it looked worse since {}; now {}.{other}",
                    says::time(alert.opened_at, zone, now),
                    signal.says
                )),
            ];
            blocks.push(Block::Line(Line { mark: Some(Mark::Recovered), spans, code: None }));
        }
    }
    blocks.push(picture_block(picture, alt));
    let open = alert.recovered_at.is_none();
    Message {
        blocks,
        level: if open { Level::Critical } else { Level::Good },
        reactions: if open {
            settings.chat.reactions.get("watching").and_then(|n| n.first()).cloned().into_iter().collect()
        } else {
            Vec::new()
        },
        buttons: match (open, plan) {
            (true, Some(plan)) => vec![
                Button {
                    id: format!("take-alert {}", alert.id),
                    says: "I have it".to_owned(),
                    style: ButtonStyle::Primary,
                },
                Button {
                    id: format!("rolledback {}", plan.plan.id),
                    says: "It was rolled back".to_owned(),
                    style: ButtonStyle::Danger,
                },
            ],
            _ => Vec::new(),
        },
        ..Message::default()
    }
}

pub fn taken(by: &Person) -> Message {
    Message::spans(Some(Mark::Watch), vec![Span::person(by), Span::plain(" has the alert.")])
}

pub fn escalated(row: &DeploymentRow, alert: &Alert, settings: &Settings, now: Time) -> Message {
    let d = &row.deployment;
    let zone = zone(settings, &d.service, &d.environment);
    let people: Vec<&Person> = settings
        .people
        .iter()
        .filter(|(_, p)| p.roles.iter().any(|r| settings.watch.escalate_to.contains(r)))
        .map(|(name, _)| name)
        .collect();
    let mut spans = vec![
        Span::strong(format!(
            "{} in {} has looked worse since {}, and nobody has taken it.",
            d.service,
            d.environment,
            says::time(alert.opened_at, zone, now)
        )),
        Span::plain(" "),
    ];
    for person in people {
        spans.push(Span::person(person));
        spans.push(Span::plain(" "));
    }
    spans.push(Span::plain("The alert with its chart is in the thread of the plan."));
    Message { level: Level::Critical, ..Message::spans(Some(Mark::Alert), spans) }
}

/// Nothing can be told of the deployment's effect.
pub fn cannot_tell(look: &Look, unseen: &[String], until: Time, settings: &Settings, now: Time) -> Message {
    let mut says: Vec<String> =
        look.signals.iter().filter(|s| !s.signal.starts_with("condition")).map(|s| s.says.clone()).take(1).collect();
    says.extend(unseen.iter().map(|u| tame(u, 160)));
    let text = format!(
        "Too little to tell whether it is well: {}. Looking on until {}.",
        says.join("; "),
        says::time(until, settings.team.zone, now)
    );
    Message::line(Mark::Unknown, text)
}

/// The watch has ended: what looked worse and for how long, or that nothing did, or that it could not be told.
pub fn watch_over(
    row: &DeploymentRow,
    look: &Look,
    unseen: &[String],
    alerts: &[Alert],
    newer: Option<&DeploymentRow>,
    settings: &Settings,
    now: Time,
) -> Message {
    let d = &row.deployment;
    let zone = zone(settings, &d.service, &d.environment);
    // The planner's own conditions are about these same figures.
    let own = |signal: &&Signal| !signal.signal.starts_with("condition");
    let measured: Vec<&str> = look.signals.iter().filter(own).map(|s| s.says.as_str()).collect();
    let mut says = match newer.map(|newer| &newer.deployment) {
        None => "The watch is over".to_owned(),
        Some(newer) => {
            let version = newer.version.as_deref().map_or_else(|| "the next change".to_owned(), |v| tame(v, 60));
            let at = says::time(newer.finished.unwrap_or(newer.at), zone, now);
            format!("The watch is over: {version} has taken this one's place since {at} and is watched instead")
        }
    };
    for alert in alerts {
        let since = says::time(alert.opened_at, zone, now);
        let signal = says::capital(&alert.signal);
        says.push_str(&match alert.recovered_at {
            Some(at) => format!(". {signal} looked worse from {since} to {}", says::time(at, zone, now)),
            None => format!(". {signal} looked worse from {since} on and had not recovered"),
        });
    }
    says.push_str(&match (look.is_blind(), alerts.is_empty(), newer.is_some()) {
        (true, true, _) => {
            let why: Vec<&str> = measured.iter().copied().chain(unseen.iter().map(String::as_str)).take(3).collect();
            format!(". I could not tell whether it is well: {}.", why.join("; "))
        }
        (true, false, _) => format!(". How it is now cannot be told: {}.", measured.join("; ")),
        (false, true, false) => format!(": nothing looked worse ({}).", measured.join(", ")),
        (false, true, true) => format!(". Until now nothing looked worse ({}).", measured.join(", ")),
        (false, false, _) => format!(". At the end: {}.", measured.join(", ")),
    });
    Message::line(Mark::Watch, says)
}

pub fn asks_outcome(plan: &PlanRow, proposed: Option<Outcome>, _: &Settings) -> Message {
    let proposal = proposed
        .map(|o| format!(" The facts suggest: {}.", o.as_str().replace('_', " ")))
        .unwrap_or_else(|| " The facts suggest nothing.".to_owned());
    let buttons = Outcome::ALL
        .iter()
        .map(|o| Button {
            id: format!("outcome {} {}", plan.plan.id, o.as_str().replace('_', "")),
            says: o.as_str().replace('_', " "),
            style: if Some(*o) == proposed { ButtonStyle::Primary } else { ButtonStyle::Plain },
        })
        .collect();
    Message {
        blocks: vec![Block::Line(Line {
            mark: Some(Mark::Note),
            spans: vec![
                Span::person(&plan.plan.by),
                Span::plain(format!(", what became of it?{proposal} A named person says.")),
            ],
            code: None,
        })],
        buttons,
        ..Message::default()
    }
}

pub fn outcome_given(by: &Person, outcome: Outcome, cause: Option<Cause>) -> Message {
    let cause = cause.map(|c| format!(" ({})", c.as_str())).unwrap_or_default();
    let mark = if outcome.is_bad() { Mark::Caution } else { Mark::Pass };
    Message::spans(
        Some(mark),
        vec![
            Span::plain(format!("Outcome: {}{cause}, says ", outcome.as_str().replace('_', " "))),
            Span::person(by),
            Span::plain("."),
        ],
    )
}
