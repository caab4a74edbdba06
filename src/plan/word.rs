//! How a person's word comes onto the record, wherever it was said: whether it counts, what is written, what follows.

use crate::advice::facts::Facts;
use crate::advice::policy_digest;
use crate::app::App;
use crate::approval::condition::{Condition, OnlyIf};
use crate::approval::second_step::suffices;
use crate::approval::{Speaker, Tally, Word, WordKind, may_speak_also_for, on_call_at};
use crate::clock::Time;
use crate::config::{SecondStep, Settings};
use crate::event::From;
use crate::ledger::{Record, Statement};
use crate::name::{Person, new_id};
use crate::people::{TERMINAL, link};
use crate::plan::second_step::{self, Confirmation};
use crate::plan::{condition, show};
use crate::store::Tx;
use crate::store::plan::{PlanRow, Revision};
use crate::wording;

/// A word as somebody said it.
#[derive(Clone, Debug)]
pub struct Said<'a> {
    pub from: &'a From,
    pub kind: WordKind,
    /// When the platform says it was said; a time to come is taken as now.
    pub at: Time,
    /// The event that brought it.
    pub event: &'a str,
    /// The message that it was put on.
    pub message: Option<&'a str>,
    /// Found when the platform was asked, after it had not been told.
    pub read_back: bool,
    /// The reason, which the emergency path asks for.
    pub why: Option<&'a str>,
    /// How its giver confirmed it besides.
    pub confirmed: Option<&'a Confirmation<'a>>,
    /// What an approval depends on, where it does.
    pub only_if: Option<&'a Condition>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// It counts; this is how the plan stands now.
    Counts(Tally),
    /// It was said before.
    Already,
    /// It counts once its giver has confirmed it; they were asked in private.
    Asked,
    /// It does not count; one sentence says why. The record has it where somebody was refused.
    Not(String),
}

/// Takes a word on the revision that asks for it. The caller has found that the plan waits and that the word is meant for
/// this revision, and commits whatever is answered.
pub async fn give(
    app: &App,
    tx: &mut Tx,
    settings: &Settings,
    row: &mut PlanRow,
    revision: &Revision,
    speaker: Option<&Speaker>,
    said: &Said<'_>,
) -> anyhow::Result<Given> {
    let (kind, now) = (said.kind, tx.now);
    let speaker = match speaker {
        // The account was unlinked a moment ago: it is nobody's.
        Some(speaker) if !link::still(app, tx, said.from, &speaker.person).await? => None,
        speaker => speaker,
    };
    let person = speaker.map(|speaker| &speaker.person);
    let words = tx.words(&row.plan.id).await?;
    // An approval on another condition, or without one, takes the place of one on a condition.
    let before = standing(&words, person, kind, row.revision);
    if before.is_some_and(|before| !gives_way(before, said.only_if)) {
        return Ok(Given::Already);
    }
    if kind == WordKind::Approve && row.plan.kind.has_version() && row.plan.commit.is_none() {
        return Ok(Given::Not(wording::refusal::unresolved(row)));
    }
    if kind == WordKind::Approve && row.awaits_review(revision).is_some() {
        refused(app, tx, row, revision, person, said, "plan.unreviewed").await?;
        return Ok(Given::Not(wording::refusal::unreviewed(row)));
    }
    let change = revision.facts.change.first().map(|fact| &fact.value);
    let needs = show::needs_now(row, revision, settings, now);
    let deputies = tx.deputies().await?;
    let (role, lender) = match may_speak_also_for(kind, speaker, &row.plan, change, &needs, &deputies, settings, now) {
        Ok(spoken) => spoken,
        Err(refusal) => {
            refused(app, tx, row, revision, person, said, wording::refusal::code(&refusal)).await?;
            let approvals = show::approvals_now(row, revision, settings, now);
            let says = wording::refusal::word(&refusal, person, &said.from.user, &approvals);
            return Ok(Given::Not(says));
        }
    };
    // Whoever may speak is somebody.
    let Some(person) = person else { return Ok(Given::Already) };
    let asked = &revision.advice.asked;
    let confirmed = said.confirmed.map(|confirmation| confirmation.how);
    if suffices(kind, asked, confirmed, said.from.platform == TERMINAL).is_err() {
        if said.from.platform == TERMINAL {
            return Ok(Given::Not(wording::second_step::type_it(row)));
        }
        if let Some(step) = &asked.second_step {
            second_step::ask(app, tx, settings, row, revision, person, step, said).await?;
        }
        return Ok(Given::Asked);
    }
    let word = Word {
        id: new_id(now),
        revision: row.revision,
        brief: revision.brief.clone(),
        kind,
        person: person.clone(),
        role,
        lender,
        only_if: said.only_if.cloned().map(OnlyIf::new),
        platform: said.from.platform.clone(),
        on_call_at: on_call_at(speaker, now),
        confirmed,
        at: said.at.min(now),
        withdrawn_at: None,
        voided_at: None,
        void_reason: None,
    };
    if let Some(before) = before {
        tx.withdraw_word(&before.id).await?;
        tx.record(app, record("word.withdrawn", row, revision, Some(person), before.role.as_ref(), said)).await?;
    }
    tx.insert_word(&row.plan.id, &word, said.message).await?;
    let quorum = needs.iter().map(|need| need.need.count).sum();
    let record = record("word.given", row, revision, Some(person), word.role.as_ref(), said)
        .policy(&policy_digest(settings), None, Some(quorum))
        .with("medium", (said.from.platform == TERMINAL).then_some(TERMINAL))
        .with("confirmed", confirmed.map(SecondStep::as_str))
        .with("step", said.confirmed.and_then(|confirmation| confirmation.step))
        .with("for", word.lender.as_ref().map(ToString::to_string))
        .with("on_call_at", word.on_call_at.map(Time::rfc3339))
        .with("condition", said.only_if.map(Condition::written))
        .text("why", said.why);
    let record = match said.confirmed.and_then(|confirmation| confirmation.proof) {
        None => record,
        Some(proof) => record
            .with("issuer", proof.issuer.clone())
            .with("subject", proof.subject.clone())
            .with("auth_time", proof.auth_time.ms())
            .with("acr", proof.acr.clone())
            .with("amr", (!proof.amr.is_empty()).then(|| proof.amr.clone())),
    };
    let record = if kind == WordKind::Approve { authorising(tx, row, record).await? } else { record };
    let entry = tx.record(app, record).await?;
    if let Some(only_if) = &word.only_if {
        show::in_thread(tx, row, wording::condition::given(row, &word, only_if, settings, now)).await?;
    }
    settle(app, tx, row, revision, settings).await?;
    let tally = show::tally_of(tx, row, revision, settings).await?;
    if word.only_if.is_none() {
        let mut line = match said.why {
            Some(why) => wording::card::given_in_terminal(row, &word, &tally, why, settings, now),
            None => wording::card::given(row, &word, &tally, settings, now),
        };
        if said.read_back {
            wording::card::was_away(&mut line);
        }
        show::in_thread(tx, row, line).await?;
    }
    show::card(tx, row, revision, settings, &entry).await?;
    Ok(Given::Counts(tally))
}

/// Takes a person's word back, where one stands.
pub async fn withdraw(
    app: &App,
    tx: &mut Tx,
    settings: &Settings,
    row: &mut PlanRow,
    revision: &Revision,
    person: &Person,
    said: &Said<'_>,
) -> anyhow::Result<()> {
    let words = tx.words(&row.plan.id).await?;
    let Some(word) = standing(&words, Some(person), said.kind, row.revision) else {
        if said.kind == WordKind::Approve {
            second_step::withdraw(app, tx, settings, row, revision, person).await?;
        }
        return Ok(());
    };
    // A mark on the card carries no condition: taking one off takes back what a mark gave.
    if said.message.is_some() && word.only_if.is_some() {
        return Ok(());
    }
    tx.withdraw_word(&word.id).await?;
    tx.record(app, record("word.withdrawn", row, revision, Some(person), word.role.as_ref(), said)).await?;
    settle(app, tx, row, revision, settings).await?;
    let tally = show::tally_of(tx, row, revision, settings).await?;
    let progress = wording::card::progress(row, &tally);
    show::in_thread(tx, row, wording::card::withdrawn(person, said.kind, &progress, said.read_back)).await
}

/// Brings the plan's state in line with the words on it.
pub async fn settle(
    app: &App,
    tx: &mut Tx,
    row: &mut PlanRow,
    revision: &Revision,
    settings: &Settings,
) -> anyhow::Result<()> {
    settle_seeing(app, tx, row, revision, settings, None).await
}

/// The same with what outside systems say at this moment of conditions that approvals depend on.
pub async fn settle_seeing(
    app: &App,
    tx: &mut Tx,
    row: &mut PlanRow,
    revision: &Revision,
    settings: &Settings,
    facts: Option<&Facts>,
) -> anyhow::Result<()> {
    let (turned, receipt) = condition::record(app, tx, row, revision, settings, facts).await?;
    let tally = show::tally_of(tx, row, revision, settings).await?;
    row.state = row.state.spoken(!tally.objected_by.is_empty(), !tally.held_by.is_empty(), tally.missing.is_empty());
    tx.update_plan(row).await?;
    show::main(app, tx, row, revision).await?;
    let progress = wording::card::progress(row, &tally);
    for one in &turned {
        show::in_thread(tx, row, wording::condition::turned(one, &progress)).await?;
    }
    match receipt {
        Some(receipt) => show::card(tx, row, revision, settings, &receipt).await,
        None => Ok(()),
    }
}

/// Whether a word makes room for the next of its kind by the same person.
fn gives_way(before: &Word, next: Option<&Condition>) -> bool {
    before.only_if.as_ref().is_some_and(|only_if| next != Some(&only_if.condition))
}

/// What an approval authorises: the deployment and, where the plan states one, the way back, as the entry that made the
/// revision is bound to its text.
async fn authorising(tx: &mut Tx, row: &PlanRow, record: Statement) -> anyhow::Result<Statement> {
    let record = record.with(
        "authorises",
        match row.plan.rollback {
            Some(_) => vec!["deployment", "rollback"],
            None => vec!["deployment"],
        },
    );
    let Some(entry) = tx.newest_entry_of(&row.plan.id, "plan.revised").await? else { return Ok(record) };
    let commitment = Record::parse(&entry.bytes).ok().and_then(|made| made.commitments.get("rollback").copied());
    Ok(match commitment {
        Some(commitment) => record.with("rollback", commitment.to_string()).with("rollback_entry", entry.seq),
        None => record,
    })
}

/// The word of this kind that a person has standing on a revision.
fn standing<'a>(words: &'a [Word], person: Option<&Person>, kind: WordKind, revision: i64) -> Option<&'a Word> {
    words.iter().find(|w| Some(&w.person) == person && w.kind == kind && w.revision == revision && w.stands())
}

async fn refused(
    app: &App,
    tx: &mut Tx,
    row: &PlanRow,
    revision: &Revision,
    person: Option<&Person>,
    said: &Said<'_>,
    because: &str,
) -> anyhow::Result<()> {
    let record = record("word.refused", row, revision, person, None, said);
    tx.record(app, record.with("because", because)).await.map(|_| ())
}

/// The head of every entry about a word.
fn record(
    kind: &'static str,
    row: &PlanRow,
    revision: &Revision,
    person: Option<&Person>,
    role: Option<&crate::name::Role>,
    said: &Said<'_>,
) -> Statement {
    Statement::new(kind)
        .by(said.from, person, role)
        .of(row, Some(&revision.brief))
        .evidence(said.event, said.message)
        .with("word", said.kind.as_str())
        .with("read_back", said.read_back.then_some(true))
}
