//! Zendesk: how many tickets came in day by day, for a search that stands for a service.
//!
//! <https://developer.zendesk.com/api-reference/ticketing/ticket-management/search/>: the export of a search, page by page.
//! Only when each ticket was made is read; who wrote it and what stays where it is. Read only.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use serde::Deserialize;

use super::rest::{Credential, Rest};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::Support;
use crate::clock::{DAY, SECOND, Time};
use crate::config::Secret;
use crate::message::tame;
use crate::name::{Service, SourceName};

/// The largest page that an export has.
const PAGE: &str = "1000";
/// So many pages are read; an export may be asked for a hundred pages a minute.
const MOST_PAGES: usize = 10;
/// The longest time that is looked at, in days.
const LONGEST: i64 = 120;

/// Tickets of one Zendesk.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// `https://NAME.zendesk.com`.
    url: url::Url,
    /// Whose API token it is; without it the token is one of OAuth.
    #[serde(default)]
    email: Option<String>,
    token: Secret,
    /// The search for a service's tickets, in Zendesk's language; `{service}` is filled in.
    #[serde(default = "tags")]
    query: String,
    /// Searches of single services, in place of it.
    #[serde(default)]
    queries: BTreeMap<Service, String>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Support]
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        if let Some(query) = self.queries.values().chain([&self.query]).find(|query| query.trim().is_empty()) {
            bail!("`{query}` searches for nothing");
        }
        let credential = match &self.email {
            Some(email) => Credential::Basic(format!("{email}/token"), self.token.clone()),
            None => Credential::Bearer(self.token.clone()),
        };
        Ok(Arc::new(Zendesk {
            name: opening.settings.name.clone(),
            query: self.query.clone(),
            queries: self.queries.clone(),
            api: Rest::open(opening, "Zendesk", &self.url, credential)?,
        }))
    }
}

struct Zendesk {
    name: SourceName,
    query: String,
    queries: BTreeMap<Service, String>,
    api: Rest,
}

#[derive(Debug, Deserialize)]
struct Page {
    results: Vec<Ticket>,
    meta: Meta,
}

#[derive(Debug, Deserialize)]
struct Ticket {
    created_at: Time,
}

#[derive(Debug, Deserialize)]
struct Meta {
    has_more: bool,
    #[serde(default)]
    after_cursor: Option<String>,
}

impl fmt::Debug for Zendesk {
    /// The name alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zendesk").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Source for Zendesk {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            match ask.question {
                Question::Support => self.support(ask).await,
                other => Err(CannotSay::unasked(other)),
            }
        })
    }
}

impl Zendesk {
    async fn support(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let search = self.queries.get(&ask.service).unwrap_or(&self.query);
        let search = search.trim().replace("{service}", ask.service.as_str());
        // Whole seconds: Zendesk knows no shorter time.
        let to = Time::from_ms(ask.to.min(ask.now).ms().div_euclid(SECOND) * SECOND);
        let from = day(ask.from.max(to.plus(-LONGEST * DAY)));
        let query = format!("{search} created>={} created<={}", from.rfc3339(), to.rfc3339());
        let mut days: BTreeMap<Time, u32> = BTreeMap::new();
        let mut at = from;
        while at <= to {
            days.insert(at, 0);
            at = at.plus(DAY);
        }
        let mut after: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut asked = vec![("query", query.as_str()), ("filter[type]", "ticket"), ("page[size]", PAGE)];
            asked.extend(after.as_deref().map(|after| ("page[after]", after)));
            let page: Page = self.api.get(&["api", "v2", "search", "export.json"], &asked).await?;
            for ticket in &page.results {
                // What came between asking and answering belongs to no day that was asked for.
                if let Some(count) = days.get_mut(&day(ticket.created_at)) {
                    *count = count.saturating_add(1);
                }
            }
            if !page.meta.has_more {
                let unit = format!("tickets matching `{}`", tame(&search, 80));
                let learned = Learned::Support(Support { unit, days: days.into_iter().collect() });
                return Ok(Answer { learned, at: ask.now, link: None, incomplete: Vec::new() });
            }
            after = page.meta.after_cursor.filter(|cursor| !cursor.is_empty() && cursor.len() <= 4_096);
            if after.is_none() {
                return Err(CannotSay::because("says that there are more tickets, but not where"));
            }
        }
        // In which order an export comes is not promised, so a part of it counts no day whole.
        Err(CannotSay::because(format!(
            "has more than {} tickets that match: a narrower `query` could be counted",
            MOST_PAGES * 1_000
        )))
    }
}

/// The start of the day in UTC.
fn day(at: Time) -> Time {
    Time::from_ms(at.ms().div_euclid(DAY) * DAY)
}

fn tags() -> String {
    "tags:{service}".to_owned()
}
