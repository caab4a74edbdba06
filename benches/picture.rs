//! How long a picture takes: `cargo bench --bench picture`.

use chrono_tz::Tz;
use tidegate::clock::{HOUR, MINUTE, Time};
use tidegate::picture::chart::{Band, Chart, Mark, MarkKind, Panel, Point, State, Unit, Verdict};
use tidegate::picture::strip::{Event, EventKind, LoadPoint, Strip, Window};
use tidegate::picture::{Labelled, Moment, Stretch, Theme, chart, png, strip};

/// 2026-11-24T15:00:00-08:00.
const START: Time = Time::from_ms(1_795_561_200_000);

fn main() {
    divan::main();
}

fn a_strip(points: i64, events: i64) -> Strip {
    let at = |n: i64, of: i64| START.plus(n * 48 * HOUR / of);
    let labelled = |from: i64, to: i64, label: &str| Labelled {
        start: START.plus(from * HOUR),
        end: START.plus(to * HOUR),
        label: label.to_owned(),
    };
    let span = |from: i64, to: i64| Stretch { start: START.plus(from * HOUR), end: START.plus(to * HOUR) };
    let window = |from: i64, score: u32, good: bool| Window {
        start: START.plus(from * HOUR),
        end: START.plus((from + 1) * HOUR),
        score,
        good,
        why: "Traffic 38 % of peak, Lin on call and at work until 18:00, nothing else planned".to_owned(),
    };
    let event = |n: i64| Event {
        start: at(n, events),
        end: at(n, events).plus(HOUR),
        label: format!("Launch {n}: winter sale"),
        kind: EventKind::Busy,
    };
    Strip {
        title: "checkout → production · checkout-87".to_owned(),
        start: START,
        end: START.plus(48 * HOUR),
        now: START.plus(10 * MINUTE),
        zone: Tz::America__Los_Angeles,
        score_now: Some(62),
        load: (0..points).map(|n| LoadPoint { at: at(n, points), share: Some(0.1 + (n % 24) as f64 / 30.0) }).collect(),
        allowed: Some(vec![span(-5, 1), span(19, 25), span(43, 49)]),
        freezes: Some(vec![labelled(33, 90, "Black Friday")]),
        events: Some((0..events).map(event).collect()),
        on_call: Some(vec![labelled(-40, 18, "Grace"), labelled(18, 60, "Lin")]),
        deployments: Some(vec![Moment { at: START.plus(22 * HOUR), label: "ledger v3.4.0".to_owned() }]),
        working: vec![span(-6, 3), span(18, 27), span(42, 51)],
        windows: vec![window(19, 31, true), window(5, 34, false), window(21, 38, true)],
        none_good: None,
    }
}

fn a_chart(points: i64) -> Chart {
    let at = |n: i64, of: i64| START.plus(n * 120 * MINUTE / of);
    let series = |usual: f64| -> Vec<Point> {
        (0..points)
            .map(|n| Point { at: at(n, points), value: Some(usual * (1.0 + (n * 7919 % 17) as f64 / 50.0)) })
            .collect()
    };
    let panel = |name: &str, unit, usual: f64| Panel {
        name: name.to_owned(),
        unit,
        points: series(usual),
        band: (0..24).map(|n| Band { at: at(n, 24), low: usual * 0.8, median: usual, high: usual * 1.3 }).collect(),
        before: Some(usual),
        after: Some(usual),
        verdict: Verdict::Usual,
        limit: None,
    };
    Chart {
        title: "checkout in production".to_owned(),
        headline: "Errors 0.2 % → 1.9 % since 20:14".to_owned(),
        state: State::Alert,
        start: START,
        end: START.plus(120 * MINUTE),
        now: START.plus(119 * MINUTE),
        zone: Tz::America__Los_Angeles,
        panels: vec![panel("Errors", Unit::Share, 0.002), panel("Latency, p95", Unit::Millis, 240.0)],
        requests: Some(series(1_500.0)),
        marks: vec![
            Mark { at: START.plus(60 * MINUTE), kind: MarkKind::Deployment, label: "v2.14.0".to_owned() },
            Mark { at: START.plus(66 * MINUTE), kind: MarkKind::Alert, label: String::new() },
        ],
        usual: "the same hours of the last 4 weeks".to_owned(),
    }
}

#[divan::bench(args = [(48, 3), (10_000, 1_000)])]
fn strip_svg(bencher: divan::Bencher<'_, '_>, (points, events): (i64, i64)) {
    let strip = a_strip(points, events);
    bencher.bench(|| strip::svg(&strip, Theme::Light));
}

#[divan::bench]
fn strip_png(bencher: divan::Bencher<'_, '_>) {
    let svg = strip::svg(&a_strip(48, 3), Theme::Light);
    bencher.bench(|| png(&svg));
}

#[divan::bench(args = [120, 10_000])]
fn chart_svg(bencher: divan::Bencher<'_, '_>, points: i64) {
    let chart = a_chart(points);
    bencher.bench(|| chart::svg(&chart, Theme::Light));
}

#[divan::bench]
fn chart_png(bencher: divan::Bencher<'_, '_>) {
    let svg = chart::svg(&a_chart(120), Theme::Light);
    bencher.bench(|| png(&svg));
}
