//! What was posted where: our key for a message, and what the platform calls it.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, Tx, said};
use crate::clock::Time;
use crate::name::{Channel, PlanId};

/// A message that was posted, or will be.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Ours: `main:checkout-87`, `card:checkout-87:2`.
    pub key: String,
    pub platform: String,
    pub channel: Channel,
    /// The key of the message whose thread it stands in.
    pub thread: Option<String>,
    /// The platform's user who alone sees it, and its thread.
    pub only_for: Option<String>,
    /// The platform's id; None until it was delivered.
    pub remote: Option<String>,
    pub plan: Option<PlanId>,
    /// The neutral message as JSON, as last delivered.
    pub body: String,
    pub at: Time,
}

const COLUMNS: &str = "select key, platform, channel, thread, remote, only_for, plan, body, at from message ";

fn select(rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("{COLUMNS}{rest}"))
}

impl Store {
    pub async fn posted(&self, key: &str) -> anyhow::Result<Option<Posted>> {
        let row = sqlx::query(select("where key = $1")).bind(key).fetch_optional(self.reader()).await.map_err(said)?;
        row.as_ref().map(posted_row).transpose()
    }

    /// The message that a platform calls `remote`.
    pub async fn posted_as(&self, platform: &str, remote: &str) -> anyhow::Result<Option<Posted>> {
        let row = sqlx::query(select("where platform = $1 and remote = $2"))
            .bind(platform)
            .bind(remote)
            .fetch_optional(self.reader())
            .await
            .map_err(said)?;
        row.as_ref().map(posted_row).transpose()
    }
}

impl Tx {
    /// Notes what was delivered: once posted, a message keeps its platform id.
    pub async fn record_posted(&mut self, posted: &Posted) -> anyhow::Result<()> {
        sqlx::query(
            "insert into message (key, platform, channel, thread, remote, plan, body, at, only_for)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             on conflict (key) do update set remote = excluded.remote, body = excluded.body, edited = message.edited + 1",
        )
        .bind(&posted.key)
        .bind(&posted.platform)
        .bind(posted.channel.as_str())
        .bind(&posted.thread)
        .bind(&posted.remote)
        .bind(posted.plan.as_ref().map(PlanId::as_str))
        .bind(&posted.body)
        .bind(posted.at.ms())
        .bind(&posted.only_for)
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }
}

fn posted_row(row: &AnyRow) -> anyhow::Result<Posted> {
    let channel: String = row.try_get("channel")?;
    let plan: Option<String> = row.try_get("plan")?;
    Ok(Posted {
        key: row.try_get("key")?,
        platform: row.try_get("platform")?,
        channel: Channel::new(channel),
        thread: row.try_get("thread")?,
        remote: row.try_get("remote")?,
        only_for: row.try_get("only_for")?,
        plan: plan.map(PlanId::new),
        body: row.try_get("body")?,
        at: Time::from_ms(row.try_get("at")?),
    })
}
