//! Prometheus: how busy a service is and usually is, how it is doing, minute by minute.
//!
//! Requests and errors are rates per second, latency is in seconds; several series of one query are added up. Nothing
//! measured is nothing known: absent times stay absent. A service whose targets are not reached is unknown.

mod api;
mod query;

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

use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::{Health, Support};
use crate::clock::{DAY, HOUR, MINUTE, Millis, Time};
/// What the usual week and the error budget rest on.
const PROFILE: Millis = 28 * DAY;
/// What "now" is.
const NOW: Millis = 5 * MINUTE;
/// What health is judged by.
const RECENT: Millis = 10 * MINUTE;
/// The longest time of which tickets are counted.
const LONGEST_SUPPORT: Millis = 120 * DAY;
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
    /// How many support tickets came in the day before the moment asked for.
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
            api: Api { rest: Rest::open(opening, "Prometheus", &self.url, credential)?.headers(&self.headers)? },
            tickets: self.tickets.clone(),
            api: Api { rest: Rest::open(opening, "Prometheus", &self.url, credential)? },
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
        let queries = self.queries.filled(own, &ask.service, &ask.environment)?;
        let mut incomplete = Vec::new();
        let learned = match ask.question {
            Question::Load => self.load(ask, &queries, &mut incomplete).await?,
            Question::Health => {
                let target = own.and_then(|own| own.target_pct);
                self.health(ask, &queries, target, &mut incomplete).await?
            }
            Question::Series => self.series(ask, &queries, &mut incomplete).await?,
            Question::Support => self.support(ask, &mut incomplete).await?,
            _ => return Err(CannotSay::because("was not set up for this question")),
        };
        incomplete.dedup();
        Ok(Answer { learned, at: ask.now, link: self.link_for(ask), incomplete })
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

    /// Tickets by day: a value at midnight stands for the day that ends there.
    async fn support(&self, ask: &Ask, gaps: &mut Vec<String>) -> Result<Learned, CannotSay> {
        let query = needed(&self.tickets, "tickets", ask)?;
        let query = query::fill(query, &ask.service, &ask.environment)
            .map_err(|why| CannotSay::because(format!("has a query for `tickets` that does not fit: {why}")))?;
        let end = measure::floor(ask.to.min(ask.now), DAY);
        let start = measure::floor(ask.from, DAY).plus(DAY).max(end.plus(-LONGEST_SUPPORT));
        let values = self.api.range(Range { query: &query, start, end, step: DAY }, Several::AddUp).await?;
        if values.points.is_empty() {
            return Err(CannotSay::because(format!("has no data on the tickets of `{}`", ask.service)));
        }
        note(gaps, "tickets", &[&values]);
        let counted = |(at, n): &(Time, f64)| (at.plus(-DAY), n.clamp(0.0, f64::from(u32::MAX)).round() as u32);
        let days: Vec<(Time, u32)> = values.points.iter().map(counted).collect();
        let expected = end.since(start) / DAY + 1;
        if i64::try_from(days.len()).is_ok_and(|days| days < expected) {
            gaps.push(format!("it counted tickets on {} of {expected} days", days.len()));
        }
        Ok(Learned::Support(Support { unit: "tickets by its metric".to_owned(), days }))
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
