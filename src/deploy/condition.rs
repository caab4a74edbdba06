//! Conditions that planners write and the watch can evaluate: `errors > 2 % for 5m`, `latency below 800 ms`.

use serde::{Deserialize, Serialize};

use crate::clock::{MINUTE, Millis};
use crate::config::Span;

/// One condition that reads. What does not read is left to humans, and a check says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// As the planner wrote it.
    pub text: String,
    pub of: Measure,
    pub above: bool,
    /// A share of 1 for errors, milliseconds for latency, requests a minute for traffic.
    pub limit: f64,
    /// For how long it must hold.
    pub span: Millis,
    /// True: it calls for the rollback when it holds. False: it is a criterion of success, and fails when it does not.
    pub calls_back: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    Errors,
    Latency,
    Traffic,
}

/// Reads every condition of a text; they are separated by commas, semicolons, `or`, `and` or lines.
pub fn read_conditions(text: &str, calls_back: bool) -> Vec<Condition> {
    let text: String = text.chars().take(2_000).collect::<String>().to_lowercase();
    let parts = text.replace(" or ", ";").replace(" and ", ";").replace(['\n', ','], ";");
    parts.split(';').filter_map(|part| read_one(part.trim(), calls_back)).take(8).collect()
}

fn read_one(text: &str, calls_back: bool) -> Option<Condition> {
    let of = if ["error", "failure", "5xx", "fail rate"].iter().any(|word| text.contains(word)) {
        Measure::Errors
    } else if ["latency", "p95", "p99", "p50", "response time", "slower", "duration"].iter().any(|word| text.contains(word)) {
        Measure::Latency
    } else if ["traffic", "requests", "rps"].iter().any(|word| text.contains(word)) {
        Measure::Traffic
    } else {
        return None;
    };
    let signs = [(">", true), ("above", true), ("over", true), ("more than", true), ("exceed", true), ("<", false), ("below", false), ("under", false), ("less than", false)];
    let (place, sign, above) = signs.iter().filter_map(|(sign, above)| text.find(sign).map(|at| (at, *sign, *above))).min_by_key(|(at, ..)| *at)?;
    let rest = text.get(place + sign.len()..)?.trim_start_matches(['=', 's', ' ']).trim_start();
    let digits: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let number: f64 = digits.parse().ok().filter(|n: &f64| n.is_finite())?;
    let unit = rest.get(digits.len()..)?.trim_start();
    let limit = match of {
        Measure::Errors if unit.starts_with('%') || unit.starts_with("percent") || number > 1.0 => number / 100.0,
        Measure::Errors => number,
        Measure::Latency if unit.starts_with("ms") || unit.starts_with("milli") => number,
        Measure::Latency if unit.starts_with('s') => number * 1_000.0,
        Measure::Latency => number,
        Measure::Traffic if unit.contains("/s") || unit.contains("per second") || text.contains("rps") => number * 60.0,
        Measure::Traffic => number,
    };
    let span = text.split(" for ").nth(1).and_then(|span| {
        let words: String = span.split_whitespace().take(2).collect::<Vec<_>>().join("");
        Span::parse(&words).or_else(|| Span::parse(span.split_whitespace().next()?))
    });
    let span = span.map_or(5 * MINUTE, Span::ms).clamp(MINUTE, 60 * MINUTE);
    Some(Condition { text: text.to_owned(), of, above, limit, span, calls_back })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_as_people_write_them() {
        let read = read_conditions("errors > 2 % for 5m, or p95 latency above 1.5 s for 10 min", true);
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].of, read[0].limit, read[0].span), (Measure::Errors, 0.02, 5 * MINUTE));
        assert_eq!((read[1].of, read[1].limit, read[1].span), (Measure::Latency, 1_500.0, 10 * MINUTE));
        let success = read_conditions("error rate below 1%", false);
        assert!(!success[0].above && !success[0].calls_back);
    }

    #[test]
    fn what_is_no_condition_is_left_to_humans() {
        assert!(read_conditions("if Lin says so", true).is_empty());
        assert!(read_conditions("errors > many", true).is_empty());
    }
}
