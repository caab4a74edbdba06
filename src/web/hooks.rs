//! Webhooks: stored before they are acknowledged; the same delivery twice is one event.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::Site;
use super::access::{May, allow, same_site};
use super::answers::{Answered, Wrong, json as answer, read_json};
use crate::config::{Settings, SourceSettings};
use crate::event::Event;
use crate::ledger::sha256;
use crate::name::SourceName;
use crate::webhook::signature::is_signed;
use crate::webhook::{Delivery, News, Report, Room, Sender, Told, Waits, sender as sender_called};

/// The longest id of a delivery that is kept as it is, in bytes.
const LONGEST_ID: usize = 100;

/// `POST /hooks/KIND`: for every source of that kind whose secret the delivery proves.
pub async fn sender(State(site): State<Site>, Path(kind): Path<String>, headers: HeaderMap, body: Bytes) -> Answered {
    delivered(&site, &kind, None, &headers, &body).await
}

/// `POST /hooks/KIND/SOURCE`: for this one of several.
pub async fn sender_of(
    State(site): State<Site>,
    Path((kind, source)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    delivered(&site, &kind, Some(source), &headers, &body).await
}

async fn delivered(site: &Site, kind: &str, only: Option<String>, headers: &HeaderMap, body: &Bytes) -> Answered {
    same_site(site, headers)?;
    let Some(sender) = sender_called(kind) else { return Err(Wrong::not_found("There is nothing at this address.")) };
    let settings = site.app.settings();
    let delivery = Delivery { headers, body, now: site.app.clock.now() };
    let proved = proved(&settings, sender, only.as_deref(), &delivery);
    if proved.is_empty() {
        return Err(Wrong::unauthorized());
    }
    let read: Value = read_json(headers, body)?;
    let id = id_of(sender, &delivery, &read);
    let (mut event, mut says) = (None, Vec::new());
    for source in proved {
        let name = &source.name;
        match (sender.read)(&delivery, &read, &Room { settings: &settings, source }) {
            Told::News(news) => {
                says.push(format!("{name} heard of {}", news.what));
                event = Some(store(site, kind, &id, *news).await?);
            }
            Told::Waits(waits) => {
                says.push(format!("{name} heard of a job that waits"));
                event = Some(hold(site, kind, &id, *waits).await?);
            }
            Told::Greeting => return answer(json!({ "ok": true, "event": null, "says": "Tidegate is listening." })),
            Told::Unread(why) => says.push(format!("{name} left it alone: {why}")),
            Told::Stray(why) => {
                tracing::info!(source = name.as_str(), sender = kind, why, "a webhook came to nothing");
                says.push(format!("{name} left it alone: {why}"));
            }
        }
    }
    let status = if event.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(json!({ "ok": true, "event": event, "says": says.join("; ") }))).into_response())
}

/// The sources of this sender, or the one that is named, whose secret the delivery proves.
fn proved<'s>(
    settings: &'s Settings,
    sender: &Sender,
    only: Option<&str>,
    delivery: &Delivery<'_>,
) -> Vec<&'s SourceSettings> {
    let own = |source: &&SourceSettings| {
        source.kind.word() == sender.kind && only.is_none_or(|only| source.name.as_str() == only)
    };
    let proves = |source: &&SourceSettings| {
        let secrets = source.webhook.iter().flat_map(|secrets| secrets.list());
        secrets
            .filter_map(|secret| secret.reveal(&settings.base).ok())
            .any(|secret| (sender.proves)(delivery, secret.expose_secret()))
    };
    settings.source.iter().filter(own).filter(proves).collect()
}

/// What a delivery is known by when it comes again.
fn id_of(sender: &Sender, delivery: &Delivery<'_>, body: &Value) -> String {
    let plain = |id: &String| !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(|b| b.is_ascii_graphic());
    match (sender.id)(delivery, body) {
        Some(id) if plain(&id) => id,
        Some(id) if !id.is_empty() => sha256(id.as_bytes()),
        _ => sha256(delivery.body),
    }
}

/// Stores what a delivery told: the deployment first, so that whoever looks anew because of it finds it.
async fn store(site: &Site, kind: &str, id: &str, mut news: News) -> anyhow::Result<String> {
    let (inbox, at) = (&site.app.inbox, site.app.clock.now());
    let source: SourceName = news.source.clone();
    let mut lane = format!("heard:{source}");
    if let Some(report) = news.deployment.take() {
        lane = format!("deployment:{}/{}", report.service, report.environment);
        let key = format!("hook:{kind}:{source}:{id}:deployment");
        inbox.put(&Event::Reported { report, source: Some(source.clone()), at }, &lane, Some(key)).await?;
    }
    inbox.put(&Event::Heard { news, at }, &lane, Some(format!("hook:{kind}:{source}:{id}"))).await
}

/// Stores that a job waits.
async fn hold(site: &Site, kind: &str, id: &str, waits: Waits) -> anyhow::Result<String> {
    let at = site.app.clock.now();
    let (key, lane) = (format!("hook:{kind}:{}:{id}", waits.source), format!("jobs:{}", waits.source));
    site.app.inbox.put(&Event::JobWaits { waits, at }, &lane, Some(key)).await
}

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
    let id = site.app.inbox.put(&Event::Reported { report, source: None, at }, &lane, Some(key)).await?;
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
