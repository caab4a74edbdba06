//! What people do on Slack, in the shapes in which Slack tells it (tests/data/slack/payloads).

use serde_json::{Value, json};

use super::Slack;
use super::world::{APP, BOT, HOME, TEAM, World};

impl Slack {
    /// Sends an envelope and waits until the program has acknowledged it.
    fn delivered(&self, kind: &str, payload: Value) -> Value {
        let id = self.shared.world().send(kind, payload);
        self.shared.until(&format!("an acknowledgement of {kind}"), |world| world.acks.get(&id).cloned())
    }

    pub fn command(&self, user: &str, text: &str) {
        let payload = self.command_payload(user, text);
        self.delivered("slash_commands", payload);
    }

    pub fn command_payload(&self, user: &str, text: &str) -> Value {
        let mut world = self.shared.world();
        let id = world.user(user);
        let (command, text) = text.split_once(' ').unwrap_or((text, ""));
        json!({
            "token": "legacy", "team_id": TEAM, "team_domain": "story", "channel_id": HOME, "channel_name": "deploys",
            "user_id": id, "user_name": user, "command": command, "text": text, "api_app_id": APP,
            "is_enterprise_install": "false", "response_url": format!("{}/respond/{id}", world.address),
            "trigger_id": world.trigger(&id),
        })
    }

    pub fn react(&self, user: &str, ts: &str, reaction: &str, remove: bool) {
        let payload = {
            let mut world = self.shared.world();
            let id = world.user(user);
            // Taking off what is not there, or putting on what is, tells nobody anything.
            if world.react(ts, reaction, &id, remove).is_err() {
                return;
            }
            let kind = if remove { "reaction_removed" } else { "reaction_added" };
            let author = world.messages[ts].author.clone();
            let channel = world.messages[ts].channel.clone();
            let at = world.ts();
            event(
                &mut world,
                &json!({ "type": kind, "user": id, "reaction": reaction, "item_user": author, "event_ts": at,
                "item": { "type": "message", "channel": channel, "ts": ts } }),
            )
        };
        self.delivered("events_api", payload);
    }

    /// Somebody writes in a thread.
    pub fn write(&self, user: &str, thread: &str, text: &str) -> String {
        let (payload, ts) = {
            let mut world = self.shared.world();
            let id = world.user(user);
            let ts = world.ts();
            let parent = world.messages.get(thread).map(|m| m.author.clone()).unwrap_or_default();
            let payload = event(
                &mut world,
                &json!({ "type": "message", "user": id, "text": text, "ts": ts, "thread_ts": thread,
                "parent_user_id": parent, "channel": HOME, "channel_type": "channel", "event_ts": ts, "team": TEAM }),
            );
            (payload, ts)
        };
        self.delivered("events_api", payload);
        ts
    }

    /// Somebody changes what they wrote in a thread: the id of their message, what it said and what it says now.
    pub fn rewrites(&self, user: &str, thread: &str, ts: &str, before: &str, after: &str) {
        let payload = {
            let mut world = self.shared.world();
            let id = world.user(user);
            let at = world.ts();
            let parent = world.messages.get(thread).map(|m| m.author.clone()).unwrap_or_default();
            let said = |text: &str| {
                json!({ "type": "message", "user": id, "text": text, "ts": ts, "thread_ts": thread,
                "parent_user_id": parent, "team": TEAM })
            };
            let mut now = said(after);
            now["edited"] = json!({ "user": id, "ts": at });
            event(
                &mut world,
                &json!({ "type": "message", "subtype": "message_changed", "hidden": true, "message": now,
                "previous_message": said(before), "channel": HOME, "channel_type": "channel", "ts": at, "event_ts": at }),
            )
        };
        self.delivered("events_api", payload);
    }

    /// A moderator deletes a message.
    pub fn delete(&self, ts: &str) {
        let payload = {
            let mut world = self.shared.world();
            let at = world.ts();
            let before = world.messages.remove(ts).map(|message| world.shown(&message, false)).unwrap_or_default();
            event(
                &mut world,
                &json!({ "type": "message", "subtype": "message_deleted", "hidden": true, "channel": HOME,
                "channel_type": "channel", "ts": at, "event_ts": at, "deleted_ts": ts, "previous_message": before }),
            )
        };
        self.delivered("events_api", payload);
    }

    /// Presses the button with this value; false: there is none.
    pub fn press(&self, user: &str, ts: &str, value: &str) -> bool {
        let payload = {
            let mut world = self.shared.world();
            let id = world.user(user);
            let Some(message) = world.messages.get(ts).cloned() else { return false };
            let elements = message.blocks.iter().filter(|block| block["type"] == "actions");
            let mut elements = elements.flat_map(|block| block["elements"].as_array().into_iter().flatten());
            let Some(button) = elements.find(|e| e["value"] == value || e["action_id"] == value) else { return false };
            let at = world.ts();
            json!({
                "type": "block_actions", "api_app_id": APP, "token": "legacy", "trigger_id": world.trigger(&id),
                "user": { "id": id, "username": user, "name": user, "team_id": TEAM },
                "team": { "id": TEAM, "domain": "story" }, "is_enterprise_install": false,
                "channel": { "id": message.channel, "name": "deploys" },
                "container": { "type": "message", "message_ts": ts, "channel_id": message.channel,
                    "is_ephemeral": message.only_for.is_some(), "thread_ts": message.thread },
                "message": world.shown(&message, false),
                "response_url": format!("{}/respond/{id}", world.address),
                "actions": [{ "type": "button", "action_id": button["action_id"], "block_id": "b", "text": button["text"],
                    "value": button["value"], "action_ts": at }],
            })
        };
        self.delivered("interactive", payload);
        true
    }

    /// Fills in the form that this person has open and sends it; the answer holds what is wrong with it.
    pub fn submit(&self, user: &str, form: &str, values: &Value) -> Value {
        let (payload, id) = {
            let mut world = self.shared.world();
            let who = world.user(user);
            let open = world.views.iter().rev().find(|view| view.open && view.user == who);
            let view = open.unwrap_or_else(|| panic!("{user} has no form open")).clone();
            assert_eq!(form_of(&view.view), form, "{user} has another form open");
            let mut shown = view.view.clone();
            shown["id"] = json!(view.id);
            shown["team_id"] = json!(TEAM);
            shown["hash"] = json!("1.story");
            shown["state"] = json!({ "values": state(&view.view, values) });
            let payload = json!({
                "type": "view_submission", "api_app_id": APP, "token": "legacy", "trigger_id": world.trigger(&who),
                "user": { "id": who, "username": user, "name": user, "team_id": TEAM },
                "team": { "id": TEAM, "domain": "story" }, "is_enterprise_install": false, "view": shown,
            });
            (payload, view.id)
        };
        let answer = self.delivered("interactive", payload);
        if answer["response_action"] == "errors" {
            return json!({ "errors": answer["errors"] });
        }
        let mut world = self.shared.world();
        for view in world.views.iter_mut().filter(|view| view.id == id) {
            view.open = false;
        }
        json!({ "ok": true })
    }

    /// Types in a field of the form that this person has open: the values that are offered.
    pub fn offered(&self, user: &str, field: &str, typed: &str, beside: &Value) -> Vec<String> {
        let payload = {
            let mut world = self.shared.world();
            let who = world.user(user);
            let open = world.views.iter().rev().find(|view| view.open && view.user == who);
            let view = open.unwrap_or_else(|| panic!("{user} has no form open")).clone();
            let mut shown = view.view.clone();
            shown["id"] = json!(view.id);
            shown["state"] = json!({ "values": state(&view.view, beside) });
            json!({
                "type": "block_suggestion", "api_app_id": APP, "token": "legacy",
                "user": { "id": who, "username": user, "name": user, "team_id": TEAM },
                "team": { "id": TEAM, "domain": "story" }, "is_enterprise_install": false,
                "container": { "type": "view", "view_id": view.id },
                "action_id": "v", "block_id": field, "value": typed, "view": shown,
            })
        };
        let answer = self.delivered("interactive", payload);
        let options = answer["options"].as_array().unwrap_or_else(|| panic!("no options: {answer}"));
        assert!(options.len() <= 100);
        options.iter().filter_map(|option| option["value"].as_str().map(str::to_owned)).collect()
    }

    /// Chooses "Ask Tidegate about this" under somebody's message.
    pub fn asks_about(&self, user: &str, text: &str) {
        let payload = {
            let mut world = self.shared.world();
            let id = world.user(user);
            let ts = world.ts();
            json!({
                "type": "message_action", "callback_id": "ask", "token": "legacy", "api_app_id": APP,
                "trigger_id": world.trigger(&id), "response_url": format!("{}/respond/{id}", world.address),
                "user": { "id": id, "username": user, "name": user, "team_id": TEAM },
                "team": { "id": TEAM, "domain": "story" }, "is_enterprise_install": false,
                "channel": { "id": HOME, "name": "deploys" }, "message_ts": ts, "action_ts": ts,
                "message": { "type": "message", "user": id, "ts": ts, "text": text },
            })
        };
        self.delivered("interactive", payload);
    }

    /// Looks at the app's home.
    pub fn opens_home(&self, user: &str) -> Value {
        let (payload, id) = {
            let mut world = self.shared.world();
            let id = world.user(user);
            let at = world.ts();
            let opened =
                json!({ "type": "app_home_opened", "user": id, "channel": "D0HOME", "tab": "home", "event_ts": at });
            (event(&mut world, &opened), id)
        };
        self.delivered("events_api", payload);
        self.shared.until("the home of the app", |world| world.homes.get(&id).cloned())
    }

    /// Mentions the bot in the channel.
    pub fn mention(&self, user: &str, text: &str) {
        let payload = {
            let mut world = self.shared.world();
            let id = world.user(user);
            let ts = world.ts();
            event(
                &mut world,
                &json!({ "type": "app_mention", "user": id, "text": format!("<@{BOT}> {text}"), "ts": ts,
                "channel": HOME, "event_ts": ts, "team": TEAM }),
            )
        };
        self.delivered("events_api", payload);
    }
}

pub fn event(world: &mut World, event: &Value) -> Value {
    let number = world.next();
    json!({
        "token": "legacy", "team_id": TEAM, "context_team_id": TEAM, "api_app_id": APP, "type": "event_callback",
        "event_id": format!("Ev0{number}"), "event_time": 1_800_000_000, "event": event, "is_ext_shared_channel": false,
        "event_context": format!("4-story-{number}"),
        "authorizations": [{ "enterprise_id": null, "team_id": TEAM, "user_id": BOT, "is_bot": true,
            "is_enterprise_install": false }],
    })
}

/// Which form a view is.
pub fn form_of(view: &Value) -> String {
    let carried: Value = serde_json::from_str(view["private_metadata"].as_str().unwrap_or("{}")).unwrap_or_default();
    carried["form"].as_str().unwrap_or_default().to_owned()
}

/// The fields as Slack brings them back: what was filled in, else what stood there.
fn state(view: &Value, values: &Value) -> Value {
    let mut state = serde_json::Map::new();
    for block in view["blocks"].as_array().into_iter().flatten().filter(|block| block["type"] == "input") {
        let (name, element) = (block["block_id"].as_str().unwrap_or_default(), &block["element"]);
        let given = values[name].as_str();
        let kind = element["type"].as_str().unwrap_or_default();
        let options = element["options"].as_array().cloned().unwrap_or_default();
        let chosen = |value: &str| options.iter().find(|o| o["value"] == value).cloned();
        let mut value = json!({ "type": kind });
        match kind {
            "static_select" => {
                value["selected_option"] = match given {
                    // Nothing else than an option can be chosen.
                    Some(text) => chosen(text).unwrap_or(Value::Null),
                    None => element["initial_option"].clone(),
                }
            }
            "multi_static_select" | "checkboxes" => {
                let picked = given.map(|text| text.split([',', '\n']).filter_map(|one| chosen(one.trim())).collect());
                value["selected_options"] =
                    picked.unwrap_or_else(|| element["initial_options"].as_array().cloned().unwrap_or_default()).into();
            }
            // Whatever was typed was offered, see `offered`.
            "external_select" => {
                value["selected_option"] = match given {
                    Some(text) => json!({ "text": { "type": "plain_text", "text": text }, "value": text }),
                    None => element["initial_option"].clone(),
                }
            }
            "datetimepicker" => {
                let at = given.map(|text| tidegate::clock::Time::parse_rfc3339(text).expect("a moment"));
                value["selected_date_time"] =
                    at.map_or_else(|| element["initial_date_time"].clone(), |at| json!(at.ms() / 1_000));
            }
            _ => value["value"] = given.map_or_else(|| element["initial_value"].clone(), |text| json!(text)),
        }
        state.insert(name.to_owned(), json!({ element["action_id"].as_str().unwrap_or_default(): value }));
    }
    Value::Object(state)
}
