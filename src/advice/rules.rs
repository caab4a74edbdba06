//! Which approvals are needed, with the calculation behind each: the rules of `[[policy.approval]]` over a plan, its facts
//! and its flags.

use crate::advice::facts::{Incident, OWNERS_UNKNOWN, Owned};
use crate::advice::model::Measures;
use crate::advice::policy::{able, able_now, blockers};
use crate::advice::timing::Timeline;
use crate::advice::view::{View, newest};
use crate::advice::{Approvals, Context, Flag, FlagLevel, NeedView, says};
use crate::approval::role::CODE_OWNER;
use crate::config::{ApprovalRule, Need};
use crate::message::tame;
use crate::name::Person;
use crate::plan::Risk;

/// The check that says whether a moment is inside the allowed window.
const WINDOW: &str = "timing.window";

/// The approvals that the rules ask for. Every rule that applies adds its needs, unless one applies that stands instead
/// of all others; the same role is asked once, with the greatest count and all reasons.
pub fn approvals(view: &View<'_>, score: u32, flags: &[Flag]) -> Approvals {
    let outside = flags.iter().any(|flag| flag.code == WINDOW && flag.level == FlagLevel::Critical);
    let seen = Seen { view, score, flags, outside };
    let all = &view.settings.policy.approval;
    let mut notes = Vec::new();
    let applying: Vec<(&ApprovalRule, String)> = all
        .iter()
        .filter_map(|rule| match applies(&seen, rule) {
            Applies::Yes(because) => Some((rule, because)),
            Applies::Almost(says) if rule.instead => {
                notes.push(says);
                None
            }
            _ => None,
        })
        .collect();
    let instead = applying.iter().any(|(rule, _)| rule.instead);
    let counted = applying.into_iter().filter(|(rule, _)| rule.instead == instead);
    let needs = join(counted.flat_map(|(rule, because)| asked(view, rule, &because)));
    // What the hour alone would ask for: where a plan waits until the window is over, the gate asks for it then.
    let of_the_hour = all.iter().filter(|rule| rule.outside_window == Some(true) && !instead);
    let later = Seen { outside: true, ..seen };
    let extra = of_the_hour.filter_map(|rule| match applies(&later, rule) {
        Applies::Yes(because) => Some((rule, because)),
        _ => None,
    });
    let outside = extra.flat_map(|(rule, because)| asked(view, rule, &because)).filter(|n| n.need.count > 0).collect();
    let mut eligible: Vec<Person> = needs.iter().flat_map(|need| able(view, need)).collect();
    eligible.sort();
    eligible.dedup();
    Approvals { needs, eligible, outside, notes }
}

/// Who could give at least one of these at a moment.
pub fn eligible_now(ctx: Context<'_>, needs: &[NeedView]) -> Vec<Person> {
    let mut eligible: Vec<Person> = needs.iter().flat_map(|need| able_now(ctx, need)).collect();
    eligible.sort();
    eligible.dedup();
    eligible
}

/// What a rule asks for on this plan: owners of the code are asked by the files that change, as GitHub does it: one of the
/// owners of each.
fn asked(view: &View<'_>, rule: &ApprovalRule, because: &str) -> Vec<NeedView> {
    let plain = |need: &Need| NeedView { need: need.clone(), because: because.to_owned(), owned: None };
    let mut all = Vec::new();
    for need in &rule.needs {
        if need.role.as_ref().is_none_or(|role| role.as_str() != CODE_OWNER) || need.count == 0 {
            all.push(plain(need));
            continue;
        }
        match owners(view) {
            Owners::Known(groups) => all.extend(groups.iter().map(|owned| NeedView {
                need: Need { count: need.count.max(owned.least), ..need.clone() },
                owned: Some(owned.clone()),
                ..plain(need)
            })),
            // A pair of eyes is asked for all the same.
            Owners::Nobody(why) => all.push(NeedView {
                need: Need { role: None, ..need.clone() },
                because: format!("{because}; {why}"),
                owned: None,
            }),
            Owners::Unknown(why) => all.push(NeedView { because: format!("{because}; {why}"), ..plain(need) }),
        }
    }
    all
}

/// Who owns what changes.
enum Owners<'a> {
    Known(&'a [Owned]),
    /// Known: nobody; why.
    Nobody(&'static str),
    /// Nobody could tell; then nobody is taken for an owner.
    Unknown(&'static str),
}

fn owners<'a>(view: &View<'a>) -> Owners<'a> {
    if !view.plan.kind.has_version() {
        return Owners::Nobody("no file changes, so anyone");
    }
    let Some(fact) = newest(view.change) else { return Owners::Unknown("what changes, and who owns it, is unknown") };
    let unread = fact.incomplete.iter().any(|gap| gap.starts_with(OWNERS_UNKNOWN));
    match (&fact.value.owned, &fact.value.owners) {
        (Some(owned), _) if owned.is_empty() => Owners::Nobody("nobody owns what changes, so anyone"),
        (Some(owned), _) => Owners::Known(owned),
        (None, None) if !unread => Owners::Nobody("the repository names no code owners, so anyone"),
        (None, Some(_)) => Owners::Unknown("too many different people own it to ask them all"),
        (None, None) => Owners::Unknown(OWNERS_UNKNOWN),
    }
}

/// What is needed if it begins at this moment: what the brief asks for, and what the hour adds.
pub fn at_this_hour(ctx: Context<'_>, approvals: &Approvals) -> Vec<NeedView> {
    if approvals.outside.is_empty() {
        return approvals.needs.clone();
    }
    let line = Timeline::build(&ctx);
    let begin = ctx.plan.when.start(ctx.now).max(ctx.now);
    let outside = |flag: &Flag| flag.code == WINDOW && flag.level == FlagLevel::Critical;
    if !line.moment(begin).flags.iter().any(outside) {
        return approvals.needs.clone();
    }
    let all = approvals.needs.iter().chain(&approvals.outside);
    join(all.cloned())
}

/// The same people once, with the greatest count; anyone only beyond those who come in a role or by name.
fn join(asked: impl Iterator<Item = NeedView>) -> Vec<NeedView> {
    let mut needs: Vec<(NeedView, Vec<String>)> = Vec::new();
    for view in asked.filter(|view| view.need.count > 0) {
        let same = |known: &NeedView| known.need.is_like(&view.need) && known.owned == view.owned;
        match needs.iter_mut().find(|(known, _)| same(known)) {
            Some((known, reasons)) => {
                known.need.count = known.need.count.max(view.need.count);
                if !reasons.contains(&view.because) {
                    reasons.push(view.because);
                }
            }
            None => {
                let because = view.because.clone();
                needs.push((view, vec![because]));
            }
        }
    }
    // Whoever approves in a role is a pair of eyes, too: anyone is asked for only beyond those. Owners of the code are
    // asked beside all places, so that they leave the number of people as it is.
    let in_role: u32 = needs
        .iter()
        .filter(|(view, _)| !view.need.is_anyone() && view.owned.is_none())
        .map(|(view, _)| view.need.count)
        .sum();
    for (view, _) in needs.iter_mut().filter(|(view, _)| view.need.is_anyone()) {
        view.need.count = view.need.count.saturating_sub(in_role);
    }
    needs.retain(|(view, _)| view.need.count > 0);
    // Whoever comes without a role in mind is asked for last.
    needs.sort_by_key(|(view, _)| (view.need.is_anyone(), view.owned.is_some()));
    needs.into_iter().map(|(view, reasons)| NeedView { because: reasons.join("; "), ..view }).collect()
}

/// What the rules look at.
#[derive(Clone, Copy)]
struct Seen<'a> {
    view: &'a View<'a>,
    score: u32,
    flags: &'a [Flag],
    outside: bool,
}

enum Applies {
    /// With its reason: the rule's own words and what was measured.
    Yes(String),
    No,
    /// All but for its incident: why not.
    Almost(String),
}

/// The parts of a reason: every condition in words, and of those the ones that were measured.
#[derive(Default)]
struct Calculation {
    all: Vec<String>,
    measured: Vec<String>,
}

impl Calculation {
    fn given(&mut self, says: impl Into<String>) {
        self.all.push(says.into());
    }

    /// `short` stands behind the rule's own words.
    fn measured(&mut self, says: impl Into<String>, short: impl Into<String>) {
        self.all.push(says.into());
        self.measured.push(short.into());
    }

    fn says(self, because: &str) -> String {
        match (because.trim(), self.all.is_empty()) {
            ("", true) => "every deployment".to_owned(),
            ("", false) => self.all.join(", "),
            (because, _) if self.measured.is_empty() => tame(because, 160),
            (because, _) => format!("{}: {}", tame(because, 160), self.measured.join(", ")),
        }
    }
}

fn applies(seen: &Seen<'_>, rule: &ApprovalRule) -> Applies {
    let mut calculation = Calculation::default();
    if conditions(seen, rule, &mut calculation).is_none() {
        return Applies::No;
    }
    if let Some(open) = rule.open_incident {
        match hotfix_is_for(seen.view) {
            Err(_) if seen.view.plan.hotfix.is_none() => return Applies::No,
            Err(why) if open => {
                return Applies::Almost(format!("The faster path for hotfixes does not apply: {why}."));
            }
            Ok(incident) if open => {
                calculation.measured(format!("{incident} is open"), format!("{incident} is open"));
            }
            Ok(_) => return Applies::No,
            Err(why) => calculation.given(why),
        }
    }
    Applies::Yes(calculation.says(&rule.because))
}

/// Whether everything but the incident applies.
fn conditions(seen: &Seen<'_>, rule: &ApprovalRule, calculation: &mut Calculation) -> Option<()> {
    let Seen { view, score, flags, outside } = *seen;
    let plan = view.plan;
    if let Some(environment) = &rule.environment {
        (*environment == plan.environment).then(|| calculation.given(environment.to_string()))?;
    }
    if let Some(service) = &rule.service {
        (*service == plan.service).then(|| calculation.given(service.to_string()))?;
    }
    if let Some(category) = &rule.category {
        view.category.is(category).then(|| calculation.given(format!("category {category}")))?;
    }
    if let Some(high) = rule.high_category {
        (high == view.category.is_high()).then_some(())?;
        let name = view.category.highest().map_or("its category", |seen| seen.name.as_str());
        if high {
            calculation.measured(format!("{name} is high-risk"), name);
        } else {
            calculation.given("no high-risk category");
        }
    }
    if let Some(least) = rule.risk {
        let declared = plan.risk.unwrap_or(Risk::High);
        (declared >= least).then(|| {
            calculation.given(match plan.risk {
                Some(risk) => format!("declared {} risk", risk.as_str()),
                None => "no risk declared, which counts as high".to_owned(),
            });
        })?;
    }
    if let Some(least) = rule.score {
        (score >= least)
            .then(|| calculation.measured(format!("score {score}, at or above {least}"), format!("{score} of 100")))?;
    }
    if !rule.flags.is_empty() {
        let raised = |code: &&String| flags.iter().any(|f| f.code == **code && f.level >= FlagLevel::Caution);
        let raised: Vec<&str> = rule.flags.iter().filter(raised).map(String::as_str).collect();
        (!raised.is_empty()).then(|| calculation.measured(raised.join(", "), raised.join(", ")))?;
    }
    if !rule.blockers.is_empty() {
        let asked = |code: &String| rule.blockers.iter().any(|b| b == code || b == "*");
        let present: Vec<String> = blockers(view.settings, flags).into_iter().filter(asked).collect();
        let named = present.join(", ");
        (!present.is_empty()).then(|| calculation.measured(format!("blocked by {named}"), named))?;
    }
    if let Some(least) = rule.size {
        let says = large(view, least)?;
        calculation.measured(format!("{says}, at or above {least}"), says);
    }
    if let Some(asked) = rule.outside_window {
        (asked == outside).then_some(())?;
        calculation.given(if asked { "outside the allowed window" } else { "inside the allowed window" });
    }
    if let Some(hotfix) = rule.hotfix {
        (hotfix == plan.hotfix.is_some()).then_some(())?;
        calculation.given(if hotfix { "a hotfix" } else { "no hotfix" });
    }
    Some(())
}

/// How large the change is, where it is at least so large; what nobody could read is not small.
fn large(view: &View<'_>, least: u32) -> Option<String> {
    if !view.plan.kind.has_version() {
        return None;
    }
    let Some(change) = newest(view.change) else {
        return Some("its size is unknown, which counts as large".to_owned());
    };
    let measures = Measures::of(&change.value);
    let lines = (measures.added + measures.deleted) as u32;
    (lines >= least).then(|| says::count(lines, "line"))
}

/// The incident that the plan is the hotfix for, if a source says that it is open; otherwise why that is not known.
fn hotfix_is_for(view: &View<'_>) -> Result<String, String> {
    let Some(hotfix) = view.plan.hotfix.as_deref() else { return Err("the plan names no incident".to_owned()) };
    let shown = tame(hotfix.trim(), 40);
    let incidents = view.incidents.known.iter().flat_map(|fact| &fact.value);
    let is_it = |incident: &&Incident| bare(&incident.id) == bare(hotfix);
    let is_open = |i: &Incident| i.opened <= view.now && i.resolved.is_none_or(|at| at > view.now);
    let found: Vec<&Incident> = incidents.filter(is_it).collect();
    match found.iter().any(|incident| is_open(incident)) {
        true => Ok(shown),
        false if !found.is_empty() => Err(format!("incident {shown} is not open")),
        false if view.incidents.known.is_empty() => Err(format!("whether incident {shown} is open is unknown")),
        false => Err(format!("no source knows an open incident {shown}")),
    }
}

/// An incident's name without its sign: `#482` and `482` are the same.
fn bare(id: &str) -> String {
    id.trim().trim_start_matches('#').to_lowercase()
}
