//! Every request is held against the vendor's description of its method: verb, arguments, token, scopes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::blocks;

#[derive(Debug, Deserialize)]
pub struct Method {
    pub verb: String,
    /// Whether arguments may come as JSON.
    pub json: Option<bool>,
    /// A bot needs one of these.
    pub scopes: Vec<String>,
    required: Vec<String>,
    /// Which types each may have; none: any.
    arguments: BTreeMap<String, Vec<String>>,
}

static METHODS: LazyLock<BTreeMap<String, Method>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/slack/methods.json")).unwrap());

pub fn method(name: &str) -> Option<&'static Method> {
    METHODS.get(name)
}

/// What is wrong with a request. The token came in its header.
pub fn wrong(name: &str, verb: &str, as_json: bool, arguments: &Value) -> Vec<String> {
    let Some(method) = method(name) else { return vec![format!("there is no method {name}")] };
    let mut wrong = Vec::new();
    if verb != method.verb {
        wrong.push(format!("{name} is asked by {}, not {verb}", method.verb));
    }
    if as_json && method.json != Some(true) {
        wrong.push(format!("{name} takes no JSON"));
    }
    let given = arguments.as_object().cloned().unwrap_or_default();
    for needed in method.required.iter().filter(|needed| *needed != "token") {
        if given.get(needed).is_none_or(Value::is_null) {
            wrong.push(format!("{name}: `{needed}` is missing"));
        }
    }
    for (argument, value) in &given {
        match method.arguments.get(argument) {
            None => wrong.push(format!("{name} has no argument `{argument}`")),
            Some(kinds) if as_json && !fits(argument, kinds, value) => {
                wrong.push(format!("{name}: `{argument}` is {value}, not {}", kinds.join(" or ")));
            }
            Some(_) => {}
        }
    }
    let text = |argument: &str| given.get(argument).and_then(Value::as_str).unwrap_or_default().encode_utf16().count();
    if text("text") > 40_000 {
        wrong.push(format!("{name}: `text` is longer than 40,000 characters"));
    }
    if let Some(found) = given.get("blocks") {
        wrong.extend(blocks::of_message(&parsed(found)).into_iter().map(|says| format!("{name}: {says}")));
    }
    if let Some(found) = given.get("view") {
        wrong.extend(blocks::of_view(&parsed(found)).into_iter().map(|says| format!("{name}: {says}")));
    }
    if let Some(found) = given.get("metadata").map(parsed) {
        wrong.extend(metadata(&found).into_iter().map(|says| format!("{name}: {says}")));
    }
    wrong
}

/// What is structured comes as itself in JSON, and as text in a form.
fn parsed(value: &Value) -> Value {
    value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| value.clone())
}

fn fits(argument: &str, kinds: &[String], value: &Value) -> bool {
    if kinds.is_empty() || ["blocks", "metadata", "view", "files", "attachments"].contains(&argument) {
        return true;
    }
    kinds.iter().any(|kind| match kind.as_str() {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" | "number" => value.is_number(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        _ => true,
    })
}

fn metadata(value: &Value) -> Vec<String> {
    let Some(payload) = value["event_payload"].as_object().filter(|_| value["event_type"].is_string()) else {
        return vec!["`metadata` needs event_type and event_payload".to_owned()];
    };
    // Slack takes other values too, but its own Rust client cannot read them again.
    let strange = payload.iter().filter(|(_, value)| !value.is_string());
    strange.map(|(name, _)| format!("`metadata` has a `{name}` that is no string")).collect()
}
