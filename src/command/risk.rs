//! `risk`: an eligible person, neither planner nor author, corrects the risk or category that the planner declared.

use super::Call;
use crate::event::Due;
use crate::ledger::Statement;
use crate::plan::{Risk, State, show};
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    if !call.arguments.missing().is_empty() {
        return call.answer(super::form::for_command(call)).await;
    }
    let seen = call.plan().await?;
    let Some(risk) = Risk::ALL.into_iter().find(|risk| Some(risk.as_str()) == call.arguments.get("risk")) else {
        return Err(call.refuse("The risk is one of low, standard, high."));
    };
    let category = call.arguments.get("category").map(|name| call.category(name)).transpose()?;
    if call.person == seen.plan.by {
        return Err(call.refuse(wording::refusal::own_risk(&seen)));
    }
    let mut tx = call.begin().await?;
    let Some(mut row) = tx.plan(&seen.plan.id).await? else { return tx.commit().await };
    if !row.state.waits() {
        return Err(call.refuse(wording::refusal::over(&row)));
    }
    let Some(revision) = tx.revision(&row.plan.id, row.revision).await? else {
        return Err(call.refuse(wording::refusal::still_gathering(&row)));
    };
    let change = revision.facts.change.first().map(|fact| &fact.value);
    let author = change.is_some_and(|change| crate::approval::is_author(&call.person, change, &call.settings));
    if author || !revision.advice.approvals.eligible.contains(&call.person) {
        return Err(call.refuse(wording::refusal::may_not_settle(&revision.advice.approvals)));
    }
    let before = (row.plan.risk, row.plan.category.clone());
    let after = (Some(risk), category.or_else(|| before.1.clone()));
    if before == after {
        return Err(call.refuse(format!("Nothing in `{}` would change.", row.plan.id)));
    }
    (row.plan.risk, row.plan.category) = after.clone();
    row.state = State::Draft;
    row.asked = None;
    row.confirmed = None;
    // Whoever may correct it has settled it, too.
    row.category = Some((call.now, call.person.clone()));
    let whom = crate::plan::void(call.app, &mut tx, &row, "the declared risk was corrected").await?;
    let corrected = || Some("the declared risk was corrected".to_owned());
    crate::plan::overriding::end(call.app, &mut tx, &row, |_| corrected()).await?;
    tx.update_plan(&row).await?;
    let word = |risk: Option<Risk>| risk.map_or("undeclared", Risk::as_str);
    let record = Statement::new("risk.corrected")
        .by(call.from, Some(&call.person), None)
        .of(&row, Some(&revision.brief))
        .evidence(&call.claim.id, None)
        .with("risk_before", word(before.0))
        .with("risk", word(after.0))
        .with("category_before", before.1.clone())
        .with("category", after.1.clone())
        .text("why", call.arguments.get("why"));
    tx.record(call.app, record).await?;
    let said = wording::card::corrected(&row, &call.person, before.0, before.1.as_deref(), &whom);
    show::in_thread(&mut tx, &row, said).await?;
    tx.due(&Due::Advise { plan: row.plan.id.clone() }, call.now).await?;
    tx.commit().await
}
