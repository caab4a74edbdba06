//! The change: what lies between the version that runs and the version wanted, by comparing two commits.
//!
//! GitLab compares with the common ancestor, tells differences without counting their lines, and leaves large ones out.

use serde::Deserialize;

use super::refs::{Head, LONGEST};
use super::{Gitlab, link};
use crate::advice::facts::{Change, Commit, Direction, FileChange, FileStatus, Version};
use crate::message::tame;
use crate::source::code::commit::{LONGEST_EMAIL, LONGEST_MESSAGE, commit as of_words};
use crate::source::code::compared::{self, Touched};
use crate::source::code::declared::Words;
use crate::source::code::owners::{self, Rules};
use crate::source::code::packages;
use crate::source::code::place::{Place, says_runs_elsewhere};
use crate::source::{Answer, Ask, CannotSay, Learned};

/// So many commits are told.
const MOST_COMMITS: usize = 250;
/// So many files are told.
const MOST_FILES: usize = 1_000;

#[derive(Debug, Deserialize)]
struct Compared {
    commits: Vec<Head>,
    #[serde(default)]
    diffs: Vec<Difference>,
    #[serde(default)]
    compare_timeout: bool,
}

#[derive(Debug, Deserialize)]
struct Difference {
    old_path: String,
    new_path: String,
    #[serde(default)]
    new_file: bool,
    #[serde(default)]
    renamed_file: bool,
    #[serde(default)]
    deleted_file: bool,
    #[serde(default)]
    diff: Option<String>,
    #[serde(default)]
    too_large: Option<bool>,
    #[serde(default)]
    collapsed: Option<bool>,
}

impl Gitlab {
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
        let (migrations, migrations_at_head) = self.migrations(&files, &head.id, &place, &mut incomplete).await?;
        if !place.own.is_empty() && !between.commits.is_empty() {
            incomplete.push("the commits are those of the whole repository, not of this service's paths".to_owned());
        }
        if between.commits.len() > MOST_COMMITS {
            incomplete.push(format!("only the newest {MOST_COMMITS} commits were looked at"));
        }
        if files.len() > MOST_FILES {
            incomplete.push(format!("only the first {MOST_FILES} files were looked at"));
        }
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let packages = {
            let base = base.as_ref().map(|base| base.id.as_str());
            packages::between(&files, base, &head.id, &|path, at| Box::pin(self.content(path, at)), &mut incomplete)
                .await
        };
        let told: Vec<FileChange> = files.iter().take(MOST_FILES).map(Touched::told).collect();
        let owners = {
            let head = head.id.as_str();
            owners::hosted(Rules::Gitlab, &told, &|path| Box::pin(self.content(path, head)), &mut incomplete).await
        };
        let mut change = Change {
            base: base.map(|base| Version {
                name: tame(ask.running.as_deref().unwrap_or_default(), LONGEST),
                at: base.at(),
                commit: base.id,
            }),
            head: Version { name: tame(wanted, LONGEST), commit: head.id.clone(), at: head.at() },
            direction: between.direction,
            commit_count: count(between.commits.len()),
            commits: between.commits.into_iter().take(MOST_COMMITS).map(commit).collect(),
            file_count: count(files.len()),
            files: told,
            migrations,
            migrations_at_head,
            flags,
            packages,
            owners: owners.owners,
            owned: owners.owned,
        };
        compared::name_authors(&mut change.commits, &ask.settings);
        let link = link(head.web_url);
        Ok(Answer { learned: Learned::Change(Box::new(change)), at: ask.now, link, incomplete })
    }

    pub(super) async fn between(
        &self,
        base: Option<&Head>,
        head: &Head,
        incomplete: &mut Vec<String>,
    ) -> Result<Between, CannotSay> {
        let Some(base) = base else {
            let path = self.path(&["repository", "commits", &head.id, "diff"]);
            let (differences, more) = self.api.pages::<Difference>(&path, &[], MOST_FILES).await?;
            if more {
                incomplete.push(format!("only the first {MOST_FILES} files were looked at"));
            }
            let files = differences.into_iter().map(touched).collect();
            return Ok(Between { direction: Direction::Unknown, commits: vec![head.clone()], files });
        };
        if base.id == head.id {
            return Ok(Between { direction: Direction::Same, commits: Vec::new(), files: Vec::new() });
        }
        let path = self.path(&["repository", "merge_base"]);
        let ancestor: Head = self.api.get(&path, &[("refs[]", &base.id), ("refs[]", &head.id)]).await?;
        if ancestor.id == head.id {
            // Seen from what runs: the files as they were, and the commits that are taken back.
            let back = self.compare(&head.id, &base.id, incomplete).await?;
            let files = back.diffs.into_iter().map(touched).map(Touched::inverted).collect();
            return Ok(Between { direction: Direction::Back, commits: back.commits, files });
        }
        let forth = self.compare(&base.id, &head.id, incomplete).await?;
        let direction = if ancestor.id == base.id { Direction::Forward } else { Direction::Sideways };
        if direction == Direction::Sideways {
            incomplete
                .push("what runs holds commits that this version lacks; their files are not among these".to_owned());
        }
        Ok(Between { direction, commits: forth.commits, files: forth.diffs.into_iter().map(touched).collect() })
    }

    /// Commits newest first.
    async fn compare(&self, from: &str, to: &str, incomplete: &mut Vec<String>) -> Result<Compared, CannotSay> {
        let path = self.path(&["repository", "compare"]);
        let mut found: Compared = self.api.get(&path, &[("from", from), ("to", to), ("straight", "false")]).await?;
        if found.compare_timeout {
            incomplete.push("GitLab ran out of time before it had compared everything".to_owned());
        }
        // GitLab tells the oldest first.
        found.commits.reverse();
        Ok(found)
    }
}

pub(super) struct Between {
    direction: Direction,
    /// Newest first.
    pub commits: Vec<Head>,
    files: Vec<Touched>,
}

fn touched(file: Difference) -> Touched {
    let status = match (file.new_file, file.deleted_file, file.renamed_file) {
        (true, ..) => FileStatus::Added,
        (_, true, _) => FileStatus::Removed,
        (.., true) => FileStatus::Renamed,
        _ => FileStatus::Changed,
    };
    let patch = file.diff.unwrap_or_default();
    let left_out = file.too_large == Some(true) || file.collapsed == Some(true);
    let binary = patch.starts_with("Binary files ");
    let told = !left_out && !binary;
    let lines = |sign: char| u32::try_from(patch.lines().filter(|line| line.starts_with(sign)).count()).ok();
    let (added, deleted) = if told { (lines('+'), lines('-')) } else { (None, None) };
    Touched {
        was: (status == FileStatus::Renamed).then_some(file.old_path),
        path: file.new_path,
        status,
        added,
        deleted,
        patch: (!left_out).then_some(patch),
    }
}

fn commit(head: Head) -> Commit {
    let cut = |text: &Option<String>| tame(text.as_deref().unwrap_or_default(), LONGEST_EMAIL);
    let (author_name, author_email) = (cut(&head.author_name), cut(&head.author_email));
    let (committer_name, committer_email) = (cut(&head.committer_name), cut(&head.committer_email));
    let message = head.message.as_deref().unwrap_or_default();
    let message = &message[..message.floor_char_boundary(LONGEST_MESSAGE)];
    let words = Words {
        author_name: &author_name,
        author_email: &author_email,
        committer_name: &committer_name,
        committer_email: &committer_email,
        message: message.trim_start(),
    };
    let at = head.at();
    of_words(head.id, &words, at)
}
