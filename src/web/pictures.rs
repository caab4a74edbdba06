//! Pictures: SVG for pages, PNG for chats.

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde::Deserialize;

use super::Site;
use super::answers::{Answered, Wrong};

#[derive(Debug, Default, Deserialize)]
pub struct Theme {
    theme: Option<String>,
}

pub async fn picture(State(site): State<Site>, Path(file): Path<String>, Query(theme): Query<Theme>) -> Answered {
    let (id, kind) = file.rsplit_once('.').ok_or_else(|| Wrong::not_found("There is no such picture."))?;
    let Some((light, dark)) = site.app.store.picture(id).await? else {
        return Err(Wrong::not_found("There is no such picture."));
    };
    let svg = if theme.theme.as_deref() == Some("dark") { dark } else { light };
    // An SVG opened by itself must not run anything either.
    match kind {
        "svg" => Ok((
            [
                (header::CONTENT_TYPE, "image/svg+xml"),
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
            ],
            svg,
        )
            .into_response()),
        "png" => {
            let png =
                tokio::task::spawn_blocking(move || crate::picture::png(&svg)).await.map_err(anyhow::Error::from)??;
            Ok(([(header::CONTENT_TYPE, "image/png")], png).into_response())
        }
        _ => Err(Wrong::not_found("Pictures are .svg or .png.")),
    }
}
