//! What Discord refuses beyond its description: limits over a whole message, and rules between fields.

use std::collections::BTreeSet;

use serde_json::Value;

use super::contract::Wrong;

/// Checks a body for an operation; `files`: the names of the files that came with it or are already there.
pub fn check(operation: &str, body: &Value, files: &[String]) -> Result<(), Wrong> {
    match operation {
        "create_message" | "execute_webhook" => message("", body, files, true),
        "update_message" | "update_original_webhook_message" | "update_webhook_message" => {
            message("", body, files, false)
        }
        "create_interaction_response" => answer(body, files),
        "bulk_set_guild_application_commands" | "bulk_set_application_commands" => commands(body),
        _ => Ok(()),
    }
}

fn answer(body: &Value, files: &[String]) -> Result<(), Wrong> {
    match body["type"].as_i64() {
        Some(4) => message("data.", &body["data"], files, true),
        Some(7) => message("data.", &body["data"], files, false),
        Some(8) => choices("data.choices", &body["data"]["choices"]),
        Some(9) => components("data.", &body["data"]),
        _ => Ok(()),
    }
}

fn message(at: &str, body: &Value, files: &[String], new: bool) -> Result<(), Wrong> {
    let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    if length(&body["content"]) > 2_000 {
        return wrong(at, "content", "has more than the 2,000 characters that a bot may say");
    }
    let embeds = body["embeds"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut total = 0;
    for (i, embed) in embeds.iter().enumerate() {
        let fields = embed["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
        let said = length(&embed["title"])
            + length(&embed["description"])
            + length(&embed["footer"]["text"])
            + length(&embed["author"]["name"])
            + fields.iter().map(|f| length(&f["name"]) + length(&f["value"])).sum::<usize>();
        total += said;
        if said == 0 && embed["image"].is_null() && embed["thumbnail"].is_null() {
            return wrong(at, &format!("embeds[{i}]"), "is empty");
        }
        for (j, field) in fields.iter().enumerate() {
            if length(&field["name"]) == 0 || length(&field["value"]) == 0 {
                return wrong(at, &format!("embeds[{i}].fields[{j}]"), "has no name or no value");
            }
        }
        if let Some(name) = embed["image"]["url"].as_str().and_then(|url| url.strip_prefix("attachment://"))
            && !files.iter().any(|file| file == name)
        {
            return wrong(at, &format!("embeds[{i}].image.url"), &format!("no file {name} came with the message"));
        }
    }
    if total > 6_000 {
        return wrong(at, "embeds", &format!("have {total} characters in all, more than 6,000"));
    }
    let says = length(&body["content"]) > 0 || !embeds.is_empty() || !files.is_empty();
    if new && !says && body["components"].as_array().is_none_or(Vec::is_empty) {
        return wrong(at, "content", "the message is empty");
    }
    // Without it a name in somebody else's words would ring.
    let changes = new || !body["content"].is_null() || !embeds.is_empty();
    if changes && !body["allowed_mentions"].is_object() {
        return wrong(at, "allowed_mentions", "is missing: whatever looks like a mention would ring");
    }
    components(at, body)
}

/// Rows of buttons, selects and inputs: at most five, with ids that differ.
fn components(at: &str, body: &Value) -> Result<(), Wrong> {
    let Some(rows) = body["components"].as_array() else { return Ok(()) };
    if rows.len() > 5 {
        return wrong(at, "components", "has more than 5 rows");
    }
    let mut ids = BTreeSet::new();
    for (i, row) in rows.iter().enumerate() {
        // Text over a form's fields.
        if row["type"] == 10 {
            continue;
        }
        let inside = row["components"].as_array().map(Vec::as_slice).unwrap_or_default();
        let alone = [row["component"].clone()];
        let inside = if row["component"].is_object() { &alone } else { inside };
        let in_row = format!("components[{i}]");
        if inside.is_empty() || inside.len() > 5 {
            return wrong(at, &in_row, "has none or more than 5 components");
        }
        if inside.len() > 1 && inside.iter().any(|c| c["type"] != 2) {
            return wrong(at, &in_row, "only buttons share a row");
        }
        for component in inside {
            if component["type"] == 2 && component["label"].is_null() && component["emoji"].is_null() {
                return wrong(at, &in_row, "a button shows nothing");
            }
            if component["type"] == 2 && (component["style"] == 5) != component["url"].is_string() {
                return wrong(at, &in_row, "an address goes with the link style and with no other");
            }
            if component["style"] != 5 || component["type"] != 2 {
                let id = component["custom_id"].as_str().unwrap_or_default();
                if id.is_empty() || !ids.insert(id.to_owned()) {
                    return wrong(at, &in_row, &format!("custom_id {id:?} is missing or there twice"));
                }
            }
            if component["type"] == 3 {
                options(at, &in_row, component)?;
            }
        }
    }
    Ok(())
}

fn options(at: &str, row: &str, select: &Value) -> Result<(), Wrong> {
    let options = select["options"].as_array().map(Vec::as_slice).unwrap_or_default();
    let values: BTreeSet<String> = options.iter().map(|option| option["value"].to_string()).collect();
    if options.is_empty() || options.len() > 25 || values.len() != options.len() {
        return wrong(at, row, "a select has 1 to 25 options with values that differ");
    }
    if options.iter().filter(|option| option["default"] == true).count() > 1 && select["max_values"].is_null() {
        return wrong(at, row, "more options are chosen than may be");
    }
    Ok(())
}

fn choices(at: &str, choices: &Value) -> Result<(), Wrong> {
    for (i, choice) in choices.as_array().into_iter().flatten().enumerate() {
        let fits = |name: &str| choice[name].as_str().is_none_or(|text| (1..=100).contains(&text.chars().count()));
        if !fits("name") || !fits("value") {
            return wrong("", &format!("{at}[{i}]"), "name and value have 1 to 100 characters");
        }
    }
    Ok(())
}

fn commands(body: &Value) -> Result<(), Wrong> {
    let commands = body.as_array().map(Vec::as_slice).unwrap_or_default();
    if commands.len() > 100 {
        return wrong("", "", "more than 100 commands");
    }
    for (i, command) in commands.iter().enumerate() {
        let at = format!("[{i}]");
        let size = said(command);
        if size > 8_000 {
            return wrong("", &at, &format!("names, descriptions and choices have {size} characters, more than 8,000"));
        }
        named(&at, command)?;
    }
    Ok(())
}

/// Characters that count towards a command's limit.
fn said(part: &Value) -> usize {
    let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let below = |key: &str| part[key].as_array().into_iter().flatten().map(said).sum::<usize>();
    length(&part["name"]) + length(&part["description"]) + length(&part["value"]) + below("options") + below("choices")
}

fn named(at: &str, part: &Value) -> Result<(), Wrong> {
    let name = part["name"].as_str().unwrap_or_default();
    let right = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.chars().count() > 32 || !name.chars().all(right) || name.to_lowercase() != name {
        return wrong("", &format!("{at}.name"), &format!("{name:?} is not a name of lower-case letters"));
    }
    let options = part["options"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: BTreeSet<String> = options.iter().map(|option| option["name"].to_string()).collect();
    if names.len() != options.len() {
        return wrong("", &format!("{at}.options"), "two have one name");
    }
    let required: Vec<bool> = options.iter().map(|option| option["required"] == true).collect();
    if required.windows(2).any(|pair| !pair[0] && pair[1]) {
        return wrong("", &format!("{at}.options"), "required options come first");
    }
    for (i, option) in options.iter().enumerate() {
        let at = format!("{at}.options[{i}]");
        if option["autocomplete"] == true && option["choices"].as_array().is_some_and(|choices| !choices.is_empty()) {
            return wrong("", &at, "either choices or autocomplete");
        }
        named(&at, option)?;
    }
    Ok(())
}

fn wrong<T>(at: &str, field: &str, reason: &str) -> Result<T, Wrong> {
    Err(Wrong { field: format!("{at}{field}"), reason: reason.to_owned() })
}

#[test]
fn limits_over_a_whole_message_are_kept() {
    use serde_json::json;
    let none = json!({ "parse": [] });
    let refused = |body: Value| check("create_message", &body, &[]).unwrap_err().to_string();
    let long = "x".repeat(3_001);
    let embed = json!({ "description": long });
    let two = json!({ "embeds": [embed, embed], "allowed_mentions": none });
    assert_eq!(refused(two), "embeds: have 6002 characters in all, more than 6,000");
    assert!(refused(json!({ "content": "x" })).starts_with("allowed_mentions: is missing"));
    assert!(refused(json!({ "allowed_mentions": none })).contains("empty"));
    let button = json!({ "type": 2, "style": 1, "label": "Go", "custom_id": "go" });
    let twice = json!([{ "type": 1, "components": [button, button] }]);
    assert!(refused(json!({ "content": "x", "allowed_mentions": none, "components": twice })).contains("twice"));
    let picture = json!({ "image": { "url": "attachment://a.png" } });
    assert!(refused(json!({ "embeds": [picture], "allowed_mentions": none })).contains("no file a.png"));
}
