//! "Tell me when it is free": a wish, and when it comes true.

use super::{Scope, tell};
use crate::app::App;
use crate::clock::Time;
use crate::command::whisper;
use crate::config::Settings;
use crate::event::{Due, From};
use crate::name::{Person, new_id};
use crate::people;
use crate::plan::State;
use crate::store::hold::{FreezeRow, LockRow, Wish};
use crate::store::plan::PlanRow;
use crate::store::{Claim, Tx};
use crate::wording;

/// Somebody wants to be told once nothing holds this any more.
pub async fn wish(app: &App, claim: &Claim, from: &From, of: &str) -> anyhow::Result<()> {
    let settings = app.settings();
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let person = people::behind(&settings, &from.platform, &from.user);
    // A button of a service or environment that the settings no longer know.
    let (Some(person), Ok(scope)) = (person, Scope::read(of, &settings)) else { return tx.commit().await };
    let held = is_held_now(&mut tx, &scope, &person, &settings).await?;
    if held {
        let wish = Wish {
            id: new_id(now),
            scope: scope.clone(),
            person,
            platform: from.platform.clone(),
            user: from.user.clone(),
            channel: from.channel.clone(),
        };
        tx.add_wish(&wish).await?;
        // What ends by itself is looked at when it does.
        tx.due(&Due::Holds, now).await?;
    }
    whisper(&mut tx, from, None, wording::hold::wished(&scope, held)).await?;
    tx.commit().await
}

/// Tells those whose wish came true.
pub async fn grant(app: &App, tx: &mut Tx) -> anyhow::Result<()> {
    let settings = app.settings();
    for wish in tx.wishes().await? {
        if is_held_now(tx, &wish.scope, &wish.person, &settings).await? {
            continue;
        }
        tx.wish_told(&wish.id).await?;
        let says = wording::hold::free(&wish.scope, &settings);
        tell::person(app, tx, (&wish.platform, &wish.channel), &wish.person, says).await?;
    }
    Ok(())
}

/// A plan began, ended or was approved: whoever waits for its target or stands in its queue may be next.
pub async fn stir(tx: &mut Tx, row: &PlanRow, settings: &Settings) -> anyhow::Result<()> {
    let queue = settings.environment.get(&row.plan.environment).is_some_and(|environment| environment.queue);
    if queue || !row.state.waits() && !tx.wishes().await?.is_empty() {
        tx.due(&Due::Holds, tx.now).await?;
    }
    Ok(())
}

/// The same in this transaction; and whether a deployment of it is under way.
pub async fn is_held_now(tx: &mut Tx, scope: &Scope, person: &Person, settings: &Settings) -> anyhow::Result<bool> {
    let (locks, freezes) = (tx.locks().await?, tx.freezes().await?);
    if is_held(&locks, &freezes, scope, person, tx.now) {
        return Ok(true);
    }
    let moves = |row: &&PlanRow| {
        let queue = settings.environment.get(&row.plan.environment).is_some_and(|environment| environment.queue);
        let target = Scope::target(&row.plan.service, &row.plan.environment);
        row.state == State::Started
            && (target == *scope || queue && scope.environment.as_ref() == Some(&row.plan.environment))
    };
    for row in tx.open_plans().await?.iter().filter(moves) {
        if super::queue::is_under_way(tx, row, settings).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a lock of somebody else, or a freeze in force, holds all of a scope.
pub fn is_held(locks: &[LockRow], freezes: &[FreezeRow], scope: &Scope, person: &Person, now: Time) -> bool {
    locks.iter().any(|row| row.lock.owner != *person && row.lock.stands(now) && row.lock.scope.contains(scope))
        || freezes.iter().any(|row| row.freeze.holds(now) && row.freeze.scope().contains(scope))
}
