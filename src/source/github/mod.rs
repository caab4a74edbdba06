//! GitHub: versions and what they resolve to, what changed, deployments, and issues where they are the incident tracker.
//!
//! Read only. Shapes: <https://docs.github.com/en/rest>, held against GitHub's published description by the tests.

mod api;
mod change;
mod deployments;
mod issues;
mod migrations;
mod refs;

use std::fmt;
use std::path::Path;
use std::sync::Mutex;

use anyhow::bail;
use futures::future::BoxFuture;

use self::api::Api;
use super::{Answer, Ask, CannotSay, Question, Source};
use crate::config::{SourceKind, SourceSettings};
use crate::name::{Environment, Service, SourceName};

const CAN_ANSWER: [Question; 4] = [Question::Versions, Question::Change, Question::Deployments, Question::Incidents];

/// One repository on github.com or a GitHub Enterprise server.
pub struct Github {
    name: SourceName,
    answers: Vec<Question>,
    services: Vec<Service>,
    environments: Vec<Environment>,
    /// Owner and name.
    repository: (String, String),
    incident_label: String,
    api: Api,
}

impl fmt::Debug for Github {
    /// The name alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Github").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Github {
    /// Takes the settings of a `github` source; the token's file is seen from `folder`, where the settings are.
    pub fn open(settings: &SourceSettings, folder: &Path, client: reqwest::Client) -> anyhow::Result<Github> {
        let SourceKind::Github { repository, url, token, incident_label } = &settings.kind else {
            bail!("`{}` is not a github source", settings.name)
        };
        let parts = repository.split_once('/').filter(|(owner, name)| is_name(owner) && is_name(name));
        let Some((owner, name)) = parts else {
            bail!("the source `{}` needs `repository = \"owner/name\"`", settings.name)
        };
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            bail!("the source `{}` needs an address that begins with http:// or https://", settings.name);
        }
        let answers = settings.answers.clone().unwrap_or_else(|| CAN_ANSWER.to_vec());
        if let Some(question) = answers.iter().find(|question| !CAN_ANSWER.contains(question)) {
            bail!("the source `{}` cannot answer `{}`: GitHub is not asked that", settings.name, question.as_str());
        }
        Ok(Github {
            name: settings.name.clone(),
            answers,
            services: settings.services.clone(),
            environments: settings.environments.clone(),
            repository: (owner.to_owned(), name.to_owned()),
            incident_label: incident_label.clone(),
            api: Api {
                client,
                base: url.clone(),
                token: token.clone(),
                folder: folder.to_owned(),
                kept: Mutex::default(),
            },
        })
    }

    /// The path of something in the repository.
    fn path<'p>(&'p self, rest: &[&'p str]) -> Vec<&'p str> {
        let mut path = vec!["repos", self.repository.0.as_str(), self.repository.1.as_str()];
        path.extend(rest);
        path
    }
}

impl Source for Github {
    fn name(&self) -> &SourceName {
        &self.name
    }

    fn answers(&self) -> &[Question] {
        &self.answers
    }

    fn concerns(&self, service: &Service, environment: &Environment) -> bool {
        (self.services.is_empty() || self.services.contains(service))
            && (self.environments.is_empty() || self.environments.contains(environment))
    }

    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            match ask.question {
                Question::Versions => self.versions(ask).await,
                Question::Change => self.change(ask).await,
                Question::Deployments => self.deployments(ask).await,
                Question::Incidents => self.incidents(ask).await,
                other => Err(CannotSay::because(format!("cannot answer `{}`", other.as_str()))),
            }
        })
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}
