//! What happens to locks, freezes, queues and wishes by itself. Nothing is remembered between two looks but what is stored,
//! so a look too many or too late changes nothing.

use super::queue::{self, earliest};
use super::{End, act, tell, wish};
use crate::app::App;
use crate::clock::Time;
use crate::event::Due;
use crate::store::{Claim, Tx};
use crate::wording;

/// Looks at everything that holds, moves what is due, and sets the next look.
pub async fn due(app: &App, claim: &Claim) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let locks = locks(app, &mut tx).await?;
    let freezes = freezes(app, &mut tx).await?;
    let queues = queue::look(app, &mut tx).await?;
    wish::grant(app, &mut tx).await?;
    let next = earliest(earliest(locks, freezes), queues);
    // What was stirred on the way was looked at on the way.
    match next {
        Some(at) => tx.due(&Due::Holds, at.max(now.plus(1))).await?,
        None => tx.no_longer_due(&Due::Holds).await?,
    }
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// Locks that ran out end; the owners of those that soon will are asked.
async fn locks(app: &App, tx: &mut Tx) -> anyhow::Result<Option<Time>> {
    let settings = app.settings();
    let mut next = None;
    for mut row in tx.locks().await? {
        if !row.lock.stands(tx.now) {
            act::end(app, tx, &mut row, End::Expired, None).await?;
            continue;
        }
        let asks = row.lock.asks_at(&settings.hold);
        if row.asked.is_none() && asks <= tx.now {
            row.asked = Some(tx.now);
            tx.update_lock(&row).await?;
            let says = wording::hold::still_needed(&row.lock, &settings, tx.now);
            tell::person(app, tx, (&row.platform, &row.channel), &row.lock.owner, says).await?;
        }
        next = earliest(next, Some(if row.asked.is_some() { row.lock.until } else { asks }));
    }
    Ok(next)
}

/// Freezes that begin or end are said to the plans that wait, and those are looked at anew.
async fn freezes(app: &App, tx: &mut Tx) -> anyhow::Result<Option<Time>> {
    let settings = app.settings();
    let now = tx.now;
    let mut next = None;
    for row in tx.freezes().await? {
        let (id, scope) = (row.freeze.entry.uid.clone(), row.freeze.scope());
        if row.freeze.entry.end <= now {
            tx.freeze_ended(&id).await?;
            let says = wording::hold::freeze_over(&row, None, None);
            tell::channel(tx, (&row.platform, &row.channel), format!("freeze:{id}"), says.clone()).await?;
            tell::plans(app, tx, &scope, None, true, |_| says.clone()).await?;
            continue;
        }
        if row.begun.is_none() && row.freeze.entry.start <= now {
            tx.freeze_begun(&id).await?;
            tell::plans(app, tx, &scope, None, true, |_| wording::hold::freeze_begins(&row, &settings, now)).await?;
        }
        let begun = row.freeze.entry.start <= now;
        next = earliest(next, Some(if begun { row.freeze.entry.end } else { row.freeze.entry.start }));
    }
    Ok(next)
}
