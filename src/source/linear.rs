//! Linear: the ticket behind a plan, over its GraphQL API.
//!
//! Read only. Shapes: <https://linear.app/developers/graphql>.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;

use super::rest::{Asked, Body, Credential, Failed, Rest, fixed, says};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::Ticket;
use crate::config::Secret;
use crate::message::tame;
use crate::name::SourceName;
use crate::plan::is_key;

/// The one question that is put to it. By team and number, which finds or does not; `issue(id:)` fails in other ways.
const QUERY: &str = "query Ticket($team: String!, $number: Float!) { \
                     issues(filter: { team: { key: { eq: $team } }, number: { eq: $number } }, first: 1, \
                     includeArchived: true) { nodes { identifier title url archivedAt state { name type } \
                     labels(first: 20) { nodes { name } } } } }";

/// A workspace of Linear.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// A personal API key, or an OAuth token with `oauth = true`.
    token: Secret,
    #[serde(default)]
    oauth: bool,
    /// The API.
    #[serde(default = "linear")]
    url: url::Url,
    /// Only identifiers of these teams are its tickets; without it every key that looks like one.
    #[serde(default)]
    teams: Vec<String>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Ticket]
    }

    fn some_ticket(&self) -> String {
        format!("{}-1", self.teams.first().map_or("TIDE", String::as_str))
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        // An API key stands alone in the header, an OAuth token after `Bearer`.
        let credential = if self.oauth {
            Credential::Bearer(self.token.clone())
        } else {
            Credential::Headers(vec![("authorization", "", self.token.clone())])
        };
        Ok(Arc::new(Linear {
            name: opening.settings.name.clone(),
            teams: self.teams.clone(),
            api: Rest::open(opening, "Linear", &self.url, credential)?,
        }))
    }
}

struct Linear {
    name: SourceName,
    teams: Vec<String>,
    api: Rest,
}

impl fmt::Debug for Linear {
    /// The name alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linear").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Source for Linear {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            match ask.question {
                Question::Ticket => self.ticket(ask).await,
                other => Err(CannotSay::unasked(other)),
            }
        })
    }
}

/// What GraphQL answers: data, or errors, or both, with 200 or 400.
#[derive(Debug, Deserialize)]
struct Said {
    #[serde(default)]
    data: Option<Data>,
    #[serde(default)]
    errors: Vec<Wrong>,
}

#[derive(Debug, Deserialize)]
struct Data {
    issues: Found,
}

#[derive(Debug, Deserialize)]
struct Found {
    nodes: Vec<Issue>,
}

#[derive(Debug, Deserialize)]
struct Issue {
    identifier: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default, rename = "archivedAt")]
    archived_at: Option<String>,
    state: State,
    #[serde(default)]
    labels: Option<Labels>,
}

/// Its `type` is one of triage, backlog, unstarted, started, completed, canceled, duplicate.
#[derive(Debug, Deserialize)]
struct State {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Deserialize)]
struct Labels {
    #[serde(default)]
    nodes: Vec<Label>,
}

#[derive(Debug, Deserialize)]
struct Label {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Wrong {
    #[serde(default)]
    extensions: Option<Extensions>,
}

#[derive(Debug, Deserialize)]
struct Extensions {
    #[serde(default)]
    code: Option<String>,
}

impl Linear {
    async fn ticket(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let Some(key) = ask.names.iter().find_map(|name| self.key(name)) else {
            let named = ask.names.first().map(|name| tame(name, 80)).unwrap_or_default();
            return Err(CannotSay::because(format!("keeps no tickets that are called like `{named}`")));
        };
        let Some((team, number)) = split(key) else {
            return Err(CannotSay::because("keeps no tickets with a number as large as that"));
        };
        let body = Some(Body::Json(json!({ "query": QUERY, "variables": { "team": team, "number": number } })));
        let issue = self.issue(Asked { path: &["graphql"], body, ..Asked::default() }).await?;
        let Some(issue) = issue else {
            let none = Ticket {
                key: key.to_owned(),
                exists: false,
                title: String::new(),
                status: String::new(),
                closed: false,
                kind: None,
                link: None,
            };
            return Ok(Answer { learned: Learned::Ticket(none), at: ask.now, link: None, incomplete: Vec::new() });
        };
        let link = issue.url.filter(|link| link.starts_with("https://"));
        let archived = issue.archived_at.is_some();
        let status = tame(&issue.state.name, 80);
        let ticket = Ticket {
            key: if is_key(&issue.identifier) { issue.identifier } else { key.to_owned() },
            exists: true,
            title: tame(&issue.title.unwrap_or_default(), 300),
            closed: archived || matches!(issue.state.kind.as_str(), "completed" | "canceled" | "duplicate"),
            status: if archived { format!("{status}, archived") } else { status },
            kind: issue.labels.and_then(|labels| labels.nodes.into_iter().next()).map(|label| tame(&label.name, 40)),
            link: link.clone(),
        };
        Ok(Answer { learned: Learned::Ticket(ticket), at: ask.now, link, incomplete: Vec::new() })
    }

    /// The issue; None: there is none, or the key may not see it.
    async fn issue(&self, asked: Asked<'_>) -> Result<Option<Issue>, Failed> {
        let received = self.api.send(asked).await?;
        // Faults of GraphQL come with 200 or 400 and explain themselves.
        let explained = matches!(received.status.as_u16(), 200 | 400);
        let Some(said) = Some(&received).filter(|_| explained).map(|received| self.api.read::<Said>(received)) else {
            received.succeeded()?;
            return Err(says("answered without data"));
        };
        let said = match said {
            Ok(said) => said,
            Err(failed) => return Err(received.succeeded().err().unwrap_or(failed)),
        };
        let code = |wrong: &Wrong| wrong.extensions.as_ref().and_then(|more| more.code.clone()).unwrap_or_default();
        match (said.errors.first(), said.data) {
            (None, Some(data)) => Ok(data.issues.nodes.into_iter().next()),
            (None, None) => Err(says("answered with something that is not Linear's format")),
            (Some(wrong), _) => match code(wrong).as_str() {
                "RATELIMITED" => Err(says("asks for fewer questions (RATELIMITED)")),
                "AUTHENTICATION_ERROR" | "UNAUTHENTICATED" => Err(says("refused the token (401)")),
                "FORBIDDEN" => Err(says("refused the question (403): the credential lacks a permission")),
                _ => {
                    received.succeeded()?;
                    Err(says("answered with an error"))
                }
            },
        }
    }

    /// The identifier in a name, if it is a ticket of this workspace: `PAY-123`, or a link to Linear that holds one.
    fn key<'n>(&self, name: &'n str) -> Option<&'n str> {
        let own = |key: &&str| {
            let team = key.split_once('-').map_or("", |(team, _)| team);
            is_key(key) && (self.teams.is_empty() || self.teams.iter().any(|own| own == team))
        };
        let link = url::Url::parse(name).ok().filter(|link| matches!(link.scheme(), "http" | "https"));
        match link {
            None => Some(name).filter(own),
            // `https://linear.app/WORKSPACE/issue/PAY-123/title-of-it`
            Some(link) if link.host_str() == Some("linear.app") => name.split(['/', '?', '#']).find(own),
            Some(_) => None,
        }
    }
}

/// The team's key and the number of an identifier.
fn split(key: &str) -> Option<(&str, u32)> {
    let (team, number) = key.split_once('-')?;
    Some((team, number.parse().ok()?))
}

fn linear() -> url::Url {
    fixed("https://api.linear.app")
}
