//! `start`: the human act that begins it and, in a protected environment, opens the gate. And `confirm`: the planner types
//! the environment's name.

use super::{BadCommand, Call, whisper};
use crate::app::App;
use crate::config::Settings;
use crate::event::{Due, From};
use crate::gate::{self, Answer, Verdict};
use crate::hold::Scope;
use crate::ledger::Statement;
use crate::name::Person;
use crate::people;
use crate::plan::show::Heard;
use crate::plan::{Transition, show};
use crate::store::plan::PlanRow;
use crate::store::{Claim, Tx};
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let row = call.plan().await?;
    begin(call.app, call.claim, call.from, &call.person, &row).await
}

/// Begins a plan, if the gate would open for it: approved, in time, confirmed, nothing in the way.
pub async fn begin(app: &App, claim: &Claim, from: &From, person: &Person, seen: &PlanRow) -> anyhow::Result<()> {
    let settings = app.settings();
    if !may_start(&settings, person, seen) {
        return Err(BadCommand(wording::refusal::may_not_start(seen)).into());
    }
    // The gate's own eyes, with the version looked up anew: what a human starts is what was approved.
    gate::look_again(app, seen).await?;
    let told = crate::chat::bring_up_to_date(app, seen).await?;
    let heard = if told { Heard::All } else { Heard::Terminal };
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(mut row) = tx.plan(&seen.plan.id).await? else { return tx.commit().await };
    if row.started.is_some() && !row.state.is_over() {
        whisper(&mut tx, from, None, wording::refusal::plain(&wording::refusal::already_started(&row))).await?;
        return tx.commit().await;
    }
    // An earlier wish to start is no obstacle to this one.
    row.asked = None;
    let answer = gate::decide(app, &mut tx, &row, None, heard).await?;
    let known = told || gate::rests_on_terminal(&mut tx, &row, &answer).await?;
    if !known || !opens(&answer) {
        let mut says = wording::refusal::plain(&if known {
            wording::refusal::cannot_start(&row, &answer)
        } else {
            wording::refusal::cannot_read_words(&row)
        });
        let held = |code: &str| matches!(code, "coordination.lock" | "coordination.queue" | "timing.freeze");
        let target = Scope::target(&row.plan.service, &row.plan.environment);
        if answer.reasons.iter().any(|reason| held(&reason.code))
            && crate::hold::is_held_now(&mut tx, &target, person, &settings).await?
        {
            wording::hold::offer(&mut says, &target);
        }
        whisper(&mut tx, from, Some(show::main_key(&row.plan.id)), says).await?;
        return tx.commit().await;
    }
    let apart = tx.revision(&row.plan.id, row.revision).await?.is_some_and(|r| r.advice.asked.executor_apart);
    if apart && answer.approvals.iter().any(|given| given.by == *person) {
        let says = wording::refusal::executor_apart(&row);
        whisper(&mut tx, from, Some(show::main_key(&row.plan.id)), wording::refusal::plain(&says)).await?;
        return tx.commit().await;
    }
    let protected = settings.environment.get(&row.plan.environment).is_some_and(|e| e.protected);
    if protected && row.confirmed.is_none() {
        row.asked = Some((now, person.clone()));
        tx.update_plan(&row).await?;
        tx.record(
            app,
            Statement::new("start.asked")
                .by(from, Some(person), None)
                .of(&row, answer.brief.as_deref())
                .evidence(&claim.id, None),
        )
        .await?;
        if *person == row.plan.by {
            whisper(&mut tx, from, Some(show::main_key(&row.plan.id)), wording::card::confirm_form(&row)).await?;
        } else {
            show::in_thread(&mut tx, &row, wording::card::asks_to_confirm(&row, person)).await?;
        }
        return tx.commit().await;
    }
    open(app, &mut tx, &mut row, from, person, claim).await?;
    tx.commit().await
}

/// Whether nothing but a human's start stands between a plan and its deployment.
fn opens(answer: &Answer) -> bool {
    matches!(answer.verdict, Verdict::NotStarted | Verdict::Approved)
}

/// Opens the gate: says and records that it began.
async fn open(
    app: &App,
    tx: &mut Tx,
    row: &mut PlanRow,
    from: &From,
    person: &Person,
    claim: &Claim,
) -> anyhow::Result<()> {
    // A pipeline may have said that it began before a human did.
    row.state = row.state.after(Transition::Start).unwrap_or(row.state);
    row.started = Some((tx.now, person.clone()));
    row.asked = None;
    tx.update_plan(row).await?;
    // What it relied on is looked at again when the pipeline asks.
    let settings = app.settings();
    for given in tx.overrides(&row.plan.id).await? {
        if given.holds(&row.plan, None, &settings, tx.now).is_ok() {
            tx.use_override(&given.id).await?;
        }
    }
    let id = &row.plan.id;
    let revision = tx.revision(id, row.revision).await?;
    let brief = revision.as_ref().map(|r| r.brief.clone());
    tx.record(
        app,
        Statement::new("start").by(from, Some(person), None).of(row, brief.as_deref()).evidence(&claim.id, None),
    )
    .await?;
    if let Some(revision) = &revision {
        show::main(app, tx, row, revision).await?;
    }
    show::in_thread(tx, row, wording::card::started(row, person)).await?;
    for due in [Due::Advise { plan: id.clone() }, Due::Remind { plan: id.clone() }, Due::Expire { plan: id.clone() }] {
        tx.no_longer_due(&due).await?;
    }
    Ok(())
}

/// The planner typed the environment's name, in the form or as a reply. Where somebody asked to start and only this was
/// missing, it begins now: nobody has to ask twice.
pub async fn confirm(
    app: &App,
    claim: &Claim,
    from: &From,
    person: &Person,
    seen: &PlanRow,
    typed: &str,
) -> anyhow::Result<()> {
    let mut heard = Heard::All;
    if seen.asked.is_some() {
        gate::look_again(app, seen).await?;
        if !crate::chat::bring_up_to_date(app, seen).await? {
            heard = Heard::Terminal;
        }
    }
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(mut row) = tx.plan(&seen.plan.id).await?.filter(|row| !row.state.is_over() && row.confirmed.is_none())
    else {
        return tx.commit().await;
    };
    if *person != row.plan.by {
        whisper(&mut tx, from, None, wording::refusal::plain(&wording::refusal::only_planner_confirms(&row))).await?;
        return tx.commit().await;
    }
    if typed.trim() != row.plan.environment.as_str() {
        whisper(&mut tx, from, None, wording::refusal::plain(&wording::refusal::wrong_name(&row))).await?;
        return tx.commit().await;
    }
    row.confirmed = Some((now, person.clone()));
    let asked = row.asked.take().filter(|(at, _)| now.since(*at) < gate::ASK_HOLDS);
    tx.update_plan(&row).await?;
    let revision = tx.revision(&row.plan.id, row.revision).await?;
    let brief = revision.as_ref().map(|r| r.brief.as_str());
    tx.record(app, Statement::new("confirm").by(from, Some(person), None).of(&row, brief).evidence(&claim.id, None))
        .await?;
    show::in_thread(&mut tx, &row, wording::card::confirmed(&row, person)).await?;
    if let Some((_, asker)) = asked {
        let answer = gate::decide(app, &mut tx, &row, None, heard).await?;
        let known = heard == Heard::All || gate::rests_on_terminal(&mut tx, &row, &answer).await?;
        if known && opens(&answer) {
            let user = people::user_on(&app.settings(), &from.platform, &asker).unwrap_or_else(|| from.user.clone());
            let from = From { user, ..from.clone() };
            open(app, &mut tx, &mut row, &from, &asker, claim).await?;
        } else {
            let says = wording::refusal::cannot_start(&row, &answer);
            whisper(&mut tx, from, Some(show::main_key(&row.plan.id)), wording::refusal::plain(&says)).await?;
        }
    }
    tx.commit().await
}

/// The planner, the service's owners, and whom the plan names to respond or watch.
fn may_start(settings: &Settings, person: &Person, row: &PlanRow) -> bool {
    let owners = settings.service.get(&row.plan.service).map(|s| s.owners.as_slice()).unwrap_or_default();
    *person == row.plan.by || owners.contains(person) || row.plan.respond.contains(person)
}
