//! For whoever operates it: is it alive, is it ready, how does it do, what can be asked.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Site;
use super::answers::{Answered, Wrong};

pub async fn healthz() -> &'static str {
    "ok"
}

/// Ready means that the store answers.
pub async fn readyz(State(site): State<Site>) -> Answered {
    match site.app.store.next_work().await {
        Ok(_) => Ok("ok".into_response()),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the store does not answer");
            Err(Wrong::new(StatusCode::SERVICE_UNAVAILABLE, "store", "The store does not answer."))
        }
    }
}

/// Prometheus text: what waits, what was put aside, how long the record is.
pub async fn metrics(State(site): State<Site>) -> Answered {
    let pending = site.app.store.pending(site.app.clock.now()).await?;
    let dead = site.app.store.put_aside().await?;
    let size = site.app.store.ledger_size().await?;
    let plans = site.app.store.plan_count().await?;
    let overrides: String = site
        .app
        .store
        .override_counts()
        .await?
        .iter()
        .map(|(code, count)| format!("tidegate_overrides{{code=\"{}\"}} {count}\n", label(code)))
        .collect();
    let mut text = format!(
        "# HELP tidegate_work_pending Pieces of work that could be done now.\n# TYPE tidegate_work_pending gauge\ntidegate_work_pending {pending}\n\
         # HELP tidegate_work_put_aside Pieces of work that failed too often.\n# TYPE tidegate_work_put_aside gauge\ntidegate_work_put_aside {dead}\n\
         # HELP tidegate_ledger_entries Entries in the record.\n# TYPE tidegate_ledger_entries counter\ntidegate_ledger_entries {size}\n\
         # HELP tidegate_plans Plans ever made.\n# TYPE tidegate_plans counter\ntidegate_plans {plans}\n\
         # HELP tidegate_overrides Blockers that somebody went on in spite of.\n# TYPE tidegate_overrides counter\n{overrides}"
    );
    if let Some(drift) = crate::ledger::time::drift(&site.app).await? {
        text.push_str(&format!(
            "# HELP tidegate_clock_drift_milliseconds How far the clock is ahead of the database's.\n\
             # TYPE tidegate_clock_drift_milliseconds gauge\ntidegate_clock_drift_milliseconds {drift}\n"
        ));
    }
    text.push_str(&witnesses(&site.app.store.witnesses().await?));
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// A code as a label's value.
fn label(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')).collect()
}

/// How the places that keep checkpoints are doing, a line for each.
fn witnesses(all: &[crate::ledger::Witness]) -> String {
    let seconds = |at: Option<crate::clock::Time>| at.map_or(0, |at| at.ms() / 1_000);
    type Value = fn(&crate::ledger::Witness, i64, i64) -> i64;
    let size: Value = |witness, _, _| witness.size;
    let series: [(&str, &str, Value); 4] = [
        ("entries", "Entries that the newest checkpoint left there covers.", size),
        ("last_success_seconds", "When a checkpoint was left there last.", |_, ok, _| ok),
        ("last_failure_seconds", "When that failed last.", |_, _, failed| failed),
        ("failures", "Attempts in vain since the last success.", |w, _, _| w.failures),
    ];
    let mut text = String::new();
    for (name, help, value) in series {
        let name = format!("tidegate_ledger_witness_{name}");
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
        for witness in all {
            let value = value(witness, seconds(witness.ok_at), seconds(witness.failed_at));
            text.push_str(&format!("{name}{{witness={:?}}} {value}\n", witness.name));
        }
    }
    text
}

pub async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("openapi.json")).into_response()
}
