//! Gathers what must be known for a plan, and turns plan and facts into one brief with its hash.

use std::sync::Arc;

use super::history;
use crate::advice::facts::{Asked, Deployment, Doing, Fact, Facts, History, Other, Shape, Ticket, Unknown};
use crate::app::App;
use crate::clock::{DAY, HOUR, Time};
use crate::config::Settings;
use crate::learn::most_alike;
use crate::name::{Environment, Service, SourceName};
use crate::plan::{Kind, Plan, State};
use crate::source::gather::Gathered;
use crate::source::{self, Ask, Opened, Question, brief_deadline};
use crate::store::plan::PlanRow;

/// Calendars and rotations are looked at this far ahead: windows are searched for so long.
const AHEAD: i64 = 95 * DAY;

/// Asks everything that a brief needs, all sources at once where one answer does not depend on another.
pub async fn gather(app: &App, settings: &Arc<Settings>, plan: &Plan) -> Facts {
    let now = app.clock.now();
    forget_what_is_old(app, &plan.service).await;
    let until = brief_deadline(settings);
    let sources = sources_for(app, settings, &plan.service, &plan.environment);
    let (version, commit) = (plan.version.as_deref(), plan.commit.as_deref());
    let template = Ask {
        version: plan.version.clone(),
        names: plan.rollback.as_deref().map(crate::advice::rollback::names).unwrap_or_default(),
        from: now.plus(-2 * DAY),
        to: now.plus(AHEAD),
        ..Ask::of(Question::Calendar, settings, &plan.service, &plan.environment, now)
    };
    let over = |from: Time, to: Time| Ask { from, to, ..template.clone() };
    let (mut ahead, mut behind, mut lately) = (Gathered::default(), Gathered::default(), Gathered::default());
    let (past, past_month, hour) =
        (over(now.plus(-550 * DAY), now), over(now.plus(-30 * DAY), now), over(now.plus(-HOUR), now));
    let ((), (), (), others, health, ticket, (locks, freezes)) = tokio::join!(
        source::gather(
            &mut ahead,
            &sources,
            &template,
            &[Question::Calendar, Question::OnCall, Question::Versions, Question::Migrations, Question::Alerts],
            &app.clock,
            until
        ),
        source::gather(&mut behind, &sources, &past, &[Question::Deployments], &app.clock, until),
        source::gather(
            &mut lately,
            &sources,
            &past_month,
            &[Question::Incidents, Question::Load, Question::Support],
            &app.clock,
            until
        ),
        others(app, plan),
        async {
            let mut health = Gathered::default();
            source::gather(&mut health, &sources, &hour, &[Question::Health], &app.clock, until).await;
            health.facts.health
        },
        ticket(app, &sources, plan, &template, until),
        crate::hold::gather(app, settings, plan),
    );
    let history =
        history::past(app, settings, (&plan.service, &plan.environment), (version, commit), &behind.deployments).await;
    // The change lies between what runs and what is wanted, so it is asked for when it is known what runs.
    let running_version = history.running.as_ref().and_then(|d| d.version.clone().zip(d.commit.clone()));
    let running = history.running.as_ref().and_then(|d| d.commit.clone().or_else(|| d.version.clone()));
    let change = Ask { version: plan.commit.clone().or_else(|| plan.version.clone()), running, ..template.clone() };
    let mut second = Gathered::default();
    if plan.kind.has_version() && plan.version.is_some() {
        let questions = [Question::Change, Question::Reviews, Question::Builds];
        source::gather(&mut second, &sources, &change, &questions, &app.clock, until).await;
    }
    // Which flags, packages and lines matter shows in the change.
    let (mut flagged, mut found) = (Gathered::default(), Gathered::default());
    let names = flags(plan, &second.facts);
    let about_flags = Ask { names, ..template.clone() };
    let known = second.facts.change.first().map(|fact| Arc::new(fact.value.clone()));
    let about_change = Ask { change: known, ..change };
    tokio::join!(
        async {
            if !about_flags.names.is_empty() {
                let questions = [Question::Flags];
                source::gather(&mut flagged, &sources, &about_flags, &questions, &app.clock, until).await;
            }
        },
        async {
            if plan.kind.has_version() && plan.version.is_some() {
                let questions = [Question::Findings, Question::Coverage];
                source::gather(&mut found, &sources, &about_change, &questions, &app.clock, until).await;
            }
        }
    );
    let mut facts = Facts {
        incidents: lately.facts.incidents,
        load: lately.facts.load,
        support: lately.facts.support,
        health,
        ticket,
        change: second.facts.change,
        reviews: second.facts.reviews,
        builds: second.facts.builds,
        findings: found.facts.findings,
        coverage: found.facts.coverage,
        flags: flagged.facts.flags,
        others,
        locks,
        freezes,
        history: Asked::default(),
        ..ahead.facts
    };
    let shape = crate::plan::shape::of(plan, &facts, settings);
    if let Some(base) = facts.change.known.iter_mut().find_map(|fact| fact.value.base.as_mut())
        && let Some(running) = running_version.filter(|(_, commit)| *commit == base.commit)
    {
        // People know what runs by its version, not by the commit that it was asked by.
        base.name = running.0;
    }
    facts.history = complete(app, plan, history, &behind.deployments, &shape, now).await;
    for unknown in behind.deployments.unknown {
        facts.history.unknown.push(unknown);
    }
    facts
}

/// The few facts that a condition on an approval may rest on, asked anew.
pub async fn for_conditions(app: &App, settings: &Arc<Settings>, plan: &Plan) -> Facts {
    let now = app.clock.now();
    forget_what_is_old(app, &plan.service).await;
    let until = brief_deadline(settings);
    let sources = sources_for(app, settings, &plan.service, &plan.environment);
    let ahead = Ask {
        version: plan.commit.clone().or_else(|| plan.version.clone()),
        from: now.plus(-2 * DAY),
        to: plan.when.start(now).max(now).plus(DAY),
        fresh: true,
        ..Ask::of(Question::OnCall, settings, &plan.service, &plan.environment, now)
    };
    let behind = Ask { from: now.plus(-30 * DAY), to: now, ..ahead.clone() };
    let (mut coming, mut past) = (Gathered::default(), Gathered::default());
    let mut about = vec![Question::OnCall];
    if plan.kind.has_version() && plan.version.is_some() {
        about.push(Question::Builds);
    }
    tokio::join!(
        source::gather(&mut coming, &sources, &ahead, &about, &app.clock, until),
        source::gather(&mut past, &sources, &behind, &[Question::Load], &app.clock, until),
    );
    Facts { load: past.facts.load, ..coming.facts }
}

/// What the tracker says of the ticket that the reason names; nothing is asked where it names none.
async fn ticket(
    app: &App,
    sources: &[Arc<Opened>],
    plan: &Plan,
    template: &Ask,
    until: tokio::time::Instant,
) -> Asked<Ticket> {
    let mut gathered = Gathered::default();
    let names = plan.why.as_deref().map(super::tickets).unwrap_or_default();
    if !names.is_empty() {
        let about = Ask { names, ..template.clone() };
        source::gather(&mut gathered, sources, &about, &[Question::Ticket], &app.clock, until).await;
    }
    gathered.facts.ticket
}

/// The flags that a plan is about: the one that it changes, and those that the change mentions.
fn flags(plan: &Plan, facts: &Facts) -> Vec<String> {
    let mentioned = facts.change.known.iter().flat_map(|fact| &fact.value.flags);
    let own = plan.set.iter().filter(|_| plan.kind == Kind::Flag).map(|setting| &setting.name);
    let mut names: Vec<String> = own.chain(mentioned).cloned().collect();
    names.sort();
    names.dedup();
    names
}

/// Asks one question of everybody who can answer it, within the time of a brief.
pub async fn ask(app: &App, ask: &Ask) -> Vec<source::Said> {
    forget_what_is_old(app, &ask.service).await;
    let sources = sources_for(app, &ask.settings, &ask.service, &ask.environment);
    source::ask_all(&sources, ask, &app.clock).await
}

/// Answers that were kept from before a source's system told something new count no more, whichever replica heard it.
async fn forget_what_is_old(app: &App, service: &Service) {
    match app.store.heard(service).await {
        Ok(heard) if heard.is_empty() => {}
        Ok(heard) => {
            for source in app.sources() {
                source.heard(service, heard.get(source.name()).copied().unwrap_or_default());
            }
        }
        // Then an answer is as old as `policy.source-keep` allows, and says so.
        Err(error) => tracing::warn!(error = format!("{error:#}"), "could not read what was heard"),
    }
}

/// The sources that have anything to say about a target.
pub fn sources_for(app: &App, settings: &Settings, service: &Service, environment: &Environment) -> Vec<Arc<Opened>> {
    let repository = settings.service.get(service).and_then(|s| s.repository.as_ref());
    let concerns = |source: &Arc<Opened>| {
        let is_code = source.answers().contains(&Question::Change);
        (!is_code || repository.is_none_or(|name| name == source.name())) && source.concerns(service, environment)
    };
    app.sources().into_iter().filter(concerns).collect()
}

/// Plans and deployments that are near: waiting, under way, watched.
async fn others(app: &App, plan: &Plan) -> Asked<Vec<Other>> {
    let now = app.clock.now();
    let source = SourceName::from("tidegate");
    match near(app, plan).await {
        Ok(value) => Asked {
            known: vec![Fact { source, link: None, at: now, value, incomplete: Vec::new() }],
            unknown: Vec::new(),
        },
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "could not read other plans");
            Asked {
                known: Vec::new(),
                unknown: vec![Unknown { source, reason: "could not be read".to_owned(), at: now }],
            }
        }
    }
}

async fn near(app: &App, plan: &Plan) -> anyhow::Result<Vec<Other>> {
    let now = app.clock.now();
    let settings = app.settings();
    let length = settings.policy.deployment_length.ms() + settings.watch.length.ms();
    let mut others = Vec::new();
    for row in app.store.open_plans().await? {
        if row.plan.id == plan.id {
            continue;
        }
        let doing = match row.state {
            State::Started => Doing::UnderWay,
            State::Watching => continue,
            _ => Doing::Planned,
        };
        let start = row.started.as_ref().map_or_else(|| row.plan.when.start(now), |started| started.0);
        others.push(Other {
            id: row.plan.id.to_string(),
            service: row.plan.service.clone(),
            environment: row.plan.environment.clone(),
            version: row.plan.version.clone(),
            by: Some(row.plan.by.clone()),
            doing,
            start,
            end: start.plus(length),
            files: files_of(app, &row).await,
            link: None,
        });
    }
    for row in app.store.watched(now).await? {
        if row.plan.as_ref() == Some(&plan.id) {
            continue;
        }
        others.push(Other {
            id: row.plan.as_ref().map_or_else(|| row.deployment.id.clone(), ToString::to_string),
            service: row.deployment.service.clone(),
            environment: row.deployment.environment.clone(),
            version: row.deployment.version.clone(),
            by: None,
            doing: Doing::Watched,
            start: row.deployment.at,
            end: row.watch_until.unwrap_or(now),
            files: row.deployment.shape.files.clone(),
            link: row.deployment.link.clone(),
        });
    }
    others.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(others)
}

async fn files_of(app: &App, row: &PlanRow) -> Vec<String> {
    let revision = app.store.revision(&row.plan.id, row.revision).await.ok().flatten();
    let change = revision.and_then(|r| r.facts.change.known.into_iter().next());
    change.map(|c| c.value.files.into_iter().take(50).map(|f| f.path).collect()).unwrap_or_default()
}

/// Fills in what depends on the change itself: the most alike, and the rates that go with it.
async fn complete(
    app: &App,
    plan: &Plan,
    mut history: History,
    told: &Asked<Vec<Deployment>>,
    shape: &Shape,
    now: Time,
) -> Asked<History> {
    let source = SourceName::from("tidegate");
    let compared = async {
        let mut past = app.store.touching(&shape.files).await?;
        past.extend(app.store.recent_outcomes(&plan.environment, 150).await?);
        let told = told.known.iter().flat_map(|fact| &fact.value);
        past.extend(told.filter(|d| d.outcome.is_some() && d.environment == plan.environment && d.at < now).cloned());
        past.sort_by(|a, b| a.id.cmp(&b.id));
        past.dedup_by(|a, b| a.id == b.id);
        anyhow::Ok(past)
    };
    match compared.await {
        Ok(past) => {
            history.compared = u32::try_from(past.len()).unwrap_or(u32::MAX);
            history.similar = most_alike(&plan.service, shape, past, 5);
            Asked {
                known: vec![Fact { source, link: None, at: now, value: history, incomplete: Vec::new() }],
                unknown: Vec::new(),
            }
        }
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "could not read the history");
            Asked {
                known: Vec::new(),
                unknown: vec![Unknown { source, reason: "could not be read".to_owned(), at: now }],
            }
        }
    }
}

/// The hash that identifies a brief: over the canonical JSON of plan, facts and advice.
pub fn hash(plan: &Plan, facts: &Facts, advice: &crate::advice::Advice) -> anyhow::Result<String> {
    hash_of(&serde_json::json!({ "plan": plan, "facts": facts, "advice": advice }))
}

/// The same of a brief as it is stored. Nothing is read into today's types: a field that they lack, or have in addition,
/// must not go unnoticed or look like a forgery.
pub fn hash_of_stored(plan: &str, facts: &str, advice: &str) -> anyhow::Result<String> {
    let read = serde_json::from_str::<serde_json::Value>;
    hash_of(&serde_json::json!({ "plan": read(plan)?, "facts": read(facts)?, "advice": read(advice)? }))
}

fn hash_of(brief: &serde_json::Value) -> anyhow::Result<String> {
    Ok(crate::ledger::sha256(&serde_json_canonicalizer::to_vec(brief)?))
}
