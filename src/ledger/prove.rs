//! Proofs of what the store holds: that a plan's entries stand in the record, and that the record continues an older
//! checkpoint. Small, and good without the store: whoever has the public key needs nothing else.

use std::collections::HashMap;

use super::{Continuation, Hash, Place, Proof, Proven, Signed, SignedCheckpoint, Signer, checkpoint_now, tree};
use crate::name::PlanId;
use crate::store::Store;
use crate::store::ledger::StoredEntry;

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
    let size = checkpoint.checkpoint.size;
    let mut proven = Vec::new();
    for entry in entries.iter().filter(|entry| u64::try_from(entry.seq).is_ok_and(|seq| seq <= size)) {
        proven.push(prove(store, entry, size).await?);
    }
    let handovers = handovers(store).await?;
    Ok(Some(Proof::new(checkpoint.note, Some(signer.first().to_string()), proven).with_handovers(handovers)))
}

/// The way of one entry up to the root of a ledger of `size`.
pub(super) async fn prove(store: &Store, entry: &StoredEntry, size: u64) -> anyhow::Result<Proven> {
    let seq = u64::try_from(entry.seq)?;
    let known = nodes(store, tree::inclusion_needs(seq.saturating_sub(1), size)).await?;
    Proven::new(seq, entry.bytes.clone(), size, super::proof::known(&known))
        .map_err(|missing| anyhow::anyhow!("{missing}"))
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
    let known = nodes(store, tree::root_needs(old.size)).await?;
    let root = tree::root_at(old.size, super::proof::known(&known)).map_err(|missing| anyhow::anyhow!("{missing}"))?;
    if root != old.root {
        return Ok(Err(NotContinued::Rewritten(old.size)));
    }
    let known = nodes(store, tree::consistency_needs(old.size, new.size)).await?;
    let proof =
        Continuation::new(&from, &to, super::proof::known(&known)).map_err(|missing| anyhow::anyhow!("{missing}"))?;
    Ok(Ok(proof.with_handovers(Some(signer.first().to_string()), handovers)))
}

/// The entries by which keys were handed over: whoever has the first public key follows them to the one in use.
async fn handovers(store: &Store) -> anyhow::Result<Vec<String>> {
    let records = store.ledger_own("key.rotated").await?;
    records.iter().map(|record| Ok(super::canonical::encode(record)?)).collect()
}

async fn nodes(store: &Store, places: Vec<Place>) -> anyhow::Result<HashMap<Place, Hash>> {
    let found = store.ledger_hashes(&places).await?;
    Ok(found.into_iter().map(|node| (node.at, node.hash)).collect())
}
