//! The one reader of outside JSON APIs, read only: one question over HTTP, with credential, limits and a sentence for every
//! way in which it can fail.
//!
//! A credential is read anew for each request, so that one that was exchanged counts without a restart. An answer with an
//! `ETag` is kept and asked for conditionally, and those who ask for the same at the same time share one request. Who asks for
//! fewer questions (429, a spent limit) is left alone until the time that it names. What a server says in words of its own is
//! never passed on.

mod under_way;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{anyhow, bail};
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use self::under_way::UnderWay;
use super::{CannotSay, Opening, unreached};
use crate::config::Secret;

/// Longer answers are not read, in bytes.
const LARGEST: usize = 10 << 20;
/// So many answers are kept to be asked for by their tag.
const KEPT: usize = 128;
/// Answers longer than this are not kept.
const LARGEST_KEPT: usize = 512 << 10;
/// The most that a page holds, at GitHub and GitLab alike.
pub const PAGE: usize = 100;
/// The longest that a server is left alone at its own wish.
const LONGEST_REST: Duration = Duration::from_secs(15 * 60);

/// In seconds: what is less is a span, what is more a moment.
const A_YEAR: i64 = 366 * 86_400;

/// Where to ask, and how.
pub struct Rest {
    client: reqwest::Client,
    base: url::Url,
    credential: Credential,
    headers: HeaderMap,
    folder: PathBuf,
    /// As people call the system: "GitHub".
    system: &'static str,
    kept: Mutex<Vec<Kept>>,
    under_way: UnderWay,
    resting: Mutex<Option<Instant>>,
    obtained: Mutex<Option<SecretString>>,
}

/// How a request says who asks.
#[derive(Clone, Debug)]
pub enum Credential {
    None,
    /// `Authorization: Bearer …`
    Bearer(Secret),
    /// `Authorization: Basic …`
    Basic(String, Secret),
    /// Headers of the vendor's own: name, what precedes the secret, the secret.
    Headers(Vec<(&'static str, &'static str, Secret)>),
    /// One that is obtained first; see [`Asked::bearer`] and [`Rest::obtained`].
    Obtained,
}

/// One request. Without a body it is a GET.
#[derive(Clone, Debug, Default)]
pub struct Asked<'a> {
    /// In place of the base: an address that the server named; see [`Rest::named`].
    pub at: Option<&'a url::Url>,
    /// What follows it, segment by segment.
    pub path: &'a [&'a str],
    pub query: &'a [(&'a str, &'a str)],
    /// A question that the vendor wants by POST.
    pub body: Option<Body>,
    /// In place of the credential of the settings.
    pub bearer: Option<SecretString>,
}

#[derive(Clone, Debug)]
pub enum Body {
    Json(serde_json::Value),
    Form(Vec<(&'static str, String)>),
    /// What WebDAV asks by methods of its own, with its `Depth`.
    Xml {
        method: &'static str,
        depth: &'static str,
        text: String,
    },
}

#[derive(Clone, Debug)]
struct Kept {
    url: String,
    tag: HeaderValue,
    answer: Arc<Received>,
}

/// What came back: any status, with its body up to the limit.
#[derive(Clone, Debug)]
pub struct Received {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Received {
    /// Whether it is an answer, or why it is none.
    pub fn succeeded(&self) -> Result<(), Failed> {
        match self.status {
            StatusCode::OK | StatusCode::CREATED | StatusCode::ACCEPTED => Ok(()),
            status => Err(refused(status, &self.headers)),
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// There is no such thing, or the credential may not see it.
    Missing,
    Says(CannotSay),
}

impl From<Failed> for CannotSay {
    fn from(failed: Failed) -> CannotSay {
        match failed {
            Failed::Missing => {
                CannotSay::because("has nothing at this address, or the credential may not see it (404)")
            }
            Failed::Says(why) => why,
        }
    }
}

impl From<CannotSay> for Failed {
    fn from(why: CannotSay) -> Failed {
        Failed::Says(why)
    }
}

impl fmt::Debug for Rest {
    /// The system alone: an address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").field("system", &self.system).finish_non_exhaustive()
    }
}

impl Rest {
    /// # Errors
    /// Where the address is no web address.
    pub fn open(
        opening: &Opening<'_>,
        system: &'static str,
        base: &url::Url,
        credential: Credential,
    ) -> anyhow::Result<Rest> {
        Rest::at(opening.client()?, opening.folder, system, base, credential)
    }

    /// The same without a source. Files that hold credentials are seen from `folder`.
    ///
    /// # Errors
    /// Where the address is no web address.
    pub fn at(
        client: reqwest::Client,
        folder: &Path,
        system: &'static str,
        base: &url::Url,
        credential: Credential,
    ) -> anyhow::Result<Rest> {
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            bail!("`url` needs an address that begins with http:// or https://");
        }
        let mut base = base.clone();
        base.set_query(None);
        base.set_fragment(None);
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("application/json"));
        Ok(Rest {
            client,
            base,
            credential,
            headers,
            folder: folder.to_owned(),
            system,
            kept: Mutex::default(),
            under_way: UnderWay::default(),
            resting: Mutex::default(),
            obtained: Mutex::default(),
        })
    }

    /// Sends a header of the vendor's with every request.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &'static str) -> Rest {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    /// Sends this token from now on, where the credential is [`Credential::Obtained`].
    pub fn obtained(&self, token: SecretString) {
        *self.obtained.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    /// The same client at another address, without the credential; for where one is obtained.
    pub fn beside(&self, base: &url::Url) -> Rest {
        Rest {
            client: self.client.clone(),
            base: base.clone(),
            credential: Credential::None,
            headers: HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]),
            folder: self.folder.clone(),
            system: self.system,
            kept: Mutex::default(),
            under_way: UnderWay::default(),
            resting: Mutex::default(),
            obtained: Mutex::default(),
        }
    }

    /// The same at another host that the settings name, with the credential.
    pub fn also_at(&self, base: &url::Url) -> Rest {
        Rest { credential: self.credential.clone(), headers: self.headers.clone(), ..self.beside(base) }
    }

    /// An address that the server named, relative or whole; None where it leads to another host, which is never asked.
    pub fn named(&self, address: &str) -> Option<url::Url> {
        let named = self.base.join(address).ok()?;
        let plain = named.username().is_empty() && named.password().is_none();
        (plain && named.origin() == self.base.origin()).then_some(named)
    }

    /// Sends headers that the settings name with every request, such as the tenant of a shared system.
    ///
    /// # Errors
    /// Where one cannot be sent, or is a credential: those have keys of their own, which are kept secret.
    pub fn headers(mut self, headers: &BTreeMap<String, String>) -> anyhow::Result<Rest> {
        for (name, value) in headers {
            let key =
                HeaderName::try_from(name.as_str()).map_err(|_| anyhow!("`headers` names one that no request has"))?;
            if ["authorization", "cookie", "host", "content-length", "proxy-authorization"].contains(&key.as_str()) {
                bail!("`headers` may not set `{key}`: a credential has a key of its own");
            }
            let value = HeaderValue::try_from(value.as_str())
                .map_err(|_| anyhow!("`headers` gives `{key}` a value that no request can carry"))?;
            self.headers.insert(key, value);
        }
        Ok(self)
    }

    /// The host that is asked.
    pub fn base(&self) -> &url::Url {
        &self.base
    }

    /// A GET, read.
    pub async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T, Failed> {
        self.ask(Asked { path, query, ..Asked::default() }).await
    }

    /// The same of an object: a derived reader would take a list for one, field by field.
    pub async fn get_object<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T, Failed> {
        let fields: serde_json::Map<String, serde_json::Value> = self.get(path, query).await?;
        serde_json::from_value(fields.into()).map_err(|_| self.odd())
    }

    /// One answer, read.
    pub async fn ask<T: DeserializeOwned>(&self, asked: Asked<'_>) -> Result<T, Failed> {
        let received = self.receive(asked).await?;
        self.read(&received)
    }

    /// The same with its headers, for those that page by them.
    pub async fn ask_page<T: DeserializeOwned>(&self, asked: Asked<'_>) -> Result<(T, HeaderMap), Failed> {
        let received = self.receive(asked).await?;
        Ok((self.read(&received)?, received.headers.clone()))
    }

    /// A list, page by page (`per_page` and `page`, counted from 1), until `most` entries or the last page; and whether there
    /// was more.
    pub async fn pages<T: DeserializeOwned>(
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

    /// Reads a body as the system's format.
    pub fn read<T: DeserializeOwned>(&self, received: &Received) -> Result<T, Failed> {
        serde_json::from_slice(&received.body).map_err(|_| {
            if received.body.trim_ascii_start().starts_with(b"<") {
                return says("answered with a web page instead of data");
            }
            self.odd()
        })
    }

    fn odd(&self) -> Failed {
        says(&format!("answered with something that is not {}'s format", self.system))
    }

    /// A successful answer, or why there is none.
    async fn receive(&self, asked: Asked<'_>) -> Result<Arc<Received>, Failed> {
        let received = self.send(asked).await?;
        received.succeeded()?;
        Ok(received)
    }

    /// Whatever is answered, of any status; for vendors who explain themselves in the body.
    pub async fn send(&self, asked: Asked<'_>) -> Result<Arc<Received>, Failed> {
        let url = self.address(&asked)?;
        if asked.body.is_some() || asked.bearer.is_some() {
            return self.fetch(asked, &url).await;
        }
        self.under_way.or(url.as_str(), self.fetch(asked, &url)).await
    }

    async fn fetch(&self, asked: Asked<'_>, url: &url::Url) -> Result<Arc<Received>, Failed> {
        if let Some(until) = *self.resting.lock().unwrap_or_else(PoisonError::into_inner)
            && let Some(left) = until.checked_duration_since(Instant::now())
        {
            return Err(says(&format!("asked for no more questions for another {} s", left.as_secs() + 1)));
        }
        let known = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.iter().find(|kept| asked.body.is_none() && kept.url == url.as_str()).cloned()
        };
        let method = match &asked.body {
            None => Method::GET,
            Some(Body::Json(_) | Body::Form(_)) => Method::POST,
            Some(Body::Xml { method, .. }) => {
                Method::from_bytes(method.as_bytes()).map_err(|_| says("was asked by a method that there is not"))?
            }
        };
        let mut request = self.client.request(method, url.clone()).headers(self.headers.clone());
        request = match &asked.body {
            Some(Body::Json(body)) => request.json(body),
            Some(Body::Form(fields)) => {
                let form: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                request.header("content-type", "application/x-www-form-urlencoded").body(form)
            }
            Some(Body::Xml { depth, text, .. }) => {
                let request = request.header("content-type", "application/xml; charset=utf-8").header("depth", *depth);
                request.body(text.clone())
            }
            None => request,
        };
        request = match (&asked.bearer, &self.credential) {
            (Some(token), _) => request.bearer_auth(token.expose_secret()),
            (None, Credential::None) => request,
            (None, Credential::Obtained) => {
                let token = self.obtained.lock().unwrap_or_else(PoisonError::into_inner).clone();
                match token {
                    Some(token) => request.bearer_auth(token.expose_secret()),
                    None => request,
                }
            }
            (None, Credential::Bearer(token)) => request.bearer_auth(self.reveal(token)?.expose_secret()),
            (None, Credential::Basic(user, secret)) => {
                request.basic_auth(user, Some(self.reveal(secret)?.expose_secret()))
            }
            (None, Credential::Headers(headers)) => {
                for (name, before, secret) in headers {
                    let value = format!("{before}{}", self.reveal(secret)?.expose_secret());
                    let value = HeaderValue::from_str(&value)
                        .map_err(|_| says("has a credential with characters that no header can carry"))?;
                    request = request.header(*name, value);
                }
                request
            }
        };
        if let Some(known) = &known {
            request = request.header("if-none-match", &known.tag);
        }
        let response = request.send().await.map_err(|error| says(&unreached::why(&error)))?;
        if let (StatusCode::NOT_MODIFIED, Some(known)) = (response.status(), known) {
            return Ok(known.answer);
        }
        self.note(response.status(), response.headers());
        let tag = response.headers().get("etag").cloned();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match body(response).await {
            Ok(body) => body,
            // Why it failed matters more than what else is wrong with it.
            Err(_) if !status.is_success() => Vec::new(),
            Err(failed) => return Err(failed),
        };
        let received = Arc::new(Received { status, headers, body });
        if let Some(tag) = tag.filter(|_| status == StatusCode::OK && received.body.len() <= LARGEST_KEPT)
            && asked.body.is_none()
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.retain(|kept| kept.url != url.as_str());
            if kept.len() >= KEPT {
                kept.remove(0);
            }
            kept.push(Kept { url: url.to_string(), tag, answer: Arc::clone(&received) });
        }
        Ok(received)
    }

    fn address(&self, asked: &Asked<'_>) -> Result<url::Url, Failed> {
        let mut url = match asked.at {
            Some(at) if at.origin() == self.base.origin() => at.clone(),
            Some(_) => return Err(says("names an address on another host, which is not asked")),
            None => self.base.clone(),
        };
        if !asked.path.is_empty() {
            let segments = url.path_segments_mut().map_err(|()| says("has an address that is no web address"));
            segments?.pop_if_empty().extend(asked.path);
        }
        if !asked.query.is_empty() {
            url.query_pairs_mut().extend_pairs(asked.query);
        }
        Ok(url)
    }

    fn reveal(&self, secret: &Secret) -> Result<SecretString, Failed> {
        secret.reveal(&self.folder).map_err(|why| says(&format!("has no credential: {why}")))
    }

    /// Remembers who wants to be left alone, and says in the log what will stop working.
    fn note(&self, status: StatusCode, headers: &HeaderMap) {
        if let Some(pause) = pause(status, headers) {
            let until = Instant::now() + pause.min(LONGEST_REST);
            *self.resting.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        }
        if headers.contains_key("sunset") || headers.contains_key("deprecation") {
            tracing::warn!(system = self.system, "the vendor says that a part of its API that is read will go away");
        }
    }
}

/// How long the server asks to be left alone, by `Retry-After` or by the time at which a spent limit begins anew.
fn pause(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    match status.as_u16() {
        // PagerDuty (`ratelimit-reset`) and Datadog (`x-ratelimit-reset`) name a span there alone; where it is a moment, it is
        // said and not waited for.
        429 | 503 => {
            let left = |name: &str| number(name).filter(|left| *left < A_YEAR.unsigned_abs());
            let spent = || left("ratelimit-reset").or_else(|| left("x-ratelimit-reset"));
            number("retry-after").or_else(spent).map(Duration::from_secs)
        }
        403 if number("retry-after").is_some() => number("retry-after").map(Duration::from_secs),
        _ => None,
    }
}

/// Why a status other than success was answered.
pub fn refused(status: StatusCode, headers: &HeaderMap) -> Failed {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    let remaining =
        ["x-ratelimit-remaining", "ratelimit-remaining", "x-ratelimit-route-remaining", "x-ratelimit-global-remaining"];
    let spent = remaining.iter().any(|name| number(name) == Some(0));
    match status.as_u16() {
        404 | 410 => Failed::Missing,
        403 | 429 if spent => {
            let reset = ["x-ratelimit-reset", "ratelimit-reset"].iter().find_map(|name| number(name));
            // Seconds since 1970, as GitHub, GitLab and LaunchDarkly (there in milliseconds) say it; or from now, as PagerDuty
            // and the draft of a standard do.
            let until = match reset {
                None => String::new(),
                Some(left) if left < A_YEAR => format!(" for another {} s", left.max(0)),
                Some(at) => {
                    let ms = if at > 100_000_000_000 { at } else { at.saturating_mul(1_000) };
                    format!(" until {}", crate::clock::Time::from_ms(ms).utc().format("%H:%M UTC"))
                }
            };
            says(&format!("has no questions left for this credential{until} ({})", status.as_u16()))
        }
        403 if number("retry-after").is_some() => says("asks for fewer questions (403)"),
        403 => says("refused the question (403): the credential lacks a permission"),
        301 | 302 | 307 | 308 => {
            says(&format!("says that this has moved ({}), which is not followed", status.as_u16()))
        }
        _ => says(&unreached::refused(status)),
    }
}

/// The body, up to the limit.
async fn body(mut response: Response) -> Result<Vec<u8>, Failed> {
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

/// Reads each entry of a list by itself, so that one odd entry costs no other; and how many could not be read.
pub fn readable<T: DeserializeOwned>(entries: Vec<serde_json::Value>) -> (Vec<T>, usize) {
    let all = entries.len();
    let read: Vec<T> = entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect();
    let odd = all - read.len();
    (read, odd)
}

/// An address that stands in the program.
pub fn fixed(address: &'static str) -> url::Url {
    #[allow(clippy::expect_used)]
    url::Url::parse(address).expect("a constant that reads")
}

/// A reason, as a fragment that ends a sentence beginning with the source's name.
pub fn says(why: &str) -> Failed {
    Failed::Says(CannotSay::because(why))
}
