//! What is asked of a CalDAV server about a calendar: what changed in it, and entries by their address.

use std::ops::Range;
use std::sync::Arc;

use reqwest::StatusCode;
use tokio::time::Instant;
use url::Url;

use super::discovery::with_slash;
use super::kept::{Kept, Listed, parse};
use super::multistatus::{self, Multistatus};
use super::{CalDav, Collection, Reads, State};
use crate::clock::{DAY, Time};
use crate::message::tame;
use crate::source::CannotSay;
use crate::source::ics::{Calendar, Limits};
use crate::source::rest::{Asked, Body, Failed, Received, refused, says};

/// The most pages of changes that are asked for in one go.
const MOST_PAGES: usize = 50;
/// What is read before and after the stretch that is asked for, so that the next question can be answered from it.
const MARGIN: i64 = 7 * DAY;

/// Why a calendar's changes were not told.
enum Stopped {
    /// They are not told at all, or are too many: by stretches of time, then.
    NotByChanges,
    Failed(Failed),
}

impl From<Failed> for Stopped {
    fn from(failed: Failed) -> Stopped {
        Stopped::Failed(failed)
    }
}

impl CalDav {
    /// Brings what is kept up to date, as far as that goes until then, and gives it as one calendar. What is left to do is
    /// noted in it, and done at the next question.
    pub(super) async fn refresh(
        &self,
        state: &mut State,
        range: &Range<Time>,
        until: Instant,
    ) -> Result<Arc<Calendar>, CannotSay> {
        if state.calendars.is_empty() || (state.is_folder && !state.is_behind()) {
            self.look(state).await?;
        }
        let now = self.clock.now();
        if !state.is_behind() || state.began.is_none_or(|began| now.since(began).abs() >= self.refresh) {
            state.calendars.iter_mut().for_each(|collection| collection.due = true);
            state.began = Some(now);
        }
        state.calendars.iter_mut().for_each(|collection| collection.due |= !collection.covers(range));
        for collection in state.calendars.iter_mut().filter(|collection| collection.due) {
            let read = match collection.reads {
                Reads::Changes => self.sync(collection, until).await,
                Reads::Stretch(_) => Err(Stopped::NotByChanges),
            };
            let read = match read {
                Err(Stopped::NotByChanges) => self.query(collection, range).await,
                Err(Stopped::Failed(failed)) => Err(failed),
                Ok(()) => Ok(()),
            };
            if let Err(failed) = read {
                // What was brought up to date before is as old as the rest by the next question.
                state.began = None;
                // It may have been moved or replaced: the next question looks again.
                if failed == Failed::Missing {
                    state.calendars.clear();
                }
                return Err(failed.into());
            }
            collection.due = !collection.kept.is_whole();
            if Instant::now() >= until {
                break;
            }
        }
        let limits = Limits::default();
        let mut together = Calendar::none(&limits);
        if state.elsewhere > 0 {
            together
                .note(format!("Calendars that are said to be on another host and were not read: {}.", state.elsewhere));
        }
        for name in &state.missing {
            together.note(format!("There is no calendar of the name “{}”.", tame(name, 80)));
        }
        for collection in &state.calendars {
            let (calendars, problems) = collection.kept.holds();
            calendars.for_each(|calendar| together.add(calendar));
            problems.into_iter().for_each(|problem| together.note(problem));
        }
        let waiting = state.calendars.iter().filter(|collection| collection.due && collection.kept.is_whole()).count();
        if waiting > 0 {
            together.note(format!("Calendars that have not been asked for changes yet: {waiting}."));
        }
        Ok(Arc::new(together))
    }

    /// Asks what changed since the last time, and fetches that; a part of it at least, and no further part after `until`.
    async fn sync(&self, collection: &mut Collection, until: Instant) -> Result<(), Stopped> {
        let Collection { at, kept, .. } = collection;
        if kept.token.is_none() {
            kept.begin();
        }
        for page in 0.. {
            if page == MOST_PAGES {
                return Err(Stopped::NotByChanges);
            }
            let token = kept.token.as_deref().map(multistatus::escaped).unwrap_or_default();
            let text = format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?><d:sync-collection xmlns:d=\"DAV:\"><d:sync-token>{token}\
                 </d:sync-token><d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>"
            );
            // The depth of this report is the sync level (RFC 6578, 3.2).
            let received = self.send(at, "REPORT", "0", text).await?;
            let body = String::from_utf8_lossy(&received.body);
            match received.status.as_u16() {
                207 => {}
                400 | 403 | 409 | 410 | 412 if kept.token.is_some() => {
                    if !multistatus::says_token_is_gone(&body) && received.status != StatusCode::GONE {
                        return Err(refused(received.status, &received.headers).into());
                    }
                    kept.begin();
                    continue;
                }
                400 | 403 | 405 | 415 | 501 => return Err(Stopped::NotByChanges),
                _ => return Err(refused(received.status, &received.headers).into()),
            }
            let answer = multistatus::read(&body).ok_or_else(|| not_caldav(&body))?;
            match kept.listed(answer, at) {
                Listed::Whole => break,
                Listed::More if Instant::now() >= until => return Ok(()),
                Listed::More => {}
                Listed::TooMany => return Err(Stopped::NotByChanges),
            }
        }
        loop {
            let asked = kept.next();
            if asked.is_empty() {
                return Ok(());
            }
            let hrefs: String =
                asked.iter().map(|place| format!("<d:href>{}</d:href>", multistatus::escaped(place))).collect();
            let text = format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?><c:calendar-multiget xmlns:d=\"DAV:\" \
                 xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><d:prop><d:getetag/><c:calendar-data/></d:prop>{hrefs}\
                 </c:calendar-multiget>"
            );
            let answer = self.multistatus(at, "REPORT", "1", text).await?;
            let home = at.clone();
            let read = tokio::task::spawn_blocking(move || parse(answer, &home, &Limits::default())).await;
            kept.fetched(&asked, read.map_err(|_| says("sent entries that could not be read"))?);
            if Instant::now() >= until {
                return Ok(());
            }
        }
    }

    /// Asks for a stretch of time; the server picks what may take place in it.
    async fn query(&self, collection: &mut Collection, range: &Range<Time>) -> Result<(), Failed> {
        let stretch = range.start.plus(-MARGIN)..range.end.plus(MARGIN);
        let moment = |time: Time| time.utc().format("%Y%m%dT%H%M%SZ").to_string();
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><c:calendar-query xmlns:d=\"DAV:\" \
             xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><d:prop><d:getetag/><c:calendar-data/></d:prop><c:filter>\
             <c:comp-filter name=\"VCALENDAR\"><c:comp-filter name=\"VEVENT\"><c:time-range start=\"{}\" end=\"{}\"/>\
             </c:comp-filter></c:comp-filter></c:filter></c:calendar-query>",
            moment(stretch.start),
            moment(stretch.end)
        );
        let answer = self.multistatus(&collection.at, "REPORT", "1", text).await?;
        let cut = answer.responses.iter().any(|response| response.status == Some(507));
        let home = collection.at.clone();
        let read = tokio::task::spawn_blocking(move || parse(answer, &home, &Limits::default())).await;
        collection.kept = Kept::found(read.map_err(|_| says("sent entries that could not be read"))?, cut);
        collection.reads = Reads::Stretch(Some(stretch));
        Ok(())
    }

    pub(super) async fn multistatus(
        &self,
        at: &Url,
        method: &'static str,
        depth: &'static str,
        text: String,
    ) -> Result<Multistatus, Failed> {
        read(&*self.send(at, method, depth, text).await?)
    }

    pub(super) async fn send(
        &self,
        at: &Url,
        method: &'static str,
        depth: &'static str,
        text: String,
    ) -> Result<Arc<Received>, Failed> {
        let asked = Asked { at: Some(at), body: Some(Body::Xml { method, depth, text }), ..Asked::default() };
        self.reader(at)?.send(asked).await
    }
}

impl Collection {
    /// Whether what was read of it tells of the stretch of time.
    pub(super) fn covers(&self, range: &Range<Time>) -> bool {
        match &self.reads {
            Reads::Changes => true,
            Reads::Stretch(read) => {
                read.as_ref().is_some_and(|read| read.start <= range.start && range.end <= read.end)
            }
        }
    }

    pub(super) fn new(at: Url, can_sync: bool) -> Collection {
        let reads = if can_sync { Reads::Changes } else { Reads::Stretch(None) };
        Collection { at: with_slash(at), kept: Kept::default(), reads, due: true }
    }
}

/// An answer about many resources, or why it is none.
pub(super) fn read(received: &Received) -> Result<Multistatus, Failed> {
    let body = String::from_utf8_lossy(&received.body);
    match received.status {
        StatusCode::MULTI_STATUS => multistatus::read(&body).ok_or_else(|| not_caldav(&body)),
        status if status.is_success() => Err(not_caldav(&body)),
        status => Err(refused(status, &received.headers)),
    }
}

fn not_caldav(body: &str) -> Failed {
    let start: String = body.trim_start().chars().take(9).collect::<String>().to_ascii_lowercase();
    if start.starts_with("<!doctype") || start.starts_with("<html") {
        says("answered with a web page instead of data")
    } else {
        says("answered with something that is not CalDAV's format")
    }
}
