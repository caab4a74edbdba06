//! Where a story is played: on the console, or on a pretend platform. What people do and what was said have one shape.

use serde_json::{Value, json};

use super::{Story, discord, slack};

/// A chat that a story's people are on. Messages are told in the console's shape, with ids of the platform's own.
pub trait Stage: Send {
    /// The settings with this chat added, its people known on it by `name`.
    fn settings(&self, settings: &str) -> String;

    /// Waits until the program is at home here.
    fn joined(&self) {}

    fn command(&self, story: &Story, user: &str, text: &str) -> Value;

    fn react(&self, story: &Story, user: &str, message: &str, reaction: &str, remove: bool);

    fn reply(&self, story: &Story, user: &str, thread: &str, text: &str);

    /// The answer: `errors` where there are any to be shown at once.
    fn press(&self, story: &Story, user: &str, message: &str, button: &str) -> Value;

    fn submit(&self, story: &Story, user: &str, form: &str, values: &Value) -> Value;

    /// Shows a form that is offered to somebody but not yet open.
    fn open_form(&self, _: &Story, _user: &str) {}

    /// Waits until nothing is left to do.
    fn settle(&self, story: &Story);

    /// Everything that was said, by its last change.
    fn messages(&self, story: &Story) -> Vec<Value>;

    /// The name of the person whom the platform calls so.
    fn person(&self, user: &str) -> String {
        user.to_owned()
    }

    /// The program was killed: what it owed somebody at that moment it cannot give any more.
    fn killed(&self) {}

    /// What the platform would have refused.
    fn complaints(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The stage that `TIDEGATE_TEST_CHAT` names: `console`, which is the default, `slack` or `discord`.
pub fn chosen() -> Box<dyn Stage> {
    match chat().as_str() {
        "console" => Box::new(Console),
        "slack" => Box::new(slack::Play::open()),
        "discord" => Box::new(discord::Play::open()),
        other => panic!("TIDEGATE_TEST_CHAT is `console`, `slack` or `discord`, not `{other}`"),
    }
}

pub fn chat() -> String {
    std::env::var("TIDEGATE_TEST_CHAT").unwrap_or_else(|_| "console".to_owned())
}

/// Whether this run is about the console; a story about the console as such is not played elsewhere.
pub fn is_console() -> bool {
    chat() == "console"
}

/// The built-in chat, by its own API.
pub struct Console;

impl Stage for Console {
    fn settings(&self, settings: &str) -> String {
        settings.to_owned()
    }

    fn command(&self, story: &Story, user: &str, text: &str) -> Value {
        story.post("/console/api/command", &json!({ "user": user, "channel": "deploys", "text": text }))
    }

    fn react(&self, story: &Story, user: &str, message: &str, reaction: &str, remove: bool) {
        let body = json!({ "user": user, "message": message, "reaction": reaction, "remove": remove });
        story.post("/console/api/react", &body);
    }

    fn reply(&self, story: &Story, user: &str, thread: &str, text: &str) {
        story.post("/console/api/reply", &json!({ "user": user, "thread": thread, "text": text }));
    }

    fn press(&self, story: &Story, user: &str, message: &str, button: &str) -> Value {
        story.post("/console/api/press", &json!({ "user": user, "message": message, "button": button }))
    }

    fn submit(&self, story: &Story, user: &str, form: &str, values: &Value) -> Value {
        story.post("/console/api/submit", &json!({ "user": user, "form": form, "values": values }))
    }

    fn settle(&self, story: &Story) {
        let answer = story.get("/console/api/settled");
        assert_eq!(answer["ok"], true, "{answer} {}", story.log());
    }

    fn messages(&self, story: &Story) -> Vec<Value> {
        let mut all = Vec::new();
        let mut after = 0;
        loop {
            let page = story.get(&format!("/console/api/messages?channel=deploys&after={after}"));
            let found = page["messages"].as_array().unwrap().clone();
            if found.is_empty() {
                return all;
            }
            after = page["seq"].as_i64().unwrap();
            all.extend(found);
        }
    }
}
