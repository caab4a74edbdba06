//! Issues that are incidents, by the JQL of the settings.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{Edition, Jira, Named, Status, time};
use crate::advice::facts::Incident;
use crate::clock::{MINUTE, Time};
use crate::message::tame;
use crate::source::rest::{Asked, Body, Failed, PAGE, says};
use crate::source::{Answer, Ask, CannotSay, Learned, labels};

/// So many issues are read of each, the open and the closed ones.
const MOST: usize = 300;
/// So many pages are asked for at most: Jira may put fewer issues on one than were wished for.
const MOST_PAGES: usize = 10;
const FIELDS: [&str; 10] = [
    "summary",
    "status",
    "priority",
    "created",
    "updated",
    "resolutiondate",
    "statuscategorychangedate",
    "labels",
    "components",
    "subtasks",
];

/// A page of a search: by token in the cloud, by number in Data Center.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    issues: Vec<Issue>,
    #[serde(default)]
    next_page_token: Option<String>,
    #[serde(default)]
    total: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Issue {
    key: String,
    fields: Fields,
}

#[derive(Debug, Deserialize)]
struct Fields {
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    status: Option<Status>,
    #[serde(default)]
    priority: Option<Named>,
    #[serde(default, deserialize_with = "time")]
    created: Option<Time>,
    #[serde(default, deserialize_with = "time")]
    updated: Option<Time>,
    #[serde(default, deserialize_with = "time")]
    resolutiondate: Option<Time>,
    #[serde(default, deserialize_with = "time")]
    statuscategorychangedate: Option<Time>,
    #[serde(default)]
    labels: Option<Vec<String>>,
    #[serde(default)]
    components: Option<Vec<Named>>,
    #[serde(default)]
    subtasks: Option<Vec<Subtask>>,
}

#[derive(Debug, Deserialize)]
struct Subtask {
    #[serde(default)]
    fields: Option<SubtaskFields>,
}

#[derive(Debug, Deserialize)]
struct SubtaskFields {
    #[serde(default)]
    status: Option<Status>,
}

impl Jira {
    /// Incidents that were open in the time looked at: those that still are, however old, and those that changed since.
    pub(super) async fn incidents(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let chosen = self.incidents.as_deref().unwrap_or_default();
        // In minutes before now: JQL reads a written time in the zone of whoever asks.
        let minutes = ask.now.since(ask.from).max(0) / MINUTE + 1;
        let open = format!("({chosen}) AND statusCategory != Done ORDER BY created DESC");
        let closed = format!("({chosen}) AND statusCategory = Done AND updated >= -{minutes}m ORDER BY updated DESC");
        let (open, closed) = futures::try_join!(self.search(&open), self.search(&closed))?;
        let mut incomplete = Vec::new();
        if open.1 || closed.1 {
            incomplete.push("only the newest incidents were read: there are more".to_owned());
        }
        let mut dateless = 0;
        let mut incidents = Vec::new();
        for issue in open.0.into_iter().chain(closed.0) {
            match self.incident(issue, ask) {
                Some(incident) => incidents.push(incident),
                None => dateless += 1,
            }
        }
        if dateless > 0 {
            incomplete.push(format!("{dateless} incidents do not say when they began"));
        }
        incidents.retain(|incident: &Incident| {
            incident.opened <= ask.to && incident.resolved.is_none_or(|resolved| resolved >= ask.from)
        });
        Ok(Answer { learned: Learned::Incidents(incidents), at: ask.now, link: None, incomplete })
    }

    fn incident(&self, issue: Issue, ask: &Ask) -> Option<Incident> {
        let Issue { key, fields } = issue;
        let done = fields.status.as_ref().is_some_and(Status::is_done);
        let mut labels = fields.labels.unwrap_or_default();
        let severity = labels::severity(&labels);
        labels.extend(fields.components.unwrap_or_default().into_iter().map(|component| component.name));
        let open = |subtask: &Subtask| {
            let status = subtask.fields.as_ref().and_then(|fields| fields.status.as_ref());
            status.is_some_and(|status| !status.is_done())
        };
        let follow_ups = fields.subtasks.unwrap_or_default().iter().filter(|subtask| open(subtask)).count();
        let resolved = fields.resolutiondate.or(fields.statuscategorychangedate).or(fields.updated);
        Some(Incident {
            link: self.link(&key),
            id: tame(&key, 100),
            title: tame(&fields.summary.unwrap_or_default(), 300),
            services: labels::services(&labels, &ask.settings),
            severity: severity.or_else(|| fields.priority.map(|priority| tame(&priority.name, 40))),
            opened: fields.created?,
            resolved: resolved.filter(|_| done),
            blocks: labels::blocks(&labels),
            follow_ups: u32::try_from(follow_ups).unwrap_or(u32::MAX),
        })
    }

    /// What JQL finds, up to the limit; and whether there was more.
    async fn search(&self, jql: &str) -> Result<(Vec<Issue>, bool), CannotSay> {
        let mut all: Vec<Issue> = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let page: Page = match self.edition {
                Edition::Cloud => {
                    let mut body = json!({ "jql": jql, "maxResults": PAGE, "fields": FIELDS });
                    if let Some(token) = &token {
                        body["nextPageToken"] = json!(token);
                    }
                    self.searched(&["search", "jql"], body).await?
                }
                Edition::DataCenter => {
                    let body = json!({ "jql": jql, "maxResults": PAGE, "startAt": all.len(), "fields": FIELDS });
                    self.searched(&["search"], body).await?
                }
            };
            let nothing = page.issues.is_empty();
            all.extend(page.issues);
            // The last page of the cloud has no token; there may be fewer on a page than were asked for.
            let more = page.next_page_token.is_some() || page.total.is_some_and(|total| total > all.len());
            token = page.next_page_token;
            if !more || nothing {
                return Ok((all, more));
            }
            if all.len() >= MOST {
                break;
            }
        }
        all.truncate(MOST);
        Ok((all, true))
    }

    async fn searched<T: DeserializeOwned>(&self, path: &[&str], body: serde_json::Value) -> Result<T, CannotSay> {
        let path = self.path(path);
        let found = self.ask(Asked { path: &path, body: Some(Body::Json(body)), ..Asked::default() }).await;
        found.map_err(|failed| match failed {
            Failed::Says(why) if why.0.contains("(400)") => says("does not take the JQL of `incidents` (400)").into(),
            other => other.into(),
        })
    }
}
