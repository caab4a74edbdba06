//! What is built once, and the current settings: a snapshot that a reload replaces whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, RwLock};

use tokio::sync::{Notify, watch};

use crate::chat::Chat;
use crate::clock::{Clock, Time};
use crate::config::Settings;
use crate::ledger::Signer;
use crate::name::{Channel, Person, PlanId, Role};
use crate::people::account::Link;
use crate::people::team::Teams;
use crate::source::Opened;
use crate::store::Store;
use crate::work::Inbox;

/// The settings as they were read, what the platforms add to them, and both together as everybody sees them.
#[derive(Debug)]
struct Known {
    read: Arc<Settings>,
    /// Roles that a platform's groups give, by platform and person.
    told: BTreeMap<&'static str, BTreeMap<Person, BTreeSet<Role>>>,
    /// Accounts that are people's by a link, and the newest entry about one.
    links: Arc<Vec<Link>>,
    links_as_of: i64,
    /// Who is in the teams of code hosts.
    teams: BTreeMap<String, BTreeSet<Person>>,
    whole: Arc<Settings>,
}

/// Where things are said that belong to no conversation.
#[derive(Clone, Debug)]
pub struct Home {
    pub platform: String,
    pub channel: Channel,
}

/// The program as it runs. Clones share everything.
#[derive(Clone, Debug)]
pub struct App {
    pub store: Store,
    pub clock: Clock,
    pub inbox: Inbox,
    pub(crate) gate: crate::gate::Lines,
    pub signer: Arc<Signer>,
    pub data: PathBuf,
    /// What `try` lets people do to the sample world; None in `serve`.
    pub world: Option<Arc<crate::cli::sample::World>>,
    settings: Arc<RwLock<Known>>,
    sources: Arc<RwLock<Vec<Arc<Opened>>>>,
    chats: Arc<BTreeMap<&'static str, Arc<dyn Chat>>>,
    /// What code hosts said of their teams.
    pub teams: Arc<Teams>,
    /// When each plan's words were last compared with its card.
    pub(crate) read_back: Arc<Mutex<BTreeMap<PlanId, Time>>>,
    wake: Arc<Notify>,
    stop: Arc<watch::Sender<bool>>,
}

impl App {
    pub fn new(
        store: Store,
        clock: Clock,
        settings: Settings,
        sources: Vec<Arc<Opened>>,
        signer: Signer,
        data: PathBuf,
    ) -> App {
        let wake = Arc::new(Notify::new());
        let arrived = wake.clone();
        let inbox = Inbox::open(store.clone(), clock.clone(), move || arrived.notify_waiters());
        let console: Arc<dyn Chat> = Arc::new(crate::chat::console::Console::new(store.clone(), clock.clone()));
        App {
            inbox,
            gate: crate::gate::Lines::open(),
            signer: Arc::new(signer),
            data,
            world: None,
            settings: Arc::new(RwLock::new(Known::new(settings))),
            sources: Arc::new(RwLock::new(sources)),
            chats: Arc::new(BTreeMap::from([(console.platform(), console)])),
            teams: Arc::default(),
            read_back: Arc::default(),
            wake,
            stop: Arc::new(watch::channel(false).0),
            store,
            clock,
        }
    }

    /// The settings as they are now; hold the snapshot for the length of one decision.
    pub fn settings(&self) -> Arc<Settings> {
        // A poisoned lock only means that a reader panicked; the snapshot behind it is whole.
        self.settings.read().unwrap_or_else(std::sync::PoisonError::into_inner).whole.clone()
    }

    pub fn sources(&self) -> Vec<Arc<Opened>> {
        self.sources.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Replaces settings and sources whole.
    pub fn reload(&self, settings: Settings, sources: Vec<Arc<Opened>>) {
        let mut known = self.settings.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.read = Arc::new(settings);
        known.join();
        drop(known);
        *self.sources.write().unwrap_or_else(std::sync::PoisonError::into_inner) = sources;
    }

    /// Replaces the roles that a platform's groups give to people.
    pub fn told_roles(&self, platform: &'static str, roles: BTreeMap<Person, BTreeSet<Role>>) {
        let mut known = self.settings.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.told.get(platform) != Some(&roles) {
            known.told.insert(platform, roles);
            known.join();
        }
    }

    /// Replaces the links, read when `as_of` was the newest entry about one.
    pub fn linked(&self, links: Vec<Link>, as_of: i64) {
        let mut known = self.settings.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.links_as_of = as_of;
        if *known.links != links {
            known.links = Arc::new(links);
            known.join();
        }
    }

    /// Replaces what the teams of code hosts give: roles, and who is in those that own code.
    pub fn told_teams(&self, roles: BTreeMap<Person, BTreeSet<Role>>, teams: BTreeMap<String, BTreeSet<Person>>) {
        let mut known = self.settings.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.told.get("teams") != Some(&roles) || known.teams != teams {
            known.told.insert("teams", roles);
            known.teams = teams;
            known.join();
        }
    }

    pub fn links(&self) -> Arc<Vec<Link>> {
        self.settings.read().unwrap_or_else(std::sync::PoisonError::into_inner).links.clone()
    }

    pub fn links_as_of(&self) -> i64 {
        self.settings.read().unwrap_or_else(std::sync::PoisonError::into_inner).links_as_of
    }

    /// The settings alone, without what platforms and links add.
    pub fn settings_as_read(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(std::sync::PoisonError::into_inner).read.clone()
    }

    /// The same program with these chats beside the console.
    pub fn with_chats(mut self, chats: Vec<Arc<dyn Chat>>) -> App {
        let mut all = (*self.chats).clone();
        all.extend(chats.into_iter().map(|chat| (chat.platform(), chat)));
        self.chats = Arc::new(all);
        self
    }

    pub fn chats(&self) -> impl Iterator<Item = &Arc<dyn Chat>> {
        self.chats.values()
    }

    pub fn chat(&self, platform: &str) -> anyhow::Result<&Arc<dyn Chat>> {
        self.chats.get(platform).ok_or_else(|| anyhow::anyhow!("the chat `{platform}` is not set up"))
    }

    /// Where things are said that belong to no conversation: on a production platform where there is one.
    pub fn home(&self) -> Home {
        let settings = self.settings();
        let found = ["slack", "discord"]
            .into_iter()
            .find_map(|platform| Some((platform, self.chats.get(platform)?.home(&settings)?)));
        let (platform, channel) = found.unwrap_or_else(|| ("console", settings.chat.channel.clone()));
        Home { platform: platform.to_owned(), channel }
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

impl Known {
    fn new(settings: Settings) -> Known {
        let read = Arc::new(settings);
        let told = BTreeMap::new();
        Known { whole: read.clone(), read, told, teams: BTreeMap::new(), links: Arc::default(), links_as_of: 0 }
    }

    /// Groups add roles, and links accounts; what the settings give stays.
    fn join(&mut self) {
        let mut whole = (*self.read).clone();
        for link in self.links.iter().filter(|link| link.holds(&self.read)) {
            let Some(known) = whole.people.get_mut(&link.person) else { continue };
            match link.account.platform.as_str() {
                "slack" => known.slack.push(link.account.user.clone()),
                "discord" => known.discord.push(link.account.user.clone()),
                _ => {}
            }
        }
        for (person, roles) in self.told.values().flatten() {
            let Some(known) = whole.people.get_mut(person) else { continue };
            let new: Vec<Role> = roles.iter().filter(|role| !known.roles.contains(role)).cloned().collect();
            known.roles.extend(new);
        }
        whole.teams.clone_from(&self.teams);
        self.whole = Arc::new(whole);
    }
}
