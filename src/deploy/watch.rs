//! Before and after: whether a service looks worse since a deployment. Pure.
//!
//! Errors: the recent share against the share before, by a two-proportion z test (pooled, |z| > 4) together with a floor on
//! the effect, so that a large sample does not make a trifle an alarm. Latency: the recent mean of minutes against the mean
//! and deviation of the minutes before, again with a floor. Fewer requests than the settings' minimum say nothing, and
//! "no data" is a state of its own.

use serde::{Deserialize, Serialize};

use super::condition::{Condition, Measure};
use crate::clock::{DAY, HOUR, MINUTE, Millis, Time};
use crate::config::WatchSettings;
use crate::source::{Minute, Series};

/// The minutes after a deployment that one look weighs: the newest so many.
const RECENT: Millis = 10 * MINUTE;

/// What one look saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    pub signals: Vec<Signal>,
    /// Requests in the recent minutes, and in the time before that they are compared with.
    pub requests: f64,
    pub requests_before: f64,
    /// When data was last seen at all.
    pub last_data: Option<Time>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// `errors`, `latency`, or `condition: …` for one of the planner's own.
    pub signal: String,
    /// What it is about: `errors`, `latency`, `traffic`. One alert speaks of one subject.
    pub subject: String,
    pub state: SignalState,
    /// What was measured, as a fragment: "errors 0.2 % → 1.9 %".
    pub says: String,
    /// Whether the planner wrote that this calls for the rollback.
    #[serde(default)]
    pub calls_back: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignalState {
    Worse,
    Fine,
    /// Between: neither an alarm nor an all-clear.
    Unclear,
    /// Too few requests to tell.
    Thin,
    NoData,
}

impl Look {
    /// Each subject with what all its signals say together: worse if one is worse, fine only if all that can tell are.
    pub fn subjects(&self) -> Vec<Signal> {
        let mut subjects: Vec<Signal> = Vec::new();
        for signal in &self.signals {
            match subjects.iter_mut().find(|s| s.subject == signal.subject) {
                None => subjects.push(Signal { signal: signal.subject.clone(), ..signal.clone() }),
                Some(subject) => {
                    let worse = signal.state == SignalState::Worse;
                    let blind = matches!(subject.state, SignalState::Thin | SignalState::NoData);
                    let unclear = subject.state != SignalState::Worse && signal.state == SignalState::Unclear;
                    if worse || unclear || blind {
                        subject.state = signal.state;
                    }
                    subject.calls_back |= worse && signal.calls_back;
                    if worse || subject.says.is_empty() {
                        subject.says = joined(&subject.says, signal);
                    }
                }
            }
        }
        for subject in &mut subjects {
            subject.calls_back &= subject.state == SignalState::Worse;
        }
        subjects
    }

    /// Whether nothing could be told at all.
    pub fn is_blind(&self) -> bool {
        self.signals.iter().all(|s| matches!(s.state, SignalState::Thin | SignalState::NoData))
    }
}

/// One signal's words after those before it, without what they said already: the subject's name, the same figure.
fn joined(before: &str, signal: &Signal) -> String {
    let more = signal.says.strip_prefix(&format!("{} ", signal.subject)).unwrap_or(&signal.says);
    match more.split_once(" (") {
        Some((figure, rest)) if before.ends_with(figure) => format!("{before} ({rest}"),
        _ => format!("{before}; {more}"),
    }
}

/// Looks at a series around `deployed`.
pub fn judge(series: &Series, deployed: Time, now: Time, settings: &WatchSettings, conditions: &[Condition]) -> Look {
    let sane = |m: &&Minute| m.requests.is_finite() && m.errors.is_finite() && m.requests >= 0.0 && m.errors >= 0.0;
    let minutes: Vec<&Minute> = series.minutes.iter().filter(sane).collect();
    let from = deployed.max(now.plus(-RECENT));
    let recent: Vec<&Minute> = minutes.iter().copied().filter(|m| m.at >= from && m.at <= now).collect();
    let before: Vec<&Minute> = minutes.iter().copied().filter(|m| is_before(m.at, deployed, now)).collect();
    let least = f64::from(settings.least_requests);
    let (n1, n0) = (sum(&recent, |m| m.requests), sum(&before, |m| m.requests));
    let last_data = minutes.iter().map(|m| m.at).max();
    let blind = if recent.is_empty() {
        Some(SignalState::NoData)
    } else if n1 < least || n0 < least {
        Some(SignalState::Thin)
    } else {
        None
    };
    let mut signals = match blind {
        Some(state) => vec![blind_signal("errors", state, n1), blind_signal("latency", state, n1)],
        None => vec![errors(&recent, &before), latency(&recent, &before)],
    };
    signals.extend(conditions.iter().map(|condition| own(condition, &minutes, deployed, now, least)));
    Look { signals, requests: n1, requests_before: n0, last_data }
}

/// The hour before the deployment, and the same clock time one and two days earlier.
fn is_before(at: Time, deployed: Time, now: Time) -> bool {
    if at >= deployed {
        return false;
    }
    let since = deployed.since(at);
    if since <= HOUR {
        return true;
    }
    let length = now.since(deployed).max(RECENT);
    [DAY, 2 * DAY].iter().any(|days| {
        let shifted = at.plus(*days);
        shifted >= deployed && shifted.since(deployed) <= length
    })
}

fn errors(recent: &[&Minute], before: &[&Minute]) -> Signal {
    let (n1, n0) = (sum(recent, |m| m.requests), sum(before, |m| m.requests));
    let (p1, p0) = (sum(recent, |m| m.errors) / n1, sum(before, |m| m.errors) / n0);
    let pooled = (p1 * n1 + p0 * n0) / (n1 + n0);
    let deviation = (pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n0)).sqrt();
    let z = if deviation > 0.0 { (p1 - p0) / deviation } else { 0.0 };
    let rise = p1 - p0;
    // Half a per cent more, and half as much again: below this nobody would call it worse.
    let floor = f64::max(0.005, 0.5 * p0);
    let state = match () {
        () if rise > floor && z > 4.0 => SignalState::Worse,
        // A share that is still far above the usual one is no recovery, however few requests it was compared with.
        () if rise <= 0.5 * floor || (z < 2.0 && rise <= floor) => SignalState::Fine,
        () => SignalState::Unclear,
    };
    let says = format!("errors {} → {}", percent(p0), percent(p1));
    Signal { signal: "errors".to_owned(), subject: "errors".to_owned(), state, says, calls_back: false }
}

fn latency(recent: &[&Minute], before: &[&Minute]) -> Signal {
    let of = |minutes: &[&Minute]| -> Vec<f64> {
        minutes.iter().filter_map(|m| m.latency_ms).filter(|l| l.is_finite() && *l >= 0.0).collect()
    };
    let (after, past) = (of(recent), of(before));
    if after.len() < 3 || past.len() < 10 {
        let state = if after.is_empty() { SignalState::NoData } else { SignalState::Thin };
        return Signal {
            signal: "latency".to_owned(),
            subject: "latency".to_owned(),
            state,
            says: "latency not measured long enough".to_owned(),
            calls_back: false,
        };
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (m1, m0) = (mean(&after), mean(&past));
    let variance = past.iter().map(|v| (v - m0).powi(2)).sum::<f64>() / past.len() as f64;
    let rise = m1 - m0;
    let floor = f64::max(20.0, 0.5 * m0);
    let state = match () {
        () if rise > floor && rise > 3.0 * variance.sqrt() => SignalState::Worse,
        () if rise <= 0.5 * floor => SignalState::Fine,
        () => SignalState::Unclear,
    };
    let says = format!("latency {m0:.0} ms → {m1:.0} ms");
    Signal { signal: "latency".to_owned(), subject: "latency".to_owned(), state, says, calls_back: false }
}

/// One of the planner's own conditions over its own stretch of time.
fn own(condition: &Condition, minutes: &[&Minute], deployed: Time, now: Time, least: f64) -> Signal {
    let from = deployed.max(now.plus(-condition.span));
    let within: Vec<&Minute> = minutes.iter().copied().filter(|m| m.at >= from && m.at <= now).collect();
    let signal = format!("condition: {}", condition.text);
    let subject = match condition.of {
        Measure::Errors => "errors",
        Measure::Latency => "latency",
        Measure::Traffic => "traffic",
    };
    let blind = |state, says: &str| Signal {
        signal: signal.clone(),
        subject: subject.to_owned(),
        state,
        says: says.to_owned(),
        calls_back: condition.calls_back,
    };
    let n = sum(&within, |m| m.requests);
    if within.is_empty() {
        return blind(SignalState::NoData, "no data");
    }
    let value = match condition.of {
        Measure::Errors if n < least.min(30.0) => return blind(SignalState::Thin, "too few requests to tell"),
        Measure::Errors => sum(&within, |m| m.errors) / n,
        Measure::Latency => {
            let values: Vec<f64> = within.iter().filter_map(|m| m.latency_ms).filter(|l| l.is_finite()).collect();
            if values.is_empty() {
                return blind(SignalState::NoData, "latency is not measured");
            }
            values.iter().sum::<f64>() / values.len() as f64
        }
        Measure::Traffic => n / within.len() as f64,
    };
    let holds = if condition.above { value > condition.limit } else { value < condition.limit };
    // A condition for five minutes says nothing after one.
    let long_enough = now.since(deployed) >= condition.span.min(5 * MINUTE);
    let bad = holds == condition.calls_back;
    let state = match (bad, long_enough) {
        (true, true) => SignalState::Worse,
        (true, false) => SignalState::Unclear,
        (false, _) => SignalState::Fine,
    };
    let measured = match condition.of {
        Measure::Errors => format!("errors {}", percent(value)),
        Measure::Latency => format!("latency {value:.0} ms"),
        Measure::Traffic => format!("{value:.0} requests a minute"),
    };
    Signal {
        signal,
        subject: subject.to_owned(),
        state,
        says: format!("{measured} (the plan says: {})", condition.text),
        calls_back: condition.calls_back,
    }
}

fn blind_signal(name: &str, state: SignalState, n: f64) -> Signal {
    let says = match state {
        SignalState::NoData => "no data since the deployment".to_owned(),
        _ => format!("{n:.0} requests are too few to tell"),
    };
    Signal { signal: name.to_owned(), subject: name.to_owned(), state, says, calls_back: false }
}

fn sum(minutes: &[&Minute], of: impl Fn(&Minute) -> f64) -> f64 {
    minutes.iter().map(|m| of(m)).sum()
}

fn percent(share: f64) -> String {
    let value = share * 100.0;
    if value >= 10.0 { format!("{value:.0} %") } else { format!("{value:.1} %") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Span;

    fn settings() -> WatchSettings {
        WatchSettings {
            length: Span::from_ms(HOUR),
            find_every: Span::from_ms(5 * MINUTE),
            every: Span::from_ms(MINUTE),
            least_requests: 100,
            escalate_to: Vec::new(),
            escalate_after: Span::from_ms(10 * MINUTE),
            outcome_by: Vec::new(),
        }
    }

    fn series(before: (f64, f64), after: (f64, f64), minutes_after: i64) -> (Series, Time, Time) {
        let deployed = Time::from_ms(1_800_000_000_000);
        let minute = |i: i64, (requests, errors): (f64, f64)| Minute {
            at: deployed.plus(i * MINUTE),
            requests,
            errors,
            latency_ms: Some(80.0),
        };
        let minutes = (-60..0).map(|i| minute(i, before)).chain((0..minutes_after).map(|i| minute(i, after))).collect();
        (Series { minutes }, deployed, deployed.plus(minutes_after * MINUTE))
    }

    fn state(look: &Look, signal: &str) -> SignalState {
        look.signals.iter().find(|s| s.signal.starts_with(signal)).unwrap().state
    }

    #[test]
    fn a_rise_in_errors_is_worse_and_its_end_is_fine() {
        let (series, deployed, now) = series((500.0, 1.0), (500.0, 15.0), 8);
        assert_eq!(state(&judge(&series, deployed, now, &settings(), &[]), "errors"), SignalState::Worse);
        let mut healed = series.clone();
        healed.minutes.extend((8..30).map(|i| Minute {
            at: deployed.plus(i * MINUTE),
            requests: 500.0,
            errors: 1.0,
            latency_ms: Some(80.0),
        }));
        assert_eq!(
            state(&judge(&healed, deployed, deployed.plus(30 * MINUTE), &settings(), &[]), "errors"),
            SignalState::Fine
        );
    }

    #[test]
    fn thin_traffic_and_no_data_are_states_of_their_own() {
        let (thin, deployed, now) = series((3.0, 0.0), (3.0, 3.0), 8);
        let look = judge(&thin, deployed, now, &settings(), &[]);
        assert_eq!(state(&look, "errors"), SignalState::Thin);
        assert!(look.is_blind());
        let (none, deployed, now) = series((500.0, 1.0), (0.0, 0.0), 0);
        assert_eq!(
            state(&judge(&none, deployed, now.plus(5 * MINUTE), &settings(), &[]), "errors"),
            SignalState::NoData
        );
    }

    #[test]
    fn a_short_time_before_makes_nothing_look_recovered() {
        // 120 requests before, none failed; 12,000 after, 2.4 % failed: not sure enough for an alarm, no all-clear either.
        let (mut series, deployed, now) = series((0.0, 0.0), (1_200.0, 29.0), 10);
        series.minutes.retain(|m| m.at >= deployed.plus(-2 * MINUTE));
        for minute in series.minutes.iter_mut().filter(|m| m.at < deployed) {
            minute.requests = 60.0;
        }
        assert_eq!(state(&judge(&series, deployed, now, &settings(), &[]), "errors"), SignalState::Unclear);
    }

    #[test]
    fn a_large_sample_does_not_make_a_trifle_an_alarm() {
        let (series, deployed, now) = series((1e6, 1_000.0), (1e6, 1_200.0), 10);
        assert_eq!(state(&judge(&series, deployed, now, &settings(), &[]), "errors"), SignalState::Fine);
    }

    #[test]
    fn the_planners_own_condition_is_evaluated() {
        let (series, deployed, now) = series((500.0, 1.0), (500.0, 12.0), 8);
        let conditions = crate::deploy::condition::read_conditions("errors > 2 % for 5m", true);
        let look = judge(&series, deployed, now, &settings(), &conditions);
        assert_eq!(state(&look, "condition"), SignalState::Worse);
    }
}
