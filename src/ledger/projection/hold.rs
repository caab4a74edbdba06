//! Locks and freezes, rebuilt from the ledger and compared with what the store says of them.

use std::collections::BTreeMap;

use super::super::{Damage, Finding, Record};
use crate::store::Store;
use crate::store::hold::{FreezeRow, LockRow};

const PAGE: i64 = 500;

/// What the ledger says of one lock or freeze: everything as text, so that it is compared in one way.
#[derive(Debug, Default, PartialEq)]
struct Told {
    scope: String,
    person: String,
    /// When it began and when it ends, in milliseconds.
    times: (i64, i64),
    /// How it ended; empty while it stands.
    ended: String,
    /// The exceptions of a freeze, as JSON.
    except: serde_json::Value,
    /// When the entry that made it was written, the one that gave its reason, and the last one about it.
    made: i64,
    reason: u64,
    last: u64,
}

/// Every difference between the ledger and the tables of locks and freezes.
pub async fn compare(store: &Store, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let (mut locks, mut freezes) = rebuild(store).await?;
    let mut after = String::new();
    loop {
        let page = store.all_locks(&after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.lock.id);
        for row in &page {
            let told = locks.remove(&row.lock.id);
            findings.extend(wrong("lock", &row.lock.id, told.as_ref(), |told| lock(row, told)));
        }
    }
    after.clear();
    loop {
        let page = store.all_freezes(&after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.freeze.entry.uid);
        for row in &page {
            let told = freezes.remove(&row.freeze.entry.uid);
            findings.extend(wrong("freeze", &row.freeze.entry.uid, told.as_ref(), |told| freeze(row, told)));
        }
    }
    for (what, left) in [("lock", locks), ("freeze", freezes)] {
        findings.extend(left.iter().map(|(id, told)| {
            let says = format!("The ledger knows the {what} `{id}`, the store does not.");
            Finding::new(told.last, Damage::Projection, says)
        }));
    }
    Ok(())
}

fn wrong(
    what: &str,
    id: &str,
    told: Option<&Told>,
    differs: impl FnOnce(&Told) -> Option<&'static str>,
) -> Option<Finding> {
    let Some(told) = told else {
        return Some(Finding::new(None, Damage::Projection, format!("The {what} `{id}` is in no entry.")));
    };
    let part = differs(told)?;
    let says = format!("{part} of the {what} `{id}` differs between store and ledger.");
    Some(Finding::new(told.last, Damage::Projection, says))
}

/// What of a stored lock is not what was recorded, if anything is.
fn lock(row: &LockRow, told: &Told) -> Option<&'static str> {
    let lock = &row.lock;
    let ended = row.ended.as_ref().map_or("", |(_, how)| how.as_str());
    match () {
        () if lock.scope.key() != told.scope => Some("The scope"),
        () if lock.owner.as_str() != told.person => Some("The owner"),
        // An entry is never earlier than the act that it records.
        () if lock.since.ms() > told.made => Some("The beginning"),
        () if lock.until.ms() != told.times.1 => Some("The end"),
        () if ended != told.ended => Some("What became"),
        () if u64::try_from(row.entry).ok() != Some(told.reason) => Some("The reason"),
        () => None,
    }
}

/// The same of a freeze.
fn freeze(row: &FreezeRow, told: &Told) -> Option<&'static str> {
    let entry = &row.freeze.entry;
    let lifted = if row.lifted.is_some() { "lifted" } else { "" };
    match () {
        () if row.freeze.scope().key() != told.scope => Some("The scope"),
        () if row.owner.as_str() != told.person => Some("The owner"),
        () if (entry.start.ms(), entry.end.ms()) != told.times => Some("The time"),
        () if serde_json::to_value(&row.freeze.except).ok().as_ref() != Some(&told.except) => Some("An exception"),
        () if lifted != told.ended => Some("What became"),
        () if u64::try_from(row.entry).ok() != Some(told.reason) => Some("The reason"),
        () => None,
    }
}

type ById = BTreeMap<String, Told>;

async fn rebuild(store: &Store) -> anyhow::Result<(ById, ById)> {
    let (mut locks, mut freezes) = (ById::new(), ById::new());
    let mut after = 0;
    loop {
        let page = store.ledger_of_holds(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok((locks, freezes)) };
        after = last.seq;
        // What does not read was named by the chain's own verification.
        for record in page.iter().filter_map(|entry| Record::parse(&entry.bytes).ok()) {
            match record.kind.as_str() {
                "freeze" => apply(&mut freezes, &record),
                _ => apply(&mut locks, &record),
            }
        }
    }
}

fn apply(all: &mut ById, record: &Record) {
    let text = |name: &str| record.data.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let number = |name: &str| record.data.get(name).and_then(serde_json::Value::as_i64).unwrap_or_default();
    let told = all.entry(text("id")).or_default();
    told.last = record.seq;
    let made = Told {
        scope: text("scope"),
        person: record.actor.person.clone().unwrap_or_default(),
        made: record.at,
        reason: record.seq,
        last: record.seq,
        ..Told::default()
    };
    match (record.kind.as_str(), text("act").as_str()) {
        ("lock", "taken" | "stolen") => *told = Told { times: (record.at, number("until")), ..made },
        ("lock", "kept") => {
            told.times.1 = number("until");
            if record.commitments.contains_key("reason") {
                told.reason = record.seq;
            }
        }
        ("freeze", "added") => {
            let except = record.data.get("except").cloned().unwrap_or_default();
            *told = Told { times: (number("from"), number("to")), except, ..made };
        }
        (_, how) => told.ended = how.to_owned(),
    }
}
