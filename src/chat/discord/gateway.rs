//! What Discord tells through its gateway: reactions, deleted messages, threads, interactions, replies.
//!
//! Connecting, resuming and sharding are serenity's. Events arrive at the same time and in no order; each is stored under
//! the lane of whoever did it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::ExposeSecret;
use serenity::all::{
    ChannelId, Client, ClientBuilder, Context, EventHandler, GatewayIntents, GuildChannel, GuildId, Interaction,
    Message, MessageId, MessageUpdateEvent, PartialGuildChannel, RawEventHandler, Reaction, ReactionType, Ready,
    ShardManager, Timestamp, User,
};
use serenity::async_trait;
use serenity::http::HttpBuilder;

use super::asked::Asked;
use super::members::Member;
use super::{Inner, PLATFORM, emoji};
use crate::app::App;
use crate::chat::ChatError;
use crate::clock::SECOND;
use crate::event::{Due, Event, From};
use crate::name::Channel;

/// How often members' roles and the settings are looked at anew.
const REFRESH: Duration = Duration::from_secs(180);

/// How long the last interactions are waited for when the program stops.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

struct Handler {
    inner: Arc<Inner>,
    app: App,
}

/// Stops the shards also where nobody waits for them any more.
struct Running(Arc<ShardManager>);

impl Drop for Running {
    fn drop(&mut self) {
        let shards = self.0.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { shards.shutdown_all().await });
        }
    }
}

/// Listens until the program stops; connects again by itself.
pub async fn listen(inner: &Arc<Inner>, app: &App) {
    tokio::select! {
        () = stay_connected(inner, app) => {}
        () = stay_fresh(inner, app) => {}
        () = app.stopped() => {}
    }
    // Nobody is left looking at "thinking" by a program that had time to say goodbye.
    if tokio::time::timeout(LAST_ANSWERS, inner.answering.write()).await.is_err() {
        tracing::warn!("some interactions were not answered before the program stopped");
    }
}

async fn stay_connected(inner: &Arc<Inner>, app: &App) {
    let mut wait = Duration::from_secs(1);
    loop {
        let begun = tokio::time::Instant::now();
        match connect(inner, app).await {
            Ok(()) => tracing::warn!("the connection to Discord ended; connecting again"),
            Err(error) => tracing::error!(error = format!("{error:#}"), "Discord could not be connected"),
        }
        // A connection that held for a while was not refused.
        wait = if begun.elapsed() > Duration::from_secs(60) { Duration::from_secs(1) } else { wait * 2 };
        wait = wait.min(Duration::from_secs(120));
        tokio::time::sleep(wait).await;
    }
}

/// One connection with all its resumptions; ends when serenity gives it up.
async fn connect(inner: &Arc<Inner>, app: &App) -> anyhow::Result<()> {
    inner.see(app);
    inner.me().await?;
    let gateway = inner.api.get("gateway/bot").await.map_err(ChatError::from)?;
    let url = gateway["url"].as_str().context("Discord named no gateway")?.to_owned();
    let shards = gateway["shards"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(1).clamp(1, 64);
    let mut client = client(inner, app).await.map_err(plain)?;
    // serenity falls back to Discord's own gateway without a word.
    *client.ws_url.lock().await = url;
    let running = Running(client.shard_manager.clone());
    let ended = client.start_shards(shards).await.map_err(plain);
    drop(running);
    ended
}

async fn client(inner: &Arc<Inner>, app: &App) -> serenity::Result<Client> {
    let settings = inner.settings();
    let mut http = HttpBuilder::new(inner.api.token().expose_secret()).ratelimiter_disabled(true);
    if let Some(discord) = &settings.chat.discord
        && discord.api.as_str() != "https://discord.com/"
    {
        http = http.proxy(discord.api.as_str().trim_end_matches('/'));
    }
    let intents = GatewayIntents::GUILDS | GatewayIntents::GUILD_MESSAGES | GatewayIntents::GUILD_MESSAGE_REACTIONS;
    let handler = || Handler { inner: inner.clone(), app: app.clone() };
    ClientBuilder::new_with_http(http.build(), intents).event_handler(handler()).raw_event_handler(handler()).await
}

/// serenity's errors may hold an address or a body: only their sort is told.
fn plain(error: serenity::Error) -> anyhow::Error {
    use serenity::gateway::GatewayError;
    match error {
        serenity::Error::Gateway(GatewayError::InvalidAuthentication) => anyhow::anyhow!(
            "Discord does not accept the bot's token: make a new one and put it where [chat.discord] token points"
        ),
        serenity::Error::Gateway(GatewayError::DisallowedGatewayIntents | GatewayError::InvalidGatewayIntents) => {
            anyhow::anyhow!("Discord does not allow the bot's intents; it needs none of the privileged ones")
        }
        serenity::Error::Gateway(_) => anyhow::anyhow!("the gateway ended the connection"),
        serenity::Error::Http(_) => anyhow::anyhow!("Discord refused a call"),
        _ => anyhow::anyhow!("the connection to Discord failed"),
    }
}

async fn stay_fresh(inner: &Arc<Inner>, app: &App) {
    loop {
        inner.see(app);
        inner.members.refresh(&inner.api, &app.settings(), app.clock.now()).await;
        inner.tell_roles(app);
        tokio::time::sleep(REFRESH).await;
    }
}

impl Inner {
    fn tell_roles(&self, app: &App) {
        app.told_roles(PLATFORM, self.members.roles(&app.settings()));
    }

    fn note_member(&self, app: &App, guild: &str, user: &str, member: &serde_json::Value) {
        if member.is_object() && is_ours(app, guild) {
            self.members.note(guild, user, Some(Member::read(member)), app.clock.now());
            self.tell_roles(app);
        }
    }

    /// The channel that a thread is in; a channel is its own.
    async fn parent_of(&self, app: &App, channel: &str) -> String {
        let settings = app.settings();
        let home = settings.chat.discord.iter().flat_map(|discord| &discord.guild);
        if home.into_iter().any(|guild| guild.channel.as_str() == channel) {
            return channel.to_owned();
        }
        if let Some(parent) = self.known_parent(channel) {
            return parent;
        }
        match self.api.get(&format!("channels/{channel}")).await {
            Ok(found) if matches!(found["type"].as_u64(), Some(10..=12)) => {
                let parent = found["parent_id"].as_str().filter(|id| super::answer::is_id(id)).unwrap_or(channel);
                self.know_thread(channel, parent);
                parent.to_owned()
            }
            _ => channel.to_owned(),
        }
    }
}

/// What somebody wrote or edited.
struct Heard<'a> {
    guild: Option<GuildId>,
    channel: ChannelId,
    message: MessageId,
    author: &'a User,
    content: &'a str,
    /// When it was changed, where it was.
    edited: Option<Timestamp>,
}

impl Handler {
    /// A mark that was set or taken away.
    async fn react(&self, reaction: &Reaction, removed: bool) -> anyhow::Result<()> {
        let (Some(guild), Some(user)) = (reaction.guild_id.map(id), reaction.user_id.map(id)) else { return Ok(()) };
        let me = self.inner.me().await?;
        let foreign = reaction.message_author_id.is_some_and(|author| id(author) != me.user);
        if user == me.user || foreign || !is_ours(&self.app, &guild) {
            return Ok(());
        }
        let (channel, message) = (id(reaction.channel_id), id(reaction.message_id));
        let remote = format!("{channel}/{message}");
        // Only the event of a new mark says whose message it is.
        if reaction.message_author_id.is_none() && self.app.store.posted_as(PLATFORM, &remote).await?.is_none() {
            return Ok(());
        }
        if let Some(member) = &reaction.member {
            self.inner.note_member(&self.app, &guild, &user, &serde_json::to_value(member)?);
        }
        let parent = self.inner.parent_of(&self.app, &channel).await;
        let event = Event::Reacted {
            from: From::new(PLATFORM, user.clone(), Channel::new(format!("{guild}/{parent}"))),
            message: remote,
            reaction: name_of(&reaction.emoji),
            removed,
            read_back: false,
            at: self.app.clock.now(),
        };
        self.app.inbox.put(&event, &format!("person:{PLATFORM}:{user}"), None).await?;
        Ok(())
    }

    /// Every mark on a message was removed by a moderator.
    async fn clear(&self, remote: String) -> anyhow::Result<()> {
        if self.app.store.posted_as(PLATFORM, &remote).await?.is_some() {
            let event =
                Event::Cleared { platform: PLATFORM.to_owned(), message: remote.clone(), at: self.app.clock.now() };
            self.app.inbox.put(&event, &format!("message:{PLATFORM}:{remote}"), None).await?;
        }
        Ok(())
    }

    /// All marks of one sign were removed. If they are words, all words on the message are void, and those whose marks
    /// still stand are found again by comparing.
    async fn clear_one(&self, remote: String, sign: &str) -> anyhow::Result<()> {
        let settings = self.app.settings();
        let means = |word: &str| settings.chat.reactions.get(word).is_some_and(|names| names.iter().any(|n| n == sign));
        if !["approve", "object", "hold"].into_iter().any(means) {
            return Ok(());
        }
        let posted = self.app.store.posted_as(PLATFORM, &remote).await?;
        self.clear(remote).await?;
        if let Some(plan) = posted.and_then(|posted| posted.plan) {
            let now = self.app.clock.now();
            let mut tx = self.app.store.begin(now).await?;
            tx.due(&Due::ReadBack { plan }, now.plus(2 * SECOND)).await?;
            tx.commit().await?;
            self.app.wake();
        }
        Ok(())
    }

    async fn vanish(&self, channel: ChannelId, message: MessageId) -> anyhow::Result<()> {
        let remote = format!("{channel}/{message}");
        if self.app.store.posted_as(PLATFORM, &remote).await?.is_some() {
            let event =
                Event::Vanished { platform: PLATFORM.to_owned(), message: remote.clone(), at: self.app.clock.now() };
            let key = format!("{PLATFORM}:deleted:{remote}");
            self.app.inbox.put(&event, &format!("message:{PLATFORM}:{remote}"), Some(key)).await?;
        }
        Ok(())
    }

    /// What somebody wrote to the bot in a plan's thread. Without the privileged intent Discord gives the words only of
    /// messages that mention the bot, and those are meant for it.
    async fn hear(&self, heard: Heard<'_>) -> anyhow::Result<()> {
        let Some(guild) = heard.guild.map(id).filter(|guild| is_ours(&self.app, guild)) else { return Ok(()) };
        let me = self.inner.me().await?;
        let text = heard.content.replace(&format!("<@{}>", me.user), " ").replace(&format!("<@!{}>", me.user), " ");
        let text = text.trim();
        if heard.author.bot || text.is_empty() {
            return Ok(());
        }
        let thread = id(heard.channel);
        let parent = self.inner.parent_of(&self.app, &thread).await;
        let remote = format!("{parent}/{thread}");
        if parent == thread || self.app.store.posted_as(PLATFORM, &remote).await?.is_none() {
            return Ok(());
        }
        let user = id(heard.author.id);
        let event = Event::Replied {
            from: From::new(PLATFORM, user.clone(), Channel::new(format!("{guild}/{parent}"))),
            thread: remote,
            text: text.chars().take(4_000).collect(),
            message: Some(format!("{thread}/{}", heard.message)),
            edited: heard.edited.is_some(),
            at: self.app.clock.now(),
        };
        let key = match heard.edited {
            Some(at) => format!("{PLATFORM}:edited:{}:{}", heard.message, at.unix_timestamp()),
            None => format!("{PLATFORM}:message:{}", heard.message),
        };
        self.app.inbox.put(&event, &format!("person:{PLATFORM}:{user}"), Some(key)).await?;
        Ok(())
    }

    /// A thread that closed by itself, or was closed, is opened again while its plan lives. A locked one was locked on
    /// purpose.
    async fn keep_open(&self, thread: &GuildChannel) -> anyhow::Result<()> {
        let closed = thread.thread_metadata.as_ref().is_some_and(|about| about.archived && !about.locked);
        let Some(parent) = thread.parent_id.filter(|_| closed) else { return Ok(()) };
        let posted = self.app.store.posted_as(PLATFORM, &format!("{parent}/{}", thread.id)).await?;
        let Some(plan) = posted.and_then(|posted| posted.plan) else { return Ok(()) };
        if self.app.store.plan(&plan).await?.is_some_and(|row| !row.state.is_over()) {
            self.inner.unarchive(&id(thread.id)).await?;
        }
        Ok(())
    }

    async fn begin(&self) -> anyhow::Result<()> {
        self.inner.see(&self.app);
        // A new session: what happened in between was told to nobody.
        crate::chat::read_back_all(&self.app, PLATFORM).await?;
        self.inner.register().await?;
        Ok(())
    }
}

#[async_trait]
impl EventHandler for Handler {
    async fn ready(&self, _: Context, _: Ready) {
        report(self.begin().await, "Discord is connected, but not all was set up");
    }

    async fn reaction_add(&self, _: Context, reaction: Reaction) {
        report(self.react(&reaction, false).await, "a reaction could not be taken");
    }

    async fn reaction_remove(&self, _: Context, reaction: Reaction) {
        report(self.react(&reaction, true).await, "a reaction's removal could not be taken");
    }

    async fn reaction_remove_all(&self, _: Context, channel: ChannelId, message: MessageId) {
        report(self.clear(format!("{channel}/{message}")).await, "the removal of all reactions could not be taken");
    }

    async fn reaction_remove_emoji(&self, _: Context, reaction: Reaction) {
        let remote = format!("{}/{}", reaction.channel_id, reaction.message_id);
        let done = self.clear_one(remote, &name_of(&reaction.emoji)).await;
        report(done, "the removal of a reaction by all could not be taken");
    }

    async fn message_delete(&self, _: Context, channel: ChannelId, message: MessageId, _: Option<GuildId>) {
        report(self.vanish(channel, message).await, "a message's deletion could not be taken");
    }

    async fn message_delete_bulk(&self, _: Context, channel: ChannelId, messages: Vec<MessageId>, _: Option<GuildId>) {
        for message in messages {
            report(self.vanish(channel, message).await, "a message's deletion could not be taken");
        }
    }

    async fn message(&self, _: Context, message: Message) {
        let heard = Heard {
            guild: message.guild_id,
            channel: message.channel_id,
            message: message.id,
            author: &message.author,
            content: &message.content,
            edited: None,
        };
        report(self.hear(heard).await, "a reply could not be taken");
    }

    async fn message_update(&self, _: Context, _: Option<Message>, _: Option<Message>, event: MessageUpdateEvent) {
        // What Discord adds to a message by itself is no edit.
        let (Some(author), Some(content), Some(at)) = (&event.author, &event.content, event.edited_timestamp) else {
            return;
        };
        let heard = Heard {
            guild: event.guild_id,
            channel: event.channel_id,
            message: event.id,
            author,
            content,
            edited: Some(at),
        };
        report(self.hear(heard).await, "an edited reply could not be taken");
    }

    async fn thread_update(&self, _: Context, _: Option<GuildChannel>, thread: GuildChannel) {
        report(self.keep_open(&thread).await, "a thread could not be kept open");
    }

    async fn thread_delete(&self, _: Context, thread: PartialGuildChannel, _: Option<GuildChannel>) {
        self.inner.forget_thread(&id(thread.id));
    }

    async fn interaction_create(&self, _: Context, interaction: Interaction) {
        let kind = match &interaction {
            Interaction::Command(_) => 2,
            Interaction::Component(_) => 3,
            Interaction::Autocomplete(_) => 4,
            Interaction::Modal(_) => 5,
            _ => return,
        };
        let asked = serde_json::to_value(&interaction).ok().and_then(|value| Asked::read(kind, &value));
        let Some(asked) = asked else {
            tracing::warn!(discord.interaction = kind, "an interaction did not read");
            return;
        };
        if let Some(guild) = &asked.guild {
            self.inner.note_member(&self.app, guild, &asked.user, &asked.member);
        }
        self.inner.interact(&self.app, asked).await;
    }
}

/// What serenity does not read comes here as it was sent: it wants more of one event than Discord sends, and knows no
/// parts of interactions that are newer than itself.
#[async_trait]
impl RawEventHandler for Handler {
    async fn raw_event(&self, _: Context, event: serenity::all::Event) {
        let serenity::all::Event::Unknown(event) = event else { return };
        let value = &event.value;
        let named = |name: &str| value[name].as_str().filter(|id| super::answer::is_id(id));
        match event.kind.as_str() {
            "MESSAGE_REACTION_REMOVE_EMOJI" => {
                let (Some(channel), Some(message)) = (named("channel_id"), named("message_id")) else { return };
                let sign = emoji::named(value["emoji"]["name"].as_str(), value["emoji"]["id"].as_str());
                let done = self.clear_one(format!("{channel}/{message}"), &sign).await;
                report(done, "the removal of a reaction by all could not be taken");
            }
            "INTERACTION_CREATE" => {
                let kind = value["type"].as_u64().and_then(|kind| u8::try_from(kind).ok()).unwrap_or_default();
                if let Some(asked) = Asked::read(kind, value) {
                    self.inner.interact(&self.app, asked).await;
                }
            }
            _ => {}
        }
    }
}

fn report(done: anyhow::Result<()>, says: &str) {
    if let Err(error) = done {
        tracing::error!(error = format!("{error:#}"), "{says}");
    }
}

fn is_ours(app: &App, guild: &str) -> bool {
    app.settings().chat.discord.iter().flat_map(|discord| &discord.guild).any(|known| known.id == guild)
}

fn name_of(sign: &ReactionType) -> String {
    match sign {
        ReactionType::Custom { id, name, .. } => emoji::named(name.as_deref(), Some(&id.to_string())),
        ReactionType::Unicode(sign) => emoji::named(Some(sign), None),
        _ => String::new(),
    }
}

fn id(id: impl ToString) -> String {
    id.to_string()
}
