//! What makes a restart harmless: inbox, outbox, leases, due work.
//!
//! Arrivals are stored before they are acknowledged ([`Inbox`]); a fixed number of workers claim what may run, in order
//! within a lane; a handler's whole effect is the transaction that finishes its claim. A process that dies leaves leases
//! that run out; one that is asked to stop finishes what it holds and gives the rest back.

mod inbox;
mod outbox;

use std::time::Duration;

use crate::app::App;
use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND, Time};
use crate::event::{Due, Event};
use crate::name::new_id;
use crate::store::work::{Kind, NewWork, TakenOver};
use crate::store::{Claim, Tx};

pub use inbox::Inbox;
pub use outbox::Send;

/// How long a worker may be silent about a piece of work before another may take it over: what a replica that died held
/// is taken up this much later.
const LEASE: Millis = 20 * SECOND;

/// How often a worker says that it is still at it.
const RENEWAL: Duration = Duration::from_secs(5);

/// How many pieces of work are worked on at once; most of them wait for a network.
const WORKERS: usize = 8;

/// After so many failures a piece of work is put aside, where people can see it.
const MOST_ATTEMPTS: i64 = 12;

/// What a person must mend is tried again for about a day, at most so long apart.
const MENDING: Millis = 15 * MINUTE;
const MOST_MENDINGS: i64 = 100;

/// Starts the workers; they end when `app.stopping` is set, after finishing what they hold.
pub fn start(app: &App) -> tokio::task::JoinSet<()> {
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..WORKERS {
        workers.spawn(work(app.clone()));
    }
    workers
}

async fn work(app: App) {
    while !app.is_stopping() {
        let woken = app.woken();
        match app.store.claim(app.clock.now(), LEASE).await {
            Ok(Some(claim)) => tokio::select! {
                () = attend(&app, &claim) => {}
                () = keep(&app, &claim) => {}
            },
            Ok(None) => wait(&app, woken).await,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "could not look for work");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Waits until something arrives, falls due or is told to stop. Other replicas' arrivals are found within a second.
async fn wait(app: &App, woken: impl Future<Output = ()>) {
    let next = app.store.next_work().await.ok().flatten();
    let now = app.clock.now();
    // What is due but not claimable waits behind its lane; whoever finishes the lane wakes the others.
    let until = next.filter(|at| *at > now).unwrap_or_else(|| now.plus(SECOND)).min(now.plus(5 * SECOND));
    tokio::select! {
        () = woken => {}
        () = app.clock.sleep_until(until) => {}
        () = app.stopped() => {}
    }
}

/// Renews the lease for as long as it is polled.
async fn keep(app: &App, claim: &Claim) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        if let Err(error) = app.store.renew(claim, app.clock.now(), LEASE).await {
            tracing::warn!(work.id = claim.id, error = format!("{error:#}"), "could not renew a lease");
        }
    }
}

/// Works on one claim, and says what became of it.
async fn attend(app: &App, claim: &Claim) {
    let result = match claim.kind {
        Kind::Send => outbox::deliver(app, claim).await,
        Kind::Arrival | Kind::Due => match serde_json::from_str::<Event>(&claim.body) {
            Ok(event) => {
                // A handler that panics must not take the worker with it, nor lose the event.
                let app = app.clone();
                let held = claim.clone();
                match tokio::spawn(async move { crate::event::dispatch(&app, event, &held).await }).await {
                    Ok(result) => result,
                    Err(panic) => Err(anyhow::anyhow!("the handler broke off: {panic}")),
                }
            }
            Err(error) => Err(anyhow::Error::new(error).context("a stored event does not read")),
        },
    };
    if let Err(error) = result
        && !error.is::<TakenOver>()
    {
        give_back(app, claim, &error).await;
    }
    app.wake();
}

/// Sets a failed piece of work to be tried again, later each time, or aside after many times.
async fn give_back(app: &App, claim: &Claim, error: &anyhow::Error) {
    let says = format!("{error:#}");
    let now = app.clock.now();
    let again = match error.downcast_ref::<outbox::DeliveryError>() {
        Some(outbox::DeliveryError::Never(_)) => None,
        Some(outbox::DeliveryError::After(wait, _)) => Some(now.plus(*wait)),
        Some(outbox::DeliveryError::Blocked(_)) if claim.attempts >= MOST_MENDINGS => None,
        Some(outbox::DeliveryError::Blocked(_)) => {
            // Said aloud once; it stays in the log of warnings until it is mended.
            if claim.attempts == 1 {
                tracing::error!(work.key = claim.key, error = says, "waits until this is mended");
            }
            Some(now.plus((MINUTE << (claim.attempts - 1).clamp(0, 4)).min(MENDING)))
        }
        None if claim.attempts >= MOST_ATTEMPTS => None,
        None => Some(now.plus(backoff(claim.attempts))),
    };
    match again {
        Some(_) => {
            tracing::warn!(work.id = claim.id, work.attempts = claim.attempts, error = says, "will be tried again")
        }
        None => tracing::error!(work.id = claim.id, work.key = claim.key, error = says, "was put aside"),
    }
    if let Err(error) = app.store.retry(claim, &says, again, now).await {
        tracing::error!(
            work.id = claim.id,
            error = format!("{error:#}"),
            "could not give work back; its lease will run out"
        );
    }
}

/// Full jitter up to a second doubled with each attempt, at most five minutes.
fn backoff(attempts: i64) -> Millis {
    let most = (SECOND << attempts.clamp(0, 9)).min(5 * MINUTE);
    let mut random = [0u8; 4];
    // Without randomness the wait is the longest; nothing else depends on it.
    let _ = getrandom::fill(&mut random);
    (most / 4).saturating_add(i64::from(u32::from_be_bytes(random)) % (most * 3 / 4))
}

impl Tx {
    /// Sets `due` for `at`; the same thing again moves it.
    pub async fn due(&mut self, due: &Due, at: Time) -> anyhow::Result<()> {
        let work = NewWork {
            id: new_id(self.now),
            kind: Kind::Due,
            lane: due.lane(),
            key: due.key(),
            run_at: at,
            body: serde_json::to_string(&Event::Due { due: due.clone() })?,
        };
        self.set_due(&work).await
    }

    /// Brings `due` forward to `at`, where it is set for later and nobody is at it.
    pub async fn sooner(&mut self, due: &Due, at: Time) -> anyhow::Result<()> {
        self.bring_forward(&due.key(), at).await
    }

    /// Takes `due` off the list.
    pub async fn no_longer_due(&mut self, due: &Due) -> anyhow::Result<()> {
        self.unset_due(&due.key()).await
    }

    /// Puts a message into the outbox.
    pub async fn send(&mut self, send: &Send) -> anyhow::Result<()> {
        let id = new_id(self.now);
        let work = NewWork {
            key: format!("send:{id}"),
            id,
            kind: Kind::Send,
            lane: send.lane(),
            run_at: self.now,
            body: serde_json::to_string(send)?,
        };
        self.add_work(&work).await
    }
}

/// Forgets work done a month ago: longer than any sender delivers again; and texts beside the record whose time is over.
pub async fn sweep(app: &App, claim: &Claim) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    tx.due(&Due::Sweep, now.plus(6 * HOUR)).await?;
    tx.commit().await?;
    crate::ledger::retain(app).await?;
    app.store.forget_done(now.plus(-30 * DAY)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_bounded() {
        for attempts in 0..40 {
            let wait = backoff(attempts);
            assert!(wait > 0 && wait <= 5 * MINUTE, "{attempts}: {wait}");
        }
    }
}
