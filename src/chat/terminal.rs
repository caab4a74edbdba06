//! The emergency path, when the chat is down: an approval in the terminal by a person with a token of their own. The same
//! people may, for the same brief; the record names the medium, and the thread hears of it when the chat is back.

use crate::app::App;
use crate::approval::{Word, WordKind, may_speak_also_for};
use crate::event::From;
use crate::ledger::Statement;
use crate::message::tame;
use crate::name::{Person, PlanId, new_id};
use crate::people::{self, TERMINAL};
use crate::plan::show;
use crate::wording;

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// It counts; one sentence says how the approvals stand.
    Counts(String),
    /// It does not; one sentence says why.
    Not(String),
}

/// Approves the brief with this hash, if it is still the one that asks.
pub async fn approve(app: &App, person: &Person, id: &PlanId, brief: &str, why: &str) -> anyhow::Result<Spoken> {
    let not = |says: String| Ok(Spoken::Not(says));
    if why.trim().chars().count() < 3 {
        return not("The emergency path needs a reason.".to_owned());
    }
    let Some(seen) = app.store.plan(id).await? else {
        return not(format!("There is no plan `{}`.", tame(id.as_str(), 60)));
    };
    crate::gate::look_again(app, &seen).await?;
    let settings = app.settings();
    let now = app.clock.now();
    let mut tx = app.store.begin(now).await?;
    let Some(mut row) = tx.plan(id).await? else { return not(format!("There is no plan `{id}`.")) };
    if !row.state.waits() {
        return not(wording::refusal::over(&row));
    }
    let Some(revision) = tx.revision(id, row.revision).await?.filter(|r| row.stale_at.is_none() && r.plan == row.plan)
    else {
        return not(wording::overriding::no_brief(&row));
    };
    if revision.brief != brief {
        return not(format!("The brief of `{id}` changed meanwhile: read revision {} first.", row.revision));
    }
    if row.plan.kind.has_version() && row.plan.commit.is_none() {
        return not(wording::refusal::unresolved(&row));
    }
    if revision.advice.asked.review.is_some() && row.reviewed.is_none() {
        return not(wording::refusal::unreviewed(&row));
    }
    let from = From::new(TERMINAL, person.as_str(), row.channel.clone());
    let event = new_id(now);
    let speaker = people::speaker(&settings, person);
    let change = revision.facts.change.first().map(|fact| &fact.value);
    let needs = show::needs_now(&row, &revision, &settings, now);
    let deputies = tx.deputies().await?;
    let kind = WordKind::Approve;
    let spoken = may_speak_also_for(kind, speaker.as_ref(), &row.plan, change, &needs, &deputies, &settings, now);
    let (role, lender) = match spoken {
        Ok(spoken) => spoken,
        Err(refusal) => {
            let record = Statement::new("word.refused")
                .by(&from, Some(person), None)
                .of(&row, Some(&revision.brief))
                .evidence(&event, None)
                .with("word", kind.as_str())
                .with("because", wording::refusal::code(&refusal));
            tx.record(app, record).await?;
            tx.commit().await?;
            let says = wording::refusal::word(&refusal, Some(person), person.as_str(), &revision.advice.approvals);
            return not(says);
        }
    };
    let words = tx.words(id).await?;
    let same = |word: &&Word| word.person == *person && word.kind == kind && word.revision == row.revision;
    if words.iter().filter(same).any(Word::stands) {
        return not(format!("You approved revision {} of `{id}` already.", row.revision));
    }
    let word = Word {
        id: new_id(now),
        revision: row.revision,
        brief: revision.brief.clone(),
        kind,
        person: person.clone(),
        role: role.clone(),
        lender: lender.clone(),
        platform: TERMINAL.to_owned(),
        at: now,
        withdrawn_at: None,
        voided_at: None,
        void_reason: None,
    };
    tx.insert_word(id, &word, None).await?;
    let quorum = needs.iter().map(|need| need.need.count).sum();
    let record = Statement::new("word.given")
        .by(&from, Some(person), role.as_ref())
        .of(&row, Some(&revision.brief))
        .evidence(&event, None)
        .policy(&crate::advice::policy_digest(&settings), None, Some(quorum))
        .with("word", kind.as_str())
        .with("medium", TERMINAL)
        .with("for", lender.map(|lender| lender.to_string()))
        .text("why", Some(why));
    let entry = tx.record(app, record).await?;
    super::settle_words(app, &mut tx, &mut row, &revision, &settings).await?;
    let tally = show::tally_of(&mut tx, &row, &revision, &settings).await?;
    show::in_thread(&mut tx, &row, wording::card::given_in_terminal(&row, &word, &tally, why, &settings, now)).await?;
    show::card(&mut tx, &row, &revision, &settings, &entry).await?;
    tx.commit().await?;
    app.wake();
    Ok(Spoken::Counts(wording::card::progress(&row, &tally)))
}
