//! `policy`: which rules are in force; and a named person's word for them.

use super::{BadCommand, Call};
use crate::audit::rules;
use crate::config::PersonKind;
use crate::people;
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    if call.arguments.get("word").is_none() {
        let seen = rules::in_force(&call.app.store, &call.settings).await?;
        return call.answer(wording::policy::in_force(&seen, &call.settings, call.now)).await;
    }
    let speaker = people::speaker_now(call.app, call.from, &call.person).await?;
    let asked = &call.settings.policy.approved_by;
    if asked.is_empty() {
        return Err(call.refuse(
            "These settings ask nobody to approve the rules: `approved-by` under `[policy]` names the roles.",
        ));
    }
    let role = speaker
        .filter(|speaker| speaker.kind == PersonKind::Member)
        .and_then(|speaker| asked.iter().find(|role| speaker.roles.contains(role)).cloned());
    let Some(role) = role else {
        return Err(BadCommand(wording::policy::not_yours(asked)).into());
    };
    rules::approve(call.app, call.claim, call.from, &call.person, &role).await
}
