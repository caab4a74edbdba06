//! Whole pictures: written to `target/pictures` to be looked at, and fed with whatever proptest thinks of.

use std::path::PathBuf;

use chrono_tz::Tz;

use super::chart::{Band, Chart, Mark, MarkKind, Panel, Point, State, Unit, Verdict};
use super::strip::{Event, EventKind, LoadPoint, Strip, Window};
use super::{Labelled, Moment, Stretch, Theme, png};
use crate::clock::{HOUR, MINUTE, Time};

fn time(text: &str) -> Time {
    Time::parse_rfc3339(text).unwrap()
}

fn keep(name: &str, svg: impl Fn(Theme) -> String) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/pictures");
    std::fs::create_dir_all(&folder).unwrap();
    for (theme, suffix) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        std::fs::write(folder.join(format!("{name}-{suffix}.png")), png(&svg(theme)).unwrap()).unwrap();
    }
    std::fs::write(folder.join(format!("{name}.svg")), svg(Theme::Page)).unwrap();
}

/// Load by the hour of the day, on the clocks of Los Angeles: quiet at night, highest in the afternoon.
fn daily(start: Time, hours: i64, zone: Tz) -> Vec<LoadPoint> {
    use chrono::Timelike;
    let shape = [
        0.18, 0.14, 0.12, 0.11, 0.12, 0.15, 0.22, 0.34, 0.42, 0.40, 0.38, 0.41, 0.55, 0.70, 0.86, 0.94, 0.92, 0.84,
        0.66, 0.48, 0.36, 0.31, 0.27, 0.22,
    ];
    let point = |n: i64| {
        let at = start.plus(n * HOUR);
        LoadPoint { at, share: Some(shape[at.at(zone).hour() as usize]) }
    };
    (0..hours).map(point).collect()
}

pub fn sample() -> Strip {
    let zone = Tz::America__Los_Angeles;
    let start = time("2026-11-24T15:00:00-08:00");
    let at = |hours: i64, minutes: i64| start.plus(hours * HOUR + minutes * MINUTE);
    let span = |from: i64, to: i64| Stretch { start: at(from, 0), end: at(to, 0) };
    let labelled =
        |from: i64, to: i64, label: &str| Labelled { start: at(from, 0), end: at(to, 0), label: label.to_owned() };
    let event = |from: i64, to: i64, label: &str, kind| Event {
        start: at(from, 0),
        end: at(to, 0),
        label: label.to_owned(),
        kind,
    };
    Strip {
        title: "checkout → production · checkout-87".to_owned(),
        start,
        end: at(48, 0),
        now: at(0, 10),
        zone,
        score_now: Some(62),
        load: daily(start, 48, zone),
        allowed: Some(vec![span(-5, 1), span(19, 25), span(43, 49)]),
        freezes: Some(vec![labelled(33, 90, "Black Friday")]),
        events: Some(vec![
            event(23, 25, "Campaign: winter sale", EventKind::Launch),
            event(2, 3, "Board meeting", EventKind::Busy),
            event(18, 19, "Team planning", EventKind::Busy),
        ]),
        on_call: Some(vec![labelled(-40, 18, "Grace"), labelled(18, 42, "Lin"), labelled(44, 60, "Ada")]),
        deployments: Some(vec![
            Moment { at: at(1, 30), label: "search v8.1".to_owned() },
            Moment { at: at(22, 0), label: "ledger v3.4.0".to_owned() },
        ]),
        working: vec![span(-6, 3), span(18, 27), span(42, 51)],
        windows: vec![
            Window {
                start: at(19, 20),
                end: at(20, 40),
                score: 31,
                good: true,
                why: "Traffic 38 % of peak, Lin on call and at work until 18:00, nothing else planned".to_owned(),
            },
            Window {
                start: at(5, 10),
                end: at(6, 40),
                score: 34,
                good: false,
                why: "Outside the allowed window (needs a VP) and in people's evening".to_owned(),
            },
            Window {
                start: at(21, 0),
                end: at(21, 45),
                score: 38,
                good: true,
                why: "Traffic 55 % of peak, ledger deploys at 13:00".to_owned(),
            },
        ],
        none_good: None,
    }
}

#[test]
fn the_strip_is_drawn() {
    keep("strip", |theme| super::strip::svg(&sample(), theme));
    println!("{}", super::strip::alt(&sample()));
}

pub fn trouble() -> Chart {
    let zone = Tz::America__Los_Angeles;
    let start = time("2026-11-24T19:10:00-08:00");
    let at = |minutes: i64| start.plus(minutes * MINUTE);
    let noise = |n: i64| ((n * 7919) % 17) as f64 / 17.0 - 0.5;
    let series = |value: &dyn Fn(i64) -> Option<f64>| -> Vec<Point> {
        (0..100).map(|n| Point { at: at(n), value: value(n) }).collect()
    };
    let band = |median: f64, wide: f64| -> Vec<Band> {
        (0..=24)
            .map(|n| {
                let median = median * (1.0 + 0.1 * (n as f64 / 5.0).sin());
                Band { at: at(n * 5), low: median - wide * 0.7, median, high: median + wide }
            })
            .collect()
    };
    let errors = |n: i64| match n {
        30..38 => None,
        64..92 => Some(0.019 + 0.004 * noise(n)),
        92..95 => Some(0.008),
        _ => Some(0.002 + 0.0012 * noise(n)),
    };
    Chart {
        title: "checkout in production".to_owned(),
        headline: "Errors 0.2 % → 1.9 % since 20:14".to_owned(),
        state: State::Recovered,
        start,
        end: at(120),
        now: at(100),
        zone,
        panels: vec![
            Panel {
                name: "Errors".to_owned(),
                unit: Unit::Share,
                points: series(&errors),
                band: band(0.0022, 0.0012),
                before: Some(0.002),
                after: Some(0.019),
                verdict: Verdict::Worse,
                limit: Some((0.01, "roll back above 1 %".to_owned())),
            },
            Panel {
                name: "Latency, p95".to_owned(),
                unit: Unit::Millis,
                points: series(&|n| (!(30..38).contains(&n)).then_some(240.0 + 60.0 * noise(n * 3))),
                band: band(236.0, 55.0),
                before: Some(238.0),
                after: Some(244.0),
                verdict: Verdict::Usual,
                limit: None,
            },
        ],
        requests: Some(series(&|n| (!(30..38).contains(&n)).then_some(1_500.0 + 300.0 * noise(n)))),
        marks: vec![
            Mark { at: at(60), kind: MarkKind::Deployment, label: "v2.14.0".to_owned() },
            Mark { at: at(66), kind: MarkKind::Alert, label: String::new() },
            Mark { at: at(91), kind: MarkKind::Recovery, label: String::new() },
        ],
        usual: "the same hours of the last 4 weeks".to_owned(),
    }
}

#[test]
fn the_chart_is_drawn() {
    keep("chart", |theme| super::chart::svg(&trouble(), theme));
    println!("{}", super::chart::alt(&trouble()));
}
