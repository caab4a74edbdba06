//! What each operation does to the world, and what it answers.

use serde_json::{Value, json};

use super::contract::Operation;
use super::gateway::{GUILDS, REACTIONS};
use super::rest::{Answer, Asked, refusal};
use super::world::{APPLICATION, BOT, Channel, GUILD, Message, World, id_of};
use super::{answered, gateway};

/// The names of the files that a message has after the request.
pub fn files(world: &World, operation: &Operation, asked: &Asked) -> Vec<String> {
    let edits = operation.id.starts_with("update");
    let message = answered::message_of(world, operation).unwrap_or_else(|| operation.number("message_id"));
    let Some(message) = world.messages.get(&message).filter(|_| edits) else {
        return asked.files.iter().map(|(name, _)| name.clone()).collect();
    };
    let body = asked.body.as_ref().unwrap_or(&Value::Null);
    let stays = |(i, _): &(usize, &String)| {
        let id = (message.id + *i as u64 + 1).to_string();
        body["attachments"].as_array().is_none_or(|kept| kept.iter().any(|a| a["id"] == id.as_str()))
    };
    let kept = message.files.iter().enumerate().filter(stays).map(|(_, name)| name.clone());
    kept.chain(asked.files.iter().map(|(name, _)| name.clone())).collect()
}

pub fn act(world: &mut World, operation: &Operation, asked: &Asked, files: Vec<String>) -> Answer {
    let body = asked.body.clone().unwrap_or_default();
    let query = |name: &str| asked.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let (channel, message) = (operation.number("channel_id"), operation.number("message_id"));
    let in_channel = !operation.value("channel_id").is_empty();
    if in_channel {
        match world.channels.get(&channel) {
            None => return refusal(404, 10003, "Unknown Channel"),
            Some(found) if found.closed => return refusal(403, 50001, "Missing Access"),
            Some(_) => {}
        }
    }
    if !may(world, operation, channel) {
        return refusal(403, 50013, "Missing Permissions");
    }
    let is_there = world.messages.get(&message).is_some_and(|m| m.channel == channel && m.only_for.is_none());
    if in_channel && !operation.value("message_id").is_empty() && !is_there {
        return refusal(404, 10008, "Unknown Message");
    }
    match operation.id.as_str() {
        "get_bot_gateway" => {
            let limit = json!({ "total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1 });
            (200, json!({ "url": world.gateway, "shards": 1, "session_start_limit": limit }))
        }
        "get_gateway" => (200, json!({ "url": world.gateway })),
        "get_my_user" => (200, world.user_json(BOT)),
        "get_user" => match world.users.contains_key(&operation.number("user_id")) {
            true => (200, world.user_json(operation.number("user_id"))),
            false => refusal(404, 10013, "Unknown User"),
        },
        "get_my_application" => (200, application(world)),
        "get_guild"
        | "list_guild_channels"
        | "list_guild_roles"
        | "get_guild_member"
        | "list_guild_members"
        | "get_active_guild_threads" => of_guild(world, operation, query("after"), query("limit")),
        "list_guild_application_commands" | "list_application_commands" => (200, json!(world.commands)),
        "bulk_set_guild_application_commands" | "bulk_set_application_commands" => register(world, &body),
        "create_dm" => direct(world, &body),
        "get_channel" => (200, world.channel_json(channel)),
        "update_channel" => change_channel(world, channel, &body),
        "create_message" => post(world, channel, &body, files),
        "get_message" => (200, world.message_json(message)),
        "list_messages" => {
            let inside = world.messages.values().filter(|m| m.channel == channel && m.only_for.is_none());
            let newest: Vec<u64> = inside.map(|m| m.id).rev().take(100).collect();
            (200, newest.into_iter().map(|id| world.message_json(id)).collect())
        }
        "update_message" if world.messages[&message].author != BOT => {
            refusal(403, 50005, "Cannot edit a message authored by another user")
        }
        "update_message" => {
            write(world, message, &body, files);
            edited(world, message);
            (200, world.message_json(message))
        }
        "delete_message" => {
            world.remove(message);
            (204, Value::Null)
        }
        "create_thread_from_message" => thread(world, channel, message, &body),
        "add_my_message_reaction" => react(world, channel, message, operation.value("emoji_name")),
        "delete_my_message_reaction" => {
            world.unreact(BOT, message, operation.value("emoji_name"));
            (204, Value::Null)
        }
        "delete_user_message_reaction" => {
            world.unreact(operation.number("user_id"), message, operation.value("emoji_name"));
            (204, Value::Null)
        }
        "list_message_reactions_by_emoji" => {
            reactions(world, message, operation.value("emoji_name"), query("after"), query("limit"))
        }
        _ => answered::act(world, operation, &body, files),
    }
}

/// Whether the bot has what an operation in a channel wants.
fn may(world: &World, operation: &Operation, channel: u64) -> bool {
    let Some(found) = world.channels.get(&channel).filter(|found| found.with.is_none()) else { return true };
    let in_thread = found.parent.is_some();
    let wants = match operation.id.as_str() {
        "create_message" if in_thread => 1 << 38,
        "create_message" => 1 << 11,
        "add_my_message_reaction" => 1 << 6 | 1 << 16,
        "get_message" | "list_messages" | "list_message_reactions_by_emoji" => 1 << 16,
        "create_thread_from_message" => 1 << 35,
        "update_channel" => 1 << 34,
        "delete_user_message_reaction" => 1 << 13,
        _ => 0,
    };
    world.allowed & wants == wants
}

/// Writes what a body says of a message into it.
pub fn write(world: &mut World, id: u64, body: &Value, files: Vec<String>) {
    let message = world.messages.get_mut(&id).unwrap();
    if let Some(content) = body.get("content") {
        message.content = content.as_str().unwrap_or_default().to_owned();
    }
    if let Some(embeds) = body["embeds"].as_array() {
        message.embeds = embeds.iter().map(|embed| as_shown(id, embed)).collect();
    }
    if let Some(components) = body["components"].as_array() {
        message.components = components.clone();
    }
    message.files = files;
    world.touched(id);
}

/// An embed as Discord gives it back.
fn as_shown(id: u64, embed: &Value) -> Value {
    let mut embed = embed.clone();
    embed["type"] = json!("rich");
    if let Some(file) = embed["image"]["url"].as_str().and_then(|url| url.strip_prefix("attachment://")) {
        embed["image"]["url"] = json!(format!("https://cdn.discordapp.com/{id}/{file}"));
    }
    for field in embed.get_mut("fields").and_then(Value::as_array_mut).into_iter().flatten() {
        field["inline"] = json!(field["inline"] == true);
    }
    embed
}

pub fn edited(world: &mut World, id: u64) {
    let message = world.messages.get_mut(&id).unwrap();
    message.edited += 1;
    let direct = message.only_for.is_some() || world.channels[&world.messages[&id].channel].with.is_some();
    let mut data = world.message_json(id);
    data["guild_id"] = json!(GUILD.to_string());
    if !direct {
        world.dispatch("MESSAGE_UPDATE", gateway::MESSAGES, data);
    }
}

fn post(world: &mut World, channel: u64, body: &Value, files: Vec<String>) -> Answer {
    let found = world.channels[&channel].clone();
    if let Some(user) = found.with.filter(|user| world.users.get(user).is_none_or(|user| !user.open || user.left)) {
        return refusal(403, 50007, &format!("Cannot send messages to this user ({user})"));
    }
    let nonce = body["nonce"].as_str().map(str::to_owned).or_else(|| body["nonce"].as_i64().map(|n| n.to_string()));
    let same = world.messages.values().find(|m| nonce.is_some() && m.nonce == nonce && m.channel == channel);
    if let Some(same) = same.filter(|_| body["enforce_nonce"] == true) {
        return (200, world.message_json(same.id));
    }
    if found.archived {
        world.archive(channel, false);
    }
    let mut message = world.empty(channel, BOT);
    message.nonce = nonce;
    let id = world.put(message);
    write(world, id, body, files);
    world.ring(id, body);
    world.message_told(id);
    // The answer alone names the nonce.
    let mut said = world.message_json(id);
    said["nonce"] = body["nonce"].clone();
    (200, said)
}

fn react(world: &mut World, channel: u64, message: u64, emoji: &str) -> Answer {
    if emoji.is_ascii() {
        return refusal(400, 10014, "Unknown Emoji");
    }
    if world.channels[&channel].archived {
        return refusal(400, 50083, "Tried to perform an operation on an archived thread");
    }
    world.react(BOT, message, emoji);
    (204, Value::Null)
}

fn reactions(world: &World, message: u64, emoji: &str, after: Option<&str>, limit: Option<&str>) -> Answer {
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok());
    let found = world.messages[&message].reactions.iter().find(|(known, _)| known == emoji);
    let mut users = found.map(|(_, users)| users.clone()).unwrap_or_default();
    users.sort_unstable();
    users.retain(|user| number(after).is_none_or(|after| *user > after));
    users.truncate(number(limit).unwrap_or(25) as usize);
    (200, users.into_iter().map(|user| world.user_json(user)).collect())
}

fn thread(world: &mut World, parent: u64, message: u64, body: &Value) -> Answer {
    if world.channels.contains_key(&message) {
        return refusal(400, 160_004, "A thread has already been created for this message");
    }
    if world.channels[&parent].parent.is_some() {
        return refusal(400, 50024, "Cannot execute action on this channel type");
    }
    let name = body["name"].as_str().unwrap_or_default().to_owned();
    let thread = Channel { id: message, name, parent: Some(parent), with: None, archived: false, closed: false };
    world.channels.insert(message, thread);
    let data = world.channel_json(message);
    world.dispatch("THREAD_CREATE", GUILDS, data.clone());
    (201, data)
}

fn change_channel(world: &mut World, channel: u64, body: &Value) -> Answer {
    if let Some(archived) = body["archived"].as_bool() {
        world.archive(channel, archived);
    }
    if let Some(name) = body["name"].as_str() {
        world.channels.get_mut(&channel).unwrap().name = name.to_owned();
    }
    (200, world.channel_json(channel))
}

fn direct(world: &mut World, body: &Value) -> Answer {
    let user: u64 = body["recipient_id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default();
    if world.users.get(&user).is_none_or(|user| user.left) {
        return refusal(400, 50278, "Cannot send messages to this user due to having no mutual guilds");
    }
    let id = id_of(&format!("direct {user}"));
    let name = String::new();
    world.channels.entry(id).or_insert(Channel {
        id,
        name,
        parent: None,
        with: Some(user),
        archived: false,
        closed: false,
    });
    (200, world.channel_json(id))
}

fn of_guild(world: &World, operation: &Operation, after: Option<&str>, limit: Option<&str>) -> Answer {
    if operation.number("guild_id") != GUILD {
        return refusal(404, 10004, "Unknown Guild");
    }
    let user = operation.number("user_id");
    match operation.id.as_str() {
        "get_guild" => (200, world.guild_json()),
        "list_guild_roles" => (200, world.roles_json()),
        "get_guild_member" => match world.users.get(&user).filter(|user| !user.left) {
            Some(_) => (200, world.member_json(user, true)),
            None => refusal(404, 10007, "Unknown Member"),
        },
        "list_guild_members" => {
            let number = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok());
            let later = |id: &&u64| number(after).is_none_or(|after| **id > after) && !world.users[id].left;
            let page: Vec<u64> =
                world.users.keys().filter(later).take(number(limit).unwrap_or(1) as usize).copied().collect();
            (200, page.into_iter().map(|id| world.member_json(id, true)).collect())
        }
        kind => {
            let threads = kind == "get_active_guild_threads";
            let shown = |c: &&Channel| c.with.is_none() && c.parent.is_some() == threads && !c.archived;
            let list: Value = world.channels.values().filter(shown).map(|c| world.channel_json(c.id)).collect();
            (200, if threads { json!({ "threads": list, "members": [] }) } else { list })
        }
    }
}

fn application(world: &World) -> Value {
    json!({
        "id": APPLICATION.to_string(), "name": "Tidegate", "icon": null, "description": "", "bot_public": false,
        "bot_require_code_grant": false, "verify_key": "00", "team": null, "flags": 0, "hook": true,
        "owner": world.user_json(BOT), "integration_types_config": {}, "bot": world.user_json(BOT),
    })
}

/// Keeps the commands in the shape in which Discord gives them back.
fn register(world: &mut World, body: &Value) -> Answer {
    let version = world.snowflake().to_string();
    let mut commands = body.as_array().cloned().unwrap_or_default();
    for command in &mut commands {
        returned(command);
        let kind = command["type"].as_u64().unwrap_or(1);
        let own = json!({
            "id": world.snowflake().to_string(), "application_id": APPLICATION.to_string(), "version": version,
            "guild_id": GUILD.to_string(), "type": kind, "default_member_permissions": null, "dm_permission": true,
            "contexts": null, "integration_types": [0], "nsfw": false, "name_localizations": null,
            "description_localizations": null,
        });
        for (name, value) in own.as_object().unwrap() {
            command.as_object_mut().unwrap().entry(name.clone()).or_insert(value.clone());
        }
    }
    world.commands = commands;
    world.registered += 1;
    (200, json!(world.commands))
}

/// False and empty things are not given back.
fn returned(part: &mut Value) {
    let Some(fields) = part.as_object_mut() else { return };
    fields.retain(|_, value| *value != json!(false) && *value != json!([]) && *value != json!({}) && !value.is_null());
    for option in fields.get_mut("options").and_then(Value::as_array_mut).into_iter().flatten() {
        returned(option);
    }
}

impl World {
    pub fn react(&mut self, user: u64, message: u64, emoji: &str) {
        let found = self.messages.get_mut(&message).unwrap();
        let place = match found.reactions.iter().position(|(known, _)| known == emoji) {
            Some(place) => place,
            None => {
                found.reactions.push((emoji.to_owned(), Vec::new()));
                found.reactions.len() - 1
            }
        };
        if found.reactions[place].1.contains(&user) {
            return;
        }
        found.reactions[place].1.push(user);
        self.touched(message);
        self.reaction_told("MESSAGE_REACTION_ADD", user, message, emoji);
    }

    pub fn unreact(&mut self, user: u64, message: u64, emoji: &str) {
        let found = self.messages.get_mut(&message).unwrap();
        let Some((_, users)) = found.reactions.iter_mut().find(|(known, _)| known == emoji) else { return };
        if !users.contains(&user) {
            return;
        }
        users.retain(|other| *other != user);
        found.reactions.retain(|(_, users)| !users.is_empty());
        self.touched(message);
        self.reaction_told("MESSAGE_REACTION_REMOVE", user, message, emoji);
    }

    fn reaction_told(&mut self, kind: &str, user: u64, message: u64, emoji: &str) {
        let channel = self.messages[&message].channel;
        let mut data = json!({
            "user_id": user.to_string(), "channel_id": channel.to_string(), "message_id": message.to_string(),
            "emoji": { "id": null, "name": emoji }, "burst": false, "type": 0,
        });
        if self.channels[&channel].with.is_some() {
            return self.dispatch(kind, 1 << 13, data);
        }
        data["guild_id"] = json!(GUILD.to_string());
        if kind.ends_with("ADD") {
            data["message_author_id"] = json!(self.messages[&message].author.to_string());
            if !self.users[&user].left {
                data["member"] = self.member_json(user, true);
            }
        }
        self.dispatch(kind, REACTIONS, data);
    }

    /// Deletes a message and tells of it.
    pub fn remove(&mut self, id: u64) {
        let Some(message) = self.messages.remove(&id) else { return };
        let data = json!({
            "id": id.to_string(), "channel_id": message.channel.to_string(), "guild_id": GUILD.to_string(),
        });
        if message.only_for.is_none() {
            self.dispatch("MESSAGE_DELETE", gateway::MESSAGES, data);
        }
    }

    pub fn archive(&mut self, thread: u64, archived: bool) {
        self.channels.get_mut(&thread).unwrap().archived = archived;
        let data = self.channel_json(thread);
        self.dispatch("THREAD_UPDATE", GUILDS, data);
    }

    /// Remembers whom a new message rings for: names in its content that it allows.
    pub fn ring(&mut self, id: u64, body: &Value) {
        let allowed = &body["allowed_mentions"];
        let everybody = allowed["parse"].as_array().is_some_and(|parse| parse.contains(&json!("users")));
        let users: Vec<u64> = self.users.keys().copied().collect();
        let message: &mut Message = self.messages.get_mut(&id).unwrap();
        let named = |user: &u64| message.content.contains(&format!("<@{user}>"));
        let may = |user: &u64| {
            everybody || allowed["users"].as_array().is_some_and(|list| list.contains(&json!(user.to_string())))
        };
        message.rang = users.into_iter().filter(|user| named(user) && may(user)).collect();
    }
}
