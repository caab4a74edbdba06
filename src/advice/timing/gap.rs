//! What timing could not see: a question without a whole answer, with the names of those who did not give one.

use crate::advice::Because;
use crate::advice::facts::{Asked, Fact};
use crate::advice::says;
use crate::message::tame;
use crate::name::SourceName;

/// Why a question has no whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// A fragment: "pagerduty did not answer in 2 s".
    pub reason: String,
    pub because: Vec<Because>,
}

/// What is missing of an answer; None where everything that was asked answered, in full and with something in it.
pub fn gap<T>(asked: &Asked<T>, would_tell: &str, emptiness: &str, is_empty: impl Fn(&T) -> bool) -> Option<Gap> {
    if asked.is_unasked() {
        return Some(Gap { reason: format!("no source is set up ({would_tell})"), because: Vec::new() });
    }
    let mut because: Vec<Because> = Vec::new();
    for unknown in &asked.unknown {
        let says = tame(&unknown.reason, 200);
        because.push(Because { source: unknown.source.clone(), says, link: None, at: unknown.at });
    }
    for fact in &asked.known {
        if let Some(first) = fact.incomplete.first() {
            let more = match fact.incomplete.len() {
                1 => String::new(),
                n => format!(" and {} more", n - 1),
            };
            because.push(self::because(fact, format!("answered with gaps ({}{more})", tame(first, 160))));
        }
    }
    if !asked.known.is_empty() && asked.known.iter().all(|fact| is_empty(&fact.value)) {
        because.extend(asked.known.iter().map(|fact| self::because(fact, emptiness)));
    }
    if because.is_empty() {
        return None;
    }
    let fragments: Vec<String> = because.iter().map(|b| format!("{} {}", b.source, b.says)).collect();
    Some(Gap { reason: says::some(&fragments, 2), because })
}

/// What a fact lends to a flag.
pub fn because<T>(fact: &Fact<T>, says: impl Into<String>) -> Because {
    Because { source: fact.source.clone(), says: says.into(), link: fact.link.clone(), at: fact.at }
}

/// The name under which the settings are cited.
pub fn settings() -> SourceName {
    SourceName::new("settings")
}
