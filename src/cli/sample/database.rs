//! The databases of Harbor's orders, as far as their migrations go: what sqlx would have written there.

use std::path::Path;

use anyhow::Context;
use sha2::{Digest, Sha384};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

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
    for migration in ran {
        let checksum = Sha384::digest(migration.text.as_bytes());
        sqlx::query("insert into _sqlx_migrations values (?, ?, ?, true, ?, ?)")
            .bind(migration.number)
            .bind(&migration.name)
            .bind(migration.at.utc().format("%Y-%m-%d %H:%M:%S").to_string())
            .bind(checksum.as_slice())
            .bind(1_000_000 * (SECOND + migration.number * 37))
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    connection.close().await?;
    Ok(())
}
