//! What ALTER statements do.

use super::cursor::Cursor;
use super::statement::Read;
use super::token::Dialect;
use super::{File, Finding, Weight, last};

/// An ALTER TABLE with more actions than this is not read further.
const MOST_ACTIONS: usize = 100;

pub fn read(file: &mut File<'_>, mut at: Cursor<'_, '_>, read: &mut Read) {
    at.skip(&["foreign", "online", "ignore"]);
    if at.eat("table") {
        at.skip(&["if exists", "only"]);
        let Some(table) = at.name() else { return };
        at.eat("*");
        let actions = at.parts();
        if actions.len() > MOST_ACTIONS {
            read.unreadable = Some("a statement has too many parts".to_owned());
        }
        for part in actions.into_iter().take(MOST_ACTIONS) {
            action(file, &table, part, read);
        }
        return;
    }
    let kinds = ["index", "view", "materialized view", "sequence", "type", "domain", "schema", "function", "procedure"];
    if let Some(kind) = kinds.into_iter().find(|kind| at.eat(kind)) {
        at.eat("if exists");
        let name = at.name().unwrap_or_default();
        if kind == "type" && at.has("add value") {
            let says = format!("Adds a value to the type `{name}`: it cannot be taken away again.");
            read.found.push(plain("add-enum-value", Weight::Note, says));
        } else if at.has("rename") && kind != "index" {
            let says =
                format!("Renames the {kind} `{name}` or a part of it: the running version fails where it uses it.");
            read.found.push(plain("renaming-object", Weight::Grave, says).destroys());
        } else if at.has("set schema") {
            let says =
                format!("Moves the {kind} `{name}` to another schema: the running version fails where it uses it.");
            read.found.push(plain("ban-set-schema", Weight::Grave, says).destroys());
        } else if kind == "domain" && at.has("add") {
            let says = format!(
                "Adds a constraint to the domain `{name}`: every table that uses it is checked, and writes wait."
            );
            read.found.push(plain("ban-alter-domain-with-add-constraint", Weight::Look, says));
        }
    }
}

/// A table that gets another name.
pub fn renamed(file: &File<'_>, from: &str, to: &str, read: &mut Read) {
    if !file.made_here(from) {
        let says =
            format!("Renames {} to `{to}`: the running version fails where it uses the old name.", file.named(from));
        read.found.push(Finding::new("renaming-table", Weight::Grave, from, says).destroys());
    }
}

fn action(file: &mut File<'_>, table: &str, mut at: Cursor<'_, '_>, read: &mut Read) {
    if at.sees("add") {
        return add(file, table, at, read);
    }
    if file.made_here(table) {
        return;
    }
    let named = file.named(table);
    let mut push = |rule, weight, says: String| read.found.push(Finding::new(rule, weight, table, says));
    if at.eat("drop") {
        drop(file, table, at, read);
    } else if at.eat("alter index") {
    } else if at.eat("alter") {
        at.eat("column");
        let Some(column) = at.name() else { return };
        alter_column(file, table, &column, at, read);
    } else if at.eat("modify") {
        at.eat("column");
        let Some(column) = at.name() else { return };
        let says = format!("Redefines `{column}` of {named}: {}", retype(file.dialect, at));
        push("changing-column-type", Weight::Blocks, says);
        mark_narrowing(at, read);
    } else if at.eat("change") {
        at.eat("column");
        let (Some(from), Some(to)) = (at.name(), at.name()) else { return };
        if from.eq_ignore_ascii_case(&to) {
            let says = format!("Redefines `{from}` of {named}: {}", retype(file.dialect, at));
            push("changing-column-type", Weight::Blocks, says);
            mark_narrowing(at, read);
        } else {
            rename_column(file, table, &from, &to, read);
        }
    } else if at.eat("rename to") || at.eat("rename as") {
        if let Some(to) = at.name() {
            renamed(file, table, &to, read);
        }
    } else if at.sees("rename constraint") || at.sees("rename index") || at.sees("rename key") {
    } else if at.eat("rename") {
        at.eat("column");
        if let (Some(from), true, Some(to)) = (at.name(), at.eat("to"), at.name()) {
            rename_column(file, table, &from, &to, read);
        }
    } else if at.eat("set schema") {
        let says = format!("Moves {named} to another schema: the running version fails where it uses it.");
        read.found.push(Finding::new("ban-set-schema", Weight::Grave, table, says).destroys());
    } else if ["set tablespace", "set logged", "set unlogged", "set access method"].iter().any(|words| at.sees(words)) {
        let says = format!("Rewrites {named} while holding an exclusive lock: reads and writes wait.");
        push("rewrite-table", Weight::Blocks, says);
    } else if ["convert to", "engine", "row_format", "character set", "order by", "force"].iter().any(|w| at.sees(w)) {
        push("rewrite-table", Weight::Blocks, format!("Copies {named} while writes to it wait."));
    } else if at.eat("detach partition") && !at.has("concurrently") {
        let says = format!("Takes a partition off {named} under an exclusive lock: reads and writes wait.");
        push("require-concurrent-partition-detach", Weight::Look, says);
    } else if at.eat("attach partition") {
        let says =
            format!("Attaches a partition to {named}: its rows are checked unless a constraint vouches for them.");
        push("attach-partition", Weight::Slow, says);
    } else if at.eat("truncate partition") {
        let says = format!("Empties a partition of {named}: its rows are lost.");
        read.found.push(Finding::new("truncate", Weight::Grave, table, says).destroys());
    } else if at.eat("validate constraint") {
        push("validate-constraint", Weight::Slow, format!("Checks every row of {named}; others may write meanwhile."));
    } else if at.eat("disable trigger") {
        push("ban-disable-trigger", Weight::Look, format!("Switches triggers of {named} off."));
    }
}

fn add(file: &mut File<'_>, table: &str, mut at: Cursor<'_, '_>, read: &mut Read) {
    at.eat("add");
    let old = !file.made_here(table);
    let named = file.named(table);
    let push = |rule, weight, says: String, read: &mut Read| {
        if old {
            read.found.push(Finding::new(rule, weight, table, says));
        }
    };
    if at.eat("constraint") && !["check", "unique", "primary", "foreign", "exclude"].iter().any(|word| at.sees(word)) {
        at.name();
    }
    let postgres = file.dialect == Dialect::Postgres;
    let not_valid = at.has("not valid");
    if at.sees("foreign key") {
        if !not_valid {
            let says = if postgres {
                format!("Adds a foreign key to {named} and checks every row: writes to both its tables wait.")
            } else {
                format!("Adds a foreign key to {named} and copies the table: writes wait.")
            };
            push("adding-foreign-key-constraint", Weight::Blocks, says, read);
        }
    } else if at.sees("check") || at.sees("exclude") {
        if !not_valid {
            let says = format!("Adds a constraint to {named} and checks every row: reads and writes wait.");
            push("constraint-missing-not-valid", Weight::Blocks, says, read);
        }
    } else if at.sees("unique") || at.sees("primary key") {
        if !at.has("using index") {
            let waits = if postgres { "reads and writes wait" } else { "writes may wait" };
            let says = format!("Builds a unique index on {named}: {waits}, and it fails if two rows are alike.");
            push("disallowed-unique-constraint", Weight::Blocks, says, read);
        }
    } else if ["index", "key", "fulltext", "spatial"].iter().any(|word| at.sees(word)) {
        let says = format!("Builds an index on {named}: it takes long, and replicas fall behind meanwhile.");
        push("create-index", Weight::Slow, says, read);
    } else if at.sees("partition") {
    } else {
        at.eat("column");
        at.eat("if not exists");
        if at.eat("(") {
            return push("add-column", Weight::Note, format!("Adds columns to {named}."), read);
        }
        let Some(column) = at.name() else { return };
        file.added.insert((last(table), last(&column)));
        if old {
            add_column(file, table, &column, at, read);
        }
    }
}

fn add_column(file: &File<'_>, table: &str, column: &str, at: Cursor<'_, '_>, read: &mut Read) {
    let named = file.named(table);
    let mut push = |rule, weight, says: String| read.found.push(Finding::new(rule, weight, table, says));
    let computed = ["generated", "as", "serial", "bigserial", "smallserial"].iter().any(|word| at.has(word));
    let default = at.after("default").filter(|default| !default.sees("null"));
    let constant = default.is_some_and(|default| {
        let simple = ["now", "current_timestamp", "current_date", "true", "false"];
        let text =
            default.text_until(&["not", "null", "unique", "check", "references", "constraint", "primary", "after"]);
        simple.iter().any(|word| default.sees(word)) || !text.contains('(')
    });
    match file.dialect {
        Dialect::Postgres if computed || default.is_some() && !constant => {
            let says = format!(
                "Adds `{column}` with a value worked out for each row: rewrites {named} while holding an exclusive lock, \
                 reads and writes wait."
            );
            push("adding-field-with-default", Weight::Blocks, says);
        }
        Dialect::Mysql if computed && !at.has("virtual") => {
            push(
                "adding-field-with-default",
                Weight::Blocks,
                format!("Adds `{column}` and copies {named}: writes wait."),
            );
        }
        _ => {}
    }
    let identity = at.has("identity") || computed || at.has("auto_increment");
    if at.has("not null") && default.is_none() && !identity {
        let says = match file.dialect {
            Dialect::Mysql => format!(
                "Adds `{column}` to {named} as required without a default: the running version cannot insert any more."
            ),
            _ => format!(
                "Adds `{column}` to {named} as required without a default: it fails where there are rows, and the running \
                 version cannot insert any more."
            ),
        };
        push("adding-required-field", Weight::Look, says);
    }
    if at.has("unique") || at.has("primary key") {
        let says = format!("Builds a unique index on {named} for `{column}`: reads and writes wait.");
        push("disallowed-unique-constraint", Weight::Blocks, says);
    }
    if at.has("references") && file.dialect != Dialect::Sqlite {
        let says = format!("Adds a foreign key from `{column}` of {named}: writes to both its tables wait.");
        push("adding-foreign-key-constraint", Weight::Look, says);
    }
}

fn drop(file: &File<'_>, table: &str, mut at: Cursor<'_, '_>, read: &mut Read) {
    let named = file.named(table);
    if at.eat("constraint") || at.eat("check") || at.eat("foreign key") {
        at.eat("if exists");
        let name = at.name().unwrap_or_default();
        let says = format!("Drops the constraint `{name}` of {named}: rows that break it can come in from then on.");
        read.found.push(Finding::new("ban-drop-constraint", Weight::Note, table, says));
    } else if at.eat("primary key") {
        let says = format!("Drops the primary key of {named} and copies the table: writes wait.");
        read.found.push(Finding::new("drop-primary-key", Weight::Blocks, table, says));
    } else if at.eat("index") || at.eat("key") {
        let name = at.name().unwrap_or_default();
        let says = format!("Drops the index `{name}` of {named}: queries that used it get slower.");
        read.found.push(Finding::new("drop-index", Weight::Look, table, says));
    } else if at.eat("partition") {
        let says = format!("Drops a partition of {named}: its rows are lost.");
        read.found.push(Finding::new("drop-partition", Weight::Grave, table, says).destroys());
    } else {
        at.eat("column");
        at.eat("if exists");
        let Some(column) = at.name() else { return };
        if file.added.contains(&(last(table), last(&column))) {
            return;
        }
        let says = format!(
            "Drops the column `{column}` of {named}: what is in it is lost, and the running version fails where it uses it."
        );
        read.found.push(Finding::new("ban-drop-column", Weight::Grave, table, says).destroys());
    }
}

fn alter_column(file: &File<'_>, table: &str, column: &str, mut at: Cursor<'_, '_>, read: &mut Read) {
    let named = file.named(table);
    if at.eat("set data type") || at.eat("type") {
        let says =
            format!("Changes the type of `{column}` in {named} to `{}`: {}", type_name(at), retype(file.dialect, at));
        read.found.push(Finding::new("changing-column-type", Weight::Blocks, table, says));
        mark_narrowing(at, read);
    } else if at.eat("set not null") {
        let says = format!(
            "Makes `{column}` of {named} required: every row is checked while reads and writes wait, and the running \
             version fails where it leaves it empty."
        );
        read.found.push(Finding::new("adding-not-nullable-field", Weight::Blocks, table, says));
    } else if at.eat("drop not null") {
        let says = format!("Lets `{column}` of {named} be empty: the running version may not expect that.");
        read.found.push(Finding::new("ban-drop-not-null", Weight::Note, table, says));
    } else if at.eat("drop default") {
        let says =
            format!("Takes the default of `{column}` in {named} away: inserts that rely on it fail or stay empty.");
        read.found.push(Finding::new("ban-drop-default", Weight::Look, table, says));
    }
}

fn rename_column(file: &File<'_>, table: &str, from: &str, to: &str, read: &mut Read) {
    if file.added.contains(&(last(table), last(from))) {
        return;
    }
    let named = file.named(table);
    let says = format!(
        "Renames the column `{from}` of {named} to `{to}`: the running version fails where it uses the old name."
    );
    read.found.push(Finding::new("renaming-column", Weight::Grave, table, says).destroys());
}

fn retype(dialect: Dialect, to: Cursor<'_, '_>) -> String {
    let work = match dialect {
        Dialect::Postgres => "rewrites the table while holding an exclusive lock, reads and writes wait",
        Dialect::Mysql => "may copy the table, and then writes wait",
        Dialect::Sqlite => "copies the table while every write to the database waits",
    };
    let lost = if is_wide(to) { "" } else { "; what does not fit is lost or makes it fail" };
    format!("{work}{lost}.")
}

/// Whether any value of the types that are usually changed to it fits into this one.
fn is_wide(to: Cursor<'_, '_>) -> bool {
    let wide = ["text", "bigint", "int8", "double", "float8", "timestamptz", "longtext", "mediumtext", "jsonb"];
    let open = ["varchar", "character varying", "numeric", "decimal"];
    let has_using = to.has("using");
    let bare = |words: &&str| {
        let mut rest = to;
        rest.eat(words) && !rest.sees("(")
    };
    !has_using && (wide.iter().any(|word| to.sees(word)) || open.iter().any(bare))
}

/// The newest finding destroys what does not fit into the type that comes next.
fn mark_narrowing(to: Cursor<'_, '_>, read: &mut Read) {
    if !is_wide(to)
        && let Some(finding) = read.found.last_mut()
    {
        finding.irreversible = true;
    }
}

fn type_name(at: Cursor<'_, '_>) -> String {
    at.text_until(&["using", "collate", "not", "null", "default"])
}

fn plain(rule: &'static str, weight: Weight, says: String) -> Finding {
    Finding { rule, says, weight, irreversible: false, table: None }
}
