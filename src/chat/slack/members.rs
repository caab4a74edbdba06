//! Who a user is on their workspace, and which roles its user groups give.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::{Slack, Workspace};
use crate::app::App;
use crate::chat::ChatError;
use crate::clock::{MINUTE, Time};
use crate::config::PersonKind;
use crate::name::{Person, Role};

/// What Slack said lately.
#[derive(Debug, Default)]
pub struct Members {
    users: Mutex<HashMap<String, (Time, User)>>,
    groups: Mutex<HashMap<String, Vec<String>>>,
}

/// What a user is, and the address that Slack confirmed to be theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub kind: PersonKind,
    pub email: Option<String>,
}

/// A decision never rests on anything older.
const FRESH: i64 = MINUTE;

impl Slack {
    pub(super) async fn user(&self, user: &str) -> Result<User, ChatError> {
        let now = self.clock.now();
        let lock = || self.members.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, known)) = lock().get(user).cloned()
            && (0..=FRESH).contains(&now.since(at))
        {
            return Ok(known);
        }
        let (team, bare) = user.split_once('/').unwrap_or_default();
        let workspace = self.workspace(team)?;
        let known = match self.api.get(&workspace.token, "users.info", &[("user", bare)]).await {
            Ok(answer) => User { kind: kind(&answer["user"], team), email: email(&answer["user"]) },
            Err(error) if error.is(&["user_not_found", "user_not_visible"]) => {
                User { kind: PersonKind::Deactivated, email: None }
            }
            Err(error) => return Err(error.into()),
        };
        let mut users = lock();
        users.retain(|_, (at, _)| (0..=FRESH).contains(&now.since(*at)));
        users.insert(user.to_owned(), (now, known.clone()));
        Ok(known)
    }

    /// Asks for the members of every group that gives a role; what cannot be asked stays as it was.
    pub(super) async fn refresh_roles(&self, app: &App) {
        let settings = app.settings();
        let mut roles: BTreeMap<Person, BTreeSet<Role>> = BTreeMap::new();
        for workspace in &self.workspaces {
            for (role, groups) in &workspace.roles {
                for group in groups {
                    for user in self.members_of(workspace, group).await {
                        let user = format!("{}/{user}", workspace.team);
                        if let Some(person) = crate::people::behind(&settings, "slack", &user) {
                            roles.entry(person).or_default().insert(role.clone());
                        }
                    }
                }
            }
        }
        app.told_roles("slack", roles);
    }

    async fn members_of(&self, workspace: &Workspace, group: &str) -> Vec<String> {
        let key = format!("{}/{group}", workspace.team);
        let asked = self.api.get(&workspace.token, "usergroups.users.list", &[("usergroup", group)]).await;
        let mut groups = self.members.groups.lock().unwrap_or_else(PoisonError::into_inner);
        match asked {
            Ok(answer) => {
                let users = answer["users"].as_array().into_iter().flatten();
                let users: Vec<String> = users.filter_map(|user| user.as_str().map(str::to_owned)).collect();
                groups.insert(key, users.clone());
                users
            }
            Err(error) => {
                tracing::warn!(chat.group = key, error = %error, "a user group's members stay as they were");
                groups.get(&key).cloned().unwrap_or_default()
            }
        }
    }
}

/// Guests, bots, deactivated users and those of another organisation never count; nor does anybody of whom Slack does not
/// say that they are none of these.
fn kind(user: &Value, team: &str) -> PersonKind {
    let is = |name: &str| user[name] == true;
    let teams = user["enterprise_user"]["teams"].as_array();
    let at_home = user["team_id"] == team || teams.is_some_and(|teams| teams.iter().any(|t| t == team));
    if is("deleted") {
        PersonKind::Deactivated
    } else if is("is_bot") || is("is_workflow_bot") || user["id"] == "USLACKBOT" {
        PersonKind::Bot
    } else if is("is_restricted") || is("is_ultra_restricted") || is("is_stranger") || is("is_invited_user") || !at_home
    {
        PersonKind::Guest
    } else {
        PersonKind::Member
    }
}

/// The address in a user's profile, if Slack says that it is confirmed. Told only with the scope `users:read.email`.
fn email(user: &Value) -> Option<String> {
    let address = user["profile"]["email"].as_str().filter(|_| user["is_email_confirmed"] == true)?;
    let plain = address.len() <= 254 && address.bytes().all(|byte| byte.is_ascii_graphic());
    (plain && address.matches('@').count() == 1).then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_full_members_of_the_workspace_are_members() {
        let of = |more: Value| {
            let mut user = json!({ "id": "U1", "team_id": "T1", "deleted": false, "is_bot": false });
            user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            kind(&user, "T1")
        };
        assert_eq!(of(json!({})), PersonKind::Member);
        assert_eq!(of(json!({ "deleted": true })), PersonKind::Deactivated);
        assert_eq!(of(json!({ "is_bot": true })), PersonKind::Bot);
        for guest in ["is_restricted", "is_ultra_restricted", "is_stranger"] {
            assert_eq!(of(json!({ guest: true })), PersonKind::Guest);
        }
        assert_eq!(of(json!({ "team_id": "T2" })), PersonKind::Guest);
        assert_eq!(of(json!({ "team_id": "T2", "enterprise_user": { "teams": ["T1"] } })), PersonKind::Member);
        assert_eq!(kind(&Value::Null, "T1"), PersonKind::Guest);
    }

    #[test]
    fn an_address_is_one_only_where_slack_confirmed_it() {
        let of = |confirmed: Value, address: &str| {
            email(&json!({ "is_email_confirmed": confirmed, "profile": { "email": address } }))
        };
        assert_eq!(of(json!(true), "ada@example.org").as_deref(), Some("ada@example.org"));
        assert_eq!(of(json!(false), "ada@example.org"), None);
        assert_eq!(of(Value::Null, "ada@example.org"), None);
        assert_eq!(of(json!("true"), "ada@example.org"), None);
        for odd in ["", "ada", "a@b@example.org", "аda@example.org", "ada @example.org"] {
            assert_eq!(of(json!(true), odd), None, "{odd}");
        }
        assert_eq!(email(&Value::Null), None);
    }
}
