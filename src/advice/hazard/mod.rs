//! What the SQL of a migration would do to a busy database: locks, rewrites, what it destroys, what it breaks.
//!
//! PostgreSQL is read by squawk's linter and by rules of our own where that is blind; MySQL and SQLite by our own alone,
//! which are coarse and err towards a warning. What cannot be read is never clear: `unreadable` says so.

mod alter;
mod cursor;
mod postgres;
mod statement;
mod token;
mod touch;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use self::token::{Dialect, Statement};
use crate::advice::{FlagLevel, says};
use crate::message::tame;

/// Longer SQL is not read.
const MOST_BYTES: usize = 256 * 1024;
/// SQL nested deeper is not read: parsers recurse.
const MOST_NESTING: usize = 100;
/// More hazards than this are not listed.
const MOST_FOUND: usize = 200;
/// Rows from which a scan or rewrite is felt for minutes, and below which it is over at once.
const MANY_ROWS: u64 = 1_000_000;
const FEW_ROWS: u64 = 10_000;

/// What a migration would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hazards {
    /// In the order of the statements.
    pub found: Vec<Hazard>,
    /// Why it could not be read in full, as a fragment; then what was found is not all.
    pub unreadable: Option<String>,
    /// Tables that were there before and that it locks against others for a moment or longer: the last parts of their
    /// names, in lower case.
    pub touches: Vec<String>,
    /// It waits for every transaction of the database that is open, whatever that holds.
    pub waits_for_all: bool,
}

/// What is known of a table's size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    pub rows: Option<u64>,
    pub bytes: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Hazard {
    /// Stable: `drop-column`; for PostgreSQL mostly squawk's own name.
    pub rule: String,
    /// One sentence without its subject, which is the migration: "Rewrites `orders` (about 40 M rows) …".
    pub says: String,
    pub level: FlagLevel,
    /// Data or schema that the old version needs is destroyed.
    pub irreversible: bool,
    /// Nothing is lost, but the version that runs now fails on the new schema for as long as it stands.
    pub bars_old: bool,
    /// The statement, in one line, cut at 200 characters.
    pub statement: String,
}

/// Reads the SQL of one migration for `postgres`, `mysql` (also `mariadb`) or `sqlite`. `tables` has the known sizes, by
/// names with or without a schema; their rows decide how grave a lock is.
pub fn hazards(sql: &str, engine: &str, tables: &BTreeMap<String, Size>) -> Hazards {
    if sql.len() > MOST_BYTES {
        return unreadable(format!("it is longer than {} KiB", MOST_BYTES / 1024));
    }
    let dialect = match engine.to_ascii_lowercase().as_str() {
        "postgres" | "postgresql" => Dialect::Postgres,
        "mysql" | "mariadb" => Dialect::Mysql,
        "sqlite" => Dialect::Sqlite,
        _ => return unreadable(format!("SQL of `{}` is not understood", tame(&engine.replace('`', "'"), 30))),
    };
    let blanked = match token::blank(sql, dialect) {
        Ok(blanked) => blanked,
        Err(why) => return unreadable(why),
    };
    let statements = match token::statements(&blanked, dialect) {
        Ok(statements) => statements,
        Err(why) => return unreadable(why),
    };
    let mut why_not: Option<String> = placeholder(&blanked, &statements);
    let mut file = File::new(dialect, tables, &statements);
    let mut findings: Vec<(usize, Finding)> = Vec::new();
    for (at, statement) in statements.iter().enumerate() {
        let read = statement::read(&mut file, statement);
        findings.extend(read.found.into_iter().map(|finding| (at, finding)));
        why_not = why_not.or(read.unreadable);
    }
    if dialect == Dialect::Postgres {
        let in_transaction = !postgres::runs_outside_transaction(sql);
        match too_deep(&statements).map_or_else(|| postgres::lint(&blanked, &statements, in_transaction), Err) {
            Ok(violations) => postgres::join(&file, violations, &statements, &mut findings),
            Err(why) => why_not = why_not.or(Some(why)),
        }
    }
    findings.sort_by_key(|(at, _)| *at);
    findings.truncate(MOST_FOUND);
    let found = findings.into_iter().map(|(at, finding)| {
        let text = statements.get(at).and_then(|s| blanked.get(s.start()..s.end())).unwrap_or_default();
        let level = finding.weight.level(finding.table.as_deref().and_then(|table| file.rows(table)));
        Hazard {
            rule: finding.rule.to_owned(),
            says: tame(&finding.says, 300),
            level,
            irreversible: finding.irreversible,
            bars_old: BARS_OLD.contains(&finding.rule),
            statement: tame(text, 200),
        }
    });
    Hazards {
        found: found.collect(),
        unreadable: why_not,
        touches: file.touched.into_iter().collect(),
        waits_for_all: file.waits_for_all,
    }
}

fn unreadable(reason: String) -> Hazards {
    Hazards { unreadable: Some(reason), ..Hazards::default() }
}

/// A column that must be filled in: whoever does not know it cannot write any more.
const BARS_OLD: [&str; 2] = ["adding-required-field", "adding-not-nullable-field"];

/// What weighs how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// Something is lost, or what runs now breaks at once.
    Grave,
    /// Others wait for as long as the work takes: by the rows.
    Blocks,
    /// It takes long and holds nobody up: by the rows.
    Slow,
    /// Worth a look whatever the size.
    Look,
    Note,
}

impl Weight {
    fn level(self, rows: Option<u64>) -> FlagLevel {
        match (self, rows) {
            (Weight::Grave, _) => FlagLevel::Critical,
            (Weight::Blocks, Some(MANY_ROWS..)) => FlagLevel::Critical,
            (Weight::Blocks, Some(..FEW_ROWS)) => FlagLevel::Info,
            (Weight::Slow, Some(MANY_ROWS..)) | (Weight::Blocks | Weight::Look, _) => FlagLevel::Caution,
            (Weight::Slow | Weight::Note, _) => FlagLevel::Info,
        }
    }
}

/// A hazard before it is weighed.
#[derive(Clone, Debug)]
struct Finding {
    rule: &'static str,
    says: String,
    weight: Weight,
    irreversible: bool,
    /// Whose rows decide how grave it is.
    table: Option<String>,
}

impl Finding {
    fn new(rule: &'static str, weight: Weight, table: &str, says: String) -> Finding {
        Finding { rule, says, weight, irreversible: false, table: Some(table.to_owned()) }
    }

    fn destroys(mut self) -> Finding {
        self.irreversible = true;
        self
    }
}

/// What is known of the whole file while its statements are read.
#[derive(Debug)]
struct File<'a> {
    dialect: Dialect,
    tables: &'a BTreeMap<String, Size>,
    /// Tables that the file locks and did not make.
    touched: BTreeSet<String>,
    waits_for_all: bool,
    /// Tables that the file makes: nobody waits for them, and nothing in them is lost.
    created: BTreeSet<String>,
    /// Columns that the file adds: nothing was in them.
    added: BTreeSet<(String, String)>,
    /// Names that a table of the file is given at last: a table dropped under that name is rebuilt.
    becomes: BTreeSet<String>,
}

impl<'a> File<'a> {
    fn new(dialect: Dialect, tables: &'a BTreeMap<String, Size>, statements: &[Statement<'_>]) -> File<'a> {
        let mut file = File {
            dialect,
            tables,
            touched: BTreeSet::new(),
            waits_for_all: false,
            created: BTreeSet::new(),
            added: BTreeSet::new(),
            becomes: BTreeSet::new(),
        };
        let mut made: BTreeSet<String> = BTreeSet::new();
        for statement in statements {
            made.extend(statement::creates(statement));
            if let Some((from, to)) = statement::renames(statement)
                && made.contains(&last(&from))
            {
                file.becomes.insert(last(&to));
            }
        }
        file
    }

    fn made_here(&self, table: &str) -> bool {
        self.created.contains(&last(table))
    }

    /// The size of a table by its full name or its last part.
    fn size(&self, table: &str) -> Size {
        let find = |name: &str| self.tables.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, n)| *n);
        find(table).or_else(|| find(&last(table))).unwrap_or_default()
    }

    fn rows(&self, table: &str) -> Option<u64> {
        self.size(table).rows
    }

    /// A table as people read it: `orders` in code, with its size where that is known.
    fn named(&self, table: &str) -> String {
        match self.size(table).says() {
            Some(size) if !self.made_here(table) => format!("`{table}` ({size})"),
            _ => format!("`{table}`"),
        }
    }
}

impl Size {
    /// `about 41 M rows, 12 GB`.
    pub fn says(self) -> Option<String> {
        let rows = self.rows.map(|rows| format!("{} rows", says::about(rows)));
        let bytes = self.bytes.map(says::bytes);
        let known: Vec<String> = rows.into_iter().chain(bytes).collect();
        (!known.is_empty()).then(|| known.join(", "))
    }
}

/// The last part of a name, in lower case.
fn last(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_lowercase()
}

/// A template's placeholder outside strings: what stands there is not known.
fn placeholder(sql: &str, statements: &[Statement<'_>]) -> Option<String> {
    let marks = [("$", "{"), ("{", "{"), ("<", "%"), ("{", "%")];
    for statement in statements {
        for pair in statement.tokens.windows(2) {
            let [a, b] = pair else { continue };
            if a.end() == b.at && marks.iter().any(|(x, y)| a.is(x) && b.is(y)) {
                return Some(format!("line {} holds a placeholder", token::line(sql, a.at)));
            }
        }
    }
    None
}

/// Why a statement is too deep for a parser that recurses.
fn too_deep(statements: &[Statement<'_>]) -> Option<String> {
    for statement in statements {
        let mut depth = 0_usize;
        for token in &statement.tokens {
            if ["(", "[", "case"].iter().any(|open| token.is(open)) {
                depth += 1;
            } else if [")", "]", "end"].iter().any(|close| token.is(close)) {
                depth = depth.saturating_sub(1);
            }
            if depth > MOST_NESTING {
                return Some(format!("a statement is nested more than {MOST_NESTING} deep"));
            }
        }
    }
    None
}
