//! The permissions that the bot needs, and what it has in a channel, computed as Discord computes it.

use serde_json::Value;

/// One permission, and what will not work without it.
#[derive(Clone, Copy, Debug)]
pub struct Needed {
    pub name: &'static str,
    pub bit: u64,
    pub without: &'static str,
}

const ADMINISTRATOR: u64 = 1 << 3;

/// Bits and names from Discord's published list.
pub const NEEDED: &[Needed] = &[
    Needed { name: "View Channel", bit: 1 << 10, without: "sight of the channel at all" },
    Needed { name: "Send Messages", bit: 1 << 11, without: "posting of plans and alerts" },
    Needed {
        name: "Create Public Threads",
        bit: 1 << 35,
        without: "thread for each plan, with its evidence, card and events",
    },
    Needed {
        name: "Send Messages in Threads",
        bit: 1 << 38,
        without: "posting of evidence, cards and events in a plan's thread",
    },
    Needed { name: "Embed Links", bit: 1 << 14, without: "brief, since briefs are embeds" },
    Needed { name: "Attach Files", bit: 1 << 15, without: "picture, and no whole text of a shortened message" },
    Needed { name: "Add Reactions", bit: 1 << 6, without: "reaction on a card that people only have to click" },
    Needed { name: "Read Message History", bit: 1 << 16, without: "reading back of reactions before the gate answers" },
    Needed { name: "Manage Threads", bit: 1 << 34, without: "keeping of a plan's thread open while the plan lives" },
];

/// All needed permissions as one number, for the invitation.
pub fn all() -> u64 {
    NEEDED.iter().fold(0, |sum, needed| sum | needed.bit)
}

/// What a member with these roles may do in a channel: everyone's, their roles', then the channel's overwrites for
/// everyone, for roles, for the member.
pub fn in_channel(
    guild: &str,
    owner: bool,
    member: &str,
    roles: &[String],
    guild_roles: &Value,
    channel: &Value,
) -> u64 {
    let bits = |value: &Value| value.as_str().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let has = |id: &str| id == guild || roles.iter().any(|role| role == id);
    let mut allowed = 0;
    for role in guild_roles.as_array().into_iter().flatten() {
        if role["id"].as_str().is_some_and(has) {
            allowed |= bits(&role["permissions"]);
        }
    }
    if owner || allowed & ADMINISTRATOR != 0 {
        return u64::MAX;
    }
    let overwrites: Vec<&Value> = channel["permission_overwrites"].as_array().into_iter().flatten().collect();
    let mut apply = |of: &dyn Fn(&str) -> bool| {
        let (mut deny, mut allow) = (0, 0);
        for overwrite in overwrites.iter().filter(|overwrite| overwrite["id"].as_str().is_some_and(of)) {
            deny |= bits(&overwrite["deny"]);
            allow |= bits(&overwrite["allow"]);
        }
        allowed = allowed & !deny | allow;
    };
    apply(&|id| id == guild);
    apply(&|id| id != guild && roles.iter().any(|role| role == id));
    apply(&|id| id == member);
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_channels_overwrites_come_after_the_roles() {
        let roles = json!([{ "id": "1", "permissions": "3072" }, { "id": "5", "permissions": "64" }]);
        let channel = json!({ "permission_overwrites": [
            { "id": "1", "type": 0, "allow": "0", "deny": "2048" },
            { "id": "9", "type": 1, "allow": "16384", "deny": "0" },
        ] });
        let has = in_channel("1", false, "9", &["5".to_owned()], &roles, &channel);
        assert_eq!(has, 1024 | 64 | 16384);
        let stranger = in_channel("1", false, "8", &[], &roles, &channel);
        assert_eq!(stranger, 1024);
    }

    #[test]
    fn an_administrator_may_everything() {
        let roles = json!([{ "id": "5", "permissions": "8" }]);
        assert_eq!(in_channel("1", false, "9", &["5".to_owned()], &roles, &json!({})) & all(), all());
    }
}
