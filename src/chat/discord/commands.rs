//! `/deploy` as Discord registers it: a subcommand for each of our commands, generated from the same specs.

use serde_json::{Value, json};

use super::render::text::clean;
use super::{Inner, permissions};
use crate::chat::ChatError;
use crate::command::{ALL, Argument, ArgumentKind, Spec};
use crate::config::Settings;

/// The longest value of an option, in characters, as commands take it.
const LONGEST: u32 = 4_000;

/// What `tidegate manifest discord` prints: what `serve` registers by itself, and what the invitation must allow.
pub fn manifest(settings: &Settings) -> Value {
    let permissions: Vec<Value> = permissions::NEEDED
        .iter()
        .map(|needed| json!({ "name": needed.name, "bit": needed.bit.trailing_zeros(), "for": needed.without }))
        .collect();
    json!({
        "commands": [registration(settings)],
        "invitation": {
            "address": format!(
                "https://discord.com/oauth2/authorize?client_id=APPLICATION_ID&scope=bot+applications.commands&permissions={}",
                permissions::all()
            ),
            "scopes": [
                { "name": "bot", "for": "to be a member of the server, post there and see reactions" },
                { "name": "applications.commands", "for": "to have the command there" },
            ],
            "permissions": permissions,
        },
        "intents": [
            { "name": "GUILDS", "privileged": false, "for": "threads that close by themselves are opened again" },
            { "name": "GUILD_MESSAGES", "privileged": false, "for": "replies in a plan's thread that mention the bot, and messages of its own that were deleted" },
            { "name": "GUILD_MESSAGE_REACTIONS", "privileged": false, "for": "approvals, objections and holds" },
        ],
    })
}

/// The command with its subcommands.
pub fn registration(settings: &Settings) -> Value {
    json!({
        "type": 1,
        "name": name(settings),
        "description": "Plan a deployment, see its brief, and follow it",
        // Discord takes twenty-five.
        "options": ALL.iter().filter(|spec| !spec.by_button).map(subcommand).collect::<Vec<_>>(),
    })
}

/// The command's name without its stroke.
pub fn name(settings: &Settings) -> String {
    let plain: String = settings.chat.command.trim_start_matches('/').to_lowercase();
    plain.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).take(32).collect()
}

fn subcommand(spec: &Spec) -> Value {
    let options: Vec<Value> = spec.arguments.iter().chain(&spec.options).take(25).map(option).collect();
    json!({ "type": 1, "name": spec.name, "description": clean(&spec.says, 100), "options": options })
}

/// Nothing is required: what is missing is asked for by a form.
fn option(argument: &Argument) -> Value {
    let says = match argument.many {
        true => format!("{} (several: between semicolons)", argument.says),
        false => argument.says.clone(),
    };
    let mut option = json!({ "type": 3, "name": argument.name, "description": clean(&says, 100) });
    match argument.kind {
        ArgumentKind::Number => option["type"] = json!(4),
        ArgumentKind::Flag => option["choices"] = json!([{ "name": "yes", "value": "yes" }]),
        ArgumentKind::Choice => {
            let choices = argument.choices.iter().take(25).map(|choice| json!({ "name": choice, "value": choice }));
            option["choices"] = choices.collect();
        }
        ArgumentKind::Service
        | ArgumentKind::Environment
        | ArgumentKind::ServiceOrEnvironment
        | ArgumentKind::Version
        | ArgumentKind::Plan
        | ArgumentKind::Command
        | ArgumentKind::Category
        | ArgumentKind::People => {
            option["autocomplete"] = json!(true);
            option["max_length"] = json!(LONGEST);
        }
        _ => option["max_length"] = json!(LONGEST),
    }
    option
}

/// What two registrations are compared by: Discord adds ids and versions and leaves defaults out.
fn gist(command: &Value) -> Value {
    let text = |name: &str| command[name].as_str().unwrap_or_default();
    let list = |name: &str| -> Vec<Value> {
        command[name].as_array().map(|all| all.iter().map(gist).collect()).unwrap_or_default()
    };
    json!({
        "type": command["type"].as_i64().unwrap_or(1),
        "name": text("name"),
        "description": text("description"),
        "value": command["value"],
        "autocomplete": command["autocomplete"].as_bool().unwrap_or(false),
        "required": command["required"].as_bool().unwrap_or(false),
        "max_length": command["max_length"],
        "choices": list("choices"),
        "options": list("options"),
    })
}

impl Inner {
    /// Registers the command in every server where it differs from what is there.
    pub async fn register(&self) -> Result<(), ChatError> {
        let settings = self.settings();
        let me = self.me().await?;
        let wanted = registration(&settings);
        for guild in settings.chat.discord.iter().flat_map(|discord| &discord.guild) {
            let path = format!("applications/{}/guilds/{}/commands", me.application, guild.id);
            let there = self.api.get(&path).await?;
            let there: Vec<Value> = there.as_array().map(|all| all.iter().map(gist).collect()).unwrap_or_default();
            if there != [gist(&wanted)] {
                self.api.put(&path, Some(&json!([wanted]))).await?;
                tracing::info!(discord.guild = guild.id, "the command was registered");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::read("", "tidegate.toml", std::path::PathBuf::new()).unwrap()
    }

    /// The limits of Discord's published description: `ApplicationCommandUpdateRequest` and its options.
    fn assert_within_limits(option: &Value, depth: usize) {
        let name = option["name"].as_str().unwrap();
        assert!((1..=32).contains(&name.chars().count()) && name == name.to_lowercase(), "{name}");
        assert!(name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_')), "{name}");
        assert!((1..=100).contains(&option["description"].as_str().unwrap().chars().count()), "{name}");
        let empty = Vec::new();
        let options = option["options"].as_array().unwrap_or(&empty);
        let choices = option["choices"].as_array().unwrap_or(&empty);
        assert!(options.len() <= 25 && choices.len() <= 25 && depth <= 2, "{name}");
        assert!(choices.is_empty() || option["autocomplete"] != json!(true), "{name}");
        for choice in choices {
            assert!((1..=100).contains(&choice["name"].as_str().unwrap().chars().count()));
        }
        let mut names: Vec<&str> = options.iter().filter_map(|option| option["name"].as_str()).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{name}");
        for inner in options {
            assert_within_limits(inner, depth + 1);
        }
    }

    #[test]
    fn the_registration_keeps_discords_limits_and_has_every_command_that_has_no_button() {
        let registered = registration(&settings());
        assert_within_limits(&registered, 0);
        let listed: Vec<&Spec> = ALL.iter().filter(|spec| !spec.by_button).collect();
        assert_eq!(registered["options"].as_array().unwrap().len(), listed.len());
        for (spec, option) in listed.iter().zip(registered["options"].as_array().unwrap()) {
            assert_eq!(option["options"].as_array().unwrap().len(), spec.arguments.len() + spec.options.len());
        }
    }

    #[test]
    fn what_discord_adds_makes_no_difference() {
        let wanted = registration(&settings());
        let mut there = wanted.clone();
        there["id"] = json!("77");
        there["version"] = json!("78");
        there["options"][0]["options"][0]["required"] = json!(false);
        assert_eq!(gist(&there), gist(&wanted));
        there["options"][0]["description"] = json!("other");
        assert_ne!(gist(&there), gist(&wanted));
    }

    #[test]
    fn the_manifest_gives_a_reason_for_each_thing() {
        let manifest = manifest(&settings());
        for list in [&manifest["invitation"]["permissions"], &manifest["intents"], &manifest["invitation"]["scopes"]] {
            assert!(!list.as_array().unwrap().is_empty());
            assert!(list.as_array().unwrap().iter().all(|one| one["for"].as_str().is_some_and(|says| says.len() > 10)));
        }
    }
}
