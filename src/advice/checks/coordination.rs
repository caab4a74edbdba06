//! Who else is moving?

use crate::advice::checks::Answer;
use crate::advice::facts::{CalendarEvent, Doing, Fact, Means, Other};
use crate::advice::sight::{Topic, gap};
use crate::advice::view::{View, because};
use crate::advice::{Because, FlagLevel, says};
use crate::clock::{DAY, HOUR};
use crate::message::tame;

/// Another deployment, who told of it, and what it has to do with this one.
type Near<'a> = (&'a Fact<Vec<Other>>, &'a Other, Vec<String>);

/// What else is under way while this would be deployed and watched. It gives no points, because it depends on the moment
/// and the moment's points come from `timing`.
pub fn in_flight(view: &View<'_>) -> Option<Answer> {
    let touched: Vec<&str> =
        view.the_change().map(|change| change.files.iter().map(|f| f.path.as_str()).collect()).unwrap_or_default();
    let touched: std::collections::BTreeSet<&str> = touched.into_iter().collect();
    let mut near: Vec<Near<'_>> = Vec::new();
    for fact in &view.others.known {
        for other in &fact.value {
            let meets = other.start < view.end && other.end > view.begin || other.doing == Doing::UnderWay;
            let reasons = reasons(view, other, &touched);
            if meets && !reasons.is_empty() && other.id != view.plan.id.as_str() {
                near.push((fact, other, reasons));
            }
        }
    }
    near.sort_by(|a, b| {
        let rank = |entry: &Near<'_>| (!is_close(view, entry.1, &entry.2), entry.1.start);
        rank(a).cmp(&rank(b)).then_with(|| a.1.id.cmp(&b.1.id))
    });
    let missing = gap(view, Topic::Others);
    let Some((_, first, why)) = near.first() else {
        if let Some(missing) = missing {
            return Some(Answer::gap(missing));
        }
        return Some(Answer::pass(format!("Nothing else is under way or planned around {} then.", view.plan.service)));
    };
    let more = match near.len() {
        1 => String::new(),
        n => format!(" {} more nearby.", n - 1),
    };
    let by = first.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let doing = match first.doing {
        Doing::Planned => format!("is planned for {}", view.time(first.start)),
        Doing::UnderWay => "is under way".to_owned(),
        Doing::Watched => format!("is watched until {}", view.time(first.end)),
    };
    let says = format!("{}{by} {doing}: {}.{more}", title(first), says::list(why));
    let close = near.iter().any(|(_, other, why)| is_close(view, other, why));
    let answer = Answer::at(if close { FlagLevel::Caution } else { FlagLevel::Info }, says);
    let told = near.iter().map(|(fact, other, why)| Because {
        source: fact.source.clone(),
        says: format!("{}: {}", title(other), says::list(why)),
        link: other.link.clone().or_else(|| fact.link.clone()),
        at: fact.at,
    });
    Some(answer.because(told.collect::<Vec<_>>()).unless(missing))
}

fn title(other: &Other) -> String {
    let version = other.version.as_ref().map(|version| format!(" {}", tame(version, 40))).unwrap_or_default();
    format!("{} ({}{version} → {})", tame(&other.id, 40), other.service, other.environment)
}

/// What another deployment has to do with this one, as fragments.
fn reasons(view: &View<'_>, other: &Other, touched: &std::collections::BTreeSet<&str>) -> Vec<String> {
    let mut reasons = Vec::new();
    let here = other.environment == view.plan.environment;
    if other.service == view.plan.service && here {
        reasons.push("the same service".to_owned());
    } else if here && view.needs().contains(&other.service) {
        reasons.push(format!("{} needs it", view.plan.service));
    } else if here && view.needed_by().contains(&other.service) {
        reasons.push(format!("it needs {}", view.plan.service));
    } else if here {
        reasons.push("the same environment".to_owned());
    }
    let mut files: Vec<&str> = other.files.iter().map(String::as_str).filter(|path| touched.contains(path)).collect();
    files.sort_unstable();
    if let Some(first) = files.first() {
        let more = if files.len() == 1 { String::new() } else { format!(" and {} more", files.len() - 1) };
        reasons.push(format!("both touch `{}`{more}", tame(first, 80)));
    }
    reasons
}

fn is_close(view: &View<'_>, other: &Other, reasons: &[String]) -> bool {
    view.is_near(&other.service) && other.environment == view.plan.environment
        || reasons.iter().any(|reason| reason.starts_with("both touch"))
}

/// Launches, campaigns, demos and trainings from an hour before the deployment to a day after it: what goes wrong then is
/// seen by those whom it should impress. It gives no points of its own, because it depends on the moment.
pub fn launch(view: &View<'_>) -> Option<Answer> {
    let (from, to) = (view.begin.plus(-HOUR), view.end.max(view.begin.plus(DAY)));
    let mut near: Vec<(&Fact<Vec<CalendarEvent>>, &CalendarEvent)> = Vec::new();
    for fact in &view.calendar.known {
        let meets = |event: &&CalendarEvent| event.start < to && event.end > from && named(event.means).is_some();
        near.extend(fact.value.iter().filter(meets).filter(|event| concerns(view, event)).map(|event| (fact, event)));
    }
    near.sort_by(|a, b| {
        (a.1.start, a.1.end, &a.1.summary, &a.0.source).cmp(&(b.1.start, b.1.end, &b.1.summary, &b.0.source))
    });
    near.dedup_by(|a, b| (a.1.start, a.1.end, &a.1.summary) == (b.1.start, b.1.end, &b.1.summary));
    let missing = gap(view, Topic::Calendar);
    if near.is_empty() {
        if let Some(missing) = missing {
            return Some(Answer::gap(missing));
        }
        let calendars = says::count(i64::try_from(view.calendar.known.len()).unwrap_or(0), "calendar");
        let says = format!("No launch, campaign, demo or training then or in the day after, in {calendars}.");
        return Some(Answer::pass(says));
    }
    let told: Vec<String> = near
        .iter()
        .take(3)
        .map(|(fact, event)| {
            let owner = event.owner.as_ref().map(|owner| format!(", owner: {}", tame(owner, 40))).unwrap_or_default();
            let what = named(event.means).unwrap_or("entry");
            format!("{what} \"{}\" {} ({}{owner})", tame(&event.summary, 80), when(view, event), fact.source)
        })
        .collect();
    let more = match near.len().saturating_sub(3) {
        0 => String::new(),
        n => format!(" And {n} more."),
    };
    let during = near.iter().any(|(_, event)| event.start < view.end && event.end > view.begin);
    let level = if during { FlagLevel::Caution } else { FlagLevel::Info };
    let says = format!("Near it: {}.{more}", told.join("; "));
    let evidence =
        near.iter().map(|(fact, event)| because(fact, format!("{} {}", tame(&event.summary, 80), when(view, event))));
    Some(Answer::at(level, says).because(evidence.collect::<Vec<_>>()).unless(missing))
}

fn named(means: Means) -> Option<&'static str> {
    match means {
        Means::Launch => Some("launch"),
        Means::Campaign => Some("campaign"),
        Means::Demo => Some("demo"),
        Means::Training => Some("training"),
        _ => None,
    }
}

fn when(view: &View<'_>, event: &CalendarEvent) -> String {
    if event.all_day {
        says::days(event.start, event.end, view.zone, view.now)
    } else {
        says::range(event.start, event.end, view.zone, view.now)
    }
}

fn concerns(view: &View<'_>, event: &CalendarEvent) -> bool {
    (event.services.is_empty() || event.services.iter().any(|service| view.is_near(service)))
        && (event.environments.is_empty() || event.environments.contains(&view.plan.environment))
}

pub fn informed(view: &View<'_>) -> Option<Answer> {
    let wanted = view.service().map(|service| service.tell.as_slice()).filter(|tell| !tell.is_empty())?;
    let bare = |text: &str| text.trim().trim_start_matches('@').to_lowercase();
    let told: Vec<String> = view.plan.tell.iter().map(|name| bare(name)).collect();
    let names = |missing: &[&String]| missing.iter().map(|name| tame(name, 40)).collect::<Vec<_>>();
    let missing: Vec<&String> = wanted.iter().filter(|name| !told.contains(&bare(name))).collect();
    if missing.is_empty() {
        let all: Vec<&String> = wanted.iter().collect();
        return Some(Answer::pass(format!(
            "The plan names whom the policy wants told: {}.",
            says::some(&names(&all), 5)
        )));
    }
    Some(Answer::caution(format!(
        "The plan does not name {}, whom the policy wants told.",
        says::some(&names(&missing), 5)
    )))
}
