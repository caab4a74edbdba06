//! Holds requests against a vendor's own description of its API, in the OpenAPI format.

use serde_json::{Map, Value};

/// A description that lives as long as the tests.
pub type Description = &'static Value;

/// A request that the vendor would not take, or not as it was meant.
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
    description: Description,
    described: &'static Value,
    schema: Option<&'static Value>,
    parameters: Vec<&'static Value>,
}

impl Operation {
    /// A value of the path.
    pub fn value(&self, name: &str) -> &str {
        let found = self.values.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The same as a number; 0 where it is none.
    pub fn number(&self, name: &str) -> u64 {
        self.value(name).parse().unwrap_or_default()
    }

    /// The vendor's own example of a successful answer; null where it has none.
    pub fn example(&self) -> Value {
        let responses = &self.described["responses"];
        let found = ["200", "201"].map(|status| &responses[status]["content"]["application/json"]["example"]);
        found.into_iter().find(|example| !example.is_null()).cloned().unwrap_or_default()
    }

    /// The same of a list: its first entry.
    pub fn example_of_one(&self) -> Value {
        let example = self.example();
        example.get(0).cloned().unwrap_or(example)
    }

    /// Checks values of the path, the query, the headers that must be there, and the body.
    pub fn check(&self, query: &[(String, String)], body: Option<&Value>) -> Result<(), Wrong> {
        let held = |schema: &'static Value, value: &str, at: &str| {
            let schema = resolved(self.description, schema);
            check(self.description, schema, &typed(schema, value), at, false)
        };
        for parameter in self.parameters.iter().filter(|p| p["in"] == "path") {
            let name = parameter["name"].as_str().unwrap();
            held(&parameter["schema"], self.value(name), name)?;
        }
        for (name, value) in query {
            // `status[one_of]` is a field of the parameter `status`, where there is none by the whole name.
            let named = |wanted: &str| self.parameters.iter().find(|p| p["in"] == "query" && p["name"] == wanted);
            let mut fields = name.split('[');
            let found = named(name).map(|known| (known, 0));
            let found = found.or_else(|| Some((named(fields.next()?)?, name.matches('[').count())));
            let Some((known, depth)) = found else { return wrong(&format!("?{name}"), "no such parameter") };
            let mut schema = resolved(self.description, &known["schema"]);
            for _ in 0..depth {
                let Some(below) = schema.get("additionalProperties") else {
                    return wrong(&format!("?{name}"), "the parameter has no fields");
                };
                schema = resolved(self.description, below);
            }
            // Lists come as repeated names, or with commas between.
            let each = schema.get("items").unwrap_or(schema);
            let apart = schema.get("items").is_some() && known["explode"] == false;
            for value in value.split(|c| apart && c == ',') {
                held(each, value, &format!("?{name}"))?;
            }
        }
        let asked = |name: &Value| query.iter().any(|(asked, _)| *name == asked.as_str());
        let needed = |p: &&&Value| p["in"] == "query" && p["required"] == true;
        if let Some(missing) = self.parameters.iter().filter(needed).find(|p| !asked(&p["name"])) {
            return wrong(&format!("?{}", missing["name"].as_str().unwrap()), "is missing");
        }
        match (self.schema, body) {
            (Some(schema), Some(body)) => check(self.description, schema, body, "", false),
            (Some(_), None) if self.described["requestBody"]["required"] == true => wrong("", "the body is missing"),
            (None, Some(_)) => wrong("", "this takes no body"),
            (Some(_) | None, None) => Ok(()),
        }
    }

    pub fn takes_a_body(&self) -> bool {
        self.schema.is_some()
    }

    /// Headers that the description demands, by name, in lower case.
    pub fn headers(&self) -> impl Iterator<Item = String> + '_ {
        let needed = self.parameters.iter().filter(|p| p["in"] == "header" && p["required"] == true);
        needed.filter_map(|p| p["name"].as_str()).map(str::to_lowercase)
    }
}

/// A value of a path or query as what the schema says it is.
fn typed(schema: &Value, value: &str) -> Value {
    match schema["type"].as_str() {
        Some("integer") => value.parse::<i64>().map_or(Value::from(value), Value::from),
        Some("number") => value.parse::<f64>().map_or(Value::from(value), Value::from),
        Some("boolean") => value.parse::<bool>().map_or(Value::from(value), Value::from),
        _ => Value::from(value),
    }
}

/// The operation that a method and a path ask for.
pub fn operation(description: Description, method: &str, path: &str) -> Option<Operation> {
    let method = method.to_lowercase();
    let asked: Vec<&str> = path.trim_matches('/').split('/').collect();
    let paths = description["paths"].as_object().unwrap();
    let mut best: Option<Operation> = None;
    for (template, item) in paths {
        let Some(operation) = item.get(&method) else { continue };
        let Some(values) = matched(template, &asked) else { continue };
        if best.as_ref().is_some_and(|best| best.values.len() <= values.len()) {
            continue;
        }
        let lists = [&item["parameters"], &operation["parameters"]];
        let content = &operation["requestBody"]["content"];
        let kinds = ["application/json", "application/x-www-form-urlencoded"];
        best = Some(Operation {
            id: operation["operationId"].as_str().unwrap().to_owned(),
            values,
            description,
            described: operation,
            schema: kinds.iter().find_map(|kind| content[*kind].get("schema")),
            parameters: lists.into_iter().filter_map(Value::as_array).flatten().collect(),
        });
    }
    best
}

fn matched(template: &str, asked: &[&str]) -> Option<Vec<(String, String)>> {
    let parts: Vec<&str> = template.trim_matches('/').split('/').collect();
    // A file's path may hold slashes of its own.
    let long = template.ends_with("/{path}") && asked.len() > parts.len();
    if parts.len() != asked.len() && !long {
        return None;
    }
    let mut values = Vec::new();
    for (i, (part, asked_part)) in parts.iter().zip(asked).enumerate() {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) if long && i + 1 == parts.len() => values.push((name.to_owned(), asked[i..].join("/"))),
            Some(name) => values.push((name.to_owned(), (*asked_part).to_owned())),
            None if part == asked_part => {}
            None => return None,
        }
    }
    Some(values)
}

fn wrong<T>(field: &str, reason: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { field: field.to_owned(), reason: reason.into() })
}

fn resolved(description: Description, schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str() {
        Some(name) => resolved(description, &description["components"]["schemas"][name.rsplit('/').next().unwrap()]),
        None => schema,
    }
}

/// Holds a value against a schema. `open`: fields that the schema does not name are another's concern.
fn check(description: Description, schema: &'static Value, value: &Value, at: &str, open: bool) -> Result<(), Wrong> {
    let schema = resolved(description, schema);
    if value.is_null() && schema["nullable"] == true {
        return Ok(());
    }
    check_type(schema, value, at)?;
    check_values(schema, value, at)?;
    for part in list(schema, "allOf") {
        check(description, part, value, at, true)?;
    }
    for key in ["oneOf", "anyOf"] {
        one_of(description, list(schema, key), value, at)?;
    }
    match value {
        Value::String(text) => check_text(schema, text, at),
        Value::Number(number) => check_number(schema, number.as_f64().unwrap_or_default(), at),
        Value::Array(items) => check_items(description, schema, items, at),
        Value::Object(fields) => check_fields(description, schema, fields, at, open),
        _ => Ok(()),
    }
}

fn list(schema: &'static Value, key: &str) -> &'static [Value] {
    schema[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Some branch holds; else the complaint of the branch that was understood the furthest.
fn one_of(description: Description, branches: &'static [Value], value: &Value, at: &str) -> Result<(), Wrong> {
    let mut nearest: Option<Wrong> = None;
    for branch in branches {
        match check(description, branch, value, at, false) {
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

fn check_items(description: Description, schema: &'static Value, items: &[Value], at: &str) -> Result<(), Wrong> {
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
            check(description, each, item, &format!("{at}[{i}]"), false)?;
        }
    }
    Ok(())
}

fn check_fields(
    description: Description,
    schema: &'static Value,
    fields: &Map<String, Value>,
    at: &str,
    open: bool,
) -> Result<(), Wrong> {
    let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    for name in list(schema, "required").iter().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            return wrong(&below(name), "is missing");
        }
    }
    let known = properties(description, schema);
    let rest = schema.get("additionalProperties").filter(|rest| rest.is_object());
    for (name, value) in fields {
        if let Some(field) = schema["properties"].get(name) {
            check(description, field, value, &below(name), false)?;
        } else if let Some(rest) = rest {
            check(description, rest, value, &below(name), false)?;
        } else if !open && !known.is_empty() && !known.contains(&name.as_str()) {
            return wrong(&below(name), "no such field");
        }
    }
    Ok(())
}

/// The fields that a schema names, by itself or through its parts.
fn properties(description: Description, schema: &'static Value) -> Vec<&'static str> {
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let parts = list(schema, "allOf").iter().flat_map(|part| properties(description, resolved(description, part)));
    own.chain(parts).collect()
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}
