//! `POST /hooks/deployments`: deployments from any pipeline.

use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::name::{Environment, PlanId, Service};
use crate::store::deployment::Status;
use crate::store::plan::PlanRow;

/// What a pipeline says of one deployment. Unknown fields are refused, so that a typing error is not lost in silence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The sender's own id; the same id and status twice is one event.
    pub id: String,
    pub status: Status,
    pub service: Service,
    pub environment: Environment,
    #[serde(default)]
    pub version: Option<String>,
    #[serde(default)]
    pub commit: Option<String>,
    #[serde(default)]
    pub actor: Option<String>,
    #[serde(default)]
    pub at: Option<Time>,
    #[serde(default)]
    pub url: Option<String>,
    #[serde(default)]
    pub plan: Option<PlanId>,
}

impl Report {
    /// A person's own word on a plan, where no pipeline tells.
    pub fn by_person(row: &PlanRow, status: Status, now: Time) -> Report {
        Report {
            id: format!("person:{}", row.plan.id),
            status,
            service: row.plan.service.clone(),
            environment: row.plan.environment.clone(),
            version: row.plan.version.clone(),
            commit: row.plan.commit.clone(),
            actor: None,
            at: Some(now),
            url: None,
            plan: Some(row.plan.id.clone()),
        }
    }

    /// One sentence for the sender, where a value cannot be.
    pub fn check(&self) -> Result<(), String> {
        let texts =
            [Some(&self.id), self.version.as_ref(), self.commit.as_ref(), self.actor.as_ref(), self.url.as_ref()];
        let names = [self.service.as_str(), self.environment.as_str(), self.plan.as_ref().map_or("", PlanId::as_str)];
        if self.id.trim().is_empty() {
            return Err("`id` is empty".to_owned());
        }
        for text in texts.into_iter().flatten().map(String::as_str).chain(names) {
            if text.len() > 500 {
                return Err("a value is longer than 500 bytes".to_owned());
            }
            if text.chars().any(char::is_control) {
                return Err("a value holds a control character".to_owned());
            }
        }
        if let Some(url) = &self.url
            && !crate::message::is_web(url)
        {
            return Err("`url` is neither http nor https".to_owned());
        }
        Ok(())
    }
}
