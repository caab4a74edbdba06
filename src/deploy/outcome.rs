//! What became of a deployment: proposed by the watch or a pipeline, given by a named person.

use crate::advice::facts::{Cause, Outcome};
use crate::app::App;
use crate::command::{BadCommand, whisper};
use crate::config::Settings;
use crate::event::From;
use crate::ledger::Statement;
use crate::name::{Person, PlanId};
use crate::plan::{State, Transition, show};
use crate::store::deployment::DeploymentRow;
use crate::store::plan::PlanRow;
use crate::store::{Claim, Tx};
use crate::wording;

/// Asks for the outcome in the thread, with what the facts suggest.
pub async fn propose(tx: &mut Tx, plan: &PlanRow, row: &DeploymentRow, settings: &Settings) -> anyhow::Result<()> {
    let key = format!("outcome:{}", row.deployment.id);
    let message = wording::deploy::asks_outcome(plan, row.proposed, settings);
    show::in_thread_as(tx, plan, Some(key), message).await
}

/// A person's judgement; a later one replaces it, and the record keeps both.
pub async fn settle(
    app: &App,
    claim: &Claim,
    from: &From,
    person: &Person,
    id: &PlanId,
    outcome: Outcome,
    cause: Option<Cause>,
) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(mut plan) = tx.plan(id).await? else { return Err(BadCommand(format!("There is no plan `{id}`.")).into()) };
    let Some(mut row) = tx.deployment_of(id).await? else {
        let says = format!("`{id}` was not deployed, as far as I know: `finished {id}` says that it was.");
        whisper(&mut tx, from, None, wording::refusal::plain(&says)).await?;
        return tx.commit().await;
    };
    let before = row.deployment.outcome;
    row.deployment.outcome = Some(outcome);
    row.deployment.cause = cause.or(row.deployment.cause);
    row.outcome_by = Some(person.clone());
    row.outcome_at = Some(now);
    // What was rolled back no longer runs; after any other word production is watched on.
    if outcome == Outcome::RolledBack {
        row.watch_until = row.watch_until.map(|until| until.min(now));
    }
    tx.update_deployment(&row, before).await?;
    plan.state = plan.state.after(Transition::Settle).unwrap_or(State::Settled);
    tx.update_plan(&plan).await?;
    let record = Statement::new("outcome.given").by(from, Some(person), None).of(&plan, None).evidence(&claim.id, None);
    let record = record.with("deployment", row.deployment.id.clone()).with("outcome", outcome.as_str());
    tx.record(app, record.with("cause", cause.map(Cause::as_str)).with("before", before.map(Outcome::as_str))).await?;
    if let Some(revision) = tx.revision(id, plan.revision).await? {
        show::main(app, &mut tx, &plan, &revision).await?;
    }
    let said = wording::deploy::outcome_given(person, outcome, cause);
    show::in_thread_as(&mut tx, &plan, Some(format!("outcome:{}", row.deployment.id)), said).await?;
    tx.commit().await
}
