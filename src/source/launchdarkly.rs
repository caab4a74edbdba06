//! LaunchDarkly: whether a flag is defined in an environment, on or off, for whom, and when that last changed.
//!
//! Read only. Shapes: <https://launchdarkly.com/docs/api/feature-flags>, held against LaunchDarkly's published description by
//! the tests. The list leaves archived flags out, so that one that is not in it is asked for by its own address.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use super::flags;
use super::rest::{Credential, Failed, Rest, fixed};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::FlagState;
use crate::clock::Time;
use crate::config::Secret;
use crate::name::Environment;

/// The version of the API whose description the tests hold requests against.
const VERSION: &str = "20240415";
/// The most that a page holds.
const PAGE: usize = 100;
/// So many pages of the list are read; who is not there by then is asked for by name.
const PAGES: usize = 3;

/// A project on LaunchDarkly.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// The project's key.
    project: String,
    token: Secret,
    /// Of the federal or European instance: `https://app.launchdarkly.us`, `https://app.eu.launchdarkly.com`.
    #[serde(default = "launchdarkly")]
    url: url::Url,
    /// Keys of environments that are called otherwise there: ours to theirs.
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
        if !is_key(&self.project) {
            anyhow::bail!("`project` is the project's key");
        }
        // The token alone, without a word before it.
        let credential = Credential::Headers(vec![("authorization", "", self.token.clone())]);
        Ok(Arc::new(Launchdarkly {
            project: self.project.clone(),
            environments: self.environment_keys.clone(),
            api: Rest::open(opening, "LaunchDarkly", &self.url, credential)?.header("ld-api-version", VERSION),
        }))
    }
}

#[derive(Debug)]
struct Launchdarkly {
    project: String,
    environments: BTreeMap<Environment, String>,
    api: Rest,
}

impl Source for Launchdarkly {
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
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Flag>,
    #[serde(default)]
    total_count: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Flag {
    key: String,
    #[serde(default)]
    archived: Option<bool>,
    #[serde(default)]
    variations: Option<Vec<Variation>>,
    #[serde(default)]
    environments: Option<BTreeMap<String, Here>>,
}

#[derive(Debug, Deserialize)]
struct Variation {
    #[serde(default)]
    value: Value,
}

/// A flag in one environment.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Here {
    #[serde(default)]
    on: Option<bool>,
    #[serde(default)]
    archived: Option<bool>,
    #[serde(default)]
    last_modified: Option<i64>,
    #[serde(default)]
    off_variation: Option<usize>,
    #[serde(default)]
    fallthrough: Option<Fallthrough>,
    #[serde(default, rename = "_summary")]
    summary: Option<Summary>,
    #[serde(default, rename = "_site")]
    site: Option<Link>,
}

/// What those get whom no rule names: a variation, or shares of several.
#[derive(Debug, Deserialize)]
struct Fallthrough {
    #[serde(default)]
    variation: Option<usize>,
    #[serde(default)]
    rollout: Option<Rollout>,
}

#[derive(Debug, Deserialize)]
struct Rollout {
    #[serde(default)]
    variations: Option<Vec<Weighted>>,
}

#[derive(Debug, Deserialize)]
struct Weighted {
    variation: usize,
    /// Of 100,000.
    weight: f64,
}

/// How many rules and targets lead to each variation.
#[derive(Debug, Deserialize)]
struct Summary {
    #[serde(default)]
    variations: Option<BTreeMap<String, Led>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Led {
    #[serde(default)]
    rules: Option<u64>,
    #[serde(default)]
    targets: Option<u64>,
    #[serde(default)]
    context_targets: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Link {
    #[serde(default)]
    href: Option<String>,
}

impl Launchdarkly {
    async fn flags(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let environment = flags::environment(ask, &self.environments);
        let mut incomplete = Vec::new();
        let names = flags::looked_up(ask, &mut incomplete);
        let mut found: BTreeMap<&str, Flag> = BTreeMap::new();
        let mut knows_environment = false;
        let mut empty = true;
        for page in 0..PAGES {
            let Page { items, total_count } = self.page(environment, page * PAGE).await?;
            let count = items.len();
            empty &= count == 0;
            for flag in items {
                knows_environment |= flag.environments.as_ref().is_some_and(|all| all.contains_key(environment));
                if let Some(name) = names.iter().find(|name| **name == flag.key) {
                    found.insert(name, flag);
                }
            }
            let read = page * PAGE + count;
            if count < PAGE || found.len() == names.len() || total_count.is_some_and(|total| total <= read) {
                break;
            }
        }
        for name in names.iter().filter(|name| is_key(name)) {
            if !found.contains_key(name)
                && let Some(flag) = self.one(environment, name).await?
            {
                knows_environment |= flag.environments.as_ref().is_some_and(|all| all.contains_key(environment));
                found.insert(name, flag);
            }
        }
        // A project without any flag may well have the environment.
        let some = !empty || !found.is_empty();
        if some && !knows_environment {
            return Err(flags::no_environment(environment));
        }
        let states = names.iter().map(|name| match found.get(name) {
            Some(flag) => self.state(flag, environment),
            None => FlagState::nowhere(name),
        });
        Ok(Answer { learned: Learned::Flags(states.collect()), at: ask.now, link: None, incomplete })
    }

    async fn page(&self, environment: &str, offset: usize) -> Result<Page, CannotSay> {
        let (limit, offset) = (PAGE.to_string(), offset.to_string());
        let query = [("env", environment), ("limit", limit.as_str()), ("offset", offset.as_str()), ("sort", "key")];
        self.api.get(&["api", "v2", "flags", &self.project], &query).await.map_err(|failed| match failed {
            Failed::Missing => {
                CannotSay::because("has no such project or environment, or the token may not see it (404)")
            }
            Failed::Says(why) => why,
        })
    }

    /// A flag by its own address, archived or not.
    async fn one(&self, environment: &str, name: &str) -> Result<Option<Flag>, CannotSay> {
        match self.api.get(&["api", "v2", "flags", &self.project, name], &[("env", environment)]).await {
            Ok(flag) => Ok(Some(flag)),
            Err(Failed::Missing) => Ok(None),
            Err(Failed::Says(why)) => Err(why),
        }
    }

    fn state(&self, flag: &Flag, environment: &str) -> FlagState {
        let Some(here) = flag.environments.as_ref().and_then(|all| all.get(environment)) else {
            return FlagState { archived: flag.archived == Some(true), defined: true, ..FlagState::nowhere(&flag.key) };
        };
        let value = |index: usize| flag.variations.as_ref()?.get(index).map(|variation| flags::said(&variation.value));
        let fallthrough = here.fallthrough.as_ref();
        let served = match here.on {
            Some(true) => fallthrough.and_then(|fallthrough| fallthrough.variation),
            _ => here.off_variation,
        };
        FlagState {
            name: flag.key.clone(),
            defined: true,
            on: here.on,
            default: served.and_then(value),
            percent: if here.on == Some(true) { percent(here) } else { None },
            archived: flag.archived == Some(true) || here.archived == Some(true),
            changed: here.last_modified.map(Time::from_ms),
            link: here.site.as_ref().and_then(|site| self.site(site.href.as_deref()?)),
        }
    }

    /// An address that the vendor tells, where it leads to the vendor.
    fn site(&self, href: &str) -> Option<String> {
        let link = self.api.base().join(href).ok()?;
        (link.origin() == self.api.base().origin() && link.as_str().len() < 500).then(|| link.into())
    }
}

/// The share of those who get something else than when it is off; None where rules or targets decide.
fn percent(here: &Here) -> Option<f64> {
    let off = here.off_variation?;
    let led = here.summary.as_ref()?.variations.as_ref()?;
    let ruled = led
        .iter()
        .filter(|(index, _)| index.parse() != Ok(off))
        .any(|(_, led)| [led.rules, led.targets, led.context_targets].into_iter().flatten().any(|count| count > 0));
    if ruled {
        return None;
    }
    let fallthrough = here.fallthrough.as_ref()?;
    match (&fallthrough.rollout, fallthrough.variation) {
        (Some(rollout), _) => {
            let others = rollout.variations.as_ref()?.iter().filter(|weighted| weighted.variation != off);
            Some((others.map(|weighted| weighted.weight).sum::<f64>() / 1_000.0).clamp(0.0, 100.0))
        }
        (None, Some(variation)) => Some(if variation == off { 0.0 } else { 100.0 }),
        (None, None) => None,
    }
}

/// Letters, digits, dots, dashes and underscores, as keys have them; nothing that leads elsewhere in a path.
fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 256
        && !text.bytes().all(|b| b == b'.')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn launchdarkly() -> url::Url {
    fixed("https://app.launchdarkly.com")
}
