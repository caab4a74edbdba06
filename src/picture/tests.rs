//! Whole pictures: written to `target/pictures` to be looked at, and fed with whatever proptest thinks of.

mod any;

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
}

/// Everything that makes a picture hard: no good window, lanes that could not be seen, hostile and endless words, more
/// than there is room for, clocks that change, a gap in the traffic.
pub fn rough() -> Strip {
    let zone = Tz::Europe__Berlin;
    let start = time("2027-03-27T09:00:00+01:00");
    let at = |hours: i64| start.plus(hours * HOUR);
    let event = |n: i64| Event {
        start: at(n * 2),
        end: at(n * 2 + 1 + n % 5),
        label: format!(
            "🔥 <b>Launch</b> \u{202e}& \"sale\" number {n} ブラックフライデー with a name that goes on and on and on"
        ),
        kind: if n % 7 == 3 { EventKind::Launch } else { EventKind::Busy },
    };
    let mut load = daily(start, 48, zone);
    load.drain(12..20);
    Strip {
        title: "an-extraordinarily-long-service-name-for-a-service → production-eu-central-1 · long-service-name-1043"
            .to_owned(),
        start,
        end: at(48),
        now: at(26),
        zone,
        score_now: None,
        load,
        allowed: Some(Vec::new()),
        freezes: Some(vec![Labelled {
            start: at(-40),
            end: at(60),
            label: "Quarter end (owner: Finance), until Thu 1 Apr 09:00".to_owned(),
        }]),
        events: Some((0..24).map(event).collect()),
        on_call: None,
        deployments: Some(
            (0..30).map(|n| Moment { at: at(n * 3 / 2), label: format!("service-{n} v{n}.0") }).collect(),
        ),
        working: Vec::new(),
        windows: vec![
            Window {
                start: at(120),
                end: at(122),
                score: 28,
                good: true,
                why: "First good one after the freeze".to_owned(),
            },
            Window { start: at(27), end: at(28), score: 71, good: false, why: "x".repeat(300) },
        ],
        none_good: Some(
            "Nothing good in the next 48 hours: freeze “Quarter end” until Thu 1 Apr 09:00, owner: Finance".to_owned(),
        ),
    }
}

#[test]
fn a_rough_strip_is_drawn() {
    keep("strip-rough", |theme| super::strip::svg(&rough(), theme));
}

#[test]
fn an_empty_strip_is_drawn() {
    let nothing = Strip {
        title: String::new(),
        score_now: None,
        load: Vec::new(),
        allowed: None,
        freezes: None,
        events: None,
        on_call: None,
        deployments: None,
        working: Vec::new(),
        windows: Vec::new(),
        ..sample()
    };
    keep("strip-unknown", |theme| super::strip::svg(&nothing, theme));
}

#[test]
fn a_rough_chart_is_drawn() {
    let sample = trouble();
    let mut chart = Chart {
        title: "🔥 checkout <in> production with a very long name that must be cut somewhere".to_owned(),
        headline:
            "Errors 0.2 % → no data since 20:14: the metric has been silent for 31 minutes, too little traffic to tell"
                .to_owned(),
        state: State::Alert,
        ..sample
    };
    chart.panels[0].points.truncate(70);
    chart.panels[0].verdict = Verdict::Unknown;
    chart.panels[0].after = None;
    chart.panels[1].points.clear();
    chart.panels[1].band.clear();
    chart.requests = None;
    chart.marks = (0..12)
        .map(|n| Mark {
            at: chart.start.plus(n * 9 * MINUTE),
            kind: [MarkKind::Deployment, MarkKind::Alert, MarkKind::Recovery, MarkKind::RollBack][n as usize % 4],
            label: format!("v2.14.{n}-some-long-build-name"),
        })
        .collect();
    keep("chart-rough", |theme| super::chart::svg(&chart, theme));
}

/// Parses as the renderer does, and gives back the texts that stand in the picture.
fn texts(svg: &str) -> Vec<String> {
    let options = resvg::usvg::Options { fontdb: super::font::database(), ..Default::default() };
    let tree = resvg::usvg::Tree::from_str(svg, &options).expect("a picture parses");
    assert!(tree.size().width() <= 480.5 && tree.size().height() <= 1_200.0, "{:?}", tree.size());
    assert!(svg.len() < 400_000, "{} bytes", svg.len());
    fn collect(group: &resvg::usvg::Group, into: &mut Vec<String>) {
        for node in group.children() {
            match node {
                resvg::usvg::Node::Group(group) => collect(group, into),
                resvg::usvg::Node::Text(text) => {
                    let bounds = text.abs_bounding_box();
                    let says: String = text.chunks().iter().map(resvg::usvg::TextChunk::text).collect();
                    assert!(bounds.left() >= 0.0 && bounds.right() <= 480.0, "{says}: {bounds:?}");
                    into.push(says);
                }
                _ => {}
            }
        }
    }
    let mut into = Vec::new();
    collect(tree.root(), &mut into);
    into
}

#[test]
fn words_from_outside_stay_words() {
    let mut strip = sample();
    strip.title = "</text><script>alert(1)</script>".to_owned();
    let svg = super::strip::svg(&strip, Theme::Page);
    assert!(!svg.contains("<script"));
    assert!(texts(&svg).contains(&"</text><script>alert(1)</script>".to_owned()));
}

#[test]
fn a_thousand_events_and_ten_thousand_points_are_one_picture() {
    let mut strip = sample();
    let start = strip.start;
    let at = |n: i64, of: i64| start.plus(n * 48 * HOUR / of);
    strip.load = (0..10_000).map(|n| LoadPoint { at: at(n, 10_000), share: Some(n as f64 % 100.0 / 100.0) }).collect();
    strip.working = (0..10_000).map(|n| Stretch { start: at(n, 10_000), end: at(n, 10_000) }).collect();
    strip.events = Some(
        (0..1_000)
            .map(|n| Event {
                start: at(n, 1_000),
                end: at(n + 1, 1_000),
                label: "x".repeat(5_000),
                kind: EventKind::Busy,
            })
            .collect(),
    );
    assert!(texts(&super::strip::svg(&strip, Theme::Light)).iter().any(|says| says.starts_with("+99")));
    let mut chart = trouble();
    chart.panels[0].points =
        (0..10_000).map(|n| Point { at: chart.start.plus(n * 600), value: Some(n as f64 % 100.0) }).collect();
    texts(&super::chart::svg(&chart, Theme::Light));
}

#[test]
fn the_strip_says_in_words_what_it_shows() {
    let says = super::strip::alt(&sample());
    for part in [
        "1. Wed 25 Nov 10:20–11:40: risk 31 of 100; Traffic 38 % of peak",
        "2. Tue 24 Nov 20:10–21:40: risk 34 of 100, at a cost",
        "Now, Tue 24 Nov 15:10: risk 62 of 100.",
        "Traffic: highest 94 % of the weekly peak, Tue 24 Nov 15:00",
        "Freezes: Black Friday, Thu 26 Nov 00:00",
        "Nobody on call: Thu 26 Nov 09:00–11:00.",
        "Events: Campaign: winter sale, Wed 25 Nov 14:00–16:00",
    ] {
        assert!(says.contains(part), "{part}\n{says}");
    }
    assert!(super::strip::alt(&rough()).contains("On call: unknown."));
}

#[test]
fn the_chart_says_in_words_what_it_shows() {
    let says = super::chart::alt(&trouble());
    for part in [
        "Recovered. Errors 0.2 % → 1.9 % since 20:14.",
        "Tue 24 Nov 20:10: v2.14.0 deployed.",
        "Errors: 0.2 % before, 1.9 % after, worse; highest 2.1 %; a part has no data; limit: roll back above 1 %.",
    ] {
        assert!(says.contains(part), "{part}\n{says}");
    }
}

#[test]
fn pages_are_dark_where_dark_is_asked_for() {
    let svg = super::strip::svg(&sample(), Theme::Page);
    assert!(svg.contains("@media (prefers-color-scheme:dark)") && svg.contains("class=\"f-paper\""));
    assert!(!super::strip::svg(&sample(), Theme::Dark).contains("<style>"));
}
