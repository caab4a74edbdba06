//! `finished`: a person says that it is deployed, where no pipeline tells.

use super::Call;
use crate::deploy::{Report, told};
use crate::store::deployment::Status;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    report(call, Status::Succeeded).await
}

/// A person's own word, handled like a pipeline's.
pub async fn report(call: &Call<'_>, status: Status) -> anyhow::Result<()> {
    let row = call.plan().await?;
    if row.state.is_over() {
        return Err(call.refuse(crate::wording::refusal::over(&row)));
    }
    if row.plan.commit.is_none() && row.plan.kind.has_version() && row.state.waits() {
        return Err(call.refuse(format!("`{}` has not begun: nobody said start.", row.plan.id)));
    }
    let report = Report::by_person(&row, status, call.now);
    told(call.app, call.claim, &report, Some((call.from, &call.person))).await
}
