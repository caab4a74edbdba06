//! Locks and freezes as facts: gathered for a brief, and as they stand inside a deciding transaction.

use super::{Freeze, Lock, has_left};
use crate::advice::facts::{Asked, Fact, Facts, Unknown};
use crate::advice::{Advice, Context};
use crate::app::App;
use crate::clock::Time;
use crate::config::{PersonKind, Settings};
use crate::name::SourceName;
use crate::people;
use crate::plan::Plan;
use crate::store::Tx;
use crate::store::hold::{FreezeRow, LockRow};
use crate::store::plan::{PlanRow, Revision};

/// The checks that speak of locks and freezes.
const CODES: [&str; 2] = ["coordination.lock", "timing.freeze"];

/// For a brief: whether an owner left is also asked of the chat.
pub async fn gather(app: &App, settings: &Settings, plan: &Plan) -> (Asked<Vec<Lock>>, Asked<Vec<Freeze>>) {
    let now = app.clock.now();
    let locks = async {
        let mut rows = app.store.locks().await?;
        for row in rows.iter_mut().filter(|row| row.lock.scope.covers(&plan.service, &plan.environment)) {
            row.lock.left = has_gone(app, settings, row).await;
        }
        anyhow::Ok(rows)
    };
    let (locks, freezes) = tokio::join!(locks, app.store.freezes());
    (asked(locks.map(|rows| of_locks(rows, now)), now), asked(freezes.map(|rows| of_freezes(rows, now)), now))
}

/// Whether the owner of a lock left, as the settings or the chat tell.
pub async fn has_gone(app: &App, settings: &Settings, row: &LockRow) -> bool {
    if has_left(&row.lock.owner, settings) {
        return true;
    }
    let Some(user) = people::user_on(settings, &row.platform, &row.lock.owner) else { return false };
    let Ok(chat) = app.chat(&row.platform) else { return false };
    // A chat that cannot be asked says nothing about anybody.
    matches!(chat.kind(&user).await, Ok(PersonKind::Deactivated))
}

/// As they are stored at this moment. Who left is known from the settings, or from when the brief was gathered.
pub fn as_of(
    locks: Vec<LockRow>,
    freezes: Vec<FreezeRow>,
    settings: &Settings,
    seen: &Facts,
    now: Time,
) -> (Asked<Vec<Lock>>, Asked<Vec<Freeze>>) {
    let mut locks = of_locks(locks, now);
    for lock in &mut locks {
        let before = seen.locks.known.iter().flat_map(|fact| &fact.value).find(|known| known.id == lock.id);
        lock.left = before.is_some_and(|known| known.left) || has_left(&lock.owner, settings);
    }
    (asked(Ok(locks), now), asked(Ok(of_freezes(freezes, now)), now))
}

/// Puts them among the facts.
pub fn put(facts: &mut Facts, (locks, freezes): (Asked<Vec<Lock>>, Asked<Vec<Freeze>>)) {
    facts.locks = locks;
    facts.freezes = freezes;
}

/// Whether facts say the same of them already.
pub fn is_said(facts: &Facts, (locks, freezes): &(Asked<Vec<Lock>>, Asked<Vec<Freeze>>)) -> bool {
    fn same<T: PartialEq>(seen: &Asked<Vec<T>>, now: &Asked<Vec<T>>) -> bool {
        seen.unknown.is_empty()
            && now.unknown.is_empty()
            && seen.known.iter().all(|fact| fact.incomplete.is_empty())
            && seen.known.iter().map(|fact| &fact.value).eq(now.known.iter().map(|fact| &fact.value))
    }
    same(&facts.locks, locks) && same(&facts.freezes, freezes)
}

/// A revision's advice as it is shown now: what it says of locks and freezes is said anew, everything else stays what
/// humans saw.
pub async fn renewed(tx: &mut Tx, row: &PlanRow, revision: &Revision, settings: &Settings) -> anyhow::Result<Advice> {
    let mut advice = revision.advice.clone();
    if !row.state.waits() {
        return Ok(advice);
    }
    let holds = as_of(tx.locks().await?, tx.freezes().await?, settings, &revision.facts, tx.now);
    let any = |locks: &Asked<Vec<Lock>>, freezes: &Asked<Vec<Freeze>>| {
        locks.known.iter().any(|fact| !fact.value.is_empty()) || freezes.known.iter().any(|fact| !fact.value.is_empty())
    };
    if !any(&holds.0, &holds.1) && !any(&revision.facts.locks, &revision.facts.freezes) {
        return Ok(advice);
    }
    let mut facts = revision.facts.clone();
    put(&mut facts, holds);
    let fresh = crate::advice::advise(Context { plan: &row.plan, facts: &facts, settings, now: tx.now });
    for flag in advice.flags.iter_mut().filter(|flag| CODES.contains(&flag.code.as_str())) {
        if let Some(now) = fresh.flags.iter().find(|now| now.code == flag.code) {
            *flag = now.clone();
        }
    }
    advice.blockers.retain(|code| !CODES.contains(&code.as_str()));
    advice.blockers.extend(fresh.blockers.into_iter().filter(|code| CODES.contains(&code.as_str())));
    Ok(advice)
}

fn of_locks(rows: Vec<LockRow>, now: Time) -> Vec<Lock> {
    rows.into_iter().map(|row| row.lock).filter(|lock| lock.stands(now)).collect()
}

fn of_freezes(rows: Vec<FreezeRow>, now: Time) -> Vec<Freeze> {
    rows.into_iter().map(|row| row.freeze).filter(|freeze| freeze.entry.end > now).collect()
}

fn asked<T>(found: anyhow::Result<Vec<T>>, now: Time) -> Asked<Vec<T>> {
    let source = SourceName::from("tidegate");
    match found {
        Ok(value) => Asked {
            known: vec![Fact { source, link: None, at: now, value, incomplete: Vec::new() }],
            unknown: Vec::new(),
        },
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "could not read locks and freezes");
            let unknown = Unknown { source, reason: "could not be read".to_owned(), at: now };
            Asked { known: Vec::new(), unknown: vec![unknown] }
        }
    }
}
