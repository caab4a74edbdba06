//! `GET /api/people`: who is who, by what each account is known.

use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::json;

use super::Site;
use super::access::{May, allow};
use super::answers::{Answered, json as answer};

pub async fn people(State(site): State<Site>, headers: HeaderMap) -> Answered {
    allow(&site, &headers, May::Read)?;
    answer(json!({ "people": crate::people::register::register(&site.app).await? }))
}
