//! Conditions that planners write and the watch can evaluate: `errors > 2 % for 5m`, `latency below 800 ms`.

use serde::{Deserialize, Serialize};

use crate::advice::condition;
use crate::clock::{MINUTE, Millis};
use crate::config::Span;
use crate::message::tame;

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

/// Reads every condition of a text that the watch can evaluate.
pub fn read_conditions(text: &str, calls_back: bool) -> Vec<Condition> {
    let parts = text.replace(" or ", ";").replace(" and ", ";").replace(['\n', ','], ";");
    let read = |part: &str| {
        let condition = condition::parse(part).0.into_iter().next()?;
        let of = match condition.measure {
            condition::Measure::Errors => Measure::Errors,
            condition::Measure::Latency => Measure::Latency,
            condition::Measure::Traffic => Measure::Traffic,
        };
        // The series is by the minute, people think of traffic by the second.
        let limit = if of == Measure::Traffic { condition.limit * 60.0 } else { condition.limit };
        let span = condition.held.map_or(5 * MINUTE, Span::ms).clamp(MINUTE, 60 * MINUTE);
        Some(Condition {
            text: tame(part, 120),
            of,
            above: condition.side == condition::Side::Above,
            limit,
            span,
            calls_back,
        })
    };
    parts.split(';').filter_map(|part| read(part.trim())).take(8).collect()
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
