//! The migrations of a change: what each would do, which of them already ran here, and whether there is a way back.

use std::collections::BTreeMap;

use crate::advice::facts::{FileStatus, MigrationFile};
use crate::advice::hazard::{self, Hazard, Hazards, Size};
use crate::advice::view::{View, newest};
use crate::advice::{Context, FlagLevel};
use crate::message::tame;

/// What the SQL of one migration would do; read once for one advice, because reading SQL is the slowest part of it.
#[derive(Clone, Debug)]
pub struct SqlRead {
    path: String,
    pub hazards: Hazards,
}

/// One migration of the change that would run, or already did.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    pub file: &'a MigrationFile,
    /// Whether it already ran in this environment; None where nobody could say.
    pub ran: Option<bool>,
    /// None where it is not SQL.
    pub hazards: Option<&'a Hazards>,
}

/// Whether the version that runs now could run again once the change's migrations have.
#[derive(Clone, Debug, PartialEq)]
pub enum WayBack {
    /// No migration stands in the way.
    Free,
    /// The migrations only add: the old version does not mind them. Their names, and whether each has a way down.
    Additive { names: Vec<String>, reversible: bool },
    /// Something is gone that nothing brings back: the migration, and what it does.
    Closed { name: String, says: String },
    /// The old version would fail until a migration is undone: which, what it does, and whether it has a way down.
    Undo { name: String, says: String, reversible: bool },
    /// It could not be read: the migration, and why.
    Unsure { name: String, says: String },
}

/// Reads the SQL of every migration of the change.
pub fn read_sql(ctx: &Context<'_>) -> Vec<SqlRead> {
    let Some(change) = newest(&ctx.facts.change) else { return Vec::new() };
    let engine = newest(&ctx.facts.migrations).map_or("postgres", |state| state.value.engine.as_str());
    let tables = sizes(ctx);
    let adding = change.value.migrations.iter().filter(|file| file.status != FileStatus::Removed);
    adding
        .filter_map(|file| {
            let sql = file.sql.as_deref()?;
            Some(SqlRead { path: file.path.clone(), hazards: hazard::hazards(sql, engine, &tables) })
        })
        .collect()
}

/// What is known of the tables: the sizes that the settings tell, and over them those that the server measured.
fn sizes(ctx: &Context<'_>) -> BTreeMap<String, Size> {
    let told = ctx.settings.service.get(&ctx.plan.service).map(|service| &service.tables);
    let told = told.into_iter().flatten().map(|(name, rows)| (name.clone(), Size { rows: Some(*rows), bytes: None }));
    let mut sizes: BTreeMap<String, Size> = told.collect();
    let measured = newest(&ctx.facts.migrations).and_then(|fact| fact.value.server.as_ref());
    for table in measured.map(|server| server.tables.as_slice()).unwrap_or_default().iter().rev() {
        for name in [table.name.clone(), format!("{}.{}", table.schema, table.name)] {
            let known = sizes.entry(name).or_default();
            *known = Size { rows: table.rows.or(known.rows), bytes: table.bytes };
        }
    }
    sizes
}

/// The migrations that the change adds or alters, in order of their versions.
pub fn steps<'a>(view: &View<'a>) -> Vec<Step<'a>> {
    let Some(change) = view.the_change() else { return Vec::new() };
    let state = newest(view.migrations);
    let mut steps: Vec<Step<'_>> = change
        .migrations
        .iter()
        .filter(|file| file.status != FileStatus::Removed)
        .map(|file| Step {
            file,
            ran: state.map(|fact| fact.value.applied.iter().any(|a| a.success && same(&a.version, &file.version))),
            hazards: view.sql.iter().find(|read| read.path == file.path).map(|read| &read.hazards),
        })
        .collect();
    steps.sort_by_key(|step| key(&step.file.version));
    steps
}

impl Step<'_> {
    pub fn name(&self) -> String {
        tame(&self.file.version, 60)
    }

    /// What it does that nothing brings back.
    pub fn irreversible(&self) -> Option<&Hazard> {
        self.hazards?.found.iter().find(|hazard| hazard.irreversible)
    }

    /// What keeps the old version from writing for as long as it stands.
    pub fn bars_old(&self) -> Option<&Hazard> {
        self.hazards?.found.iter().find(|hazard| hazard.bars_old)
    }

    /// Its gravest hazard.
    pub fn gravest(&self) -> Option<&Hazard> {
        let found = &self.hazards?.found;
        found.iter().filter(|hazard| hazard.level >= FlagLevel::Caution).min_by_key(|hazard| match hazard.level {
            FlagLevel::Critical => 0,
            _ => 1,
        })
    }

    /// Why nobody could read what it does.
    pub fn unread(&self) -> Option<String> {
        match self.hazards {
            None => Some("it is not SQL that can be read".to_owned()),
            Some(hazards) => hazards.unreadable.as_ref().map(|reason| tame(reason, 120)),
        }
    }
}

/// Whether the version that runs now could run again after the change's migrations. Those that already ran here do not
/// count: the running version lives with them.
pub fn way_back(view: &View<'_>) -> WayBack {
    let steps: Vec<Step<'_>> = steps(view).into_iter().filter(|step| step.ran != Some(true)).collect();
    if steps.is_empty() {
        return WayBack::Free;
    }
    if let Some((step, hazard)) = steps.iter().find_map(|step| Some((step, step.irreversible()?))) {
        // What follows the colon is told with the hazard itself.
        let does = hazard.says.split_once(": ").map_or(hazard.says.as_str(), |(does, _)| does);
        return WayBack::Closed { name: step.name(), says: fragment(does) };
    }
    if let Some((step, says)) = steps.iter().find_map(|step| Some((step, step.unread()?))) {
        return WayBack::Unsure { name: step.name(), says };
    }
    if let Some((step, hazard)) = steps.iter().find_map(|step| Some((step, step.bars_old()?))) {
        let does = hazard.says.split_once(": ").map_or(hazard.says.as_str(), |(does, _)| does);
        return WayBack::Undo { name: step.name(), says: fragment(does), reversible: step.file.reversible };
    }
    WayBack::Additive {
        names: steps.iter().map(Step::name).collect(),
        reversible: steps.iter().all(|step| step.file.reversible),
    }
}

/// Whether two names of a migration mean the same one: `0047` and `47` do.
pub fn same(a: &str, b: &str) -> bool {
    key(a) == key(b)
}

/// What migrations sort by: the folder (an app of Django's), the leading number, then the rest.
pub fn key(version: &str) -> (String, Option<u128>, String) {
    let (group, rest) = version.rsplit_once('/').unwrap_or(("", version));
    let rest = rest.trim_start_matches(['V', 'v']);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number = rest.get(..digits).and_then(|digits| digits.parse().ok());
    match number {
        Some(number) => (group.to_owned(), Some(number), rest.get(digits..).unwrap_or_default().to_owned()),
        None => (group.to_owned(), None, version.to_owned()),
    }
}

/// A sentence as a part of another: no full stop, no capital (unless the whole word is one, such as a name in code).
pub fn fragment(sentence: &str) -> String {
    let text = tame(sentence, 240);
    let text = text.trim_end_matches('.');
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            format!("{}{}", first.to_lowercase(), letters.as_str())
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_is_the_same_with_and_without_leading_zeros() {
        assert!(same("0047", "47") && same("V2_1", "2_1"));
        assert!(!same("0047", "0048") && !same("shop/0047", "cart/0047"));
        assert!(key("9") < key("10"));
    }

    #[test]
    fn a_sentence_becomes_a_fragment() {
        assert_eq!(fragment("Drops the column."), "drops the column");
        assert_eq!(fragment("SQL."), "SQL");
        assert_eq!(fragment("`x` is rewritten."), "`x` is rewritten");
    }
}
