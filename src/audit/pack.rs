//! The evidence pack: what an auditor reads, prints and keeps. A page on completeness, then each change: its story, its
//! brief as people saw it, its entries in words, and the very lines that prove them, with the command that checks them.

use anyhow::Context;

use super::export::{Format, Source, lines};
use super::paper::Paper;
use super::report::{Cases, report};
use super::{Period, Sink, Wanted, html, story};
use crate::ledger::Record;
use crate::message::Block;
use crate::name::PlanId;
use crate::wording;

/// Writes a pack of one plan, of a period, or of everything.
pub async fn write(from: &Source, wanted: &Wanted, format: Format, sink: &mut Sink) -> anyhow::Result<()> {
    let settings = from.app.settings();
    let key = from.app.signer.public().to_string();
    let title = wording::audit::pack_title(wanted, &settings, from.now);
    let mut print = Print::begin(format, &title, sink).await?;
    print.blocks(&wording::audit::pack_cover(wanted, &from.checkpoint, &key, &settings, from.now)).await?;
    match wanted {
        Wanted::Plan(plan) => {
            anyhow::ensure!(from.store.plan(plan).await?.is_some(), "there is no plan `{plan}`");
            of_plan(from, plan, &mut print).await?;
        }
        Wanted::Everything | Wanted::Period(_) => {
            let period = if let Wanted::Period(period) = wanted { *period } else { Period::EVER };
            let report = report(&from.store, &from.app.signer, period, from.now).await?;
            let told = wording::audit::report(&report, &settings, from.now);
            // Its checkpoint stands on the cover.
            print.blocks(&told[..told.len().saturating_sub(2)]).await?;
            let mut cases = Cases::new(&from.store, report.stretch);
            while let Some(case) = cases.next().await? {
                match &case.plan {
                    Some(plan) => of_plan(from, &PlanId::new(plan.as_str()), &mut print).await?,
                    None => {
                        print.part().await?;
                        print.blocks(&wording::audit::without_plan(&case, &settings)).await?;
                    }
                }
            }
        }
    }
    print.end().await
}

async fn of_plan(from: &Source, plan: &PlanId, print: &mut Print<'_>) -> anyhow::Result<()> {
    let settings = from.app.settings();
    print.part().await?;
    let Some(told) = story(&from.store, &settings, plan, from.now).await? else { return Ok(()) };
    // The entries stand below, each in a sentence.
    let without_list = told.blocks.len().saturating_sub(1);
    print.blocks(&told.blocks[..without_list]).await?;
    let row = from.store.plan(plan).await?.context("the plan is gone")?;
    if let Some(revision) = from.store.revision(plan, row.revision).await? {
        let at = revision.at;
        print.blocks(&[wording::audit::as_seen(&revision)]).await?;
        let evidence = wording::evidence::evidence(&row, &revision, at);
        print.blocks(evidence.blocks.get(1..).unwrap_or_default()).await?;
    }
    let entries = from.store.ledger_of(plan).await?;
    let records: Vec<Record> = entries.iter().filter_map(|entry| Record::parse(&entry.bytes).ok()).collect();
    let texts = super::export::texts(&from.store, &entries).await?;
    let zone = wording::zone(&settings, &row.plan.service, &row.plan.environment);
    print.blocks(&[wording::audit::entries(&records, &texts, zone)]).await?;
    print.blocks(&wording::audit::proof_says(plan, entries.len(), from.head.size())).await?;
    // The lines themselves, as `tidegate audit export --plan` writes them.
    let (mut inner, mut read) = Sink::open();
    let wanted = Wanted::Plan(plan.clone());
    let writing = async {
        let done = lines(from, &wanted, &mut inner).await;
        let done = if done.is_ok() { inner.flush().await } else { done };
        drop(inner);
        done
    };
    let printing = async {
        let mut whole = Vec::new();
        while let Some(piece) = read.recv().await {
            whole.extend_from_slice(&piece?);
        }
        anyhow::Ok(whole)
    };
    let (written, whole) = tokio::join!(writing, printing);
    written?;
    print.listing(&format!("lines-{plan}"), &String::from_utf8(whole?)?).await
}

/// What a pack is printed with.
enum Print<'s> {
    Html(&'s mut Sink),
    Paper(Box<Paper>, &'s mut Sink),
}

impl<'s> Print<'s> {
    async fn begin(format: Format, title: &str, sink: &'s mut Sink) -> anyhow::Result<Print<'s>> {
        if format == Format::Pdf {
            let mut paper = Paper::begin(title);
            sink.push(paper.take()).await?;
            return Ok(Print::Paper(Box::new(paper), sink));
        }
        sink.push(html::head(title)).await?;
        sink.push(maud::html! { h1 { (title) } }.into_string()).await?;
        Ok(Print::Html(sink))
    }

    /// The next change begins on a page of its own.
    async fn part(&mut self) -> anyhow::Result<()> {
        match self {
            Print::Html(sink) => sink.push("<div class=\"part\"></div>").await,
            Print::Paper(paper, sink) => {
                paper.new_page();
                sink.push(paper.take()).await
            }
        }
    }

    async fn blocks(&mut self, blocks: &[Block]) -> anyhow::Result<()> {
        match self {
            Print::Html(sink) => sink.push(html::open_piece(blocks).into_string()).await,
            Print::Paper(paper, sink) => {
                for block in blocks {
                    paper.block(block);
                }
                sink.push(paper.take()).await
            }
        }
    }

    /// Exact text that a program reads.
    async fn listing(&mut self, id: &str, text: &str) -> anyhow::Result<()> {
        match self {
            Print::Html(sink) => sink.push(maud::html! { pre.lines id=(id) { (text) } }.into_string()).await,
            Print::Paper(paper, sink) => {
                paper.listing(text);
                sink.push(paper.take()).await
            }
        }
    }

    async fn end(self) -> anyhow::Result<()> {
        match self {
            Print::Html(sink) => sink.push(html::FOOT).await,
            Print::Paper(paper, sink) => sink.push(paper.end()).await,
        }
    }
}
