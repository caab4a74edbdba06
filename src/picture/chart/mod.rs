//! The health chart: how a service did before and after a deployment, beside what is usual at these hours.

mod alt;
mod draw;
mod panel;
mod series;

pub use alt::alt;
pub use draw::svg;

use chrono_tz::Tz;

use crate::clock::Time;

/// What the chart shows. Series may be long and unordered; where they have no points there is no data, and that is
/// drawn as such.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// "checkout in production".
    pub title: String,
    /// What the picture says in one line, the watch's own words: "Errors 0.2 % → 1.9 % since 20:14".
    pub headline: String,
    pub state: State,
    pub start: Time,
    pub end: Time,
    /// Nothing is drawn, and nothing is missing, after it.
    pub now: Time,
    /// The team's zone: all times are shown on its clocks.
    pub zone: Tz,
    /// At most [`PANELS`] are drawn.
    pub panels: Vec<Panel>,
    /// Requests, as a thin strip below; None: not measured.
    pub requests: Option<Vec<Point>>,
    pub marks: Vec<Mark>,
    /// What the grey band is, for the footer: "the same hours of the last 4 weeks".
    pub usual: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing to say yet, or all as usual.
    Calm,
    Alert,
    Recovered,
    /// No data, or too little to tell.
    Unknown,
}

/// One measure: the error ratio, the latency.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// "Errors".
    pub name: String,
    pub unit: Unit,
    pub points: Vec<Point>,
    /// What is usual; empty where it is not known.
    pub band: Vec<Band>,
    /// The values that the watch compared, before the deployment and after it.
    pub before: Option<f64>,
    pub after: Option<f64>,
    /// What the watch makes of them.
    pub verdict: Verdict,
    /// The planner's own limit, with its words: "roll back above 1 %".
    pub limit: Option<(f64, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share of 1, shown in percent.
    Share,
    /// Milliseconds.
    Millis,
    Count,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Worse,
    Usual,
    Better,
    /// Too little data to tell.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub at: Time,
    /// None: asked, and there was no data.
    pub value: Option<f64>,
}

/// What is usual at a moment: a median between two quantiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    pub at: Time,
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub at: Time,
    pub kind: MarkKind,
    /// "v2.14.0"; the kind and the time are said beside it.
    pub label: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    Deployment,
    Alert,
    Recovery,
    RollBack,
}

/// More than these would be too small to read.
pub const PANELS: usize = 3;

/// The width of the picture.
const WIDTH: f64 = 480.0;
const MARGIN: f64 = 16.0;
/// Where the plots begin: the scales stand to the left.
const PLOT_X: f64 = 64.0;
const PLOT_W: f64 = WIDTH - PLOT_X - MARGIN;

impl MarkKind {
    /// How the mark is named.
    pub fn says(self) -> &'static str {
        match self {
            MarkKind::Deployment => "deployed",
            MarkKind::Alert => "alert",
            MarkKind::Recovery => "recovered",
            MarkKind::RollBack => "rolled back",
        }
    }
}

impl Unit {
    /// A value as people read it: "1.9 %", "240 ms", "1.2 s", "18 k".
    pub fn says(self, value: f64) -> String {
        let value = if value.is_finite() { value.clamp(-1e12, 1e12) } else { return "?".to_owned() };
        match self {
            Unit::Share => format!("{} %", short(value * 100.0)),
            Unit::Millis if value.abs() < 1_000.0 => format!("{} ms", short(value)),
            Unit::Millis => format!("{} s", short(value / 1_000.0)),
            Unit::Count => match value.abs() {
                big if big >= 1e9 => format!("{} bn", short(value / 1e9)),
                big if big >= 1e6 => format!("{} M", short(value / 1e6)),
                big if big >= 1e4 => format!("{} k", short(value / 1e3)),
                _ => short(value),
            },
        }
    }
}

/// Two digits that count, and no more: 0.031, 0.19, 1.9, 19, 194.
fn short(value: f64) -> String {
    let digits = match value.abs() {
        big if big >= 9.95 => 0,
        middle if middle >= 0.995 => 1,
        small if small >= 0.0995 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    if !text.contains('.') {
        return text;
    }
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_said_shortly() {
        for (unit, value, says) in [
            (Unit::Share, 0.019, "1.9 %"),
            (Unit::Share, 0.002, "0.2 %"),
            (Unit::Share, 0.0, "0 %"),
            (Unit::Share, 0.5, "50 %"),
            (Unit::Millis, 240.4, "240 ms"),
            (Unit::Millis, 1_240.0, "1.2 s"),
            (Unit::Count, 18_240.0, "18 k"),
            (Unit::Count, 9_940.0, "9940"),
            (Unit::Count, f64::NAN, "?"),
            (Unit::Count, -0.0001, "0"),
        ] {
            assert_eq!(unit.says(value), says);
        }
    }
}
