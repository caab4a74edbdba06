//! The `caldav` source: calendars on a CalDAV server (RFC 4791), such as Radicale, Nextcloud, Fastmail or iCloud.
//!
//! What changed is asked for by sync (RFC 6578) and only that is fetched; a server that cannot tell what changed is asked
//! for the stretch of time instead. Recurrence is expanded here, as servers differ in it.

mod discovery;
mod kept;
mod multistatus;
mod sync;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use anyhow::bail;
use futures::future::BoxFuture;
use serde::Deserialize;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;
use url::Url;

use self::kept::Kept;
use super::calendar::Reading;
use super::ics::feed::Feed;
use super::rest::{Credential, Rest};
use super::{Answer, Ask, CannotSay, Kind, Opening, Question, Source};
use crate::advice::facts::Means;
use crate::clock::{Clock, MINUTE, Millis, SECOND, Time};
use crate::config::{Secret, Span};
use crate::name::Person;

/// How long what was read is taken as fresh without asking again.
const FRESH: Millis = 5 * MINUTE;

/// How long a request may take. Who asks waits less; what comes later is there for the next who ask.
const LONGEST: Duration = Duration::from_secs(30);

/// A calendar on a CalDAV server, a folder of them, or all of a user's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// The address of a calendar, of a folder whose calendars are all read, or of the server: then those of `user` are.
    url: Url,
    /// Of several calendars only these, by their names.
    #[serde(default)]
    calendars: Vec<String>,
    /// Other hosts on which the server may say that the calendars lie, as `host` or `host:port`. They are sent the
    /// credential.
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    user: Option<String>,
    /// The user's password; where the server has them, one for this application alone.
    #[serde(default)]
    password: Option<Secret>,
    /// In place of user and password.
    #[serde(default)]
    token: Option<Secret>,
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
        let credential = match (&self.user, &self.password, &self.token) {
            (None, None, None) => Credential::None,
            (None, None, Some(token)) => Credential::Bearer(token.clone()),
            (Some(user), Some(password), None) => Credential::Basic(user.clone(), password.clone()),
            _ => bail!("it signs in with `user` and `password`, or with `token` alone"),
        };
        let mut home = self.url.clone();
        home.set_query(None);
        home.set_fragment(None);
        // Passwords have a key of their own.
        if !home.username().is_empty() || home.password().is_some() {
            bail!("`url` holds a user or password: they belong into `user` and `password`");
        }
        let home = discovery::with_slash(home);
        let patient = Opening { patience: opening.patience.max(LONGEST), ..*opening };
        Ok(Arc::new(Shared(Arc::new(CalDav {
            rest: Arc::new(
                Rest::open(&patient, "CalDAV", &home, credential)?.header("accept", "application/xml, text/xml;q=0.9"),
            ),
            others: StdMutex::default(),
            home,
            names: self.calendars.clone(),
            hosts: self.hosts.clone(),
            reading: Reading::of(opening.settings, self.means, self.person.as_ref()),
            refresh: self.refresh.map_or(FRESH, |span| span.ms().max(SECOND)),
            clock: opening.clock.clone(),
            patience: opening.patience,
            state: Arc::default(),
        }))))
    }
}

struct CalDav {
    rest: Arc<Rest>,
    /// Readers of the other hosts to which the server led.
    others: StdMutex<Vec<Arc<Rest>>>,
    /// The address of the settings, with a slash at its end.
    home: Url,
    names: Vec<String>,
    hosts: Vec<String>,
    reading: Reading,
    refresh: Millis,
    clock: Clock,
    patience: Duration,
    /// One asks, the others wait for it.
    state: Arc<Mutex<State>>,
}

/// What is known of the server.
#[derive(Debug, Default)]
struct State {
    feed: Feed,
    calendars: Vec<Collection>,
    /// Whether the address is no calendar itself: others may come and go.
    is_folder: bool,
    /// Where the user's calendars lie, where that was asked.
    homes: Vec<Url>,
    /// Names of the settings that no calendar has.
    missing: Vec<String>,
    /// When the round began in which every calendar is asked for changes.
    began: Option<Time>,
    /// How many calendars of a folder are said to be on another host.
    elsewhere: usize,
}

/// One calendar of the server.
#[derive(Debug)]
struct Collection {
    at: Url,
    kept: Kept,
    reads: Reads,
    /// Whether this round has not brought it up to date.
    due: bool,
}

/// How a calendar is read.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reads {
    /// By what changed.
    Changes,
    /// By stretches of time; the last one that was read.
    Stretch(Option<Range<Time>>),
}

impl fmt::Debug for CalDav {
    /// Without the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CalDav").field("reading", &self.reading).finish_non_exhaustive()
    }
}

/// The source: what is known is shared with the reading that goes on while nobody waits.
#[derive(Debug)]
struct Shared(Arc<CalDav>);

impl Source for Shared {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            let (now, range) = (self.0.clock.now(), ask.from..ask.to);
            // Half of the time is left for the last request that was begun, and for reading.
            let until = Instant::now() + self.0.patience / 2;
            let state = Arc::clone(&self.0.state).lock_owned().await;
            let feed = if state.is_fresh(&range, now, self.0.refresh) {
                state.feed.clone()
            } else {
                let dav = Arc::clone(&self.0);
                // On its own, so that what was begun comes to its end when the caller loses patience: else the first listing
                // of a large calendar might begin again with each question.
                match tokio::spawn(async move { dav.brought_up_to_date(state, range, now, until).await }).await {
                    Ok(feed) => feed?,
                    Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
                    Err(_) => return Err(CannotSay::because("was stopped before it answered")),
                }
            };
            self.0.reading.expanded(ask, vec![feed], now).await
        })
    }
}

impl CalDav {
    /// What is known after it was asked for changes. What was taken in before a failure is there the next time.
    async fn brought_up_to_date(
        &self,
        mut state: OwnedMutexGuard<State>,
        range: Range<Time>,
        now: Time,
        until: Instant,
    ) -> Result<Feed, CannotSay> {
        match self.refresh(&mut state, &range, until).await {
            Ok(calendar) => state.feed = state.feed.current(calendar, now),
            Err(why) if state.feed.calendar.is_none() => return Err(why),
            Err(why) => state.feed = state.feed.troubled(format!("The server {why}."), now),
        }
        Ok(state.feed.clone())
    }
}

impl State {
    /// Whether a round was begun and has not come to its end.
    fn is_behind(&self) -> bool {
        self.calendars.iter().any(|collection| collection.due)
    }

    fn is_fresh(&self, range: &Range<Time>, now: Time, refresh: Millis) -> bool {
        self.feed.trouble.is_none()
            && !self.is_behind()
            && self.feed.fetched_at.is_some_and(|at| now.since(at).abs() < refresh)
            && self.calendars.iter().all(|collection| collection.covers(range))
    }
}
