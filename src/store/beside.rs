//! What there is beside a plan that bears on its verdict: one question instead of five that mostly find nothing.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::plan::{Revision, revision_row};
use super::{Tx, said};
use crate::name::PlanId;

/// Whether there is any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beside {
    /// Words on the plan, standing or not.
    pub words: bool,
    /// Overrides on the plan, standing or not.
    pub overrides: bool,
    /// Deputies of anybody whose time was not ended.
    pub deputies: bool,
    /// Locks on anything that nobody ended.
    pub locks: bool,
    /// Freezes of anything that were neither lifted nor said to be over.
    pub freezes: bool,
}

impl Tx {
    pub async fn beside(&mut self, plan: &PlanId) -> anyhow::Result<Beside> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("select {COUNTS} from plan p where p.id = $1")))
            .bind(plan.as_str())
            .fetch_optional(self.conn())
            .await
            .map_err(said)?;
        row.as_ref().map_or(Ok(ANY), beside_row)
    }

    /// A revision, and what there is beside its plan.
    pub async fn revision_beside(&mut self, plan: &PlanId, number: i64) -> anyhow::Result<Option<(Revision, Beside)>> {
        let query = format!(
            "select r.number as number, r.at as at, r.brief as brief, r.commit_sha as commit_sha,
                r.plan_body as plan_body, r.facts as facts, r.advice as advice, r.reason as reason, {COUNTS}
             from revision r join plan p on p.id = r.plan where r.plan = $1 and r.number = $2"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(plan.as_str())
            .bind(number)
            .fetch_optional(self.conn())
            .await
            .map_err(said)?;
        row.as_ref().map(|row| Ok((revision_row(row)?, beside_row(row)?))).transpose()
    }
}

/// Of a plan that is not stored nothing is known: everything is read.
const ANY: Beside = Beside { words: true, overrides: true, deputies: true, locks: true, freezes: true };

/// Beside the plan `p`.
const COUNTS: &str = "(select count(*) from word where word.plan = p.id) as words,
    (select count(*) from overriding where overriding.plan = p.id) as overrides,
    (select count(*) from deputy where ended_at is null) as deputies,
    (select count(*) from target_lock where ended_at is null) as locks,
    (select count(*) from target_freeze where target_freeze.ended_at is null) as freezes";

fn beside_row(row: &AnyRow) -> anyhow::Result<Beside> {
    let any = |name: &str| row.try_get::<i64, _>(name).map(|count| count > 0).map_err(said);
    Ok(Beside {
        words: any("words")?,
        overrides: any("overrides")?,
        deputies: any("deputies")?,
        locks: any("locks")?,
        freezes: any("freezes")?,
    })
}
