//! Migrations among the changed files, and those that stand in the tree at the head.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use serde::Deserialize;

use super::Gitlab;
use crate::advice::facts::MigrationFile;
use crate::source::CannotSay;
use crate::source::code::compared::Touched;
use crate::source::code::migration::hosted;
use crate::source::code::place::Place;
use crate::source::rest::Failed;

/// So many entries of a folder are read.
const MOST_ENTRIES: usize = 2_000;

#[derive(Debug, Deserialize)]
struct File {
    content: String,
    encoding: String,
}

#[derive(Debug, Deserialize)]
struct Entry {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

impl Gitlab {
    pub(super) async fn migrations(
        &self,
        files: &[Touched],
        head: &str,
        place: &Place,
        incomplete: &mut Vec<String>,
    ) -> Result<(Vec<MigrationFile>, Vec<String>), CannotSay> {
        let Some(globs) = &place.migrations else { return Ok((Vec::new(), Vec::new())) };
        let content = |path: String| -> BoxFuture<'_, _> { Box::pin(async move { self.content(&path, head).await }) };
        let found = hosted::of_change(files, place, &content, incomplete).await?;
        let mut at_head = BTreeSet::new();
        for folder in globs.folders() {
            let path = self.path(&["repository", "tree"]);
            let query = [("path", folder), ("ref", head)];
            let (entries, more) = match self.api.pages::<Entry>(&path, &query, MOST_ENTRIES).await {
                Ok(found) => found,
                Err(Failed::Missing) => continue,
                Err(Failed::Says(why)) => return Err(why),
            };
            if more {
                incomplete.push("not all migrations at the head were looked at".to_owned());
            }
            let entries = entries.into_iter().map(|entry| (entry.path, entry.kind == "tree"));
            at_head.extend(hosted::at_head(entries, place, incomplete));
        }
        Ok((found, at_head.into_iter().collect()))
    }

    /// A file at a commit; None: there is none.
    pub(super) async fn content(&self, path: &str, head: &str) -> Result<Option<Vec<u8>>, CannotSay> {
        match self.api.get::<File>(&self.path(&["repository", "files", path]), &[("ref", head)]).await {
            Ok(found) if found.encoding == "base64" => {
                let text: String = found.content.split_whitespace().collect();
                Ok(STANDARD.decode(text).ok())
            }
            Ok(_) | Err(Failed::Missing) => Ok(None),
            Err(Failed::Says(why)) => Err(why),
        }
    }
}
