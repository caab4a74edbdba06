//! `GET /api/gate`: HTTP 200 with any verdict.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;

use super::Site;
use super::access::{May, allow};
use super::answers::{Answered, Wrong, json};
use crate::gate::{self, Request};
use crate::name::{Environment, PlanId, Service};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    plan: Option<String>,
    service: Option<String>,
    environment: Option<String>,
    version: Option<String>,
    commit: Option<String>,
    change: Option<String>,
    rollback: Option<String>,
    wait: Option<u64>,
}

pub async fn ask(
    State(site): State<Site>,
    headers: HeaderMap,
    query: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Answered {
    let who = allow(&site, &headers, May::Gate)?;
    let Query(asked) = query.map_err(|e| Wrong::bad(format!("The query does not read: {}.", e.body_text())))?;
    let request = Request {
        plan: asked.plan.map(|id| PlanId::new(id.to_lowercase())),
        service: asked.service.map(Service::new),
        environment: asked.environment.map(Environment::new),
        version: asked.version,
        commit: asked.commit,
        change: asked.change,
        rollback: matches!(asked.rollback.as_deref(), Some("1" | "true")),
    };
    if request.plan.is_none() && (request.service.is_none() || request.environment.is_none()) {
        return Err(Wrong::bad(
            "Ask with `plan`, or with `service`, `environment` and `version` (or `commit`, or `change`).",
        ));
    }
    let longest = site.app.settings().gate.longest_wait.std();
    let wait = Duration::from_secs(asked.wait.unwrap_or(0)).min(longest);
    let until = tokio::time::Instant::now() + wait;
    loop {
        let woken = site.app.woken();
        let may = |service: &Service, environment: &Environment| who.covers(service, environment);
        let mut answer = gate::ask(&site.app, &request, may).await?.ok_or_else(Wrong::unauthorized)?;
        // What can still become a yes is waited for; the rest is told at once.
        if !answer.waits || tokio::time::Instant::now() >= until || site.app.is_stopping() {
            answer.signed = Some(gate::signed(&site.app.signer, &request, &answer, site.app.clock.now())?);
            return json(answer);
        }
        let tick = tokio::time::sleep_until(until.min(tokio::time::Instant::now() + Duration::from_secs(1)));
        tokio::select! {
            () = woken => {}
            () = tick => {}
        }
    }
}
