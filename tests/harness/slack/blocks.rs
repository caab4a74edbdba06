//! Block Kit's limits: <https://docs.slack.dev/reference/block-kit/blocks>.

use std::collections::BTreeSet;

use serde_json::Value;

/// About so many characters of blocks are taken; more is `msg_blocks_too_long`.
const MOST_OF_ALL: usize = 13_200;

pub fn of_message(blocks: &Value) -> Vec<String> {
    let mut wrong = check(blocks, 50, &["section", "header", "context", "divider", "actions", "image", "rich_text"]);
    let size = blocks.to_string().encode_utf16().count();
    if size > MOST_OF_ALL {
        wrong.push(format!("the blocks have {size} characters together"));
    }
    wrong
}

pub fn of_view(view: &Value) -> Vec<String> {
    let kind = view["type"].as_str().unwrap_or_default();
    let mut wrong = Vec::new();
    match kind {
        "modal" => {
            for (name, needed) in
                [("title", true), ("submit", view["blocks"].to_string().contains("\"input\"")), ("close", false)]
            {
                match &view[name] {
                    Value::Null if !needed => {}
                    text => wrong.extend(plain(text, 24).map(|says| format!("the modal's {name} {says}"))),
                }
            }
        }
        "home" => {}
        other => wrong.push(format!("a view of type {other:?}")),
    }
    if units(&view["private_metadata"]) > 3_000 {
        wrong.push("private_metadata is longer than 3,000 characters".to_owned());
    }
    if units(&view["callback_id"]) > 255 {
        wrong.push("callback_id is longer than 255 characters".to_owned());
    }
    let kinds = ["section", "header", "context", "divider", "actions", "image", "rich_text", "input"];
    wrong.extend(check(&view["blocks"], 100, &kinds));
    wrong
}

fn check(blocks: &Value, most: usize, kinds: &[&str]) -> Vec<String> {
    let Some(blocks) = blocks.as_array() else { return vec!["blocks are no list".to_owned()] };
    let mut wrong = Vec::new();
    if blocks.len() > most {
        wrong.push(format!("{} blocks, {most} at most", blocks.len()));
    }
    let (mut block_ids, mut action_ids) = (BTreeSet::new(), BTreeSet::new());
    for (at, block) in blocks.iter().enumerate() {
        let kind = block["type"].as_str().unwrap_or_default();
        let mut says = Vec::new();
        if !kinds.contains(&kind) {
            says.push(format!("is a {kind:?}"));
        }
        if let Some(id) = block["block_id"].as_str()
            && (id.is_empty() || id.len() > 255 || !block_ids.insert(id.to_owned()))
        {
            says.push(format!("has the block_id {id:?}, empty, too long or there twice"));
        }
        match kind {
            "section" => {
                if block["text"].is_null() && block["fields"].is_null() {
                    says.push("has neither text nor fields".to_owned());
                }
                if !block["text"].is_null() {
                    says.extend(text(&block["text"], 3_000));
                }
                let fields = block["fields"].as_array().map_or(&[] as &[Value], Vec::as_slice);
                if fields.len() > 10 {
                    says.push("has more than 10 fields".to_owned());
                }
                says.extend(fields.iter().filter_map(|field| text(field, 2_000)));
            }
            "header" => says.extend(plain(&block["text"], 150)),
            "context" => {
                let elements = block["elements"].as_array().map_or(&[] as &[Value], Vec::as_slice);
                if elements.is_empty() || elements.len() > 10 {
                    says.push(format!("has {} elements", elements.len()));
                }
                says.extend(elements.iter().filter(|e| e["type"] != "image").filter_map(|e| text(e, 3_000)));
            }
            "image" => {
                if block["slack_file"].is_null() == block["image_url"].is_null() {
                    says.push("needs image_url or slack_file".to_owned());
                }
                if !(1..=2_000).contains(&units(&block["alt_text"])) {
                    says.push("needs an alt_text of at most 2,000 characters".to_owned());
                }
            }
            "actions" => {
                let elements = block["elements"].as_array().map_or(&[] as &[Value], Vec::as_slice);
                if elements.is_empty() || elements.len() > 25 {
                    says.push(format!("has {} elements", elements.len()));
                }
                says.extend(elements.iter().flat_map(|e| element(e, &mut action_ids)));
            }
            "input" => {
                says.extend(plain(&block["label"], 2_000));
                if !block["hint"].is_null() {
                    says.extend(plain(&block["hint"], 2_000));
                }
                // Action ids need only differ within a block of inputs.
                says.extend(element(&block["element"], &mut BTreeSet::new()));
            }
            _ => {}
        }
        wrong.extend(says.into_iter().map(|says| format!("block {at} ({kind}) {says}")));
    }
    wrong
}

fn element(element: &Value, action_ids: &mut BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    let kind = element["type"].as_str().unwrap_or_default();
    let id = element["action_id"].as_str().unwrap_or_default();
    if id.is_empty() || id.len() > 255 || !action_ids.insert(id.to_owned()) {
        wrong.push(format!("has a {kind} with the action_id {id:?}, empty, too long or there twice"));
    }
    match kind {
        "button" => {
            wrong.extend(plain(&element["text"], 75));
            if units(&element["value"]) > 2_000 {
                wrong.push("has a button with more than 2,000 characters of value".to_owned());
            }
            if !matches!(element["style"].as_str(), None | Some("primary" | "danger")) {
                wrong.push(format!("has a button of style {}", element["style"]));
            }
        }
        "static_select" | "multi_static_select" => {
            let groups = element["option_groups"].as_array().cloned().unwrap_or_default();
            let lists: Vec<&Value> = if groups.is_empty() {
                vec![&element["options"]]
            } else {
                groups.iter().map(|g| &g["options"]).collect()
            };
            if groups.len() > 100 {
                wrong.push("has more than 100 groups".to_owned());
            }
            let all: Vec<Value> = lists.iter().flat_map(|list| list.as_array().cloned().unwrap_or_default()).collect();
            if lists.iter().any(|list| !(1..=100).contains(&list.as_array().map_or(0, Vec::len))) {
                wrong.push("has a select without or with more than 100 options".to_owned());
            }
            for option in &all {
                wrong.extend(plain(&option["text"], 75));
                if !(1..=150).contains(&units(&option["value"])) {
                    wrong.push(format!("has an option of value {}", option["value"]));
                }
            }
            if !element["initial_option"].is_null() && !all.contains(&element["initial_option"]) {
                wrong.push("has an initial_option that is none of its options".to_owned());
            }
        }
        "plain_text_input" => {
            let most = element["max_length"].as_u64().unwrap_or(3_000);
            if most > 3_000 || units(&element["initial_value"]) as u64 > most {
                wrong.push("has an input that begins too long".to_owned());
            }
        }
        "checkboxes" | "datetimepicker" | "external_select" | "users_select" | "multi_users_select" => {}
        other => wrong.push(format!("has an element {other:?}")),
    }
    wrong
}

fn text(value: &Value, most: usize) -> Option<String> {
    let said = units(&value["text"]);
    if !matches!(value["type"].as_str(), Some("plain_text" | "mrkdwn")) || !(1..=most).contains(&said) {
        return Some(format!("has a text of type {} with {said} characters, 1 to {most} are allowed", value["type"]));
    }
    None
}

fn plain(value: &Value, most: usize) -> Option<String> {
    if value["type"] != "plain_text" {
        return Some(format!("has a text of type {} where only plain_text is allowed", value["type"]));
    }
    text(value, most)
}

fn units(value: &Value) -> usize {
    value.as_str().unwrap_or_default().encode_utf16().count()
}
