//! Prometheus: how busy a service is and usually is, how it is doing, minute by minute.
//!
//! Requests and errors are rates per second, latency is in seconds; several series of one query are added up. Nothing
//! measured is nothing known: absent times stay absent. A service whose targets are not reached is unknown.

mod api;
mod query;
mod tickets;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Deserialize;

use self::api::Api;
use super::metrics::{Metrics, Queries, Range, Several, Values, note};
use super::rest::{Credential, Rest};
use super::{Answer, Ask, CannotSay, Kind, Opening, Question, Source};
use crate::clock::MINUTE;
use crate::config::Secret;
use crate::name::SourceName;

/// A Prometheus server, or anything that speaks its API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    url: url::Url,
    #[serde(default)]
    token: Option<Secret>,
    /// Requests per second; `{service}` and `{environment}` are filled in.
    #[serde(default)]
    requests: Option<String>,
    #[serde(default)]
    errors: Option<String>,
    #[serde(default)]
    latency: Option<String>,
    /// What is 1 for each target of the service that is reached and 0 for one that is not: `up{service="{service}"}`.
    #[serde(default)]
    up: Option<String>,
    #[serde(default)]
    link: Option<String>,
    /// Sent with every question, such as `X-Scope-OrgID` of Mimir or `THANOS-TENANT`.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// How many support tickets came in the day before the moment asked for.
    #[serde(default)]
    tickets: Option<String>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        let mut can = vec![Question::Load, Question::Health, Question::Series];
        can.extend(self.tickets.is_some().then_some(Question::Support));
        can
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        let credential = self.token.clone().map_or(Credential::None, Credential::Bearer);
        Ok(Arc::new(Prometheus {
            name: opening.settings.name.clone(),
            queries: Queries {
                requests: self.requests.clone(),
                errors: self.errors.clone(),
                latency: self.latency.clone(),
            },
            up: self.up.clone(),
            link: self.link.clone(),
            tickets: self.tickets.clone(),
            api: Api { rest: Rest::open(opening, "Prometheus", &self.url, credential)?.headers(&self.headers)? },
        }))
    }
}

struct Prometheus {
    name: SourceName,
    queries: Queries,
    up: Option<String>,
    link: Option<String>,
    tickets: Option<String>,
    api: Api,
}

impl fmt::Debug for Prometheus {
    /// The name alone: an address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prometheus").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Prometheus {
    async fn answer(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        if ask.question == Question::Support {
            return self.support(ask).await;
        }
        let own = ask.settings.service.get(&ask.service).map(|service| &service.health);
        let queries = self.queries.filled(own, &ask.service, &ask.environment, query::fill)?;
        let mut gaps = Vec::new();
        if ask.question == Question::Health {
            self.reached(ask, &mut gaps).await?;
        }
        let read = |range, several| self.read(range, several);
        let target_pct = own.and_then(|own| own.target_pct);
        let metrics = Metrics { ask, queries: &queries, target_pct, read: &read };
        let mut answer = metrics.answer(self.link.as_deref()).await?;
        answer.incomplete.extend(gaps);
        Ok(answer)
    }

    fn read<'a>(&'a self, range: Range<'a>, several: Several) -> BoxFuture<'a, Result<Values, CannotSay>> {
        Box::pin(self.api.range(range, several))
    }

    /// Whether the service's targets are reached: what was measured before they were lost says nothing of now.
    async fn reached(&self, ask: &Ask, gaps: &mut Vec<String>) -> Result<(), CannotSay> {
        let Some(up) = &self.up else { return Ok(()) };
        let up = query::fill(up, &ask.service, &ask.environment)
            .map_err(|why| CannotSay::because(format!("has a query for `up` that does not fit: {why}")))?;
        let (all, lost) = (format!("count({up})"), format!("count(({up}) == 0)"));
        let last = |query| Range { query, start: ask.now, end: ask.now, step: MINUTE };
        let (all, lost) = futures::future::try_join(
            self.api.range(last(&all), Several::AddUp),
            self.api.range(last(&lost), Several::AddUp),
        )
        .await?;
        note(gaps, "targets", &[&all, &lost]);
        let count = |values: &Values| values.points.last().map_or(0.0, |(_, count)| *count);
        let (all, lost) = (count(&all), count(&lost));
        if all < 1.0 {
            return Err(CannotSay::because(format!("has no target of `{}` to measure", ask.service)));
        }
        if lost >= all {
            return Err(CannotSay::because(match all {
                1.0 => format!("does not reach the one target of `{}`", ask.service),
                _ => format!("reaches none of the {all} targets of `{}`", ask.service),
            }));
        }
        if lost > 0.0 {
            gaps.push(format!("it does not reach {lost} of the {all} targets of `{}`", ask.service));
        }
        Ok(())
    }
}

impl Source for Prometheus {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(self.answer(ask))
    }
}
