//! Which calendars there are: the one at the address, those of a folder, or those of the user at a server (RFC 6764: its
//! `/.well-known/caldav`, who the user is, where their calendars lie).
//!
//! What a server says leads no further than to its own host and to those that the settings name.

use std::sync::{Arc, PoisonError};

use url::Url;

use super::multistatus::{Multistatus, Response};
use super::sync::read;
use super::{CalDav, Collection, State};
use crate::message::tame;
use crate::source::CannotSay;
use crate::source::rest::{Failed, Rest, refused, says};

/// The most calendars that are read.
const MOST_CALENDARS: usize = 50;
/// The most folders of one user's calendars that are looked into.
const MOST_HOMES: usize = 5;
/// So often a redirect is followed.
const MOST_REDIRECTS: usize = 5;

const LOOK: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
    <d:propfind xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><d:prop><d:resourcetype/><d:displayname/>\
    <d:supported-report-set/><c:supported-calendar-component-set/><d:current-user-principal/><c:calendar-home-set/>\
    </d:prop></d:propfind>";

/// What was found.
#[derive(Default)]
struct Found {
    calendars: Vec<Calendar>,
    /// How many are said to be where nothing is asked.
    elsewhere: usize,
}

struct Calendar {
    at: Url,
    name: Option<String>,
    can_sync: bool,
}

impl CalDav {
    /// Finds the calendars; what is known of one that was there before stays.
    pub(super) async fn look(&self, state: &mut State) -> Result<(), CannotSay> {
        let mut found = self.find(state).await?;
        if found.calendars.is_empty() {
            return Err(CannotSay::because(match found.elsewhere {
                0 => "has no calendar at this address",
                _ => "names calendars on another host only, which `hosts` does not name",
            }));
        }
        state.elsewhere = found.elsewhere;
        state.missing.clear();
        if !self.names.is_empty() {
            let is = |calendar: &Calendar, name: &str| {
                let last = calendar.at.path_segments().and_then(|mut all| all.rfind(|segment| !segment.is_empty()));
                calendar.name.as_deref() == Some(name) || last == Some(name)
            };
            let absent = |name: &&String| !found.calendars.iter().any(|calendar| is(calendar, name));
            state.missing = self.names.iter().filter(absent).cloned().collect();
            found.calendars.retain(|calendar| self.names.iter().any(|name| is(calendar, name)));
            if found.calendars.is_empty() {
                return Err(CannotSay::because("has no calendar of a name that `calendars` gives"));
            }
        }
        if found.calendars.len() > MOST_CALENDARS {
            let why = format!("has more than {MOST_CALENDARS} calendars there: choose some by `calendars`");
            return Err(CannotSay::because(why));
        }
        let mut calendars: Vec<Collection> = Vec::new();
        for calendar in found.calendars {
            let fresh = Collection::new(calendar.at, calendar.can_sync);
            if calendars.iter().any(|known| known.at == fresh.at) {
                continue;
            }
            let known = state.calendars.iter().position(|known| known.at == fresh.at);
            calendars.push(known.map_or(fresh, |known| state.calendars.swap_remove(known)));
        }
        state.calendars = calendars;
        Ok(())
    }

    async fn find(&self, state: &mut State) -> Result<Found, CannotSay> {
        if state.homes.is_empty() {
            let own = self.about(&self.home).await?;
            if let Some(own) = own.as_ref().filter(|own| own.is_calendar && own.holds_events) {
                state.is_folder = false;
                let calendar = Calendar { at: self.home.clone(), name: own.name.clone(), can_sync: own.can_sync };
                return Ok(Found { calendars: vec![calendar], elsewhere: 0 });
            }
            state.is_folder = true;
            let mut below = Found::default();
            if own.is_some() {
                below = self.below(&self.home).await?;
                if !below.calendars.is_empty() {
                    return Ok(below);
                }
            }
            let homes = self.homes(own).await?;
            if homes.is_empty() {
                return Ok(below);
            }
            state.homes = homes;
        }
        let mut found = Found::default();
        for home in state.homes.clone() {
            match self.below(&home).await {
                Ok(below) => {
                    found.calendars.extend(below.calendars);
                    found.elsewhere += below.elsewhere;
                }
                Err(failed) => {
                    // It may have been moved: the next question looks from the start.
                    state.homes.clear();
                    return Err(failed.into());
                }
            }
        }
        Ok(found)
    }

    /// What the server says of the address of the settings; None where the address is the server's own and holds nothing,
    /// as its calendars may lie elsewhere then.
    async fn about(&self, at: &Url) -> Result<Option<Response>, Failed> {
        let received = self.send(at, "PROPFIND", "0", LOOK.to_owned()).await?;
        let nothing = matches!(received.status.as_u16(), 200..=206 | 300..=399 | 400 | 404 | 405 | 410 | 501);
        if at.path() == "/" && nothing {
            return Ok(None);
        }
        Ok(own(read(&received)?, at))
    }

    /// The calendars in a folder.
    async fn below(&self, folder: &Url) -> Result<Found, Failed> {
        let below = self.multistatus(folder, "PROPFIND", "1", LOOK.to_owned()).await?;
        let mut found = Found::default();
        for response in below.responses.into_iter().filter(|response| response.is_calendar && response.holds_events) {
            match self.led(folder, &response.href) {
                Ok(at) => {
                    found.calendars.push(Calendar { at, name: response.name, can_sync: response.can_sync });
                }
                Err(_) => found.elsewhere += 1,
            }
        }
        Ok(found)
    }

    /// Where the user's calendars lie, as the server tells. `own` is what it says of the address of the settings.
    async fn homes(&self, own: Option<Response>) -> Result<Vec<Url>, CannotSay> {
        let (mut at, mut said) = (self.home.clone(), own);
        if said.as_ref().is_none_or(|said| said.homes.is_empty() && said.principal.is_none()) {
            if self.home.path() != "/" {
                return Ok(Vec::new());
            }
            let Some(there) = self.well_known().await? else { return Ok(Vec::new()) };
            let answer = self.multistatus(&there, "PROPFIND", "0", LOOK.to_owned()).await?;
            said = own_of(answer, &there);
            at = there;
        }
        let Some(mut said) = said else { return Ok(Vec::new()) };
        if let (true, Some(principal)) = (said.homes.is_empty(), &said.principal) {
            let principal = self.led(&at, principal)?;
            let answer = self.multistatus(&principal, "PROPFIND", "0", LOOK.to_owned()).await?;
            said = own_of(answer, &principal).unwrap_or_default();
            at = principal;
        }
        let led = said.homes.iter().take(MOST_HOMES).map(|home| Ok(with_slash(self.led(&at, home)?)));
        Ok(led.collect::<Result<_, Failed>>()?)
    }

    /// Where `/.well-known/caldav` leads; None where the server has none.
    async fn well_known(&self) -> Result<Option<Url>, Failed> {
        let mut at = self.led(&self.home, "/.well-known/caldav")?;
        for _ in 0..MOST_REDIRECTS {
            let received = self.send(&at, "PROPFIND", "0", LOOK.to_owned()).await?;
            match received.status.as_u16() {
                207 => return Ok(Some(at)),
                301 | 302 | 303 | 307 | 308 => {
                    let to = received.headers.get("location").and_then(|to| to.to_str().ok());
                    at = self.led(&at, to.ok_or_else(|| says("redirects, and does not say where to"))?)?;
                }
                404 | 405 | 410 => return Ok(None),
                _ => return Err(refused(received.status, &received.headers)),
            }
        }
        Err(says("redirects in a circle"))
    }

    /// An address that the server named, if it may be asked: on the same host, or on one that the settings name.
    fn led(&self, from: &Url, address: &str) -> Result<Url, Failed> {
        let mut to = from.join(address).map_err(|_| says("names an address that is none"))?;
        to.set_fragment(None);
        if may_lead(&self.home, &to, &self.hosts) {
            return Ok(to);
        }
        let host = tame(&place_of(&to).unwrap_or_else(|| "no host".to_owned()), 100);
        Err(says(&format!("leads to {host}, which `hosts` does not name")))
    }

    /// The reader of the host at which an address lies.
    pub(super) fn reader(&self, at: &Url) -> Result<Arc<Rest>, Failed> {
        if at.origin() == self.rest.base().origin() {
            return Ok(Arc::clone(&self.rest));
        }
        if !may_lead(&self.home, at, &self.hosts) {
            return Err(says("names an address on another host, which is not asked"));
        }
        let mut readers = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = readers.iter().find(|reader| reader.base().origin() == at.origin()) {
            return Ok(Arc::clone(reader));
        }
        let reader = Arc::new(self.rest.also_at(at));
        readers.push(Arc::clone(&reader));
        Ok(reader)
    }
}

/// Whether the user's password may go from the address of the settings to where a server leads: to the same host and port,
/// from http to https on it, or to a host that is named with the port that it uses; never from https to http.
fn may_lead(home: &Url, to: &Url, hosts: &[String]) -> bool {
    let plain = to.username().is_empty() && to.password().is_none();
    let safe = to.scheme() == "https" || (to.scheme() == "http" && home.scheme() == "http");
    if !plain || !safe || to.host().is_none() {
        return false;
    }
    let raised = home.scheme() == "http" && to.scheme() == "https" && home.port().is_none() && to.port().is_none();
    if home.host() == to.host() && (raised || home.origin() == to.origin()) {
        return true;
    }
    place_of(to).is_some_and(|place| hosts.iter().any(|host| host.eq_ignore_ascii_case(&place)))
}

/// Host, and port where it is not the usual one.
fn place_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// What an answer says of the address that was asked.
fn own(answer: Multistatus, at: &Url) -> Option<Response> {
    let path = |url: &Url| url.path().trim_end_matches('/').to_owned();
    let is = |response: &Response| {
        at.join(&response.href).is_ok_and(|to| to.origin() == at.origin() && path(&to) == path(at))
    };
    answer.responses.into_iter().find(is)
}

/// The same where a server may answer under another name of the address, as behind a proxy.
fn own_of(mut answer: Multistatus, at: &Url) -> Option<Response> {
    if answer.responses.len() == 1 { answer.responses.pop() } else { own(answer, at) }
}

/// A folder's address.
pub(super) fn with_slash(mut at: Url) -> Url {
    if !at.path().ends_with('/') {
        let path = format!("{}/", at.path());
        at.set_path(&path);
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_leads_to_its_own_host_and_to_those_that_are_named_and_never_back_to_http() {
        let hosts = ["p34-caldav.icloud.test".to_owned(), "dav.harbor.test:8443".to_owned()];
        let leads = |home: &str, to: &str| may_lead(&home.parse().unwrap(), &to.parse().unwrap(), &hosts);
        let home = "https://cal.harbor.test/";
        for to in [
            "https://cal.harbor.test/dav/",
            "https://cal.harbor.test:443/",
            "https://P34-caldav.icloud.test/1/",
            "https://dav.harbor.test:8443/",
        ] {
            assert!(leads(home, to), "{to}");
        }
        for to in [
            "http://cal.harbor.test/",
            "https://cal.harbor.test:8443/",
            "https://ada:secret@cal.harbor.test/",
            "https://evil.test/",
            "https://cal.harbor.test.evil.test/",
            "https://dav.harbor.test/",
            "http://p34-caldav.icloud.test/",
            "https://169.254.169.254/",
            "file:///etc/passwd",
        ] {
            assert!(!leads(home, to), "{to}");
        }
        assert!(leads("http://cal.harbor.test/", "https://cal.harbor.test/"));
        assert!(!leads("http://cal.harbor.test:5232/", "https://cal.harbor.test/"));
    }
}
