//! incident.io: incidents that are open and that were, who is on call over a span, maintenance windows.
//!
//! Read only. Shapes: <https://api-docs.incident.io/>, held against incident.io's published description by the tests.

mod follow_ups;
mod incidents;
mod maintenance;
mod on_call;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Deserialize;

use super::called::{Called, Names};
use super::rest::{Credential, Rest, fixed};
use super::tracker::Mark;
use super::{Answer, Ask, CannotSay, Kind, Opening, Question, Source};
use crate::config::Secret;
use crate::name::{Environment, Service};

/// So many entries of one list are read.
const MOST: usize = 500;

/// An account at incident.io.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    #[serde(default = "incident_io")]
    url: url::Url,
    /// An API key that may view data.
    token: Secret,
    /// The custom field that names the affected services, by its name or id. Without it every incident concerns every
    /// service.
    #[serde(default)]
    field: Option<String>,
    /// Services of ours, each with the values (options, catalog entries) that mean it in that field; a service that is not
    /// here is meant by its own name.
    #[serde(default)]
    map: Called,
    /// The custom field, by its name or id, and its value that say that an incident blocks deployments.
    #[serde(default = "mark")]
    blocks: Mark,
    /// Services of ours, each with the ids of the schedules that say who is called: the first is called first.
    #[serde(default)]
    schedules: BTreeMap<Service, Names>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        let on_call = [Question::OnCall].into_iter().filter(|_| !self.schedules.is_empty());
        [Question::Incidents, Question::Calendar].into_iter().chain(on_call).collect()
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        let rest = Rest::open(opening, "incident.io", &self.url, Credential::Bearer(self.token.clone()))?;
        let (services, environments) = (opening.settings.services.clone(), opening.settings.environments.clone());
        Ok(Arc::new(IncidentIo { keys: self.clone(), services, environments, rest }))
    }
}

struct IncidentIo {
    keys: Keys,
    /// Whom maintenance concerns, which names no services itself; none: all.
    services: Vec<Service>,
    environments: Vec<Environment>,
    rest: Rest,
}

impl fmt::Debug for IncidentIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncidentIo").field("rest", &self.rest).finish_non_exhaustive()
    }
}

impl Source for IncidentIo {
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

/// Where the next page begins.
#[derive(Debug, Deserialize)]
struct Next {
    #[serde(default)]
    after: Option<String>,
}

impl Next {
    fn after(next: Option<Next>) -> Option<String> {
        next.and_then(|next| next.after).filter(|after| !after.is_empty())
    }
}

fn incident_io() -> url::Url {
    fixed("https://api.incident.io")
}

fn mark() -> Mark {
    Mark::new("Blocks deployments", "Yes")
}
