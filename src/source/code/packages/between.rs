//! The packages that differ between two commits of a repository on a host.

use futures::future::{BoxFuture, join_all};

use super::{Lock, compare, joined};
use crate::advice::facts::{FileStatus, PackageChange};
use crate::advice::paths::is_lock_file;
use crate::message::tame;
use crate::source::CannotSay;
use crate::source::code::compared::Touched;
use crate::source::code::paths::{path_text, text};

/// So many lock files of one change are read: each is asked for twice.
const MOST: usize = 5;

/// The bytes of a file at a commit; None: there is none, or the host does not tell one so large.
type Content<'a> = dyn Fn(&'a str, &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, CannotSay>> + Send + Sync + 'a;

/// Reads the lock files among these on both sides. What cannot be read is said, and loses nothing of the change.
pub(in crate::source) async fn between<'a>(
    files: &'a [Touched],
    base: Option<&'a str>,
    head: &'a str,
    content: &Content<'a>,
    incomplete: &mut Vec<String>,
) -> Vec<PackageChange> {
    let locks: Vec<&Touched> =
        files.iter().filter(|file| Lock::of(&file.path).is_some() || is_lock_file(&file.path)).collect();
    // Without a base there is nothing to compare with.
    let (Some(base), false) = (base, locks.is_empty()) else { return Vec::new() };
    if locks.len() > MOST {
        incomplete.push(format!("only the first {MOST} of {} lock files were read", locks.len()));
    }
    let read = locks.iter().take(MOST).map(|file| differing(file, base, head, content));
    let mut found = Vec::new();
    for (file, packages) in locks.iter().zip(join_all(read).await) {
        match packages {
            Ok(packages) => found.extend(packages),
            Err(why) => {
                let path = tame(&path_text(file.path.as_bytes()), 100);
                incomplete.push(format!("the packages of `{path}` are not known: {}", why.0));
            }
        }
    }
    let (found, cut) = joined(found);
    incomplete.extend(cut);
    found
}

async fn differing<'a>(
    file: &'a Touched,
    base: &'a str,
    head: &'a str,
    content: &Content<'a>,
) -> Result<Vec<PackageChange>, CannotSay> {
    let was = file.was.as_deref().unwrap_or(&file.path);
    let before =
        async { if file.status == FileStatus::Added { Ok(Some(Vec::new())) } else { content(was, base).await } };
    let after = async {
        if file.status == FileStatus::Removed { Ok(Some(Vec::new())) } else { content(&file.path, head).await }
    };
    let (before, after) = futures::try_join!(before, after)?;
    let read = |bytes: Option<Vec<u8>>| {
        let text = bytes.as_deref().and_then(text).map(std::borrow::Cow::into_owned);
        text.ok_or_else(|| CannotSay::because("it is larger than the host tells, or no text"))
    };
    compare(&file.path, &read(before)?, &read(after)?).map_err(CannotSay::because)
}
