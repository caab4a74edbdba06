//! What the policy makes of a brief: who could approve it, which codes stop the gate and who may override them, and the
//! digest that names the policy. Which approvals are needed is in [`crate::advice::rules`].

use crate::advice::facts::{Asked, Change, Shift};
use crate::advice::view::{View, newest};
use crate::advice::{Approvals, AskedStep, Context, Flag, FlagLevel, NeedView, says};
use crate::approval::role::{ON_CALL, bare, meets, on_call};
use crate::approval::{is_author, somebody_else};
use crate::clock::Time;
use crate::config::{PersonKind, SecondStep, Settings};
use crate::message::tame;
use crate::name::{Environment, Person, Role};
use crate::plan::Plan;

/// `sha256:…` over the canonical JSON (RFC 8785) of the policy: two settings with the same digest judge alike.
pub fn policy_digest(settings: &Settings) -> String {
    // A policy holds only numbers, texts and lists of them, and all of those have a canonical form.
    let bytes = serde_json_canonicalizer::to_vec(&settings.policy).expect("a policy has a canonical form");
    crate::ledger::sha256(&bytes)
}

/// "2 of vp-engineering", "1: lin", "1 of the owners of src/pay/: lin, harbor/payments", "1 person".
pub fn says_need(view: &NeedView) -> String {
    let need = &view.need;
    match (&need.person, &view.owned, &need.role) {
        (Some(person), ..) => format!("1: {person}"),
        (None, Some(owned), _) => {
            let names: Vec<String> = owned.owners.iter().map(|owner| tame(bare(owner), 60)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("{} of the owners of {}: {}", need.count, owned.place, crate::advice::says::some(&names, 6))
        }
        (None, None, Some(role)) => format!("{} of {role}", need.count),
        (None, None, None) if need.count == 1 => "1 person".to_owned(),
        (None, None, None) => format!("{} people", need.count),
    }
}

/// Members who could meet a need: in its role, by name, on call or as owners, and neither planner nor author where
/// separation is asked.
pub fn able(view: &View<'_>, need: &NeedView) -> Vec<Person> {
    could(need, view.plan, view.settings, view.the_change(), view.on_call, view.now)
}

/// The same at another moment than the brief's.
pub fn able_now(ctx: Context<'_>, need: &NeedView) -> Vec<Person> {
    let change = newest(&ctx.facts.change).map(|fact| &fact.value);
    could(need, ctx.plan, ctx.settings, change, &ctx.facts.on_call, ctx.now)
}

fn could(
    need: &NeedView,
    plan: &Plan,
    settings: &Settings,
    change: Option<&Change>,
    rotas: &Asked<Vec<Shift>>,
    now: Time,
) -> Vec<Person> {
    let duty = on_call(rotas, &plan.service, now);
    let separate = settings.policy.separation;
    let fits = |name: &Person, own: &[Role]| {
        let mut roles = own.to_vec();
        roles.extend(duty.contains(name).then(|| Role::from(ON_CALL)));
        meets(need, name, &roles, settings)
    };
    let members = settings.people.iter().filter(|(name, p)| p.kind == PersonKind::Member && fits(name, &p.roles));
    members
        .map(|(name, _)| name)
        .filter(|name| !separate || somebody_else(name, plan, change, settings).is_ok())
        .cloned()
        .collect()
}

/// The strictest second step that a category of the change asks for, as declared or as firmly seen; None where nobody's
/// approval is needed.
pub fn second_step(view: &View<'_>, approvals: &Approvals) -> Option<AskedStep> {
    if approvals.needs.is_empty() && approvals.outside.is_empty() {
        return None;
    }
    let asking = view.settings.policy.category.iter().filter(|(name, _)| view.category.is(name));
    let asking: Vec<(&str, SecondStep)> =
        asking.filter_map(|(name, category)| Some((name.as_str(), category.second_step?))).collect();
    let how = asking.iter().map(|(_, how)| *how).max()?;
    let names: Vec<String> = asking.iter().filter(|(_, one)| *one == how).map(|(name, _)| tame(name, 60)).collect();
    Some(AskedStep { how, because: says::list(&names) })
}

/// Who wrote the change.
#[derive(Debug, Default)]
pub struct Authors {
    pub people: Vec<Person>,
    /// Addresses that nobody in the settings has.
    pub strangers: Vec<String>,
}

pub fn authors(view: &View<'_>) -> Authors {
    let Some(change) = view.the_change() else { return Authors::default() };
    let people = &view.settings.people;
    let known: Vec<Person> = people.keys().filter(|name| is_author(name, change, view.settings)).cloned().collect();
    let has = |address: &str| people.values().any(|p| p.email.iter().any(|own| own.eq_ignore_ascii_case(address)));
    let written = change.commits.iter().filter(|commit| commit.ai != crate::advice::facts::AiMark::Bot);
    let mut strangers: Vec<String> = written
        .filter(|commit| commit.author.as_ref().is_none_or(|author| !people.contains_key(author)))
        .map(|commit| commit.email.clone())
        .filter(|address| !has(address))
        .collect();
    strangers.sort();
    strangers.dedup();
    Authors { people: known, strangers }
}

/// Whether somebody is at work at a moment, by their own hours in their own zone, or by the team's.
pub fn is_at_work(view: &View<'_>, person: &Person, at: Time) -> bool {
    let team = &view.settings.team;
    let settings = view.settings.people.get(person);
    let zone = settings.and_then(|settings| settings.zone).unwrap_or(team.zone);
    let hours = settings.and_then(|settings| settings.hours.as_deref()).unwrap_or(&team.hours);
    let there = at.at(zone);
    let (date, clock) = (there.date_naive(), there.time());
    use chrono::Datelike;
    hours.iter().any(|hours| {
        let past_midnight = hours.end <= hours.start;
        let today =
            hours.days.contains(&date.weekday()) && clock >= hours.start && (past_midnight || clock < hours.end);
        let yesterday = past_midnight && hours.days.contains(&date.weekday().pred()) && clock < hours.end;
        today || yesterday
    })
}

/// The codes that stop the gate: critical flags that the policy names.
pub fn blockers(settings: &Settings, flags: &[Flag]) -> Vec<String> {
    let stops = |flag: &&Flag| flag.level == FlagLevel::Critical && settings.policy.blockers.contains(&flag.code);
    flags.iter().filter(stops).map(|flag| flag.code.clone()).collect()
}

/// The roles that may override a code in an environment, each once.
pub fn may_override<'a>(settings: &'a Settings, code: &str, environment: &Environment) -> Vec<&'a Role> {
    let rules = settings.policy.overrides.iter();
    let rules = rules.filter(|rule| rule.environment.as_ref().is_none_or(|only| only == environment));
    let mut roles: Vec<&Role> =
        rules.filter(|rule| rule.codes.iter().any(|c| c == code)).flat_map(|r| &r.roles).collect();
    roles.sort();
    roles.dedup();
    roles
}
