//! `POST /api/approve`: the emergency path. Whoever asks signs in with their own token; no other token approves.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::Site;
use super::access::same_site;
use super::answers::{Answered, Wrong, json as answer, read_json};
use super::sign_in::signed_in;
use crate::chat::terminal::{self, Spoken};
use crate::name::PlanId;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Approve {
    plan: String,
    /// The hash of the brief that was read.
    brief: String,
    why: String,
    /// The service's name, where a second step is asked for.
    #[serde(default)]
    typed: Option<String>,
}

pub async fn approve(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    same_site(&site, &headers)?;
    let person = signed_in(&site, &headers).ok_or_else(Wrong::unauthorized)?;
    let asked: Approve = read_json(&headers, &body)?;
    tracing::warn!(person = person.as_str(), plan = asked.plan, "an approval was asked for in the terminal");
    let id = PlanId::new(asked.plan.to_lowercase());
    match terminal::approve(&site.app, &person, &id, &asked.brief, &asked.why, asked.typed.as_deref()).await? {
        Spoken::Counts(says) => answer(json!({ "ok": true, "by": person, "says": says })),
        Spoken::Not(says) => Err(Wrong::new(StatusCode::UNPROCESSABLE_ENTITY, "approval", says)),
    }
}
