//! What systems say when they are asked, for `tidegate init`: read only, each within its time, none of them needed.
//!
//! A token goes to its vendor's own address or to one that a person named, never to a host that a repository names.

mod argocd;
mod github;
mod gitlab;
mod pagerduty;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::de::DeserializeOwned;

use super::owners::Owner;
use crate::clock::Time;
use crate::config::Secret;
use crate::source::CannotSay;
use crate::source::rest::{Credential, Failed, Rest, readable};

/// How long one request may take, and all of one system's.
const PATIENCE: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(40);

/// A system that can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct System {
    /// As `--source` and the settings call it.
    pub kind: &'static str,
    /// As people call it.
    pub name: &'static str,
    /// Variables that may hold its token, the first that is set counts; the first is named where none is.
    pub tokens: &'static [&'static str],
    /// Variables that may hold its address.
    pub addresses: &'static [&'static str],
    /// Its API, where the vendor has one for all.
    pub address: Option<&'static str>,
}

pub const ALL: [System; 4] = [
    System {
        kind: "github",
        name: "GitHub",
        tokens: &["TIDEGATE_GITHUB_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"],
        addresses: &["GITHUB_API_URL"],
        address: Some("https://api.github.com"),
    },
    System {
        kind: "gitlab",
        name: "GitLab",
        tokens: &["TIDEGATE_GITLAB_TOKEN", "GITLAB_TOKEN"],
        addresses: &["CI_SERVER_URL"],
        address: Some("https://gitlab.com"),
    },
    System {
        kind: "pagerduty",
        name: "PagerDuty",
        tokens: &["TIDEGATE_PAGERDUTY_TOKEN", "PAGERDUTY_TOKEN", "PAGERDUTY_API_KEY"],
        addresses: &[],
        address: Some("https://api.pagerduty.com"),
    },
    System {
        kind: "argocd",
        name: "Argo CD",
        tokens: &["TIDEGATE_ARGOCD_TOKEN", "ARGOCD_AUTH_TOKEN"],
        addresses: &["ARGOCD_SERVER"],
        address: None,
    },
];

/// A system with its address and the variable that holds its token.
#[derive(Clone, Debug)]
pub struct Reached {
    pub system: System,
    pub url: url::Url,
    pub token: String,
}

/// What is asked about.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// `owner/name` of repositories, by kind of host.
    pub repositories: Vec<(&'static str, String)>,
    pub owners: Vec<Owner>,
    pub since: Option<Time>,
}

/// What all of them said.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub environments: Vec<Environment>,
    /// Repositories that the host knows, with what stands behind their name: where a proposal may rely on them.
    pub known: Vec<(&'static str, String)>,
    /// Repositories that nobody asked about, where none was found on disk.
    pub repositories: Vec<(&'static str, String)>,
    /// The login behind an address, in lower case.
    pub logins: BTreeMap<String, String>,
    /// Members of teams, by `organisation/team`.
    pub teams: BTreeMap<String, Vec<String>>,
    pub pagerduty: Option<PagerDuty>,
    pub applications: Vec<Application>,
    /// What was asked, with what came of it, as whole sentences.
    pub notes: Vec<String>,
}

/// An environment at a code host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    pub system: &'static str,
    /// The repository.
    pub of: String,
    pub name: String,
    pub protected: bool,
}

/// A PagerDuty account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PagerDuty {
    /// Id, name, and the escalation policy of each service.
    pub services: Vec<(String, String, Option<String>)>,
    /// Id and name of each schedule.
    pub schedules: Vec<(String, String)>,
    /// Address and name of each user.
    pub users: Vec<(String, String)>,
}

/// An application of Argo CD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    pub name: String,
    pub destination: String,
    pub namespace: Option<String>,
}

/// Asks every system that can be reached, all at once.
pub async fn ask(reached: &[Reached], about: &About, folder: &Path) -> Told {
    let asked = futures::future::join_all(reached.iter().map(|one| within(one, about, folder))).await;
    let mut all = Told::default();
    for told in asked {
        all.environments.extend(told.environments);
        all.known.extend(told.known);
        all.repositories.extend(told.repositories);
        all.logins.extend(told.logins);
        all.teams.extend(told.teams);
        all.pagerduty = all.pagerduty.or(told.pagerduty);
        all.applications.extend(told.applications);
        all.notes.extend(told.notes);
    }
    all
}

async fn within(one: &Reached, about: &About, folder: &Path) -> Told {
    let name = one.system.name;
    let asked: BoxFuture<'_, Result<Told, CannotSay>> = Box::pin(async move {
        let client = crate::http::trusted(PATIENCE).map_err(|_| CannotSay::because("cannot be asked from here"))?;
        let token = Secret { env: Some(one.token.clone()), file: None, value: None };
        let credential = match one.system.kind {
            "gitlab" => Credential::Headers(vec![("private-token", "", token)]),
            "pagerduty" => Credential::Headers(vec![("authorization", "Token token=", token)]),
            _ => Credential::Bearer(token),
        };
        let rest = Rest::at(client, folder, name, &one.url, credential)
            .map_err(|_| CannotSay::because("has an address that is no web address"))?;
        Ok(match one.system.kind {
            "github" => github::told(rest, about).await,
            "gitlab" => gitlab::told(rest, about).await,
            "pagerduty" => pagerduty::told(rest).await,
            _ => argocd::told(rest).await,
        })
    });
    match tokio::time::timeout(WHOLE, asked).await {
        Ok(Ok(told)) => told,
        Ok(Err(why)) => Told { notes: vec![format!("{name} {why}.")], ..Told::default() },
        Err(_) => Told {
            notes: vec![format!("{name} did not answer everything in {} s.", WHOLE.as_secs())],
            ..Told::default()
        },
    }
}

/// The entries of a list that could be read; what failed is noted with what was asked for.
async fn list<T: DeserializeOwned>(
    rest: &Rest,
    (path, query, most): (&[&str], &[(&str, &str)], usize),
    (system, what): (&str, &str),
    notes: &mut Vec<String>,
) -> Vec<T> {
    match rest.pages::<serde_json::Value>(path, query, most).await {
        Ok((entries, more)) => {
            let (read, odd) = readable(entries);
            if odd > 0 {
                notes.push(format!("{system}: {odd} {what} could not be read."));
            }
            if more {
                notes.push(format!("{system} has more {what} than the {most} that were read."));
            }
            read
        }
        Err(failed) => {
            notes.push(failure(system, what, failed));
            Vec::new()
        }
    }
}

/// A sentence about what a system did not say.
fn failure(system: &str, what: &str, failed: Failed) -> String {
    format!("{system}, asked for {what}: it {}.", CannotSay::from(failed))
}
