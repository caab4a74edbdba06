//! `[chat]`: where people talk, and what their reactions mean.

use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use super::Secret;
use crate::name::{Channel, Role};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChatSettings {
    /// The command's name.
    pub command: String,
    /// Where plans are shown when they were not made in a channel.
    pub channel: Channel,
    /// Which reaction means what: `approve`, `object`, `hold`, `start`, `finished`, `rolledback`, `watching`.
    pub reactions: BTreeMap<String, Vec<String>>,
    pub console: ConsoleSettings,
    #[serde(default)]
    pub slack: Option<SlackSettings>,
    #[serde(default)]
    pub discord: Option<DiscordSettings>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConsoleSettings {
    /// In `serve`; in `try` the console is always on.
    pub enabled: bool,
    pub channels: Vec<Channel>,
}

/// `[chat.slack]`: one entry per workspace, each with tokens of its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SlackSettings {
    /// Slack's address; another one for government clouds.
    #[serde(default = "slack_api")]
    pub api: Url,
    pub workspace: Vec<SlackWorkspace>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SlackWorkspace {
    /// The workspace's id, `T…`: what comes from any other is refused.
    pub team: String,
    pub bot_token: Secret,
    /// For Socket Mode: nothing needs to be reachable from outside.
    #[serde(default)]
    pub app_token: Option<Secret>,
    /// For signed HTTP, where Slack calls `/slack/events`, `/slack/commands`, `/slack/interactions`.
    #[serde(default)]
    pub signing_secret: Option<Secret>,
    /// The channel's id, `C…`: where deployments without a plan are spoken of.
    pub channel: Channel,
    /// Whose addresses count: a member with a confirmed address of one of these domains is the one person who has it in
    /// `[people]`. Empty: addresses are never looked at.
    #[serde(default)]
    pub email_domains: Vec<String>,
    /// Which roles the members of a user group have, by the group's id (`S…`).
    #[serde(default)]
    pub roles: BTreeMap<Role, Vec<String>>,
}

/// `[chat.discord]`: one bot in one or several servers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DiscordSettings {
    #[serde(default = "discord_api")]
    pub api: Url,
    pub token: Secret,
    pub guild: Vec<DiscordGuild>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DiscordGuild {
    /// The server's id: what comes from any other is refused.
    pub id: String,
    /// The channel's id: where deployments without a plan are spoken of.
    pub channel: Channel,
    /// Which of our roles the members of a server's role have, by the role's id.
    #[serde(default)]
    pub roles: BTreeMap<Role, Vec<String>>,
}

fn slack_api() -> Url {
    Url::parse("https://slack.com/api/").expect("a constant address reads")
}

fn discord_api() -> Url {
    Url::parse("https://discord.com/").expect("a constant address reads")
}
