//! Codecov: how much of a change, and of the whole, tests run, by comparing two commits.
//!
//! <https://docs.codecov.com/reference/compare_impacted_files_retrieve>: the totals of both commits and of the lines between
//! them. Read only.

use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use serde::Deserialize;

use super::rest::{Credential, Failed, Rest, fixed};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::{Coverage, Covered};
use crate::config::Secret;
use crate::name::SourceName;

/// A repository on Codecov.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// `owner/name`.
    repository: String,
    /// Where the code is: `github`, `gitlab`, `bitbucket`, and the same with `_enterprise` or `_server`.
    #[serde(default = "github")]
    service: String,
    /// A token of a person's or a team's settings at Codecov, not the one that uploads.
    token: Secret,
    #[serde(default = "codecov")]
    url: url::Url,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Coverage]
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        let parts = self.repository.split_once('/').filter(|(owner, name)| is_name(owner) && is_name(name));
        let Some((owner, name)) = parts else { bail!("`repository` is `owner/name`") };
        if !self.service.chars().all(|c| c.is_ascii_lowercase() || c == '_') || self.service.is_empty() {
            bail!("`service` is where the code is, such as `github`");
        }
        Ok(Arc::new(Codecov {
            name: opening.settings.name.clone(),
            repository: (owner.to_owned(), name.to_owned()),
            service: self.service.clone(),
            api: Rest::open(opening, "Codecov", &self.url, Credential::Bearer(self.token.clone()))?,
        }))
    }
}

struct Codecov {
    name: SourceName,
    /// Owner and name.
    repository: (String, String),
    service: String,
    api: Rest,
}

impl fmt::Debug for Codecov {
    /// The name alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Codecov").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
struct Compared {
    totals: Sides,
}

#[derive(Debug, Deserialize)]
struct Sides {
    #[serde(default)]
    base: Option<Totals>,
    #[serde(default)]
    head: Option<Totals>,
    /// Of the lines that lie between the two.
    #[serde(default)]
    patch: Option<Totals>,
}

#[derive(Debug, Deserialize)]
struct Alone {
    totals: Totals,
}

#[derive(Debug, Deserialize)]
struct Totals {
    #[serde(default)]
    hits: u32,
    #[serde(default)]
    misses: u32,
    #[serde(default)]
    partials: u32,
    /// In per cent.
    #[serde(default)]
    coverage: Option<f64>,
}

impl Totals {
    /// Partly run counts as not run, as at Codecov.
    fn covered(&self) -> Covered {
        Covered { lines: self.hits, of: self.hits.saturating_add(self.misses).saturating_add(self.partials) }
    }

    fn per_cent(&self) -> Option<f64> {
        self.coverage.filter(|share| (0.0..=100.0).contains(share))
    }
}

impl Codecov {
    fn path<'p>(&'p self, rest: &[&'p str]) -> Vec<&'p str> {
        let mut path = vec!["api", "v2", &self.service, &self.repository.0, "repos", &self.repository.1];
        path.extend(rest);
        // Codecov's addresses end in a slash.
        path.push("");
        path
    }

    async fn coverage(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let Some(change) = ask.change.as_deref() else {
            return Err(CannotSay::because("cannot tell which commit matters: what changes is not known"));
        };
        let head = change.head.commit.as_str();
        let missing = |of: &'static str| {
            move |failed| match failed {
                Failed::Missing => CannotSay::because(format!("knows no coverage of {of} (404)")),
                Failed::Says(why) => why,
            }
        };
        let mut incomplete = Vec::new();
        let coverage = match change.base.as_ref().filter(|base| base.commit != head) {
            Some(base) => {
                let query = [("base", base.commit.as_str()), ("head", head)];
                let path = self.path(&["compare", "impacted_files"]);
                let found = self.api.get_object::<Compared>(&path, &query).await;
                let Sides { base, head, patch } = found.map_err(missing("this commit and what runs"))?.totals;
                let Some(head) = head else {
                    return Err(CannotSay::because("has no coverage of this commit"));
                };
                if base.is_none() {
                    incomplete.push("there is no coverage of what runs to compare with".to_owned());
                }
                let project = head.per_cent();
                let delta = project.zip(base.and_then(|base| base.per_cent())).map(|(now, before)| now - before);
                Coverage { touched: patch.map(|patch| patch.covered()), project, delta }
            }
            None => {
                let found = self.api.get_object::<Alone>(&self.path(&["totals"]), &[("sha", head)]).await;
                let totals = found.map_err(missing("this commit"))?.totals;
                Coverage { touched: None, project: totals.per_cent(), delta: None }
            }
        };
        if coverage.project.is_none() && coverage.touched.is_none() {
            return Err(CannotSay::because("has no coverage of this commit"));
        }
        Ok(Answer { learned: Learned::Coverage(coverage), at: ask.now, link: None, incomplete })
    }
}

impl Source for Codecov {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            match ask.question {
                Question::Coverage => self.coverage(ask).await,
                other => Err(CannotSay::unasked(other)),
            }
        })
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

fn github() -> String {
    "github".to_owned()
}

fn codecov() -> url::Url {
    fixed("https://api.codecov.io")
}
