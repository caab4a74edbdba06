//! Unleash: whether a flag is defined in a project's environment, on or off, for whom, and when that last changed.
//!
//! Read only, by the admin API (<https://docs.getunleash.io/reference/api/unleash>), as a real server of version 8 answers it.
//! An unknown project has an empty list of flags there, so that the project itself is asked for first.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::{BoxFuture, join_all};
use serde::Deserialize;

use super::flags;
use super::rest::{Credential, Failed, Rest};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::FlagState;
use crate::clock::Time;
use crate::config::Secret;
use crate::message::tame;
use crate::name::Environment;

/// So many flags are asked about at once.
const AT_ONCE: usize = 4;

/// A project on an Unleash server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// The server, with the path at which it lives if it has one: `https://unleash.example.com`.
    url: url::Url,
    token: Secret,
    #[serde(default = "default_project")]
    project: String,
    /// Names of environments that are called otherwise there: ours to theirs.
    #[serde(default)]
    environment_keys: BTreeMap<Environment, String>,
}

impl Keys {
    pub fn project(&self) -> &str {
        &self.project
    }
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Flags]
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        if !is_name(&self.project) {
            anyhow::bail!("`project` is the project's id");
        }
        let credential = Credential::Headers(vec![("authorization", "", self.token.clone())]);
        Ok(Arc::new(Unleash {
            project: self.project.clone(),
            environments: self.environment_keys.clone(),
            api: Rest::open(opening, "Unleash", &self.url, credential)?,
        }))
    }
}

#[derive(Debug)]
struct Unleash {
    project: String,
    environments: BTreeMap<Environment, String>,
    api: Rest,
}

impl Source for Unleash {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            match ask.question {
                Question::Flags => self.flags(ask).await,
                other => Err(CannotSay::unasked(other)),
            }
        })
    }
}

#[derive(Debug, Deserialize)]
struct Overview {
    environments: Vec<Used>,
}

/// An environment that a project uses.
#[derive(Debug, Deserialize)]
struct Used {
    environment: String,
}

#[derive(Debug, Deserialize)]
struct Feature {
    name: String,
    #[serde(default)]
    archived: Option<bool>,
    #[serde(default)]
    environments: Option<Vec<Here>>,
}

/// A flag in one environment.
#[derive(Debug, Deserialize)]
struct Here {
    name: String,
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default)]
    strategies: Option<Vec<Strategy>>,
}

/// Who gets it.
#[derive(Debug, Deserialize)]
struct Strategy {
    name: String,
    #[serde(default)]
    disabled: Option<bool>,
    #[serde(default)]
    constraints: Option<Vec<serde::de::IgnoredAny>>,
    #[serde(default)]
    segments: Option<Vec<serde::de::IgnoredAny>>,
    #[serde(default)]
    parameters: Option<BTreeMap<String, serde_json::Value>>,
}

#[derive(Debug, Deserialize)]
struct Features {
    features: Vec<Named>,
    #[serde(default)]
    total: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Events {
    events: Vec<Happened>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Happened {
    created_at: String,
    #[serde(default)]
    environment: Option<String>,
}

impl Unleash {
    async fn flags(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let environment = flags::environment(ask, &self.environments);
        let overview: Overview = match self.api.get(&self.path(&["overview"]), &[]).await {
            Ok(overview) => overview,
            Err(Failed::Missing) => {
                return Err(CannotSay::because("has no such project, or the token may not see it (404)"));
            }
            Err(Failed::Says(why)) => return Err(why),
        };
        if !overview.environments.iter().any(|used| used.environment == environment) {
            return Err(flags::no_environment(environment));
        }
        let mut incomplete = Vec::new();
        let names = flags::looked_up(ask, &mut incomplete);
        let mut states = Vec::new();
        for some in names.chunks(AT_ONCE) {
            let mut asked = Vec::new();
            for name in some {
                asked.push(self.flag(name, environment));
            }
            for looked in join_all(asked).await {
                let (state, gap) = looked?;
                states.push(state);
                incomplete.extend(gap);
            }
        }
        Ok(Answer { learned: Learned::Flags(states), at: ask.now, link: None, incomplete })
    }

    /// One flag, and what of it could not be read.
    async fn flag(&self, name: &str, environment: &str) -> Result<(FlagState, Option<String>), CannotSay> {
        let mut state = FlagState::nowhere(name);
        // Names there are made of these; another one can be no flag, and could lead elsewhere.
        if !is_name(name) {
            return Ok((state, None));
        }
        let feature: Feature = match self.api.get(&self.path(&["features", name]), &[]).await {
            Ok(feature) => feature,
            Err(Failed::Missing) => {
                state.archived = self.is_archived(name).await?;
                state.defined = state.archived;
                return Ok((state, None));
            }
            Err(Failed::Says(why)) => return Err(why),
        };
        if feature.name != name {
            return Err(CannotSay::because("answered with something that is not Unleash's format"));
        }
        state.defined = true;
        state.archived = feature.archived == Some(true);
        state.link = self.link(name);
        let here = feature.environments.iter().flatten().find(|here| here.name == environment);
        let Some(here) = here else {
            return Ok((state, Some(format!("`{}` has no state in this environment", tame(name, 60)))));
        };
        state.on = here.enabled;
        state.percent = if here.enabled == Some(true) { percent(here.strategies.as_deref()) } else { None };
        state.changed = self.changed(name, environment).await;
        Ok((state, None))
    }

    /// Whether a flag that the project does not list is in its archive.
    async fn is_archived(&self, name: &str) -> Result<bool, CannotSay> {
        let project = format!("IS:{}", self.project);
        let query = [("project", project.as_str()), ("query", name), ("archived", "IS:true"), ("limit", "50")];
        let found: Features = self.api.get(&["api", "admin", "search", "features"], &query).await?;
        let archived = found.features.iter().any(|feature| feature.name == name);
        if !archived && found.total.is_some_and(|total| total > found.features.len()) {
            let shown = tame(name, 60);
            return Err(CannotSay::because(format!("has too many archived flags like `{shown}` to look through")));
        }
        Ok(archived)
    }

    /// When it last changed here. Unleash before version 6 has no such search; then it is not told.
    async fn changed(&self, name: &str, environment: &str) -> Option<Time> {
        let (feature, project) = (format!("IS:{name}"), format!("IS:{}", self.project));
        let query = [("feature", feature.as_str()), ("project", project.as_str()), ("limit", "50")];
        let found: Events = self.api.get(&["api", "admin", "search", "events"], &query).await.ok()?;
        // Without an environment it concerns all of them.
        let here = found.events.iter().filter(|event| event.environment.as_deref().is_none_or(|e| e == environment));
        here.filter_map(|event| Time::parse_rfc3339(&event.created_at)).max()
    }

    /// The path of something in the project.
    fn path<'p>(&'p self, rest: &[&'p str]) -> Vec<&'p str> {
        let mut path = vec!["api", "admin", "projects", self.project.as_str()];
        path.extend(rest);
        path
    }

    fn link(&self, name: &str) -> Option<String> {
        let mut link = self.api.base().clone();
        link.path_segments_mut().ok()?.pop_if_empty().extend(["projects", self.project.as_str(), "features", name]);
        let _ = link.set_username("");
        let _ = link.set_password(None);
        Some(link.into())
    }
}

/// The share of users that get it; None where constraints, segments or lists decide, or it is not told.
fn percent(strategies: Option<&[Strategy]>) -> Option<f64> {
    let mut shares = Vec::new();
    let mut chosen = false;
    for strategy in strategies?.iter().filter(|strategy| strategy.disabled != Some(true)) {
        let narrowed = strategy.constraints.as_ref().is_some_and(|all| !all.is_empty())
            || strategy.segments.as_ref().is_some_and(|all| !all.is_empty());
        let rollout = strategy.parameters.as_ref().and_then(|all| number(all.get("rollout")?));
        match (strategy.name.as_str(), rollout) {
            _ if narrowed => chosen = true,
            ("default", _) => shares.push(100.0),
            ("flexibleRollout", Some(share)) => shares.push(share.clamp(0.0, 100.0)),
            _ => chosen = true,
        }
    }
    match shares.as_slice() {
        _ if shares.contains(&100.0) => Some(100.0),
        [share] if !chosen => Some(*share),
        // Of several ways in, how many come in by both is not told.
        _ => None,
    }
}

fn number(value: &serde_json::Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| number.is_finite())
}

/// Letters, digits, dots, dashes, underscores and tildes; nothing that leads elsewhere in a path.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 256
        && !text.bytes().all(|b| b == b'.')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-~".contains(&b))
}

fn default_project() -> String {
    "default".to_owned()
}
