//! The comparison with what was kept elsewhere: the stored head, an export's closing checkpoint, checkpoints from outside.

use super::Verifier;
use crate::ledger::checkpoint::{Checkpoint, Signed, SignedCheckpoint};
use crate::ledger::hash::Hash;
use crate::ledger::head::Head;
use crate::ledger::key::PublicKey;
use crate::ledger::verdict::{Damage, Finding};

impl Verifier {
    pub(super) fn compare_head(&mut self, head: Option<&Head>) {
        let Some(head) = head else { return };
        let size = self.frontier.size();
        if head.size() > size {
            let says = format!("Entries {} to {} are gone from the end.", size + 1, head.size());
            self.find(size + 1, Damage::Truncated, says);
        } else if head.size() < size {
            let says = format!("The head says that the ledger ends with entry {}, and it goes on.", head.size());
            self.find(head.size() + 1, Damage::Projection, says);
        } else if head.leaf != self.leaf {
            self.find(size, Damage::Edited, format!("Entry {size}, the last, is not the one that the head names."));
        } else if head.root() != self.frontier.root() {
            self.find(size, Damage::Projection, "The head's root is not that of the entries.".to_owned());
        }
    }

    /// The checkpoint with which an export closes: it must be for exactly these entries.
    pub(super) fn compare_closing(&mut self, closing: &SignedCheckpoint) {
        let size = self.frontier.size();
        let Checkpoint { origin, size: signed, root } = &closing.checkpoint;
        let named = !self.keys.is_empty() && closing.signed(&self.keys_at(*signed)) == Signed::Stranger;
        let own = self.own.as_ref().is_some_and(|own| closing.signed(std::slice::from_ref(own)) == Signed::Stranger);
        if closing.signed(&self.keys_at(*signed)) == Signed::False {
            let says = "The closing checkpoint is not the one that was signed.".to_owned();
            return self.find((*signed).max(1), Damage::Edited, says);
        }
        if (named || own) && !self.is_other_ledger(&origin.ledger) {
            return self.swapped(size);
        }
        if *signed > size {
            self.find(size + 1, Damage::Truncated, format!("Entries {} to {signed} are gone from the end.", size + 1));
        } else if *signed < size {
            let says = format!(
                "Behind entry {signed}, where the closing checkpoint ends, stand entries that it does not cover."
            );
            self.find(signed + 1, Damage::Forked, says);
        } else if *root != self.frontier.root() || self.is_other_ledger(&origin.ledger) {
            self.fork(size);
        }
    }

    /// Checkpoints that need no entry to be judged: of the empty ledger, and of other ledgers.
    pub(super) fn compare_anchors(&mut self) {
        let (ours, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.anchors)
            .into_iter()
            .partition(|anchor| !self.is_other_ledger(&anchor.checkpoint.origin.ledger));
        self.anchors = ours;
        for anchor in others {
            self.doubts.push(format!("a checkpoint is for another ledger, {}.", anchor.checkpoint.origin));
        }
        while let Some(empty) = self.anchors.pop_if(|anchor| anchor.checkpoint.size == 0) {
            if self.vouched(&empty) && empty.checkpoint.root == Hash::of(b"") {
                self.last_anchor = Some(0);
            }
        }
    }

    pub(super) fn compare_anchors_at(&mut self, size: u64) {
        while let Some(anchor) = self.anchors.pop_if(|anchor| anchor.checkpoint.size == size) {
            if !self.vouched(&anchor) {
                continue;
            }
            let epoch = self.epochs.last().map_or(0, |epoch| epoch.epoch);
            if anchor.checkpoint.origin.epoch < epoch {
                self.beyond(&anchor);
            } else if anchor.checkpoint.origin.epoch > epoch || anchor.checkpoint.root != self.frontier.root() {
                self.fork(size);
            } else {
                self.last_anchor = Some(size);
            }
        }
    }

    /// A checkpoint that speaks of more entries than its epoch has here.
    pub(super) fn beyond(&mut self, anchor: &SignedCheckpoint) {
        if !self.vouched(anchor) {
            return;
        }
        let Checkpoint { origin, size, .. } = &anchor.checkpoint;
        let next = self.epochs.iter().find(|epoch| epoch.epoch > origin.epoch);
        if next.and_then(|next| next.restored_from).is_some_and(|known| known >= *size) {
            // Lost with a restore that says so: visible among the epochs, and no secret.
            return;
        }
        let from = next.map_or(self.frontier.size() + 1, |next| next.from);
        self.find(from, Damage::Truncated, format!("Entries {from} to {size} of epoch {} are gone.", origin.epoch));
    }

    pub(super) fn vouched(&mut self, anchor: &SignedCheckpoint) -> bool {
        let size = anchor.checkpoint.size;
        let signed = if self.keys.is_empty() { Signed::Yes } else { anchor.signed(&self.keys_at(size)) };
        let ever: Vec<_> = self.keys.iter().map(|(key, _)| key.clone()).collect();
        let why = match signed {
            Signed::Yes => return true,
            Signed::False => "was altered: its signature does not fit",
            Signed::Stranger if anchor.signed(&ever) == Signed::Yes => {
                "is signed by a key that had been replaced by then"
            }
            Signed::Stranger => "is signed by a key that you did not name and no entry hands over to",
        };
        self.doubts.push(format!("the checkpoint at {} {why}.", anchor.checkpoint.size));
        false
    }

    /// The keys that count for a checkpoint of this size: from the entry that replaces it on, a key signs no more.
    pub(super) fn keys_at(&self, size: u64) -> Vec<PublicKey> {
        let good = self.keys.iter().filter(|(_, until)| until.is_none_or(|until| size < until));
        good.map(|(key, _)| key.clone()).collect()
    }

    /// The end is signed, and by a key that is not the ledger's.
    fn swapped(&mut self, size: u64) {
        let from = self.last_anchor.unwrap_or(0) + 1;
        let says = format!(
            "The checkpoint over the last entry, {size}, is signed by a key that no entry hands over to: the key was swapped, or the one that you named is not this ledger's."
        );
        let mut finding = Finding::new(from.min(size.max(1)), Damage::Forked, says);
        finding.until = Some(size);
        self.findings.push(finding);
    }

    pub(super) fn is_other_ledger(&self, ledger: &str) -> bool {
        self.ledger.as_ref().is_some_and(|ours| **ours != *ledger)
    }

    pub(super) fn fork(&mut self, size: u64) {
        let from = self.last_anchor.unwrap_or(0) + 1;
        let mut finding = Finding::new(
            from.min(size.max(1)),
            Damage::Forked,
            format!(
                "Between entries {from} and {size} the ledger is not the one that the checkpoint at {size} speaks of."
            ),
        );
        finding.until = Some(size);
        self.findings.push(finding);
    }
}
