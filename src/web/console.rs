//! The console: the page, and its JSON API.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Site;
use super::access::same_site;
use super::answers::{Answered, Wrong, json as answer, read_json};
use super::sign_in::{sign_in, sign_out, signed_in};
use crate::command::{ALL, ArgumentKind};
use crate::config::PersonKind;
use crate::event::{Event, From};
use crate::name::{Channel, Person};
use crate::store::console::{ConsoleMessage, NewConsoleMessage};

pub fn router() -> Router<Site> {
    Router::new()
        .route("/console", get(page))
        .route("/console/{*file}", get(file))
        .route("/console/api/sign-in", post(sign_in))
        .route("/console/api/sign-out", post(sign_out))
        .route("/console/api/command", post(command))
        .route("/console/api/react", post(react))
        .route("/console/api/reply", post(reply))
        .route("/console/api/press", post(press))
        .route("/console/api/submit", post(submit))
        .route("/console/api/advance", post(advance))
        .route("/console/api/world", post(world))
        .route("/console/api/messages", get(messages))
        .route("/console/api/about", get(about))
        .route("/console/api/settled", get(settled))
}

pub async fn home(State(site): State<Site>) -> Response {
    if site.console { Redirect::temporary("/console").into_response() } else { "Tidegate".into_response() }
}

/// The page's files, part of the program.
const FILES: &[(&str, &str, &str)] = include!("console/files.in");

async fn page() -> Response {
    served("page.html")
}

async fn file(Path(file): Path<String>) -> Response {
    served(&file)
}

fn served(file: &str) -> Response {
    match FILES.iter().find(|(name, ..)| *name == file) {
        Some((_, kind, text)) => ([(header::CONTENT_TYPE, *kind)], *text).into_response(),
        None => Wrong::not_found("There is no such file.").into_response(),
    }
}

/// In `try` anyone on loopback may speak as anyone; in `serve` each person as themselves.
fn may_speak_as(site: &Site, headers: &HeaderMap, user: &str) -> Result<(), Wrong> {
    same_site(site, headers)?;
    if site.trying {
        return Ok(());
    }
    if signed_in(site, headers).is_some_and(|person| person.as_str() == user) {
        Ok(())
    } else {
        Err(Wrong::unauthorized())
    }
}

fn may_look(site: &Site, headers: &HeaderMap) -> Result<Option<Person>, Wrong> {
    same_site(site, headers)?;
    if site.trying {
        return Ok(None);
    }
    signed_in(site, headers).map(Some).ok_or_else(Wrong::unauthorized)
}

fn from(site: &Site, user: &str, channel: Option<&str>) -> From {
    let settings = site.app.settings();
    let channel = channel.map_or_else(|| settings.chat.channel.clone(), Channel::new);
    From::new("console", user, channel)
}

async fn put(site: &Site, user: &str, event: &Event) -> Answered {
    let id = site.app.inbox.put(event, &format!("person:console:{user}"), None).await?;
    answer(json!({ "ok": true, "event": id }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    user: String,
    channel: String,
    text: String,
}

async fn command(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    let said: Command = read_json(&headers, &body)?;
    may_speak_as(&site, &headers, &said.user)?;
    known_channel(&site, &said.channel)?;
    no_nul(&said.text)?;
    let event = Event::Command {
        from: from(&site, &said.user, Some(&said.channel)),
        text: said.text,
        at: site.app.clock.now(),
    };
    put(&site, &said.user, &event).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct React {
    user: String,
    message: String,
    reaction: String,
    #[serde(default)]
    remove: bool,
}

async fn react(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    let said: React = read_json(&headers, &body)?;
    may_speak_as(&site, &headers, &said.user)?;
    let Some(message) = site.app.store.console_message(&said.message).await? else {
        return Err(Wrong::not_found("There is no such message."));
    };
    if said.reaction.is_empty() || said.reaction.len() > 80 || said.reaction.chars().any(char::is_control) {
        return Err(Wrong::bad("That is no reaction."));
    }
    let now = site.app.clock.now();
    let event = Event::Reacted {
        from: from(&site, &said.user, Some(&message.channel)),
        message: said.message.clone(),
        reaction: said.reaction.clone(),
        removed: said.remove,
        read_back: false,
        at: now,
    };
    // Stored as an arrival first: what the page shows must never be ahead of what will be counted.
    let answered = put(&site, &said.user, &event).await?;
    let mut tx = site.app.store.begin(now).await?;
    tx.console_react(&said.message, &said.reaction, &said.user, said.remove).await?;
    tx.commit().await?;
    site.app.wake();
    Ok(answered)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    user: String,
    thread: String,
    text: String,
}

async fn reply(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    let said: Reply = read_json(&headers, &body)?;
    may_speak_as(&site, &headers, &said.user)?;
    no_nul(&said.text)?;
    let Some(message) = site.app.store.console_message(&said.thread).await? else {
        return Err(Wrong::not_found("There is no such message."));
    };
    if said.text.chars().count() > 8_000 {
        return Err(Wrong::bad("A reply may have 8,000 characters."));
    }
    let now = site.app.clock.now();
    let event = Event::Replied {
        from: from(&site, &said.user, Some(&message.channel)),
        thread: said.thread.clone(),
        text: said.text.clone(),
        message: None,
        edited: false,
        at: now,
    };
    let id = site.app.inbox.put(&event, &format!("person:console:{}", said.user), None).await?;
    let words = crate::message::Message {
        blocks: vec![crate::message::Block::Quote { text: said.text }],
        ..Default::default()
    };
    let body = serde_json::to_string(&words).map_err(anyhow::Error::from)?;
    let mut tx = site.app.store.begin(now).await?;
    tx.console_post(&NewConsoleMessage {
        id: &format!("r{id}"),
        channel: &message.channel,
        thread: Some(&said.thread),
        for_person: None,
        author: &said.user,
        body: &body,
    })
    .await?;
    tx.commit().await?;
    site.app.wake();
    answer(json!({ "ok": true, "event": id }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Press {
    user: String,
    message: String,
    button: String,
}

async fn press(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    let said: Press = read_json(&headers, &body)?;
    may_speak_as(&site, &headers, &said.user)?;
    let Some(message) = site.app.store.console_message(&said.message).await? else {
        return Err(Wrong::not_found("There is no such message."));
    };
    let shown: crate::message::Message = serde_json::from_str(&message.body).map_err(anyhow::Error::from)?;
    if !shown.buttons.iter().any(|button| button.id == said.button) {
        return answer(json!({ "errors": { "button": "That button is no longer there." } }));
    }
    let event = Event::Pressed {
        from: from(&site, &said.user, Some(&message.channel)),
        message: said.message,
        button: said.button,
        at: site.app.clock.now(),
    };
    put(&site, &said.user, &event).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Submit {
    user: String,
    form: String,
    values: BTreeMap<String, Value>,
    #[serde(default)]
    channel: Option<String>,
}

async fn submit(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    let said: Submit = read_json(&headers, &body)?;
    may_speak_as(&site, &headers, &said.user)?;
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    no_nul(&said.form)?;
    let values: BTreeMap<String, String> =
        said.values.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    for (name, value) in &values {
        no_nul(name)?;
        no_nul(value)?;
    }
    let errors = crate::command::form_errors(&site.app, &from(&site, &said.user, None), &said.form, &values).await?;
    if !errors.is_empty() {
        return answer(json!({ "errors": errors }));
    }
    let event = Event::Submitted {
        from: from(&site, &said.user, said.channel.as_deref()),
        form: said.form,
        values,
        at: site.app.clock.now(),
    };
    put(&site, &said.user, &event).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: i64,
}

async fn advance(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    same_site(&site, &headers)?;
    if !site.trying {
        return Err(Wrong::not_found("The clock moves in `try` only."));
    }
    let said: Advance = read_json(&headers, &body)?;
    if !(0..=400 * 86_400).contains(&said.seconds) {
        return Err(Wrong::bad("`seconds` is between 0 and 400 days."));
    }
    site.app.clock.advance(said.seconds * 1_000);
    site.app.wake();
    answer(json!({ "ok": true, "now": site.app.clock.now() }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct World {
    id: String,
}

/// Makes the sample service misbehave, or well again.
async fn world(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    same_site(&site, &headers)?;
    let said: World = read_json(&headers, &body)?;
    let world = site.app.world.as_ref().ok_or_else(|| Wrong::not_found("There is no sample world here."))?;
    if !world.act(&said.id) {
        return Err(Wrong::bad("The sample world has no such switch."));
    }
    answer(json!({ "ok": true }))
}

#[derive(Debug, Deserialize)]
struct After {
    channel: Option<String>,
    after: Option<i64>,
    wait: Option<u64>,
    user: Option<String>,
}

async fn messages(State(site): State<Site>, headers: HeaderMap, Query(asked): Query<After>) -> Answered {
    let person = may_look(&site, &headers)?;
    let channel = asked.channel.unwrap_or_else(|| site.app.settings().chat.channel.to_string());
    let until = tokio::time::Instant::now() + Duration::from_secs(asked.wait.unwrap_or(0).min(55));
    loop {
        let woken = site.app.woken();
        let found = site.app.store.console_messages(&channel, asked.after.unwrap_or(0)).await?;
        let newest = found.last().map_or(asked.after.unwrap_or(0), |m| m.seq);
        let viewer = person.as_ref().map(|p| p.to_string()).or_else(|| asked.user.clone());
        let seen: Vec<Value> = found
            .iter()
            // In `serve` nobody reads what is for somebody else alone; in `try` a reader who names nobody sees all.
            .filter(|m| m.for_person.is_none() || viewer.is_none() || m.for_person == viewer)
            .map(view)
            .collect();
        if !seen.is_empty() || tokio::time::Instant::now() >= until || site.app.is_stopping() {
            let seq = if found.is_empty() { asked.after.unwrap_or(0).max(0) } else { newest };
            return answer(json!({ "messages": seen, "seq": seq, "now": site.app.clock.now() }));
        }
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep_until(until) => {}
            () = site.app.stopped() => {}
        }
    }
}

fn view(message: &ConsoleMessage) -> Value {
    let neutral: crate::message::Message = serde_json::from_str(&message.body).unwrap_or_default();
    let image = neutral.blocks.iter().find_map(|block| match block {
        crate::message::Block::Picture { light, .. } => Some(light.clone()),
        _ => None,
    });
    let mut reactions = message.reactions.clone();
    // What the bot seeded is there to be clicked and counts for nobody.
    for seeded in &neutral.reactions {
        reactions.entry(seeded.clone()).or_default();
    }
    let mut value = serde_json::to_value(&neutral).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.entry("buttons").or_insert_with(|| json!([]));
    }
    json!({
        "id": message.id,
        "seq": message.seq,
        "channel": message.channel,
        "thread": message.thread,
        "for": message.for_person,
        "author": message.author,
        "at": message.at,
        "text": neutral.text(),
        "message": value,
        "form": neutral.form,
        "image": image,
        "reactions": reactions,
        "edited": message.edited,
    })
}

async fn about(State(site): State<Site>, headers: HeaderMap) -> Answered {
    let person = may_look(&site, &headers)?;
    let settings = site.app.settings();
    let kind = |kind: PersonKind| match kind {
        PersonKind::Member => "member",
        PersonKind::Guest => "guest",
        PersonKind::Bot => "bot",
        PersonKind::Deactivated => "deactivated",
    };
    let users: Vec<Value> = settings
        .people
        .iter()
        .filter(|(name, _)| person.as_ref().is_none_or(|p| p == *name))
        .map(|(name, p)| json!({ "name": name, "roles": p.roles, "kind": kind(p.kind), "full": p.name }))
        .collect();
    let commands: Vec<Value> = ALL
        .iter()
        .map(|spec| {
            let options: Vec<Value> = spec.options.iter().map(|o| json!({ "name": o.name, "kind": o.kind, "says": o.says, "choices": o.choices })).collect();
            let arguments: Vec<Value> = spec.arguments.iter().map(|a| json!({ "name": a.name, "kind": a.kind, "says": a.says, "choices": a.choices, "optional": a.optional })).collect();
            json!({ "name": spec.name, "usage": format!("{} {}", settings.chat.command, spec.usage()), "says": spec.says,
                "form": spec.arguments.iter().any(|a| a.kind == ArgumentKind::Service), "arguments": arguments, "options": options })
        })
        .collect();
    let world = site.app.world.as_ref().map(|world| world.list()).unwrap_or_default();
    let tries = site.app.world.as_ref().map(|world| world.tries()).unwrap_or_default();
    answer(json!({
        "users": users,
        "channels": settings.chat.console.channels,
        "services": settings.service.keys().collect::<Vec<_>>(),
        "environments": settings.environment.keys().collect::<Vec<_>>(),
        "try": tries,
        "command": settings.chat.command,
        "commands": commands,
        "world": world,
        "zone": settings.team.zone.name(),
        "team": settings.team.name,
        "now": site.app.clock.now(),
        "mode": if site.trying { "try" } else { "serve" },
        "instance": site.app.signer.public().to_string(),
        "bot": crate::chat::console::SELF,
        "you": person,
    }))
}

/// Answers when nothing is left to do now.
async fn settled(State(site): State<Site>, headers: HeaderMap) -> Answered {
    may_look(&site, &headers)?;
    let until = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let woken = site.app.woken();
        // Twice: what became due between taking the time and reading the store is seen the second time.
        let (store, clock) = (&site.app.store, &site.app.clock);
        if store.pending(clock.now()).await? == 0 && store.pending(clock.now()).await? == 0 {
            return answer(json!({ "ok": true, "now": site.app.clock.now() }));
        }
        if tokio::time::Instant::now() >= until {
            return Err(Wrong::new(
                StatusCode::GATEWAY_TIMEOUT,
                "unsettled",
                "There is still work to do after a minute.",
            ));
        }
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
    }
}

fn known_channel(site: &Site, channel: &str) -> Result<(), Wrong> {
    let settings = site.app.settings();
    if settings.chat.console.channels.iter().any(|c| c.as_str() == channel) || settings.chat.channel.as_str() == channel
    {
        return Ok(());
    }
    Err(Wrong::not_found("There is no such channel."))
}

/// PostgreSQL cannot keep U+0000; it is refused at the edge for both engines.
fn no_nul(text: &str) -> Result<(), Wrong> {
    if text.contains('\0') { Err(Wrong::bad("A text may not hold U+0000.")) } else { Ok(()) }
}
