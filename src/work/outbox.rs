//! Messages on their way out: posted once, edited in place, in order within their thread.

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::chat::{ChatError, To};
use crate::clock::Millis;
use crate::message::Message;
use crate::name::{Channel, PlanId};
use crate::store::Claim;
use crate::store::message::Posted;

/// A message to send.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Send {
    pub platform: String,
    pub channel: Channel,
    /// The key of the message whose thread it goes to.
    #[serde(default)]
    pub thread: Option<String>,
    /// Our key: the same key again edits the message in place. None: said once, never edited.
    #[serde(default)]
    pub key: Option<String>,
    /// The platform's user who alone sees it.
    #[serde(default)]
    pub only_for: Option<String>,
    /// To that person by itself (a direct message), not as a note in the channel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub direct: bool,
    /// What the platform gave for answering the act that this is about ([`crate::event::From::answer`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    #[serde(default)]
    pub plan: Option<PlanId>,
    pub message: Message,
}

impl Send {
    /// Said once, to everybody in the channel.
    pub fn to(platform: impl Into<String>, channel: &Channel, message: Message) -> Send {
        Send {
            platform: platform.into(),
            channel: channel.clone(),
            thread: None,
            key: None,
            only_for: None,
            direct: false,
            answer: None,
            plan: None,
            message,
        }
    }

    /// Where things are said that belong to no conversation.
    pub fn home(app: &App, message: Message) -> Send {
        let home = app.home();
        Send::to(home.platform, &home.channel, message)
    }

    /// In the thread of the message with this key.
    #[must_use]
    pub fn thread(self, thread: Option<String>) -> Send {
        Send { thread, ..self }
    }

    /// Under a key of its own: the same key again edits it in place.
    #[must_use]
    pub fn key(self, key: impl Into<Option<String>>) -> Send {
        Send { key: key.into(), ..self }
    }

    /// A note in the channel that one user of the platform alone sees; None: everybody does.
    #[must_use]
    pub fn only_for(self, user: Option<String>) -> Send {
        Send { only_for: user, ..self }
    }

    /// To one user of the platform by itself.
    #[must_use]
    pub fn direct(self, user: String) -> Send {
        Send { only_for: Some(user), direct: true, ..self }
    }

    #[must_use]
    pub fn of(self, plan: &PlanId) -> Send {
        Send { plan: Some(plan.clone()), ..self }
    }
}

/// Why a message could not be delivered, and whether to try again.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    #[error("{1}")]
    After(Millis, String),
    /// When a person has mended it.
    #[error("{0}")]
    Blocked(String),
    #[error("{0}")]
    Never(String),
}

impl Send {
    /// Before the key of a message whose words are nobody's business once it is delivered: they are not kept.
    pub const SECRET: &str = "secret:";

    fn is_secret(&self) -> bool {
        self.key.as_ref().is_some_and(|key| key.starts_with(Send::SECRET))
    }

    /// Messages of one thread go out in order; those of different threads do not wait for each other.
    pub fn lane(&self) -> String {
        if let (true, Some(user)) = (self.direct, &self.only_for) {
            return format!("send:direct:{user}");
        }
        let thread = self.thread.as_ref().or(self.key.as_ref());
        format!("send:{}:{}", self.channel, thread.map_or("", String::as_str))
    }
}

/// Delivers one message.
pub async fn deliver(app: &App, claim: &Claim) -> anyhow::Result<()> {
    let send: Send = serde_json::from_str(&claim.body)?;
    let chat = app.chat(&send.platform)?;
    let parent = match &send.thread {
        None => None,
        Some(key) => app.store.posted(key).await?,
    };
    // The thread of what one person alone sees is for that person alone.
    let only_for = send.only_for.clone().or_else(|| parent.as_ref().and_then(|parent| parent.only_for.clone()));
    let thread = parent.and_then(|parent| parent.remote);
    let to = To {
        channel: send.channel.clone(),
        thread,
        only_for: only_for.clone(),
        direct: send.direct,
        answer: send.answer.clone(),
        dedup: claim.id.clone(),
        again: claim.attempts > 1,
    };
    let known = match &send.key {
        Some(key) => app.store.posted(key).await?.and_then(|posted| posted.remote),
        None => None,
    };
    let delivery = |error: ChatError| match error {
        ChatError::Later(wait, says) => DeliveryError::After(wait, says),
        // What one person was to be told just now is of no use to them hours later.
        ChatError::Blocked(says) if only_for.is_none() => DeliveryError::Blocked(says),
        ChatError::Blocked(says) | ChatError::Refused(says) => DeliveryError::Never(says),
        ChatError::Gone => DeliveryError::Never("the message or channel is gone".to_owned()),
    };
    let (remote, anew) = match known {
        Some(remote) => match chat.edit(&to, &remote, &send.message).await {
            Ok(()) => (remote, false),
            Err(ChatError::Gone) => (chat.post(&to, &send.message).await.map_err(delivery)?, true),
            Err(error) => return Err(delivery(error).into()),
        },
        None => (chat.post(&to, &send.message).await.map_err(delivery)?, false),
    };
    let nothing = Message::default();
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    tx.record_posted(&Posted {
        key: send.key.clone().unwrap_or_else(|| format!("once:{}", claim.id)),
        platform: send.platform.clone(),
        channel: send.channel.clone(),
        thread: send.thread.clone(),
        remote: Some(remote.clone()),
        only_for,
        plan: send.plan.clone(),
        body: serde_json::to_string(if send.is_secret() { &nothing } else { &send.message })?,
        at: now,
    })
    .await?;
    if send.is_secret() {
        tx.blank(claim, &serde_json::to_string(&Send { message: nothing, ..send.clone() })?).await?;
    }
    if let (true, Some(key), Some(plan)) = (anew && send.only_for.is_none(), &send.key, &send.plan) {
        crate::chat::reposted(app, &mut tx, key, plan, &remote).await?;
    }
    tx.commit().await
}
