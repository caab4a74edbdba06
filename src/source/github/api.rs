//! GitHub's REST API, read only: one page or several of one path, conditional where an answer is kept.
//!
//! <https://docs.github.com/en/rest/using-the-rest-api>: a 304 costs nothing of the rate limit; a spent limit is a 403 or 429
//! with `x-ratelimit-remaining: 0` or `retry-after`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;

use crate::clock::Time;
use crate::config::Secret;
use crate::source::{CannotSay, unreached};

/// The version whose description the tests hold requests against.
const VERSION: &str = "2022-11-28";
/// Longer answers are not read.
const LARGEST: usize = 10 << 20;
/// So many answers are kept to be asked for by their tag.
const KEPT: usize = 128;
/// Answers longer than this are not kept.
const LARGEST_KEPT: usize = 512 << 10;
/// The most that a page holds.
pub const PAGE: usize = 100;

pub struct Api {
    pub client: reqwest::Client,
    pub base: url::Url,
    pub token: Option<Secret>,
    /// Where a token's file is seen from.
    pub folder: PathBuf,
    pub kept: Mutex<Vec<Kept>>,
}

#[derive(Clone, Debug)]
pub struct Kept {
    url: String,
    tag: String,
    body: Arc<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// There is no such thing, or the token may not see it.
    Missing,
    Says(CannotSay),
}

impl From<Failed> for CannotSay {
    fn from(failed: Failed) -> CannotSay {
        match failed {
            Failed::Missing => CannotSay::because("has no such repository, or the token may not see it (404)"),
            Failed::Says(why) => why,
        }
    }
}

impl Api {
    /// One answer. `path` is what follows the base, segment by segment.
    pub async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T, Failed> {
        let body = self.body(path, query).await?;
        let read = serde_json::from_slice(&body);
        read.map_err(|_| says("answered with something that is not GitHub's format"))
    }

    /// A list, page by page, until `most` entries or the last page; and whether there was more.
    pub async fn list<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        most: usize,
    ) -> Result<(Vec<T>, bool), Failed> {
        let mut all: Vec<T> = Vec::new();
        let per_page = PAGE.to_string();
        for page in 1..=most.div_ceil(PAGE) {
            let page = page.to_string();
            let mut query = query.to_vec();
            query.extend([("per_page", per_page.as_str()), ("page", page.as_str())]);
            let found: Vec<T> = self.get(path, &query).await?;
            let last = found.len() < PAGE;
            all.extend(found);
            if last {
                return Ok((all, false));
            }
        }
        all.truncate(most);
        Ok((all, true))
    }

    async fn body(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Arc<Vec<u8>>, Failed> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| says("has an address that is no web address"))?
            .pop_if_empty()
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let known = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.iter().find(|kept| kept.url == url.as_str()).cloned()
        };
        let mut request = self
            .client
            .get(url.clone())
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", VERSION);
        if let Some(token) = &self.token {
            // Read each time: a token that was exchanged counts from the next question on.
            let token = token.reveal(&self.folder).map_err(|why| says(&format!("has no token: {why}")))?;
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(known) = &known {
            request = request.header("if-none-match", &known.tag);
        }
        let response = request.send().await.map_err(|error| says(&unreached::why(&error)))?;
        let status = response.status();
        match (status, known) {
            (StatusCode::NOT_MODIFIED, Some(known)) => return Ok(known.body),
            (StatusCode::OK, _) => {}
            _ => return Err(refused(status, response.headers())),
        }
        let tag = response.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let body = Arc::new(read(response).await?);
        if let Some(tag) = tag.filter(|_| body.len() <= LARGEST_KEPT) {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.retain(|kept| kept.url != url.as_str());
            if kept.len() >= KEPT {
                kept.remove(0);
            }
            kept.push(Kept { url: url.into(), tag, body: Arc::clone(&body) });
        }
        Ok(body)
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, Failed> {
    let too_long = || says(&format!("answered with more than {} MB", LARGEST >> 20));
    if response.content_length().is_some_and(|length| length > LARGEST as u64) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| says(&unreached::why(&error)))? {
        if body.len() + chunk.len() > LARGEST {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn refused(status: StatusCode, headers: &HeaderMap) -> Failed {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<i64>().ok();
    match status.as_u16() {
        404 | 410 => Failed::Missing,
        403 | 429 if number("x-ratelimit-remaining") == Some(0) => {
            let until = number("x-ratelimit-reset").and_then(|at| at.checked_mul(1_000)).map(Time::from_ms);
            let until = until.map(|at| format!(" until {}", at.utc().format("%H:%M UTC"))).unwrap_or_default();
            says(&format!("has no questions left for this token{until}"))
        }
        403 | 429 if number("retry-after").is_some() => says("asks for fewer questions"),
        403 => says("refused the question (403): the token lacks a permission"),
        301 | 302 | 307 | 308 => says(&format!("says that the repository has moved ({})", status.as_u16())),
        _ => says(&unreached::refused(status)),
    }
}

pub fn says(why: &str) -> Failed {
    Failed::Says(CannotSay::because(why))
}
