//! The two things that are asked of Prometheus' HTTP API: a range of values, and nothing else.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries>

use serde::Deserialize;

use crate::clock::{SECOND, Time};
use crate::source::metrics::{Range, Several, Values};
use crate::source::rest::{Asked, Rest};
use crate::source::{CannotSay, unreached};

/// Prometheus itself refuses more points than this.
pub const MOST_POINTS: i64 = 11_000;

/// Where to ask.
pub struct Api {
    pub rest: Rest,
}

impl Api {
    pub async fn range(&self, range: Range<'_>, several: Several) -> Result<Values, CannotSay> {
        if range.step <= 0 || range.end < range.start || range.end.since(range.start) / range.step > MOST_POINTS {
            return Err(CannotSay::because("was asked for a stretch of time that makes no sense"));
        }
        let seconds = |ms: i64| format!("{}.{:03}", ms / SECOND, ms % SECOND);
        let (start, end, step) = (seconds(range.start.ms()), seconds(range.end.ms()), seconds(range.step));
        let query = [("query", range.query), ("start", &start), ("end", &end), ("step", &step)];
        let asked = Asked { path: &["api", "v1", "query_range"], query: &query, ..Asked::default() };
        // Prometheus explains errors in the body, whatever the status.
        let received = self.rest.send(asked).await?;
        parse(received.status, &received.body, several)
    }
}

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Reply {
    Success {
        data: Data,
        #[serde(default)]
        warnings: Vec<serde::de::IgnoredAny>,
    },
    Error {
        #[serde(rename = "errorType", default)]
        kind: String,
    },
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: Vec<SeriesOf>,
}

#[derive(Deserialize)]
struct SeriesOf {
    #[serde(default)]
    values: Vec<(f64, String)>,
}

/// Reads an answer of the API; what a server says in words of its own is not passed on.
fn parse(status: reqwest::StatusCode, body: &[u8], several: Several) -> Result<Values, CannotSay> {
    let reply: Result<Reply, _> = serde_json::from_slice(body);
    match reply {
        Ok(Reply::Success { data, warnings }) if status.is_success() => {
            if data.kind != "matrix" {
                return Err(CannotSay::because("answered with something else than values over time"));
            }
            let mut values = merge(&data.result, several)?;
            values.partial = !warnings.is_empty();
            Ok(values)
        }
        Ok(Reply::Error { kind }) => Err(CannotSay::because(match kind.as_str() {
            "bad_data" => "does not understand the query".to_owned(),
            "timeout" => "gave up on the query: it takes too long".to_owned(),
            "canceled" => "broke the query off".to_owned(),
            "execution" => "could not work the query out".to_owned(),
            "unavailable" => "is not ready yet".to_owned(),
            "not_found" => "has no such thing".to_owned(),
            _ if status.is_success() => "answered with an error".to_owned(),
            _ => unreached::refused(status),
        })),
        _ if !status.is_success() => Err(CannotSay::because(unreached::refused(status))),
        _ if body.trim_ascii_start().starts_with(b"<") => {
            Err(CannotSay::because("answered with a web page instead of data"))
        }
        _ => Err(CannotSay::because("answered with something that is not Prometheus' format")),
    }
}

/// Joins the series by time. NaN, infinite and stale values are no values.
fn merge(result: &[SeriesOf], several: Several) -> Result<Values, CannotSay> {
    let mut joined = std::collections::BTreeMap::<Time, f64>::new();
    for (seconds, text) in result.iter().flat_map(|series| &series.values) {
        let value: f64 =
            text.parse().map_err(|_| CannotSay::because("answered with something that is not a number"))?;
        if !seconds.is_finite() || !value.is_finite() {
            continue;
        }
        let at = Time::from_ms((seconds * 1000.0).round() as i64);
        let held = joined.entry(at).or_insert(match several {
            Several::AddUp => 0.0,
            Several::Highest => value,
        });
        *held = match several {
            Several::AddUp => *held + value,
            Several::Highest => held.max(value),
        };
    }
    joined.retain(|_, value| value.is_finite());
    let series = result.iter().filter(|series| !series.values.is_empty()).count();
    Ok(Values { points: joined.into_iter().collect(), series, partial: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;

    fn ok(body: &str) -> Result<Values, CannotSay> {
        parse(StatusCode::OK, body.as_bytes(), Several::AddUp)
    }

    #[test]
    fn series_are_added_up_and_what_is_no_number_is_absent() {
        let body = r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"a":"1"},"values":[[60,"1.5"],[120,"NaN"],[180.5,"+Inf"],[240,"2"]]},
            {"metric":{},"values":[[60,"1"],[300,"-Inf"]]}]}}"#;
        let values = ok(body).unwrap();
        assert_eq!(values.points, [(Time::from_ms(60_000), 2.5), (Time::from_ms(240_000), 2.0)]);
        assert_eq!((values.series, values.partial), (2, false));
        let highest = parse(StatusCode::OK, body.as_bytes(), Several::Highest).unwrap();
        assert_eq!(highest.points[0].1, 1.5);
    }

    #[test]
    fn an_empty_answer_has_no_values_and_is_not_zero() {
        let values = ok(r#"{"status":"success","data":{"resultType":"matrix","result":[]},"warnings":["x"]}"#).unwrap();
        assert_eq!(values, Values { points: Vec::new(), series: 0, partial: true });
    }

    #[test]
    fn every_broken_answer_is_a_clear_sentence_without_the_servers_words() {
        let bad = |status: u16, body: &str| {
            parse(StatusCode::from_u16(status).unwrap(), body.as_bytes(), Several::AddUp).unwrap_err().0
        };
        let refused = r#"{"status":"error","errorType":"bad_data","error":"secret <!channel>"}"#;
        assert_eq!(bad(400, refused), "does not understand the query");
        assert_eq!(bad(200, r#"{"status":"error","errorType":"strange"}"#), "answered with an error");
        assert_eq!(bad(401, "nope"), "refused the token (401)");
        assert_eq!(bad(503, "<html>"), "answered with an error (503)");
        assert_eq!(bad(302, ""), "answered with a redirect (302), which is not followed");
        assert_eq!(bad(200, " <html>sign in"), "answered with a web page instead of data");
        for rubbish in [
            "",
            "nothing",
            "[]",
            "{}",
            r#"{"status":"success"}"#,
            r#"{"status":"success","data":{"resultType":"matrix","result":[{"values":[["a",1]]}]}}"#,
            r#"{"status":"success","data":{"resultType":"matrix","result":{}}}"#,
        ] {
            assert_eq!(bad(200, rubbish), "answered with something that is not Prometheus' format", "{rubbish}");
        }
        let vector = r#"{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]}]}}"#;
        assert_eq!(bad(200, vector), "answered with something else than values over time");
        let word = r#"{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1,"x"]]}]}}"#;
        assert_eq!(bad(200, word), "answered with something that is not a number");
    }
}
