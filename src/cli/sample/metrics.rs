//! What Harbor's metrics system answers: the part of Prometheus' HTTP API that a reader needs, over numbers that follow
//! the program's clock. It knows three kinds of question by their words, not the language.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::town::Town;
use crate::clock::{MINUTE, Millis, SECOND, Time};
use crate::config::Span;

/// As many as Prometheus gives for one series.
const MOST_POINTS: i64 = 11_000;
/// As long as Harbor keeps its metrics.
const KEPT_DAYS: i64 = 60;
/// The widest stretch that one point looks back on.
const WIDEST: i64 = 60;

/// A question that is understood.
#[derive(Clone, Debug, PartialEq)]
enum Asked {
    Number(f64),
    Series { what: What, service: String, environment: String, minutes: i64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Requests,
    Errors,
    Latency,
}

/// `/api/v1/query`: one value.
pub async fn query(State(town): State<Arc<Town>>, words: Words) -> Response {
    let at = match words.time("time") {
        Ok(at) => at.unwrap_or_else(|| town.now()),
        Err(refused) => return bad(&refused),
    };
    let asked = match words.asked() {
        Ok(asked) => asked,
        Err(refused) => return bad(&refused),
    };
    let result: Vec<Value> = value(&town, &asked, at)
        .map(|value| json!({"metric": labels(&asked), "value": [seconds(at), value.to_string()]}))
        .into_iter()
        .collect();
    success(json!({"resultType": "vector", "result": result}))
}

/// `/api/v1/query_range`: a value at each step.
pub async fn query_range(State(town): State<Arc<Town>>, words: Words) -> Response {
    let (start, end, step) = match (words.time("start"), words.time("end"), words.step()) {
        (Ok(Some(start)), Ok(Some(end)), Ok(step)) => (start, end, step),
        (Err(refused), ..) | (_, Err(refused), _) | (.., Err(refused)) => return bad(&refused),
        _ => return bad("invalid parameter \"start\" or \"end\": cannot parse \"\" to a valid timestamp"),
    };
    if end < start {
        return bad("invalid parameter \"end\": end timestamp must not be before start time");
    }
    if end.since(start) / step > MOST_POINTS {
        return bad(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
        );
    }
    let asked = match words.asked() {
        Ok(asked) => asked,
        Err(refused) => return bad(&refused),
    };
    let moments = (0..=end.since(start) / step).map(|n| start.plus(n * step));
    let values: Vec<Value> =
        moments.filter_map(|at| Some(json!([seconds(at), value(&town, &asked, at)?.to_string()]))).collect();
    let result = if values.is_empty() { json!([]) } else { json!([{"metric": labels(&asked), "values": values}]) };
    success(json!({"resultType": "matrix", "result": result}))
}

/// `/api/v1/status/buildinfo`: that it is there.
pub async fn build_info() -> Response {
    success(json!({"version": "2.53.0", "revision": "sample", "branch": "HEAD", "goVersion": ""}))
}

/// Why a question is not answered, in Prometheus' manner.
type Refused = String;

/// Parameters of the address or, with POST, of the form in the body.
#[derive(Clone, Debug)]
pub struct Words(HashMap<String, String>);

impl<S: Sync> axum::extract::FromRequest<S> for Words {
    type Rejection = Response;

    async fn from_request(request: axum::extract::Request, _: &S) -> Result<Words, Response> {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 64 << 10).await.map_err(|_| bad("the body is too long"))?;
        let address = head.uri.query().unwrap_or_default().as_bytes();
        let read = |text: &[u8]| url::form_urlencoded::parse(text).into_owned().collect::<Vec<(String, String)>>();
        Ok(Words(read(address).into_iter().chain(read(&body)).collect()))
    }
}

impl Words {
    fn asked(&self) -> Result<Asked, Refused> {
        let text = self.0.get("query").map(String::as_str).unwrap_or_default();
        understand(text).ok_or_else(|| "invalid parameter \"query\": the sample does not know this query".to_owned())
    }

    /// Seconds since 1970, or RFC 3339.
    fn time(&self, name: &str) -> Result<Option<Time>, Refused> {
        let Some(text) = self.0.get(name) else { return Ok(None) };
        let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite());
        let time = seconds.map(|seconds| Time::from_ms((seconds * 1_000.0) as i64));
        match time.or_else(|| Time::parse_rfc3339(text)) {
            Some(time) => Ok(Some(time)),
            None => Err(format!("invalid parameter \"{name}\": cannot parse it to a valid timestamp")),
        }
    }

    /// Seconds, or a length such as `1m`.
    fn step(&self) -> Result<Millis, Refused> {
        let text = self.0.get("step").map(String::as_str).unwrap_or_default();
        let seconds = text.parse::<f64>().ok().map(|seconds| (seconds * 1_000.0) as i64);
        let step = seconds.or_else(|| Span::parse(text).map(Span::ms)).filter(|ms| *ms >= SECOND);
        step.ok_or_else(|| "invalid parameter \"step\": cannot parse it to a valid duration".to_owned())
    }
}

/// What a query asks, by its labels and words.
fn understand(query: &str) -> Option<Asked> {
    let bare = query.trim();
    let number = bare.strip_prefix("vector(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(bare);
    if let Ok(number) = number.trim().parse::<f64>() {
        return Some(Asked::Number(number));
    }
    let what = if query.contains("duration") {
        What::Latency
    } else if query.contains("5..") {
        What::Errors
    } else if query.contains("http_requests_total") {
        What::Requests
    } else {
        return None;
    };
    let (service, environment) = (label(query, "service")?, label(query, "environment")?);
    // The first stretch is the innermost: the one of `rate`.
    let stretch = query.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(stretch, _)| stretch);
    let stretch = stretch.and_then(|text| Span::parse(text.split(':').next().unwrap_or(text)));
    let minutes = stretch.map_or(1, |span| span.ms() / MINUTE).clamp(1, WIDEST);
    Some(Asked::Series { what, service, environment, minutes })
}

fn label(query: &str, name: &str) -> Option<String> {
    let (_, rest) = query.split_once(&format!("{name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(value.to_owned())
}

/// The value at a moment: over the whole minutes before it, as a rate per second. None: no data.
fn value(town: &Town, asked: &Asked, at: Time) -> Option<f64> {
    let (what, service, environment, minutes) = match asked {
        Asked::Number(number) => return Some(*number),
        Asked::Series { what, service, environment, minutes } => (*what, service, environment, *minutes),
    };
    let now = town.now();
    // Prometheus itself carries the last sample on for five minutes.
    if at > now.plus(5 * MINUTE) || at < now.plus(-KEPT_DAYS * crate::clock::DAY) {
        return None;
    }
    let at = at.min(now);
    let fared = (1..=minutes).filter_map(|back| town.fared(service, environment, at.plus(-back * MINUTE + 1)));
    let (mut n, mut sum) = (0.0, 0.0);
    for minute in fared {
        n += 1.0;
        sum += match what {
            What::Requests => minute.requests / 60.0,
            What::Errors => minute.errors / 60.0,
            What::Latency => minute.latency,
        };
    }
    (n > 0.0).then(|| (sum / n * 1e6).round() / 1e6)
}

fn labels(asked: &Asked) -> Value {
    match asked {
        Asked::Number(_) => json!({}),
        Asked::Series { service, environment, .. } => json!({"service": service, "environment": environment}),
    }
}

fn seconds(at: Time) -> f64 {
    at.ms() as f64 / 1_000.0
}

fn success(data: Value) -> Response {
    Json(json!({"status": "success", "data": data})).into_response()
}

fn bad(why: &str) -> Response {
    let body = json!({"status": "error", "errorType": "bad_data", "error": why});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_known_by_their_words() {
        let requests = "sum(rate(http_requests_total{service=\"checkout\",environment=\"production\"}[5m]))";
        let series = |what, minutes| {
            let (service, environment) = ("checkout".to_owned(), "production".to_owned());
            Some(Asked::Series { what, service, environment, minutes })
        };
        assert_eq!(understand(requests), series(What::Requests, 5));
        let errors =
            "sum(rate(http_requests_total{service=\"checkout\",environment=\"production\",code=~\"5..\"}[1m]))";
        assert_eq!(understand(errors), series(What::Errors, 1));
        assert_eq!(understand(&format!("avg_over_time(({requests})[1h:5m])")), series(What::Requests, 5));
        assert_eq!(understand("vector(1)"), Some(Asked::Number(1.0)));
        assert_eq!(understand("up"), None);
        assert_eq!(understand("sum(rate(http_requests_total[5m]))"), None);
    }
}
