//! A pretend Slack on loopback: the Web API, Socket Mode, a workspace with its people. It believes nothing that the vendor's
//! own description of a method or of Block Kit does not allow; what it would refuse fails the story when it ends.

mod act;
mod blocks;
mod contract;
mod methods;
mod play;
mod shape;
pub mod signed;
mod socket;
mod tests;
pub mod world;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use world::World;

pub use play::Play;

pub const BOT_TOKEN: &str = "xoxb-of-the-story";
pub const APP_TOKEN: &str = "xapp-of-the-story";
pub const SIGNING_SECRET: &str = "the-signing-secret-of-the-story";

/// How long anything may take before a story says that it did not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// What happens to the next requests of a method.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// 429 with so many seconds in `Retry-After`.
    Limited(u64),
    Status(u16),
    /// An error of Slack's, in an answer with status 200.
    Error(&'static str),
    /// It is done, and the answer never comes.
    LostAnswer,
}

#[derive(Debug)]
pub struct Slack {
    /// What `[chat.slack] api` is set to.
    pub api: String,
    pub shared: Arc<Shared>,
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

    pub fn tell(&self) {
        self.changed.notify_all();
    }

    /// Waits until something holds in the world.
    pub fn until<T>(&self, what: &str, mut holds: impl FnMut(&mut World) -> Option<T>) -> T {
        let began = Instant::now();
        let mut world = self.world();
        loop {
            if let Some(found) = holds(&mut world) {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: not in {PATIENCE:?}; {:#?}", world.requests);
            let waited = self.changed.wait_timeout(world, Duration::from_millis(50));
            world = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Slack {
    /// Opens a server and a socket on ports that the system chooses.
    pub fn open() -> Slack {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let bound = || {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(true).unwrap();
            listener
        };
        let (http, socket) = (bound(), bound());
        let address = format!("http://{}", http.local_addr().unwrap());
        let world = World::new(&address, &format!("ws://{}", socket.local_addr().unwrap()));
        let shared = Arc::new(Shared { world: Mutex::new(world), changed: Condvar::new() });
        let of = shared.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let http = tokio::net::TcpListener::from_std(http).unwrap();
                let socket = tokio::net::TcpListener::from_std(socket).unwrap();
                let router = axum::Router::new().fallback(methods::answer).with_state(of.clone());
                tokio::spawn(socket::listen(socket, of));
                tokio::select! {
                    served = std::future::IntoFuture::into_future(axum::serve(http, router)) => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Slack { api: format!("{address}/api/"), shared, stop: Some(stop) }
    }

    /// Plans a fault for the next requests of this method.
    pub fn plans(&self, method: &str, fault: Fault, times: usize) {
        self.shared.world().faults.push((method.to_owned(), fault, times));
    }

    /// How often a method was called.
    pub fn asked(&self, method: &str) -> usize {
        self.shared.world().requests.iter().filter(|(m, ..)| m == method).count()
    }

    /// What Slack would have refused.
    pub fn complaints(&self) -> Vec<String> {
        self.shared.world().violations.clone()
    }
}

impl Drop for Slack {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}
