//! Conditions that a watch can evaluate, as people write them: `errors > 2 % for 5m`, `p95 over 400 ms`.

use crate::config::Span;

/// One comparison of a measure with a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub measure: Measure,
    pub side: Side,
    /// A share of 1 for errors, milliseconds for latency, requests per second for traffic.
    pub limit: f64,
    /// How long it has to hold.
    pub held: Option<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Errors,
    Latency,
    Traffic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Above,
    Below,
}

/// Reads the conditions in a text, parted by commas, semicolons, "or" and "and"; what cannot be read is returned as the
/// second part. At most 8.
pub fn parse(text: &str) -> (Vec<Condition>, Vec<String>) {
    let lower: String = text.chars().take(2_000).flat_map(char::to_lowercase).collect();
    let marked = lower.replace(" or ", ";").replace(" and ", ";").replace([',', '\n'], ";");
    let (mut read, mut unread) = (Vec::new(), Vec::new());
    for part in marked.split(';').map(str::trim).filter(|part| !part.is_empty()).take(8) {
        match parse_one(part) {
            Some(condition) => read.push(condition),
            None => unread.push(part.to_owned()),
        }
    }
    (read, unread)
}

fn parse_one(text: &str) -> Option<Condition> {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let measure = if has(&["error", "5xx", "failure", "failed"]) {
        Measure::Errors
    } else if has(&["latency", "p50", "p90", "p95", "p99", "response time", "slow"]) {
        Measure::Latency
    } else if has(&["traffic", "request", "rps", "throughput"]) {
        Measure::Traffic
    } else {
        return None;
    };
    let above = [">", "≥", "above", "over", "more than", "exceed", "rises to", "at least"];
    let below = ["<", "≤", "below", "under", "less than", "falls to", "at most", "stay within"];
    let first = |words: &[&str]| words.iter().filter_map(|word| text.find(word).map(|at| (at, at + word.len()))).min();
    let (side, after) = match (first(&above), first(&below)) {
        (Some(a), Some(b)) if a.0 < b.0 => (Side::Above, a.1),
        (_, Some(b)) => (Side::Below, b.1),
        (Some(a), None) => (Side::Above, a.1),
        (None, None) => return None,
    };
    let rest = text.get(after..)?.trim_start_matches(['=', ' ']);
    let digits = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let number: f64 = rest.get(..digits)?.parse().ok()?;
    let unit = rest.get(digits..)?.trim_start();
    let limit = match measure {
        Measure::Errors if unit.starts_with('%') || unit.starts_with("per cent") || unit.starts_with("percent") => {
            number / 100.0
        }
        Measure::Errors if number <= 1.0 => number,
        Measure::Errors => return None,
        Measure::Latency if unit.starts_with("ms") || unit.starts_with("milli") => number,
        Measure::Latency if unit.starts_with('s') => number * 1_000.0,
        Measure::Latency => return None,
        Measure::Traffic => number,
    };
    let held = text.split_once(" for ").map(|(_, span)| span.replace("min", "m").replace("minutes", "m"));
    let held = held.and_then(|span| Span::parse(span.trim().trim_end_matches("utes").trim()));
    limit.is_finite().then_some(Condition { measure, side, limit, held })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::MINUTE;

    #[test]
    fn conditions_are_read_as_people_write_them() {
        let (read, unread) = parse("errors > 2 % for 5m, p95 over 0.4 s or requests below 10");
        assert_eq!(unread, Vec::<String>::new());
        assert_eq!((read[0].measure, read[0].side, read[0].limit), (Measure::Errors, Side::Above, 0.02));
        assert_eq!(read[0].held.map(Span::ms), Some(5 * MINUTE));
        assert_eq!((read[1].measure, read[1].limit), (Measure::Latency, 400.0));
        assert_eq!((read[2].measure, read[2].side), (Measure::Traffic, Side::Below));
    }

    #[test]
    fn what_cannot_be_measured_is_given_back() {
        let (read, unread) = parse("if customers complain; errors rise; latency above 400");
        assert!(read.is_empty());
        assert_eq!(unread.len(), 3);
    }
}
