//! Going on from a copy that was put back: what a checkpoint outside shows to be lost is not passed over in silence. The
//! program does not start until an operator says so, and then the record goes on in a new epoch that says what it lacks.

use std::path::Path;

use anyhow::bail;
use serde_json::{Value, json};

use super::act::operator;
use super::witness::kept;
use super::{Hash, Head, Signed, SignedCheckpoint, Signer, Statement};
use crate::clock::Time;
use crate::command::BadCommand;
use crate::config::Settings;
use crate::name::Person;
use crate::store::Store;

/// Refuses a ledger that is shorter than a checkpoint which was left outside: its end was cut off, or it is an older copy.
pub async fn refuse_lost(
    settings: &Settings,
    data: &Path,
    store: &Store,
    head: &Head,
    signer: &Signer,
) -> anyhow::Result<()> {
    let passed = passed(store, head).await?;
    let Some(newest) = newest(kept(settings, data), signer) else { return Ok(()) };
    let (epoch, size) = (newest.checkpoint.origin.epoch, newest.checkpoint.size);
    let own = head.origin.epoch;
    let lost = if epoch + 1 == own { size > passed } else { (epoch, size) > (own, head.size()) };
    if !lost {
        return Ok(());
    }
    bail!(
        "the record ends at entry {} and a checkpoint that was kept outside speaks of {size}{}: its end was cut off, or this is an older copy. Put the newest copy back; where there is none, `tidegate audit restore --by PERSON --why …` goes on with this one and puts on record what is lost.",
        head.size(),
        if epoch == own { String::new() } else { format!(" in epoch {epoch}") },
    )
}

/// Goes on with the copy that is there: the first entry of a new epoch says how far the record is known to have come.
/// `notes`: checkpoints from elsewhere, beside those on this machine.
pub async fn restore(
    store: &Store,
    signer: &Signer,
    settings: &Settings,
    data: &Path,
    notes: &[SignedCheckpoint],
    (by, why): (&Person, &str),
    now: Time,
) -> anyhow::Result<Value> {
    operator(settings, by, why)?;
    if let Some(bad) = notes.iter().find(|note| note.signed(&signer.trusted()) != Signed::Yes) {
        let of = bad.checkpoint.size;
        return Err(BadCommand(format!("The checkpoint of {of} entries is not signed by this ledger's key.")).into());
    }
    let newest = newest(kept(settings, data).into_iter().chain(notes.iter().cloned()), signer);
    let mut tx = store.begin(now).await?;
    let (head, _) = tx.ledger_end().await?;
    let known = newest.as_ref().map(|note| (note.checkpoint.origin.epoch, note.checkpoint.size, note.checkpoint.root));
    let own = head.origin.epoch;
    if let Some((epoch, ..)) = known.filter(|(epoch, ..)| *epoch > own) {
        return Err(BadCommand(format!(
            "This copy is of epoch {own}, and a checkpoint that was kept outside is of epoch {epoch}: a later copy was gone on with before. Put that one back."
        ))
        .into());
    }
    let known: Option<(u64, Hash)> = known.filter(|(epoch, ..)| *epoch == own).map(|(_, size, root)| (size, root));
    let statement = Statement::new("log.restored").by_operator(by).text("why", Some(why));
    let receipt = tx.restore(signer, known, statement).await?;
    tx.commit().await?;
    let lost = known.map_or(0, |(size, _)| size.saturating_sub(head.size()));
    let says = match lost {
        0 => format!("No checkpoint that is known speaks of more than the {} entries that are there.", head.size()),
        1 => format!("Entry {} is lost.", head.size() + 1),
        more => format!("Entries {} to {} are lost.", head.size() + 1, head.size() + more),
    };
    Ok(json!({
        "seq": receipt.seq, "epoch": own + 1, "lost": lost, "checkpoint": receipt.checkpoint,
        "says": format!("Entry {} opens epoch {}. {says}", receipt.seq, own + 1),
    }))
}

/// Of what the ledger's key signed, the checkpoint that came last.
fn newest(notes: impl IntoIterator<Item = SignedCheckpoint>, signer: &Signer) -> Option<SignedCheckpoint> {
    let ours = notes.into_iter().filter(|note| note.signed(&signer.trusted()) == Signed::Yes);
    ours.max_by_key(|note| (note.checkpoint.origin.epoch, note.checkpoint.size))
}

/// How far the epoch before this one is on record to have come: what of it is not there was lost knowingly.
async fn passed(store: &Store, head: &Head) -> anyhow::Result<u64> {
    if head.origin.epoch == 1 {
        return Ok(0);
    }
    let restored = store.ledger_restored().await?;
    Ok(restored.and_then(|record| record.data.get("old_size")?.as_u64()).unwrap_or(0))
}
