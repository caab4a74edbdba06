//! What people do on Discord: commands with typed options, buttons, modals, reactions, replies.

use serde_json::{Value, json};

use super::world::{APPLICATION, BOT, GUILD, HOME, Interaction, World};
use super::{Discord, typed};

impl Discord {
    /// A slash command as somebody's client sends it; what the client would not send fails the story.
    pub fn command(&self, user: &str, text: &str) -> String {
        let data = {
            let world = self.shared.world();
            typed::command(&world.commands, text).unwrap_or_else(|why| panic!("Discord would not send {text:?}: {why}"))
        };
        self.interacts(user, 2, HOME, data, None)
    }

    /// What is offered for the option that is being typed.
    pub fn completes(&self, user: &str, text: &str, option: &str) -> Vec<String> {
        let mut data = {
            let world = self.shared.world();
            typed::command(&world.commands, text).unwrap_or_else(|why| panic!("Discord would not send {text:?}: {why}"))
        };
        let options = data["options"][0]["options"].as_array_mut().unwrap();
        let focused = options.iter_mut().find(|typed| typed["name"] == option);
        focused.unwrap_or_else(|| panic!("{text:?} types no {option}"))["focused"] = json!(true);
        let token = self.interacts(user, 4, HOME, data, None);
        let choices = self.shared.world().interactions[&token].choices.clone();
        let value = |choice: &Value| choice["value"].as_str().unwrap_or_default().to_owned();
        choices.as_array().into_iter().flatten().map(value).collect()
    }

    /// Presses the button with this id under a message.
    pub fn press(&self, user: &str, message: u64, button: &str) -> String {
        let (channel, shown) = {
            let world = self.shared.world();
            let found = world.messages.get(&message).unwrap_or_else(|| panic!("there is no message {message}"));
            let has =
                |row: &Value| row["components"].as_array().is_some_and(|c| c.iter().any(|c| c["custom_id"] == button));
            assert!(found.components.iter().any(has), "no button {button:?} under {}", json!(found.components));
            (found.channel, world.message_json(message))
        };
        let data = json!({ "custom_id": button, "component_type": 2 });
        let shown = Some((message, shown));
        self.interacts(user, 3, channel, data, shown)
    }

    /// Fills in the newest modal for this form that somebody was shown. Fields that are not named keep what stands in
    /// them; a field that the modal does not have cannot be filled in.
    pub fn submit(&self, user: &str, form: &str, values: &Value) -> String {
        let (channel, custom_id, components) = {
            let mut world = self.shared.world();
            let id = world.user(user);
            let mine = |m: &&super::world::Message| {
                m.only_for == Some(id) && m.modal.as_ref().is_some_and(|modal| modal.form() == form)
            };
            let found = world.messages.values().rev().find(mine);
            let found = found.unwrap_or_else(|| panic!("{user} was shown no form {form:?}"));
            let modal = found.modal.clone().unwrap();
            (found.channel, modal.custom_id, modal.components)
        };
        let filled: Vec<Value> = components.iter().map(|row| fill(row, values)).collect();
        let data = json!({ "custom_id": custom_id, "components": filled });
        self.interacts(user, 5, channel, data, None)
    }

    /// Puts a reaction under a message, as somebody with hands does.
    pub fn react(&self, user: &str, message: u64, emoji: &str) {
        let mut world = self.shared.world();
        let id = world.user(user);
        let channel = world.messages.get(&message).unwrap_or_else(|| panic!("there is no message {message}")).channel;
        assert!(!world.channels[&channel].archived, "nobody can react in an archived thread");
        world.react(id, message, emoji);
    }

    pub fn unreact(&self, user: &str, message: u64, emoji: &str) {
        let mut world = self.shared.world();
        let id = world.user(user);
        world.unreact(id, message, emoji);
    }

    /// A moderator removes every reaction of a message, or all of one emoji.
    pub fn clear(&self, message: u64, emoji: Option<&str>) {
        let mut world = self.shared.world();
        let found = world.messages.get_mut(&message).unwrap_or_else(|| panic!("there is no message {message}"));
        let channel = found.channel.to_string();
        found.reactions.retain(|(known, _)| emoji.is_some_and(|emoji| emoji != known));
        world.touched(message);
        let mut data =
            json!({ "channel_id": channel, "message_id": message.to_string(), "guild_id": GUILD.to_string() });
        let kind = match emoji {
            Some(emoji) => {
                data["emoji"] = json!({ "id": null, "name": emoji });
                "MESSAGE_REACTION_REMOVE_EMOJI"
            }
            None => "MESSAGE_REACTION_REMOVE_ALL",
        };
        world.dispatch(kind, super::gateway::REACTIONS, data);
    }

    /// Somebody writes in a channel or thread; `to_the_bot`: with its name in front.
    pub fn write(&self, user: &str, channel: u64, text: &str, to_the_bot: bool) -> u64 {
        let mut world = self.shared.world();
        let id = world.user(user);
        let mut message = world.empty(channel, id);
        message.content = if to_the_bot { format!("<@{BOT}> {text}") } else { text.to_owned() };
        let message = world.put(message);
        world.message_told(message);
        message
    }

    /// Somebody changes what they wrote.
    pub fn rewrites(&self, message: u64, text: &str) {
        let mut world = self.shared.world();
        let found = world.messages.get_mut(&message).unwrap_or_else(|| panic!("there is no message {message}"));
        found.content = format!("<@{BOT}> {text}");
        super::act::edited(&mut world, message);
    }

    /// Sends an interaction and waits for its callback, as people's clients do.
    fn interacts(&self, user: &str, kind: u64, channel: u64, data: Value, about: Option<(u64, Value)>) -> String {
        let token = {
            let mut world = self.shared.world();
            let user = world.user(user);
            open(&mut world, user, kind, channel, data, about)
        };
        if self.waits.load(std::sync::atomic::Ordering::Relaxed) {
            self.shared.until("the interaction is answered", |world| world.interactions[&token].answered.is_some());
        }
        token
    }
}

fn open(world: &mut World, user: u64, kind: u64, channel: u64, data: Value, about: Option<(u64, Value)>) -> String {
    let id = world.snowflake();
    let token = format!("token-{id}");
    let interaction = Interaction {
        id,
        user,
        channel,
        kind,
        answered: None,
        thinking: None,
        original: about.as_ref().map(|(message, _)| *message),
        expired: false,
        choices: Value::Null,
    };
    world.interactions.insert(token.clone(), interaction);
    let mut told = json!({
        "id": id.to_string(), "application_id": APPLICATION.to_string(), "type": kind, "data": data, "version": 1,
        "channel_id": channel.to_string(), "channel": world.channel_json(channel), "token": token,
        "app_permissions": world.allowed.to_string(), "locale": "en-US", "entitlements": [], "attachment_size_limit": 10_485_760,
        "authorizing_integration_owners": { "0": GUILD.to_string() },
    });
    told["channel"]["permissions"] = json!(world.allowed.to_string());
    if world.channels[&channel].with.is_some() {
        told["user"] = world.user_json(user);
        told["context"] = json!(1);
    } else {
        told["member"] = world.member_json(user, true);
        told["guild_id"] = json!(GUILD.to_string());
        told["guild"] = json!({ "id": GUILD.to_string(), "locale": "en-US", "features": [] });
        told["guild_locale"] = json!("en-US");
        told["context"] = json!(0);
    }
    if let Some((_, message)) = about {
        told["message"] = message;
    }
    world.dispatch("INTERACTION_CREATE", 0, told);
    token
}

/// A row of a modal as it comes back.
fn fill(row: &Value, values: &Value) -> Value {
    let one = |component: &Value| {
        let name = component["custom_id"].as_str().unwrap_or_default();
        let chosen = component["options"].as_array().into_iter().flatten().find(|option| option["default"] == true);
        let before = chosen.map_or(&component["value"], |option| &option["value"]);
        let value = values.get(name).unwrap_or(before).as_str().unwrap_or_default().to_owned();
        assert!(component["required"] != true || !value.is_empty(), "Discord wants {name} filled in");
        let mut filled = json!({ "type": component["type"], "custom_id": name, "id": 1 });
        if component["type"] == 3 {
            filled["values"] = if value.is_empty() { json!([]) } else { json!([value]) };
        } else {
            filled["value"] = json!(value);
        }
        filled
    };
    if row["component"].is_object() {
        return json!({ "type": 18, "id": 1, "component": one(&row["component"]) });
    }
    if row["type"] == 10 {
        return json!({ "type": 10, "id": 1 });
    }
    let inside: Vec<Value> = row["components"].as_array().into_iter().flatten().map(one).collect();
    json!({ "type": 1, "id": 1, "components": inside })
}
