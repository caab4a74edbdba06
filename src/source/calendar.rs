//! The `ics` source: calendars from files, folders or addresses, read by [`super::ics`] and kept fresh.

mod reading;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use secrecy::ExposeSecret;
use serde::Deserialize;

pub use self::reading::Reading;
use super::ics::Limits;
use super::ics::feed::{Feed, refresh, reread};
use super::{Answer, Ask, CannotSay, Kind, Opening, Question, Source};
use crate::advice::facts::Means;
use crate::clock::{Clock, MINUTE, Millis, SECOND, Time};
use crate::config::{Secret, Span};
use crate::message::is_web;
use crate::name::Person;

/// How long an address is taken as fresh without asking again.
const FRESH: Millis = 5 * MINUTE;

/// How long an address is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most files that a folder of calendars may have.
const MOST_FILES: usize = 200;

/// Calendars: files or addresses.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// A file, a folder of files, or an http(s) address.
    from: String,
    /// What its entries mean; without it their words decide.
    #[serde(default)]
    means: Option<Means>,
    /// Whose calendar it is, for entries that take a person's time.
    #[serde(default)]
    person: Option<Person>,
    /// On-call rotations are calendars too: each entry's title names who is called.
    #[serde(default)]
    on_call: bool,
    #[serde(default)]
    refresh: Option<Span>,
    #[serde(default)]
    token: Option<Secret>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![if self.on_call { Question::OnCall } else { Question::Calendar }]
    }

    fn keeps(&self) -> bool {
        false
    }

    fn whose(&self) -> Option<&Person> {
        self.person.as_ref()
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        let from = if is_web(&self.from) {
            let timeout = opening.settings.timeout.map_or(PATIENCE, Span::std);
            // The address is the settings' own, so it may be on a private network.
            let client = opening.clients.trusted(timeout)?;
            let mut url: url::Url = self.from.parse()?;
            if let Some(token) = &self.token {
                let token = token.reveal(opening.folder).map_err(anyhow::Error::msg)?;
                url.query_pairs_mut().append_pair("token", token.expose_secret());
            }
            From::Address { client, url: url.into() }
        } else {
            From::Path(opening.folder.join(self.from.strip_prefix("file://").unwrap_or(&self.from)))
        };
        Ok(Arc::new(Calendars {
            reading: Reading::of(opening.settings, self.means, self.person.as_ref()),
            from,
            refresh: self.refresh.map_or(FRESH, |r| r.ms().max(SECOND)),
            clock: opening.clock.clone(),
            feeds: Mutex::default(),
        }))
    }
}

/// Calendars that mean one thing: freezes, launches, a rotation.
#[derive(Debug)]
struct Calendars {
    reading: Reading,
    from: From,
    refresh: Millis,
    clock: Clock,
    feeds: Mutex<BTreeMap<PathBuf, Feed>>,
}

#[derive(Debug)]
enum From {
    Path(PathBuf),
    Address { client: reqwest::Client, url: String },
}

impl Calendars {
    fn known(&self, path: &Path) -> Feed {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned().unwrap_or_default()
    }

    fn keep(&self, path: PathBuf, feed: Feed) {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner).insert(path, feed);
    }

    /// Every feed as it is now: files looked at again, an address asked again when it is no longer fresh.
    async fn current(&self, now: Time) -> Result<Vec<Feed>, CannotSay> {
        let limits = Limits::default();
        match &self.from {
            From::Address { client, url } => {
                let key = PathBuf::new();
                let mut feed = self.known(&key);
                let fresh =
                    feed.trouble.is_none() && feed.fetched_at.is_some_and(|at| now.since(at).abs() < self.refresh);
                if !fresh {
                    feed = refresh(client, url, &feed, &limits, now).await;
                    self.keep(key, feed.clone());
                }
                Ok(vec![feed])
            }
            From::Path(path) => {
                let files = files_of(path)?;
                let mut feeds = Vec::new();
                for file in files {
                    let (before, limits, path) = (self.known(&file), limits.clone(), file.clone());
                    let read = tokio::task::spawn_blocking(move || reread(&path, &before, &limits, now)).await;
                    let feed = read.map_err(|_| CannotSay::because("could not be read"))?;
                    self.keep(file, feed.clone());
                    feeds.push(feed);
                }
                Ok(feeds)
            }
        }
    }
}

impl Source for Calendars {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            let now = self.clock.now();
            let feeds = self.current(now).await?;
            self.reading.expanded(ask, feeds, now).await
        })
    }
}

fn files_of(path: &Path) -> Result<Vec<PathBuf>, CannotSay> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let entries =
        std::fs::read_dir(path).map_err(|why| CannotSay::because(format!("could not be listed ({})", why.kind())))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|file| file.extension().is_some_and(|e| e.eq_ignore_ascii_case("ics")))
        .collect();
    files.sort();
    files.truncate(MOST_FILES);
    if files.is_empty() {
        return Err(CannotSay::because("is a folder without .ics files"));
    }
    Ok(files)
}

/// What `tidegate calendar` shows of a file or an address.
pub async fn look(
    from: &str,
    range: std::ops::Range<Time>,
    zone: chrono_tz::Tz,
    now: Time,
) -> anyhow::Result<super::ics::Expansion> {
    let limits = Limits::default();
    let feed = if is_web(from) {
        let client = crate::http::trusted(std::time::Duration::from_secs(20))?;
        refresh(&client, from, &Feed::default(), &limits, now).await
    } else {
        let path = PathBuf::from(from);
        tokio::task::spawn_blocking(move || reread(&path, &Feed::default(), &limits, now)).await?
    };
    let expansion = tokio::task::spawn_blocking(move || feed.expand(range, zone)).await?;
    Ok(expansion)
}
