//! What a row tells by itself, without the rows before it: most of the work, and it can be done for many rows at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Columns, Row};
use crate::ledger::entry::Record;
use crate::ledger::hash::Hash;
use crate::ledger::kind::Kind;
use crate::ledger::outline::{NotAnOutline, Outline};
use crate::ledger::text::StoredText;
use crate::ledger::verdict::{Damage, Finding};

/// The kinds of entries that matter to the verification itself: who erased a text, which key is in use, which takes over,
/// where an epoch begins.
const NOTED: [Kind; 4] = [Kind::TEXT_ERASED, Kind::KEY_ROTATED, Kind::INSTANCE_STARTED, Kind::LOG_RESTORED];

/// Looks at rows one by one. Each thread has its own.
#[derive(Debug, Default)]
pub struct Look {
    /// The ledger that the last row named: rows that name the same share it.
    ledger: Arc<str>,
}

/// A row that was looked at: what is left is its place among the others.
#[derive(Debug)]
pub struct Alone {
    /// The number under which it is stored.
    pub(super) seq: u64,
    pub(super) leaf: Hash,
    /// The leaf stored with it is the hash of its bytes.
    pub(super) fits: bool,
    pub(super) says: Result<Says, NotAnOutline>,
}

/// What an entry says that ties it to its place, and what stands beside it.
#[derive(Debug)]
pub(super) struct Says {
    pub ledger: Arc<str>,
    pub epoch: u64,
    pub seq: u64,
    pub prev: Hash,
    pub at: i64,
    /// Of the kinds that are noted.
    pub kind: Option<Kind>,
    /// The whole entry, for those kinds.
    pub record: Option<Box<Record>>,
    /// Columns and texts that say something else than the entry.
    pub wrong: Vec<Finding>,
    /// Texts that are there and are the ones that were recorded.
    pub texts: u64,
    /// The names of texts that are not there.
    pub gone: Vec<String>,
}

impl Look {
    pub fn at(&mut self, row: &Row<'_>) -> Alone {
        let leaf = Hash::leaf(row.bytes.as_bytes());
        let fits = row.leaf.parse() == Ok(leaf);
        let says = Outline::read(row.bytes).map(|outline| self.says(row, &outline));
        Alone { seq: row.seq, leaf, fits, says }
    }

    fn says(&mut self, row: &Row<'_>, outline: &Outline<'_>) -> Says {
        if *self.ledger != *outline.origin {
            self.ledger = Arc::from(&*outline.origin);
        }
        let kind = NOTED.into_iter().find(|kind| kind.as_str() == outline.kind);
        let record = kind.as_ref().and_then(|_| Record::parse(row.bytes).ok()).map(Box::new);
        let mut says = Says {
            ledger: self.ledger.clone(),
            epoch: outline.epoch,
            seq: outline.seq,
            prev: outline.prev,
            at: outline.at,
            kind,
            record,
            wrong: Vec::new(),
            texts: 0,
            gone: Vec::new(),
        };
        if let Some(columns) = &row.columns {
            says.compare_columns(row.seq, columns, outline);
        }
        if let Some(texts) = row.texts {
            says.compare_texts(row.seq, texts, outline);
        }
        says
    }
}

impl Says {
    fn compare_columns(&mut self, seq: u64, columns: &Columns<'_>, outline: &Outline<'_>) {
        let plan = outline.plan.as_deref();
        if columns.at.ms() != outline.at || columns.kind != outline.kind || columns.plan != plan {
            let says = format!("The columns beside entry {seq} say something else than the entry.");
            self.wrong.push(Finding::new(seq, Damage::Projection, says));
        }
    }

    fn compare_texts(&mut self, seq: u64, texts: &[StoredText], outline: &Outline<'_>) {
        let commitments: BTreeMap<String, Hash> =
            outline.commitments.and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
        for text in texts {
            let name = &text.name;
            let says = match commitments.get(name) {
                Some(commitment) if text.matches(*commitment) => continue,
                Some(_) => format!("The text `{name}` of entry {seq} is not the one that was recorded."),
                None => format!("A text `{name}` was added beside entry {seq}."),
            };
            self.wrong.push(Finding::new(seq, Damage::Edited, says));
        }
        for name in commitments.into_keys() {
            match texts.iter().find(|text| text.name == name) {
                Some(text) if text.kept.is_some() => self.texts += 1,
                _ => self.gone.push(name),
            }
        }
    }
}
