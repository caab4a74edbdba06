//! Who may review a plan: somebody else than planner and authors, whatever the policy says of approvals.

use super::{Refusal, Speaker, member, somebody_else};
use crate::advice::facts::Change;
use crate::config::Settings;
use crate::name::Role;
use crate::plan::Plan;

/// Whether a person's review counts, and in which role. `reviewers` empty: every member's does.
pub fn may_review(
    speaker: Option<&Speaker>,
    plan: &Plan,
    change: Option<&Change>,
    reviewers: &[Role],
    settings: &Settings,
) -> Result<Option<Role>, Refusal> {
    let speaker = member(speaker)?;
    somebody_else(&speaker.person, plan, change, settings)?;
    match reviewers.iter().find(|role| speaker.roles.contains(role)) {
        Some(role) => Ok(Some(role.clone())),
        None if reviewers.is_empty() => Ok(speaker.roles.first().cloned()),
        None => Err(Refusal::NoRole(reviewers.to_vec())),
    }
}
