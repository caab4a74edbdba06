//! What Discord says of a user: whether they count at all, and which of our roles their roles give.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use chrono::DateTime;
use serde_json::Value;

use super::answer::is_id;
use super::api::{Api, UNKNOWN_MEMBER, UNKNOWN_USER};
use crate::chat::ChatError;
use crate::clock::{MINUTE, Time};
use crate::config::{PersonKind, Settings};
use crate::name::{Person, Role};

/// What was asked longer ago is asked again.
const FRESH: i64 = MINUTE;
const MOST: usize = 20_000;

/// One user in one server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    pub bot: bool,
    /// Has not passed the server's screening yet.
    pub pending: bool,
    /// Timed out by a moderator until then.
    pub silenced_until: Option<Time>,
    pub roles: Vec<String>,
}

/// Members by server and user; None: not in the server.
#[derive(Debug, Default)]
pub struct Members {
    seen: Mutex<Seen>,
}

type Seen = BTreeMap<(String, String), (Time, Option<Member>)>;

impl Member {
    /// From Discord's member object.
    pub fn read(member: &Value) -> Member {
        let silenced = member["communication_disabled_until"].as_str();
        Member {
            bot: member["user"]["bot"].as_bool().unwrap_or(false),
            pending: member["pending"].as_bool().unwrap_or(false),
            silenced_until: silenced
                .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
                .map(|at| Time::from_ms(at.timestamp_millis())),
            roles: member["roles"]
                .as_array()
                .map(|roles| roles.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                .unwrap_or_default(),
        }
    }

    fn kind(&self, now: Time) -> PersonKind {
        if self.bot {
            PersonKind::Bot
        } else if self.pending || self.silenced_until.is_some_and(|until| until > now) {
            PersonKind::Guest
        } else {
            PersonKind::Member
        }
    }
}

impl Members {
    /// What a user counts as: in several servers the least of what they are there; in none, deactivated.
    pub async fn kind(&self, api: &Api, settings: &Settings, user: &str, now: Time) -> Result<PersonKind, ChatError> {
        let Some(discord) = settings.chat.discord.as_ref().filter(|_| is_id(user)) else {
            return Ok(PersonKind::Deactivated);
        };
        let mut found = Vec::new();
        for guild in &discord.guild {
            found.extend(self.member(api, &guild.id, user, now).await?);
        }
        Ok(least(found.iter().map(|member| member.kind(now))))
    }

    async fn member(&self, api: &Api, guild: &str, user: &str, now: Time) -> Result<Option<Member>, ChatError> {
        let key = (guild.to_owned(), user.to_owned());
        let known = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((at, member)) = known
            && now.since(at) < FRESH
        {
            return Ok(member);
        }
        let member = match api.get(&format!("guilds/{guild}/members/{user}")).await {
            Ok(member) => Some(Member::read(&member)),
            Err(failed) if matches!(failed.code, UNKNOWN_MEMBER | UNKNOWN_USER) => None,
            Err(failed) => return Err(failed.into()),
        };
        self.note(guild, user, member.clone(), now);
        Ok(member)
    }

    /// Notes what an event told of a member.
    pub fn note(&self, guild: &str, user: &str, member: Option<Member>, now: Time) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.clear();
        }
        seen.insert((guild.to_owned(), user.to_owned()), (now, member));
    }

    /// Asks anew for everybody whom the settings link to Discord. What cannot be asked stays as it was.
    pub async fn refresh(&self, api: &Api, settings: &Settings, now: Time) {
        let Some(discord) = &settings.chat.discord else { return };
        let users = settings.people.values().flat_map(|person| &person.discord).filter(|id| is_id(id));
        for user in users {
            for guild in discord.guild.iter().filter(|guild| !guild.roles.is_empty()) {
                if let Err(error) = self.member(api, &guild.id, user, now).await {
                    tracing::warn!(
                        discord.guild = guild.id,
                        error = error.to_string(),
                        "a member's roles could not be read; the last known ones stand"
                    );
                }
            }
        }
    }

    /// The roles that people of ours have by their roles in the servers.
    pub fn roles(&self, settings: &Settings) -> BTreeMap<Person, BTreeSet<Role>> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told: BTreeMap<Person, BTreeSet<Role>> = BTreeMap::new();
        let Some(discord) = &settings.chat.discord else { return told };
        for guild in &discord.guild {
            for (person, known) in &settings.people {
                let members = known
                    .discord
                    .iter()
                    .filter_map(|id| seen.get(&(guild.id.clone(), id.clone())).and_then(|(_, member)| member.as_ref()));
                for member in members {
                    let given = guild.roles.iter().filter(|(_, ids)| ids.iter().any(|id| member.roles.contains(id)));
                    told.entry(person.clone()).or_default().extend(given.map(|(role, _)| role.clone()));
                }
            }
        }
        told.retain(|_, roles| !roles.is_empty());
        told
    }
}

/// A bot anywhere is a bot; a guest in one server is not made a member by another.
fn least(kinds: impl Iterator<Item = PersonKind>) -> PersonKind {
    let rank = |kind: &PersonKind| match kind {
        PersonKind::Bot => 0,
        PersonKind::Guest => 1,
        PersonKind::Member => 2,
        PersonKind::Deactivated => 3,
    };
    kinds.min_by_key(rank).unwrap_or(PersonKind::Deactivated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn who_counts_is_read_from_the_member() {
        let now = Time::from_ms(1_700_000_000_000);
        let kind = |member: Value| Member::read(&member).kind(now);
        assert_eq!(kind(json!({ "user": { "id": "1" }, "roles": [] })), PersonKind::Member);
        assert_eq!(kind(json!({ "user": { "id": "1", "bot": true } })), PersonKind::Bot);
        assert_eq!(kind(json!({ "pending": true })), PersonKind::Guest);
        let silenced = |at: &str| json!({ "communication_disabled_until": at });
        assert_eq!(kind(silenced("2030-01-01T00:00:00.000000+00:00")), PersonKind::Guest);
        assert_eq!(kind(silenced("2020-01-01T00:00:00.000000+00:00")), PersonKind::Member);
    }

    #[test]
    fn in_several_servers_the_least_counts() {
        assert_eq!(least([PersonKind::Member, PersonKind::Guest].into_iter()), PersonKind::Guest);
        assert_eq!(least([PersonKind::Member].into_iter()), PersonKind::Member);
        assert_eq!(least(std::iter::empty()), PersonKind::Deactivated);
    }
}
