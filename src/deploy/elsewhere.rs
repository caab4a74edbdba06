//! Deployments that sources tell of and our own store does not hold: those from before Tidegate came, or by other roads.

use futures::future::join_all;

use crate::advice::facts::{Asked, Deployment, Fact, Unknown};
use crate::app::App;
use crate::clock::Time;
use crate::name::Service;
use crate::plan::brief::ask;
use crate::source::{Ask, Learned, Question, asked};
use crate::store::deployment::DeploymentRow;

/// What sources tell of the deployments of these services in this time, without those in `own`; oldest first within a
/// source. A source that did not answer is named once.
pub async fn elsewhere(
    app: &App,
    services: &[Service],
    (from, to): (Time, Time),
    own: &[DeploymentRow],
) -> Asked<Vec<Deployment>> {
    let (settings, now) = (app.settings(), app.clock.now());
    let targets = services.iter().flat_map(|service| settings.environment.keys().map(move |e| (service, e)));
    let rounds = join_all(targets.map(|(service, environment)| {
        let ask_of = Ask { from, to, ..Ask::of(Question::Deployments, &settings, service, environment, now) };
        async move {
            let said = ask(app, &ask_of).await;
            let mut told = asked(said, now, |learned| match learned {
                Learned::Deployments(deployments) => Some(deployments),
                _ => None,
            });
            for fact in &mut told.known {
                // A source may tell of what lies around the target too; that is asked for by itself.
                fact.value.retain(|d| d.service == ask_of.service && d.environment == ask_of.environment);
            }
            told
        }
    }))
    .await;
    let mut all: Asked<Vec<Deployment>> = Asked::default();
    for round in rounds {
        for fact in round.known {
            join(&mut all.known, fact);
        }
        for unknown in round.unknown {
            if !all.unknown.iter().any(|known: &Unknown| known.source == unknown.source) {
                all.unknown.push(unknown);
            }
        }
    }
    for fact in &mut all.known {
        fact.value.retain(|d| {
            from <= d.at && d.at <= to && !own.iter().any(|row| row.external_id == d.id || row.deployment.is_also(d))
        });
        fact.value.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id)));
        fact.value.dedup_by(|a, b| a.id == b.id);
    }
    all
}

fn join(known: &mut Vec<Fact<Vec<Deployment>>>, more: Fact<Vec<Deployment>>) {
    match known.iter_mut().find(|fact| fact.source == more.source) {
        Some(fact) => fact.value.extend(more.value),
        None => known.push(more),
    }
}
