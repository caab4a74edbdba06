//! The comparison with what was kept elsewhere: the stored head, an export's closing checkpoint, checkpoints from outside.

use super::Verifier;
use crate::ledger::checkpoint::{Checkpoint, Signed, SignedCheckpoint};
use crate::ledger::hash::Hash;
use crate::ledger::head::Head;
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
        match closing.signed(&self.keys) {
            Signed::Stranger if !self.keys.is_empty() => {
                self.doubts.push("the closing checkpoint is signed by a key that you did not name.".to_owned());
            }
            Signed::False => {
                let says = "The closing checkpoint is not the one that was signed.".to_owned();
                return self.find((*signed).max(1), Damage::Edited, says);
            }
            Signed::Yes | Signed::Stranger => {}
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
        let signed = if self.keys.is_empty() { Signed::Yes } else { anchor.signed(&self.keys) };
        let why = match signed {
            Signed::Yes => return true,
            Signed::False => "was altered: its signature does not fit",
            Signed::Stranger => "is signed by a key that you did not name",
        };
        self.doubts.push(format!("the checkpoint at {} {why}.", anchor.checkpoint.size));
        false
    }

    pub(super) fn is_other_ledger(&self, ledger: &str) -> bool {
        self.ledger.as_ref().is_some_and(|ours| ours != ledger)
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
