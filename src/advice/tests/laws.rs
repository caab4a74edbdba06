//! What holds for every brief.

use proptest::prelude::*;

use super::world::*;
use crate::advice::checks::ALL;
use crate::advice::facts::*;
use crate::advice::{Advice, Confidence, FlagLevel};
use crate::clock::HOUR;
use crate::plan::{Risk, When};

/// A world with a few things spoiled, each by one bit.
fn spoiled(bits: u32, lines: u32, bad: u32, load: u32) -> World {
    let mut world = World::calm();
    let on = |bit: u32| bits & (1 << bit) != 0;
    world.change().files.push(file("src/more.rs", lines, lines / 2));
    world.history().service_rate = Rate { bad: bad.min(60), n: 60 };
    world.facts.load.known[0].value.week =
        (0..168).map(|hour| Some(if hour == 0 { 100.0 } else { f64::from(load) })).collect();
    if on(0) {
        world.migrate(migration("0047", "alter table orders drop column total;"));
    }
    if on(1) {
        world.plan.rollback = None;
    }
    if on(2) {
        world.change().files.push(file("src/payments/capture.rs", 10, 1));
    }
    if on(3) {
        world.facts.incidents.known[0].value.push(incident("#490", "checkout"));
    }
    if on(4) {
        world.facts.health.known[0].value.errors = Some(0.2);
    }
    if on(5) {
        world.history().similar[0].deployment.outcome = Some(Outcome::Incident);
    }
    if on(6) {
        (world.plan.rollback_if, world.plan.success, world.plan.why_now) = (None, None, None);
    }
    if on(7) {
        world.plan.risk = None;
    }
    if on(8) {
        world.facts.calendar.known[0].value.push(event("Relaunch", Means::Launch, 1, 2));
    }
    if on(9) {
        world.plan.watch.clear();
    }
    world
}

/// Takes the knowledge of one question away, in one of four ways.
fn forget(world: &mut World, question: u32, how: u32) {
    let facts = &mut world.facts;
    match question {
        0 => lose(&mut facts.calendar, how),
        1 => lose(&mut facts.on_call, how),
        2 => lose(&mut facts.incidents, how),
        3 => lose(&mut facts.versions, how),
        4 => lose(&mut facts.change, how),
        5 => lose(&mut facts.migrations, how),
        6 => lose(&mut facts.load, how),
        7 => lose(&mut facts.health, how),
        8 => lose(&mut facts.history, how),
        _ => lose(&mut facts.others, how),
    }
}

fn lose<T>(asked: &mut Asked<T>, how: u32) {
    match how {
        0 => *asked = Asked::default(),
        1 => *asked = broken("x", "did not answer in 2 s"),
        2 => asked.known.iter_mut().for_each(|fact| fact.incomplete.push("half is missing".to_owned())),
        _ => asked.unknown = broken::<T>("x", "answered rubbish").unknown,
    }
}

fn level(advice: &Advice, code: &str) -> Option<FlagLevel> {
    advice.flags.iter().find(|flag| flag.code == code).map(|flag| flag.level)
}

fn json(advice: &Advice) -> String {
    serde_json::to_string(advice).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_points_add_up_to_the_value(bits in 0u32..1024, lines in 0u32..200_000, bad in 0u32..60, load in 0u32..100) {
        let advice = spoiled(bits, lines, bad, load).advise();
        let sum: i32 = advice.score.points.iter().map(|p| p.points).sum();
        prop_assert_eq!(sum, i32::try_from(advice.score.value).unwrap());
        prop_assert!(advice.score.value <= 100);
        for points in &advice.score.points {
            prop_assert!(points.code.starts_with("score.") || points.points <= points.of, "{points:?}");
        }
        for flag in &advice.flags {
            let shown: i32 = advice.score.points.iter().filter(|p| p.code == flag.code).map(|p| p.points).sum();
            prop_assert_eq!(flag.points, shown, "{}", &flag.code);
        }
    }

    #[test]
    fn knowing_less_never_reassures(bits in 0u32..1024, question in 0u32..10, how in 0u32..4, bad in 0u32..60) {
        let whole = spoiled(bits, 100, bad, 40);
        let mut less = spoiled(bits, 100, bad, 40);
        forget(&mut less, question, how);
        let (before, after) = (whole.advise(), less.advise());
        prop_assert!(after.score.confidence <= before.score.confidence);
        for flag in &after.flags {
            let was = level(&before, &flag.code);
            if flag.level == FlagLevel::Pass {
                prop_assert!(was == Some(FlagLevel::Pass), "{} was {was:?} and passes: {}", flag.code, flag.says);
            }
            if flag.level == FlagLevel::Unknown {
                prop_assert!(flag.points >= 0, "{}: unknown reassures by {}", flag.code, flag.points);
            }
        }
        if question != 9 && !(question == 5 && bits & 1 == 0) {
            prop_assert!(after.score.confidence < Confidence::Good);
            prop_assert!(!after.score.missing.is_empty());
        }
    }

    #[test]
    fn what_stops_the_gate_is_what_the_brief_calls_blockers(
        bits in 0u32..1024, lines in 0u32..200_000, load in 0u32..100, named in 0u32..3, ahead in 0i64..10_000, frozen in 0i64..10_000,
    ) {
        let mut world = spoiled(bits, lines, 9, load);
        let codes = ALL.iter().map(|check| check.code.to_owned());
        match named {
            0 => {}
            1 => world.settings.policy.blockers = codes.filter(|code| !code.starts_with("approval.")).collect(),
            _ => world.settings.policy.blockers = codes.collect(),
        }
        world.plan.when = When::At { at: world.now.plus(ahead * HOUR / 10) };
        world.facts.calendar.known[0].value.push(event("Freeze", Means::Freeze, frozen / 10, frozen / 10 + 30));
        let stops: Vec<String> = world.stops().into_iter().map(|flag| flag.code).collect();
        prop_assert_eq!(stops, world.advise().blockers);
    }

    #[test]
    fn more_load_never_lowers_the_score(bits in 0u32..1024, load in 0u32..100, more in 0u32..100) {
        let low = spoiled(bits, 100, 6, load).advise().score.value;
        let high = spoiled(bits, 100, 6, (load + more).min(100)).advise().score.value;
        prop_assert!(high >= low);
    }

    #[test]
    fn more_lines_and_more_failures_never_lower_the_score(bits in 0u32..1024, lines in 0u32..5_000, bad in 0u32..60) {
        let base = spoiled(bits, lines, bad, 40).advise().score.value;
        // Lines are looked at apart from their spread: one file of the change grows.
        let failing = spoiled(bits, lines, bad + 1, 40).advise().score.value;
        prop_assert!(failing >= base);
    }

    #[test]
    fn the_order_of_facts_does_not_matter(bits in 0u32..1024, lines in 0u32..5_000) {
        let mut world = spoiled(bits, lines, 6, 40);
        world.facts.calendar.known[0].value.extend([
            event("Demo", Means::Demo, 1, 3),
            event("Campaign", Means::Campaign, 1, 3),
            event("Training", Means::Training, 2, 4),
        ]);
        world.facts.calendar.known.push(fact("second", vec![event("Launch", Means::Launch, 1, 3)]));
        world.facts.incidents.known.push(fact("tracker", vec![incident("#1", "ledger"), incident("#2", "checkout")]));
        world.facts.incidents.unknown = [broken::<()>("a", "is slow").unknown, broken::<()>("b", "is broken").unknown].concat();
        let before = world.advise();
        let facts = &mut world.facts;
        facts.calendar.known.reverse();
        facts.calendar.known.iter_mut().for_each(|fact| fact.value.reverse());
        facts.incidents.known.reverse();
        facts.incidents.known.iter_mut().for_each(|fact| fact.value.reverse());
        facts.incidents.unknown.reverse();
        facts.migrations.known.iter_mut().for_each(|fact| fact.value.applied.reverse());
        facts.history.known[0].value.similar.reverse();
        facts.history.known[0].value.sizes.reverse();
        facts.history.known[0].value.dependencies.reverse();
        facts.change.known[0].value.files.reverse();
        facts.versions.known[0].value.resolved.reverse();
        prop_assert_eq!(json(&before), json(&world.advise()));
    }

    #[test]
    fn nothing_written_by_others_breaks_the_advice(text in ".{0,200}", how in "\\PC{0,80}") {
        let mut world = World::calm();
        world.plan.rollback = Some(text.clone());
        world.plan.rollback_if = Some(how.clone());
        world.plan.why = Some(text.clone());
        world.plan.how = Some(how);
        world.change().commits[0].title = text.clone();
        world.change().files.push(file(&text, 1, 1));
        world.facts.incidents.known[0].value.push(Incident { title: text.clone(), ..incident(&text, "checkout") });
        let advice = world.advise();
        for flag in &advice.flags {
            prop_assert!(!flag.says.contains(['\n', '\u{0}', '\u{202e}']), "{}: {:?}", flag.code, flag.says);
        }
    }
}

#[test]
fn the_same_brief_gives_the_same_bytes() {
    let world = spoiled(0b11_1111_1111, 400, 9, 94);
    assert_eq!(json(&world.advise()), json(&world.advise()));
}

#[test]
fn a_heavy_brief_ends_at_a_hundred_and_says_so() {
    let mut world = spoiled(0b11_1111_1111, 100_000, 59, 100);
    world.facts.history.known[0].value.similar.iter_mut().for_each(|s| s.deployment.outcome = Some(Outcome::Incident));
    for n in 0..5 {
        world.change().files.push(file(&format!("d{n}/e{n}/x.rs"), 40_000, 40_000));
    }
    let score = world.advise().score;
    assert_eq!(score.value, 100);
    assert!(score.points.iter().any(|p| p.code == "score.cap" && p.points < 0), "{:?}", score.points);
}

#[test]
fn every_code_is_listed_once_and_flags_come_in_the_lists_order() {
    let mut codes: Vec<&str> = ALL.iter().map(|check| check.code).collect();
    let advice = spoiled(0b11_1111_1111, 400, 9, 94).advise();
    let places: Vec<usize> =
        advice.flags.iter().map(|flag| codes.iter().position(|code| *code == flag.code).unwrap()).collect();
    assert!(places.is_sorted());
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), ALL.len());
    assert!(ALL.iter().all(|check| check.asks.ends_with('?')));
}

#[test]
fn the_rate_comes_with_n_and_interval_or_not_at_all() {
    let mut world = World::calm();
    let rate = world.advise().score.rate.unwrap();
    assert_eq!((rate.rate.bad, rate.rate.n), (4, 40));
    assert!(rate.low < 0.1 && rate.high > 0.1);
    for deployment in &mut world.history().recent {
        deployment.shape.lines = 60;
    }
    assert_eq!(world.advise().score.rate.unwrap().rate, Rate { bad: 0, n: 12 });
    world.history().recent.clear();
    (world.history().service_rate, world.history().team_rate) = (Rate { bad: 1, n: 4 }, Rate { bad: 1, n: 4 });
    assert!(world.advise().score.rate.is_none());
}

#[test]
fn a_declared_risk_never_moves_the_number() {
    let mut world = spoiled(0b100, 400, 9, 94);
    let values: Vec<u32> = [None, Some(Risk::Low), Some(Risk::High)]
        .into_iter()
        .map(|risk| {
            world.plan.risk = risk;
            world.advise().score.value
        })
        .collect();
    assert!(values.windows(2).all(|pair| pair[0] == pair[1]), "{values:?}");
}

#[test]
fn ten_thousand_calendar_entries_do_not_slow_it_down_out_of_proportion() {
    let mut world = spoiled(0b1_0000_1001, 400, 9, 94);
    let time = |world: &World| {
        let start = std::time::Instant::now();
        std::hint::black_box(world.advise());
        start.elapsed()
    };
    let few = time(&world).min(time(&world));
    for n in 0..10_000 {
        world.facts.calendar.known[0].value.push(event("Standup", Means::Meeting, n % 300, n % 300 + 1));
    }
    let many = time(&world).min(time(&world));
    println!("advise: {few:?} without, {many:?} with 10,000 entries");
    assert!(many.as_millis() < 2_000, "{many:?}");
}
