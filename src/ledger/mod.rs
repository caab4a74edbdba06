//! The record: canonical entries, chain and tree, checkpoints, verification, export.
//!
//! Everything here is pure. The store reads one head row, calls [`Head::append`] and writes what comes back, in the
//! transaction of everything else. Format version 1, complete:
//!
//! - an entry is one JSON object in canonical form ([`canonical`]), stored as the bytes that are hashed ([`Record`]);
//! - leaf = SHA-256(0x00 ‖ bytes); `prev` is the leaf of the entry before, 64 zeros at first: a chain;
//! - the same leaves make a Merkle tree ([`tree`]) whose root a signed [`Checkpoint`] carries out of the house;
//! - free text stands beside, bound by a salted commitment ([`Text`]).
//!
//! - the last entry is sealed by a signed checkpoint, made in its transaction with a key that is not in the database.
//!
//! What is not detected: a ledger rewritten whole by someone who holds the key, behind the newest checkpoint that anybody
//! kept elsewhere. That is why every decision carries one.

mod abreast;
mod act;
pub mod canonical;
mod checkpoint;
mod entry;
mod erase;
pub mod export;
mod hash;
mod head;
mod hold;
mod keeper;
mod key;
mod kind;
mod line;
mod outline;
mod page;
mod projection;
pub mod proof;
mod prove;
mod restore;
mod scan;
mod signer;
mod spoken;
mod statement;
pub mod table;
mod text;
pub mod time;
pub mod tree;
mod verdict;
mod verify;
pub mod witness;

pub use act::{Act, act};
pub use checkpoint::{Checkpoint, NotACheckpoint, Signed, SignedCheckpoint};
pub use entry::{Actor, Entry, Evidence, NotARecord, PlanRef, PolicyRef, Record, VERSION};
pub use erase::retain;
pub use hash::{Hash, NotAHash, hex, sha256, unhex};
pub use head::{Appended, Head, NotAnOrigin, Origin, Unfit};
pub use hold::{Hold, holds};
pub use keeper::{checkpoint_now, checkpoints_in, verify_store, verify_with};
pub use key::{NotAKey, PublicKey, SecretKey};
pub use kind::{Kind, NotAKind};
pub use proof::{Continuation, Proof, Proven};
pub use prove::{NotContinued, continuation, entry_proof, evidence, plan_proof};
pub use restore::{refuse_lost, restore};
pub use signer::{KeyFile, Signer, write_private};
pub use spoken::Spoken;
pub use statement::{Receipt, Statement};
pub use text::{MAX_TEXT, Salt, StoredText, Text};
pub use tree::{Frontier, Node, Place};
pub use verdict::{Damage, Epoch, Finding, FirstBad, TextCount, Verdict};
pub use verify::{Alone, Columns, Look, Row, Trust, Verifier};
pub use witness::{Witness, anchor, witness};

#[cfg(test)]
mod tests;
