//! Reminds those who could approve once before the deadline and once at it, and records that it was missed.

use std::collections::BTreeSet;

use crate::advice::Context;
use crate::advice::rules::eligible_now;
use crate::app::App;
use crate::approval::deadline::{needed_by, remind_at};
use crate::config::{Mode, PersonKind, Settings};
use crate::event::Due;
use crate::ledger::Statement;
use crate::name::{Person, PlanId};
use crate::people;
use crate::plan::show;
use crate::store::deadline::Deadline;
use crate::store::plan::{PlanRow, Revision};
use crate::store::{Claim, Tx};
use crate::wording;
use crate::work::Send;

/// So many are reminded in person; where more could answer, the thread is enough.
const MOST: usize = 8;

/// Sets the reminder for a plan that was made or changed.
pub async fn schedule(tx: &mut Tx, row: &PlanRow, settings: &Settings) -> anyhow::Result<()> {
    let due = Due::Deadline { plan: row.plan.id.clone() };
    match needed_by(&row.plan, settings) {
        Some(by) => tx.due(&due, remind_at(by, settings).max(tx.now)).await,
        None => tx.no_longer_due(&due).await,
    }
}

/// A reminder's or the deadline's own time has come.
pub async fn came(app: &App, claim: &Claim, id: &PlanId) -> anyhow::Result<()> {
    let settings = app.settings();
    let away = away(app, id).await?;
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(row) = tx.plan(id).await?.filter(|row| row.state.waits()) else { return tx.commit().await };
    let Some(by) = needed_by(&row.plan, &settings) else { return tx.commit().await };
    let mode = settings.environment.get(&row.plan.environment).map(|e| e.mode).unwrap_or_default();
    let due = Due::Deadline { plan: id.clone() };
    if now < remind_at(by, &settings) {
        tx.due(&due, remind_at(by, &settings)).await?;
        return tx.commit().await;
    }
    let Some(revision) = tx.revision(id, row.revision).await? else {
        // Its first brief is on the way.
        if now < by {
            tx.due(&due, now.plus(crate::clock::MINUTE).min(by)).await?;
        }
        return tx.commit().await;
    };
    let known = tx.deadline(id).await?.filter(|known| known.needed_by == by);
    let mut deadline = known.unwrap_or(Deadline { needed_by: by, reminded_at: None, missed_at: None });
    let missing = !show::tally_of(&mut tx, &row, &revision, &settings).await?.missing.is_empty();
    if now < by {
        // Where the plan was made later than that, the card itself was the reminder.
        let asked_before = row.plan.made_at < remind_at(by, &settings);
        if missing && asked_before && deadline.reminded_at.is_none() && mode != Mode::Observe {
            deadline.reminded_at = Some(now);
            remind(&mut tx, &row, &revision, &settings, &deadline, &away).await?;
        }
        tx.due(&due, by).await?;
    } else if missing && deadline.missed_at.is_none() {
        deadline.missed_at = Some(now);
        let tally = show::tally_of(&mut tx, &row, &revision, &settings).await?;
        let needs: Vec<String> = tally.missing.iter().map(wording::need).collect();
        let record = Statement::new("deadline.missed").of(&row, Some(&revision.brief));
        tx.record(app, record.with("needed_by", by.rfc3339()).with("missing", needs)).await?;
        if mode != Mode::Observe {
            remind(&mut tx, &row, &revision, &settings, &deadline, &away).await?;
        }
    }
    tx.set_deadline(id, deadline).await?;
    tx.commit().await
}

/// Of those who could approve by the settings, whom the platform calls no member: nobody asks them for a word that would
/// not count. Where it does not answer, the settings' word stands: a reminder decides nothing.
async fn away(app: &App, id: &PlanId) -> anyhow::Result<BTreeSet<Person>> {
    let Some(row) = app.store.plan(id).await? else { return Ok(BTreeSet::new()) };
    let Some(revision) = app.store.revision(id, row.revision).await? else { return Ok(BTreeSet::new()) };
    let settings = app.settings();
    let ctx = Context { plan: &row.plan, facts: &revision.facts, settings: &settings, now: app.clock.now() };
    let able = eligible_now(ctx, &revision.advice.approvals.needs);
    let mut away = BTreeSet::new();
    for person in able {
        let kind = people::kind_now(app, &row.platform, &person).await.unwrap_or_default();
        if kind != PersonKind::Member {
            away.insert(person);
        }
    }
    Ok(away)
}

/// Tells the thread, and in person those who could still give what is missing.
async fn remind(
    tx: &mut Tx,
    row: &PlanRow,
    revision: &Revision,
    settings: &Settings,
    deadline: &Deadline,
    away: &BTreeSet<Person>,
) -> anyhow::Result<()> {
    let tally = show::tally_of(tx, row, revision, settings).await?;
    let has_spoken =
        |person: &Person| tally.approved_by.contains(person) || tally.unmet.iter().any(|(by, _)| by == person);
    let now = tx.now;
    let ctx = Context { plan: &row.plan, facts: &revision.facts, settings, now };
    let mut whom: Vec<Person> = eligible_now(ctx, &tally.missing);
    whom.retain(|person| !has_spoken(person) && !away.contains(person));
    show::in_thread(tx, row, wording::deadline::reminds(row, &tally, &whom, deadline.needed_by, settings, now)).await?;
    if whom.len() > MOST {
        return Ok(());
    }
    for person in whom {
        let Some(user) = people::user_on(settings, &row.platform, &person) else { continue };
        let message = wording::deadline::in_person(row, deadline.needed_by, settings, now);
        tx.send(&Send::to(&row.platform, &row.channel, message).direct(user).of(&row.plan.id)).await?;
    }
    Ok(())
}
