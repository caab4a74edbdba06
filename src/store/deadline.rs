//! Deadlines of approvals: what was said about which.

use super::{Tx, said};
use crate::clock::Time;
use crate::name::PlanId;

/// A plan's deadline, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    pub needed_by: Time,
    /// When those who could approve were reminded before it.
    pub reminded_at: Option<Time>,
    pub missed_at: Option<Time>,
}

impl Tx {
    pub async fn deadline(&mut self, plan: &PlanId) -> anyhow::Result<Option<Deadline>> {
        let row: Option<(i64, Option<i64>, Option<i64>)> =
            sqlx::query_as("select needed_by, reminded_at, missed_at from deadline where plan = $1")
                .bind(plan.as_str())
                .fetch_optional(self.conn())
                .await
                .map_err(said)?;
        Ok(row.map(|(needed_by, reminded_at, missed_at)| Deadline {
            needed_by: Time::from_ms(needed_by),
            reminded_at: reminded_at.map(Time::from_ms),
            missed_at: missed_at.map(Time::from_ms),
        }))
    }

    pub async fn set_deadline(&mut self, plan: &PlanId, deadline: Deadline) -> anyhow::Result<()> {
        sqlx::query(
            "insert into deadline (plan, needed_by, reminded_at, missed_at) values ($1, $2, $3, $4)
             on conflict (plan) do update set needed_by = excluded.needed_by, reminded_at = excluded.reminded_at,
                 missed_at = excluded.missed_at",
        )
        .bind(plan.as_str())
        .bind(deadline.needed_by.ms())
        .bind(deadline.reminded_at.map(Time::ms))
        .bind(deadline.missed_at.map(Time::ms))
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }
}
