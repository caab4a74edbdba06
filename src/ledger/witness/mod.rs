//! Places outside the database that keep copies of checkpoints: only they can tell a rewritten or shortened ledger from
//! the true one. Each has its own turn and its own failures; one that fails stops nobody and is said.

mod file;
mod git;
mod webhook;

use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use tracing::warn;

use super::{SignedCheckpoint, checkpoint_now};
use crate::app::App;
use crate::chat::To;
use crate::clock::{HOUR, MINUTE, Millis, SECOND, Time};
use crate::config::{AnchorKind, AnchorSettings, Settings};
use crate::event::Due;
use crate::message::Message;
use crate::store::Claim;
use crate::wording;
use crate::work::Send;

/// How a place is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Witness {
    pub name: String,
    /// Up to which entry it has copies.
    pub size: i64,
    /// The last time that it took one.
    pub ok_at: Option<Time>,
    /// The last time that it did not.
    pub failed_at: Option<Time>,
    /// Since when it has taken none, where the last attempt failed.
    pub since: Option<Time>,
    /// Attempts in vain since it took the last one.
    pub failures: i64,
    pub error: Option<String>,
}

impl Witness {
    /// One sentence about how it is doing.
    pub fn says(&self) -> String {
        let last = match self.ok_at {
            Some(at) => format!("has the checkpoint over {} entries since {}", self.size, at.rfc3339()),
            None => "has no checkpoint yet".to_owned(),
        };
        match &self.error {
            Some(error) => format!("`{}` {last}, and failed {} times since: {error}", self.name, self.failures),
            None => format!("`{}` {last}", self.name),
        }
    }
}

/// Sets each place's turn that is not set yet; called at the start and regularly.
pub async fn anchor(app: &App, claim: &Claim) -> anyhow::Result<()> {
    let settings = app.settings();
    let now = app.clock.now();
    if let Some(named) = app.store.ledger_key().await?
        && let Err(error) = app.signer.choose(&named)
    {
        tracing::error!(error = format!("{error:#}"), "nothing can be recorded until this is mended");
    }
    super::time::look(app).await?;
    let known = app.store.witnesses().await?;
    let size = app.store.ledger_size().await?;
    let mut tx = app.store.begin_finishing(claim, now).await?;
    for place in &settings.ledger.anchor {
        let state = known.iter().find(|w| w.name == place.name());
        let (has, ok_at) = state.map_or((0, None), |w| (w.size, w.ok_at));
        let failing = state.is_some_and(|w| w.failures > 0);
        let every = place.every.unwrap_or(settings.ledger.anchor_every).ms();
        let due = ok_at.is_none_or(|at| now.since(at) >= every) && size > has;
        // Also when nothing happened: that nothing did is worth knowing.
        let idle = ok_at.is_some_and(|at| now.since(at) >= settings.ledger.anchor_at_least.ms());
        // One that fails has its own next turn.
        if (due || idle) && !failing {
            tx.due(&Due::Witness { name: place.name().to_owned() }, now).await?;
        }
    }
    tx.due(&Due::Anchor, now.plus(settings.ledger.anchor_every.ms())).await?;
    tx.commit().await
}

/// Leaves a checkpoint with one place. A failure is noted and tried again, later each time, for ever.
pub async fn witness(app: &App, claim: &Claim, name: &str) -> anyhow::Result<()> {
    let settings = app.settings();
    let place = settings.ledger.anchor.iter().find(|place| place.name() == name);
    let checkpoint = checkpoint_now(&app.store, &app.signer).await;
    let left = match (place, &checkpoint) {
        (Some(place), Ok(checkpoint)) => leave(app, claim, place, checkpoint).await,
        (_, Err(error)) => Err(anyhow::anyhow!("there is no checkpoint to leave: {error:#}")),
        (None, _) => Ok(()),
    };
    let now = app.clock.now();
    let before = app.store.witnesses().await?.into_iter().find(|w| w.name == name);
    let mut state = before.unwrap_or(Witness { name: name.to_owned(), ..Witness::default() });
    let mut tx = app.store.begin_finishing(claim, now).await?;
    match (place, left, checkpoint) {
        (None, ..) => {}
        (Some(_), Ok(()), Ok(checkpoint)) => {
            let size = i64::try_from(checkpoint.checkpoint.size)?;
            if state.since.is_some_and(|since| now.since(since) >= HOUR) {
                tx.send(&say(app, name, wording::ledger::witness_again(name))).await?;
            }
            state = Witness {
                name: name.to_owned(),
                size,
                ok_at: Some(now),
                failed_at: state.failed_at,
                ..Witness::default()
            };
            tx.insert_anchor(size, name, &checkpoint.note).await?;
            tx.keep_witness(&state).await?;
        }
        (Some(_), Err(error), _) | (Some(_), Ok(()), Err(error)) => {
            let says: String = format!("{error:#}").chars().take(300).collect();
            warn!(ledger.witness = name, error = says, "a checkpoint could not be left outside; it is tried again");
            let since = state.since.unwrap_or(now);
            // After an hour in vain the team hears of it, once.
            if now.since(since) >= HOUR && state.failed_at.is_none_or(|at| at.since(since) < HOUR) {
                tx.send(&say(app, name, wording::ledger::witness_fails(name, &says))).await?;
            }
            state.failures += 1;
            (state.since, state.failed_at, state.error) = (Some(since), Some(now), Some(says));
            tx.keep_witness(&state).await?;
            tx.due(&Due::Witness { name: name.to_owned() }, now.plus(pause(state.failures))).await?;
        }
    }
    tx.commit().await
}

/// To the team, in one message that changes in place.
fn say(app: &App, name: &str, message: Message) -> Send {
    Send::home(app, message).key(format!("witness:{name}"))
}

fn pause(failures: i64) -> Millis {
    ((10 * SECOND) << failures.clamp(0, 7)).min(15 * MINUTE)
}

async fn leave(app: &App, claim: &Claim, place: &AnchorSettings, checkpoint: &SignedCheckpoint) -> anyhow::Result<()> {
    let now = app.clock.now();
    let path = app.data.join(place.path.clone().unwrap_or_default());
    let note = checkpoint.note.clone();
    match place.kind {
        AnchorKind::File => tokio::task::spawn_blocking(move || file::append(&path, &note)).await?,
        AnchorKind::Git => {
            let (reference, size) = (git::reference(place), checkpoint.checkpoint.size);
            tokio::task::spawn_blocking(move || git::commit(&path, &reference, &note, size, now)).await?
        }
        AnchorKind::Webhook => webhook::post(&app.settings(), place, checkpoint, now).await,
        AnchorKind::Channel => {
            let home = app.home();
            let chat = app.chat(place.platform.as_deref().unwrap_or(&home.platform))?;
            let to = To {
                channel: place.channel.clone().unwrap_or(home.channel),
                thread: None,
                only_for: None,
                direct: false,
                answer: None,
                dedup: claim.id.clone(),
                again: claim.attempts > 1,
            };
            chat.post(&to, &wording::ledger::checkpoint(checkpoint)).await?;
            Ok(())
        }
    }
}

/// What the places on this machine can show: the newest checkpoints of each, at most a few hundred.
pub fn kept(settings: &Settings, data: &Path) -> Vec<SignedCheckpoint> {
    let on_disk = settings.ledger.anchor.iter().filter_map(|place| {
        let path = data.join(place.path.as_ref()?);
        match place.kind {
            AnchorKind::File => file::newest(&path),
            AnchorKind::Git => git::newest(&path, &git::reference(place)),
            AnchorKind::Channel | AnchorKind::Webhook => None,
        }
    });
    on_disk
        .flat_map(|text| super::checkpoints_in(&text))
        .filter_map(|note| SignedCheckpoint::parse(&note).ok())
        .collect()
}

/// Asks a place one real question before anything depends on it: an answer for `tidegate check`.
pub async fn check(settings: &Settings, place: &AnchorSettings, data: &Path, now: Time) -> anyhow::Result<String> {
    let path = data.join(place.path.clone().unwrap_or_default());
    match place.kind {
        AnchorKind::File => {
            let folder = path.parent().unwrap_or(data);
            anyhow::ensure!(
                !path.exists() || !std::fs::metadata(&path)?.permissions().readonly(),
                "{} is read-only",
                path.display()
            );
            Ok(match folder.is_dir() {
                true => format!("appends to {}", path.display()),
                false => format!("will make {}", path.display()),
            })
        }
        AnchorKind::Git => {
            let reference = git::reference(place);
            git::open(&path)?;
            Ok(format!("commits to {reference} of {}", path.display()))
        }
        AnchorKind::Webhook => {
            webhook::ask(settings, place, now).await?;
            let host = place.url.as_ref().and_then(url::Url::host_str).unwrap_or_default();
            Ok(format!("{host} takes what is posted"))
        }
        AnchorKind::Channel => {
            let platform = place.platform.as_deref().unwrap_or("console");
            let known = match platform {
                "slack" => settings.chat.slack.is_some(),
                "discord" => settings.chat.discord.is_some(),
                other => other == "console",
            };
            anyhow::ensure!(known, "the chat `{platform}` is not set up");
            let channel = place.channel.as_ref().context("it has no channel")?;
            Ok(format!("posts to {channel} on {platform}"))
        }
    }
}
