//! Who is in a group, for roles and for owners of code.
//!
//! <https://docs.gitlab.com/api/group_members/>: members by way of groups above and of invited groups are told, too, each
//! once, with the highest access that they have.

use serde::Deserialize;

use super::{Gitlab, part};
use crate::source::CannotSay;

/// A group with more members gives no role.
const MOST: usize = 2_000;
/// Whoever may do less than a reporter (guests, planners, minimal access) counts as a guest.
/// <https://docs.gitlab.com/api/members/#roles>
const REPORTER: u32 = 20;

#[derive(Debug, Deserialize)]
struct Member {
    username: String,
    /// `active`, `blocked`, `deactivated`, …
    state: String,
    /// `active`, or `awaiting` somebody's approval.
    #[serde(default)]
    membership_state: Option<String>,
    access_level: u32,
}

impl Gitlab {
    pub(super) async fn members_of(&self, group: &str) -> Result<Vec<String>, CannotSay> {
        if !group.split('/').all(part) {
            return Err(CannotSay::because("knows no group of that name"));
        }
        let path = ["api", "v4", "groups", group, "members", "all"];
        let (members, more) = self.api.pages::<Member>(&path, &[], MOST).await?;
        if more {
            return Err(CannotSay::because(format!("tells of more than {MOST} members")));
        }
        let counts = |member: &Member| {
            member.state == "active"
                && member.membership_state.as_deref().is_none_or(|state| state == "active")
                && member.access_level >= REPORTER
        };
        Ok(members.into_iter().filter(counts).map(|member| member.username).collect())
    }
}
