//! The `caldav` source: calendars on a CalDAV server (RFC 4791), such as Radicale, Nextcloud, Fastmail or iCloud.
//!
//! What changed is asked for by sync (RFC 6578) and only that is fetched; a server that cannot tell what changed is asked
//! for the stretch of time instead. Recurrence is expanded here, as servers differ in it.

mod kept;
mod multistatus;
mod sync;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use serde::Deserialize;
use tokio::sync::Mutex;
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

/// A calendar on a CalDAV server, or a folder of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// The address of a calendar, or of a folder whose calendars are all read.
    url: Url,
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
        if !home.path().ends_with('/') {
            let path = format!("{}/", home.path());
            home.set_path(&path);
        }
        Ok(Arc::new(CalDav {
            rest: Rest::open(opening, "CalDAV", &home, credential)?.header("accept", "application/xml, text/xml;q=0.9"),
            home,
            reading: Reading::of(opening.settings, self.means, self.person.as_ref()),
            refresh: self.refresh.map_or(FRESH, |span| span.ms().max(SECOND)),
            clock: opening.clock.clone(),
            state: Mutex::default(),
        }))
    }
}

struct CalDav {
    rest: Rest,
    /// The address of the settings, with a slash at its end.
    home: Url,
    reading: Reading,
    refresh: Millis,
    clock: Clock,
    /// One asks, the others wait for it.
    state: Mutex<State>,
}

/// What is known of the server.
#[derive(Debug, Default)]
struct State {
    feed: Feed,
    calendars: Vec<Collection>,
    /// Whether the address is that of a folder, whose calendars may come and go.
    is_folder: bool,
    /// How many calendars of a folder are said to be on another host.
    elsewhere: usize,
}

/// One calendar of the server.
#[derive(Debug)]
struct Collection {
    at: Url,
    kept: Kept,
    reads: Reads,
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

impl Source for CalDav {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            let now = self.clock.now();
            let range = ask.from..ask.to;
            let mut state = self.state.lock().await;
            if !state.is_fresh(&range, now, self.refresh) {
                // Whatever was taken in before a failure, or before the caller lost patience, is there the next time.
                match self.refresh(&mut state, &range).await {
                    Ok(calendar) => state.feed = state.feed.current(calendar, now),
                    Err(why) if state.feed.calendar.is_none() => return Err(why),
                    Err(why) => state.feed = state.feed.troubled(format!("The server {why}."), now),
                }
            }
            let feed = state.feed.clone();
            drop(state);
            self.reading.expanded(ask, vec![feed], now).await
        })
    }
}

impl State {
    fn is_fresh(&self, range: &Range<Time>, now: Time, refresh: Millis) -> bool {
        let covers = |collection: &Collection| match &collection.reads {
            Reads::Changes => true,
            Reads::Stretch(read) => {
                read.as_ref().is_some_and(|read| read.start <= range.start && range.end <= read.end)
            }
        };
        self.feed.trouble.is_none()
            && self.feed.fetched_at.is_some_and(|at| now.since(at).abs() < refresh)
            && self.calendars.iter().all(covers)
    }
}
