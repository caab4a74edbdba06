//! Jira Service Management operations (what was Opsgenie): alerts that are incidents, who is on call over a span, maintenance.
//!
//! Read only. Shapes and limits from <https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v2/>. People are told by
//! account id alone; their names come from Jira's own API, which the token may not see.

mod incidents;
mod maintenance;
mod on_call;
mod people;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::called::{Called, Names};
use super::rest::{Credential, Failed, Rest, fixed, readable};
use super::tracker::unread;
use super::{Answer, Ask, CannotSay, Kind, Opening, Question, Source};
use crate::config::Secret;
use crate::name::{Environment, Person, Service};

/// The most that a page holds.
const PAGE: usize = 100;
/// So many entries of one list are read.
const MOST: usize = 500;

/// Operations of a site at Atlassian.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    #[serde(default = "atlassian")]
    url: url::Url,
    /// The site's cloud id, as `https://SITE.atlassian.net/_edge/tenant_info` tells it.
    cloud: String,
    /// The e-mail address of the account that the token belongs to.
    email: String,
    /// An API token.
    token: Secret,
    /// Services of ours, each with the tags, entities or responding teams (by id) of its alerts; a service that is not here is
    /// meant by the tag `service:NAME` or `NAME`.
    #[serde(default)]
    map: Called,
    /// Alerts of these priorities are incidents.
    #[serde(default = "grave")]
    priorities: Vec<String>,
    /// An alert with this tag is an incident, whatever its priority, and blocks deployments.
    #[serde(default = "mark")]
    blocks: String,
    /// Services of ours, each with the ids of the schedules that say who is called: the first is called first.
    #[serde(default)]
    schedules: BTreeMap<Service, Names>,
    /// People of ours, each with their Atlassian account ids, where the site does not tell their addresses.
    #[serde(default)]
    people: BTreeMap<Person, Names>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        let on_call = [Question::OnCall].into_iter().filter(|_| !self.schedules.is_empty());
        [Question::Incidents, Question::Alerts, Question::Calendar].into_iter().chain(on_call).collect()
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        if self.cloud.is_empty() || !self.cloud.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            bail!("`cloud` is the site's cloud id, such as 1a2b3c4d-0000-4000-8000-000000000000");
        }
        let basic = Credential::Basic(self.email.clone(), self.token.clone());
        let rest = Rest::open(opening, "Jira Service Management", &self.url, basic)?;
        let (services, environments) = (opening.settings.services.clone(), opening.settings.environments.clone());
        Ok(Arc::new(Jsm { keys: self.clone(), services, environments, rest }))
    }
}

struct Jsm {
    keys: Keys,
    /// Whom maintenance concerns, which names no services itself; none: all.
    services: Vec<Service>,
    environments: Vec<Environment>,
    rest: Rest,
}

impl fmt::Debug for Jsm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jsm").field("rest", &self.rest).finish_non_exhaustive()
    }
}

impl Source for Jsm {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            match ask.question {
                Question::Incidents => self.incidents(ask).await,
                Question::Alerts => self.alerts(ask).await,
                Question::OnCall => self.on_call(ask).await,
                Question::Calendar => self.maintenance(ask).await,
                other => Err(CannotSay::unasked(other)),
            }
        })
    }
}

#[derive(Debug, Deserialize)]
struct Page {
    values: Vec<serde_json::Value>,
    #[serde(default)]
    links: Option<Links>,
}

#[derive(Debug, Deserialize)]
struct Links {
    #[serde(default)]
    next: Option<String>,
}

impl Jsm {
    /// What follows the address of the operations API.
    fn path<'p>(&'p self, rest: &[&'p str]) -> Vec<&'p str> {
        let mut path = vec!["jsm", "ops", "api", self.keys.cloud.as_str(), "v1"];
        path.extend(rest);
        path
    }

    /// A list, page by page, until its end or [`MOST`] entries; and what of it could not be read. `what` is what people call
    /// one of its entries.
    async fn list<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        what: &str,
    ) -> Result<(Vec<T>, Vec<String>), Failed> {
        let size = PAGE.to_string();
        let (mut all, mut odd, mut incomplete) = (Vec::new(), 0, Vec::new());
        for offset in (0..MOST).step_by(PAGE) {
            let offset = offset.to_string();
            let mut query = query.to_vec();
            query.extend([("size", size.as_str()), ("offset", offset.as_str())]);
            let page: Page = self.rest.get_object(&self.path(path), &query).await?;
            let next = page.links.and_then(|links| links.next).is_some_and(|next| !next.is_empty());
            // A full page without a link may be the last, or the link may not be told.
            let more = !page.values.is_empty() && (next || page.values.len() >= PAGE);
            let (read, odd_ones) = readable(page.values);
            all.extend(read);
            odd += odd_ones;
            if !more {
                break;
            }
            if all.len() + odd >= MOST {
                incomplete.push(format!("has more than {MOST} {what}s, of which only these were read"));
            }
        }
        incomplete.extend(unread(odd, what));
        Ok((all, incomplete))
    }
}

fn atlassian() -> url::Url {
    fixed("https://api.atlassian.com")
}

fn grave() -> Vec<String> {
    ["P1", "P2"].map(str::to_owned).to_vec()
}

fn mark() -> String {
    "blocks-deployments".to_owned()
}
