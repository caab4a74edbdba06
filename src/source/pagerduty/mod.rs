//! PagerDuty: incidents that are open and that were, who is on call over a span, maintenance windows.
//!
//! Read only. Shapes and limits from <https://developer.pagerduty.com/api-reference/>: lists are paged by `limit`, `offset`
//! and `more`; without `date_range=all` a list of incidents holds the last month alone.

mod incidents;
mod maintenance;
mod marks;
mod on_call;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use self::on_call::Rota;
use super::called::Called;
use super::rest::{Credential, Failed, Rest, fixed, readable};
use super::tracker::{Mark, unread};
use super::{Answer, Ask, CannotSay, Kind, Opening, Question, Source};
use crate::config::Secret;
use crate::name::Service;

/// The most that a page holds.
const PAGE: usize = 100;
/// So many entries of one list are read.
const MOST: usize = 500;

/// An account at PagerDuty.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// The API; in the European service region `https://api.eu.pagerduty.com`.
    #[serde(default = "pagerduty")]
    url: url::Url,
    /// A read-only API key.
    token: Secret,
    /// Services of ours, each with the ids of the PagerDuty services that stand for it.
    #[serde(default)]
    map: Called,
    /// Services of ours, each with the schedules or escalation policies that say who is called for it.
    #[serde(default)]
    on_call: BTreeMap<Service, Rota>,
    /// An incident with this in its title blocks deployments.
    #[serde(default = "mark")]
    blocks: String,
    /// So does one with this value in a custom field.
    #[serde(default)]
    blocks_field: Option<Mark>,
    /// And one of these priorities, where you have any that mean it.
    #[serde(default)]
    blocks_priorities: Vec<String>,
}

impl Keys {
    /// Our services that a service of PagerDuty's stands for.
    pub fn ours(&self, id: &str) -> Vec<Service> {
        self.map.ours([id])
    }
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        let mapped = [Question::Incidents, Question::Calendar].into_iter().filter(|_| !self.map.is_empty());
        mapped.chain([Question::OnCall].into_iter().filter(|_| !self.on_call.is_empty())).collect()
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        if self.map.is_empty() && self.on_call.is_empty() {
            bail!("`map` or `on-call` has to say which of your services PagerDuty knows, and by which ids");
        }
        if let Some((service, _)) = self.on_call.iter().find(|(_, rota)| rota.is_empty()) {
            bail!("`on-call` names neither schedules nor escalation policies for `{service}`");
        }
        let token = Credential::Headers(vec![("authorization", "Token token=", self.token.clone())]);
        let rest = Rest::open(opening, "PagerDuty", &self.url, token)?
            .header("accept", "application/vnd.pagerduty+json;version=2, application/json;q=0.9")
            .header("content-type", "application/json");
        Ok(Arc::new(PagerDuty { keys: self.clone(), rest }))
    }
}

struct PagerDuty {
    keys: Keys,
    rest: Rest,
}

impl fmt::Debug for PagerDuty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PagerDuty").field("rest", &self.rest).finish_non_exhaustive()
    }
}

impl Source for PagerDuty {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            match ask.question {
                Question::Incidents => self.incidents(ask).await,
                Question::OnCall => self.on_call(ask).await,
                Question::Calendar => self.maintenance(ask).await,
                other => Err(CannotSay::unasked(other)),
            }
        })
    }
}

/// One page of any of the lists that are read.
#[derive(Debug, Deserialize)]
struct Page {
    #[serde(rename = "incidents", alias = "oncalls", alias = "maintenance_windows")]
    entries: Vec<serde_json::Value>,
    #[serde(default)]
    more: Option<bool>,
}

/// Something that an entry points to.
#[derive(Debug, Deserialize)]
struct Reference {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    summary: Option<String>,
}

/// A list as far as it was read, and what of it could not be.
struct List<T> {
    entries: Vec<T>,
    incomplete: Vec<String>,
}

impl PagerDuty {
    /// A list, page by page, until its end or [`MOST`] entries. `what` is what people call one of its entries.
    async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        what: &str,
    ) -> Result<List<T>, Failed> {
        let limit = PAGE.to_string();
        let (mut entries, mut odd, mut incomplete) = (Vec::new(), 0, Vec::new());
        for offset in (0..MOST).step_by(PAGE) {
            let offset = offset.to_string();
            let mut query = query.to_vec();
            query.extend([("limit", limit.as_str()), ("offset", offset.as_str())]);
            let page: Page = self.rest.get_object(&[path], &query).await?;
            let more = page.more.unwrap_or(page.entries.len() >= PAGE) && !page.entries.is_empty();
            let (read, odd_ones) = readable(page.entries);
            entries.extend(read);
            odd += odd_ones;
            if !more {
                break;
            }
            if entries.len() + odd >= MOST {
                incomplete.push(format!("has more than {MOST} {what}s, of which only these were read"));
            }
        }
        incomplete.extend(unread(odd, what));
        Ok(List { entries, incomplete })
    }

    /// What is said where the service asked about is none that PagerDuty stands for.
    fn unmapped(&self, service: &Service) -> Option<String> {
        (!self.keys.map.has(service)).then(|| format!("knows no service for {service}: `map` does not name it"))
    }
}

fn pagerduty() -> url::Url {
    fixed("https://api.pagerduty.com")
}

fn mark() -> String {
    "[blocks deployments]".to_owned()
}
