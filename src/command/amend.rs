//! `amend`: changes any part of a waiting plan. A new revision, not a new plan; standing approvals are void.

use super::Call;
use crate::event::Due;
use crate::name::Person;
use crate::plan::{State, When, show};
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let seen = call.plan().await?;
    if !seen.state.waits() {
        return Err(call.refuse(wording::refusal::over(&seen)));
    }
    if call.person != seen.plan.by && !is_owner(call, &seen.plan.service) {
        return Err(call.refuse(wording::refusal::not_yours(&seen)));
    }
    if call.arguments.values.len() <= 1 {
        return call.answer(super::form::amend(call, &seen).await?).await;
    }
    let mut plan = seen.plan.clone();
    super::plan::fill(call, &mut plan)?;
    if call.arguments.get("version").is_some() {
        super::plan::resolve(call, &mut plan).await?;
    }
    if !call.arguments.all("set").is_empty() {
        super::plan::present(call, &mut plan).await;
    }
    if plan == seen.plan {
        return Err(call.refuse(format!("Nothing in `{}` would change.", plan.id)));
    }
    let mut tx = call.begin().await?;
    let Some(mut row) = tx.plan(&plan.id).await?.filter(|row| row.state.waits()) else {
        return tx.commit().await;
    };
    if row.plan != seen.plan {
        // Somebody else amended it, or its version was pinned anew, since it was read: what is asked for goes on top.
        let (version, commit, set) = (plan.version.take(), plan.commit.take(), std::mem::take(&mut plan.set));
        plan = row.plan.clone();
        super::plan::fill(call, &mut plan)?;
        if call.arguments.get("version").is_some() {
            (plan.version, plan.commit) = (version, commit);
        }
        if !call.arguments.all("set").is_empty() {
            plan.set = set;
        }
    }
    row.plan = plan;
    row.state = State::Draft;
    row.asked = None;
    row.confirmed = None;
    row.category = None;
    row.reviewed = None;
    let mut whom = crate::plan::void(call.app, &mut tx, &row, "the plan was amended").await?;
    // Whoever said that they watch said so of the plan as it was.
    whom.extend(tx.forget_watchers(&row.plan.id).await?);
    whom.sort();
    whom.dedup();
    crate::plan::overriding::end(call.app, &mut tx, &row, |_| Some("the plan was amended".to_owned())).await?;
    tx.update_plan(&row).await?;
    tx.record(call.app, super::plan::made("plan.amended", call, &row)).await?;
    show::in_thread(&mut tx, &row, wording::card::amended(&row, &call.person, &whom)).await?;
    tx.due(&Due::Advise { plan: row.plan.id.clone() }, call.now).await?;
    crate::plan::deadline::schedule(&mut tx, &row, &call.settings).await?;
    let start = row.plan.when.start(call.now);
    tx.due(&Due::Expire { plan: row.plan.id.clone() }, start.plus(call.settings.policy.plan_expires.ms())).await?;
    if row.plan.when == When::Now {
        tx.no_longer_due(&Due::Remind { plan: row.plan.id.clone() }).await?;
    } else {
        tx.due(&Due::Remind { plan: row.plan.id.clone() }, start.plus(-15 * crate::clock::MINUTE).max(call.now))
            .await?;
    }
    tx.commit().await
}

pub fn is_owner(call: &Call<'_>, service: &crate::name::Service) -> bool {
    let owners: &[Person] = call.settings.service.get(service).map(|s| s.owners.as_slice()).unwrap_or_default();
    owners.contains(&call.person)
}
