//! Proofs of what the store holds: that a plan's entries stand in the record, and that the record continues an older
//! checkpoint. Small, and good without the store: whoever has the public key needs nothing else.

use std::collections::{BTreeSet, HashMap};

use super::keeper::sealed;
use super::{
    Checkpoint, Continuation, Hash, Place, Proof, Proven, Signed, SignedCheckpoint, Signer, checkpoint_now, tree,
};
use crate::name::PlanId;
use crate::store::ledger::StoredEntry;
use crate::store::{Store, Tx};

/// Why the record cannot be proved to continue a checkpoint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotContinued {
    #[error("That is no checkpoint: {0}.")]
    Text(String),
    #[error("That checkpoint is of another ledger, {0}.")]
    Other(String),
    #[error("That checkpoint is not signed by a key of this ledger.")]
    Signature,
    #[error(
        "The record has {0} entries, and that checkpoint speaks of {1}: the end of the record is gone, or this is an older copy."
    )]
    Shorter(u64, u64),
    #[error("The first {0} entries are not the ones that that checkpoint speaks of: the record was rewritten.")]
    Rewritten(u64),
}

/// The proof of all entries about a plan under the newest checkpoint; None where there are none.
pub async fn plan_proof(store: &Store, signer: &Signer, plan: &PlanId) -> anyhow::Result<Option<Proof>> {
    let store = &store.snapshot().await?;
    let entries = store.ledger_of(plan).await?;
    of_entries(store, signer, entries).await
}

/// The proof of one entry; None where there is none of that number.
pub async fn entry_proof(store: &Store, signer: &Signer, seq: i64) -> anyhow::Result<Option<Proof>> {
    let store = &store.snapshot().await?;
    let mut entries = store.ledger_from(seq, 1).await?;
    entries.retain(|entry| entry.seq == seq);
    of_entries(store, signer, entries).await
}

async fn of_entries(store: &Store, signer: &Signer, entries: Vec<StoredEntry>) -> anyhow::Result<Option<Proof>> {
    if entries.is_empty() {
        return Ok(None);
    }
    let checkpoint = checkpoint_now(store, signer).await?;
    let proven = prove(entries, checkpoint.checkpoint.size, async |places| store.ledger_hashes(places).await).await?;
    let proven = proven.into_iter().map(|(_, proven)| proven).collect();
    let handovers = handovers(store).await?;
    Ok(Some(Proof::new(checkpoint.note, Some(signer.first().to_string()), proven).with_handovers(handovers)))
}

/// The checkpoint over the last entry, and for each of these plans the proof of its newest entry under that, as they stand
/// in this transaction: what answers of the gate carry.
pub async fn evidence(
    tx: &mut Tx,
    signer: &Signer,
    plans: &[PlanId],
) -> anyhow::Result<(SignedCheckpoint, HashMap<PlanId, Proven>)> {
    let (head, seal) = tx.ledger_end().await?;
    let checkpoint = sealed(signer, &head, seal)?;
    let Checkpoint { size, root, .. } = checkpoint.checkpoint;
    let newest = tx.newest_entries(plans).await?;
    let mut proven = prove(newest.clone(), size, async |places| tx.ledger_hashes(places).await).await?;
    let leads = |proven: &Proven| {
        let leaf = Hash::leaf(proven.bytes.as_bytes());
        tree::root_from_inclusion(leaf, proven.seq.saturating_sub(1), size, &proven.hashes) == Some(root)
    };
    if !proven.iter().all(|(_, proven)| leads(proven)) {
        // Somebody put another record where the one was that hashes were kept of: what is stored speaks for itself.
        tx.forget_hashes();
        proven = prove(newest, size, async |places| tx.ledger_hashes(places).await).await?;
    }
    let named = |(plan, proven): (Option<String>, Proven)| Some((PlanId::new(plan?), proven));
    Ok((checkpoint, proven.into_iter().filter_map(named).collect()))
}

/// The ways of entries up to the root of a ledger of `size`, each with the plan that the entry is about. An entry that such
/// a ledger does not have is not proved by it, and left out.
async fn prove(
    mut entries: Vec<StoredEntry>,
    size: u64,
    nodes: impl AsyncFnOnce(&[Place]) -> anyhow::Result<HashMap<Place, Hash>>,
) -> anyhow::Result<Vec<(Option<String>, Proven)>> {
    let number = |entry: &StoredEntry| u64::try_from(entry.seq).unwrap_or(u64::MAX);
    entries.retain(|entry| number(entry) <= size);
    let needs = entries.iter().flat_map(|entry| tree::inclusion_needs(number(entry).saturating_sub(1), size));
    let known = nodes(&Vec::from_iter(needs.collect::<BTreeSet<Place>>())).await?;
    let proven = entries.into_iter().map(|entry| {
        let proven = Proven::new(number(&entry), entry.bytes, size, super::proof::known(&known));
        Ok((entry.plan, proven.map_err(|missing| anyhow::anyhow!("{missing}"))?))
    });
    proven.collect()
}

/// The proof that the newest checkpoint continues an older one, of which the caller has the text.
pub async fn continuation(
    store: &Store,
    signer: &Signer,
    from: &str,
) -> anyhow::Result<Result<Continuation, NotContinued>> {
    let store = &store.snapshot().await?;
    let from = match SignedCheckpoint::parse(from) {
        Ok(from) => from,
        Err(why) => return Ok(Err(NotContinued::Text(why.to_string()))),
    };
    let to = checkpoint_now(store, signer).await?;
    let (old, new) = (&from.checkpoint, &to.checkpoint);
    if old.origin.ledger != new.origin.ledger {
        return Ok(Err(NotContinued::Other(old.origin.to_string())));
    }
    let handovers = handovers(store).await?;
    if from.signed(&super::proof::keys_at(&signer.trusted(), &handovers, old.size)) != Signed::Yes {
        return Ok(Err(NotContinued::Signature));
    }
    if old.size > new.size {
        return Ok(Err(NotContinued::Shorter(new.size, old.size)));
    }
    let known = store.ledger_hashes(&tree::root_needs(old.size)).await?;
    let root = tree::root_at(old.size, super::proof::known(&known)).map_err(|missing| anyhow::anyhow!("{missing}"))?;
    if root != old.root {
        return Ok(Err(NotContinued::Rewritten(old.size)));
    }
    let known = store.ledger_hashes(&tree::consistency_needs(old.size, new.size)).await?;
    let proof =
        Continuation::new(&from, &to, super::proof::known(&known)).map_err(|missing| anyhow::anyhow!("{missing}"))?;
    Ok(Ok(proof.with_handovers(Some(signer.first().to_string()), handovers)))
}

/// The entries by which keys were handed over: whoever has the first public key follows them to the one in use.
async fn handovers(store: &Store) -> anyhow::Result<Vec<String>> {
    let records = store.ledger_own("key.rotated").await?;
    records.iter().map(|record| Ok(super::canonical::encode(record)?)).collect()
}
