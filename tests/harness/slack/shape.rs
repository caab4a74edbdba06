//! What was said on Slack, in the shape in which the console tells it, so that a story's assertions hold on both.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::act::form_of;
use super::world::{BOT, Message, View, World};

impl World {
    /// Everything that the bot said, and the forms that it opened, by their last change.
    pub fn said(&self) -> Vec<Value> {
        let messages = self.messages.values().filter(|message| message.author == BOT).map(|m| (m.seq, self.shape(m)));
        let views = self.views.iter().filter(|view| view.open).map(|view| (view.seq, self.form(view)));
        let mut said: Vec<(u64, Value)> = messages.chain(views).collect();
        said.sort_by_key(|(seq, _)| *seq);
        said.into_iter().map(|(_, value)| value).collect()
    }

    fn shape(&self, message: &Message) -> Value {
        let direct = self.direct.iter().find(|(_, channel)| **channel == message.channel).map(|(user, _)| user);
        let only_for = message.only_for.as_ref().or(direct).map(|user| self.name(user));
        let mut reactions: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut seeded = Vec::new();
        for (name, users) in &message.reactions {
            let plain = name.split("::").next().unwrap_or(name).to_owned();
            let people = users.iter().filter(|user| *user != BOT).map(|user| self.name(user));
            reactions.entry(plain.clone()).or_default().extend(people);
            if users.iter().any(|user| user == BOT) {
                seeded.push(plain);
            }
        }
        let elements = message.blocks.iter().filter(|block| block["type"] == "actions");
        let buttons: Vec<Value> = elements
            .flat_map(|block| block["elements"].as_array().cloned().unwrap_or_default())
            .filter(|element| element["action_id"] != "form")
            .map(|element| json!({ "id": element["value"], "says": element["text"]["text"] }))
            .collect();
        let image = message.blocks.iter().find_map(|block| block["slack_file"]["id"].as_str());
        json!({
            "id": message.ts,
            "seq": message.seq,
            "channel": "deploys",
            "thread": message.thread,
            "for": only_for,
            "author": self.name(&message.author),
            "text": self.text(message),
            "message": { "buttons": buttons, "reactions": seeded },
            "form": null,
            "image": image,
            "reactions": reactions,
            "edited": message.edited,
        })
    }

    fn form(&self, view: &View) -> Value {
        let fields: Vec<Value> = view.view["blocks"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|block| block["type"] == "input")
            .map(|block| {
                let element = &block["element"];
                let kind = match (element["type"].as_str().unwrap_or_default(), element["multiline"] == true) {
                    ("static_select", _) => "select",
                    ("multi_static_select", _) => "person",
                    ("checkboxes", _) => "check",
                    (_, true) => "long",
                    _ => "text",
                };
                let options: Vec<Value> = element["options"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|option| json!({ "value": option["value"], "says": option["text"]["text"] }))
                    .collect();
                let chosen = element["initial_options"]
                    .as_array()
                    .map(|all| all.iter().filter_map(|option| option["value"].as_str()).collect::<Vec<_>>().join(", "));
                let value = element["initial_value"]
                    .as_str()
                    .or_else(|| element["initial_option"]["value"].as_str())
                    .map_or_else(|| chosen.unwrap_or_default(), str::to_owned);
                json!({ "name": block["block_id"], "kind": kind, "label": block["label"]["text"], "value": value,
                    "options": options, "required": block["optional"] != true })
            })
            .collect();
        let title = view.view["title"]["text"].clone();
        let sections = view.view["blocks"].as_array().into_iter().flatten().filter(|block| block["type"] == "section");
        let says: Vec<String> = sections.map(|block| self.said_in(&block["text"])).collect();
        json!({
            "id": view.ts, "seq": view.seq, "channel": "deploys", "thread": null, "for": self.name(&view.user),
            "author": "tidegate", "text": title, "message": { "buttons": [], "reactions": [] },
            "form": { "id": form_of(&view.view), "title": title, "says": says.join("\n"), "fields": fields }, "image": null, "reactions": {},
            "edited": 0,
        })
    }

    /// The words of a message without what only lays them out.
    fn text(&self, message: &Message) -> String {
        if message.blocks.is_empty() {
            return self.plain(&message.text);
        }
        let mut lines: Vec<String> = Vec::new();
        let mut header = false;
        for block in &message.blocks {
            let kind = block["type"].as_str().unwrap_or_default();
            match kind {
                "header" => lines.push(block["text"]["text"].as_str().unwrap_or_default().to_owned()),
                "section" => lines.push(self.said_in(&block["text"])),
                "context" => {
                    let said: Vec<String> =
                        block["elements"].as_array().into_iter().flatten().map(|e| self.said_in(e)).collect();
                    match lines.last_mut().filter(|_| header) {
                        // What stands small under a title stands behind it on the console.
                        Some(title) => title.push_str(&format!(" · {}", said.join(" "))),
                        None => lines.push(said.join(" ")),
                    }
                }
                "image" => lines.push(block["alt_text"].as_str().unwrap_or_default().to_owned()),
                _ => {}
            }
            header = kind == "header";
        }
        lines.join("\n")
    }

    fn said_in(&self, text: &Value) -> String {
        let said = text["text"].as_str().unwrap_or_default();
        if text["type"] == "mrkdwn" { self.plain(said) } else { said.to_owned() }
    }

    /// Slack's markup as it reads: people by name, links by their words, signs that lay out gone.
    fn plain(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('<') {
            out.push_str(&laid(before));
            let Some((inner, after)) = after.split_once('>') else { break };
            let (what, label) = inner.split_once('|').unwrap_or((inner, ""));
            match what.chars().next() {
                Some('@') => out.push_str(&format!("@{}", self.name(&what[1..]))),
                Some('!' | '#') => out.push_str(label),
                _ if label.is_empty() => out.push_str(what),
                _ => out.push_str(&laid(label)),
            }
            rest = after;
        }
        out.push_str(&laid(rest));
        let said = out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        said.lines()
            .map(|line| line.strip_prefix('>').map_or(line.to_owned(), |q| format!("> {q}")))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Without the signs for bold and listings; look-alikes that stand for typed ones are those again. A backtick stays: the
/// console shows one where somebody typed one.
fn laid(text: &str) -> String {
    let text = text.replace("```", "").replace('*', "");
    text.replace('∗', "*").replace('ˍ', "_").replace('∼', "~").replace('ˋ', "`").replace('꞉', ":").replace('›', ">")
}
