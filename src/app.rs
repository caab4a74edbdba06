//! What is built once, and the current settings: a snapshot that a reload replaces whole.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use tokio::sync::{Notify, watch};

use crate::chat::Chat;
use crate::clock::Clock;
use crate::config::Settings;
use crate::ledger::Signer;
use crate::source::Source;
use crate::store::Store;
use crate::work::Inbox;

/// The program as it runs. Clones share everything.
#[derive(Clone, Debug)]
pub struct App {
    pub store: Store,
    pub clock: Clock,
    pub inbox: Inbox,
    pub signer: Arc<Signer>,
    pub data: PathBuf,
    /// What `try` lets people do to the sample world; None in `serve`.
    pub world: Option<Arc<crate::cli::sample::World>>,
    settings: Arc<RwLock<Arc<Settings>>>,
    sources: Arc<RwLock<Vec<Arc<dyn Source>>>>,
    chats: Arc<BTreeMap<&'static str, Arc<dyn Chat>>>,
    wake: Arc<Notify>,
    stop: Arc<watch::Sender<bool>>,
}

impl App {
    pub fn new(
        store: Store,
        clock: Clock,
        settings: Settings,
        sources: Vec<Arc<dyn Source>>,
        signer: Signer,
        data: PathBuf,
    ) -> App {
        let wake = Arc::new(Notify::new());
        let arrived = wake.clone();
        let inbox = Inbox::open(store.clone(), clock.clone(), move || arrived.notify_waiters());
        let console: Arc<dyn Chat> = Arc::new(crate::chat::console::Console::new(store.clone(), clock.clone()));
        App {
            inbox,
            signer: Arc::new(signer),
            data,
            world: None,
            settings: Arc::new(RwLock::new(Arc::new(settings))),
            sources: Arc::new(RwLock::new(sources)),
            chats: Arc::new(BTreeMap::from([(console.platform(), console)])),
            wake,
            stop: Arc::new(watch::channel(false).0),
            store,
            clock,
        }
    }

    /// The settings as they are now; hold the snapshot for the length of one decision.
    pub fn settings(&self) -> Arc<Settings> {
        // A poisoned lock only means that a reader panicked; the snapshot behind it is whole.
        self.settings.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub fn sources(&self) -> Vec<Arc<dyn Source>> {
        self.sources.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Replaces settings and sources whole.
    pub fn reload(&self, settings: Settings, sources: Vec<Arc<dyn Source>>) {
        *self.settings.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(settings);
        *self.sources.write().unwrap_or_else(std::sync::PoisonError::into_inner) = sources;
    }

    pub fn chat(&self, platform: &str) -> anyhow::Result<&Arc<dyn Chat>> {
        self.chats.get(platform).ok_or_else(|| anyhow::anyhow!("the chat `{platform}` is not set up"))
    }

    /// Where messages go that belong to no platform's own conversation.
    pub fn main_platform(&self) -> &'static str {
        self.chats.keys().next().copied().unwrap_or("console")
    }

    /// Wakes the workers and whoever waits for news.
    pub fn wake(&self) {
        self.wake.notify_waiters();
    }

    /// Resolves at the next [`App::wake`] after this call, not after the first poll.
    pub fn woken(&self) -> impl Future<Output = ()> + use<> {
        let wake = self.wake.clone();
        let mut notified = Box::pin(wake.clone().notified_owned());
        notified.as_mut().enable();
        notified
    }

    pub fn stop(&self) {
        self.stop.send_replace(true);
        self.wake();
    }

    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Resolves when the program is told to stop.
    pub async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // The sender lives in `self`, so this ends only when it is told to.
        let _ = stop.wait_for(|stopping| *stopping).await;
    }
}
