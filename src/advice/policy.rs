//! What the policy makes of a brief: needed approvals with the calculation behind them, who could give them, which codes
//! stop the gate, and the digest that names the policy.

use crate::advice::view::View;
use crate::advice::{Approvals, Flag, FlagLevel, NeedView};
use crate::approval::is_author;
use crate::clock::Time;
use crate::config::{ApprovalRule, Need, PersonKind, Settings};
use crate::message::tame;
use crate::name::{Environment, Person, Role};
use crate::plan::Risk;

/// `sha256:…` over the canonical JSON (RFC 8785) of the policy: two settings with the same digest judge alike.
pub fn policy_digest(settings: &Settings) -> String {
    // A policy holds only numbers, texts and lists of them, and all of those have a canonical form.
    let bytes = serde_json_canonicalizer::to_vec(&settings.policy).expect("a policy has a canonical form");
    crate::ledger::sha256(&bytes)
}

/// The approvals that the rules ask for. Every rule that applies adds its needs; the same role is asked once, with the
/// greatest count and all reasons.
pub fn approvals(view: &View<'_>, score: u32, flags: &[Flag]) -> Approvals {
    let mut needs: Vec<(Need, Vec<String>)> = Vec::new();
    for rule in &view.settings.policy.approval {
        let Some(reason) = applies(view, rule, score, flags) else { continue };
        for need in rule.needs.iter().filter(|need| need.count > 0) {
            match needs.iter_mut().find(|(known, _)| known.role == need.role) {
                Some((known, reasons)) => {
                    known.count = known.count.max(need.count);
                    if !reasons.contains(&reason) {
                        reasons.push(reason.clone());
                    }
                }
                None => needs.push((need.clone(), vec![reason.clone()])),
            }
        }
    }
    // Whoever approves in a role is a pair of eyes, too: anyone is asked for only beyond those.
    let in_role: u32 = needs.iter().filter(|(need, _)| need.role.is_some()).map(|(need, _)| need.count).sum();
    for (need, _) in needs.iter_mut().filter(|(need, _)| need.role.is_none()) {
        need.count = need.count.saturating_sub(in_role);
    }
    needs.retain(|(need, _)| need.count > 0);
    // Whoever comes without a role in mind is asked for last.
    needs.sort_by_key(|(need, _)| need.role.is_none());
    let mut eligible: Vec<Person> = needs.iter().flat_map(|(need, _)| able(view, need)).collect();
    eligible.sort();
    eligible.dedup();
    let needs = needs.into_iter().map(|(need, reasons)| NeedView { need, because: reasons.join("; ") }).collect();
    Approvals { needs, eligible }
}

/// Whether a rule applies; if so, its reason.
fn applies(view: &View<'_>, rule: &ApprovalRule, score: u32, flags: &[Flag]) -> Option<String> {
    let plan = view.plan;
    let mut calculation: Vec<String> = Vec::new();
    if let Some(environment) = &rule.environment {
        (*environment == plan.environment).then(|| calculation.push(environment.to_string()))?;
    }
    if let Some(service) = &rule.service {
        (*service == plan.service).then(|| calculation.push(service.to_string()))?;
    }
    if let Some(category) = &rule.category {
        view.category.is(category).then(|| calculation.push(format!("category {category}")))?;
    }
    if let Some(high) = rule.high_category {
        (high == view.category.is_high()).then_some(())?;
        let name = view.category.highest().map_or("its category", |seen| seen.name.as_str());
        calculation.push(if high { format!("{name} is high-risk") } else { "no high-risk category".to_owned() });
    }
    if let Some(least) = rule.risk {
        let declared = plan.risk.unwrap_or(Risk::High);
        (declared >= least).then(|| {
            calculation.push(match plan.risk {
                Some(risk) => format!("declared {} risk", risk.as_str()),
                None => "no risk declared, which counts as high".to_owned(),
            });
        })?;
    }
    if let Some(least) = rule.score {
        (score >= least).then(|| calculation.push(format!("score {score}, at or above {least}")))?;
    }
    if !rule.flags.is_empty() {
        let raised = |code: &&String| flags.iter().any(|f| f.code == **code && f.level >= FlagLevel::Caution);
        let raised: Vec<&str> = rule.flags.iter().filter(raised).map(String::as_str).collect();
        (!raised.is_empty()).then(|| calculation.push(raised.join(", ")))?;
    }
    if let Some(hotfix) = rule.hotfix {
        (hotfix == plan.hotfix.is_some()).then_some(())?;
        calculation.push(if hotfix { "a hotfix".to_owned() } else { "no hotfix".to_owned() });
    }
    Some(match (rule.because.trim(), calculation.is_empty()) {
        ("", true) => "every deployment".to_owned(),
        ("", false) => calculation.join(", "),
        (because, _) => tame(because, 160),
    })
}

/// "2 of vp-engineering", "1 person other than the planner".
pub fn says_need(need: &Need) -> String {
    match (&need.role, need.count) {
        (Some(role), count) => format!("{count} of {role}"),
        (None, 1) => "1 person".to_owned(),
        (None, count) => format!("{count} people"),
    }
}

/// Members who could meet a need: of its role, and neither planner nor author where separation is asked.
pub fn able(view: &View<'_>, need: &Need) -> Vec<Person> {
    let change = view.the_change();
    let separate = view.settings.policy.separation;
    let fits = |roles: &[Role]| need.role.as_ref().is_none_or(|role| roles.contains(role));
    let members = view.settings.people.iter().filter(|(_, p)| p.kind == PersonKind::Member && fits(&p.roles));
    members
        .map(|(name, _)| name)
        .filter(|name| !separate || **name != view.plan.by)
        .filter(|name| !separate || !change.is_some_and(|change| is_author(name, change, view.settings)))
        .cloned()
        .collect()
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
