//! `outcome`: a named person says what became of a deployment; history learns from it.

use super::Call;
use crate::advice::facts::{Cause, Outcome};
use crate::deploy::settle;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let row = call.plan().await?;
    let Some(outcome) = call.arguments.get("outcome").and_then(Outcome::parse) else {
        return Err(call.refuse("The outcome is one of clean, degraded, hotfix, rolledback, incident."));
    };
    let cause = call.arguments.get("cause").and_then(Cause::parse);
    settle(call.app, call.claim, call.from, &call.person, &row.plan.id, outcome, cause).await
}
