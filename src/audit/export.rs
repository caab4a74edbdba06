//! The record for auditors, as a stream: lines that anyone can verify, a table, or a pack to be read and printed. Memory
//! does not grow with how much is asked for, and every form carries the checkpoint that it was made under. A stream that
//! breaks off lacks it.

use std::collections::BTreeMap;

use anyhow::Context;
use axum::body::Bytes;
use tokio::sync::mpsc::Receiver;

use super::proofs::Proofs;
use super::{Cases, Period, Sink, Wanted, pack, report};
use crate::app::App;
use crate::clock::Time;
use crate::ledger::{Head, Record, StoredText, checkpoint_now, export, table};
use crate::store::Store;
use crate::store::ledger::StoredEntry;
use crate::wording;

/// Entries read at once.
const PAGE: i64 = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Exact bytes, texts and proofs, a line each.
    Jsonl,
    /// A row for each entry.
    Csv,
    /// An evidence pack that stands alone.
    Html,
    /// The same on paper's pages.
    Pdf,
}

impl Format {
    pub fn parse(text: &str) -> Option<Format> {
        match text {
            "jsonl" => Some(Format::Jsonl),
            "csv" => Some(Format::Csv),
            "html" => Some(Format::Html),
            "pdf" => Some(Format::Pdf),
            _ => None,
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Format::Jsonl => "application/jsonl",
            Format::Csv => "text/csv; charset=utf-8",
            Format::Html => "text/html; charset=utf-8",
            Format::Pdf => "application/pdf",
        }
    }

    pub fn ending(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
            Format::Html => "html",
            Format::Pdf => "pdf",
        }
    }
}

/// What is exported, of a store as it is at one moment.
#[derive(Debug)]
pub struct Source {
    pub app: App,
    pub store: Store,
    pub head: Head,
    pub checkpoint: String,
    pub now: Time,
}

/// Begins an export; what comes out is read piece by piece.
pub fn stream(app: &App, wanted: Wanted, format: Format) -> Receiver<anyhow::Result<Bytes>> {
    let (mut sink, read) = Sink::open();
    let app = app.clone();
    tokio::spawn(async move {
        match write(app, wanted, format, &mut sink).await {
            Ok(()) => {}
            Err(error) => sink.fail(error).await,
        }
    });
    read
}

async fn write(app: App, wanted: Wanted, format: Format, sink: &mut Sink) -> anyhow::Result<()> {
    let store = app.store.snapshot().await?;
    let head = store.ledger_head().await?.context("the store holds no ledger")?;
    let checkpoint = match checkpoint_now(&store, &app.signer).await {
        Ok(seal) => seal.note,
        // All of it as it stands, although its end is not sealed: without a closing line, which shows what was done.
        Err(_) if wanted == Wanted::Everything && format == Format::Jsonl => String::new(),
        Err(why) => return Err(why),
    };
    let now = app.clock.now();
    let from = Source { app, store, head, checkpoint, now };
    match format {
        Format::Jsonl => lines(&from, &wanted, sink).await?,
        Format::Csv => rows(&from, &wanted, sink).await?,
        Format::Html | Format::Pdf => pack::write(&from, &wanted, format, sink).await?,
    }
    sink.flush().await
}

/// Lines: header, entries, closing checkpoint.
pub async fn lines(from: &Source, wanted: &Wanted, sink: &mut Sink) -> anyhow::Result<()> {
    let signer = &from.app.signer;
    let whole = *wanted == Wanted::Everything;
    // Whoever reads from the first entry on follows the keys from the first one.
    let header =
        if whole { export::header(&signer.first()) } else { export::part_header(&signer.public(), &from.checkpoint) };
    sink.push(header).await?;
    let mut proofs = Proofs::new(&from.store, from.head.size());
    let mut entries = Entries::of(from, wanted).await?;
    while let Some(page) = entries.next().await? {
        if !whole {
            proofs.note(&page).await?;
        }
        let mut texts = texts(&from.store, &page).await?;
        for entry in &page {
            let hashes = if whole { None } else { Some(proofs.of(entry).await?) };
            let texts = texts.remove(&entry.seq).unwrap_or_default();
            let seq = u64::try_from(entry.seq)?;
            sink.push(export::entry_line(seq, &entry.leaf, &entry.bytes, Some(&texts), hashes)).await?;
        }
    }
    if from.checkpoint.is_empty() {
        return Ok(());
    }
    sink.push(export::closing_line(&from.checkpoint)).await
}

async fn rows(from: &Source, wanted: &Wanted, sink: &mut Sink) -> anyhow::Result<()> {
    let out = table::Pieces::default();
    let mut rows = table::Table::new(out.clone())?;
    let mut entries = Entries::of(from, wanted).await?;
    while let Some(page) = entries.next().await? {
        let mut texts = texts(&from.store, &page).await?;
        for entry in &page {
            let texts = texts.remove(&entry.seq).unwrap_or_default();
            rows.push(&Record::parse(&entry.bytes)?, entry.leaf.parse()?, &texts)?;
        }
        rows.flush()?;
        sink.push(out.take()).await?;
    }
    rows.finish(from.head.size(), &from.checkpoint)?;
    sink.push(out.take()).await
}

/// The texts beside a page of entries, by entry.
pub async fn texts(store: &Store, page: &[StoredEntry]) -> anyhow::Result<BTreeMap<i64, Vec<StoredText>>> {
    let mut texts: BTreeMap<i64, Vec<StoredText>> = BTreeMap::new();
    let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(texts) };
    let close = last.seq - first.seq < 4 * PAGE;
    let found = if close {
        store.ledger_texts(first.seq, last.seq).await?
    } else {
        // A plan's entries may lie years apart.
        let mut found = Vec::new();
        for entry in page {
            found.extend(store.ledger_texts(entry.seq, entry.seq).await?);
        }
        found
    };
    for (seq, text) in found {
        texts.entry(seq).or_default().push(text);
    }
    Ok(texts)
}

/// The entries that are wanted, page by page.
#[derive(Debug)]
struct Entries<'s> {
    store: &'s Store,
    /// The first that was not read yet, and the last that is wanted; or a plan's, read at once.
    range: (i64, i64),
    of_plan: Option<Vec<StoredEntry>>,
}

impl<'s> Entries<'s> {
    async fn of(from: &'s Source, wanted: &Wanted) -> anyhow::Result<Entries<'s>> {
        let size = i64::try_from(from.head.size())?;
        let store = &from.store;
        Ok(match wanted {
            Wanted::Everything => Entries { store, range: (1, size), of_plan: None },
            Wanted::Period(period) => {
                let stretch = store.stretch(period.from, period.to, size).await?;
                Entries { store, range: (stretch.first, stretch.last), of_plan: None }
            }
            Wanted::Plan(plan) => {
                let entries = store.ledger_of(plan).await?;
                Entries { store, range: (0, 0), of_plan: Some(entries) }
            }
        })
    }

    async fn next(&mut self) -> anyhow::Result<Option<Vec<StoredEntry>>> {
        if let Some(entries) = self.of_plan.take() {
            return Ok(Some(entries).filter(|entries| !entries.is_empty()));
        }
        let (next, last) = self.range;
        if next == 0 || next > last {
            return Ok(None);
        }
        let mut page = self.store.ledger_from(next, PAGE).await?;
        page.retain(|entry| entry.seq <= last);
        let Some(end) = page.last() else { return Ok(None) };
        self.range.0 = end.seq + 1;
        Ok(Some(page))
    }
}

/// How the report is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    Text,
    Html,
    /// A row for each change of the period.
    Csv,
}

impl Form {
    pub fn parse(text: &str) -> Option<Form> {
        match text {
            "json" => Some(Form::Json),
            "text" => Some(Form::Text),
            "html" => Some(Form::Html),
            "csv" => Some(Form::Csv),
            _ => None,
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Form::Json => "application/json",
            Form::Text => "text/plain; charset=utf-8",
            Form::Html => "text/html; charset=utf-8",
            Form::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// Begins the report on a period; what comes out is read piece by piece.
pub fn report_stream(app: &App, period: Period, form: Form) -> Receiver<anyhow::Result<Bytes>> {
    let (mut sink, read) = Sink::open();
    let app = app.clone();
    tokio::spawn(async move {
        match write_report(&app, period, form, &mut sink).await {
            Ok(()) => {}
            Err(error) => sink.fail(error).await,
        }
    });
    read
}

async fn write_report(app: &App, period: Period, form: Form, sink: &mut Sink) -> anyhow::Result<()> {
    let store = app.store.snapshot().await?;
    let now = app.clock.now();
    let settings = app.settings();
    if form == Form::Csv {
        let head = store.ledger_head().await?.context("the store holds no ledger")?;
        let stretch = store.stretch(period.from, period.to, i64::try_from(head.size())?).await?;
        sink.push(super::table::head()?).await?;
        let mut cases = Cases::new(&store, stretch);
        while let Some(case) = cases.next().await? {
            sink.push(super::table::row(&case)?).await?;
        }
        sink.push(super::table::foot(head.size(), &checkpoint_now(&store, &app.signer).await?.note, now)?).await?;
        return sink.flush().await;
    }
    let report = report(&store, &app.signer, period, now).await?;
    let text = match form {
        Form::Json => serde_json::to_string(&report)?,
        Form::Text => wording::audit::report_message(&report, &settings, now).text(),
        Form::Html | Form::Csv => {
            let title = format!("Completeness, {}", wording::audit::period(&period, settings.team.zone));
            let blocks = wording::audit::report(&report, &settings, now);
            format!(
                "{}{}{}",
                super::html::head(&title),
                super::html::open_piece(&blocks).into_string(),
                super::html::FOOT
            )
        }
    };
    sink.push(text).await?;
    sink.flush().await
}
