//! Pictures on Slack: uploaded once, shown by their id. A message whose picture could not be uploaded says it in words.

use std::sync::PoisonError;

use anyhow::Context;
use serde_json::json;

use super::{Slack, Workspace};

/// So many uploads are remembered.
const MOST: usize = 500;

impl Slack {
    pub(super) fn uploaded(&self, workspace: &Workspace, name: &str) -> Option<String> {
        let known = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(workspace.team.clone(), name.to_owned())).cloned()
    }

    pub(super) async fn upload(&self, workspace: &Workspace, name: &str, alt: &str) {
        if self.uploaded(workspace, name).is_some() {
            return;
        }
        match self.upload_now(workspace, name, alt).await {
            Ok(id) => {
                let mut known = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
                if known.len() >= MOST {
                    known.clear();
                }
                known.insert((workspace.team.clone(), name.to_owned()), id);
            }
            Err(error) => tracing::warn!(error = format!("{error:#}"), "a picture is said in words instead"),
        }
    }

    async fn upload_now(&self, workspace: &Workspace, name: &str, alt: &str) -> anyhow::Result<String> {
        let id =
            name.strip_prefix("/pictures/").and_then(|file| file.strip_suffix(".svg")).context("no picture of ours")?;
        let (svg, _) = self.store.picture(id).await?.context("the picture is not in the store")?;
        let png = tokio::task::spawn_blocking(move || crate::picture::png(&svg)).await??;
        let length = png.len().to_string();
        let alt: String = alt.chars().take(900).collect();
        let asked = [("filename", "windows.png"), ("length", length.as_str()), ("alt_txt", alt.as_str())];
        let (place, _) = self.api.form(&workspace.token, "files.getUploadURLExternal", &asked).await?;
        let file = place["file_id"].as_str().filter(|id| super::render::is_id(id)).context("no file id came")?;
        let address = place["upload_url"].as_str().context("no address came")?;
        self.api.upload(address, png).await?;
        let files = json!({ "files": [{ "id": file, "title": "Windows" }] });
        self.api.post(&workspace.token, "files.completeUploadExternal", &files).await?;
        Ok(file.to_owned())
    }
}
