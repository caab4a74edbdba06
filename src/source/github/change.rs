//! The change: what lies between the version that runs and the version wanted, by comparing two commits.
//!
//! GitHub compares with the common ancestor, tells 300 files at most, and leaves the lines of large files out.

use serde::Deserialize;

use super::Github;
use super::refs::{Head, Written};
use crate::advice::facts::{Change, Commit, Direction, FileChange, FileStatus, Version};
use crate::message::tame;
use crate::source::code::commit::{LONGEST_EMAIL, LONGEST_MESSAGE, commit as of_words};
use crate::source::code::compared::{self, Touched};
use crate::source::code::declared::Words;
use crate::source::code::owners::{self, Rules};
use crate::source::code::packages;
use crate::source::code::place::{Place, says_runs_elsewhere};
use crate::source::rest::{Failed, PAGE};
use crate::source::{Answer, Ask, CannotSay, Learned};

/// So many commits are told.
const MOST_COMMITS: usize = 250;
/// GitHub tells no more files of a comparison.
const MOST_FILES: usize = 300;
/// The longest name of a version that is shown.
const LONGEST: usize = 250;

#[derive(Debug, Deserialize)]
struct Compared {
    status: String,
    #[serde(default)]
    behind_by: u32,
    total_commits: u32,
    commits: Vec<Listed>,
    #[serde(default)]
    files: Option<Vec<File>>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    sha: String,
    commit: Written,
}

#[derive(Debug, Deserialize)]
struct Alone {
    #[serde(default)]
    files: Option<Vec<File>>,
}

#[derive(Clone, Debug, Deserialize)]
struct File {
    filename: String,
    status: String,
    #[serde(default)]
    additions: u32,
    #[serde(default)]
    deletions: u32,
    #[serde(default)]
    previous_filename: Option<String>,
    #[serde(default)]
    patch: Option<String>,
}

impl Github {
    pub(super) async fn change(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let Some(wanted) = ask.version.as_deref() else {
            return Err(CannotSay::because("was asked for a change without a version"));
        };
        let mut incomplete = Vec::new();
        let (head, base) = (self.head(ask).await?, self.base(ask).await?);
        if let (Some(running), None) = (ask.running.as_deref(), &base) {
            incomplete.push(says_runs_elsewhere(running));
        }
        let place = Place::of(&ask.settings, &ask.service);
        incomplete.extend(place.bad.iter().cloned());
        let between = self.between(base.as_ref(), &head, &mut incomplete).await?;
        let files = compared::of_place(between.files, &place, &mut incomplete);
        let flags = compared::flags(&files, &place, &mut incomplete);
        let (migrations, migrations_at_head) = self.migrations(&files, &head.sha, &place, &mut incomplete).await?;
        if !place.own.is_empty() && !between.commits.is_empty() {
            incomplete.push("the commits are those of the whole repository, not of this service's paths".to_owned());
        }
        let packages = {
            let base = base.as_ref().map(|base| base.sha.as_str());
            packages::between(&files, base, &head.sha, &|path, at| Box::pin(self.content(path, at)), &mut incomplete)
                .await
        };
        let told: Vec<FileChange> = files.iter().map(Touched::told).collect();
        let owners = {
            let head = head.sha.as_str();
            owners::hosted(Rules::Github, &told, &|path| Box::pin(self.content(path, head)), &mut incomplete).await
        };
        let mut change = Change {
            base: base.map(|base| Version {
                name: tame(ask.running.as_deref().unwrap_or_default(), LONGEST),
                at: base.commit.at(),
                commit: base.sha,
            }),
            head: Version { name: tame(wanted, LONGEST), commit: head.sha.clone(), at: head.commit.at() },
            direction: between.direction,
            commit_count: between.count,
            commits: between.commits.into_iter().map(commit).collect(),
            file_count: u32::try_from(files.len()).unwrap_or(u32::MAX),
            files: told,
            migrations,
            migrations_at_head,
            flags,
            packages,
            owners: owners.owners,
            owned: owners.owned,
        };
        compared::name_authors(&mut change.commits, &ask.settings);
        Ok(Answer { learned: Learned::Change(Box::new(change)), at: ask.now, link: head.html_url, incomplete })
    }

    async fn between(
        &self,
        base: Option<&Head>,
        head: &Head,
        incomplete: &mut Vec<String>,
    ) -> Result<Between, CannotSay> {
        let Some(base) = base else {
            let path = self.path(&["commits", &head.sha]);
            let alone: Alone = self.api.get(&path, &[]).await?;
            let commit = Listed { sha: head.sha.clone(), commit: head.commit.clone() };
            let files = whole(alone.files, incomplete);
            return Ok(Between { direction: Direction::Unknown, commits: vec![commit], count: 1, files });
        };
        if base.sha == head.sha {
            return Ok(Between { direction: Direction::Same, commits: Vec::new(), count: 0, files: Vec::new() });
        }
        let forth = self.compare(&base.sha, &head.sha).await?;
        match forth.status.as_str() {
            "behind" => {
                // Seen from what runs: the files as they were, and the commits that are taken back.
                let back = self.compare(&head.sha, &base.sha).await?;
                let files = whole(back.files, incomplete).into_iter().map(Touched::inverted).collect();
                Ok(Between { direction: Direction::Back, count: back.total_commits, commits: back.commits, files })
            }
            status => {
                let direction = if status == "ahead" { Direction::Forward } else { Direction::Sideways };
                if direction == Direction::Sideways {
                    let lost = forth.behind_by;
                    incomplete.push(format!(
                        "what runs holds {lost} commits that this version lacks; their files are not among these"
                    ));
                }
                let files = whole(forth.files, incomplete);
                Ok(Between { direction, count: forth.total_commits, commits: forth.commits, files })
            }
        }
    }

    /// The commits of the change alone, newest first.
    pub(super) async fn commits_between(&self, base: Option<&Head>, head: &Head) -> Result<Vec<String>, CannotSay> {
        let between = self.between(base, head, &mut Vec::new()).await?;
        Ok(between.commits.into_iter().map(|listed| listed.sha).collect())
    }

    /// Commits newest first; the files come with the first page.
    async fn compare(&self, base: &str, head: &str) -> Result<Compared, CannotSay> {
        let basehead = format!("{base}...{head}");
        let path = self.path(&["compare", &basehead]);
        let per_page = PAGE.to_string();
        let mut all: Option<Compared> = None;
        for page in 1..=MOST_COMMITS.div_ceil(PAGE) {
            let page = page.to_string();
            let asked = [("per_page", per_page.as_str()), ("page", page.as_str())];
            let found: Compared = self.api.get::<Compared>(&path, &asked).await.map_err(|failed| match failed {
                Failed::Missing => CannotSay::because("knows one of the two commits no more (404)"),
                Failed::Says(why) => why,
            })?;
            let last = found.commits.len() < PAGE;
            match &mut all {
                None => all = Some(found),
                Some(all) => all.commits.extend(found.commits),
            }
            if last {
                break;
            }
        }
        let mut all = all.ok_or_else(|| CannotSay::because("was asked for no page of a comparison"))?;
        // GitHub tells the oldest first.
        all.commits.reverse();
        all.commits.truncate(MOST_COMMITS);
        Ok(all)
    }
}

struct Between {
    direction: Direction,
    /// Newest first.
    commits: Vec<Listed>,
    count: u32,
    files: Vec<Touched>,
}

fn whole(files: Option<Vec<File>>, incomplete: &mut Vec<String>) -> Vec<Touched> {
    let files = files.unwrap_or_default();
    if files.len() >= MOST_FILES {
        incomplete.push(format!("GitHub tells the first {MOST_FILES} files of a change and no more"));
    }
    files.into_iter().map(touched).collect()
}

fn touched(file: File) -> Touched {
    // A binary file has no lines; GitHub says 0 of it and sends no patch.
    let binary = file.patch.is_none() && file.additions + file.deletions == 0;
    Touched {
        path: file.filename,
        was: file.previous_filename,
        status: match file.status.as_str() {
            "added" | "copied" => FileStatus::Added,
            "removed" => FileStatus::Removed,
            "renamed" => FileStatus::Renamed,
            _ => FileStatus::Changed,
        },
        added: (!binary).then_some(file.additions),
        deleted: (!binary).then_some(file.deletions),
        // Of what is binary there is nothing to search.
        patch: file.patch.or_else(|| binary.then(String::new)),
    }
}

fn commit(listed: Listed) -> Commit {
    let who = |who: &Option<super::refs::Who>| {
        let who = who.clone().unwrap_or_default();
        let cut = |text: Option<String>| tame(&text.unwrap_or_default(), LONGEST_EMAIL);
        (cut(who.name), cut(who.email))
    };
    let (author_name, author_email) = who(&listed.commit.author);
    let (committer_name, committer_email) = who(&listed.commit.committer);
    let message = &listed.commit.message;
    let message = &message[..message.floor_char_boundary(LONGEST_MESSAGE)];
    let words = Words {
        author_name: &author_name,
        author_email: &author_email,
        committer_name: &committer_name,
        committer_email: &committer_email,
        message: message.trim_start(),
    };
    of_words(listed.sha, &words, listed.commit.at())
}
