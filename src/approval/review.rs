//! Who may review a plan: somebody else than planner and authors, whatever the policy says of approvals.

use super::role::{CODE_OWNER, ON_CALL, owns_any};
use super::{Duty, Refusal, Speaker, member, somebody_else};
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
    let roles = speaker.roles_now();
    let owns = || change.is_some_and(|change| owns_any(change, &speaker.person, settings));
    let holds = |role: &&Role| roles.contains(role) || role.as_str() == CODE_OWNER && owns();
    match (reviewers.iter().find(holds), &speaker.duty) {
        (Some(role), _) => Ok(Some(role.clone())),
        (None, _) if reviewers.is_empty() => Ok(speaker.roles.first().cloned()),
        (None, Duty::Unknown(why)) if reviewers.iter().any(|role| role.as_str() == ON_CALL) => {
            Err(Refusal::DutyUnknown(why.clone()))
        }
        (None, _) => Err(Refusal::NoRole(reviewers.iter().map(ToString::to_string).collect())),
    }
}
