//! Issues with a label, where they are how incidents are kept.

use serde::Deserialize;

use super::Github;
use crate::advice::facts::Incident;
use crate::clock::Time;
use crate::message::tame;
use crate::name::Service;
use crate::source::{Answer, Ask, CannotSay, Learned};

/// So many issues are read.
const MOST: usize = 300;

#[derive(Debug, Deserialize)]
struct Issue {
    number: u64,
    title: String,
    created_at: Time,
    #[serde(default)]
    closed_at: Option<Time>,
    #[serde(default)]
    labels: Vec<Label>,
    #[serde(default)]
    html_url: Option<String>,
    /// There only where the issue is a pull request.
    #[serde(default)]
    pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Label {
    Name(String),
    Object {
        #[serde(default)]
        name: Option<String>,
    },
}

impl Github {
    /// Incidents that were open in the time looked at: those that still are, however old, and those that changed since.
    pub(super) async fn incidents(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let path = self.path(&["issues"]);
        let since = ask.from.rfc3339();
        let label = [("labels", self.incident_label.as_str())];
        let open = [label[0], ("state", "open")];
        let closed = [label[0], ("state", "closed"), ("since", since.as_str())];
        let (open, closed) = futures::try_join!(
            self.api.pages::<Issue>(&path, &open, MOST),
            self.api.pages::<Issue>(&path, &closed, MOST)
        )?;
        let mut incomplete = Vec::new();
        if open.1 || closed.1 {
            incomplete.push(format!("only the newest {MOST} incidents of a kind were read"));
        }
        let issues = open.0.into_iter().chain(closed.0).filter(|issue| issue.pull_request.is_none());
        let was_open =
            |issue: &Issue| issue.created_at <= ask.to && issue.closed_at.is_none_or(|closed| closed >= ask.from);
        let incidents = issues.filter(was_open).map(|issue| incident(issue, ask));
        let about = |incident: &Incident| incident.services.is_empty() || incident.services.contains(&ask.service);
        let learned = Learned::Incidents(incidents.filter(about).collect());
        Ok(Answer { learned, at: ask.now, link: None, incomplete })
    }
}

fn incident(issue: Issue, ask: &Ask) -> Incident {
    let labels: Vec<String> = issue
        .labels
        .into_iter()
        .filter_map(|label| match label {
            Label::Name(name) => Some(name),
            Label::Object { name } => name,
        })
        .collect();
    let after = |key: &str| {
        labels.iter().find_map(|label| {
            let (found, value) = label.split_once(':')?;
            found.trim().eq_ignore_ascii_case(key).then(|| value.trim().to_owned())
        })
    };
    let known = |name: &&Service| {
        let name = name.as_str();
        labels.iter().any(|label| label.strip_prefix("service:").unwrap_or(label).trim() == name)
    };
    Incident {
        id: format!("#{}", issue.number),
        title: tame(&issue.title, 300),
        services: ask.settings.service.keys().filter(known).cloned().collect(),
        severity: after("severity").or_else(|| after("sev")).map(|severity| tame(&severity, 40)),
        opened: issue.created_at,
        resolved: issue.closed_at,
        blocks: labels.iter().any(|label| label.eq_ignore_ascii_case("blocks-deployments")),
        follow_ups: 0,
        link: issue.html_url.filter(|link| link.starts_with("https://") || link.starts_with("http://")),
    }
}
