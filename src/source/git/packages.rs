//! The packages that differ, by the lock files before and after the change.

use gix::objs::Kind;

use super::objects::{Objects, Trouble};
use super::tree::{Difference, Side};
use crate::advice::facts::PackageChange;
use crate::advice::paths::is_lock_file;
use crate::message::tame;
use crate::source::code::packages::{self, LARGEST, Lock, MOST_FILES};
use crate::source::code::paths::{path_text, text};

/// Whether a file at this path locks versions.
pub(super) fn is_lock(path: &[u8]) -> bool {
    let path = path_text(path);
    Lock::of(&path).is_some() || is_lock_file(&path)
}

/// The packages whose locked versions differ, and what could not be read.
pub(super) fn changed(
    objects: &Objects<'_>,
    mut locks: Vec<Difference>,
) -> Result<(Vec<PackageChange>, Vec<String>), Trouble> {
    let (mut found, mut incomplete) = (Vec::new(), Vec::new());
    if locks.len() > MOST_FILES {
        incomplete.push(format!("only the first {MOST_FILES} of {} lock files were read", locks.len()));
    }
    locks.sort_by(|a, b| a.path.cmp(&b.path));
    for lock in locks.into_iter().take(MOST_FILES) {
        let path = path_text(&lock.path);
        let told = match (content(objects, lock.old)?, content(objects, lock.new)?) {
            (Some(before), Some(after)) => packages::compare(&path, &before, &after),
            _ => Err("it is too large, not in this clone or no text".to_owned()),
        };
        match told {
            Ok(packages) => found.extend(packages),
            Err(why) => incomplete.push(format!("the packages of `{}` are not known: {why}", tame(&path, 100))),
        }
    }
    let (found, cut) = packages::joined(found);
    incomplete.extend(cut);
    Ok((found, incomplete))
}

/// The text of one side: empty where there is no file, None where it cannot be read.
fn content(objects: &Objects<'_>, side: Option<Side>) -> Result<Option<String>, Trouble> {
    let Some(side) = side else { return Ok(Some(String::new())) };
    let bytes = match objects.bytes(side.id, Kind::Blob, LARGEST as u64) {
        Err(Trouble::Missing(_)) => None,
        other => other?,
    };
    Ok(bytes.as_deref().and_then(text).map(std::borrow::Cow::into_owned))
}
