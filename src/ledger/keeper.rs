//! The ledger as it is kept: its key, its checkpoints outside the database, proofs and exports of what the store holds.

use anyhow::Context;

use super::{Checkpoint, Finding, Head, PublicKey, SignedCheckpoint, Signer, Trust, Verdict, Verifier, page};
use crate::store::Store;

/// The signed checkpoint over the last entry. It was made when that was written: the key signs nothing that it finds in the
/// database, only what it puts there.
pub async fn checkpoint_now(store: &Store, signer: &Signer) -> anyhow::Result<SignedCheckpoint> {
    let (head, seal) = store.ledger_end().await?;
    sealed(signer, &head, seal)
}

/// The signed checkpoint over an end that was read.
pub(super) fn sealed(signer: &Signer, head: &Head, seal: Option<String>) -> anyhow::Result<SignedCheckpoint> {
    let note = match seal {
        Some(seal) => seal,
        None => {
            anyhow::ensure!(head.size() == 0, "the record's last entry, {}, has lost its seal", head.size());
            signer.sign(&Checkpoint::of(head))
        }
    };
    SignedCheckpoint::parse(&note).context("the seal over the record's last entry does not read")
}

/// Verifies what the store holds: entries, chain, tree, texts, triggers, projections, and checkpoints from outside.
pub async fn verify_store(store: &Store, signer: &Signer, anchors: &[String]) -> anyhow::Result<Verdict> {
    verify_with(store, signer.trusted(), anchors).await
}

/// The same with other keys: what `audit verify --key` asks for.
pub async fn verify_with(store: &Store, keys: Vec<PublicKey>, anchors: &[String]) -> anyhow::Result<Verdict> {
    // All tables as of one moment: entries written meanwhile would look like a difference between them.
    let store = &store.snapshot().await?;
    let mut trust = Trust { keys, ..Trust::default() };
    for note in anchors {
        trust.anchors.push(SignedCheckpoint::parse(note)?);
    }
    let mut kept = Vec::new();
    let witnesses = store.witnesses().await?;
    if let Some((size, note)) = store.last_anchor().await? {
        match SignedCheckpoint::parse(&note) {
            Ok(anchor) => trust.anchors.push(anchor),
            Err(_) => kept.push(Finding::new(
                None,
                super::Damage::Edited,
                format!("The store's own copy of the checkpoint over {size} entries no longer reads."),
            )),
        }
    }
    let verifier = page::verified(store, Verifier::new(trust).with_nodes()).await?;
    let head = match store.ledger_head().await {
        Err(why) if !crate::store::is_of_the_database(&why) => {
            kept.push(Finding::new(
                None,
                super::Damage::Edited,
                format!("The stored head of the ledger is not one that was recorded: {why:#}."),
            ));
            None
        }
        head => head?,
    };
    let seal = seal(store, head.as_ref(), &mut kept).await?;
    let verdict = verifier.finish(head.as_ref(), seal.as_ref());
    let mut findings = triggers(store).await?;
    findings.extend(kept);
    findings.extend(super::projection::compare(store).await?);
    findings.extend(crate::audit::compare(store).await?);
    Ok(verdict.with(findings).witnessed(witnesses))
}

/// The checkpoint that was signed with the last entry. Without it anyone who can write into the database could have
/// added what stands at the end.
async fn seal(store: &Store, head: Option<&Head>, kept: &mut Vec<Finding>) -> anyhow::Result<Option<SignedCheckpoint>> {
    let Some(head) = head.filter(|head| head.size() > 0) else { return Ok(None) };
    let read = store.ledger_seal().await?.map(|note| SignedCheckpoint::parse(&note));
    if let Some(Ok(seal)) = read {
        return Ok(Some(seal));
    }
    let says = format!("The seal over entry {}, the last, is gone or does not read.", head.size());
    kept.push(Finding::new(head.size(), super::Damage::Edited, says));
    Ok(None)
}

/// What keeps the ledger append-only must be there, as it was set.
async fn triggers(store: &Store) -> anyhow::Result<Vec<Finding>> {
    let found = store.trigger_definitions().await?;
    let wanted = store.trigger_names();
    let mut findings = Vec::new();
    for name in wanted {
        if !found.iter().any(|(there, _)| there == name) {
            findings.push(Finding::new(
                None,
                super::Damage::Trigger,
                format!("The trigger `{name}`, which keeps the ledger append-only, is gone."),
            ));
        }
    }
    for (name, definition) in &found {
        if !store.trigger_is_ours(name, definition) {
            findings.push(Finding::new(
                None,
                super::Damage::Trigger,
                format!("The trigger `{name}`, which keeps the ledger append-only, was changed."),
            ));
        }
    }
    Ok(findings)
}

/// Checkpoints in a text: signed notes, separated by blank lines as the anchor file keeps them.
pub fn checkpoints_in(text: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = String::new();
    for line in text.lines() {
        let signature = line.starts_with('—');
        if !signature && note.contains('—') {
            notes.push(std::mem::take(&mut note));
        }
        if !(note.is_empty() && line.trim().is_empty()) {
            note.push_str(line);
            note.push('\n');
        }
    }
    if note.contains('—') {
        notes.push(note);
    }
    notes
}
