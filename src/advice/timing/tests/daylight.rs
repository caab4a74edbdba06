//! Daylight saving, in both directions and in several zones, inside the horizon.

use super::world::{SETTINGS, at, world_with};
use crate::clock::Time;

fn first(zone: &str, rule: &str, now: &str) -> (Time, Time) {
    let settings = SETTINGS
        .replace("zone = \"America/Los_Angeles\"", &format!("zone = \"{zone}\""))
        .replace("Mon-Fri 09:00-18:00", "daily 00:00-24:00")
        .replace("Mon-Thu 10:00-16:00", rule);
    let mut world = world_with(now, &settings);
    world.load(|_| 0.3);
    // One kind of hour only: the peak that the load has at night would be in the way.
    let hours = &mut world.facts.load.known[0].value.week;
    hours.iter_mut().for_each(|hour| *hour = Some(300.0));
    hours[20] = Some(1000.0);
    let windows = world.windows();
    let slot = &windows.windows[0];
    assert!(slot.good, "{windows:#?}");
    (slot.start, slot.end)
}

#[test]
fn windows_keep_their_hours_over_both_changes() {
    for (zone, now, start, end) in [
        ("America/Los_Angeles", "2027-03-13T17:00:00-08:00", "2027-03-14T10:00:00-07:00", "2027-03-14T16:00:00-07:00"),
        ("America/Los_Angeles", "2026-10-31T17:00:00-07:00", "2026-11-01T10:00:00-08:00", "2026-11-01T16:00:00-08:00"),
        ("Europe/Berlin", "2027-03-27T17:00:00+01:00", "2027-03-28T10:00:00+02:00", "2027-03-28T16:00:00+02:00"),
        ("Europe/Berlin", "2026-10-24T17:00:00+02:00", "2026-10-25T10:00:00+01:00", "2026-10-25T16:00:00+01:00"),
    ] {
        assert_eq!(first(zone, "daily 10:00-16:00", now), (at(start), at(end)), "{zone}");
    }
}

#[test]
fn a_window_in_an_hour_that_does_not_exist_waits_for_the_next_day() {
    let found = first("America/Los_Angeles", "daily 02:00-03:00", "2027-03-13T12:00:00-08:00");
    assert_eq!(found, (at("2027-03-15T02:00:00-07:00"), at("2027-03-15T03:00:00-07:00")));
    let found = first("Europe/Berlin", "daily 02:30-04:00", "2027-03-27T12:00:00+01:00");
    assert_eq!(found, (at("2027-03-28T03:00:00+02:00"), at("2027-03-28T04:00:00+02:00")));
}

#[test]
fn zones_with_half_and_quarter_hours_are_round_too() {
    let found = first("Asia/Kathmandu", "Mon-Thu 10:00-16:00", "2026-11-22T12:00:00Z");
    assert_eq!(found, (at("2026-11-23T10:00:00+05:45"), at("2026-11-23T16:00:00+05:45")));
    let found = first("Asia/Kolkata", "Mon-Thu 10:00-16:00", "2026-11-22T12:00:00Z");
    assert_eq!(found, (at("2026-11-23T10:00:00+05:30"), at("2026-11-23T16:00:00+05:30")));
}

#[test]
fn a_window_across_midnight_is_one_window() {
    let found = first("Europe/Berlin", "Fri 22:00-02:00", "2026-11-19T12:00:00+01:00");
    assert_eq!(found, (at("2026-11-20T22:00:00+01:00"), at("2026-11-21T02:00:00+01:00")));
}
