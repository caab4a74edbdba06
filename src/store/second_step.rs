//! Approvals that do not count before their giver has confirmed them.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, Tx, said};
use crate::approval::second_step::{Ended, Step};
use crate::clock::Time;
use crate::config::SecondStep;
use crate::name::{Person, PlanId};

const COLUMNS: &str =
    "id, plan, revision, brief, person, how, platform, platform_user, message, asked_at, ends_at, ended_at, ended";

/// A select of steps; the rest is ours, never from outside.
fn select(rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("select {COLUMNS} from second_step where {rest}"))
}

const OF_PLAN: &str = "plan = $1 order by asked_at, id";

impl Store {
    /// Every second step that was asked for on a plan, in order.
    pub async fn steps(&self, plan: &PlanId) -> anyhow::Result<Vec<Step>> {
        let rows = sqlx::query(select(OF_PLAN)).bind(plan.as_str()).fetch_all(self.reader()).await.map_err(said)?;
        rows.iter().map(step_row).collect()
    }

    pub async fn step(&self, id: &str) -> anyhow::Result<Option<Step>> {
        let row = sqlx::query(select("id = $1")).bind(id).fetch_optional(self.reader()).await.map_err(said)?;
        row.as_ref().map(step_row).transpose()
    }
}

impl Tx {
    /// Every second step that was asked for on a plan, in order.
    pub async fn steps(&mut self, plan: &PlanId) -> anyhow::Result<Vec<Step>> {
        let rows = sqlx::query(select(OF_PLAN)).bind(plan.as_str()).fetch_all(self.conn()).await.map_err(said)?;
        rows.iter().map(step_row).collect()
    }

    pub async fn step(&mut self, id: &str) -> anyhow::Result<Option<Step>> {
        let row = sqlx::query(select("id = $1")).bind(id).fetch_optional(self.conn()).await.map_err(said)?;
        row.as_ref().map(step_row).transpose()
    }

    pub async fn insert_step(&mut self, step: &Step) -> anyhow::Result<()> {
        sqlx::query(
            "insert into second_step (id, plan, revision, brief, person, how, platform, platform_user, message,
                asked_at, ends_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(&step.id)
        .bind(step.plan.as_str())
        .bind(step.revision)
        .bind(&step.brief)
        .bind(step.person.as_str())
        .bind(step.how.as_str())
        .bind(&step.platform)
        .bind(&step.user)
        .bind(&step.message)
        .bind(step.asked_at.ms())
        .bind(step.ends_at.ms())
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    pub async fn end_step(&mut self, id: &str, ended: Ended) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query("update second_step set ended_at = $1, ended = $2 where id = $3")
            .bind(now.ms())
            .bind(ended.as_str())
            .bind(id)
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(())
    }
}

fn step_row(row: &AnyRow) -> anyhow::Result<Step> {
    let (plan, person, how): (String, String, String) =
        (row.try_get("plan")?, row.try_get("person")?, row.try_get("how")?);
    let ended_at: Option<i64> = row.try_get("ended_at")?;
    let ended = match row.try_get::<Option<String>, _>("ended")? {
        Some(text) => {
            Some(Ended::parse(&text).ok_or_else(|| anyhow::anyhow!("a stored second step ended in an unknown way"))?)
        }
        None => None,
    };
    Ok(Step {
        id: row.try_get("id")?,
        plan: PlanId::new(plan),
        revision: row.try_get("revision")?,
        brief: row.try_get("brief")?,
        person: Person::new(person),
        how: SecondStep::parse(&how).ok_or_else(|| anyhow::anyhow!("a stored second step is of an unknown kind"))?,
        platform: row.try_get("platform")?,
        user: row.try_get("platform_user")?,
        message: row.try_get("message")?,
        asked_at: Time::from_ms(row.try_get("asked_at")?),
        ends_at: Time::from_ms(row.try_get("ends_at")?),
        ended: ended_at.map(Time::from_ms).zip(ended),
    })
}
