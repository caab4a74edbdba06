//! What was said on Discord, in the shape in which the console tells it, so that a story's assertions hold on both.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::world::{BOT, Message, Modal, World};

/// The names that stories use, which are the settings' and Slack's, and Discord's emoji for them.
const EMOJI: &[(&str, &str)] = &[
    ("white_check_mark", "✅"),
    ("no_entry", "⛔"),
    ("raised_hand", "✋"),
    ("rocket", "🚀"),
    ("checkered_flag", "🏁"),
    ("rewind", "⏪"),
    ("eyes", "👀"),
    ("tada", "🎉"),
];

/// The emoji of a reaction's name; `::skin-tone-2` and the like are the signs after it.
pub fn emoji(name: &str) -> String {
    let (name, tone) = name.split_once("::").unwrap_or((name, ""));
    let found = EMOJI.iter().find(|(known, _)| *known == name);
    let plain = found.unwrap_or_else(|| panic!("no emoji is known for {name}")).1;
    let tone = tone.strip_prefix("skin-tone-").and_then(|tone| tone.parse::<u32>().ok());
    let tone = tone.and_then(|tone| char::from_u32(0x1f3fb + tone - 2)).map(String::from).unwrap_or_default();
    format!("{plain}{tone}")
}

fn name(emoji: &str) -> String {
    let plain: String = emoji.chars().filter(|c| !matches!(c, '\u{1f3fb}'..='\u{1f3ff}' | '\u{fe0f}')).collect();
    let found = EMOJI.iter().find(|(_, known)| *known == plain);
    found.map_or_else(|| emoji.to_owned(), |(name, _)| (*name).to_owned())
}

impl World {
    /// Everything that the bot said, by its last change. That it noted what somebody did is no more than Discord wants.
    pub fn said(&self) -> Vec<Value> {
        let only_noted =
            |m: &&Message| m.only_for.is_some() && m.content.starts_with(tidegate::wording::discord::NOTED);
        let said = self.messages.values().filter(|message| message.author == BOT && !only_noted(message));
        let mut said: Vec<&Message> = said.collect();
        said.sort_by_key(|message| message.seq);
        said.into_iter().map(|message| self.shape(message)).collect()
    }

    fn shape(&self, message: &Message) -> Value {
        let channel = &self.channels[&message.channel];
        let only_for = message.only_for.or(channel.with).map(|user| self.name(user));
        let mut reactions: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut seeded = Vec::new();
        for (emoji, users) in &message.reactions {
            let people = users.iter().filter(|user| **user != BOT).map(|user| self.name(*user));
            reactions.entry(name(emoji)).or_default().extend(people);
            if users.contains(&BOT) {
                seeded.push(name(emoji));
            }
        }
        let buttons = message.components.iter().flat_map(|row| row["components"].as_array().into_iter().flatten());
        let buttons = buttons.filter(|component| component["type"] == 2);
        json!({
            "id": message.id.to_string(),
            "seq": message.seq,
            "channel": channel.name,
            "thread": channel.parent.map(|_| channel.id.to_string()),
            "for": only_for,
            "author": self.name(message.author),
            "text": self.text(message),
            "message": {
                "buttons": buttons.map(|b| json!({ "id": b["custom_id"], "says": b["label"] })).collect::<Vec<_>>(),
                "reactions": seeded,
            },
            "form": message.modal.as_ref().map(form),
            "image": message.embeds.iter().find_map(|embed| embed["image"]["url"].as_str()),
            "reactions": reactions,
            "edited": message.edited,
        })
    }

    /// The words of a message without what only lays them out.
    fn text(&self, message: &Message) -> String {
        if let Some(modal) = &message.modal {
            return modal.title.clone();
        }
        let mut lines = Vec::new();
        // Names in front of an embed ring; they are said in it again.
        let rings = |word: &str| word.starts_with("<@") && word.ends_with('>');
        if message.embeds.is_empty() || !message.content.split_whitespace().all(rings) {
            lines.push(self.plain(&message.content));
        }
        for embed in &message.embeds {
            let said = |field: &Value| field.as_str().map(|text| self.plain(text)).filter(|text| !text.is_empty());
            let (title, description) = (said(&embed["title"]), said(&embed["description"]));
            let context = embed["description"].as_str().is_some_and(|text| text.starts_with("-# "));
            match (title, description) {
                // What stands small under a title stands behind it on the console.
                (Some(title), Some(description)) if context => lines.push(format!("{title} · {description}")),
                (title, description) => lines.extend(title.into_iter().chain(description)),
            }
            for field in embed["fields"].as_array().into_iter().flatten() {
                let [name, value] = [&field["name"], &field["value"]].map(|text| said(text).unwrap_or_default());
                lines.push(format!("{name}: {value}"));
            }
            lines.extend(said(&embed["footer"]["text"]));
        }
        lines.extend(message.texts.values().cloned());
        lines.join("\n")
    }

    /// Markdown as it reads: signs that lay out are gone, escaped ones stand, people have their names.
    pub fn plain(&self, text: &str) -> String {
        let mut out = String::new();
        for (i, line) in text.lines().filter(|line| !line.starts_with("```")).enumerate() {
            if i > 0 {
                out.push('\n');
            }
            self.plain_line(line.strip_prefix("-# ").unwrap_or(line), &mut out);
        }
        out
    }

    fn plain_line(&self, line: &str, out: &mut String) {
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            rest = after;
            match c {
                '\\' => {
                    let escaped = after.chars().next().unwrap_or('\\');
                    out.push(escaped);
                    rest = &after[escaped.len_utf8().min(after.len())..];
                }
                '*' | '`' | '\u{200b}' | '\u{2800}' => {}
                '<' => match self.reference(after) {
                    Some((said, length)) => {
                        out.push_str(&said);
                        rest = &after[length..];
                    }
                    None => out.push('<'),
                },
                // `[words](<address>)`
                ']' if after.starts_with('(') => {
                    let end = after.find(')').map_or(after.len(), |end| end + 1);
                    rest = &after[end..];
                }
                '[' => {}
                c => out.push(c),
            }
        }
    }

    /// `@1234>` as a name, `t:1700000000:f>` as a moment in the team's zone; and how long it was.
    fn reference(&self, text: &str) -> Option<(String, usize)> {
        let (inside, _) = text.split_once('>')?;
        let length = inside.len() + 1;
        if let Some(user) = inside.strip_prefix('@') {
            return Some((format!("@{}", self.name(user.parse().ok()?)), length));
        }
        let seconds: i64 = inside.strip_prefix("t:")?.split(':').next()?.parse().ok()?;
        let at = chrono::DateTime::from_timestamp(seconds, 0)?.with_timezone(&chrono_tz::America::Los_Angeles);
        Some((at.format("%a %-d %b %H:%M").to_string(), length))
    }
}

/// A modal as the console's form.
pub fn form(modal: &Modal) -> Value {
    let field = |component: &Value, label: &Value| {
        let kind = match (component["type"].as_u64(), component["style"].as_u64()) {
            (Some(3), _) => "select",
            (_, Some(2)) => "long",
            _ => "text",
        };
        let options = component["options"].as_array().into_iter().flatten();
        let chosen = options.clone().find(|option| option["default"] == true).map(|option| option["value"].clone());
        json!({
            "name": component["custom_id"],
            "kind": kind,
            "label": label,
            "hint": component["placeholder"],
            "value": chosen.or_else(|| component.get("value").cloned()).unwrap_or(json!("")),
            "options": options.map(|o| json!({ "value": o["value"], "says": o["label"] })).collect::<Vec<_>>(),
        })
    };
    let fields: Vec<Value> = modal
        .components
        .iter()
        .flat_map(|row| match row["component"].is_object() {
            true => vec![field(&row["component"], &row["label"])],
            false => row["components"].as_array().into_iter().flatten().map(|c| field(c, &c["label"])).collect(),
        })
        .collect();
    let texts = modal.components.iter().filter(|row| row["type"] == 10);
    let says: Vec<&str> = texts.filter_map(|row| row["content"].as_str()).collect();
    json!({ "id": modal.form(), "title": modal.title, "says": says.join("\n").replace('\\', ""), "fields": fields })
}

#[test]
fn markdown_reads_as_the_words_that_it_shows() {
    let mut world = World::new("t");
    let ada = world.user("ada");
    let shown = format!("-# **Risk** \\*low\\* `a_b` <@{ada}> [PR 7](<https://x.example/7>) @\u{200b}here");
    assert_eq!(world.plain(&shown), "Risk *low* a_b @ada PR 7 @here");
    assert_eq!(world.plain("at <t:1700000000:f>"), "at Tue 14 Nov 14:13");
    assert_eq!(emoji("white_check_mark::skin-tone-2"), "✅🏻");
    assert_eq!(name("✅🏻"), "white_check_mark");
}
