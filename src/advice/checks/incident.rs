//! Incidents, open and recent, on this service and around it. Severity alone never blocks: only a mark does.

use crate::advice::checks::Answer;
use crate::advice::facts::{Fact, Incident};
use crate::advice::sight::{Topic, gap};
use crate::advice::view::View;
use crate::advice::{Because, says};
use crate::clock::DAY;
use crate::message::tame;

pub fn open(view: &View<'_>) -> Option<Answer> {
    const OF: i32 = 8;
    let mut open: Vec<(&Fact<Vec<Incident>>, &Incident)> = all(view)
        .filter(|(_, i)| i.resolved.is_none_or(|at| at > view.now) && i.opened <= view.now && concerns(view, i))
        .collect();
    open.sort_by(|a, b| {
        rank(view, a.1)
            .cmp(&rank(view, b.1))
            .then_with(|| b.1.opened.cmp(&a.1.opened))
            .then_with(|| a.1.id.cmp(&b.1.id))
    });
    let missing = gap(view, Topic::Incidents);
    let Some((_, first)) = open.first() else {
        if let Some(missing) = missing {
            return Some(Answer::gap(missing));
        }
        let near = says::count(i64::try_from(view.needs().len() + view.needed_by().len()).unwrap_or(0), "neighbour");
        let says = format!("No open incident on {} or its {near}.", view.plan.service);
        return Some(Answer::pass(says).because(view.incidents.known.iter().map(listed)));
    };
    let more = match open.len() {
        1 => String::new(),
        n => format!(" {} more open nearby.", n - 1),
    };
    let since = format!("open since {}", view.time(first.opened));
    let severity = first.severity.as_ref().map(|severity| format!(", {}", tame(severity, 20))).unwrap_or_default();
    let what = format!(
        "{} \"{}\" ({since}{severity}{})",
        tame(&first.id, 30),
        tame(&first.title, 100),
        elsewhere(view, first)
    );
    let because: Vec<Because> = open.iter().map(|(fact, incident)| told(fact, incident, view)).collect();
    let points = if open.iter().any(|(_, i)| is_own(view, i)) { OF } else { 4 };
    let answer = if is_mended(view, first) {
        Answer::info(format!("This is the hotfix for incident {what}.{more}"))
    } else if first.blocks {
        Answer::critical(format!("Incident {what} is marked as blocking deployments.{more}"))
    } else {
        Answer::caution(format!("Incident {what} is open; it is not marked as blocking.{more}"))
    };
    Some(answer.because(because).unless(missing.filter(|_| !open.iter().any(|(_, i)| i.blocks))).likelihood(points, OF))
}

pub fn recent(view: &View<'_>) -> Option<Answer> {
    const OF: i32 = 4;
    let (days, _) = view.limits("incident.recent", 7.0, f64::INFINITY);
    let since = view.now.plus(-((days.clamp(0.0, 3_650.0) * DAY as f64) as i64));
    let mut recent: Vec<(&Fact<Vec<Incident>>, &Incident)> = all(view)
        .filter(|(_, i)| {
            concerns(view, i)
                && i.resolved.is_some_and(|at| {
                    at <= view.now && (at >= since || i.follow_ups > 0 && at >= since.plus(-30 * DAY))
                })
        })
        .collect();
    recent.sort_by(|a, b| b.1.resolved.cmp(&a.1.resolved).then_with(|| a.1.id.cmp(&b.1.id)));
    let missing = gap(view, Topic::Incidents);
    let span = says::span(view.now.since(since));
    let Some((_, last)) = recent.first() else {
        if let Some(missing) = missing {
            return Some(Answer::gap(missing));
        }
        let says = format!("No incident on {} or around it in the last {span}.", view.plan.service);
        return Some(Answer::pass(says).because(view.incidents.known.iter().map(listed)));
    };
    let follow_ups: u32 = recent.iter().map(|(_, i)| i.follow_ups).sum();
    let open = match follow_ups {
        0 => "no open follow-up is known".to_owned(),
        n => format!("{} open", says::count(n, "follow-up")),
    };
    let settled = last.resolved.map(|at| says::ago(at, view.now)).unwrap_or_default();
    let others = match recent.len() {
        1 => String::new(),
        n => format!(", and {} before it", n - 1),
    };
    let says = format!(
        "Incident {} \"{}\" was settled {settled}{}{others}; {open}.",
        tame(&last.id, 30),
        tame(&last.title, 100),
        elsewhere(view, last)
    );
    let own = recent.iter().any(|(_, incident)| is_own(view, incident));
    let points = if follow_ups > 0 && own {
        OF
    } else if own || follow_ups > 0 {
        2
    } else {
        1
    };
    let answer = if follow_ups > 0 || own { Answer::caution(says) } else { Answer::info(says) };
    let because: Vec<Because> = recent.iter().map(|(fact, incident)| told(fact, incident, view)).collect();
    Some(answer.because(because).unless(missing).likelihood(points, OF))
}

fn all<'a>(view: &View<'a>) -> impl Iterator<Item = (&'a Fact<Vec<Incident>>, &'a Incident)> {
    view.incidents.known.iter().flat_map(|fact| fact.value.iter().map(move |incident| (fact, incident)))
}

/// On this service, on one that it needs, on one that needs it, or on all of them.
fn concerns(view: &View<'_>, incident: &Incident) -> bool {
    incident.services.is_empty() || incident.services.iter().any(|service| view.is_near(service))
}

fn is_own(view: &View<'_>, incident: &Incident) -> bool {
    incident.services.is_empty() || incident.services.contains(&view.plan.service)
}

/// Whether the plan is the hotfix for it.
fn is_mended(view: &View<'_>, incident: &Incident) -> bool {
    let bare = |text: &str| text.trim().trim_start_matches('#').to_lowercase();
    view.plan.hotfix.as_deref().is_some_and(|hotfix| bare(hotfix) == bare(&incident.id))
}

/// The gravest first: what blocks, then what is the service's own.
fn rank(view: &View<'_>, incident: &Incident) -> u8 {
    match (is_mended(view, incident), incident.blocks, is_own(view, incident)) {
        (true, _, _) => 4,
        (_, true, true) => 0,
        (_, true, false) => 1,
        (_, false, true) => 2,
        _ => 3,
    }
}

/// ", on ledger", where it is not on this service.
fn elsewhere(view: &View<'_>, incident: &Incident) -> String {
    if is_own(view, incident) {
        return String::new();
    }
    let near: Vec<String> = incident.services.iter().filter(|s| view.is_near(s)).map(ToString::to_string).collect();
    format!(", on {}", says::some(&near, 3))
}

fn told(fact: &Fact<Vec<Incident>>, incident: &Incident, view: &View<'_>) -> Because {
    let state = incident.resolved.map_or("open".to_owned(), |at| format!("settled {}", view.time(at)));
    Because {
        source: fact.source.clone(),
        says: format!("{} {}: {state}", tame(&incident.id, 30), tame(&incident.title, 100)),
        link: incident.link.clone().or_else(|| fact.link.clone()),
        at: fact.at,
    }
}

fn listed(fact: &Fact<Vec<Incident>>) -> Because {
    let says = format!("lists {}", says::count(i64::try_from(fact.value.len()).unwrap_or(0), "incident"));
    crate::advice::view::because(fact, says)
}
