//! The end of the ledger, and growing it by one entry: one read of the head row, one set of inserts, no other state.

use std::collections::BTreeMap;
use std::fmt;

use super::canonical::{self, MAX_KEY, NotCanonical};
use super::entry::{Entry, Record, VERSION};
use super::hash::Hash;
use super::kind::Kind;
use super::text::{MAX_TEXT, Text};
use super::tree::{Frontier, Node};
use crate::clock::Time;

/// Which ledger, and which epoch of it: `tidegate.example/01JD…/1`. The name of its checkpoints and of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Without the epoch: `tidegate.example/01JD…`.
    pub ledger: String,
    /// 1 at first; rises with each restore from a backup.
    pub epoch: u64,
}

/// Says that a text does not name a ledger and an epoch.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` does not name a ledger: a name without spaces and plus signs, a slash, and the epoch's number")]
pub struct NotAnOrigin(pub String);

/// The one row that says where the ledger ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub origin: Origin,
    /// The leaf of the last entry; zeros while there is none.
    pub leaf: Hash,
    /// The last entry's time.
    pub at: Time,
    pub frontier: Frontier,
}

/// An entry in its place, and everything to be stored with it.
#[derive(Clone, Debug)]
pub struct Appended {
    pub seq: u64,
    pub at: Time,
    pub kind: Kind,
    /// The handle of the plan it is about.
    pub plan: Option<String>,
    /// The very bytes that are hashed.
    pub bytes: String,
    pub leaf: Hash,
    /// Inner nodes that this entry made full.
    pub nodes: Vec<Node>,
    /// For the table beside the ledger.
    pub texts: Vec<Text>,
}

/// Why an entry cannot be appended.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unfit {
    #[error(transparent)]
    Form(#[from] NotCanonical),
    #[error("the entry's text `{0}` {1}")]
    Text(String, &'static str),
    #[error("the entry names neither a person nor a part of the system, or names both")]
    Actor,
}

impl Origin {
    pub fn new(ledger: &str, epoch: u64) -> Result<Origin, NotAnOrigin> {
        Origin::parse(&format!("{ledger}/{epoch}"))
    }

    pub fn parse(text: &str) -> Result<Origin, NotAnOrigin> {
        let no = || NotAnOrigin(text.chars().take(200).collect());
        let (ledger, epoch) = text.rsplit_once('/').ok_or_else(no)?;
        let sound = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
        let number = !epoch.starts_with('0') && epoch.len() < 10 && epoch.bytes().all(|b| b.is_ascii_digit());
        if ledger.is_empty() || text.len() > 200 || !ledger.chars().all(sound) || !number {
            return Err(no());
        }
        Ok(Origin { ledger: ledger.to_owned(), epoch: epoch.parse().map_err(|_| no())? })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ledger, self.epoch)
    }
}

impl Head {
    /// The head of a ledger without entries.
    pub fn new(origin: Origin) -> Head {
        Head { origin, leaf: Hash::ZERO, at: Time::default(), frontier: Frontier::default() }
    }

    /// Entries so far; the sequence number of the last one.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Puts an entry at the end and moves the head behind it. A clock that stepped back does not make time go backwards
    /// in the ledger: the entry takes the time of the one before and says what the clock said. On an error nothing moved.
    pub fn append(&mut self, entry: Entry) -> Result<Appended, Unfit> {
        let actor = &entry.actor;
        if actor.system.is_some() == (actor.user.is_some() || actor.person.is_some()) {
            return Err(Unfit::Actor);
        }
        let at = entry.at.max(self.at);
        let seq = self.size() + 1;
        let record = Record {
            v: VERSION,
            origin: self.origin.ledger.clone(),
            epoch: self.origin.epoch,
            seq,
            prev: self.leaf,
            at: at.ms(),
            clock: (at != entry.at).then_some(entry.at.ms()),
            kind: entry.kind,
            actor: entry.actor,
            plan: entry.plan,
            evidence: entry.evidence,
            policy: entry.policy,
            verdict: entry.verdict,
            supersedes: entry.supersedes,
            data: entry.data,
            commitments: commitments(&entry.texts)?,
        };
        let bytes = canonical::encode(&record)?;
        let leaf = Hash::leaf(bytes.as_bytes());
        let mut nodes = Vec::new();
        self.frontier.grow(leaf, |node| nodes.push(node));
        self.leaf = leaf;
        self.at = at;
        let plan = record.plan.map(|plan| plan.id);
        Ok(Appended { seq, at, kind: record.kind, plan, bytes, leaf, nodes, texts: entry.texts })
    }

    /// Opens the next epoch after a restore from a backup, visibly: the ledger goes on from this head under a new origin,
    /// and its first entry says how far the old epoch is known to have come (`known`: size and root of the newest
    /// checkpoint that was found outside; what the backup lacks of it is lost, and stays said).
    pub fn restore(&mut self, known: Option<(u64, Hash)>, mut entry: Entry) -> Result<Appended, Unfit> {
        let known = known.filter(|(size, _)| *size >= self.size());
        let (old_size, old_root) = known.unwrap_or((self.size(), self.root()));
        entry.kind = Kind::LOG_RESTORED;
        let entry = entry
            .with("old_size", old_size)
            .with("old_root", old_root.to_string())
            .with("size", self.size())
            .with("new_epoch", self.origin.epoch + 1);
        let mut next = self.clone();
        next.origin.epoch += 1;
        let appended = next.append(entry)?;
        *self = next;
        Ok(appended)
    }
}

fn commitments(texts: &[Text]) -> Result<BTreeMap<String, Hash>, Unfit> {
    let mut commitments = BTreeMap::new();
    for text in texts {
        let no = |why| Err(Unfit::Text(text.name.chars().take(MAX_KEY).collect(), why));
        if text.body.len() > MAX_TEXT {
            return no("is longer than 64 KiB");
        }
        if text.body.contains('\0') {
            return no("contains U+0000");
        }
        if commitments.insert(text.name.clone(), text.commitment()).is_some() {
            return no("stands there twice");
        }
    }
    Ok(commitments)
}
