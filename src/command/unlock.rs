//! `unlock`: ends a lock, by its owner, by a role of the settings, or by anyone where its owner left.

use super::Call;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let Some(of) = call.arguments.get("of") else { return call.answer(super::form::for_command(call)).await };
    let scope = call.lockable(of)?;
    crate::hold::unlock(call, &scope, call.arguments.get("why")).await
}
