//! Versions: tags with the days of their releases, and what any name resolves to.

use serde::Deserialize;

use super::Github;
use crate::advice::facts::{Version, Versions};
use crate::clock::Time;
use crate::message::tame;
use crate::source::code::place::{says_no_version, tag_prefix};
use crate::source::rest::Failed;
use crate::source::{Answer, Ask, CannotSay, Learned};

/// So many names are resolved in one answer.
const MOST_NAMES: usize = 12;
/// The longest name that is asked about.
const LONGEST: usize = 250;

#[derive(Debug, Deserialize)]
struct Tag {
    name: String,
    commit: Sha,
}

#[derive(Debug, Deserialize)]
struct Sha {
    sha: String,
}

#[derive(Debug, Deserialize)]
struct Release {
    tag_name: String,
    #[serde(default)]
    published_at: Option<Time>,
    #[serde(default)]
    created_at: Option<Time>,
}

/// A commit as `/commits/{ref}` tells it, as far as it is read.
#[derive(Debug, Deserialize)]
pub struct Head {
    pub sha: String,
    pub commit: Written,
    #[serde(default)]
    pub html_url: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Written {
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub author: Option<Who>,
    #[serde(default)]
    pub committer: Option<Who>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Who {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub date: Option<Time>,
}

impl Written {
    /// When it came into this history.
    pub fn at(&self) -> Time {
        let who = self.committer.as_ref().or(self.author.as_ref());
        who.and_then(|who| who.date).unwrap_or_else(|| Time::from_ms(0))
    }
}

impl Github {
    pub(super) async fn versions(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let prefix = tag_prefix(&ask.settings, &ask.service);
        let (tags_path, releases_path) = (self.path(&["tags"]), self.path(&["releases"]));
        let (tags, releases) = futures::try_join!(
            self.api.pages::<Tag>(&tags_path, &[], 200),
            self.api.pages::<Release>(&releases_path, &[], 100),
        )?;
        let mut incomplete = Vec::new();
        if tags.1 {
            incomplete.push("there are more tags than the 200 that were read".to_owned());
        }
        let day = |name: &str| {
            let release = releases.0.iter().find(|release| release.tag_name == name);
            release.and_then(|release| release.published_at.or(release.created_at))
        };
        // A tag has no day of its own; one without a release is resolved when it is asked for.
        let own = |tag: &&Tag| prefix.is_none_or(|prefix| tag.name.starts_with(prefix));
        let dated = tags.0.iter().filter(own).filter_map(|tag| {
            let at = day(&tag.name)?;
            Some(Version { name: tame(&tag.name, LONGEST), commit: tag.commit.sha.clone(), at })
        });
        let mut known: Vec<Version> = dated.collect();
        let mut resolved: Vec<(String, Option<String>)> = Vec::new();
        let mut link = None;
        for name in ask.version.iter().chain(&ask.names).take(MOST_NAMES) {
            if resolved.iter().any(|(known, _)| known == name) {
                continue;
            }
            let found = self.resolve(name, prefix).await?;
            if let Some(head) = &found {
                if ask.version.as_ref() == Some(name) {
                    link.clone_from(&head.html_url);
                }
                if known.iter().all(|version| version.commit != head.sha) {
                    let name = tame(name, LONGEST);
                    known.push(Version { name, commit: head.sha.clone(), at: head.commit.at() });
                }
            }
            resolved.push((name.clone(), found.map(|head| head.sha)));
        }
        known.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.name.cmp(&a.name)));
        Ok(Answer { learned: Learned::Versions(Versions { known, resolved }), at: ask.now, link, incomplete })
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
            match self.api.get::<Head>(&self.path(&["commits", name]), &[("per_page", "1")]).await {
                Ok(head) => return Ok(Some(head)),
                // 422: no commit of this name.
                Err(Failed::Missing) => {}
                Err(Failed::Says(why)) if why.0.contains("(422)") => {}
                Err(Failed::Says(why)) => return Err(why),
            }
        }
        Ok(None)
    }
}
