//! The `ics` source: calendars from files, folders or addresses, read by [`super::ics`] and kept fresh.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::ics::feed::{Feed, refresh, reread};
use super::ics::{Limits, Occurrence};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::{CalendarEvent, Means, Shift};
use crate::clock::{Clock, MINUTE, Millis, SECOND, Time};
use crate::config::{Secret, Settings, Span};
use crate::message::tame;
use crate::name::{Environment, Person, Service};

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
        let from = if self.from.starts_with("http://") || self.from.starts_with("https://") {
            let timeout = opening.settings.timeout.map_or(PATIENCE, Span::std);
            // The address is the settings' own, so it may be on a private network.
            let client = crate::http::trusted(timeout)?;
            let mut url: url::Url = self.from.parse()?;
            if let Some(token) = &self.token {
                let token = token.reveal(opening.folder).map_err(anyhow::Error::msg)?;
                url.query_pairs_mut().append_pair("token", token.expose_secret());
            }
            From::Address { client, url: url.into() }
        } else {
            From::Path(opening.folder.join(self.from.strip_prefix("file://").unwrap_or(&self.from)))
        };
        let settings = opening.settings;
        Ok(Arc::new(Calendars {
            services: settings.services.clone(),
            environments: settings.environments.clone(),
            from,
            means: self.means,
            person: self.person.clone(),
            refresh: self.refresh.map_or(FRESH, |r| r.ms().max(SECOND)),
            clock: opening.clock.clone(),
            feeds: Mutex::default(),
        }))
    }
}

/// Calendars that mean one thing: freezes, launches, a rotation.
#[derive(Debug)]
struct Calendars {
    services: Vec<Service>,
    environments: Vec<Environment>,
    from: From,
    means: Option<Means>,
    person: Option<Person>,
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

    fn event(&self, occurrence: &Occurrence, settings: &Settings) -> CalendarEvent {
        let entry = &occurrence.entry;
        let summary = tame(entry.summary.as_deref().unwrap_or("(without a title)"), 120);
        let words = format!("{} {}", summary, entry.categories.join(" ")).to_lowercase();
        let mut means = self.means.unwrap_or_else(|| meaning(&words, self.person.is_some()));
        if entry.transparent && matches!(means, Means::Meeting) {
            means = Means::Other;
        }
        let all = format!("{words} {}", entry.description.as_deref().unwrap_or_default().to_lowercase());
        let services = match self.services.as_slice() {
            // An entry that names services of ours concerns those.
            [] => settings.service.keys().filter(|s| names(&all, s.as_str())).cloned().collect(),
            own => own.to_vec(),
        };
        CalendarEvent {
            uid: tame(&entry.uid, 200),
            start: occurrence.start,
            end: occurrence.end,
            all_day: occurrence.all_day,
            summary,
            means,
            services,
            environments: self.environments.clone(),
            owner: entry.organizer.as_deref().map(|o| tame(o, 80)),
            person: self.person.clone(),
        }
    }

    fn shift(&self, occurrence: &Occurrence, settings: &Settings) -> Shift {
        let title = tame(occurrence.entry.summary.as_deref().unwrap_or_default(), 120);
        Shift {
            person: called(&title, settings),
            service: self.services.first().filter(|_| self.services.len() == 1).cloned(),
            start: occurrence.start,
            end: Some(occurrence.end),
            level: 1,
        }
    }
}

impl Source for Calendars {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            let now = self.clock.now();
            let zone = ask.settings.team.zone;
            let feeds = self.current(now).await?;
            let (mut found, mut incomplete, mut at) = (Vec::new(), Vec::new(), now);
            let mut readable = false;
            for feed in feeds {
                readable |= feed.calendar.is_some();
                at = at.min(feed.fetched_at.unwrap_or(now));
                let range = ask.from..ask.to;
                let expansion = tokio::task::spawn_blocking(move || feed.expand(range, zone)).await;
                let expansion = expansion.map_err(|_| CannotSay::because("could not be expanded"))?;
                found.extend(expansion.occurrences);
                incomplete.extend(expansion.incomplete);
            }
            if !readable {
                let why = incomplete.first().cloned().unwrap_or_else(|| "holds no calendar".to_owned());
                return Err(CannotSay::because(format!(
                    "could not be read: {}",
                    why.trim_start_matches("It could not be read: ").trim_end_matches('.')
                )));
            }
            let taking = found.iter().filter(|o| !o.entry.is_cancelled() && o.end > o.start);
            let learned = match ask.question {
                Question::OnCall => Learned::OnCall(taking.map(|o| self.shift(o, &ask.settings)).collect()),
                _ => Learned::Calendar(taking.map(|o| self.event(o, &ask.settings)).collect()),
            };
            incomplete.truncate(20);
            Ok(Answer { learned, at, link: None, incomplete })
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

/// What an entry means by its words, where its calendar does not say.
fn meaning(words: &str, of_person: bool) -> Means {
    const WORDS: &[(&[&str], Means)] = &[
        (&["freeze", "code freeze", "no deploy", "change stop", "moratorium"], Means::Freeze),
        (&["out of office", "ooo", "vacation", "holiday leave", "sick", "pto", "away"], Means::OutOfOffice),
        (&["launch", "go-live", "go live", "release party"], Means::Launch),
        (&["campaign", "sale", "promotion", "black friday", "newsletter"], Means::Campaign),
        (&["demo"], Means::Demo),
        (&["training"], Means::Training),
        (
            &[
                "public holiday",
                "bank holiday",
                "thanksgiving",
                "christmas",
                "new year",
                "independence day",
                "labor day",
                "memorial day",
            ],
            Means::Holiday,
        ),
        (&["quarter end", "quarter-end", "end of quarter", "quarter close", "books close"], Means::QuarterEnd),
        (&["maintenance"], Means::Maintenance),
    ];
    let hit = WORDS.iter().find(|(list, _)| list.iter().any(|word| names(words, word)));
    match hit {
        Some((_, means)) => *means,
        None if of_person => Means::Meeting,
        None => Means::Other,
    }
}

/// Whether a text holds a word or phrase as such, not as a part of a longer word.
fn names(text: &str, word: &str) -> bool {
    let word = word.to_lowercase();
    text.match_indices(&word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
        !inside(before) && !inside(after)
    })
}

/// The person whom a rotation's entry names: `On call: Lin`, `lin@harbor.example`, `Lin Park (primary)`.
fn called(title: &str, settings: &Settings) -> Person {
    let lower = title.to_lowercase();
    let is_meant = |name: &Person, p: &crate::config::PersonSettings| {
        p.on_call.iter().any(|alias| names(&lower, alias))
            || p.email.iter().any(|email| lower.contains(&email.to_lowercase()))
            || p.name.as_ref().is_some_and(|full| names(&lower, full))
            || names(&lower, name.as_str())
    };
    match settings.people.iter().find(|(name, p)| is_meant(name, p)) {
        Some((name, _)) => name.clone(),
        None => Person::new(title.rsplit(':').next().unwrap_or(title).trim()),
    }
}

/// What `tidegate calendar` shows of a file or an address.
pub async fn look(
    from: &str,
    range: std::ops::Range<Time>,
    zone: chrono_tz::Tz,
    now: Time,
) -> anyhow::Result<super::ics::Expansion> {
    let limits = Limits::default();
    let feed = if from.starts_with("http://") || from.starts_with("https://") {
        let client = crate::http::trusted(std::time::Duration::from_secs(20))?;
        refresh(&client, from, &Feed::default(), &limits, now).await
    } else {
        let path = PathBuf::from(from);
        tokio::task::spawn_blocking(move || reread(&path, &Feed::default(), &limits, now)).await?
    };
    let expansion = tokio::task::spawn_blocking(move || feed.expand(range, zone)).await?;
    Ok(expansion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_an_entry_means() {
        assert_eq!(meaning("q4 code freeze", false), Means::Freeze);
        assert_eq!(meaning("wholesale report", false), Means::Other);
        assert_eq!(meaning("autumn sale", false), Means::Campaign);
        assert_eq!(meaning("1:1", true), Means::Meeting);
    }
}
