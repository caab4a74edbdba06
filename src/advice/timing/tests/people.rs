//! Who would be there: working hours in their own zones, on call, absences.

use super::world::{SETTINGS, at, world, world_with};
use crate::advice::FlagLevel::{Caution, Critical, Pass, Unknown};
use crate::advice::facts::Means;

#[test]
fn whoever_is_on_call_is_named_with_their_hours() {
    let mut world = world("2026-11-23T11:00:00-08:00");
    assert_eq!(world.says("timing.on-call"), (Pass, "Lin is on call and at work until 18:00 PST.".to_owned()));
    world.facts.on_call.known.clear();
    world.shift("grace", "2026-11-16T00:00:00-08:00", Some("2026-11-24T09:00:00-08:00"));
    let (level, says) = world.says("timing.on-call");
    assert_eq!(level, Caution);
    assert_eq!(says, "Grace is on call until Tue 24 Nov 09:00 PST, in their evening.");
}

#[test]
fn a_hand_over_within_the_watch_is_told() {
    let mut world = world("2026-11-23T11:00:00-08:00");
    world.facts.on_call.known.clear();
    world.shift("lin", "2026-11-16T12:00:00-08:00", Some("2026-11-23T12:00:00-08:00"));
    world.shift("ada", "2026-11-23T12:00:00-08:00", Some("2026-11-30T12:00:00-08:00"));
    let flag = world.flag("timing.on-call");
    assert_eq!((flag.level, flag.points), (Caution, 2));
    assert_eq!(
        flag.says,
        "Lin is on call until 12:00 PST and at work until 18:00 PST; a hand-over to Ada falls into the watch (12:00 PST)."
    );
    assert_eq!(flag.would_help.unwrap().says, "Wait until 12:00 PST");
}

#[test]
fn nobody_on_call_is_not_the_same_as_a_rota_that_ends() {
    let mut world = world("2026-11-23T11:00:00-08:00");
    world.facts.on_call.known.clear();
    world.shift("lin", "2026-11-16T12:00:00-08:00", Some("2026-11-23T10:00:00-08:00"));
    let (level, says) = world.says("timing.on-call");
    assert_eq!((level, says.as_str()), (Unknown, "On-call unknown: the rota ends 10:00 PST."));
    world.shift("ada", "2026-11-24T10:00:00-08:00", None);
    let flag = world.flag("timing.on-call");
    assert_eq!((flag.level, flag.points), (Critical, 8));
    assert_eq!(flag.says, "Nobody is on call 11:00–Tue 24 Nov 10:00 PST (Ada is next).");
}

#[test]
fn the_nearest_shift_counts() {
    let mut world = world("2026-11-23T11:00:00-08:00");
    world.shift("ada", "2026-11-23T00:00:00-08:00", None);
    world.facts.on_call.known[0].value[0].level = 2;
    assert!(world.says("timing.on-call").1.starts_with("Ada is on call"));
    world.facts.on_call.known[0].value[1].service = Some("search".into());
    assert!(world.says("timing.on-call").1.starts_with("Lin is on call"));
}

#[test]
fn absences_and_meetings_are_told_without_what_they_are_for() {
    let mut world = world("2026-11-23T11:00:00-08:00");
    assert_eq!(world.says("timing.people").0, Pass);
    world.plan.watch = vec!["lin".into()];
    assert_eq!(world.says("timing.people"), (Unknown, "Absences unknown: no calendar tells of Lin's time.".to_owned()));
    // A calendar of everybody's absences tells of those who are there, too.
    world.own("grace", Means::OutOfOffice, "2026-11-25T00:00:00-08:00", "2026-11-26T00:00:00-08:00");
    let says = "Ada and Lin are neither out of office nor in a meeting.".to_owned();
    assert_eq!(world.says("timing.people"), (Pass, says));
    world.own("lin", Means::OutOfOffice, "2026-11-23T00:00:00-08:00", "2026-11-24T00:00:00-08:00");
    world.own("ada", Means::Meeting, "2026-11-23T11:30:00-08:00", "2026-11-23T12:00:00-08:00");
    let flag = world.flag("timing.people");
    assert_eq!((flag.level, flag.points), (Caution, 4));
    assert_eq!(
        flag.says,
        "Ada is in a meeting (11:30–12:00 PST) and Lin is out of office (00:00–Tue 24 Nov 00:00 PST)."
    );
    assert!(flag.because.iter().all(|because| !because.says.contains("OutOfOffice")));
    let (level, says) = world.says("timing.watchable");
    assert_eq!(level, Caution, "{says}");
}

#[test]
fn a_watcher_in_another_zone_has_an_evening_of_their_own() {
    let mut world = world("2026-11-23T11:00:00-08:00");
    world.facts.on_call.known.clear();
    world.plan.watch = vec!["grace".into()];
    let (level, says) = world.says("timing.watchable");
    assert_eq!(level, Caution);
    assert!(
        says.starts_with("Nobody who would notice is at work then until Tue 24 Nov 00:00 PST (Grace's evening)"),
        "{says}"
    );
    assert!(!world.windows().now.good);
}

#[test]
fn a_team_in_two_zones_is_offered_the_hours_that_both_work() {
    let two = SETTINGS.replace("Mon-Thu 10:00-16:00", "daily 00:00-24:00").replace("Europe/Berlin", "America/New_York");
    let mut world = world_with("2026-11-23T17:00:00-08:00", &two);
    world.facts.on_call.known.clear();
    world.plan.watch = vec!["grace".into()];
    // Los Angeles begins at 09:00, New York ends at 15:00 PST, and the first hour of the watch is worked too.
    let first = world.windows().windows.into_iter().next().unwrap();
    assert!(first.good);
    assert_eq!((first.start, first.end), (at("2026-11-24T09:00:00-08:00"), at("2026-11-24T14:00:00-08:00")));
}

#[test]
fn a_planner_who_is_never_at_work_in_allowed_hours_gives_way_and_it_is_said() {
    let mut world = world("2026-11-23T09:00:00-08:00");
    world.plan.by = "grace".into();
    let windows = world.windows();
    let first = &windows.windows[0];
    assert!(first.good);
    assert_eq!(first.start, at("2026-11-23T10:00:00-08:00"));
    assert!(
        first.reasons.iter().any(|says| says.contains("in Grace's evening, as every allowed hour")),
        "{:?}",
        first.reasons
    );
}

#[test]
fn friday_afternoon_leaves_little_time_for_slow_signals() {
    let world = world("2026-11-20T16:00:00-08:00");
    let (level, says) = world.says("timing.watchable");
    assert_eq!(level, Caution);
    assert_eq!(
        says,
        "Lin is at work until 18:00 PST; 100 min of working time is left in the 48 h after it, when slow signals show."
    );
}

#[test]
fn a_holiday_that_makes_a_weekend_long_is_seen_from_the_day_before() {
    let mut world = world("2026-07-02T15:00:00-07:00");
    let holiday =
        world.event(Means::Holiday, "Independence Day", "2026-07-03T00:00:00-07:00", "2026-07-04T00:00:00-07:00");
    holiday.all_day = true;
    let (level, says) = world.says("timing.watchable");
    assert_eq!(level, Caution);
    assert_eq!(
        says,
        "Lin is at work until 18:00 PDT; 2 h 40 min of working time is left in the 48 h after it, when slow signals show; \
         public holiday ahead: “Independence Day”, Fri 3 Jul (calendar company, a long weekend)."
    );
}

#[test]
fn namesakes_are_told_apart() {
    let named = SETTINGS.replace("Ada Lovelace", "Lin Carroll");
    let world = world_with("2026-11-23T11:00:00-08:00", &named);
    assert!(world.says("timing.on-call").1.starts_with("Lin Wei is on call"));
}
