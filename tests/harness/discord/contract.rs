//! Every request is held against the vendor's own description of its API, `tests/data/discord/openapi.json`.

use std::sync::LazyLock;

use serde_json::{Map, Value};

static SPEC: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/discord/openapi.json")).unwrap());

/// Documented and taken by Discord, but absent from its description: the operation, and the field of its commands.
const BEYOND: &[(&str, &str)] =
    &[("bulk_set_application_commands", "nsfw"), ("bulk_set_guild_application_commands", "nsfw")];

/// A request that Discord would not take, or not as it was meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Wrong {
    /// Where in the body, such as `embeds[0].title`; empty for the request as a whole.
    pub field: String,
    pub reason: String,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let field = if self.field.is_empty() { "the request" } else { &self.field };
        write!(f, "{field}: {}", self.reason)
    }
}

/// What a request is: the vendor's name of the operation, and the values in its path.
#[derive(Clone, Debug)]
pub struct Operation {
    pub id: String,
    pub values: Vec<(String, String)>,
    schema: Option<&'static Value>,
    parameters: Vec<&'static Value>,
}

impl Operation {
    /// A value of the path.
    pub fn value(&self, name: &str) -> &str {
        let found = self.values.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The same as a snowflake; 0 where it is none.
    pub fn snowflake(&self, name: &str) -> u64 {
        self.value(name).parse().unwrap_or_default()
    }

    /// Checks values of the path, the query and the body.
    pub fn check(&self, query: &[(String, String)], body: Option<&Value>) -> Result<(), Wrong> {
        for parameter in self.parameters.iter().filter(|p| p["in"] == "path") {
            let name = parameter["name"].as_str().unwrap();
            check(&parameter["schema"], &Value::from(self.value(name)), name, false)?;
        }
        for (name, value) in query {
            let known = self.parameters.iter().find(|p| p["in"] == "query" && p["name"] == name.as_str());
            let Some(known) = known else { return wrong(&format!("?{name}"), "no such parameter") };
            let schema = resolved(&known["schema"]);
            let value = match schema["type"].as_str() {
                Some("integer") => value.parse::<i64>().map_or(Value::from(value.as_str()), Value::from),
                Some("boolean") => value.parse::<bool>().map_or(Value::from(value.as_str()), Value::from),
                _ => Value::from(value.as_str()),
            };
            check(schema, &value, &format!("?{name}"), false)?;
        }
        match (self.schema, body) {
            (Some(schema), Some(body)) => check(schema, &self.without_what_is_known(body), "", false),
            (Some(_), None) => wrong("", "the body is missing"),
            (None, Some(_)) => wrong("", "this takes no body"),
            (None, None) => Ok(()),
        }
    }

    /// The body without fields that Discord documents elsewhere.
    fn without_what_is_known(&self, body: &Value) -> Value {
        let known: Vec<&str> = BEYOND.iter().filter(|(id, _)| *id == self.id).map(|(_, field)| *field).collect();
        let mut body = body.clone();
        if known.is_empty() {
            return body;
        }
        for command in body.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            command.retain(|field, _| !known.contains(&field.as_str()));
        }
        body
    }
}

/// The operation that a method and a path (without `/api/v10`) ask for.
pub fn operation(method: &str, path: &str) -> Option<Operation> {
    let method = method.to_lowercase();
    let asked: Vec<&str> = path.trim_matches('/').split('/').collect();
    let paths = SPEC["paths"].as_object().unwrap();
    let mut best: Option<Operation> = None;
    for (template, item) in paths {
        let Some(operation) = item.get(&method) else { continue };
        let Some(values) = matched(template, &asked) else { continue };
        if best.as_ref().is_some_and(|best| best.values.len() <= values.len()) {
            continue;
        }
        let lists = [&item["parameters"], &operation["parameters"]];
        best = Some(Operation {
            id: operation["operationId"].as_str().unwrap().to_owned(),
            values,
            schema: operation["requestBody"]["content"]["application/json"].get("schema"),
            parameters: lists.into_iter().filter_map(Value::as_array).flatten().collect(),
        });
    }
    best
}

fn matched(template: &str, asked: &[&str]) -> Option<Vec<(String, String)>> {
    let parts: Vec<&str> = template.trim_matches('/').split('/').collect();
    if parts.len() != asked.len() {
        return None;
    }
    let mut values = Vec::new();
    for (part, asked) in parts.iter().zip(asked) {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => values.push((name.to_owned(), (*asked).to_owned())),
            None if part == asked => {}
            None => return None,
        }
    }
    Some(values)
}

fn wrong<T>(field: &str, reason: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { field: field.to_owned(), reason: reason.into() })
}

fn resolved(schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str() {
        Some(name) => resolved(&SPEC["components"]["schemas"][name.rsplit('/').next().unwrap()]),
        None => schema,
    }
}

/// Holds a value against a schema. `open`: fields that the schema does not name are another's concern.
fn check(schema: &'static Value, value: &Value, at: &str, open: bool) -> Result<(), Wrong> {
    let schema = resolved(schema);
    check_type(schema, value, at)?;
    check_values(schema, value, at)?;
    for part in list(schema, "allOf") {
        check(part, value, at, true)?;
    }
    for key in ["oneOf", "anyOf"] {
        one_of(list(schema, key), value, at)?;
    }
    match value {
        Value::String(text) => check_text(schema, text, at),
        Value::Number(number) => check_number(schema, number.as_f64().unwrap_or_default(), at),
        Value::Array(items) => check_items(schema, items, at),
        Value::Object(fields) => check_fields(schema, fields, at, open),
        _ => Ok(()),
    }
}

fn list(schema: &'static Value, key: &str) -> &'static [Value] {
    schema[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Some branch holds; else the complaint of the branch that was understood the furthest.
fn one_of(branches: &'static [Value], value: &Value, at: &str) -> Result<(), Wrong> {
    let mut nearest: Option<Wrong> = None;
    for branch in branches {
        match check(branch, value, at, false) {
            Ok(()) => return Ok(()),
            Err(found) if nearest.as_ref().is_none_or(|n| is_nearer(&found, n)) => nearest = Some(found),
            Err(_) => {}
        }
    }
    nearest.map_or(Ok(()), Err)
}

/// A branch that fails elsewhere than at its own `type` is the one that was meant.
fn is_nearer(found: &Wrong, than: &Wrong) -> bool {
    let depth = |wrong: &Wrong| {
        let other_kind = wrong.field.ends_with(".type") || wrong.reason.starts_with("is not of type");
        (!other_kind, wrong.field.matches(['.', '[']).count())
    };
    depth(found) > depth(than)
}

fn check_type(schema: &Value, value: &Value, at: &str) -> Result<(), Wrong> {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the description names a type `{other}`"),
    };
    let right = match &schema["type"] {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    };
    if right { Ok(()) } else { wrong(at, format!("is not of type {}: {}", schema["type"], short(value))) }
}

fn check_values(schema: &Value, value: &Value, at: &str) -> Result<(), Wrong> {
    if schema.get("const").is_some_and(|only| only != value) {
        return wrong(at, format!("is not {}: {}", schema["const"], short(value)));
    }
    match schema["enum"].as_array() {
        Some(values) if !values.contains(value) => wrong(at, format!("is not one of {values:?}: {}", short(value))),
        _ => Ok(()),
    }
}

fn check_text(schema: &Value, text: &str, at: &str) -> Result<(), Wrong> {
    let length = text.chars().count() as u64;
    if schema["minLength"].as_u64().is_some_and(|least| length < least) {
        return wrong(at, format!("has {length} characters, fewer than {}", schema["minLength"]));
    }
    if schema["maxLength"].as_u64().is_some_and(|most| length > most) {
        return wrong(at, format!("has {length} characters, more than {}", schema["maxLength"]));
    }
    match schema["format"].as_str() {
        Some("snowflake") if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) => {
            wrong(at, format!("is not a snowflake: {text:?}"))
        }
        Some("uri") if !["https://", "http://", "attachment://"].iter().any(|s| text.starts_with(s)) => {
            wrong(at, format!("is not an address: {text:?}"))
        }
        _ => Ok(()),
    }
}

fn check_number(schema: &Value, number: f64, at: &str) -> Result<(), Wrong> {
    if schema["minimum"].as_f64().is_some_and(|least| number < least) {
        return wrong(at, format!("{number} is less than {}", schema["minimum"]));
    }
    if schema["maximum"].as_f64().is_some_and(|most| number > most) {
        return wrong(at, format!("{number} is more than {}", schema["maximum"]));
    }
    Ok(())
}

fn check_items(schema: &'static Value, items: &[Value], at: &str) -> Result<(), Wrong> {
    let count = items.len() as u64;
    if schema["minItems"].as_u64().is_some_and(|least| count < least) {
        return wrong(at, format!("has {count} items, fewer than {}", schema["minItems"]));
    }
    if schema["maxItems"].as_u64().is_some_and(|most| count > most) {
        return wrong(at, format!("has {count} items, more than {}", schema["maxItems"]));
    }
    if schema["uniqueItems"] == true && items.iter().enumerate().any(|(i, item)| items[..i].contains(item)) {
        return wrong(at, "says something twice");
    }
    if let Some(each) = schema.get("items") {
        for (i, item) in items.iter().enumerate() {
            check(each, item, &format!("{at}[{i}]"), false)?;
        }
    }
    Ok(())
}

fn check_fields(schema: &'static Value, fields: &Map<String, Value>, at: &str, open: bool) -> Result<(), Wrong> {
    let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    for name in list(schema, "required").iter().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            return wrong(&below(name), "is missing");
        }
    }
    let known = properties(schema);
    let rest = schema.get("additionalProperties").filter(|rest| rest.is_object());
    for (name, value) in fields {
        if let Some(field) = schema["properties"].get(name) {
            check(field, value, &below(name), false)?;
        } else if let Some(rest) = rest {
            check(rest, value, &below(name), false)?;
        } else if !open && !known.is_empty() && !known.contains(&name.as_str()) {
            return wrong(&below(name), "no such field");
        }
    }
    Ok(())
}

/// The fields that a schema names, by itself or through its parts.
fn properties(schema: &'static Value) -> Vec<&'static str> {
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let parts = list(schema, "allOf").iter().flat_map(|part| properties(resolved(part)));
    own.chain(parts).collect()
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}

#[test]
fn requests_with_a_wrong_field_are_refused_by_name() {
    let post = operation("POST", "/channels/1/messages").unwrap();
    let refused = |body: Value| post.check(&[], Some(&body)).unwrap_err().to_string();
    assert_eq!(post.check(&[], Some(&serde_json::json!({ "content": "x", "nonce": "a" }))), Ok(()));
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
    let asks = |name: &str, value: &str| reactions.check(&[(name.to_owned(), value.to_owned())], None);
    assert_eq!(asks("limit", "100"), Ok(()));
    assert_eq!(asks("limit", "101").unwrap_err().to_string(), "?limit: 101 is more than 100");
    assert_eq!(asks("before", "1").unwrap_err().to_string(), "?before: no such parameter");
}
