//! `rolledback`: a person says that it was rolled back, where no pipeline tells.

use super::Call;
use crate::store::deployment::Status;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    super::finished::report(call, Status::RolledBack).await
}
