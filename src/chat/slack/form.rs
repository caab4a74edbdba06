//! Neutral forms as Slack's modals, and what was filled in, back as values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::render::{plain_text, section, units};
use super::text::{defused, plain};
use crate::clock::Time;
use crate::command::Offer;
use crate::message::{Field, FieldKind, FieldOption, Form};

/// What a modal brings back when it is submitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    pub form: String,
    /// Slack's id of the channel where it began.
    pub channel: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// The name of the first field: an error that belongs to no field is said there.
    pub first: String,
}

/// What a button says about the form that it opens: the whole of a small form, of a larger one the command and the values,
/// from which it is made anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seed {
    Form(Form),
    Command { id: String, values: BTreeMap<String, String> },
}

/// A button's value may have 2,000 characters.
const SEED: usize = 1_900;

pub fn seed(form: &Form) -> String {
    let written = |seed: &Seed| serde_json::to_string(seed).unwrap_or_default();
    let whole = written(&Seed::Form(form.clone()));
    if units(&whole) <= SEED {
        return whole;
    }
    let given = form.fields.iter().filter(|field| !field.value.is_empty());
    let mut values: BTreeMap<String, String> = given.map(|f| (f.name.clone(), f.value.clone())).collect();
    let id = plain(&form.id, 100);
    loop {
        let text = written(&Seed::Command { id: id.clone(), values: values.clone() });
        if units(&text) <= SEED {
            return text;
        }
        // The longest value is the one that can be typed again where it came from.
        let Some(longest) = values.iter().max_by_key(|(_, value)| value.len()).map(|(name, _)| name.clone()) else {
            return text;
        };
        values.remove(&longest);
    }
}

/// The modal of a form.
pub fn modal(form: &Form, channel: &str, answer: Option<&str>) -> Value {
    let first = form.fields.first().map(|field| field.name.clone()).unwrap_or_default();
    let carried =
        Carried { form: form.id.clone(), channel: channel.to_owned(), answer: answer.map(str::to_owned), first };
    let mut blocks = Vec::new();
    let says = defused(&plain(&form.says, 2_500));
    if !says.trim().is_empty() {
        blocks.push(section(&says));
    }
    blocks.extend(form.fields.iter().take(90).map(input));
    json!({
        "type": "modal",
        "callback_id": "form",
        "private_metadata": serde_json::to_string(&carried).unwrap_or_default(),
        "title": plain_text(&form.title, 24),
        "submit": plain_text("Submit", 24),
        "close": plain_text("Cancel", 24),
        "blocks": blocks,
    })
}

fn input(field: &Field) -> Value {
    let mut block = json!({
        "type": "input",
        "block_id": plain(&field.name, 200),
        "label": plain_text(&field.label, 150),
        "optional": !field.required,
        "element": element(field),
    });
    let hint = plain(&field.hint, 300);
    if !hint.trim().is_empty() {
        block["hint"] = plain_text(&hint, 1_000);
    }
    block
}

fn element(field: &Field) -> Value {
    let known: Vec<&FieldOption> =
        field.options.iter().filter(|o| !o.value.is_empty() && units(&o.value) <= 150).take(10_000).collect();
    let chosen = |value: &str| known.iter().find(|o| o.value == value.trim()).map(|o| option(o));
    match field.kind {
        FieldKind::Select | FieldKind::Choice if !known.is_empty() => {
            let mut select = with_options(json!({ "type": "static_select", "action_id": "v" }), &known);
            if let Some(option) = chosen(&field.value) {
                select["initial_option"] = option;
            }
            select
        }
        FieldKind::Person if !known.is_empty() => {
            let mut select = with_options(json!({ "type": "multi_static_select", "action_id": "v" }), &known);
            let mut before: Vec<Value> =
                field.value.split([',', '\n']).filter_map(|name| chosen(name.trim().trim_start_matches('@'))).collect();
            before.dedup();
            if !before.is_empty() {
                select["initial_options"] = before.into();
            }
            select
        }
        FieldKind::Check => {
            let yes = json!({ "text": plain_text("Yes", 75), "value": "yes" });
            let mut boxes = json!({ "type": "checkboxes", "action_id": "v", "options": [yes] });
            if matches!(field.value.as_str(), "yes" | "true" | "1") {
                boxes["initial_options"] = json!([yes]);
            }
            boxes
        }
        // Whatever is typed is among what is offered, so that any version can be chosen.
        FieldKind::Text if field.offered && (field.value.is_empty() || fits(&field.value)) => {
            let mut select = json!({ "type": "external_select", "action_id": "v", "min_query_length": 0 });
            if !field.value.is_empty() {
                select["initial_option"] = shown(&field.value, &field.value);
            }
            select
        }
        FieldKind::Time if field.value.is_empty() || Time::parse_rfc3339(&field.value).is_some() => {
            let mut picker = json!({ "type": "datetimepicker", "action_id": "v" });
            if let Some(at) = Time::parse_rfc3339(&field.value) {
                picker["initial_date_time"] = json!(at.ms() / 1_000);
            }
            picker
        }
        // "tomorrow 10:00", as it was typed with the command, stays as it was typed.
        kind => {
            let long = kind == FieldKind::Long || field.value.contains('\n');
            let mut text =
                json!({ "type": "plain_text_input", "action_id": "v", "multiline": long, "max_length": 3_000 });
            let value = plain(&field.value, 3_000);
            if !value.is_empty() {
                text["initial_value"] = json!(value);
            }
            if kind == FieldKind::Time {
                text["placeholder"] = plain_text("tomorrow 10:00", 150);
            }
            text
        }
    }
}

/// What is offered for a field while somebody types in it. What was typed itself comes first where it is not among them.
pub fn options(offers: &[Offer], typed: &str) -> Value {
    let typed = typed.trim();
    let own = (fits(typed) && offers.iter().all(|offer| offer.value != typed)).then(|| shown(typed, typed));
    let fitting = offers.iter().filter(|offer| fits(&offer.value) && !plain(&offer.says, 75).trim().is_empty());
    let offered = fitting.map(|offer| shown(&offer.says, &offer.value));
    json!({ "options": own.into_iter().chain(offered).take(100).collect::<Vec<_>>() })
}

/// An option's value has 1 to 150 characters, and its text must show something.
fn fits(value: &str) -> bool {
    (1..=150).contains(&units(value)) && !plain(value, 75).trim().is_empty()
}

fn shown(says: &str, value: &str) -> Value {
    json!({ "text": plain_text(says, 75), "value": value })
}

/// A select takes 100 options, or 100 groups of 100.
fn with_options(mut select: Value, known: &[&FieldOption]) -> Value {
    if known.len() <= 100 {
        select["options"] = known.iter().map(|o| option(o)).collect();
    } else {
        let groups = known.chunks(100).map(|group| {
            let ends = [group.first(), group.last()].map(|o| o.map(|o| plain(&o.says, 30)).unwrap_or_default());
            let label = format!("{} – {}", ends[0], ends[1]);
            json!({ "label": plain_text(&label, 75), "options": group.iter().map(|o| option(o)).collect::<Value>() })
        });
        select["option_groups"] = groups.collect();
    }
    select
}

fn option(option: &FieldOption) -> Value {
    shown(&option.says, &option.value)
}

/// What was filled in, field by field; fields left empty are left out.
pub fn values(state: &Value) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for (name, actions) in state["values"].as_object().into_iter().flatten() {
        let Some(given) = actions.as_object().and_then(|actions| actions.values().next()) else { continue };
        let chosen = |options: &Value| -> Vec<String> {
            options.as_array().into_iter().flatten().filter_map(|o| o["value"].as_str().map(str::to_owned)).collect()
        };
        let value = given["value"]
            .as_str()
            .or_else(|| given["selected_option"]["value"].as_str())
            .map(str::to_owned)
            .or_else(|| picked(&given["selected_date_time"]))
            .unwrap_or_else(|| chosen(&given["selected_options"]).join(", "));
        if !value.trim().is_empty() && value.len() <= 20_000 {
            values.insert(name.clone(), value);
        }
    }
    values
}

/// A moment of the picker, seconds since 1970.
fn picked(seconds: &Value) -> Option<String> {
    Some(Time::from_ms(seconds.as_i64()?.checked_mul(1_000)?).rfc3339())
}

/// The answer that shows errors beside the fields.
pub fn errors(errors: &BTreeMap<String, String>, shown: &Value, first: &str) -> Value {
    let fields: Vec<&str> =
        shown.as_array().into_iter().flatten().filter_map(|block| block["block_id"].as_str()).collect();
    let (beside, elsewhere): (Vec<_>, Vec<_>) = errors.iter().partition(|(name, _)| fields.contains(&name.as_str()));
    let mut said = serde_json::Map::new();
    for (name, says) in beside {
        said.insert(name.clone(), json!(plain(says, 1_900)));
    }
    // A field's own error is said before one that belongs to none.
    for (_, says) in elsewhere {
        said.entry(first.to_owned()).or_insert_with(|| json!(plain(says, 1_900)));
    }
    json!({ "response_action": "errors", "errors": said })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, kind: FieldKind, value: &str, options: usize) -> Field {
        Field {
            name: name.to_owned(),
            kind,
            label: name.to_owned(),
            hint: String::new(),
            value: value.to_owned(),
            offered: name == "version",
            options: (0..options).map(|n| FieldOption { value: format!("v{n}"), says: format!("V{n}") }).collect(),
            required: true,
        }
    }

    fn form(fields: Vec<Field>) -> Form {
        Form {
            id: "plan".into(),
            title: "A title that is far too long for a modal".into(),
            says: "Why?".into(),
            fields,
        }
    }

    #[test]
    fn a_form_becomes_a_modal_within_slacks_limits() {
        let fields = vec![
            field("service", FieldKind::Select, "v150", 250),
            field("watch", FieldKind::Person, "v1, v2", 3),
            field("rollback", FieldKind::Long, &"x".repeat(5_000), 0),
            field("when", FieldKind::Time, "tomorrow 10:00", 0),
        ];
        let view = modal(&form(fields), "C1", Some("https://hooks.slack.com/x"));
        assert!(units(view["title"]["text"].as_str().unwrap()) <= 24);
        let blocks = view["blocks"].as_array().unwrap();
        assert_eq!(blocks[1]["element"]["option_groups"].as_array().unwrap().len(), 3);
        assert_eq!(blocks[1]["element"]["initial_option"]["value"], "v150");
        assert_eq!(blocks[2]["element"]["initial_options"].as_array().unwrap().len(), 2);
        assert_eq!(units(blocks[3]["element"]["initial_value"].as_str().unwrap()), 3_000);
        assert_eq!(blocks[4]["element"]["initial_value"], "tomorrow 10:00");
        let carried: Carried = serde_json::from_str(view["private_metadata"].as_str().unwrap()).unwrap();
        assert_eq!(
            (carried.form.as_str(), carried.channel.as_str(), carried.first.as_str()),
            ("plan", "C1", "service")
        );
    }

    #[test]
    fn versions_are_offered_and_a_moment_is_picked() {
        let fields = vec![
            field("version", FieldKind::Text, "v2.14.0", 0),
            field("when", FieldKind::Time, "", 0),
            field("until", FieldKind::Time, "2026-11-24T18:00:00Z", 0),
        ];
        let view = modal(&form(fields), "C1", None);
        let blocks = view["blocks"].as_array().unwrap();
        assert_eq!(blocks[1]["element"]["type"], "external_select");
        assert_eq!(blocks[1]["element"]["initial_option"]["value"], "v2.14.0");
        assert_eq!(blocks[2]["element"], json!({ "type": "datetimepicker", "action_id": "v" }));
        assert_eq!(blocks[3]["element"]["initial_date_time"], 1_795_543_200);
        let state = json!({ "values": { "when": { "v": { "selected_date_time": 1_795_543_200 } } } });
        assert_eq!(values(&state)["when"], "2026-11-24T18:00:00Z");
    }

    #[test]
    fn what_is_typed_can_be_chosen_unless_it_is_offered_anyway() {
        let offer = |name: &str| Offer { value: name.to_owned(), says: name.to_owned() };
        let values = |typed: &str| -> Vec<String> {
            let answer = options(&[offer("v2"), offer("v1"), offer(&"x".repeat(200))], typed);
            let options = answer["options"].as_array().unwrap().clone();
            options.iter().map(|option| option["value"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(values(""), ["v2", "v1"]);
        assert_eq!(values(" 4f2c91a "), ["4f2c91a", "v2", "v1"]);
        assert_eq!(values("v1"), ["v2", "v1"]);
    }

    #[test]
    fn what_was_filled_in_is_read_back() {
        let state = json!({ "values": {
            "service": { "v": { "type": "static_select", "selected_option": { "value": "checkout" } } },
            "watch": { "v": { "type": "multi_static_select", "selected_options": [{ "value": "ada" }, { "value": "lin" }] } },
            "why": { "v": { "type": "plain_text_input", "value": "PAY-481" } },
            "empty": { "v": { "type": "plain_text_input", "value": null } },
        }});
        let values = values(&state);
        assert_eq!(values["service"], "checkout");
        assert_eq!(values["watch"], "ada, lin");
        assert_eq!(values["why"], "PAY-481");
        assert_eq!(values.len(), 3);
    }

    #[test]
    fn an_error_stands_beside_its_field_or_the_first() {
        let shown = json!([{ "type": "section" }, { "block_id": "service" }, { "block_id": "version" }]);
        let given =
            BTreeMap::from([("version".to_owned(), "None.".to_owned()), ("form".to_owned(), "Odd.".to_owned())]);
        let answer = errors(&given, &shown, "service");
        assert_eq!(answer, json!({ "response_action": "errors", "errors": { "version": "None.", "service": "Odd." } }));
    }

    #[test]
    fn a_button_carries_a_small_form_whole_and_of_a_large_one_what_was_given() {
        let small = form(vec![field("environment", FieldKind::Text, "", 0)]);
        assert_eq!(serde_json::from_str::<Seed>(&seed(&small)).unwrap(), Seed::Form(small));
        let large = form(vec![
            field("service", FieldKind::Select, "v1", 300),
            field("rollback", FieldKind::Long, &"x".repeat(3_000), 0),
        ]);
        let kept = BTreeMap::from([("service".to_owned(), "v1".to_owned())]);
        assert_eq!(
            serde_json::from_str::<Seed>(&seed(&large)).unwrap(),
            Seed::Command { id: "plan".into(), values: kept }
        );
    }
}
