//! The `google-calendar` source: one calendar of Google's, read by a service account.
//!
//! Google expands recurrence itself. Shapes: <https://developers.google.com/workspace/calendar/api/v3/reference/events/list>;
//! the grant: <https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests>.

mod event;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use self::event::Page;
use super::calendar::Reading;
use super::grant::{Token, signed};
use super::ics::Occurrence;
use super::rest::{Asked, Credential, Failed, Rest, fixed};
use super::{Answer, Ask, CannotSay, Kind, Opening, Question, Source};
use crate::advice::facts::Means;
use crate::clock::{Clock, SECOND, Time};
use crate::config::Secret;
use crate::name::Person;

/// What is asked for: to read events, no more.
const SCOPE: &str = "https://www.googleapis.com/auth/calendar.events.readonly";
/// The most that Google puts on a page.
const PAGE: &str = "2500";
/// The most pages that are read.
const MOST_PAGES: usize = 4;

/// A calendar of Google's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// The calendar's address: of a person's own calendar the e-mail address.
    calendar: String,
    /// The service account's key, as Google gives it out: a JSON file.
    key: Secret,
    /// The person of the organisation in whose name it is read, where the administrator allows the account that. Without
    /// it the calendar must be shared with the account.
    #[serde(default)]
    subject: Option<String>,
    #[serde(default = "google")]
    url: Url,
    /// What its entries mean; without it their words decide.
    #[serde(default)]
    means: Option<Means>,
    /// Whose calendar it is, for entries that take a person's time.
    #[serde(default)]
    person: Option<Person>,
    /// On-call rotations are calendars too: each entry's title names who is called.
    #[serde(default)]
    on_call: bool,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![if self.on_call { Question::OnCall } else { Question::Calendar }]
    }

    fn whose(&self) -> Option<&Person> {
        self.person.as_ref()
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        if self.calendar.trim().is_empty() {
            bail!("`calendar` is the calendar's address, such as `ada@harbor.example`");
        }
        Ok(Arc::new(GoogleCalendar {
            rest: Rest::open(opening, "Google Calendar", &self.url, Credential::Obtained)?,
            keys: self.clone(),
            folder: opening.folder.to_owned(),
            reading: Reading::of(opening.settings, self.means, self.person.as_ref()),
            clock: opening.clock.clone(),
            token: Token::default(),
        }))
    }
}

struct GoogleCalendar {
    rest: Rest,
    keys: Keys,
    /// Where the key's file is seen from.
    folder: std::path::PathBuf,
    reading: Reading,
    clock: Clock,
    token: Token,
}

/// A service account's key.
#[derive(Deserialize)]
struct AccountKey {
    client_email: String,
    private_key: SecretString,
    #[serde(default)]
    private_key_id: Option<String>,
    token_uri: Url,
}

impl fmt::Debug for GoogleCalendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoogleCalendar").field("calendar", &self.keys.calendar).finish_non_exhaustive()
    }
}

impl Source for GoogleCalendar {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            let now = self.clock.now();
            let (found, incomplete) = self.events(ask.from..ask.to, ask.settings.team.zone, now).await?;
            Ok(Answer { learned: self.reading.learned(ask, &found), at: now, link: None, incomplete })
        })
    }
}

impl GoogleCalendar {
    async fn events(
        &self,
        range: Range<Time>,
        zone: chrono_tz::Tz,
        now: Time,
    ) -> Result<(Vec<Occurrence>, Vec<String>), CannotSay> {
        let (from, to) = (range.start.rfc3339(), range.end.rfc3339());
        let (mut found, mut incomplete, mut next) = (Vec::new(), Vec::new(), None::<String>);
        for page in 0.. {
            let mut query = vec![
                ("singleEvents", "true"),
                ("orderBy", "startTime"),
                ("showDeleted", "false"),
                ("maxResults", PAGE),
                ("timeMin", &from),
                ("timeMax", &to),
                // Birthdays are nobody's deployment.
                ("eventTypes", "default"),
                ("eventTypes", "focusTime"),
                ("eventTypes", "fromGmail"),
                ("eventTypes", "outOfOffice"),
                ("eventTypes", "workingLocation"),
            ];
            if let Some(next) = &next {
                query.push(("pageToken", next));
            }
            let answer: Page = self.get(&["calendars", &self.keys.calendar, "events"], &query, now).await?;
            let again = answer.next_page_token.clone();
            answer.take_in(&range, zone, self.keys.means, &mut found, &mut incomplete);
            match again {
                None => break,
                Some(_) if page + 1 == MOST_PAGES => {
                    incomplete.push("It has more entries than are read; later ones are left out.".to_owned());
                    break;
                }
                again => next = again,
            }
        }
        incomplete.sort();
        incomplete.dedup();
        Ok((found, incomplete))
    }

    async fn get(&self, path: &[&str], query: &[(&str, &str)], now: Time) -> Result<Page, CannotSay> {
        self.token.ask(&self.rest, Asked { path, query, ..Asked::default() }, || self.bearer(now)).await.map_err(
            |failed| match failed {
                Failed::Missing => {
                    CannotSay::because("has no such calendar, or it is not shared with the account (404)")
                }
                Failed::Says(why) => why,
            },
        )
    }

    async fn bearer(&self, now: Time) -> Result<SecretString, CannotSay> {
        let no_key = |why: &str| CannotSay::because(format!("has no key: {why}"));
        let text = self.keys.key.reveal(&self.folder).map_err(|why| no_key(&why))?;
        let key: AccountKey = serde_json::from_str(text.expose_secret())
            .map_err(|_| no_key("it is not the JSON file of a service account"))?;
        if !may_ask_for_tokens(&key.token_uri, self.rest.base()) {
            return Err(no_key("its `token_uri` is not an https address"));
        }
        let subject = self.keys.subject.as_deref().unwrap_or_default();
        let of = [text.expose_secret(), subject];
        let at = self.rest.beside(&key.token_uri);
        let fields = || {
            let mut claims = json!({
                "iss": key.client_email,
                "scope": SCOPE,
                "aud": key.token_uri,
                "iat": now.ms() / SECOND,
                "exp": now.ms() / SECOND + 3_600,
            });
            if !subject.is_empty() {
                claims["sub"] = subject.into();
            }
            let assertion = signed(&claims, key.private_key.expose_secret(), key.private_key_id.as_deref())
                .ok_or_else(|| no_key("its private key is not an RSA key in PEM"))?;
            Ok(vec![("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()), ("assertion", assertion)])
        };
        self.token.get(&at, &of, now, fields).await
    }
}

/// Only over TLS; on this machine without it, where the API itself is on this machine (a pretend one).
fn may_ask_for_tokens(address: &Url, api: &Url) -> bool {
    let here = |url: &Url| match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    match address.scheme() {
        "https" => address.host().is_some(),
        "http" => here(address) && here(api),
        _ => false,
    }
}

fn google() -> Url {
    fixed("https://www.googleapis.com/calendar/v3")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_asked_for_over_tls_or_on_this_machine_only() {
        let may =
            |address: &str, api: &str| may_ask_for_tokens(&Url::parse(address).unwrap(), &Url::parse(api).unwrap());
        let google = google();
        assert!(may("https://oauth2.googleapis.com/token", google.as_str()));
        assert!(may("http://127.0.0.1:8/token", "http://127.0.0.1:9/"));
        assert!(!may("http://127.0.0.1:8/token", google.as_str()));
        assert!(!may("http://oauth2.googleapis.com/token", "http://127.0.0.1:9/"));
        assert!(!may("file:///etc/passwd", google.as_str()));
    }
}
