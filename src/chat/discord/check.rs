//! What stands in the way of working on Discord, by name.

use serde_json::Value;

use super::api::Api;
use super::{answer, permissions};
use crate::chat::ChatError;
use crate::chat::Finding;
use crate::config::{DiscordGuild, Settings};

/// Looks whether the token works, the servers are reached, and every permission is there. Empty: no Discord is set up.
pub async fn check(settings: &Settings) -> Vec<Finding> {
    let Some(discord) = &settings.chat.discord else { return Vec::new() };
    let token = match discord.token.reveal(&settings.base) {
        Ok(token) => token,
        Err(why) => return vec![Finding::wrong(format!("Discord: [chat.discord] token: {why}."))],
    };
    let api = match Api::new(&discord.api, token) {
        Ok(api) => api,
        Err(error) => return vec![Finding::wrong(format!("Discord: {error:#}."))],
    };
    let me = match api.get("users/@me").await {
        Ok(me) => me,
        Err(failed) => return vec![Finding::wrong(format!("Discord: {}", said(&failed.error)))],
    };
    let name = crate::message::tame(me["username"].as_str().unwrap_or("the bot"), 60);
    let id = me["id"].as_str().unwrap_or_default().to_owned();
    let mut found = vec![Finding::well(format!("Discord: the token works; the bot is {name}."))];
    if discord.guild.is_empty() {
        found
            .push(Finding::wrong("Discord: no [[chat.discord.guild]] is set, so there is nowhere to post.".to_owned()));
    }
    for guild in &discord.guild {
        found.extend(check_guild(&api, guild, &id).await);
    }
    let linked = settings.people.values().any(|person| !person.discord.is_empty());
    if !linked {
        found.push(Finding::wrong(
            "Discord: nobody in [people] has a `discord` id, so nobody's word counts there.".to_owned(),
        ));
    }
    found
}

async fn check_guild(api: &Api, guild: &DiscordGuild, me: &str) -> Vec<Finding> {
    let id = &guild.id;
    if !answer::is_id(id) || !answer::is_id(guild.channel.as_str()) {
        return vec![Finding::wrong(format!(
            "Discord: server `{}`, channel `{}`: both are ids, numbers of about 18 digits.",
            crate::message::tame(id, 40),
            crate::message::tame(guild.channel.as_str(), 40)
        ))];
    }
    let asked = async {
        let server = api.get(&format!("guilds/{id}")).await?;
        let member = api.get(&format!("guilds/{id}/members/{me}")).await?;
        let roles = api.get(&format!("guilds/{id}/roles")).await?;
        Ok::<_, super::api::Failed>((server, member, roles))
    };
    let (server, member, roles) = match asked.await {
        Ok(asked) => asked,
        Err(failed) => {
            let says = format!("Discord: server {id} cannot be read; invite the bot to it. {}", said(&failed.error));
            return vec![Finding::wrong(says)];
        }
    };
    let name = crate::message::tame(server["name"].as_str().unwrap_or(id), 60);
    let mut found = vec![Finding::well(format!("Discord: {name} is reached."))];
    for (role, ids) in &guild.roles {
        let known = |id: &String| roles.as_array().into_iter().flatten().any(|role| role["id"].as_str() == Some(id));
        for id in ids.iter().filter(|id| !known(id)) {
            let id = crate::message::tame(id, 40);
            found.push(Finding::wrong(format!("Discord: {name} has no role {id}, which should give `{role}`.")));
        }
    }
    let channel = match api.get(&format!("channels/{}", guild.channel)).await {
        Ok(channel) if channel["guild_id"].as_str() == Some(id) => channel,
        Ok(_) => {
            found.push(Finding::wrong(format!("Discord: channel {} is not one of {name}.", guild.channel)));
            return found;
        }
        Err(failed) => {
            found.push(Finding::wrong(format!(
                "Discord: channel {} of {name}: {}",
                guild.channel,
                said(&failed.error)
            )));
            return found;
        }
    };
    let owner = server["owner_id"].as_str() == Some(me);
    let has: Vec<String> =
        member["roles"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let may = permissions::in_channel(id, owner, me, &has, &roles, &channel);
    let shown = crate::message::tame(channel["name"].as_str().unwrap_or(guild.channel.as_str()), 60);
    let missing: Vec<&permissions::Needed> =
        permissions::NEEDED.iter().filter(|needed| may & needed.bit == 0).collect();
    if missing.is_empty() {
        found.push(Finding::well(format!("Discord: #{shown} of {name} allows all that is needed.")));
    }
    found.extend(missing.into_iter().map(|needed| {
        Finding::wrong(format!(
            "Discord: #{shown} of {name} lacks {}; without it there is no {}.",
            needed.name, needed.without
        ))
    }));
    found
}

fn said(error: &ChatError) -> String {
    match error {
        ChatError::Later(_, says) | ChatError::Blocked(says) | ChatError::Refused(says) => says.clone(),
        ChatError::Gone => "It is gone.".to_owned(),
    }
}
