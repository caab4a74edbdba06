//! Deployments as GitHub keeps them, with the newest status of each.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use serde::Deserialize;

use super::Github;
use crate::advice::facts::Deployment;
use crate::clock::Time;
use crate::message::tame;
use crate::name::Service;
use crate::source::code::place::is_shared;
use crate::source::{Answer, Ask, CannotSay, Learned};

/// So many deployments are read.
const MOST: usize = 200;
/// Of the newest so many the status is asked for; each is a question of its own.
const MOST_STATUSES: usize = 20;

#[derive(Debug, Deserialize)]
struct Told {
    id: u64,
    sha: String,
    #[serde(rename = "ref")]
    reference: String,
    environment: String,
    created_at: Time,
    #[serde(default)]
    payload: serde_json::Value,
}

#[derive(Debug, Deserialize)]
struct Status {
    state: String,
    created_at: Time,
    #[serde(default)]
    log_url: Option<String>,
}

impl Github {
    pub(super) async fn deployments(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let environment = ask.environment.to_string();
        let path = self.path(&["deployments"]);
        let (told, more) = self.api.pages::<Told>(&path, &[("environment", &environment)], MOST).await?;
        let mut incomplete = Vec::new();
        if more {
            incomplete.push(format!("only the newest {MOST} deployments were read"));
        }
        let shared = is_shared(&ask.settings, &ask.service);
        let mut unclear = 0;
        let own: Vec<Told> = told
            .into_iter()
            .filter(|told| told.environment == environment && told.created_at <= ask.to)
            .filter(|told| match service_of(told) {
                Some(service) => service == ask.service,
                // A deployment that names no service is the whole repository's.
                None if !shared => true,
                None => {
                    unclear += 1;
                    false
                }
            })
            .collect();
        if unclear > 0 {
            incomplete.push(format!("{unclear} deployments name no `service` in their payload"));
        }
        let newest = try_join_all(own.iter().take(MOST_STATUSES).map(|told| self.status(told.id))).await?;
        let statuses: BTreeMap<u64, Option<Status>> = own.iter().map(|told| told.id).zip(newest).collect();
        let deployments = own.into_iter().filter_map(|told| {
            let status = statuses.get(&told.id).and_then(Option::as_ref);
            let state = status.map_or("", |status| status.state.as_str());
            // What was never brought out is no deployment.
            if matches!(state, "failure" | "error" | "pending" | "queued" | "in_progress" | "waiting") {
                return None;
            }
            Some(Deployment {
                id: format!("github-{}", told.id),
                service: ask.service.clone(),
                environment: ask.environment.clone(),
                version: Some(tame(told.reference.trim_start_matches("refs/tags/"), 250)),
                commit: Some(told.sha),
                at: told.created_at,
                finished: status.filter(|_| state == "success").map(|status| status.created_at),
                outcome: None,
                cause: None,
                incident: None,
                link: status.and_then(|status| status.log_url.clone()).filter(|link| link.starts_with("https://")),
                shape: Default::default(),
            })
        });
        let learned = Learned::Deployments(deployments.collect());
        Ok(Answer { learned, at: ask.now, link: None, incomplete })
    }

    async fn status(&self, id: u64) -> Result<Option<Status>, CannotSay> {
        let id = id.to_string();
        let path = self.path(&["deployments", &id, "statuses"]);
        let found: Vec<Status> = self.api.get(&path, &[("per_page", "1")]).await?;
        Ok(found.into_iter().next())
    }
}

fn service_of(told: &Told) -> Option<Service> {
    told.payload.get("service").and_then(|service| service.as_str()).map(Service::new)
}
