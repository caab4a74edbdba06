//! Folders at a commit: what differs between two of them, and what lies in one.

use std::cmp::Ordering;
use std::collections::HashMap;

use gix::ObjectId;
use gix::objs::tree::EntryKind;

use super::objects::{Entry, Objects, Trouble};

/// So many differing files are collected.
const MOST_FILES: usize = 20_000;
/// So many folders are opened.
const MOST_FOLDERS: usize = 50_000;
/// Longer paths are made to be long.
const LONGEST_PATH: usize = 4_096;
/// No honest path has more parts.
const DEEPEST: usize = 200;

/// A file on one side of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Side {
    pub id: ObjectId,
    pub kind: EntryKind,
}

/// A file and where it lies.
pub(super) type Located = (Vec<u8>, Side);

/// A file that is not the same in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub path: Vec<u8>,
    pub old: Option<Side>,
    pub new: Option<Side>,
}

/// Collects what `wanted` says of each differing file's path. False beside it: there was more than is looked at.
pub(super) fn differences(
    objects: &Objects<'_>,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
    mut wanted: impl FnMut(&Difference) -> bool,
) -> Result<(Vec<Difference>, bool), Trouble> {
    let mut found = Vec::new();
    let mut whole = true;
    let mut folders = 0;
    let mut open = vec![(Vec::new(), old, new)];
    while let Some((path, old, new)) = open.pop() {
        if old == new {
            continue;
        }
        folders += 1;
        if folders > MOST_FOLDERS || found.len() >= MOST_FILES {
            whole = false;
            break;
        }
        let (old, new) = (entries(objects, old)?, entries(objects, new)?);
        let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
        loop {
            let (before, after) = match (old.peek(), new.peek()) {
                (None, None) => break,
                (Some(_), None) => (old.next(), None),
                (None, Some(_)) => (None, new.next()),
                (Some(a), Some(b)) => match a.name.cmp(&b.name) {
                    Ordering::Less => (old.next(), None),
                    Ordering::Greater => (None, new.next()),
                    Ordering::Equal => (old.next(), new.next()),
                },
            };
            let Some(name) = before.or(after).map(|entry| &entry.name) else { continue };
            let path = join(&path, name);
            if path.len() > LONGEST_PATH || path.iter().filter(|&&byte| byte == b'/').count() > DEEPEST {
                whole = false;
                continue;
            }
            let (old_folder, new_folder) = (folder(before), folder(after));
            if old_folder != new_folder {
                open.push((path.clone(), old_folder, new_folder));
            }
            let difference = Difference { path, old: file(before), new: file(after) };
            if difference.old != difference.new && wanted(&difference) {
                found.push(difference);
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((found, whole))
}

/// All files below folders that `enter` lets in, as path and side, in order of their paths. False beside them: there
/// were more than `most`.
pub(super) fn files(
    objects: &Objects<'_>,
    root: ObjectId,
    most: usize,
    enter: impl Fn(&[u8]) -> bool,
    wanted: impl Fn(&[u8]) -> bool,
) -> Result<(Vec<Located>, bool), Trouble> {
    let mut found = Vec::new();
    let mut whole = true;
    let mut folders = 0;
    let mut open = vec![(Vec::new(), root)];
    while let Some((path, id)) = open.pop() {
        folders += 1;
        if folders > MOST_FOLDERS || found.len() >= most {
            whole = false;
            break;
        }
        for entry in objects.folder(id)?.iter() {
            let path = join(&path, &entry.name);
            match file(Some(entry)) {
                None if path.len() > LONGEST_PATH => whole = false,
                None if enter(&path) => open.push((path, entry.id)),
                None => {}
                Some(side) if wanted(&path) => found.push((path, side)),
                Some(_) => {}
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok((found, whole))
}

/// Paths to be looked for, as a tree of their parts.
#[derive(Debug, Default)]
pub(super) struct Paths {
    below: HashMap<Vec<u8>, Paths>,
    leaf: Option<usize>,
}

impl Paths {
    /// Adds the path with number `number`.
    pub fn add(&mut self, path: &[u8], number: usize) {
        let mut here = self;
        for part in path.split(|&byte| byte == b'/').take(DEEPEST) {
            here = here.below.entry(part.to_vec()).or_default();
        }
        here.leaf = Some(number);
    }

    /// Tells `touched` the numbers of the paths that differ between two folders; equal folders are never opened.
    pub fn touched(
        &self,
        objects: &Objects<'_>,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
        touched: &mut impl FnMut(usize),
    ) -> Result<(), Trouble> {
        if old == new {
            return Ok(());
        }
        let (old, new) = (entries(objects, old)?, entries(objects, new)?);
        for (name, below) in &self.below {
            let (before, after) = (find(&old, name), find(&new, name));
            if before == after {
                continue;
            }
            if let Some(number) = below.leaf
                && file(before) != file(after)
            {
                touched(number);
            }
            if !below.below.is_empty() {
                below.touched(objects, folder(before), folder(after), touched)?;
            }
        }
        Ok(())
    }
}

fn entries(objects: &Objects<'_>, id: Option<ObjectId>) -> Result<super::objects::Folder, Trouble> {
    id.map_or_else(|| Ok(super::objects::Folder::default()), |id| objects.folder(id))
}

fn find<'a>(entries: &'a [Entry], name: &[u8]) -> Option<&'a Entry> {
    let at = entries.binary_search_by(|entry| entry.name.as_slice().cmp(name)).ok()?;
    entries.get(at)
}

fn folder(entry: Option<&Entry>) -> Option<ObjectId> {
    entry.filter(|entry| entry.kind == EntryKind::Tree).map(|entry| entry.id)
}

fn file(entry: Option<&Entry>) -> Option<Side> {
    let entry = entry.filter(|entry| entry.kind != EntryKind::Tree)?;
    Some(Side { id: entry.id, kind: entry.kind })
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_vec() } else { [folder, b"/", name].concat() }
}

/// The file or folder at a path.
pub(super) fn at(objects: &Objects<'_>, root: ObjectId, path: &[u8]) -> Result<Option<Entry>, Trouble> {
    let mut here = Entry { name: Vec::new(), kind: EntryKind::Tree, id: root };
    for part in path.split(|&byte| byte == b'/').filter(|part| !part.is_empty()).take(DEEPEST) {
        if here.kind != EntryKind::Tree {
            return Ok(None);
        }
        match find(&objects.folder(here.id)?, part) {
            Some(entry) => here = entry.clone(),
            None => return Ok(None),
        }
    }
    Ok(Some(here))
}
