//! What users said after the last deployments.

use super::world::*;
use crate::advice::FlagLevel::{Caution, Info, Pass, Unknown};
use crate::advice::facts::*;
use crate::clock::{DAY, HOUR, Time};

const CODE: &str = "users.last-time";

/// Thirty whole days and the day that runs, with as many tickets as `n` says of the day so many days ago.
fn tickets(n: impl Fn(i64, bool) -> u32) -> Asked<Support> {
    let today = Time::from_ms(now().ms() / DAY * DAY);
    let days = (0..=30).rev().map(|ago| {
        let at = today.plus(-ago * DAY);
        // 2026-11-24 is a Tuesday.
        let weekend = matches!(ago % 7, 2 | 3);
        (at, n(ago, weekend))
    });
    known("desk", Support { unit: "tickets matching `tags:checkout`".to_owned(), days: days.collect() })
}

#[test]
fn a_team_without_a_support_desk_hears_nothing_of_it() {
    World::calm().is_silent(CODE);
}

#[test]
fn more_tickets_after_the_last_deployment_are_said_with_the_usual() {
    let mut world = World::calm();
    world.facts.support = tickets(|_, _| 5);
    world.says(CODE, Pass, &["After v2.12.0", "Thu 12 Nov", "10 in 2 days (usually 10), 35 in 7 (usually 35)"]);
    // Deployed on the 12th at 18:30 UTC, eleven days before the last whole day: the 13th and 14th are what comes after.
    world.facts.support = tickets(|ago, _| if matches!(ago, 10 | 11) { 20 } else { 5 });
    let flag = world.says(CODE, Caution, &["more came than usual", "40 in 2 days (usually 10)", "1 of the last 3"]);
    assert_eq!((flag.points, flag.because.len()), (0, 3), "{flag:?}");
    // The very same later is not this deployment's.
    world.facts.support = tickets(|ago, _| if matches!(ago, 1 | 2) { 20 } else { 5 });
    world.says(CODE, Pass, &[]);
    // What comes slowly shows in the seven days.
    world.facts.support = tickets(|ago, _| if (5..=9).contains(&ago) { 15 } else { 5 });
    world.says(CODE, Caution, &["10 in 2 days (usually 10), 85 in 7 (usually 35)"]);
}

#[test]
fn small_numbers_and_weekends_are_no_alarm() {
    let mut world = World::calm();
    world.facts.support = tickets(|ago, _| if matches!(ago, 10 | 11) { 2 } else { 1 });
    world.says(CODE, Pass, &["4 in 2 days (usually 2)"]);
    // Deployed before a week begins, when everything doubles anyway.
    world.history().recent = vec![deployment("d0", "v2.12.0", 9, None)];
    world.facts.support = tickets(|_, weekend| if weekend { 1 } else { 20 });
    world.says(CODE, Pass, &["40 in 2 days (usually 40)"]);
}

#[test]
fn what_cannot_be_told_apart_is_not_judged() {
    let mut world = World::calm();
    world.facts.support = tickets(|ago, _| if ago == 0 { 900 } else { 5 });
    world.says(CODE, Pass, &["usually 10"]);
    world.history().recent = (0..30).map(|ago| deployment(&format!("d{ago}"), "v2", ago, None)).collect();
    world.says(CODE, Info, &["too often"]);
    world.history().recent = vec![deployment("d0", "v2", 0, None)];
    world.says(CODE, Info, &["too lately"]);
    world.history().recent = vec![deployment("d0", "v2", 60, None)];
    world.says(CODE, Info, &["was not deployed here in the 30 days"]);
    // Too few other days to know what is usual.
    world.history().recent = vec![deployment("d0", "v2", 9, None)];
    world.facts.support.known[0].value.days.drain(..20);
    world.says(CODE, Info, &["too little was counted"]);
}

#[test]
fn a_desk_that_is_silent_or_broken_is_unknown() {
    let mut world = World::calm();
    world.facts.support = broken("desk", "did not answer in 2 s");
    world.says(CODE, Unknown, &["What users told support unknown", "desk did not answer in 2 s"]);
    world.facts.support = known("desk", Support::default());
    world.says(CODE, Unknown, &["desk counts nothing"]);
    world.facts.support = tickets(|_, _| 5);
    world.facts.support.known[0].incomplete = vec!["one page was missing".to_owned()];
    world.says(CODE, Unknown, &["one page was missing"]);
    world.facts.support = tickets(|ago, _| if matches!(ago, 10 | 11) { 20 } else { 5 });
    world.facts.support.unknown = broken::<()>("other-desk", "refused the token (401)").unknown;
    world.says(CODE, Caution, &["more came than usual"]);
    world.facts.history = broken("tidegate", "could not be read");
    world.says(CODE, Unknown, &["History unknown"]);
}

#[test]
fn of_two_desks_the_graver_one_speaks_whoever_was_first() {
    let mut world = World::calm();
    let calm = tickets(|_, _| 5).known.remove(0);
    let mut worse = tickets(|ago, _| if matches!(ago, 10 | 11) { 20 } else { 5 }).known.remove(0);
    worse.source = "another-desk".into();
    worse.at = now().plus(HOUR);
    world.facts.support.known = vec![calm.clone(), worse.clone()];
    let flag = world.says(CODE, Caution, &["40 in 2 days"]);
    world.facts.support.known = vec![worse, calm];
    assert_eq!(world.flag(CODE), flag);
}
