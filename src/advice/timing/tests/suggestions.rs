//! Which windows are suggested, and why.

use super::world::{SETTINGS, World, at, world, world_with};
use crate::advice::facts::{Doing, Means};
use crate::advice::{FlagLevel, Slot};
use crate::clock::{MINUTE, Time};

fn first(world: &World) -> Slot {
    world.windows().windows.into_iter().next().expect("a window")
}

#[track_caller]
fn says(list: &[String], part: &str) {
    assert!(list.iter().any(|says| says.contains(part)), "{part:?} is not among {list:#?}");
}

#[test]
fn on_friday_afternoon_the_first_good_window_is_monday_morning_and_says_so() {
    let world = world("2026-11-20T16:30:00-08:00");
    let (level, window) = world.says("timing.window");
    assert_eq!(level, FlagLevel::Critical);
    assert_eq!(
        window,
        "Outside the allowed window (Mon–Thu 10:00–16:00 PST): it opens Mon 23 Nov 10:00 PST. \
         Going on in spite of it needs an override by vp-engineering."
    );
    let windows = world.windows();
    let monday = at("2026-11-23T10:00:00-08:00");
    assert_eq!(windows.none_before, Some(monday));
    let first = &windows.windows[0];
    assert!(first.good);
    assert_eq!((first.start, first.end), (monday, at("2026-11-23T16:00:00-08:00")));
    assert!(monday > windows.horizon_end);
    says(&first.reasons, "nothing good in the next 48 h (allowed only Mon–Thu 10:00–16:00 PST)");
    says(&windows.now.reasons, "nothing good in the next 48 h");
    assert!(!windows.now.good);
    says(&windows.now.costs, "outside the allowed window (needs an override by vp-engineering)");
}

#[test]
fn an_evening_is_offered_only_with_what_it_costs_and_after_what_costs_nothing() {
    let mut world = world("2026-11-23T15:00:00-08:00");
    world.load(|hour| match hour {
        9..12 => 0.38,
        12..18 => 0.94,
        _ => 0.2,
    });
    let (level, peak) = world.says("timing.peak-traffic");
    assert_eq!(level, FlagLevel::Critical);
    assert_eq!(peak, "Traffic is usually at 94 % of the weekly peak (15:00 PST); it falls below 70 % at 18:00 PST.");
    let windows = world.windows();
    let good = &windows.windows[0];
    assert!(good.good && good.costs.is_empty());
    assert_eq!(good.start, at("2026-11-24T10:00:00-08:00"));
    // The load rises at noon, and the first hour of the watch is looked at too.
    assert_eq!(good.end, at("2026-11-24T11:00:00-08:00"));
    says(&good.reasons, "traffic 38 % of peak");
    says(&good.reasons, "Lin on call and at work until 18:00");
    says(&good.reasons, "nothing else planned");
    let evening = windows.windows.iter().find(|slot| slot.start < good.start).expect("an evening");
    assert!(!evening.good);
    assert_eq!(evening.start, at("2026-11-23T18:00:00-08:00"));
    says(&evening.costs, "outside the allowed window (needs an override by vp-engineering)");
    says(&evening.costs, "in Ada's evening and Lin's evening");
    says(&windows.now.reasons, "traffic 94 % of peak");
    assert_eq!(windows.none_before, None);
}

#[test]
fn a_freeze_pushes_the_first_good_window_behind_its_end_and_is_named() {
    let mut world = world("2026-11-25T11:00:00-08:00");
    world.event(Means::Freeze, "Black Friday", "2026-11-25T09:00:00-08:00", "2026-11-30T09:00:00-08:00").owner =
        Some("Finance".to_owned());
    let (level, freeze) = world.says("timing.freeze");
    assert_eq!(level, FlagLevel::Critical);
    assert_eq!(freeze, "Frozen until Mon 30 Nov 09:00 PST: “Black Friday” (owner: Finance; calendar company).");
    let windows = world.windows();
    assert_eq!(windows.none_before, Some(at("2026-11-30T10:00:00-08:00")));
    says(
        &windows.windows[0].reasons,
        "nothing good in the next 48 h (freeze “Black Friday” until Mon 30 Nov 09:00 PST, owner: Finance; calendar company",
    );
    assert_eq!(windows.windows.iter().filter(|slot| slot.start < at("2026-11-30T09:00:00-08:00")).count(), 0);
}

#[test]
fn nobody_is_asked_to_work_on_a_public_holiday() {
    let mut world = world("2026-11-25T15:50:00-08:00");
    let holiday = world.event(Means::Holiday, "Thanksgiving", "2026-11-26T00:00:00-08:00", "2026-11-27T00:00:00-08:00");
    holiday.all_day = true;
    let windows = world.windows();
    assert_eq!(windows.none_before, Some(at("2026-11-30T10:00:00-08:00")));
    says(&windows.windows[0].reasons, "public holiday “Thanksgiving”, Thu 26 Nov");
    let (level, watchable) = world.says("timing.watchable");
    assert_eq!(level, FlagLevel::Info);
    assert_eq!(
        watchable,
        "Lin is at work until 18:00 PST; public holiday ahead: “Thanksgiving”, Thu 26 Nov (calendar company)."
    );
    let moment = world.moment_at(at("2026-11-26T11:00:00-08:00"));
    let watchable = moment.flags.iter().find(|flag| flag.code == "timing.watchable").unwrap();
    assert!(
        watchable.says.starts_with(
            "Nobody who would notice is at work then until Fri 27 Nov 09:00 PST (public holiday “Thanksgiving”"
        ),
        "{}",
        watchable.says
    );
}

#[test]
fn windows_differ_by_more_than_traffic() {
    let mut world = world("2026-11-23T09:00:00-08:00");
    world.facts.on_call.known.clear();
    world.shift("lin", "2026-11-16T12:00:00-08:00", Some("2026-11-24T13:00:00-08:00"));
    world.shift("ada", "2026-11-24T13:00:00-08:00", Some("2026-12-01T12:00:00-08:00"));
    world.other("ledger-12", "ledger", Doing::Planned, "2026-11-23T13:00:00-08:00", "2026-11-23T15:00:00-08:00");
    world.own("ada", Means::Meeting, "2026-11-23T10:30:00-08:00", "2026-11-23T11:00:00-08:00");
    let windows = world.windows().windows;
    // Monday between the meeting and the deployment of ledger; Tuesday before and after the hand-over.
    let monday = windows.iter().find(|slot| slot.start < at("2026-11-23T23:00:00-08:00")).unwrap();
    assert_eq!((monday.start, monday.end), (at("2026-11-23T11:00:00-08:00"), at("2026-11-23T12:00:00-08:00")));
    let tuesday =
        windows.iter().find(|slot| slot.start == at("2026-11-24T13:00:00-08:00")).expect("after the hand-over");
    says(&tuesday.reasons, "Ada on call");
    let ranked: Vec<u32> = windows.iter().map(|slot| slot.score).collect();
    assert!(ranked.is_sorted(), "{ranked:?}");
}

#[test]
fn a_good_moment_now_is_said_to_be_good() {
    let world = world("2026-11-23T10:30:00-08:00");
    let windows = world.windows();
    assert!(windows.now.good);
    assert_eq!(windows.windows[0].start, at("2026-11-23T10:30:00-08:00"));
    assert_eq!(windows.now.score, windows.windows[0].score);
    assert!(windows.windows.len() >= 2, "another day, too");
}

#[test]
fn suggestions_are_round_and_lie_ahead() {
    let world = world("2026-11-23T10:33:21-08:00");
    for slot in world.windows().windows {
        assert!(slot.start > world.now);
        assert_eq!(slot.start.ms() % (10 * MINUTE), 0);
    }
}

#[test]
fn a_deployment_longer_than_the_horizon_is_never_offered_a_window_that_has_begun() {
    let settings = SETTINGS
        .replace("deployment-length = \"20m\"", "deployment-length = \"5h\"")
        .replace("horizon = \"48h\"", "horizon = \"1h\"");
    let world = world_with("2026-11-23T10:00:07-08:00", &settings);
    for slot in world.windows().windows {
        assert!(slot.start >= world.now, "{slot:?}");
    }
}

#[test]
fn without_any_source_windows_are_still_suggested_and_say_what_is_not_known() {
    let mut world = world("2026-11-23T09:00:00-08:00");
    world.facts = Default::default();
    let first = first(&world);
    assert!(first.good);
    says(&first.reasons, "traffic unknown: no source is set up");
    says(&first.reasons, "freezes and absences unknown");
    says(&first.reasons, "on-call unknown");
    says(&first.reasons, "the team at work until 18:00");
    for flag in world.moment().flags.iter().filter(|flag| flag.code != "timing.window") {
        assert_eq!(flag.level, FlagLevel::Unknown, "{}: {}", flag.code, flag.says);
    }
}

#[test]
fn where_every_allowed_hour_is_busy_the_least_busy_is_good_and_says_so() {
    let mut world = world("2026-11-23T09:00:00-08:00");
    world.load(|hour| if hour == 10 || hour == 11 { 0.8 } else { 0.97 });
    let first = first(&world);
    assert!(first.good);
    assert_eq!(first.start, at("2026-11-23T10:00:00-08:00"));
    says(&first.reasons, "traffic 80 % of peak, which is as low as it gets");
}

#[test]
fn where_the_rule_allows_only_nights_the_night_is_told_with_its_cost() {
    let nightly = SETTINGS.replace("Mon-Thu 10:00-16:00", "Sun 02:00-04:00");
    let world = world_with("2026-11-23T09:00:00-08:00", &nightly);
    let windows = world.windows();
    assert_eq!(windows.none_before, None);
    assert!(windows.windows.iter().all(|slot| !slot.good && !slot.costs.is_empty()));
    says(&windows.now.reasons, "nothing good within 90 days");
}

#[test]
fn a_plan_for_later_is_judged_at_its_own_time() {
    let mut world = world("2026-11-23T10:00:00-08:00");
    world.plan.when = crate::plan::When::At { at: at("2026-11-28T03:00:00-08:00") };
    let windows = world.windows();
    assert_eq!(windows.now.start, at("2026-11-28T03:00:00-08:00"));
    assert!(!windows.now.good);
    assert!(windows.windows[0].good);
    world.plan.when = crate::plan::When::At { at: Time::from_ms(i64::MAX) };
    assert!(world.moment().flags.iter().all(|flag| flag.level == FlagLevel::Unknown));
    assert!(!world.windows().now.good);
}
