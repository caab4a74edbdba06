//! Versions: tags with the days of their commits, and what any name resolves to.

use serde::Deserialize;

use super::{Gitlab, link};
use crate::advice::facts::{Version, Versions};
use crate::clock::Time;
use crate::message::tame;
use crate::source::code::place::{says_no_version, tag_prefix};
use crate::source::rest::Failed;
use crate::source::{Answer, Ask, CannotSay, Learned};

/// So many names are resolved in one answer.
const MOST_NAMES: usize = 12;
/// The longest name that is asked about.
pub(super) const LONGEST: usize = 250;
/// So many tags are read.
const MOST_TAGS: usize = 200;

#[derive(Debug, Deserialize)]
struct Tag {
    name: String,
    commit: Head,
}

/// A commit, as far as it is read.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Head {
    pub id: String,
    #[serde(default)]
    pub message: Option<String>,
    #[serde(default)]
    pub author_name: Option<String>,
    #[serde(default)]
    pub author_email: Option<String>,
    #[serde(default)]
    pub committer_name: Option<String>,
    #[serde(default)]
    pub committer_email: Option<String>,
    #[serde(default)]
    pub committed_date: Option<Time>,
    #[serde(default)]
    pub created_at: Option<Time>,
    #[serde(default)]
    pub web_url: Option<String>,
}

impl Head {
    /// When it came into this history.
    pub fn at(&self) -> Time {
        self.committed_date.or(self.created_at).unwrap_or_else(|| Time::from_ms(0))
    }
}

impl Gitlab {
    pub(super) async fn versions(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let prefix = tag_prefix(&ask.settings, &ask.service);
        let path = self.path(&["repository", "tags"]);
        let query = [("order_by", "updated"), ("sort", "desc")];
        let (tags, more) = self.api.pages::<Tag>(&path, &query, MOST_TAGS).await?;
        let mut incomplete = Vec::new();
        if more {
            incomplete.push(format!("there are more tags than the newest {MOST_TAGS} that were read"));
        }
        let own = |tag: &Tag| prefix.is_none_or(|prefix| tag.name.starts_with(prefix));
        let version = |tag: Tag| Version { name: tame(&tag.name, LONGEST), at: tag.commit.at(), commit: tag.commit.id };
        let mut known: Vec<Version> = tags.into_iter().filter(own).map(version).collect();
        let mut resolved: Vec<(String, Option<String>)> = Vec::new();
        let mut page = None;
        for name in ask.version.iter().chain(&ask.names).take(MOST_NAMES) {
            if resolved.iter().any(|(known, _)| known == name) {
                continue;
            }
            let found = self.resolve(name, prefix).await?;
            if let Some(head) = &found {
                if ask.version.as_ref() == Some(name) {
                    page = link(head.web_url.clone());
                }
                if known.iter().all(|version| version.commit != head.id) {
                    known.push(Version { name: tame(name, LONGEST), commit: head.id.clone(), at: head.at() });
                }
            }
            resolved.push((name.clone(), found.map(|head| head.id)));
        }
        known.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.name.cmp(&a.name)));
        Ok(Answer { learned: Learned::Versions(Versions { known, resolved }), at: ask.now, link: page, incomplete })
    }

    /// The commit of the version that is asked about.
    pub(super) async fn head(&self, ask: &Ask) -> Result<Head, CannotSay> {
        let wanted = ask.version.as_deref().unwrap_or_default();
        let found = self.resolve(wanted, tag_prefix(&ask.settings, &ask.service)).await?;
        found.ok_or_else(|| CannotSay::because(says_no_version(wanted)))
    }

    /// The commit of what runs; None where that is not known, or not here.
    pub(super) async fn base(&self, ask: &Ask) -> Result<Option<Head>, CannotSay> {
        match ask.running.as_deref() {
            Some(running) => self.resolve(running, tag_prefix(&ask.settings, &ask.service)).await,
            None => Ok(None),
        }
    }

    /// The commit behind a tag, branch or commit; with the service's prefix first, as its tags are called.
    pub(super) async fn resolve(&self, name: &str, prefix: Option<&str>) -> Result<Option<Head>, CannotSay> {
        if name.is_empty() || name.len() > LONGEST || name.chars().any(char::is_control) {
            return Ok(None);
        }
        let prefixed = prefix.filter(|prefix| !name.starts_with(prefix)).map(|prefix| format!("{prefix}{name}"));
        for name in prefixed.iter().map(String::as_str).chain([name]) {
            match self.api.get::<Head>(&self.path(&["repository", "commits", name]), &[]).await {
                Ok(head) => return Ok(Some(head)),
                Err(Failed::Missing) => {}
                Err(Failed::Says(why)) => return Err(why),
            }
        }
        Ok(None)
    }
}
