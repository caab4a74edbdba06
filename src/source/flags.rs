//! What is alike whichever provider of feature flags is asked.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Ask, CannotSay};
use crate::message::tame;
use crate::name::Environment;

/// Most flags that are looked up for one question.
const MOST: usize = 50;

/// The flags that are asked about, each once, in order of their names.
pub fn names(ask: &Ask) -> Vec<&str> {
    let mut names: Vec<&str> = ask.names.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The same, no more than are looked up one by one; that there are more is said.
pub fn looked_up<'a>(ask: &'a Ask, incomplete: &mut Vec<String>) -> Vec<&'a str> {
    let mut names = names(ask);
    if names.len() > MOST {
        incomplete.push(format!("only {MOST} of {} flags were looked up", names.len()));
        names.truncate(MOST);
    }
    names
}

/// What the provider calls the environment of a question.
pub fn environment<'a>(ask: &'a Ask, theirs: &'a BTreeMap<Environment, String>) -> &'a str {
    theirs.get(&ask.environment).map_or(ask.environment.as_str(), String::as_str)
}

pub fn no_environment(environment: &str) -> CannotSay {
    let shown = tame(environment, 40);
    CannotSay::because(format!("tells of no environment `{shown}` in this project (`environment-keys` may name it)"))
}

/// A value as the provider writes it.
pub fn said(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    tame(&text, 80)
}
