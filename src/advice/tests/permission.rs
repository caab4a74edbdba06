//! The permission matrix: who may say which word on which plan. Every cell is asserted against a second opinion, written
//! apart from the code that decides, in the words of the documentation. An approval on a condition may be given by exactly
//! whom this lets approve; whether it counts is every cell of `conditions`.

use super::world::{World, commit, file, known, now};
use crate::advice::Approvals;
use crate::advice::facts::{CodeOwner, Owned, Shift};
use crate::approval::deputy::Deputy;
use crate::approval::second_step::suffices;
use crate::approval::{Duty, Refusal, Speaker, WordKind, may_review, may_speak_also_for};
use crate::config::{ApprovalRule, Need, PersonKind, PersonSettings, SecondStep};
use crate::name::{Channel, Person, Role};
use crate::plan::State;

const PERSON: &str = "sam";
const RELATIONS: [&str; 6] = ["planner", "author", "co-author", "owner", "responder", "stranger"];
const KINDS: [Option<PersonKind>; 5] =
    [None, Some(PersonKind::Member), Some(PersonKind::Guest), Some(PersonKind::Bot), Some(PersonKind::Deactivated)];
const ROLES: [Option<&str>; 3] = [None, Some("engineer"), Some("vp")];

#[derive(Clone, Copy, Debug)]
struct Cell {
    kind: Option<PersonKind>,
    role: Option<&'static str>,
    relation: &'static str,
    payments: bool,
    production: bool,
    separation: bool,
    /// Grace, a VP who is neither planner nor author, lent the person her role.
    deputy: bool,
    /// What the rules ask for in place of roles that people hold, and whether it is this person.
    asks: Option<(Asks, Told)>,
}

/// Who is asked for, where it is none of the roles that the settings give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    OnCall,
    Owner,
    Name,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Yes,
    No,
    Unknown,
}

const ASKS: [Option<(Asks, Told)>; 9] = [
    None,
    Some((Asks::OnCall, Told::Yes)),
    Some((Asks::OnCall, Told::No)),
    Some((Asks::OnCall, Told::Unknown)),
    Some((Asks::Owner, Told::Yes)),
    Some((Asks::Owner, Told::No)),
    Some((Asks::Owner, Told::Unknown)),
    Some((Asks::Name, Told::Yes)),
    Some((Asks::Name, Told::No)),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Word(WordKind),
    Review,
}

/// What becomes of a word: it counts in a role and for somebody, or the code of its refusal.
type Outcome = Result<(Option<Role>, Option<Person>), &'static str>;

/// The documentation's own words, as code: people before relations, relations before roles.
fn expected(cell: Cell, said: Said) -> Outcome {
    match cell.kind {
        None => return Err("stranger"),
        Some(PersonKind::Guest) => return Err("guest"),
        Some(PersonKind::Bot) => return Err("bot"),
        Some(PersonKind::Deactivated) => return Err("deactivated"),
        Some(PersonKind::Member) => {}
    }
    let own = cell.role.map(Role::new);
    // Whoever is a member may stop a plan, whatever they have to do with it.
    if matches!(said, Said::Word(WordKind::Object | WordKind::Hold)) {
        return Ok((None, None));
    }
    // A review is always somebody else's; an approval where separation is asked.
    if said == Said::Review || cell.separation {
        match cell.relation {
            "planner" => return Err("planner"),
            "author" | "co-author" => return Err("author"),
            _ => {}
        }
    }
    let vp = Some(Role::new("vp"));
    // Neither shifts nor ownership nor a name is lent: a deputy's role helps nobody here.
    match (said, cell.asks) {
        (_, Some((Asks::OnCall, Told::Yes))) => return Ok((Some(Role::new("on-call")), None)),
        (_, Some((Asks::OnCall, Told::Unknown))) => return Err("duty-unknown"),
        (_, Some((Asks::Owner, Told::Yes))) => return Ok((Some(Role::new("code-owner")), None)),
        (Said::Word(_), Some((Asks::Name, Told::Yes))) => return Ok((own, None)),
        (_, Some((Asks::OnCall | Asks::Owner, _))) | (Said::Word(_), Some(_)) => return Err("role"),
        (_, None) | (Said::Review, Some((Asks::Name, _))) => {}
    }
    match said {
        Said::Review if own == vp => Ok((vp, None)),
        Said::Review => Err("role"),
        // Payments ask for a VP everywhere; nothing else here asks for a role.
        _ if cell.payments && own == vp => Ok((vp, None)),
        _ if cell.payments && cell.deputy => Ok((vp, Some("grace".into()))),
        _ if cell.payments => Err("role"),
        _ => Ok((own, None)),
    }
}

fn world(cell: Cell) -> World {
    let mut world = World::calm();
    world.plan.environment = if cell.production { "production" } else { "staging" }.into();
    world.settings.policy.separation = cell.separation;
    let sam = PersonSettings { email: vec!["sam@example.com".to_owned()], ..PersonSettings::default() };
    world.settings.people.insert(PERSON.into(), sam);
    let mut written = commit("Something");
    match cell.relation {
        "planner" => world.plan.by = PERSON.into(),
        "author" => (written.author, written.email) = (Some(PERSON.into()), "sam@example.com".to_owned()),
        "co-author" => written.co_authors = vec!["SAM@example.com".to_owned()],
        "responder" => world.plan.respond = vec![PERSON.into()],
        "owner" => {
            let service = world.settings.service.entry("checkout".into()).or_default();
            service.owners = vec![PERSON.into()];
        }
        _ => {}
    }
    let change = world.change();
    change.commits = vec![written];
    change.files = vec![file(if cell.payments { "src/payments/capture.rs" } else { "docs/guide.md" }, 3, 1)];
    change.file_count = 1;
    if let Some((asks, told)) = cell.asks {
        let owner = if told == Told::Yes { "sam@example.com" } else { "grace@example.com" };
        let owned = Owned { owners: vec![owner.to_owned()], least: 1, files: 1, place: "docs/guide.md".to_owned() };
        change.owners = Some(vec![CodeOwner { owner: owner.to_owned(), files: 1 }]);
        change.owned = (told != Told::Unknown).then(|| vec![owned]);
        if asks == Asks::OnCall {
            let person = if told == Told::Yes { PERSON } else { "lin" };
            let start = now().plus(-crate::clock::HOUR);
            let shift = Shift { person: person.into(), service: None, start, end: None, level: 1 };
            world.facts.on_call = known("rota", if told == Told::Unknown { Vec::new() } else { vec![shift] });
        }
        let role = |role: &str| Need { role: Some(role.into()), person: None, count: 1 };
        let need = match asks {
            Asks::OnCall => role("on-call"),
            Asks::Owner => role("code-owner"),
            Asks::Name => {
                let named = if told == Told::Yes { PERSON } else { "lin" };
                Need { role: None, person: Some(named.into()), count: 1 }
            }
        };
        world.settings.policy.approval = vec![ApprovalRule { needs: vec![need], ..ApprovalRule::default() }];
    }
    world
}

fn said(cell: Cell, said: Said, world: &World, approvals: &Approvals) -> Outcome {
    let speaker = cell.kind.map(|kind| Speaker {
        person: PERSON.into(),
        kind,
        roles: cell.role.map(Role::new).into_iter().collect(),
        duty: match cell.asks {
            Some((Asks::OnCall, Told::Yes)) => Duty::On,
            Some((Asks::OnCall, Told::Unknown)) => Duty::Unknown("rota did not answer".to_owned()),
            _ => Duty::Off,
        },
    });
    let reviewers = [Role::new(match cell.asks {
        Some((Asks::OnCall, _)) => "on-call",
        Some((Asks::Owner, _)) => "code-owner",
        _ => "vp",
    })];
    let lent = Deputy {
        id: "d".to_owned(),
        lender: "grace".into(),
        person: PERSON.into(),
        role: None,
        since: now(),
        until: now().plus(crate::clock::DAY),
        platform: "console".to_owned(),
        channel: Channel::new("deploys"),
        ended_at: None,
        ended_reason: None,
    };
    let deputies = if cell.deputy { vec![lent] } else { Vec::new() };
    let change = world.facts.change.first().map(|fact| &fact.value);
    let (plan, settings) = (&world.plan, &world.settings);
    let outcome: Result<_, Refusal> = match said {
        Said::Word(kind) => {
            may_speak_also_for(kind, speaker.as_ref(), plan, change, &approvals.needs, &deputies, settings, now())
        }
        Said::Review => may_review(speaker.as_ref(), plan, change, &reviewers, settings).map(|role| (role, None)),
    };
    outcome.map_err(|refusal| crate::wording::refusal::code(&refusal))
}

#[test]
fn every_cell_of_the_permission_matrix_is_as_documented() {
    let mut cells = 0;
    let bools = [false, true];
    for (relation, asks) in RELATIONS.into_iter().flat_map(|relation| ASKS.map(|asks| (relation, asks))) {
        for (payments, production, separation) in
            bools.iter().flat_map(|a| bools.iter().flat_map(move |b| bools.map(|c| (*a, *b, c))))
        {
            if payments && asks.is_some() {
                continue;
            }
            let at = Cell { kind: None, role: None, relation, payments, production, separation, deputy: false, asks };
            let world = world(at);
            let approvals = world.advise().approvals;
            for (kind, role) in KINDS.into_iter().flat_map(|kind| ROLES.map(|role| (kind, role))) {
                for deputy in bools {
                    let cell = Cell { kind, role, deputy, ..at };
                    let words = [WordKind::Approve, WordKind::Object, WordKind::Hold].map(Said::Word);
                    for word in words.into_iter().chain([Said::Review]) {
                        assert_eq!(said(cell, word, &world, &approvals), expected(cell, word), "{cell:?} {word:?}");
                        cells += 1;
                    }
                }
            }
            // Whoever is shown as able is able, and nobody else of those who are known.
            let member = Cell { kind: Some(PersonKind::Member), role: None, ..at };
            let may = said(member, Said::Word(WordKind::Approve), &world, &approvals).is_ok();
            let asked = !approvals.needs.is_empty();
            assert_eq!(approvals.eligible.contains(&Person::new(PERSON)), may && asked, "{member:?}");
        }
    }
    assert_eq!(cells, 6 * (8 + 8 * 4) * 15 * 2 * 4);
}

/// How an approval came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Reaction,
    Typed,
    SignedIn,
    Terminal,
    TypedInTheTerminal,
}

#[test]
fn an_approval_counts_only_with_the_second_step_that_its_category_asks_for() {
    let ways = [Way::Reaction, Way::Typed, Way::SignedIn, Way::Terminal, Way::TypedInTheTerminal];
    let steps = [None, Some(SecondStep::Typed), Some(SecondStep::SignIn)];
    let bools = [false, true];
    let mut cells = 0;
    for (payments, production) in bools.iter().flat_map(|a| bools.map(|b| (*a, b))) {
        for (step, docs) in steps.iter().flat_map(|a| steps.map(|b| (*a, b))) {
            let cell = Cell {
                kind: None,
                role: None,
                relation: "stranger",
                payments,
                production,
                separation: true,
                deputy: false,
                asks: None,
            };
            let mut world = world(cell);
            let category = |name: &str| world.settings.policy.category.get(name).cloned().unwrap_or_default();
            let (mut pay, mut doc) = (category("payments"), category("docs"));
            (pay.second_step, doc.second_step) = (step, docs);
            world.settings.policy.category.insert("payments".to_owned(), pay);
            world.settings.policy.category.insert("docs".to_owned(), doc);
            let advice = world.advise();
            // The step of its own category, where anybody's approval is needed at all.
            let needed = !advice.approvals.needs.is_empty();
            let asked = if payments { step } else { docs }.filter(|_| needed);
            for (word, way) in
                [WordKind::Approve, WordKind::Object, WordKind::Hold].iter().flat_map(|w| ways.map(|way| (*w, way)))
            {
                let expected = match (word, asked, way) {
                    (WordKind::Object | WordKind::Hold, ..) | (_, None, _) => Ok(()),
                    (_, Some(SecondStep::Typed), Way::Typed | Way::SignedIn) => Ok(()),
                    (_, Some(SecondStep::SignIn), Way::SignedIn) => Ok(()),
                    (_, Some(_), Way::TypedInTheTerminal) => Ok(()),
                    (_, Some(step), _) => Err(step),
                };
                let confirmed = match way {
                    Way::Reaction | Way::Terminal => None,
                    Way::Typed | Way::TypedInTheTerminal => Some(SecondStep::Typed),
                    Way::SignedIn => Some(SecondStep::SignIn),
                };
                let terminal = matches!(way, Way::Terminal | Way::TypedInTheTerminal);
                let found = suffices(word, &advice.asked, confirmed, terminal);
                assert_eq!(
                    found, expected,
                    "payments {payments} production {production} {step:?} {docs:?} {word:?} {way:?}"
                );
                cells += 1;
            }
        }
    }
    assert_eq!(cells, 4 * 9 * 3 * 5);
}

#[test]
fn a_word_counts_only_while_its_plan_waits() {
    let waiting: Vec<State> = State::ALL.into_iter().filter(|state| state.waits()).collect();
    assert_eq!(waiting, [State::Draft, State::Advised, State::Approved, State::Held, State::Objected]);
}
