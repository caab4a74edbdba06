//! Deployments as GitLab keeps them: those that succeeded.

use serde::Deserialize;

use super::{Gitlab, link};
use crate::advice::facts::Deployment;
use crate::clock::Time;
use crate::message::tame;
use crate::source::code::place::{is_shared, tag_prefix};
use crate::source::{Answer, Ask, CannotSay, Learned};

/// So many deployments are read.
const MOST: usize = 200;

#[derive(Debug, Deserialize)]
struct Told {
    id: u64,
    sha: String,
    #[serde(rename = "ref")]
    reference: String,
    created_at: Time,
    status: String,
    #[serde(default)]
    environment: Option<Place>,
    #[serde(default)]
    deployable: Option<Job>,
}

#[derive(Debug, Deserialize)]
struct Place {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Job {
    #[serde(default)]
    finished_at: Option<Time>,
    #[serde(default)]
    pipeline: Option<Pipeline>,
}

#[derive(Debug, Deserialize)]
struct Pipeline {
    #[serde(default)]
    web_url: Option<String>,
}

impl Gitlab {
    pub(super) async fn deployments(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let environment = self.environment_of(ask);
        let path = self.path(&["deployments"]);
        let query = [
            ("environment", environment.as_str()),
            ("status", "success"),
            ("order_by", "created_at"),
            ("sort", "desc"),
        ];
        let (told, more) = self.api.pages::<Told>(&path, &query, MOST).await?;
        let mut incomplete = Vec::new();
        if more {
            incomplete.push(format!("only the newest {MOST} deployments were read"));
        }
        // Of several services in one repository the environment tells which one it was, or the prefix of the tag.
        let apart = self.environment.contains("{service}") || !is_shared(&ask.settings, &ask.service);
        let prefix = tag_prefix(&ask.settings, &ask.service);
        let mut unclear = 0;
        let own = told.into_iter().filter(|told| {
            let here = told.environment.as_ref().is_none_or(|place| place.name == environment);
            if !here || told.status != "success" || told.created_at > ask.to {
                return false;
            }
            let own = apart || prefix.is_some_and(|prefix| told.reference.starts_with(prefix));
            let another = ask.settings.service.values().filter_map(|about| about.tag_prefix.as_deref());
            if !own && !another.filter(|prefix| !prefix.is_empty()).any(|prefix| told.reference.starts_with(prefix)) {
                unclear += 1;
            }
            own
        });
        let deployments: Vec<Deployment> = own
            .map(|told| {
                let job = told.deployable;
                Deployment {
                    id: format!("gitlab-{}", told.id),
                    service: ask.service.clone(),
                    environment: ask.environment.clone(),
                    version: Some(tame(&told.reference, 250)),
                    commit: Some(told.sha),
                    at: told.created_at,
                    finished: job.as_ref().and_then(|job| job.finished_at),
                    outcome: None,
                    cause: None,
                    incident: None,
                    link: job.and_then(|job| job.pipeline).and_then(|pipeline| link(pipeline.web_url)),
                    shape: Default::default(),
                }
            })
            .collect();
        if unclear > 0 {
            incomplete.push(format!("{unclear} deployments do not say which service they were of"));
        }
        Ok(Answer { learned: Learned::Deployments(deployments), at: ask.now, link: None, incomplete })
    }
}
