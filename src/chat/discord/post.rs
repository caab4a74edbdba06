//! Messages to Discord: posted once, edited in place, in their threads, with their pictures and seeded reactions.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answer::Answer;
use super::api::{
    Failed, File, INVALID_TOKEN, THREAD_ARCHIVED, THREAD_EXISTS, UNKNOWN_CHANNEL, UNKNOWN_INTERACTION, UNKNOWN_WEBHOOK,
};
use super::render::{PICTURE, Place, Rendered, WHOLE, render};
use super::{Inner, channel_of, emoji, parts};
use crate::chat::{ChatError, To};
use crate::ledger::hex;
use crate::message::Message;

/// Before the id of a message that one person alone sees and that is in no channel.
pub const PRIVATE: &str = "@";
/// Threads close by themselves after a week without a word; no longer time can be had.
pub const LONGEST_OPEN: u32 = 10_080;
/// Only the person whose act it answers sees it.
pub const EPHEMERAL: u32 = 1 << 6;

/// A message ready to be sent.
struct Ready {
    rendered: Rendered,
    payload: Value,
    files: Vec<File>,
}

impl Inner {
    pub async fn post(&self, to: &To, message: &Message) -> Result<String, ChatError> {
        let private = to.only_for.is_some();
        let place = if to.thread.is_some() || private { Place::Thread } else { Place::Channel };
        let ready = self.ready(message, place).await;
        if let Some(user) = &to.only_for {
            return self.whisper(to, user, &ready).await;
        }
        let channel = match to.thread.as_deref().map(parts) {
            None => channel_of(&to.channel)?.to_owned(),
            Some(Some((parent, starter))) => self.open_thread(parent, starter).await?,
            Some(None) => return Err(ChatError::Refused("That thread's id is none of Discord's.".to_owned())),
        };
        let id = match if to.again { self.arrived_before(&channel, to, &ready).await? } else { None } {
            Some(id) => id,
            None => self.send(&channel, to, &ready).await?,
        };
        self.seed(&channel, &id, message).await;
        Ok(format!("{channel}/{id}"))
    }

    pub async fn edit(&self, to: &To, remote: &str, message: &Message) -> Result<(), ChatError> {
        let Some((channel, id)) = parts(remote) else { return Err(ChatError::Gone) };
        let place = if to.thread.is_some() || to.only_for.is_some() { Place::Thread } else { Place::Channel };
        let ready = self.ready(message, place).await;
        let path = if channel == PRIVATE {
            let Some(answer) = self.answers.of(id, self.clock.now()) else { return Err(ChatError::Gone) };
            format!("{}/messages/{id}", answer.path())
        } else {
            format!("channels/{channel}/messages/{id}")
        };
        match self.api.call(reqwest::Method::PATCH, &path, Some(&ready.payload), &ready.files).await {
            Ok(_) => Ok(()),
            Err(failed) if failed.code == THREAD_ARCHIVED => {
                self.unarchive(channel).await?;
                Ok(self.api.call(reqwest::Method::PATCH, &path, Some(&ready.payload), &ready.files).await.map(drop)?)
            }
            Err(failed) if channel == PRIVATE && is_over(&failed) => Err(ChatError::Gone),
            // A channel that was deleted took its messages along.
            Err(failed) if failed.code == UNKNOWN_CHANNEL => Err(ChatError::Gone),
            Err(failed) => Err(failed.into()),
        }
    }

    async fn ready(&self, message: &Message, place: Place) -> Ready {
        let rendered = render(message, place, &self.users());
        let mut files = Vec::new();
        if let Some((id, _)) = &rendered.picture {
            match self.picture(id).await {
                Ok(Some(bytes)) => files.push(File { name: PICTURE, kind: "image/png", bytes }),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "a picture could not be drawn; its words stand there");
                }
            }
        }
        let payload = rendered.payload(!files.is_empty());
        if let Some(whole) = &rendered.whole {
            files.push(File { name: WHOLE, kind: "text/plain; charset=utf-8", bytes: whole.clone().into_bytes() });
        }
        Ready { rendered, payload, files }
    }

    async fn picture(&self, id: &str) -> anyhow::Result<Option<Vec<u8>>> {
        // Most people's Discord is dark.
        let Some((_, dark)) = self.store.picture(id).await? else { return Ok(None) };
        Ok(Some(tokio::task::spawn_blocking(move || crate::picture::png(&dark)).await??))
    }

    async fn send(&self, channel: &str, to: &To, ready: &Ready) -> Result<String, ChatError> {
        let mut payload = ready.payload.clone();
        payload["nonce"] = json!(nonce(&to.dedup));
        payload["enforce_nonce"] = json!(true);
        let path = format!("channels/{channel}/messages");
        let sent = match self.api.call(reqwest::Method::POST, &path, Some(&payload), &ready.files).await {
            Err(failed) if failed.code == THREAD_ARCHIVED => {
                self.unarchive(channel).await?;
                self.api.call(reqwest::Method::POST, &path, Some(&payload), &ready.files).await
            }
            Err(failed) if failed.code == UNKNOWN_CHANNEL => {
                self.forget_thread(channel);
                Err(failed)
            }
            sent => sent,
        }?;
        id_of(&sent)
    }

    /// Looks for a message that an earlier try did post: ours, unknown to the store, with this nonce or these words.
    async fn arrived_before(&self, channel: &str, to: &To, ready: &Ready) -> Result<Option<String>, ChatError> {
        let me = self.me().await?;
        let recent = self.api.get(&format!("channels/{channel}/messages?limit=50")).await?;
        let nonce = nonce(&to.dedup);
        let says = words(&ready.rendered.embeds);
        for found in recent.as_array().map(Vec::as_slice).unwrap_or_default() {
            let (Some(id), Some(author)) = (found["id"].as_str(), found["author"]["id"].as_str()) else { continue };
            if author != me.user {
                continue;
            }
            if found["nonce"].as_str() == Some(&nonce) {
                return Ok(Some(id.to_owned()));
            }
            let same = found["embeds"].as_array().is_some_and(|embeds| words(embeds) == says);
            if same {
                let known = self.store.posted_as("discord", &format!("{channel}/{id}")).await;
                if known.map_err(|error| ChatError::Later(1_000, format!("{error:#}")))?.is_none() {
                    return Ok(Some(id.to_owned()));
                }
            }
        }
        Ok(None)
    }

    /// For one person alone: as the answer to what they did while that can be, then by direct message; where that is shut
    /// too, a line in the thread says so without saying what it is about.
    async fn whisper(&self, to: &To, user: &str, ready: &Ready) -> Result<String, ChatError> {
        let now = self.clock.now();
        if let Some(answer) = to.answer.as_deref().and_then(Answer::read).filter(|answer| answer.until > now) {
            match self.answer(&answer, &ready.payload, &ready.files).await {
                Ok(id) => return Ok(format!("{PRIVATE}/{id}")),
                Err(failed) if is_over(&failed) => {}
                Err(failed) => return Err(failed.into()),
            }
        }
        let written = async {
            let direct = self.api.post("users/@me/channels", &json!({ "recipient_id": user })).await?;
            let channel = id_of(&direct)?;
            let id = self.send(&channel, to, ready).await?;
            Ok::<_, ChatError>(format!("{channel}/{id}"))
        };
        match written.await {
            Ok(remote) => Ok(remote),
            Err(ChatError::Refused(says) | ChatError::Blocked(says)) => {
                tracing::info!(discord.user = user, why = says, "a private answer was not taken");
                self.say_that_it_waits(to, user).await?;
                Ok(format!("{PRIVATE}/{}", nonce(&to.dedup)))
            }
            Err(error) => Err(error),
        }
    }

    /// Posts or fills in a private answer and returns its message's id.
    pub(super) async fn answer(&self, answer: &Answer, payload: &Value, files: &[File]) -> Result<String, Failed> {
        let first = self.answers.fill(answer);
        let sent = if first {
            let path = format!("{}/messages/@original", answer.path());
            self.api.call(reqwest::Method::PATCH, &path, Some(payload), files).await
        } else {
            let mut payload = payload.clone();
            payload["flags"] = json!(EPHEMERAL);
            let path = format!("{}?wait=true", answer.path());
            self.api.call(reqwest::Method::POST, &path, Some(&payload), files).await
        };
        match sent {
            Ok(message) => {
                let id = message["id"].as_str().filter(|id| super::answer::is_id(id)).unwrap_or("0").to_owned();
                self.answers.keep(&id, answer);
                Ok(id)
            }
            Err(failed) => {
                if first {
                    self.answers.unfill(answer);
                }
                Err(failed)
            }
        }
    }

    async fn say_that_it_waits(&self, to: &To, user: &str) -> Result<(), ChatError> {
        let channel = match to.thread.as_deref().and_then(parts).filter(|(parent, _)| *parent != PRIVATE) {
            Some((parent, starter)) => self.open_thread(parent, starter).await?,
            None => channel_of(&to.channel)?.to_owned(),
        };
        let body = json!({
            "content": crate::wording::discord::cannot_whisper(user),
            "allowed_mentions": { "parse": [], "users": [user] },
            "nonce": nonce(&to.dedup),
            "enforce_nonce": true,
        });
        self.api.post(&format!("channels/{channel}/messages"), &body).await?;
        Ok(())
    }

    /// The thread of a message, made from it if there is none yet. Its id is the message's.
    pub(super) async fn open_thread(&self, parent: &str, starter: &str) -> Result<String, ChatError> {
        let thread = starter.to_owned();
        if self.is_known_thread(starter) {
            return Ok(thread);
        }
        match self.api.get(&format!("channels/{starter}")).await {
            Ok(found) => {
                if found["thread_metadata"]["archived"].as_bool() == Some(true) {
                    self.unarchive(starter).await?;
                }
            }
            Err(failed) if failed.code == UNKNOWN_CHANNEL => {
                let message = self.api.get(&format!("channels/{parent}/messages/{starter}")).await?;
                let body = json!({ "name": thread_name(&message), "auto_archive_duration": LONGEST_OPEN });
                match self.api.post(&format!("channels/{parent}/messages/{starter}/threads"), &body).await {
                    Ok(_) => {}
                    Err(failed) if failed.code == THREAD_EXISTS => {}
                    Err(failed) => return Err(failed.into()),
                }
            }
            Err(failed) => return Err(failed.into()),
        }
        self.know_thread(starter, parent);
        Ok(thread)
    }

    pub(super) async fn unarchive(&self, thread: &str) -> Result<(), ChatError> {
        let body = json!({ "archived": false, "auto_archive_duration": LONGEST_OPEN });
        self.api.patch(&format!("channels/{thread}"), &body).await?;
        Ok(())
    }

    /// Puts the reactions there that people only have to click. Without them they can still be typed.
    async fn seed(&self, channel: &str, id: &str, message: &Message) {
        let settings = self.settings();
        for name in message.reactions.iter().take(20) {
            let Some(sign) = emoji::sign(&settings.chat.reactions, name) else { continue };
            let path = format!("channels/{channel}/messages/{id}/reactions/{}/@me", emoji::in_path(&sign));
            for _ in 0..4 {
                match self.api.put(&path, None).await.map_err(ChatError::from) {
                    Ok(_) => break,
                    Err(ChatError::Later(wait, _)) => {
                        let wait = std::time::Duration::from_millis(wait.clamp(50, 2_000).unsigned_abs());
                        tokio::time::sleep(wait).await;
                    }
                    Err(error) => {
                        tracing::warn!(error = error.to_string(), "a reaction could not be put under a message");
                        break;
                    }
                }
            }
        }
    }
}

/// At most 25 characters that are the same for the same post.
fn nonce(dedup: &str) -> String {
    hex(&Sha256::digest(dedup.as_bytes())[..12])
}

/// The words of embeds, as far as Discord gives them back as they were sent.
fn words(embeds: &[Value]) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
    embeds.iter().map(|embed| format!("{}\n{}\n", text(&embed["title"]), text(&embed["description"]))).collect()
}

/// What a thread is called: the title of the message that begins it.
fn thread_name(message: &Value) -> String {
    let title = message["embeds"][0]["title"].as_str().or_else(|| message["content"].as_str()).unwrap_or_default();
    // Names show signs as they are: what was escaped for markdown is not.
    let plain: String = title.chars().filter(|c| *c != '\\' && *c != '\u{200b}').collect();
    let name = crate::message::tame(&plain, 95);
    if name.is_empty() { "Deployment".to_owned() } else { name }
}

fn id_of(answer: &Value) -> Result<String, ChatError> {
    match answer["id"].as_str().filter(|id| super::answer::is_id(id)) {
        Some(id) => Ok(id.to_owned()),
        None => Err(ChatError::Later(2_000, "Discord's answer named no id.".to_owned())),
    }
}

/// The interaction takes no answers any more.
fn is_over(failed: &Failed) -> bool {
    matches!(failed.code, UNKNOWN_WEBHOOK | UNKNOWN_INTERACTION | INVALID_TOKEN) || failed.error == ChatError::Gone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_short_and_the_same_for_the_same_post() {
        assert_eq!(nonce("01J"), nonce("01J"));
        assert_ne!(nonce("01J"), nonce("01K"));
        assert!(nonce(&"x".repeat(500)).len() <= 25);
    }

    #[test]
    fn a_thread_is_called_after_its_message() {
        let message = json!({ "embeds": [{ "title": "checkout v2.14.0 → production \\(1\\)" }] });
        assert_eq!(thread_name(&message), "checkout v2.14.0 → production (1)");
        assert_eq!(thread_name(&json!({})), "Deployment");
        assert!(thread_name(&json!({ "content": "x".repeat(500) })).chars().count() <= 100);
    }
}
