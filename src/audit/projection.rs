//! The table of obligations follows from the ledger: rebuilt from its entries and compared, as `verify` asks.

use std::collections::BTreeMap;

use crate::ledger::{Damage, Finding, Record, Verdict};
use crate::store::{Store, is_of_the_database};

const PAGE: i64 = 500;

/// What the ledger says of one obligation.
#[derive(Debug, Default)]
struct Told {
    due: String,
    what: String,
    person: String,
    role: String,
    cause: i64,
    entry: i64,
    given: Option<(i64, String)>,
}

/// Every difference between the ledger and the table; where there are very many, the first. What is held in memory is
/// what was ever owed, which is little beside the ledger.
pub async fn compare(store: &Store) -> anyhow::Result<Vec<Finding>> {
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = store.ledger_of_kind("obligation", after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for entry in &page {
            // What does not read was named by the chain's own verification.
            if let Ok(record) = Record::parse(&entry.bytes) {
                apply(&mut told, &record, entry.seq);
            }
        }
    }
    let mut findings = Vec::new();
    let mut after = String::new();
    loop {
        let page = match store.obligations_from(&after, PAGE).await {
            Err(error) if !is_of_the_database(&error) => {
                let says = "What the store holds of what is owed does not read.";
                findings.push(Finding::new(None, Damage::Projection, says.to_owned()));
                return Ok(findings);
            }
            page => page?,
        };
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        for row in &page {
            let Some(entries) = told.remove(&row.id) else {
                let says = format!("The store says that `{}` is owed, which no entry says.", row.id);
                findings.push(Finding::new(None, Damage::Projection, says));
                continue;
            };
            let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
            let same = row.due_at.rfc3339() == entries.due
                && row.what.as_str() == entries.what
                && text(row.person.as_ref().map(|p| p.as_str())) == entries.person
                && text(row.role.as_ref().map(|r| r.as_str())) == entries.role
                && (row.cause, row.entry) == (entries.cause, entries.entry);
            if !same {
                let says =
                    format!("What is owed as `{}`, by whom or until when, differs between store and ledger.", row.id);
                findings.push(Finding::new(u64::try_from(entries.entry).ok(), Damage::Projection, says));
            }
            let given = row.given.as_ref().map(|(_, by)| (row.given_entry.unwrap_or(0), by.to_string()));
            if given != entries.given {
                let says = format!("Whether and by whom `{}` was given differs between store and ledger.", row.id);
                let seq = entries.given.as_ref().map_or(entries.entry, |given| given.0);
                findings.push(Finding::new(u64::try_from(seq).ok(), Damage::Projection, says));
            }
            if findings.len() > Verdict::MOST {
                return Ok(findings);
            }
        }
    }
    for (id, entries) in told.into_iter().take(Verdict::MOST) {
        let says = format!("The ledger says that `{id}` is owed, the store does not.");
        findings.push(Finding::new(u64::try_from(entries.entry).ok(), Damage::Projection, says));
    }
    Ok(findings)
}

fn apply(told: &mut BTreeMap<String, Told>, record: &Record, seq: i64) {
    let text = |name: &str| record.data.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    let id = text("obligation");
    match record.verdict.as_deref() {
        Some("owed") => {
            let cause = record.data.get("cause").and_then(serde_json::Value::as_i64).unwrap_or(0);
            let one = Told {
                due: text("due"),
                what: text("what"),
                person: text("person"),
                role: text("role"),
                cause,
                entry: seq,
                given: None,
            };
            told.insert(id, one);
        }
        Some("given") => {
            if let Some(one) = told.get_mut(&id) {
                one.given = Some((seq, record.actor.person.clone().unwrap_or_default()));
            }
        }
        _ => {}
    }
}
