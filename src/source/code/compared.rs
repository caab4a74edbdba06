//! The files of a comparison as a host tells them, and what is read out of them in the same way whichever host it is.

use std::collections::{BTreeMap, BTreeSet};

use super::lines::Ranges;
use super::paths::path_text;
use super::place::{Place, find_flags, says_unclaimed};
use crate::advice::facts::{Commit, FileChange, FileStatus};
use crate::config::Settings;
use crate::name::Person;

/// One file of a comparison.
#[derive(Clone, Debug)]
pub(in crate::source) struct Touched {
    pub path: String,
    pub was: Option<String>,
    pub status: FileStatus,
    /// Lines; None for what has none, or is too large to be told.
    pub added: Option<u32>,
    pub deleted: Option<u32>,
    /// The difference itself, where the host tells it.
    pub patch: Option<String>,
}

impl Touched {
    /// As seen from the other side.
    pub fn inverted(mut self) -> Touched {
        std::mem::swap(&mut self.added, &mut self.deleted);
        self.status = match self.status {
            FileStatus::Added => FileStatus::Removed,
            FileStatus::Removed => FileStatus::Added,
            other => other,
        };
        if let Some(before) = &mut self.was {
            std::mem::swap(before, &mut self.path);
        }
        // Its added lines are those that go away.
        self.patch = None;
        self
    }

    pub fn told(&self) -> FileChange {
        FileChange {
            path: path_text(self.path.as_bytes()),
            was: self.was.as_ref().map(|was| path_text(was.as_bytes())),
            status: self.status,
            added: self.added,
            deleted: self.deleted,
            churn: (self.status == FileStatus::Added).then_some(0),
            age_days: None,
            new_lines: self.patch.as_deref().filter(|_| self.added.is_some()).map(new_lines),
        }
    }
}

/// The lines that a patch adds, by the numbers that they have at the head.
fn new_lines(patch: &str) -> Vec<(u32, u32)> {
    let mut ranges = Ranges::default();
    let mut at = 0_u32;
    for line in patch.lines() {
        match line.as_bytes().first() {
            // `@@ -12,3 +14,9 @@`
            Some(b'@') => {
                let after = line.split('+').nth(1).and_then(|rest| rest.split([',', ' ']).next());
                at = after.and_then(|number| number.parse().ok()).unwrap_or_default();
            }
            Some(b'-' | b'\\') => {}
            first => {
                if first == Some(&b'+') {
                    ranges.add(at);
                }
                at = at.saturating_add(1);
            }
        }
    }
    ranges.told()
}

/// The files of a service. Those that no service claims are said.
pub(in crate::source) fn of_place(files: Vec<Touched>, place: &Place, incomplete: &mut Vec<String>) -> Vec<Touched> {
    let mut unclaimed = Vec::new();
    let own = files.into_iter().filter(|file| {
        let path = file.path.as_bytes();
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

/// Flags that the added lines mention. Files whose lines are not told are said.
pub(in crate::source) fn flags(files: &[Touched], place: &Place, incomplete: &mut Vec<String>) -> Vec<String> {
    let mut flags = BTreeSet::new();
    for file in files {
        let lines = file.patch.iter().flat_map(|patch| patch.lines());
        let added = lines.filter(|line| line.starts_with('+') && !line.starts_with("+++"));
        added.for_each(|line| find_flags(&place.flags, &line.as_bytes()[1..], &mut flags));
    }
    let unread = files.iter().filter(|file| file.patch.is_none() && file.added != Some(0)).count();
    if unread > 0 && !place.flags.is_empty() {
        let files = if unread == 1 { "file was" } else { "files were" };
        incomplete.push(format!("the lines of {unread} {files} not searched for flags"));
    }
    flags.into_iter().collect()
}

/// The people of ours behind the addresses.
pub(in crate::source) fn name_authors(commits: &mut [Commit], settings: &Settings) {
    let mut people: BTreeMap<String, &Person> = BTreeMap::new();
    for (person, about) in &settings.people {
        people.extend(about.email.iter().map(|email| (email.to_lowercase(), person)));
    }
    for commit in commits {
        commit.author = people.get(&commit.email.to_lowercase()).map(|person| (*person).clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_tells_the_numbers_of_its_new_lines() {
        let patch = "@@ -1,3 +1,4 @@ fn a() {\n same\n-old\n+new\n+newer\n same\n@@ -20 +30,2 @@\n+x\n\\ No newline\n";
        assert_eq!(new_lines(patch), [(2, 3), (30, 30)]);
        assert_eq!(new_lines("@@ nonsense @@\n+x"), [(0, 0)]);
        assert_eq!(new_lines(""), []);
    }
}
