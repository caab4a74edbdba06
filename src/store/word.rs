//! The words that humans gave on a brief: approvals, objections, holds.

use anyhow::Context;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, Tx, listed, said};
use crate::approval::condition::{Condition, OnlyIf};
use crate::approval::{Word, WordKind};
use crate::clock::Time;
use crate::config::SecondStep;
use crate::name::{Person, PlanId, Role};

/// A select of the words on some plans; the list is ours, never from outside.
fn select(plans: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!(
        "select plan, id, revision, brief, kind, person, role, lender, platform, on_call_at, at, withdrawn_at, voided_at,
            void_reason, confirmed, only_if, met_at, met_by, asked_at
         from word where plan in ({plans}) order by at, id"
    ))
}

impl Store {
    /// Every word ever given on a plan, in order.
    pub async fn words(&self, plan: &PlanId) -> anyhow::Result<Vec<Word>> {
        let rows = sqlx::query(select("$1")).bind(plan.as_str()).fetch_all(self.reader()).await.map_err(said)?;
        rows.iter().map(word_row).collect()
    }
}

impl Tx {
    /// Every word ever given on a plan, in order.
    pub async fn words(&mut self, plan: &PlanId) -> anyhow::Result<Vec<Word>> {
        let words = self.words_of(std::slice::from_ref(plan)).await?;
        Ok(words.into_iter().map(|(_, word)| word).collect())
    }

    /// Every word ever given on some plans, in order.
    pub async fn words_of(&mut self, plans: &[PlanId]) -> anyhow::Result<Vec<(PlanId, Word)>> {
        if plans.is_empty() {
            return Ok(Vec::new());
        }
        let (places, ids) = listed(plans);
        let mut query = sqlx::query(select(&places));
        for id in ids {
            query = query.bind(id.as_str());
        }
        let rows = query.fetch_all(self.conn()).await.map_err(said)?;
        let word = |row: &AnyRow| Ok((PlanId::new(row.try_get::<String, _>("plan")?), word_row(row)?));
        rows.iter().map(word).collect()
    }

    pub async fn insert_word(&mut self, plan: &PlanId, word: &Word, message: Option<&str>) -> anyhow::Result<()> {
        sqlx::query(
            "insert into word (id, plan, revision, brief, kind, person, role, platform, message, at, lender, on_call_at,
                confirmed, only_if)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(&word.id)
        .bind(plan.as_str())
        .bind(word.revision)
        .bind(&word.brief)
        .bind(word.kind.as_str())
        .bind(word.person.as_str())
        .bind(word.role.as_ref().map(Role::as_str))
        .bind(&word.platform)
        .bind(message)
        .bind(word.at.ms())
        .bind(word.lender.as_ref().map(Person::as_str))
        .bind(word.on_call_at.map(Time::ms))
        .bind(word.confirmed.map(SecondStep::as_str))
        .bind(word.only_if.as_ref().map(|only_if| only_if.condition.written()))
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    /// What a look at an approval's condition came to.
    pub async fn judge_word(&mut self, id: &str, only_if: &OnlyIf) -> anyhow::Result<()> {
        sqlx::query("update word set met_at = $1, met_by = $2, asked_at = $3 where id = $4")
            .bind(only_if.met.as_ref().map(|(at, _)| at.ms()))
            .bind(only_if.met.as_ref().map(|(_, by)| by.as_str()))
            .bind(only_if.asked_at.map(Time::ms))
            .bind(id)
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(())
    }

    /// Takes a word back.
    pub async fn withdraw_word(&mut self, id: &str) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query("update word set withdrawn_at = $1 where id = $2")
            .bind(now.ms())
            .bind(id)
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(())
    }

    /// Voids every standing word on a plan, because what it was given for is no longer what is asked.
    pub async fn void_words(&mut self, plan: &PlanId, reason: &str) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query(
            "update word set voided_at = $1, void_reason = $2
             where plan = $3 and withdrawn_at is null and voided_at is null",
        )
        .bind(now.ms())
        .bind(reason)
        .bind(plan.as_str())
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }
}

fn only_if(row: &AnyRow) -> anyhow::Result<Option<OnlyIf>> {
    let Some(written) = row.try_get::<Option<String>, _>("only_if")? else { return Ok(None) };
    // What does not read would count without its condition.
    let condition =
        Condition::parse(&written).ok_or_else(|| anyhow::anyhow!("a stored approval has an unknown condition"))?;
    let met_at = row.try_get::<Option<i64>, _>("met_at")?.map(Time::from_ms);
    let met_by = row.try_get::<Option<String>, _>("met_by")?.unwrap_or_default();
    let asked_at = row.try_get::<Option<i64>, _>("asked_at")?.map(Time::from_ms);
    Ok(Some(OnlyIf { condition, met: met_at.map(|at| (at, met_by)), asked_at }))
}

fn word_row(row: &AnyRow) -> anyhow::Result<Word> {
    let kind: String = row.try_get("kind")?;
    let person: String = row.try_get("person")?;
    let role: Option<String> = row.try_get("role")?;
    let confirmed: Option<String> = row.try_get("confirmed")?;
    let confirmed =
        confirmed.map(|how| SecondStep::parse(&how).context("a stored word was confirmed in an unknown way"));
    Ok(Word {
        id: row.try_get("id")?,
        revision: row.try_get("revision")?,
        brief: row.try_get("brief")?,
        kind: WordKind::parse(&kind).ok_or_else(|| anyhow::anyhow!("a stored word has an unknown kind"))?,
        person: Person::new(person),
        role: role.map(Role::new),
        platform: row.try_get("platform")?,
        confirmed: confirmed.transpose()?,
        lender: row.try_get::<Option<String>, _>("lender")?.map(Person::new),
        on_call_at: row.try_get::<Option<i64>, _>("on_call_at")?.map(Time::from_ms),
        only_if: only_if(row)?,
        at: Time::from_ms(row.try_get("at")?),
        withdrawn_at: row.try_get::<Option<i64>, _>("withdrawn_at")?.map(Time::from_ms),
        voided_at: row.try_get::<Option<i64>, _>("voided_at")?.map(Time::from_ms),
        void_reason: row.try_get("void_reason")?,
    })
}
