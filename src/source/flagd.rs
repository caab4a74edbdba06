//! flagd: definitions of flags in a file or at an address, in the format that its published schema describes
//! (<https://flagd.dev/schema/v0/flags.json>).
//!
//! The definitions are of one environment; `environments` says of which. Nothing there tells when a flag changed.

use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use super::flags;
use super::rest::{Asked, Credential, Rest};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::FlagState;
use crate::config::Secret;
use crate::message::{is_web, tame};

/// Longer files are not read, in bytes.
const LARGEST: u64 = 10 << 20;

/// Definitions of flags for flagd.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// A file, or an http(s) address.
    from: String,
    /// A bearer token for the address, if it wants one.
    #[serde(default)]
    token: Option<Secret>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Flags]
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        if !is_web(&self.from) {
            let file = opening.folder.join(self.from.strip_prefix("file://").unwrap_or(&self.from));
            return Ok(Arc::new(Flagd::File(file)));
        }
        let address: url::Url = self.from.parse()?;
        let query = address.query_pairs().into_owned().collect();
        let credential = self.token.clone().map_or(Credential::None, Credential::Bearer);
        Ok(Arc::new(Flagd::Address(Box::new(Rest::open(opening, "flagd", &address, credential)?), query)))
    }
}

/// Where the definitions are.
#[derive(Debug)]
enum Flagd {
    File(PathBuf),
    /// With the query of the address.
    Address(Box<Rest>, Vec<(String, String)>),
}

impl Source for Flagd {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            if ask.question != Question::Flags {
                return Err(CannotSay::unasked(ask.question));
            }
            let definitions = match self {
                Flagd::File(path) => {
                    let path = path.clone();
                    let read = tokio::task::spawn_blocking(move || from_file(&path)).await;
                    read.map_err(|_| CannotSay::because("could not be read"))??
                }
                Flagd::Address(rest, query) => {
                    let query: Vec<(&str, &str)> = query.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
                    rest.ask(Asked { query: &query, ..Asked::default() }).await?
                }
            };
            let known = definitions_of(&definitions).ok_or_else(|| {
                CannotSay::because("answered with something that is not flagd's format (an object with `flags`)")
            })?;
            let mut incomplete = Vec::new();
            let mut states = Vec::new();
            for name in flags::names(ask) {
                let found = known.iter().find(|(key, _)| *key == name);
                let state = found.map_or_else(|| Some(FlagState::nowhere(name)), |(_, flag)| state(name, flag));
                match state {
                    Some(state) => states.push(state),
                    None => incomplete.push(format!("`{}` is not written as flagd reads it", tame(name, 60))),
                }
            }
            Ok(Answer { learned: Learned::Flags(states), at: ask.now, link: None, incomplete })
        })
    }
}

fn from_file(path: &std::path::Path) -> Result<Value, CannotSay> {
    let length = std::fs::metadata(path).map_err(|_| CannotSay::because("has a file that cannot be read"))?.len();
    if length > LARGEST {
        return Err(CannotSay::because(format!("has a file of more than {} MB", LARGEST >> 20)));
    }
    let text = std::fs::read(path).map_err(|_| CannotSay::because("has a file that cannot be read"))?;
    serde_json::from_slice(&text).map_err(|_| CannotSay::because("has a file that is no JSON"))
}

/// Keys and definitions: an object, or a list of definitions with a `key`.
fn definitions_of(definitions: &Value) -> Option<Vec<(&str, &Value)>> {
    match definitions.as_object()?.get("flags")? {
        Value::Object(map) => Some(map.iter().map(|(key, flag)| (key.as_str(), flag)).collect()),
        Value::Array(list) => list.iter().map(|flag| Some((flag.get("key")?.as_str()?, flag))).collect(),
        _ => None,
    }
}

/// What a definition says; None where it is not written as the schema asks.
fn state(name: &str, flag: &Value) -> Option<FlagState> {
    let defined = FlagState { defined: true, ..FlagState::nowhere(name) };
    match flag.get("state")?.as_str()? {
        // As if it were not there: the code serves its own default.
        "DISABLED" => return Some(FlagState { on: Some(false), ..defined }),
        "ENABLED" => {}
        _ => return None,
    }
    let variants = flag.get("variants")?.as_object()?;
    let ruled = flag.get("targeting").and_then(Value::as_object).is_some_and(|rules| !rules.is_empty());
    let value = match flag.get("defaultVariant") {
        None | Some(Value::Null) => return Some(FlagState { on: ruled.then_some(true), ..defined }),
        Some(variant) => variants.get(variant.as_str()?)?,
    };
    let default = flags::said(value);
    let (on, percent) = match value {
        Value::Bool(on) if !ruled => (*on, on.then_some(100.0)),
        // Rules decide who gets it.
        _ => (true, None),
    };
    Some(FlagState { on: Some(on), default: Some(default), percent, ..defined })
}
