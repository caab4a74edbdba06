//! Who owns what changes, by the file `CODEOWNERS` at the head.

use gix::ObjectId;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;

use super::objects::{Objects, Trouble};
use super::tree;
use crate::advice::facts::FileChange;
use crate::source::code::owners::{ANYWHERE, LARGEST, Owners, Rules, kept, of_bytes};

/// The owners of the files of a change; that a file cannot be read is said.
pub(super) fn owners(
    objects: &Objects<'_>,
    head: ObjectId,
    files: &[FileChange],
    incomplete: &mut Vec<String>,
) -> Result<Owners, Trouble> {
    if files.is_empty() {
        return Ok(Owners::default());
    }
    for path in ANYWHERE {
        let Some(entry) = tree::at(objects, head, path.as_bytes())?
            .filter(|entry| matches!(entry.kind, EntryKind::Blob | EntryKind::BlobExecutable))
        else {
            continue;
        };
        let told = match objects.bytes(entry.id, Kind::Blob, LARGEST as u64) {
            Ok(Some(bytes)) => of_bytes(&bytes, |text| Rules::of(path, text), files),
            Ok(None) => Err(format!("it is larger than {} MB", LARGEST >> 20)),
            Err(Trouble::Missing(_)) => Err("it is not in this clone".to_owned()),
            Err(other) => return Err(other),
        };
        return Ok(kept(path, told, incomplete));
    }
    Ok(Owners::default())
}
