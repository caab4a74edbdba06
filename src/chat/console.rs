//! The console: the built-in chat, kept in our own store.

use futures::future::BoxFuture;

use super::{Chat, ChatError, To};
use crate::app::App;
use crate::clock::{Clock, SECOND};
use crate::config::{PersonKind, Settings};
use crate::message::Message;
use crate::name::Channel;
use crate::store::Store;
use crate::store::console::NewConsoleMessage;

/// Under this name Tidegate speaks on the console.
pub const SELF: &str = "tidegate";

#[derive(Debug)]
pub struct Console {
    store: Store,
    clock: Clock,
}

impl Console {
    pub fn new(store: Store, clock: Clock) -> Console {
        Console { store, clock }
    }

    async fn put(&self, to: &To, message: &Message) -> anyhow::Result<String> {
        let mut tx = self.store.begin(self.clock.now()).await?;
        tx.console_post(&NewConsoleMessage {
            id: &to.dedup,
            channel: to.channel.as_str(),
            thread: to.thread.as_deref(),
            for_person: to.only_for.as_deref(),
            author: SELF,
            body: &serde_json::to_string(message)?,
        })
        .await?;
        tx.commit().await?;
        Ok(to.dedup.clone())
    }

    async fn change(&self, remote: &str, message: &Message) -> anyhow::Result<bool> {
        let mut tx = self.store.begin(self.clock.now()).await?;
        let there = tx.console_edit(remote, &serde_json::to_string(message)?).await?;
        tx.commit().await?;
        Ok(there)
    }
}

impl Chat for Console {
    fn platform(&self) -> &'static str {
        "console"
    }

    fn home(&self, settings: &Settings) -> Option<Channel> {
        Some(settings.chat.channel.clone())
    }

    /// The page's calls come through the web's own door.
    fn listen<'a>(&'a self, app: &'a App) -> BoxFuture<'a, ()> {
        Box::pin(app.stopped())
    }

    /// The console knows nobody but the people of the settings.
    fn kind<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<PersonKind, ChatError>> {
        Box::pin(std::future::ready(Ok(PersonKind::Member)))
    }

    fn post<'a>(&'a self, to: &'a To, message: &'a Message) -> BoxFuture<'a, Result<String, ChatError>> {
        Box::pin(async move { self.put(to, message).await.map_err(later) })
    }

    fn edit<'a>(&'a self, _: &'a To, remote: &'a str, message: &'a Message) -> BoxFuture<'a, Result<(), ChatError>> {
        Box::pin(async move {
            match self.change(remote, message).await {
                Ok(true) => Ok(()),
                Ok(false) => Err(ChatError::Gone),
                Err(error) => Err(later(error)),
            }
        })
    }

    /// What people do here is stored by us before anybody sees it.
    fn can_miss(&self) -> bool {
        false
    }

    fn reactions<'a>(&'a self, remote: &'a str) -> BoxFuture<'a, Result<Vec<(String, String)>, ChatError>> {
        Box::pin(async move { self.store.console_reactions(remote).await.map_err(later) })
    }
}

fn later(error: anyhow::Error) -> ChatError {
    ChatError::Later(SECOND, format!("{error:#}"))
}
