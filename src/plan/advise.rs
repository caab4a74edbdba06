//! Gathers and advises: the first brief of a plan, a new one where something material changed, and quiet in between.

use crate::advice::facts::Facts;
use crate::advice::policy::able_now;
use crate::advice::{Advice, Context};
use crate::app::App;
use crate::approval::Word;
use crate::approval::overriding::{Block, Gone, HELD, OBJECTED, Override};
use crate::config::{Mode, Settings};
use crate::event::Due;
use crate::ledger::Statement;
use crate::name::{Person, PlanId};
use crate::people;
use crate::plan::{Plan, State, Transition, brief, condition, material, overriding, second_step, show, word};
use crate::store::plan::{PlanRow, Revision};
use crate::store::{Claim, Tx};
use crate::webhook::news::PACE;
use crate::wording;
use crate::work::Send;

/// A look at a plan that waits.
pub async fn advise(app: &App, claim: &Claim, id: &PlanId) -> anyhow::Result<()> {
    let settings = app.settings();
    let now = app.clock.now();
    let Some(before) = app.store.plan(id).await?.filter(|row| row.state.waits()) else {
        return app.store.begin_finishing(claim, now).await?.commit().await;
    };
    let mut plan = before.plan.clone();
    let heard = app.store.heard(&plan.service).await?;
    let facts = brief::gather(app, &settings, &plan).await;
    // A version that could not be resolved when the plan was made, or that leads elsewhere now.
    if let Some(commit) = resolved(&plan, &facts) {
        plan.commit = Some(commit);
    }
    let facts = if plan.commit == before.plan.commit { facts } else { brief::gather(app, &settings, &plan).await };
    people::team::look_for(app, &plan, &facts).await;
    let settings = app.settings();
    let now = app.clock.now();
    let advice = crate::advice::advise(Context { plan: &plan, facts: &facts, settings: &settings, now });
    let hash = brief::hash(&plan, &facts, &advice)?;
    let seen = if before.revision > 0 && before.state != State::Draft {
        app.store.revision(id, before.revision).await?
    } else {
        None
    };
    let old = seen.map(|old| {
        let drifted = crate::advice::advise(Context { plan: &old.plan, facts: &old.facts, settings: &settings, now });
        (old, drifted)
    });

    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(mut row) = tx.plan(id).await?.filter(|row| row.state.waits()) else {
        return tx.commit().await;
    };
    if row.plan != before.plan || row.revision != before.revision {
        // Somebody amended it meanwhile: what was gathered answers another question.
        tx.due(&Due::Advise { plan: id.clone() }, now).await?;
        return tx.commit().await;
    }
    row.refreshed_at = Some(now);
    row.stale_at = None;
    // News that came while the sources were asked may have come too late for some answer.
    let news = tx.heard(&row.plan.service).await? != heard;
    let again = if news { PACE } else { settings.policy.refresh_every.ms() };
    // What turns by the clock alone is looked at when it does.
    let turns = condition::turns_next(&mut tx, &row).await?.unwrap_or(now.plus(again));
    tx.due(&Due::Advise { plan: id.clone() }, now.plus(again).min(turns)).await?;
    let reason = match &old {
        None if row.revision == 0 => "first brief".to_owned(),
        None => "amended".to_owned(),
        Some((old, drifted)) => {
            let mut changes = material::changes(
                (&old.plan, &old.facts, &old.advice),
                drifted,
                (&plan, &facts, &advice),
                settings.policy.score_step,
            );
            changes.says.extend(worse(&mut tx, &row, &advice, &settings).await?);
            if changes.says.is_empty() {
                tx.update_plan(&row).await?;
                if condition::any(&mut tx, &row).await? {
                    word::settle_seeing(app, &mut tx, &mut row, old, &settings, Some(&facts)).await?;
                }
                return tx.commit().await;
            }
            changes.says.join("; ")
        }
    };
    revise(app, &mut tx, &mut row, plan, facts, advice, hash, reason, old.is_some()).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// Makes a new revision: standing words are voided, the card asks anew, and the record says why.
#[allow(clippy::too_many_arguments)]
async fn revise(
    app: &App,
    tx: &mut Tx,
    row: &mut PlanRow,
    plan: Plan,
    facts: Facts,
    advice: Advice,
    hash: String,
    reason: String,
    again: bool,
) -> anyhow::Result<()> {
    let settings = app.settings();
    let id = plan.id.clone();
    let tx_now = tx.now;
    let whom = void(app, tx, row, &reason).await?;
    let next = PlanRow { plan: plan.clone(), ..row.clone() };
    let flags = &advice.flags;
    overriding::end(app, tx, row, |given| {
        let block = flags.iter().find(|flag| flag.code == given.code).map(Block::of);
        // An objection is void with the revision that it was on, and so is what went past it.
        let words = given.code == OBJECTED || given.code == HELD;
        match given.holds(&next.plan, block.as_ref(), &settings, tx_now) {
            Err(gone) => Some(gone.says()),
            Ok(()) => words.then(|| "the words that it was about are void".to_owned()),
        }
    })
    .await?;
    if plan.commit != row.plan.commit && row.category.take().is_some() {
        // Whoever settled a doubt looked at another change.
        tx.record(app, Statement::new("risk.settled").of(row, None).verdict("void").text("reason", Some(&reason)))
            .await?;
    }
    row.asked = None;
    row.plan = plan;
    row.revision += 1;
    row.state = row.state.after(Transition::Advise).unwrap_or(row.state);
    let revision = Revision {
        number: row.revision,
        at: tx.now,
        brief: hash,
        commit: row.plan.commit.clone(),
        plan: row.plan.clone(),
        facts,
        advice,
        reason,
    };
    tx.insert_revision(&id, &revision).await?;
    tx.update_plan(row).await?;
    let entry = tx.record(app, show::record_of_revision(row, &revision, &settings)).await?;
    show::revision(app, tx, row, &revision, &entry).await?;
    if again {
        show::in_thread(tx, row, wording::brief::changed(&revision, &whom)).await?;
    }
    if row.revision == 1 {
        ask_in_person(app, tx, row, &revision).await?;
    }
    Ok(())
}

/// What overridden blockers rest on now that whoever overrode them did not see; sentences.
async fn worse(tx: &mut Tx, row: &PlanRow, fresh: &Advice, settings: &Settings) -> anyhow::Result<Vec<String>> {
    let given = tx.overrides(&row.plan.id).await?;
    let of = |given: &Override| fresh.flags.iter().find(|flag| flag.code == given.code).map(Block::of);
    let found = given.iter().filter(|given| given.stands()).filter_map(|given| {
        match given.holds(&row.plan, of(given).as_ref(), settings, tx.now) {
            Err(Gone::Worse(fact)) => Some(format!("the overridden {} got worse: {fact}", given.code)),
            _ => None,
        }
    });
    Ok(found.collect())
}

/// A role that so few people hold is asked in person; where many could answer, the channel is enough.
const FEW: usize = 2;

/// Tells those without whom it cannot go on that their word is needed: once per plan, and only where few could give it.
async fn ask_in_person(app: &App, tx: &mut Tx, row: &PlanRow, revision: &Revision) -> anyhow::Result<()> {
    let settings = app.settings();
    let mode = settings.environment.get(&row.plan.environment).map(|e| e.mode).unwrap_or_default();
    if mode == Mode::Observe {
        return Ok(());
    }
    let ctx = Context { plan: &row.plan, facts: &revision.facts, settings: &settings, now: tx.now };
    for need in revision.advice.approvals.needs.iter().filter(|view| !view.need.is_anyone()) {
        let able = able_now(ctx, need);
        if able.len() > FEW {
            continue;
        }
        for person in &able {
            let Some(user) = people::user_on(&settings, &row.platform, person) else { continue };
            let message = wording::card::needs_you(row, revision, need, able.len(), &settings, tx.now);
            tx.send(&Send::to(&row.platform, &row.channel, message).direct(user).of(&row.plan.id)).await?;
        }
    }
    Ok(())
}

/// Voids every standing word on a plan, because what it was given for is no longer what is asked. Tells whose they were.
pub async fn void(app: &App, tx: &mut Tx, row: &PlanRow, reason: &str) -> anyhow::Result<Vec<Person>> {
    let id = &row.plan.id;
    second_step::void(app, tx, row).await?;
    let mut whom: Vec<Person> = tx.words(id).await?.into_iter().filter(Word::stands).map(|word| word.person).collect();
    whom.sort();
    whom.dedup();
    if !whom.is_empty() {
        tx.void_words(id, reason).await?;
        let people: Vec<String> = whom.iter().map(ToString::to_string).collect();
        tx.record(app, Statement::new("word.voided").of(row, None).with("people", people).text("reason", Some(reason)))
            .await?;
    }
    Ok(whom)
}

/// The commit that the plan's version leads to now, where a source says so.
fn resolved(plan: &Plan, facts: &Facts) -> Option<String> {
    let version = plan.version.as_deref()?;
    let answers = facts.versions.known.iter().flat_map(|fact| &fact.value.resolved);
    answers.filter(|(name, _)| name == version).find_map(|(_, commit)| commit.clone())
}
