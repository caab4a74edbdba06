//! Reading words back: what people did on a card while nobody listened.
//!
//! The platform knows who reacted how now, not when. Every difference between that and the record becomes an event of its
//! own, handled like any other and recorded as read back.

use std::collections::BTreeSet;

use crate::app::App;
use crate::approval::WordKind;
use crate::chat::{ChatError, reacted};
use crate::clock::{MINUTE, Time};
use crate::event::{Due, Event, From};
use crate::ledger::Statement;
use crate::name::PlanId;
use crate::people;
use crate::plan::show;
use crate::store::plan::PlanRow;
use crate::store::{Claim, Tx};
use crate::wording;
use crate::work::Send;

/// A card that was looked at this long ago is looked at again before the gate answers.
const FRESH: i64 = MINUTE;

/// Compares the reactions on the plan's card with the words on it; falls due after the platform was away.
pub async fn read_back(app: &App, claim: &Claim, plan: &PlanId) -> anyhow::Result<()> {
    if let Some(row) = app.store.plan(plan).await?.filter(|row| row.state.waits()) {
        compare(app, &row).await?;
    }
    app.store.begin_finishing(claim, app.clock.now()).await?.commit().await
}

/// Before the gate answers or a plan is started: brings the words up to date if they were last compared more than a minute
/// ago. False: the platform could not be asked, or what was found is not yet recorded.
pub async fn bring_up_to_date(app: &App, row: &PlanRow) -> anyhow::Result<bool> {
    if !row.state.waits() || app.read_back_at(&row.plan.id).is_some_and(|at| app.clock.now().since(at) <= FRESH) {
        return Ok(true);
    }
    let found = match compare(app, row).await {
        Ok(found) => found,
        Err(error) if error.is::<ChatError>() => return Ok(false),
        Err(error) => return Err(error),
    };
    // Each difference goes the way of every event; it is there within moments.
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
    for id in found {
        while !app.store.is_done(&id).await? {
            let woken = app.woken();
            if tokio::time::Instant::now() >= until {
                return Ok(false);
            }
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(std::time::Duration::from_millis(100)) => {}
            }
        }
    }
    Ok(true)
}

/// Puts every difference into the inbox and returns the events' ids.
async fn compare(app: &App, row: &PlanRow) -> anyhow::Result<Vec<String>> {
    let chat = app.chat(&row.platform)?;
    if !chat.can_miss() {
        return Ok(Vec::new());
    }
    let key = show::card_key(&row.plan.id, row.revision);
    let Some(card) = app.store.posted(&key).await?.and_then(|posted| posted.remote) else {
        return Ok(Vec::new());
    };
    let settings = app.settings();
    let seen: BTreeSet<(WordKind, String)> = chat
        .reactions(&card)
        .await?
        .into_iter()
        .filter_map(|(reaction, user)| Some((reacted::word_of(&settings, &reaction)?, user)))
        .collect();
    let now = app.clock.now();
    let words = app.store.words(&row.plan.id).await?;
    let standing: Vec<_> = words.iter().filter(|word| word.revision == row.revision && word.stands()).collect();
    // A reaction that was answered by asking for the second step is known, too.
    let steps = app.store.steps(&row.plan.id).await?;
    let asked: Vec<_> =
        steps.iter().filter(|step| step.revision == row.revision && step.holds_the_reaction()).collect();
    let mut events = Vec::new();
    // A mark carries no condition: an approval on one is neither on the card nor missing there.
    let given = |kind: WordKind, user: &str| {
        let person = people::behind(&settings, &row.platform, user);
        let marked = |word: &&&crate::approval::Word| word.kind == kind && word.only_if.is_none();
        standing.iter().filter(marked).any(|word| Some(&word.person) == person.as_ref())
            || kind == WordKind::Approve && asked.iter().any(|step| Some(&step.person) == person.as_ref())
    };
    for (kind, user) in &seen {
        if !given(*kind, user) && !was_refused(app, row, user, *kind).await? {
            events.push((user.clone(), *kind, false));
        }
    }
    // What was said in the terminal has no mark on the card that could be taken off.
    let of_words = standing
        .iter()
        .filter(|word| word.platform != people::TERMINAL && word.only_if.is_none())
        .map(|word| (word.kind, &word.person));
    let of_steps = asked.iter().map(|step| (WordKind::Approve, &step.person));
    for (said, person) in of_words.chain(of_steps) {
        let on_card = |(kind, user): &(WordKind, String)| {
            *kind == said && people::behind(&settings, &row.platform, user).as_ref() == Some(person)
        };
        if !seen.iter().any(on_card)
            && let Some(user) = people::user_on(&settings, &row.platform, person)
        {
            events.push((user, said, true));
        }
    }
    let mut ids = Vec::new();
    for (user, kind, removed) in events {
        let reaction = settings.chat.reactions.get(kind.setting()).and_then(|names| names.first()).cloned();
        let event = Event::Reacted {
            from: From::new(&row.platform, user.clone(), row.channel.clone()),
            message: card.clone(),
            reaction: reaction.unwrap_or_default(),
            removed,
            read_back: true,
            at: now,
        };
        ids.push(app.inbox.put(&event, &format!("read-back:{}", row.plan.id), None).await?);
    }
    app.was_read_back(&row.plan.id, now);
    Ok(ids)
}

/// Whether this user's mark on this revision was refused already, and explained.
async fn was_refused(app: &App, row: &PlanRow, user: &str, kind: WordKind) -> anyhow::Result<bool> {
    // The record holds the platform's user as it was given; a workspace stands before the slash.
    let bare = user.split_once('/').map_or(user, |(_, bare)| bare);
    Ok(app.store.ledger_of(&row.plan.id).await?.iter().any(|stored| {
        let entry: serde_json::Value = serde_json::from_str(&stored.bytes).unwrap_or_default();
        entry["kind"] == "word.refused"
            && entry["plan"]["revision"] == row.revision
            && (entry["actor"]["user"] == user || entry["actor"]["user"] == bare)
            && entry["data"]["word"] == kind.as_str()
    }))
}

/// After a platform was away: every plan that waits there is compared.
pub async fn read_back_all(app: &App, platform: &str) -> anyhow::Result<()> {
    let now = app.clock.now();
    let waiting = app.store.waiting_plans(platform).await?;
    let mut tx = app.store.begin(now).await?;
    for plan in waiting {
        tx.due(&Due::ReadBack { plan }, now).await?;
    }
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// All reactions on a message were removed at once: words given by them are void, and it is said.
pub async fn cleared(app: &App, claim: &Claim, platform: &str, message: &str) -> anyhow::Result<()> {
    let posted = app.store.posted_as(platform, message).await?;
    let mut tx = app.store.begin_finishing(claim, app.clock.now()).await?;
    if let Some(plan) = posted.as_ref().and_then(|posted| posted.plan.as_ref())
        && let Some(row) = tx.plan(plan).await?
        && posted.as_ref().is_some_and(|posted| posted.key == show::card_key(plan, row.revision))
    {
        words_gone(app, &mut tx, row, "Somebody removed all reactions from the card.").await?;
    }
    tx.commit().await
}

/// A message of ours was deleted: it is posted again, which is where the record hears of it.
pub async fn vanished(app: &App, claim: &Claim, platform: &str, message: &str) -> anyhow::Result<()> {
    let posted = app.store.posted_as(platform, message).await?;
    let mut tx = app.store.begin_finishing(claim, app.clock.now()).await?;
    if let Some(posted) = posted.filter(|posted| !posted.key.starts_with("once:") && posted.only_for.is_none()) {
        let message = serde_json::from_str(&posted.body)?;
        let again = Send::to(posted.platform, &posted.channel, message).thread(posted.thread).key(posted.key);
        tx.send(&Send { plan: posted.plan, ..again }).await?;
    }
    tx.commit().await
}

/// A message under `key` was found gone and posted anew as `remote`: the record says so, and words on a deleted card are
/// void, because nobody can read them back any more.
pub async fn reposted(app: &App, tx: &mut Tx, key: &str, plan: &PlanId, remote: &str) -> anyhow::Result<()> {
    let Some(row) = tx.plan(plan).await? else { return Ok(()) };
    let record = Statement::new("message.reposted").of(&row, None).with("message", key).with("remote", remote);
    tx.record(app, record).await?;
    if key == show::card_key(plan, row.revision) {
        return words_gone(app, tx, row, "The card was deleted; here it is again.").await;
    }
    Ok(())
}

async fn words_gone(app: &App, tx: &mut Tx, mut row: PlanRow, because: &str) -> anyhow::Result<()> {
    if !row.state.waits() {
        return Ok(());
    }
    let whom = crate::plan::void(app, tx, &row, because).await?;
    show::in_thread(tx, &row, wording::card::words_gone(&whom, because)).await?;
    if let Some(revision) = tx.revision(&row.plan.id, row.revision).await? {
        crate::plan::word::settle(app, tx, &mut row, &revision, &app.settings()).await?;
    }
    Ok(())
}

impl App {
    /// When a plan's words were last compared with its card.
    fn read_back_at(&self, plan: &PlanId) -> Option<Time> {
        self.read_back.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(plan).copied()
    }

    fn was_read_back(&self, plan: &PlanId, at: Time) {
        let mut read = self.read_back.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        read.retain(|_, before| at.since(*before) <= FRESH);
        read.insert(plan.clone(), at);
    }
}
