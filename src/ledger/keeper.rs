//! The ledger as it is kept: its key, its checkpoints outside the database, proofs and exports of what the store holds.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use anyhow::Context;

use super::{
    Checkpoint, Columns, Finding, Head, Origin, Place, Proven, PublicKey, Row, SecretKey, SignedCheckpoint, Trust,
    Verdict, Verifier, tree,
};
use crate::app::App;
use crate::event::Due;
use crate::name::PlanId;
use crate::store::ledger::StoredEntry;
use crate::store::{Claim, Store};

/// Signs checkpoints; its key lives in a file beside the store, never in the database.
#[derive(Debug)]
pub struct Signer {
    keys: Vec<SecretKey>,
    epoch: u64,
}

impl Signer {
    /// Reads the key file `ledger.key`, or makes one while the ledger is empty. A ledger that lost its key does not get
    /// another in silence: every checkpoint that was left outside speaks of the first.
    pub fn open(data: &Path, origin: &Origin, size: u64) -> anyhow::Result<Signer> {
        let file = data.join("ledger.key");
        if size > 0 && !file.exists() {
            anyhow::bail!(
                "the record has {size} entries, and the key that signs it is not at {}: put it there from a backup, or from the instance that began this store",
                file.display()
            );
        }
        let keys = if file.exists() {
            let text = std::fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))?;
            SecretKey::parse_file(&text).with_context(|| format!("{} does not read", file.display()))?
        } else {
            let mut random = [0u8; 32];
            getrandom::fill(&mut random).map_err(|_| anyhow::anyhow!("the operating system gives no random bytes"))?;
            let key = SecretKey::generate(origin, random);
            write_private(&file, &key.file(origin))?;
            vec![key]
        };
        Ok(Signer { keys, epoch: origin.epoch })
    }

    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        checkpoint.sign(&self.keys.iter().take(1).collect::<Vec<_>>())
    }

    pub fn public(&self) -> PublicKey {
        self.keys[0].public(self.epoch)
    }
}

/// Writes a file that its owner alone may read, never through a half-written state.
pub fn write_private(file: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let half = file.with_extension("new");
    let _ = std::fs::remove_file(&half);
    let mut out = std::fs::File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&half)
        .with_context(|| format!("could not write {}", half.display()))?;
    out.write_all(text.as_bytes())
        .and_then(|()| out.sync_all())
        .with_context(|| format!("could not write {}", half.display()))?;
    std::fs::rename(&half, file).with_context(|| format!("could not write {}", file.display()))
}

/// The store's ledger as it ends now.
async fn head(store: &Store) -> anyhow::Result<Head> {
    store.ledger_head().await?.context("the store holds no ledger")
}

/// A signed checkpoint of the ledger as it is now.
pub async fn checkpoint_now(store: &Store, signer: &Signer) -> anyhow::Result<String> {
    Ok(signer.sign(&Checkpoint::of(&head(store).await?)))
}

/// A checkpoint, and the proof of the newest entry about a plan under it: what a gate answer carries.
pub async fn evidence(
    store: &Store,
    signer: &Signer,
    plan: Option<&str>,
) -> anyhow::Result<(String, Option<serde_json::Value>)> {
    let head = head(store).await?;
    let checkpoint = signer.sign(&Checkpoint::of(&head));
    let entry = match plan {
        Some(plan) => store.ledger_of(&PlanId::new(plan)).await?.pop(),
        None => None,
    };
    // An entry that came in after the head was read is not under this checkpoint.
    let Some(entry) = entry.filter(|e| u64::try_from(e.seq).is_ok_and(|seq| seq <= head.size())) else {
        return Ok((checkpoint, None));
    };
    let proven = prove(store, &entry, head.size()).await?;
    Ok((checkpoint, Some(serde_json::to_value(proven)?)))
}

/// The way of one entry up to the root of a ledger of `size`.
async fn prove(store: &Store, entry: &StoredEntry, size: u64) -> anyhow::Result<Proven> {
    let seq = u64::try_from(entry.seq)?;
    let mut known: HashMap<Place, super::Hash> = HashMap::new();
    for place in tree::inclusion_needs(seq.saturating_sub(1), size) {
        let hash = if place.level == 0 { leaf(store, place.index).await? } else { store.ledger_node(place).await? };
        known.insert(place, hash);
    }
    Proven::new(seq, entry.bytes.clone(), size, super::proof::known(&known))
        .map_err(|missing| anyhow::anyhow!("{missing}"))
}

async fn leaf(store: &Store, index: u64) -> anyhow::Result<super::Hash> {
    let seq = i64::try_from(index)?.saturating_add(1);
    let entry = store.ledger_from(seq, 1).await?.into_iter().next().filter(|e| e.seq == seq);
    entry.context("the ledger lacks an entry")?.leaf.parse().context("a stored leaf does not read")
}

/// Verifies what the store holds: entries, chain, tree, texts, triggers, projections, and checkpoints from outside.
pub async fn verify_store(store: &Store, signer: &Signer, anchors: &[String]) -> anyhow::Result<Verdict> {
    verify_with(store, vec![signer.public()], anchors).await
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
    let mut verifier = Verifier::new(trust).with_nodes();
    let mut next = 1;
    loop {
        let entries = store.ledger_from(next, 1_000).await?;
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { break };
        let mut texts: HashMap<i64, Vec<super::StoredText>> = HashMap::new();
        for (seq, text) in store.ledger_texts(first.seq, last.seq).await? {
            texts.entry(seq).or_default().push(text);
        }
        // The verifier takes the nodes that an entry makes full right after it.
        let mut by_size: HashMap<u64, Vec<super::Node>> = HashMap::new();
        for node in store.ledger_nodes(u64::try_from(first.seq)?, u64::try_from(last.seq)?).await? {
            by_size.entry(node.at.full_at()).or_default().push(node);
        }
        next = last.seq.saturating_add(1);
        for entry in &entries {
            let seq = u64::try_from(entry.seq)?;
            let texts = texts.remove(&entry.seq).unwrap_or_default();
            let columns = Columns { at: entry.at, kind: &entry.kind, plan: entry.plan.as_deref() };
            verifier.push(&Row {
                seq,
                bytes: &entry.bytes,
                leaf: &entry.leaf,
                columns: Some(columns),
                texts: Some(&texts),
            });
            let mut own = by_size.remove(&seq).unwrap_or_default();
            own.sort_by_key(|node| node.at.level);
            for node in own {
                verifier.push_node(node);
            }
        }
    }
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
    let verdict = verifier.finish(head.as_ref(), None);
    let mut findings = triggers(store).await?;
    findings.extend(kept);
    findings.extend(super::projection::compare(store).await?);
    findings.extend(crate::audit::compare(store).await?);
    Ok(verdict.with(findings))
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

/// Copies the checkpoint outside the database, where a decision was recorded since the last time; and sets the next time.
pub async fn anchor(app: &App, claim: &Claim) -> anyhow::Result<()> {
    let settings = app.settings();
    let now = app.clock.now();
    let head = head(&app.store).await?;
    let size = i64::try_from(head.size())?;
    let before = app.store.last_anchor().await?.map_or(0, |(size, _)| size);
    let note = app.signer.sign(&Checkpoint::of(&head));
    if let (true, Some(file)) = (size > before, &settings.ledger.anchor_file) {
        append(&app.data.join(file), &note)?;
    }
    let mut tx = app.store.begin_finishing(claim, now).await?;
    if size > before && settings.ledger.anchor_file.is_some() {
        tx.insert_anchor(size, "file", &note).await?;
    }
    tx.due(&Due::Anchor, now.plus(settings.ledger.anchor_every.ms())).await?;
    tx.commit().await
}

fn append(file: &Path, note: &str) -> anyhow::Result<()> {
    let mut out = std::fs::File::options()
        .create(true)
        .append(true)
        .open(file)
        .with_context(|| format!("could not open {}", file.display()))?;
    writeln!(out, "{note}")
        .and_then(|()| out.sync_data())
        .with_context(|| format!("could not write {}", file.display()))
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
