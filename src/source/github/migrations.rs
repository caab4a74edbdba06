//! Migrations among the changed files, and those that stand in the tree at the head.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::Github;
use super::change::{File, status};
use crate::advice::facts::{FileStatus, MigrationFile};
use crate::source::CannotSay;
use crate::source::code::migration::identity::{self, Identity, Tool, Way};
use crate::source::code::migration::{checksum, undo};
use crate::source::code::paths::{self, file_name, path_text};
use crate::source::code::place::Place;
use crate::source::rest::Failed;

/// So many migrations of one change are read.
const MOST: usize = 20;
/// SQL beyond this is cut off.
const LARGEST_SQL: usize = 256 << 10;
/// GitHub lists no more entries of a folder.
const MOST_ENTRIES: usize = 1_000;

#[derive(Debug, Deserialize)]
struct Content {
    #[serde(default)]
    content: String,
    #[serde(default)]
    encoding: String,
}

#[derive(Debug, Deserialize)]
struct Entry {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

impl Github {
    pub(super) async fn migrations(
        &self,
        files: &[File],
        head: &str,
        place: &Place,
        incomplete: &mut Vec<String>,
    ) -> Result<(Vec<MigrationFile>, Vec<String>), CannotSay> {
        let Some(globs) = &place.migrations else { return Ok((Vec::new(), Vec::new())) };
        let mut found: Vec<MigrationFile> = Vec::new();
        for file in files.iter().filter(|file| globs.matches(file.filename.as_bytes())) {
            if found.len() >= MOST {
                incomplete.push(format!("only the first {MOST} migrations were read"));
                break;
            }
            found.extend(self.migration(file, head, incomplete).await?);
        }
        found.sort_by(|a, b| a.version.cmp(&b.version).then_with(|| a.path.cmp(&b.path)));
        let mut at_head = BTreeSet::new();
        for folder in globs.folders() {
            let path = self.path(&["contents"]);
            let path: Vec<&str> = path.into_iter().chain(folder.split('/').filter(|part| !part.is_empty())).collect();
            let entries: Vec<Entry> = match self.api.get(&path, &[("ref", head)]).await {
                Ok(entries) => entries,
                Err(Failed::Missing) => continue,
                Err(Failed::Says(why)) => return Err(why),
            };
            if entries.len() >= MOST_ENTRIES {
                incomplete.push("not all migrations at the head were looked at".to_owned());
            }
            for entry in entries {
                // A folder for each is Diesel's way.
                let path = if entry.kind == "dir" { format!("{}/up.sql", entry.path) } else { entry.path };
                if identity::needs_text(&path) {
                    incomplete.push("migrations that only their text names were not looked at at the head".to_owned());
                    break;
                }
                if globs.matches(path.as_bytes())
                    && let Some(identity) = identity::of(&path, None).filter(|identity| identity.way == Way::Up)
                {
                    at_head.insert(identity.version);
                }
            }
        }
        Ok((found, at_head.into_iter().collect()))
    }

    async fn migration(
        &self,
        file: &File,
        head: &str,
        incomplete: &mut Vec<String>,
    ) -> Result<Option<MigrationFile>, CannotSay> {
        let path = path_text(file.filename.as_bytes());
        let gone = status(file) == FileStatus::Removed;
        let bytes = if gone { Some(Vec::new()) } else { self.content(&file.filename, head).await? };
        if bytes.is_none() {
            incomplete.push(format!("the migration `{path}` could not be read"));
        }
        let bytes = bytes.unwrap_or_default();
        let text = paths::text(&bytes);
        let Some(identity) = identity::of(&path, text.as_deref()).filter(|identity| identity.way == Way::Up) else {
            return Ok(None);
        };
        let reversible = !gone && self.is_reversible(&file.filename, head, &identity, text.as_deref()).await?;
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
        Ok(Some(MigrationFile { path, version: identity.version, status: status(file), sql, reversible, checksum }))
    }

    async fn is_reversible(
        &self,
        path: &str,
        head: &str,
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
        let bytes = self.content(&beside, head).await?;
        Ok(bytes.is_some_and(|bytes| paths::text(&bytes).is_some_and(|text| undo::has_statement(&text))))
    }

    /// A file at a commit; None: there is none, or it is larger than GitHub tells here (1 MB).
    async fn content(&self, path: &str, head: &str) -> Result<Option<Vec<u8>>, CannotSay> {
        let whole: Vec<&str> = self.path(&["contents"]).into_iter().chain(path.split('/')).collect();
        match self.api.get::<Content>(&whole, &[("ref", head)]).await {
            Ok(found) if found.encoding == "base64" => {
                let text: String = found.content.split_whitespace().collect();
                Ok(STANDARD.decode(text).ok())
            }
            Ok(_) | Err(Failed::Missing) => Ok(None),
            Err(Failed::Says(why)) => Err(why),
        }
    }
}
