//! What the plan says of itself: why, the way back, who cares for it, what would show success, which commands.

use std::collections::BTreeMap;

use crate::advice::checks::Answer;
use crate::advice::condition;
use crate::advice::facts::Means;
use crate::advice::rollback::Verdict;
use crate::advice::says;
use crate::advice::sight::{Topic, gap};
use crate::advice::view::{View, because};
use crate::advice::{Because, FlagLevel};
use crate::message::tame;
use crate::name::{Environment, Person};
use crate::target;

pub fn reason(view: &View<'_>) -> Option<Answer> {
    let Some(why) = filled(&view.plan.why) else {
        return Some(Answer::caution("The plan gives no reason."));
    };
    if let Some(hotfix) = filled(&view.plan.hotfix) {
        return Some(Answer::info(format!("A hotfix for incident {}: \"{}\".", tame(hotfix, 40), tame(why, 120))));
    }
    let Some(named) = crate::plan::ticket(why) else {
        let says = format!("The reason (\"{}\") names no ticket, requirement or link.", tame(why, 120));
        return Some(Answer::caution(says));
    };
    let named = tame(&named, 80);
    if view.ticket.is_unasked() {
        return Some(Answer::info(format!(
            "The reason names {named}; whether that exists and is open was not asked (no tracker is set up)."
        )));
    }
    Some(ticket(view, &named))
}

/// What the trackers say of the ticket that the reason names. One that is open anywhere is a reason; that there is none
/// is known only where everybody answered.
fn ticket(view: &View<'_>, named: &str) -> Answer {
    let there = || view.ticket.known.iter().filter(|fact| fact.value.exists);
    if let Some(fact) = there().find(|fact| !fact.value.closed).or_else(|| there().next()) {
        let ticket = &fact.value;
        let kind = ticket.kind.as_deref().map(|kind| format!("{}, ", tame(kind, 40))).unwrap_or_default();
        let about =
            format!("{} \"{}\" ({kind}{})", tame(&ticket.key, 80), tame(&ticket.title, 120), tame(&ticket.status, 40));
        let told = [because(fact, about.clone())];
        return if ticket.closed {
            Answer::caution(format!("The reason is {about}, which is closed already.")).because(told)
        } else {
            Answer::pass(format!("The reason is {about}.")).because(told)
        };
    }
    if let Some(gap) = gap(view, Topic::Ticket) {
        let says = format!("Whether {named} exists and is open is unknown: {}.", gap.reason);
        return Answer::unknown(says).because(gap.because);
    }
    let told = view.ticket.known.iter().map(|fact| because(fact, format!("knows no {}", tame(&fact.value.key, 80))));
    let told: Vec<Because> = told.collect();
    let who: Vec<&str> = told.iter().map(|because| because.source.as_str()).collect();
    let verb = if who.len() == 1 { "knows" } else { "know" };
    let says =
        format!("The reason names {named}, but {} {verb} no such ticket, or may not see it.", says::some(&who, 3));
    Answer::caution(says).because(told)
}

pub fn rollback(view: &View<'_>) -> Option<Answer> {
    /// Without a way back a fault lasts until it is mended: twice to three times as long.
    const OF: i32 = 8;
    let rollback = &view.rollback;
    let says = rollback.says.clone();
    let (answer, points) = match rollback.verdict {
        Verdict::Works => (Answer::pass(says), 0),
        Verdict::Vague => (Answer::caution(says), 3),
        Verdict::Unsure => (Answer::unknown(says), 4),
        Verdict::Missing => (Answer::caution(says), 6),
        Verdict::Wrong => (Answer::critical(says), 7),
        Verdict::Impossible => (Answer::critical(says), OF),
    };
    Some(answer.because(rollback.because.clone()).consequence(points, OF))
}

pub fn rollback_conditions(view: &View<'_>) -> Option<Answer> {
    const OF: i32 = 2;
    let Some(text) = filled(&view.plan.rollback_if) else {
        return Some(Answer::caution("The plan does not say when it would be taken back.").consequence(OF, OF));
    };
    let (read, unread) = condition::parse(text);
    Some(match (read.is_empty(), unread.is_empty()) {
        (false, true) => Answer::pass(format!("Back if {}: the watch can tell.", tame(text, 160))).consequence(0, OF),
        (false, false) => {
            let unread: Vec<String> = unread.iter().map(|part| format!("\"{}\"", tame(part, 80))).collect();
            Answer::info(format!("Back if {}; a person has to judge {}.", tame(text, 160), says::list(&unread)))
                .consequence(0, OF)
        }
        _ => Answer::info(format!("Back if {}: a person has to judge that, the watch cannot.", tame(text, 160)))
            .consequence(1, OF),
    })
}

pub fn care(view: &View<'_>) -> Option<Answer> {
    const OF: i32 = 3;
    let plan = view.plan;
    let mut missing = Vec::new();
    if filled(&plan.why_now).is_none() {
        missing.push("why now");
    }
    if plan.watch.is_empty() {
        missing.push("who watches");
    }
    if plan.respond.is_empty() {
        missing.push("who responds");
    }
    let points = i32::try_from(missing.len()).unwrap_or(OF);
    let mut named: Vec<&Person> = plan.watch.iter().chain(&plan.respond).collect();
    named.sort();
    named.dedup();
    let strangers: Vec<String> =
        named.iter().filter(|p| !view.settings.people.contains_key(p.as_str())).map(|p| tame(p.as_str(), 40)).collect();
    let (away, told) = away(view, &named);
    let mut says = Vec::new();
    if !missing.is_empty() {
        says.push(format!("Nobody has answered {}", says::list(&missing)));
    }
    if !away.is_empty() {
        says.push(format!("{} then", says::list(&away)));
    }
    if !strangers.is_empty() {
        let verb = if strangers.len() == 1 { "is" } else { "are" };
        says.push(format!("{} {verb} not among the people in the settings", says::some(&strangers, 4)));
    }
    if !says.is_empty() {
        let points = (points + i32::from(!away.is_empty())).min(OF);
        return Some(Answer::caution(format!("{}.", says.join("; "))).because(told).consequence(points, OF));
    }
    let watch: Vec<&str> = plan.watch.iter().map(Person::as_str).collect();
    let respond: Vec<&str> = plan.respond.iter().map(Person::as_str).collect();
    let why_now = filled(&plan.why_now).map(|why| tame(why, 80)).unwrap_or_default();
    let verb = |n: usize, one: &str, many: &str| if n == 1 { one.to_owned() } else { many.to_owned() };
    let says = format!(
        "Why now: \"{why_now}\". {} {}, {} {}; none of them is away by the calendars.",
        says::some(&watch, 3),
        verb(watch.len(), "watches", "watch"),
        says::some(&respond, 3),
        verb(respond.len(), "responds", "respond")
    );
    Some(Answer::pass(says).unless(gap(view, Topic::Calendar)).consequence(0, OF))
}

/// Who of some people is out of office while it would be deployed and watched.
fn away(view: &View<'_>, people: &[&Person]) -> (Vec<String>, Vec<Because>) {
    let mut away = Vec::new();
    let mut told = Vec::new();
    if people.is_empty() {
        return (away, told);
    }
    for fact in &view.calendar.known {
        for event in &fact.value {
            let theirs = event.person.as_ref().filter(|person| people.contains(person));
            if event.means == Means::OutOfOffice
                && event.start < view.end
                && event.end > view.begin
                && let Some(person) = theirs
            {
                away.push(format!("{person} is out of office until {}", view.time(event.end)));
                told.push(because(fact, format!("{person}: {}", tame(&event.summary, 60))));
            }
        }
    }
    away.sort();
    away.dedup();
    away.truncate(4);
    (away, told)
}

pub fn success(view: &View<'_>) -> Option<Answer> {
    let Some(text) = filled(&view.plan.success) else {
        return Some(Answer::caution("The plan does not say what would show that it worked."));
    };
    let (read, _) = condition::parse(text);
    Some(if read.is_empty() {
        Answer::info(format!("It worked if \"{}\": a person has to judge that, no metric is named.", tame(text, 160)))
    } else {
        Answer::pass(format!("It worked if {}: the watch can tell.", tame(text, 160)))
    })
}

pub fn commands(view: &View<'_>) -> Option<Answer> {
    let how = filled(&view.plan.how)?;
    let targets: BTreeMap<Environment, target::Target> = view
        .settings
        .environment
        .iter()
        .map(|(name, environment)| (name.clone(), environment.target.clone()))
        .collect();
    let findings = target::judge(&target::read(how), &view.plan.environment, &targets);
    let Some(level) = findings.iter().map(|finding| finding.level).max() else {
        return Some(Answer::unknown("Where the commands aim is unknown: no command could be read in them."));
    };
    let worst: Vec<&str> = findings.iter().filter(|f| f.level == level).map(|f| f.says.as_str()).collect();
    let more = match worst.len().saturating_sub(3) {
        0 => String::new(),
        n => format!(" The same holds for {}.", says::count(i64::try_from(n).unwrap_or(0), "other command")),
    };
    let first = worst.iter().take(3).copied().collect::<Vec<_>>().join(" ");
    Some(if level == FlagLevel::Pass {
        let commands = says::count(i64::try_from(findings.len()).unwrap_or(0), "command");
        Answer::pass(format!("{commands}, aimed at {}. {first}{more}", view.plan.environment))
    } else {
        Answer::at(level, format!("{first}{more}"))
    })
}

fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}
