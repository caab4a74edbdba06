//! `start`: the human act that begins it and, in a protected environment, opens the gate. And `confirm`: the planner types
//! the environment's name.

use super::{BadCommand, Call, whisper};
use crate::app::App;
use crate::config::Settings;
use crate::event::{Due, From};
use crate::gate::{self, Verdict};
use crate::ledger::Statement;
use crate::name::Person;
use crate::plan::{State, Transition, show};
use crate::store::plan::PlanRow;
use crate::store::{Claim, Tx};
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let row = call.plan().await?;
    begin(call.app, call.claim, call.from, &call.person, &row).await
}

/// Begins a plan, if the gate would open for it: approved, in time, confirmed, nothing in the way.
pub async fn begin(app: &App, claim: &Claim, from: &From, person: &Person, seen: &PlanRow) -> anyhow::Result<()> {
    let settings = app.settings();
    if !may_start(&settings, person, seen) {
        return Err(BadCommand(wording::refusal::may_not_start(seen)).into());
    }
    // The gate's own eyes, with the version looked up anew: what a human starts is what was approved.
    gate::look_again(app, seen).await?;
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(mut row) = tx.plan(&seen.plan.id).await? else { return tx.commit().await };
    if matches!(row.state, State::Started | State::Watching) {
        whisper(&mut tx, from, None, wording::refusal::plain(&wording::refusal::already_started(&row))).await?;
        return tx.commit().await;
    }
    let environment = settings.environment.get(&row.plan.environment);
    if environment.is_some_and(|e| e.protected) && row.confirmed.is_none() && row.state == State::Approved {
        whisper(&mut tx, from, Some(show::main_key(&row.plan.id)), wording::card::confirm_form(&row)).await?;
        return tx.commit().await;
    }
    let answer = gate::decide(app, &mut tx, &row, None).await?;
    if !matches!(answer.verdict, Verdict::NotStarted | Verdict::Approved) {
        whisper(&mut tx, from, Some(show::main_key(&row.plan.id)), wording::refusal::plain(&wording::refusal::cannot_start(&row, &answer))).await?;
        return tx.commit().await;
    }
    let Some(state) = row.state.after(Transition::Start) else { return tx.commit().await };
    row.state = state;
    row.started = Some((now, person.clone()));
    tx.update_plan(&row).await?;
    started(app, &mut tx, &row, from, person, claim).await?;
    tx.commit().await
}

/// Says and records that it began.
async fn started(app: &App, tx: &mut Tx, row: &PlanRow, from: &From, person: &Person, claim: &Claim) -> anyhow::Result<()> {
    let id = &row.plan.id;
    let revision = tx.revision(id, row.revision).await?;
    let brief = revision.as_ref().map(|r| r.brief.clone());
    tx.record(app, Statement::new("start").by(from, Some(person), None).of(row, brief.as_deref()).evidence(&claim.id, None)).await?;
    if let Some(revision) = &revision {
        show::main(app, tx, row, revision).await?;
    }
    show::in_thread(tx, row, wording::card::started(row, person)).await?;
    for due in [Due::Advise { plan: id.clone() }, Due::Remind { plan: id.clone() }, Due::Expire { plan: id.clone() }] {
        tx.no_longer_due(&due).await?;
    }
    Ok(())
}

/// The planner typed the environment's name, in the form or as a reply.
pub async fn confirm(app: &App, claim: &Claim, from: &From, person: &Person, seen: &PlanRow, typed: &str) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(mut row) = tx.plan(&seen.plan.id).await?.filter(|row| row.state.waits()) else { return tx.commit().await };
    if *person != row.plan.by {
        whisper(&mut tx, from, None, wording::refusal::plain(&wording::refusal::only_planner_confirms(&row))).await?;
        return tx.commit().await;
    }
    if typed.trim() != row.plan.environment.as_str() {
        whisper(&mut tx, from, None, wording::refusal::plain(&wording::refusal::wrong_name(&row))).await?;
        return tx.commit().await;
    }
    if row.confirmed.is_none() {
        row.confirmed = Some((now, person.clone()));
        tx.update_plan(&row).await?;
        let revision = tx.revision(&row.plan.id, row.revision).await?;
        let brief = revision.as_ref().map(|r| r.brief.as_str());
        tx.record(app, Statement::new("confirm").by(from, Some(person), None).of(&row, brief).evidence(&claim.id, None)).await?;
        show::in_thread(&mut tx, &row, wording::card::confirmed(&row, person)).await?;
    }
    tx.commit().await
}

/// The planner, the service's owners, and whom the plan names to respond or watch.
fn may_start(settings: &Settings, person: &Person, row: &PlanRow) -> bool {
    let owners = settings.service.get(&row.plan.service).map(|s| s.owners.as_slice()).unwrap_or_default();
    *person == row.plan.by || owners.contains(person) || row.plan.respond.contains(person)
}
