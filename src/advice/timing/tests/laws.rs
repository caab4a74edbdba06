//! What holds whatever the calendars say.

use chrono::{Datelike, Timelike, Weekday};
use proptest::prelude::*;

use super::world::{SETTINGS, World, world_with};
use crate::advice::facts::{CalendarEvent, Doing, Means, Other, Shift};
use crate::advice::timing::Timeline;
use crate::clock::{DAY, HOUR, MINUTE, Time};
use crate::name::Person;
use crate::plan::When;

const ZONES: [&str; 5] =
    ["America/Los_Angeles", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca"];
const MEANS: [Means; 11] = [
    Means::Freeze,
    Means::Launch,
    Means::Campaign,
    Means::Demo,
    Means::Training,
    Means::Holiday,
    Means::QuarterEnd,
    Means::Maintenance,
    Means::OutOfOffice,
    Means::Meeting,
    Means::Other,
];
const PEOPLE: [&str; 4] = ["ada", "lin", "grace", "somebody"];

type Entry = (usize, i64, i64, usize);

fn worlds() -> impl Strategy<Value = World> {
    let entry = (0..MEANS.len(), -3i64 * 1440..100 * 1440, -60i64..5 * 1440, 0..8usize);
    let hour = prop_oneof![4 => (0.0..1000.0f64).prop_map(Some), 1 => Just(None), 1 => Just(Some(f64::NAN))];
    (
        0..ZONES.len(),
        0i64..3 * 365 * 1440,
        prop::collection::vec(entry.clone(), 0..25),
        prop::collection::vec(entry, 0..8),
        prop::collection::vec(hour, 168),
        (0..4usize, any::<bool>(), 1i64..300, 0i64..600, 1i64..240),
        -1440i64..100 * 1440,
    )
        .prop_map(|(zone, minute, events, shifts, week, (watcher, seen, length, watch, horizon), start)| {
            let settings = SETTINGS
                .replace("America/Los_Angeles", ZONES[zone])
                .replace("deployment-length = \"20m\"", &format!("deployment-length = \"{length}m\""))
                .replace("length = \"1h\"", &format!("length = \"{watch}m\""))
                .replace("horizon = \"48h\"", &format!("horizon = \"{horizon}h\""));
            let mut world = world_with("2025-01-01T00:00:00Z", &settings);
            world.now = world.now.plus(minute * MINUTE + 7_654);
            world.plan.when = When::At { at: world.now.plus(start * MINUTE) };
            world.plan.watch = vec![Person::new(PEOPLE[watcher])];
            world.facts.load.known[0].value.week = week;
            if !seen {
                world.facts.on_call = Default::default();
            }
            fill(&mut world, &events, &shifts);
            world
        })
}

fn fill(world: &mut World, events: &[Entry], shifts: &[Entry]) {
    let now = world.now;
    for (means, start, length, who) in events {
        let start = now.plus(start * MINUTE);
        let event = CalendarEvent {
            uid: format!("{start:?}"),
            start,
            end: start.plus(length * MINUTE),
            all_day: who % 2 == 0,
            summary: "@here\n<b>".to_owned(),
            means: MEANS[*means],
            services: Vec::new(),
            environments: Vec::new(),
            owner: Some("\u{202e}".to_owned()),
            person: PEOPLE.get(*who).map(|person| Person::new(*person)),
        };
        world.facts.calendar.known[0].value.push(event);
    }
    for (level, start, length, who) in shifts {
        let start = now.plus(start * MINUTE);
        let person = Person::new(PEOPLE[who % 4]);
        let end = (who % 3 != 0).then(|| start.plus(length * MINUTE));
        if let Some(fact) = world.facts.on_call.known.first_mut() {
            fact.value.push(Shift { person, service: None, start, end, level: *level as u8 });
        }
        let doing = [Doing::Planned, Doing::UnderWay, Doing::Watched][who % 3];
        let service = ["checkout", "ledger", "search"][level % 3].into();
        let end = start.plus(length * MINUTE);
        let environment = world.plan.environment.clone();
        let id = format!("x-{who}");
        let other = Other {
            id,
            service,
            environment,
            version: None,
            by: None,
            doing,
            start,
            end,
            files: Vec::new(),
            link: None,
        };
        world.facts.others.known[0].value.push(other);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn words_and_numbers_give_the_same_points(world in worlds(), minutes in prop::collection::vec(0i64..90 * 1440, 12)) {
        let ctx = world.context();
        let line = Timeline::build(&ctx);
        for minute in minutes {
            let at = world.now.plus(minute * MINUTE);
            let moment = line.moment(at);
            prop_assert_eq!(moment.total(), line.cost(at).points);
            for flag in &moment.flags {
                prop_assert!((0..=flag.of).contains(&flag.points), "{:?}", flag);
                prop_assert!(!flag.says.is_empty() && flag.says.ends_with('.') && !flag.says.contains('\n'));
            }
        }
    }

    #[test]
    fn windows_keep_their_promises(world in worlds(), base in -50i32..150) {
        let ctx = world.context();
        let line = Timeline::build(&ctx);
        let found = crate::advice::timing::windows(&ctx, &line, base);
        let zone = world.settings.team.zone;
        let length = world.settings.policy.deployment_length.ms();
        let watch = world.settings.watch.length.ms();
        prop_assert!(found.windows.len() <= 5);
        prop_assert!(found.windows.is_sorted_by_key(|slot| !slot.good), "good ones first");
        if let Some(first) = found.none_before {
            prop_assert_eq!(found.windows[0].start, first);
            prop_assert!(found.windows[0].good && first.plus(length) > found.horizon_end);
        }
        for slot in &found.windows {
            prop_assert!(slot.start < slot.end && slot.end.since(slot.start) >= length);
            prop_assert!(slot.start >= world.now && slot.score <= 100 && !slot.reasons.is_empty());
            let beyond = slot.end > found.horizon_end;
            let allowed_beyond = found.none_before.is_some() && slot.good || found.windows.len() == 1 && !slot.good;
            prop_assert!(!beyond || allowed_beyond, "{:?}", found);
            prop_assert_eq!(slot.good, slot.costs.is_empty());
            if !slot.good {
                continue;
            }
            for event in world.facts.calendar.known.iter().flat_map(|fact| &fact.value) {
                let meets = event.means == Means::Freeze && event.start < slot.end.plus(watch) && event.end > slot.start;
                prop_assert!(!meets, "{:?} meets {:?}", event, slot);
            }
            // Mon-Thu 10:00-16:00 on the wall, whatever the clocks did.
            let (start, end) = (slot.start.at(zone), slot.end.plus(-1).at(zone));
            prop_assert!(!matches!(start.weekday(), Weekday::Fri | Weekday::Sat | Weekday::Sun));
            prop_assert!(start.date_naive() == end.date_naive() && start.hour() >= 10 && end.hour() < 16);
            prop_assert_eq!(start.minute() % 10, 0);
        }
    }

    #[test]
    fn the_score_of_a_window_holds_anywhere_in_it(world in worlds()) {
        let ctx = world.context();
        let line = Timeline::build(&ctx);
        for slot in crate::advice::timing::windows(&ctx, &line, 20).windows {
            let mut at = slot.start;
            while at.plus(world.settings.policy.deployment_length.ms()) <= slot.end {
                let score = (20 + line.cost(at).points).clamp(0, 100).unsigned_abs();
                prop_assert!(score <= slot.score, "{score} at {at:?} in {slot:?}");
                at = at.plus(10 * MINUTE);
            }
        }
    }

    #[test]
    fn any_moment_can_be_asked_about(world in worlds(), ms: i64) {
        let ctx = world.context();
        let line = Timeline::build(&ctx);
        let at = Time::from_ms(ms);
        prop_assert_eq!(line.moment(at).total(), line.cost(at).points);
        let soon = world.now.plus(ms.rem_euclid(400 * DAY) + HOUR);
        prop_assert_eq!(line.moment(soon).total(), line.cost(soon).points);
    }
}
