//! The conditions of approvals: whether each is met, in every world that they may rest on, against a second opinion in the
//! words of the documentation. Unknown is never met.

use super::world::{World, broken, known, now};
use crate::advice::facts::{Build, BuildState, Builds, Load, Shift};
use crate::approval::condition::{Condition, Judged, OnlyIf, Seen, Watcher, judge};
use crate::approval::{Word, WordKind};
use crate::clock::{DAY, MINUTE, Time};
use crate::config::{PersonKind, PersonSettings};
use crate::plan::When;

/// What is so; None: nobody can tell.
#[derive(Clone, Copy, Debug)]
struct Sight {
    watches: bool,
    approves: bool,
    member: bool,
    on_call: Option<bool>,
    traffic: Option<u32>,
    tests: Option<bool>,
    /// In how many minutes it begins.
    minutes: i64,
}

fn all() -> Vec<Sight> {
    let maybe = [None, Some(false), Some(true)];
    let mut sights = Vec::new();
    for (watches, approves, member) in [false, true]
        .into_iter()
        .flat_map(|a| [false, true].map(move |b| (a, b)))
        .flat_map(|(a, b)| [false, true].map(move |c| (a, b, c)))
    {
        for (on_call, tests) in maybe.into_iter().flat_map(|a| maybe.map(move |b| (a, b))) {
            for (traffic, minutes) in
                [None, Some(39), Some(40), Some(90)].into_iter().flat_map(|a| [0, 30, 60].map(move |b| (a, b)))
            {
                sights.push(Sight { watches, approves, member, on_call, traffic, tests, minutes });
            }
        }
    }
    sights
}

fn conditions() -> [Condition; 7] {
    let half_past = now().plus(30 * MINUTE);
    [
        Condition::Watches("lin".into()),
        Condition::Approves("lin".into()),
        Condition::OnCall("lin".into()),
        Condition::Traffic(40),
        Condition::Tests,
        Condition::After(half_past),
        Condition::Before(half_past),
    ]
}

/// The documentation's own words.
fn expected(condition: &Condition, sight: Sight) -> bool {
    match condition {
        Condition::Watches(_) => sight.watches && sight.member,
        Condition::Approves(_) => sight.approves,
        Condition::OnCall(_) => sight.on_call == Some(true),
        Condition::Traffic(limit) => sight.traffic.is_some_and(|share| share < *limit),
        Condition::Tests => sight.tests == Some(true),
        Condition::After(_) => sight.minutes >= 30,
        Condition::Before(_) => sight.minutes < 30,
    }
}

fn world(sight: Sight) -> World {
    let mut world = World::calm();
    let kind = if sight.member { PersonKind::Member } else { PersonKind::Deactivated };
    world.settings.people.insert("lin".into(), PersonSettings { kind, ..PersonSettings::default() });
    if sight.minutes > 0 {
        world.plan.when = When::At { at: now().plus(sight.minutes * MINUTE) };
    }
    let who = if sight.on_call == Some(true) { "lin" } else { "noor" };
    let shift = Shift { person: who.into(), service: None, start: now().plus(-DAY), end: None, level: 1 };
    world.facts.on_call = match sight.on_call {
        Some(_) => known("rota", vec![shift]),
        None => broken("rota", "did not answer"),
    };
    world.facts.load = match sight.traffic {
        Some(share) => known(
            "prometheus",
            Load {
                unit: "requests per second".to_owned(),
                now: Some((now(), f64::from(share))),
                week: (0..168).map(|hour| Some(if hour == 0 { 100.0 } else { f64::from(share) })).collect(),
                weeks: 4,
            },
        ),
        None => broken("prometheus", "did not answer"),
    };
    let build = |state| Build { name: "unit".to_owned(), state, finished: None, link: None };
    let builds = |state| Builds {
        commit: "0123456789".to_owned(),
        builds: vec![build(state)],
        required: None,
        branch: None,
        runs: Vec::new(),
        flaky: Vec::new(),
    };
    world.facts.builds = match sight.tests {
        Some(true) => known("github", builds(BuildState::Passed)),
        Some(false) => known("github", builds(BuildState::Failed)),
        None => broken("github", "did not answer"),
    };
    world
}

fn word(person: &str, only_if: Option<Condition>) -> Word {
    Word {
        id: person.to_owned(),
        revision: 1,
        brief: String::new(),
        kind: WordKind::Approve,
        person: person.into(),
        role: None,
        lender: None,
        only_if: only_if.map(OnlyIf::new),
        platform: "console".to_owned(),
        confirmed: None,
        on_call_at: None,
        at: Time::from_ms(0),
        withdrawn_at: None,
        voided_at: None,
        void_reason: None,
    }
}

fn look(world: &World, words: &[Word], watchers: &[Watcher], asked: bool) -> Judged {
    let seen = Seen {
        plan: &world.plan,
        watchers,
        facts: asked.then_some(&world.facts),
        settings: &world.settings,
        now: now(),
    };
    judge(words, &seen).remove("grace").unwrap()
}

#[test]
fn every_condition_is_met_exactly_where_the_documentation_says_so() {
    let mut cells = 0;
    for sight in all() {
        let world = world(sight);
        let watchers = if sight.watches { vec![Watcher { person: "lin".into(), since: now() }] } else { Vec::new() };
        for condition in conditions() {
            let mut words = vec![word("grace", Some(condition.clone()))];
            if sight.approves {
                words.push(word("lin", None));
            }
            let judged = look(&world, &words, &watchers, true);
            let only_if = words[0].only_if.clone().unwrap();
            assert_eq!(only_if.holds(&judged), expected(&condition, sight), "{condition:?} {sight:?}: {judged:?}");
            // Where outside systems are not asked, what was judged last stands; what is known here needs nobody.
            let unasked = look(&world, &words, &watchers, false);
            match condition.asks() {
                true => assert_eq!(unasked, Judged::Unasked),
                false => assert_eq!(unasked, judged),
            }
            let met = OnlyIf { met: Some((now(), String::new())), ..only_if.clone() };
            assert!(met.holds(&Judged::Unasked) && !only_if.holds(&Judged::Unasked));
            assert!(!met.holds(&Judged::Not(String::new())) && only_if.holds(&Judged::Met(String::new())));
            cells += 1;
        }
    }
    assert_eq!(cells, 8 * 9 * 12 * 7);
}

#[test]
fn of_the_present_only_what_was_just_measured_is_known() {
    let mut world = World::calm();
    world.facts.load.known[0].value.now = Some((now().plus(-2 * 60 * MINUTE), 10.0));
    let words = [word("grace", Some(Condition::Traffic(90)))];
    assert!(matches!(look(&world, &words, &[], true), Judged::Not(says) if says.contains("not known")));
    world.plan.when = When::At { at: now().plus(60 * MINUTE) };
    assert!(matches!(look(&world, &words, &[], true), Judged::Met(_)), "the usual week tells of later");
}

#[test]
fn an_answer_with_gaps_meets_nothing() {
    let mut world = World::calm();
    let of = |condition| [word("grace", Some(condition))];
    let (on_call, traffic) = (of(Condition::OnCall("lin".into())), of(Condition::Traffic(90)));
    assert!(matches!(look(&world, &on_call, &[], true), Judged::Met(_)));
    assert!(matches!(look(&world, &traffic, &[], true), Judged::Met(_)));
    world.facts.on_call.known[0].incomplete = vec!["could not be refreshed".to_owned()];
    world.facts.load.known[0].incomplete = vec!["two series".to_owned()];
    assert!(matches!(look(&world, &on_call, &[], true), Judged::Not(says) if says.contains("not known")));
    assert!(matches!(look(&world, &traffic, &[], true), Judged::Not(says) if says.contains("not known")));
}

#[test]
fn approvals_that_wait_for_each_other_wait_and_a_chain_is_followed() {
    let world = World::calm();
    let approves = |person: &str| Some(Condition::Approves(person.into()));
    let circle = [word("grace", approves("lin")), word("lin", approves("grace"))];
    assert!(matches!(look(&world, &circle, &[], true), Judged::Not(_)));
    let chain = [word("grace", approves("lin")), word("lin", approves("noor")), word("noor", None)];
    assert!(matches!(look(&world, &chain, &[], true), Judged::Met(_)));
    let broken = [word("grace", approves("lin")), word("lin", approves("noor"))];
    assert!(matches!(look(&world, &broken, &[], true), Judged::Not(_)));
}

#[test]
fn a_condition_reads_as_it_was_written() {
    for condition in conditions() {
        assert_eq!(Condition::parse(&condition.written()), Some(condition.clone()));
        assert!(Condition::NAMES.contains(&condition.name()));
    }
    for bad in ["", "watches", "watches ", "traffic many", "before noon", "tests please", "hopes lin"] {
        assert_eq!(Condition::parse(bad), None, "{bad}");
    }
}
