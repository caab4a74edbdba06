//! What a rollback plan says and whether it can work, and a draft of one from facts.

mod draft;
mod words;

pub use draft::draft;
pub use words::names;

use crate::advice::facts::{Fact, Outcome, Version, Versions};
use crate::advice::schema::{self, WayBack};
use crate::advice::sight::{Gap, Topic, gap};
use crate::advice::toggle;
use crate::advice::view::{View, newest};
use crate::advice::{Because, says, view};
use crate::message::tame;
use words::Way;

/// What became of reading a rollback plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rollback {
    pub verdict: Verdict,
    /// One sentence.
    pub says: String,
    pub because: Vec<Because>,
}

/// How far a rollback plan carries; the order is the order of gravity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It names what exists and can work.
    Works,
    /// It could work, but leaves open what exactly is done.
    Vague,
    /// Whether it can work could not be seen.
    Unsure,
    /// There is none.
    #[default]
    Missing,
    /// It names something to go back to that is no way back: a version that never existed, or the very one deployed.
    Wrong,
    /// The migrations make it impossible.
    Impossible,
}

/// Reads the rollback plan of a plan.
pub fn read(view: &View<'_>) -> Rollback {
    let text = view.plan.rollback.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let Some(text) = text else { return missing(view) };
    let names = words::names(text);
    let ways = words::ways(text);
    if !view.plan.kind.has_version() {
        return without_version(view, text, &ways);
    }
    if let Some(wrong) = names.iter().find_map(|name| never_existed(view, name)) {
        return wrong;
    }
    if let Some(name) = names.iter().find(|name| is_the_plans_own(view, name)) {
        let says = format!("The rollback plan names {}, the very version that is being deployed.", tame(name, 60));
        return Rollback { verdict: Verdict::Wrong, says, because: Vec::new() };
    }
    let redeploys = ways.contains(&Way::Redeploy) || ways.is_empty() && !names.is_empty();
    let others = ways.iter().any(|way| matches!(way, Way::FlagOff | Way::Forward | Way::Restore));
    if ways.contains(&Way::FlagOff)
        && !redeploys
        && let Some(wrong) = no_such_flag(view, text)
    {
        return wrong;
    }
    let target = names.first().map(|name| tame(name, 60));
    let running = view.the_change().and_then(|change| change.base.as_ref()).map(|base| tame(&base.name, 60));
    if redeploys && let Some(judged) = against_migrations(view, target.as_deref(), &ways) {
        return judged;
    }
    if redeploys {
        let Some(target) = target else {
            let which = running.map(|name| format!(": {name} runs now")).unwrap_or_default();
            let says = format!("The rollback plan does not name the version to go back to{which}.");
            return Rollback { verdict: Verdict::Vague, says, because: Vec::new() };
        };
        return redeploy(view, &target, names.first().map_or("", String::as_str));
    }
    if let WayBack::Closed { name, says } = schema::way_back(view)
        && !ways.contains(&Way::FlagOff)
        && !ways.is_empty()
    {
        let plan = says::list(&words::said(&ways));
        let says =
            format!("The rollback plan is to {plan}; there is no way back once migration {name} has run ({says}).");
        return Rollback { verdict: Verdict::Vague, says, because: Vec::new() };
    }
    if others || ways.contains(&Way::Down) {
        let says = format!("The rollback plan is to {}.", says::list(&words::said(&ways)));
        return Rollback { verdict: Verdict::Works, says, because: Vec::new() };
    }
    let says = "The rollback plan names neither a version to redeploy nor another way back.".to_owned();
    Rollback { verdict: Verdict::Vague, says, because: Vec::new() }
}

fn missing(view: &View<'_>) -> Rollback {
    let running = view.the_change().and_then(|change| change.base.as_ref()).map(|base| tame(&base.name, 60));
    let says = match schema::way_back(view) {
        WayBack::Closed { name, says } if view.plan.kind.has_version() => format!(
            "No rollback plan, and {} cannot run on the new schema (migration {name}: {says}).",
            running.as_deref().unwrap_or("the old version")
        ),
        WayBack::Undo { name, says, .. } if view.plan.kind.has_version() => format!(
            "No rollback plan, and {} cannot write until migration {name} is undone ({says}).",
            running.as_deref().unwrap_or("the old version")
        ),
        _ => "No rollback plan.".to_owned(),
    };
    match told_by_request(view) {
        Some((told, because)) => {
            Rollback { verdict: Verdict::Missing, says: format!("{says} {told}"), because: vec![because] }
        }
        None => Rollback { verdict: Verdict::Missing, says, because: Vec::new() },
    }
}

/// What the requests that brought the change say of the way back. It is a hint: whoever deploys has to stand behind it.
fn told_by_request(view: &View<'_>) -> Option<(String, Because)> {
    let fact = newest(view.reviews)?;
    let (request, told) = fact.value.requests.iter().find_map(|r| Some((r, r.rollback.as_deref()?)))?;
    let (id, told) = (tame(&request.id, 40), schema::fragment(told));
    let because = Because { link: request.link.clone(), ..view::because(fact, format!("the text of {id}")) };
    Some((format!("{id} tells one: \"{told}\"."), because))
}

/// A flag or configuration plan goes back to its values before.
fn without_version(view: &View<'_>, text: &str, ways: &[Way]) -> Rollback {
    let back = view.plan.set.iter().any(|set| set.before.as_ref().is_some_and(|before| text.contains(before.as_str())));
    let named = view.plan.set.iter().any(|set| text.contains(set.name.as_str()));
    if back || named || !ways.is_empty() {
        let says = format!("The rollback plan: {}.", schema::fragment(text));
        return Rollback { verdict: Verdict::Works, says, because: Vec::new() };
    }
    let says = "The rollback plan names neither the setting nor the value to go back to.".to_owned();
    Rollback { verdict: Verdict::Vague, says, because: Vec::new() }
}

/// Turning a flag off is a way back only where the flag is there.
fn no_such_flag(view: &View<'_>, text: &str) -> Option<Rollback> {
    let mentioned = toggle::mentioned(view);
    let named: Vec<&str> = mentioned.iter().filter(|name| text.contains(**name)).copied().collect();
    let meant = if named.is_empty() { mentioned } else { named };
    let gone = |name: &&str| match toggle::look_up(view, name) {
        toggle::Found::Nowhere => true,
        toggle::Found::Here(_, state) => state.archived,
        toggle::Found::Unseen => false,
    };
    let name = tame(meant.first().filter(|_| meant.iter().all(gone))?, 60);
    let says = format!("The rollback plan is to turn a flag off, and no provider has `{name}` in use here.");
    Some(Rollback { verdict: Verdict::Wrong, says, because: Vec::new() })
}

fn never_existed(view: &View<'_>, name: &str) -> Option<Rollback> {
    let fact = newest(view.versions)?;
    if look_up(&fact.value, name, view) != Found::No {
        return None;
    }
    // A list with gaps cannot say that something never existed.
    if !fact.incomplete.is_empty() {
        return None;
    }
    let says =
        format!("The rollback plan names {}, which never existed{}.", tame(name, 60), nearest(&fact.value, name));
    let because = vec![view::because(fact, format!("no version {}", tame(name, 60)))];
    Some(Rollback { verdict: Verdict::Wrong, says, because })
}

/// "(the nearest is v2.13.2)", where one is near.
fn nearest(versions: &Versions, name: &str) -> String {
    let near = versions.known.iter().map(|v| (strsim::osa_distance(&v.name, name), &v.name));
    let best = near.filter(|(distance, _)| *distance <= 2).min();
    best.map(|(_, name)| format!(" (the nearest is {})", tame(name, 60))).unwrap_or_default()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Yes,
    No,
    Unsaid,
}

fn look_up(versions: &Versions, name: &str, view: &View<'_>) -> Found {
    if find_version(versions, name, view).is_some() {
        return Found::Yes;
    }
    match versions.resolved.iter().find(|(asked, _)| asked == name) {
        Some((_, Some(_))) => Found::Yes,
        Some((_, None)) => Found::No,
        None => Found::Unsaid,
    }
}

fn find_version<'a>(versions: &'a Versions, name: &str, view: &View<'_>) -> Option<&'a Version> {
    let prefix = view.service().and_then(|service| service.tag_prefix.as_deref()).unwrap_or("");
    let bare = |text: &str| text.strip_prefix(prefix).unwrap_or(text).trim_start_matches('v').to_owned();
    let wanted = bare(name);
    let is_commit = name.len() >= 7 && name.bytes().all(|b| b.is_ascii_hexdigit());
    versions.known.iter().find(|version| bare(&version.name) == wanted || is_commit && version.commit.starts_with(name))
}

fn is_the_plans_own(view: &View<'_>, name: &str) -> bool {
    let same_name =
        view.plan.version.as_deref().is_some_and(|own| own.trim_start_matches('v') == name.trim_start_matches('v'));
    // Where the same version runs already, going back to it is no mistake of the rollback plan.
    let runs = view.the_change().and_then(|change| change.base.as_ref()).is_some_and(|base| base.name == name);
    same_name && !runs
}

/// "Redeploy the old version" against what the migrations do; None where they do not stand in the way.
fn against_migrations(view: &View<'_>, target: Option<&str>, ways: &[Way]) -> Option<Rollback> {
    let old = target.unwrap_or("the old version");
    match schema::way_back(view) {
        WayBack::Closed { name, says } if ways.contains(&Way::Restore) => {
            let says = format!(
                "Going back to {old} needs the data restored first, because of migration {name} ({says}); \
                 what is written after the deployment is lost with it."
            );
            Some(Rollback { verdict: Verdict::Vague, says, because: Vec::new() })
        }
        WayBack::Closed { name, says } => {
            let says = format!(
                "The rollback plan cannot work: {old} cannot run on the new schema (migration {name}: {says})."
            );
            Some(Rollback { verdict: Verdict::Impossible, says, because: Vec::new() })
        }
        WayBack::Undo { name, says, reversible } if !(reversible && ways.contains(&Way::Down)) => {
            let how = if reversible { "undo it first with its way down" } else { "it has no way down" };
            let says = format!(
                "The rollback plan cannot work as it stands: {old} cannot write to the new schema (migration {name}: \
                 {says}); {how}."
            );
            Some(Rollback { verdict: Verdict::Impossible, says, because: Vec::new() })
        }
        WayBack::Unsure { name, says } => {
            let says = format!(
                "Whether {old} could run on the new schema is unknown: migration {name} could not be read ({says})."
            );
            Some(Rollback { verdict: Verdict::Unsure, says, because: Vec::new() })
        }
        WayBack::Free | WayBack::Additive { .. } | WayBack::Undo { .. } => None,
    }
}

/// A rollback that redeploys a version which exists.
fn redeploy(view: &View<'_>, target: &str, name: &str) -> Rollback {
    let gap: Option<Gap> = gap(view, Topic::Versions);
    let fact: Option<&Fact<Versions>> = newest(view.versions);
    let known = fact.map_or(Found::Unsaid, |fact| look_up(&fact.value, name, view));
    if known != Found::Yes {
        let reason = gap.as_ref().map_or("nobody looked it up".to_owned(), |gap| gap.reason.clone());
        let says = format!("Whether {target}, which the rollback plan names, exists is unknown: {reason}.");
        return Rollback { verdict: Verdict::Unsure, says, because: gap.map(|gap| gap.because).unwrap_or_default() };
    }
    let mut because: Vec<Because> = Vec::new();
    let found = fact.and_then(|fact| Some((fact, find_version(&fact.value, name, view)?)));
    if let Some((fact, version)) = found {
        because
            .push(view::because(fact, format!("{target} is commit {}", version.commit.get(..7).unwrap_or_default())));
    }
    if let Some(change) = newest(view.change)
        && let Some(incomplete) = change.incomplete.iter().min()
    {
        let says = format!(
            "Whether {target} can run after this change is unknown: {} answered with gaps ({}).",
            change.source,
            tame(incomplete, 120)
        );
        return Rollback { verdict: Verdict::Unsure, says, because };
    }
    if view.the_change().is_none() {
        let reason = sight_of_change(view);
        let says = format!("{target} exists; whether it can run after this change is unknown: {reason}.");
        return Rollback { verdict: Verdict::Unsure, says, because };
    }
    if let Some(bad) = bad_outcome(view, name) {
        return Rollback { verdict: Verdict::Vague, says: bad, because };
    }
    let base = view.the_change().and_then(|change| change.base.as_ref());
    let older = found.zip(base).filter(|((_, version), base)| version.at < base.at && version.commit != base.commit);
    if let Some(((_, version), base)) = older {
        let says = format!(
            "The rollback plan goes back to {target} of {}, past {}, which runs now; what lies between was not looked at.",
            view.day(version.at),
            tame(&base.name, 60)
        );
        return Rollback { verdict: Verdict::Vague, says, because };
    }
    let says = match schema::way_back(view) {
        WayBack::Additive { names, .. } => {
            let (which, adds) = if names.len() == 1 { ("migration", "adds") } else { ("migrations", "add") };
            let names = says::some(&names, 3);
            format!("The rollback plan can work: {target} exists, and {which} {names} only {adds} to what it knows.")
        }
        WayBack::Undo { name, .. } => {
            format!("The rollback plan can work: {target} exists, and can write again once migration {name} is undone.")
        }
        _ => format!("The rollback plan can work: {target} exists, and no migration stands in its way."),
    };
    Rollback { verdict: Verdict::Works, says, because }
}

fn sight_of_change(view: &View<'_>) -> String {
    gap(view, Topic::Change).map_or_else(|| "the change was not seen".to_owned(), |gap| gap.reason)
}

/// Says so where the version gone back to had a bad outcome here itself.
fn bad_outcome(view: &View<'_>, name: &str) -> Option<String> {
    let history = view.the_history()?;
    let known = |version: &Option<String>| {
        version.as_deref().is_some_and(|v| v.trim_start_matches('v') == name.trim_start_matches('v'))
    };
    let last = history.recent.iter().filter(|deployment| known(&deployment.version)).max_by_key(|d| d.at)?;
    let outcome = last.outcome.filter(|outcome| outcome.is_bad())?;
    Some(format!(
        "The rollback plan goes back to {}, which itself {} on {}.",
        tame(name, 60),
        outcome_says(outcome, last.incident.as_deref()),
        view.day(last.at)
    ))
}

/// "was rolled back", "led to incident #482".
pub fn outcome_says(outcome: Outcome, incident: Option<&str>) -> String {
    match (outcome, incident) {
        (Outcome::Clean, _) => "ended clean".to_owned(),
        (Outcome::Incident, Some(id)) => format!("led to incident {}", tame(id, 30)),
        (Outcome::Incident, None) => "led to an incident".to_owned(),
        (Outcome::RolledBack, _) => "was rolled back".to_owned(),
        (Outcome::Hotfix, _) => "needed a hotfix".to_owned(),
        (Outcome::Degraded, _) => "ran degraded".to_owned(),
    }
}
