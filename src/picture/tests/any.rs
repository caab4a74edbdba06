//! Pictures of whatever proptest thinks of.

use chrono_tz::Tz;
use proptest::prelude::*;

use super::{texts, time};
use crate::clock::{HOUR, Time};
use crate::picture::chart::{Band, Chart, Mark, MarkKind, Panel, Point, State, Unit, Verdict};
use crate::picture::strip::{Event, EventKind, LoadPoint, Strip, Window};
use crate::picture::{Labelled, Moment, Stretch, Theme, chart, strip};

fn any_time() -> impl Strategy<Value = Time> {
    prop_oneof![
        4 => (-80i64..120).prop_map(|hours| time("2026-10-24T12:00:00Z").plus(hours * HOUR)),
        1 => any::<i64>().prop_map(Time::from_ms),
    ]
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![4 => 0.0..1.5f64, 1 => any::<f64>()]
}

fn any_zone() -> impl Strategy<Value = Tz> {
    prop::sample::select(&chrono_tz::TZ_VARIANTS[..])
}

fn any_words() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,60}", any::<String>(), Just("<script>&\"'</svg>]]>".to_owned())]
}

fn labelled() -> impl Strategy<Value = Option<Vec<Labelled>>> {
    let one = (any_time(), any_time(), any_words()).prop_map(|(start, end, label)| Labelled { start, end, label });
    prop::option::of(prop::collection::vec(one, 0..12))
}

fn any_strip() -> impl Strategy<Value = Strip> {
    let stretches = || {
        let one = (any_time(), any_time()).prop_map(|(start, end)| Stretch { start, end });
        prop::collection::vec(one, 0..12)
    };
    let load = (any_time(), prop::option::of(any_number())).prop_map(|(at, share)| LoadPoint { at, share });
    let window = (any_time(), any_time(), any::<u32>(), any::<bool>(), any_words())
        .prop_map(|(start, end, score, good, why)| Window { start, end, score, good, why });
    let lists = (stretches(), labelled(), labelled(), labelled(), stretches());
    let rest = (
        prop::collection::vec(load, 0..60),
        prop::collection::vec(window, 0..6),
        prop::option::of(any_words()),
        prop::option::of(any::<u32>()),
    );
    ((any_time(), any_time(), any_time(), any_zone(), any_words()), lists, rest).prop_map(
        |(
            (start, end, now, zone, title),
            (allowed, freezes, events, on_call, working),
            (load, windows, none_good, score_now),
        )| {
            let kind = |n: usize| if n.is_multiple_of(3) { EventKind::Launch } else { EventKind::Busy };
            let event = |(n, one): (usize, &Labelled)| Event {
                start: one.start,
                end: one.end,
                label: one.label.clone(),
                kind: kind(n),
            };
            Strip {
                title,
                start,
                end,
                now,
                zone,
                score_now,
                load,
                deployments: freezes
                    .as_ref()
                    .map(|list| list.iter().map(|one| Moment { at: one.start, label: one.label.clone() }).collect()),
                events: events.as_ref().map(|list| list.iter().enumerate().map(event).collect()),
                allowed: Some(allowed),
                freezes,
                on_call,
                working,
                windows,
                none_good,
            }
        },
    )
}

fn any_chart() -> impl Strategy<Value = Chart> {
    let point = || (any_time(), prop::option::of(any_number())).prop_map(|(at, value)| Point { at, value });
    let band = (any_time(), any_number(), any_number(), any_number()).prop_map(|(at, low, median, high)| Band {
        at,
        low,
        median,
        high,
    });
    let panel = (
        any_words(),
        prop::sample::select(vec![Unit::Share, Unit::Millis, Unit::Count]),
        prop::collection::vec(point(), 0..60),
        prop::collection::vec(band, 0..30),
        prop::option::of(any_number()),
        prop::option::of((any_number(), any_words())),
    )
        .prop_map(|(name, unit, points, band, value, limit)| Panel {
            name,
            unit,
            points,
            band,
            before: value,
            after: value.map(|value| value * 1e9),
            verdict: Verdict::Worse,
            limit,
        });
    let kinds = vec![MarkKind::Deployment, MarkKind::Alert, MarkKind::Recovery, MarkKind::RollBack];
    let mark =
        (any_time(), prop::sample::select(kinds), any_words()).prop_map(|(at, kind, label)| Mark { at, kind, label });
    (
        (any_time(), any_time(), any_time(), any_zone(), any_words(), any_words()),
        prop::collection::vec(panel, 0..5),
        prop::option::of(prop::collection::vec(point(), 0..30)),
        prop::collection::vec(mark, 0..14),
    )
        .prop_map(|((start, end, now, zone, title, headline), panels, requests, marks)| Chart {
            usual: headline.clone(),
            state: State::Alert,
            title,
            headline,
            start,
            end,
            now,
            zone,
            panels,
            requests,
            marks,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_strip_is_a_picture_whose_words_stay_inside(picture in any_strip()) {
        for theme in [Theme::Light, Theme::Page] {
            texts(&strip::svg(&picture, theme));
        }
        prop_assert!(strip::alt(&picture).chars().count() <= 1_900);
    }

    #[test]
    fn any_chart_is_a_picture_whose_words_stay_inside(picture in any_chart()) {
        for theme in [Theme::Dark, Theme::Page] {
            texts(&chart::svg(&picture, theme));
        }
        prop_assert!(chart::alt(&picture).chars().count() <= 1_900);
    }
}
