//! Whether a ledger is what was recorded: entry by entry as they stream by, in memory that does not grow with them.
//!
//! An entry is judged by its bytes (canonical, matching the stored leaf), its place (sequence number), the chain (the leaf
//! before) and its time; the whole by checkpoints from outside. The first damage in the chain is named and the rest only
//! read to tell what kind it is; damage that leaves the chain whole (texts, times, columns) does not stop the comparison.

mod alone;
mod outside;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::checkpoint::SignedCheckpoint;
use super::entry::Record;
use super::hash::Hash;
use super::head::Head;
use super::key::PublicKey;
use super::kind::Kind;
use super::outline::NotAnOutline;
use super::text::StoredText;
use super::tree::{Frontier, Node};
use super::verdict::{Damage, Epoch, Finding, TextCount, Verdict};
use crate::clock::{Millis, Time};

use alone::Says;
pub use alone::{Alone, Look};

/// What the one who verifies brings along.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Public keys from elsewhere. Without any, checkpoints are taken at their word.
    pub keys: Vec<PublicKey>,
    /// Checkpoints from elsewhere.
    pub anchors: Vec<SignedCheckpoint>,
    /// By how much an entry's time may lie before the one before. What Tidegate writes needs none.
    pub tolerance: Millis,
}

/// A stored row, as it stands in the table or in an export.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    pub seq: u64,
    pub bytes: &'a str,
    pub leaf: &'a str,
    /// The columns that repeat what the bytes say, where there are such.
    pub columns: Option<Columns<'a>>,
    /// The texts beside it; `None` where they were left out.
    pub texts: Option<&'a [StoredText]>,
}

/// Columns that repeat what an entry says, for the sake of queries.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    pub at: Time,
    pub kind: &'a str,
    pub plan: Option<&'a str>,
}

/// A verification under way: push every row in order, and finish. Rows may be looked at elsewhere before ([`Look`]), each
/// by itself and in any order; here they are put behind each other.
#[derive(Debug)]
pub struct Verifier {
    /// The keys to be believed, each with the entry by which it was replaced.
    keys: Vec<(PublicKey, Option<u64>)>,
    /// The key that the ledger itself names as the one in use.
    own: Option<PublicKey>,
    tolerance: Millis,
    /// Not yet reached, the smallest last.
    anchors: Vec<SignedCheckpoint>,
    ledger: Option<Arc<str>>,
    look: Look,
    frontier: Frontier,
    leaf: Hash,
    at: i64,
    epochs: Vec<Epoch>,
    chain: Chain,
    nodes: Option<VecDeque<Node>>,
    last_anchor: Option<u64>,
    erased: BTreeSet<(u64, String)>,
    texts: TextCount,
    findings: Vec<Finding>,
    doubts: Vec<String>,
}

#[derive(Debug)]
enum Chain {
    Whole,
    /// Entry `seq` names another entry before it: one of the two is not what was recorded, the next row tells which.
    Torn {
        seq: u64,
        leaf: Hash,
    },
    /// In place of entry `seq` stands a later one. `replaced`: the row after it is in its place.
    Displaced {
        seq: u64,
        replaced: Option<bool>,
    },
    /// Damaged beyond comparison; what follows is only counted.
    Broken,
}

impl Verifier {
    pub fn new(trust: Trust) -> Verifier {
        let mut anchors = trust.anchors;
        anchors.sort_by_key(|anchor| std::cmp::Reverse(anchor.checkpoint.size));
        Verifier {
            keys: trust.keys.into_iter().map(|key| (key, None)).collect(),
            own: None,
            tolerance: trust.tolerance,
            anchors,
            ledger: None,
            look: Look::default(),
            frontier: Frontier::default(),
            leaf: Hash::ZERO,
            at: 0,
            epochs: Vec::new(),
            chain: Chain::Whole,
            nodes: None,
            last_anchor: None,
            erased: BTreeSet::new(),
            texts: TextCount::default(),
            findings: Vec::new(),
            doubts: Vec::new(),
        }
    }

    /// Expects the stored inner nodes too, by [`Verifier::push_node`].
    #[must_use]
    pub fn with_nodes(mut self) -> Verifier {
        self.nodes = Some(VecDeque::new());
        self
    }

    /// Expects the entries of this ledger; otherwise the first entry says which it is.
    #[must_use]
    pub fn of_ledger(mut self, ledger: &str) -> Verifier {
        self.ledger = Some(ledger.into());
        self
    }

    /// The next row, in the order of storage.
    pub fn push(&mut self, row: &Row<'_>) {
        let row = self.look.at(row);
        self.follow(row);
    }

    /// The same for a row that was looked at already.
    pub fn follow(&mut self, row: Alone) {
        let nodes = self.nodes.as_mut().filter(|_| matches!(self.chain, Chain::Whole));
        match nodes {
            Some(nodes) => self.frontier.grow(row.leaf, |node| nodes.push_back(node)),
            None => self.frontier.grow(row.leaf, |_| ()),
        }
        match std::mem::replace(&mut self.chain, Chain::Broken) {
            Chain::Whole => {
                self.chain = Chain::Whole;
                self.judge(row);
            }
            Chain::Torn { seq, leaf } => self.settle_tear(seq, row.says.ok().map(|next| next.prev == leaf)),
            Chain::Displaced { seq, replaced } => match row.says {
                Ok(next) if next.seq == seq => self.damage(seq, Damage::Reordered, "stands behind later ones"),
                next => {
                    let in_place = next.is_ok_and(|next| next.seq == seq + 1);
                    self.chain = Chain::Displaced { seq, replaced: Some(replaced.unwrap_or(in_place)) };
                }
            },
            Chain::Broken => {}
        }
    }

    /// The next stored inner node, in the order of becoming full (`(pos + 1) << level`, then level), after the row that
    /// made it full.
    pub fn push_node(&mut self, stored: Node) {
        let Some(nodes) = self.nodes.as_mut().filter(|_| matches!(self.chain, Chain::Whole)) else { return };
        let expected = nodes.pop_front();
        if expected != Some(stored) {
            let place = expected.map_or(stored.at, |node| node.at);
            self.nodes = None;
            let mut finding = Finding::new(
                (place.index << place.level) + 1,
                Damage::Forked,
                format!("The stored tree speaks of other entries than those up to {}.", place.full_at()),
            );
            finding.until = Some(place.full_at());
            self.findings.push(finding);
        }
    }

    /// All rows were pushed: compares with the stored head, with the checkpoint that an export closes with, and with
    /// the checkpoints from outside that lie beyond the end.
    pub fn finish(mut self, head: Option<&Head>, closing: Option<&SignedCheckpoint>) -> Verdict {
        self.end_of_chain(head);
        if matches!(self.chain, Chain::Whole) {
            self.compare_head(head);
            if let Some(closing) = closing {
                self.compare_closing(closing);
            }
            if self.nodes.as_ref().is_some_and(|nodes| !nodes.is_empty()) {
                self.find(None, Damage::Projection, "Inner nodes of the stored tree are gone.".to_owned());
            }
            if self.frontier.size() == 0 {
                self.compare_anchors();
            }
            for anchor in std::mem::take(&mut self.anchors) {
                self.beyond(&anchor);
            }
            for (seq, name) in std::mem::take(&mut self.erased) {
                let says = format!("The text `{name}` of entry {seq} is gone, and no entry says who erased it.");
                self.find(seq, Damage::Missing, says);
            }
        }
        let remarks = self.epochs.iter().filter_map(lost).collect();
        Verdict {
            remarks,
            last_anchor: self.last_anchor,
            findings: self.findings,
            doubts: self.doubts,
            epochs: self.epochs,
            texts: self.texts,
            ..Verdict::new(self.frontier.size(), self.frontier.root())
        }
        .concluded()
    }

    fn judge(&mut self, row: Alone) {
        let seq = self.frontier.size();
        let says = match row.says {
            Ok(says) => says,
            // Whatever its format, the leaf is the hash of its bytes.
            Err(NotAnOutline::Version(_)) if !row.fits => {
                return self.damage(seq, Damage::Edited, "no longer hashes to the leaf stored with it");
            }
            Err(NotAnOutline::Version(v)) => {
                self.doubts.push(format!("entry {seq} is of format {v}, and this Tidegate reads format 1."));
                self.chain = Chain::Broken;
                return;
            }
            Err(NotAnOutline::Form(why)) => {
                return self.damage(seq, Damage::Edited, &format!("is not in the form that is recorded ({why})"));
            }
        };
        if !row.fits {
            return self.damage(seq, Damage::Edited, "no longer hashes to the leaf stored with it");
        }
        if self.ledger.as_ref().is_some_and(|ledger| *ledger != says.ledger) {
            return self.damage(seq, Damage::Forked, "belongs to another ledger");
        }
        if says.seq > seq {
            self.chain = Chain::Displaced { seq, replaced: None };
            return;
        }
        if says.seq < seq {
            return if says.seq + 1 == seq && row.leaf != self.leaf {
                self.damage(says.seq, Damage::Forked, "stands there twice, with different content")
            } else {
                self.damage(
                    seq,
                    Damage::Reordered,
                    &format!("is missing from its place, where entry {} stands", says.seq),
                )
            };
        }
        if row.seq != seq {
            return self.damage(seq, Damage::Edited, &format!("is stored under the number {}", row.seq));
        }
        if says.prev != self.leaf {
            if seq == 1 {
                return self.damage(1, Damage::Edited, "is the first and names an entry before it");
            }
            self.chain = Chain::Torn { seq, leaf: row.leaf };
            return;
        }
        if !self.enter_epoch(seq, &says) {
            return self.damage(seq, Damage::Edited, "is of another epoch, and no restore says why");
        }
        if says.at < self.at.saturating_sub(self.tolerance) {
            let says = format!("Entry {seq} says an earlier time than the entry before it.");
            self.find(seq, Damage::Backdated, says);
        }
        self.at = self.at.max(says.at);
        self.leaf = row.leaf;
        self.ledger.get_or_insert_with(|| says.ledger.clone());
        self.take_note(seq, says);
        if seq == 1 {
            self.compare_anchors();
        }
        self.compare_anchors_at(seq);
    }

    /// Follows epochs: one begins with the first entry, each further one with a restore.
    fn enter_epoch(&mut self, seq: u64, says: &Says) -> bool {
        let current = self.epochs.last().map(|epoch| epoch.epoch);
        if current == Some(says.epoch) {
            if let Some(epoch) = self.epochs.last_mut() {
                epoch.to = seq;
            }
            return true;
        }
        let restored = says.kind == Some(Kind::LOG_RESTORED);
        if current.is_some_and(|current| !restored || says.epoch != current + 1) {
            return false;
        }
        let record = says.record.as_ref().filter(|_| restored);
        let restored_from = record.and_then(|record| record.data.get("old_size")?.as_u64());
        self.epochs.push(Epoch { epoch: says.epoch, from: seq, to: seq, restored_from });
        true
    }

    /// What stands beside an entry, and entries that matter to the verification itself: who erased a text, which key is in
    /// use, which takes over.
    fn take_note(&mut self, seq: u64, says: Says) {
        for finding in says.wrong {
            self.keep(finding);
        }
        self.texts.checked += says.texts;
        self.erased.extend(says.gone.into_iter().map(|name| (seq, name)));
        let Some(record) = says.record.filter(|record| record.kind != Kind::LOG_RESTORED) else { return };
        self.follow_keys(&record);
        for (seq, name) in record.erases().into_iter().flat_map(|(seq, names)| names.into_iter().map(move |n| (seq, n)))
        {
            self.texts.erased += u64::from(self.erased.remove(&(seq, name.to_owned())));
        }
    }

    fn follow_keys(&mut self, record: &Record) {
        let (seq, named) = (record.seq, PublicKey::named_by(record));
        if record.kind == Kind::INSTANCE_STARTED {
            match (&self.own, named) {
                (None, named) => self.own = named,
                (Some(own), Some(named)) if own.is_same_key(&named) => {}
                _ => {
                    let says = format!(
                        "At entry {seq} Tidegate started with another key, and no entry hands over to it: the key was swapped."
                    );
                    self.find(seq, Damage::Forked, says);
                }
            }
        } else if record.kind == Kind::KEY_ROTATED {
            let handed = PublicKey::handed_over(record);
            match handed.filter(|(old, _)| self.own.as_ref().is_none_or(|own| own.is_same_key(old))) {
                None => {
                    let says = format!(
                        "Entry {seq} hands over to a key without the signatures of the old one and the new one: the key was swapped."
                    );
                    self.find(seq, Damage::Forked, says);
                }
                Some((old, new)) => {
                    if let Some(known) =
                        self.keys.iter_mut().find(|(key, until)| until.is_none() && key.is_same_key(&old))
                    {
                        known.1 = Some(seq);
                        self.keys.push((new.clone(), None));
                    }
                    self.own = Some(new);
                }
            }
        }
    }

    fn settle_tear(&mut self, seq: u64, next_agrees: Option<bool>) {
        if next_agrees == Some(false) {
            self.damage(
                seq,
                Damage::Edited,
                "does not follow from the one before, and the next does not follow from it",
            );
        } else {
            self.damage(seq - 1, Damage::Edited, "is not the one that the next entry was written after");
        }
    }

    fn end_of_chain(&mut self, head: Option<&Head>) {
        match std::mem::replace(&mut self.chain, Chain::Broken) {
            Chain::Torn { seq, leaf } => {
                self.settle_tear(seq, head.filter(|head| head.size() == seq).map(|head| head.leaf == leaf));
            }
            Chain::Displaced { seq, replaced: Some(true) } => {
                self.damage(seq, Damage::Edited, "was replaced by one with another number");
            }
            Chain::Displaced { seq, .. } => self.damage(seq, Damage::Missing, "is missing"),
            chain => self.chain = chain,
        }
    }

    /// Damage to the chain: nothing after it can be compared.
    fn damage(&mut self, seq: u64, damage: Damage, how: &str) {
        self.chain = Chain::Broken;
        self.find(seq, damage, format!("Entry {seq} {how}."));
    }

    fn find(&mut self, seq: impl Into<Option<u64>>, damage: Damage, says: String) {
        self.keep(Finding::new(seq, damage, says));
    }

    fn keep(&mut self, finding: Finding) {
        if self.findings.len() < 10 * Verdict::MOST {
            self.findings.push(finding);
        }
    }
}

/// What a restore lost, if it is known to have lost anything.
fn lost(epoch: &Epoch) -> Option<String> {
    let known = epoch.restored_from.filter(|known| *known >= epoch.from)?;
    let (before, from) = (epoch.epoch.saturating_sub(1), epoch.from);
    Some(format!("Epoch {} began with a restore that lost entries {from} to {known} of epoch {before}.", epoch.epoch))
}
