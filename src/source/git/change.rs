//! The change: what lies between the version that runs and the version wanted.

use std::collections::BTreeSet;

use super::churn;
use super::commit::commit;
use super::lines::{Counter, join_renamed};
use super::migration;
use super::names::natural;
use super::objects::{Objects, Trouble};
use super::owners;
use super::packages;
use super::range::{Range, range};
use super::tree::{self, Difference};
use crate::advice::facts::{Change, Direction, FileChange, FileStatus, Version};
use crate::clock::Time;
use crate::source::code::lines::Ranges;
use crate::source::code::paths::path_text;
use crate::source::code::place::{Place, find_flags, says_unclaimed};
use gix::ObjectId;

/// So many commits are told.
const MOST_COMMITS: usize = 250;
/// So many commits are asked whether they touch the service's paths.
const MOST_FILTERED: usize = 2_000;
/// So many files are told.
const MOST_FILES: usize = 1_000;
/// What was found, and what could not be read of it.
pub(super) type Found = (Change, Vec<String>);

/// Compares two commits; without a base, the head with its parent. The names of the versions are those of the commits, and
/// authors have no persons yet: the caller knows both.
pub(super) fn change(
    objects: &Objects<'_>,
    base: Option<ObjectId>,
    head: ObjectId,
    place: &Place,
) -> Result<Found, Trouble> {
    let mut incomplete = place.bad.clone();
    let head_node = objects.node(head)?;
    let between = match base {
        Some(base) => range(objects, base, head)?,
        None => Range { ahead: vec![head], ..Range::default() },
    };
    let direction = if base.is_some() { between.direction() } else { Direction::Unknown };
    incomplete.extend(between.doubt.clone());
    let ids = if direction == Direction::Back { between.behind } else { between.ahead };
    let ids = of_place(objects, ids, place, &mut incomplete)?;

    let start = base.or_else(|| head_node.parents.first().copied());
    let start_node = start.map(|start| objects.node(start)).transpose()?;
    if start.is_none() && head_node.cut {
        incomplete.push("the clone is shallow: what the version was before is not in it".to_owned());
    }
    // Without anything to compare with in a shallow clone, the whole tree would read as added.
    let old_tree = start_node.as_ref().map(|node| node.tree).or(head_node.cut.then_some(head_node.tree));
    let (mut unclaimed, mut locks) = (Vec::new(), Vec::new());
    let (differences, whole) = tree::differences(objects, old_tree, Some(head_node.tree), |difference| {
        let path = &difference.path;
        let own = place.own.is_empty() || place.own.matches(path);
        let migration = place.migrations.as_ref().is_some_and(|globs| globs.matches(path));
        let nobodys = !own && !migration && !place.others.matches(path);
        if nobodys {
            unclaimed.push(path_text(path));
        }
        // A lock file that no service claims holds everybody's packages.
        if (own || nobodys) && packages::is_lock(path) {
            locks.push(difference.clone());
        }
        own || migration
    })?;
    if !whole {
        incomplete.push("the change is so large that not all of its files were looked at".to_owned());
    }
    incomplete.extend(says_unclaimed(unclaimed));

    let differences = join_renamed(objects, differences)?;
    let mut flags = BTreeSet::new();
    let mut touched = Vec::new();
    let mut counter = Counter::new();
    let mut files = Vec::new();
    let file_count = u32::try_from(differences.len()).unwrap_or(u32::MAX);
    let mut before = Vec::new();
    for (difference, was) in &differences {
        let status = status(difference, was.is_some());
        if let (Some(globs), Some(side)) = (&place.migrations, difference.new.or(difference.old))
            && globs.matches(&difference.path)
        {
            touched.push(migration::Touched { path: difference.path.clone(), status, side });
        }
        if files.len() >= MOST_FILES {
            continue;
        }
        let mut ranges = Ranges::default();
        let lines = counter.count(objects, difference.old, difference.new, |at, line| {
            ranges.add(at);
            find_flags(&place.flags, line, &mut flags);
        })?;
        let is_new = status == FileStatus::Added;
        before.push((!is_new).then(|| was.clone().unwrap_or_else(|| difference.path.clone())));
        files.push(FileChange {
            path: path_text(&difference.path),
            was: was.as_deref().map(path_text),
            status,
            added: lines.added,
            deleted: lines.deleted,
            churn: is_new.then_some(0),
            age_days: None,
            new_lines: lines.added.map(|_| ranges.told()),
        });
    }
    if counter.spent {
        incomplete.push("the change is so large that the lines of some files were not counted".to_owned());
    }
    if counter.missing > 0 {
        incomplete.push(format!("the contents of {} files are not in this clone", counter.missing));
    }
    if let (Some(start), Some(node)) = (start, &start_node) {
        add_past(objects, start, head_node.seconds.max(node.seconds), &before, &mut files)?;
    }

    let (migrations, unread) = migration::touched(objects, head_node.tree, &touched)?;
    incomplete.extend(unread);
    let mut migrations_at_head = Vec::new();
    if let Some(globs) = &place.migrations {
        let (versions, unread) = migration::at_head(objects, head_node.tree, globs)?;
        migrations_at_head = versions;
        incomplete.extend(unread);
    }
    // Without a base there is nothing that the packages were raised from.
    let (packages, unread) = if base.is_some() { packages::changed(objects, locks)? } else { Default::default() };
    incomplete.extend(unread);
    let owners = owners::owners(objects, head_node.tree, &files, &mut incomplete)?;
    let mut commits = Vec::new();
    for id in ids.iter().take(MOST_COMMITS) {
        commits.push(commit(objects, *id)?);
    }
    let mut flags: Vec<String> = flags.into_iter().collect();
    flags.sort_by_cached_key(|flag| natural(flag));
    let change = Change {
        base: base.zip(start_node).map(|(id, node)| version(id, node.seconds)),
        head: version(head, head_node.seconds),
        direction,
        commits,
        commit_count: u32::try_from(ids.len()).unwrap_or(u32::MAX),
        files,
        file_count,
        migrations,
        migrations_at_head,
        flags,
        packages,
        owners: owners.owners,
        owned: owners.owned,
    };
    Ok((change, incomplete))
}

/// The commits that touch the service's paths; merges only bring what other commits made.
fn of_place(
    objects: &Objects<'_>,
    ids: Vec<ObjectId>,
    place: &Place,
    incomplete: &mut Vec<String>,
) -> Result<Vec<ObjectId>, Trouble> {
    if place.own.is_empty() {
        return Ok(ids);
    }
    if ids.len() > MOST_FILTERED {
        incomplete.push(format!("{} commits are too many to tell which of them touch this service", ids.len()));
        return Ok(ids);
    }
    let mut own = Vec::new();
    for id in ids {
        let node = objects.node(id)?;
        if node.parents.len() > 1 {
            continue;
        }
        let parent = node.parents.first().map(|parent| objects.node(*parent)).transpose()?;
        let mut touches = node.cut;
        let migrations = place.migrations.as_ref();
        tree::differences(objects, parent.map(|parent| parent.tree), Some(node.tree), |difference| {
            touches = touches
                || place.own.matches(&difference.path)
                || migrations.is_some_and(|globs| globs.matches(&difference.path));
            false
        })?;
        if touches {
            own.push(id);
        }
    }
    Ok(own)
}

fn add_past(
    objects: &Objects<'_>,
    start: ObjectId,
    seconds: i64,
    before: &[Option<Vec<u8>>],
    files: &mut [FileChange],
) -> Result<(), Trouble> {
    let paths: Vec<Vec<u8>> = before.iter().flatten().cloned().collect();
    if paths.is_empty() {
        return Ok(());
    }
    let mut past = churn::past(objects, start, seconds, &paths)?.into_iter();
    for (file, before) in files.iter_mut().zip(before) {
        if before.is_some()
            && let Some(past) = past.next()
        {
            file.churn = past.churn;
            file.age_days = past.age_days;
        }
    }
    Ok(())
}

fn status(difference: &Difference, renamed: bool) -> FileStatus {
    match (difference.old, difference.new) {
        _ if renamed => FileStatus::Renamed,
        (None, _) => FileStatus::Added,
        (_, None) => FileStatus::Removed,
        _ => FileStatus::Changed,
    }
}

fn version(id: ObjectId, seconds: i64) -> Version {
    let commit = id.to_string();
    Version { name: commit.clone(), commit, at: Time::from_ms(seconds.saturating_mul(1_000)) }
}
