//! What systems that keep values over time say of a service: how busy it is and usually is, how it is doing, minute by
//! minute. One reading for all of them; each system brings how a range of values is asked for.
//!
//! Requests and errors are rates per second, latency is in seconds; several series of one query are added up. Nothing
//! measured is nothing known: absent times stay absent.

pub mod measure;

use futures::future::{BoxFuture, OptionFuture, try_join3, try_join4};

use super::{Answer, Ask, CannotSay, Learned, Question, Series};
use crate::advice::facts::Health;
use crate::clock::{DAY, HOUR, MINUTE, Millis, Time};
use crate::config::HealthQueries;
use crate::message::is_web;
use crate::name::{Environment, Service};

/// What the usual week and the error budget rest on.
const PROFILE: Millis = 28 * DAY;
/// What "now" is.
const NOW: Millis = 5 * MINUTE;
/// What health is judged by.
const RECENT: Millis = 10 * MINUTE;
/// The most minutes of one series: of a longer time the newest.
const MOST_MINUTES: i64 = 3_000;

/// The queries of one service: its own, and the source's where it has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queries {
    pub requests: Option<String>,
    pub errors: Option<String>,
    pub latency: Option<String>,
}

impl Queries {
    /// Fills in the names in the way of the system (`fill`, whose error is a fragment); the error says which query they
    /// do not fit into.
    pub fn filled(
        &self,
        own: Option<&HealthQueries>,
        service: &Service,
        environment: &Environment,
        fill: fn(&str, &Service, &Environment) -> Result<String, String>,
    ) -> Result<Queries, CannotSay> {
        let fill_one = |which: &str, own: Option<&String>, general: Option<&String>| {
            let Some(template) = own.or(general) else { return Ok(None) };
            fill(template, service, environment)
                .map(Some)
                .map_err(|why| CannotSay::because(format!("has a query for `{which}` that does not fit: {why}")))
        };
        Ok(Queries {
            requests: fill_one("requests", own.and_then(|o| o.requests.as_ref()), self.requests.as_ref())?,
            errors: fill_one("errors", own.and_then(|o| o.errors.as_ref()), self.errors.as_ref())?,
            latency: fill_one("latency", own.and_then(|o| o.latency.as_ref()), self.latency.as_ref())?,
        })
    }
}

/// One query over a stretch of time, both ends included.
#[derive(Clone, Copy, Debug)]
pub struct Range<'a> {
    pub query: &'a str,
    pub start: Time,
    pub end: Time,
    pub step: Millis,
}

/// The values of a query, added up over its series; times without a value are absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    /// In order of time; finite only.
    pub points: Vec<(Time, f64)>,
    /// How many series the query gave.
    pub series: usize,
    /// Whether the server said that its answer has gaps.
    pub partial: bool,
}

/// What becomes of several series at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Several {
    AddUp,
    Highest,
}

/// How a system is asked for values at both ends of a range and at each step between. A value stands for the step before
/// it; one of an hour, taken at half past, for that hour.
pub type Read<'a> = dyn Fn(Range<'a>, Several) -> BoxFuture<'a, Result<Values, CannotSay>> + Send + Sync + 'a;

/// One question about one service, and the system that is asked.
pub struct Metrics<'a> {
    pub ask: &'a Ask,
    pub queries: &'a Queries,
    /// The share of requests that is to succeed, in per cent.
    pub target_pct: Option<f64>,
    pub read: &'a Read<'a>,
}

impl<'a> Metrics<'a> {
    /// Answers load, health and series. `link` is a graph, with marks for service and environment.
    pub async fn answer(&self, link: Option<&str>) -> Result<Answer, CannotSay> {
        let mut incomplete = Vec::new();
        let learned = match self.ask.question {
            Question::Load => self.load(&mut incomplete).await?,
            Question::Health => self.health(&mut incomplete).await?,
            Question::Series => self.series(&mut incomplete).await?,
            _ => return Err(CannotSay::because("was not set up for this question")),
        };
        incomplete.dedup();
        Ok(Answer { learned, at: self.ask.now, link: self.link(link), incomplete })
    }

    async fn load(&self, gaps: &mut Vec<String>) -> Result<Learned, CannotSay> {
        let ask = self.ask;
        let query = needed(&self.queries.requests, "requests", ask)?;
        // Half past stands for its hour.
        let last = measure::floor(ask.now.plus(-HOUR / 2), HOUR).plus(HOUR / 2);
        let hourly = Range { query, start: last.plus(HOUR - PROFILE), end: last, step: HOUR };
        let recent = Range { query, start: ask.now.plus(-NOW), end: ask.now, step: MINUTE };
        let (hourly, recent) =
            futures::future::try_join((self.read)(hourly, Several::AddUp), (self.read)(recent, Several::AddUp)).await?;
        if hourly.points.is_empty() && recent.points.is_empty() {
            return Err(CannotSay::because(format!(
                "has no data on the requests of `{}` in the last 28 days",
                ask.service
            )));
        }
        note(gaps, "requests", &[&hourly, &recent]);
        Ok(Learned::Load(measure::load(&hourly, &recent)))
    }

    async fn health(&self, gaps: &mut Vec<String>) -> Result<Learned, CannotSay> {
        let (ask, queries) = (self.ask, self.queries);
        if queries.requests.is_none() && queries.latency.is_none() {
            return Err(CannotSay::because(format!("has no query for the health of `{}`", ask.service)));
        }
        let now = ask.now;
        let budget = self.target_pct.filter(|_| queries.errors.is_some());
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

    /// Everything that health is judged by, of one query.
    async fn measured(
        &self,
        query: Option<&'a str>,
        several: Several,
        long: bool,
        now: Time,
    ) -> Result<Option<Measured>, CannotSay> {
        let Some(query) = query else { return Ok(None) };
        let range = |from: Millis, to: Millis, step| Range { query, start: now.plus(-from), end: now.plus(-to), step };
        let long: OptionFuture<_> = long.then(|| (self.read)(range(PROFILE, 0, HOUR), several)).into();
        let (recent, past, between, long) = try_join4(
            (self.read)(range(RECENT, 0, MINUTE), several),
            (self.read)(range(7 * DAY + HOUR / 2, DAY - HOUR / 2, 10 * MINUTE), several),
            (self.read)(range(DAY, RECENT, 5 * MINUTE), several),
            async { long.await.transpose() },
        )
        .await?;
        Ok(Some(Measured { recent, past, between, long }))
    }

    async fn series(&self, gaps: &mut Vec<String>) -> Result<Learned, CannotSay> {
        let (ask, queries) = (self.ask, self.queries);
        let requests = needed(&queries.requests, "requests", ask)?;
        let errors = needed(&queries.errors, "errors", ask)?;
        // A value at the end of a minute stands for that minute; the one that runs now is not over.
        let end = measure::floor(ask.to.min(ask.now), MINUTE);
        let from = measure::floor(ask.from, MINUTE).plus(MINUTE).max(end.plus(-(MOST_MINUTES - 1) * MINUTE));
        if end < from {
            return Ok(Learned::Series(Series::default()));
        }
        let range = |query| Range { query, start: from, end, step: MINUTE };
        let latency: OptionFuture<_> =
            queries.latency.as_deref().map(|query| (self.read)(range(query), Several::Highest)).into();
        let (requests, errors, latency) = try_join3(
            (self.read)(range(requests), Several::AddUp),
            (self.read)(range(errors), Several::AddUp),
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
    fn link(&self, link: Option<&str>) -> Option<String> {
        let part = |name: &str| url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>();
        let link = link?;
        let link = link
            .replace("{service}", &part(self.ask.service.as_str()))
            .replace("{environment}", &part(self.ask.environment.as_str()));
        is_web(&link).then_some(link)
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

/// Says of answers that say so themselves that they have gaps.
pub fn note(gaps: &mut Vec<String>, what: &str, values: &[&Values]) {
    if values.iter().any(|values| values.partial) {
        gaps.push(format!("it says that its answer on {what} has gaps"));
    }
}
