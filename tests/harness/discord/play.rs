//! Stories on the pretend Discord.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::world::{GUILD, HOME, id_of};
use super::{Discord, TOKEN, shape};
use crate::harness::Story;
use crate::harness::stage::{Console, Stage};

/// How long an act may take from Discord into the inbox before it counts as one that nobody stores.
const STORED: Duration = Duration::from_millis(500);

/// The id of the button that opens a form.
const OPENS: &str = "form";

/// A story's Discord.
pub struct Play {
    pub discord: std::sync::Arc<Discord>,
    /// More settings of the server.
    more: String,
}

impl Play {
    pub fn open() -> Play {
        Play { discord: std::sync::Arc::new(Discord::open()), more: String::new() }
    }

    /// With more settings behind `[[chat.discord.guild]]`.
    pub fn and(mut self, more: &str) -> Play {
        self.more.push_str(more);
        self
    }

    /// Does something that has no answer, and waits until the program has stored it or had the time to.
    fn stored(&self, story: &Story, act: impl FnOnce()) {
        let before = arrivals(story);
        act();
        self.discord.is_heard();
        let began = Instant::now();
        while arrivals(story) == before && began.elapsed() < STORED {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn arrivals(story: &Story) -> i64 {
    story.number("select count(*) from work where kind = 'arrival'")
}

fn id(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no id on Discord"))
}

impl Stage for Play {
    fn settings(&self, settings: &str) -> String {
        let mut out = String::new();
        for line in settings.lines() {
            out.push_str(line);
            out.push('\n');
            if let Some(person) = line.trim().strip_prefix("[people.").and_then(|rest| rest.strip_suffix(']')) {
                self.discord.shared.world().user(person);
                out.push_str(&format!("discord = [\"{}\"]\n", id_of(person)));
            }
        }
        let api = &self.discord.api;
        out.push_str(&format!("\n[chat.discord]\napi = \"{api}\"\ntoken = {{ value = \"{TOKEN}\" }}\n"));
        out.push_str(&format!("\n[[chat.discord.guild]]\nid = \"{GUILD}\"\nchannel = \"{HOME}\"\n{}", self.more));
        out
    }

    fn joined(&self) {
        self.discord.is_joined();
    }

    fn command(&self, _: &Story, user: &str, text: &str) -> Value {
        self.discord.command(user, text);
        json!({ "ok": true })
    }

    fn react(&self, story: &Story, user: &str, message: &str, reaction: &str, remove: bool) {
        let emoji = shape::emoji(reaction);
        self.stored(story, || match remove {
            true => self.discord.unreact(user, id(message), &emoji),
            false => self.discord.react(user, id(message), &emoji),
        });
    }

    fn reply(&self, story: &Story, user: &str, thread: &str, text: &str) {
        self.stored(story, || drop(self.discord.write(user, id(thread), text, true)));
    }

    fn press(&self, _: &Story, user: &str, message: &str, button: &str) -> Value {
        self.discord.press(user, id(message), button);
        json!({ "ok": true })
    }

    fn submit(&self, _: &Story, user: &str, form: &str, values: &Value) -> Value {
        self.discord.submit(user, form, values);
        json!({ "ok": true })
    }

    /// Presses the button that opens the form which somebody was offered last, unless it is open already.
    fn open_form(&self, _: &Story, user: &str) {
        let offered = {
            let mut world = self.discord.shared.world();
            let id = world.user(user);
            let mine =
                |m: &&super::world::Message| m.only_for == Some(id) || world.channels[&m.channel].with == Some(id);
            let offers = |m: &super::world::Message| {
                let rows = m.components.iter().flat_map(|row| row["components"].as_array().into_iter().flatten());
                rows.filter_map(|button| button["custom_id"].as_str()).find(|id| *id == OPENS).map(|_| m.id)
            };
            let last = world.messages.values().rev().filter(mine).find(|m| m.modal.is_some() || offers(m).is_some());
            last.filter(|m| m.modal.is_none()).and_then(offers)
        };
        if let Some(message) = offered {
            self.discord.press(user, message, OPENS);
        }
    }

    fn settle(&self, story: &Story) {
        Console.settle(story);
    }

    fn messages(&self, _: &Story) -> Vec<Value> {
        self.discord.shared.world().said()
    }

    fn person(&self, user: &str) -> String {
        user.parse().map_or_else(|_| user.to_owned(), |id| self.discord.shared.world().name(id))
    }

    fn complaints(&self) -> Vec<String> {
        self.discord.complaints()
    }
}
