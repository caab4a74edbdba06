//! A neutral message as Discord shows it: embeds with a colour by level, buttons, one attached picture.
//!
//! Pure. The limits are Discord's: 6,000 characters over all embeds, 4,096 in a description, 256 in a title, 25 fields of
//! 256 and 1,024, 10 embeds, 5 rows of 5 buttons, 100 characters of a button's id and 80 of its label.

mod body;
mod buttons;
#[cfg(test)]
mod tests;
pub mod text;

pub use buttons::{FORM, OPEN_FORM, button_of};
pub use text::{Users, length};

use serde_json::{Value, json};

use crate::message::{Block, Level, Mark, Message};

/// The name of an attached picture and of the whole text of a shortened message.
pub const PICTURE: &str = "picture.png";
pub const WHOLE: &str = "all.txt";

/// Where the message stands, which decides what a shortened list refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the channel: the whole is in the thread.
    Channel,
    /// In a thread or private: the whole is attached.
    Thread,
}

/// What is sent, apart from the bytes of files.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    pub content: String,
    pub embeds: Vec<Value>,
    pub components: Vec<Value>,
    /// The only users who are rung.
    pub rings: Vec<String>,
    /// The attached picture: the id of a stored one, and what it shows.
    pub picture: Option<(String, String)>,
    /// The whole text, where the message says less.
    pub whole: Option<String>,
}

pub fn render(message: &Message, place: Place, users: &Users) -> Rendered {
    let rings = rings(message, users);
    let content: Vec<String> = rings.iter().map(|user| format!("<@{user}>")).collect();
    let body = body::embeds(message, place, users);
    Rendered {
        content: content.join(" "),
        embeds: body.embeds,
        components: buttons::rows(message),
        rings,
        picture: body.picture,
        whole: (body.shortened && place == Place::Thread).then(|| message.text()),
    }
}

impl Rendered {
    /// The request's body, with what describes the attached files; files are numbered in this order.
    pub fn payload(&self, with_picture: bool) -> Value {
        let mut embeds = self.embeds.clone();
        let mut attachments = Vec::new();
        let mut attach = |name: &str, says: &str| {
            // A snowflake, by its description: text.
            let id = attachments.len().to_string();
            attachments.push(json!({ "id": id, "filename": name, "description": text::clean(says, 1_000) }));
        };
        match &self.picture {
            Some((_, alt)) if with_picture => attach(PICTURE, alt),
            // Without the picture its words stand there.
            Some((_, alt)) => {
                for embed in embeds.iter_mut().filter_map(Value::as_object_mut) {
                    if embed.remove("image").is_some() && !embed.contains_key("description") {
                        let says = text::escape(&text::clean(alt, 200));
                        let says = if says.trim().is_empty() { body::BLANK.to_owned() } else { says };
                        embed.insert("description".to_owned(), json!(says));
                    }
                }
            }
            None => {}
        }
        if self.whole.is_some() {
            attach(WHOLE, "The whole text");
        }
        json!({
            "content": self.content,
            "embeds": embeds,
            "components": self.components,
            "attachments": attachments,
            "allowed_mentions": { "parse": [], "users": self.rings },
        })
    }
}

/// Those who are rung: people of ours in a message that wants a word from them.
fn rings(message: &Message, users: &Users) -> Vec<String> {
    let urgent = |mark: Mark| matches!(mark, Mark::Caution | Mark::Critical | Mark::Alert | Mark::Window);
    let mut lines = message.blocks.iter().filter_map(|block| match block {
        Block::Line(line) => Some(line),
        _ => None,
    });
    let first = lines.clone().next().and_then(|line| line.mark);
    if !matches!(message.level, Level::Caution | Level::Critical) && !first.is_some_and(urgent) {
        return Vec::new();
    }
    let mut found: Vec<String> = Vec::new();
    for span in lines.by_ref().flat_map(|line| &line.spans) {
        if let Some(user) = span.person.as_ref().and_then(|person| users.get(person))
            && !found.contains(user)
            && found.len() < 50
        {
            found.push(user.clone());
        }
    }
    found
}

fn colour(level: Level) -> u32 {
    match level {
        Level::Quiet => 0x006b_7280,
        Level::Info => 0x003b_82f6,
        Level::Good => 0x0022_a06b,
        Level::Caution => 0x00d9_8e04,
        Level::Critical => 0x00d1_242f,
    }
}
