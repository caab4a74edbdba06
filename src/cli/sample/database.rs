//! The databases of Harbor's orders, as far as their migrations go: what sqlx would have written there.

use std::path::Path;

use anyhow::Context;
use sha2::{Digest, Sha384};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, QueryBuilder, Sqlite};

use crate::clock::{SECOND, Time};

/// A migration that has run: its number, its name, its text and when.
#[derive(Clone, Debug)]
pub struct Ran {
    pub number: i64,
    pub name: String,
    pub text: String,
    pub at: Time,
}

/// Writes a database in which these have run, in one transaction; the file must not exist.
pub async fn write(file: &Path, ran: &[Ran]) -> anyhow::Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Off);
    let mut connection = options.connect().await.with_context(|| format!("make the database {}", file.display()))?;
    let mut tx = connection.begin().await?;
    // As sqlx 0.9 makes it on SQLite.
    sqlx::query(
        "create table _sqlx_migrations (version bigint primary key, description text not null, \
         installed_on timestamp not null default current_timestamp, success boolean not null, checksum blob not null, \
         execution_time bigint not null)",
    )
    .execute(&mut *tx)
    .await?;
    // In one statement: each one more is a trip to the thread on which SQLite works.
    let mut insert = QueryBuilder::<Sqlite>::new("insert into _sqlx_migrations ");
    insert.push_values(ran, |mut row, migration| {
        row.push_bind(migration.number)
            .push_bind(&migration.name)
            .push_bind(migration.at.utc().format("%Y-%m-%d %H:%M:%S").to_string())
            .push("true")
            .push_bind(Sha384::digest(migration.text.as_bytes()).to_vec())
            .push_bind(1_000_000 * (SECOND + migration.number * 37));
    });
    if !ran.is_empty() {
        insert.build().execute(&mut *tx).await?;
    }
    tx.commit().await?;
    connection.close().await?;
    Ok(())
}
