//! A log store that takes checkpoints by POST, signed as Standard Webhooks say.

use std::time::Duration;

use anyhow::{Context, bail};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::clock::{SECOND, Time};
use crate::config::{AnchorSettings, Settings};
use crate::ledger::SignedCheckpoint;
use crate::webhook::signature::sign;

/// Posts one checkpoint. The same size is the same `webhook-id`, so that a receiver may drop what comes twice.
pub async fn post(
    settings: &Settings,
    place: &AnchorSettings,
    checkpoint: &SignedCheckpoint,
    now: Time,
) -> anyhow::Result<()> {
    let at = &checkpoint.checkpoint;
    let body = json!({
        "type": "ledger.checkpoint",
        "timestamp": now,
        "data": { "origin": at.origin.to_string(), "size": at.size, "root": at.root, "checkpoint": checkpoint.note },
    });
    send(settings, place, &format!("checkpoint-{}-{}", at.origin.epoch, at.size), &body, now).await
}

/// Posts an event that says nothing, to learn whether the receiver takes it.
pub async fn ask(settings: &Settings, place: &AnchorSettings, now: Time) -> anyhow::Result<()> {
    let body = json!({ "type": "ledger.asked", "timestamp": now, "data": {} });
    send(settings, place, &format!("asked-{}", now.ms()), &body, now).await
}

async fn send(settings: &Settings, place: &AnchorSettings, id: &str, body: &Value, now: Time) -> anyhow::Result<()> {
    let url = place.url.clone().context("it has no url")?;
    let secret = place.secret.as_ref().context("it has no secret")?;
    let secret = secret.reveal(&settings.base).map_err(|why| anyhow::anyhow!("its secret: {why}"))?;
    let (body, seconds) = (body.to_string(), (now.ms() / SECOND).to_string());
    let signature = sign(secret.expose_secret(), id, &seconds, body.as_bytes());
    let host = url.host_str().unwrap_or_default().to_owned();
    let answer = crate::http::trusted(Duration::from_secs(10))?
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", signature)
        .body(body)
        .send()
        .await;
    match answer {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => bail!("{host} answered {}", answer.status()),
        Err(error) if error.is_timeout() => bail!("{host} did not answer in time"),
        Err(_) => bail!("{host} could not be reached"),
    }
}
