//! What Slack sends, read into what is to be done; pure.
//!
//! Shapes: <https://docs.slack.dev/reference/events>, <https://docs.slack.dev/reference/interaction-payloads>. Everything is
//! hostile until it was read here: ids are letters and digits, texts are bounded, other workspaces are refused.

use std::collections::BTreeMap;

use serde_json::Value;

use super::form::{self, Carried};
use super::render::is_id;
use crate::clock::Time;
use crate::event::{Event, From};
use crate::name::Channel;

/// How a payload came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Command,
    Event,
    Interaction,
}

/// The bot itself, in one workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Me {
    pub user: String,
    pub bot: String,
}

/// What is known while reading.
pub struct Known<'a> {
    /// The workspace, and the bot in it.
    pub team: &'a str,
    pub me: &'a Me,
    /// The command's name, with its slash.
    pub command: &'a str,
    /// The person behind a user of this workspace, as commands name them.
    pub person: &'a dyn Fn(&str) -> Option<String>,
    /// Where things are said that began in no channel.
    pub home: &'a str,
    pub now: Time,
}

#[derive(Clone, Debug)]
pub enum Arrived {
    Nothing,
    /// To be stored as it is; `press` holds what opened it where a form may be wanted first.
    Event {
        event: Box<Event>,
        lane: String,
        key: String,
        trigger: Option<String>,
    },
    /// A button asks for its form.
    Open {
        from: From,
        seed: String,
        trigger: String,
    },
    /// A message is asked about.
    Ask {
        from: From,
        about: String,
        trigger: String,
    },
    Submitted {
        from: From,
        carried: Carried,
        values: BTreeMap<String, String>,
        shown: Value,
        key: String,
    },
    /// Somebody types in a field of a form that offers values.
    Typing {
        user: String,
        form: String,
        field: String,
        typed: String,
        beside: BTreeMap<String, String>,
    },
    /// Somebody looks at the App Home.
    Home {
        user: String,
    },
}

/// The workspace that a payload is from, before anything else is read.
pub fn team(wire: Wire, payload: &Value) -> Option<&str> {
    let id = match wire {
        Wire::Command | Wire::Event => payload["team_id"].as_str(),
        // An app of a whole organisation has no team of its own.
        Wire::Interaction => payload["team"]["id"].as_str().or_else(|| payload["user"]["team_id"].as_str()),
    };
    id.filter(|id| is_id(id))
}

pub fn read(wire: Wire, payload: &Value, known: &Known<'_>) -> Arrived {
    let read = match wire {
        Wire::Command => command(payload, known),
        Wire::Event => event(payload, known),
        Wire::Interaction => interaction(payload, known),
    };
    read.unwrap_or(Arrived::Nothing)
}

fn command(payload: &Value, known: &Known<'_>) -> Option<Arrived> {
    let user = id(&payload["user_id"])?;
    let mut from = known.from(user, id(&payload["channel_id"])?);
    from.answer = address(&payload["response_url"]);
    let trigger = payload["trigger_id"].as_str().filter(|t| !t.is_empty() && t.len() <= 200)?;
    let typed = words(&said(&payload["text"]), known.person);
    let event = Event::Command { from, text: format!("{} {typed}", known.command).trim().to_owned(), at: known.now };
    Some(known.event(event, user, format!("slack:{trigger}"), Some(trigger.to_owned())))
}

fn event(payload: &Value, known: &Known<'_>) -> Option<Arrived> {
    let key = format!("slack:{}", payload["event_id"].as_str().filter(|id| !id.is_empty() && id.len() <= 100)?);
    let event = &payload["event"];
    match event["type"].as_str()? {
        kind @ ("reaction_added" | "reaction_removed") => {
            let user = known.somebody(event)?;
            let item = &event["item"];
            // Only our own messages are anything to us; forged copies of a card are not ours.
            if item["type"] != "message" || event["item_user"].as_str().is_some_and(|by| by != known.me.user) {
                return None;
            }
            let channel = id(&item["channel"])?;
            let reacted = Event::Reacted {
                from: known.from(user, channel),
                message: known.message(channel, &item["ts"])?,
                reaction: event["reaction"].as_str().filter(|name| is_reaction(name))?.to_owned(),
                removed: kind == "reaction_removed",
                read_back: false,
                at: known.now,
            };
            Some(known.event(reacted, user, key, None))
        }
        "message" => message(event, key, known),
        "app_mention" => {
            let user = known.somebody(event)?;
            let text = said(&event["text"]);
            let typed = after_mention(&text, &known.me.user)?;
            let from = known.from(user, id(&event["channel"])?);
            let text = format!("{} {}", known.command, words(typed, known.person)).trim().to_owned();
            Some(known.event(Event::Command { from, text, at: known.now }, user, key, None))
        }
        "app_home_opened" if event["tab"] == "home" => Some(Arrived::Home { user: id(&event["user"])?.to_owned() }),
        _ => None,
    }
}

fn message(event: &Value, key: String, known: &Known<'_>) -> Option<Arrived> {
    let channel = id(&event["channel"])?;
    match event["subtype"].as_str() {
        Some("message_deleted") => {
            let before = &event["previous_message"];
            let ours = before["user"] == known.me.user.as_str()
                || (!known.me.bot.is_empty() && before["bot_id"] == known.me.bot.as_str());
            let message = known.message(channel, &event["deleted_ts"]).filter(|_| ours)?;
            let lane = format!("vanished:{message}");
            let event = Event::Vanished { platform: "slack".to_owned(), message, at: known.now };
            Some(Arrived::Event { event: Box::new(event), lane, key, trigger: None })
        }
        // What is said elsewhere than in a thread of ours is not kept.
        None | Some("thread_broadcast" | "file_share") => {
            let user = known.somebody(event)?;
            let thread = &event["thread_ts"];
            let elsewhere = event["parent_user_id"].as_str().is_some_and(|by| by != known.me.user);
            let text = said(&event["text"]);
            // A mention comes a second time, as one.
            if *thread == event["ts"] || elsewhere || after_mention(&text, &known.me.user).is_some() {
                return None;
            }
            let replied = Event::Replied {
                from: known.from(user, channel),
                thread: known.message(channel, thread)?,
                text: words(&text, known.person),
                message: known.message(channel, &event["ts"]),
                edited: false,
                at: known.now,
            };
            Some(known.event(replied, user, key, None))
        }
        Some("message_changed") => {
            let (now, before) = (&event["message"], &event["previous_message"]);
            let user = known.somebody(now)?;
            let thread = &now["thread_ts"];
            let elsewhere = now["parent_user_id"].as_str().is_some_and(|by| by != known.me.user);
            // A preview that unfolded is no edit, and nobody edits what another wrote.
            let by_its_author = now["edited"]["user"].as_str() == Some(user);
            if *thread == now["ts"] || elsewhere || now["text"] == before["text"] || !by_its_author {
                return None;
            }
            let replied = Event::Replied {
                from: known.from(user, channel),
                thread: known.message(channel, thread)?,
                text: words(&said(&now["text"]), known.person),
                message: known.message(channel, &now["ts"]),
                edited: true,
                at: known.now,
            };
            Some(known.event(replied, user, key, None))
        }
        Some(_) => None,
    }
}

fn interaction(payload: &Value, known: &Known<'_>) -> Option<Arrived> {
    let user = id(&payload["user"]["id"]).filter(|user| *user != known.me.user)?;
    let trigger = payload["trigger_id"].as_str().filter(|t| t.len() <= 200).unwrap_or_default().to_owned();
    let channel = id(&payload["channel"]["id"]).or_else(|| id(&payload["container"]["channel_id"]));
    let mut from = known.from(user, channel.unwrap_or(known.home));
    from.answer = address(&payload["response_url"]);
    match payload["type"].as_str()? {
        "block_actions" => {
            let action = &payload["actions"][0];
            let value = said(&action["value"]);
            if action["action_id"] == "form" {
                return Some(Arrived::Open { from, seed: value, trigger });
            }
            action["action_id"].as_str().filter(|id| id.starts_with("press:"))?;
            let ts = [&payload["container"]["message_ts"], &payload["message"]["ts"]];
            let message = ts.into_iter().find_map(|ts| known.message(channel?, ts)).unwrap_or_default();
            let at = action["action_ts"].as_str().unwrap_or_default();
            let key = format!("slack:press:{trigger}:{}", if at.len() <= 40 { at } else { "" });
            let pressed = Event::Pressed { from, message, button: value, at: known.now };
            Some(known.event(pressed, user, key, Some(trigger)))
        }
        "view_submission" if payload["view"]["callback_id"] == "form" => {
            let view = &payload["view"];
            let carried: Carried = serde_json::from_str(view["private_metadata"].as_str()?).ok()?;
            from.channel = known.channel(Some(carried.channel.as_str()).filter(|c| is_id(c)).unwrap_or(known.home));
            from.answer.clone_from(&carried.answer);
            let key = format!("slack:view:{}", id(&view["id"])?);
            let values = form::values(&view["state"]);
            let values = values.into_iter().map(|(name, value)| (name, value.replace('\0', ""))).collect();
            Some(Arrived::Submitted { from, carried, values, shown: view["blocks"].clone(), key })
        }
        "block_suggestion" => {
            let view = &payload["view"];
            let carried: Carried = serde_json::from_str(view["private_metadata"].as_str()?).ok()?;
            Some(Arrived::Typing {
                user: from.user,
                form: carried.form,
                field: payload["block_id"].as_str()?.to_owned(),
                typed: said(&payload["value"]).chars().take(200).collect(),
                beside: form::values(&view["state"]),
            })
        }
        "message_action" | "shortcut" => {
            let about = words(&said(&payload["message"]["text"]), known.person).chars().take(500).collect();
            Some(Arrived::Ask { from, about, trigger })
        }
        _ => None,
    }
}

impl Known<'_> {
    fn channel(&self, channel: &str) -> Channel {
        Channel::new(format!("{}/{channel}", self.team))
    }

    fn from(&self, user: &str, channel: &str) -> From {
        From::new("slack", format!("{}/{user}", self.team), self.channel(channel))
    }

    fn message(&self, channel: &str, ts: &Value) -> Option<String> {
        let ts = ts.as_str().filter(|ts| is_ts(ts))?;
        Some(format!("{}/{channel}/{ts}", self.team))
    }

    /// Who did it: neither we nor another bot.
    fn somebody<'v>(&self, event: &'v Value) -> Option<&'v str> {
        id(&event["user"]).filter(|user| *user != self.me.user && event["bot_id"].is_null())
    }

    fn event(&self, event: Event, user: &str, key: String, trigger: Option<String>) -> Arrived {
        Arrived::Event { event: Box::new(event), lane: format!("person:slack:{}/{user}", self.team), key, trigger }
    }
}

fn id(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| is_id(text))
}

/// `1712345678.000100`.
pub fn is_ts(text: &str) -> bool {
    text.len() <= 32 && text.contains('.') && text.chars().all(|c| c.is_ascii_digit() || c == '.')
}

fn is_reaction(name: &str) -> bool {
    !name.is_empty() && name.len() <= 100 && !name.chars().any(|c| c.is_control() || c.is_whitespace())
}

fn address(value: &Value) -> Option<String> {
    value.as_str().filter(|url| url.starts_with("http") && url.len() <= 1_000).map(str::to_owned)
}

/// A text without U+0000, which the store cannot keep; far longer ones than any command are cut.
fn said(value: &Value) -> String {
    value.as_str().unwrap_or_default().chars().filter(|c| *c != '\0').take(20_000).collect()
}

fn after_mention<'t>(text: &'t str, me: &str) -> Option<&'t str> {
    let rest = text.trim_start().strip_prefix("<@")?.strip_prefix(me)?;
    match rest.strip_prefix('>') {
        Some(rest) => Some(rest),
        None => rest.strip_prefix('|')?.split_once('>').map(|(_, rest)| rest),
    }
}

/// Slack's text as it was typed: `<@U1>` is the person, a link its address, `&amp;` an ampersand.
fn words(text: &str, person: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let Some((inner, after)) = after.split_once('>') else {
            out.push('<');
            rest = after;
            continue;
        };
        let (what, label) = inner.split_once('|').unwrap_or((inner, ""));
        match what.chars().next() {
            Some('@') => match person(&what[1..]) {
                Some(name) => out.extend(["@", &name]),
                None => out.extend(["@", if label.is_empty() { &what[1..] } else { label }]),
            },
            Some('#') => out.extend(["#", if label.is_empty() { &what[1..] } else { label }]),
            Some('!') => out.push_str(label),
            _ if what.starts_with("mailto:") || what.starts_with("tel:") => out.push_str(label),
            _ => out.push_str(what),
        }
        rest = after;
    }
    out.push_str(rest);
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(wire: Wire, payload: Value) -> Arrived {
        let me = Me { user: "UBOT".into(), bot: "BBOT".into() };
        let person = |user: &str| (user == "U0ADA").then(|| "ada".to_owned());
        let known =
            Known { team: "T1", me: &me, command: "/deploy", person: &person, home: "CHOME", now: Time::from_ms(0) };
        read(wire, &payload, &known)
    }

    fn is_nothing(arrived: Arrived) -> bool {
        matches!(arrived, Arrived::Nothing)
    }

    fn stored(arrived: Arrived) -> (Event, String, String) {
        match arrived {
            Arrived::Event { event, lane, key, .. } => (*event, lane, key),
            other => panic!("{other:?}"),
        }
    }

    fn event(event: Value) -> Value {
        json!({ "type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event })
    }

    #[test]
    fn a_command_is_what_was_typed() {
        let payload = json!({ "user_id": "U0ADA", "channel_id": "C1", "trigger_id": "1.2.x", "team_id": "T1",
            "command": "/deploy", "text": "plan checkout --watch <@U0ADA|ada> --why \"a &amp; b\" <https://x.example/1|x>",
            "response_url": "https://hooks.slack.com/commands/1" });
        let (event, lane, key) = stored(of(Wire::Command, payload));
        let Event::Command { from, text, .. } = event else { panic!() };
        assert_eq!(text, "/deploy plan checkout --watch @ada --why \"a & b\" https://x.example/1");
        assert_eq!((from.user.as_str(), from.channel.as_str()), ("T1/U0ADA", "T1/C1"));
        assert_eq!(from.answer.as_deref(), Some("https://hooks.slack.com/commands/1"));
        assert_eq!((lane.as_str(), key.as_str()), ("person:slack:T1/U0ADA", "slack:1.2.x"));
    }

    #[test]
    fn a_reaction_counts_on_our_message_by_others_alone() {
        let reacted = |user: &str, by: &str| {
            event(json!({ "type": "reaction_added", "user": user, "reaction": "white_check_mark::skin-tone-2",
                "item_user": by, "item": { "type": "message", "channel": "C1", "ts": "1.000100" } }))
        };
        let (event, ..) = stored(of(Wire::Event, reacted("U1", "UBOT")));
        assert!(matches!(event, Event::Reacted { message, removed: false, .. } if message == "T1/C1/1.000100"));
        assert!(is_nothing(of(Wire::Event, reacted("UBOT", "UBOT"))));
        assert!(is_nothing(of(Wire::Event, reacted("U1", "U2"))));
    }

    #[test]
    fn a_reply_in_our_thread_is_heard_and_other_talk_is_not() {
        let said = |more: Value| {
            let mut message =
                json!({ "type": "message", "user": "U1", "channel": "C1", "ts": "2.0", "text": "production" });
            message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            event(message)
        };
        let ours = json!({ "thread_ts": "1.0", "parent_user_id": "UBOT" });
        assert!(
            matches!(stored(of(Wire::Event, said(ours))).0, Event::Replied { thread, .. } if thread == "T1/C1/1.0")
        );
        let changed = |by: &str, editor: &str, before: &str, more: Value| {
            let mut now = json!({ "type": "message", "user": by, "text": "production", "ts": "2.0", "thread_ts": "1.0",
                "edited": { "user": editor, "ts": "3.0" } });
            now.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({ "subtype": "message_changed", "message": now, "previous_message": { "text": before, "ts": "2.0" } })
        };
        let edited = stored(of(Wire::Event, said(changed("U1", "U1", "staging", json!({}))))).0;
        assert!(matches!(edited, Event::Replied { edited: true, message: Some(of), .. } if of == "T1/C1/2.0"));
        for other in [
            json!({}),
            json!({ "thread_ts": "1.0", "parent_user_id": "U2" }),
            json!({ "thread_ts": "1.0", "bot_id": "B2" }),
            json!({ "thread_ts": "2.0" }),
            json!({ "thread_ts": "1.0", "subtype": "message_changed" }),
            json!({ "thread_ts": "1.0", "text": "<@UBOT> status" }),
            changed("U1", "U1", "production", json!({})),
            changed("U1", "U2", "staging", json!({})),
            changed("U1", "U1", "staging", json!({ "bot_id": "B2" })),
            changed("U1", "U1", "staging", json!({ "thread_ts": "2.0" })),
        ] {
            assert!(is_nothing(of(Wire::Event, said(other.clone()))), "{other}");
        }
    }

    #[test]
    fn a_mention_is_a_command() {
        let payload =
            event(json!({ "type": "app_mention", "user": "U1", "channel": "C1", "text": "<@UBOT> status checkout" }));
        assert!(
            matches!(stored(of(Wire::Event, payload)).0, Event::Command { text, .. } if text == "/deploy status checkout")
        );
    }

    #[test]
    fn a_deleted_message_of_ours_has_vanished() {
        let deleted = |by: &str| {
            event(json!({ "type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": "1.0",
                "previous_message": { "user": by, "ts": "1.0" } }))
        };
        assert!(
            matches!(stored(of(Wire::Event, deleted("UBOT"))).0, Event::Vanished { message, .. } if message == "T1/C1/1.0")
        );
        assert!(is_nothing(of(Wire::Event, deleted("U1"))));
    }

    #[test]
    fn a_button_a_form_and_a_shortcut_are_read() {
        let pressed = json!({ "type": "block_actions", "user": { "id": "U1" }, "team": { "id": "T1" }, "trigger_id": "9.9",
            "channel": { "id": "C1" }, "container": { "message_ts": "1.0" },
            "actions": [{ "action_id": "press:0", "value": "start checkout-87", "action_ts": "5.5" }] });
        let (event, _, key) = stored(of(Wire::Interaction, pressed));
        assert!(
            matches!(event, Event::Pressed { button, message, .. } if button == "start checkout-87" && message == "T1/C1/1.0")
        );
        assert_eq!(key, "slack:press:9.9:5.5");
        let carried = json!({ "form": "plan", "channel": "C2", "first": "service" }).to_string();
        let submitted = json!({ "type": "view_submission", "user": { "id": "U1" }, "team": { "id": "T1" },
            "view": { "id": "V1", "callback_id": "form", "private_metadata": &carried, "blocks": [],
                "state": { "values": { "service": { "v": { "value": "checkout" } } } } } });
        let Arrived::Submitted { from, values, .. } = of(Wire::Interaction, submitted) else { panic!() };
        assert_eq!((from.channel.as_str(), values["service"].as_str()), ("T1/C2", "checkout"));
        let typing = json!({ "type": "block_suggestion", "user": { "id": "U1" }, "team": { "id": "T1" },
            "action_id": "v", "block_id": "version", "value": "v2",
            "view": { "id": "V1", "private_metadata": carried,
                "state": { "values": { "service": { "v": { "selected_option": { "value": "checkout" } } } } } } });
        let Arrived::Typing { form, field, typed, beside, .. } = of(Wire::Interaction, typing) else { panic!() };
        assert_eq!((form.as_str(), field.as_str(), typed.as_str()), ("plan", "version", "v2"));
        assert_eq!(beside["service"], "checkout");
        let asked = json!({ "type": "message_action", "callback_id": "ask", "user": { "id": "U1" }, "trigger_id": "9.9",
            "channel": { "id": "C1" }, "message": { "text": "ship <@U0ADA>" } });
        assert!(matches!(of(Wire::Interaction, asked), Arrived::Ask { about, .. } if about == "ship @ada"));
    }

    #[test]
    fn what_does_not_read_is_nothing() {
        for payload in [
            json!(null),
            json!([]),
            json!({ "event": {} }),
            json!({ "type": "block_actions", "user": { "id": "../x" } }),
        ] {
            for wire in [Wire::Command, Wire::Event, Wire::Interaction] {
                assert!(is_nothing(of(wire, payload.clone())));
            }
        }
    }
}
