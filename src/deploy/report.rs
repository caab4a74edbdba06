//! A deployment is reported: by a pipeline, or by a person.

use super::Report;
use crate::advice::facts::{Deployment, Outcome, Shape};
use crate::app::App;
use crate::clock::{DAY, Time};
use crate::event::{Due, From};
use crate::gate::Reason;
use crate::ledger::Statement;
use crate::name::{Person, SourceName, new_id};
use crate::plan::{State, Transition, shape, show};
use crate::store::deployment::{DeploymentRow, Status};
use crate::store::plan::PlanRow;
use crate::store::{Claim, Tx};
use crate::wording;
use crate::work::Send;

/// A pipeline's word.
pub async fn reported(
    app: &App,
    claim: &Claim,
    report: &Report,
    source: Option<&SourceName>,
    at: Time,
) -> anyhow::Result<()> {
    let mut report = report.clone();
    report.at.get_or_insert(at);
    tell(app, claim, &report, None, source).await
}

/// A person's word.
pub async fn told(app: &App, claim: &Claim, report: &Report, by: Option<(&From, &Person)>) -> anyhow::Result<()> {
    tell(app, claim, report, by, None).await
}

/// Whatever order words arrive in, each is recorded and none undoes a later one.
async fn tell(
    app: &App,
    claim: &Claim,
    report: &Report,
    by: Option<(&From, &Person)>,
    system: Option<&SourceName>,
) -> anyhow::Result<()> {
    let settings = app.settings();
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let mut plan = plan_of(&mut tx, report).await?;
    let source = match (by, system) {
        (Some(_), _) => "person",
        (None, Some(system)) => system.as_str(),
        (None, None) => "hook",
    };
    let at = report.at.unwrap_or(now).min(now);
    let known = match tx.deployment_called(source, &report.id).await? {
        Some(known) => Some(known),
        // A person reports what a pipeline began, or the other way round: one deployment.
        None => match &plan {
            Some(row) => tx.deployment_of(&row.plan.id).await?.filter(|d| d.status == Status::Started || by.is_some()),
            None => None,
        },
    };
    let known = match known {
        None if by.is_none() => {
            let also = also_told(&mut tx, report, source, at).await?;
            if also.is_some() && report.status == Status::Started {
                // Somebody else told of it already, and perhaps how it ended.
                return tx.commit().await;
            }
            also
        }
        known => known,
    };
    let was = known.as_ref().map(|row| row.status);
    let mut row = match known {
        Some(row) => row,
        None => new_row(app, &mut tx, report, source, plan.as_ref(), at).await?,
    };
    if was == Some(report.status) {
        return tx.commit().await;
    }
    let against = match was {
        None => super::against::against(app, &mut tx, plan.as_ref(), report, at).await?,
        Some(_) => Vec::new(),
    };
    let before = row.deployment.outcome;
    // A late `started` never turns back what has ended.
    if was.is_none() || report.status != Status::Started {
        row.status = report.status;
    }
    match report.status {
        Status::Started => {}
        Status::Succeeded => {
            row.deployment.finished = Some(at);
            if row.watch_until.is_none() {
                row.watch_until = Some(at.plus(settings.watch.length.ms()));
                tx.due(&Due::Look { deployment: row.deployment.id.clone() }, now.plus(settings.watch.every.ms()))
                    .await?;
            }
        }
        Status::Failed | Status::RolledBack => {
            row.deployment.finished.get_or_insert(at);
            row.watch_until = row.watch_until.map(|until| until.min(now));
        }
    }
    if report.status == Status::RolledBack {
        row.proposed = Some(Outcome::RolledBack);
        if let Some((_, person)) = by {
            row.deployment.outcome = Some(Outcome::RolledBack);
            row.outcome_by = Some(person.clone());
            row.outcome_at = Some(now);
        }
    }
    tx.update_deployment(&row, before).await?;
    let record = match by {
        Some((from, person)) => Statement::new(&kind(report.status)).by(from, Some(person), None),
        None => Statement::new(&kind(report.status)).by_system(&match system {
            Some(system) => format!("hook:{system}"),
            None => "hook:deployments".to_owned(),
        }),
    };
    let record = record
        .evidence(&claim.id, None)
        .with("deployment", row.deployment.id.clone())
        .with("external_id", report.id.clone());
    let record =
        record.with("actor", report.actor.clone()).with("url", report.url.clone()).with("deployed_at", at.rfc3339());
    let codes: Vec<&str> = against.iter().map(|reason| reason.code.as_str()).collect();
    let record = record.with("against", (!codes.is_empty()).then_some(codes));
    match &mut plan {
        None => {
            let record =
                record.with("service", report.service.as_str()).with("environment", report.environment.as_str());
            tx.record(
                app,
                record
                    .with("version", report.version.clone())
                    .with("commit", report.commit.clone())
                    .with("planned", false),
            )
            .await?;
            unplanned(app, &mut tx, report, &against, was.is_none(), now).await?;
        }
        Some(plan) => {
            let brief = tx.revision(&plan.plan.id, plan.revision).await?.map(|r| r.brief);
            let other_commit = report
                .commit
                .clone()
                .zip(plan.plan.commit.clone())
                .filter(|(a, b)| !b.starts_with(a.as_str()) && !a.starts_with(b.as_str()));
            let record = record.of(plan, brief.as_deref()).with("approved", is_approved(plan.state));
            tx.record(app, record.with("deployed_commit", report.commit.clone())).await?;
            advance(app, &mut tx, plan, report, &row, by.map(|b| b.1), now).await?;
            if let Some((deployed, approved)) = other_commit {
                show::in_thread(&mut tx, plan, wording::deploy::other_commit(&deployed, &approved)).await?;
            }
            if !against.is_empty() {
                let message = wording::deploy::against(&plan.plan.service, &against, &settings);
                show::in_thread(&mut tx, plan, message).await?;
            }
        }
    }
    tx.commit().await
}

/// Moves the plan along and says so in its thread.
async fn advance(
    app: &App,
    tx: &mut Tx,
    plan: &mut PlanRow,
    report: &Report,
    row: &DeploymentRow,
    by: Option<&Person>,
    now: Time,
) -> anyhow::Result<()> {
    let settings = app.settings();
    let unstarted = plan.state.waits();
    let unapproved = plan.state.waits() && plan.state != State::Approved;
    let state = match report.status {
        Status::Started => plan.state.after(Transition::Start),
        Status::Succeeded => plan.state.after(Transition::Deploy),
        Status::Failed => None,
        Status::RolledBack if by.is_some() => {
            plan.state.after(Transition::Settle).or_else(|| plan.state.after(Transition::Deploy))
        }
        Status::RolledBack => plan.state.after(Transition::Deploy),
    };
    plan.state = state.unwrap_or(plan.state);
    if report.status == Status::RolledBack && by.is_some() {
        plan.state = State::Settled;
    }
    tx.update_plan(plan).await?;
    let id = plan.plan.id.clone();
    for due in [Due::Advise { plan: id.clone() }, Due::Remind { plan: id.clone() }, Due::Expire { plan: id.clone() }] {
        tx.no_longer_due(&due).await?;
    }
    if let Some(revision) = tx.revision(&id, plan.revision).await? {
        show::main(app, tx, plan, &revision).await?;
    }
    let actor = by.map(ToString::to_string).or_else(|| report.actor.clone());
    let message =
        wording::deploy::told(plan, report, actor.as_deref(), unapproved, unstarted, row.watch_until, &settings, now);
    show::in_thread(tx, plan, message).await?;
    if matches!(report.status, Status::Failed) || report.status == Status::RolledBack && by.is_none() {
        super::propose(tx, plan, row, &settings).await?;
    }
    Ok(())
}

/// The plan that a report is about: the one that it names, or the open one for the same target and version.
async fn plan_of(tx: &mut Tx, report: &Report) -> anyhow::Result<Option<PlanRow>> {
    if let Some(id) = &report.plan
        && let Some(row) = tx.plan(id).await?
        && row.plan.service == report.service
        && row.plan.environment == report.environment
    {
        return Ok(Some(row));
    }
    let open = tx.open_plans_for(&report.service, &report.environment).await?;
    let same = |row: &&PlanRow| {
        let by_commit = report.commit.is_some() && row.plan.commit == report.commit;
        by_commit || report.version.is_some() && row.plan.version == report.version
    };
    Ok(open.iter().find(same).cloned())
}

/// The deployment that another sender told of already: a pipeline reports it, and the system that keeps deployments too.
async fn also_told(tx: &mut Tx, report: &Report, source: &str, at: Time) -> anyhow::Result<Option<DeploymentRow>> {
    let deployment = deployment(report, None, Shape::default(), at, tx.now);
    let target = (&report.service, &report.environment);
    let near = tx.deployments_since(target, at.plus(-DAY)).await?;
    let mut others = near.into_iter().filter(|row| row.source != source && row.source != "person");
    Ok(others.find(|row| row.deployment.is_also(&deployment)))
}

async fn new_row(
    app: &App,
    tx: &mut Tx,
    report: &Report,
    source: &str,
    plan: Option<&PlanRow>,
    at: Time,
) -> anyhow::Result<DeploymentRow> {
    let shape = match plan {
        Some(row) => {
            tx.revision(&row.plan.id, row.revision).await?.map(|r| shape::of(&r.plan, &r.facts, &app.settings()))
        }
        None => None,
    };
    let row = DeploymentRow {
        deployment: deployment(report, plan, shape.unwrap_or_default(), at, tx.now),
        external_id: report.id.clone(),
        source: source.to_owned(),
        plan: plan.map(|row| row.plan.id.clone()),
        actor: report.actor.clone(),
        status: report.status,
        outcome_by: None,
        outcome_at: None,
        proposed: None,
        watch_until: None,
        watch_body: None,
    };
    tx.insert_deployment(&row).await?;
    Ok(row)
}

fn deployment(report: &Report, plan: Option<&PlanRow>, shape: Shape, at: Time, now: Time) -> Deployment {
    Deployment {
        id: format!("d-{}", new_id(now).to_lowercase()),
        service: report.service.clone(),
        environment: report.environment.clone(),
        version: report.version.clone().or_else(|| plan.and_then(|row| row.plan.version.clone())),
        commit: report.commit.clone().or_else(|| plan.and_then(|row| row.plan.commit.clone())),
        at,
        finished: None,
        outcome: None,
        cause: None,
        incident: None,
        link: report.url.clone(),
        shape,
    }
}

/// A deployment that nobody planned is recorded as such, and asked about.
async fn unplanned(
    app: &App,
    tx: &mut Tx,
    report: &Report,
    against: &[Reason],
    first: bool,
    now: Time,
) -> anyhow::Result<()> {
    let settings = app.settings();
    if !first {
        return Ok(());
    }
    let message = wording::deploy::unplanned(report, against, &settings, now);
    tx.send(&Send::home(app, message).key(format!("unplanned:{}", report.id))).await
}

/// Whether humans had approved it, as far as its state tells: what is under way without approval was recorded as such when
/// it began.
fn is_approved(state: State) -> bool {
    matches!(state, State::Approved | State::Started | State::Watching | State::Settled)
}

fn kind(status: Status) -> String {
    format!("deployment.{}", status.as_str())
}
