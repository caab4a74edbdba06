//! The pretend Discord itself: what it refuses, and what Discord's own library makes of it.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use serenity::all::{ClientBuilder, Context, Event, GatewayIntents, HttpBuilder, RawEventHandler};

use super::world::{APPLICATION, GUILD, HOME};
use super::{Discord, TOKEN};
use crate::harness::faults::attempt;

/// Everything that the library read, as the name of its kind and its own words.
struct Ears(std::sync::Mutex<std::sync::mpsc::Sender<String>>);

#[serenity::async_trait]
impl RawEventHandler for Ears {
    async fn raw_event(&self, _: Context, event: Event) {
        let _ = self.0.lock().unwrap().send(format!("{event:?}"));
    }
}

/// A bot of Discord's Rust library on the pretend Discord; what it hears comes through the channel.
fn library_bot(discord: &Discord) -> Receiver<String> {
    tidegate::http::provide_tls();
    let (heard, hears) = channel();
    let api = discord.api.trim_end_matches('/').to_owned();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let http = HttpBuilder::new(TOKEN).proxy(api).ratelimiter_disabled(true).build();
            let wants = GatewayIntents::GUILDS
                | GatewayIntents::GUILD_MESSAGES
                | GatewayIntents::GUILD_MESSAGE_REACTIONS
                | GatewayIntents::DIRECT_MESSAGES;
            let ears = Ears(std::sync::Mutex::new(heard));
            let mut client = ClientBuilder::new_with_http(http, wants).raw_event_handler(ears).await.unwrap();
            // It runs until the test's process ends.
            let _ = client.start().await;
        });
    });
    discord.shared.until("the library is connected", |world| world.is_connected());
    hears
}

/// The next event of this kind.
fn next(hears: &Receiver<String>, kind: &str) -> String {
    loop {
        let heard = hears.recv_timeout(Duration::from_secs(15)).unwrap_or_else(|_| panic!("no {kind} was heard"));
        assert!(!heard.starts_with("Unknown") || kind == "Unknown", "the library does not know {heard}");
        if heard.starts_with(kind) {
            return heard;
        }
    }
}

fn call(discord: &Discord, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let token = format!("Bot {TOKEN}");
    let headers = [("Authorization", token.as_str()), ("Content-Type", "application/json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let path = format!("/api/v10{path}");
    let (status, said) = attempt(discord.api.trim_end_matches('/'), method, &path, &headers, body.as_bytes()).unwrap();
    (status, serde_json::from_str(&said).unwrap_or_default())
}

fn register(discord: &Discord) {
    let service = json!({ "type": 3, "name": "service", "description": "s", "autocomplete": true });
    let plan = json!({ "type": 1, "name": "plan", "description": "p", "options": [service] });
    let commands = json!([{ "name": "deploy", "description": "d", "options": [plan] }]);
    let path = format!("/applications/{APPLICATION}/guilds/{GUILD}/commands");
    assert_eq!(call(discord, "PUT", &path, &commands).0, 200);
}

#[test]
fn a_request_with_a_wrong_field_is_refused_and_complained_of() {
    let discord = Discord::open();
    let path = format!("/channels/{HOME}/messages");
    let none = json!({ "parse": [] });
    let good = json!({ "content": "x", "allowed_mentions": none });
    assert_eq!(call(&discord, "POST", &path, &good).0, 200);
    assert!(discord.complaints().is_empty());
    for (body, says) in [
        (json!({ "content": "x", "allowed_mentions": none, "embed": {} }), "embed: no such field"),
        (json!({ "content": ["x"], "allowed_mentions": none }), "content: is not of type"),
        (json!({ "content": "x", "nonce": "n".repeat(26), "allowed_mentions": none }), "nonce: has 26 characters"),
        (json!({ "content": "x" }), "allowed_mentions: is missing"),
    ] {
        let (status, answer) = call(&discord, "POST", &path, &body);
        assert_eq!((status, &answer["code"]), (400, &json!(50035)), "{answer}");
        let last = discord.complaints().pop().unwrap();
        assert!(last.starts_with(&format!("POST /channels/{HOME}/messages: {says}")), "{last}");
    }
    assert_eq!(call(&discord, "POST", "/channels/1/mesages", &good).0, 404);
    assert_eq!(discord.complaints().len(), 5);
}

#[test]
fn the_same_nonce_is_the_same_message() {
    let discord = Discord::open();
    let path = format!("/channels/{HOME}/messages");
    let mut body = json!({ "content": "x", "allowed_mentions": { "parse": [] }, "nonce": "n", "enforce_nonce": true });
    let first = call(&discord, "POST", &path, &body).1["id"].clone();
    assert_eq!(call(&discord, "POST", &path, &body).1["id"], first);
    body["enforce_nonce"] = json!(false);
    assert_ne!(call(&discord, "POST", &path, &body).1["id"], first);
}

#[test]
fn the_library_reads_everything_that_the_pretend_discord_tells() {
    let discord = Discord::open();
    let hears = library_bot(&discord);
    next(&hears, "Ready");
    next(&hears, "GuildCreate");
    register(&discord);
    let body = json!({ "content": "x", "allowed_mentions": { "parse": [] }, "components": [{ "type": 1, "components": [
        { "type": 2, "style": 1, "label": "Go", "custom_id": "go" }] }], "embeds": [{ "title": "t", "fields": [
        { "name": "n", "value": "v" }] }] });
    let message = call(&discord, "POST", &format!("/channels/{HOME}/messages"), &body).1["id"].clone();
    let message: u64 = message.as_str().unwrap().parse().unwrap();
    next(&hears, "MessageCreate");
    let thread = json!({ "name": "thread", "auto_archive_duration": 10080 });
    assert_eq!(call(&discord, "POST", &format!("/channels/{HOME}/messages/{message}/threads"), &thread).0, 201);
    next(&hears, "ThreadCreate");
    discord.react("ada", message, "✅");
    let added = next(&hears, "ReactionAdd");
    assert!(added.contains("Member {") && added.contains("✅"), "{added}");
    discord.unreact("ada", message, "✅");
    let removed = next(&hears, "ReactionRemove");
    assert!(removed.contains("member: None"), "{removed}");
    discord.clear(message, None);
    next(&hears, "ReactionRemoveAll");
    // Discord tells it without `burst` and `type`, which the library (0.12.5) wants: it comes raw.
    discord.clear(message, Some("✅"));
    assert!(next(&hears, "Unknown").contains("MESSAGE_REACTION_REMOVE_EMOJI"));
    discord.people_wait(false);
    let token = discord.command("ada", "/deploy plan shop");
    let command = next(&hears, "InteractionCreate(InteractionCreateEvent { interaction: Command");
    assert!(command.contains("\"shop\"") && command.contains(&token), "{command}");
    discord.press("ada", message, "go");
    next(&hears, "InteractionCreate(InteractionCreateEvent { interaction: Component");
    let thread: u64 = message;
    discord.write("ada", thread, "production", true);
    assert!(next(&hears, "MessageCreate").contains("production"));
    discord.write("ada", thread, "between us", false);
    assert!(!next(&hears, "MessageCreate").contains("between us"), "content that is not for the bot stays untold");
    discord.shared.world().archive(thread, true);
    next(&hears, "ThreadUpdate");
    discord.shared.world().remove(message);
    next(&hears, "MessageDelete");
    discord.is_heard();
}

#[test]
fn the_library_resumes_and_hears_what_it_missed() {
    let discord = Discord::open();
    let hears = library_bot(&discord);
    next(&hears, "Ready");
    next(&hears, "GuildCreate");
    let body = json!({ "content": "x", "allowed_mentions": { "parse": [] } });
    let message = call(&discord, "POST", &format!("/channels/{HOME}/messages"), &body).1["id"].clone();
    let message: u64 = message.as_str().unwrap().parse().unwrap();
    next(&hears, "MessageCreate");
    {
        let mut world = discord.shared.world();
        world.shape.away = true;
        world.cut();
    }
    discord.react("ada", message, "✅");
    discord.shared.world().shape.away = false;
    discord.shared.until("it resumes", |world| world.resumed == 1);
    assert!(next(&hears, "ReactionAdd").contains("✅"));
    discord.is_heard();
}
