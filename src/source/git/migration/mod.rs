//! Migrations in a repository, told by the file-name conventions of sqlx, Flyway, Rails, Alembic, Django, Diesel and goose.

use gix::ObjectId;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;

use super::names::natural;
use super::objects::{Objects, Trouble};
use super::tree::{self, Side};
use crate::advice::facts::{FileStatus, MigrationFile};
use crate::source::code::migration::identity::{self, Identity, Tool, Way};
use crate::source::code::migration::{checksum, undo};
use crate::source::code::paths::{self, Globs, file_name, path_text};

/// SQL beyond this is cut off.
const LARGEST_SQL: usize = 256 << 10;
/// So much SQL is kept of one change.
const MOST_SQL: usize = 4 << 20;
/// A migration larger than this is not read.
const LARGEST_FILE: u64 = 16 << 20;
/// So many migrations of one change are told.
const MOST: usize = 500;
/// So many migrations at the head are told.
const MOST_AT_HEAD: usize = 5_000;

/// A migration's file that the change adds, alters or removes.
#[derive(Clone, Debug)]
pub(super) struct Touched {
    pub path: Vec<u8>,
    pub status: FileStatus,
    /// The file at the head; where it was removed, the file as it was.
    pub side: Side,
}

/// The migrations among the touched files, in order of their versions, and what could not be read.
pub(super) fn touched(
    objects: &Objects<'_>,
    head: ObjectId,
    touched: &[Touched],
) -> Result<(Vec<MigrationFile>, Vec<String>), Trouble> {
    let (mut found, mut incomplete) = (Vec::new(), Vec::new());
    let mut room = MOST_SQL;
    for file in touched {
        if found.len() >= MOST {
            incomplete.push(format!("only the first {MOST} migrations were read"));
            break;
        }
        let path = path_text(&file.path);
        let bytes = match content(objects, file.side) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                incomplete.push(format!("the migration `{path}` is too large to read"));
                Vec::new()
            }
            Err(Trouble::Missing(_)) => {
                incomplete.push(format!("the content of the migration `{path}` is not in this clone"));
                Vec::new()
            }
            Err(other) => return Err(other),
        };
        let text = paths::text(&bytes);
        let Some(identity) = identity::of(&path, text.as_deref()) else { continue };
        if identity.way == Way::Down {
            continue;
        }
        let is_gone = file.status == FileStatus::Removed;
        let sql = text.as_deref().filter(|_| identity.tool.speaks_sql() && !is_gone && !bytes.is_empty()).map(|text| {
            let up = undo::up_section(text);
            cut(up, LARGEST_SQL.min(room)).to_owned()
        });
        room -= sql.as_ref().map_or(0, String::len).min(room);
        if room == 0 && sql.is_some() {
            incomplete.push(format!("the SQL of `{path}` is cut short, because the change holds very much of it"));
        }
        found.push(MigrationFile {
            reversible: !is_gone && is_reversible(objects, head, &file.path, &identity, text.as_deref())?,
            checksum: match identity.tool {
                _ if is_gone || bytes.is_empty() => None,
                Tool::Sqlx => Some(checksum::sqlx(&bytes)),
                Tool::Flyway => text.as_deref().map(checksum::flyway),
                _ => None,
            },
            path,
            version: identity.version,
            status: file.status,
            sql,
        });
    }
    found.sort_by(|a, b| natural(&a.version).cmp(&natural(&b.version)).then_with(|| a.path.cmp(&b.path)));
    Ok((found, incomplete))
}

/// The versions of every migration at the head, in order, and what could not be read.
pub(super) fn at_head(
    objects: &Objects<'_>,
    head: ObjectId,
    globs: &Globs,
) -> Result<(Vec<String>, Vec<String>), Trouble> {
    let (files, whole) =
        tree::files(objects, head, MOST_AT_HEAD, |folder| globs.may_lie_below(folder), |path| globs.matches(path))?;
    let mut versions = Vec::new();
    for (path, side) in files {
        let path = path_text(&path);
        let bytes = if identity::needs_text(&path) {
            match content(objects, side) {
                Err(Trouble::Missing(_)) => None,
                other => other?,
            }
        } else {
            None
        };
        let text = bytes.as_deref().and_then(paths::text);
        if let Some(identity) = identity::of(&path, text.as_deref()).filter(|identity| identity.way != Way::Down) {
            versions.push(identity.version);
        }
    }
    versions.sort_by_cached_key(|version| (natural(version), version.clone()));
    versions.dedup();
    let incomplete = if whole { Vec::new() } else { vec!["not all migrations at the head were looked at".to_owned()] };
    Ok((versions, incomplete))
}

fn content(objects: &Objects<'_>, side: Side) -> Result<Option<Vec<u8>>, Trouble> {
    if matches!(side.kind, EntryKind::Commit | EntryKind::Tree) {
        return Ok(Some(Vec::new()));
    }
    objects.bytes(side.id, Kind::Blob, LARGEST_FILE)
}

fn is_reversible(
    objects: &Objects<'_>,
    head: ObjectId,
    path: &[u8],
    identity: &Identity,
    text: Option<&str>,
) -> Result<bool, Trouble> {
    let folder_length = path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
    let (folder, name) = path.split_at(folder_length);
    let beside = |name: &[u8]| -> Result<bool, Trouble> {
        let Some(entry) = tree::at(objects, head, &[folder, name].concat())? else { return Ok(false) };
        if entry.kind == EntryKind::Tree {
            return Ok(false);
        }
        let bytes = match content(objects, Side { id: entry.id, kind: entry.kind }) {
            Err(Trouble::Missing(_)) => None,
            other => other?,
        };
        Ok(bytes.is_some_and(|bytes| paths::text(&bytes).is_some_and(|text| undo::has_statement(&text))))
    };
    let text = text.unwrap_or_default();
    match identity.tool {
        Tool::Sqlx => match name.strip_suffix(b".up.sql") {
            Some(stem) => beside(&[stem, b".down.sql"].concat()),
            None => Ok(false),
        },
        Tool::Diesel => beside(b"down.sql"),
        Tool::Flyway => {
            let Some(entry) = tree::at(objects, head, folder)? else { return Ok(false) };
            let undo = objects.folder(entry.id)?.iter().find_map(|entry| {
                let name = String::from_utf8_lossy(&entry.name);
                let other = identity::of(file_name(&name), None)?;
                let undoes = other.way == Way::Down && other.version == identity.version;
                undoes.then(|| entry.name.clone())
            });
            undo.map_or(Ok(false), |name| beside(&name))
        }
        Tool::Goose => Ok(undo::down_section(text).is_some_and(undo::has_statement)),
        Tool::Rails => Ok(undo::rails(text)),
        Tool::Alembic => Ok(undo::alembic(text)),
        Tool::Django => Ok(undo::django(text)),
    }
}

fn cut(text: &str, most: usize) -> &str {
    if text.len() <= most { text } else { &text[..text.floor_char_boundary(most)] }
}
