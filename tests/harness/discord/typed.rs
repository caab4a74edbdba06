//! A command's text as the typed options that a client would send for it.

use serde_json::{Value, json};

use tidegate::command::{ArgumentKind, Spec};

/// The `data` of the interaction, or why a client would not send it.
pub fn command(registered: &[Value], text: &str) -> Result<Value, String> {
    let words = shell_words::split(text.trim_start_matches('/')).map_err(|error| error.to_string())?;
    let mut words = words.into_iter();
    let name = words.next().unwrap_or_default();
    let command = named(registered.iter(), &name).ok_or(format!("no command `{name}` is registered"))?;
    let sub = words.next().ok_or("a subcommand must be chosen")?;
    let sub = named(list(command, "options"), &sub).ok_or(format!("no subcommand `{sub}` is registered"))?;
    let given = given(sub["name"].as_str().unwrap_or_default(), words)?;
    let mut options = Vec::new();
    for (name, value) in given {
        let option = named(list(sub, "options"), &name).ok_or(format!("no option `{name}` is registered"))?;
        options.push(typed(option, &value)?);
    }
    for option in list(sub, "options").filter(|option| option["required"] == true) {
        if named(options.iter(), option["name"].as_str().unwrap_or_default()).is_none() {
            return Err(format!("the option {} is required", option["name"]));
        }
    }
    let sub = json!({ "type": 1, "name": sub["name"], "options": options });
    Ok(
        json!({ "id": command["id"], "name": command["name"], "type": 1, "guild_id": command["guild_id"], "options": [sub] }),
    )
}

/// What the text gives: names and values, arguments by their place.
fn given(sub: &str, words: impl Iterator<Item = String>) -> Result<Vec<(String, String)>, String> {
    let spec = Spec::named(sub).ok_or(format!("`{sub}` is not in commands/"))?;
    let mut places = spec.arguments.iter().map(|argument| argument.name.clone());
    let mut given: Vec<(String, String)> = Vec::new();
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        let (name, value) = match word.strip_prefix("--") {
            Some(option) => match option.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                // A choice of one is picked by picking the option.
                None if flag(spec, option) => (option.to_owned(), "yes".to_owned()),
                None => (option.to_owned(), words.next().unwrap_or_default()),
            },
            None => (places.next().ok_or(format!("there is no place for {word:?}"))?, word),
        };
        match given.iter_mut().find(|(known, _)| *known == name) {
            // What may be given several times is one field here.
            Some((_, before)) => *before = format!("{before}; {value}"),
            None => given.push((name, value)),
        }
    }
    Ok(given)
}

fn flag(spec: &Spec, option: &str) -> bool {
    spec.options.iter().any(|known| known.name == option && known.kind == ArgumentKind::Flag)
}

fn typed(option: &Value, value: &str) -> Result<Value, String> {
    let name = &option["name"];
    let choices: Vec<&Value> = list(option, "choices").collect();
    let chosen = choices.iter().find(|choice| choice["value"] == value || choice["name"] == value);
    let value = match (option["type"].as_u64(), chosen) {
        (_, Some(chosen)) => chosen["value"].clone(),
        (_, None) if !choices.is_empty() => return Err(format!("{value:?} is no choice of {name}")),
        (Some(4), _) => json!(value.parse::<i64>().map_err(|_| format!("{name} takes a whole number, not {value:?}"))?),
        (Some(5), _) => json!(value.parse::<bool>().map_err(|_| format!("{name} takes true or false, not {value:?}"))?),
        (Some(6), _) => json!(super::world::id_of(value.trim_start_matches('@')).to_string()),
        (Some(10), _) => json!(value.parse::<f64>().map_err(|_| format!("{name} takes a number, not {value:?}"))?),
        _ => json!(value),
    };
    let length = value.as_str().map_or(0, |text| text.chars().count() as u64);
    if length > option["max_length"].as_u64().unwrap_or(6_000) {
        return Err(format!("{name} takes at most {} characters", option["max_length"]));
    }
    Ok(json!({ "name": name, "type": option["type"], "value": value }))
}

fn list<'a>(of: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    of[key].as_array().into_iter().flatten()
}

fn named<'a>(mut list: impl Iterator<Item = &'a Value>, name: &str) -> Option<&'a Value> {
    list.find(|one| one["name"] == name)
}

#[test]
fn a_command_is_typed_as_a_client_types_it() {
    let choices = json!([{ "name": "low", "value": "low" }]);
    let options = json!([
        { "type": 3, "name": "service", "description": "s", "required": true },
        { "type": 3, "name": "environment", "description": "e" },
        { "type": 3, "name": "risk", "description": "r", "choices": choices },
    ]);
    let plan = json!({ "type": 1, "name": "plan", "description": "p", "options": options });
    let registered = [json!({ "id": "1", "name": "deploy", "description": "d", "options": [plan] })];
    let typed = command(&registered, "/deploy plan shop production --risk low").unwrap();
    assert_eq!(typed["options"][0]["options"][0], json!({ "name": "service", "type": 3, "value": "shop" }));
    assert_eq!(typed["options"][0]["options"][2]["value"], "low");
    assert_eq!(command(&registered, "/deploy plan"), Err("the option \"service\" is required".to_owned()));
    assert!(command(&registered, "/deploy plan shop --risk some").unwrap_err().contains("is no choice"));
    assert!(command(&registered, "/deploy plan shop --why x").unwrap_err().contains("no option `why`"));
}
