//! The stored ledger read page by page: while one is verified, the next is read.

use std::collections::HashMap;

use anyhow::Context;

use super::{Columns, Node, Row, StoredText, Verifier};
use crate::store::Store;
use crate::store::ledger::StoredEntry;

/// Entries of one page.
const ENTRIES: i64 = 1_000;

/// Entries in order, with what is stored beside them.
#[derive(Default)]
struct Page {
    entries: Vec<StoredEntry>,
    texts: HashMap<i64, Vec<StoredText>>,
    /// By the entry that makes them full.
    nodes: HashMap<u64, Vec<Node>>,
}

/// The verifier after every entry that the store holds.
pub(super) async fn verified(store: &Store, mut verifier: Verifier) -> anyhow::Result<Verifier> {
    let mut page = Page::read(store, 1).await?;
    while let Some(next) = page.entries.last().map(|last| last.seq.saturating_add(1)) {
        let this = page;
        let verifying = tokio::task::spawn_blocking(move || {
            this.verify(&mut verifier);
            verifier
        });
        let (done, read) = tokio::join!(verifying, Page::read(store, next));
        (verifier, page) = (done.context("the verification broke off")?, read?);
    }
    Ok(verifier)
}

impl Page {
    /// The entries from a number on; none at the end.
    async fn read(store: &Store, from: i64) -> anyhow::Result<Page> {
        let mut page = Page { entries: store.ledger_from(from, ENTRIES).await?, ..Page::default() };
        let (Some(first), Some(last)) = (page.entries.first(), page.entries.last()) else { return Ok(page) };
        for (seq, text) in store.ledger_texts(first.seq, last.seq).await? {
            page.texts.entry(seq).or_default().push(text);
        }
        for node in store.ledger_nodes(u64::try_from(first.seq)?, u64::try_from(last.seq)?).await? {
            page.nodes.entry(node.at.full_at()).or_default().push(node);
        }
        Ok(page)
    }

    fn verify(mut self, verifier: &mut Verifier) {
        for entry in &self.entries {
            // A number below zero is none of ours: it is no entry's place, and is found out as such.
            let seq = u64::try_from(entry.seq).unwrap_or(0);
            let texts = self.texts.remove(&entry.seq).unwrap_or_default();
            let columns = Columns { at: entry.at, kind: &entry.kind, plan: entry.plan.as_deref() };
            verifier.push(&Row {
                seq,
                bytes: &entry.bytes,
                leaf: &entry.leaf,
                columns: Some(columns),
                texts: Some(&texts),
            });
            // The verifier takes the nodes that an entry makes full right after it.
            let mut own = self.nodes.remove(&seq).unwrap_or_default();
            own.sort_by_key(|node| node.at.level);
            for node in own {
                verifier.push_node(node);
            }
        }
    }
}
