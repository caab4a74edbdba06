//! The ledger as a table for spreadsheets: one row an entry, the columns that people ask for, and last the checkpoint.
//!
//! RFC 4180. A cell that a spreadsheet would take for a formula is preceded by an apostrophe. The table is for reading;
//! what can be verified is the export in lines.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use super::canonical;
use super::entry::Record;
use super::hash::Hash;
use super::text::StoredText;
use crate::clock::Time;

/// The columns, in order.
pub const COLUMNS: [&str; 29] = [
    "seq",
    "at",
    "kind",
    "plan",
    "revision",
    "service",
    "environment",
    "version",
    "commit",
    "change",
    "artifact",
    "brief",
    "person",
    "role",
    "platform",
    "workspace",
    "user",
    "system",
    "verdict",
    "supersedes",
    "policy",
    "rule",
    "quorum",
    "channel",
    "message",
    "event_at",
    "texts",
    "data",
    "leaf",
];

/// A table being written.
#[derive(Debug)]
pub struct Table<W: Write>(csv::Writer<W>);

impl<W: Write> Table<W> {
    /// Writes the names of the columns.
    pub fn new(out: W) -> csv::Result<Table<W>> {
        let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        table.write_record(COLUMNS)?;
        Ok(Table(table))
    }

    /// One entry. Erased texts are named as such.
    pub fn push(&mut self, record: &Record, leaf: Hash, texts: &[StoredText]) -> csv::Result<()> {
        let (plan, actor) = (record.plan.as_ref(), &record.actor);
        let (evidence, policy) = (record.evidence.as_ref(), record.policy.as_ref());
        let of_plan = |part: fn(&super::PlanRef) -> &Option<String>| plan.and_then(|plan| part(plan).clone());
        let of_evidence = |part: fn(&super::Evidence) -> &Option<String>| evidence.and_then(|e| part(e).clone());
        let time = |ms: i64| Time::from_ms(ms).rfc3339();
        let data = if record.data.is_empty() { None } else { canonical::encode(&record.data).ok() };
        let texts = texts.iter().map(|text| match &text.kept {
            Some((_, body)) => format!("{}: {body}", text.name),
            None => format!("{}: (erased)", text.name),
        });
        let cells: [Option<String>; COLUMNS.len()] = [
            Some(record.seq.to_string()),
            Some(time(record.at)),
            Some(record.kind.to_string()),
            plan.map(|plan| plan.id.clone()),
            plan.and_then(|plan| plan.revision).map(|n| n.to_string()),
            of_plan(|plan| &plan.service),
            of_plan(|plan| &plan.environment),
            of_plan(|plan| &plan.version),
            of_plan(|plan| &plan.commit),
            of_plan(|plan| &plan.change),
            of_plan(|plan| &plan.artifact),
            of_plan(|plan| &plan.brief),
            actor.person.clone(),
            actor.role.clone(),
            actor.provider.clone(),
            actor.workspace.clone(),
            actor.user.clone(),
            actor.system.clone(),
            record.verdict.clone(),
            record.supersedes.map(|n| n.to_string()),
            policy.map(|policy| policy.digest.clone()),
            policy.and_then(|policy| policy.rule.clone()),
            policy.and_then(|policy| policy.quorum.clone()),
            of_evidence(|evidence| &evidence.channel),
            of_evidence(|evidence| &evidence.message),
            evidence.and_then(|evidence| evidence.event_at).map(time),
            Some(texts.collect::<Vec<_>>().join("\n")),
            data,
            Some(leaf.to_string()),
        ];
        self.0.write_record(cells.map(|cell| harmless(cell.unwrap_or_default())))
    }

    /// Hands on what was written so far.
    pub fn flush(&mut self) -> csv::Result<()> {
        Ok(self.0.flush()?)
    }

    /// The last row: the signed checkpoint, under `data`.
    pub fn finish(mut self, size: u64, checkpoint: &str) -> csv::Result<()> {
        let mut cells = vec![String::new(); COLUMNS.len()];
        cells[0] = size.to_string();
        cells[2] = "checkpoint".to_owned();
        cells[27] = checkpoint.to_owned();
        self.0.write_record(cells)?;
        Ok(self.0.flush()?)
    }
}

/// Where rows gather until they are sent on; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Pieces(Arc<Mutex<Vec<u8>>>);

impl Pieces {
    /// What was written since the last time.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Keeps a spreadsheet from running a cell (ASVS 1.2.10).
pub(crate) fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Actor, Entry, Head, Kind, Origin, PlanRef, Salt};

    #[test]
    fn a_table_has_a_row_for_each_entry_and_no_formulas() {
        let mut head = Head::new(Origin::parse("tidegate.example/01TEST/1").unwrap());
        let plan = PlanRef { id: "checkout-87".to_owned(), version: Some("=1+1".to_owned()), ..PlanRef::default() };
        let entry =
            Entry::new(Kind::PLAN_MADE, Time::from_ms(1_000), Actor::user("console", "try", "@ada").person("ada"))
                .plan(plan)
                .with("risk", "high")
                .text("why", "-cmd|' /C calc'!A0", Salt([0; 32]))
                .text("rollback", "redeploy, \"now\"", Salt([1; 32]));
        let appended = head.append(entry).unwrap();
        let mut texts: Vec<_> = appended.texts.iter().map(super::super::text::Text::stored).collect();
        texts[1].kept = None;
        let mut out = Vec::new();
        let mut table = Table::new(&mut out).unwrap();
        table.push(&Record::parse(&appended.bytes).unwrap(), appended.leaf, &texts).unwrap();
        table.finish(1, "tidegate.example/01TEST/1\n1\n…\n").unwrap();
        let mut rows = csv::Reader::from_reader(out.as_slice());
        assert_eq!(rows.headers().unwrap(), COLUMNS.as_slice());
        let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
        let cell = |name| rows[0].get(COLUMNS.iter().position(|c| *c == name).unwrap()).unwrap();
        assert_eq!(cell("version"), "'=1+1");
        assert_eq!(cell("user"), "'@ada");
        assert_eq!(cell("at"), "1970-01-01T00:00:01Z");
        assert_eq!(cell("texts"), "why: -cmd|' /C calc'!A0\nrollback: (erased)");
        assert_eq!(cell("data"), r#"{"risk":"high"}"#);
        assert_eq!(&rows[1][27], "tidegate.example/01TEST/1\n1\n…\n");
        assert_eq!(rows.len(), 2);
    }
}
