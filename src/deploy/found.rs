//! Deployments that no webhook told: found where sources keep them, and taken as their report.

use super::Report;
use crate::advice::facts::Deployment;
use crate::app::App;
use crate::clock::DAY;
use crate::config::Mode;
use crate::event::{Due, Event};
use crate::message::{is_web, tame};
use crate::name::{Environment, Service};
use crate::store::Claim;
use crate::store::deployment::Status;

/// So far back is looked each time: what was missed while Tidegate or a source was away is found when both are back.
const BACK: i64 = DAY;

/// Asks sources for deployments to guarded environments since the record began, and reports what nobody has told.
pub async fn find(app: &App, claim: &Claim) -> anyhow::Result<()> {
    let settings = app.settings();
    let now = app.clock.now();
    let guarded =
        |name: &Environment| settings.environment.get(name).is_some_and(|e| e.protected || e.mode == Mode::Gate);
    if settings.environment.keys().any(guarded) {
        let services: Vec<Service> = settings.service.keys().cloned().collect();
        // What was deployed before the record began is history, and nobody was asked to plan it here.
        let began = app.store.ledger_from(1, 1).await?.first().map_or(now, |first| first.at);
        let from = began.max(now.plus(-BACK));
        let own = app.store.deployments_between(from.plus(-DAY), now.plus(1), 1_000).await?;
        // A person may have told of one hours before its system did: the same version again within a day is that one.
        let known = |found: &Deployment| {
            own.iter().map(|row| &row.deployment).any(|d| {
                let same = match (&d.commit, &found.commit) {
                    (Some(own), Some(other)) => own.starts_with(other.as_str()) || other.starts_with(own.as_str()),
                    _ => d.version.is_some() && d.version == found.version,
                };
                (&d.service, &d.environment) == (&found.service, &found.environment) && same
            })
        };
        let told = super::elsewhere(app, &services, (from, now), &own).await;
        for fact in told.known {
            for deployment in fact.value.into_iter().filter(|d| guarded(&d.environment) && !known(d)) {
                let some = |text: Option<String>, most| text.map(|text| tame(&text, most)).filter(|t| !t.is_empty());
                let report = Report {
                    id: tame(&deployment.id, 100),
                    status: Status::Succeeded,
                    service: deployment.service,
                    environment: deployment.environment,
                    version: some(deployment.version, 250),
                    commit: some(deployment.commit, 64),
                    actor: None,
                    at: Some(deployment.finished.filter(|end| *end >= deployment.at).unwrap_or(deployment.at)),
                    url: deployment.link.filter(|url| is_web(url) && url.len() <= 500),
                    plan: None,
                };
                if report.check().is_err() {
                    continue;
                }
                let key = format!("found:{}:{}", fact.source, report.id);
                let lane = format!("deployment:{}/{}", report.service, report.environment);
                let source = Some(fact.source.clone());
                app.inbox.put(&Event::Reported { report, source, at: now }, &lane, Some(key)).await?;
            }
        }
    }
    let mut tx = app.store.begin_finishing(claim, now).await?;
    tx.due(&Due::Find, now.plus(settings.watch.find_every.ms())).await?;
    tx.commit().await
}
