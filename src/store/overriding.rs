//! Overrides: who goes on in spite of what, and how long that held.

use anyhow::Context;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, Tx, said};
use crate::approval::overriding::Override;
use crate::clock::Time;
use crate::name::{Person, PlanId, Role};

const OF_PLAN: &str = "select id, revision, code, bound, facts, person, role, entry, at, used_at, over_at, over_reason
    from overriding where plan = $1 order by at, id";

impl Store {
    /// Every override ever given on a plan, in order.
    pub async fn overrides(&self, plan: &PlanId) -> anyhow::Result<Vec<Override>> {
        let rows = sqlx::query(OF_PLAN).bind(plan.as_str()).fetch_all(self.reader()).await.map_err(said)?;
        rows.iter().map(override_row).collect()
    }

    /// How often each code was overridden, ever.
    pub async fn override_counts(&self) -> anyhow::Result<Vec<(String, i64)>> {
        sqlx::query_as("select code, count(*) from overriding group by code order by code")
            .fetch_all(self.reader())
            .await
            .map_err(said)
    }
}

impl Tx {
    /// Every override ever given on a plan, in order.
    pub async fn overrides(&mut self, plan: &PlanId) -> anyhow::Result<Vec<Override>> {
        let rows = sqlx::query(OF_PLAN).bind(plan.as_str()).fetch_all(self.conn()).await.map_err(said)?;
        rows.iter().map(override_row).collect()
    }

    pub async fn insert_override(&mut self, plan: &PlanId, given: &Override) -> anyhow::Result<()> {
        sqlx::query(
            "insert into overriding (id, plan, revision, code, bound, facts, person, role, entry, at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(&given.id)
        .bind(plan.as_str())
        .bind(given.revision)
        .bind(&given.code)
        .bind(&given.bound)
        .bind(serde_json::to_string(&given.facts)?)
        .bind(given.person.as_str())
        .bind(given.role.as_str())
        .bind(given.entry)
        .bind(given.at.ms())
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    /// An override is over.
    pub async fn end_override(&mut self, id: &str, reason: &str) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query("update overriding set over_at = $1, over_reason = $2 where id = $3")
            .bind(now.ms())
            .bind(reason)
            .bind(id)
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(())
    }

    /// A start relied on it.
    pub async fn use_override(&mut self, id: &str) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query("update overriding set used_at = $1 where id = $2")
            .bind(now.ms())
            .bind(id)
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(())
    }
}

fn override_row(row: &AnyRow) -> anyhow::Result<Override> {
    let (person, role, facts): (String, String, String) =
        (row.try_get("person")?, row.try_get("role")?, row.try_get("facts")?);
    Ok(Override {
        id: row.try_get("id")?,
        revision: row.try_get("revision")?,
        code: row.try_get("code")?,
        bound: row.try_get("bound")?,
        facts: serde_json::from_str(&facts).context("a stored override does not read")?,
        person: Person::new(person),
        role: Role::new(role),
        entry: row.try_get("entry")?,
        at: Time::from_ms(row.try_get("at")?),
        used_at: row.try_get::<Option<i64>, _>("used_at")?.map(Time::from_ms),
        over_at: row.try_get::<Option<i64>, _>("over_at")?.map(Time::from_ms),
        over_reason: row.try_get("over_reason")?,
    })
}
