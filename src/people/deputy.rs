//! The end of a deputy's time: by its hour, or because the lender says so. What was said for the lender counts no more.

use crate::app::App;
use crate::approval::deputy::Deputy;
use crate::event::Due;
use crate::ledger::Statement;
use crate::name::PlanId;
use crate::plan::show;
use crate::store::{Claim, Tx};
use crate::wording;
use crate::work::Send;

/// A deputy's hour has come.
pub async fn lapse(app: &App, claim: &Claim, id: &str) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(deputy) = tx.deputies().await?.into_iter().find(|deputy| deputy.id == id) else {
        return tx.commit().await;
    };
    if deputy.until > now {
        tx.due(&Due::Deputy { deputy: deputy.id.clone() }, deputy.until).await?;
        return tx.commit().await;
    }
    let record = Statement::new("delegate");
    end(app, &mut tx, &deputy, record, "its time is over").await?;
    tx.commit().await
}

/// Ends a deputy's time, with `record` saying who ended it; plans on which the deputy spoke for the lender are counted
/// anew.
pub async fn end(app: &App, tx: &mut Tx, deputy: &Deputy, record: Statement, reason: &str) -> anyhow::Result<()> {
    tx.end_deputy(&deputy.id, reason).await?;
    let record = record.verdict("ended").with("deputy", deputy.id.clone()).with("of", deputy.lender.to_string());
    tx.record(app, record.with("to", deputy.person.to_string()).text("reason", Some(reason))).await?;
    tx.no_longer_due(&Due::Deputy { deputy: deputy.id.clone() }).await?;
    say(tx, deputy, wording::deputy::ended(deputy, reason)).await?;
    let settings = app.settings();
    for id in tx.plans_spoken_for(&deputy.lender, &deputy.person).await? {
        let id = PlanId::new(id);
        let Some(mut row) = tx.plan(&id).await? else { continue };
        let Some(revision) = tx.revision(&id, row.revision).await? else { continue };
        crate::plan::word::settle(app, tx, &mut row, &revision, &settings).await?;
        let tally = show::tally_of(tx, &row, &revision, &settings).await?;
        let progress = wording::card::progress(&row, &tally);
        show::in_thread(tx, &row, wording::deputy::no_longer_speaks(deputy, &progress)).await?;
    }
    Ok(())
}

/// A line where the deputy was named.
pub async fn say(tx: &mut Tx, deputy: &Deputy, message: crate::message::Message) -> anyhow::Result<()> {
    tx.send(&Send::to(&deputy.platform, &deputy.channel, message)).await
}
