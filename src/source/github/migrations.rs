//! Migrations among the changed files, and those that stand in the tree at the head.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::Github;
use crate::advice::facts::MigrationFile;
use crate::source::CannotSay;
use crate::source::code::compared::Touched;
use crate::source::code::migration::hosted;
use crate::source::code::place::Place;
use crate::source::rest::Failed;

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
        files: &[Touched],
        head: &str,
        place: &Place,
        incomplete: &mut Vec<String>,
    ) -> Result<(Vec<MigrationFile>, Vec<String>), CannotSay> {
        let Some(globs) = &place.migrations else { return Ok((Vec::new(), Vec::new())) };
        let content = |path: String| -> futures::future::BoxFuture<'_, _> {
            Box::pin(async move { self.content(&path, head).await })
        };
        let found = hosted::of_change(files, place, &content, incomplete).await?;
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
            let entries = entries.into_iter().map(|entry| (entry.path, entry.kind == "dir"));
            at_head.extend(hosted::at_head(entries, place, incomplete));
        }
        Ok((found, at_head.into_iter().collect()))
    }

    /// A file at a commit; None: there is none, or it is larger than GitHub tells here (1 MB).
    pub(super) async fn content(&self, path: &str, head: &str) -> Result<Option<Vec<u8>>, CannotSay> {
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
