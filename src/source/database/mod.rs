//! Migration state: what a migration tool's own table in the target database says has run. Read only.
//!
//! PostgreSQL, MySQL (MariaDB) and SQLite; the tables of sqlx, Flyway, Rails, Alembic, Django, Diesel and goose.

mod connection;
mod inquiry;
mod server;
mod tool;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::future::BoxFuture;
use serde::Deserialize;

use self::connection::{Address, Connection, Engine};
use self::tool::{MOST_ROWS, Tool};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::MigrationState;
use crate::clock::Time;
use crate::config::Secret;
use crate::name::SourceName;

/// Connecting and reading may take this long together.
const PATIENCE: Duration = Duration::from_secs(5);

/// A database whose migrations are looked at, read only.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    url: Secret,
    /// The tool whose table is read; found out if absent.
    #[serde(default)]
    tool: Option<String>,
    /// The table, where it does not have the tool's usual name.
    #[serde(default)]
    table: Option<String>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Migrations]
    }

    fn keeps(&self) -> bool {
        false
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        let url = self.url.reveal(opening.folder).map_err(anyhow::Error::msg).context("its address")?;
        let address = Address::read(&url, opening.folder)?;
        let tool = match &self.tool {
            None => None,
            Some(text) => match Tool::parse(text) {
                Some(tool) => Some(tool),
                None => {
                    let known: Vec<&str> = Tool::ALL.iter().map(|tool| tool.as_str()).collect();
                    bail!("`tool` names no known migration tool: there are {}", known.join(", "));
                }
            },
        };
        if self.table.as_ref().is_some_and(|table| !is_plain(table)) {
            bail!("`table` may have letters, digits and `_`, and one dot after its schema");
        }
        let name = opening.settings.name.clone();
        Ok(Arc::new(Database { name, address, tool, table: self.table.clone() }))
    }
}

struct Database {
    name: SourceName,
    address: Address,
    tool: Option<Tool>,
    table: Option<String>,
}

impl fmt::Debug for Database {
    /// The name alone: an address holds a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A table that is read, and the tool that it belongs to.
#[derive(Debug)]
struct Place {
    tool: Tool,
    table: String,
    columns: BTreeSet<String>,
}

impl Database {
    async fn answer(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        if ask.question != Question::Migrations {
            return Err(CannotSay::because("was not set up for this question"));
        }
        let state = tokio::time::timeout(PATIENCE, self.state(ask.now))
            .await
            .unwrap_or_else(|_| Err(CannotSay::because("did not answer in time")))?;
        let mut incomplete = Vec::new();
        let mut state = state;
        if state.applied.len() > MOST_ROWS {
            state.applied.truncate(MOST_ROWS);
            incomplete.push(format!("its table has more than {MOST_ROWS} rows, of which the first were read"));
        }
        Ok(Answer { learned: Learned::Migrations(state), at: ask.now, link: None, incomplete })
    }

    async fn state(&self, now: Time) -> Result<MigrationState, CannotSay> {
        let engine = self.address.engine();
        let mut connection = self.address.connect().await?;
        let place = self.place(engine, &mut connection).await?;
        let query = place.tool.query(engine, &engine.quoted(&place.table), &place.columns);
        let rows = connection.rows(query).await?;
        let server = server::look(connection, now).await;
        let rows: Vec<[Option<String>; 6]> = rows.into_iter().filter_map(|row| row.try_into().ok()).collect();
        if rows.is_empty() {
            return Err(CannotSay::because(format!(
                "has an empty `{}`: nothing ever ran there, or it is not the database that is meant",
                place.table
            )));
        }
        Ok(MigrationState {
            tool: place.tool.as_str().to_owned(),
            applied: place.tool.applied(rows),
            table: place.table,
            engine: engine.as_str().to_owned(),
            server,
        })
    }

    /// Finds the table, and by its columns the tool.
    async fn place(&self, engine: Engine, connection: &mut Connection) -> Result<Place, CannotSay> {
        let names: Vec<&str> = match (&self.table, self.tool) {
            (Some(table), _) => vec![table],
            (None, Some(tool)) => vec![tool.table()],
            (None, None) => Tool::ALL.iter().map(|tool| tool.table()).collect(),
        };
        let mut found: Vec<Place> = Vec::new();
        for (table, columns) in tables(engine, connection, &names).await? {
            let tool = match self.tool {
                Some(tool) if tool.fits(&columns) => tool,
                Some(tool) => {
                    return Err(CannotSay::because(format!("has a `{table}` that is not one of {}", tool.as_str())));
                }
                None => match Tool::by_columns(&columns)? {
                    Some(tool) => tool,
                    None => return Err(CannotSay::because(format!("has a `{table}` that belongs to no known tool"))),
                },
            };
            found.push(Place { tool, table, columns });
        }
        match (found.len(), found.pop()) {
            (1, Some(place)) => Ok(place),
            (0, _) => Err(CannotSay::because(match names.as_slice() {
                [one] => format!("has no table `{one}` that this user may see"),
                _ => "has no table of a known migration tool that this user may see".to_owned(),
            })),
            _ => Err(CannotSay::because("has tables of several migrations: name the one that counts in `table`")),
        }
    }
}

impl Source for Database {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(self.answer(ask))
    }
}

/// The tables of these names that there are, with their columns. Where a name is in several schemas, the one that an
/// unqualified query would meet counts alone.
async fn tables(
    engine: Engine,
    connection: &mut Connection,
    names: &[&str],
) -> Result<BTreeMap<String, BTreeSet<String>>, CannotSay> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for name in names {
        let (schema, table) = name.split_once('.').map_or((None, *name), |(schema, table)| (Some(schema), table));
        let sql = match engine {
            Engine::Postgres => format!(
                "select n.nspname::text, a.attname::text, pg_table_is_visible(c.oid)::text \
                 from pg_catalog.pg_class c \
                 join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
                 join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped \
                 where c.relname = '{table}' and c.relkind in ('r', 'p', 'v') and {} limit 10000",
                schema.map_or("true".to_owned(), |schema| format!("n.nspname = '{schema}'"))
            ),
            Engine::Mysql => format!(
                "select cast(table_schema as char), cast(column_name as char), 'true' \
                 from information_schema.columns where table_name = '{table}' and table_schema = {} limit 10000",
                schema.map_or("database()".to_owned(), |schema| format!("'{schema}'"))
            ),
            Engine::Sqlite => format!(
                "select 'main', cast(name as text), 'true' from pragma_table_info('{table}'{}) limit 10000",
                schema.map_or(String::new(), |schema| format!(", '{schema}'"))
            ),
        };
        let mut by_schema: BTreeMap<(bool, String), BTreeSet<String>> = BTreeMap::new();
        for row in connection.rows(sql).await? {
            if let [Some(schema), Some(column), Some(visible)] = row.as_slice() {
                by_schema.entry((visible == "true", schema.clone())).or_default().insert(column.to_lowercase());
            }
        }
        let visible = by_schema.iter().find(|((visible, _), _)| *visible).map(|(_, columns)| columns.clone());
        match (visible, schema) {
            (_, Some(_)) => found.extend(by_schema.into_values().map(|columns| ((*name).to_owned(), columns))),
            (Some(columns), None) => {
                found.insert(table.to_owned(), columns);
            }
            (None, None) => {
                let hidden = by_schema.into_iter().filter(|((_, schema), _)| is_plain(schema));
                found.extend(hidden.map(|((_, schema), columns)| (format!("{schema}.{table}"), columns)));
            }
        }
    }
    Ok(found)
}

/// A name, or a schema and a name, that needs no escaping in any quotes.
fn is_plain(name: &str) -> bool {
    let part = |part: &str| {
        part.len() <= 63
            && part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    name.split('.').count() <= 2 && name.split('.').all(part)
}
