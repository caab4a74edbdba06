//! What `tidegate check` says of Slack: tokens, permissions, channels, and what will not work without each.

use secrecy::SecretString;
use serde_json::json;

use super::api::{self, Api};
use super::manifest::scopes as needed;
use crate::chat::Finding;
use crate::config::{Settings, SlackWorkspace};

/// Asks every workspace of the settings. Without any, nothing is found.
pub async fn check(settings: &Settings) -> Vec<Finding> {
    let Some(slack) = &settings.chat.slack else { return Vec::new() };
    let api = match Api::open(&slack.api) {
        Ok(api) => api,
        Err(error) => return vec![Finding::wrong(format!("slack: {error:#}"))],
    };
    let mut found = Vec::new();
    for workspace in &slack.workspace {
        of_workspace(settings, &api, workspace, &mut found).await;
    }
    found
}

async fn of_workspace(settings: &Settings, api: &Api, workspace: &SlackWorkspace, found: &mut Vec<Finding>) {
    let team = &workspace.team;
    let reveal = |what: &str, secret: &crate::config::Secret| -> Result<SecretString, Finding> {
        secret.reveal(&settings.base).map_err(|why| Finding::wrong(format!("slack {team}: {what}: {why}")))
    };
    let token = match reveal("bot-token", &workspace.bot_token) {
        Ok(secret) => api::token(&secret),
        Err(finding) => return found.push(finding),
    };
    match api.form(&token, "auth.test", &[]).await {
        Err(error) => return found.push(Finding::wrong(format!("slack {team}: {error}"))),
        Ok((answer, scopes)) => {
            let is = answer["team_id"].as_str().unwrap_or_default();
            if is == team {
                let name = answer["user"].as_str().unwrap_or("the bot");
                found.push(Finding::well(format!("slack {team}: the bot token is {name}'s")));
            } else {
                found.push(Finding::wrong(format!(
                    "slack {team}: the bot token belongs to the workspace {is}; correct `team`"
                )));
            }
            for scope in
                needed(settings).iter().filter(|scope| !scopes.is_empty() && !scopes.iter().any(|s| s == scope.name))
            {
                let without = format!("the scope {} is missing: without it, {}", scope.name, scope.without);
                found.push(Finding::wrong(format!("slack {team}: {without}; add it and install the app again")));
            }
            if scopes.is_empty() {
                found.push(Finding::wrong(format!("slack {team}: Slack did not say which scopes the token has")));
            }
        }
    }
    let channel = workspace.channel.as_str();
    match api.get(&token, "conversations.info", &[("channel", channel)]).await {
        Ok(answer) if answer["channel"]["is_archived"] == true => {
            found.push(Finding::wrong(format!("slack {team}: the channel {channel} is archived")));
        }
        Ok(answer) if answer["channel"]["is_member"] == true => {
            found.push(Finding::well(format!("slack {team}: the bot is in the channel {channel}")));
        }
        Ok(_) => found.push(Finding::wrong(format!(
            "slack {team}: the bot is not in the channel {channel}: type /invite there, or nothing can be said in it"
        ))),
        Err(error) => found.push(Finding::wrong(format!("slack {team}: {error}"))),
    }
    for (role, group) in workspace.roles.iter().flat_map(|(role, groups)| groups.iter().map(move |g| (role, g))) {
        match api.get(&token, "usergroups.users.list", &[("usergroup", group)]).await {
            Ok(answer) => {
                let count = answer["users"].as_array().map_or(0, Vec::len);
                found.push(Finding::well(format!(
                    "slack {team}: the group {group} gives the role {role} to {count} users"
                )));
            }
            Err(error) => {
                found.push(Finding::wrong(format!("slack {team}: the role {role} by the group {group}: {error}")))
            }
        }
    }
    match &workspace.app_token {
        Some(secret) => match reveal("app-token", secret) {
            Err(finding) => found.push(finding),
            Ok(secret) => match api.post(&api::token(&secret), "apps.connections.open", &json!({})).await {
                Ok(_) => found.push(Finding::well(format!("slack {team}: Socket Mode opens"))),
                Err(error) => found.push(Finding::wrong(format!(
                    "slack {team}: {error} Socket Mode needs an app token (xapp-…) with connections:write."
                ))),
            },
        },
        None => match workspace.signing_secret.as_ref().map(|secret| reveal("signing-secret", secret)) {
            Some(Ok(_)) => found.push(Finding::well(format!("slack {team}: signed HTTP at /slack/…"))),
            Some(Err(finding)) => found.push(finding),
            None => found.push(Finding::wrong(format!("slack {team}: neither app-token nor signing-secret is given"))),
        },
    }
}
