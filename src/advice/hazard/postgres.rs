//! PostgreSQL as squawk's linter reads it.
//!
//! The linter decides where it knows more than one statement shows (a constraint validated before, a table made in the
//! same transaction, a volatile default); our own words say what it found. Its rules of taste are off.

use std::collections::BTreeSet;

use squawk_linter::{Linter, Rule};

use super::token::{self, Statement};
use super::{File, Finding, Weight};

/// The parser recurses, and some of what it does grows with the square of a statement's length: with these limits and
/// this stack no text exhausts either.
const MOST_TOKENS: usize = 5_000;
/// Words with no comma or bracket between them.
const LONGEST_STRETCH: usize = 500;
const STACK: usize = 64 * 1024 * 1024;

/// What the linter has to say about one statement.
#[derive(Clone, Debug)]
pub struct Violation {
    statement: usize,
    rule: &'static str,
    says: &'static str,
    weight: Weight,
}

/// Where the linter is silent about one of these, a statement that looks like it is no hazard.
const LINTER_DECIDES: [&str; 9] = [
    "require-concurrent-index-creation",
    "require-concurrent-index-deletion",
    "constraint-missing-not-valid",
    "adding-foreign-key-constraint",
    "adding-field-with-default",
    "adding-not-nullable-field",
    "adding-required-field",
    "disallowed-unique-constraint",
    "require-concurrent-partition-detach",
];

/// What is said of a rule where no words of our own fit the statement.
const WORDS: [(&str, Weight, &str); 33] = [
    ("require-concurrent-index-creation", Weight::Look, "Builds an index while writes to its table wait."),
    ("require-concurrent-index-deletion", Weight::Look, "Drops an index under an exclusive lock on its table."),
    ("constraint-missing-not-valid", Weight::Look, "Adds a constraint and checks every row while writes wait."),
    ("adding-field-with-default", Weight::Look, "Adds a column with a value for each row, which rewrites the table."),
    ("adding-foreign-key-constraint", Weight::Look, "Adds a foreign key: writes to both its tables wait."),
    ("changing-column-type", Weight::Look, "Changes a type: what depends on it is rewritten, or breaks."),
    (
        "adding-not-nullable-field",
        Weight::Look,
        "Makes a column required: every row is checked, reads and writes wait.",
    ),
    (
        "adding-required-field",
        Weight::Look,
        "Adds a required column without a default: inserts of the running version fail.",
    ),
    ("adding-serial-primary-key-field", Weight::Look, "Adds a primary key, which rewrites the table under a lock."),
    ("renaming-column", Weight::Grave, "Renames a column: the running version fails where it uses the old name."),
    ("renaming-table", Weight::Grave, "Renames a table: the running version fails where it uses the old name."),
    ("renaming-object", Weight::Look, "Renames something: the running version fails where it uses the old name."),
    ("disallowed-unique-constraint", Weight::Look, "Builds a unique index while reads and writes wait."),
    ("ban-drop-database", Weight::Grave, "Drops a database: everything in it is lost."),
    ("ban-drop-column", Weight::Grave, "Drops a column or attribute: what is in it is lost."),
    ("ban-drop-table", Weight::Grave, "Drops a table: what is in it is lost."),
    ("ban-drop-schema", Weight::Grave, "Drops a schema: everything in it is lost."),
    ("ban-drop-not-null", Weight::Note, "Lets a column be empty: the running version may not expect that."),
    ("ban-drop-constraint", Weight::Note, "Drops a constraint: rows that break it can come in from then on."),
    ("ban-drop-default", Weight::Look, "Takes a default away: inserts that rely on it fail or stay empty."),
    ("ban-drop-view", Weight::Look, "Drops a view: the running version fails where it reads it."),
    ("ban-drop-function", Weight::Look, "Drops a function: the running version fails where it calls it."),
    ("ban-drop-type", Weight::Look, "Drops a type: the running version fails where it uses it."),
    ("ban-drop-domain", Weight::Look, "Drops a domain: the running version fails where it uses it."),
    ("ban-drop-sequence", Weight::Look, "Drops a sequence: its numbers are lost."),
    ("ban-drop-generated-expression", Weight::Look, "Makes a computed column a plain one: nobody fills it any more."),
    ("ban-drop-extension", Weight::Look, "Drops an extension, and what depends on it."),
    ("ban-set-schema", Weight::Look, "Moves something to another schema: the running version fails where it uses it."),
    ("ban-alter-domain-with-add-constraint", Weight::Look, "Adds a constraint to a domain: its tables are checked."),
    ("ban-truncate-cascade", Weight::Grave, "Empties every table that refers to the one named."),
    ("require-concurrent-partition-detach", Weight::Look, "Takes a partition off under an exclusive lock."),
    ("require-concurrent-reindex", Weight::Look, "Rebuilds indexes while writes wait."),
    (
        "ban-concurrent-index-creation-in-transaction",
        Weight::Look,
        "Works on an index concurrently, which fails inside a transaction: the migration tool must be told not to open one.",
    ),
];

/// Rules whose findings destroy what the old version needs, where no words of our own fit.
const DESTROYS: [&str; 7] = [
    "renaming-column",
    "renaming-table",
    "ban-drop-database",
    "ban-drop-column",
    "ban-drop-table",
    "ban-drop-schema",
    "ban-truncate-cascade",
];

/// Lints blanked SQL. The error says why it could not be read, as a fragment.
pub fn lint(sql: &str, statements: &[Statement<'_>], in_transaction: bool) -> Result<Vec<Violation>, String> {
    let mut text = sql.to_owned();
    for statement in statements {
        // Rows are no hazard, and there may be many: the linter is spared them.
        let rows = statement.tokens.first().is_some_and(|token| token.is("insert"));
        if rows {
            let bytes = sql.bytes().skip(statement.start()).take(statement.end() - statement.start());
            let spaces: String = bytes.map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
            text.replace_range(statement.start()..statement.end(), &spaces);
        } else if statement.tokens.len() > MOST_TOKENS || longest_stretch(statement) > LONGEST_STRETCH {
            return Err(format!("the statement in line {} is too long", token::line(sql, statement.start())));
        }
    }
    let reader = std::thread::Builder::new().name("sql".to_owned()).stack_size(STACK);
    let spans: Vec<usize> = statements.iter().map(Statement::start).collect();
    let reading = reader.spawn(move || read(&text, &spans, in_transaction));
    let done = reading.map_err(|_| "there was no room to read it".to_owned())?.join();
    done.unwrap_or_else(|_| Err("it could not be read".to_owned()))
}

fn read(text: &str, spans: &[usize], in_transaction: bool) -> Result<Vec<Violation>, String> {
    let file = squawk_syntax::SourceFile::parse(text);
    if let Some(error) = file.errors().first() {
        let at = usize::from(error.range().start());
        return Err(format!("line {} is not SQL that is understood", token::line(text, at)));
    }
    let mut linter = Linter::from(WORDS.iter().filter_map(|(rule, ..)| Rule::try_from(*rule).ok()));
    linter.settings.assume_in_transaction = in_transaction;
    let mut found = Vec::new();
    for violation in linter.lint(&file, text) {
        let at = usize::from(violation.text_range.start());
        let statement = spans.partition_point(|start| *start <= at).saturating_sub(1);
        let code = violation.code.to_string();
        let Some((rule, weight, says)) = WORDS.iter().find(|(rule, ..)| *rule == code) else { continue };
        found.push(Violation { statement, rule, says, weight: *weight });
    }
    Ok(found)
}

/// Joins what the linter found with our own: it decides where it knows more, and what only it found is added.
pub fn join(
    file: &File<'_>,
    violations: Vec<Violation>,
    statements: &[Statement<'_>],
    findings: &mut Vec<(usize, Finding)>,
) {
    let reported: BTreeSet<(usize, &str)> = violations.iter().map(|v| (v.statement, v.rule)).collect();
    let in_block = |at: usize| statements.get(at).is_some_and(|s| s.tokens.first().is_some_and(|t| t.is("do")));
    findings.retain(|(at, finding)| {
        !LINTER_DECIDES.contains(&finding.rule)
            || in_block(*at)
            || reported.contains(&(*at, kin(finding.rule)))
            || reported.contains(&(*at, finding.rule))
    });
    let mut said: BTreeSet<(usize, &str)> = findings.iter().map(|(at, f)| (*at, kin(f.rule))).collect();
    for violation in violations {
        // A table that the file makes holds nothing yet: our own reading kept silent for that reason.
        let targets = statements.get(violation.statement).map(super::statement::targets).unwrap_or_default();
        let new = !targets.is_empty() && targets.iter().all(|table| file.created.contains(table));
        if new || !said.insert((violation.statement, kin(violation.rule))) {
            continue;
        }
        let irreversible = DESTROYS.contains(&violation.rule);
        let says = violation.says.to_owned();
        let finding = Finding { rule: violation.rule, says, weight: violation.weight, irreversible, table: None };
        findings.push((violation.statement, finding));
    }
}

/// Whether a comment tells the migration tool to open no transaction (sqlx, goose, dbmate, Flyway, Diesel, Rails).
pub fn runs_outside_transaction(sql: &str) -> bool {
    let marks = [
        "no-transaction",
        "no transaction",
        "notransaction",
        "transaction:false",
        "disable_ddl_transaction",
        "executeintransaction=false",
        "run_in_transaction = false",
    ];
    sql.lines().take(20).any(|line| {
        let line = line.trim().to_ascii_lowercase();
        line.starts_with("--") && marks.iter().any(|mark| line.contains(mark))
    })
}

/// Rules that speak of the same thing.
fn kin(rule: &str) -> &str {
    match rule {
        "constraint-missing-not-valid" => "adding-foreign-key-constraint",
        "adding-serial-primary-key-field" => "disallowed-unique-constraint",
        "truncate" => "ban-truncate-cascade",
        "rebuild-table" => "ban-drop-table",
        other => other,
    }
}

/// The most tokens in a row with no comma or bracket between them.
fn longest_stretch(statement: &Statement<'_>) -> usize {
    let ends = |token: &token::Token<'_>| [",", "(", ")"].iter().any(|mark| token.is(mark));
    statement.tokens.split(ends).map(<[_]>::len).max().unwrap_or(0)
}
