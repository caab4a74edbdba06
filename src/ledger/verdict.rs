//! What a verification found, for programs as JSON and for people as a sentence.

use serde::Serialize;

use super::hash::Hash;
use super::witness::Witness;

/// What `audit verify` answers. The first six fields are a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    pub ok: bool,
    /// Entries seen; for a proof, the size of the ledger that its checkpoint speaks of.
    pub size: u64,
    /// The Merkle root over the entries as they stand now.
    pub root: Hash,
    pub first_bad: Option<FirstBad>,
    /// Size of the largest checkpoint from outside that was checked and agrees.
    pub last_anchor: Option<u64>,
    /// Entries behind it: what somebody who holds database and key could still rewrite unnoticed.
    pub unanchored: u64,
    /// The verdict in one plain sentence.
    pub says: String,
    /// Everything found, the first [`Verdict::MOST`] of it.
    pub findings: Vec<Finding>,
    /// What could not be judged, and why.
    pub doubts: Vec<String>,
    /// What does not change the verdict but should be known.
    pub remarks: Vec<String>,
    pub epochs: Vec<Epoch>,
    pub texts: TextCount,
    /// How the places outside that keep checkpoints are doing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<Witness>,
}

/// The first damage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FirstBad {
    /// The entry; null where the damage is not in an entry (a trigger).
    pub seq: Option<u64>,
    pub damage: Damage,
}

/// What was done to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Damage {
    /// An entry, or a text beside it, is not what was recorded.
    Edited,
    /// An entry, or a text beside it, is gone.
    Missing,
    /// Entries stand in another order.
    Reordered,
    /// The end is gone.
    Truncated,
    /// The ledger is not the one that a checkpoint speaks of.
    Forked,
    /// An entry says an earlier time than the one before.
    Backdated,
    /// A table that follows from the ledger says something else.
    Projection,
    /// What keeps the ledger append-only was changed or is gone.
    Trigger,
}

/// One damage, where it shows and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub seq: Option<u64>,
    /// Where the damage lies between two entries, the later one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    pub damage: Damage,
    pub says: String,
}

/// An epoch of the ledger: one restore from a backup begins the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Epoch {
    pub epoch: u64,
    pub from: u64,
    pub to: u64,
    /// How far the epoch before is known to have come; what of it is not in this ledger was lost with the restore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored_from: Option<u64>,
}

/// How many free texts were compared with their commitments, and how many were erased on record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TextCount {
    pub checked: u64,
    pub erased: u64,
}

impl Finding {
    pub fn new(seq: impl Into<Option<u64>>, damage: Damage, says: impl Into<String>) -> Finding {
        Finding { seq: seq.into(), until: None, damage, says: says.into() }
    }

    /// A finding about a range comes after one that names an entry inside it, for that one says more.
    fn order(&self) -> (u64, bool) {
        (self.until.or(self.seq).unwrap_or(u64::MAX), self.until.is_some())
    }
}

impl Verdict {
    /// Findings listed at most.
    pub const MOST: usize = 20;

    pub(super) fn new(size: u64, root: Hash) -> Verdict {
        Verdict {
            ok: true,
            size,
            root,
            first_bad: None,
            last_anchor: None,
            unanchored: size,
            says: String::new(),
            findings: Vec::new(),
            doubts: Vec::new(),
            remarks: Vec::new(),
            epochs: Vec::new(),
            texts: TextCount::default(),
            witnesses: Vec::new(),
        }
    }

    /// The verdict on something that is not a ledger, an export or a proof, or cannot be read.
    pub fn cannot_tell(why: impl Into<String>) -> Verdict {
        Verdict { doubts: vec![why.into()], ..Verdict::new(0, Hash::of(b"")) }.concluded()
    }

    /// Adds what was found elsewhere (projections, triggers).
    #[must_use]
    pub fn with(mut self, findings: impl IntoIterator<Item = Finding>) -> Verdict {
        self.findings.extend(findings);
        self.concluded()
    }

    /// 0 sound, 1 damaged, 2 cannot tell.
    pub fn exit_code(&self) -> u8 {
        match (self.ok, &self.first_bad) {
            (true, _) => 0,
            (false, Some(_)) => 1,
            (false, None) => 2,
        }
    }

    pub(super) fn concluded(mut self) -> Verdict {
        self.findings.sort_by_key(Finding::order);
        self.first_bad = self.findings.first().map(|f| FirstBad { seq: f.seq, damage: f.damage });
        self.ok = self.findings.is_empty() && self.doubts.is_empty();
        self.unanchored = self.size.saturating_sub(self.last_anchor.unwrap_or(0));
        self.says = self.sentence();
        self.findings.truncate(Verdict::MOST);
        self.doubts.truncate(Verdict::MOST);
        self
    }

    /// With what something else proved said first, where all is well.
    #[must_use]
    pub fn also(mut self, other: &Verdict) -> Verdict {
        if self.ok {
            self.says = format!("{} {}", other.says, self.says);
        }
        self
    }

    /// With another sentence where all is well.
    pub(super) fn concluded_with(self, sound: impl FnOnce(&Verdict) -> String) -> Verdict {
        let mut verdict = self.concluded();
        if verdict.ok {
            verdict.says = sound(&verdict);
        }
        verdict
    }

    /// With the places that keep checkpoints; those that fail are remarked upon.
    #[must_use]
    pub(super) fn witnessed(mut self, witnesses: Vec<Witness>) -> Verdict {
        self.remarks.extend(witnesses.iter().filter(|w| w.failures > 0).map(|w| format!("The place {}.", w.says())));
        self.witnesses = witnesses;
        self
    }

    pub(super) fn remarking(mut self, remarks: Vec<String>) -> Verdict {
        self.remarks.extend(remarks);
        self
    }

    fn sentence(&self) -> String {
        let entries = |n: u64| if n == 1 { "1 entry".to_owned() } else { format!("{n} entries") };
        match (self.findings.as_slice(), self.doubts.as_slice()) {
            ([first], _) => first.says.clone(),
            ([first, rest @ ..], _) => format!("{} {} more found.", first.says, rest.len()),
            ([], [doubt, ..]) => format!("Nothing damaged was seen, but not everything could be judged: {doubt}"),
            ([], []) => {
                let anchored = match (self.last_anchor, self.unanchored) {
                    (None, _) => "no checkpoint from outside was compared".to_owned(),
                    (Some(_), 0) => "a checkpoint from outside covers them all".to_owned(),
                    (Some(to), tail) => {
                        format!("a checkpoint from outside covers the first {to}, {} came later", entries(tail))
                    }
                };
                format!(
                    "The ledger is sound: {}, none changed, missing or out of order; {anchored}.",
                    entries(self.size)
                )
            }
        }
    }
}
