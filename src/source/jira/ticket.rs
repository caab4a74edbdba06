//! The ticket that a plan names, by its key or by a link to it.

use serde::Deserialize;

use super::{Jira, Named, Status};
use crate::advice::facts::Ticket;
use crate::message::tame;
use crate::plan::is_key;
use crate::source::rest::Asked;
use crate::source::{Answer, Ask, CannotSay, Learned};

/// The longest title, in characters.
const LONGEST: usize = 300;

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
    issuetype: Option<Named>,
}

/// Jira's own words in an error; only that they are there is looked at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Explained {
    #[serde(rename = "errorMessages")]
    _messages: Vec<serde::de::IgnoredAny>,
}

impl Jira {
    pub(super) async fn ticket(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let Some(key) = ask.names.iter().find_map(|name| self.key(name)) else {
            let named = ask.names.first().map(|name| tame(name, 80)).unwrap_or_default();
            return Err(CannotSay::because(format!("keeps no tickets that are called like `{named}`")));
        };
        let path = self.path(&["issue", key]);
        let query = [("fields", "summary,status,issuetype")];
        let received = self.send(Asked { path: &path, query: &query, ..Asked::default() }).await?;
        // A 404 that Jira explains is about the issue; another one is about the address.
        if received.status == 404 && self.api.read::<Explained>(&received).is_ok() {
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
        }
        received.succeeded()?;
        let issue: Issue = self.api.read(&received)?;
        let status = issue.fields.status.unwrap_or_default();
        // One that was moved answers to its old key too.
        let key = if is_key(&issue.key) { issue.key } else { key.to_owned() };
        let link = self.link(&key);
        let ticket = Ticket {
            key,
            exists: true,
            title: tame(&issue.fields.summary.unwrap_or_default(), LONGEST),
            closed: status.is_done(),
            status: if status.name.is_empty() { "no status".to_owned() } else { tame(&status.name, 80) },
            kind: issue.fields.issuetype.map(|kind| tame(&kind.name, 80)).filter(|kind| !kind.is_empty()),
            link: link.clone(),
        };
        Ok(Answer { learned: Learned::Ticket(ticket), at: ask.now, link, incomplete: Vec::new() })
    }

    /// The key in a name, if it is a ticket of this site: `PAY-123`, or a link to the site that holds one.
    fn key<'n>(&self, name: &'n str) -> Option<&'n str> {
        let own = |key: &&str| {
            let project = key.split_once('-').map_or("", |(project, _)| project);
            is_key(key) && (self.projects.is_empty() || self.projects.iter().any(|own| own == project))
        };
        let link = url::Url::parse(name).ok().filter(|link| matches!(link.scheme(), "http" | "https"));
        let Some(link) = link else { return Some(name).filter(own) };
        let here = |site: &url::Url| site.host_str() == link.host_str();
        if !here(&self.site) && !here(self.api.base()) {
            return None;
        }
        // `/browse/KEY`, and the key after `selectedIssue=` where a board is open.
        name.split(['/', '?', '&', '=', '#']).rfind(own)
    }
}
