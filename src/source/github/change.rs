//! The change: what lies between the version that runs and the version wanted, by comparing two commits.
//!
//! GitHub compares with the common ancestor, tells 300 files at most, and leaves the lines of large files out.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Github;
use super::refs::{Head, Written, prefix};
use crate::advice::facts::{Change, Commit, Direction, FileChange, FileStatus, Version};
use crate::config::Settings;
use crate::message::tame;
use crate::name::Person;
use crate::source::code::commit::{LONGEST_EMAIL, LONGEST_MESSAGE, commit as of_words};
use crate::source::code::declared::Words;
use crate::source::code::paths::path_text;
use crate::source::code::place::{Place, find_flags, says_unclaimed};
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
pub(super) struct File {
    pub filename: String,
    pub status: String,
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
        let prefix = prefix(ask);
        let mut incomplete = Vec::new();
        let Some(head) = self.resolve(wanted, prefix).await? else {
            return Err(CannotSay::because(format!("knows no version `{}`", tame(wanted, LONGEST))));
        };
        let base = match ask.running.as_deref() {
            None => None,
            Some(running) => {
                let found = self.resolve(running, prefix).await?;
                if found.is_none() {
                    let running = tame(running, LONGEST);
                    incomplete.push(format!("what runs now, `{running}`, is not in this repository"));
                }
                found
            }
        };
        let place = Place::of(&ask.settings, &ask.service);
        incomplete.extend(place.bad.iter().cloned());
        let between = self.between(base.as_ref(), &head, &mut incomplete).await?;
        let files = of_place(between.files, &place, &mut incomplete);
        let mut flags = BTreeSet::new();
        for file in &files {
            let lines = file.patch.iter().flat_map(|patch| patch.lines());
            let added = lines.filter(|line| line.starts_with('+') && !line.starts_with("+++"));
            added.for_each(|line| find_flags(&place.flags, &line.as_bytes()[1..], &mut flags));
        }
        let unread = files.iter().filter(|file| file.patch.is_none() && file.additions > 0).count();
        if unread > 0 && !place.flags.is_empty() {
            incomplete.push(format!("the lines of {unread} large files were not searched for flags"));
        }
        let (migrations, migrations_at_head) = self.migrations(&files, &head.sha, &place, &mut incomplete).await?;
        if !place.own.is_empty() && !between.commits.is_empty() {
            incomplete.push("the commits are those of the whole repository, not of this service's paths".to_owned());
        }
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
            files: files.iter().map(told).collect(),
            migrations,
            migrations_at_head,
            flags: flags.into_iter().collect(),
        };
        name_authors(&mut change.commits, &ask.settings);
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
                let files = whole(back.files, incomplete).into_iter().map(inverted).collect();
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
    files: Vec<File>,
}

fn whole(files: Option<Vec<File>>, incomplete: &mut Vec<String>) -> Vec<File> {
    let files = files.unwrap_or_default();
    if files.len() >= MOST_FILES {
        incomplete.push(format!("GitHub tells the first {MOST_FILES} files of a change and no more"));
    }
    files
}

fn inverted(mut file: File) -> File {
    std::mem::swap(&mut file.additions, &mut file.deletions);
    match file.status.as_str() {
        "added" => file.status = "removed".to_owned(),
        "removed" => file.status = "added".to_owned(),
        _ => {}
    }
    if let Some(before) = &mut file.previous_filename {
        std::mem::swap(before, &mut file.filename);
    }
    // Its added lines are those that go away.
    file.patch = None;
    file
}

fn of_place(files: Vec<File>, place: &Place, incomplete: &mut Vec<String>) -> Vec<File> {
    let mut unclaimed = Vec::new();
    let own = files.into_iter().filter(|file| {
        let path = file.filename.as_bytes();
        let own = place.own.is_empty() || place.own.matches(path);
        let migration = place.migrations.as_ref().is_some_and(|globs| globs.matches(path));
        if !own && !migration && !place.others.matches(path) {
            unclaimed.push(path_text(path));
        }
        own || migration
    });
    let own = own.collect();
    incomplete.extend(says_unclaimed(unclaimed));
    own
}

pub(super) fn status(file: &File) -> FileStatus {
    match file.status.as_str() {
        "added" | "copied" => FileStatus::Added,
        "removed" => FileStatus::Removed,
        "renamed" => FileStatus::Renamed,
        _ => FileStatus::Changed,
    }
}

fn told(file: &File) -> FileChange {
    // A binary file has no lines; GitHub says 0 of it and sends no patch.
    let binary = file.patch.is_none() && file.additions + file.deletions == 0;
    FileChange {
        path: path_text(file.filename.as_bytes()),
        was: file.previous_filename.as_ref().map(|was| path_text(was.as_bytes())),
        status: status(file),
        added: (!binary).then_some(file.additions),
        deleted: (!binary).then_some(file.deletions),
        churn: (status(file) == FileStatus::Added).then_some(0),
        age_days: None,
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

/// The people of ours behind the addresses.
fn name_authors(commits: &mut [Commit], settings: &Settings) {
    let mut people: BTreeMap<String, &Person> = BTreeMap::new();
    for (person, about) in &settings.people {
        people.extend(about.email.iter().map(|email| (email.to_lowercase(), person)));
    }
    for commit in commits {
        commit.author = people.get(&commit.email.to_lowercase()).map(|person| (*person).clone());
    }
}
