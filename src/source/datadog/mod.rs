//! Datadog: how busy a service is and usually is, how it is doing, minute by minute, from queries of metrics; and which
//! deployments it was told of.
//!
//! Read only: <https://docs.datadoghq.com/api/latest/metrics/query-timeseries-points/>.

mod deployments;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use futures::future::{BoxFuture, try_join_all};
use serde::Deserialize;

use self::deployments::Names;
use crate::clock::{HOUR, Millis, SECOND, Time};
use crate::config::Secret;
use crate::name::{Environment, Service, SourceName};
use crate::source::called::Called;
use crate::source::metrics::{Metrics, Queries, Range, Several, Values};
use crate::source::rest::{Credential, Rest};
use crate::source::{Answer, Ask, CannotSay, Kind, Opening, Question, Source};

/// So many steps are asked for at once: Datadog makes longer answers coarser.
const MOST_STEPS: i64 = 1_000;

/// Metrics in Datadog.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// Where the account lives: `datadoghq.com`, `datadoghq.eu`, `us3.datadoghq.com`, …
    #[serde(default = "site")]
    site: String,
    /// The API, where it is reached by another address than `https://api.SITE`.
    #[serde(default)]
    url: Option<url::Url>,
    api_key: Secret,
    application_key: Secret,
    /// Requests per second; `{service}` and `{environment}` are filled in, and `{step}`, the seconds between two values.
    #[serde(default)]
    requests: Option<String>,
    #[serde(default)]
    errors: Option<String>,
    #[serde(default)]
    latency: Option<String>,
    #[serde(default)]
    link: Option<String>,
    /// Whether DORA Metrics are asked for deployment events.
    #[serde(default)]
    deployments: bool,
    /// What services are called in them; one or several names each.
    #[serde(default)]
    map: Called,
    /// What environments are called in them.
    #[serde(default)]
    environment_keys: BTreeMap<Environment, String>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        let mut all = vec![Question::Load, Question::Health, Question::Series];
        all.extend(self.deployments.then_some(Question::Deployments));
        all
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        let is_host = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        if self.site.is_empty() || !self.site.chars().all(is_host) {
            bail!("`site` is a name such as `datadoghq.eu`");
        }
        let base = match &self.url {
            Some(url) => url.clone(),
            None => format!("https://api.{}", self.site).parse()?,
        };
        let keys = [("dd-api-key", "", self.api_key.clone()), ("dd-application-key", "", self.application_key.clone())];
        Ok(Arc::new(Datadog {
            name: opening.settings.name.clone(),
            queries: Queries {
                requests: self.requests.clone(),
                errors: self.errors.clone(),
                latency: self.latency.clone(),
            },
            link: self.link.clone(),
            names: Names { services: self.map.clone(), environments: self.environment_keys.clone() },
            api: Rest::open(opening, "Datadog", &base, Credential::Headers(keys.into()))?,
        }))
    }
}

struct Datadog {
    name: SourceName,
    queries: Queries,
    link: Option<String>,
    names: Names,
    api: Rest,
}

impl fmt::Debug for Datadog {
    /// The name alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Datadog").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
struct Reply {
    /// `ok`, or what it calls an error in spite of its 200.
    status: String,
    #[serde(default)]
    series: Vec<Told>,
}

#[derive(Debug, Deserialize)]
struct Told {
    /// Milliseconds since 1970 at which a step begins, and its value.
    #[serde(default)]
    pointlist: Vec<(f64, Option<f64>)>,
    /// How long each value stands: milliseconds by the description, seconds as it is seen.
    #[serde(default)]
    interval: Option<i64>,
}

impl Datadog {
    async fn answer(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let own = ask.settings.service.get(&ask.service).map(|service| &service.health);
        let queries = self.queries.filled(own, &ask.service, &ask.environment, fill)?;
        let read = |range, several| self.read(range, several);
        let metrics = Metrics { ask, queries: &queries, target_pct: own.and_then(|own| own.target_pct), read: &read };
        metrics.answer(self.link.as_deref()).await
    }

    fn read<'a>(&'a self, range: Range<'a>, several: Several) -> BoxFuture<'a, Result<Values, CannotSay>> {
        Box::pin(self.range(range, several))
    }

    /// A value at the end of each step, piece by piece.
    async fn range(&self, range: Range<'_>, several: Several) -> Result<Values, CannotSay> {
        if range.step < SECOND || range.end < range.start {
            return Err(CannotSay::because("was asked for a stretch of time that makes no sense"));
        }
        let steps = range.end.since(range.start) / range.step + 1;
        let pieces = (0..steps).step_by(usize::try_from(MOST_STEPS).unwrap_or(usize::MAX)).map(|first| {
            let last = (first + MOST_STEPS).min(steps) - 1;
            let at = |step: i64| range.start.plus(step * range.step);
            self.piece(Range { start: at(first), end: at(last), ..range }, several)
        });
        let mut all = Values::default();
        for values in try_join_all(pieces).await? {
            all.points.extend(values.points);
            all.series = all.series.max(values.series);
        }
        Ok(all)
    }

    async fn piece(&self, range: Range<'_>, several: Several) -> Result<Values, CannotSay> {
        let query = range.query.replace("{step}", &(range.step / SECOND).to_string());
        let seconds = |at: Time| at.ms().div_euclid(SECOND).to_string();
        // A value at the end of a step stands for that step, so the first one begins a step earlier.
        let (from, to) = (seconds(range.start.plus(-range.step)), seconds(range.end));
        let asked = [("from", from.as_str()), ("to", &to), ("query", &query)];
        let reply: Reply = self.api.get(&["api", "v1", "query"], &asked).await?;
        if reply.status != "ok" {
            return Err(CannotSay::because("does not understand the query, or could not work it out"));
        }
        Ok(values(&reply.series, range, several))
    }
}

impl Told {
    /// How long each value stands. Who asks for a step gets it.
    fn length(&self, range: Range<'_>) -> Millis {
        match self.interval {
            _ if range.query.contains("{step}") => range.step,
            None => range.step,
            // No step that Datadog chooses is a multiple of a thousand seconds.
            Some(ms) if ms % SECOND == 0 => ms,
            Some(seconds) => seconds.saturating_mul(SECOND),
        }
    }
}

impl Source for Datadog {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            match ask.question {
                Question::Deployments => self.deployments(ask).await,
                _ => self.answer(ask).await,
            }
        })
    }
}

/// Values at the steps of a range. One that stands for several steps counts in each, several in one step count as their
/// mean; a step that is not over when the range ends has none.
fn values(told: &[Told], range: Range<'_>, several: Several) -> Values {
    let last = range.end.since(range.start) / range.step;
    let mut joined: BTreeMap<i64, f64> = BTreeMap::new();
    let mut series = 0;
    for told in told {
        let length = told.length(range).clamp(SECOND, (last + 2).saturating_mul(range.step));
        let mut steps: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
        for (at, value) in &told.pointlist {
            let Some(value) = value.filter(|value| value.is_finite() && (0.0..1e15).contains(at)) else { continue };
            let begins = Time::from_ms(at.round() as i64);
            let (begins, ends) = (begins.since(range.start), begins.since(range.start) + length);
            let (first, to) = if length > range.step {
                (begins.div_euclid(range.step) + 1, ends.div_euclid(range.step))
            } else {
                // The step in which it ends; of hours, which are taken at half past, the one around that.
                let stands = if range.step >= HOUR { begins + length / 2 } else { ends };
                let step = -(-stands).div_euclid(range.step);
                (step, step)
            };
            for step in first.max(0)..=to.min(last) {
                let held = steps.entry(step).or_default();
                *held = (held.0 + value, held.1 + 1.0);
            }
        }
        series += usize::from(!steps.is_empty());
        for (step, (sum, n)) in steps {
            let value = sum / n;
            joined
                .entry(step)
                .and_modify(|held| match several {
                    Several::AddUp => *held += value,
                    Several::Highest => *held = held.max(value),
                })
                .or_insert(value);
        }
    }
    let at = |step: i64| range.start.plus(step * range.step);
    Values { points: joined.into_iter().map(|(step, value)| (at(step), value)).collect(), series, partial: false }
}

/// Puts the names where `{service}` and `{environment}` stand: values of tags, which nothing quotes. The error is a fragment.
fn fill(template: &str, service: &Service, environment: &Environment) -> Result<String, String> {
    let is_tag = |name: &str| name.chars().all(|c| c.is_alphanumeric() || "_-:./".contains(c));
    for (mark, name) in [("{service}", service.as_str()), ("{environment}", environment.as_str())] {
        if template.contains(mark) && !is_tag(name) {
            return Err("the value of a tag may have letters, digits and `_-:./` only".to_owned());
        }
    }
    // What fits a tag has no braces, so that a name cannot bring a mark of its own.
    Ok(template.replace("{service}", service.as_str()).replace("{environment}", environment.as_str()))
}

fn site() -> String {
    "datadoghq.com".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::MINUTE;

    fn points(told: &[Told], step: Millis) -> Vec<(i64, f64)> {
        let (start, end) = (Time::from_ms(10 * MINUTE), Time::from_ms(14 * MINUTE));
        let range = Range { query: "", start, end, step };
        values(told, range, Several::AddUp).points.iter().map(|(at, value)| (at.ms() / MINUTE, *value)).collect()
    }

    fn told(interval: i64, points: &[(i64, f64)]) -> Told {
        let pointlist = points.iter().map(|(minute, value)| ((minute * MINUTE) as f64, Some(*value))).collect();
        Told { pointlist, interval: Some(interval) }
    }

    #[test]
    fn a_value_stands_at_the_end_of_its_step() {
        let told = [told(MINUTE, &[(9, 1.0), (10, 2.0), (12, 3.0), (14, 9.0)]), told(MINUTE, &[(10, 0.5)])];
        assert_eq!(points(&told, MINUTE), [(10, 1.0), (11, 2.5), (13, 3.0)], "the minute that runs is not over");
    }

    #[test]
    fn a_coarse_value_counts_in_each_step_and_fine_ones_as_their_mean() {
        assert_eq!(points(&[told(2 * MINUTE, &[(10, 4.0)])], MINUTE), [(11, 4.0), (12, 4.0)]);
        assert_eq!(points(&[told(120, &[(10, 4.0)])], MINUTE), [(11, 4.0), (12, 4.0)], "seconds");
        assert_eq!(points(&[told(MINUTE, &[(10, 1.0), (11, 3.0)])], 2 * MINUTE), [(12, 2.0)]);
        assert_eq!(points(&[told(i64::MAX - 1, &[(12, 1.0)])], MINUTE), [(13, 1.0), (14, 1.0)]);
        let rubbish = Told { pointlist: vec![(f64::NAN, Some(1.0)), (1e300, Some(1.0)), (6e5, None)], interval: None };
        assert_eq!(points(&[rubbish], MINUTE), []);
    }

    #[test]
    fn only_the_value_of_a_tag_is_filled_in() {
        let filled =
            |service: &str| fill("sum:hits{service:{service},env:{environment}}", &service.into(), &"prod".into());
        assert_eq!(filled("check-out").unwrap(), "sum:hits{service:check-out,env:prod}");
        assert!(filled("a} or {b").is_err() && filled("a,b").is_err() && filled("{environment}").is_err());
    }
}
