//! The `microsoft-365` source: one person's or one shared mailbox's calendar, read through Microsoft Graph.
//!
//! Graph expands recurrence itself. Shapes: <https://learn.microsoft.com/en-us/graph/api/user-list-calendarview>; the grant:
//! <https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow>.

mod event;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use self::event::Page;
use super::calendar::Reading;
use super::grant::Token;
use super::ics::Occurrence;
use super::rest::{Asked, Credential, Failed, Rest, fixed};
use super::{Answer, Ask, CannotSay, Kind, Opening, Question, Source};
use crate::advice::facts::Means;
use crate::clock::{Clock, DAY, Time};
use crate::config::Secret;
use crate::name::Person;

/// So many events are asked for at once.
const PAGE: &str = "500";
/// The most pages that are read.
const MOST_PAGES: usize = 20;
/// What is read of an event. Neither its text nor who attends: the least permission does not show the text.
const FIELDS: &str =
    "id,iCalUId,subject,start,end,isAllDay,isCancelled,showAs,categories,location,organizer,responseStatus";

/// A calendar in Microsoft 365.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// The organisation: its domain or its id.
    tenant: String,
    /// The application's (client) id.
    client: String,
    /// The application's secret.
    secret: Secret,
    /// Whose mailbox, by address or id.
    user: String,
    /// The id of one of their calendars; otherwise their main one.
    #[serde(default)]
    calendar: Option<String>,
    /// Microsoft Graph; national clouds have another.
    #[serde(default = "graph")]
    url: Url,
    /// Where access tokens are given out; national clouds have another.
    #[serde(default = "login")]
    login: Url,
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
        let is_id =
            |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
        if !is_id(&self.tenant) || !is_id(&self.client) {
            bail!("`tenant` is the organisation's domain or id, and `client` the application's id");
        }
        if self.user.trim().is_empty() {
            bail!("`user` is the address of the mailbox");
        }
        let mut login = self.login.clone();
        login
            .path_segments_mut()
            .map_err(|()| anyhow::anyhow!("`login` needs an address that begins with https://"))?
            .pop_if_empty()
            .extend([self.tenant.as_str(), "oauth2", "v2.0", "token"]);
        Ok(Arc::new(Microsoft365 {
            login: Rest::open(opening, "Microsoft's sign-in", &login, Credential::None)?,
            rest: Rest::open(opening, "Microsoft Graph", &self.url, Credential::Obtained)?
                .header("prefer", "outlook.timezone=\"UTC\""),
            keys: self.clone(),
            folder: opening.folder.to_owned(),
            reading: Reading::of(opening.settings, self.means, self.person.as_ref()),
            clock: opening.clock.clone(),
            token: Token::default(),
        }))
    }
}

struct Microsoft365 {
    rest: Rest,
    login: Rest,
    keys: Keys,
    /// Where the secret's file is seen from.
    folder: std::path::PathBuf,
    reading: Reading,
    clock: Clock,
    token: Token,
}

impl fmt::Debug for Microsoft365 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Microsoft365").field("user", &self.keys.user).finish_non_exhaustive()
    }
}

impl Source for Microsoft365 {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            let now = self.clock.now();
            let (found, incomplete) = self.events(ask.from..ask.to, ask.settings.team.zone, now).await?;
            Ok(Answer { learned: self.reading.learned(ask, &found), at: now, link: None, incomplete })
        })
    }
}

impl Microsoft365 {
    async fn events(
        &self,
        range: Range<Time>,
        zone: chrono_tz::Tz,
        now: Time,
    ) -> Result<(Vec<Occurrence>, Vec<String>), CannotSay> {
        // Whole days are days in UTC there, so one may begin or end up to a day apart.
        let moment = |time: Time| time.utc().format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (from, to) = (moment(range.start.plus(-DAY)), moment(range.end.plus(DAY)));
        let query = [
            ("startDateTime", from.as_str()),
            ("endDateTime", &to),
            ("$select", FIELDS),
            ("$orderby", "start/dateTime"),
            ("$top", PAGE),
        ];
        let path = match &self.keys.calendar {
            None => vec!["users", self.keys.user.as_str(), "calendarView"],
            Some(calendar) => vec!["users", self.keys.user.as_str(), "calendars", calendar.as_str(), "calendarView"],
        };
        let (mut found, mut incomplete) = (Vec::new(), Vec::new());
        let mut answer = self.get(Asked { path: &path, query: &query, ..Asked::default() }, now).await?;
        for page in 1.. {
            let next = answer.next_link.take();
            answer.take_in(&range, zone, &mut found, &mut incomplete);
            let Some(next) = next else { break };
            if page == MOST_PAGES {
                incomplete.push("It has more entries than are read; later ones are left out.".to_owned());
                break;
            }
            let Some(next) = self.rest.named(&next) else {
                incomplete.push("The rest of it is said to be on another host, which was not asked.".to_owned());
                break;
            };
            answer = self.get(Asked { at: Some(&next), ..Asked::default() }, now).await?;
        }
        incomplete.sort();
        incomplete.dedup();
        Ok((found, incomplete))
    }

    async fn get(&self, asked: Asked<'_>, now: Time) -> Result<Page, CannotSay> {
        self.token.ask(&self.rest, asked, || self.bearer(now)).await.map_err(|failed| match failed {
            Failed::Missing => CannotSay::because("has no such mailbox or calendar (404)"),
            Failed::Says(why) => why,
        })
    }

    async fn bearer(&self, now: Time) -> Result<SecretString, CannotSay> {
        let secret = self.keys.secret.reveal(&self.folder);
        let secret = secret.map_err(|why| CannotSay::because(format!("has no credential: {why}")))?;
        let fields = || {
            Ok(vec![
                ("grant_type", "client_credentials".to_owned()),
                ("client_id", self.keys.client.clone()),
                ("client_secret", secret.expose_secret().to_owned()),
                ("scope", format!("{}/.default", self.keys.url.origin().ascii_serialization())),
            ])
        };
        self.token.get(&self.login, &[secret.expose_secret()], now, fields).await
    }
}

fn graph() -> Url {
    fixed("https://graph.microsoft.com/v1.0")
}

fn login() -> Url {
    fixed("https://login.microsoftonline.com")
}
