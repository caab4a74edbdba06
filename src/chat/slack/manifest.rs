//! The app manifest: everything that a workspace must allow, and why. <https://docs.slack.dev/reference/app-manifest>

use serde_json::{Value, json};

use crate::config::Settings;

/// A permission of the bot.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    pub name: &'static str,
    pub why: &'static str,
    /// What happens without it.
    pub without: &'static str,
}

const fn scope(name: &'static str, why: &'static str, without: &'static str) -> Scope {
    Scope { name, why, without }
}

/// What is asked for besides where the settings name domains whose addresses count.
const EMAIL: Scope = scope(
    "users:read.email",
    "members are known by their confirmed address (email-domains)",
    "nobody is known by an address",
);

/// Every permission that these settings need.
pub fn scopes(settings: &Settings) -> Vec<Scope> {
    let mut workspaces = settings.chat.slack.iter().flat_map(|slack| &slack.workspace);
    let by_email = workspaces.any(|workspace| !workspace.email_domains.is_empty());
    SCOPES.iter().copied().chain(by_email.then_some(EMAIL)).collect()
}

/// Every permission, each with its reason; no more than the calls need.
pub const SCOPES: &[Scope] = &[
    scope("commands", "the slash command and the shortcuts", "there is no command"),
    scope("chat:write", "plans, cards, answers and alerts", "nothing can be said"),
    scope("app_mentions:read", "commands by mention in threads", "a mention is not heard"),
    scope("reactions:read", "words on a card, told and read back", "no reaction counts"),
    scope("reactions:write", "reactions to click under a card", "people find the reactions themselves"),
    scope(
        "users:read",
        "guests, bots and deactivated users do not count",
        "no word counts, since nobody is known as a member",
    ),
    scope("usergroups:read", "user groups that give roles", "groups give no roles"),
    scope("channels:read", "whether the bot is in its channel", "`tidegate check` cannot look at public channels"),
    scope("groups:read", "the same in private channels", "`tidegate check` cannot look at private channels"),
    scope(
        "channels:history",
        "replies in plans' threads, and whether a post arrived",
        "replies are not heard, and a message may come twice after a timeout",
    ),
    scope("groups:history", "the same in private channels", "the same in private channels"),
    scope("im:write", "direct messages to those whose word is needed", "they are not told directly"),
    scope("im:history", "whether a direct message arrived", "a direct message may come twice after a timeout"),
    scope("files:write", "the picture of the next days", "its words stand in its place"),
];

const EVENTS: &[&str] =
    &["app_home_opened", "app_mention", "message.channels", "message.groups", "reaction_added", "reaction_removed"];

/// Whether the settings ask for signed HTTP and do not say where Slack finds us.
pub fn lacks_address(settings: &Settings) -> bool {
    settings.web.url.is_none() && by_http(settings)
}

fn by_http(settings: &Settings) -> bool {
    let first = settings.chat.slack.as_ref().and_then(|slack| slack.workspace.first());
    first.is_some_and(|workspace| workspace.app_token.is_none() && workspace.signing_secret.is_some())
}

/// The manifest for these settings: signed HTTP where the first workspace has a signing secret and no app token, Socket
/// Mode otherwise.
pub fn manifest(settings: &Settings) -> Value {
    let http = by_http(settings);
    let base = settings.web.url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned()).filter(|_| http);
    let at = |path: &str| base.as_ref().map(|base| format!("{base}/slack/{path}"));
    let mut command = json!({
        "command": settings.chat.command,
        "description": "Plan a deployment and see what speaks for and against it",
        "usage_hint": "plan SERVICE ENVIRONMENT VERSION · status · help",
        "should_escape": true,
    });
    let mut events = json!({ "bot_events": EVENTS });
    let mut interactivity = json!({ "is_enabled": true });
    if let (Some(commands), Some(request), Some(interactions)) = (at("commands"), at("events"), at("interactions")) {
        command["url"] = json!(commands);
        events["request_url"] = json!(request);
        interactivity["request_url"] = json!(interactions);
        // What is offered while somebody types a version.
        interactivity["message_menu_options_url"] = json!(interactions);
    }
    json!({
        "_metadata": { "major_version": 1, "minor_version": 1 },
        "display_information": {
            "name": "Tidegate",
            "description": "An advisor for deployments: it reads the tide, a person holds the helm.",
            "background_color": "#0f3d4c",
        },
        "features": {
            "app_home": { "home_tab_enabled": true, "messages_tab_enabled": true, "messages_tab_read_only_enabled": true },
            "bot_user": { "display_name": "Tidegate", "always_online": true },
            "slash_commands": [command],
            "shortcuts": [
                { "name": "Plan a deployment", "type": "global", "callback_id": "plan",
                    "description": "Opens the form of a plan" },
                { "name": "Ask Tidegate about this", "type": "message", "callback_id": "ask",
                    "description": "Plans the deployment that a message speaks of" },
            ],
        },
        "oauth_config": { "scopes": { "bot": scopes(settings).iter().map(|scope| scope.name).collect::<Vec<_>>() } },
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": false,
            "socket_mode_enabled": base.is_none(),
            "token_rotation_enabled": false,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What each method that we call needs of a bot, by Slack's method reference.
    const NEEDED: &[(&str, &[&str])] = &[
        ("auth.test", &[]),
        ("chat.getPermalink", &[]),
        ("chat.postEphemeral", &["chat:write"]),
        ("chat.postMessage", &["chat:write"]),
        ("chat.update", &["chat:write"]),
        ("conversations.history", &["channels:history", "groups:history", "im:history"]),
        ("conversations.info", &["channels:read", "groups:read"]),
        ("conversations.open", &["im:write"]),
        ("conversations.replies", &["channels:history", "groups:history", "im:history"]),
        ("files.completeUploadExternal", &["files:write"]),
        ("files.getUploadURLExternal", &["files:write"]),
        ("reactions.add", &["reactions:write"]),
        ("reactions.get", &["reactions:read"]),
        ("usergroups.users.list", &["usergroups:read"]),
        ("users.info", &["users:read"]),
        ("views.open", &[]),
        ("views.publish", &[]),
    ];

    /// What commands and events need beside the methods.
    const HEARD: &[&str] = &["commands", "app_mentions:read", "channels:history", "groups:history", "reactions:read"];

    #[test]
    fn the_scopes_are_exactly_what_the_calls_and_events_need() {
        let needed: BTreeSet<&str> =
            NEEDED.iter().flat_map(|(_, scopes)| scopes.iter()).chain(HEARD).copied().collect();
        let asked: BTreeSet<&str> = SCOPES.iter().map(|scope| scope.name).collect();
        assert_eq!(asked, needed);
    }

    #[test]
    fn every_method_that_is_called_is_accounted_for() {
        let code = [
            include_str!("arrive.rs"),
            include_str!("check.rs"),
            include_str!("home.rs"),
            include_str!("members.rs"),
            include_str!("mod.rs"),
            include_str!("picture.rs"),
            include_str!("post.rs"),
        ]
        .concat();
        let families = ["auth.", "chat.", "conversations.", "files.", "reactions.", "usergroups.", "users.", "views."];
        let called: BTreeSet<&str> = code
            .split('"')
            .filter(|text| families.iter().any(|family| text.starts_with(family)))
            .filter(|text| text.chars().all(|c| c.is_ascii_alphabetic() || c == '.'))
            .collect();
        assert_eq!(called, NEEDED.iter().map(|(method, _)| *method).collect());
    }
}
