//! `cancel`: the plan is off.

use super::Call;
use crate::event::Due;
use crate::ledger::Statement;
use crate::plan::{Transition, show};
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let seen = call.plan().await?;
    let id = seen.plan.id.clone();
    if seen.state.after(Transition::Cancel).is_none() {
        return Err(call.refuse(wording::refusal::over(&seen)));
    }
    let mut tx = call.begin().await?;
    let Some(mut row) = tx.plan(&id).await? else { return tx.commit().await };
    let Some(state) = row.state.after(Transition::Cancel) else { return tx.commit().await };
    row.state = state;
    tx.update_plan(&row).await?;
    tx.record(
        call.app,
        Statement::new("plan.cancelled")
            .by(call.from, Some(&call.person), None)
            .of(&row, None)
            .evidence(&call.claim.id, None),
    )
    .await?;
    if let Some(revision) = tx.revision(&id, row.revision).await? {
        show::main(call.app, &mut tx, &row, &revision).await?;
    }
    show::in_thread(&mut tx, &row, wording::card::cancelled(&row, &call.person)).await?;
    for due in [Due::Advise { plan: id.clone() }, Due::Remind { plan: id.clone() }, Due::Expire { plan: id.clone() }] {
        tx.no_longer_due(&due).await?;
    }
    tx.commit().await
}
