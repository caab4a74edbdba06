//! Lines added and removed, and which removed file lives on under another name.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use gix::diff::blob::sources::byte_lines;
use gix::diff::blob::{Algorithm, Diff, InternedInput};
use gix::objs::Kind;
use gix::objs::tree::EntryKind;

use super::objects::{Objects, Trouble};
use super::tree::{Difference, Located, Side};
use crate::source::code::paths::is_binary;

/// Files larger than this are not compared line by line.
pub(super) const LARGEST_FILE: u64 = 1 << 20;
/// So many bytes are compared for one change.
const MOST_BYTES: u64 = 64 << 20;
/// So many removed and so many added files are compared to find renamed ones, and so many pairs of them.
const MOST_PAIRED: usize = 1_000;
const MOST_PAIRS: usize = 40_000;
/// Files up to this size are compared to find renamed ones.
const LARGEST_PAIRED: u64 = 256 << 10;
/// At least this share of lines is common to a file and its renamed self, as in git.
const ALIKE: f64 = 0.5;

/// How many lines; None where the file is binary, too large or not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    pub added: Option<u32>,
    pub deleted: Option<u32>,
}

/// Counts lines with a budget for the whole change.
#[derive(Debug)]
pub(super) struct Counter {
    bytes_left: u64,
    /// Whether the budget ran out.
    pub spent: bool,
    /// How many contents are not in this clone.
    pub missing: usize,
}

impl Counter {
    pub fn new() -> Counter {
        Counter { bytes_left: MOST_BYTES, spent: false, missing: 0 }
    }

    /// Counts, and shows each added line to `added`, with its number from 1.
    pub fn count(
        &mut self,
        objects: &Objects<'_>,
        old: Option<Side>,
        new: Option<Side>,
        mut added: impl FnMut(u32, &[u8]),
    ) -> Result<Lines, Trouble> {
        if let (Some(old), Some(new)) = (old, new)
            && old.id == new.id
        {
            return Ok(Lines { added: Some(0), deleted: Some(0) });
        }
        let (Some(old), Some(new)) = (self.content(objects, old)?, self.content(objects, new)?) else {
            return Ok(Lines::default());
        };
        if is_binary(&old) || is_binary(&new) {
            return Ok(Lines::default());
        }
        let input = InternedInput::new(byte_lines(&old), byte_lines(&new));
        let diff = Diff::compute(Algorithm::Histogram, &input);
        for hunk in diff.hunks() {
            for at in hunk.after {
                if let Some(token) = usize::try_from(at).ok().and_then(|at| input.after.get(at)) {
                    added(at.saturating_add(1), input.interner[*token]);
                }
            }
        }
        Ok(Lines { added: Some(diff.count_additions()), deleted: Some(diff.count_removals()) })
    }

    /// The content of one side: empty where there is no file, None where it cannot be compared.
    fn content(&mut self, objects: &Objects<'_>, side: Option<Side>) -> Result<Option<Vec<u8>>, Trouble> {
        let Some(side) = side else { return Ok(Some(Vec::new())) };
        if side.kind == EntryKind::Commit {
            return Ok(None);
        }
        if self.bytes_left == 0 {
            self.spent = true;
            return Ok(None);
        }
        match objects.bytes(side.id, Kind::Blob, LARGEST_FILE) {
            Ok(content) => {
                let length = content.as_ref().map_or(0, Vec::len);
                self.bytes_left = self.bytes_left.saturating_sub(length as u64);
                Ok(content)
            }
            Err(Trouble::Missing(_)) => {
                self.missing += 1;
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }
}

/// A difference, and the path that it had before where it was renamed.
pub(super) type Joined = (Difference, Option<Vec<u8>>);

/// Joins a removed and an added file to one renamed file where they are the same or alike. What comes out is the
/// differences, each with its old path where it was renamed.
pub(super) fn join_renamed(objects: &Objects<'_>, differences: Vec<Difference>) -> Result<Vec<Joined>, Trouble> {
    let is_file = |side: &Side| matches!(side.kind, EntryKind::Blob | EntryKind::BlobExecutable);
    let mut removed: Vec<Located> = Vec::new();
    for difference in &differences {
        if let (Some(old), None) = (difference.old.filter(is_file), difference.new) {
            removed.push((difference.path.clone(), old));
        }
    }
    let mut from: HashMap<Vec<u8>, Located> = HashMap::new();
    let added = || {
        differences.iter().filter_map(|difference| match (difference.old, difference.new.filter(is_file)) {
            (None, Some(new)) => Some((difference.path.clone(), new)),
            _ => None,
        })
    };
    // The very same content first; among several the one that keeps its file's name.
    for (path, new) in added() {
        let same = |(_, old): &&Located| old.id == new.id && !old.id.is_empty_blob();
        let keeps_name = |(old, _): &&Located| last_part(old) == last_part(&path);
        let best = removed.iter().filter(same).find(keeps_name).or_else(|| removed.iter().find(same)).cloned();
        if let Some(best) = best {
            removed.retain(|(old, _)| *old != best.0);
            from.insert(path, best);
        }
    }
    let left: Vec<Located> = added().filter(|(path, _)| !from.contains_key(path)).collect();
    let few = removed.len().max(left.len()) <= MOST_PAIRED && removed.len() * left.len() <= MOST_PAIRS;
    if few && !removed.is_empty() {
        for (new_path, old) in alike(objects, &removed, &left)? {
            from.insert(new_path, old);
        }
    }
    let gone: Vec<Vec<u8>> = from.values().map(|(old, _)| old.clone()).collect();
    Ok(differences
        .into_iter()
        .filter(|difference| difference.new.is_some() || !gone.contains(&difference.path))
        .map(|mut difference| match from.remove(&difference.path) {
            Some((was, side)) => {
                difference.old = Some(side);
                (difference, Some(was))
            }
            None => (difference, None),
        })
        .collect())
}

/// Pairs of a new path and the removed file that it is most alike to, best pairs first, each file used once.
fn alike(objects: &Objects<'_>, removed: &[Located], added: &[Located]) -> Result<Vec<(Vec<u8>, Located)>, Trouble> {
    let (old, new) = (prints(objects, removed)?, prints(objects, added)?);
    let mut pairs = Vec::new();
    for (o, old) in old.iter().enumerate() {
        for (n, new) in new.iter().enumerate() {
            if let (Some(old), Some(new)) = (old, new) {
                let alike = likeness(old, new);
                if alike >= ALIKE {
                    pairs.push((alike, o, n));
                }
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let (mut used_old, mut used_new) = (vec![false; old.len()], vec![false; new.len()]);
    let mut found = Vec::new();
    for (_, o, n) in pairs {
        if !used_old[o] && !used_new[n] {
            used_old[o] = true;
            used_new[n] = true;
            found.push((added[n].0.clone(), removed[o].clone()));
        }
    }
    Ok(found)
}

/// How many lines a file has, and how often each is in it, by its hash.
type Print = (u32, HashMap<u64, u32>);

fn prints(objects: &Objects<'_>, files: &[Located]) -> Result<Vec<Option<Print>>, Trouble> {
    let mut prints = Vec::new();
    for (_, side) in files {
        let content = match objects.bytes(side.id, Kind::Blob, LARGEST_PAIRED) {
            Err(Trouble::Missing(_)) => None,
            other => other?,
        };
        prints.push(content.filter(|content| !is_binary(content)).map(|content| {
            let mut print = Print::default();
            for line in byte_lines(&content) {
                let mut hasher = DefaultHasher::new();
                line.hash(&mut hasher);
                *print.1.entry(hasher.finish()).or_default() += 1;
                print.0 += 1;
            }
            print
        }));
    }
    Ok(prints)
}

/// The share of lines that two files have in common, of the longer one's.
fn likeness(old: &Print, new: &Print) -> f64 {
    let (shortest, longest) = (old.0.min(new.0), old.0.max(new.0));
    // What cannot be alike by its length need not be looked at.
    if longest == 0 || f64::from(shortest) < ALIKE * f64::from(longest) {
        return 0.0;
    }
    let common: u32 = old.1.iter().map(|(line, count)| *count.min(new.1.get(line).unwrap_or(&0))).sum();
    f64::from(common) / f64::from(longest)
}

fn last_part(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}
