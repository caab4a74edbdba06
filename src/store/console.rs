//! What the console shows: its messages and the reactions on them, each change with a rising number.

use std::collections::BTreeMap;

use sqlx::Row;

use super::{Store, Tx, said};
use crate::clock::Time;

/// A message on the console, as stored.
#[derive(Clone, Debug)]
pub struct ConsoleMessage {
    pub id: String,
    pub seq: i64,
    pub channel: String,
    pub thread: Option<String>,
    pub for_person: Option<String>,
    pub author: String,
    /// The neutral message as JSON.
    pub body: String,
    pub at: Time,
    pub edited: i64,
    pub reactions: BTreeMap<String, Vec<String>>,
}

/// A message to put on the console.
#[derive(Clone, Debug)]
pub struct NewConsoleMessage<'a> {
    /// The same id twice is the same message.
    pub id: &'a str,
    pub channel: &'a str,
    pub thread: Option<&'a str>,
    pub for_person: Option<&'a str>,
    pub author: &'a str,
    pub body: &'a str,
}

const COLUMNS: &str = "select id, seq, channel, thread, for_person, author, body, at, edited from console_message ";

impl Store {
    /// Messages of a channel that are new or changed after `after`, oldest change first, at most 500.
    pub async fn console_messages(&self, channel: &str, after: i64) -> anyhow::Result<Vec<ConsoleMessage>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where channel = $1 and seq > $2 and removed_at is null order by seq limit 500"
        )))
        .bind(channel)
        .bind(after)
        .fetch_all(self.reader())
        .await
        .map_err(said)?;
        let mut messages: Vec<ConsoleMessage> =
            rows.iter().map(console_row).collect::<Result<_, sqlx::Error>>().map_err(said)?;
        if messages.is_empty() {
            return Ok(messages);
        }
        let reactions: Vec<(String, String, String)> = sqlx::query_as(
            "select r.message, r.name, r.person from console_reaction r
             join console_message m on m.id = r.message where m.channel = $1 and m.seq > $2 order by r.at, r.person",
        )
        .bind(channel)
        .bind(after)
        .fetch_all(self.reader())
        .await
        .map_err(said)?;
        let mut by_message: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        for (message, name, person) in reactions {
            by_message.entry(message).or_default().entry(name).or_default().push(person);
        }
        for message in &mut messages {
            message.reactions = by_message.remove(&message.id).unwrap_or_default();
        }
        Ok(messages)
    }

    pub async fn console_message(&self, id: &str) -> anyhow::Result<Option<ConsoleMessage>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} where id = $1")))
            .bind(id)
            .fetch_optional(self.reader())
            .await
            .map_err(said)?;
        row.as_ref().map(console_row).transpose().map_err(said)
    }

    /// The number of the newest change.
    pub async fn console_seq(&self) -> anyhow::Result<i64> {
        let row: Option<(i64,)> = sqlx::query_as("select value from counter where name = 'console'")
            .fetch_optional(self.reader())
            .await
            .map_err(said)?;
        Ok(row.map_or(0, |(seq,)| seq))
    }

    /// Everybody's standing reactions on a message.
    pub async fn console_reactions(&self, message: &str) -> anyhow::Result<Vec<(String, String)>> {
        sqlx::query_as("select name, person from console_reaction where message = $1 order by at, person")
            .bind(message)
            .fetch_all(self.reader())
            .await
            .map_err(said)
    }
}

impl Tx {
    pub async fn console_post(&mut self, message: &NewConsoleMessage<'_>) -> anyhow::Result<()> {
        let now = self.now;
        let seq = self.count_up("console").await?;
        sqlx::query(
            "insert into console_message (id, seq, channel, thread, for_person, author, body, at)
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing",
        )
        .bind(message.id)
        .bind(seq)
        .bind(message.channel)
        .bind(message.thread)
        .bind(message.for_person)
        .bind(message.author)
        .bind(message.body)
        .bind(now.ms())
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    /// False: there is no such message any more.
    pub async fn console_edit(&mut self, id: &str, body: &str) -> anyhow::Result<bool> {
        let seq = self.count_up("console").await?;
        let done = sqlx::query(
            "update console_message set body = $1, seq = $2, edited = edited + 1 where id = $3 and removed_at is null",
        )
        .bind(body)
        .bind(seq)
        .bind(id)
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(done.rows_affected() == 1)
    }

    /// Puts a reaction on a message, or takes it off. False: nothing changed.
    pub async fn console_react(
        &mut self,
        message: &str,
        name: &str,
        person: &str,
        remove: bool,
    ) -> anyhow::Result<bool> {
        let now = self.now;
        let query = if remove {
            sqlx::query("delete from console_reaction where message = $1 and name = $2 and person = $3")
                .bind(message)
                .bind(name)
                .bind(person)
        } else {
            sqlx::query(
                "insert into console_reaction (message, name, person, at) values ($1, $2, $3, $4) on conflict do nothing",
            )
            .bind(message)
            .bind(name)
            .bind(person)
            .bind(now.ms())
        };
        let changed = query.execute(self.conn()).await.map_err(said)?.rows_affected() == 1;
        if changed {
            let seq = self.count_up("console").await?;
            sqlx::query("update console_message set seq = $1 where id = $2")
                .bind(seq)
                .bind(message)
                .execute(self.conn())
                .await
                .map_err(said)?;
        }
        Ok(changed)
    }
}

fn console_row(row: &sqlx::any::AnyRow) -> Result<ConsoleMessage, sqlx::Error> {
    Ok(ConsoleMessage {
        id: row.try_get("id")?,
        seq: row.try_get("seq")?,
        channel: row.try_get("channel")?,
        thread: row.try_get("thread")?,
        for_person: row.try_get("for_person")?,
        author: row.try_get("author")?,
        body: row.try_get("body")?,
        at: Time::from_ms(row.try_get("at")?),
        edited: row.try_get("edited")?,
        reactions: BTreeMap::new(),
    })
}
