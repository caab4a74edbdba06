//! Erasing free texts: the text and its salt go, the hash in the chain stays, and the erasing is an entry itself. Nothing
//! under a hold is erased. What settings keep for a time only goes the same way when that is over.

use serde_json::{Value, json};

use super::hold::{Hold, holds};
use super::{Record, Statement};
use crate::app::App;
use crate::command::BadCommand;
use crate::name::Person;

/// Entries looked at together, and texts of so many erased in one transaction.
const PAGE: i64 = 200;

/// Texts of one entry that are still there.
#[derive(Debug)]
struct Texts {
    record: Record,
    names: Vec<String>,
}

/// What is to be erased.
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// Texts of one entry; all of them where none is named.
    Entry(i64, &'a [String]),
    /// Every text that a person wrote.
    Of(&'a Person),
}

/// Erases on somebody's word.
pub async fn erase(app: &App, what: What<'_>, by: &Person, why: &str) -> anyhow::Result<Value> {
    let mut erased = Vec::new();
    let mut after = 0;
    loop {
        let page = match what {
            What::Entry(seq, _) => app.store.texts_kept(seq - 1, seq, None, 1_000).await?,
            What::Of(_) => app.store.texts_kept(after, i64::MAX, None, PAGE).await?,
        };
        let Some((last, ..)) = page.last() else { break };
        after = *last;
        let mut found = grouped(page);
        match what {
            What::Entry(_, names) if !names.is_empty() => {
                found.iter_mut().for_each(|texts| texts.names.retain(|name| names.contains(name)));
            }
            What::Entry(..) => {}
            What::Of(person) => found.retain(|t| t.record.actor.person.as_deref() == Some(person.as_str())),
        }
        found.retain(|texts| !texts.names.is_empty());
        erased.extend(of_entries(app, found, Some((by, why))).await?);
        if matches!(what, What::Entry(..)) {
            break;
        }
    }
    if erased.is_empty() {
        return Err(BadCommand("There is no such text, or it was erased before.".to_owned()).into());
    }
    let texts: usize = erased.iter().map(|(_, names)| names.len()).sum();
    let list: Vec<String> = erased.iter().take(20).map(|(seq, _)| seq.to_string()).collect();
    Ok(json!({
        "erased": erased.iter().map(|(seq, names)| json!({ "entry": seq, "names": names })).collect::<Vec<_>>(),
        "says": format!(
            "Erased {texts} {} of {} {} ({}). Their hashes stay in the chain, and who erased them and why is on record. What stays: who acted, when and on what; the same words in a plan's brief, in the chat, and in backups.",
            if texts == 1 { "text" } else { "texts" },
            erased.len(),
            if erased.len() == 1 { "entry" } else { "entries" },
            list.join(", ")
        ),
    }))
}

/// Erases what was kept long enough; what is under a hold stays.
pub async fn retain(app: &App) -> anyhow::Result<()> {
    let Some(length) = app.settings().ledger.retain_texts else { return Ok(()) };
    let until = app.clock.now().plus(-length.ms());
    let mut after = 0;
    loop {
        let page = app.store.texts_kept(after, i64::MAX, Some(until), PAGE).await?;
        let Some((last, ..)) = page.last() else { return Ok(()) };
        after = *last;
        of_entries(app, grouped(page), None).await?;
    }
}

/// One transaction: the texts go and the entries that say so come. `asked`: on whose word and why; otherwise by the
/// settings, which pass over what is held.
async fn of_entries(
    app: &App,
    mut all: Vec<Texts>,
    asked: Option<(&Person, &str)>,
) -> anyhow::Result<Vec<(u64, Vec<String>)>> {
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = app.store.begin(app.clock.now()).await?;
    // Read while nobody else can place one.
    let holds = holds(&app.store).await?;
    let held = |texts: &Texts| holds.iter().find(|hold| hold.scope.covers(&texts.record));
    if asked.is_some()
        && let Some((texts, hold)) = all.iter().find_map(|texts| held(texts).map(|hold| (texts, hold)))
    {
        return Err(refused(texts.record.seq, hold).into());
    }
    all.retain(|texts| held(texts).is_none());
    let mut erased = Vec::new();
    for Texts { record, names } in all {
        for name in &names {
            tx.erase_text(i64::try_from(record.seq)?, name).await?;
        }
        let statement = Statement::new("text.erased").with("entry", record.seq).with("names", names.clone());
        let statement = match asked {
            Some((by, why)) => statement.by_operator(by).text("why", Some(why)),
            None => statement.by_system("retention"),
        };
        tx.record(app, statement).await?;
        erased.push((record.seq, names));
    }
    tx.commit().await?;
    Ok(erased)
}

fn refused(seq: u64, hold: &Hold) -> BadCommand {
    BadCommand(format!(
        "Entry {seq} is under a hold ({}), which {} placed with entry {}: nothing was erased. Lift the hold first.",
        hold.scope, hold.by, hold.seq
    ))
}

fn grouped(page: Vec<(i64, String, String)>) -> Vec<Texts> {
    let mut all: Vec<Texts> = Vec::new();
    for (seq, name, bytes) in page {
        match all.last_mut().filter(|texts| i64::try_from(texts.record.seq) == Ok(seq)) {
            Some(texts) => texts.names.push(name),
            // What does not read is damaged, and none of erasing's business.
            None => all.extend(Record::parse(&bytes).ok().map(|record| Texts { record, names: vec![name] })),
        }
    }
    all
}
