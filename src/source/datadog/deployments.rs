//! Deployment events, as pipelines send them to DORA Metrics.
//!
//! <https://docs.datadoghq.com/api/latest/dora-metrics/>: the list is asked for by POST, read only; the newest come first.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::Datadog;
use crate::advice::facts::{Deployment, Shape};
use crate::clock::Time;
use crate::message::tame;
use crate::name::Environment;
use crate::source::called::Called;
use crate::source::rest::{Asked, Body, Failed, readable};
use crate::source::{Answer, Ask, CannotSay, Learned};

/// The most that one answer holds, and the most that are read.
const MOST: usize = 1_000;

/// What services and environments are called in the events; by their own names where nothing is said.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub services: Called,
    pub environments: BTreeMap<Environment, String>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    data: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Event {
    id: String,
    attributes: Attributes,
}

#[derive(Debug, Deserialize)]
struct Attributes {
    service: String,
    #[serde(default)]
    env: Option<String>,
    started_at: Time,
    #[serde(default)]
    finished_at: Option<Time>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    git: Option<Git>,
}

#[derive(Debug, Deserialize)]
struct Git {
    commit_sha: String,
}

impl Datadog {
    pub(super) async fn deployments(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let env = self.names.environments.get(&ask.environment).map_or(ask.environment.as_str(), String::as_str);
        let named = self.names.services.of(&ask.service);
        let services: Vec<&str> =
            if named.is_empty() { vec![ask.service.as_str()] } else { named.iter().map(String::as_str).collect() };
        // Values of tags, which nothing quotes.
        let is_tag = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-./".contains(c));
        if !services.iter().chain([&env]).all(is_tag) {
            return Err(CannotSay::because(
                "cannot be asked for these names: a tag's value has letters, digits and `_-./` (`map` and `environment-keys` name others)",
            ));
        }
        let query = format!("service:({}) env:{env}", services.join(" OR "));
        let attributes = json!({
            "from": ask.from.rfc3339(), "to": ask.to.rfc3339(), "query": query, "sort": "-started_at", "limit": MOST,
        });
        let body = json!({ "data": { "attributes": attributes, "type": "dora_deployments_list_request" } });
        let path = ["api", "v2", "dora", "deployments"];
        let asked = Asked { path: &path, body: Some(Body::Json(body)), ..Asked::default() };
        // An object: a derived reader would take a list for one, field by field.
        let fields: serde_json::Map<String, serde_json::Value> =
            self.api.ask(asked).await.map_err(|failed| match failed {
                Failed::Missing => CannotSay::because("has no DORA Metrics on this site (404)"),
                Failed::Says(why) => why,
            })?;
        let listed: Listed = serde_json::from_value(fields.into())
            .map_err(|_| CannotSay::because("answered with something that is not Datadog's format"))?;
        let mut incomplete = Vec::new();
        if listed.data.len() >= MOST {
            incomplete.push(format!("only the newest {MOST} deployments were read"));
        }
        let (events, odd): (Vec<Event>, usize) = readable(listed.data);
        if odd > 0 {
            incomplete.push(format!("{odd} deployment events do not read"));
        }
        // What the query did not mean is not ours, whatever made it an answer.
        let ours = |event: &Event| {
            services.contains(&event.attributes.service.as_str()) && event.attributes.env.as_deref() == Some(env)
        };
        let mut deployments: Vec<Deployment> =
            events.into_iter().filter(ours).map(|event| deployment(event, ask)).collect();
        deployments.sort_by_key(|deployment| deployment.at);
        Ok(Answer { learned: Learned::Deployments(deployments), at: ask.now, link: None, incomplete })
    }
}

fn deployment(event: Event, ask: &Ask) -> Deployment {
    let Attributes { started_at, finished_at, version, git, .. } = event.attributes;
    let is_commit = |commit: &String| (7..=64).contains(&commit.len()) && commit.chars().all(|c| c.is_ascii_hexdigit());
    Deployment {
        id: format!("datadog-{}", tame(&event.id, 130)),
        service: ask.service.clone(),
        environment: ask.environment.clone(),
        version: version.map(|version| tame(&version, 200)).filter(|version| !version.is_empty()),
        commit: git.map(|git| git.commit_sha).filter(is_commit),
        at: started_at,
        finished: finished_at.filter(|finished| *finished >= started_at),
        outcome: None,
        cause: None,
        incident: None,
        link: None,
        shape: Shape::default(),
    }
}
