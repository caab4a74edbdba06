//! The ledger over HTTP: proofs for whoever may read; what an operator does to it, for this process's own user alone.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;

use super::Site;
use super::access::{May, Who, allow};
use super::answers::{Answered, Wrong, json as answer, read_json};
use crate::command::BadCommand;
use crate::ledger::{Act, NotContinued};
use crate::name::PlanId;

#[derive(Debug, Deserialize)]
pub struct Wanted {
    plan: Option<String>,
    entry: Option<i64>,
    from: Option<String>,
    format: Option<String>,
}

/// The proof of a plan's entries or of one entry; or that the record continues a checkpoint that the caller kept.
pub async fn proof(State(site): State<Site>, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Answered {
    allow(&site, &headers, May::Read)?;
    let (store, signer) = (&site.app.store, &site.app.signer);
    let none = || Wrong::not_found("The record has no such plan or entry.");
    let proof = match (wanted.plan, wanted.entry, wanted.from) {
        (Some(plan), None, None) => crate::ledger::plan_proof(store, signer, &PlanId::new(plan.to_lowercase())).await?,
        (None, Some(seq), None) => crate::ledger::entry_proof(store, signer, seq).await?,
        (None, None, Some(from)) => {
            return match crate::ledger::continuation(store, signer, &from).await? {
                Ok(continuation) => answer(continuation),
                Err(why @ NotContinued::Text(_)) => Err(Wrong::bad(why.to_string())),
                Err(why) => Err(Wrong::new(StatusCode::CONFLICT, "not-continued", why.to_string())),
            };
        }
        _ => return Err(Wrong::bad("Name one of `plan`, `entry` and `from`.")),
    };
    let proof = proof.ok_or_else(none)?;
    if wanted.format.as_deref() == Some("tlog") {
        let text = proof.tlog().ok_or_else(none)?;
        return Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response());
    }
    answer(proof)
}

/// Rotates the key, erases texts, places and lifts holds; the command line beside the store asks this.
pub async fn act(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    if allow(&site, &headers, May::Read)? != Who::Local {
        return Err(Wrong::unauthorized());
    }
    let act: Act = read_json(&headers, &body)?;
    match crate::ledger::act(&site.app, &act).await {
        Ok(done) => {
            site.app.wake();
            answer(done)
        }
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: anyhow::Error) -> Wrong {
    match error.downcast::<BadCommand>() {
        Ok(bad) => Wrong::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", bad.0),
        Err(error) => error.into(),
    }
}
