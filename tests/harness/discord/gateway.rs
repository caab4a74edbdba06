//! The gateway: sessions with sequence numbers, resumed or forgotten, and what is told to whom by intents.

use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};

use super::Shared;
use super::world::{APPLICATION, BOT, GUILD, World};

pub const GUILDS: u64 = 1;
pub const MESSAGES: u64 = 1 << 9;
pub const REACTIONS: u64 = 1 << 10;
pub const DIRECT_MESSAGES: u64 = 1 << 12;
const MESSAGE_CONTENT: u64 = 1 << 15;
/// Members, presences, content: granted to few bots, and not to this one.
const PRIVILEGED: u64 = 1 << 1 | 1 << 8 | MESSAGE_CONTENT;

/// What a client is, from its IDENTIFY on until it is forgotten.
#[derive(Debug)]
pub struct Session {
    pub intents: u64,
    pub seq: u64,
    /// Everything that was told, for a resume.
    told: Vec<Value>,
    out: Option<UnboundedSender<Out>>,
    /// The last sequence number that the client said it has.
    pub heard: u64,
}

#[derive(Debug)]
enum Out {
    Say(Value),
    Close(u16),
    /// The line is cut without a word.
    Cut,
}

/// How dispatches are bent on their way.
#[derive(Debug, Default)]
pub struct Shape {
    /// Each comes twice.
    pub twice: bool,
    /// Kept back until they are let go in reverse.
    pub held: Option<Vec<(String, Value)>>,
    /// Nobody may connect.
    pub away: bool,
}

impl World {
    /// Tells every session that wants to know. `intent` 0: everybody does.
    pub fn dispatch(&mut self, kind: &str, intent: u64, data: Value) {
        let twice = self.shape.twice;
        for (id, session) in &mut self.sessions {
            if intent != 0 && session.intents & intent == 0 {
                continue;
            }
            for _ in 0..if twice { 2 } else { 1 } {
                session.seq += 1;
                let frame = json!({ "op": 0, "t": kind, "s": session.seq, "d": data });
                session.told.push(frame.clone());
                match &mut self.shape.held {
                    Some(held) => held.push((id.clone(), frame)),
                    None => session.say(Out::Say(frame)),
                }
            }
        }
    }

    /// Lets go of what was held back, the last first.
    pub fn release(&mut self) {
        for (id, frame) in self.shape.held.take().unwrap_or_default().into_iter().rev() {
            if let Some(session) = self.sessions.get(&id) {
                session.say(Out::Say(frame));
            }
        }
    }

    /// Cuts every line; the sessions can be resumed.
    pub fn cut(&mut self) {
        for session in self.sessions.values_mut() {
            session.say(Out::Cut);
            session.out = None;
        }
    }

    /// Forgets every session: what was not yet heard is lost.
    pub fn forget(&mut self) {
        for session in std::mem::take(&mut self.sessions).into_values() {
            session.say(Out::Say(json!({ "op": 9, "d": false })));
        }
    }

    /// The token is no longer good, on the gateway and in requests.
    pub fn revoke(&mut self) {
        "revoked".clone_into(&mut self.token);
        for session in std::mem::take(&mut self.sessions).into_values() {
            session.say(Out::Close(4004));
        }
    }

    /// Asks every connected client for a heartbeat, so that it says how far it has heard.
    pub fn ask_for_heartbeats(&self) {
        self.sessions.values().for_each(|session| session.say(Out::Say(json!({ "op": 1, "d": null }))));
    }

    pub fn is_connected(&self) -> bool {
        self.sessions.values().any(|session| session.out.is_some())
    }

    /// Whether every session is connected and has heard everything.
    pub fn all_heard(&self) -> bool {
        self.is_connected() && self.sessions.values().all(|s| s.out.is_none() || s.heard >= s.seq)
    }

    /// A message as a session is told of it: content only where the bot is meant.
    pub fn message_told(&mut self, message: u64) {
        let mut data = self.message_json(message);
        let channel = &self.channels[&self.messages[&message].channel];
        let direct = channel.with.is_some();
        let author = self.messages[&message].author;
        let meant = direct || author == BOT || self.messages[&message].content.contains(&format!("<@{BOT}>"));
        if !meant {
            data["content"] = json!("");
        } else if author != BOT && !direct {
            data["mentions"] = json!([self.user_json(BOT)]);
        }
        if !direct {
            data["guild_id"] = json!(GUILD.to_string());
            data["member"] = self.member_json(author, false);
        }
        self.dispatch("MESSAGE_CREATE", if direct { DIRECT_MESSAGES } else { MESSAGES }, data);
    }
}

impl Session {
    fn say(&self, out: Out) {
        if let Some(to) = &self.out {
            // Who has gone hears it after a resume.
            let _ = to.send(out);
        }
    }
}

/// Takes connections until the runtime ends.
pub async fn listen(listener: tokio::net::TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            if shared.world().shape.away {
                return;
            }
            let Ok(socket) = tokio_tungstenite::accept_async(stream).await else { return };
            connection(socket, &shared).await;
        });
    }
}

async fn connection(mut socket: WebSocketStream<tokio::net::TcpStream>, shared: &Shared) {
    let hello = json!({ "op": 10, "d": { "heartbeat_interval": 41_250 } });
    if socket.send(Frame::Text(hello.to_string())).await.is_err() {
        return;
    }
    let (to, mut from): (_, UnboundedReceiver<Out>) = unbounded_channel();
    loop {
        tokio::select! {
            out = from.recv() => match out {
                Some(Out::Say(frame)) => {
                    if socket.send(Frame::Text(frame.to_string())).await.is_err() {
                        break;
                    }
                }
                Some(Out::Close(code)) => {
                    let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
                    let _ = socket.close(Some(frame)).await;
                    break;
                }
                Some(Out::Cut) | None => return,
            },
            frame = socket.next() => match frame {
                Some(Ok(Frame::Text(text))) => {
                    let said: Value = serde_json::from_str(&text).unwrap_or_default();
                    heard(&said, &to, &mut shared.world());
                    shared.changed.notify_all();
                }
                Some(Ok(Frame::Close(_))) | Some(Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    // A session that has found another line in between keeps it.
    let mut world = shared.world();
    let is_mine = |session: &&mut Session| session.out.as_ref().is_some_and(|out| out.same_channel(&to));
    world.sessions.values_mut().filter(is_mine).for_each(|session| session.out = None);
    shared.changed.notify_all();
}

/// Answers one frame of a client.
fn heard(said: &Value, to: &UnboundedSender<Out>, world: &mut World) {
    let tell = |frame: Value| {
        let _ = to.send(Out::Say(frame));
    };
    let close = |code: u16| {
        let _ = to.send(Out::Close(code));
    };
    let data = &said["d"];
    match said["op"].as_u64() {
        Some(1) => {
            tell(json!({ "op": 11 }));
            let session = world.sessions.values_mut().find(|s| s.out.as_ref().is_some_and(|o| o.same_channel(to)));
            if let (Some(session), Some(seq)) = (session, data.as_u64()) {
                session.heard = session.heard.max(seq);
            }
        }
        Some(2) => {
            let intents = data["intents"].as_u64().unwrap_or_default();
            if data["token"].as_str().map(|token| token.trim_start_matches("Bot ")) != Some(&world.token) {
                return close(4004);
            }
            if intents & PRIVILEGED != 0 {
                world.violations.push(format!("IDENTIFY asks for privileged intents: {intents:#b}"));
                return close(4014);
            }
            let id = format!("session-{}", world.snowflake());
            let session = Session { intents, seq: 0, told: Vec::new(), out: Some(to.clone()), heard: 0 };
            world.sessions.insert(id.clone(), session);
            let ready = json!({
                "v": 10, "user": world.user_json(BOT), "session_id": id, "shard": [0, 1],
                "guilds": [{ "id": GUILD.to_string(), "unavailable": true }],
                "resume_gateway_url": world.gateway, "application": { "id": APPLICATION.to_string(), "flags": 0 },
            });
            let guild = world.guild_json();
            let session = world.sessions.get_mut(&id).unwrap();
            let mut first = vec![("READY", ready)];
            if intents & GUILDS != 0 {
                first.push(("GUILD_CREATE", guild));
            }
            for (kind, data) in first {
                session.seq += 1;
                let frame = json!({ "op": 0, "t": kind, "s": session.seq, "d": data });
                session.told.push(frame.clone());
                session.say(Out::Say(frame));
            }
        }
        Some(6) => {
            let id = data["session_id"].as_str().unwrap_or_default();
            let Some(session) = world.sessions.get_mut(id) else { return tell(json!({ "op": 9, "d": false })) };
            let seq = data["seq"].as_u64().unwrap_or_default();
            session.out = Some(to.clone());
            for frame in session.told.iter().filter(|frame| frame["s"].as_u64().unwrap_or_default() > seq) {
                session.say(Out::Say(frame.clone()));
            }
            session.seq += 1;
            let resumed = json!({ "op": 0, "t": "RESUMED", "s": session.seq, "d": {} });
            session.told.push(resumed.clone());
            session.say(Out::Say(resumed));
            world.resumed += 1;
        }
        // Presence, voice, members: nothing that anybody here waits for.
        _ => {}
    }
}
