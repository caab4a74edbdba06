//! A repository on disk: its versions, and what changed between two of them. It is only read, never fetched into.
//!
//! Work is done off the runtime's threads, at most two answers at a time, each with budgets of its own. What two commits
//! have between them never changes and is kept, also when it came too late for whoever asked; what a name means is looked
//! up each time.

mod change;
mod churn;
mod commit;
mod lines;
mod migration;
mod names;
mod notes;
mod objects;
mod owners;
mod packages;
mod range;
mod survey;
mod tree;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use gix::ObjectId;
use serde::Deserialize;
use tokio::sync::Semaphore;

pub use self::names::near_names;
pub use self::survey::{Author, Survey, survey};

use self::change::{Found as FoundChange, change};
use self::names::{Found, Peeled, Prefixes};
use self::objects::{Objects, Trouble};
use super::code::place::{Place, says_no_version, says_runs_elsewhere, tag_prefix};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::{Change, Direction, Version, Versions};
use crate::config::Settings;
use crate::message::{is_web, tame};
use crate::name::{Person, Service, SourceName};

/// So many answers are worked on at once, those that nobody waits for any more included.
const AT_ONCE: usize = 2;
/// So many changes are kept.
const CHANGES_KEPT: usize = 24;
/// So many names are resolved in one answer.
const MOST_NAMES: usize = 50;

/// A repository on disk, bare or not.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    path: PathBuf,
    /// A regular page of the repository, for links: `https://…/commit/{commit}`.
    #[serde(default)]
    link: Option<String>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Versions, Question::Change]
    }

    fn keeps(&self) -> bool {
        false
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        Ok(Arc::new(Git::of(self, opening)))
    }
}

#[derive(Debug)]
struct Git {
    name: SourceName,
    repository: Arc<Repository>,
    turns: Arc<Semaphore>,
    closed: Arc<AtomicBool>,
}

impl Git {
    fn of(keys: &Keys, opening: &Opening<'_>) -> Git {
        let repository = Repository {
            name: opening.settings.name.clone(),
            path: opening.folder.join(&keys.path),
            link: keys.link.clone(),
            peeled: Peeled::default(),
            changes: Mutex::default(),
        };
        Git {
            name: opening.settings.name.clone(),
            repository: Arc::new(repository),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            closed: Arc::default(),
        }
    }
}

#[derive(Debug)]
struct Repository {
    name: SourceName,
    path: PathBuf,
    link: Option<String>,
    peeled: Peeled,
    changes: Mutex<Vec<(ChangeKey, Arc<FoundChange>)>>,
}

/// What a change depends on: two commits, and what the settings say of the service's place.
type ChangeKey = (Option<ObjectId>, ObjectId, String);

impl Source for Git {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            let home = ask.settings.service.get(&ask.service).and_then(|about| about.repository.as_ref());
            if let Some(home) = home.filter(|home| **home != self.name) {
                return Err(CannotSay::because(format!("does not hold `{}`: `{home}` does", ask.service)));
            }
            let turn =
                Arc::clone(&self.turns).acquire_owned().await.map_err(|_| CannotSay::because("was shut down"))?;
            let (repository, ask, closed) = (Arc::clone(&self.repository), ask.clone(), Arc::clone(&self.closed));
            let work = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                repository.answer(&ask, &closed)
            });
            match work.await {
                Ok(answer) => answer.map_err(|trouble| CannotSay::because(trouble.to_string())),
                Err(_) => Err(CannotSay::because("failed inside Tidegate while it read the repository")),
            }
        })
    }
}

/// A source that is closed holds nobody up.
impl Drop for Git {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

impl Repository {
    fn answer(&self, ask: &Ask, closed: &AtomicBool) -> Result<Answer, Trouble> {
        let repository = self.open()?;
        let objects = Objects::new(&repository, closed)?;
        match ask.question {
            Question::Versions => self.versions(&objects, ask),
            Question::Change => self.change(&objects, ask),
            other => Err(Trouble::Says(CannotSay::unasked(other).0)),
        }
    }

    /// Opened anew for each answer, so that what a fetch brought is seen.
    fn open(&self) -> Result<gix::Repository, Trouble> {
        let path = self.path.display();
        if !self.path.is_dir() {
            return Err(Trouble::Says(format!("found no folder at `{path}`")));
        }
        opened(&self.path).map_err(|error| {
            tracing::warn!(source.name = %self.name, error = %error, "the git repository {path} cannot be opened");
            Trouble::Says(format!("found no git repository that can be read at `{path}`"))
        })
    }

    fn versions(&self, objects: &Objects<'_>, ask: &Ask) -> Result<Answer, Trouble> {
        let others = other_prefixes(&ask.settings, &ask.service);
        let prefixes = Prefixes { own: tag_prefix(&ask.settings, &ask.service), others: &others };
        let (known, mut incomplete) = names::known(objects, prefixes, &self.peeled)?;
        let mut resolved: Vec<(String, Option<String>)> = Vec::new();
        let mut link = None;
        for name in ask.version.iter().chain(&ask.names).take(MOST_NAMES) {
            if resolved.iter().any(|(known, _)| known == name) {
                continue;
            }
            let commit = match names::find(objects, name, prefixes, &mut incomplete)? {
                Found::Commit(id) => Some(id.to_string()),
                Found::Nothing => None,
                Found::Several(says) => {
                    incomplete.push(says);
                    None
                }
            };
            if ask.version.as_ref() == Some(name) {
                link = commit.as_deref().and_then(|commit| self.link_to(commit));
            }
            resolved.push((name.clone(), commit));
        }
        if objects.is_shallow() && known.is_empty() {
            incomplete.push("the clone is shallow and holds no tags".to_owned());
        }
        let learned = Learned::Versions(Versions { known, resolved });
        Ok(Answer { learned, at: ask.now, link, incomplete })
    }

    fn change(&self, objects: &Objects<'_>, ask: &Ask) -> Result<Answer, Trouble> {
        let others = other_prefixes(&ask.settings, &ask.service);
        let prefixes = Prefixes { own: tag_prefix(&ask.settings, &ask.service), others: &others };
        let Some(wanted) = ask.version.as_deref() else {
            return Err(Trouble::Says("was asked for a change without a version".to_owned()));
        };
        let mut incomplete = Vec::new();
        let head = match names::find(objects, wanted, prefixes, &mut incomplete)? {
            Found::Commit(id) => id,
            Found::Nothing => return Err(Trouble::Says(says_no_version(&tame(wanted, names::LONGEST_NAME)))),
            Found::Several(says) => return Err(Trouble::Says(format!("cannot tell which commit is meant: {says}"))),
        };
        let base = match ask.running.as_deref() {
            None => None,
            Some(running) => match names::find(objects, running, prefixes, &mut incomplete)? {
                Found::Commit(id) => Some(id),
                Found::Nothing => {
                    let running = tame(running, names::LONGEST_NAME);
                    incomplete.push(says_runs_elsewhere(&running));
                    None
                }
                Found::Several(says) => {
                    incomplete.push(format!("what runs now is not clear: {says}"));
                    None
                }
            },
        };
        let found = self.kept_change(objects, base, head, &Place::of(&ask.settings, &ask.service))?;
        let (mut change, unread) = (*found).clone();
        incomplete.extend(unread);
        name_versions(&mut change, wanted, ask.running.as_deref());
        name_authors(&mut change, &ask.settings);
        let link = self.link_to(&change.head.commit);
        Ok(Answer { learned: Learned::Change(Box::new(change)), at: ask.now, link, incomplete })
    }

    fn kept_change(
        &self,
        objects: &Objects<'_>,
        base: Option<ObjectId>,
        head: ObjectId,
        place: &Place,
    ) -> Result<Arc<FoundChange>, Trouble> {
        let key = (base, head, place.key.clone());
        let kept = || self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = kept().iter().find(|(known, _)| *known == key) {
            return Ok(Arc::clone(found));
        }
        let found = Arc::new(change(objects, base, head, place)?);
        // What a fetch may yet complete is not kept.
        if !objects.is_shallow() && (base.is_none() || found.0.direction != Direction::Unknown) {
            let mut changes = kept();
            if changes.len() >= CHANGES_KEPT {
                changes.remove(0);
            }
            changes.push((key, Arc::clone(&found)));
        }
        Ok(found)
    }

    fn link_to(&self, commit: &str) -> Option<String> {
        let link = self.link.as_ref()?.replace("{commit}", commit);
        is_web(&link).then_some(link)
    }
}

/// Opens a repository with limits. Only its own settings count: neither the machine's nor the environment's.
fn opened(path: &std::path::Path) -> Result<gix::Repository, gix::Error> {
    let limit = format!("gitoxide.objects.allocLimit={}", objects::LARGEST);
    let opened = gix::open::Options::isolated().config_overrides([limit]).open(path)?;
    Ok(opened.to_thread_local())
}

/// Prefixes of the other services in the same repository.
fn other_prefixes<'a>(settings: &'a Settings, service: &Service) -> Vec<&'a str> {
    let repository = settings.service.get(service).and_then(|about| about.repository.as_ref());
    let others =
        settings.service.iter().filter(|(name, about)| *name != service && about.repository.as_ref() == repository);
    others.filter_map(|(_, about)| about.tag_prefix.as_deref()).filter(|prefix| !prefix.is_empty()).collect()
}

/// Versions carry the names that people used for them.
fn name_versions(change: &mut Change, wanted: &str, running: Option<&str>) {
    let named = |version: &mut Version, name: &str| version.name = tame(name, names::LONGEST_NAME);
    named(&mut change.head, wanted);
    if let (Some(base), Some(running)) = (&mut change.base, running) {
        named(base, running);
    }
}

/// The people of ours behind the addresses.
fn name_authors(change: &mut Change, settings: &Settings) {
    let mut people: BTreeMap<String, &Person> = BTreeMap::new();
    for (person, about) in &settings.people {
        for email in &about.email {
            people.insert(email.to_lowercase(), person);
        }
    }
    for commit in &mut change.commits {
        commit.author = people.get(&commit.email.to_lowercase()).map(|person| (*person).clone());
    }
}

#[cfg(test)]
mod tests;
