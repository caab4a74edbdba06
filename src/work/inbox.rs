//! Where events arrive: stored in groups, durable before anyone is answered.

use tokio::sync::{mpsc, oneshot};

use crate::clock::{Clock, Time};
use crate::event::Event;
use crate::name::new_id;
use crate::store::Store;
use crate::store::work::{Kind, NewWork};

/// How many arrivals are stored by one statement at most.
const GROUP: usize = 64;

type Arrival = (NewWork, oneshot::Sender<Result<(), String>>);

/// Stores events; clones share one writer, which commits whatever has arrived while the last commit was under way.
#[derive(Clone, Debug)]
pub struct Inbox {
    to_writer: mpsc::Sender<Arrival>,
    clock: Clock,
}

impl Inbox {
    pub fn open(store: Store, clock: Clock, arrived: impl Fn() + Send + 'static) -> Inbox {
        let (to_writer, mut arrivals) = mpsc::channel::<Arrival>(1024);
        let writer_clock = clock.clone();
        tokio::spawn(async move {
            let mut group: Vec<Arrival> = Vec::with_capacity(GROUP);
            while arrivals.recv_many(&mut group, GROUP).await > 0 {
                let (work, waiting): (Vec<NewWork>, Vec<_>) = group.drain(..).unzip();
                let result = store.arrive(&work, writer_clock.now()).await.map_err(|error| format!("{error:#}"));
                for answer in waiting {
                    // Whoever waited may be gone; what arrived is stored all the same.
                    let _ = answer.send(result.clone());
                }
                arrived();
            }
        });
        Inbox { to_writer, clock }
    }

    /// Stores an event and returns its id once it is durable. `key` is the sender's own id of the delivery: the same key
    /// again is the same event. Events of one `lane` are handled in order.
    pub async fn put(&self, event: &Event, lane: &str, key: Option<String>) -> anyhow::Result<String> {
        let now: Time = self.clock.now();
        let id = new_id(now);
        let work = NewWork {
            key: key.unwrap_or_else(|| format!("event:{id}")),
            id: id.clone(),
            kind: Kind::Arrival,
            lane: lane.to_owned(),
            run_at: now,
            body: serde_json::to_string(event)?,
        };
        let (answer, stored) = oneshot::channel();
        self.to_writer.send((work, answer)).await.map_err(|_| anyhow::anyhow!("the store is closed"))?;
        stored.await?.map_err(|error| anyhow::anyhow!(error))?;
        Ok(id)
    }
}
