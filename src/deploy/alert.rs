//! Alerts: taken by a human, or carried further when nobody takes them.

use crate::app::App;
use crate::event::From;
use crate::ledger::Statement;
use crate::people;
use crate::plan::show;
use crate::store::Claim;
use crate::wording;
use crate::work::Send;

/// Somebody says that they have it.
pub async fn take_alert(app: &App, claim: &Claim, from: &From, id: &str) -> anyhow::Result<()> {
    let settings = app.settings();
    let now = app.clock.now();
    let person = people::behind(&settings, &from.platform, &from.user);
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let (Some(mut alert), Some(person)) = (tx.alert(id).await?, person) else { return tx.commit().await };
    if alert.taken.is_some() {
        return tx.commit().await;
    }
    alert.taken = Some((now, person.clone()));
    let deployment = tx.deployment(&alert.deployment).await?;
    let plan = match deployment.as_ref().and_then(|d| d.plan.clone()) {
        Some(plan) => tx.plan(&plan).await?,
        None => None,
    };
    tx.put_alert(&alert, plan.as_ref().map(|p| &p.plan.id)).await?;
    let mut record =
        Statement::new("alert.acknowledged").by(from, Some(&person), None).evidence(&claim.id, None).with("alert", id);
    if let Some(plan) = &plan {
        record = record.of(plan, None);
        show::in_thread(&mut tx, plan, wording::deploy::taken(&person)).await?;
    }
    tx.record(app, record).await?;
    tx.commit().await
}

/// Nobody took it: the channel hears, and those whom the settings name.
pub async fn escalate(app: &App, claim: &Claim, id: &str) -> anyhow::Result<()> {
    let settings = app.settings();
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(alert) = tx.alert(id).await?.filter(|a| a.taken.is_none() && a.recovered_at.is_none()) else {
        return tx.commit().await;
    };
    let Some(deployment) = tx.deployment(&alert.deployment).await? else { return tx.commit().await };
    let plan = match &deployment.plan {
        Some(plan) => tx.plan(plan).await?,
        None => None,
    };
    tx.record(
        app,
        Statement::new("alert.escalated").with("alert", id).with("deployment", deployment.deployment.id.clone()),
    )
    .await?;
    let message = wording::deploy::escalated(&deployment, &alert, &settings, now);
    let send = match &plan {
        Some(row) => Send::to(&row.platform, &row.channel, message).of(&row.plan.id),
        None => Send::home(app, message),
    };
    tx.send(&send.key(format!("escalated:{id}"))).await?;
    tx.commit().await
}
