//! Answers to interactions: the callback, once and in time; then follow-ups by the interaction's token.

use serde_json::Value;

use super::act::{edited, write};
use super::contract::Operation;
use super::rest::{Answer, refusal};
use super::world::{BOT, Modal, World};

const EPHEMERAL: u64 = 64;

/// The message that a request by an interaction's token is about, where there is one.
pub fn message_of(world: &World, operation: &Operation) -> Option<u64> {
    match operation.id.as_str() {
        "update_webhook_message" | "get_webhook_message" | "delete_webhook_message" => {
            Some(operation.number("message_id"))
        }
        "create_interaction_response" => world.interactions.get(operation.value("interaction_token"))?.original,
        _ => world.interactions.get(operation.value("webhook_token"))?.original,
    }
}

pub fn act(world: &mut World, operation: &Operation, body: &Value, files: Vec<String>) -> Answer {
    if operation.id == "create_interaction_response" {
        return callback(world, operation, body, files);
    }
    let token = operation.value("webhook_token").to_owned();
    let known = world.interactions.get(&token).filter(|of| of.answered.is_some() && !of.expired).cloned();
    let Some(of) = known else { return refusal(404, 10015, "Unknown Webhook") };
    let about = message_of(world, operation);
    let is_original = operation.id.contains("original");
    match operation.id.as_str() {
        // The first thing said after "thinking…" takes its place.
        "execute_webhook" | "update_original_webhook_message" if of.thinking.is_some() => {
            let alone = of.thinking == Some(true);
            let id = say(world, &token, body, files, alone);
            let interaction = world.interactions.get_mut(&token).unwrap();
            (interaction.thinking, interaction.original) = (None, Some(id));
            (200, world.message_json(id))
        }
        "execute_webhook" => {
            let alone = body["flags"].as_u64().unwrap_or_default() & EPHEMERAL != 0;
            let id = say(world, &token, body, files, alone);
            (200, world.message_json(id))
        }
        "delete_original_webhook_message" if of.thinking.is_some() => {
            world.interactions.get_mut(&token).unwrap().thinking = None;
            (204, Value::Null)
        }
        "get_original_webhook_message" if of.thinking.is_some() => refusal(404, 10008, "Unknown Message"),
        id => match about.filter(|about| world.messages.contains_key(about)) {
            None => refusal(404, 10008, "Unknown Message"),
            Some(about) if id.starts_with("get") => (200, world.message_json(about)),
            Some(about) if id.starts_with("delete") => {
                world.remove(about);
                if is_original {
                    world.interactions.get_mut(&token).unwrap().original = None;
                }
                (204, Value::Null)
            }
            Some(about) => {
                write(world, about, body, files);
                edited(world, about);
                (200, world.message_json(about))
            }
        },
    }
}

fn callback(world: &mut World, operation: &Operation, body: &Value, files: Vec<String>) -> Answer {
    let token = operation.value("interaction_token").to_owned();
    let Some(of) = world.interactions.get_mut(&token).filter(|of| of.id == operation.number("interaction_id")) else {
        return refusal(404, 10062, "Unknown interaction");
    };
    if of.expired {
        return refusal(404, 10062, "Unknown interaction");
    }
    if of.answered.is_some() {
        return refusal(400, 40060, "Interaction has already been acknowledged.");
    }
    let kind = body["type"].as_i64().unwrap_or_default();
    let fits = match (of.kind, kind) {
        (4, 8) => true,
        (4, _) | (_, 8) => false,
        (2, 6 | 7) | (5, 9) => false,
        _ => true,
    };
    if !fits {
        world.violations.push(format!("an interaction of type {} was answered by a callback of type {kind}", of.kind));
        return refusal(400, 50035, "Invalid Form Body");
    }
    of.answered = Some(kind);
    let data = &body["data"];
    let alone = data["flags"].as_u64().unwrap_or_default() & EPHEMERAL != 0;
    match kind {
        4 => {
            let id = say(world, &token, data, files, alone);
            world.interactions.get_mut(&token).unwrap().original = Some(id);
        }
        5 => of.thinking = Some(alone),
        7 => {
            if let Some(about) = of.original.filter(|about| world.messages.contains_key(about)) {
                write(world, about, data, files);
                edited(world, about);
            }
        }
        8 => of.choices = data["choices"].clone(),
        9 => {
            let (user, channel) = (of.user, of.channel);
            let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
            let components = data["components"].as_array().cloned().unwrap_or_default();
            let mut shown = world.empty(channel, BOT);
            shown.only_for = Some(user);
            shown.modal = Some(Modal { custom_id: text("custom_id"), title: text("title"), components });
            world.put(shown);
        }
        _ => {}
    }
    (204, Value::Null)
}

fn say(world: &mut World, token: &str, body: &Value, files: Vec<String>, alone: bool) -> u64 {
    let of = world.interactions[token].clone();
    let mut message = world.empty(of.channel, BOT);
    message.only_for = alone.then_some(of.user);
    let id = world.put(message);
    write(world, id, body, files);
    world.ring(id, body);
    if !alone {
        world.message_told(id);
    }
    id
}

impl World {
    /// What people see of an interaction that went wrong, for the story to fail with.
    pub fn unanswered(&self) -> Vec<String> {
        let open = self.interactions.values().filter(|of| !of.expired);
        open.filter_map(|of| {
            let who = self.name(of.user);
            match (of.answered, of.thinking) {
                (None, _) => Some(format!("{who}: an interaction of type {} was never answered", of.kind)),
                (_, Some(_)) => Some(format!("{who}: an answer stayed at \"thinking…\"")),
                _ => None,
            }
        })
        .collect()
    }
}
