//! `verify`: whether the record is sound, and the proof for one plan.

use super::Call;
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let verdict = crate::ledger::verify_store(&call.app.store, &call.app.signer, &[]).await?;
    let plan = match call.arguments.get("plan") {
        None => None,
        Some(_) => {
            let row = call.plan().await?;
            let entries = call.app.store.ledger_of(&row.plan.id).await?;
            Some((row.plan.id, entries.into_iter().map(|entry| entry.seq).collect::<Vec<_>>()))
        }
    };
    let checkpoint = crate::ledger::checkpoint_now(&call.app.store, &call.app.signer).await?;
    call.answer(wording::why::verified(&verdict, plan.as_ref(), &checkpoint)).await
}
