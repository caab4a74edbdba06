//! Conditions on approvals, at work: judged whenever something happens that they may rest on, and before anybody relies on
//! them. What became met or was lost is an entry of the ledger and a line in the thread.

use std::collections::BTreeMap;

use crate::advice::facts::Facts;
use crate::app::App;
use crate::approval::condition::{Judged, OnlyIf, Seen, Watcher, judge};
use crate::approval::{Word, WordKind};
use crate::clock::Time;
use crate::config::{PersonKind, Settings};
use crate::ledger::{Receipt, Statement};
use crate::message::tame;
use crate::name::Person;
use crate::plan::{brief, word};
use crate::store::Tx;
use crate::store::plan::{PlanRow, Revision};

/// A condition that became met, or is met no longer.
#[derive(Clone, Debug, PartialEq)]
pub struct Turned {
    /// Whose approval it is on.
    pub person: Person,
    pub only_if: OnlyIf,
    /// What met it, or why it is not met.
    pub by: String,
}

/// Before the gate answers or a plan is started: asks the systems anew that conditions on the plan's approvals rest on,
/// unless that was a moment ago.
pub async fn look(app: &App, row: &PlanRow) -> anyhow::Result<()> {
    let old = |word: &Word| word.only_if.as_ref().is_some_and(|only_if| only_if.is_old(app.clock.now()));
    let words = app.store.words(&row.plan.id).await?;
    if !row.state.waits() || !words.iter().any(|word| word.revision == row.revision && word.stands() && old(word)) {
        return Ok(());
    }
    let settings = app.settings();
    let facts = brief::for_conditions(app, &settings, &row.plan).await;
    let mut tx = app.store.begin(app.clock.now()).await?;
    let Some(mut fresh) = tx.plan(&row.plan.id).await?.filter(|fresh| fresh.state.waits()) else { return Ok(()) };
    let Some(revision) = tx.revision(&fresh.plan.id, fresh.revision).await? else { return Ok(()) };
    if fresh.revision != row.revision || fresh.plan != row.plan {
        return Ok(());
    }
    word::settle_seeing(app, &mut tx, &mut fresh, &revision, &settings, Some(&facts)).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// The moment at which a condition on a standing approval turns by the clock alone, if one does.
pub async fn turns_next(tx: &mut Tx, row: &PlanRow) -> anyhow::Result<Option<Time>> {
    let now = tx.now;
    let words = tx.words(&row.plan.id).await?;
    let standing = words.iter().filter(|word| word.revision == row.revision && word.stands());
    let turns = standing.filter_map(|word| word.only_if.as_ref()?.condition.turns_at());
    Ok(turns.filter(|at| *at > now).min())
}

/// Whether an approval stands on a condition.
pub async fn any(tx: &mut Tx, row: &PlanRow) -> anyhow::Result<bool> {
    let words = tx.words(&row.plan.id).await?;
    Ok(words.iter().any(|word| word.revision == row.revision && word.stands() && word.only_if.is_some()))
}

/// What a look at the conditions of these words comes to. `words`: those that would count without them.
pub fn judged(
    row: &PlanRow,
    words: &[Word],
    watchers: &[Watcher],
    settings: &Settings,
    facts: Option<&Facts>,
    now: Time,
) -> BTreeMap<String, Judged> {
    if words.iter().all(|word| word.only_if.is_none()) {
        return BTreeMap::new();
    }
    judge(words, &Seen { plan: &row.plan, watchers, facts, settings, now })
}

/// Records what became met or was lost since the last look. The receipt is of the last entry, where there is one.
pub async fn record(
    app: &App,
    tx: &mut Tx,
    row: &PlanRow,
    revision: &Revision,
    settings: &Settings,
    facts: Option<&Facts>,
) -> anyhow::Result<(Vec<Turned>, Option<Receipt>)> {
    // What was begun relied on it; nothing is judged after that.
    if !row.state.waits() {
        return Ok((Vec::new(), None));
    }
    let now = tx.now;
    let mut words = tx.words(&row.plan.id).await?;
    words.retain(|word| {
        word.kind == WordKind::Approve
            && word.revision == row.revision
            && word.stands()
            && !word.has_expired(&row.plan, settings, now)
            && settings.people.get(&word.person).is_some_and(|known| known.kind == PersonKind::Member)
    });
    if words.iter().all(|word| word.only_if.is_none()) {
        return Ok((Vec::new(), None));
    }
    let watchers = tx.watchers(&row.plan.id).await?;
    let looks = judged(row, &words, &watchers, settings, facts, now);
    let (mut turned, mut receipt) = (Vec::new(), None);
    for word in words {
        let (Some(look), Some(before)) = (looks.get(&word.id), &word.only_if) else { continue };
        let mut after = before.clone();
        if before.condition.asks() && facts.is_some() {
            after.asked_at = Some(now);
        }
        let (kind, by) = match (look, &before.met) {
            (Judged::Met(by), None) => ("condition.met", tame(by, 300)),
            (Judged::Not(by), Some(_)) => ("condition.lost", tame(by, 300)),
            _ => {
                if after != *before {
                    tx.judge_word(&word.id, &after).await?;
                }
                continue;
            }
        };
        after.met = (kind == "condition.met").then(|| (now, by.clone()));
        tx.judge_word(&word.id, &after).await?;
        let entry = Statement::new(kind)
            .of(row, Some(&revision.brief))
            .with("of", word.person.to_string())
            .with("condition", after.condition.written())
            .with("by", by.clone());
        receipt = Some(tx.record(app, entry).await?);
        turned.push(Turned { person: word.person, only_if: after, by });
    }
    Ok((turned, receipt))
}
