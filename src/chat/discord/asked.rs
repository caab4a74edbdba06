//! An interaction as Discord sends it, read into what we need of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::answer::is_id;
use super::post::{EPHEMERAL, PRIVATE};
use crate::command::{ArgumentKind, Spec};

/// An interaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub id: String,
    pub token: String,
    pub application: String,
    pub user: String,
    /// None: in direct messages.
    pub guild: Option<String>,
    pub channel: String,
    /// The channel that a thread is in, if it happened in one.
    pub parent: Option<String>,
    /// The member object of whoever did it.
    pub member: Value,
    /// The message under which a button was pressed, as `CHANNEL/MESSAGE`.
    pub message: Option<String>,
    pub what: What,
}

/// What was done.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Command { name: String, values: BTreeMap<String, String> },
    Typing { name: String, option: String, typed: String, values: BTreeMap<String, String> },
    Pressed { id: String },
    Submitted { id: String, values: BTreeMap<String, String> },
}

impl Asked {
    /// From the interaction object; `kind` is its type. None: nothing that we asked for.
    pub fn read(kind: u8, value: &Value) -> Option<Asked> {
        let id = |value: &Value| value.as_str().filter(|id| is_id(id)).map(str::to_owned);
        let data = &value["data"];
        let what = match kind {
            2 | 4 => {
                let sub = data["options"].as_array()?.iter().find(|option| option["type"] == 1)?;
                let name = sub["name"].as_str()?.to_owned();
                let options: Vec<&Value> = sub["options"].as_array().into_iter().flatten().collect();
                let focused = options.iter().find(|option| option["focused"] == true);
                let focused =
                    focused.and_then(|option| Some((option["name"].as_str()?.to_owned(), said(&option["value"]))));
                let values: BTreeMap<String, String> = options
                    .iter()
                    .filter(|option| option["focused"] != true)
                    .filter_map(|option| Some((option["name"].as_str()?.to_owned(), said(&option["value"]))))
                    .filter(|(_, value)| !value.trim().is_empty())
                    .collect();
                match (kind, focused) {
                    (4, Some((option, typed))) => What::Typing { name, option, typed, values },
                    (4, None) => return None,
                    _ => What::Command { values: lines(&name, values), name },
                }
            }
            3 => What::Pressed { id: data["custom_id"].as_str()?.to_owned() },
            5 => {
                let rows = data["components"].as_array()?;
                let inputs = rows.iter().flat_map(|row| row["components"].as_array().into_iter().flatten());
                let values = inputs
                    .filter_map(|input| Some((input["custom_id"].as_str()?.to_owned(), said(&input["value"]))))
                    .collect();
                What::Submitted { id: data["custom_id"].as_str()?.to_owned(), values }
            }
            _ => return None,
        };
        let channel = id(&value["channel_id"])?;
        let is_thread = matches!(value["channel"]["type"].as_u64(), Some(10..=12));
        let message = id(&value["message"]["id"]).map(|message| {
            let flags = value["message"]["flags"].as_u64().unwrap_or(0);
            let place = if flags & u64::from(EPHEMERAL) != 0 { PRIVATE } else { channel.as_str() };
            format!("{place}/{message}")
        });
        Some(Asked {
            id: id(&value["id"])?,
            token: value["token"].as_str()?.to_owned(),
            application: id(&value["application_id"])?,
            user: id(&value["member"]["user"]["id"]).or_else(|| id(&value["user"]["id"]))?,
            guild: id(&value["guild_id"]),
            parent: id(&value["channel"]["parent_id"]).filter(|_| is_thread),
            member: value["member"].clone(),
            message,
            channel,
            what,
        })
    }
}

/// The command as it would be typed, with every value under its name. What cannot be typed is put nearly: this text only
/// finds out which form is wanted.
pub fn typed(name: &str, values: &BTreeMap<String, String>) -> String {
    let mut text = name.to_owned();
    for (option, value) in values {
        for one in value.lines() {
            let plain: String =
                one.chars().filter(|c| !c.is_control()).map(|c| if c == '"' { '\'' } else { c }).collect();
            text.push_str(&format!(" --{option}=\"{}\"", plain.trim_end_matches('\\')));
        }
    }
    text
}

/// What may be given several times is typed between semicolons, and is a line each from here on.
fn lines(name: &str, mut values: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let spec = Spec::named(name);
    for argument in spec.iter().flat_map(|spec| spec.arguments.iter().chain(&spec.options)) {
        if argument.many
            && argument.kind == ArgumentKind::Set
            && let Some(value) = values.get_mut(&argument.name)
        {
            *value = value.split(';').map(str::trim).filter(|one| !one.is_empty()).collect::<Vec<_>>().join("\n");
        }
    }
    values
}

fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::parse;
    use serde_json::json;

    fn command(options: &Value) -> Value {
        json!({
            "id": "1", "token": "t", "application_id": "2", "guild_id": "3", "channel_id": "4",
            "channel": { "id": "4", "type": 0 },
            "member": { "user": { "id": "5" }, "roles": ["6"] },
            "data": { "name": "deploy", "options": [{ "type": 1, "name": "plan", "options": options }] },
        })
    }

    #[test]
    fn a_command_is_read_with_its_options() {
        let options = json!([
            { "type": 3, "name": "service", "value": "checkout" },
            { "type": 3, "name": "set", "value": "a=1; b=2" },
        ]);
        let asked = Asked::read(2, &command(&options)).unwrap();
        let values = BTreeMap::from([("service".into(), "checkout".into()), ("set".into(), "a=1\nb=2".into())]);
        assert_eq!(asked.what, What::Command { name: "plan".into(), values });
        assert_eq!((asked.user.as_str(), asked.guild.as_deref(), asked.parent), ("5", Some("3"), None));
    }

    #[test]
    fn typing_names_the_option_that_is_typed() {
        let options = json!([
            { "type": 3, "name": "service", "value": "checkout" },
            { "type": 3, "name": "version", "value": "v2", "focused": true },
        ]);
        let Some(Asked { what: What::Typing { option, typed, values, .. }, .. }) = Asked::read(4, &command(&options))
        else {
            panic!("not read as typing")
        };
        assert_eq!((option.as_str(), typed.as_str(), values["service"].as_str()), ("version", "v2", "checkout"));
    }

    #[test]
    fn in_a_thread_the_channel_is_the_threads() {
        let mut value = command(&json!([]));
        value["channel"] = json!({ "id": "4", "type": 11, "parent_id": "9" });
        assert_eq!(Asked::read(2, &value).unwrap().parent.as_deref(), Some("9"));
    }

    #[test]
    fn what_is_broken_is_nothing() {
        for value in [json!(null), json!({}), json!({ "id": "x", "data": { "options": 3 } })] {
            for kind in 0..7 {
                assert_eq!(Asked::read(kind, &value), None);
            }
        }
    }

    #[test]
    fn the_typed_form_reads_as_the_same_command() {
        let values = BTreeMap::from([
            ("service".to_owned(), "checkout".to_owned()),
            ("environment".to_owned(), "production".to_owned()),
            ("why".to_owned(), "it's --late, don't \\".to_owned()),
            ("set".to_owned(), "a=1\nb=2".to_owned()),
        ]);
        let read = parse(&typed("plan", &values), "/deploy").unwrap();
        assert_eq!(read.get("service"), Some("checkout"));
        assert_eq!(read.get("why"), Some("it's --late, don't"));
        assert_eq!(read.all("set"), ["a=1", "b=2"]);
        assert!(parse(&typed("plan", &BTreeMap::from([("why".into(), "\" --x \"".into())])), "/deploy").is_ok());
    }
}
