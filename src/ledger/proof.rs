//! Proofs that stand alone: that entries are in the ledger a checkpoint speaks of, and that one checkpoint continues another.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::checkpoint::{Signed, SignedCheckpoint, decimal};
use super::entry::Record;
use super::hash::Hash;
use super::key::PublicKey;
use super::outline::Outline;
use super::tree::{self, Place};
use super::verdict::{Damage, Finding, Verdict};
use super::verify::Trust;

/// The first line of a C2SP proof.
const TLOG: &str = "c2sp.org/tlog-proof@v1";
/// Bytes of a proof at most.
pub const MAX_PROOF: usize = 16 * 1024 * 1024;

/// One entry and its way up to the root. The gate's answer carries one as `proof`, beside `checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    pub seq: u64,
    /// The entry's very bytes.
    pub bytes: String,
    /// The audit path (RFC 6962, 2.1.1), lowest first, in hexadecimal.
    pub hashes: Vec<Hash>,
}

/// The entries of one plan, proved to be in the ledger that the checkpoint speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    pub format: ProofFormat,
    pub v: u32,
    /// The public key, for convenience; whoever verifies takes theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub checkpoint: String,
    pub entries: Vec<Proven>,
    /// The entries (their bytes) by which keys were handed over, for whoever has the first public key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handovers: Vec<String>,
    /// What it proves, in a plain sentence; for people, and itself no proof.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub says: String,
}

/// Two checkpoints, the later proved to continue the earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continuation {
    pub format: ContinuationFormat,
    pub v: u32,
    pub from: String,
    pub to: String,
    /// The consistency proof (RFC 6962, 2.1.2), in hexadecimal.
    pub hashes: Vec<Hash>,
    /// The first public key, for convenience; whoever verifies takes theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The entries (their bytes) by which keys were handed over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handovers: Vec<String>,
    /// What it proves, in a plain sentence; for people, and itself no proof.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub says: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProofFormat {
    #[serde(rename = "tidegate-proof")]
    Proof,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContinuationFormat {
    #[serde(rename = "tidegate-continuation")]
    Continuation,
}

impl Proven {
    /// Proves entry `seq` in the ledger of `size` entries. `node` is asked for the places that
    /// [`tree::inclusion_needs`]`(seq - 1, size)` lists: leaves at level 0, stored inner nodes above.
    pub fn new<E>(seq: u64, bytes: String, size: u64, node: impl FnMut(Place) -> Result<Hash, E>) -> Result<Proven, E> {
        let hashes = tree::inclusion(seq.saturating_sub(1), size, node)?;
        Ok(Proven { seq, bytes, hashes })
    }

    /// Whether the entry is what it says and belongs under this root.
    pub fn check(&self, ledger: &str, size: u64, root: Hash) -> Result<(), Finding> {
        let seq = self.seq;
        let bad = |how: &str| Err(Finding::new(seq, Damage::Edited, format!("Entry {seq} {how}.")));
        match Outline::read(&self.bytes) {
            Err(why) => return bad(&format!("is not in the form that is recorded ({why})")),
            Ok(outline) if outline.seq != seq => return bad(&format!("says that it is entry {}", outline.seq)),
            Ok(outline) if outline.origin != ledger => return bad("belongs to another ledger"),
            Ok(_) => {}
        }
        let leaf = Hash::leaf(self.bytes.as_bytes());
        match seq.checked_sub(1).and_then(|index| tree::root_from_inclusion(leaf, index, size, &self.hashes)) {
            Some(led) if led == root => Ok(()),
            _ => bad("is not the one that the checkpoint speaks of"),
        }
    }
}

impl Proof {
    pub fn new(checkpoint: String, key: Option<String>, entries: Vec<Proven>) -> Proof {
        let size = SignedCheckpoint::parse(&checkpoint).map_or(0, |signed| signed.checkpoint.size);
        let says = stands(&entries, size);
        Proof { format: ProofFormat::Proof, v: 1, key, checkpoint, entries, handovers: Vec::new(), says }
    }

    #[must_use]
    pub fn with_handovers(mut self, handovers: Vec<String>) -> Proof {
        self.handovers = handovers;
        self
    }

    /// Reads the JSON of a proof, or a C2SP `.tlog-proof` that carries its entry.
    pub fn parse(text: &str) -> Result<Proof, String> {
        if text.len() > MAX_PROOF {
            return Err("the proof is too long".to_owned());
        }
        if text.trim_start().starts_with(TLOG) {
            return parse_tlog(text.trim_start()).ok_or_else(|| "the C2SP proof cannot be read".to_owned());
        }
        let proof: Proof = serde_json::from_str(text).map_err(|e| format!("the proof cannot be read: {e}"))?;
        if proof.v == 1 { Ok(proof) } else { Err(format!("the proof is of format {}, and this is format 1", proof.v)) }
    }

    /// The JSON, in one line.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers can be written")
    }

    /// The first entry's proof as a C2SP `.tlog-proof`, the entry's bytes in `extra`.
    pub fn tlog(&self) -> Option<String> {
        let entry = self.entries.first()?;
        let extra = STANDARD.encode(&entry.bytes);
        let hashes: String = entry.hashes.iter().map(|hash| format!("{}\n", hash.base64())).collect();
        Some(format!("{TLOG}\nextra {extra}\nindex {}\n{hashes}\n{}", entry.seq.checked_sub(1)?, self.checkpoint))
    }

    /// Judges the proof with nothing but public keys, and other checkpoints of the same size where there are such.
    pub fn verify(&self, trust: &Trust) -> Verdict {
        let signed = match SignedCheckpoint::parse(&self.checkpoint) {
            Ok(signed) => signed,
            Err(why) => return Verdict::cannot_tell(format!("the proof's checkpoint cannot be read: {why}.")),
        };
        let checkpoint = &signed.checkpoint;
        let mut verdict = judge_signature(&signed, trust, &self.handovers);
        let checks = self.entries.iter().map(|e| e.check(&checkpoint.origin.ledger, checkpoint.size, checkpoint.root));
        verdict.findings.extend(checks.filter_map(Result::err));
        if self.entries.is_empty() {
            verdict.doubts.push("the proof has no entries.".to_owned());
        }
        verdict.concluded_with(|v| format!("Proved: {}", stands(&self.entries, v.size)))
    }
}

impl Continuation {
    /// `node` is asked for the places that [`tree::consistency_needs`] lists.
    pub fn new<E>(
        from: &SignedCheckpoint,
        to: &SignedCheckpoint,
        node: impl FnMut(Place) -> Result<Hash, E>,
    ) -> Result<Continuation, E> {
        let hashes = tree::consistency(from.checkpoint.size, to.checkpoint.size, node)?;
        let says = unchanged(from.checkpoint.size, to.checkpoint.size);
        let (from, to) = (from.note.clone(), to.note.clone());
        let (format, handovers) = (ContinuationFormat::Continuation, Vec::new());
        Ok(Continuation { format, v: 1, from, to, hashes, key: None, handovers, says })
    }

    /// Reads the JSON of a continuation.
    pub fn parse(text: &str) -> Result<Continuation, String> {
        if text.len() > MAX_PROOF {
            return Err("the proof is too long".to_owned());
        }
        let proof: Continuation = serde_json::from_str(text).map_err(|e| format!("the proof cannot be read: {e}"))?;
        if proof.v == 1 { Ok(proof) } else { Err(format!("the proof is of format {}, and this is format 1", proof.v)) }
    }

    /// Whether a text is meant as one.
    pub fn is_meant(text: &str) -> bool {
        let format = |value: serde_json::Value| value.get("format").and_then(|f| f.as_str()).map(str::to_owned);
        serde_json::from_str(text).ok().and_then(format).as_deref() == Some("tidegate-continuation")
    }

    #[must_use]
    pub fn with_handovers(mut self, key: Option<String>, handovers: Vec<String>) -> Continuation {
        (self.key, self.handovers) = (key, handovers);
        self
    }

    /// The JSON, in one line.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers can be written")
    }

    pub fn verify(&self, trust: &Trust) -> Verdict {
        let (from, to) = match (SignedCheckpoint::parse(&self.from), SignedCheckpoint::parse(&self.to)) {
            (Ok(from), Ok(to)) => (from, to),
            (Err(why), _) | (_, Err(why)) => {
                return Verdict::cannot_tell(format!("a checkpoint cannot be read: {why}."));
            }
        };
        let mut verdict = judge_signature(&to, trust, &self.handovers);
        let earlier = judge_signature(&from, trust, &self.handovers);
        verdict.findings.extend(earlier.findings);
        verdict.doubts.extend(earlier.doubts);
        let (old, new) = (&from.checkpoint, &to.checkpoint);
        let same = old.origin.ledger == new.origin.ledger && old.origin.epoch <= new.origin.epoch;
        if !same || !tree::is_consistent((old.size, old.root), (new.size, new.root), &self.hashes) {
            let says = format!("The checkpoint at {} does not continue the one at {}.", new.size, old.size);
            let mut finding = Finding::new(1, Damage::Forked, says);
            finding.until = Some(old.size);
            verdict.findings.push(finding);
        }
        verdict.concluded_with(|v| format!("Proved: {}", unchanged(old.size, v.size)))
    }
}

/// A proof from nodes that are all at hand.
pub fn known(nodes: &std::collections::HashMap<Place, Hash>) -> impl FnMut(Place) -> Result<Hash, Missing> + '_ {
    |at| nodes.get(&at).copied().ok_or(Missing(at))
}

/// A node that a proof needs is not stored.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the stored tree lacks node {} of level {}", .0.index, .0.level)]
pub struct Missing(pub Place);

/// Which keys count for a checkpoint of this size: those that are trusted, and those that they handed over to until then.
pub(super) fn keys_at(trusted: &[PublicKey], handovers: &[String], size: u64) -> Vec<PublicKey> {
    let mut keys = trusted.to_vec();
    let mut records: Vec<Record> = handovers.iter().filter_map(|bytes| Record::parse(bytes).ok()).collect();
    records.sort_by_key(|record| record.seq);
    for record in records.iter().filter(|record| record.seq <= size) {
        let Some((old, new)) = PublicKey::handed_over(record) else { continue };
        if keys.iter().any(|key| key.is_same_key(&old)) {
            keys.retain(|key| !key.is_same_key(&old));
            keys.push(new);
        }
    }
    keys
}

fn stands(entries: &[Proven], size: u64) -> String {
    let list = entries.iter().map(|e| e.seq.to_string()).collect::<Vec<_>>().join(", ");
    match entries {
        [_] => format!("entry {list} stands in the ledger as it is here, among its {size} entries."),
        _ => format!("entries {list} stand in the ledger as they are here, among its {size} entries."),
    }
}

fn unchanged(old: u64, new: u64) -> String {
    format!("the first {old} of {new} entries are unchanged.")
}

fn judge_signature(signed: &SignedCheckpoint, trust: &Trust, handovers: &[String]) -> Verdict {
    let size = signed.checkpoint.size;
    let keys = keys_at(&trust.keys, handovers, size);
    let mut verdict = Verdict::new(size, signed.checkpoint.root);
    match signed.signed(&keys) {
        Signed::Yes => {}
        Signed::False => {
            let says = format!("The checkpoint at {size} is not the one that was signed.");
            verdict.findings.push(Finding::new(size.max(1), Damage::Edited, says));
        }
        Signed::Stranger if trust.keys.is_empty() => {
            verdict
                .doubts
                .push("no public key was given, so nobody is known to have signed the checkpoint.".to_owned());
        }
        Signed::Stranger => {
            verdict.doubts.push(format!("the checkpoint at {size} is signed by a key that you did not name."));
        }
    }
    for anchor in trust.anchors.iter().filter(|a| a.checkpoint.size == size) {
        if anchor.checkpoint == signed.checkpoint {
            verdict.last_anchor = Some(size);
        } else if trust.keys.is_empty() || anchor.signed(&keys) == Signed::Yes {
            let says = format!("Two checkpoints at {size} speak of different ledgers.");
            verdict.findings.push(Finding { until: Some(size), ..Finding::new(1, Damage::Forked, says) });
        }
    }
    verdict
}

fn parse_tlog(text: &str) -> Option<Proof> {
    let (head, checkpoint) = text.split_once("\n\n")?;
    let mut lines = head.lines().skip(1);
    let bytes = STANDARD.decode(lines.next()?.strip_prefix("extra ")?).ok()?;
    let seq = decimal(lines.next()?.strip_prefix("index ")?)? + 1;
    let hashes = lines.map(Hash::from_base64).collect::<Option<Vec<_>>>()?;
    let entry = Proven { seq, bytes: String::from_utf8(bytes).ok()?, hashes };
    Some(Proof::new(checkpoint.to_owned(), None, vec![entry]))
}
