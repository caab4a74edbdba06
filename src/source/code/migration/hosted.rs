//! Migrations in a repository on a host: their texts at a commit, asked for one by one.

use futures::future::BoxFuture;

use super::identity::{self, Identity, Tool, Way};
use super::{checksum, undo};
use crate::advice::facts::{FileStatus, MigrationFile};
use crate::source::CannotSay;
use crate::source::code::compared::Touched;
use crate::source::code::paths::{self, file_name, path_text};
use crate::source::code::place::Place;

/// So many migrations of one change are read.
const MOST: usize = 20;
/// SQL beyond this is cut off.
const LARGEST_SQL: usize = 256 << 10;

/// Fetches a file at the head; None: there is none, or it is larger than the host tells.
pub(in crate::source) type Content<'a> =
    dyn Fn(String) -> BoxFuture<'a, Result<Option<Vec<u8>>, CannotSay>> + Send + Sync + 'a;

/// The migrations among the changed files, in the order of their names.
pub(in crate::source) async fn of_change(
    files: &[Touched],
    place: &Place,
    content: &Content<'_>,
    incomplete: &mut Vec<String>,
) -> Result<Vec<MigrationFile>, CannotSay> {
    let Some(globs) = &place.migrations else { return Ok(Vec::new()) };
    let mut found: Vec<MigrationFile> = Vec::new();
    for file in files.iter().filter(|file| globs.matches(file.path.as_bytes())) {
        if found.len() >= MOST {
            incomplete.push(format!("only the first {MOST} migrations were read"));
            break;
        }
        found.extend(migration(file, content, incomplete).await?);
    }
    found.sort_by(|a, b| a.version.cmp(&b.version).then_with(|| a.path.cmp(&b.path)));
    Ok(found)
}

async fn migration(
    file: &Touched,
    content: &Content<'_>,
    incomplete: &mut Vec<String>,
) -> Result<Option<MigrationFile>, CannotSay> {
    let path = path_text(file.path.as_bytes());
    let gone = file.status == FileStatus::Removed;
    let bytes = if gone { Some(Vec::new()) } else { content(file.path.clone()).await? };
    if bytes.is_none() {
        incomplete.push(format!("the migration `{path}` could not be read"));
    }
    let bytes = bytes.unwrap_or_default();
    let text = paths::text(&bytes);
    let Some(identity) = identity::of(&path, text.as_deref()).filter(|identity| identity.way == Way::Up) else {
        return Ok(None);
    };
    let reversible = !gone && is_reversible(&file.path, content, &identity, text.as_deref()).await?;
    let readable = text.as_deref().filter(|_| !gone && !bytes.is_empty());
    let sql = readable.filter(|_| identity.tool.speaks_sql()).map(|text| {
        let up = undo::up_section(text);
        up[..up.floor_char_boundary(LARGEST_SQL)].to_owned()
    });
    let checksum = readable.and_then(|text| match identity.tool {
        Tool::Sqlx => Some(checksum::sqlx(&bytes)),
        Tool::Flyway => Some(checksum::flyway(text)),
        _ => None,
    });
    Ok(Some(MigrationFile { path, version: identity.version, status: file.status, sql, reversible, checksum }))
}

async fn is_reversible(
    path: &str,
    content: &Content<'_>,
    identity: &Identity,
    text: Option<&str>,
) -> Result<bool, CannotSay> {
    let name = file_name(path);
    let folder = path.strip_suffix(name).unwrap_or_default();
    let text = text.unwrap_or_default();
    let beside = match identity.tool {
        Tool::Goose => return Ok(undo::down_section(text).is_some_and(undo::has_statement)),
        Tool::Rails => return Ok(undo::rails(text)),
        Tool::Alembic => return Ok(undo::alembic(text)),
        Tool::Django => return Ok(undo::django(text)),
        Tool::Sqlx => match name.strip_suffix(".up.sql") {
            Some(stem) => format!("{folder}{stem}.down.sql"),
            None => return Ok(false),
        },
        Tool::Diesel => format!("{folder}down.sql"),
        // `U47__name.sql` undoes `V47__name.sql`.
        Tool::Flyway => match name.strip_prefix('V') {
            Some(rest) => format!("{folder}U{rest}"),
            None => return Ok(false),
        },
    };
    let bytes = content(beside).await?;
    Ok(bytes.is_some_and(|bytes| paths::text(&bytes).is_some_and(|text| undo::has_statement(&text))))
}

/// What stands in a folder at the head: names of migrations, from the paths of its entries and whether each is a folder.
pub(in crate::source) fn at_head(
    entries: impl Iterator<Item = (String, bool)>,
    place: &Place,
    incomplete: &mut Vec<String>,
) -> Vec<String> {
    let Some(globs) = &place.migrations else { return Vec::new() };
    let mut found = Vec::new();
    for (path, is_folder) in entries {
        // A folder for each is Diesel's way.
        let path = if is_folder { format!("{path}/up.sql") } else { path };
        if identity::needs_text(&path) {
            incomplete.push("migrations that only their text names were not looked at at the head".to_owned());
            break;
        }
        if globs.matches(path.as_bytes())
            && let Some(identity) = identity::of(&path, None).filter(|identity| identity.way == Way::Up)
        {
            found.push(identity.version);
        }
    }
    found
}
