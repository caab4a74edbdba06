//! Discord's REST interface: one call with a deadline, its limits kept, its failures sorted.
//!
//! The gateway is serenity's; calls are made here, because behind another address than Discord's own (a proxy, a pretend
//! server) serenity keeps no limits and drops how long to wait after a 429. Neither bodies nor addresses are logged: an
//! interaction's address holds its token.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::chat::ChatError;
use crate::clock::{MINUTE, Millis, SECOND};

/// A call takes at most so long, its files included.
const DEADLINE: Duration = Duration::from_secs(12);
/// An answer is read up to so many bytes.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// For a limit that ends this soon a call waits; for longer ones the outbox does.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// JSON error codes, from Discord's published list.
pub const UNKNOWN_CHANNEL: i64 = 10_003;
pub const UNKNOWN_MEMBER: i64 = 10_007;
pub const UNKNOWN_MESSAGE: i64 = 10_008;
pub const UNKNOWN_USER: i64 = 10_013;
pub const UNKNOWN_WEBHOOK: i64 = 10_015;
pub const UNKNOWN_INTERACTION: i64 = 10_062;
pub const MISSING_ACCESS: i64 = 50_001;
pub const CANNOT_WRITE_TO_USER: i64 = 50_007;
pub const MISSING_PERMISSIONS: i64 = 50_013;
pub const INVALID_TOKEN: i64 = 50_027;
pub const THREAD_ARCHIVED: i64 = 50_083;
pub const THREAD_EXISTS: i64 = 160_004;

#[derive(Debug)]
pub struct Api {
    client: reqwest::Client,
    base: Url,
    token: SecretString,
    /// Until when a kind of call has to wait.
    limits: Mutex<BTreeMap<String, Instant>>,
}

/// A file that goes with a message.
#[derive(Clone, Debug)]
pub struct File {
    pub name: &'static str,
    pub kind: &'static str,
    pub bytes: Vec<u8>,
}

/// Why a call failed.
#[derive(Clone, Debug)]
pub struct Failed {
    /// Discord's own code; 0 where it gave none.
    pub code: i64,
    pub error: ChatError,
}

impl From<Failed> for ChatError {
    fn from(failed: Failed) -> ChatError {
        failed.error
    }
}

impl Api {
    pub fn new(base: &Url, token: SecretString) -> anyhow::Result<Api> {
        let mut base = base.clone();
        let path = format!("{}/api/v10/", base.path().trim_end_matches('/'));
        base.set_path(&path);
        Ok(Api { client: crate::http::trusted(DEADLINE)?, base, token, limits: Mutex::default() })
    }

    pub fn token(&self) -> &SecretString {
        &self.token
    }

    pub async fn get(&self, path: &str) -> Result<Value, Failed> {
        self.call(Method::GET, path, None, &[]).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Failed> {
        self.call(Method::POST, path, Some(body), &[]).await
    }

    pub async fn put(&self, path: &str, body: Option<&Value>) -> Result<Value, Failed> {
        self.call(Method::PUT, path, body, &[]).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value, Failed> {
        self.call(Method::PATCH, path, Some(body), &[]).await
    }

    /// One call. `path` begins after `/api/v10/` and holds only ids, tokens and percent-encoded names.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        files: &[File],
    ) -> Result<Value, Failed> {
        let kind = kind_of_call(&method, path);
        self.wait_for(&kind).await?;
        let url = self.base.join(path).map_err(|_| refused(0, "an address for Discord could not be made"))?;
        let mut request = self
            .client
            .request(method, url)
            .header(header::AUTHORIZATION, format!("Bot {}", self.token.expose_secret()))
            // Discord asks for this form.
            .header(
                header::USER_AGENT,
                concat!("DiscordBot (https://tidegate.invalid, ", env!("CARGO_PKG_VERSION"), ")"),
            );
        request = match (body, files) {
            (None, _) => request,
            (Some(body), []) => request.json(body),
            (Some(body), files) => {
                let (kind, bytes) = form(body, files);
                request.header(header::CONTENT_TYPE, kind).body(bytes)
            }
        };
        let sent = tokio::time::timeout(DEADLINE, async {
            let mut response = request.send().await.map_err(|error| unreached(&error))?;
            let (status, headers) = (response.status(), response.headers().clone());
            let mut bytes = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| unreached(&error))? {
                if bytes.len() + chunk.len() > LONGEST_ANSWER {
                    return Err(refused(0, "Discord's answer is too long to be read"));
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok((status, headers, bytes))
        });
        let (status, headers, bytes) =
            sent.await.unwrap_or_else(|_| Err(later(2 * SECOND, "Discord did not answer in 12 seconds")))?;
        self.note_limit(&kind, &headers);
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(answer);
        }
        let failed = failure(status, &headers, &answer);
        if let ChatError::Later(wait, _) = &failed.error
            && status == StatusCode::TOO_MANY_REQUESTS
        {
            let global = answer["global"].as_bool().unwrap_or(false) || headers.contains_key("x-ratelimit-global");
            self.block(if global { EVERYTHING } else { &kind }, *wait);
        }
        Err(failed)
    }

    async fn wait_for(&self, kind: &str) -> Result<(), Failed> {
        let now = Instant::now();
        let until = {
            let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
            limits.retain(|_, until| *until > now);
            [EVERYTHING, kind].into_iter().filter_map(|kind| limits.get(kind)).max().copied()
        };
        let Some(left) = until.map(|until| until - now) else { return Ok(()) };
        if left > PATIENCE {
            let wait = Millis::try_from(left.as_millis()).unwrap_or(MINUTE);
            return Err(later(wait, "Discord asks to wait: its rate limit is used up"));
        }
        tokio::time::sleep(left).await;
        Ok(())
    }

    /// When a bucket is empty the next call waits, instead of being refused.
    fn note_limit(&self, kind: &str, headers: &header::HeaderMap) {
        if number(headers, "x-ratelimit-remaining") == Some(0.0)
            && let Some(after) = number(headers, "x-ratelimit-reset-after")
        {
            self.block(kind, millis(after));
        }
    }

    fn block(&self, kind: &str, wait: Millis) {
        let until = Instant::now() + Duration::from_millis(wait.clamp(0, 10 * MINUTE).unsigned_abs());
        self.limits.lock().unwrap_or_else(PoisonError::into_inner).insert(kind.to_owned(), until);
    }
}

const EVERYTHING: &str = "*";

/// What shares a limit, nearly enough: the method, the thing and its id; never a token.
fn kind_of_call(method: &Method, path: &str) -> String {
    let mut parts = path.split(['/', '?']);
    let (thing, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let rest: Vec<&str> = match thing {
        "interactions" | "webhooks" => Vec::new(),
        _ => parts.filter(|part| part.starts_with(|c: char| c.is_ascii_lowercase())).collect(),
    };
    format!("{method} {thing}/{id}/{}", rest.join("/"))
}

/// What a failure means for whoever waits for the message.
fn failure(status: StatusCode, headers: &header::HeaderMap, answer: &Value) -> Failed {
    let code = answer["code"].as_i64().unwrap_or(0);
    let error = match (status.as_u16(), code) {
        (429, _) => {
            let after = answer["retry_after"].as_f64().or_else(|| number(headers, "retry-after")).unwrap_or(5.0);
            return Failed { code, ..later(millis(after).max(250), "Discord asks to wait: its rate limit is used up") };
        }
        (500.., _) => return Failed { code, ..later(3 * SECOND, &format!("Discord answered {}", status.as_u16())) },
        (_, UNKNOWN_MESSAGE) => ChatError::Gone,
        (401, UNKNOWN_WEBHOOK | INVALID_TOKEN) | (_, UNKNOWN_INTERACTION | UNKNOWN_WEBHOOK) => {
            ChatError::Refused("Discord no longer takes an answer to that act: 15 minutes are over.".to_owned())
        }
        (401, _) => ChatError::Blocked(
            "Discord does not accept the bot's token: make a new one and put it where [chat.discord] token points."
                .to_owned(),
        ),
        (_, UNKNOWN_CHANNEL) => ChatError::Blocked(
            "Discord knows no such channel, or it was deleted: check [[chat.discord.guild]] channel.".to_owned(),
        ),
        (_, MISSING_ACCESS) => ChatError::Blocked(
            "The bot may not see that Discord channel: give it View Channel there, or invite it again.".to_owned(),
        ),
        (_, MISSING_PERMISSIONS) => ChatError::Blocked(
            "The bot lacks a permission in that Discord channel: `tidegate check` names it.".to_owned(),
        ),
        (_, CANNOT_WRITE_TO_USER) => ChatError::Refused("That user takes no direct messages from the bot.".to_owned()),
        (status, code) => ChatError::Refused(format!("Discord refused a call ({status}, code {code}).")),
    };
    Failed { code, error }
}

fn later(wait: Millis, says: &str) -> Failed {
    Failed { code: 0, error: ChatError::Later(wait, format!("{says}.")) }
}

fn refused(code: i64, says: &str) -> Failed {
    Failed { code, error: ChatError::Refused(format!("{says}.")) }
}

/// reqwest's error names the address, which may hold a token: only its sort is told.
fn unreached(error: &reqwest::Error) -> Failed {
    let says = if error.is_timeout() {
        "Discord did not answer in time"
    } else if error.is_connect() {
        "Discord could not be reached"
    } else {
        "the connection to Discord broke off"
    };
    later(2 * SECOND, says)
}

fn number(headers: &header::HeaderMap, name: &str) -> Option<f64> {
    headers.get(name)?.to_str().ok()?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Seconds, bounded to ten minutes.
fn millis(seconds: f64) -> Millis {
    // In bounds by the clamp.
    (seconds.clamp(0.0, 600.0) * 1_000.0).ceil() as Millis
}

/// A body with files, as `multipart/form-data`: the JSON under `payload_json`, the files under `files[n]`.
fn form(body: &Value, files: &[File]) -> (String, Vec<u8>) {
    // Compared with nothing that others wrote except by chance: 2^-128.
    let mut random = [0u8; 16];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    let boundary = crate::ledger::hex(&random);
    let mut out = Vec::new();
    let mut part = |head: String, bytes: &[u8]| {
        out.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
        out.extend_from_slice(bytes);
        out.extend_from_slice(b"\r\n");
    };
    part(
        "Content-Disposition: form-data; name=\"payload_json\"\r\nContent-Type: application/json".to_owned(),
        body.to_string().as_bytes(),
    );
    for (i, file) in files.iter().enumerate() {
        let head = format!(
            "Content-Disposition: form-data; name=\"files[{i}]\"; filename=\"{}\"\r\nContent-Type: {}",
            file.name, file.kind
        );
        part(head, &file.bytes);
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sorted(status: u16, answer: Value) -> ChatError {
        failure(StatusCode::from_u16(status).unwrap(), &header::HeaderMap::new(), &answer).error
    }

    #[test]
    fn failures_are_sorted_by_what_is_to_be_done() {
        assert!(matches!(sorted(429, json!({ "retry_after": 1.25 })), ChatError::Later(1_250, _)));
        assert!(matches!(sorted(503, Value::Null), ChatError::Later(..)));
        assert_eq!(sorted(404, json!({ "code": UNKNOWN_MESSAGE })), ChatError::Gone);
        for (status, code) in [(401, 0), (403, MISSING_ACCESS), (403, MISSING_PERMISSIONS), (404, UNKNOWN_CHANNEL)] {
            let ChatError::Blocked(says) = sorted(status, json!({ "code": code, "message": "secret" })) else {
                panic!("{status} {code} is not for a person to mend")
            };
            assert!(says.ends_with('.') && !says.contains("secret"), "{says}");
        }
    }

    #[test]
    fn a_limit_is_kept_by_thing_and_never_by_token() {
        assert_eq!(kind_of_call(&Method::POST, "channels/1/messages"), "POST channels/1/messages");
        let kind = kind_of_call(&Method::PATCH, "webhooks/1/secret-token/messages/@original");
        assert!(!kind.contains("secret"), "{kind}");
    }

    #[test]
    fn a_proxy_may_stand_below_a_path() {
        let api = |base: &str| Api::new(&base.parse().unwrap(), SecretString::from("t")).unwrap().base.to_string();
        assert_eq!(api("https://discord.com/"), "https://discord.com/api/v10/");
        assert_eq!(api("http://127.0.0.1:1/below"), "http://127.0.0.1:1/below/api/v10/");
    }

    #[test]
    fn files_follow_the_body() {
        let files = [File { name: "picture.png", kind: "image/png", bytes: vec![1, 2, 3] }];
        let (kind, bytes) = form(&json!({ "content": "x" }), &files);
        let text = String::from_utf8_lossy(&bytes);
        let boundary = kind.split("boundary=").nth(1).unwrap();
        assert!(text.starts_with(&format!("--{boundary}\r\n")) && text.ends_with(&format!("--{boundary}--\r\n")));
        assert!(text.contains("name=\"payload_json\"") && text.contains("name=\"files[0]\"; filename=\"picture.png\""));
    }
}
