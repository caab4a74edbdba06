//! One look at a watched deployment: what is worse, what recovered, what cannot be told; then the next look, or the end.

use std::sync::Arc;

use super::condition::{Condition, read_conditions};
use super::watch::{Look, Signal, SignalState, judge};
use crate::advice::facts::Outcome;
use crate::app::App;
use crate::clock::{DAY, HOUR, Time};
use crate::config::Settings;
use crate::event::Due;
use crate::ledger::Statement;
use crate::name::new_id;
use crate::plan::show;
use crate::source::{Ask, Learned, Question, Series};
use crate::store::deployment::{Alert, DeploymentRow, Status};
use crate::store::plan::PlanRow;
use crate::store::{Claim, Tx};
use crate::webhook::news::PACE;
use crate::wording;
use crate::work::Send;

pub async fn look(app: &App, claim: &Claim, id: &str) -> anyhow::Result<()> {
    let settings = app.settings();
    let Some(seen) = app.store.deployment(id).await?.filter(|row| row.watch_until.is_some()) else {
        return app.store.begin_finishing(claim, app.clock.now()).await?.commit().await;
    };
    let heard = app.store.heard(&seen.deployment.service).await?;
    let (series, unseen) = series(app, &settings, &seen).await;
    let now = app.clock.now();
    let plan = match &seen.plan {
        Some(plan) => app.store.plan(plan).await?,
        None => None,
    };
    let conditions = plan.as_ref().map(conditions_of).unwrap_or_default();
    let at = seen.deployment.finished.unwrap_or(seen.deployment.at);
    let look = judge(&series, at, now, &settings.watch, &conditions);
    // Read before the transaction, which holds a connection of its own: on PostgreSQL the pool is small.
    let newer = newer(app, &seen, now).await?;

    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(mut row) = tx.deployment(id).await? else { return tx.commit().await };
    let Some(until) = row.watch_until else { return tx.commit().await };
    let mut alerts = tx.alerts(id).await?;
    let first_blind = row.watch_body.is_none() && look.is_blind();
    row.watch_body = Some(serde_json::to_string(&look)?);
    let scene = Scene { app, row: &row, plan: plan.as_ref(), look: &look, series: &series, at, settings: &settings };
    // What runs is the newer one's doing: of two watches over one service only that one speaks.
    let subjects = if newer.is_none() { look.subjects() } else { Vec::new() };
    for signal in &subjects {
        let open = alerts.iter_mut().find(|a| a.signal == signal.subject && a.recovered_at.is_none());
        match (signal.state, open) {
            (SignalState::Worse, None) => open_alert(&mut tx, &scene, signal).await?,
            (SignalState::Worse, Some(alert)) => grow(&mut tx, &scene, alert, signal).await?,
            (SignalState::Fine, Some(alert)) => recover(&mut tx, &scene, alert, signal).await?,
            _ => {}
        }
    }
    let over = now >= until || row.status == Status::RolledBack || newer.is_some();
    if over {
        finish(&mut tx, &scene, &alerts, newer.as_ref(), &unseen).await?;
    } else {
        if let (true, Some(plan)) = (first_blind, &plan) {
            show::in_thread_as(
                &mut tx,
                plan,
                Some(format!("watch:{id}")),
                wording::deploy::cannot_tell(&look, &unseen, until, &settings, now),
            )
            .await?;
        }
        tx.update_deployment(&row, row.deployment.outcome).await?;
        let news = tx.heard(&row.deployment.service).await? != heard;
        let again = if news { PACE.min(settings.watch.every.ms()) } else { settings.watch.every.ms() };
        tx.due(&Due::Look { deployment: id.to_owned() }, now.plus(again)).await?;
    }
    tx.commit().await
}

/// Everything that metrics and probes say about the service since a day before the deployment; and who could not say.
async fn series(app: &App, settings: &Arc<Settings>, row: &DeploymentRow) -> (Series, Vec<String>) {
    let now = app.clock.now();
    let deployment = &row.deployment;
    let ask = Ask {
        version: deployment.version.clone(),
        from: deployment.at.plus(-(2 * DAY + 2 * HOUR)),
        ..Ask::of(Question::Series, settings, &deployment.service, &deployment.environment, now)
    };
    let mut best = Series::default();
    let mut unseen = Vec::new();
    for (name, answer) in crate::plan::brief::ask(app, &ask).await {
        match answer {
            // Of several sources the one with the most minutes speaks: metrics before a probe.
            Ok(answer) => match answer.learned {
                Learned::Series(series) if series.minutes.len() > best.minutes.len() => best = series,
                _ => {}
            },
            Err(why) => unseen.push(format!("{name} {why}")),
        }
    }
    (best, unseen)
}

/// What the planner wrote that the watch can evaluate: the way back and the criteria of success.
fn conditions_of(row: &PlanRow) -> Vec<Condition> {
    let mut conditions = row.plan.rollback_if.as_deref().map(|text| read_conditions(text, true)).unwrap_or_default();
    conditions.extend(row.plan.success.as_deref().map(|text| read_conditions(text, false)).unwrap_or_default());
    conditions
}

/// What every message of an alert is made from.
#[derive(Clone, Copy)]
struct Scene<'a> {
    app: &'a App,
    row: &'a DeploymentRow,
    plan: Option<&'a PlanRow>,
    look: &'a Look,
    series: &'a Series,
    /// When it was deployed.
    at: Time,
    settings: &'a Settings,
}

async fn open_alert(tx: &mut Tx, scene: &Scene<'_>, signal: &Signal) -> anyhow::Result<()> {
    let Scene { app, row, plan, settings, .. } = *scene;
    let alert = Alert {
        id: format!("a-{}", new_id(tx.now).to_lowercase()),
        deployment: row.deployment.id.clone(),
        signal: signal.subject.clone(),
        opened_at: tx.now,
        recovered_at: None,
        taken: None,
        body: serde_json::to_string(signal)?,
    };
    tx.put_alert(&alert, plan.map(|p| &p.plan.id)).await?;
    let mut record = Statement::new("alert.raised")
        .with("alert", alert.id.clone())
        .with("deployment", row.deployment.id.clone())
        .with("signal", signal.signal.clone());
    if let Some(plan) = plan {
        record = record.of(plan, None);
    }
    tx.record(app, record.text("says", Some(&signal.says))).await?;
    say(tx, scene, &alert, signal).await?;
    tx.due(&Due::Escalate { alert: alert.id.clone() }, tx.now.plus(settings.watch.escalate_after.ms())).await
}

/// The same alert, graver: the planner's own condition is met too. Its message says so; nothing rings anew.
async fn grow(tx: &mut Tx, scene: &Scene<'_>, alert: &mut Alert, signal: &Signal) -> anyhow::Result<()> {
    let before: Option<Signal> = serde_json::from_str(&alert.body).ok();
    if !signal.calls_back || before.is_some_and(|b| b.calls_back) {
        return Ok(());
    }
    alert.body = serde_json::to_string(signal)?;
    tx.put_alert(alert, scene.plan.map(|p| &p.plan.id)).await?;
    say(tx, scene, alert, signal).await
}

async fn recover(tx: &mut Tx, scene: &Scene<'_>, alert: &mut Alert, signal: &Signal) -> anyhow::Result<()> {
    let Scene { app, plan, .. } = *scene;
    alert.recovered_at = Some(tx.now);
    tx.put_alert(alert, plan.map(|p| &p.plan.id)).await?;
    let mut record =
        Statement::new("alert.recovered").with("alert", alert.id.clone()).with("signal", alert.signal.clone());
    if let Some(plan) = plan {
        record = record.of(plan, None);
    }
    tx.record(app, record).await?;
    tx.no_longer_due(&Due::Escalate { alert: alert.id.clone() }).await?;
    say(tx, scene, alert, signal).await
}

/// The alert's one message, with its chart; edited when things change.
async fn say(tx: &mut Tx, scene: &Scene<'_>, alert: &Alert, signal: &Signal) -> anyhow::Result<()> {
    let Scene { app, row, plan, look, series, at, settings } = *scene;
    let chart = crate::picture::health_chart(
        &row.deployment,
        series,
        look,
        (at, alert.opened_at, alert.recovered_at),
        settings,
        tx.now,
    );
    let picture = format!("chart-{}", alert.id);
    tx.insert_picture(&picture, &chart.light, &chart.dark).await?;
    let message = wording::deploy::alert(row, plan, alert, look, signal, &picture, &chart.alt, settings, tx.now);
    let key = Some(format!("alert:{}", alert.id));
    match plan {
        Some(plan) => show::in_thread_as(tx, plan, key, message).await,
        None => tx.send(&Send::home(app, message).key(key)).await,
    }
}

/// The newest deployment of the same service to the same environment that is watched too and came later.
async fn newer(app: &App, row: &DeploymentRow, now: Time) -> anyhow::Result<Option<DeploymentRow>> {
    let of = |row: &DeploymentRow| row.deployment.finished.unwrap_or(row.deployment.at);
    let (this, mine) = (&row.deployment, of(row));
    let same = |other: &DeploymentRow| {
        let that = &other.deployment;
        that.id != this.id && that.service == this.service && that.environment == this.environment && of(other) > mine
    };
    Ok(app.store.watched(now).await?.into_iter().filter(same).max_by_key(of))
}

/// The watch is over: says what it saw and asks for the outcome.
async fn finish(
    tx: &mut Tx,
    scene: &Scene<'_>,
    alerts: &[Alert],
    newer: Option<&DeploymentRow>,
    unseen: &[String],
) -> anyhow::Result<()> {
    let Scene { app, plan, look, settings, .. } = *scene;
    let mut row = scene.row.clone();
    row.watch_until = None;
    let proposed = match (alerts.is_empty(), newer) {
        (false, _) => Some(Outcome::Degraded),
        // What could not be seen, or only for a while, is not called clean.
        (true, Some(_)) => None,
        (true, None) => (!look.is_blind()).then_some(Outcome::Clean),
    };
    row.proposed = row.proposed.or(proposed);
    if newer.is_some() || row.status == Status::RolledBack {
        // It no longer runs: nobody needs to be fetched for it.
        for alert in alerts.iter().filter(|alert| alert.recovered_at.is_none()) {
            tx.no_longer_due(&Due::Escalate { alert: alert.id.clone() }).await?;
        }
    }
    tx.update_deployment(&row, row.deployment.outcome).await?;
    let mut record =
        Statement::new("watch.ended").with("deployment", row.deployment.id.clone()).with("alerts", alerts.len());
    if let Some(plan) = plan {
        record = record.of(plan, None);
    }
    let record = record.with("proposed", row.proposed.map(Outcome::as_str));
    tx.record(app, record.with("newer", newer.map(|newer| newer.deployment.id.clone()))).await?;
    let Some(plan) = plan else { return Ok(()) };
    let says = wording::deploy::watch_over(&row, look, unseen, alerts, newer, settings, tx.now);
    show::in_thread_as(tx, plan, Some(format!("watch:{}", row.deployment.id)), says).await?;
    if row.deployment.outcome.is_none() {
        super::propose(tx, plan, &row, settings).await?;
    }
    Ok(())
}
