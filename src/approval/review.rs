//! Who may review a plan: somebody else than planner and authors, whatever the policy says of approvals.

use super::{Refusal, Speaker, is_author};
use crate::advice::facts::Change;
use crate::config::{PersonKind, Settings};
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
    let Some(speaker) = speaker else { return Err(Refusal::Stranger) };
    match speaker.kind {
        PersonKind::Member => {}
        PersonKind::Guest => return Err(Refusal::Guest),
        PersonKind::Bot => return Err(Refusal::Bot),
        PersonKind::Deactivated => return Err(Refusal::Deactivated),
    }
    if speaker.person == plan.by {
        return Err(Refusal::Planner);
    }
    if change.is_some_and(|change| is_author(&speaker.person, change, settings)) {
        return Err(Refusal::Author);
    }
    match reviewers.iter().find(|role| speaker.roles.contains(role)) {
        Some(role) => Ok(Some(role.clone())),
        None if reviewers.is_empty() => Ok(speaker.roles.first().cloned()),
        None => Err(Refusal::NoRole(reviewers.to_vec())),
    }
}
