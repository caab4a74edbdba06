//! `tidegate audit show`, `export`, `report` and `obligations`: what auditors take with them.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use axum::body::Bytes;
use clap::Args;
use serde_json::{Value, json};
use tokio::sync::mpsc::Receiver;

use super::ask::Instance;
use super::{Place, print, still};
use crate::audit::export::{Form, Format, report_stream, stream};
use crate::audit::{Obligation, Period, Wanted};
use crate::name::PlanId;

#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    place: Place,
    /// The plan's handle
    #[arg(long)]
    plan: Option<String>,
    /// The plan's entries, one a line, instead of its story
    #[arg(long)]
    entries: bool,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    place: Place,
    /// One plan; without it a period, or everything
    #[arg(long)]
    plan: Option<String>,
    /// Where the period begins: a day, or a moment
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Where it ends; a day is part of it
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    #[arg(long, default_value = "jsonl", value_parser = ["jsonl", "csv", "html", "pdf"])]
    format: String,
    /// Into this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    place: Place,
    /// Where the period begins: a day, or a moment
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Where it ends; a day is part of it
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// `csv` has a row for each change of the period
    #[arg(long, default_value = "text", value_parser = ["json", "html", "csv", "text"])]
    format: String,
}

#[derive(Debug, Args)]
pub struct ObligationsArgs {
    #[command(flatten)]
    place: Place,
    /// Those that were given too
    #[arg(long)]
    all: bool,
    #[arg(long)]
    json: bool,
}

pub async fn show(args: ShowArgs) -> anyhow::Result<u8> {
    let ShowArgs { place, plan, entries } = args;
    let plan = plan.map(|plan| plan.trim_matches('`').to_lowercase());
    let instance = place.instance().await?;
    if let (Some(plan), false) = (&plan, entries) {
        let text = match &instance {
            Instance::Running(server) => {
                let story = server.get("/api/ledger/story", &[("plan", plan.clone())]).await?;
                story.get("text").and_then(Value::as_str).unwrap_or_default().to_owned()
            }
            Instance::Own(app) => {
                let id = PlanId::new(plan.as_str());
                let story = crate::audit::story(&app.store, &app.settings(), &id, app.clock.now()).await?;
                story.with_context(|| format!("there is no plan `{id}`"))?.text()
            }
        };
        print(&text);
        return Ok(0);
    }
    match instance {
        Instance::Running(server) => {
            let query: Vec<(&str, String)> =
                plan.into_iter().map(|p| ("plan", p)).chain([("most", "1000".to_owned())]).collect();
            let found = server.get("/api/ledger", &query).await?;
            for entry in found.get("entries").and_then(|e| e.as_array()).into_iter().flatten() {
                print(&line(entry.get("bytes").and_then(|b| b.as_str()).unwrap_or_default()));
            }
        }
        Instance::Own(app) => {
            let entries = match plan {
                Some(plan) => app.store.ledger_of(&PlanId::new(plan)).await?,
                None => app.store.ledger_from(1, 100_000).await?,
            };
            for entry in entries {
                print(&line(&entry.bytes));
            }
        }
    }
    Ok(0)
}

/// An entry in one line.
fn line(bytes: &str) -> String {
    let Ok(record) = crate::ledger::Record::parse(bytes) else { return format!("does not read: {bytes}") };
    let actor = record.actor.person.clone().or(record.actor.system.clone()).unwrap_or_default();
    let plan = record.plan.map(|p| format!(" {} r{}", p.id, p.revision.unwrap_or(0))).unwrap_or_default();
    let data = if record.data.is_empty() { String::new() } else { format!(" {}", Value::Object(record.data)) };
    let at = crate::clock::Time::from_ms(record.at).rfc3339();
    format!("#{} {at} {}{plan} by {actor}{data}", record.seq, record.kind)
}

pub async fn export(args: ExportArgs) -> anyhow::Result<u8> {
    let ExportArgs { place, plan, from, to, format, out } = args;
    let format = Format::parse(&format).context("the format is one of jsonl, csv, html, pdf")?;
    if format == Format::Pdf && out.is_none() && std::io::stdout().is_terminal() {
        bail!("a PDF is no text for a terminal: name a file with --out");
    }
    let mut to_where = Out::open(out)?;
    match place.instance().await? {
        Instance::Running(server) => {
            let asked = [("plan", plan), ("from", from), ("to", to)];
            let query: Vec<(&str, String)> = asked
                .into_iter()
                .filter_map(|(name, value)| value.map(|value| (name, value)))
                .chain([("format", format.ending().to_owned())])
                .collect();
            server.pieces("/api/ledger/export", &query, |piece| to_where.write(piece)).await?;
        }
        Instance::Own(app) => {
            let period = match (&from, &to) {
                (None, None) => None,
                _ => Some(period(&app, from.as_deref(), to.as_deref())?),
            };
            let wanted = Wanted::of(plan.as_deref(), period).map_err(|says| anyhow::anyhow!(says))?;
            to_where.drain(stream(&app, wanted, format)).await?;
        }
    }
    to_where.end()
}

pub async fn report(args: ReportArgs) -> anyhow::Result<u8> {
    let ReportArgs { place, from, to, format } = args;
    let form = Form::parse(&format).context("the format is one of json, html, csv, text")?;
    let mut to_where = Out::open(None)?;
    match place.instance().await? {
        Instance::Running(server) => {
            let asked = [("from", from), ("to", to), ("format", Some(format))];
            let query: Vec<(&str, String)> =
                asked.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect();
            server.pieces("/api/ledger/report", &query, |piece| to_where.write(piece)).await?;
        }
        Instance::Own(app) => {
            let period = period(&app, from.as_deref(), to.as_deref())?;
            to_where.drain(report_stream(&app, period, form)).await?;
        }
    }
    if matches!(form, Form::Text | Form::Json) {
        to_where.write(b"\n")?;
    }
    to_where.end()
}

pub async fn obligations(args: ObligationsArgs) -> anyhow::Result<u8> {
    let ObligationsArgs { place, all, json } = args;
    let found = match place.instance().await? {
        Instance::Running(server) => {
            let query: Vec<(&str, String)> = all.then(|| ("all", "1".to_owned())).into_iter().collect();
            server.get("/api/ledger/obligations", &query).await?
        }
        Instance::Own(app) => view(&listed(&app, all).await?, &app),
    };
    if json {
        print(&found.to_string());
        return Ok(0);
    }
    let rows = found.get("obligations").and_then(Value::as_array).cloned().unwrap_or_default();
    if rows.is_empty() {
        super::tell("Nothing is owed.");
    }
    for row in rows {
        print(row.get("says").and_then(Value::as_str).unwrap_or_default());
    }
    Ok(0)
}

/// What is owed: open ones first, the earliest deadline first.
pub async fn listed(app: &crate::app::App, all: bool) -> anyhow::Result<Vec<Obligation>> {
    if all {
        return app.store.obligations_between(Period::EVER.from, Period::EVER.to, 10_000).await;
    }
    app.store.open_obligations(10_000).await
}

/// The same for programs.
pub fn view(all: &[Obligation], app: &crate::app::App) -> Value {
    let (settings, now) = (app.settings(), app.clock.now());
    let one = |owed: &Obligation| {
        let says = crate::message::Message {
            blocks: vec![crate::message::Block::Line(crate::wording::obligation::line(owed, &settings, now))],
            ..crate::message::Message::default()
        };
        json!({
            "id": owed.id, "change": owed.subject(), "plan": owed.plan, "deployment": owed.deployment,
            "service": owed.service, "environment": owed.environment, "what": owed.what, "after": owed.after,
            "owner": owed.person.as_ref().map(ToString::to_string).or(owed.role.as_ref().map(ToString::to_string)),
            "due": owed.due_at, "overdue": owed.is_overdue(now), "given_at": owed.given.as_ref().map(|given| given.0),
            "given_by": owed.given.as_ref().map(|given| &given.1), "link": owed.link, "cause": owed.cause,
            "entry": owed.entry, "given_entry": owed.given_entry, "says": format!("{}: {}", owed.subject(), says.text())
        })
    };
    json!({ "obligations": all.iter().map(one).collect::<Vec<_>>() })
}

fn period(app: &crate::app::App, from: Option<&str>, to: Option<&str>) -> anyhow::Result<Period> {
    Period::read(from, to, app.clock.now(), app.settings().team.zone).map_err(|says| anyhow::anyhow!(says))
}

/// A file, or standard output: a terminal gets nothing that would move its cursor, programs get every byte.
struct Out {
    file: Option<File>,
    terminal: bool,
}

impl Out {
    fn open(file: Option<PathBuf>) -> anyhow::Result<Out> {
        let terminal = file.is_none() && std::io::stdout().is_terminal();
        let open = |path: PathBuf| File::create(&path).with_context(|| format!("could not write {}", path.display()));
        Ok(Out { file: file.map(open).transpose()?, terminal })
    }

    fn write(&mut self, piece: &[u8]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        match &mut self.file {
            Some(file) => file.write_all(piece).context("could not write the file"),
            None if self.terminal => {
                out.write_all(still(&String::from_utf8_lossy(piece)).as_bytes()).context("could not write")
            }
            None => out.write_all(piece).context("could not write to standard output"),
        }
    }

    async fn drain(&mut self, mut pieces: Receiver<anyhow::Result<Bytes>>) -> anyhow::Result<()> {
        while let Some(piece) = pieces.recv().await {
            self.write(&piece?)?;
        }
        Ok(())
    }

    fn end(&mut self) -> anyhow::Result<u8> {
        match &mut self.file {
            Some(file) => file.sync_all().context("could not write the file")?,
            None => std::io::stdout().flush().context("could not write to standard output")?,
        }
        Ok(0)
    }
}
