use super::world::*;
use crate::advice::FlagLevel::{Critical, Info, Pass, Unknown};
use crate::advice::facts::*;
use crate::clock::{DAY, HOUR, Time};
use crate::hold::{Except, Freeze, Lock, Scope};
use crate::plan::When;

fn lock(owner: &str, service: Option<&str>, until: i64) -> Lock {
    Lock {
        id: format!("lock-{owner}"),
        scope: Scope { service: service.map(Into::into), environment: Some("production".into()) },
        owner: owner.into(),
        why: "an upgrade".to_owned(),
        since: now().plus(-HOUR),
        until: now().plus(until * HOUR),
        left: false,
    }
}

fn locked(locks: Vec<Lock>) -> World {
    let mut world = World::calm();
    world.plan.by = "ada".into();
    world.facts.locks = known("tidegate", locks);
    world
}

#[test]
fn a_lock_of_somebody_else_is_named_with_reason_and_end_and_ones_own_stops_nobody() {
    locked(Vec::new()).says("coordination.lock", Pass, &["Nobody locked checkout or production"]);
    let says = ["Production is locked by grace since", "until 11:30", "“an upgrade”"];
    let mut world = locked(vec![lock("ada", None, 5), lock("grace", None, 1)]);
    world.says("coordination.lock", Critical, &says);
    world.facts.locks.known[0].value[1].left = true;
    world.says("coordination.lock", Critical, &["grace is no longer here: anyone who may lock can unlock it."]);
    locked(vec![lock("ada", None, 5)]).says("coordination.lock", Info, &["ada holds the lock on production"]);
    locked(vec![lock("grace", Some("ledger"), 5)]).says("coordination.lock", Pass, &["Nobody locked"]);
    let mut world = World::calm();
    world.facts.locks = broken("tidegate", "could not be read");
    world.says("coordination.lock", Unknown, &["Locks unknown: tidegate could not be read"]);
}

#[test]
fn a_lock_that_is_over_before_the_plan_begins_stops_nothing() {
    let mut world = locked(vec![lock("grace", None, 2)]);
    world.plan.when = When::At { at: now().plus(3 * HOUR) };
    world.says("coordination.lock", Info, &["which is over before this begins"]);
    world.plan.when = When::At { at: now().plus(HOUR) };
    world.says("coordination.lock", Critical, &["Production is locked by grace"]);
    // What ran out holds nobody, whatever the facts still list.
    world.now = now().plus(2 * HOUR);
    world.says("coordination.lock", Pass, &["Nobody locked"]);
}

fn freeze(except: Except) -> Freeze {
    let at = |hours: i64| -> Time { now().plus(hours * HOUR) };
    Freeze {
        entry: CalendarEvent {
            uid: "freeze-1".to_owned(),
            start: at(-1),
            end: now().plus(DAY),
            all_day: false,
            summary: "An audit".to_owned(),
            means: Means::Freeze,
            services: Vec::new(),
            environments: vec!["production".into()],
            owner: Some("grace".to_owned()),
            person: None,
        },
        except,
    }
}

#[test]
fn a_freeze_that_lives_here_reads_like_one_of_a_calendar_and_lets_through_whom_it_excepts() {
    let frozen = |except: Except| {
        let mut world = World::calm();
        world.facts.freezes = known("tidegate", vec![freeze(except)]);
        world
    };
    frozen(Except::default()).says("timing.freeze", Critical, &["Frozen until", "“An audit” (owner: grace; freeze-1)"]);
    let service = Except { services: vec!["checkout".into()], ..Except::default() };
    frozen(service).says("timing.freeze", Info, &["“An audit”", "lets this through"]);
    // A hotfix goes on only while its incident is known to be open.
    let mut world = frozen(Except { hotfix: true, ..Except::default() });
    world.plan.hotfix = Some("#490".to_owned());
    world.says("timing.freeze", Critical, &["Frozen until"]);
    world.facts.incidents.known[0].value.push(incident("#490", "checkout"));
    world.says("timing.freeze", Info, &["lets this through"]);
    // Docs alone pass, payments do not.
    let mut world = frozen(Except { categories: vec!["docs".to_owned()], ..Except::default() });
    world.change().files = vec![file("docs/guide.md", 3, 1)];
    world.change().file_count = 1;
    world.says("timing.freeze", Info, &["lets this through"]);
    // One more file, of which nobody said what it is, and it is no change of docs.
    world.change().file_count = 2;
    world.says("timing.freeze", Critical, &["Frozen until"]);
    world.change().files.push(file("src/cart.rs", 3, 1));
    world.says("timing.freeze", Critical, &["Frozen until"]);
}
