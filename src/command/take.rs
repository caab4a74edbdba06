//! `take`: sets a plan for one of the windows that its brief suggests.

use super::Call;
use crate::event::Due;
use crate::plan::{State, When, show};
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let seen = call.plan().await?;
    if !seen.state.waits() {
        return Err(call.refuse(wording::refusal::over(&seen)));
    }
    if call.person != seen.plan.by && !super::amend::is_owner(call, &seen.plan.service) {
        return Err(call.refuse(wording::refusal::not_yours(&seen)));
    }
    let Some(revision) = call.app.store.revision(&seen.plan.id, seen.revision).await? else {
        return Err(call.refuse("Its brief is not there yet; try again in a moment."));
    };
    let typed = call.arguments.get("window").unwrap_or("1");
    let windows = &revision.advice.windows.windows;
    let window = typed.parse::<usize>().ok().and_then(|n| windows.get(n.checked_sub(1)?));
    let Some(window) = window else {
        return Err(call.refuse(match windows.len() {
            0 => "The brief suggests no window.".to_owned(),
            1 => "The brief suggests one window: take 1.".to_owned(),
            n => format!("The brief suggests {n} windows: take a number from 1 to {n}."),
        }));
    };
    if window.end <= call.now {
        return Err(call.refuse("That window is over. `windows` shows the next ones."));
    }
    let mut tx = call.begin().await?;
    let Some(mut row) = tx.plan(&seen.plan.id).await?.filter(|row| row.state.waits()) else {
        return tx.commit().await;
    };
    row.plan.when = When::Window { start: window.start, end: window.end };
    // A deadline that was said for another time would say nothing about this one.
    row.plan.needed_by = None;
    row.state = State::Draft;
    row.asked = None;
    // As with any other amendment: what was confirmed or settled was another plan.
    row.confirmed = None;
    row.category = None;
    row.reviewed = None;
    let mut whom = crate::plan::void(call.app, &mut tx, &row, "the plan was set for another time").await?;
    // Whoever said that they watch said so of the plan as it was.
    whom.extend(tx.forget_watchers(&row.plan.id).await?);
    whom.sort();
    whom.dedup();
    crate::plan::overriding::end(call.app, &mut tx, &row, |_| Some("the plan was amended".to_owned())).await?;
    tx.update_plan(&row).await?;
    tx.record(call.app, super::plan::made("plan.amended", call, &row)).await?;
    show::in_thread(&mut tx, &row, wording::card::taken(&row, window, &call.person, &whom, &call.settings, call.now))
        .await?;
    tx.due(&Due::Advise { plan: row.plan.id.clone() }, call.now).await?;
    crate::plan::deadline::schedule(&mut tx, &row, &call.settings).await?;
    tx.due(&Due::Expire { plan: row.plan.id.clone() }, window.start.plus(call.settings.policy.plan_expires.ms()))
        .await?;
    tx.due(&Due::Remind { plan: row.plan.id.clone() }, window.start.plus(-15 * crate::clock::MINUTE).max(call.now))
        .await?;
    tx.commit().await
}
