//! The second step on its way: asked for where a reaction came, confirmed by the same person on the same brief, gone with
//! the reaction, with its time, or with the brief.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::advice::AskedStep;
use crate::app::App;
use crate::approval::overriding::Override;
use crate::approval::second_step::{Ended, Proof, Step};
use crate::approval::{WordKind, may_speak_also_for};
use crate::command::whisper;
use crate::config::{SecondStep, Settings};
use crate::event::{Due, From};
use crate::ledger::{Receipt, Statement};
use crate::message::{Form, Message};
use crate::name::{Person, PlanId, Role, new_id};
use crate::people;
use crate::plan::show;
use crate::plan::word::{self, Given, Said};
use crate::store::plan::{PlanRow, Revision};
use crate::store::{Claim, Tx};
use crate::wording;
use crate::wording::second_step::{FIELD, What};
use crate::work::Send;

/// The id of a step's form begins so, and that of the button that opens it, with a space.
pub const FORM: &str = "second-step:";
pub const BUTTON: &str = "second-step ";

/// How an approval was confirmed.
#[derive(Clone, Debug)]
pub struct Confirmation<'a> {
    pub how: SecondStep,
    /// The step that asked for it; none in the terminal, where it is asked for at once.
    pub step: Option<&'a str>,
    /// What the provider said, where somebody signed in.
    pub proof: Option<&'a Proof>,
}

/// Asks for the second step in private: until then the approval does not count. Asked before, it is not asked again.
#[allow(clippy::too_many_arguments)]
pub async fn ask(
    app: &App,
    tx: &mut Tx,
    settings: &Settings,
    row: &PlanRow,
    revision: &Revision,
    person: &Person,
    asked: &AskedStep,
    said: &Said<'_>,
) -> anyhow::Result<()> {
    let steps = tx.steps(&row.plan.id).await?;
    if steps.iter().any(|step| step.is_open() && step.revision == row.revision && step.person == *person) {
        return Ok(());
    }
    let step = Step {
        id: new_id(tx.now),
        plan: row.plan.id.clone(),
        revision: row.revision,
        brief: revision.brief.clone(),
        person: person.clone(),
        how: asked.how,
        platform: said.from.platform.clone(),
        user: said.from.user.clone(),
        message: said.message.map(str::to_owned),
        asked_at: tx.now,
        ends_at: tx.now.plus(settings.policy.second_step_expires.ms()),
        ended: None,
    };
    // Where somebody signs in, a word that nobody can guess leads there; the store knows only its hash.
    let link = match step.how {
        SecondStep::Typed => None,
        SecondStep::SignIn => Some(link(settings)?),
    };
    let hash = link.as_ref().map(|(_, word)| crate::ledger::sha256(word.as_bytes()));
    tx.insert_step(&step, hash.as_deref()).await?;
    let record = Statement::new("step.asked")
        .by(said.from, Some(person), None)
        .of(row, Some(&revision.brief))
        .evidence(said.event, said.message)
        .with("step", step.id.clone())
        .with("how", step.how.as_str())
        .with("until", step.ends_at.ms())
        .with("read_back", said.read_back.then_some(true));
    let entry = tx.record(app, record).await?;
    tx.due(&Due::Step { step: step.id.clone() }, step.ends_at).await?;
    tell(
        tx,
        row,
        &step,
        wording::second_step::asks(row, &step, asked, link.map(|(url, _)| url).as_deref(), settings, tx.now),
    )
    .await?;
    show::card(tx, row, revision, settings, &entry).await
}

/// The form of a step that somebody may confirm now; otherwise why not.
pub async fn form(app: &App, from: &From, id: &str) -> anyhow::Result<Result<Form, String>> {
    let settings = app.settings();
    let person = people::behind(&settings, &from.platform, &from.user);
    let Some(step) = app.store.step(id).await?.filter(|step| Some(&step.person) == person.as_ref()) else {
        return Ok(Err(wording::second_step::not_yours()));
    };
    let (row, revision) = match standing(app, &step).await? {
        Ok(found) => found,
        Err(says) => return Ok(Err(says)),
    };
    if step.how != SecondStep::Typed {
        return Ok(Err(wording::second_step::sign_in_instead()));
    }
    let (role, lender, overrides) = as_now(app, &settings, &step, &row, &revision).await?;
    let now = app.clock.now();
    let what =
        What { row: &row, revision: &revision, overrides: &overrides, role: role.as_ref(), lender: lender.as_ref() };
    Ok(Ok(wording::second_step::form(&format!("{FORM}{id}"), &what, &settings, now)))
}

/// The plan and the revision of a step that can be confirmed now; otherwise why not.
pub async fn standing(app: &App, step: &Step) -> anyhow::Result<Result<(PlanRow, Revision), String>> {
    let (row, revision) = (app.store.plan(&step.plan).await?, app.store.revision(&step.plan, step.revision).await?);
    let Some((row, revision)) = row.zip(revision) else { return Ok(Err(wording::second_step::not_yours())) };
    Ok(stands(step, &row, &revision, app.clock.now()).map_err(|(_, says)| says).map(|()| (row, revision)))
}

/// In which role and for whom its giver would approve now, and the overrides that stand.
pub async fn as_now(
    app: &App,
    settings: &Settings,
    step: &Step,
    row: &PlanRow,
    revision: &Revision,
) -> anyhow::Result<(Option<Role>, Option<Person>, Vec<Override>)> {
    let now = app.clock.now();
    let needs = show::needs_now(row, revision, settings, now);
    let change = revision.facts.change.first().map(|fact| &fact.value);
    let speaker = people::speaker_on(app, &step.person, &row.plan).await?;
    let deputies = app.store.deputies().await?;
    let kind = WordKind::Approve;
    let spoken = may_speak_also_for(kind, speaker.as_ref(), &row.plan, change, &needs, &deputies, settings, now);
    let (role, lender) = spoken.unwrap_or_default();
    let mut overrides = app.store.overrides(&step.plan).await?;
    overrides.retain(Override::stands);
    Ok((role, lender, overrides))
}

/// Where somebody signs in, and the word in it.
fn link(settings: &Settings) -> anyhow::Result<(String, String)> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| anyhow::anyhow!("the operating system gives no random bytes"))?;
    let word = URL_SAFE_NO_PAD.encode(bytes);
    let base = settings.web.url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned()).unwrap_or_default();
    Ok((format!("{base}/confirm/{word}"), word))
}

/// What is wrong with the word that was typed, to be said beside its field.
pub async fn wrong(app: &App, id: &str, typed: &str) -> anyhow::Result<Option<String>> {
    let Some(step) = app.store.step(id).await? else { return Ok(None) };
    let Some(row) = app.store.plan(&step.plan).await? else { return Ok(None) };
    Ok((typed.trim() != row.plan.service.as_str()).then(|| wording::second_step::wrong_word(&row)))
}

/// The button was pressed where its form could not be opened at once.
pub async fn pressed(app: &App, claim: &Claim, from: &From, id: &str) -> anyhow::Result<()> {
    let message = match form(app, from, id).await? {
        Ok(form) => wording::second_step::with_form(form),
        Err(says) => wording::refusal::plain(&says),
    };
    crate::command::answer(app, claim, from, message).await
}

/// The form came back.
pub async fn submitted(
    app: &App,
    claim: &Claim,
    from: &From,
    id: &str,
    values: &std::collections::BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let settings = app.settings();
    let person = people::behind(&settings, &from.platform, &from.user);
    let step = app.store.step(id).await?.filter(|step| Some(&step.person) == person.as_ref());
    let refuse = |says: String| crate::command::answer(app, claim, from, wording::refusal::plain(&says));
    let Some(step) = step else { return refuse(wording::second_step::not_yours()).await };
    if step.how != SecondStep::Typed {
        return refuse(wording::second_step::sign_in_instead()).await;
    }
    let typed = values.get(FIELD).map(String::as_str).unwrap_or_default();
    if let Some(says) = wrong(app, id, typed).await? {
        return refuse(says).await;
    }
    if let Some(says) = look(app, &step).await? {
        return refuse(says).await;
    }
    let Some(row) = app.store.plan(&step.plan).await? else { return refuse(wording::second_step::not_yours()).await };
    let speaker = people::speaker_now_on(app, from, &step.person, &row.plan).await?;
    let mut tx = app.store.begin_finishing(claim, app.clock.now()).await?;
    let confirmation = Confirmation { how: SecondStep::Typed, step: Some(id), proof: None };
    let confirmed = confirm(app, &mut tx, &settings, &step, speaker.as_ref(), &confirmation, &claim.id).await?;
    if let Err(says) = confirmed {
        whisper(&mut tx, from, None, wording::refusal::plain(&says)).await?;
    }
    tx.commit().await
}

/// Looks once more before anything is decided: at the version, and whether the reaction still lies on the card. Why it
/// cannot be told, where it cannot.
pub async fn look(app: &App, step: &Step) -> anyhow::Result<Option<String>> {
    let Some(row) = app.store.plan(&step.plan).await? else { return Ok(Some(wording::second_step::not_yours())) };
    crate::gate::look_again(app, &row).await?;
    let told = crate::chat::bring_up_to_date(app, &row).await?;
    Ok((!told).then(|| wording::refusal::cannot_read_words(&row)))
}

/// The giver confirmed: from this moment on the approval counts, if they may still give it and nothing changed. Otherwise
/// one sentence says why not.
pub async fn confirm(
    app: &App,
    tx: &mut Tx,
    settings: &Settings,
    step: &Step,
    speaker: Option<&crate::approval::Speaker>,
    confirmation: &Confirmation<'_>,
    event: &str,
) -> anyhow::Result<Result<(), String>> {
    // As it stands in this transaction.
    let Some(step) = tx.step(&step.id).await? else { return Ok(Err(wording::second_step::not_yours())) };
    let (row, revision) = (tx.plan(&step.plan).await?, tx.revision(&step.plan, step.revision).await?);
    let (Some(mut row), Some(revision)) = (row, revision) else {
        return Ok(Err(wording::second_step::not_yours()));
    };
    if let Err((ended, says)) = stands(&step, &row, &revision, tx.now) {
        if let Some(ended) = ended {
            end(app, tx, &row, &step, ended).await?;
        }
        return Ok(Err(says));
    }
    // Its end comes first: the card that follows no longer waits for it.
    tx.end_step(&step.id, Ended::Confirmed).await?;
    tx.no_longer_due(&Due::Step { step: step.id.clone() }).await?;
    let from = From::new(&step.platform, step.user.clone(), row.channel.clone());
    let said = Said {
        from: &from,
        kind: WordKind::Approve,
        at: tx.now,
        event,
        message: step.message.as_deref(),
        read_back: false,
        why: None,
        confirmed: Some(confirmation),
        only_if: None,
    };
    match word::give(app, tx, settings, &mut row, &revision, speaker, &said).await? {
        Given::Counts(_) | Given::Already => {
            tell(tx, &row, &step, wording::second_step::counts(&row)).await?;
            Ok(Ok(()))
        }
        Given::Asked => Ok(Err(wording::second_step::sign_in_instead())),
        Given::Not(says) => {
            let entry = end(app, tx, &row, &step, Ended::Refused).await?;
            show::card(tx, &row, &revision, settings, &entry).await?;
            Ok(Err(says))
        }
    }
}

/// Whether a step may be confirmed on its plan as it is now; otherwise why not, and what becomes of it.
fn stands(
    step: &Step,
    row: &PlanRow,
    revision: &Revision,
    now: crate::clock::Time,
) -> Result<(), (Option<Ended>, String)> {
    if let Some((_, ended)) = step.ended {
        return Err((None, wording::second_step::is_over(row, ended)));
    }
    if now >= step.ends_at {
        return Err((Some(Ended::Expired), wording::second_step::is_over(row, Ended::Expired)));
    }
    if !row.state.waits() {
        return Err((Some(Ended::Void), wording::refusal::over(row)));
    }
    if step.revision != row.revision || revision.brief != step.brief {
        return Err((Some(Ended::Void), wording::second_step::is_over(row, Ended::Void)));
    }
    // What is being gathered now decides whether the brief still holds.
    if row.stale_at.is_some() || revision.plan != row.plan {
        return Err((None, wording::overriding::no_brief(row)));
    }
    Ok(())
}

/// The reaction was taken away: what waited for its giver is gone.
pub async fn withdraw(
    app: &App,
    tx: &mut Tx,
    settings: &Settings,
    row: &PlanRow,
    revision: &Revision,
    person: &Person,
) -> anyhow::Result<()> {
    let mut entry = None;
    for step in tx.steps(&row.plan.id).await? {
        if step.person != *person || step.revision != row.revision || !step.holds_the_reaction() {
            continue;
        }
        if step.is_open() {
            entry = Some(end(app, tx, row, &step, Ended::Withdrawn).await?);
        } else {
            tx.end_step(&step.id, Ended::Withdrawn).await?;
        }
    }
    match entry {
        Some(entry) => show::card(tx, row, revision, settings, &entry).await,
        None => Ok(()),
    }
}

/// Everything that was asked for on a plan is void: its brief is no longer what is asked.
pub async fn void(app: &App, tx: &mut Tx, row: &PlanRow) -> anyhow::Result<()> {
    for step in tx.steps(&row.plan.id).await?.into_iter().filter(Step::is_open) {
        end(app, tx, row, &step, Ended::Void).await?;
    }
    Ok(())
}

/// A step's time is over.
pub async fn lapse(app: &App, claim: &Claim, id: &str) -> anyhow::Result<()> {
    let (settings, now) = (app.settings(), app.clock.now());
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(step) = tx.step(id).await?.filter(Step::is_open) else { return tx.commit().await };
    if step.ends_at > now {
        tx.due(&Due::Step { step: step.id.clone() }, step.ends_at).await?;
        return tx.commit().await;
    }
    let Some(row) = tx.plan(&step.plan).await? else { return tx.commit().await };
    let entry = end(app, &mut tx, &row, &step, Ended::Expired).await?;
    if row.state.waits()
        && row.revision == step.revision
        && let Some(revision) = tx.revision(&step.plan, step.revision).await?
    {
        show::card(&mut tx, &row, &revision, &settings, &entry).await?;
    }
    tx.commit().await
}

/// Ends a step that was not confirmed: on the record, and in what its giver was told.
async fn end(app: &App, tx: &mut Tx, row: &PlanRow, step: &Step, ended: Ended) -> anyhow::Result<Receipt> {
    tx.end_step(&step.id, ended).await?;
    tx.no_longer_due(&Due::Step { step: step.id.clone() }).await?;
    let at = PlanRow { revision: step.revision, ..row.clone() };
    let record = Statement::new("step.ended").of(&at, Some(&step.brief)).verdict(ended.as_str());
    let entry = tx.record(app, record.with("step", step.id.clone()).with("person", step.person.to_string())).await?;
    tell(tx, row, step, wording::second_step::over(row, ended)).await?;
    Ok(entry)
}

/// The one private message about a step; said again, it is edited.
async fn tell(tx: &mut Tx, row: &PlanRow, step: &Step, message: Message) -> anyhow::Result<()> {
    let key = format!("step:{}", step.id);
    tx.send(&Send::to(&step.platform, &row.channel, message).key(key).direct(step.user.clone()).of(&row.plan.id)).await
}

/// Those whose approval of the revision that asks waits for them.
pub fn open(steps: &[Step], plan: &PlanId, revision: i64) -> Vec<Step> {
    steps.iter().filter(|step| step.is_open() && step.plan == *plan && step.revision == revision).cloned().collect()
}
