//! Deputies: who stands in for whom, until when.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, Tx, said};
use crate::approval::deputy::Deputy;
use crate::clock::Time;
use crate::name::{Channel, Person, Role};

/// Those that were not ended, in order. Few: each ends by itself within weeks.
const STANDING: &str = "select id, lender, person, role, since, until, platform, channel, ended_at, ended_reason
    from deputy where ended_at is null order by since, id";

impl Store {
    /// Every deputy whose time was not ended.
    pub async fn deputies(&self) -> anyhow::Result<Vec<Deputy>> {
        let rows = sqlx::query(STANDING).fetch_all(self.reader()).await.map_err(said)?;
        rows.iter().map(deputy_row).collect()
    }
}

impl Tx {
    /// Every deputy whose time was not ended.
    pub async fn deputies(&mut self) -> anyhow::Result<Vec<Deputy>> {
        let rows = sqlx::query(STANDING).fetch_all(self.conn()).await.map_err(said)?;
        rows.iter().map(deputy_row).collect()
    }

    pub async fn insert_deputy(&mut self, deputy: &Deputy) -> anyhow::Result<()> {
        sqlx::query(
            "insert into deputy (id, lender, person, role, since, until, platform, channel)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&deputy.id)
        .bind(deputy.lender.as_str())
        .bind(deputy.person.as_str())
        .bind(deputy.role.as_ref().map(Role::as_str))
        .bind(deputy.since.ms())
        .bind(deputy.until.ms())
        .bind(&deputy.platform)
        .bind(deputy.channel.as_str())
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    /// A deputy's time is over.
    pub async fn end_deputy(&mut self, id: &str, reason: &str) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query("update deputy set ended_at = $1, ended_reason = $2 where id = $3")
            .bind(now.ms())
            .bind(reason)
            .bind(id)
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(())
    }

    /// The plans that wait and on which this person's standing word was given for that one.
    pub async fn plans_spoken_for(&mut self, lender: &Person, person: &Person) -> anyhow::Result<Vec<String>> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "select distinct plan.id from plan join word on word.plan = plan.id
             where word.lender = $1 and word.person = $2 and word.withdrawn_at is null and word.voided_at is null
               and word.revision = plan.revision
               and plan.state in ('draft', 'advised', 'approved', 'held', 'objected') order by plan.id",
        )
        .bind(lender.as_str())
        .bind(person.as_str())
        .fetch_all(self.conn())
        .await
        .map_err(said)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}

fn deputy_row(row: &AnyRow) -> anyhow::Result<Deputy> {
    let (lender, person, channel): (String, String, String) =
        (row.try_get("lender")?, row.try_get("person")?, row.try_get("channel")?);
    Ok(Deputy {
        id: row.try_get("id")?,
        lender: Person::new(lender),
        person: Person::new(person),
        role: row.try_get::<Option<String>, _>("role")?.map(Role::new),
        since: Time::from_ms(row.try_get("since")?),
        until: Time::from_ms(row.try_get("until")?),
        platform: row.try_get("platform")?,
        channel: Channel::new(channel),
        ended_at: row.try_get::<Option<i64>, _>("ended_at")?.map(Time::from_ms),
        ended_reason: row.try_get("ended_reason")?,
    })
}
