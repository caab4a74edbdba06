//! Discord: one bot in one or several servers.
//!
//! Users are Discord's user ids, channels `GUILD/CHANNEL`, messages `CHANNEL/MESSAGE`; a thread has the id of the message
//! that it was made from. What is sent goes through [`api`], what arrives through serenity's gateway.

pub mod answer;
pub mod api;
mod asked;
pub mod check;
pub mod commands;
mod emoji;
mod gateway;
mod interact;
mod members;
mod modal;
pub mod permissions;
mod post;
pub mod render;
mod suggest;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use futures::future::BoxFuture;
use serde_json::Value;

use crate::app::App;
use crate::chat::{Chat, ChatError, To};
use crate::clock::Clock;
use crate::config::{PersonKind, Settings};
use crate::message::Message;
use crate::name::Channel;
use crate::store::Store;
use answer::Answers;
use api::Api;
use members::Members;

/// Our name for the platform.
pub const PLATFORM: &str = "discord";

/// The platform; clones share everything.
#[derive(Clone, Debug)]
pub struct Discord {
    inner: Arc<Inner>,
}

/// What Discord calls the bot.
#[derive(Clone, Debug)]
pub struct Me {
    pub user: String,
    pub application: String,
}

pub struct Inner {
    api: Api,
    store: Store,
    clock: Clock,
    /// As they were when they were last looked at: posting has no other way to see a reload.
    settings: RwLock<Arc<Settings>>,
    me: tokio::sync::OnceCell<Me>,
    members: Members,
    answers: Answers,
    /// Read by each interaction while "thinking" stands there; taken whole by whoever waits for the last of them.
    answering: tokio::sync::RwLock<()>,
    forms: modal::Forms,
    /// Threads that are there, and the channels that they are in.
    threads: Mutex<BTreeMap<String, String>>,
}

impl Discord {
    /// None: the settings name no Discord.
    pub fn build(settings: &Settings, store: &Store, clock: &Clock) -> anyhow::Result<Option<Discord>> {
        let Some(discord) = &settings.chat.discord else { return Ok(None) };
        let token =
            discord.token.reveal(&settings.base).map_err(|why| anyhow::anyhow!("[chat.discord] token: {why}"))?;
        let inner = Inner {
            api: Api::new(&discord.api, token)?,
            store: store.clone(),
            clock: clock.clone(),
            settings: RwLock::new(Arc::new(settings.clone())),
            me: tokio::sync::OnceCell::new(),
            members: Members::default(),
            answers: Answers::default(),
            answering: tokio::sync::RwLock::default(),
            forms: modal::Forms::default(),
            threads: Mutex::default(),
        };
        Ok(Some(Discord { inner: Arc::new(inner) }))
    }
}

impl Chat for Discord {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn home(&self, settings: &Settings) -> Option<Channel> {
        let guild = settings.chat.discord.as_ref()?.guild.first()?;
        Some(Channel::new(format!("{}/{}", guild.id, guild.channel)))
    }

    fn listen<'a>(&'a self, app: &'a App) -> BoxFuture<'a, ()> {
        Box::pin(gateway::listen(&self.inner, app))
    }

    fn kind<'a>(&'a self, user: &'a str) -> BoxFuture<'a, Result<PersonKind, ChatError>> {
        let inner = &self.inner;
        Box::pin(async move { inner.members.kind(&inner.api, &inner.settings(), user, inner.clock.now()).await })
    }

    fn post<'a>(&'a self, to: &'a To, message: &'a Message) -> BoxFuture<'a, Result<String, ChatError>> {
        Box::pin(self.inner.post(to, message))
    }

    fn edit<'a>(&'a self, to: &'a To, remote: &'a str, message: &'a Message) -> BoxFuture<'a, Result<(), ChatError>> {
        Box::pin(self.inner.edit(to, remote, message))
    }

    fn reactions<'a>(&'a self, remote: &'a str) -> BoxFuture<'a, Result<Vec<(String, String)>, ChatError>> {
        Box::pin(self.inner.reactions(remote))
    }
}

impl Inner {
    fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes the settings as they are now.
    fn see(&self, app: &App) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = app.settings();
    }

    /// What Discord calls people of ours.
    fn users(&self) -> render::Users {
        let settings = self.settings();
        let first =
            |person: &crate::config::PersonSettings| person.discord.first().filter(|id| answer::is_id(id)).cloned();
        settings.people.iter().filter_map(|(name, person)| Some((name.clone(), first(person)?))).collect()
    }

    async fn me(&self) -> Result<&Me, ChatError> {
        self.me
            .get_or_try_init(|| async {
                let id = |answer: Value| match answer["id"].as_str().filter(|id| answer::is_id(id)) {
                    Some(id) => Ok(id.to_owned()),
                    None => Err(ChatError::Later(5_000, "Discord did not say who the bot is.".to_owned())),
                };
                let user = id(self.api.get("users/@me").await?)?;
                let application = id(self.api.get("applications/@me").await?)?;
                Ok(Me { user, application })
            })
            .await
    }

    /// Who reacted how, page by page; the bot's own marks left out.
    async fn reactions(&self, remote: &str) -> Result<Vec<(String, String)>, ChatError> {
        let Some((channel, message)) = parts(remote).filter(|(channel, _)| *channel != post::PRIVATE) else {
            return Ok(Vec::new());
        };
        let me = self.me().await?;
        let found = self.api.get(&format!("channels/{channel}/messages/{message}")).await?;
        let mut given = Vec::new();
        for reaction in found["reactions"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let name = emoji::named(reaction["emoji"]["name"].as_str(), reaction["emoji"]["id"].as_str());
            let path = emoji::in_path(&name);
            let mut after = String::new();
            // A page holds a hundred; what more than ten thousand people clicked is no approval.
            for _ in 0..100 {
                let page = self
                    .api
                    .get(&format!("channels/{channel}/messages/{message}/reactions/{path}?limit=100{after}"))
                    .await?;
                let users: Vec<&str> =
                    page.as_array().into_iter().flatten().filter_map(|user| user["id"].as_str()).collect();
                let others = users.iter().filter(|user| **user != me.user);
                given.extend(others.map(|user| (name.clone(), (*user).to_owned())));
                match users.last() {
                    Some(last) if users.len() == 100 && answer::is_id(last) => after = format!("&after={last}"),
                    _ => break,
                }
            }
        }
        Ok(given)
    }

    fn is_known_thread(&self, thread: &str) -> bool {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).contains_key(thread)
    }

    fn known_parent(&self, thread: &str) -> Option<String> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).get(thread).cloned()
    }

    fn know_thread(&self, thread: &str, parent: &str) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if threads.len() >= 20_000 {
            threads.clear();
        }
        threads.insert(thread.to_owned(), parent.to_owned());
    }

    fn forget_thread(&self, thread: &str) {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).remove(thread);
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("api", &self.api).finish_non_exhaustive()
    }
}

/// `CHANNEL/MESSAGE` taken apart.
fn parts(remote: &str) -> Option<(&str, &str)> {
    let (channel, message) = remote.split_once('/')?;
    let private = channel == post::PRIVATE && message.bytes().all(|b| b.is_ascii_alphanumeric());
    (private || answer::is_id(channel) && answer::is_id(message)).then_some((channel, message))
}

/// The channel's id in `GUILD/CHANNEL`.
fn channel_of(channel: &Channel) -> Result<&str, ChatError> {
    let name = channel.as_str();
    let id = name.split_once('/').map_or(name, |(_, id)| id);
    match answer::is_id(id) {
        true => Ok(id),
        false => Err(ChatError::Refused(format!(
            "`{}` is no channel of Discord's: its id belongs there, as in [[chat.discord.guild]] channel.",
            crate::message::tame(name, 60)
        ))),
    }
}
