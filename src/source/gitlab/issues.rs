//! Issues: incidents, and the ticket that a plan names.

use serde::Deserialize;

use super::{Gitlab, link};
use crate::advice::facts::{Incident, Ticket};
use crate::clock::Time;
use crate::message::tame;
use crate::source::rest::Asked;
use crate::source::{Answer, Ask, CannotSay, Learned, labels};

/// So many issues are read of each, the open and the closed ones.
const MOST: usize = 300;

#[derive(Debug, Deserialize)]
struct Issue {
    iid: u64,
    title: String,
    state: String,
    created_at: Time,
    #[serde(default)]
    closed_at: Option<Time>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    issue_type: Option<String>,
    #[serde(default)]
    web_url: Option<String>,
}

/// GitLab's own words in an error.
#[derive(Debug, Deserialize)]
struct Explained {
    message: String,
}

impl Gitlab {
    /// Incidents that were open in the time looked at: those that still are, however old, and those that changed since.
    pub(super) async fn incidents(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let path = self.path(&["issues"]);
        let since = ask.from.rfc3339();
        let open = [("issue_type", "incident"), ("state", "opened")];
        let closed = [("issue_type", "incident"), ("state", "closed"), ("updated_after", since.as_str())];
        let (open, closed) = futures::try_join!(
            self.api.pages::<Issue>(&path, &open, MOST),
            self.api.pages::<Issue>(&path, &closed, MOST)
        )?;
        let mut incomplete = Vec::new();
        if open.1 || closed.1 {
            incomplete.push("only the newest incidents were read: there are more".to_owned());
        }
        let was_open =
            |issue: &Issue| issue.created_at <= ask.to && issue.closed_at.is_none_or(|closed| closed >= ask.from);
        let issues = open.0.into_iter().chain(closed.0).filter(was_open);
        let learned = Learned::Incidents(issues.map(|issue| incident(issue, ask)).collect());
        Ok(Answer { learned, at: ask.now, link: None, incomplete })
    }

    pub(super) async fn ticket(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let Some(number) = ask.names.iter().find_map(|name| self.number(name)) else {
            let named = ask.names.first().map(|name| tame(name, 80)).unwrap_or_default();
            return Err(CannotSay::because(format!("keeps no tickets that are called like `{named}`")));
        };
        let number = number.to_string();
        let path = self.path(&["issues", &number]);
        let received = self.api.send(Asked { path: &path, ..Asked::default() }).await?;
        let key = format!("#{number}");
        // "404 Project Not Found" is about the project; only the other one is about the issue.
        let missing = |explained: Explained| explained.message.eq_ignore_ascii_case("404 Not Found");
        if received.status == 404 && self.api.read::<Explained>(&received).is_ok_and(missing) {
            let none = Ticket {
                key,
                exists: false,
                title: String::new(),
                status: String::new(),
                closed: false,
                kind: None,
                link: None,
            };
            return Ok(Answer { learned: Learned::Ticket(none), at: ask.now, link: None, incomplete: Vec::new() });
        }
        received.succeeded()?;
        let issue: Issue = self.api.read(&received)?;
        let link = link(issue.web_url);
        let ticket = Ticket {
            key,
            exists: true,
            title: tame(&issue.title, 300),
            closed: issue.state == "closed",
            status: tame(&issue.state, 40),
            kind: issue.issue_type.map(|kind| tame(&kind, 40)),
            link: link.clone(),
        };
        Ok(Answer { learned: Learned::Ticket(ticket), at: ask.now, link, incomplete: Vec::new() })
    }

    /// The number in a name, if it is an issue of this project: `#12`, `group/project#12`, or a link to it.
    fn number(&self, name: &str) -> Option<u64> {
        if let Ok(page) = url::Url::parse(name) {
            let base = self.api.base();
            let below = page.path().strip_prefix(base.path().trim_end_matches('/'))?;
            let rest = below.trim_start_matches('/').strip_prefix(self.project.as_str())?;
            let number =
                ["/-/issues/", "/-/work_items/", "/issues/"].iter().find_map(|part| rest.strip_prefix(part))?;
            return number.parse().ok().filter(|_| page.host_str() == base.host_str());
        }
        let (project, number) = name.split_once('#')?;
        (project.is_empty() || project == self.project).then(|| number.parse().ok())?
    }
}

fn incident(issue: Issue, ask: &Ask) -> Incident {
    let severity = issue.severity.filter(|severity| !severity.eq_ignore_ascii_case("unknown"));
    Incident {
        id: format!("#{}", issue.iid),
        title: tame(&issue.title, 300),
        services: labels::services(&issue.labels, &ask.settings),
        severity: labels::severity(&issue.labels).or_else(|| severity.map(|severity| tame(&severity, 40))),
        opened: issue.created_at,
        resolved: issue.closed_at,
        blocks: labels::blocks(&issue.labels),
        follow_ups: 0,
        link: link(issue.web_url),
    }
}
