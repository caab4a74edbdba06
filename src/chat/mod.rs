//! Where people are: the console, Slack, Discord, behind one trait; and what they do there.

pub mod console;
mod pressed;
mod reacted;
mod replied;
mod submitted;

pub use pressed::pressed;
pub use reacted::reacted;
pub use replied::replied;
pub use submitted::{arguments as form_arguments, submitted};

use std::fmt;

use futures::future::BoxFuture;

use crate::clock::Millis;
use crate::message::Message;
use crate::name::Channel;

/// Where a message goes.
#[derive(Clone, Debug)]
pub struct To {
    pub channel: Channel,
    /// The platform's id of the message whose thread it is.
    pub thread: Option<String>,
    /// The platform's user who alone sees it.
    pub only_for: Option<String>,
    /// The same value again is the same post, after a crash in between.
    pub dedup: String,
}

/// Why a chat did not take a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// Not now; try again after so long.
    #[error("{1}")]
    Later(Millis, String),
    /// Never: the message as such is not accepted.
    #[error("{0}")]
    Refused(String),
    /// The message or its channel is no longer there.
    #[error("the message is gone")]
    Gone,
}

/// A platform that people talk on.
pub trait Chat: Send + Sync + fmt::Debug {
    fn platform(&self) -> &'static str;

    /// Posts a message with its seeded reactions and returns the platform's id of it.
    fn post<'a>(&'a self, to: &'a To, message: &'a Message) -> BoxFuture<'a, Result<String, ChatError>>;

    fn edit<'a>(&'a self, to: &'a To, remote: &'a str, message: &'a Message) -> BoxFuture<'a, Result<(), ChatError>>;

    /// The whole truth of who reacted how: reaction and user, the bot's own left out.
    fn reactions<'a>(&'a self, remote: &'a str) -> BoxFuture<'a, Result<Vec<(String, String)>, ChatError>>;
}
