//! GitLab: versions and what they resolve to, what changed, who read it, how its builds went, what its scanners found,
//! deployments, incidents, freeze periods, and issues as tickets.
//!
//! Read only. Shapes: <https://docs.gitlab.com/api/rest/>.

mod builds;
mod change;
mod deployments;
mod findings;
mod freeze;
mod issues;
mod migrations;
mod refs;
mod reviews;
mod teams;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use serde::Deserialize;

use super::rest::{Credential, Rest, fixed};
use super::{Answer, Ask, CannotSay, Kind, Opening, Question, Source};
use crate::clock::Time;
use crate::config::Secret;
use crate::message::is_web;
use crate::name::{Environment, Role, Service, SourceName};

/// A project on gitlab.com or a server of one's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// Its path with its groups, `group/project`, or its number.
    project: String,
    /// The server, without `/api/v4`.
    #[serde(default = "gitlab")]
    url: url::Url,
    #[serde(default)]
    token: Option<Secret>,
    /// What GitLab calls an environment; `{service}` and `{environment}` are filled in.
    #[serde(default = "environment")]
    environment: String,
    /// Environments that the project's freeze periods are about; empty means all.
    #[serde(default)]
    freeze_environments: Vec<Environment>,
    /// Whether the findings of its scanners are asked for, which GitLab tells in the tier Ultimate alone.
    #[serde(default)]
    scanning: bool,
    /// Which roles the members of a group have: its path, `group/subgroup`, or its number.
    #[serde(default)]
    roles: BTreeMap<Role, Vec<String>>,
}

impl Keys {
    /// Whether a project that GitLab names by its path and its number is this one.
    pub fn is_of(&self, path: &str, number: &str) -> bool {
        self.project.eq_ignore_ascii_case(path) || self.project == number
    }

    /// What GitLab calls an environment of a service.
    pub fn environment_of(&self, service: &Service, environment: &Environment) -> String {
        let named = self.environment.replace("{service}", service.as_str());
        named.replace("{environment}", environment.as_str())
    }
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        let mut all = vec![
            Question::Versions,
            Question::Change,
            Question::Reviews,
            Question::Builds,
            Question::Deployments,
            Question::Incidents,
            Question::Calendar,
            Question::Ticket,
        ];
        all.extend(self.scanning.then_some(Question::Findings));
        all
    }

    fn roles(&self) -> Option<&BTreeMap<Role, Vec<String>>> {
        Some(&self.roles)
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        if let Some(group) = self.roles.values().flatten().find(|group| !group.split('/').all(part)) {
            bail!("`roles`: `{}` is no group: it is `group/subgroup`, or its number", crate::message::tame(group, 60));
        }
        if !self.project.split('/').all(part) {
            bail!("`project` is `group/project`, or the project's number");
        }
        let credential = self
            .token
            .clone()
            .map_or(Credential::None, |token| Credential::Headers(vec![("private-token", "", token)]));
        Ok(Arc::new(Gitlab {
            name: opening.settings.name.clone(),
            project: self.project.clone(),
            environment: self.environment.clone(),
            freeze_environments: self.freeze_environments.clone(),
            api: Rest::open(opening, "GitLab", &self.url, credential)?,
        }))
    }
}

struct Gitlab {
    name: SourceName,
    project: String,
    environment: String,
    freeze_environments: Vec<Environment>,
    api: Rest,
}

impl fmt::Debug for Gitlab {
    /// The name alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gitlab").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Gitlab {
    /// The path of something in the project. Slashes inside a part are written as its own, which is how GitLab wants them.
    fn path<'p>(&'p self, rest: &[&'p str]) -> Vec<&'p str> {
        let mut path = vec!["api", "v4", "projects", self.project.as_str()];
        path.extend(rest);
        path
    }

    /// What GitLab calls the environment of a question.
    fn environment_of(&self, ask: &Ask) -> String {
        let named = self.environment.replace("{service}", ask.service.as_str());
        named.replace("{environment}", ask.environment.as_str())
    }
}

impl Source for Gitlab {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            match ask.question {
                Question::Versions => self.versions(ask).await,
                Question::Change => self.change(ask).await,
                Question::Reviews => self.reviews(ask).await,
                Question::Builds => self.builds(ask).await,
                Question::Deployments => self.deployments(ask).await,
                Question::Incidents => self.incidents(ask).await,
                Question::Calendar => self.freezes(ask).await,
                Question::Ticket => self.ticket(ask).await,
                Question::Findings => self.findings(ask).await,
                other => Err(CannotSay::unasked(other)),
            }
        })
    }

    fn members<'a>(&'a self, team: &'a str, _: Time) -> BoxFuture<'a, Result<Vec<String>, CannotSay>> {
        Box::pin(self.members_of(team))
    }
}

/// Whether it may be a part of a path of groups and projects.
fn part(part: &str) -> bool {
    !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "._-".contains(c)) && part.len() <= 255
}

/// An address that people may follow.
fn link(address: Option<String>) -> Option<String> {
    address.filter(|link| is_web(link))
}

fn gitlab() -> url::Url {
    fixed("https://gitlab.com")
}

fn environment() -> String {
    "{environment}".to_owned()
}
