//! One connection to somebody else's database: read only, short, closed after the answer.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use anyhow::bail;
use secrecy::{ExposeSecret, SecretString};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Row};

use crate::source::CannotSay;

/// The server is asked to stop a statement after this long.
const STATEMENT_MS: u32 = 2_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Postgres,
    Mysql,
    Sqlite,
}

/// Where to connect; never shown, because it holds the password.
#[derive(Clone)]
pub enum Address {
    Postgres(Box<PgConnectOptions>),
    Mysql(Box<MySqlConnectOptions>),
    Sqlite(Box<SqliteConnectOptions>),
}

pub enum Connection {
    Postgres(PgConnection),
    Mysql(MySqlConnection),
    Sqlite(SqliteConnection),
}

impl Address {
    /// Reads a `postgres://`, `mysql://`, `mariadb://` or `sqlite://` URL. A relative file is seen from `folder`. The
    /// error does not repeat the URL.
    pub fn read(url: &SecretString, folder: &Path) -> anyhow::Result<Address> {
        let text = url.expose_secret().trim();
        let scheme = text.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let not_read = "its address is not one that a database driver understands";
        match scheme.as_str() {
            "postgres" | "postgresql" => match PgConnectOptions::from_str(text) {
                Ok(options) => {
                    Ok(Address::Postgres(Box::new(options.application_name("tidegate").disable_statement_logging())))
                }
                Err(_) => bail!(not_read),
            },
            "mysql" | "mariadb" => {
                let text = format!("mysql{}", text.get(scheme.len()..).unwrap_or_default());
                match MySqlConnectOptions::from_str(&text) {
                    Ok(options) => Ok(Address::Mysql(Box::new(options.disable_statement_logging()))),
                    Err(_) => bail!(not_read),
                }
            }
            "sqlite" => {
                let Ok(options) = SqliteConnectOptions::from_str(text) else { bail!(not_read) };
                let file = options.get_filename().to_owned();
                if text.contains(":memory:") || text.contains("mode=memory") {
                    bail!("a database in memory has no migrations to read");
                }
                let options = options
                    .filename(folder.join(file))
                    .read_only(true)
                    .create_if_missing(false)
                    .busy_timeout(Duration::from_millis(u64::from(STATEMENT_MS)))
                    .disable_statement_logging();
                Ok(Address::Sqlite(Box::new(options)))
            }
            _ => bail!("its address begins with neither postgres://, mysql://, mariadb:// nor sqlite://"),
        }
    }

    pub fn engine(&self) -> Engine {
        match self {
            Address::Postgres(_) => Engine::Postgres,
            Address::Mysql(_) => Engine::Mysql,
            Address::Sqlite(_) => Engine::Sqlite,
        }
    }

    /// Connects, and begins a transaction that can only read.
    pub async fn connect(&self) -> Result<Connection, CannotSay> {
        let mut connection = match self {
            Address::Postgres(options) => options.connect().await.map(Connection::Postgres),
            Address::Mysql(options) => options.connect().await.map(Connection::Mysql),
            Address::Sqlite(options) => {
                if !options.get_filename().is_file() {
                    return Err(CannotSay::because("found no database file"));
                }
                options.connect().await.map(Connection::Sqlite)
            }
        }
        .map_err(|error| explain(&error))?;
        connection.begin().await?;
        Ok(connection)
    }
}

impl Connection {
    async fn begin(&mut self) -> Result<(), CannotSay> {
        let seconds = STATEMENT_MS / 1000;
        match self {
            Connection::Postgres(_) => {
                self.rows("begin isolation level repeatable read read only".to_owned()).await?;
                self.rows(format!("set local statement_timeout = {STATEMENT_MS}")).await?;
                self.rows(format!("set local lock_timeout = {STATEMENT_MS}")).await?;
            }
            Connection::Mysql(_) => {
                // MySQL and MariaDB name the same limit differently; one of the two is refused.
                let mysql = self.rows(format!("set session max_execution_time = {STATEMENT_MS}")).await;
                if mysql.is_err() {
                    let _ = self.rows(format!("set session max_statement_time = {seconds}")).await;
                }
                self.rows("start transaction read only".to_owned()).await?;
            }
            Connection::Sqlite(_) => {
                self.rows("pragma query_only = on".to_owned()).await?;
                self.rows("begin".to_owned()).await?;
            }
        }
        Ok(())
    }

    pub fn engine(&self) -> Engine {
        match self {
            Connection::Postgres(_) => Engine::Postgres,
            Connection::Mysql(_) => Engine::Mysql,
            Connection::Sqlite(_) => Engine::Sqlite,
        }
    }

    /// Every row of a query whose columns are all text. `sql` is put together from fixed words and checked names alone.
    pub async fn rows(&mut self, sql: String) -> Result<Vec<Vec<Option<String>>>, CannotSay> {
        macro_rules! read {
            ($connection:expr) => {{
                let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all($connection).await.map_err(|e| explain(&e))?;
                let mut all = Vec::with_capacity(rows.len());
                for row in rows {
                    let cells: Result<Vec<Option<String>>, _> = (0..row.len()).map(|at| row.try_get(at)).collect();
                    all.push(cells.map_err(|error| explain(&error))?);
                }
                Ok(all)
            }};
        }
        match self {
            Connection::Postgres(connection) => read!(connection),
            Connection::Mysql(connection) => read!(connection),
            Connection::Sqlite(connection) => read!(connection),
        }
    }

    /// Says goodbye; whether the server hears it does not matter.
    pub async fn close(self) {
        let _ = match self {
            Connection::Postgres(connection) => connection.close().await,
            Connection::Mysql(connection) => connection.close().await,
            Connection::Sqlite(connection) => connection.close().await,
        };
    }
}

impl Engine {
    pub fn as_str(self) -> &'static str {
        match self {
            Engine::Postgres => "postgres",
            Engine::Mysql => "mysql",
            Engine::Sqlite => "sqlite",
        }
    }

    /// A name in the engine's quotes; it holds no quotes itself.
    pub fn quoted(self, name: &str) -> String {
        let quote = if self == Engine::Mysql { '`' } else { '"' };
        name.split('.').map(|part| format!("{quote}{part}{quote}")).collect::<Vec<_>>().join(".")
    }

    pub fn text(self, column: &str) -> String {
        format!("cast({} as {})", self.quoted(column), self.text_type())
    }

    pub fn flag(self, column: &str) -> String {
        let column = self.quoted(column);
        let is_true = if self == Engine::Postgres { format!("{column}::text in ('t', 'true', '1')") } else { column };
        format!("cast(case when {is_true} then 1 else 0 end as {})", self.text_type())
    }

    pub fn hex(self, column: &str) -> String {
        let column = self.quoted(column);
        match self {
            Engine::Postgres => format!("encode({column}, 'hex')"),
            _ => format!("lower(hex({column}))"),
        }
    }

    /// Milliseconds since 1970; a time without a zone is taken for UTC.
    pub fn millis(self, column: &str) -> String {
        let column = self.quoted(column);
        match self {
            Engine::Postgres => format!("floor(extract(epoch from {column}) * 1000)::bigint::text"),
            Engine::Mysql => format!("cast(floor(unix_timestamp({column}) * 1000) as char)"),
            Engine::Sqlite => format!("cast(cast(strftime('%s', {column}) as integer) * 1000 as text)"),
        }
    }

    /// Two columns with a slash between.
    pub fn joined(self, a: &str, b: &str) -> String {
        let (a, b) = (self.text(a), self.text(b));
        match self {
            Engine::Mysql => format!("concat({a}, '/', {b})"),
            _ => format!("{a} || '/' || {b}"),
        }
    }

    fn text_type(self) -> &'static str {
        if self == Engine::Mysql { "char" } else { "text" }
    }
}

/// What an error of the driver means for people; its own words may hold addresses and are not passed on.
fn explain(error: &sqlx::Error) -> CannotSay {
    let says = match error {
        sqlx::Error::Database(error) => of_code(error.code().as_deref().unwrap_or_default(), error.as_ref()),
        sqlx::Error::Io(error) => match error.kind() {
            std::io::ErrorKind::ConnectionRefused => "refused the connection".to_owned(),
            std::io::ErrorKind::TimedOut => "did not answer in time".to_owned(),
            std::io::ErrorKind::NotFound => "found no database there".to_owned(),
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset => {
                "broke the connection off".to_owned()
            }
            _ => "could not be reached".to_owned(),
        },
        sqlx::Error::Tls(error) => {
            let text = format!("{error:?}").to_lowercase();
            if text.contains("expired") {
                "has a certificate that has expired".to_owned()
            } else if text.contains("certificate") || text.contains("issuer") {
                "has a certificate that is not trusted".to_owned()
            } else {
                "does not speak TLS as asked".to_owned()
            }
        }
        sqlx::Error::Protocol(_) => "does not speak its database's language".to_owned(),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => "holds values that cannot be read".to_owned(),
        _ => "could not be asked".to_owned(),
    };
    CannotSay(says)
}

/// SQLSTATE (PostgreSQL), SQLSTATE with MySQL's own number, result code (SQLite).
fn of_code(code: &str, error: &dyn sqlx::error::DatabaseError) -> String {
    let mysql = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(|error| error.number());
    let says = match (code, mysql) {
        (_, Some(1045 | 1698)) | ("28P01" | "28000", None) => "refused the user or the password",
        (_, Some(1049)) | ("3D000", None) => "has no such database",
        (_, Some(1044 | 1142 | 1143 | 1227)) | ("42501", None) => "does not let this user read the migrations' table",
        (_, Some(1969 | 3024)) | ("57014" | "55P03", None) => "took too long and was stopped",
        (_, Some(1040)) | ("53300", None) => "has no connection left",
        ("57P03", None) => "is starting up or shutting down",
        ("42P01" | "42703", None) | (_, Some(1146 | 1054)) => "has a migrations' table that is not as expected",
        ("14", None) => "could not open the database file",
        ("5" | "6" | "261" | "517", None) => "is busy: another process holds the file",
        ("26" | "11" | "267", None) => "has a file that is no SQLite database, or a broken one",
        ("8" | "264" | "520" | "776" | "1032", None) => "could not read the database without writing beside it",
        _ => "answered with an error",
    };
    let shown =
        code.len() <= 5 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()) && says == "answered with an error";
    if shown && !code.is_empty() { format!("{says} ({code})") } else { says.to_owned() }
}
