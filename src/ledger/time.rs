//! What the record's times are worth: they are the machine's clock, which is compared with the database's and with the
//! time that passed. A clock that jumps or differs by more than the limit is put on record, and so is its return.

use serde_json::json;

use super::Statement;
use crate::app::App;
use crate::clock::Millis;

/// How far the clock is ahead of the database's; None where the store is a file on this machine and has no clock of its own.
pub async fn drift(app: &App) -> anyhow::Result<Option<Millis>> {
    Ok(app.store.clock().await?.map(|theirs| app.clock.machine().since(theirs)))
}

/// Looks at the clock, and records where it jumped, began to differ or agrees again.
pub async fn look(app: &App) -> anyhow::Result<()> {
    let limit = app.settings().ledger.clock_drift.ms();
    let jumped = app.clock.jumped();
    if jumped.saturating_abs() > limit {
        tracing::warn!(clock.jumped_ms = jumped, "the clock jumped: it was set, or this machine slept");
        record(app, "jumped", jumped, "the time that passed", limit).await?;
    }
    let Some(off) = drift(app).await? else { return Ok(()) };
    match app.clock.judged(off, limit) {
        None => Ok(()),
        Some(true) => {
            tracing::error!(
                clock.drift_ms = off,
                "the clock differs from the database's: set right whichever is wrong"
            );
            record(app, "differs", off, "database", limit).await
        }
        Some(false) => record(app, "agrees", off, "database", limit).await,
    }
}

async fn record(app: &App, what: &str, off: Millis, against: &str, limit: Millis) -> anyhow::Result<()> {
    let statement = Statement::new("clock.drifted").by_system("clock").verdict(what);
    let mut tx = app.store.begin(app.clock.now()).await?;
    tx.record(app, statement.with("drift_ms", off).with("against", against).with("limit_ms", limit)).await?;
    tx.commit().await
}

/// What the entry of a start says about the clock.
pub async fn at_start(app: &App) -> anyhow::Result<serde_json::Value> {
    let source = if app.clock.is_moved() { "moved for trying" } else { "system" };
    Ok(match drift(app).await? {
        Some(ms) => json!({ "source": source, "against": "database", "drift_ms": ms }),
        None => json!({ "source": source, "against": "nothing" }),
    })
}
