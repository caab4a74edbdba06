//! What one statement does, ALTER TABLE apart.

use super::cursor::Cursor;
use super::token::{Dialect, Kind, Statement, Token, statements};
use super::{File, Finding, Weight, alter, touch};
use crate::advice::says;

/// What was found in a statement, and why it could not be read in full.
#[derive(Debug, Default)]
pub struct Read {
    pub found: Vec<Finding>,
    pub unreadable: Option<String>,
}

/// First words of statements that hold no hazard of their own.
const HARMLESS: [&str; 34] = [
    "select",
    "insert",
    "replace",
    "set",
    "reset",
    "begin",
    "start",
    "commit",
    "end",
    "rollback",
    "abort",
    "savepoint",
    "release",
    "pragma",
    "analyze",
    "comment",
    "grant",
    "revoke",
    "use",
    "show",
    "explain",
    "values",
    "discard",
    "unlock",
    "notify",
    "listen",
    "unlisten",
    "security",
    "checkpoint",
    "deallocate",
    "prepare",
    "fetch",
    "close",
    "attach",
];

pub fn read(file: &mut File<'_>, statement: &Statement<'_>) -> Read {
    let mut at = Cursor::new(statement);
    let mut read = Read::default();
    if at.eat("create") {
        create(file, at, &mut read);
    } else if at.eat("alter") {
        alter::read(file, at, &mut read);
    } else if at.eat("drop") {
        drop(file, at, &mut read);
    } else if at.eat("truncate") {
        truncate(file, at, &mut read);
    } else if at.eat("delete") {
        delete(file, at, &mut read);
    } else if at.eat("update") {
        update(file, at, &mut read);
    } else if at.eat("with") {
        with(file, at, &mut read);
    } else if at.eat("rename table") {
        rename(file, at, &mut read);
    } else if at.eat("lock") {
        lock(file, at, &mut read);
    } else if at.eat("vacuum") {
        vacuum(file, at, &mut read);
    } else if at.eat("cluster") {
        cluster(file, at, &mut read);
    } else if at.eat("reindex") {
        reindex(file, at, &mut read);
    } else if at.eat("optimize") {
        optimize(file, at, &mut read);
    } else if at.eat("refresh materialized view") {
        refresh(at, &mut read);
    } else if at.sees("do") {
        code_block(file, statement, &mut read);
    } else if at.sees("call") || at.sees("execute") {
        read.unreadable = Some("it calls a procedure, whose inside is not known here".to_owned());
    } else if !HARMLESS.iter().any(|word| at.sees(word)) {
        let word = at.peek().map_or("", |token| token.text).replace('`', "'");
        let word = crate::message::tame(&word, 20);
        read.unreadable = Some(format!("a statement that begins with `{word}` is not understood"));
    }
    touch::note(file, statement);
    read
}

/// The table that a statement makes.
pub fn creates(statement: &Statement<'_>) -> Option<String> {
    let mut at = Cursor::new(statement);
    at.eat("create").then_some(())?;
    at.skip(&["temp", "temporary", "unlogged", "global", "local"]);
    at.eat("table").then_some(())?;
    at.eat("if not exists");
    at.name().map(|name| super::last(&name))
}

/// The table that a statement renames, and its new name.
pub fn renames(statement: &Statement<'_>) -> Option<(String, String)> {
    let mut at = Cursor::new(statement);
    if at.eat("rename table") {
        let from = at.name()?;
        at.eat("to").then_some(())?;
        return Some((from, at.name()?));
    }
    at.eat("alter table").then_some(())?;
    at.skip(&["if exists", "only"]);
    let from = at.name()?;
    (at.eat("rename to") || at.eat("rename as")).then_some(())?;
    Some((from, at.name()?))
}

/// The tables that a statement works on, where it is ALTER TABLE, DROP TABLE, TRUNCATE or CREATE INDEX: the last parts of
/// their names, in lower case.
pub fn targets(statement: &Statement<'_>) -> Vec<String> {
    let mut at = Cursor::new(statement);
    let names = if at.eat("alter table") || at.eat("drop table") || at.eat("truncate") {
        at.skip(&["table", "if exists", "only"]);
        at.names()
    } else if at.eat("create") {
        at.skip(&["unique"]);
        at.after("on")
            .filter(|_| at.sees("index"))
            .map(|mut on| {
                on.eat("only");
                on.names()
            })
            .unwrap_or_default()
    } else {
        Vec::new()
    };
    names.iter().map(|name| super::last(name)).collect()
}

fn create(file: &mut File<'_>, mut at: Cursor<'_, '_>, read: &mut Read) {
    at.skip(&["or replace", "temp", "temporary", "unlogged", "global", "local"]);
    if at.eat("table") {
        // With `if not exists` the table may be an old one, full of rows.
        let perhaps_old = at.eat("if not exists");
        if let Some(name) = at.name().filter(|_| !perhaps_old) {
            file.created.insert(super::last(&name));
        }
        return;
    }
    let unique = at.eat("unique");
    at.skip(&["fulltext", "spatial"]);
    if !at.eat("index") {
        return;
    }
    let concurrently = at.eat("concurrently");
    at.eat("if not exists");
    let Some(mut on) = at.after("on") else { return };
    on.eat("only");
    let Some(table) = on.name() else { return };
    if file.made_here(&table) {
        return;
    }
    let named = file.named(&table);
    let fails = if unique { ", and fails if two rows are alike" } else { "" };
    read.found.push(match file.dialect {
        Dialect::Postgres if concurrently => {
            let says = format!("Builds an index on {named} without holding writers up; it takes long{fails}.");
            Finding::new("index-concurrently", Weight::Slow, &table, says)
        }
        Dialect::Postgres => {
            let says = format!("Builds an index on {named} while writes to it wait{fails}.");
            Finding::new("require-concurrent-index-creation", Weight::Blocks, &table, says)
        }
        Dialect::Mysql => {
            let says = format!("Builds an index on {named}: it takes long, and replicas fall behind meanwhile{fails}.");
            Finding::new("create-index", Weight::Slow, &table, says)
        }
        Dialect::Sqlite => {
            let says = format!("Builds an index on {named} while every write to the database waits{fails}.");
            Finding::new("create-index", Weight::Blocks, &table, says)
        }
    });
}

fn drop(file: &mut File<'_>, mut at: Cursor<'_, '_>, read: &mut Read) {
    at.skip(&["temporary"]);
    let foreign = at.eat("foreign");
    if at.eat("table") {
        at.eat("if exists");
        let names = at.names();
        for table in names.iter().filter(|table| !file.made_here(table)) {
            let named = file.named(table);
            let (rule, says) = if file.becomes.contains(&super::last(table)) {
                ("rebuild-table", format!("Rebuilds {named} as a copy: what the copy leaves out is lost."))
            } else if foreign {
                (
                    "ban-drop-table",
                    format!("Drops the foreign table {named}: the running version fails where it uses it."),
                )
            } else {
                ("ban-drop-table", format!("Drops the table {named}: what is in it is lost."))
            };
            read.found.push(Finding::new(rule, Weight::Grave, table, says).destroys());
        }
        return;
    }
    if at.eat("index") {
        let concurrently = at.eat("concurrently");
        at.eat("if exists");
        let name = at.name().unwrap_or_default();
        let table = at.after("on").and_then(|mut on| on.name()).unwrap_or_default();
        let (rule, says) = match file.dialect {
            Dialect::Postgres if !concurrently => (
                "require-concurrent-index-deletion",
                format!(
                    "Drops the index `{name}` under an exclusive lock on its table; queries that used it get slower."
                ),
            ),
            _ => ("drop-index", format!("Drops the index `{name}`: queries that used it get slower.")),
        };
        read.found.push(Finding::new(rule, Weight::Look, &table, says));
        return;
    }
    let kinds: [(&str, &str, &'static str); 9] = [
        ("schema", "ban-drop-schema", "everything in it is lost"),
        ("database", "ban-drop-database", "everything in it is lost"),
        ("materialized view", "ban-drop-view", "the running version fails where it reads it"),
        ("view", "ban-drop-view", "the running version fails where it reads it"),
        ("type", "ban-drop-type", "the running version fails where it uses it"),
        ("domain", "ban-drop-domain", "the running version fails where it uses it"),
        ("sequence", "ban-drop-sequence", "its numbers are lost"),
        ("function", "ban-drop-function", "the running version fails where it calls it"),
        ("procedure", "ban-drop-function", "the running version fails where it calls it"),
    ];
    if let Some((kind, rule, effect)) = kinds.into_iter().find(|(kind, ..)| at.eat(kind)) {
        at.eat("if exists");
        let names: Vec<String> = at.names().iter().map(|name| format!("`{name}`")).collect();
        let lost = effect.contains("lost");
        let weight = if lost { Weight::Grave } else { Weight::Look };
        let says = format!("Drops the {kind} {}: {effect}.", says::some(&names, 3));
        let finding = Finding { rule, says, weight, irreversible: lost, table: None };
        read.found.push(finding);
    }
}

fn truncate(file: &mut File<'_>, mut at: Cursor<'_, '_>, read: &mut Read) {
    at.skip(&["table", "only"]);
    let names = at.names();
    let cascade =
        if at.eat("cascade") || at.has("cascade") { " Every table that refers to it is emptied too." } else { "" };
    for table in names.iter().filter(|table| !file.made_here(table)) {
        let says = format!("Empties {}: every row is lost.{cascade}", file.named(table));
        read.found.push(Finding::new("truncate", Weight::Grave, table, says).destroys());
    }
}

fn delete(file: &mut File<'_>, at: Cursor<'_, '_>, read: &mut Read) {
    let Some(mut from) = at.after("from") else { return };
    from.eat("only");
    let Some(table) = from.name() else { return };
    if file.made_here(&table) {
        return;
    }
    let named = file.named(&table);
    let finding = if is_whole(from) {
        let says = format!("Deletes every row of {named}: they are lost, and others wait for the rows meanwhile.");
        Finding::new("delete-all", Weight::Grave, &table, says)
    } else {
        let says = format!("Deletes rows of {named}: they are lost; how many is not known here.");
        Finding::new("delete-some", Weight::Look, &table, says)
    };
    read.found.push(finding.destroys());
}

fn update(file: &mut File<'_>, mut at: Cursor<'_, '_>, read: &mut Read) {
    at.skip(&["only", "low_priority", "ignore", "or replace", "or ignore", "or abort", "or fail", "or rollback"]);
    let Some(table) = at.name() else { return };
    if file.made_here(&table) {
        return;
    }
    let named = file.named(&table);
    let columns: Vec<String> = at
        .after("set")
        .map(|set| {
            let names = set.parts().into_iter().filter_map(|mut part| part.name().map(|name| super::last(&name)));
            names.take(20).collect()
        })
        .unwrap_or_default();
    let new = |column: &String| file.added.contains(&(super::last(&table), column.clone()));
    let fills = !columns.is_empty() && columns.iter().all(new);
    let shown: Vec<String> = columns.iter().map(|column| format!("`{column}`")).collect();
    let shown = if shown.is_empty() { "columns".to_owned() } else { says::some(&shown, 3) };
    let everybody = match file.dialect {
        Dialect::Sqlite => "every write to the database waits meanwhile",
        _ => "other writers of these rows wait meanwhile",
    };
    read.found.push(match (is_whole(at), fills) {
        (true, true) => {
            let says = format!("Fills {shown} in every row of {named} in one go: {everybody}.");
            Finding::new("update-all", Weight::Blocks, &table, says)
        }
        (true, false) => {
            let says = format!("Overwrites {shown} in every row of {named}: the old values are lost, and {everybody}.");
            Finding::new("update-all", Weight::Blocks, &table, says).destroys()
        }
        (false, true) => {
            let says = format!("Fills {shown} in rows of {named}; how many is not known here.");
            Finding::new("update-some", Weight::Slow, &table, says)
        }
        (false, false) => {
            let says = format!("Changes {shown} in rows of {named}; how many is not known here, and {everybody}.");
            Finding::new("update-some", Weight::Look, &table, says)
        }
    });
}

/// Whether an update or delete has no condition, or one that is always true.
fn is_whole(at: Cursor<'_, '_>) -> bool {
    let Some(condition) = at.after("where") else { return !at.has("limit") };
    let rest: Vec<&Token<'_>> = condition.rest().iter().take(4).collect();
    match rest.as_slice() {
        [one] => one.is("true") || one.text == "1",
        [a, equals, b] => equals.is("=") && a.text == b.text,
        _ => false,
    }
}

/// `with … delete from`, `with … update`: what stands at the end, or inside, does the work.
fn with(file: &mut File<'_>, at: Cursor<'_, '_>, read: &mut Read) {
    if at.has("insert") {
        return;
    }
    if let Some(rest) = at.after("update") {
        update(file, rest, read);
    } else if let Some(rest) = at.after("delete") {
        delete(file, rest, read);
    } else if at.rest().iter().any(|token| token.is("delete") || token.is("update")) {
        let says = "Changes or deletes rows inside a query; which and how many is not known here.".to_owned();
        let finding = Finding { rule: "write-in-query", says, weight: Weight::Look, irreversible: true, table: None };
        read.found.push(finding);
    }
}

fn rename(file: &mut File<'_>, at: Cursor<'_, '_>, read: &mut Read) {
    for mut part in at.parts().into_iter().take(20) {
        if let (Some(from), true, Some(to)) = (part.name(), part.eat("to"), part.name()) {
            alter::renamed(file, &from, &to, read);
        }
    }
}

fn lock(file: &mut File<'_>, mut at: Cursor<'_, '_>, read: &mut Read) {
    at.skip(&["table", "tables", "only"]);
    let names = at.names();
    let weak = ["access share", "row share", "row exclusive"].iter().any(|mode| at.has(mode));
    for table in names.iter().filter(|table| !weak && !file.made_here(table)) {
        let says = format!("Locks {} until its transaction ends: others wait.", file.named(table));
        read.found.push(Finding::new("lock-table", Weight::Blocks, table, says));
    }
}

fn vacuum(file: &mut File<'_>, mut at: Cursor<'_, '_>, read: &mut Read) {
    if file.dialect == Dialect::Sqlite {
        let says = "Rewrites the whole database while every write to it waits.".to_owned();
        let finding = Finding { rule: "vacuum", says, weight: Weight::Blocks, irreversible: false, table: None };
        return read.found.push(finding);
    }
    let options = at.rest().iter().take_while(|token| token.kind != Kind::Name).any(|token| token.is("full"));
    if !options {
        return;
    }
    if at.eat("(") {
        while at.take().is_some_and(|token| !token.is(")")) {}
    }
    at.skip(&["full", "freeze", "verbose", "analyze"]);
    let table = at.name();
    let what = table.as_deref().map_or("every table of the database".to_owned(), |table| file.named(table));
    let says = format!("Rewrites {what} while holding an exclusive lock: reads and writes wait.");
    read.found.push(Finding { rule: "vacuum-full", says, weight: Weight::Blocks, irreversible: false, table });
}

fn cluster(file: &mut File<'_>, mut at: Cursor<'_, '_>, read: &mut Read) {
    at.eat("verbose");
    let table = at.name();
    let what = table.as_deref().map_or("every clustered table".to_owned(), |table| file.named(table));
    let says = format!("Rewrites {what} while holding an exclusive lock: reads and writes wait.");
    read.found.push(Finding { rule: "cluster", says, weight: Weight::Blocks, irreversible: false, table });
}

fn reindex(file: &mut File<'_>, mut at: Cursor<'_, '_>, read: &mut Read) {
    if at.has("concurrently") {
        return;
    }
    let is_table = at.eat("table");
    at.skip(&["index", "schema", "database", "system"]);
    let name = at.name().unwrap_or_default();
    let what = if is_table { file.named(&name) } else { format!("`{name}`") };
    let says = format!("Rebuilds the indexes of {what}: writes wait, and so do reads that would use them.");
    let table = Some(name).filter(|_| is_table);
    let rule = "require-concurrent-reindex";
    read.found.push(Finding { rule, says, weight: Weight::Blocks, irreversible: false, table });
}

fn optimize(file: &mut File<'_>, mut at: Cursor<'_, '_>, read: &mut Read) {
    at.skip(&["no_write_to_binlog", "local", "table"]);
    for table in at.names() {
        let says = format!("Rebuilds {}: it takes long, and writes wait at its beginning and end.", file.named(&table));
        read.found.push(Finding::new("optimize-table", Weight::Blocks, &table, says));
    }
}

fn refresh(mut at: Cursor<'_, '_>, read: &mut Read) {
    if at.eat("concurrently") {
        return;
    }
    let name = at.name().unwrap_or_default();
    let says = format!("Refreshes `{name}` while reads of it wait.");
    read.found.push(Finding::new("refresh-view", Weight::Blocks, &name, says));
}

/// `do $$ … $$`: its statements are read one by one; what is put together at run time cannot be.
fn code_block(file: &mut File<'_>, statement: &Statement<'_>, read: &mut Read) {
    let body = statement.tokens.iter().find(|token| matches!(token.kind, Kind::Body | Kind::Text));
    let inner = body.and_then(|body| {
        let open = body.text.get(1..)?.find('$').filter(|_| body.kind == Kind::Body).map_or(1, |n| n + 2);
        let inside = body.text.get(open..body.text.len().checked_sub(open)?)?;
        statements(inside, file.dialect).ok()
    });
    let Some(inner) = inner else {
        read.unreadable = Some("it holds a code block that cannot be read".to_owned());
        return;
    };
    let control = ["begin", "then", "else", "loop", "declare", "exception"];
    for piece in &inner {
        let mut depth = 0_usize;
        let start = piece.tokens.iter().rposition(|token| {
            depth += usize::from(token.is(")"));
            depth = depth.saturating_sub(usize::from(token.is("(")));
            depth == 0 && control.iter().any(|word| token.is(word))
        });
        let tokens = piece.tokens.get(start.map_or(0, |at| at + 1)..).unwrap_or_default().to_vec();
        let quiet = ["null", "raise", "end", "if", "elsif", "return", "select", "when"];
        let declares = piece.tokens.iter().any(|token| token.is("declare"));
        match tokens.first() {
            None => {}
            Some(first) if quiet.iter().any(|word| first.is(word)) => {}
            Some(_) if declares && start.is_some_and(|at| piece.tokens[at].is("declare")) => {}
            Some(first) if first.is("do") || first.is("execute") || first.is("perform") => {
                read.unreadable = Some("a code block in it builds or calls what it runs".to_owned());
            }
            Some(_) => {
                let inside = super::statement::read(file, &Statement { tokens });
                read.found.extend(inside.found);
                if inside.unreadable.is_some() {
                    read.unreadable = Some("it holds a code block that cannot be read in full".to_owned());
                }
            }
        }
    }
}
