//! Argo CD: what was synced to where and when, and whether it came out well.
//!
//! <https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/>: one application is one service in one environment.
//! Its history holds whole syncs that succeeded, by default the newest ten. Read only.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use reqwest::StatusCode;
use serde::Deserialize;

use super::rest::{self, Asked, Credential, Rest};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::{Alert, AlertState, Deployment, Shape};
use crate::clock::Time;
use crate::config::Secret;
use crate::message::tame;
use crate::name::{Environment, Service, SourceName};

/// What Argo CD keeps where an application does not say (`revisionHistoryLimit`).
const KEEPS: i64 = 10;

/// Applications of one Argo CD.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// Where Argo CD is: `https://argocd.example.com`.
    url: url::Url,
    token: Secret,
    /// The name of a service's application; `{service}` and `{environment}` are filled in.
    #[serde(default)]
    application: Option<String>,
    /// Applications that are called otherwise, by `service/environment`.
    #[serde(default)]
    applications: BTreeMap<String, String>,
    /// Argo CD's project: with it a missing application is told apart from one that the token may not see.
    #[serde(default)]
    project: Option<String>,
    /// The namespace of the applications, where it is not Argo CD's own.
    #[serde(default)]
    namespace: Option<String>,
    /// The service's container image without its tag, which then is the version; `{service}` is filled in. For manifests
    /// in a repository of their own, whose commits are not the service's.
    #[serde(default)]
    image: Option<String>,
}

impl Keys {
    /// Whether an application is that of a service in an environment.
    pub fn is_called(&self, service: &Service, environment: &Environment, application: &str) -> bool {
        match self.applications.get(&format!("{service}/{environment}")) {
            Some(named) => named == application,
            None => {
                self.application.as_deref().and_then(|pattern| filled(pattern, service, environment)).as_deref()
                    == Some(application)
            }
        }
    }

    /// Version and commit of what a sync brought, by the same rules by which its history is read.
    pub fn brought(
        &self,
        service: &Service,
        revision: Option<&str>,
        target: Option<&str>,
        images: Option<&[String]>,
    ) -> (Option<String>, Option<String>) {
        match &self.image {
            Some(image) => (tag(images.unwrap_or_default(), &image.replace("{service}", service.as_str())).ok(), None),
            None => what(revision, target.unwrap_or_default()),
        }
    }
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Deployments, Question::Alerts]
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        if self.application.is_none() && self.applications.is_empty() {
            bail!("it names no application: `application = \"{{service}}-{{environment}}\"`, or `applications`");
        }
        let mut named = BTreeMap::new();
        for (place, application) in &self.applications {
            let Some((service, environment)) = place.rsplit_once('/').filter(|(s, e)| !s.is_empty() && !e.is_empty())
            else {
                bail!("`{place}` is not of the form `service/environment`");
            };
            if !is_name(application) {
                bail!("`{place}`: an application's name has lower-case letters, digits, `-` and `.` only");
            }
            named.insert((Service::new(service), Environment::new(environment)), application.clone());
        }
        Ok(Arc::new(Argocd {
            name: opening.settings.name.clone(),
            pattern: self.application.clone(),
            named,
            project: self.project.clone(),
            namespace: self.namespace.clone(),
            image: self.image.clone(),
            api: Rest::open(opening, "Argo CD", &self.url, Credential::Bearer(self.token.clone()))?,
        }))
    }
}

struct Argocd {
    name: SourceName,
    pattern: Option<String>,
    named: BTreeMap<(Service, Environment), String>,
    project: Option<String>,
    namespace: Option<String>,
    image: Option<String>,
    api: Rest,
}

/// An application, as far as it is read. Fields: `v1alpha1Application` of Argo CD's description.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Application {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: Option<String>,
    namespace: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    revision_history_limit: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    health: Option<Health>,
    history: Option<Vec<Sync>>,
    operation_state: Option<Operation>,
    summary: Option<Summary>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Health {
    status: Option<String>,
    last_transition_time: Option<Time>,
    message: Option<String>,
}

/// One whole sync that succeeded.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Sync {
    id: i64,
    deploy_started_at: Option<Time>,
    deployed_at: Option<Time>,
    revision: Option<String>,
    revisions: Option<Vec<String>>,
    source: serde_json::Value,
    sources: serde_json::Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Operation {
    phase: Option<String>,
    started_at: Option<Time>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Summary {
    images: Option<Vec<String>>,
}

impl fmt::Debug for Argocd {
    /// The name alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argocd").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Source for Argocd {
    fn knows(&self, service: &Service, environment: &Environment) -> bool {
        self.application(service, environment).is_some()
    }

    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            let name = self
                .application(&ask.service, &ask.environment)
                .ok_or_else(|| CannotSay::because("knows no application of this service here"))?;
            let application = self.read(&name).await?;
            let link = self.link(&name, &application);
            match ask.question {
                Question::Deployments => Ok(self.deployments(ask, &name, application, link)),
                Question::Alerts => alerts(ask, &name, application, link),
                other => Err(CannotSay::unasked(other)),
            }
        })
    }
}

impl Argocd {
    /// The application of a service in an environment.
    fn application(&self, service: &Service, environment: &Environment) -> Option<String> {
        let named = self.named.get(&(service.clone(), environment.clone())).cloned();
        named.or_else(|| filled(self.pattern.as_deref()?, service, environment))
    }

    async fn read(&self, name: &str) -> Result<Application, CannotSay> {
        let mut query = Vec::new();
        query.extend(self.project.as_deref().map(|project| ("project", project)));
        query.extend(self.namespace.as_deref().map(|namespace| ("appNamespace", namespace)));
        let path = ["api", "v1", "applications", name];
        let received = self.api.send(Asked { path: &path, query: &query, ..Asked::default() }).await?;
        match received.status {
            StatusCode::OK => {
                let application: Application = self.api.read(&received)?;
                // Every field may be left out, so that almost anything reads; what was asked for has its name.
                let same = application.metadata.name.as_deref() == Some(name);
                same.then_some(application)
                    .ok_or_else(|| CannotSay::because("answered with something that is not Argo CD's format"))
            }
            // Argo CD says so of what does not exist too, so that nobody learns what does.
            StatusCode::FORBIDDEN => {
                Err(CannotSay::because(format!("has no application `{name}` that the token may see (403)")))
            }
            StatusCode::NOT_FOUND => Err(CannotSay::because(format!("has no application `{name}` (404)"))),
            status => Err(rest::refused(status, &received.headers).into()),
        }
    }

    /// Where people look at it.
    fn link(&self, name: &str, application: &Application) -> Option<String> {
        let mut url = self.api.base().clone();
        let namespace = application.metadata.namespace.as_deref().filter(|namespace| is_name(namespace));
        url.path_segments_mut().ok()?.pop_if_empty().push("applications").extend(namespace).push(name);
        (url.scheme() == "https" && url.username().is_empty() && url.password().is_none()).then(|| url.into())
    }

    fn deployments(&self, ask: &Ask, name: &str, application: Application, link: Option<String>) -> Answer {
        let mut incomplete = Vec::new();
        let Status { history, operation_state, summary, .. } = application.status;
        let mut syncs = history.unwrap_or_default();
        let read = syncs.len();
        syncs.sort_by_key(|sync| (sync.deployed_at, sync.id));
        // The same once more (somebody's second sync, or one that healed itself) is no other deployment.
        syncs.dedup_by(|later, earlier| later.is_like(earlier));
        let keeps = application.spec.revision_history_limit.unwrap_or(KEEPS);
        let oldest = syncs.iter().filter_map(|sync| sync.deployed_at).min();
        if i64::try_from(read).is_ok_and(|read| read >= keeps) && oldest.is_some_and(|oldest| oldest > ask.from) {
            incomplete.push(format!("keeps only the newest {read} syncs"));
        }
        if let Some(operation) =
            operation_state.filter(|o| matches!(o.phase.as_deref(), Some("Running" | "Terminating")))
        {
            let since = operation.started_at.map(|at| format!(" since {}", at.rfc3339())).unwrap_or_default();
            incomplete.push(format!("a sync has been under way{since}"));
        }
        let image = self.image.as_deref().map(|image| image.replace("{service}", ask.service.as_str()));
        let tag = image.as_deref().and_then(|image| {
            let images = summary.and_then(|summary| summary.images).unwrap_or_default();
            tag(&images, image).map_err(|why| incomplete.push(why)).ok()
        });
        let newest = syncs.len().saturating_sub(1);
        let mut unclear = 0;
        let mut deployments: Vec<Deployment> = Vec::new();
        for (at, sync) in syncs.into_iter().enumerate() {
            let Some(deployed) = sync.deployed_at.or(sync.deploy_started_at) else {
                unclear += 1;
                continue;
            };
            let (version, commit) = match (&image, at == newest) {
                (Some(_), true) => (tag.clone(), None),
                // Which image an earlier sync brought Argo CD does not keep.
                (Some(_), false) => (None, None),
                (None, _) => sync.what(),
            };
            deployments.push(Deployment {
                id: format!("argocd-{name}-{}", sync.id),
                service: ask.service.clone(),
                environment: ask.environment.clone(),
                version,
                commit,
                at: sync.deploy_started_at.filter(|started| *started <= deployed).unwrap_or(deployed),
                finished: sync.deployed_at,
                outcome: None,
                cause: None,
                incident: None,
                link: link.clone(),
                shape: Shape::default(),
            });
        }
        if unclear > 0 {
            incomplete.push(format!("{unclear} syncs have no time"));
        }
        if let (None, Some(last)) = (&image, deployments.last())
            && last.version.is_none()
            && last.commit.is_none()
        {
            incomplete.push("its revision is no single commit: `image` would name the version".to_owned());
        }
        deployments.retain(|deployment| deployment.at <= ask.to);
        deployments.reverse();
        Answer { learned: Learned::Deployments(deployments), at: ask.now, link, incomplete }
    }
}

/// An application that is not well, in Argo CD's word for it.
fn alerts(ask: &Ask, name: &str, application: Application, link: Option<String>) -> Result<Answer, CannotSay> {
    let health = application.status.health.unwrap_or_default();
    let status = health.status.unwrap_or_default();
    let alerts = match status.as_str() {
        "Healthy" | "Progressing" | "Suspended" => Vec::new(),
        "Degraded" | "Missing" => vec![Alert {
            state: AlertState::Firing,
            name: format!("{name} is {}", status.to_lowercase()),
            severity: None,
            summary: health.message.filter(|message| !message.is_empty()).map(|message| tame(&message, 300)),
            since: health.last_transition_time.filter(|since| *since <= ask.now).unwrap_or(ask.now),
            silenced: None,
            link: link.clone(),
        }],
        _ => return Err(CannotSay::because(format!("does not know whether `{name}` is well"))),
    };
    Ok(Answer { learned: Learned::Alerts(alerts), at: ask.now, link, incomplete: Vec::new() })
}

impl Sync {
    /// Whether it brought the same as another: revisions and everything that the sources were given besides.
    fn is_like(&self, other: &Sync) -> bool {
        (&self.revision, &self.revisions, &self.source, &self.sources)
            == (&other.revision, &other.revisions, &other.source, &other.sources)
    }

    /// Version and commit, as far as the sync itself names them.
    fn what(&self) -> (Option<String>, Option<String>) {
        let target = self.source.get("targetRevision").and_then(|target| target.as_str()).unwrap_or_default();
        what(self.revision.as_deref(), target)
    }
}

/// The name of an application by its pattern.
fn filled(pattern: &str, service: &Service, environment: &Environment) -> Option<String> {
    let name = pattern.replace("{service}", service.as_str()).replace("{environment}", environment.as_str());
    is_name(&name).then_some(name)
}

/// Version and commit that a revision and what it was asked for by stand for.
fn what(revision: Option<&str>, target: &str) -> (Option<String>, Option<String>) {
    let Some(revision) = revision.filter(|revision| !revision.is_empty()) else { return (None, None) };
    if !is_commit(revision) {
        // The version of a chart.
        return (Some(tame(revision, 250)), None);
    }
    // A branch is no version: it moves on. Whatever people call a version has a number in it.
    let target = target.trim_start_matches("refs/tags/");
    let named = !is_commit(target) && target.chars().any(|c| c.is_ascii_digit());
    (named.then(|| tame(target, 250)), Some(revision.to_owned()))
}

/// The tag under which an image runs.
fn tag(images: &[String], image: &str) -> Result<String, String> {
    let mut tags: Vec<&str> = Vec::new();
    let mut digest = false;
    for (rest, found) in images.iter().filter_map(|found| Some((found.strip_prefix(image)?, found))) {
        let rest = rest.split('@').next().unwrap_or_default();
        match rest.strip_prefix(':') {
            Some(tag) if !tag.is_empty() => tags.push(tag),
            None if rest.is_empty() && found.len() > image.len() => digest = true,
            _ => {}
        }
    }
    tags.sort_unstable();
    tags.dedup();
    match tags.as_slice() {
        [tag] => Ok(tame(tag, 128)),
        [] if digest => Err("runs the image by its digest, which names no version".to_owned()),
        [] => Err("runs no image of the name that the settings give".to_owned()),
        several => Err(format!("runs the image under {} tags at once", several.len())),
    }
}

/// SHA-1 or SHA-256, in full.
fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A name as Kubernetes takes it: RFC 1123.
fn is_name(text: &str) -> bool {
    let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    !text.is_empty() && text.len() <= 253 && text.chars().all(ok) && !text.starts_with(['-', '.'])
}
