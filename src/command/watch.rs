//! `watch`: a named person says that they watch a plan's deployment, or no longer do. Approvals may depend on it.

use super::Call;
use crate::approval::condition::Watcher;
use crate::ledger::Statement;
use crate::plan::{show, word};
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    if !call.arguments.missing().is_empty() {
        return call.answer(super::form::for_command(call)).await;
    }
    let seen = call.plan().await?;
    let back = call.arguments.get("back").is_some();
    let mut tx = call.begin().await?;
    let Some(mut row) = tx.plan(&seen.plan.id).await? else { return tx.commit().await };
    if row.state.is_over() {
        return Err(call.refuse(wording::refusal::over(&row)));
    }
    let watches = tx.watchers(&row.plan.id).await?.iter().any(|watcher| watcher.person == call.person);
    if watches != back {
        return Err(call.refuse(wording::condition::nothing_new(&row, watches)));
    }
    let revision = tx.revision(&row.plan.id, row.revision).await?;
    let (kind, says) = if back {
        tx.remove_watcher(&row.plan.id, &call.person).await?;
        ("watcher.left", wording::condition::left(&row, &call.person))
    } else {
        tx.insert_watcher(&row.plan.id, &Watcher { person: call.person.clone(), since: tx.now }).await?;
        ("watcher.joined", wording::condition::joined(&row, &call.person))
    };
    let record = Statement::new(kind)
        .by(call.from, Some(&call.person), None)
        .of(&row, revision.as_ref().map(|revision| revision.brief.as_str()))
        .evidence(&call.claim.id, None);
    let entry = tx.record(call.app, record).await?;
    show::in_thread(&mut tx, &row, says).await?;
    if let Some(revision) = revision.filter(|_| row.state.waits()) {
        show::card(&mut tx, &row, &revision, &call.settings, &entry).await?;
        word::settle(call.app, &mut tx, &mut row, &revision, &call.settings).await?;
    }
    tx.commit().await
}
