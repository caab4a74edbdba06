//! Deployments, incidents and on-call from files with one JSON object a line; `docs/jsonl.md` says what may stand in them.
//!
//! A file is streamed and only what concerns the question is kept. It is read again when its length or time of change
//! differs. A line that cannot be read is named and loses nothing but itself.

mod record;
mod stream;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::bail;
use futures::future::BoxFuture;
use serde::Deserialize;
use tokio::sync::Semaphore;

use self::record::Told;
use self::stream::{Lines, Unread};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::{Deployment, Incident, Shift};
use crate::name::{Environment, Service};

/// So many deployments are kept for one question, newest first.
const MOST_DEPLOYMENTS: usize = 5_000;
/// So many incidents or shifts are kept for one question.
const MOST_RECORDS: usize = 2_000;
/// So many answers about deployments are kept until their file changes.
const ANSWERS_KEPT: usize = 8;

/// Deployments, incidents and on-call from files with one JSON object a line. It answers what it has files for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    #[serde(default)]
    deployments: Option<PathBuf>,
    #[serde(default)]
    incidents: Option<PathBuf>,
    #[serde(default)]
    on_call: Option<PathBuf>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        let has = [
            (Question::Deployments, self.deployments.is_some()),
            (Question::Incidents, self.incidents.is_some()),
            (Question::OnCall, self.on_call.is_some()),
        ];
        has.into_iter().filter_map(|(question, has)| has.then_some(question)).collect()
    }

    fn keeps(&self) -> bool {
        false
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        if self.can_answer().is_empty() {
            bail!("it names no file: set `deployments`, `incidents` or `on-call`");
        }
        let at = |path: &Option<PathBuf>| path.as_ref().map(|path| opening.folder.join(path));
        let files = Files {
            deployments: at(&self.deployments),
            incidents: at(&self.incidents),
            on_call: at(&self.on_call),
            kept: Mutex::default(),
        };
        Ok(Arc::new(Jsonl { files: Arc::new(files), turn: Arc::new(Semaphore::new(1)), closed: Arc::default() }))
    }
}

#[derive(Debug)]
struct Jsonl {
    files: Arc<Files>,
    /// One file is read at a time.
    turn: Arc<Semaphore>,
    closed: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Files {
    deployments: Option<PathBuf>,
    incidents: Option<PathBuf>,
    on_call: Option<PathBuf>,
    kept: Mutex<Vec<Kept>>,
}

/// What was read of the deployments' file for one choice of services and environments.
#[derive(Clone, Debug)]
struct Kept {
    stamp: (u64, Option<SystemTime>),
    chosen: (BTreeSet<Service>, BTreeSet<Environment>),
    deployments: Arc<Vec<Deployment>>,
    incomplete: Vec<String>,
}

impl Source for Jsonl {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|_| CannotSay::because("was shut down"))?;
            let (files, ask, closed) = (Arc::clone(&self.files), ask.clone(), Arc::clone(&self.closed));
            let work = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                files.answer(&ask, &closed)
            });
            match work.await {
                Ok(answer) => answer,
                Err(_) => Err(CannotSay::because("failed inside Tidegate while it read the file")),
            }
        })
    }
}

/// A source that is closed holds nobody up.
impl Drop for Jsonl {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

impl Files {
    fn answer(&self, ask: &Ask, closed: &AtomicBool) -> Result<Answer, CannotSay> {
        let (learned, incomplete) = match ask.question {
            Question::Deployments => self.deployments(ask, closed)?,
            Question::Incidents => self.incidents(ask, closed)?,
            Question::OnCall => self.on_call(ask, closed)?,
            other => return Err(CannotSay::unasked(other)),
        };
        Ok(Answer { learned, at: ask.now, link: None, incomplete })
    }

    /// Deployments of the service and of what it needs, here and in the environment that comes before, up to now.
    fn deployments(&self, ask: &Ask, closed: &AtomicBool) -> Result<(Learned, Vec<String>), CannotSay> {
        let lines = open(self.deployments.as_deref(), closed)?;
        let stamp = lines.stamp();
        let chosen = (around(ask, false), environments(ask));
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept().iter().find(|kept| kept.stamp == stamp && kept.chosen == chosen).cloned();
        let read = match known {
            Some(known) => known,
            None => {
                let read = read_deployments(lines, stamp, chosen)?;
                let mut kept = kept();
                kept.retain(|old| old.stamp == stamp);
                if kept.len() >= ANSWERS_KEPT {
                    kept.remove(0);
                }
                kept.push(read.clone());
                read
            }
        };
        // Seen from an earlier moment (a replay, a clock that was set), what is later has not happened.
        let past = read.deployments.iter().filter(|deployment| deployment.at <= ask.now).cloned().collect();
        Ok((Learned::Deployments(past), read.incomplete))
    }

    /// Incidents of the service and its neighbours, or of nothing in particular, that were open in the time looked at.
    fn incidents(&self, ask: &Ask, closed: &AtomicBool) -> Result<(Learned, Vec<String>), CannotSay> {
        let mut lines = open(self.incidents.as_deref(), closed)?;
        let near = around(ask, true);
        let mut found: Vec<Incident> = Vec::new();
        let mut more = false;
        lines.each(|line| {
            let incident = record::incident(line)?;
            found.retain(|known| known.id != incident.id);
            let concerns =
                incident.services.is_empty() || incident.services.iter().any(|service| near.contains(service));
            let was_open = incident.opened <= ask.to && incident.resolved.is_none_or(|resolved| resolved >= ask.from);
            if concerns && was_open {
                found.push(incident);
                more |= drop_oldest(&mut found, MOST_RECORDS, |incident| incident.opened);
            }
            Ok(())
        })?;
        found.sort_by(|a, b| b.opened.cmp(&a.opened).then_with(|| a.id.cmp(&b.id)));
        Ok((Learned::Incidents(found), lines.incomplete(more.then_some(MOST_RECORDS))))
    }

    /// Shifts for the service, or for all, that overlap the time looked at.
    fn on_call(&self, ask: &Ask, closed: &AtomicBool) -> Result<(Learned, Vec<String>), CannotSay> {
        let mut lines = open(self.on_call.as_deref(), closed)?;
        let people = record::People::of(&ask.settings);
        let mut found: Vec<Shift> = Vec::new();
        let mut more = false;
        lines.each(|line| {
            let shift = record::shift(line, &people)?;
            let concerns = shift.service.as_ref().is_none_or(|service| *service == ask.service);
            if concerns && shift.start <= ask.to && shift.end.is_none_or(|end| end > ask.from) {
                found.push(shift);
                more |= drop_oldest(&mut found, MOST_RECORDS, |shift| shift.start);
            }
            Ok(())
        })?;
        found.sort_by(|a, b| (a.start, a.level, &a.person).cmp(&(b.start, b.level, &b.person)));
        Ok((Learned::OnCall(found), lines.incomplete(more.then_some(MOST_RECORDS))))
    }
}

/// The last line with an id says what became of it; the first one, when it began.
fn read_deployments(
    mut lines: Lines<'_>,
    stamp: (u64, Option<SystemTime>),
    chosen: (BTreeSet<Service>, BTreeSet<Environment>),
) -> Result<Kept, CannotSay> {
    let mut by_id: HashMap<String, Deployment> = HashMap::new();
    let mut more = false;
    lines.each(|line| {
        let mut deployment = match record::deployment(line)? {
            Told::Deployed(deployment) => *deployment,
            Told::Nothing(id) => {
                id.map(|id| by_id.remove(&id));
                return Ok(());
            }
        };
        if !chosen.0.contains(&deployment.service) || !chosen.1.contains(&deployment.environment) {
            return Ok(());
        }
        if let Some(known) = by_id.get(&deployment.id).filter(|known| known.at < deployment.at) {
            deployment.finished = deployment.finished.or(Some(deployment.at));
            deployment.at = known.at;
        }
        by_id.insert(deployment.id.clone(), deployment);
        if by_id.len() > 2 * MOST_DEPLOYMENTS {
            let mut newest = by_order_of_ids(std::mem::take(&mut by_id));
            more |= drop_oldest(&mut newest, MOST_DEPLOYMENTS, |deployment| deployment.at);
            by_id = newest.into_iter().map(|deployment| (deployment.id.clone(), deployment)).collect();
        }
        Ok(())
    })?;
    let mut found = by_order_of_ids(by_id);
    more |= drop_oldest(&mut found, MOST_DEPLOYMENTS, |deployment| deployment.at);
    found.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    let incomplete = lines.incomplete(more.then_some(MOST_DEPLOYMENTS));
    Ok(Kept { stamp, chosen, deployments: Arc::new(found), incomplete })
}

/// So that the same file always gives the same answer.
fn by_order_of_ids(deployments: HashMap<String, Deployment>) -> Vec<Deployment> {
    let mut deployments: Vec<Deployment> = deployments.into_values().collect();
    deployments.sort_by(|a, b| a.id.cmp(&b.id));
    deployments
}

/// Leaves the newest `most`; tells whether any had to go.
fn drop_oldest<T>(records: &mut Vec<T>, most: usize, at: impl Fn(&T) -> crate::clock::Time) -> bool {
    if records.len() <= most {
        return false;
    }
    records.sort_by_key(|record| std::cmp::Reverse(at(record)));
    records.truncate(most);
    true
}

fn open<'a>(path: Option<&Path>, closed: &'a AtomicBool) -> Result<Lines<'a>, CannotSay> {
    let path = path.ok_or_else(|| CannotSay::because("has no file for this question"))?;
    Lines::open(path, closed).map_err(|Unread(why)| CannotSay::because(why))
}

/// The service and what it needs, with those that need it where `both`.
fn around(ask: &Ask, both: bool) -> BTreeSet<Service> {
    let needs = ask.settings.service.get(&ask.service).map(|about| about.depends_on.as_slice()).unwrap_or_default();
    let mut near: BTreeSet<Service> = needs.iter().cloned().collect();
    near.insert(ask.service.clone());
    if both {
        let dependants = ask.settings.service.iter().filter(|(_, about)| about.depends_on.contains(&ask.service));
        near.extend(dependants.map(|(name, _)| name.clone()));
    }
    near
}

/// The environment, and the one in which a version must have run before.
fn environments(ask: &Ask) -> BTreeSet<Environment> {
    let before = ask.settings.environment.get(&ask.environment).and_then(|about| about.after.clone());
    before.into_iter().chain([ask.environment.clone()]).collect()
}

#[cfg(test)]
mod tests;
