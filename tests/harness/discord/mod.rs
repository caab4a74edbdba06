//! A pretend Discord on loopback: HTTP, a gateway, a server with its people. It believes nothing that the vendor's own
//! description of the API does not allow; what it would refuse fails the story when it ends.

mod act;
mod answered;
mod contract;
pub mod fault;
pub mod gateway;
mod limits;
mod people;
mod play;
mod rest;
mod shape;
mod tests;
mod typed;
pub mod world;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fault::{Fault, Planned};
use world::World;

pub use play::Play;

pub const TOKEN: &str = "a-token-of-the-story";

/// How long anything may take before a story says that it did not come.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct Discord {
    /// What `[chat.discord] api` is set to.
    pub api: String,
    pub shared: Arc<Shared>,
    /// Whether people wait for the answer to what they did.
    waits: AtomicBool,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

/// The world, and word of its changes.
#[derive(Debug)]
pub struct Shared {
    world: Mutex<World>,
    changed: Condvar,
}

impl Shared {
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something holds in the world.
    pub fn until(&self, what: &str, mut holds: impl FnMut(&mut World) -> bool) {
        let began = Instant::now();
        let mut world = self.world();
        while !holds(&mut world) {
            assert!(began.elapsed() < PATIENCE, "{what}: not in {PATIENCE:?}; {:#?}", world.requests);
            let waited = self.changed.wait_timeout(world, Duration::from_millis(100));
            world = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Discord {
    /// Opens a server and a gateway on ports that the system chooses.
    pub fn open() -> Discord {
        let shared = Arc::new(Shared { world: Mutex::new(World::new(TOKEN)), changed: Condvar::new() });
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let bound = || {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(true).unwrap();
            listener
        };
        let (http, socket) = (bound(), bound());
        let api = format!("http://{}/", http.local_addr().unwrap());
        shared.world().gateway = format!("ws://{}", socket.local_addr().unwrap());
        let of = shared.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let http = tokio::net::TcpListener::from_std(http).unwrap();
                let socket = tokio::net::TcpListener::from_std(socket).unwrap();
                let router = axum::Router::new().fallback(rest::answer).with_state(of.clone());
                tokio::spawn(gateway::listen(socket, of));
                tokio::select! {
                    served = std::future::IntoFuture::into_future(axum::serve(http, router)) => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Discord { api, shared, waits: AtomicBool::new(true), stop: Some(stop) }
    }

    /// Waits until the bot is connected and has registered its commands.
    pub fn is_joined(&self) {
        self.shared.until("the bot is there", |world| world.all_heard() && !world.commands.is_empty());
    }

    /// Waits until the bot has heard everything that it was told.
    pub fn is_heard(&self) {
        self.shared.until("the bot is connected", |world| world.is_connected());
        self.shared.world().ask_for_heartbeats();
        let mut asked = Instant::now();
        self.shared.until("the bot has heard everything", |world| {
            if asked.elapsed() > Duration::from_secs(1) {
                world.ask_for_heartbeats();
                asked = Instant::now();
            }
            world.all_heard()
        });
    }

    /// Plans a fault for the next requests of this method whose path contains `path`.
    pub fn plans(&self, method: &'static str, path: &str, fault: Fault, times: usize) {
        self.shared.world().faults.push(Planned { method, path: path.to_owned(), fault, times });
    }

    /// Whether people wait for the answers to what they do; not while answers are kept from them.
    pub fn people_wait(&self, waits: bool) {
        self.waits.store(waits, Ordering::Relaxed);
    }

    /// How many requests of this method asked for a path that contains `path`.
    pub fn asked(&self, method: &str, path: &str) -> usize {
        self.shared.world().requests.iter().filter(|(m, p, _)| m == method && p.contains(path)).count()
    }

    /// What Discord would have refused, and what people were left waiting for, if they wait for long.
    pub fn complaints(&self) -> Vec<String> {
        let began = Instant::now();
        while !self.shared.world().unanswered().is_empty() && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
        let world = self.shared.world();
        world.violations.iter().cloned().chain(world.unanswered()).collect()
    }
}

impl Drop for Discord {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}
