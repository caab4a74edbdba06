//! What makes a new revision of a waiting plan, and so voids what was said on the one before: the whole table.

use super::world::*;
use crate::advice::facts::*;
use crate::advice::{Context, advise};
use crate::clock::HOUR;
use crate::plan::material::{Changes, changes};

/// What a fresh look finds changed, where the first look saw `calm` and the second is after `spoil`.
fn found(spoil: impl FnOnce(&mut World)) -> Changes {
    let before = World::calm();
    let mut after = World::calm();
    spoil(&mut after);
    between(&before, &after)
}

fn between(before: &World, after: &World) -> Changes {
    let (old, new) = (before.advise(), after.advise());
    let ctx = Context { plan: &before.plan, facts: &before.facts, settings: &before.settings, now: after.now };
    let drifted = advise(ctx);
    let step = before.settings.policy.score_step;
    changes((&before.plan, &before.facts, &old), &drifted, (&after.plan, &after.facts, &new), step)
}

#[test]
fn what_matters_makes_a_revision_and_says_what_it_was() {
    let says = |spoil: fn(&mut World)| found(spoil).says.join("; ");
    let another = found(|world| world.plan.commit = Some("0123456789abcdef".to_owned()));
    assert!(another.commit && another.says[0].contains("is now commit 0123456"), "{another:?}");
    let blocking = says(|world| {
        let mut incident = incident("#490", "checkout");
        incident.blocks = true;
        world.facts.incidents.known[0].value.push(incident);
    });
    assert!(blocking.contains("new blocker:") && blocking.contains("#490"), "{blocking}");
    let open = says(|world| world.facts.incidents.known[0].value.push(incident("#491", "checkout")));
    assert!(open.contains("new incident: #491"), "{open}");
    let frozen = says(|world| world.facts.calendar.known[0].value.push(event("Stocktaking", Means::Freeze, -1, 5)));
    assert!(frozen.contains("Stocktaking"), "{frozen}");
    let riskier = says(|world| {
        for i in 0..20 {
            world.change().files.push(file(&format!("src/part{i}/big.rs"), 900, 400));
        }
    });
    assert!(riskier.contains("risk rose from"), "{riskier}");
}

#[test]
fn what_does_not_matter_carries_every_word_over() {
    assert_eq!(found(|_| ()), Changes::default());
    type Spoil = fn(&mut World);
    let quiet: [(&str, Spoil); 4] = [
        ("an hour later", |world| world.now = world.now.plus(HOUR)),
        ("an incident elsewhere", |world| {
            let mut other = incident("#492", "checkout");
            other.services = vec!["elsewhere".into()];
            world.facts.incidents.known[0].value.push(other);
        }),
        ("a freeze next month", |world| {
            world.facts.calendar.known[0].value.push(event("Winter", Means::Freeze, 30 * 24, 40 * 24));
        }),
        ("a source that falls silent", |world| world.facts.ticket = broken("tracker", "did not answer in 2 s")),
    ];
    for (what, spoil) in quiet {
        assert_eq!(found(spoil), Changes::default(), "{what}");
    }
    // What gets better needs nobody's word again.
    let mut worse = World::calm();
    worse.facts.incidents.known[0].value.push(incident("#493", "checkout"));
    assert_eq!(between(&worse, &World::calm()), Changes::default());
}
