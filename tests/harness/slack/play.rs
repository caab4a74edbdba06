//! Stories on the pretend Slack.

use serde_json::{Value, json};

use super::world::{HOME, TEAM, id_of};
use super::{APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Slack};
use crate::harness::Story;
use crate::harness::stage::{Console, Stage};

/// A story's Slack.
pub struct Play {
    pub slack: std::sync::Arc<Slack>,
    /// More settings of the workspace.
    more: String,
}

impl Play {
    pub fn open() -> Play {
        Play { slack: std::sync::Arc::new(Slack::open()), more: String::new() }
    }

    /// With more settings behind `[[chat.slack.workspace]]`.
    pub fn and(mut self, more: &str) -> Play {
        self.more.push_str(more);
        self
    }
}

impl Stage for Play {
    fn settings(&self, settings: &str) -> String {
        let mut out = String::new();
        let mut of = None;
        for line in settings.lines() {
            let line = line.trim();
            if line.starts_with('[') {
                of = line.strip_prefix("[people.").and_then(|rest| rest.strip_suffix(']'));
            }
            // Guests, bots and the deactivated are such on the platform, which has to tell it.
            if let Some((person, kind)) = of.zip(line.strip_prefix("kind = ")) {
                let mut world = self.slack.shared.world();
                let id = world.user(person);
                let user = world.users.get_mut(&id).unwrap();
                match kind.trim_matches('"') {
                    "guest" => user.guest = true,
                    "bot" => user.bot = true,
                    "deactivated" => user.deleted = true,
                    other => panic!("{person} is a {other}"),
                }
                continue;
            }
            out.push_str(line);
            out.push('\n');
            if let Some(person) = of.filter(|_| line.starts_with('[')) {
                self.slack.shared.world().user(person);
                out.push_str(&format!("slack = [\"{TEAM}/{}\"]\n", id_of(person)));
            }
        }
        let api = &self.slack.api;
        out.push_str(&format!("\n[chat.slack]\napi = \"{api}\"\n\n[[chat.slack.workspace]]\nteam = \"{TEAM}\"\n"));
        out.push_str(&format!("channel = \"{HOME}\"\nbot-token = {{ value = \"{BOT_TOKEN}\" }}\n"));
        out.push_str(&format!("app-token = {{ value = \"{APP_TOKEN}\" }}\n"));
        out.push_str(&format!("signing-secret = {{ value = \"{SIGNING_SECRET}\" }}\n{}", self.more));
        out
    }

    fn joined(&self) {
        self.slack.shared.until("the bot is connected twice", |world| (world.lines.len() >= 2).then_some(()));
    }

    fn command(&self, _: &Story, user: &str, text: &str) -> Value {
        self.slack.command(user, text);
        json!({ "ok": true })
    }

    fn react(&self, _: &Story, user: &str, message: &str, reaction: &str, remove: bool) {
        self.slack.react(user, message, reaction, remove);
    }

    fn reply(&self, _: &Story, user: &str, thread: &str, text: &str) {
        self.slack.write(user, thread, text);
    }

    fn press(&self, _: &Story, user: &str, message: &str, button: &str) -> Value {
        match self.slack.press(user, message, button) {
            true => json!({ "ok": true }),
            false => json!({ "errors": { "button": "That button is no longer there." } }),
        }
    }

    fn submit(&self, _: &Story, user: &str, form: &str, values: &Value) -> Value {
        self.slack.submit(user, form, values)
    }

    /// Presses the button that opens the form which somebody was offered last, unless one is open already.
    fn open_form(&self, story: &Story, user: &str) {
        let offered = {
            let mut world = self.slack.shared.world();
            let id = world.user(user);
            let offers = |m: &&super::world::Message| {
                let elements = m.blocks.iter().flat_map(|b| b["elements"].as_array().into_iter().flatten());
                m.only_for.as_ref() == Some(&id) && elements.into_iter().any(|e| e["action_id"] == "form")
            };
            let last = world.messages.values().rev().find(offers).map(|m| m.ts.clone());
            let open = world.views.iter().rev().find(|view| view.user == id && view.open).map(|view| view.ts.clone());
            last.filter(|ts| open.is_none_or(|open| open < *ts))
        };
        if let Some(message) = offered {
            self.slack.press(user, &message, "form");
            self.settle(story);
        }
    }

    fn settle(&self, story: &Story) {
        Console.settle(story);
    }

    fn messages(&self, _: &Story) -> Vec<Value> {
        self.slack.shared.world().said()
    }

    fn person(&self, user: &str) -> String {
        let bare = user.rsplit('/').next().unwrap_or(user);
        self.slack.shared.world().name(bare)
    }

    fn complaints(&self) -> Vec<String> {
        self.slack.complaints()
    }
}
