//! What happens to a waiting plan when its time comes, and when it never does.

use crate::app::App;
use crate::event::Due;
use crate::ledger::Statement;
use crate::name::PlanId;
use crate::plan::{State, Transition, show};
use crate::store::Claim;
use crate::wording;

/// The plan's own time has come: whoever planned it is reminded, and the facts are looked at once more.
pub async fn remind(app: &App, claim: &Claim, id: &PlanId) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(row) = tx.plan(id).await?.filter(|row| row.state.waits()) else {
        return tx.commit().await;
    };
    let start = row.plan.when.start(now);
    if start > now {
        tx.due(&Due::Advise { plan: id.clone() }, now).await?;
        tx.due(&Due::Remind { plan: id.clone() }, start).await?;
    } else {
        show::in_thread(&mut tx, &row, wording::card::its_time(&row)).await?;
    }
    tx.commit().await
}

/// Nobody began it in time: the plan is over, and says so.
pub async fn expire(app: &App, claim: &Claim, id: &PlanId) -> anyhow::Result<()> {
    let now = app.clock.now();
    let settings = app.settings();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(mut row) = tx.plan(id).await?.filter(|row| row.state.waits()) else {
        return tx.commit().await;
    };
    let over = row.plan.when.start(row.plan.made_at).plus(settings.policy.plan_expires.ms());
    if over > now {
        tx.due(&Due::Expire { plan: id.clone() }, over).await?;
        return tx.commit().await;
    }
    row.state = row.state.after(Transition::Expire).unwrap_or(State::Expired);
    tx.update_plan(&row).await?;
    tx.record(app, Statement::new("plan.expired").of(&row, None)).await?;
    if let Some(revision) = tx.revision(id, row.revision).await? {
        show::main(app, &mut tx, &row, &revision).await?;
    }
    show::in_thread(&mut tx, &row, wording::card::expired(&row)).await?;
    tx.commit().await
}
