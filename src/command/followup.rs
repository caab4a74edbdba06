//! `followup`: a named person gives what is owed after a change.

use super::{Call, form};
use crate::audit::{Giving, give};
use crate::config::Owed;
use crate::message::tame;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    if !call.arguments.missing().is_empty() || lacks(call) {
        return call.answer(form::for_command(call)).await;
    }
    let Some(what) = call.arguments.get("what").and_then(Owed::parse) else {
        return Err(call.refuse("What is given is one of review, root-cause, remediation, report."));
    };
    let typed = call.arguments.get("plan").unwrap_or_default().trim_matches('`').to_lowercase();
    let known = call.app.store.deployment(&typed).await?;
    // A deployment of a plan is the plan's.
    let subject = match known.and_then(|row| row.plan) {
        Some(plan) => plan.to_string(),
        None => tame(&typed, 80),
    };
    let giving = Giving {
        from: call.from,
        person: &call.person,
        subject: &subject,
        what,
        link: call.arguments.get("link").map(str::trim),
        text: call.arguments.get("text").map(str::trim),
    };
    give(call.app, call.claim, &giving).await
}

/// Whether it says neither where nor what.
pub fn lacks(call: &Call<'_>) -> bool {
    call.arguments.get("link").is_none() && call.arguments.get("text").is_none()
}
