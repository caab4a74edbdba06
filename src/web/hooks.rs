//! Webhooks: stored before they are acknowledged; the same delivery twice is one event.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use secrecy::ExposeSecret;
use serde_json::json;

use super::Site;
use super::access::{May, allow};
use super::answers::{Answered, Wrong, json as answer, read_json};
use crate::event::Event;
use crate::webhook::deployments::Report;
use crate::webhook::signature::is_signed;

pub async fn deployments(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    let who = if headers.contains_key("webhook-signature") {
        signed(&site, &headers, &body)?;
        None
    } else {
        Some(allow(&site, &headers, May::Hooks)?)
    };
    let report: Report = read_json(&headers, &body)?;
    report.check().map_err(Wrong::bad)?;
    if who.is_some_and(|who| !who.covers(&report.service, &report.environment)) {
        return Err(Wrong::unauthorized());
    }
    let settings = site.app.settings();
    if !settings.service.contains_key(&report.service) || !settings.environment.contains_key(&report.environment) {
        let names = |names: Vec<&str>| names.join(", ");
        return Err(Wrong::new(
            axum::http::StatusCode::UNPROCESSABLE_ENTITY,
            "unknown-target",
            format!(
                "There is no such service or environment. Services: {}. Environments: {}.",
                names(settings.service.keys().map(|s| s.as_str()).collect()),
                names(settings.environment.keys().map(|e| e.as_str()).collect())
            ),
        ));
    }
    let key = format!("hook:deployments:{}:{}", report.id, report.status.as_str());
    let lane = format!("deployment:{}/{}", report.service, report.environment);
    let at = site.app.clock.now();
    let id = site.app.inbox.put(&Event::Reported { report, at }, &lane, Some(key)).await?;
    answer(json!({ "ok": true, "event": id }))
}

/// Standard Webhooks, by any token of the settings that may report deployments.
fn signed(site: &Site, headers: &HeaderMap, body: &Bytes) -> Result<(), Wrong> {
    let one = |name: &str| {
        let mut values = headers.get_all(name).iter();
        // Two signature headers are somebody's trick.
        values.next().filter(|_| values.next().is_none()).and_then(|v| v.to_str().ok()).ok_or_else(Wrong::unauthorized)
    };
    let (id, timestamp, signatures) = (one("webhook-id")?, one("webhook-timestamp")?, one("webhook-signature")?);
    let settings = site.app.settings();
    let now = site.app.clock.now();
    let mut secrets = settings
        .gate
        .tokens
        .iter()
        .filter(|t| t.may.iter().any(|m| m == "hooks"))
        .filter_map(|t| t.token.reveal(&settings.base).ok());
    if secrets.any(|secret| is_signed(secret.expose_secret(), id, timestamp, signatures, body, now)) {
        return Ok(());
    }
    Err(Wrong::unauthorized())
}
