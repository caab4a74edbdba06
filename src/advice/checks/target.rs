//! Where it goes, and which version it is.

use crate::advice::checks::Answer;
use crate::advice::facts::{Deployment, Direction, Outcome};
use crate::advice::rollback::outcome_says;
use crate::advice::says;
use crate::advice::sight::{Topic, gap};
use crate::advice::view::{View, because, newest};
use crate::message::tame;

pub fn environment(view: &View<'_>) -> Option<Answer> {
    let name = &view.plan.environment;
    let Some(settings) = view.environment() else {
        let known: Vec<&str> = view.settings.environment.keys().map(|name| name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { says::some(&known, 6) };
        return Some(Answer::critical(format!(
            "There is no environment `{}`; the settings know {known}.",
            tame(name.as_str(), 60)
        )));
    };
    if settings.protected {
        return Some(Answer::pass(format!(
            "{name} is known and protected: the planner types its name before it begins."
        )));
    }
    Some(Answer::pass(format!("{name} is known; it is not protected.")))
}

pub fn version(view: &View<'_>) -> Option<Answer> {
    if !view.plan.kind.has_version() {
        return None;
    }
    let Some(typed) = view.plan.version.as_deref() else {
        return Some(Answer::critical("The plan names no version."));
    };
    let version = tame(typed, 60);
    let versions = newest(view.versions);
    let said = versions
        .and_then(|fact| fact.value.resolved.iter().find(|(name, _)| name == typed).map(|(_, commit)| (fact, commit)));
    if let (Some((fact, None)), None) = (said, &view.plan.commit)
        && fact.incomplete.is_empty()
    {
        let says = format!("{version} does not exist in {}.", fact.source);
        return Some(Answer::critical(says.clone()).because([because(fact, says)]));
    }
    let now_at = said.and_then(|(_, commit)| commit.as_ref());
    let (commit, moved) = match (&view.plan.commit, now_at) {
        (Some(pinned), Some(now)) => (pinned, pinned != now),
        (Some(pinned), None) => (pinned, false),
        (None, Some(now)) => (now, false),
        (None, None) => return Some(unresolved(view, &version)),
    };
    let short = commit.get(..7).unwrap_or(commit);
    let evidence = said.map(|(fact, _)| because(fact, format!("{version} is commit {short}")));
    if moved {
        let now = now_at.and_then(|commit| commit.get(..7)).unwrap_or_default();
        let says = format!("{version} has moved: the plan was made for commit {short}, it is {now} now.");
        return Some(Answer::critical(says).because(evidence));
    }
    let named = format!("{version} is commit {short}");
    let answer = match direction(view, &named) {
        Ok(direction) => soaked(view, &direction),
        Err(answer) => answer,
    };
    Some(answer.because(evidence))
}

fn unresolved(view: &View<'_>, version: &str) -> Answer {
    let gap = gap(view, Topic::Versions);
    let reason = gap.as_ref().map_or_else(|| "nobody looked it up".to_owned(), |gap| gap.reason.clone());
    let says = format!("Which commit {version} is could not be resolved: {reason}. It cannot be approved until it is.");
    Answer::unknown(says).because(gap.map(|gap| gap.because).unwrap_or_default())
}

/// Newer, older or the same as what runs: the beginning of a sentence, or an answer that ends there.
fn direction(view: &View<'_>, named: &str) -> Result<String, Answer> {
    let Some(fact) = newest(view.change) else {
        let reason = gap(view, Topic::Change);
        let says = reason.as_ref().map_or_else(|| "not looked at".to_owned(), |gap| gap.reason.clone());
        let answer = Answer::unknown(format!("{named}; whether it is newer than what runs is unknown: {says}."));
        return Err(answer.because(reason.map(|gap| gap.because).unwrap_or_default()));
    };
    let change = &fact.value;
    let runs = change.base.as_ref().map_or_else(|| "what runs".to_owned(), |base| tame(&base.name, 60));
    match change.direction {
        Direction::Forward => Ok(format!("{named}, {} after {runs}", says::count(change.commit_count, "commit"))),
        Direction::Same => Err(Answer::info(format!("{named}, which is what runs already."))),
        Direction::Back => {
            let commits = says::count(change.commit_count, "commit");
            Err(Answer::caution(format!("A downgrade: {named}, {commits} behind {runs}, which runs now.")))
        }
        Direction::Sideways => Err(Answer::caution(format!(
            "{named} does not contain all of {runs}, which runs now: some of it would be taken back."
        ))),
        Direction::Unknown => {
            let what =
                format!("{named}; whether it is newer than what runs is unknown: no deployment here is recorded.");
            Err(Answer::unknown(what))
        }
    }
}

/// Whether it ran well in the environment before, for as long as is asked.
fn soaked(view: &View<'_>, named: &str) -> Answer {
    let earlier = view.environment().and_then(|environment| Some((environment.after.as_ref()?, environment.soak)));
    let Some((before, asked)) = earlier else {
        return Answer::pass(format!("{named}.")).unless(gap(view, Topic::Change));
    };
    let Some(history) = newest(view.history) else {
        let reason = gap(view, Topic::History).map_or_else(|| "not looked at".to_owned(), |gap| gap.reason);
        return Answer::unknown(format!("{named}; whether it ran in {before} is unknown: {reason}."));
    };
    let Some(deployment) = history.value.before.as_ref() else {
        return match gap(view, Topic::History) {
            Some(gap) => Answer::unknown(format!("{named}; whether it ran in {before} is unknown: {}.", gap.reason)),
            None => Answer::caution(format!("{named}; it has not run in {before} yet.")),
        };
    };
    let evidence = because(history, format!("{before}: deployed {}", view.time(deployment.at)));
    let ran = view.begin.since(deployment.finished.unwrap_or(deployment.at));
    let since = format!("it has run in {before} since {}", view.time(deployment.at));
    let answer = match (deployment.outcome, asked) {
        (Some(outcome), _) if outcome.is_bad() => {
            Answer::caution(format!("{named}; in {before} it {}.", outcome_of(outcome, deployment)))
        }
        (_, Some(asked)) if ran < asked.ms() => Answer::caution(format!(
            "{named}; {since}, {} of the {} that are asked.",
            says::span(ran.max(0)),
            says::span(asked.ms())
        )),
        (None, _) => Answer::info(format!("{named}; {since}; how it did there nobody has said.")),
        _ => Answer::pass(format!("{named}; {since} and ended clean.")).unless(gap(view, Topic::Change)),
    };
    answer.because([evidence])
}

fn outcome_of(outcome: Outcome, deployment: &Deployment) -> String {
    outcome_says(outcome, deployment.incident.as_deref())
}
