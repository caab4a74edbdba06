//! The Web API, as far as the bot needs it.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use serde_json::{Value, json};

use super::world::{BOT, BOT_ID, HOME, Message, TEAM, View, World};
use super::{APP_TOKEN, Fault, Shared, contract};

type Answer = Result<Value, &'static str>;

pub async fn answer(
    State(shared): State<Arc<Shared>>,
    verb: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let path = uri.path();
    if let Some(file) = path.strip_prefix("/upload/") {
        let mut world = shared.world();
        let known = world.files.get_mut(file).map(|found| {
            found.1 = found.0 == body.len();
            found.1
        });
        return json_answer(if known == Some(true) { 200 } else { 400 }, &json!({ "ok": known == Some(true) }), &[]);
    }
    if let Some(to) = path.strip_prefix("/respond/") {
        respond(&mut shared.world(), to, &body);
        shared.tell();
        return json_answer(200, &json!({ "ok": true }), &[]);
    }
    let method = path.trim_start_matches("/api").trim_matches('/').to_owned();
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let as_json = header("content-type").starts_with("application/json");
    let mut arguments: Value = if as_json && !body.is_empty() {
        serde_json::from_slice(&body).unwrap_or_default()
    } else {
        let query = uri.query().unwrap_or_default().as_bytes().to_vec();
        let form = if query.is_empty() { body.to_vec() } else { query };
        Value::Object(url::form_urlencoded::parse(&form).map(|(k, v)| (k.into_owned(), json!(v))).collect())
    };
    let token = match arguments.as_object_mut().and_then(|given| given.remove("token")) {
        Some(token) => token.as_str().unwrap_or_default().to_owned(),
        None => header("authorization").trim_start_matches("Bearer ").to_owned(),
    };
    let fault = shared.world().fault(&method);
    match fault {
        Some(Fault::Limited(seconds)) => {
            note(&shared, &method, &arguments, "ratelimited");
            let wait = seconds.to_string();
            return json_answer(
                429,
                &json!({ "ok": false, "error": "ratelimited" }),
                &[("retry-after", wait.as_str())],
            );
        }
        Some(Fault::Status(status)) => {
            note(&shared, &method, &arguments, "status");
            return json_answer(status, &json!("down"), &[]);
        }
        Some(Fault::Error(error)) => {
            note(&shared, &method, &arguments, error);
            return json_answer(200, &json!({ "ok": false, "error": error }), &[]);
        }
        _ => {}
    }
    let (result, scopes) = {
        let mut world = shared.world();
        let result = judged(&mut world, &method, verb.as_str(), as_json, &token, &arguments);
        (result, world.scopes.iter().cloned().collect::<Vec<_>>().join(","))
    };
    note(&shared, &method, &arguments, result.as_ref().err().copied().unwrap_or_default());
    shared.tell();
    if let Some(Fault::LostAnswer) = fault {
        // Done, and nobody will ever hear of it.
        std::future::pending::<()>().await;
    }
    let body = match result {
        Ok(mut value) => {
            value["ok"] = json!(true);
            value
        }
        Err(error) => json!({ "ok": false, "error": error }),
    };
    json_answer(200, &body, &[("x-oauth-scopes", scopes.as_str())])
}

fn note(shared: &Shared, method: &str, arguments: &Value, error: &str) {
    shared.world().requests.push((method.to_owned(), arguments.clone(), error.to_owned()));
    shared.tell();
}

fn judged(world: &mut World, name: &str, verb: &str, as_json: bool, token: &str, arguments: &Value) -> Answer {
    let wrong = contract::wrong(name, verb, as_json, arguments);
    if !wrong.is_empty() {
        world.violations.extend(wrong);
        return Err("invalid_arguments");
    }
    let needed = if name == "apps.connections.open" { APP_TOKEN } else { world.bot_token.as_str() };
    if token != needed {
        return Err(if token.is_empty() { "not_authed" } else { "invalid_auth" });
    }
    let scopes = &contract::method(name).ok_or("unknown_method")?.scopes;
    if !scopes.is_empty() && !scopes.iter().any(|scope| world.scopes.contains(scope)) {
        return Err("missing_scope");
    }
    run(world, name, arguments)
}

fn run(world: &mut World, name: &str, of: &Value) -> Answer {
    let text = |name: &str| of[name].as_str().unwrap_or_default().to_owned();
    let structured = |name: &str| match &of[name] {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        other => other.clone(),
    };
    match name {
        "auth.test" => {
            Ok(json!({ "url": "https://story.slack.com/", "team": "Story", "user": "tidegate", "team_id": TEAM,
            "user_id": BOT, "bot_id": BOT_ID, "is_enterprise_install": false }))
        }
        "apps.connections.open" => Ok(json!({ "url": world.socket })),
        "chat.postMessage" | "chat.postEphemeral" => {
            let ephemeral = name == "chat.postEphemeral";
            let mut channel = text("channel");
            if channel.starts_with('U') {
                channel = world.direct(&channel);
            } else if !channel.starts_with('D') && !world.channels.contains(&channel) {
                return Err(if channel == HOME { "not_in_channel" } else { "channel_not_found" });
            }
            if text("text").is_empty() && of["blocks"].is_null() {
                return Err("no_text");
            }
            let thread = of["thread_ts"].as_str().map(str::to_owned);
            let known = |ts: &String| world.messages.contains_key(ts);
            if thread.as_ref().is_some_and(|ts| !known(ts)) && !ephemeral {
                world.violated(format!("chat.postMessage into the thread {thread:?}, which is not there"));
            }
            let ts = world.ts();
            let message = Message {
                ts: ts.clone(),
                channel: channel.clone(),
                thread,
                author: BOT.to_owned(),
                text: text("text"),
                blocks: structured("blocks").as_array().cloned().unwrap_or_default(),
                metadata: structured("metadata"),
                only_for: ephemeral.then(|| text("user")),
                reactions: Vec::new(),
                broadcast: of["reply_broadcast"] == true,
                edited: 0,
                seq: world.next(),
            };
            let shown = world.shown(&message, true);
            world.messages.insert(ts.clone(), message);
            Ok(match ephemeral {
                true => json!({ "message_ts": ts }),
                false => json!({ "channel": channel, "ts": ts, "message": shown }),
            })
        }
        "chat.update" => {
            let channel = text("channel");
            let seq = world.next();
            let gone = !channel.starts_with('D') && !world.channels.contains(&channel);
            let message = world.messages.get_mut(&text("ts")).filter(|m| m.channel == channel && m.only_for.is_none());
            let message = message.ok_or("message_not_found")?;
            if gone {
                return Err("channel_not_found");
            }
            message.text = text("text");
            message.blocks = structured("blocks").as_array().cloned().unwrap_or_default();
            if !of["metadata"].is_null() {
                message.metadata = structured("metadata");
            }
            message.edited += 1;
            message.seq = seq;
            Ok(
                json!({ "channel": channel, "ts": text("ts"), "text": text("text"), "message": { "text": text("text") } }),
            )
        }
        "chat.getPermalink" => {
            let (channel, ts) = (text("channel"), text("message_ts"));
            let permalink = format!("https://story.slack.com/archives/{channel}/p{}", ts.replace('.', ""));
            Ok(json!({ "channel": channel, "permalink": permalink }))
        }
        "reactions.add" => world.react(&text("timestamp"), &text("name"), BOT, false).map(|()| json!({})),
        "reactions.remove" => world.react(&text("timestamp"), &text("name"), BOT, true).map(|()| json!({})),
        "reactions.get" => {
            let message = world.messages.get(&text("timestamp")).ok_or("message_not_found")?;
            Ok(json!({ "type": "message", "channel": message.channel, "message": world.shown(message, false) }))
        }
        "conversations.history" | "conversations.replies" => {
            let thread = (name == "conversations.replies").then(|| text("ts"));
            let inside = |m: &&Message| {
                m.channel == text("channel")
                    && m.only_for.is_none()
                    && match &thread {
                        Some(ts) => m.ts == *ts || m.thread.as_ref() == Some(ts),
                        None => m.thread.is_none() || m.broadcast,
                    }
            };
            let metadata = of["include_all_metadata"] == true || of["include_all_metadata"] == "true";
            let mut found: Vec<Value> =
                world.messages.values().filter(inside).map(|m| world.shown(m, metadata)).collect();
            if thread.is_none() {
                found.reverse();
            }
            Ok(json!({ "messages": found, "has_more": false, "response_metadata": { "next_cursor": "" } }))
        }
        "conversations.info" => {
            let channel = text("channel");
            Ok(json!({ "channel": { "id": channel, "name": "deploys", "is_channel": true, "is_private": false,
                "is_archived": false, "is_member": world.channels.contains(&channel), "created": 1_700_000_000,
                "creator": "U0ADA", "is_ext_shared": false } }))
        }
        "conversations.members" => Ok(json!({ "members": world.users.keys().collect::<Vec<_>>(),
            "response_metadata": { "next_cursor": "" } })),
        "conversations.open" => {
            let channel = world.direct(&text("users"));
            Ok(json!({ "channel": { "id": channel } }))
        }
        "users.info" => Ok(json!({ "user": world.user_json(&text("user")).ok_or("user_not_found")? })),
        "users.lookupByEmail" => {
            let user = world.users.iter().find(|(_, user)| format!("{}@example.org", user.name) == text("email"));
            let id = user.map(|(id, _)| id.clone()).ok_or("users_not_found")?;
            Ok(json!({ "user": world.user_json(&id) }))
        }
        "usergroups.users.list" => {
            Ok(json!({ "users": world.groups.get(&text("usergroup")).ok_or("no_such_subteam")? }))
        }
        "usergroups.list" => Ok(json!({ "usergroups": world.groups.keys().map(|id| json!({ "id": id, "team_id": TEAM,
            "handle": id, "name": id })).collect::<Vec<_>>() })),
        "files.getUploadURLExternal" => {
            let length = of["length"].as_u64().or_else(|| text("length").parse().ok()).unwrap_or_default();
            let id = format!("F0{}", world.files.len() + 1);
            world.files.insert(id.clone(), (usize::try_from(length).unwrap_or_default(), false, false));
            Ok(json!({ "upload_url": format!("{}/upload/{id}", world.address), "file_id": id }))
        }
        "files.completeUploadExternal" => {
            let mut done = Vec::new();
            for file in structured("files").as_array().into_iter().flatten() {
                let id = file["id"].as_str().unwrap_or_default();
                let known = world.files.get_mut(id).filter(|(_, came, _)| *came).ok_or("file_not_found")?;
                known.2 = true;
                done.push(json!({ "id": id, "title": file["title"] }));
            }
            Ok(json!({ "files": done }))
        }
        "views.open" => {
            let user = world.take_trigger(&text("trigger_id"))?;
            let id = format!("V0{}", world.views.len() + 1);
            let view = structured("view");
            let shown =
                View { id: id.clone(), user, view: view.clone(), ts: world.ts(), seq: world.next(), open: true };
            world.views.push(shown);
            let mut view = view;
            view["id"] = json!(id);
            Ok(json!({ "view": view }))
        }
        "views.publish" => {
            world.homes.insert(text("user_id"), structured("view"));
            Ok(json!({ "view": { "id": "V0HOME" } }))
        }
        _ => Err("unknown_method"),
    }
}

/// What is said through a response URL: a note for whoever gave the command.
fn respond(world: &mut World, to: &str, body: &[u8]) {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    world.responses.push((to.to_owned(), said.clone()));
    let ts = world.ts();
    let in_channel = said["response_type"] == "in_channel";
    let message = Message {
        ts: ts.clone(),
        channel: HOME.to_owned(),
        thread: None,
        author: BOT.to_owned(),
        text: said["text"].as_str().unwrap_or_default().to_owned(),
        blocks: said["blocks"].as_array().cloned().unwrap_or_default(),
        metadata: Value::Null,
        only_for: (!in_channel).then(|| to.to_owned()),
        reactions: Vec::new(),
        broadcast: false,
        edited: 0,
        seq: world.next(),
    };
    let wrong = super::blocks::of_message(&said["blocks"].as_array().cloned().unwrap_or_default().into());
    world.violations.extend(wrong.into_iter().map(|says| format!("a response: {says}")));
    world.messages.insert(ts, message);
}

fn json_answer(status: u16, body: &Value, headers: &[(&str, &str)]) -> Response<Body> {
    let mut answer = Response::builder().status(status).header("content-type", "application/json; charset=utf-8");
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    answer.body(Body::from(body.to_string())).unwrap()
}
