//! A rollback plan drafted from facts, for the planner to adopt: the last good version, what the migrations allow,
//! flags that can be turned off. None where the facts do not carry one.

use super::outcome_says;
use crate::advice::facts::{Deployment, Direction, Outcome};
use crate::advice::says;
use crate::advice::schema::{self, WayBack};
use crate::advice::toggle::{self, Found};
use crate::advice::view::View;
use crate::message::tame;

/// Drafts the way back.
pub fn draft(view: &View<'_>) -> Option<String> {
    if !view.plan.kind.has_version() {
        return values_before(view);
    }
    let change = view.the_change()?;
    if change.direction == Direction::Same {
        return None;
    }
    let way_back = schema::way_back(view);
    let mut steps: Vec<String> = Vec::new();
    // One that is not there cannot be turned off.
    let is_there = |name: &&str| !matches!(toggle::look_up(view, name), Found::Nowhere);
    let flags = toggle::mentioned(view).into_iter().filter(is_there);
    let flags: Vec<String> = flags.map(|flag| format!("`{}`", tame(flag, 60))).collect();
    if !flags.is_empty() {
        steps.push(format!("If the fault lies behind {}, turn that off first.", says::some(&flags, 3)));
    }
    let target = target(view);
    match (way_back, &target) {
        (WayBack::Closed { name, says }, _) => {
            let old = target.as_ref().map_or("the old version", |target| target.name.as_str());
            steps.push(format!(
                "Take a backup right before migration {name} ({says}). Once it has run, {old} cannot run: fix forward, \
                 and restore that backup only if data is lost."
            ));
        }
        (_, None) => return None,
        (WayBack::Free, Some(target)) => steps.push(format!("Redeploy {}{}.", target.name, target.note)),
        (WayBack::Additive { names, reversible }, Some(target)) => {
            let names = says::some(&names, 3);
            let rest = if reversible {
                "leave it in place, or undo it with its way down afterwards"
            } else {
                "leave it in place, it has no way down"
            };
            steps.push(format!(
                "Redeploy {}{}. It runs with migration {names}, which only adds: {rest}.",
                target.name, target.note
            ));
        }
        (WayBack::Undo { name, says, reversible }, Some(target)) => {
            let how = if reversible { "with its way down" } else { "by hand, for it has no way down" };
            steps.push(format!(
                "Undo migration {name} {how} ({says}): until then {} cannot write. Then redeploy {}{}.",
                target.name, target.name, target.note
            ));
        }
        (WayBack::Unsure { name, says }, Some(target)) => steps.push(format!(
            "Redeploy {}{}, after somebody has checked that it runs with migration {name} ({says}).",
            target.name, target.note
        )),
    }
    Some(steps.join(" "))
}

fn values_before(view: &View<'_>) -> Option<String> {
    let known: Option<Vec<String>> = view
        .plan
        .set
        .iter()
        .map(|set| {
            set.before.as_ref().map(|before| format!("`{}` back to `{}`", tame(&set.name, 60), tame(before, 60)))
        })
        .collect();
    known.filter(|steps| !steps.is_empty()).map(|steps| format!("Set {}.", says::list(&steps)))
}

/// What to go back to.
struct Target {
    name: String,
    /// Why this one, where that is not plain: a fragment with its comma.
    note: String,
}

fn target(view: &View<'_>) -> Option<Target> {
    let base = view.the_change().and_then(|change| change.base.as_ref()).map(|base| tame(&base.name, 60));
    let Some(history) = view.the_history() else {
        return base.map(|name| Target { name, note: ", which runs now".to_owned() });
    };
    let running = history.running.as_ref();
    let bad = running.and_then(|running| Some((running, running.outcome.filter(|outcome| outcome.is_bad())?)));
    if let Some((running, outcome)) = bad {
        let good = history.last_good.as_ref().filter(|good| good.version.is_some() && good.version != running.version);
        let (Some(good), Some(bad)) = (good, name_of(running).or_else(|| base.clone())) else {
            return None;
        };
        let note = format!(
            ", the last one that ended clean ({}); {bad}, which runs now, {}",
            view.day(good.at),
            outcome_says(outcome, running.incident.as_deref())
        );
        return Some(Target { name: name_of(good)?, note });
    }
    let name = running.and_then(name_of).or(base)?;
    let note = match running {
        Some(running) if running.outcome == Some(Outcome::Clean) => {
            format!(", which has run here since {} and ended clean", view.day(running.at))
        }
        Some(running) => format!(", which has run here since {}", view.day(running.at)),
        None => ", which runs now".to_owned(),
    };
    Some(Target { name, note })
}

fn name_of(deployment: &Deployment) -> Option<String> {
    let commit = || deployment.commit.as_ref().and_then(|commit| commit.get(..7)).map(str::to_owned);
    deployment.version.as_ref().map(|version| tame(version, 60)).or_else(commit)
}
