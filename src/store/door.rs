//! Who is next at SQLite's one writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

/// Two queues before one writer: arrivals, which somebody waits for, stand at the inner one; everything else passes the
/// outer one first, so that at most one of it is ever ahead of an arrival. While arrivals keep coming, everything else
/// has a turn only now and then: what was acknowledged is safe, and can wait until the rush is over.
#[derive(Debug)]
pub struct Door {
    outer: Arc<Mutex<()>>,
    inner: Arc<Mutex<()>>,
    opened: Instant,
    /// When an arrival last had its turn, and when anything else had: microseconds after `opened`.
    arrival: AtomicU64,
    other: AtomicU64,
}

/// Arrivals closer together than this keep coming.
const RUSH: Duration = Duration::from_millis(2);
/// How often everything else has a turn meanwhile.
const NOW_AND_THEN: Duration = Duration::from_millis(15);

impl Default for Door {
    fn default() -> Door {
        Door {
            outer: Arc::default(),
            inner: Arc::default(),
            opened: Instant::now(),
            arrival: AtomicU64::new(0),
            other: AtomicU64::new(0),
        }
    }
}

impl Door {
    /// The very next turn: for what somebody waits to see acknowledged.
    pub async fn first(&self) -> Turn {
        let turn = Turn(self.inner.clone().lock_owned().await);
        self.arrival.store(self.now(), Ordering::Relaxed);
        turn
    }

    /// A turn behind arrivals.
    pub async fn later(&self) -> Turn {
        let _outer = self.outer.clone().lock_owned().await;
        let since = |when: &AtomicU64| Duration::from_micros(self.now().saturating_sub(when.load(Ordering::Relaxed)));
        while since(&self.arrival) < RUSH && since(&self.other) < NOW_AND_THEN {
            tokio::time::sleep(RUSH / 2).await;
        }
        let turn = Turn(self.inner.clone().lock_owned().await);
        self.other.store(self.now(), Ordering::Relaxed);
        turn
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// A turn at the writer, until it is dropped.
#[derive(Debug)]
pub struct Turn(#[allow(dead_code)] OwnedMutexGuard<()>);
