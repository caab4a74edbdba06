//! `verify`: whether the record is sound, and the proof for one plan.

use super::Call;
use crate::ledger::{Trust, checkpoint_now, plan_proof, verify_store};
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let (store, signer) = (&call.app.store, &call.app.signer);
    let verdict = verify_store(store, signer, &[]).await?;
    let plan = match call.arguments.get("plan") {
        None => None,
        Some(_) => {
            let row = call.plan().await?;
            let proof = plan_proof(store, signer, &row.plan.id).await?;
            // What is said is what the proof proves, to whoever has the public key.
            let trust = Trust { keys: signer.trusted(), ..Trust::default() };
            proof.map(|proof| (row.plan.id, proof.verify(&trust)))
        }
    };
    let checkpoint = match checkpoint_now(store, signer).await {
        Ok(signed) => signed.note,
        Err(why) => format!("{why:#}"),
    };
    call.answer(wording::why::verified(&verdict, plan.as_ref(), &checkpoint)).await
}
