//! Migration state from real databases, and from servers that misbehave.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::source;
use tidegate::advice::facts::MigrationState;
use tidegate::clock::{DAY, Time};
use tidegate::config::Settings;
use tidegate::source::{Ask, CannotSay, Learned, Opened, Question};

use crate::harness::mariadb::Mariadb;
use crate::harness::postgres;

/// Each tool's own table, as the tool makes it, with three migrations of which the third failed where the tool can say
/// that; and the versions that are then known. The SQL is common to the engines but for `BLOB` and `TIME`.
const TOOLS: [(&str, &str, &[&str]); 7] = [
    (
        "sqlx",
        "create table _sqlx_migrations (version bigint primary key, description varchar(99) not null, installed_on TIME not null
           default current_timestamp, success boolean not null, checksum BLOB not null, execution_time bigint not null);
         insert into _sqlx_migrations values (1, 'make orders', '2026-03-15 22:47:00', true, HEX, 5),
           (2, 'index', '2026-03-16 22:47:00', true, HEX, 5), (3, 'broken', '2026-03-17 22:47:00', false, HEX, 5)",
        &["1", "2", "3 failed"],
    ),
    (
        "flyway",
        "create table flyway_schema_history (installed_rank int primary key, version varchar(50), description varchar(200) not null,
           type varchar(20) not null, script varchar(999) not null, checksum int, installed_by varchar(100) not null,
           installed_on TIME not null default current_timestamp, execution_time int not null, success boolean not null);
         insert into flyway_schema_history values
           (1, '1', 'make', 'SQL', 'V1__make.sql', -873187034, 'ci', '2026-03-15 22:47:00', 5, true),
           (2, '1.2', 'index', 'SQL', 'V1_2__index.sql', 12, 'ci', '2026-03-15 22:47:00', 5, true),
           (3, '1.3', 'oops', 'SQL', 'V1_3__oops.sql', 12, 'ci', '2026-03-15 22:47:00', 5, true),
           (4, '1.3', 'oops', 'UNDO_SQL', 'U1_3__oops.sql', 12, 'ci', '2026-03-15 22:47:00', 5, true),
           (5, null, 'views', 'SQL', 'views/R__views.sql', 12, 'ci', '2026-03-15 22:47:00', 5, false)",
        &["1", "1.2", "R__views failed"],
    ),
    (
        "rails",
        "create table schema_migrations (version varchar(99) not null primary key);
         insert into schema_migrations values ('20260101000000'), ('20260201000000')",
        &["20260101000000", "20260201000000"],
    ),
    (
        "alembic",
        "create table alembic_version (version_num varchar(32) not null primary key);
         insert into alembic_version values ('ae1027a6acf')",
        &["ae1027a6acf"],
    ),
    (
        "django",
        "create table django_migrations (id bigint primary key, app varchar(99) not null, name varchar(99) not null, applied TIME not null);
         insert into django_migrations values (1, 'orders', '0001_initial', '2026-03-15 22:47:00'), (2, 'cart', '0001_initial', '2026-03-15 22:47:00')",
        &["orders.0001_initial", "cart.0001_initial"],
    ),
    (
        "diesel",
        "create table __diesel_schema_migrations (version varchar(50) primary key not null, run_on TIME not null default current_timestamp);
         insert into __diesel_schema_migrations values ('20260101000000', '2026-03-15 22:47:00')",
        &["20260101000000"],
    ),
    (
        "goose",
        "create table goose_db_version (id int primary key, version_id bigint not null, is_applied boolean not null, tstamp TIME default current_timestamp);
         insert into goose_db_version values (1, 0, true, '2026-03-15 22:47:00'), (2, 1, true, '2026-03-15 22:47:00'),
           (3, 2, true, '2026-03-15 22:47:00'), (4, 2, false, '2026-03-15 22:47:00'), (5, 3, true, '2026-03-15 22:47:00')",
        &["1", "3"],
    ),
];

fn open(url: &str, more: &str) -> anyhow::Result<Opened> {
    source::opened(&format!("kind = 'database'\nurl = {{ value = '{url}' }}\n{more}"))
}

pub async fn state(url: &str, more: &str) -> Result<MigrationState, CannotSay> {
    let source = open(url, more).unwrap();
    let settings = Settings::read("[team]\nname = 'Story'\nzone = 'UTC'\n", "story", ".".into()).unwrap();
    let now = Time::parse_rfc3339("2026-11-20T12:00:00Z").unwrap();
    let ask = Ask {
        question: Question::Migrations,
        settings: Arc::new(settings),
        service: "checkout".into(),
        environment: "production".into(),
        version: None,
        running: None,
        names: Vec::new(),
        change: None,
        from: now,
        to: now.plus(DAY),
        now,
        fresh: false,
    };
    let answer = source.ask(&ask).await?;
    assert!(!format!("{source:?}").contains("://"));
    match answer.learned {
        Learned::Migrations(state) => Ok(state),
        other => panic!("{other:?}"),
    }
}

async fn why(url: &str, more: &str) -> String {
    state(url, more).await.unwrap_err().0
}

fn versions(state: &MigrationState) -> Vec<String> {
    let says = |a: &tidegate::advice::facts::AppliedMigration| {
        if a.success { a.version.clone() } else { format!("{} failed", a.version) }
    };
    state.applied.iter().map(says).collect()
}

fn statements(sql: &str, blob: &str, time: &str, hex: &str) -> Vec<String> {
    let sql = sql.replace("BLOB", blob).replace(" TIME ", &format!(" {time} ")).replace("HEX", hex);
    sql.split(';').map(str::to_owned).collect()
}

/// What every engine must say of every tool.
fn check(state: &MigrationState, engine: &str, tool: &str, wanted: &[&str]) {
    assert_eq!((state.engine.as_str(), state.tool.as_str()), (engine, tool));
    assert_eq!(versions(state), wanted, "{tool}");
    let first = &state.applied[0];
    let at = Time::parse_rfc3339("2026-03-15T22:47:00Z");
    assert_eq!(first.at, at.filter(|_| !matches!(tool, "rails" | "alembic")), "{engine} {tool}");
    let checksum = match tool {
        "sqlx" => Some("cb00"),
        "flyway" => Some("-873187034"),
        _ => None,
    };
    assert_eq!(first.checksum.as_deref(), checksum, "{engine} {tool}");
}

pub async fn postgres_run(url: &str, sql: &str) {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

pub async fn postgres_url() -> String {
    tokio::task::spawn_blocking(|| postgres::Database::new().url).await.unwrap()
}

#[tokio::test]
async fn postgres_tells_what_ran_for_each_tool() {
    for (tool, sql, wanted) in TOOLS {
        let url = postgres_url().await;
        let time = "timestamp";
        postgres_run(&url, &statements(sql, "bytea", time, "'\\xcb00'").join(";")).await;
        for more in [String::new(), format!("tool = '{tool}'")] {
            check(&state(&url, &more).await.unwrap(), "postgres", tool, wanted);
        }
    }
}

#[tokio::test]
async fn mariadb_tells_what_ran_for_each_tool_and_why_it_cannot() {
    let server = tokio::task::spawn_blocking(Mariadb::start).await.unwrap();
    let url = |user: &str, database: &str| format!("mysql://{user}@127.0.0.1:{}/{database}", server.port);
    for (tool, sql, wanted) in TOOLS {
        server.run(&format!(
            "drop database shop; create database shop; use shop; {}",
            statements(sql, "blob", "datetime", "x'CB00'").join(";")
        ));
        check(&state(&url("reader:open", "shop"), "").await.unwrap(), "mysql", tool, wanted);
    }
    server.run("create database closed; create table closed.alembic_version (version_num varchar(32))");
    assert_eq!(why(&url("reader:wrong", "shop"), "").await, "refused the user or the password");
    assert_eq!(why(&url("reader:open", "closed"), "").await, "does not let this user read the migrations' table");
    assert_eq!(why(&url("root", "nowhere"), "").await, "has no such database");
    assert_eq!(
        why(&url("root", "closed"), "").await,
        "has an empty `alembic_version`: nothing ever ran there, or it is not the database that is meant"
    );
}

#[tokio::test]
async fn sqlite_tells_what_ran_for_each_tool_and_is_never_made() {
    for (tool, sql, wanted) in TOOLS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("target.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        for sql in statements(sql, "blob", "timestamp", "x'CB00'") {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
        check(&state(&format!("sqlite://{}", file.display()), "").await.unwrap(), "sqlite", tool, wanted);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("absent.db");
    for suffix in ["", "?mode=rwc"] {
        assert_eq!(why(&format!("sqlite://{}{suffix}", file.display()), "").await, "found no database file");
    }
    assert!(!file.exists());
    std::fs::write(&file, "this is no database, but it is long enough to look at; ".repeat(100)).unwrap();
    assert_eq!(
        why(&format!("sqlite://{}", file.display()), "").await,
        "has a file that is no SQLite database, or a broken one"
    );
    std::fs::write(&file, "").unwrap();
    assert_eq!(
        why(&format!("sqlite://{}", file.display()), "").await,
        "has no table of a known migration tool that this user may see"
    );
}

#[tokio::test]
async fn a_postgres_that_does_not_tell_says_why() {
    let url = postgres_url().await;
    assert_eq!(why(&url, "").await, "has no table of a known migration tool that this user may see");
    assert_eq!(why(&url, "tool = 'rails'").await, "has no table `schema_migrations` that this user may see");
    postgres_run(&url, "create schema app; create table app.schema_migrations (version varchar primary key)").await;
    let empty = "has an empty `app.schema_migrations`: nothing ever ran there, or it is not the database that is meant";
    assert_eq!(why(&url, "").await, empty);
    postgres_run(&url, "insert into app.schema_migrations values ('1')").await;
    let hidden = state(&url, "").await.unwrap();
    assert_eq!((hidden.table.as_str(), hidden.applied.len()), ("app.schema_migrations", 1));
    assert_eq!(state(&url, "table = 'app.schema_migrations'\ntool = 'rails'").await.unwrap().applied.len(), 1);
    assert_eq!(
        why(&url, "table = 'app.schema_migrations'\ntool = 'flyway'").await,
        "has a `app.schema_migrations` that is not one of flyway"
    );

    postgres_run(&url, "create table alembic_version (version_num varchar)").await;
    assert_eq!(why(&url, "").await, "has tables of several migrations: name the one that counts in `table`");
    postgres_run(
        &url,
        "create table \"MyMoves\" (version bigint, dirty boolean); insert into \"MyMoves\" values (1, false)",
    )
    .await;
    assert!(why(&url, "table = 'MyMoves'").await.contains("golang-migrate"));

    let name = url.rsplit_once('/').unwrap().1;
    postgres_run(&url, &format!("create role guest_{name} login")).await;
    let guest = url.replace("tidegate@", &format!("guest_{name}@"));
    assert_eq!(why(&guest, "tool = 'alembic'").await, "does not let this user read the migrations' table");
    assert_eq!(why(&format!("{url}_nowhere"), "").await, "has no such database");

    // A table that somebody holds does not hold up the answer for longer than the statement may take.
    let mut holder = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("begin; lock table alembic_version in access exclusive mode").execute(&mut holder).await.unwrap();
    assert_eq!(why(&url, "tool = 'alembic'").await, "took too long and was stopped");
    holder.close().await.unwrap();
}

#[tokio::test]
async fn a_database_server_that_misbehaves_is_unknown_with_the_reason() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for scheme in ["postgres", "mysql"] {
        assert_eq!(why(&format!("{scheme}://me:hush@{gone}/shop"), "").await, "refused the connection");
        assert_eq!(
            why(&format!("{scheme}://me:hush@{}/shop", answering(None).await), "").await,
            "did not answer in time"
        );
    }
    // PostgreSQL's error response: severity and SQLSTATE.
    let mut refusal = vec![b'E', 0, 0, 0, 0];
    refusal.extend(b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"me\"\0\0");
    let length = u32::try_from(refusal.len() - 1).unwrap().to_be_bytes();
    refusal[1..5].copy_from_slice(&length);
    let wrong = format!("postgres://me:hush@{}/shop?sslmode=disable", answering(Some(refusal)).await);
    assert_eq!(why(&wrong, "").await, "refused the user or the password");
    for scheme in ["postgres", "mysql"] {
        let web = answering(Some(b"HTTP/1.1 400 Bad Request\r\n\r\n<html>".to_vec())).await;
        let said = why(&format!("{scheme}://me:hush@{web}/shop"), "").await;
        assert!(!said.contains("hush") && !said.contains("html") && !said.is_empty(), "{said}");
    }
}

/// A server that accepts, and answers with these bytes whatever it is told; or never.
async fn answering(bytes: Option<Vec<u8>>) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let bytes = bytes.clone();
            tokio::spawn(async move {
                let Some(bytes) = bytes else {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    return;
                };
                let mut told = [0; 1024];
                let _ = tokio::time::timeout(Duration::from_millis(200), stream.read(&mut told)).await;
                let _ = stream.write_all(&bytes).await;
                let _ = stream.read(&mut told).await;
            });
        }
    });
    address
}

#[test]
fn settings_of_a_database_that_make_no_sense_are_refused_without_the_password() {
    for (url, more, why) in [
        ("oracle://me:hush@db/shop", "", "begins with neither"),
        ("sqlite::memory:", "", "in memory"),
        ("postgres://me:hush@db/shop", "tool = 'liquibase'", "no known migration tool"),
        ("postgres://me:hush@db/shop", "table = 'x; drop table y'", "letters, digits"),
        ("postgres://me:hush@db/shop", "table = 'a.b.c'", "letters, digits"),
        ("postgres://me:hush@db:port/shop", "", "understands"),
        ("postgres://me:hush@db/shop", "answers = ['load']", "cannot answer `load`"),
    ] {
        let error = format!("{:#}", open(url, more).unwrap_err());
        assert!(error.contains(why) && !error.contains("hush"), "{error}");
    }
}
