//! Slack by signed HTTP: the signature is checked over the raw body before anything of it is read, and what came is stored
//! before it is acknowledged.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::Site;
use super::answers::{Answered, Wrong};
use crate::chat::slack::{Slack, Wire, is_signed};

pub async fn events(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    let slack = signed(&site, &headers, &body)?;
    let payload: Value = serde_json::from_slice(&body).map_err(|_| unread())?;
    // How Slack asks whether the address is ours.
    if payload["type"] == "url_verification" {
        let challenge: String = payload["challenge"].as_str().unwrap_or_default().chars().take(500).collect();
        return Ok(axum::Json(json!({ "challenge": challenge })).into_response());
    }
    answered(slack.take(&site.app, Wire::Event, &payload).await?)
}

pub async fn commands(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    let slack = signed(&site, &headers, &body)?;
    let fields: Map<String, Value> = url::form_urlencoded::parse(&body)
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect();
    // The same address is probed now and then.
    if fields.get("ssl_check").is_some_and(|value| value == "1") {
        return answered(None);
    }
    answered(slack.take(&site.app, Wire::Command, &Value::Object(fields)).await?)
}

pub async fn interactions(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    let slack = signed(&site, &headers, &body)?;
    let payload = url::form_urlencoded::parse(&body).find(|(name, _)| name == "payload").map(|(_, value)| value);
    let payload: Value = payload.and_then(|text| serde_json::from_str(&text).ok()).ok_or_else(unread)?;
    answered(slack.take(&site.app, Wire::Interaction, &payload).await?)
}

/// The Slack whose signature the request carries; every wrong request gets the same answer.
fn signed<'s>(site: &'s Site, headers: &HeaderMap, body: &Bytes) -> Result<&'s Slack, Wrong> {
    let slack = Slack::of(&site.app).ok_or_else(Wrong::unauthorized)?;
    let one = |name: &str| {
        let mut values = headers.get_all(name).iter();
        // Two signature headers are somebody's trick.
        values.next().filter(|_| values.next().is_none()).and_then(|v| v.to_str().ok()).ok_or_else(Wrong::unauthorized)
    };
    let (timestamp, signature) = (one("x-slack-request-timestamp")?, one("x-slack-signature")?);
    let now = site.app.clock.now();
    let mut secrets = slack.signing_secrets();
    match secrets.any(|secret| is_signed(secret.expose_secret(), timestamp, signature, body, now)) {
        true => Ok(slack),
        false => Err(Wrong::unauthorized()),
    }
}

fn answered(answer: Option<Value>) -> Answered {
    let response: Response = match answer {
        Some(answer) => axum::Json(answer).into_response(),
        // A body would be shown as an answer to a command.
        None => StatusCode::OK.into_response(),
    };
    Ok(response)
}

fn unread() -> Wrong {
    Wrong::bad("The body does not read.")
}
