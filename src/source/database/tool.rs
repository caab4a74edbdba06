//! What migration tools keep in their tables, and how to read it.
//!
//! Every column is read as text, so that one reading serves all engines: `version, name, at, success, checksum, extra`.

use std::collections::{BTreeMap, BTreeSet};

use super::connection::Engine;
use crate::advice::facts::AppliedMigration;
use crate::clock::Time;
use crate::message::tame;
use crate::source::CannotSay;

/// More rows than this are not read.
pub const MOST_ROWS: usize = 20_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    Sqlx,
    Flyway,
    Rails,
    Alembic,
    Django,
    Diesel,
    Goose,
}

impl Tool {
    pub const ALL: [Tool; 7] =
        [Tool::Sqlx, Tool::Flyway, Tool::Rails, Tool::Alembic, Tool::Django, Tool::Diesel, Tool::Goose];

    pub fn as_str(self) -> &'static str {
        match self {
            Tool::Sqlx => "sqlx",
            Tool::Flyway => "flyway",
            Tool::Rails => "rails",
            Tool::Alembic => "alembic",
            Tool::Django => "django",
            Tool::Diesel => "diesel",
            Tool::Goose => "goose",
        }
    }

    pub fn parse(text: &str) -> Option<Tool> {
        Tool::ALL.into_iter().find(|tool| tool.as_str() == text.to_ascii_lowercase())
    }

    /// Its table's usual name.
    pub fn table(self) -> &'static str {
        match self {
            Tool::Sqlx => "_sqlx_migrations",
            Tool::Flyway => "flyway_schema_history",
            Tool::Rails => "schema_migrations",
            Tool::Alembic => "alembic_version",
            Tool::Django => "django_migrations",
            Tool::Diesel => "__diesel_schema_migrations",
            Tool::Goose => "goose_db_version",
        }
    }

    /// The columns by which its table is known.
    fn marks(self) -> &'static [&'static str] {
        match self {
            Tool::Sqlx => &["version", "description", "success", "checksum"],
            Tool::Flyway => &["installed_rank", "version", "script", "success"],
            Tool::Alembic => &["version_num"],
            Tool::Django => &["app", "name", "applied"],
            Tool::Diesel => &["version", "run_on"],
            Tool::Goose => &["version_id", "is_applied"],
            Tool::Rails => &["version"],
        }
    }

    /// The tool whose table has these columns, those with the most telling ones first. golang-migrate keeps one row that does not tell what ran.
    pub fn by_columns(columns: &BTreeSet<String>) -> Result<Option<Tool>, CannotSay> {
        let order = [Tool::Flyway, Tool::Sqlx, Tool::Alembic, Tool::Django, Tool::Diesel, Tool::Goose, Tool::Rails];
        let found = order.into_iter().find(|tool| tool.fits(columns));
        if found == Some(Tool::Rails) && columns.contains("dirty") {
            return Err(CannotSay::because(
                "keeps its migrations with golang-migrate, whose table does not tell which of them ran",
            ));
        }
        Ok(found)
    }

    pub fn fits(self, columns: &BTreeSet<String>) -> bool {
        self.marks().iter().all(|mark| columns.contains(*mark))
    }

    /// The query that reads its table; `table` is quoted already.
    pub fn query(self, engine: Engine, table: &str, columns: &BTreeSet<String>) -> String {
        let text = |column: &str| engine.text(column);
        let none = "null".to_owned();
        let [version, name, at, success, checksum, extra] = match self {
            Tool::Sqlx => [
                text("version"),
                text("description"),
                engine.millis("installed_on"),
                engine.flag("success"),
                engine.hex("checksum"),
                none,
            ],
            Tool::Flyway => [
                text("version"),
                text("description"),
                engine.millis("installed_on"),
                engine.flag("success"),
                text("checksum"),
                engine.joined("type", "script"),
            ],
            // Ecto's table is Rails' with a time.
            Tool::Rails if columns.contains("inserted_at") => {
                [text("version"), none.clone(), engine.millis("inserted_at"), none.clone(), none.clone(), none]
            }
            Tool::Rails => [text("version"), none.clone(), none.clone(), none.clone(), none.clone(), none],
            Tool::Alembic => [text("version_num"), none.clone(), none.clone(), none.clone(), none.clone(), none],
            Tool::Django => [text("name"), none.clone(), engine.millis("applied"), none.clone(), none, text("app")],
            Tool::Diesel => [text("version"), none.clone(), engine.millis("run_on"), none.clone(), none.clone(), none],
            Tool::Goose => [
                text("version_id"),
                none.clone(),
                engine.millis("tstamp"),
                none.clone(),
                none,
                engine.flag("is_applied"),
            ],
        };
        let order = match self {
            Tool::Flyway => "installed_rank",
            Tool::Django | Tool::Goose => "id",
            Tool::Alembic => "version_num",
            _ => "version",
        };
        format!(
            "select {version}, {name}, {at}, {success}, {checksum}, {extra} from {table} order by {order} limit {}",
            MOST_ROWS + 1
        )
    }

    /// What the rows say, in their order; of a version that comes again, the last row counts.
    pub fn applied(self, rows: Vec<[Option<String>; 6]>) -> Vec<AppliedMigration> {
        let mut applied: BTreeMap<String, (usize, AppliedMigration)> = BTreeMap::new();
        for (at_row, [version, name, at, success, checksum, extra]) in rows.into_iter().enumerate() {
            let said = match (self, version, extra.as_deref()) {
                (Tool::Django, Some(name), Some(app)) => Said::Ran(format!("{app}.{name}")),
                (Tool::Flyway, version, Some(extra)) => flyway(version, extra),
                // Goose begins with a row for version 0, and says of each step up or down that it was taken.
                (Tool::Goose, Some(version), _) if version == "0" => Said::Nothing,
                (Tool::Goose, Some(version), Some("0")) => Said::Undone(version),
                (_, Some(version), _) => Said::Ran(version),
                (_, None, _) => Said::Nothing,
            };
            let version = match said {
                Said::Ran(version) => tame(&version, 200),
                Said::Undone(version) => {
                    applied.remove(&tame(&version, 200));
                    continue;
                }
                Said::Nothing => continue,
            };
            let migration = AppliedMigration {
                version: version.clone(),
                name: name.map(|name| tame(&name, 200)).filter(|name| !name.is_empty()),
                at: at.and_then(|ms| ms.parse::<i64>().ok()).map(Time::from_ms),
                success: success.as_deref() != Some("0"),
                checksum: checksum.map(|checksum| tame(&checksum, 200)),
            };
            applied.insert(version, (at_row, migration));
        }
        let mut applied: Vec<(usize, AppliedMigration)> = applied.into_values().collect();
        applied.sort_by_key(|(at_row, _)| *at_row);
        applied.into_iter().map(|(_, migration)| migration).collect()
    }
}

/// What one row says.
enum Said {
    Ran(String),
    Undone(String),
    Nothing,
}

/// A row of Flyway's: its version and `TYPE/script`.
fn flyway(version: Option<String>, extra: &str) -> Said {
    let (kind, script) = extra.split_once('/').unwrap_or((extra, ""));
    let kind = kind.to_ascii_uppercase();
    match version {
        Some(version) if kind.starts_with("UNDO") || kind.starts_with("DELETE") => Said::Undone(version),
        _ if kind == "SCHEMA" || kind.starts_with("DELETE") => Said::Nothing,
        Some(version) => Said::Ran(version),
        None => {
            let file = script.rsplit(['/', '\\']).next().unwrap_or(script);
            let name = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
            if name.is_empty() { Said::Nothing } else { Said::Ran(name.to_owned()) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(version: Option<&str>, success: Option<&str>, extra: Option<&str>) -> [Option<String>; 6] {
        let own = |text: Option<&str>| text.map(str::to_owned);
        [own(version), None, None, own(success), None, own(extra)]
    }

    fn versions(tool: Tool, rows: Vec<[Option<String>; 6]>) -> Vec<String> {
        tool.applied(rows).into_iter().map(|a| a.version).collect()
    }

    #[test]
    fn what_was_undone_did_not_run() {
        let goose = vec![
            row(Some("0"), None, Some("1")),
            row(Some("1"), None, Some("1")),
            row(Some("2"), None, Some("1")),
            row(Some("2"), None, Some("0")),
        ];
        assert_eq!(versions(Tool::Goose, goose), ["1"]);
        let flyway = vec![
            row(None, Some("1"), Some("SCHEMA/<< Flyway Schema Creation >>")),
            row(Some("1"), Some("1"), Some("SQL/V1__a.sql")),
            row(Some("1.2"), Some("1"), Some("SQL/V1_2__b.sql")),
            row(Some("1.2"), Some("1"), Some("UNDO_SQL/U1_2__b.sql")),
            row(None, Some("1"), Some("SQL/views/R__views.sql")),
            row(None, Some("1"), Some("SQL/views/R__views.sql")),
        ];
        assert_eq!(versions(Tool::Flyway, flyway), ["1", "R__views"]);
    }

    #[test]
    fn what_failed_did_not_succeed() {
        let applied = Tool::Sqlx.applied(vec![row(Some("1"), Some("1"), None), row(Some("2"), Some("0"), None)]);
        assert_eq!(applied.iter().map(|a| a.success).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_tool_is_known_by_its_columns() {
        let tool = |columns: &[&str]| Tool::by_columns(&columns.iter().map(|c| (*c).to_owned()).collect());
        let flyway = ["installed_rank", "version", "description", "type", "script", "checksum", "success"];
        assert_eq!(tool(&flyway), Ok(Some(Tool::Flyway)));
        assert_eq!(tool(&["version"]), Ok(Some(Tool::Rails)));
        assert_eq!(tool(&["version", "run_on"]), Ok(Some(Tool::Diesel)));
        assert_eq!(tool(&["id", "app", "name", "applied"]), Ok(Some(Tool::Django)));
        assert_eq!(tool(&["id", "name"]), Ok(None));
        assert!(tool(&["version", "dirty"]).unwrap_err().0.contains("golang-migrate"));
    }
}
