//! The only SQL on our own store: one set of statements for SQLite and PostgreSQL, through `sqlx::Any`.
//!
//! Columns are text, bigint and double precision; ids are ours and sort by time; SQL's own clock is never asked. A
//! deciding transaction takes the writer (SQLite) or locks the ledger's head (PostgreSQL) before its first read, so that
//! decisions have one order; functions inside it take [`Tx`], never the pool. What decides nothing may look at one moment
//! without waiting for a writer ([`Store::look`]); the database refuses such a transaction every change.

pub mod audit;
pub mod console;
pub mod counter;
pub mod deadline;
pub mod deployment;
pub mod deputy;
mod door;
pub mod heard;
pub mod history;
pub mod hold;
pub mod identity;
pub mod job;
mod kept;
pub mod lease;
pub mod ledger;
pub mod message;
pub mod obligation;
pub mod overriding;
pub mod picture;
pub mod plan;
mod record;
pub mod second_step;
pub mod standing;
pub mod watcher;
pub mod word;
pub mod work;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool, Connection, Executor, Transaction};

use crate::clock::Time;
use crate::name::PlanId;

use door::{Door, Turn};
use kept::Kept;

pub use work::Claim;

/// Which database; the two differ in triggers, grants and a handful of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

const LOOKING: &str = "begin isolation level repeatable read read only";

/// Our own store: one writer and several readers on SQLite, a pool on PostgreSQL.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
    write: AnyPool,
    read: AnyPool,
    /// Who is next at SQLite's one writer.
    door: Arc<Door>,
    kept: Arc<Kept>,
    /// Held as long as the store is open: exactly one process per SQLite file.
    _lock: Option<Arc<File>>,
}

/// A deciding transaction, or one that only looks ([`Store::look`]). Dropped without [`Tx::commit`], it changes nothing.
#[derive(Debug)]
pub struct Tx {
    tx: Transaction<'static, sqlx::Any>,
    pub now: Time,
    kept: Arc<Kept>,
    /// It only looks: what it finds was committed.
    looks: bool,
    // After the transaction: whoever is next begins when it has ended.
    _turn: Option<Turn>,
}

impl Store {
    /// Opens the store at `url` and brings its schema up to date. `sqlite://FILE` is relative to `data`.
    pub async fn open(url: &str, data: &Path) -> anyhow::Result<Store> {
        sqlx::any::install_default_drivers();
        let store = if let Some(file) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
            open_sqlite(&data.join(file)).await?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            open_postgres(url).await?
        } else {
            bail!("the store's url begins with neither `sqlite://` nor `postgres://`");
        };
        store.migrate().await?;
        Ok(store)
    }

    /// Opens a store for reading alone: no schema change, no lock, nothing written.
    pub async fn open_for_reading(url: &str, data: &Path) -> anyhow::Result<Store> {
        sqlx::any::install_default_drivers();
        let Some(file) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) else {
            return open_postgres(url).await;
        };
        let file = data.join(file);
        anyhow::ensure!(file.exists(), "there is no store at {}", file.display());
        let connect = async |how: &str| {
            let url = format!("sqlite://{}?{how}", file.display());
            let pool = AnyPoolOptions::new().max_connections(2).connect(&url).await?;
            pool.execute("select count(*) from sqlite_master").await.map(|_| pool)
        };
        let opened = match connect("mode=ro").await {
            // On a read-only disk SQLite can keep no notes beside the file; where nobody left any, it needs none.
            Err(_) if !has_notes(&file) => connect("immutable=true").await,
            opened => opened,
        };
        let pool = opened.map_err(said).with_context(|| format!("could not open the store {}", file.display()))?;
        Ok(Store {
            engine: Engine::Sqlite,
            write: pool.clone(),
            read: pool,
            door: Arc::default(),
            kept: Arc::default(),
            _lock: None,
        })
    }

    /// Whether this is the only process that works on the store.
    pub fn is_alone(&self) -> bool {
        self.engine == Engine::Sqlite
    }

    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The store as it is at one moment, for reading: what is written meanwhile does not show. It holds one connection
    /// for as long as it lives.
    pub async fn snapshot(&self) -> anyhow::Result<Store> {
        let begin = match self.engine {
            Engine::Sqlite => "begin",
            Engine::Postgres => LOOKING,
        };
        let pool = AnyPoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(move |conn, _| Box::pin(async move { conn.execute(begin).await.map(drop) }))
            .connect_with(self.read.connect_options().as_ref().clone())
            .await
            .map_err(said)?;
        Ok(Store {
            engine: self.engine,
            write: pool.clone(),
            read: pool,
            door: Arc::default(),
            kept: Arc::default(),
            _lock: self._lock.clone(),
        })
    }

    /// For reading what need not be decided upon.
    pub(crate) fn reader(&self) -> &AnyPool {
        &self.read
    }

    pub(crate) fn writer(&self) -> &AnyPool {
        &self.write
    }

    /// The next turn at the writer, behind arrivals. PostgreSQL has many writers and needs none.
    async fn turn(&self) -> Option<Turn> {
        if self.engine == Engine::Postgres {
            return None;
        }
        Some(self.door.later().await)
    }

    /// The very next turn at the writer: for what somebody waits to see acknowledged.
    async fn first(&self) -> Option<Turn> {
        match self.engine {
            Engine::Postgres => None,
            Engine::Sqlite => Some(self.door.first().await),
        }
    }

    /// Begins a deciding transaction.
    pub async fn begin(&self, now: Time) -> anyhow::Result<Tx> {
        let turn = self.turn().await;
        let tx = match self.engine {
            Engine::Sqlite => self.write.begin_with("begin immediate").await,
            Engine::Postgres => {
                let mut tx = self.write.begin().await.map_err(said)?;
                sqlx::query("update ledger_head set at = at where id = 1").execute(&mut *tx).await.map_err(said)?;
                Ok(tx)
            }
        };
        Ok(Tx { tx: tx.map_err(said)?, now, kept: self.kept.clone(), looks: false, _turn: turn })
    }

    /// Begins a transaction that only looks: everything in it is as of one moment, it waits for no writer, and the database
    /// refuses it every change. What is found in it may have changed already; whoever decides begins again with
    /// [`Store::begin`].
    pub async fn look(&self, now: Time) -> anyhow::Result<Tx> {
        let begin = match self.engine {
            Engine::Sqlite => "begin",
            Engine::Postgres => LOOKING,
        };
        let tx = self.read.begin_with(begin).await.map_err(said)?;
        Ok(Tx { tx, now, kept: self.kept.clone(), looks: true, _turn: None })
    }

    async fn migrate(&self) -> anyhow::Result<()> {
        match sqlx::migrate!("./migrations").run(&self.write).await {
            Err(sqlx::migrate::MigrateError::VersionMissing(version)) => bail!(
                "the store was written by a newer Tidegate (its schema has step {version}, which this one does not know): start the newer one, or restore an older copy"
            ),
            done => done.context("could not bring the store's schema up to date")?,
        }
        let triggers = match self.engine {
            Engine::Sqlite => include_str!("../../migrations/sqlite/triggers.sql"),
            Engine::Postgres => include_str!("../../migrations/postgres/triggers.sql"),
        };
        self.write.execute(sqlx::raw_sql(triggers)).await.context("could not set the ledger's triggers")?;
        Ok(())
    }

    /// Closes every connection; what was committed is on disk.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

impl Tx {
    pub(crate) fn conn(&mut self) -> &mut AnyConnection {
        &mut self.tx
    }

    /// Makes everything since [`Store::begin`] true at once.
    pub async fn commit(self) -> anyhow::Result<()> {
        self.tx.commit().await.map_err(said)
    }
}

async fn open_sqlite(file: &Path) -> anyhow::Result<Store> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("could not make the folder {}", folder.display()))?;
    }
    let lock = lock_beside(file)?;
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let options = |most: u32, may: &'static str| {
        AnyPoolOptions::new()
            .max_connections(most)
            .min_connections(1)
            .acquire_timeout(Duration::from_secs(30))
            // A file does not go away between two statements: to ask it each time costs a third of a question.
            .test_before_acquire(false)
            // Where a statement fails for want of space, SQLite ends the transaction by itself and the driver still counts it
            // as open: every later one would be refused. Such a connection is replaced.
            .before_acquire(|conn, _| Box::pin(async move { Ok(!conn.is_in_transaction()) }))
            .after_connect(move |conn, _| {
                Box::pin(async move {
                    for pragma in [
                        "pragma journal_mode = wal",
                        "pragma synchronous = full",
                        "pragma busy_timeout = 5000",
                        "pragma foreign_keys = on",
                        "pragma temp_store = memory",
                        may,
                    ] {
                        conn.execute(pragma).await?;
                    }
                    Ok(())
                })
            })
    };
    let opening = || format!("could not open the store {}", file.display());
    let write = options(1, "pragma query_only = off").connect(&url).await.map_err(said).with_context(opening)?;
    let version: (String,) = sqlx::query_as("select sqlite_version()").fetch_one(&write).await.map_err(said)?;
    if older(&version.0, (3, 51, 3)) {
        bail!(
            "SQLite {} may lose what was written (fixed in 3.51.3): build Tidegate with its bundled SQLite",
            version.0
        );
    }
    let read = options(4, "pragma query_only = on").connect(&url).await.map_err(said).with_context(opening)?;
    Ok(Store {
        engine: Engine::Sqlite,
        write,
        read,
        door: Arc::default(),
        kept: Arc::default(),
        _lock: Some(Arc::new(lock)),
    })
}

async fn open_postgres(url: &str) -> anyhow::Result<Store> {
    let pool = AnyPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(Duration::from_secs(10))
        .connect(url)
        .await
        .map_err(said)
        .context("could not reach the store's PostgreSQL")?;
    let durable: (String,) =
        sqlx::query_as("select current_setting('synchronous_commit')").fetch_one(&pool).await.map_err(said)?;
    if durable.0 == "off" {
        bail!("the store's PostgreSQL has synchronous_commit off, which loses what was acknowledged: turn it on");
    }
    Ok(Store {
        engine: Engine::Postgres,
        write: pool.clone(),
        read: pool,
        door: Arc::default(),
        kept: Arc::default(),
        _lock: None,
    })
}

/// Numbered placeholders for some plans, and what to bind to them: in a few lengths only, so that there are few statements to
/// prepare; what is beyond the list is its last plan again.
fn listed(plans: &[PlanId]) -> (String, impl Iterator<Item = &PlanId>) {
    let length = [1, 8, 32].into_iter().find(|length| plans.len() <= *length).unwrap_or(plans.len());
    let places: Vec<String> = (1..=length).map(|n| format!("${n}")).collect();
    let length = if plans.is_empty() { 0 } else { length };
    (places.join(", "), plans.iter().chain(plans.last().into_iter().cycle()).take(length))
}

/// Whether writes are still in the file beside the database, not in it.
fn has_notes(file: &Path) -> bool {
    let mut beside = file.as_os_str().to_owned();
    beside.push("-wal");
    std::fs::metadata(Path::new(&beside)).is_ok_and(|about| about.len() > 0)
}

/// Takes the lock that says so: exactly one process per file.
fn lock_beside(file: &Path) -> anyhow::Result<File> {
    let path: PathBuf = file.with_extension("lock");
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("could not open {}", path.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!("another Tidegate has {} open: stop it, or use another --data folder", file.display())
        }
        Err(std::fs::TryLockError::Error(why)) => {
            Err(why).with_context(|| format!("could not lock {}", path.display()))
        }
    }
}

fn older(version: &str, least: (u32, u32, u32)) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    version < least
}

/// A database's error as one sentence for whoever can mend it; never the statement's values.
pub(crate) fn said(error: sqlx::Error) -> anyhow::Error {
    let text = error.to_string();
    let hint = if text.contains("readonly") {
        Some("the store's file is read-only: give the user that runs Tidegate the right to write it")
    } else if text.contains("disk is full") || text.contains("No space left") {
        Some("the disk that holds the store is full: make room; nothing acknowledged is lost")
    } else if text.contains("disk I/O error") {
        Some("the disk that holds the store failed to read or write")
    } else {
        None
    };
    match hint {
        Some(hint) => anyhow::Error::new(error).context(hint),
        None => anyhow::Error::new(error),
    }
}

/// Whether the database itself failed, rather than that what it holds does not read.
pub fn is_of_the_database(error: &anyhow::Error) -> bool {
    error.downcast_ref::<sqlx::Error>().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(id: &str) -> crate::plan::Plan {
        let plan = serde_json::json!({ "id": id, "kind": "release", "service": "shop", "environment": "production",
            "by": "ada", "when": { "is": "now" }, "made_at": "2026-11-23T19:00:00Z" });
        serde_json::from_value(plan).unwrap()
    }

    #[tokio::test]
    async fn a_look_sees_one_moment_waits_for_no_writer_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open("sqlite://tidegate.db", folder.path()).await.unwrap();
        let (now, channel) = (Time::from_ms(1_800_000_000_000), crate::name::Channel::new("deploys"));
        let (first, second) = (plan("shop-1"), plan("shop-2"));
        let mut writing = store.begin(now).await.unwrap();
        writing.insert_plan(&first, "console", &channel).await.unwrap();
        let mut before = store.look(now).await.unwrap();
        assert!(before.plan(&first.id).await.unwrap().is_none(), "nobody committed it yet");
        writing.commit().await.unwrap();
        assert!(before.plan(&first.id).await.unwrap().is_none(), "it is as of its own moment");
        let mut after = store.look(now).await.unwrap();
        assert!(after.plan(&first.id).await.unwrap().is_some());
        assert!(after.insert_plan(&second, "console", &channel).await.is_err());
        drop((before, after));
        let mut again = store.look(now).await.unwrap();
        assert!(again.plan(&second.id).await.unwrap().is_none());
        again.commit().await.unwrap();
        store.close().await;
    }

    fn brief(plan: &crate::plan::Plan, says: &str) -> plan::Revision {
        let settings = crate::config::Settings::read("[people.ada]\n", "the test", PathBuf::new()).unwrap();
        let facts = crate::advice::facts::Facts::default();
        let context = crate::advice::Context { plan, facts: &facts, settings: &settings, now: plan.made_at };
        plan::Revision {
            number: 1,
            at: plan.made_at,
            brief: says.to_owned(),
            commit: None,
            plan: plan.clone(),
            advice: crate::advice::advise(context),
            facts,
            reason: says.to_owned(),
        }
    }

    #[tokio::test]
    async fn a_brief_that_was_never_committed_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open("sqlite://tidegate.db", folder.path()).await.unwrap();
        let (now, channel) = (Time::from_ms(1_800_000_000_000), crate::name::Channel::new("deploys"));
        let plan = plan("shop-1");
        let write = async |says: &str| {
            let mut tx = store.begin(now).await.unwrap();
            tx.insert_plan(&plan, "console", &channel).await.unwrap();
            tx.insert_revision(&plan.id, &brief(&plan, says)).await.unwrap();
            let mut row = tx.plan(&plan.id).await.unwrap().unwrap();
            row.revision = 1;
            tx.update_plan(&row).await.unwrap();
            let found = tx.standing(&row).await.unwrap().revision.unwrap();
            assert_eq!(found.reason, says);
            tx
        };
        let look = async || {
            let mut tx = store.look(now).await.unwrap();
            let found = tx.standings(std::slice::from_ref(&plan.id)).await.unwrap().remove(&plan.id);
            found.map(|standing| standing.revision.unwrap().reason.clone())
        };
        drop(write("one that comes to nothing").await);
        assert_eq!(look().await, None);
        write("the one that counts").await.commit().await.unwrap();
        for _ in 0..2 {
            assert_eq!(look().await.as_deref(), Some("the one that counts"));
        }
        store.close().await;
    }

    #[test]
    fn versions_of_sqlite_compare_as_numbers() {
        assert!(older("3.46.0", (3, 51, 3)));
        assert!(!older("3.51.3", (3, 51, 3)));
        assert!(!older("3.100.0", (3, 51, 3)));
    }
}
