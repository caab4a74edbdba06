//! Links between accounts and people, rebuilt from the ledger and compared with what the store says of them.

use std::collections::BTreeMap;

use super::super::{Damage, Finding, Record};
use crate::people::account::Link;
use crate::store::{Store, is_of_the_database};

const PAGE: i64 = 500;

/// What the ledger says of one link.
#[derive(Debug, Default)]
struct Told {
    person: String,
    account: String,
    method: String,
    /// The entry that made it, and its time.
    entry: u64,
    at: i64,
    ended: Option<String>,
    last: u64,
}

/// Every difference between the ledger and the table of links.
pub async fn compare(store: &Store, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let mut told = rebuild(store).await?;
    let mut wrong = |seq: Option<u64>, says: String| findings.push(Finding::new(seq, Damage::Projection, says));
    let mut after = String::new();
    loop {
        let page = match store.all_links(&after, PAGE).await {
            Err(error) if !is_of_the_database(&error) => {
                wrong(None, "A link does not read.".to_owned());
                return Ok(());
            }
            page => page?,
        };
        let Some((last, _)) = page.last() else { break };
        after.clone_from(&last.id);
        for (link, ended) in &page {
            let (account, person) = (&link.account, &link.person);
            match told.remove(&link.id) {
                None => wrong(None, format!("The store has {account} linked to {person}, which no entry did.")),
                Some(told) => {
                    if let Some(part) = differs(link, ended.as_deref(), &told) {
                        wrong(
                            Some(told.last),
                            format!("{part} of the link of {account} differs between store and ledger."),
                        );
                    }
                }
            }
        }
    }
    for left in told.into_values() {
        wrong(Some(left.last), format!("An entry linked {} to {}, which the store lacks.", left.account, left.person));
    }
    Ok(())
}

/// What of a stored link is not what was recorded, if anything is.
fn differs(link: &Link, ended: Option<&str>, told: &Told) -> Option<&'static str> {
    match () {
        () if link.person.as_str() != told.person => Some("The person"),
        () if link.account.to_string() != told.account => Some("The account"),
        () if link.method.as_str() != told.method => Some("The way"),
        () if u64::try_from(link.entry).ok() != Some(told.entry) => Some("The entry"),
        // An entry is never earlier than the act that it records.
        () if link.since.ms() > told.at => Some("The beginning"),
        () if ended != told.ended.as_deref() => Some("The end"),
        () => None,
    }
}

async fn rebuild(store: &Store) -> anyhow::Result<BTreeMap<String, Told>> {
    let mut all: BTreeMap<String, Told> = BTreeMap::new();
    for kind in ["identity.linked", "identity.ended"] {
        let mut after = 0;
        loop {
            let page = store.ledger_of_kind(kind, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            // What does not read was named by the chain's own verification.
            for record in page.iter().filter_map(|entry| Record::parse(&entry.bytes).ok()) {
                apply(&mut all, &record);
            }
        }
    }
    Ok(all)
}

/// An id is of one link alone, which ends once: all that made links may be read before what ended them.
fn apply(all: &mut BTreeMap<String, Told>, record: &Record) {
    let text = |name: &str| record.data.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    let told = all.entry(text("link")).or_default();
    told.last = record.seq;
    if record.kind.as_str() == "identity.ended" {
        told.ended = Some(text("because"));
        return;
    }
    *told = Told {
        person: text("of"),
        account: text("account"),
        method: text("known_by"),
        entry: record.seq,
        at: record.at,
        ended: None,
        last: record.seq,
    };
}
