//! Every request is held against Discord's own description of its API, `tests/data/discord/openapi.json`.

use std::sync::LazyLock;

use serde_json::Value;

use crate::harness::described;

pub use crate::harness::described::{Operation, Wrong};

static SPEC: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/discord/openapi.json")).unwrap());

/// Documented and taken by Discord, but absent from its description: the operation, and the field of its commands.
const BEYOND: &[(&str, &str)] =
    &[("bulk_set_application_commands", "nsfw"), ("bulk_set_guild_application_commands", "nsfw")];

/// The operation that a method and a path (without `/api/v10`) ask for.
pub fn operation(method: &str, path: &str) -> Option<Operation> {
    described::operation(&SPEC, method, path)
}

/// Checks values of the path, the query and the body, which has to be there where the operation takes one.
pub fn check(operation: &Operation, query: &[(String, String)], body: Option<&Value>) -> Result<(), Wrong> {
    if body.is_none() && operation.takes_a_body() {
        return Err(Wrong { field: String::new(), reason: "the body is missing".to_owned() });
    }
    operation.check(query, body.map(|body| without_what_is_known(operation, body)).as_ref())
}

/// The body without fields that Discord documents elsewhere.
fn without_what_is_known(operation: &Operation, body: &Value) -> Value {
    let known: Vec<&str> = BEYOND.iter().filter(|(id, _)| *id == operation.id).map(|(_, field)| *field).collect();
    let mut body = body.clone();
    for command in body.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        command.retain(|field, _| !known.contains(&field.as_str()));
    }
    body
}

#[test]
fn requests_with_a_wrong_field_are_refused_by_name() {
    let post = operation("POST", "/channels/1/messages").unwrap();
    let refused = |body: Value| check(&post, &[], Some(&body)).unwrap_err().to_string();
    assert_eq!(check(&post, &[], Some(&serde_json::json!({ "content": "x", "nonce": "a" }))), Ok(()));
    assert_eq!(refused(serde_json::json!({ "contents": "x" })), "contents: no such field");
    assert!(refused(serde_json::json!({ "content": 7 })).starts_with("content: is not of type"));
    let title = "t".repeat(257);
    assert_eq!(
        refused(serde_json::json!({ "embeds": [{}, { "title": title }] })),
        "embeds[1].title: has 257 characters, more than 256"
    );
    assert_eq!(
        refused(serde_json::json!({ "embeds": [{ "fields": [{ "name": "n" }] }] })),
        "embeds[0].fields[0].value: is missing"
    );
    let button = serde_json::json!({ "type": 2, "style": 9, "custom_id": "x" });
    let rows = serde_json::json!({ "components": [{ "type": 1, "components": [button] }] });
    assert!(refused(rows).starts_with("components[0].components[0].style"));
    assert!(operation("POST", "/channels/1/message").is_none());
    let reactions = operation("GET", "/channels/1/messages/2/reactions/x").unwrap();
    let asks = |name: &str, value: &str| check(&reactions, &[(name.to_owned(), value.to_owned())], None);
    assert_eq!(asks("limit", "100"), Ok(()));
    assert_eq!(asks("limit", "101").unwrap_err().to_string(), "?limit: 101 is more than 100");
    assert_eq!(asks("before", "1").unwrap_err().to_string(), "?before: no such parameter");
}
