//! What is asked of a CalDAV server: which calendars there are, what changed in them, and entries by their address.
//!
//! Every request goes to the server of the settings: an address that it names elsewhere is not asked.

use std::ops::Range;
use std::sync::Arc;

use reqwest::StatusCode;
use url::Url;

use super::kept::{Kept, Listed, parse};
use super::multistatus::{self, Multistatus, Response};
use super::{CalDav, Collection, Reads, State};
use crate::clock::{DAY, Time};
use crate::source::CannotSay;
use crate::source::ics::{Calendar, Limits};
use crate::source::rest::{Asked, Body, Failed, Received, refused, says};

/// The most calendars of a folder that are read.
const MOST_CALENDARS: usize = 50;
/// The most pages of changes that are asked for in one go.
const MOST_PAGES: usize = 50;
/// What is read before and after the stretch that is asked for, so that the next question can be answered from it.
const MARGIN: i64 = 7 * DAY;

const LOOK: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
    <d:propfind xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><d:prop><d:resourcetype/>\
    <d:supported-report-set/><c:supported-calendar-component-set/></d:prop></d:propfind>";

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
    /// Brings what is kept up to date, and gives it as one calendar.
    pub(super) async fn refresh(&self, state: &mut State, range: &Range<Time>) -> Result<Arc<Calendar>, CannotSay> {
        if state.calendars.is_empty() || state.is_folder {
            self.look(state).await?;
        }
        for collection in &mut state.calendars {
            let read = match collection.reads {
                Reads::Changes => self.sync(collection).await,
                Reads::Stretch(_) => Err(Stopped::NotByChanges),
            };
            let read = match read {
                Err(Stopped::NotByChanges) => self.query(collection, range).await,
                Err(Stopped::Failed(failed)) => Err(failed),
                Ok(()) => Ok(()),
            };
            match read {
                Ok(()) => {}
                Err(failed) => {
                    // It may have been moved or replaced: the next question looks again.
                    if failed == Failed::Missing {
                        state.calendars.clear();
                    }
                    return Err(failed.into());
                }
            }
        }
        let limits = Limits::default();
        let mut together = Calendar::none(&limits);
        if state.elsewhere > 0 {
            together
                .note(format!("Calendars that are said to be on another host and were not read: {}.", state.elsewhere));
        }
        for collection in &state.calendars {
            let (calendars, problems) = collection.kept.holds();
            calendars.for_each(|calendar| together.add(calendar));
            problems.into_iter().for_each(|problem| together.note(problem));
        }
        Ok(Arc::new(together))
    }

    /// Which calendars there are: the one at the address, or those of the folder there.
    async fn look(&self, state: &mut State) -> Result<(), CannotSay> {
        let is_calendar = |response: &Response| response.is_calendar && response.holds_events;
        let own = self.multistatus(&self.home, "PROPFIND", "0", LOOK.to_owned()).await?;
        let home = self.home.path().trim_end_matches('/');
        let is_home = |at: Url| at.path().trim_end_matches('/') == home;
        let is_own = |response: &Response| self.rest.named(&response.href).is_some_and(is_home);
        let own = own.responses.into_iter().find(|response| is_calendar(response) && is_own(response));
        state.is_folder = own.is_none();
        let mut found: Vec<Collection> = Vec::new();
        if let Some(own) = own {
            found.push(Collection::new(self.home.clone(), own.can_sync));
        } else {
            let below = self.multistatus(&self.home, "PROPFIND", "1", LOOK.to_owned()).await?;
            let mut elsewhere = 0;
            for response in below.responses.into_iter().filter(is_calendar) {
                match self.rest.named(&response.href) {
                    Some(at) => found.push(Collection::new(at, response.can_sync)),
                    None => elsewhere += 1,
                }
            }
            state.elsewhere = elsewhere;
        }
        if found.is_empty() {
            let why = if state.elsewhere > 0 {
                "names calendars on another host only"
            } else {
                "has no calendar at this address"
            };
            return Err(CannotSay::because(why));
        }
        if found.len() > MOST_CALENDARS {
            return Err(CannotSay::because(format!("has more than {MOST_CALENDARS} calendars at this address")));
        }
        for collection in &mut found {
            if let Some(known) = state.calendars.iter().position(|known| known.at == collection.at) {
                *collection = state.calendars.swap_remove(known);
            }
        }
        state.calendars = found;
        Ok(())
    }

    /// Asks what changed since the last time, and fetches that.
    async fn sync(&self, collection: &mut Collection) -> Result<(), Stopped> {
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

    async fn multistatus(
        &self,
        at: &Url,
        method: &'static str,
        depth: &'static str,
        text: String,
    ) -> Result<Multistatus, Failed> {
        let received = self.send(at, method, depth, text).await?;
        if received.status != StatusCode::MULTI_STATUS {
            return Err(match received.status.is_success() {
                true => not_caldav(&String::from_utf8_lossy(&received.body)),
                false => refused(received.status, &received.headers),
            });
        }
        let body = String::from_utf8_lossy(&received.body);
        multistatus::read(&body).ok_or_else(|| not_caldav(&body))
    }

    async fn send(
        &self,
        at: &Url,
        method: &'static str,
        depth: &'static str,
        text: String,
    ) -> Result<Arc<Received>, Failed> {
        self.rest.send(Asked { at: Some(at), body: Some(Body::Xml { method, depth, text }), ..Asked::default() }).await
    }
}

impl Collection {
    fn new(mut at: Url, can_sync: bool) -> Collection {
        if !at.path().ends_with('/') {
            let path = format!("{}/", at.path());
            at.set_path(&path);
        }
        let reads = if can_sync { Reads::Changes } else { Reads::Stretch(None) };
        Collection { at, kept: Kept::default(), reads }
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
