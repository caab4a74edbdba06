//! Calls to Slack's Web API, each with a timeout, within its budget, and with errors that say what an operator can do.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use slack_morphism::errors::SlackClientError;
use slack_morphism::hyper_tokio::{SlackClientHyperConnector, SlackClientHyperHttpsConnector as SlackConnector};
use slack_morphism::{SlackApiToken, SlackApiTokenValue, SlackClient};

use super::budget::Budget;
use crate::chat::ChatError;
use crate::clock::{MINUTE, Millis, SECOND};

/// Nobody waits longer for Slack.
const TIMEOUT: Duration = Duration::from_secs(10);

/// With these words Slack says that a token is good for nothing any more.
const REVOKED: [&str; 5] = ["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"];

/// Somebody at Slack can mend these, and then the message is as good as before.
const MENDED: [&str; 8] = [
    "channel_not_found",
    "not_in_channel",
    "is_archived",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "missing_scope",
    "no_permission",
];

/// Why a call did not do what it was to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// Too many calls; again after so long.
    #[error("Slack asks for a pause before {1}.")]
    Limited(Millis, &'static str),
    /// It may have been done, or not.
    #[error("Slack could not be reached for {0}: {1}.")]
    Unreachable(&'static str, String),
    /// Slack's own word for what is wrong.
    #[error("{}", says(.0, .1))]
    Slack(&'static str, String),
}

impl ApiError {
    pub fn is(&self, codes: &[&str]) -> bool {
        matches!(self, ApiError::Slack(_, code) if codes.contains(&code.as_str()))
    }
}

impl From<ApiError> for ChatError {
    fn from(error: ApiError) -> ChatError {
        let says = error.to_string();
        match error {
            ApiError::Limited(wait, _) => ChatError::Later(wait, says),
            ApiError::Unreachable(..) => ChatError::Later(2 * SECOND, says),
            ApiError::Slack(_, code) => match code.as_str() {
                "message_not_found" | "cant_update_message" | "edit_window_closed" | "thread_not_found" => {
                    ChatError::Gone
                }
                "internal_error"
                | "fatal_error"
                | "service_unavailable"
                | "request_timeout"
                | "ratelimited"
                | "rate_limited"
                | "team_added_to_org" => ChatError::Later(5 * SECOND, says),
                // It waits until somebody has mended the token, and nothing is lost.
                code if REVOKED.contains(&code) => ChatError::Later(MINUTE, says),
                code if MENDED.contains(&code) => ChatError::Blocked(says),
                _ => ChatError::Refused(says),
            },
        }
    }
}

/// What an error of Slack's means for the person who can mend it.
fn says(method: &str, code: &str) -> String {
    let mend = match code {
        "channel_not_found" | "not_in_channel" => {
            "invite the bot to the channel (`/invite`), or correct the channel's id"
        }
        "is_archived" => "the channel is archived: unarchive it, or name another in the settings",
        "restricted_action" | "restricted_action_read_only_channel" | "restricted_action_thread_only_channel" => {
            "a workspace admin restricts posting in this channel: allow the app there"
        }
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => {
            "the token is no longer valid: install the app again and put the new bot token into the settings"
        }
        "missing_scope" | "no_permission" => {
            "the app lacks a permission: compare its scopes with `tidegate manifest slack` and install it again"
        }
        "not_allowed_token_type" => {
            "this call needs another kind of token: check which token stands where in the settings"
        }
        "user_not_in_channel" | "user_not_found" => "the person is not in that channel or workspace",
        "invalid_blocks" | "invalid_blocks_format" | "msg_too_long" | "msg_blocks_too_long" => {
            "Slack does not accept this message's form; please report it with the log"
        }
        "already_reacted" | "no_reaction" => "nothing is to be done",
        _ => "Slack's reference for this method explains the word",
    };
    format!("Slack refused {method} ({}): {mend}.", plain_code(code))
}

/// Slack's words for errors are short and plain; anything else is not shown.
fn plain_code(code: &str) -> &str {
    let plain = code.len() <= 80 && code.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    if plain { code } else { "an error without a name" }
}

/// Slack's Web API at one address.
pub struct Api {
    connector: SlackConnector,
    client: SlackClient<SlackConnector>,
    /// For the few calls that are not JSON: uploads, response URLs, forms.
    plain: reqwest::Client,
    url: url::Url,
    budget: Budget,
    /// Tokens that Slack refuses: said once.
    refused: Mutex<HashSet<String>>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

/// The way to Slack at the address that the settings name, over ring; plain HTTP where the address says so.
fn connect(api: &url::Url) -> std::io::Result<SlackConnector> {
    crate::http::provide_tls();
    let connector =
        hyper_rustls::HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1().build();
    let connector = SlackClientHyperConnector::with_connector(connector);
    Ok(connector.with_slack_api_url(api.as_str().trim_end_matches('/')))
}

/// A token as the client takes it.
pub fn token(secret: &SecretString) -> SlackApiToken {
    SlackApiToken::new(SlackApiTokenValue(secret.expose_secret().to_owned()))
}

impl Api {
    pub fn open(url: &url::Url) -> anyhow::Result<Api> {
        let connector = connect(url)?;
        Ok(Api {
            client: SlackClient::new(connector.clone()),
            connector,
            plain: crate::http::trusted(TIMEOUT)?,
            url: url.clone(),
            budget: Budget::default(),
            refused: Mutex::default(),
        })
    }

    /// What the library's connections are made of.
    pub fn for_sockets(&self) -> (SlackConnector, std::sync::Arc<SlackClient<SlackConnector>>) {
        (self.connector.clone(), std::sync::Arc::new(SlackClient::new(self.connector.clone())))
    }

    /// A call with JSON arguments.
    pub async fn post(&self, token: &SlackApiToken, method: &'static str, body: &Value) -> Result<Value, ApiError> {
        self.post_as(token, method, body, false).await
    }

    /// The same; what is `urgent` may use what is kept in reserve.
    pub async fn post_as(
        &self,
        token: &SlackApiToken,
        method: &'static str,
        body: &Value,
        urgent: bool,
    ) -> Result<Value, ApiError> {
        self.room(token, method, body["channel"].as_str(), urgent).await?;
        let session = self.client.open_session(token);
        let call = session.http_session_api.http_post(method, body, None);
        self.judged(token, method, tokio::time::timeout(TIMEOUT, call).await)
    }

    /// A call with arguments in the address.
    pub async fn get(
        &self,
        token: &SlackApiToken,
        method: &'static str,
        arguments: &[(&'static str, &str)],
    ) -> Result<Value, ApiError> {
        self.room(token, method, None, false).await?;
        let session = self.client.open_session(token);
        let arguments: Vec<(&str, Option<&str>)> = arguments
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (*name, Some(*value)))
            .collect();
        let call = session.http_session_api.http_get(method, &arguments, None);
        self.judged(token, method, tokio::time::timeout(TIMEOUT, call).await)
    }

    /// A call whose arguments travel as a form; also returns the scopes that the token has.
    pub async fn form(
        &self,
        token: &SlackApiToken,
        method: &'static str,
        arguments: &[(&str, &str)],
    ) -> Result<(Value, Vec<String>), ApiError> {
        self.room(token, method, None, false).await?;
        let unreachable = |error: reqwest::Error| ApiError::Unreachable(method, error.without_url().to_string());
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(arguments).finish();
        let url = format!("{}/{method}", self.url.as_str().trim_end_matches('/'));
        let request = self.plain.post(url).bearer_auth(&token.token_value.0);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = request.send().await.map_err(unreachable)?;
        let header = |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let scopes = header("x-oauth-scopes").unwrap_or_default();
        let scopes = scopes.split(',').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect();
        if answer.status() == reqwest::StatusCode::TOO_MANY_REQUESTS {
            let wait = header("retry-after").and_then(|s| s.parse().ok()).unwrap_or(5i64);
            return Err(self.limited(token, method, wait.saturating_mul(SECOND)));
        }
        let answer = answer.error_for_status().map_err(unreachable)?;
        let answer: Value = answer.json().await.map_err(unreachable)?;
        if answer["ok"] == true {
            return Ok((answer, scopes));
        }
        Err(ApiError::Slack(method, answer["error"].as_str().unwrap_or_default().to_owned()))
    }

    /// Bytes to an address that Slack gave for them.
    pub async fn upload(&self, to: &str, bytes: Vec<u8>) -> Result<(), ApiError> {
        const WHAT: &str = "the upload of a picture";
        let unreachable = |error: reqwest::Error| ApiError::Unreachable(WHAT, error.without_url().to_string());
        let url = self.own(to).ok_or_else(|| ApiError::Slack(WHAT, "foreign_address".to_owned()))?;
        let request = self.plain.post(url).header("content-type", "application/octet-stream").body(bytes);
        request.send().await.and_then(reqwest::Response::error_for_status).map_err(unreachable)?;
        Ok(())
    }

    /// An answer to a response URL: no token goes there.
    pub async fn respond(&self, to: &str, body: &Value) -> Result<(), ApiError> {
        const WHAT: &str = "an answer to a command";
        let unreachable = |error: reqwest::Error| ApiError::Unreachable(WHAT, error.without_url().to_string());
        let url = self.own(to).ok_or_else(|| ApiError::Slack(WHAT, "foreign_address".to_owned()))?;
        let answer = self.plain.post(url).json(body).send().await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            return Err(ApiError::Unreachable(WHAT, format!("it answered {}", status.as_u16())));
        }
        if !status.is_success() {
            return Err(ApiError::Slack(WHAT, format!("http_{}", status.as_u16())));
        }
        Ok(())
    }

    /// An address of Slack's: on slack.com, or where the settings say that Slack is.
    fn own(&self, text: &str) -> Option<url::Url> {
        own(&self.url, text)
    }

    /// Waits a moment for room, or says how long it would take.
    async fn room(
        &self,
        token: &SlackApiToken,
        method: &'static str,
        channel: Option<&str>,
        urgent: bool,
    ) -> Result<(), ApiError> {
        let wait = self.budget.take(&token.token_value.0, method, channel, urgent, tokio::time::Instant::now());
        match wait {
            Ok(wait) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
            Err(wait) => {
                Err(ApiError::Limited(i64::try_from(wait.as_millis()).unwrap_or(60 * SECOND).max(100), method))
            }
        }
    }

    fn limited(&self, token: &SlackApiToken, method: &'static str, wait: Millis) -> ApiError {
        let wait = wait.clamp(SECOND, 600 * SECOND);
        let until = tokio::time::Instant::now() + Duration::from_millis(wait.unsigned_abs());
        self.budget.pause(&token.token_value.0, method, until);
        ApiError::Limited(wait, method)
    }

    fn judged(
        &self,
        token: &SlackApiToken,
        method: &'static str,
        called: Result<Result<Value, SlackClientError>, tokio::time::error::Elapsed>,
    ) -> Result<Value, ApiError> {
        let judged = self.read(token, method, called);
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match &judged {
            Ok(_) => {
                refused.remove(&token.token_value.0);
            }
            Err(error) if error.is(&REVOKED) && refused.insert(token.token_value.0.clone()) => {
                tracing::error!(error = %error, "nothing can be said on Slack until then; it is kept");
            }
            Err(_) => {}
        }
        judged
    }

    /// Bodies stay out of every error: they hold what people wrote.
    fn read(
        &self,
        token: &SlackApiToken,
        method: &'static str,
        called: Result<Result<Value, SlackClientError>, tokio::time::error::Elapsed>,
    ) -> Result<Value, ApiError> {
        let error = match called {
            Err(_) => return Err(ApiError::Unreachable(method, "it did not answer in time".to_owned())),
            Ok(Ok(answer)) if answer["ok"] == true => return Ok(answer),
            Ok(Ok(_)) => return Err(ApiError::Unreachable(method, "its answer does not read".to_owned())),
            Ok(Err(error)) => error,
        };
        Err(match error {
            SlackClientError::ApiError(error) if error.code == "ratelimited" => self.limited(token, method, 5 * SECOND),
            SlackClientError::ApiError(error) => ApiError::Slack(method, error.code),
            SlackClientError::RateLimitError(error) => {
                let wait =
                    error.retry_after.map_or(5 * SECOND, |wait| i64::try_from(wait.as_millis()).unwrap_or(60_000));
                self.limited(token, method, wait)
            }
            SlackClientError::HttpError(error) if error.status_code.is_client_error() => {
                ApiError::Slack(method, format!("http_{}", error.status_code.as_u16()))
            }
            SlackClientError::HttpError(error) => {
                ApiError::Unreachable(method, format!("it answered {}", error.status_code.as_u16()))
            }
            SlackClientError::ProtocolError(_) => ApiError::Unreachable(method, "its answer does not read".to_owned()),
            _ => ApiError::Unreachable(method, "the connection failed".to_owned()),
        })
    }
}

fn own(api: &url::Url, text: &str) -> Option<url::Url> {
    let url = url::Url::parse(text).ok()?;
    let host = url.host_str()?;
    let home = api.host_str()?;
    let slacks = |home: &str| host == home || host.ends_with(&format!(".{home}"));
    let official = url.scheme() == "https" && (slacks("slack.com") || slacks("slack-gov.com"));
    // Anywhere else only the very host that the settings name, by its own scheme.
    let named = url.scheme() == api.scheme() && host == home;
    (official || named).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_what_the_outbox_can_act_on() {
        let of = |code: &str| ChatError::from(ApiError::Slack("chat.postMessage", code.to_owned()));
        assert_eq!(of("message_not_found"), ChatError::Gone);
        assert!(matches!(of("not_in_channel"), ChatError::Blocked(says) if says.contains("invite the bot")));
        assert!(matches!(of("token_revoked"), ChatError::Later(MINUTE, says) if says.contains("new bot token")));
        assert!(matches!(of("internal_error"), ChatError::Later(..)));
        assert_eq!(
            ChatError::from(ApiError::Limited(7_000, "chat.update")),
            ChatError::Later(7_000, "Slack asks for a pause before chat.update.".to_owned())
        );
        assert!(!of("x\nsecret body").to_string().contains("secret"));
    }

    #[test]
    fn answers_go_to_slack_alone() {
        let api = "https://slack.com/api/".parse().unwrap();
        assert!(own(&api, "https://hooks.slack.com/commands/T1/2/x").is_some());
        assert!(own(&api, "https://files.slack.com/upload/v1/x").is_some());
        for strange in ["http://hooks.slack.com/x", "https://slack.com.evil.example/", "https://evilslack.com/", "x"] {
            assert!(own(&api, strange).is_none(), "{strange}");
        }
        let pretend = "http://127.0.0.1:9/api/".parse().unwrap();
        assert!(own(&pretend, "http://127.0.0.1:10/respond/1").is_some());
        assert!(own(&pretend, "http://127.0.0.2:9/x").is_none());
    }
}
