//! Reading over HTTP: plans, windows, history, the ledger. Shapes as in the command line's `--json`.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Site;
use super::access::{May, allow};
use super::answers::{Answered, Wrong, json as answer, read_json};
use crate::advice::facts::Deployment;
use crate::clock::{DAY, Millis, Time};
use crate::deploy::elsewhere;
use crate::name::{Environment, Person, PlanId, Service};

/// How far back sources are asked about deployments; the briefs' history goes as far.
const PAST: Millis = 550 * DAY;

pub async fn plans(State(site): State<Site>, headers: HeaderMap) -> Answered {
    allow(&site, &headers, May::Read)?;
    let rows = site.app.store.plans(200).await?;
    let list: Vec<Value> = rows
        .iter()
        .map(|row| json!({ "plan": crate::plan::view::plan(row), "revision": row.revision, "state": row.state }))
        .collect();
    answer(json!({ "plans": list }))
}

pub async fn plan(State(site): State<Site>, Path(id): Path<String>, headers: HeaderMap) -> Answered {
    allow(&site, &headers, May::Read)?;
    let id = PlanId::new(id.to_lowercase());
    let Some(row) = site.app.store.plan(&id).await? else { return Err(Wrong::not_found("There is no such plan.")) };
    let revision = site.app.store.revision(&id, row.revision).await?;
    let words = site.app.store.words(&id).await?;
    let overrides = site.app.store.overrides(&id).await?;
    let (steps, watchers) = (site.app.store.steps(&id).await?, site.app.store.watchers(&id).await?);
    answer(crate::plan::view::full(&row, revision.as_ref(), &words, &overrides, &steps, &watchers))
}

#[derive(Debug, Deserialize)]
pub struct Target {
    environment: Option<String>,
}

pub async fn windows(
    State(site): State<Site>,
    Path(service): Path<String>,
    Query(target): Query<Target>,
    headers: HeaderMap,
) -> Answered {
    allow(&site, &headers, May::Read)?;
    let settings = site.app.settings();
    let service = Service::new(service);
    let environment = Environment::new(target.environment.unwrap_or_default());
    if !settings.service.contains_key(&service) {
        return Err(Wrong::not_found("There is no such service."));
    }
    if !settings.environment.contains_key(&environment) {
        return Err(Wrong::bad("`environment` names none of the environments."));
    }
    let zone = crate::wording::zone(&settings, &service, &environment);
    let (_, _, windows) = crate::command::search_windows(&site.app, &Person::new("nobody"), service, environment).await;
    answer(crate::plan::view::windows(&windows, zone))
}

/// What the terminal asks for: a brief that records nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preview {
    /// The command's text, as in chat.
    text: String,
    user: Option<Person>,
}

pub async fn preview(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    allow(&site, &headers, May::Read)?;
    let asked: Preview = read_json(&headers, &body)?;
    match crate::command::preview(&site.app, asked.user.as_ref(), &asked.text).await {
        Ok(view) => answer(view),
        Err(error) => match error.downcast::<crate::command::BadCommand>() {
            Ok(bad) => Err(Wrong::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, "command", bad.0)),
            Err(error) => Err(error.into()),
        },
    }
}

#[derive(Debug, Deserialize)]
pub struct Of {
    service: Option<String>,
    most: Option<i64>,
    plan: Option<String>,
    from: Option<i64>,
}

pub async fn history(State(site): State<Site>, Query(of): Query<Of>, headers: HeaderMap) -> Answered {
    allow(&site, &headers, May::Read)?;
    let service = of.service.map(Service::new);
    let most = of.most.unwrap_or(100).clamp(1, 1_000);
    let rows = site.app.store.deployments(service.as_ref(), most).await?;
    let settings = site.app.settings();
    let services: Vec<Service> = match &service {
        Some(service) => settings.service.contains_key(service).then(|| service.clone()).into_iter().collect(),
        None => settings.service.keys().cloned().collect(),
    };
    let now = site.app.clock.now();
    let told = elsewhere(&site.app, &services, (now.plus(-PAST), now), &rows).await;
    let mut list: Vec<(Time, Value)> = rows
        .iter()
        .map(|row| {
            let value = json!({ "deployment": row.deployment, "plan": row.plan, "status": row.status,
                "actor": row.actor, "outcome_by": row.outcome_by, "outcome_at": row.outcome_at, "source": row.source });
            (row.deployment.at, value)
        })
        .collect();
    for fact in &told.known {
        let value = |d: &Deployment| (d.at, json!({ "deployment": d, "plan": null, "source": fact.source }));
        list.extend(fact.value.iter().map(value));
    }
    list.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let list: Vec<Value> =
        list.into_iter().take(usize::try_from(most).unwrap_or(100)).map(|(_, value)| value).collect();
    answer(json!({ "deployments": list, "unknown": told.unknown }))
}

pub async fn ledger(State(site): State<Site>, Query(of): Query<Of>, headers: HeaderMap) -> Answered {
    allow(&site, &headers, May::Read)?;
    let entries = match of.plan {
        Some(plan) => site.app.store.ledger_of(&PlanId::new(plan)).await?,
        None => site.app.store.ledger_from(of.from.unwrap_or(1), of.most.unwrap_or(200).clamp(1, 1_000)).await?,
    };
    let list: Vec<Value> = entries
        .iter()
        .map(|e| json!({ "seq": e.seq, "at": e.at, "kind": e.kind, "bytes": e.bytes, "leaf": e.leaf }))
        .collect();
    let witness = |w: &crate::ledger::Witness| {
        let mut told = json!(w);
        told["says"] = w.says().into();
        told
    };
    let witnesses: Vec<Value> = site.app.store.witnesses().await?.iter().map(witness).collect();
    let holds = crate::ledger::holds(&site.app.store).await?;
    let holds: Vec<Value> =
        holds.iter().map(|h| json!({ "scope": h.scope.to_string(), "entry": h.seq, "by": h.by })).collect();
    let checkpoint = crate::ledger::checkpoint_now(&site.app.store, &site.app.signer).await?.note;
    answer(json!({ "entries": list, "checkpoint": checkpoint, "key": site.app.signer.public().to_string(),
        "first_key": site.app.signer.first().to_string(), "witnesses": witnesses, "holds": holds }))
}

pub async fn verify(State(site): State<Site>, headers: HeaderMap) -> Answered {
    allow(&site, &headers, May::Read)?;
    let verdict = crate::ledger::verify_store(&site.app.store, &site.app.signer, &[]).await?;
    answer(verdict)
}
