//! Jira: the ticket behind a plan, and incidents where they are kept there.
//!
//! Read only, in Jira Cloud by version 3 of its API and in Data Center by version 2. Shapes:
//! <https://developer.atlassian.com/cloud/jira/platform/rest/v3/>, <https://docs.atlassian.com/software/jira/docs/api/REST/>.

mod incidents;
mod ticket;

use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::rest::{Asked, Credential, Failed, Received, Rest, says};
use super::{Answer, Ask, CannotSay, Kind, Opening, Question, Source};
use crate::clock::Time;
use crate::config::Secret;
use crate::name::SourceName;

/// A Jira site.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// `https://TEAM.atlassian.net`, or the address of a Data Center; with a token that has scopes
    /// `https://api.atlassian.com/ex/jira/CLOUD-ID`.
    url: url::Url,
    /// Where people see it, where that is another address than `url`.
    #[serde(default)]
    site: Option<url::Url>,
    /// Whose token it is, in Jira Cloud. Without it the token is one of Data Center's.
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    token: Option<Secret>,
    /// Only keys of these projects are its tickets; without it every key that looks like one.
    #[serde(default)]
    projects: Vec<String>,
    /// JQL: which issues are incidents.
    #[serde(default)]
    incidents: Option<String>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        let incidents = self.incidents.as_ref().map(|_| Question::Incidents);
        [Question::Ticket].into_iter().chain(incidents).collect()
    }

    fn some_ticket(&self) -> String {
        format!("{}-1", self.projects.first().map_or("TIDE", String::as_str))
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        let incidents = self.incidents.as_deref().map(str::trim);
        if incidents.is_some_and(|jql| jql.is_empty() || jql.to_lowercase().contains("order by")) {
            bail!("`incidents` is JQL without `ORDER BY`");
        }
        let (edition, credential) = match (&self.email, &self.token) {
            (Some(email), Some(token)) => (Edition::Cloud, Credential::Basic(email.clone(), token.clone())),
            (Some(_), None) => bail!("`email` needs a `token`"),
            (None, Some(token)) => (Edition::DataCenter, Credential::Bearer(token.clone())),
            (None, None) => (Edition::DataCenter, Credential::None),
        };
        Ok(Arc::new(Jira {
            name: opening.settings.name.clone(),
            edition,
            site: self.site.clone().unwrap_or_else(|| self.url.clone()),
            projects: self.projects.clone(),
            incidents: incidents.map(str::to_owned),
            api: Rest::open(opening, "Jira", &self.url, credential)?,
        }))
    }
}

struct Jira {
    name: SourceName,
    edition: Edition,
    site: url::Url,
    projects: Vec<String>,
    incidents: Option<String>,
    api: Rest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edition {
    Cloud,
    DataCenter,
}

impl fmt::Debug for Jira {
    /// The name alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jira").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Source for Jira {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            match ask.question {
                Question::Ticket => self.ticket(ask).await,
                Question::Incidents => self.incidents(ask).await,
                other => Err(CannotSay::unasked(other)),
            }
        })
    }
}

impl Jira {
    /// The path of something, by the edition's version of the API.
    fn path<'p>(&self, rest: &[&'p str]) -> Vec<&'p str> {
        let version = if self.edition == Edition::Cloud { "3" } else { "2" };
        ["rest", "api", version].into_iter().chain(rest.iter().copied()).collect()
    }

    /// The page of an issue.
    fn link(&self, key: &str) -> Option<String> {
        let mut page = self.site.clone();
        page.set_query(None);
        page.path_segments_mut().ok()?.pop_if_empty().extend(["browse", key]);
        Some(page.into())
    }

    /// One answer of any status. A token that is not taken makes Jira answer as to a stranger, with what is public: nothing,
    /// or "not found". That is no answer.
    async fn send(&self, asked: Asked<'_>) -> Result<Arc<Received>, Failed> {
        let received = self.api.send(asked).await?;
        let header = received.headers.get("x-seraph-loginreason").and_then(|reason| reason.to_str().ok());
        let denied = |reason: &str| reason.contains("AUTHENTICATED_FAILED") || reason.contains("AUTHENTICATION_DENIED");
        if header.is_some_and(denied) && matches!(received.status.as_u16(), 200 | 404) {
            return Err(says("refused the token (Jira answered as to a stranger)"));
        }
        Ok(received)
    }

    async fn ask<T: DeserializeOwned>(&self, asked: Asked<'_>) -> Result<T, Failed> {
        let received = self.send(asked).await?;
        received.succeeded()?;
        self.api.read(&received)
    }
}

#[derive(Debug, Default, Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
}

/// `new`, `indeterminate` or `done` are the only categories that Jira has.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    name: String,
    #[serde(default)]
    status_category: Option<Category>,
}

#[derive(Debug, Deserialize)]
struct Category {
    key: String,
}

impl Status {
    fn is_done(&self) -> bool {
        self.status_category.as_ref().is_some_and(|category| category.key == "done")
    }
}

/// Reads `2026-11-22T10:00:00.000+0000`, as Jira writes times; what is none is told as none.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.as_deref().and_then(read_time))
}

fn read_time(text: &str) -> Option<Time> {
    let colonless = text.len().checked_sub(2).filter(|at| text.is_char_boundary(*at)).map(|at| text.split_at(at));
    let with_colon = colonless.map(|(before, after)| format!("{before}:{after}"));
    Time::parse_rfc3339(text).or_else(|| Time::parse_rfc3339(&with_colon?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_jira_writes_them() {
        let at = Time::parse_rfc3339("2026-11-22T10:00:00Z");
        for text in ["2026-11-22T10:00:00.000+0000", "2026-11-22T02:00:00.000-0800", "2026-11-22T10:00:00.000+00:00"] {
            assert_eq!(read_time(text), at, "{text}");
        }
        for text in ["", "0", "ä", "yesterday", "2026-11-22"] {
            assert_eq!(read_time(text), None, "{text}");
        }
    }
}
