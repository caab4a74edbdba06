//! What the pretend Discord holds: people, channels, messages, interactions, commands. No sockets here.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::gateway::Session;

pub const GUILD: u64 = 900_000_000_000_000_001;
pub const HOME: u64 = 900_000_000_000_000_002;
pub const BOT: u64 = 900_000_000_000_000_003;
pub const APPLICATION: u64 = 900_000_000_000_000_004;

/// Whose server it is.
const OWNER: u64 = 900_000_000_000_000_005;

/// View Channel, Send Messages, Embed Links, Attach Files, Add Reactions, Read Message History, Create Public Threads, Send
/// Messages in Threads, Manage Threads: Discord's bits for them.
pub const ALLOWED: u64 = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 6 | 1 << 16 | 1 << 35 | 1 << 38 | 1 << 34;

/// Between Discord's epoch and Unix's, in milliseconds.
const EPOCH: u64 = 1_420_070_400_000;

#[derive(Clone, Debug)]
pub struct User {
    pub name: String,
    /// What they call themselves, where that is another name.
    pub shown: Option<String>,
    pub bot: bool,
    /// Has not yet passed the server's door.
    pub pending: bool,
    pub left: bool,
    /// Takes direct messages from the bot.
    pub open: bool,
    pub roles: Vec<u64>,
}

#[derive(Clone, Debug)]
pub struct Channel {
    pub id: u64,
    pub name: String,
    /// The channel whose thread it is; its id is then that of the message it began with.
    pub parent: Option<u64>,
    /// Whose direct messages they are.
    pub with: Option<u64>,
    pub archived: bool,
    /// The bot was removed from it.
    pub closed: bool,
}

#[derive(Clone, Debug)]
pub struct Message {
    pub id: u64,
    pub channel: u64,
    pub author: u64,
    pub content: String,
    pub embeds: Vec<Value>,
    pub components: Vec<Value>,
    pub files: Vec<String>,
    /// What stands in files of text.
    pub texts: BTreeMap<String, String>,
    pub nonce: Option<String>,
    /// Who alone sees it.
    pub only_for: Option<u64>,
    /// Emoji, and who put it there in which order.
    pub reactions: Vec<(String, Vec<u64>)>,
    pub edited: u64,
    /// Grows with every change of any message.
    pub seq: u64,
    /// A modal that somebody was shown, in place of a message.
    pub modal: Option<Modal>,
    /// People that it rang for.
    pub rang: Vec<u64>,
}

#[derive(Clone, Debug)]
pub struct Modal {
    pub custom_id: String,
    pub title: String,
    pub components: Vec<Value>,
}

impl Modal {
    /// Which form it is: what stands behind the last stroke of its id.
    pub fn form(&self) -> &str {
        self.custom_id.rsplit('|').next().unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
pub struct Interaction {
    pub id: u64,
    pub user: u64,
    pub channel: u64,
    /// 2 command, 3 component, 4 autocomplete, 5 modal.
    pub kind: u64,
    /// The type of its callback, once there was one.
    pub answered: Option<i64>,
    /// "Thinking…": the type-5 callback whose message has not come yet, and whether it is for the user alone.
    pub thinking: Option<bool>,
    /// Its first message, or the message of its button.
    pub original: Option<u64>,
    pub expired: bool,
    pub choices: Value,
}

#[derive(Debug, Default)]
pub struct World {
    pub users: BTreeMap<u64, User>,
    pub channels: BTreeMap<u64, Channel>,
    pub messages: BTreeMap<u64, Message>,
    pub interactions: BTreeMap<String, Interaction>,
    pub commands: Vec<Value>,
    /// How often commands were registered.
    pub registered: usize,
    /// What was asked that Discord would not take: the story fails with it.
    pub violations: Vec<String>,
    /// Every request that came in: method, path, answer's status.
    pub requests: Vec<(String, String, u16)>,
    pub faults: Vec<super::fault::Planned>,
    pub sessions: BTreeMap<String, Session>,
    pub shape: super::gateway::Shape,
    /// The gateway's address.
    pub gateway: String,
    /// How often a session was resumed.
    pub resumed: usize,
    pub token: String,
    /// What the bot may do.
    pub allowed: u64,
    last: u64,
    seq: u64,
}

impl World {
    pub fn new(token: &str) -> World {
        let mut world = World { token: token.to_owned(), allowed: ALLOWED, ..World::default() };
        let home =
            Channel { id: HOME, name: "deploys".into(), parent: None, with: None, archived: false, closed: false };
        world.channels.insert(HOME, home);
        world.users.insert(BOT, User { bot: true, ..user("tidegate") });
        world
    }

    /// A snowflake of now, larger than every one before.
    pub fn snowflake(&mut self) -> u64 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
        self.last = (self.last + 1).max((now - EPOCH) << 22);
        self.last
    }

    /// The user of this name; whoever is named for the first time joins the server.
    pub fn user(&mut self, name: &str) -> u64 {
        let id = id_of(name);
        self.users.entry(id).or_insert_with(|| user(name));
        id
    }

    pub fn name(&self, id: u64) -> String {
        self.users.get(&id).map_or_else(|| id.to_string(), |user| user.name.clone())
    }

    /// Marks a message as changed now.
    pub fn touched(&mut self, message: u64) {
        self.seq += 1;
        let seq = self.seq;
        if let Some(message) = self.messages.get_mut(&message) {
            message.seq = seq;
        }
    }

    pub fn put(&mut self, message: Message) -> u64 {
        let id = message.id;
        self.messages.insert(id, message);
        self.touched(id);
        id
    }

    pub fn empty(&mut self, channel: u64, author: u64) -> Message {
        Message {
            id: self.snowflake(),
            channel,
            author,
            content: String::new(),
            embeds: Vec::new(),
            components: Vec::new(),
            files: Vec::new(),
            texts: BTreeMap::new(),
            nonce: None,
            only_for: None,
            reactions: Vec::new(),
            edited: 0,
            seq: 0,
            modal: None,
            rang: Vec::new(),
        }
    }

    pub fn user_json(&self, id: u64) -> Value {
        let user = &self.users[&id];
        json!({
            "id": id.to_string(), "username": user.shown.as_ref().unwrap_or(&user.name), "discriminator": "0",
            "global_name": user.shown.as_ref().unwrap_or(&user.name),
            "avatar": null, "bot": user.bot, "public_flags": 0, "flags": 0,
        })
    }

    pub fn member_json(&self, id: u64, with_user: bool) -> Value {
        let user = &self.users[&id];
        let mut member = json!({
            "roles": user.roles.iter().map(u64::to_string).collect::<Vec<_>>(),
            "nick": user.shown, "avatar": null, "banner": null, "joined_at": "2024-01-01T00:00:00+00:00",
            "premium_since": null, "deaf": false, "mute": false, "pending": user.pending, "flags": 0,
            "communication_disabled_until": null, "permissions": self.allowed.to_string(),
        });
        if with_user {
            member["user"] = self.user_json(id);
        }
        member
    }

    pub fn channel_json(&self, id: u64) -> Value {
        let channel = &self.channels[&id];
        let id = id.to_string();
        if let Some(with) = channel.with {
            return json!({
                "id": id, "type": 1, "last_message_id": null, "flags": 0, "recipients": [self.user_json(with)],
            });
        }
        let Some(parent) = channel.parent else {
            return json!({
                "id": id, "type": 0, "guild_id": GUILD.to_string(), "name": channel.name, "position": 0, "flags": 0,
                "topic": null, "nsfw": false, "parent_id": null, "permission_overwrites": [], "last_message_id": null,
                "rate_limit_per_user": 0,
            });
        };
        json!({
            "id": id, "type": 11, "guild_id": GUILD.to_string(), "name": channel.name, "parent_id": parent.to_string(),
            "owner_id": BOT.to_string(), "last_message_id": null, "message_count": 1, "member_count": 1, "flags": 0,
            "rate_limit_per_user": 0, "total_message_sent": 1,
            "thread_metadata": {
                "archived": channel.archived, "auto_archive_duration": 10080, "locked": false,
                "archive_timestamp": "2026-11-23T19:00:00+00:00", "create_timestamp": "2026-11-23T19:00:00+00:00",
            },
        })
    }

    pub fn guild_json(&self) -> Value {
        let channels = self.channels.values().filter(|c| c.parent.is_none() && c.with.is_none());
        let threads = self.channels.values().filter(|c| c.parent.is_some() && !c.archived);
        let mut guild = json!({
            "id": GUILD.to_string(), "name": "Story", "icon": null, "splash": null, "discovery_splash": null,
            "owner_id": OWNER.to_string(), "afk_channel_id": null, "afk_timeout": 300, "verification_level": 1,
            "default_message_notifications": 1, "explicit_content_filter": 0, "roles": self.roles_json(), "emojis": [],
            "features": [], "mfa_level": 0, "application_id": null, "system_channel_id": null, "nsfw": false,
            "system_channel_flags": 0, "rules_channel_id": null, "max_members": 500_000, "vanity_url_code": null,
            "description": null, "banner": null, "premium_tier": 0, "premium_subscription_count": 0, "nsfw_level": 0,
            "preferred_locale": "en-US", "public_updates_channel_id": null, "stickers": [], "region": "us-west",
            "premium_progress_bar_enabled": false, "safety_alerts_channel_id": null,
        });
        let told = json!({
            "joined_at": "2024-01-01T00:00:00+00:00", "large": false, "unavailable": false, "voice_states": [],
            "member_count": self.users.len(), "members": [self.member_json(BOT, true)], "presences": [],
            "channels": channels.map(|c| self.channel_json(c.id)).collect::<Vec<_>>(),
            "threads": threads.map(|c| self.channel_json(c.id)).collect::<Vec<_>>(),
            "stage_instances": [], "guild_scheduled_events": [], "soundboard_sounds": [],
        });
        guild.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
        guild
    }

    pub fn roles_json(&self) -> Value {
        let mut ids: Vec<u64> = self.users.values().flat_map(|user| user.roles.clone()).collect();
        ids.push(GUILD);
        ids.sort_unstable();
        ids.dedup();
        let role = |id: &u64| {
            let name = if *id == GUILD { "@everyone".to_owned() } else { format!("role-{id}") };
            json!({
                "id": id.to_string(), "name": name, "color": 0, "hoist": false, "managed": false, "flags": 0,
                "colors": { "primary_color": 0, "secondary_color": null, "tertiary_color": null },
                "mentionable": false, "permissions": self.allowed.to_string(), "position": 0, "icon": null,
                "unicode_emoji": null,
            })
        };
        ids.iter().map(role).collect()
    }

    pub fn message_json(&self, id: u64) -> Value {
        let message = &self.messages[&id];
        let files = message.files.iter().enumerate();
        let reaction = |(emoji, users): &(String, Vec<u64>)| {
            json!({
                "emoji": { "id": null, "name": emoji }, "count": users.len(), "me": users.contains(&BOT),
                "count_details": { "burst": 0, "normal": users.len() }, "me_burst": false, "burst_colors": [],
            })
        };
        let mut shown = json!({
            "id": id.to_string(), "channel_id": message.channel.to_string(), "author": self.user_json(message.author),
            "content": message.content, "timestamp": "2026-11-23T19:00:00+00:00", "type": 0, "tts": false,
            "edited_timestamp": (message.edited > 0).then_some("2026-11-23T19:00:01+00:00"), "pinned": false,
            "mention_everyone": false, "mentions": [], "mention_roles": [], "embeds": message.embeds,
            "components": message.components, "flags": if message.only_for.is_some() { 64 } else { 0 },
            "attachments": files.map(|(i, name)| json!({
                "id": (id + i as u64 + 1).to_string(), "filename": name, "size": 100, "content_type": "image/png",
                "url": format!("https://cdn.discordapp.com/{id}/{name}"),
                "proxy_url": format!("https://media.discordapp.net/{id}/{name}"),
            })).collect::<Vec<_>>(),
            "reactions": message.reactions.iter().map(reaction).collect::<Vec<_>>(),
        });
        if self.channels.contains_key(&id) {
            shown["thread"] = self.channel_json(id);
        }
        shown
    }
}

/// A person's id, the same in every story.
pub fn id_of(name: &str) -> u64 {
    if name == "tidegate" {
        return BOT;
    }
    let hash = name
        .bytes()
        .fold(14_695_981_039_346_656_037_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211));
    100_000_000_000_000_000 + hash % 700_000_000_000_000_000
}

fn user(name: &str) -> User {
    let name = name.to_owned();
    User { name, shown: None, bot: false, pending: false, left: false, open: true, roles: Vec::new() }
}
