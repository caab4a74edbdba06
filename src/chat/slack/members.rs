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
    kinds: Mutex<HashMap<String, (Time, PersonKind)>>,
    groups: Mutex<HashMap<String, Vec<String>>>,
}

/// A decision never rests on anything older.
const FRESH: i64 = MINUTE;

impl Slack {
    pub(super) async fn kind_of(&self, user: &str) -> Result<PersonKind, ChatError> {
        let now = self.clock.now();
        let lock = || self.members.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, kind)) = lock().get(user).copied()
            && (0..=FRESH).contains(&now.since(at))
        {
            return Ok(kind);
        }
        let (team, bare) = user.split_once('/').unwrap_or_default();
        let workspace = self.workspace(team)?;
        let kind = match self.api.get(&workspace.token, "users.info", &[("user", bare)]).await {
            Ok(answer) => kind(&answer["user"], team),
            Err(error) if error.is(&["user_not_found", "user_not_visible"]) => PersonKind::Deactivated,
            Err(error) => return Err(error.into()),
        };
        let mut kinds = lock();
        kinds.retain(|_, (at, _)| (0..=FRESH).contains(&now.since(*at)));
        kinds.insert(user.to_owned(), (now, kind));
        Ok(kind)
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
}
