//! A reaction: on a card a word, on an alert an acknowledgement, elsewhere a kind pointer to the card.

use crate::app::App;
use crate::approval::WordKind;
use crate::clock::Time;
use crate::command::whisper;
use crate::config::Settings;
use crate::event::From;
use crate::ledger::Statement;
use crate::name::{Person, PlanId};
use crate::people;
use crate::plan::show;
use crate::plan::word::{Given, Said};
use crate::store::Claim;
use crate::store::plan::PlanRow;
use crate::wording;

/// What a reaction means, by the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    Word(WordKind),
    Start,
    Finished,
    RolledBack,
    Watching,
}

/// A reaction as it was told, or found when the platform was asked.
#[derive(Clone, Debug)]
pub struct Reaction {
    pub from: From,
    pub message: String,
    pub reaction: String,
    pub removed: bool,
    pub read_back: bool,
    pub at: Time,
}

pub async fn reacted(app: &App, claim: &Claim, act: &Reaction) -> anyhow::Result<()> {
    let Reaction { from, message, reaction, removed, .. } = act;
    let (removed, at) = (*removed, act.at);
    let settings = app.settings();
    let posted = app.store.posted_as(&from.platform, message).await?;
    let key = posted.as_ref().map(|p| p.key.clone()).unwrap_or_default();
    let plan = posted.as_ref().and_then(|p| p.plan.clone());
    let (Some(means), Some(plan)) = (meaning(&settings, reaction), plan) else { return done(app, claim).await };
    if let Some(alert) = key.strip_prefix("alert:") {
        return match means {
            Means::Watching if !removed => crate::deploy::take_alert(app, claim, from, alert).await,
            _ => done(app, claim).await,
        };
    }
    let Some(row) = app.store.plan(&plan).await? else { return done(app, claim).await };
    let person = people::behind(&settings, &from.platform, &from.user);
    if let Means::Start | Means::Finished | Means::RolledBack = means {
        if removed || !key.starts_with("card:") && !key.starts_with("main:") {
            return done(app, claim).await;
        }
        return carry_out(app, claim, from, &row, means, person, at).await;
    }
    let Means::Word(kind) = means else { return done(app, claim).await };
    match card_of(&key, &plan) {
        Some(number) if number == row.revision => word(app, claim, act, &row, kind).await,
        Some(number) if !removed => {
            let says = wording::refusal::older_card(&row, number);
            refuse(app, claim, from, &row, &says, "card.older").await
        }
        // On the channel's message or anywhere else in the thread a word does not count; its giver is told where it does.
        None if !removed => {
            let says = wording::refusal::not_on_the_card(&row);
            refuse(app, claim, from, &row, &says, "card.elsewhere").await
        }
        _ => done(app, claim).await,
    }
}

/// The revision whose card has this key.
fn card_of(key: &str, plan: &PlanId) -> Option<i64> {
    key.strip_prefix("card:")?.strip_prefix(plan.as_str())?.strip_prefix(':')?.parse().ok()
}

/// The word that a reaction stands for, where it stands for one.
pub fn word_of(settings: &Settings, reaction: &str) -> Option<WordKind> {
    match meaning(settings, reaction)? {
        Means::Word(kind) => Some(kind),
        _ => None,
    }
}

/// Skin tones are the same reaction.
fn meaning(settings: &Settings, reaction: &str) -> Option<Means> {
    let plain = reaction.split("::").next().unwrap_or(reaction).trim_matches(':').trim_end_matches('\u{fe0f}');
    let toneless: String = plain.chars().filter(|c| !matches!(c, '\u{1f3fb}'..='\u{1f3ff}')).collect();
    let (name, _) = settings
        .chat
        .reactions
        .iter()
        .find(|(_, names)| names.iter().any(|n| n.trim_end_matches('\u{fe0f}') == toneless))?;
    Some(match name.as_str() {
        "approve" => Means::Word(WordKind::Approve),
        "object" => Means::Word(WordKind::Object),
        "hold" => Means::Word(WordKind::Hold),
        "start" => Means::Start,
        "finished" => Means::Finished,
        "rolledback" => Means::RolledBack,
        "watching" => Means::Watching,
        _ => return None,
    })
}

/// What a reaction says instead of a command.
async fn carry_out(
    app: &App,
    claim: &Claim,
    from: &From,
    row: &PlanRow,
    means: Means,
    person: Option<Person>,
    at: Time,
) -> anyhow::Result<()> {
    let command = match means {
        Means::Start => "start",
        Means::Finished => "finished",
        _ => "rolledback",
    };
    if person.is_none() {
        return done(app, claim).await;
    }
    let text = format!("{command} {}", row.plan.id);
    crate::command::run(app, claim, from, &text, at).await
}

/// Records a word on the current card, or its withdrawal, and says what is still missing.
async fn word(app: &App, claim: &Claim, act: &Reaction, seen: &PlanRow, kind: WordKind) -> anyhow::Result<()> {
    let Reaction { from, message, removed, read_back, at, .. } = act;
    let settings = app.settings();
    let person = people::behind(&settings, &from.platform, &from.user);
    let speaker = match &person {
        Some(person) if !*removed => people::speaker_now_on(app, from, person, &seen.plan).await?,
        _ => None,
    };
    // As they are now: teams may just have been asked.
    let settings = app.settings();
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(mut row) = tx.plan(&seen.plan.id).await? else { return tx.commit().await };
    let Some(revision) = tx.revision(&row.plan.id, row.revision).await? else { return tx.commit().await };
    let over = if row.revision != seen.revision {
        Some(wording::refusal::older_card(&row, seen.revision))
    } else {
        (!row.state.waits()).then(|| wording::refusal::over(&row))
    };
    if let Some(says) = over {
        if !*removed || row.revision != seen.revision {
            whisper(&mut tx, from, Some(show::main_key(&row.plan.id)), wording::refusal::plain(&says)).await?;
        }
        return tx.commit().await;
    }
    let said = Said {
        from,
        kind,
        at: *at,
        event: &claim.id,
        message: Some(message),
        read_back: *read_back,
        why: None,
        confirmed: None,
        only_if: None,
    };
    if *removed {
        if let Some(person) = &person {
            crate::plan::word::withdraw(app, &mut tx, &settings, &mut row, &revision, person, &said).await?;
        }
        return tx.commit().await;
    }
    let given = crate::plan::word::give(app, &mut tx, &settings, &mut row, &revision, speaker.as_ref(), &said).await?;
    if let Given::Not(says) = given {
        whisper(&mut tx, from, Some(show::main_key(&row.plan.id)), wording::refusal::plain(&says)).await?;
    }
    tx.commit().await
}

/// Refuses a word that was put elsewhere than on the current card.
async fn refuse(app: &App, claim: &Claim, from: &From, row: &PlanRow, says: &str, code: &str) -> anyhow::Result<()> {
    let link = link_to_card(app, row).await?;
    let mut tx = app.store.begin_finishing(claim, app.clock.now()).await?;
    let person = people::behind(&app.settings(), &from.platform, &from.user);
    tx.record(
        app,
        Statement::new("word.refused")
            .by(from, person.as_ref(), None)
            .of(row, None)
            .evidence(&claim.id, None)
            .with("because", code),
    )
    .await?;
    whisper(&mut tx, from, Some(show::main_key(&row.plan.id)), wording::refusal::with_link(says, link.as_deref()))
        .await?;
    tx.commit().await
}

/// Where the current card of a plan can be opened.
async fn link_to_card(app: &App, row: &PlanRow) -> anyhow::Result<Option<String>> {
    let card = app.store.posted(&show::card_key(&row.plan.id, row.revision)).await?.and_then(|posted| posted.remote);
    match card {
        Some(remote) => Ok(app.chat(&row.platform)?.link(&remote).await),
        None => Ok(None),
    }
}

async fn done(app: &App, claim: &Claim) -> anyhow::Result<()> {
    app.store.begin_finishing(claim, app.clock.now()).await?.commit().await
}
