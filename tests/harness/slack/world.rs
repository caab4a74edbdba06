//! What the pretend Slack holds: people, channels, messages, views, envelopes. No sockets here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde_json::{Value, json};

use super::Fault;
use super::socket::Line;

pub const TEAM: &str = "T0STORY";
pub const HOME: &str = "C0DEPLOYS";
pub const BOT: &str = "U0TIDEGATE";
pub const BOT_ID: &str = "B0TIDEGATE";
pub const APP: &str = "A0TIDEGATE";

/// A trigger is good for three seconds.
const TRIGGER: std::time::Duration = std::time::Duration::from_secs(3);

#[derive(Clone, Debug, Default)]
pub struct User {
    pub name: String,
    pub bot: bool,
    pub guest: bool,
    pub deleted: bool,
    /// Of another organisation, in a shared channel.
    pub stranger: bool,
    /// What they call themselves, where that is another name.
    pub shown: Option<String>,
    /// The address in their profile, where it is not their name's; and whether Slack confirmed it.
    pub email: Option<String>,
    pub confirmed: bool,
}

#[derive(Clone, Debug)]
pub struct Message {
    pub ts: String,
    pub channel: String,
    pub thread: Option<String>,
    pub author: String,
    pub text: String,
    pub blocks: Vec<Value>,
    pub metadata: Value,
    /// Who alone sees it: a note in a channel.
    pub only_for: Option<String>,
    /// Reactions by name, and who put them there in which order.
    pub reactions: Vec<(String, Vec<String>)>,
    pub broadcast: bool,
    pub edited: u64,
    /// Grows with every change of any message.
    pub seq: u64,
}

/// A modal that somebody was shown.
#[derive(Clone, Debug)]
pub struct View {
    pub id: String,
    pub user: String,
    pub view: Value,
    /// Its place among the messages.
    pub ts: String,
    pub seq: u64,
    pub open: bool,
}

#[derive(Debug)]
pub struct World {
    pub address: String,
    pub socket: String,
    pub bot_token: String,
    pub scopes: BTreeSet<String>,
    pub users: BTreeMap<String, User>,
    /// The channels that the bot is in, with their members' groups.
    pub channels: BTreeSet<String>,
    /// Direct messages: channel by user.
    pub direct: BTreeMap<String, String>,
    pub groups: BTreeMap<String, Vec<String>>,
    pub messages: BTreeMap<String, Message>,
    pub views: Vec<View>,
    pub homes: BTreeMap<String, Value>,
    pub triggers: BTreeMap<String, (String, Instant)>,
    /// Files whose upload began: their length, whether the bytes came, whether it was completed.
    pub files: BTreeMap<String, (usize, bool, bool)>,
    /// What was answered through response URLs.
    pub responses: Vec<(String, Value)>,
    pub lines: Vec<Line>,
    /// Envelopes that nobody acknowledged yet, oldest first.
    pub unacked: Vec<(String, Value)>,
    pub acks: BTreeMap<String, Value>,
    /// How envelopes are bent on their way.
    pub twice: bool,
    pub cut_next: bool,
    /// Envelopes that are kept back, to be told in another order.
    pub held: Option<Vec<Value>>,
    pub faults: Vec<(String, Fault, usize)>,
    pub violations: Vec<String>,
    /// Every request that came in: method, arguments, the answer's error.
    pub requests: Vec<(String, Value, String)>,
    clock: u64,
    seq: u64,
}

impl World {
    pub fn new(address: &str, socket: &str) -> World {
        let scopes = "commands chat:write reactions:read reactions:write users:read users:read.email usergroups:read \
                      channels:read groups:read channels:history groups:history im:history im:write files:write app_mentions:read";
        World {
            address: address.to_owned(),
            socket: socket.to_owned(),
            bot_token: super::BOT_TOKEN.to_owned(),
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
            users: BTreeMap::from([(
                BOT.to_owned(),
                User { name: "tidegate".to_owned(), bot: true, ..User::default() },
            )]),
            channels: BTreeSet::from([HOME.to_owned()]),
            direct: BTreeMap::new(),
            groups: BTreeMap::new(),
            messages: BTreeMap::new(),
            views: Vec::new(),
            homes: BTreeMap::new(),
            triggers: BTreeMap::new(),
            files: BTreeMap::new(),
            responses: Vec::new(),
            lines: Vec::new(),
            unacked: Vec::new(),
            acks: BTreeMap::new(),
            twice: false,
            cut_next: false,
            held: None,
            faults: Vec::new(),
            violations: Vec::new(),
            requests: Vec::new(),
            clock: 0,
            seq: 0,
        }
    }

    /// The user of a story's person; somebody whom the settings do not know is a member all the same.
    pub fn user(&mut self, name: &str) -> String {
        let id = id_of(name);
        self.users.entry(id.clone()).or_insert_with(|| User { name: name.to_owned(), ..User::default() });
        id
    }

    pub fn name(&self, id: &str) -> String {
        self.users.get(id).map_or_else(|| id.to_owned(), |user| user.name.clone())
    }

    /// A number that sorts by time, as Slack's `ts` does.
    pub fn ts(&mut self) -> String {
        self.clock += 1;
        format!("{}.{:06}", 1_800_000_000 + self.clock, 100 + self.clock % 900)
    }

    pub fn next(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    pub fn trigger(&mut self, user: &str) -> String {
        self.clock += 1;
        let id = format!("{}.{}.story", 1_800_000_000 + self.clock, self.clock);
        self.triggers.insert(id.clone(), (user.to_owned(), Instant::now()));
        id
    }

    /// Uses a trigger up, if it is still good.
    pub fn take_trigger(&mut self, id: &str) -> Result<String, &'static str> {
        let (user, at) = self.triggers.remove(id).ok_or("exchanged_trigger_id")?;
        if at.elapsed() > TRIGGER { Err("expired_trigger_id") } else { Ok(user) }
    }

    pub fn fault(&mut self, method: &str) -> Option<Fault> {
        let planned = self.faults.iter_mut().find(|(of, _, times)| of == method && *times > 0)?;
        planned.2 -= 1;
        Some(planned.1)
    }

    pub fn violated(&mut self, says: String) {
        self.violations.push(says);
    }

    /// The channel in which a user and the bot talk alone.
    pub fn direct(&mut self, user: &str) -> String {
        let channel = format!("D{}", user.trim_start_matches('U'));
        self.direct.insert(user.to_owned(), channel.clone());
        channel
    }

    pub fn react(&mut self, ts: &str, name: &str, user: &str, remove: bool) -> Result<(), &'static str> {
        let seq = self.next();
        let message = self.messages.get_mut(ts).ok_or("message_not_found")?;
        let at = message.reactions.iter().position(|(known, _)| known == name);
        match (at, remove) {
            (Some(at), false) if message.reactions[at].1.iter().any(|u| u == user) => return Err("already_reacted"),
            (Some(at), false) => message.reactions[at].1.push(user.to_owned()),
            (None, false) => message.reactions.push((name.to_owned(), vec![user.to_owned()])),
            (Some(at), true) => {
                let users = &mut message.reactions[at].1;
                let had = users.len();
                users.retain(|u| u != user);
                if users.len() == had {
                    return Err("no_reaction");
                }
                if users.is_empty() {
                    message.reactions.remove(at);
                }
            }
            (None, true) => return Err("no_reaction"),
        }
        message.seq = seq;
        Ok(())
    }

    /// A message as the Web API shows it.
    pub fn shown(&self, message: &Message, metadata: bool) -> Value {
        let mut shown = json!({
            "type": "message", "ts": message.ts, "user": message.author, "text": message.text, "blocks": message.blocks,
            "team": TEAM,
        });
        if message.author == BOT {
            shown["bot_id"] = json!(BOT_ID);
            shown["app_id"] = json!(APP);
        }
        if let Some(thread) = &message.thread {
            shown["thread_ts"] = json!(thread);
            shown["parent_user_id"] = json!(self.messages.get(thread).map(|m| m.author.clone()));
        }
        if !message.reactions.is_empty() {
            shown["reactions"] = message
                .reactions
                .iter()
                .map(|(name, users)| json!({ "name": name, "users": users, "count": users.len() }))
                .collect();
        }
        if metadata && !message.metadata.is_null() {
            shown["metadata"] = message.metadata.clone();
        }
        shown
    }

    pub fn user_json(&self, id: &str) -> Option<Value> {
        let user = self.users.get(id)?;
        let team = if user.stranger { "T0OTHER" } else { TEAM };
        let shown = user.shown.as_ref().unwrap_or(&user.name);
        let email = user.email.clone().unwrap_or_else(|| format!("{}@example.org", user.name));
        Some(json!({
            "id": id, "team_id": team, "name": shown, "real_name": shown, "deleted": user.deleted,
            "is_bot": user.bot, "is_app_user": false, "is_restricted": user.guest, "is_ultra_restricted": false,
            "is_stranger": user.stranger, "is_admin": false, "is_owner": false, "is_primary_owner": false,
            "tz": "America/Los_Angeles", "tz_label": "Pacific Standard Time", "tz_offset": -28_800, "updated": 1_700_000_000,
            "is_email_confirmed": user.confirmed,
            "profile": { "real_name": shown, "display_name": shown, "email": email },
        }))
    }
}

pub fn id_of(name: &str) -> String {
    format!("U0{}", name.to_ascii_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "X"))
}
