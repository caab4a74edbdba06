//! Audit paths for entries that are asked for in order: what neighbours share is read once.

use std::collections::HashMap;

use anyhow::Context;

use crate::ledger::{Hash, Place, Proven, proof, tree};
use crate::store::Store;
use crate::store::ledger::StoredEntry;

/// How many hashes are remembered; a path to a ledger of a million entries has twenty.
const MOST: usize = 8_192;

/// Hashes of the tree that were read, for a ledger of one size.
#[derive(Debug)]
pub struct Proofs<'s> {
    store: &'s Store,
    size: u64,
    known: HashMap<Place, Hash>,
}

impl<'s> Proofs<'s> {
    pub fn new(store: &'s Store, size: u64) -> Proofs<'s> {
        Proofs { store, size, known: HashMap::new() }
    }

    /// Takes note of a page of entries and of the inner hashes that they made full: most of what their paths need.
    pub async fn note(&mut self, page: &[StoredEntry]) -> anyhow::Result<()> {
        let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(()) };
        if self.known.len() > MOST {
            self.known.clear();
        }
        for entry in page {
            let index = u64::try_from(entry.seq)?.saturating_sub(1);
            self.known.insert(Place { level: 0, index }, entry.leaf.parse().context("a stored leaf does not read")?);
        }
        for node in self.store.ledger_nodes(u64::try_from(first.seq)?, u64::try_from(last.seq)?).await? {
            self.known.insert(node.at, node.hash);
        }
        Ok(())
    }

    /// The way of an entry up to the root.
    pub async fn of(&mut self, entry: &StoredEntry) -> anyhow::Result<Vec<Hash>> {
        let seq = u64::try_from(entry.seq)?;
        let mut needs = tree::inclusion_needs(seq.saturating_sub(1), self.size);
        needs.retain(|place| !self.known.contains_key(place));
        self.known.extend(self.store.ledger_hashes(&needs).await?);
        let proven = Proven::new(seq, entry.bytes.clone(), self.size, proof::known(&self.known));
        Ok(proven.map_err(|missing| anyhow::anyhow!("{missing}"))?.hashes)
    }
}
