//! Slack: one app in one or several workspaces.
//!
//! Users are `TEAM/USER`, channels `TEAM/CHANNEL`, messages `TEAM/CHANNEL/TS`. What one person alone sees has no address on
//! Slack; it is `TEAM/CHANNEL/private:…` and cannot be edited.

mod api;
mod arrive;
mod budget;
pub mod check;
mod form;
mod home;
mod inbound;
pub mod manifest;
mod members;
mod picture;
mod post;
pub mod render;
mod signature;
mod socket;
mod text;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use futures::future::BoxFuture;
use secrecy::SecretString;
use serde_json::json;
use slack_morphism::SlackApiToken;
use tokio::sync::OnceCell;

use crate::app::App;
use crate::chat::{Chat, ChatError, To};
use crate::clock::Clock;
use crate::config::{PersonKind, Settings};
use crate::message::Message;
use crate::name::{Channel, Role};
use crate::store::Store;

pub use inbound::Wire;
pub use signature::is_signed;

use api::{Api, ApiError};
use inbound::Me;
use members::Members;

/// How often user groups are asked for their members.
const ROLES: std::time::Duration = std::time::Duration::from_secs(180);

#[derive(Debug)]
pub struct Slack {
    api: Api,
    workspaces: Vec<Workspace>,
    store: Store,
    clock: Clock,
    members: Members,
    /// Pictures that are on Slack already, by workspace and name.
    pictures: Mutex<HashMap<(String, String), String>>,
    /// Who is who, as it was when something last happened.
    settings: RwLock<Arc<Settings>>,
}

/// One workspace that the app is installed in.
#[derive(Debug)]
struct Workspace {
    team: String,
    token: SlackApiToken,
    app_token: Option<SlackApiToken>,
    signing_secret: Option<SecretString>,
    channel: Channel,
    roles: BTreeMap<Role, Vec<String>>,
    me: OnceCell<Me>,
}

impl Slack {
    /// None where the settings name no workspace.
    pub fn open(settings: &Settings, store: &Store, clock: &Clock) -> anyhow::Result<Option<Slack>> {
        let Some(slack) = settings.chat.slack.as_ref().filter(|slack| !slack.workspace.is_empty()) else {
            return Ok(None);
        };
        let mut workspaces = Vec::new();
        for (at, workspace) in slack.workspace.iter().enumerate() {
            let reveal = |what: &str, secret: &crate::config::Secret| {
                let found = secret.reveal(&settings.base);
                found.map_err(|why| anyhow::anyhow!("[[chat.slack.workspace]] {}: {what}: {why}", at + 1))
            };
            let app_token = workspace.app_token.as_ref().map(|secret| reveal("app-token", secret)).transpose()?;
            let signing =
                workspace.signing_secret.as_ref().map(|secret| reveal("signing-secret", secret)).transpose()?;
            if app_token.is_none() && signing.is_none() {
                anyhow::bail!(
                    "[[chat.slack.workspace]] {}: give app-token (Socket Mode) or signing-secret (signed HTTP)",
                    at + 1
                );
            }
            workspaces.push(Workspace {
                team: workspace.team.clone(),
                token: api::token(&reveal("bot-token", &workspace.bot_token)?),
                app_token: app_token.as_ref().map(api::token),
                signing_secret: signing,
                channel: workspace.channel.clone(),
                roles: workspace.roles.clone(),
                me: OnceCell::new(),
            });
        }
        Ok(Some(Slack {
            api: Api::open(&slack.api)?,
            workspaces,
            store: store.clone(),
            clock: clock.clone(),
            members: Members::default(),
            pictures: Mutex::default(),
            settings: RwLock::new(Arc::new(settings.clone())),
        }))
    }

    /// The Slack of a running program.
    pub fn of(app: &App) -> Option<&Slack> {
        let chat: &dyn std::any::Any = &**app.chat("slack").ok()?;
        chat.downcast_ref()
    }

    /// The signing secrets of all workspaces that use signed HTTP.
    pub fn signing_secrets(&self) -> impl Iterator<Item = &SecretString> {
        self.workspaces.iter().filter_map(|workspace| workspace.signing_secret.as_ref())
    }

    fn workspace(&self, team: &str) -> Result<&Workspace, ChatError> {
        self.workspaces
            .iter()
            .find(|workspace| workspace.team == team)
            .ok_or_else(|| ChatError::Refused("The settings name no such Slack workspace.".to_owned()))
    }

    /// A channel's workspace and its id there. A bare id is meant in the one workspace that there is.
    fn place<'c>(&self, channel: &'c str) -> Result<(&Workspace, &'c str), ChatError> {
        match channel.split_once('/') {
            Some((team, channel)) => Ok((self.workspace(team)?, channel)),
            None => match self.workspaces.as_slice() {
                [only] => Ok((only, channel)),
                _ => Err(ChatError::Refused(format!(
                    "The channel {channel} needs its workspace: write TEAM/CHANNEL in the settings."
                ))),
            },
        }
    }

    /// A message's workspace, channel and time stamp; `Gone` for what has no address.
    fn message<'m>(&self, remote: &'m str) -> Result<(&Workspace, &'m str, &'m str), ChatError> {
        let mut parts = remote.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(team), Some(channel), Some(ts)) if inbound::is_ts(ts) => Ok((self.workspace(team)?, channel, ts)),
            _ => Err(ChatError::Gone),
        }
    }

    fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, app: &App) {
        let settings = app.settings();
        // Reading is free for everybody at once; it changes only when settings were read anew.
        if !Arc::ptr_eq(&self.settings(), &settings) {
            *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
        }
    }

    /// Who the bot is in a workspace.
    async fn me<'w>(&self, workspace: &'w Workspace) -> Result<&'w Me, ApiError> {
        let ask = async || {
            let answer = self.api.post(&workspace.token, "auth.test", &json!({})).await?;
            let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
            Ok(Me { user: text("user_id"), bot: text("bot_id") })
        };
        workspace.me.get_or_try_init(ask).await
    }

    async fn reactions_on(&self, remote: &str) -> Result<Vec<(String, String)>, ChatError> {
        let (workspace, channel, ts) = self.message(remote)?;
        let me = self.me(workspace).await?;
        let asked = [("channel", channel), ("timestamp", ts), ("full", "true")];
        let answer = self.api.get(&workspace.token, "reactions.get", &asked).await?;
        let mut found = Vec::new();
        for reaction in answer["message"]["reactions"].as_array().into_iter().flatten() {
            let Some(name) = reaction["name"].as_str() else { continue };
            let users = reaction["users"].as_array().into_iter().flatten().filter_map(|user| user.as_str());
            for user in users.filter(|user| *user != me.user) {
                found.push((name.to_owned(), format!("{}/{user}", workspace.team)));
            }
        }
        Ok(found)
    }

    async fn address_of(&self, remote: &str) -> Option<String> {
        let (workspace, channel, ts) = self.message(remote).ok()?;
        let asked = [("channel", channel), ("message_ts", ts)];
        let answer = self.api.get(&workspace.token, "chat.getPermalink", &asked).await.ok()?;
        answer["permalink"].as_str().map(str::to_owned)
    }
}

impl Chat for Slack {
    fn platform(&self) -> &'static str {
        "slack"
    }

    fn home(&self, _: &Settings) -> Option<Channel> {
        let first = self.workspaces.first()?;
        Some(Channel::new(format!("{}/{}", first.team, first.channel)))
    }

    fn listen<'a>(&'a self, app: &'a App) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let _sockets = socket::open(self, app).await;
            let mut tick = tokio::time::interval(ROLES);
            loop {
                tokio::select! {
                    () = app.stopped() => break,
                    _ = tick.tick() => {
                        self.learn(app);
                        self.refresh_roles(app).await;
                    }
                }
            }
        })
    }

    fn kind<'a>(&'a self, user: &'a str) -> BoxFuture<'a, Result<PersonKind, ChatError>> {
        Box::pin(async move { Ok(self.user(user).await?.kind) })
    }

    fn email<'a>(&'a self, user: &'a str) -> BoxFuture<'a, Result<Option<String>, ChatError>> {
        Box::pin(async move { Ok(self.user(user).await?.email) })
    }

    fn post<'a>(&'a self, to: &'a To, message: &'a Message) -> BoxFuture<'a, Result<String, ChatError>> {
        Box::pin(self.post_message(to, message))
    }

    fn edit<'a>(&'a self, to: &'a To, remote: &'a str, message: &'a Message) -> BoxFuture<'a, Result<(), ChatError>> {
        Box::pin(self.edit_message(to, remote, message))
    }

    fn link<'a>(&'a self, remote: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(self.address_of(remote))
    }

    fn reactions<'a>(&'a self, remote: &'a str) -> BoxFuture<'a, Result<Vec<(String, String)>, ChatError>> {
        Box::pin(self.reactions_on(remote))
    }
}
