//! State tables are projections of the ledger: rebuilt from it here, and compared with what the store says.

use std::collections::{BTreeMap, BTreeSet};

use super::{Damage, Finding, Record};
use crate::name::PlanId;
use crate::store::Store;

/// Words that stand by the ledger: revision, kind, person, and the role in which it counted.
type Standing = BTreeSet<(u64, String, String, String)>;

/// What the ledger says of one plan.
#[derive(Debug, Default)]
struct Told {
    standing: Standing,
    started_by: Option<String>,
    confirmed_by: Option<String>,
    settled_by: Option<String>,
    revision: u64,
    over: Option<&'static str>,
    outcome: Option<String>,
    last: u64,
}

/// Every difference between the ledger and the tables that follow from it.
pub async fn compare(store: &Store) -> anyhow::Result<Vec<Finding>> {
    let told = rebuild(store).await?;
    let mut findings = Vec::new();
    let mut known = BTreeSet::new();
    for row in store.plans(1_000_000).await? {
        let id = row.plan.id.clone();
        known.insert(id.to_string());
        let Some(told) = told.get(id.as_str()) else {
            findings.push(Finding::new(None, Damage::Projection, format!("The plan `{id}` is in no entry.")));
            continue;
        };
        let mut wrong = |says: String| findings.push(Finding::new(told.last, Damage::Projection, says));
        let stored = standing(store, &id).await?;
        let word = |kind: &str, person: &str, role: &str| match role {
            "" => format!("a word ({kind}) of {person}"),
            role => format!("a word ({kind}) of {person} as {role}"),
        };
        for (revision, kind, person, role) in stored.difference(&told.standing) {
            let word = word(kind, person, role);
            wrong(format!("The store counts {word} on revision {revision} of `{id}` that no entry gave."));
        }
        for (revision, kind, person, role) in told.standing.difference(&stored) {
            let word = word(kind, person, role);
            wrong(format!("An entry gave {word} on revision {revision} of `{id}` that the store lacks."));
        }
        let by = |act: &Option<(crate::clock::Time, crate::name::Person)>| act.as_ref().map(|(_, by)| by.to_string());
        if by(&row.started) != told.started_by {
            wrong(format!("Who started `{id}` differs between store and ledger."));
        }
        if by(&row.confirmed) != told.confirmed_by {
            wrong(format!("Who confirmed `{id}` differs between store and ledger."));
        }
        if by(&row.category) != told.settled_by {
            wrong(format!("Who settled the doubt about the risk of `{id}` differs between store and ledger."));
        }
        if u64::try_from(row.revision).ok() != Some(told.revision) {
            wrong(format!("The store has `{id}` at revision {}, the ledger at {}.", row.revision, told.revision));
        }
        if let Some(over) = told.over
            && row.state.as_str() != over
        {
            wrong(format!("The store has `{id}` as {}, the ledger as {over}.", row.state.as_str()));
        }
        if let (Some(outcome), Some(deployment)) = (&told.outcome, store.deployment_of(&id).await?)
            && deployment.deployment.outcome.map(crate::advice::facts::Outcome::as_str) != Some(outcome.as_str())
        {
            wrong(format!("The outcome of `{id}` differs between store and ledger."));
        }
    }
    for (id, told) in told.iter().filter(|(id, _)| !known.contains(id.as_str())) {
        findings.push(Finding::new(
            told.last,
            Damage::Projection,
            format!("The ledger knows the plan `{id}`, the store does not."),
        ));
    }
    Ok(findings)
}

async fn standing(store: &Store, id: &PlanId) -> anyhow::Result<Standing> {
    let words = store.words(id).await?;
    let word = |w: &crate::approval::Word| {
        let role = w.role.as_ref().map(ToString::to_string).unwrap_or_default();
        (u64::try_from(w.revision).unwrap_or(0), w.kind.as_str().to_owned(), w.person.to_string(), role)
    };
    Ok(words.iter().filter(|w| w.stands()).map(word).collect())
}

async fn rebuild(store: &Store) -> anyhow::Result<BTreeMap<String, Told>> {
    let mut plans: BTreeMap<String, Told> = BTreeMap::new();
    let mut next = 1;
    loop {
        let entries = store.ledger_from(next, 2_000).await?;
        let Some(last) = entries.last() else { return Ok(plans) };
        next = last.seq.saturating_add(1);
        for entry in &entries {
            // What does not read was named by the chain's own verification.
            let Ok(record) = Record::parse(&entry.bytes) else { continue };
            let Some(plan) = record.plan.clone() else { continue };
            apply(plans.entry(plan.id.clone()).or_default(), &record);
        }
    }
}

fn apply(told: &mut Told, record: &Record) {
    let text = |name: &str| record.data.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let person = record.actor.person.clone();
    let revision = record.plan.as_ref().and_then(|p| p.revision).unwrap_or(0);
    told.last = record.seq;
    match record.kind.to_string().as_str() {
        "plan.revised" => told.revision = revision,
        "plan.amended" => {
            told.standing.clear();
            told.confirmed_by = None;
            told.settled_by = None;
        }
        "word.voided" => told.standing.clear(),
        "word.given" => {
            let role = record.actor.role.clone().unwrap_or_default();
            told.standing.insert((revision, text("word"), person.unwrap_or_default(), role));
        }
        "word.withdrawn" => {
            let (kind, person) = (text("word"), person.unwrap_or_default());
            told.standing.retain(|(on, said, by, _)| (*on, said, by) != (revision, &kind, &person));
        }
        "start" => told.started_by = person,
        "confirm" => told.confirmed_by = person,
        "risk.settled" => told.settled_by = person,
        "plan.cancelled" => told.over = Some("cancelled"),
        "plan.expired" => told.over = Some("expired"),
        "outcome.given" => told.outcome = Some(text("outcome")),
        _ => {}
    }
}
