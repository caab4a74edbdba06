//! Prometheus: how busy a service is and usually is, how it is doing, minute by minute.
//!
//! Requests and errors are rates per second, latency is in seconds; several series of one query are added up. Nothing
//! measured is nothing known: absent times stay absent. A service whose targets are not reached is unknown.

mod api;
pub(super) mod measure;
mod query;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures::future::{BoxFuture, OptionFuture, try_join3, try_join4};
use serde::Deserialize;

pub(super) use self::api::Values;
use self::api::{Api, Range, Several};
use self::query::Queries;
use super::rest::{Credential, Rest};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::Health;
use crate::clock::{DAY, HOUR, MINUTE, Millis, Time};
use crate::config::Secret;
use crate::name::SourceName;

/// What the usual week and the error budget rest on.
const PROFILE: Millis = 28 * DAY;
/// What "now" is.
const NOW: Millis = 5 * MINUTE;
/// What health is judged by.
const RECENT: Millis = 10 * MINUTE;
/// The most minutes of one series: of a longer time the newest.
const MOST_MINUTES: i64 = 3_000;

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
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Load, Question::Health, Question::Series]
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
            api: Api { rest: Rest::open(opening, "Prometheus", &self.url, credential)?.headers(&self.headers)? },
        }))
    }
}

struct Prometheus {
    name: SourceName,
    queries: Queries,
    up: Option<String>,
    link: Option<String>,
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
        let own = ask.settings.service.get(&ask.service).map(|service| &service.health);
        let queries = self.queries.filled(own, &ask.service, &ask.environment)?;
        let mut incomplete = Vec::new();
        let learned = match ask.question {
            Question::Load => self.load(ask, &queries, &mut incomplete).await?,
            Question::Health => {
                let target = own.and_then(|own| own.target_pct);
                self.reached(ask, &mut incomplete).await?;
                self.health(ask, &queries, target, &mut incomplete).await?
            }
            Question::Series => self.series(ask, &queries, &mut incomplete).await?,
            _ => return Err(CannotSay::because("was not set up for this question")),
        };
        incomplete.dedup();
        Ok(Answer { learned, at: ask.now, link: self.link_for(ask), incomplete })
    }

    async fn load(&self, ask: &Ask, queries: &Queries, gaps: &mut Vec<String>) -> Result<Learned, CannotSay> {
        let query = needed(&queries.requests, "requests", ask)?;
        // Half past stands for its hour.
        let last = measure::floor(ask.now.plus(-HOUR / 2), HOUR).plus(HOUR / 2);
        let hourly = Range { query, start: last.plus(HOUR - PROFILE), end: last, step: HOUR };
        let recent = Range { query, start: ask.now.plus(-NOW), end: ask.now, step: MINUTE };
        let (hourly, recent) =
            futures::future::try_join(self.api.range(hourly, Several::AddUp), self.api.range(recent, Several::AddUp))
                .await?;
        if hourly.points.is_empty() && recent.points.is_empty() {
            return Err(CannotSay::because(format!(
                "has no data on the requests of `{}` in the last 28 days",
                ask.service
            )));
        }
        note(gaps, "requests", &[&hourly, &recent]);
        Ok(Learned::Load(measure::load(&hourly, &recent)))
    }

    async fn health(
        &self,
        ask: &Ask,
        queries: &Queries,
        target_pct: Option<f64>,
        gaps: &mut Vec<String>,
    ) -> Result<Learned, CannotSay> {
        if queries.requests.is_none() && queries.latency.is_none() {
            return Err(CannotSay::because(format!("has no query for the health of `{}`", ask.service)));
        }
        let now = ask.now;
        let budget = target_pct.filter(|_| queries.errors.is_some());
        let (requests, errors, latency) = try_join3(
            self.measured(queries.requests.as_deref(), Several::AddUp, budget.is_some(), now),
            self.measured(queries.errors.as_deref(), Several::AddUp, budget.is_some(), now),
            self.measured(queries.latency.as_deref(), Several::Highest, false, now),
        )
        .await?;
        for (what, measured) in [("requests", &requests), ("errors", &errors), ("latency", &latency)] {
            if let Some(m) = measured {
                note(gaps, what, &[&m.recent, &m.past, &m.between]);
                if what == "latency" && m.recent.series > 1 {
                    gaps.push(format!(
                        "its latency query gives {} series, of which the highest counts",
                        m.recent.series
                    ));
                }
            }
        }
        let none = Measured::default();
        let (r, l) = (requests.as_ref().unwrap_or(&none), latency.as_ref().unwrap_or(&none));
        // Errors that never showed in a week are as likely a query that matches nothing.
        let e = errors.as_ref().filter(|e| e.ever());
        if errors.is_some() && e.is_none() && r.ever() {
            gaps.push("its errors query matches nothing in the last 7 days".to_owned());
        }
        let budget = match (budget, &r.long, e.and_then(|e| e.long.as_ref())) {
            (Some(target), Some(requests), Some(errors)) => measure::budget_left(requests, errors, target),
            _ => None,
        };
        let last =
            |m: &Measured| m.recent.points.last().or(m.between.points.last()).or(m.past.points.last()).map(|p| p.0);
        let rates = measure::mean(r.recent.points.iter().map(|(_, rate)| *rate));
        Ok(Learned::Health(Health {
            errors: e.and_then(|e| measure::error_share(&r.recent, &e.recent)),
            latency_ms: measure::mean(l.recent.points.iter().map(|(_, seconds)| seconds * 1000.0)),
            requests: rates.map(|rate| rate * 60.0 * r.recent.points.len() as f64),
            usual_errors: e.and_then(|e| measure::usual_errors(&r.past, &e.past, now)),
            usual_latency_ms: measure::usual(&l.past, now).map(|seconds| seconds * 1000.0),
            counts: None,
            last_data: last(r).max(last(l)),
            budget_left: budget,
        }))
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

    /// Everything that health is judged by, of one query.
    async fn measured(
        &self,
        query: Option<&str>,
        several: Several,
        long: bool,
        now: Time,
    ) -> Result<Option<Measured>, CannotSay> {
        let Some(query) = query else { return Ok(None) };
        let range = |from: Millis, to: Millis, step| Range { query, start: now.plus(-from), end: now.plus(-to), step };
        let long: OptionFuture<_> = long.then(|| self.api.range(range(PROFILE, 0, HOUR), several)).into();
        let (recent, past, between, long) = try_join4(
            self.api.range(range(RECENT, 0, MINUTE), several),
            self.api.range(range(7 * DAY + HOUR / 2, DAY - HOUR / 2, 10 * MINUTE), several),
            self.api.range(range(DAY, RECENT, 5 * MINUTE), several),
            async { long.await.transpose() },
        )
        .await?;
        Ok(Some(Measured { recent, past, between, long }))
    }

    async fn series(&self, ask: &Ask, queries: &Queries, gaps: &mut Vec<String>) -> Result<Learned, CannotSay> {
        let requests = needed(&queries.requests, "requests", ask)?;
        let errors = needed(&queries.errors, "errors", ask)?;
        // A value at the end of a minute stands for that minute; the one that runs now is not over.
        let end = measure::floor(ask.to.min(ask.now), MINUTE);
        let from = measure::floor(ask.from, MINUTE).plus(MINUTE).max(end.plus(-(MOST_MINUTES - 1) * MINUTE));
        if end < from {
            return Ok(Learned::Series(super::Series::default()));
        }
        let range = |query| Range { query, start: from, end, step: MINUTE };
        let latency: OptionFuture<_> =
            queries.latency.as_deref().map(|query| self.api.range(range(query), Several::Highest)).into();
        let (requests, errors, latency) = try_join3(
            self.api.range(range(requests), Several::AddUp),
            self.api.range(range(errors), Several::AddUp),
            async { latency.await.transpose() },
        )
        .await?;
        let latency = latency.unwrap_or_default();
        note(gaps, "requests", &[&requests]);
        note(gaps, "errors", &[&errors]);
        note(gaps, "latency", &[&latency]);
        if errors.points.is_empty() && !requests.points.is_empty() {
            gaps.push("its errors query matches nothing in this time: no errors, or a wrong query".to_owned());
        }
        Ok(Learned::Series(measure::series(&requests, &errors, &latency)))
    }

    /// The graph, with names filled in; only a web address is passed on.
    fn link_for(&self, ask: &Ask) -> Option<String> {
        let part = |name: &str| url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>();
        let link = self.link.as_ref()?;
        let link = link
            .replace("{service}", &part(ask.service.as_str()))
            .replace("{environment}", &part(ask.environment.as_str()));
        (link.starts_with("https://") || link.starts_with("http://")).then_some(link)
    }
}

impl Source for Prometheus {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(self.answer(ask))
    }
}

/// What one query says of the last minutes, the same hours of a week, the last day, and four weeks.
#[derive(Default)]
struct Measured {
    recent: Values,
    past: Values,
    between: Values,
    long: Option<Values>,
}

impl Measured {
    fn ever(&self) -> bool {
        [&self.recent, &self.past, &self.between].iter().any(|values| !values.points.is_empty())
    }
}

fn needed<'a>(query: &'a Option<String>, what: &str, ask: &Ask) -> Result<&'a str, CannotSay> {
    query.as_deref().ok_or_else(|| CannotSay::because(format!("has no query for the {what} of `{}`", ask.service)))
}

fn note(gaps: &mut Vec<String>, what: &str, values: &[&Values]) {
    if values.iter().any(|values| values.partial) {
        gaps.push(format!("it says that its answer on {what} has gaps"));
    }
}
