//! What must be kept: orders that no text in a scope be erased, each an entry, each lifted by another. They are read from
//! the ledger itself, so that nobody can take one away beside it.

use std::fmt;

use super::Record;
use crate::store::Store;

/// What an order covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    All,
    Plan(String),
    Service(String),
    Person(String),
}

/// An order in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub scope: Scope,
    /// The entry that placed it.
    pub seq: u64,
    pub by: String,
}

/// Says what a scope looks like.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no scope: write `all`, `plan:checkout-87`, `service:checkout` or `person:ada`.")]
pub struct NotAScope(String);

impl Scope {
    pub fn parse(text: &str) -> Result<Scope, NotAScope> {
        let no = || NotAScope(crate::message::tame(text, 60));
        if text == "all" {
            return Ok(Scope::All);
        }
        let (kind, name) =
            text.split_once(':').filter(|(_, name)| !name.is_empty() && name.len() <= 80).ok_or_else(no)?;
        let name = name.to_owned();
        match kind {
            "plan" => Ok(Scope::Plan(name.to_lowercase())),
            "service" => Ok(Scope::Service(name)),
            "person" => Ok(Scope::Person(name)),
            _ => Err(no()),
        }
    }

    /// Whether an entry's texts fall under it.
    pub fn covers(&self, record: &Record) -> bool {
        let plan = record.plan.as_ref();
        match self {
            Scope::All => true,
            Scope::Plan(id) => plan.is_some_and(|plan| plan.id == *id),
            Scope::Service(name) => plan.is_some_and(|plan| plan.service.as_ref() == Some(name)),
            Scope::Person(name) => record.actor.person.as_ref() == Some(name),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::All => f.write_str("all"),
            Scope::Plan(name) => write!(f, "plan:{name}"),
            Scope::Service(name) => write!(f, "service:{name}"),
            Scope::Person(name) => write!(f, "person:{name}"),
        }
    }
}

/// The orders in force.
pub async fn holds(store: &Store) -> anyhow::Result<Vec<Hold>> {
    let mut acts = store.ledger_own("hold.placed").await?;
    acts.extend(store.ledger_own("hold.lifted").await?);
    acts.sort_by_key(|record| record.seq);
    Ok(in_force(&acts))
}

fn in_force(acts: &[Record]) -> Vec<Hold> {
    let mut holds: Vec<Hold> = Vec::new();
    for record in acts {
        let scope = record.data.get("scope").and_then(|scope| scope.as_str()).unwrap_or_default();
        // A scope that a later Tidegate knows keeps everything here.
        let scope = Scope::parse(scope).unwrap_or(Scope::All);
        holds.retain(|hold| hold.scope != scope);
        if record.kind == super::Kind::HOLD_PLACED {
            let by = record.actor.person.clone().unwrap_or_default();
            holds.push(Hold { scope, seq: record.seq, by });
        }
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_reads_as_it_is_written() {
        for text in ["all", "plan:checkout-87", "service:checkout", "person:ada"] {
            assert_eq!(Scope::parse(text).unwrap().to_string(), text);
        }
        for bad in ["", "plan", "plan:", "everything", "team:a"] {
            assert!(Scope::parse(bad).is_err(), "{bad}");
        }
    }
}
