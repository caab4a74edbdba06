//! `link`: a one-time code where one is known makes an account elsewhere the same person's; `link unlink` ends it.

use super::{Call, answer, whisper};
use crate::app::App;
use crate::config::PersonKind;
use crate::event::From;
use crate::ledger::{Record, Statement};
use crate::message::Message;
use crate::name::new_id;
use crate::people::account::{Account, KnownBy, Method, known_by};
use crate::people::code::{Code, MOST_FAILURES, MOST_FROM_ONE, VALID, WHILE};
use crate::people::link::{self, Ground};
use crate::store::identity::CodeRow;
use crate::store::{Claim, Tx};
use crate::wording::identity::{self as says, Refused};
use crate::work::Send;

/// How long a spent code is remembered, so that it can be called spent and not wrong.
const REMEMBERED: crate::clock::Millis = crate::clock::DAY;

/// By somebody who is known.
pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let typed = call.arguments.get("what").unwrap_or_default().trim();
    let (word, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    match word.to_lowercase().as_str() {
        "" => ask(call).await,
        "unlink" => unlink(call, rest.trim()).await,
        _ => {
            let tx = call.begin().await?;
            refuse(call.app, tx, call.claim, call.from, &Refused::Known(call.person.clone())).await
        }
    }
}

/// A new code, told to whoever asks alone.
async fn ask(call: &Call<'_>) -> anyhow::Result<()> {
    let (app, from) = (call.app, call.from);
    if let Some(KnownBy::Link(known)) = known_by(app, &from.platform, &from.user)
        && known.method == Method::Code
    {
        let tx = call.begin().await?;
        return refuse(app, tx, call.claim, from, &Refused::Linked).await;
    }
    let code = Code::make()?;
    // Slow on purpose: not while the store waits.
    let kept = code.keep()?;
    let mut tx = call.begin().await?;
    let (id, until) = (new_id(tx.now), tx.now.plus(VALID));
    let record = Statement::new("identity.asked")
        .by(from, Some(&call.person), None)
        .evidence(&call.claim.id, None)
        .with("code", id.clone())
        .with("hash", kept.hash.clone())
        .with("until", until.ms());
    let entry = tx.record(app, record).await?.seq;
    let row = CodeRow {
        id: id.clone(),
        kept,
        person: call.person.clone(),
        asked: Account::of(from),
        until,
        entry,
        failed: 0,
        spent: None,
    };
    let forget_before = tx.now.plus(-REMEMBERED);
    tx.insert_code(&row, forget_before).await?;
    let links = app.links();
    let own: Vec<_> = links.iter().filter(|link| link.person == call.person).collect();
    let message = says::code(&code.shown(), &own, &call.settings);
    let note = Send::to(from.platform.as_str(), &from.channel, message).only_for(Some(from.user.clone()));
    tx.send(&Send { answer: from.answer.clone(), ..note.key(format!("{}{id}", Send::SECRET)) }).await?;
    tx.commit().await
}

/// Ends a link of one's own: the one that is named, the one that one speaks with, or the only one.
async fn unlink(call: &Call<'_>, named: &str) -> anyhow::Result<()> {
    let (app, here) = (call.app, Account::of(call.from));
    let mut tx = call.begin().await?;
    let own: Vec<_> = tx.links().await?.into_iter().filter(|link| link.person == call.person).collect();
    let found = match (named, own.as_slice()) {
        (_, []) => return Err(call.refuse(says::nothing_linked())),
        ("", [only]) => Some(only),
        ("", many) => many.iter().find(|link| link.account == here),
        (named, many) => {
            let account = Account::parse(named);
            let on: Vec<_> = many.iter().filter(|link| link.account.platform.eq_ignore_ascii_case(named)).collect();
            match on.as_slice() {
                [only] => Some(*only),
                _ => many.iter().find(|link| Some(&link.account) == account.as_ref()),
            }
        }
    };
    let Some(found) = found else { return Err(call.refuse(says::which(&own))) };
    let record = Statement::new("identity.ended").by(call.from, Some(&call.person), None);
    link::end(app, &mut tx, found, record.evidence(&call.claim.id, None), "unlinked").await?;
    whisper(&mut tx, call.from, None, says::unlinked(found)).await?;
    tx.commit().await?;
    link::refresh(app).await?;
    app.wake();
    Ok(())
}

/// By somebody whom nobody knows: a code makes their account somebody's.
pub async fn stranger(app: &App, claim: &Claim, from: &From, typed: &str) -> anyhow::Result<()> {
    let settings = app.settings();
    let typed = typed.trim();
    if typed.is_empty() || typed.to_lowercase().starts_with("unlink") {
        return answer(app, claim, from, says::ask_where_known(&settings)).await;
    }
    let account = Account::of(from);
    let kind = app.chat(&from.platform)?.kind(&from.user).await?;
    let code = Code::parse(typed);
    // The slow hash is computed before the store waits for this; the row is read again inside.
    let seen = match &code {
        Some(code) => app.store.code(code.selector()).await?,
        None => None,
    };
    let is_right = |row: &CodeRow| code.as_ref().is_some_and(|code| code.is(&row.kept.salt, &row.kept.hash));
    let right = seen.as_ref().is_some_and(is_right);
    let mut tx = app.store.begin_finishing(claim, app.clock.now()).await?;
    let since = tx.now.plus(-WHILE);
    let failures = tx.failures(&account, since).await?;
    let wrong: Vec<_> = failures.iter().filter(|(because, _)| because != Refused::TOO_MANY).collect();
    if wrong.len() >= usize::try_from(MOST_FROM_ONE)? {
        let refused = Refused::TooMany(wrong[0].1.plus(WHILE));
        // Said each time, recorded once: whoever goes on trying does not fill the record.
        if wrong.len() < failures.len() {
            whisper(&mut tx, from, None, says::refused(&refused, &settings, app.clock.now())).await?;
            return tx.commit().await;
        }
        return fail(app, tx, claim, from, &refused).await;
    }
    let unfit = match kind {
        _ if !["slack", "discord"].contains(&from.platform.as_str()) => Some(Refused::Platform),
        PersonKind::Member if account.is_in(&settings) => Some(Refused::Several),
        PersonKind::Member => None,
        kind => Some(Refused::Kind(kind)),
    };
    if let Some(unfit) = unfit {
        return fail(app, tx, claim, from, &unfit).await;
    }
    if let Some(link) = tx.link_of(&account).await? {
        return fail(app, tx, claim, from, &Refused::Known(link.person)).await;
    }
    let row = match (&code, &seen) {
        (Some(code), Some(seen)) => tx.code(code.selector()).await?.filter(|row| row.id == seen.id),
        _ => None,
    };
    let Some(row) = row else { return fail(app, tx, claim, from, &Refused::Wrong).await };
    if !right {
        tx.code_failed(&row.id).await?;
        if row.failed + 1 >= MOST_FAILURES {
            tx.spend_code(&row.id, "failed").await?;
        }
        return fail(app, tx, claim, from, &Refused::Wrong).await;
    }
    let refused = match row.spent.as_deref() {
        Some("replaced") => Some(Refused::Replaced),
        Some("failed") => Some(Refused::Burnt),
        Some(_) => Some(Refused::Used),
        None if row.until <= tx.now => Some(Refused::Expired),
        None => None,
    };
    if let Some(refused) = refused {
        return fail(app, tx, claim, from, &refused).await;
    }
    if !was_asked(&mut tx, &row).await? {
        tracing::error!(code = row.id, "a one-time code is in the store that no entry of the record asked for");
        return fail(app, tx, claim, from, &Refused::Wrong).await;
    }
    // Whoever asked must still be who they were, with the account that they asked with.
    let asked = &row.asked;
    let still = crate::people::behind(&settings, &asked.platform, &asked.user).as_ref() == Some(&row.person)
        && settings.people.get(&row.person).is_some_and(|known| known.kind == PersonKind::Member);
    if !still {
        return fail(app, tx, claim, from, &Refused::Gone).await;
    }
    if asked.place() == account.place() {
        return fail(app, tx, claim, from, &Refused::SamePlace).await;
    }
    if !tx.spend_code(&row.id, "used").await? {
        return fail(app, tx, claim, from, &Refused::Used).await;
    }
    let ground = Ground { method: Method::Code, asked: Some(asked), address: None };
    let link = link::make(app, &mut tx, from, &row.person, &ground, Some(&claim.id)).await?;
    whisper(&mut tx, from, None, says::linked(&link, &settings)).await?;
    tx.commit().await?;
    link::refresh(app).await?;
    app.wake();
    Ok(())
}

/// Whether the record says that exactly this code was asked for: a row that somebody wrote into the table is none.
async fn was_asked(tx: &mut Tx, row: &CodeRow) -> anyhow::Result<bool> {
    let Some(entry) = tx.ledger_entry(row.entry).await? else { return Ok(false) };
    let Ok(record) = Record::parse(&entry.bytes) else { return Ok(false) };
    let text = |name: &str| record.data.get(name).and_then(|value| value.as_str());
    Ok(record.kind.as_str() == "identity.asked"
        && text("code") == Some(&row.id)
        && text("hash") == Some(&row.kept.hash)
        && record.data.get("until").and_then(serde_json::Value::as_i64) == Some(row.until.ms())
        && record.actor.person.as_deref() == Some(row.person.as_str())
        && record.actor.provider.as_deref() == Some(row.asked.platform.as_str())
        && record.actor.user.as_deref() == Some(row.asked.user.as_str()))
}

/// Refuses a code and counts it against the account that typed it.
async fn fail(app: &App, mut tx: Tx, claim: &Claim, from: &From, refused: &Refused) -> anyhow::Result<()> {
    let (id, forget_before) = (new_id(tx.now), tx.now.plus(-WHILE));
    tx.insert_failure(&id, &Account::of(from), refused.code(), forget_before).await?;
    refuse(app, tx, claim, from, refused).await
}

/// One sentence to whoever typed it, and an entry.
async fn refuse(app: &App, mut tx: Tx, claim: &Claim, from: &From, refused: &Refused) -> anyhow::Result<()> {
    let settings = app.settings();
    let person = crate::people::behind(&settings, &from.platform, &from.user);
    let record = Statement::new("identity.refused")
        .by(from, person.as_ref(), None)
        .evidence(&claim.id, None)
        .with("because", refused.code());
    tx.record(app, record).await?;
    let message: Message = says::refused(refused, &settings, tx.now);
    whisper(&mut tx, from, None, message).await?;
    tx.commit().await
}
