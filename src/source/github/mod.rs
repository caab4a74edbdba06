//! GitHub: versions and what they resolve to, what changed, what scanners found, deployments, and issues where they are the
//! incident tracker.
//!
//! Read only, apart from the answer to a deployment protection rule (`protection.rs`). Shapes: <https://docs.github.com/en/rest>, held against GitHub's published description by the tests.

mod app;
mod builds;
mod change;
mod deployments;
mod findings;
mod issues;
mod migrations;
mod protection;
mod refs;
mod reviews;
mod teams;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use serde::Deserialize;
use tokio::sync::Mutex;

use self::app::App;
use self::protection::Gate;
pub use self::protection::Protection;
use super::rest::{Credential, Rest, fixed};
use super::{Answer, Ask, CannotSay, Kind, Opening, Question, Review, Source, Untold};
use crate::clock::Time;
use crate::config::Secret;
use crate::name::{Role, SourceName};

/// The version whose description the tests hold requests against.
const VERSION: &str = "2022-11-28";

/// A repository on GitHub or a GitHub Enterprise server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// `owner/name`.
    repository: String,
    /// The API; of an Enterprise server `https://HOST/api/v3`.
    #[serde(default = "github")]
    url: url::Url,
    #[serde(default)]
    token: Option<Secret>,
    /// The id of a GitHub App that is installed on the repository; with `private-key` instead of a token.
    #[serde(default)]
    app_id: Option<String>,
    #[serde(default)]
    private_key: Option<Secret>,
    /// Issues with this label are incidents.
    #[serde(default = "incident")]
    incident_label: String,
    /// What scanners are asked about; empty: none.
    #[serde(default)]
    scanning: Vec<Scanning>,
    /// Which roles the members of a team have: `organisation/team`, or `team` in the repository's own organisation.
    #[serde(default)]
    roles: BTreeMap<Role, Vec<String>>,
    /// The App behind a deployment protection rule, which answers jobs that wait.
    #[serde(default)]
    protection: Option<Protection>,
}

/// A feature of GitHub's that finds something in code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Scanning {
    Code,
    Secrets,
}

impl Keys {
    /// Whether a repository that GitHub names is this one; their names have no case.
    pub fn is_of(&self, repository: &str) -> bool {
        self.repository.eq_ignore_ascii_case(repository)
    }

    pub fn incident_label(&self) -> &str {
        &self.incident_label
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
        ];
        all.extend((!self.scanning.is_empty()).then_some(Question::Findings));
        all
    }

    fn roles(&self) -> Option<&BTreeMap<Role, Vec<String>>> {
        Some(&self.roles)
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        if let Some(team) = self.roles.values().flatten().find(|team| teams::parts(team, "").is_none()) {
            bail!("`roles`: `{}` is no team: it is `organisation/team` or `team`", crate::message::tame(team, 60));
        }
        let parts = self.repository.split_once('/').filter(|(owner, name)| is_name(owner) && is_name(name));
        let Some((owner, name)) = parts else { bail!("`repository` is `owner/name`") };
        let (credential, app) = match (&self.token, &self.app_id, &self.private_key) {
            (None, None, None) => (Credential::None, None),
            (Some(token), None, None) => (Credential::Bearer(token.clone()), None),
            (None, Some(id), Some(key)) => {
                let (id, key, folder) = (id.clone(), key.clone(), opening.folder.to_owned());
                (Credential::Obtained, Some(App { id, key, folder, only: None, kept: Mutex::default() }))
            }
            _ => bail!("it signs in by `token`, or by `app-id` and `private-key`"),
        };
        Ok(Arc::new(Github {
            name: opening.settings.name.clone(),
            repository: (owner.to_owned(), name.to_owned()),
            incident_label: self.incident_label.clone(),
            scanning: self.scanning.clone(),
            app,
            gate: self.protection.as_ref().map(|about| Gate::open(about, &self.url, opening)).transpose()?,
            api: Rest::open(opening, "GitHub", &self.url, credential)?
                .header("accept", "application/vnd.github+json")
                .header("x-github-api-version", VERSION),
        }))
    }
}

/// One repository on github.com or a GitHub Enterprise server.
struct Github {
    name: SourceName,
    /// Owner and name.
    repository: (String, String),
    incident_label: String,
    scanning: Vec<Scanning>,
    app: Option<App>,
    gate: Option<Gate>,
    api: Rest,
}

impl fmt::Debug for Github {
    /// The name alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Github").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Github {
    /// The path of something in the repository.
    fn path<'p>(&'p self, rest: &[&'p str]) -> Vec<&'p str> {
        let mut path = vec!["repos", self.repository.0.as_str(), self.repository.1.as_str()];
        path.extend(rest);
        path
    }
}

impl Github {
    /// Obtains a token where an App signs in.
    async fn sign_in(&self, now: Time) -> Result<(), CannotSay> {
        if let Some(app) = &self.app {
            let repository = (self.repository.0.as_str(), self.repository.1.as_str());
            self.api.obtained(app.token(&self.api, repository, now).await?);
        }
        Ok(())
    }
}

impl Source for Github {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            self.sign_in(ask.now).await?;
            match ask.question {
                Question::Versions => self.versions(ask).await,
                Question::Change => self.change(ask).await,
                Question::Reviews => self.reviews(ask).await,
                Question::Builds => self.builds(ask).await,
                Question::Deployments => self.deployments(ask).await,
                Question::Incidents => self.incidents(ask).await,
                Question::Findings => self.findings(ask).await,
                other => Err(CannotSay::unasked(other)),
            }
        })
    }

    fn members<'a>(&'a self, team: &'a str, now: Time) -> BoxFuture<'a, Result<Vec<String>, CannotSay>> {
        Box::pin(self.members_of(team, now))
    }

    fn review<'a>(&'a self, review: &'a Review, now: Time) -> BoxFuture<'a, Result<(), Untold>> {
        Box::pin(self.tell(review, now))
    }

    fn could_review(&self, now: Time) -> BoxFuture<'_, Option<Result<String, CannotSay>>> {
        Box::pin(self.could_tell(now))
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

fn github() -> url::Url {
    fixed("https://api.github.com")
}

fn incident() -> String {
    "incident".to_owned()
}
