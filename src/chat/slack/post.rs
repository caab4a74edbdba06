//! Posting and editing: once, whatever the network does, and within what each kind of message may do.

use serde_json::{Value, json};
use slack_morphism::SlackApiToken;

use super::api::ApiError;
use super::render::{Rendered, With, render};
use super::{Slack, Workspace};
use crate::chat::{ChatError, To};
use crate::message::{Block, Level, Message};
use crate::people;

/// Under this name a post says which of ours it is.
const METADATA: &str = "tidegate_post";

/// How far back a post is looked for: a retry comes within minutes.
const PAGES: usize = 5;

impl Slack {
    pub(super) async fn post_message(&self, to: &To, message: &Message) -> Result<String, ChatError> {
        let (workspace, channel) = self.place(to.channel.as_str())?;
        match &to.only_for {
            None => self.post_to(workspace, channel, to, message).await,
            Some(user) if to.direct => self.post_directly(workspace, user, to, message).await,
            Some(user) => self.post_privately(workspace, channel, user, to, message).await,
        }
    }

    pub(super) async fn edit_message(&self, _: &To, remote: &str, message: &Message) -> Result<(), ChatError> {
        // What one person alone sees cannot be edited; it is gone as far as anybody can tell.
        let (workspace, channel, ts) = self.message(remote)?;
        let drawn = self.drawn(workspace, message).await;
        let urgent = message.level == Level::Critical;
        let body =
            |drawn: &Rendered| json!({ "channel": channel, "ts": ts, "text": drawn.text, "blocks": drawn.blocks });
        let edited = self.api.post_as(&workspace.token, "chat.update", &body(&drawn), urgent).await;
        match edited {
            Err(error) if needs_plainness(&error, message) => {
                let drawn = self.without_pictures(workspace, message);
                self.api.post_as(&workspace.token, "chat.update", &body(&drawn), urgent).await?;
                Ok(())
            }
            done => Ok(done.map(drop)?),
        }
    }

    async fn post_to(
        &self,
        workspace: &Workspace,
        channel: &str,
        to: &To,
        message: &Message,
    ) -> Result<String, ChatError> {
        let thread = thread_in(to, workspace, channel);
        if to.again
            && let Some(ts) = self.find(workspace, channel, thread, &to.dedup).await?
        {
            return Ok(format!("{}/{channel}/{ts}", workspace.team));
        }
        let urgent = message.level == Level::Critical;
        let body = |drawn: &Rendered| {
            let mut body = json!({
                "channel": channel,
                "text": drawn.text,
                "blocks": drawn.blocks,
                "unfurl_links": false,
                "unfurl_media": false,
                // Values are strings: anything else breaks reading reactions on the message in some clients.
                "metadata": { "event_type": METADATA, "event_payload": { "post": to.dedup } },
            });
            if let Some(thread) = thread {
                body["thread_ts"] = json!(thread);
                if broadcasts(message) {
                    body["reply_broadcast"] = json!(true);
                }
            }
            body
        };
        let drawn = self.drawn(workspace, message).await;
        let posted = match self.api.post_as(&workspace.token, "chat.postMessage", &body(&drawn), urgent).await {
            Err(error) if needs_plainness(&error, message) => {
                let drawn = self.without_pictures(workspace, message);
                self.api.post_as(&workspace.token, "chat.postMessage", &body(&drawn), urgent).await?
            }
            posted => posted?,
        };
        let ts = posted["ts"].as_str().filter(|ts| super::inbound::is_ts(ts));
        let ts = ts.ok_or_else(|| ChatError::Later(1_000, "Slack did not say which message it made.".to_owned()))?;
        self.seed(&workspace.token, channel, ts, message).await;
        Ok(format!("{}/{channel}/{ts}", workspace.team))
    }

    async fn post_directly(
        &self,
        workspace: &Workspace,
        user: &str,
        to: &To,
        message: &Message,
    ) -> Result<String, ChatError> {
        let bare = user.rsplit('/').next().unwrap_or(user);
        let opened = self.api.post(&workspace.token, "conversations.open", &json!({ "users": bare })).await?;
        let channel = opened["channel"]["id"].as_str().filter(|id| super::render::is_id(id)).map(str::to_owned);
        let channel = channel.ok_or_else(|| ChatError::Refused("Slack opened no direct message.".to_owned()))?;
        self.post_to(workspace, &channel, to, message).await
    }

    /// As a note in the channel; where the bot is no member of it, through the address that came with the command; as a
    /// direct message where there is neither.
    async fn post_privately(
        &self,
        workspace: &Workspace,
        channel: &str,
        user: &str,
        to: &To,
        message: &Message,
    ) -> Result<String, ChatError> {
        let drawn = self.drawn(workspace, message).await;
        let bare = user.rsplit('/').next().unwrap_or(user);
        let mut body = json!({ "channel": channel, "user": bare, "text": drawn.text, "blocks": drawn.blocks });
        if let Some(thread) = thread_in(to, workspace, channel) {
            body["thread_ts"] = json!(thread);
        }
        let urgent = message.level == Level::Critical;
        let noted = self.api.post_as(&workspace.token, "chat.postEphemeral", &body, urgent).await;
        let Err(error) = noted else { return Ok(private(workspace, channel, to)) };
        const NOT_THERE: [&str; 5] = [
            "channel_not_found",
            "not_in_channel",
            "user_not_in_channel",
            "is_archived",
            "method_not_supported_for_channel_type",
        ];
        if !error.is(&NOT_THERE) {
            return Err(error.into());
        }
        if let Some(answer) = &to.answer {
            let said = json!({
                "response_type": "ephemeral",
                "replace_original": false,
                "text": drawn.text,
                "blocks": drawn.blocks,
            });
            match self.api.respond(answer, &said).await {
                Ok(()) => return Ok(private(workspace, channel, to)),
                Err(error @ ApiError::Unreachable(..)) => return Err(error.into()),
                // Used up or too old.
                Err(_) => {}
            }
        }
        self.post_directly(workspace, user, to, message).await
    }

    /// The post of that name, if it arrived after all.
    async fn find(
        &self,
        workspace: &Workspace,
        channel: &str,
        thread: Option<&str>,
        dedup: &str,
    ) -> Result<Option<String>, ChatError> {
        let method = if thread.is_some() { "conversations.replies" } else { "conversations.history" };
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let asked = [
                ("channel", channel),
                ("ts", thread.unwrap_or_default()),
                ("include_all_metadata", "true"),
                ("limit", "200"),
                ("cursor", &cursor),
            ];
            let page = match self.api.get(&workspace.token, method, &asked).await {
                Ok(page) => page,
                // Better said twice than not at all.
                Err(ApiError::Slack(_, code)) => {
                    tracing::warn!(slack.error = code, "could not look whether a message had arrived");
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            };
            let is_it = |message: &&Value| {
                message["metadata"]["event_type"] == METADATA && message["metadata"]["event_payload"]["post"] == dedup
            };
            if let Some(found) = page["messages"].as_array().into_iter().flatten().find(is_it) {
                return Ok(found["ts"].as_str().map(str::to_owned));
            }
            cursor = page["response_metadata"]["next_cursor"].as_str().unwrap_or_default().to_owned();
            if cursor.is_empty() {
                break;
            }
        }
        Ok(None)
    }

    /// Puts the reactions under a message for people to click. A message without them is still a message.
    async fn seed(&self, token: &SlackApiToken, channel: &str, ts: &str, message: &Message) {
        for name in &message.reactions {
            let body = json!({ "channel": channel, "timestamp": ts, "name": name.trim_matches(':') });
            match self.api.post(token, "reactions.add", &body).await {
                Ok(_) => {}
                Err(error) if error.is(&["already_reacted"]) => {}
                Err(error) => tracing::warn!(error = %error, "a reaction could not be put under a message"),
            }
        }
    }

    async fn drawn(&self, workspace: &Workspace, message: &Message) -> Rendered {
        for block in &message.blocks {
            if let Block::Picture { light, alt, .. } = block {
                self.upload(workspace, light, alt).await;
            }
        }
        let settings = self.settings();
        render(
            message,
            &With {
                user: &|person| {
                    let user = people::user_on(&settings, "slack", person)?;
                    match user.split_once('/') {
                        Some((team, bare)) => (team == workspace.team).then(|| bare.to_owned()),
                        None => Some(user),
                    }
                },
                picture: &|name| self.uploaded(workspace, name),
            },
        )
    }

    fn without_pictures(&self, workspace: &Workspace, message: &Message) -> Rendered {
        let settings = self.settings();
        let bare = |user: String| user.rsplit('/').next().map(str::to_owned);
        let _ = workspace;
        render(
            message,
            &With { user: &|person| people::user_on(&settings, "slack", person).and_then(bare), picture: &|_| None },
        )
    }
}

/// The thread's time stamp, if the thread is in this very channel.
fn thread_in<'t>(to: &'t To, workspace: &Workspace, channel: &str) -> Option<&'t str> {
    let (place, ts) = to.thread.as_deref()?.rsplit_once('/')?;
    (place == format!("{}/{channel}", workspace.team) && super::inbound::is_ts(ts)).then_some(ts)
}

/// Slack gives such a note no address.
fn private(workspace: &Workspace, channel: &str, to: &To) -> String {
    format!("{}/{channel}/private:{}", workspace.team, to.dedup)
}

/// Only where a human must act now: an alert that nobody has taken.
fn broadcasts(message: &Message) -> bool {
    message.level == Level::Critical && message.buttons.iter().any(|button| button.id.starts_with("take-alert "))
}

/// A picture that Slack has not yet looked at makes the whole message invalid for some seconds.
fn needs_plainness(error: &ApiError, message: &Message) -> bool {
    error.is(&["invalid_blocks", "invalid_blocks_format", "slack_file_not_found"])
        && message.blocks.iter().any(|block| matches!(block, Block::Picture { .. }))
}
