//! Approvals that do not count before their giver has confirmed them.

use anyhow::Context;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, Tx, said};
use crate::approval::second_step::{Ended, Proof, SignedIn, Step};
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

    /// The step whose link has this hash.
    pub async fn step_of_link(&self, link: &str) -> anyhow::Result<Option<Step>> {
        let row = sqlx::query(select("link = $1")).bind(link).fetch_optional(self.reader()).await.map_err(said)?;
        row.as_ref().map(step_row).transpose()
    }

    /// The sign-in with which a step can be confirmed.
    pub async fn signed_in(&self, id: &str) -> anyhow::Result<Option<SignedIn>> {
        let row: Option<(i64, String, String)> = sqlx::query_as(
            "select signed_in_at, browser, proof from second_step where id = $1 and signed_in_at is not null",
        )
        .bind(id)
        .fetch_optional(self.reader())
        .await
        .map_err(said)?;
        let Some((at, browser, proof)) = row else { return Ok(None) };
        let proof = serde_json::from_str(&proof).context("a stored sign-in does not read")?;
        Ok(Some(SignedIn { at: Time::from_ms(at), browser, proof }))
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

    /// `link`: the hash of the one-time word in its link, where it has one.
    pub async fn insert_step(&mut self, step: &Step, link: Option<&str>) -> anyhow::Result<()> {
        sqlx::query(
            "insert into second_step (id, plan, revision, brief, person, how, platform, platform_user, message,
                asked_at, ends_at, link)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
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
        .bind(link)
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    /// Keeps a sign-in with its step. False: one was kept before, or the step is over.
    pub async fn sign_in_step(&mut self, id: &str, browser: &str, proof: &Proof) -> anyhow::Result<bool> {
        let now = self.now;
        let done = sqlx::query(
            "update second_step set signed_in_at = $1, browser = $2, proof = $3
             where id = $4 and signed_in_at is null and ended_at is null",
        )
        .bind(now.ms())
        .bind(browser)
        .bind(serde_json::to_string(proof)?)
        .bind(id)
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(done.rows_affected() == 1)
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
