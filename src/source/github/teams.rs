//! Who is in a team of an organisation, for roles and for owners of code.
//!
//! <https://docs.github.com/en/rest/teams/members>: the list holds the members of child teams, too; the credential needs to
//! read the organisation's members.

use serde::Deserialize;

use super::{Github, is_name};
use crate::clock::Time;
use crate::source::CannotSay;

/// A team with more members gives no role.
const MOST: usize = 2_000;

#[derive(Debug, Deserialize)]
struct Member {
    login: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

impl Github {
    pub(super) async fn members_of(&self, team: &str, now: Time) -> Result<Vec<String>, CannotSay> {
        let Some((organisation, team)) = parts(team, &self.repository.0) else {
            return Err(CannotSay::because("knows no team of that name"));
        };
        self.sign_in(now).await?;
        let path = ["orgs", organisation, "teams", team, "members"];
        let (members, more) = self.api.pages::<Member>(&path, &[], MOST).await?;
        if more {
            return Err(CannotSay::because(format!("tells of more than {MOST} members")));
        }
        let people = members.into_iter().filter(|member| member.kind.as_deref().is_none_or(|kind| kind == "User"));
        Ok(people.map(|member| member.login).collect())
    }
}

/// Organisation and team; None: it is no name of one.
pub(super) fn parts<'t>(team: &'t str, own: &'t str) -> Option<(&'t str, &'t str)> {
    let (organisation, team) = team.split_once('/').unwrap_or((own, team));
    let fits = is_name(team) && (is_name(organisation) || organisation.is_empty());
    fits.then_some((organisation, team))
}
