//! A button: a command by another way, or the settling of a doubt.

use crate::app::App;
use crate::approval::{member, somebody_else};
use crate::clock::Time;
use crate::command::whisper;
use crate::event::From;
use crate::ledger::Statement;
use crate::name::PlanId;
use crate::people;
use crate::plan::show;
use crate::store::Claim;
use crate::wording;

pub async fn pressed(
    app: &App,
    claim: &Claim,
    from: &From,
    _message: &str,
    button: &str,
    at: Time,
) -> anyhow::Result<()> {
    let (what, of) = button.split_once(' ').unwrap_or((button, ""));
    match what {
        "take-alert" => crate::deploy::take_alert(app, claim, from, of).await,
        "tell-me" => crate::hold::wish(app, claim, from, of).await,
        "settle-high" => settle_category(app, claim, from, &PlanId::new(of), true).await,
        "settle-declared" => settle_category(app, claim, from, &PlanId::new(of), false).await,
        "second-step" => crate::plan::second_step::pressed(app, claim, from, of).await,
        "adopt-rollback" => {
            let draft = match app.store.plan(&PlanId::new(of)).await? {
                Some(row) => {
                    app.store.revision(&row.plan.id, row.revision).await?.and_then(|r| r.advice.rollback_draft)
                }
                None => None,
            };
            let arguments = amend_with(of, "rollback", draft);
            crate::command::run_parsed(app, claim, from, arguments, at).await
        }
        // Buttons carry the command that they stand for.
        "start" | "finished" | "rolledback" | "cancel" | "take" | "outcome" | "amend" | "why" | "status" | "review"
        | "risk" | "approve-if" | "watch" | "lock" | "unlock" | "followup" | "policy" => {
            crate::command::run(app, claim, from, button, at).await
        }
        _ => app.store.begin_finishing(claim, app.clock.now()).await?.commit().await,
    }
}

fn amend_with(
    plan: &str,
    option: &str,
    value: Option<String>,
) -> Result<crate::command::Arguments, crate::command::BadCommand> {
    let spec = crate::command::Spec::named("amend")
        .ok_or_else(|| crate::command::BadCommand("There is no command `amend`.".to_owned()))?;
    let value = value.ok_or_else(|| crate::command::BadCommand("There is no draft to adopt.".to_owned()))?;
    let values = [("plan".to_owned(), vec![plan.to_owned()]), (option.to_owned(), vec![value])];
    Ok(crate::command::Arguments { spec, values: values.into_iter().collect() })
}

/// An eligible person, neither planner nor author, settles what the declared word left in doubt.
async fn settle_category(app: &App, claim: &Claim, from: &From, id: &PlanId, high: bool) -> anyhow::Result<()> {
    let settings = app.settings();
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(mut row) = tx.plan(id).await?.filter(|row| row.state.waits()) else { return tx.commit().await };
    let Some(revision) = tx.revision(id, row.revision).await? else { return tx.commit().await };
    let person = people::behind(&settings, &from.platform, &from.user);
    let speaker = match &person {
        Some(person) => people::speaker_now(app, from, person).await?,
        None => None,
    };
    let change = revision.facts.change.first().map(|fact| &fact.value);
    let allowed = member(speaker.as_ref())
        .and_then(|speaker| somebody_else(&speaker.person, &row.plan, change, &settings))
        .is_ok()
        && person.as_ref().is_some_and(|person| revision.advice.approvals.eligible.contains(person));
    let Some(person) = person.filter(|_| allowed) else {
        let says = wording::refusal::may_not_settle(&revision.advice.approvals);
        whisper(&mut tx, from, Some(show::main_key(id)), wording::refusal::plain(&says)).await?;
        return tx.commit().await;
    };
    if !revision.advice.category.contested || row.category.is_some() {
        return tx.commit().await;
    }
    row.category = Some((now, person.clone()));
    tx.update_plan(&row).await?;
    let verdict = if high { "high" } else { "as-declared" };
    let record = Statement::new("risk.settled")
        .by(from, Some(&person), None)
        .of(&row, Some(&revision.brief))
        .evidence(&claim.id, None);
    let entry = tx.record(app, record.verdict(verdict)).await?;
    // The card no longer asks for it.
    show::card(&mut tx, &row, &revision, &settings, &entry).await?;
    show::in_thread(&mut tx, &row, wording::card::settled(&person, high)).await?;
    show::main(app, &mut tx, &row, &revision).await?;
    tx.commit().await
}
