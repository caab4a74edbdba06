//! Issues with a label, where they are how incidents are kept.

use serde::Deserialize;

use super::Github;
use crate::advice::facts::Incident;
use crate::clock::Time;
use crate::message::{is_web, tame};
use crate::source::{Answer, Ask, CannotSay, Learned, labels};

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
        // Those of other services too: whether they are near is for the checks to say.
        let learned = Learned::Incidents(issues.filter(was_open).map(|issue| incident(issue, ask)).collect());
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
    Incident {
        id: format!("#{}", issue.number),
        title: tame(&issue.title, 300),
        services: labels::services(&labels, &ask.settings),
        severity: labels::severity(&labels),
        opened: issue.created_at,
        resolved: issue.closed_at,
        blocks: labels::blocks(&labels),
        follow_ups: 0,
        link: issue.html_url.filter(|link| is_web(link)),
    }
}
