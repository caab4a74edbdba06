//! News of a source: what it said before is forgotten, and what waits for it is looked at now instead of at its time.

use serde::{Deserialize, Serialize};

use super::Report;
use crate::app::App;
use crate::clock::{Millis, SECOND};
use crate::event::Due;
use crate::name::{Environment, Service, SourceName};
use crate::store::Claim;

/// However much news comes, a plan is looked at no more often than this on its account.
pub const PACE: Millis = 5 * SECOND;

/// What a source's system told by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct News {
    pub source: SourceName,
    /// In a few words: "an incident".
    pub what: String,
    /// Whom it concerns.
    pub services: Vec<Service>,
    /// Where; empty: everywhere.
    pub environments: Vec<Environment>,
    /// A deployment is reported by itself; this is only on the way there.
    #[serde(skip)]
    pub deployment: Option<Report>,
}

impl News {
    fn concerns(&self, service: &Service, environment: &Environment) -> bool {
        self.services.contains(service) && (self.environments.is_empty() || self.environments.contains(environment))
    }
}

/// Takes news: plans that wait and deployments that are watched are looked at anew. A look that is under way is left alone;
/// it finds at its end that there was news, and looks again.
pub async fn heard(app: &App, claim: &Claim, news: &News) -> anyhow::Result<()> {
    let now = app.clock.now();
    let waiting = app.store.open_plans().await?;
    let watched = app.store.watched(now).await?;
    let mut tx = app.store.begin_finishing(claim, now).await?;
    tx.hear(&news.source, &news.services).await?;
    for row in waiting.iter().filter(|row| row.state.waits()) {
        if news.concerns(&row.plan.service, &row.plan.environment) {
            let at = row.refreshed_at.map_or(now, |last| now.max(last.plus(PACE)));
            tx.sooner(&Due::Advise { plan: row.plan.id.clone() }, at).await?;
        }
    }
    for row in watched {
        if news.concerns(&row.deployment.service, &row.deployment.environment) {
            tx.sooner(&Due::Look { deployment: row.deployment.id }, now).await?;
        }
    }
    tx.commit().await?;
    tracing::debug!(source = news.source.as_str(), what = news.what, "heard news");
    app.wake();
    Ok(())
}
