//! Where people are: the console, Slack, Discord, behind one trait; and what they do there.
//!
//! Users, channels and messages are strings that their platform's folder makes and reads: on Slack `TEAM/USER`,
//! `TEAM/CHANNEL`, `TEAM/CHANNEL/TS`; on Discord a user's id, `GUILD/CHANNEL`, `CHANNEL/MESSAGE`.

pub mod console;
pub mod discord;
mod pressed;
mod reacted;
mod read_back;
mod replied;
pub mod slack;
mod submitted;
pub mod terminal;

pub use pressed::pressed;
pub use reacted::{Reaction, reacted};
pub use read_back::{bring_up_to_date, cleared, read_back, read_back_all, reposted, vanished};
pub use replied::{Reply, replied};
pub use submitted::{arguments as form_arguments, submitted};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::app::App;
use crate::clock::{Clock, Millis, SECOND};
use crate::config::{PersonKind, Settings};
use crate::message::Message;
use crate::name::Channel;
use crate::store::Store;

/// Where a message goes.
#[derive(Clone, Debug)]
pub struct To {
    pub channel: Channel,
    /// The platform's id of the message whose thread it is.
    pub thread: Option<String>,
    /// The platform's user who alone sees it.
    pub only_for: Option<String>,
    /// To `only_for` as a direct message, not as a note that they alone see in the channel.
    pub direct: bool,
    /// What the platform gave for answering the act that this is about: an interaction's token, a response URL.
    pub answer: Option<String>,
    /// The same value again is the same post, after a crash in between.
    pub dedup: String,
    /// Whether this post was tried before and may in fact have arrived.
    pub again: bool,
}

/// Why a chat did not take a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// Not now; try again after so long.
    #[error("{1}")]
    Later(Millis, String),
    /// Not before a person has mended what is said: an invitation, a permission, a token.
    #[error("{0}")]
    Blocked(String),
    /// Never: the message as such is not accepted.
    #[error("{0}")]
    Refused(String),
    /// The message or its channel is no longer there.
    #[error("the message is gone")]
    Gone,
}

/// The platforms that the settings name, beside the console; adding one is a folder and a line here.
pub fn build(settings: &Settings, store: &Store, clock: &Clock) -> anyhow::Result<Vec<Arc<dyn Chat>>> {
    let mut chats: Vec<Arc<dyn Chat>> = Vec::new();
    chats.extend(discord::Discord::build(settings, store, clock)?.map(|chat| Arc::new(chat) as Arc<dyn Chat>));
    chats.extend(slack::Slack::open(settings, store, clock)?.map(|slack| Arc::new(slack) as Arc<dyn Chat>));
    Ok(chats)
}

/// One thing that was looked at before anything runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub ok: bool,
    /// One sentence for the operator: what is on, or what is missing and what will not work without it.
    pub says: String,
}

impl Finding {
    pub fn well(says: String) -> Finding {
        Finding { ok: true, says }
    }

    pub fn wrong(says: String) -> Finding {
        Finding { ok: false, says }
    }
}

/// Looks whether tokens, permissions and channels of every platform that the settings name are as they must be.
pub async fn check(settings: &Settings) -> Vec<Finding> {
    let mut found = slack::check::check(settings).await;
    found.extend(discord::check::check(settings).await);
    found
}

/// Listens on every platform until the program stops.
pub fn listen(app: &App) -> tokio::task::JoinSet<()> {
    let mut listening = tokio::task::JoinSet::new();
    for chat in app.chats().filter(|chat| chat.can_miss()) {
        let (app, chat) = (app.clone(), chat.clone());
        listening.spawn(async move { listen_alone(&app, &*chat).await });
    }
    listening
}

/// A replica that falls silent for so long loses its platforms to another.
const LEASE: Millis = 15 * SECOND;

/// Of several replicas one holds a platform's connections; another takes over within seconds.
async fn listen_alone(app: &App, chat: &dyn Chat) {
    let name = format!("chat:{}", chat.platform());
    let holder = crate::name::new_id(app.clock.now());
    let holds = async || match app.store.take_lease(&name, &holder, app.clock.now(), LEASE).await {
        Ok(held) => held,
        Err(error) => {
            tracing::warn!(chat.platform = chat.platform(), error = format!("{error:#}"), "could not hold the chat");
            false
        }
    };
    let pause = async || {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(3)) => {}
            () = app.stopped() => {}
        }
    };
    while !app.is_stopping() {
        if !holds().await {
            pause().await;
            continue;
        }
        // Whatever happened while nobody held the connection is asked for.
        if let Err(error) = read_back_all(app, chat.platform()).await {
            tracing::warn!(chat.platform = chat.platform(), error = format!("{error:#}"), "words were not read back");
        }
        let lost = async {
            while !app.is_stopping() && holds().await {
                pause().await;
            }
            if app.is_stopping() {
                // The platform ends by itself, after what it holds is stored.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = chat.listen(app) => {}
            () = lost => tracing::warn!(chat.platform = chat.platform(), "another replica took the chat over"),
        }
    }
    if let Err(error) = app.store.release_lease(&name, &holder).await {
        tracing::debug!(error = format!("{error:#}"), "the lease was not let go; it will run out");
    }
}

/// A platform that people talk on.
pub trait Chat: Send + Sync + fmt::Debug + std::any::Any {
    fn platform(&self) -> &'static str;

    /// Where things are said here that belong to no conversation.
    fn home(&self, settings: &Settings) -> Option<Channel>;

    /// Takes what people do here into the inbox until the program stops; reconnects by itself.
    fn listen<'a>(&'a self, app: &'a App) -> BoxFuture<'a, ()>;

    /// What the platform says of a user now, at most a minute old: guests, bots, deactivated users and those of another
    /// organisation (as guests) never count.
    fn kind<'a>(&'a self, user: &'a str) -> BoxFuture<'a, Result<PersonKind, ChatError>>;

    /// The address that the platform confirmed to be this user's, at most a minute old; None where it tells none.
    fn email<'a>(&'a self, _user: &'a str) -> BoxFuture<'a, Result<Option<String>, ChatError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Posts a message with its seeded reactions and returns the platform's id of it.
    fn post<'a>(&'a self, to: &'a To, message: &'a Message) -> BoxFuture<'a, Result<String, ChatError>>;

    fn edit<'a>(&'a self, to: &'a To, remote: &'a str, message: &'a Message) -> BoxFuture<'a, Result<(), ChatError>>;

    /// Where a message can be opened; None where the platform has no addresses for messages, or does not say.
    fn link<'a>(&'a self, _remote: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(std::future::ready(None))
    }

    /// Whether something may happen here without our being told: then reactions are read back.
    fn can_miss(&self) -> bool {
        true
    }

    /// The whole truth of who reacted how: reaction and user, the bot's own left out.
    fn reactions<'a>(&'a self, remote: &'a str) -> BoxFuture<'a, Result<Vec<(String, String)>, ChatError>>;
}
