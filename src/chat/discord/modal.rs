//! Our forms as Discord's modals: at most five fields of text; what does not fit is kept beside.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::render::text::{self, clean};
use super::render::{FORM, length};
use crate::clock::Time;
use crate::command::Spec;
use crate::message::{Field, FieldKind, Form};
use crate::name::new_id;

/// A modal has room for so many fields.
const FIELDS: usize = 5;
const LONGEST_VALUE: usize = 4_000;
/// Forms that are open somewhere; whoever forgets one does not keep it here for ever.
const MOST: usize = 1_000;

/// Of the optional fields these matter most, in this order.
const FIRST: [&str; 12] = [
    "version",
    "set",
    "rollback",
    "why",
    "when",
    "how",
    "validate",
    "success",
    "rollback-if",
    "why-now",
    "respond",
    "watch",
];

/// A form with what is known of it so far.
#[derive(Clone, Debug)]
pub struct Open {
    pub form: Form,
    /// Also of the fields that are not shown.
    pub values: BTreeMap<String, String>,
}

/// Forms that were opened, by the key in their modal's id.
#[derive(Debug, Default)]
pub struct Forms {
    open: Mutex<BTreeMap<String, Open>>,
}

impl Forms {
    pub fn keep(&self, open: Open, now: Time) -> String {
        let key = new_id(now);
        let mut all = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        while all.len() >= MOST {
            // Keys sort by time.
            all.pop_first();
        }
        all.insert(key.clone(), open);
        key
    }

    pub fn get(&self, key: &str) -> Option<Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

impl Open {
    pub fn new(form: Form) -> Open {
        let given = form.fields.iter().filter(|field| !field.value.is_empty());
        Open { values: given.map(|field| (field.name.clone(), field.value.clone())).collect(), form }
    }

    /// The labels of what there was no room for and nobody gave.
    pub fn hidden(&self) -> Vec<&str> {
        let shown = shown(self);
        let hidden = self.form.fields.iter().filter(|field| !shown.iter().any(|one| one.name == field.name));
        hidden.filter(|field| !self.values.contains_key(&field.name)).map(|field| field.name.as_str()).collect()
    }
}

/// The id of a modal: the key of what is kept, and the form's own id for when that is lost.
pub fn id(key: &str, form: &str) -> String {
    let id = format!("{FORM}{key}|{form}");
    if length(&id) <= 100 { id } else { format!("{FORM}{key}|") }
}

/// Key and form's id from a modal's id.
pub fn read_id(id: &str) -> Option<(&str, &str)> {
    id.strip_prefix(FORM)?.split_once('|')
}

/// The modal. None: the form has no field.
pub fn modal(open: &Open, key: &str) -> Option<Value> {
    let mut rows: Vec<Value> = shown(open).into_iter().map(|field| row(field, open.values.get(&field.name))).collect();
    let title = match clean(open.form.title.trim(), 45) {
        title if title.trim().is_empty() => "Tidegate".to_owned(),
        title => title,
    };
    if rows.is_empty() {
        return None;
    }
    // What a form that is no command's says is what it is about: it stands over the fields.
    let says = open.form.says.lines().map(|line| text::escape(&clean(line, 700))).collect::<Vec<_>>().join("\n");
    if Spec::named(&open.form.id).is_none() && !says.trim().is_empty() {
        rows.insert(0, json!({ "type": 10, "content": text::cut(&says, 3_900) }));
    }
    Some(json!({ "custom_id": id(key, &open.form.id), "title": title, "components": rows }))
}

/// What must be given and is not comes first, then the command's own places, then what matters most.
fn shown(open: &Open) -> Vec<&Field> {
    let places: Vec<&str> = Spec::named(&open.form.id)
        .map(|spec| spec.arguments.iter().map(|argument| argument.name.as_str()).collect())
        .unwrap_or_default();
    let has = |field: &Field| open.values.get(&field.name).is_some_and(|value| !value.trim().is_empty());
    let rank = |field: &Field| {
        let order = FIRST.iter().position(|name| *name == field.name).unwrap_or(FIRST.len());
        let group = match (field.required, has(field), places.contains(&field.name.as_str())) {
            (true, false, _) => 0,
            (false, false, true) => 1,
            // What was given and is right needs no room; where there is room it can be changed.
            (true, true, _) => 4,
            _ if order < FIRST.len() => 2,
            _ => 3,
        };
        (group, order)
    };
    let mut fields: Vec<&Field> =
        open.form.fields.iter().filter(|field| (1..=100).contains(&length(&field.name))).collect();
    fields.sort_by_key(|field| rank(field));
    fields.truncate(FIELDS);
    // Shown in the form's own order.
    open.form.fields.iter().filter(|field| fields.iter().any(|one| one.name == field.name)).take(FIELDS).collect()
}

fn row(field: &Field, value: Option<&String>) -> Value {
    let long = field.kind == FieldKind::Long;
    let hint = match field.options.is_empty() {
        true => field.hint.clone(),
        false => {
            let options: Vec<&str> = field.options.iter().map(|option| option.value.as_str()).collect();
            options.join(", ")
        }
    };
    let label = match clean(field.label.trim(), 45) {
        label if label.trim().is_empty() => clean(&field.name, 45),
        label => label,
    };
    let mut input = json!({
        "type": 4,
        "custom_id": field.name,
        "style": if long { 2 } else { 1 },
        "label": label,
        "required": field.required,
        "max_length": LONGEST_VALUE,
    });
    let hint = clean(hint.trim(), 100);
    if !hint.trim().is_empty() {
        input["placeholder"] = json!(hint);
    }
    if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
        let mut left = LONGEST_VALUE;
        let fits = value.chars().take_while(|c| {
            left = left.saturating_sub(c.len_utf16());
            left > 0
        });
        input["value"] = json!(fits.collect::<String>());
    }
    json!({ "type": 1, "components": [input] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, required: bool, value: &str) -> Field {
        Field {
            name: name.to_owned(),
            kind: FieldKind::Text,
            label: name.to_owned(),
            hint: "x".repeat(300),
            value: value.to_owned(),
            options: Vec::new(),
            required,
            offered: false,
        }
    }

    fn plan() -> Open {
        let mut fields =
            vec![field("service", true, "checkout"), field("environment", true, ""), field("version", false, "")];
        fields.extend(["kind", "why", "rollback", "when", "tell", "risk"].map(|name| field(name, false, "")));
        Open::new(Form { id: "plan".into(), title: "x".repeat(90), says: String::new(), fields })
    }

    fn names(modal: &Value) -> Vec<&str> {
        modal["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["components"][0]["custom_id"].as_str().unwrap())
            .collect()
    }

    #[test]
    fn what_is_missing_and_what_matters_has_room() {
        let open = plan();
        let modal = modal(&open, "K").unwrap();
        assert_eq!(names(&modal), ["environment", "version", "why", "rollback", "when"]);
        assert_eq!(open.values["service"], "checkout");
        assert_eq!(open.hidden(), ["kind", "tell", "risk"]);
    }

    #[test]
    fn a_modal_keeps_discords_limits() {
        let mut open = plan();
        open.values.insert("environment".into(), "🚀".repeat(5_000));
        let modal = modal(&open, "K").unwrap();
        assert!(length(modal["title"].as_str().unwrap()) <= 45);
        assert!(length(modal["custom_id"].as_str().unwrap()) <= 100);
        for row in modal["components"].as_array().unwrap() {
            let input = &row["components"][0];
            assert!(length(input["label"].as_str().unwrap()) <= 45);
            assert!(length(input["placeholder"].as_str().unwrap()) <= 100);
            assert!(length(input["value"].as_str().unwrap_or_default()) <= 4_000);
        }
    }

    #[test]
    fn a_modals_id_tells_its_form() {
        assert_eq!(read_id(&id("KEY", "confirm:checkout-87")), Some(("KEY", "confirm:checkout-87")));
        assert_eq!(read_id(&id("KEY", &"x".repeat(200))), Some(("KEY", "")));
        assert_eq!(read_id("start x"), None);
    }
}
