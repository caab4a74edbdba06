//! What each check says about a moment.

use super::world::{SETTINGS, World, unknown, world, world_with};
use crate::advice::FlagLevel::{Caution, Critical, Info, Pass, Unknown};
use crate::advice::facts::{Doing, Means};

#[test]
fn inside_the_window_the_rule_and_its_end_are_said() {
    let world = world("2026-11-23T15:00:00-08:00");
    let says = "Inside the allowed window (Mon–Thu 10:00–16:00 PST), which closes 16:00 PST.".to_owned();
    assert_eq!(world.says("timing.window"), (Pass, says));
}

#[test]
fn a_deployment_that_would_run_past_the_window_is_told() {
    let world = world("2026-11-23T15:45:00-08:00");
    let (level, says) = world.says("timing.window");
    assert_eq!(level, Caution);
    assert!(says.contains("closes 16:00 PST, before the deployment would be done (16:05 PST)"), "{says}");
}

#[test]
fn an_environment_without_a_window_is_not_asked() {
    let mut world = world("2026-11-23T15:00:00-08:00");
    world.plan.environment = "staging".into();
    assert!(world.moment().flags.iter().all(|flag| flag.code != "timing.window"));
}

#[test]
fn a_window_is_read_in_the_zone_of_its_environment() {
    let berlin = SETTINGS.replace("window = [\"Mon-Thu", "zone = \"Europe/Berlin\"\nwindow = [\"Mon-Thu");
    let world = world_with("2026-11-23T02:00:00-08:00", &berlin);
    let (level, says) = world.says("timing.window");
    assert_eq!(level, Pass);
    assert!(says.contains("Mon–Thu 10:00–16:00 CET"), "{says}");
}

#[test]
fn a_freeze_that_starts_before_the_watch_ends_is_a_caution() {
    let mut world = world("2026-11-23T15:00:00-08:00");
    world.event(Means::Freeze, "Close", "2026-11-23T16:00:00-08:00", "2026-11-24T16:00:00-08:00");
    let flag = world.flag("timing.freeze");
    assert_eq!(flag.level, Caution);
    assert_eq!(flag.says, "A freeze starts 16:00 PST, before the watch would end: “Close” (calendar company).");
    assert_eq!(flag.would_help.unwrap().says, "Wait until Tue 24 Nov 16:00 PST");
}

#[test]
fn a_freeze_of_another_service_or_environment_does_not_count() {
    let mut world = world("2026-11-23T15:00:00-08:00");
    world.event(Means::Freeze, "Search", "2026-11-23T09:00:00-08:00", "2026-11-24T16:00:00-08:00").services =
        vec!["search".into()];
    world.event(Means::Freeze, "Staging", "2026-11-23T09:00:00-08:00", "2026-11-24T16:00:00-08:00").environments =
        vec!["staging".into()];
    assert_eq!(world.says("timing.freeze").0, Pass);
}

#[test]
fn a_calendar_that_did_not_answer_is_never_an_all_clear() {
    let mut world = world("2026-11-23T11:00:00-08:00");
    world.facts.calendar.unknown.push(unknown("holidays", "did not answer in 2 s", world.now));
    for code in ["timing.freeze", "timing.people", "timing.watchable"] {
        let (level, says) = world.says(code);
        assert_eq!(level, Unknown, "{code}");
        assert!(says.contains("holidays did not answer in 2 s"), "{says}");
    }
    // A freeze that is seen is a freeze, whatever else is not.
    world.event(Means::Freeze, "Close", "2026-11-23T09:00:00-08:00", "2026-11-24T16:00:00-08:00");
    assert_eq!(world.says("timing.freeze").0, Critical);
}

#[test]
fn a_calendar_with_gaps_is_never_an_all_clear() {
    let mut world = world("2026-11-23T11:00:00-08:00");
    world.facts.calendar.known[0].incomplete.push("one event repeats every second".to_owned());
    let (level, says) = world.says("timing.freeze");
    assert_eq!(level, Unknown);
    assert_eq!(says, "Freezes unknown: company answered with gaps (one event repeats every second).");
}

#[test]
fn a_measured_value_speaks_for_now() {
    let mut world = world("2026-11-23T15:00:00-08:00");
    world.facts.load.known[0].value.now = Some((world.now, 940.0));
    let flag = world.flag("timing.peak-traffic");
    assert_eq!(flag.level, Critical);
    assert_eq!(flag.says, "Traffic is at 94 % of the weekly peak (15:00 PST); it falls below 70 % at 16:00 PST.");
    assert_eq!(
        flag.because[0].says,
        "940 requests per second now; the usual week peaks at 1,000 requests per second (median of 4 weeks)"
    );
    assert!(flag.would_help.unwrap().delta < 0);
    // A value of yesterday does not.
    world.facts.load.known[0].value.now = Some((world.now.plus(-crate::clock::DAY), 940.0));
    assert_eq!(world.says("timing.peak-traffic").0, Pass);
}

#[test]
fn a_peak_within_the_watch_is_seen_coming() {
    let mut world = world("2026-11-23T14:30:00-08:00");
    world.load(|hour| if hour == 15 { 0.8 } else { 0.4 });
    let (level, says) = world.says("timing.peak-traffic");
    assert_eq!(level, Caution);
    assert_eq!(
        says,
        "Traffic is usually at 40 % of the weekly peak (14:30 PST) and rises to 80 % at 15:00 PST, within the watch; \
         it falls below 70 % at 16:00 PST."
    );
}

#[test]
fn thresholds_come_from_policy() {
    let set = SETTINGS
        .replace("[[policy.override]]", "threshold.\"timing.peak-traffic\" = { caution = 0.2 }\n[[policy.override]]");
    let world = world_with("2026-11-23T15:00:00-08:00", &set);
    assert_eq!(world.says("timing.peak-traffic").0, Caution);
}

#[test]
fn hours_without_data_are_unknown_and_not_quiet() {
    let mut world = world("2026-11-23T15:00:00-08:00");
    let hour = crate::advice::facts::hour_of_week(world.now);
    world.facts.load.known[0].value.week[hour] = None;
    let flag = world.flag("timing.peak-traffic");
    assert_eq!(flag.level, Unknown);
    assert_eq!(flag.points, 10);
}

#[test]
fn a_launch_at_the_same_time_gives_points() {
    let mut world = world("2026-11-23T11:00:00-08:00");
    assert_eq!(points(&world, "coordination.launch"), (0, "Nothing at the same time.".to_owned()));
    world.event(Means::Training, "Support\n@here", "2026-11-23T10:30:00-08:00", "2026-11-23T11:30:00-08:00");
    let says = "At the same time: demo or training “Support @here” (10:30–11:30 PST).".to_owned();
    assert_eq!(points(&world, "coordination.launch"), (3, says));
    world.event(Means::Campaign, "Cyber Monday", "2026-11-23T11:30:00-08:00", "2026-11-23T13:00:00-08:00");
    assert_eq!(points(&world, "coordination.launch").0, 6);
}

#[test]
fn the_end_of_the_quarter_is_told_by_date_and_weighs_when_a_calendar_marks_it() {
    let mut world = world("2026-12-30T11:00:00-08:00");
    let (level, says) = world.says("timing.watchable");
    assert_eq!(level, Info);
    assert!(says.contains("the quarter ends in these days"), "{says}");
    let before = world.moment().total();
    world.event(Means::QuarterEnd, "Books close", "2026-12-30T00:00:00-08:00", "2027-01-01T00:00:00-08:00");
    let (level, says) = world.says("timing.watchable");
    assert_eq!(level, Caution);
    assert!(says.contains("“Books close”"), "{says}");
    assert_eq!(world.moment().total(), before + 2);
}

#[test]
fn what_is_still_watched_is_waited_for() {
    let mut world = world("2026-11-23T11:00:00-08:00");
    assert_eq!(world.says("timing.soak").0, Pass);
    world.other("ledger-11", "ledger", Doing::Watched, "2026-11-23T10:00:00-08:00", "2026-11-23T11:40:00-08:00");
    assert_eq!(world.flag("timing.soak").points, 3);
    world.other("checkout-86", "checkout", Doing::Watched, "2026-11-23T10:30:00-08:00", "2026-11-23T11:30:00-08:00");
    world.other("search-3", "search", Doing::Watched, "2026-11-23T10:30:00-08:00", "2026-11-23T11:30:00-08:00");
    let flag = world.flag("timing.soak");
    assert_eq!((flag.level, flag.points), (Caution, 6));
    assert_eq!(
        flag.says,
        "checkout v1.0.0 (checkout-86, by grace) is still being watched until 11:30 PST, and 1 more."
    );
    let help = flag.would_help.unwrap();
    assert_eq!((help.says.as_str(), help.delta), ("Wait until 11:40 PST", -6));
}

#[test]
fn others_on_the_move_count_by_how_near_they_are() {
    let mut world = world("2026-11-23T11:00:00-08:00");
    let (start, end) = ("2026-11-23T11:30:00-08:00", "2026-11-23T12:30:00-08:00");
    world.other("checkout-87", "checkout", Doing::Planned, start, end);
    assert_eq!(points(&world, "coordination.in-flight").0, 0, "the plan itself is nobody else");
    world.other("search-9", "search", Doing::Planned, start, end);
    assert_eq!(points(&world, "coordination.in-flight").0, 2);
    world.other("ledger-12", "ledger", Doing::UnderWay, start, end);
    let says = "At the same time: ledger-12 under way and 1 more.".to_owned();
    assert_eq!(points(&world, "coordination.in-flight"), (4, says));
}

fn points(world: &World, code: &str) -> (i32, String) {
    let points = world.moment().points.into_iter().find(|points| points.code == code).unwrap();
    (points.points, points.says)
}

#[test]
fn the_quiet_hour_is_told() {
    let mut world = world("2026-11-23T11:00:00-08:00");
    world.load(|hour| if hour == 3 { 0.05 } else { 0.4 });
    let (level, says) = world.says("users.quiet-hour");
    assert_eq!(level, Info);
    assert_eq!(says, "The fewest users in the next 2 days: Tue 24 Nov 03:00 PST, 5 % of the weekly peak.");
}

#[test]
fn a_check_that_is_off_neither_speaks_nor_counts_and_one_in_shadow_does_not_count() {
    let off = SETTINGS.replace(
        "[[policy.override]]",
        "checks = { \"timing.peak-traffic\" = \"off\", \"timing.window\" = \"shadow\" }\n[[policy.override]]",
    );
    let mut world = world_with("2026-11-20T16:30:00-08:00", &off);
    world.load(|_| 0.95);
    let moment = world.moment();
    assert!(moment.flags.iter().all(|flag| flag.code != "timing.peak-traffic"));
    assert!(moment.points.iter().all(|points| points.code != "timing.peak-traffic"));
    assert!(moment.flags.iter().any(|flag| flag.code == "timing.window"));
    assert_eq!(world.windows().windows[0].start, world.now, "neither window nor load stands in the way");
}
