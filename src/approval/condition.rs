//! What an approval may depend on: one condition from a list, judged from what is known at a moment. Unknown is never met.
//! It is judged afresh each time: an approval counts while its condition holds, and no longer.

use std::collections::{BTreeMap, BTreeSet};

use super::{Word, WordKind};
use crate::advice::facts::Facts;
use crate::advice::timing::traffic;
use crate::advice::{Context, FlagLevel};
use crate::clock::{MINUTE, Millis, Time};
use crate::config::{PersonKind, Settings};
use crate::message::tame;
use crate::name::Person;
use crate::plan::Plan;

/// A judgement that rests on outside systems is that of the moment for so long; then they are asked again.
pub const FRESH: Millis = MINUTE;

/// What must hold for an approval to count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The person says that they watch it.
    Watches(Person),
    /// The person approves, too, and that counts.
    Approves(Person),
    /// The person is on call for the service when it begins.
    OnCall(Person),
    /// Traffic is under so many per cent of the weekly peak when it begins.
    Traffic(u32),
    /// The builds of the commit passed.
    Tests,
    /// It begins no earlier.
    After(Time),
    /// It begins earlier.
    Before(Time),
}

/// A condition on an approval, and whether it was met when it was judged last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnlyIf {
    pub condition: Condition,
    /// Since when it is met, and by what.
    pub met: Option<(Time, String)>,
    /// When outside systems were asked about it last.
    pub asked_at: Option<Time>,
}

/// What a look at a condition came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It holds, by this.
    Met(String),
    /// It does not, or nobody knows; why.
    Not(String),
    /// It rests on outside systems, which were not asked: what was judged last stands.
    Unasked,
}

/// Somebody who said that they watch a plan's deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watcher {
    pub person: Person,
    pub since: Time,
}

/// What conditions are judged from.
#[derive(Debug)]
pub struct Seen<'a> {
    pub plan: &'a Plan,
    pub watchers: &'a [Watcher],
    /// What outside systems say at this moment; None: they were not asked.
    pub facts: Option<&'a Facts>,
    pub settings: &'a Settings,
    pub now: Time,
}

impl Condition {
    /// The names in the list, as they are typed and recorded.
    pub const NAMES: [&str; 7] = ["watches", "approves", "on-call", "traffic", "tests", "after", "before"];

    pub fn name(&self) -> &'static str {
        match self {
            Condition::Watches(_) => "watches",
            Condition::Approves(_) => "approves",
            Condition::OnCall(_) => "on-call",
            Condition::Traffic(_) => "traffic",
            Condition::Tests => "tests",
            Condition::After(_) => "after",
            Condition::Before(_) => "before",
        }
    }

    /// As it is stored and recorded: `watches lin`, `traffic 40`, `before 2026-11-23T23:00:00Z`.
    pub fn written(&self) -> String {
        let name = self.name();
        match self {
            Condition::Watches(person) | Condition::Approves(person) | Condition::OnCall(person) => {
                format!("{name} {person}")
            }
            Condition::Traffic(percent) => format!("{name} {percent}"),
            Condition::Tests => name.to_owned(),
            Condition::After(at) | Condition::Before(at) => format!("{name} {}", at.rfc3339()),
        }
    }

    /// What [`Condition::written`] wrote.
    pub fn parse(text: &str) -> Option<Condition> {
        let (name, value) = text.split_once(' ').unwrap_or((text, ""));
        let person = || (!value.is_empty()).then(|| Person::new(value));
        match name {
            "watches" => person().map(Condition::Watches),
            "approves" => person().map(Condition::Approves),
            "on-call" => person().map(Condition::OnCall),
            "traffic" => value.parse().ok().map(Condition::Traffic),
            "tests" if value.is_empty() => Some(Condition::Tests),
            "after" => Time::parse_rfc3339(value).map(Condition::After),
            "before" => Time::parse_rfc3339(value).map(Condition::Before),
            _ => None,
        }
    }

    /// The person that it names.
    pub fn person(&self) -> Option<&Person> {
        match self {
            Condition::Watches(person) | Condition::Approves(person) | Condition::OnCall(person) => Some(person),
            _ => None,
        }
    }

    /// Whether outside systems must be asked.
    pub fn asks(&self) -> bool {
        matches!(self, Condition::OnCall(_) | Condition::Traffic(_) | Condition::Tests)
    }

    /// When it may become true or false by the clock alone.
    pub fn turns_at(&self) -> Option<Time> {
        match self {
            Condition::After(at) | Condition::Before(at) => Some(*at),
            _ => None,
        }
    }
}

impl OnlyIf {
    pub fn new(condition: Condition) -> OnlyIf {
        OnlyIf { condition, met: None, asked_at: None }
    }

    /// Whether outside systems must be asked before anybody relies on it.
    pub fn is_old(&self, now: Time) -> bool {
        self.condition.asks() && self.asked_at.is_none_or(|at| now.since(at) > FRESH)
    }

    /// Whether it holds, given what a look came to.
    pub fn holds(&self, judged: &Judged) -> bool {
        match judged {
            Judged::Met(_) => true,
            Judged::Not(_) => false,
            Judged::Unasked => self.met.is_some(),
        }
    }
}

/// Judges the condition of every approval among `words`, by the word's id. `words` are those on the revision that asks which
/// would count without their conditions. Approvals that wait for each other wait: neither is met.
pub fn judge(words: &[Word], seen: &Seen<'_>) -> BTreeMap<String, Judged> {
    let approvals: Vec<&Word> = words.iter().filter(|word| word.kind == WordKind::Approve).collect();
    let mut counted: BTreeSet<&Person> =
        approvals.iter().filter(|word| word.only_if.is_none()).map(|word| &word.person).collect();
    let conditional: Vec<(&Word, &OnlyIf)> =
        approvals.iter().filter_map(|word| Some((*word, word.only_if.as_ref()?))).collect();
    loop {
        let found: Vec<(&Word, bool, Judged)> = conditional
            .iter()
            .map(|(word, only_if)| {
                let judged = one(&only_if.condition, &counted, seen);
                (*word, only_if.holds(&judged), judged)
            })
            .collect();
        let before = counted.len();
        counted.extend(found.iter().filter(|(_, holds, _)| *holds).map(|(word, ..)| &word.person));
        // Each round counts somebody more or is the last.
        if counted.len() == before {
            return found.into_iter().map(|(word, _, judged)| (word.id.clone(), judged)).collect();
        }
    }
}

fn one(condition: &Condition, counted: &BTreeSet<&Person>, seen: &Seen<'_>) -> Judged {
    let begin = seen.plan.when.start(seen.now).max(seen.now);
    let met = |says: String| Judged::Met(says);
    let not = |says: String| Judged::Not(says);
    let is_member =
        |person: &Person| seen.settings.people.get(person).is_some_and(|known| known.kind == PersonKind::Member);
    match condition {
        Condition::Watches(person) => {
            match is_member(person) && seen.watchers.iter().any(|watcher| watcher.person == *person) {
                true => met(format!("{person} watches")),
                false => not(format!("{person} has not said so")),
            }
        }
        Condition::Approves(person) => match counted.contains(person) {
            true => met(format!("{person} approved")),
            false => not(format!("no approval of {person} counts")),
        },
        Condition::After(at) => match begin >= *at {
            true => met("it begins no earlier".to_owned()),
            false => not("it would begin earlier".to_owned()),
        },
        Condition::Before(at) => match begin < *at {
            true => met("it begins before".to_owned()),
            false => not("it would begin too late".to_owned()),
        },
        Condition::OnCall(_) | Condition::Traffic(_) | Condition::Tests => match seen.facts {
            None => Judged::Unasked,
            Some(facts) => outside(condition, facts, begin, seen),
        },
    }
}

/// What outside systems say of it.
fn outside(condition: &Condition, facts: &Facts, begin: Time, seen: &Seen<'_>) -> Judged {
    let ctx = Context { plan: seen.plan, facts, settings: seen.settings, now: seen.now };
    match condition {
        Condition::OnCall(person) => {
            let of_service = |service: &Option<_>| service.as_ref().is_none_or(|name| *name == seen.plan.service);
            // What is old or has gaps may lack the one who took over.
            let serves = facts.on_call.known.iter().filter(|fact| fact.incomplete.is_empty()).find(|fact| {
                fact.value.iter().any(|shift| {
                    shift.person == *person
                        && of_service(&shift.service)
                        && shift.start <= begin
                        && shift.end.is_none_or(|end| begin < end)
                })
            });
            match serves {
                Some(fact) => Judged::Met(format!("{person} is on call, says {}", fact.source)),
                None if facts.on_call.is_whole() => Judged::Not(format!("{person} is not on call then")),
                None => Judged::Not("who is on call then is not known".to_owned()),
            }
        }
        Condition::Traffic(percent) => match traffic(&ctx, begin) {
            // In whole per cent, rounded up: 39.2 % is not under 39 %.
            Some((share, source)) => {
                let says = format!("traffic is at {} % of the weekly peak, says {source}", share.div_ceil(10));
                if share < percent.saturating_mul(10) { Judged::Met(says) } else { Judged::Not(says) }
            }
            None => Judged::Not("traffic then is not known".to_owned()),
        },
        _ => match crate::advice::answer(ctx, "tests.status") {
            Some(flag) if flag.level == FlagLevel::Pass => Judged::Met(lower(&flag.says)),
            Some(flag) => Judged::Not(lower(&flag.says)),
            None => Judged::Not("no source tells of builds".to_owned()),
        },
    }
}

/// A check's sentence as part of another.
fn lower(says: &str) -> String {
    let text = tame(says.trim_end_matches('.'), 200);
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}
