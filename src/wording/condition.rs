//! What is said of approvals on a condition.

use super::{in_role, zone};
use crate::advice::says;
use crate::approval::condition::{Condition, OnlyIf, Watcher};
use crate::approval::{Tally, Word};
use crate::clock::Time;
use crate::config::Settings;
use crate::message::{Button, ButtonStyle, Line, Mark, Message, Span};
use crate::name::{Person, PlanId};
use crate::plan::condition::Turned;
use crate::store::plan::PlanRow;

/// "if lin watches", on the clocks of the target.
pub fn says(condition: &Condition, row: &PlanRow, settings: &Settings, now: Time) -> String {
    let at = |at: Time| says::time(at, zone(settings, &row.plan.service, &row.plan.environment), now);
    match condition {
        Condition::Watches(person) => format!("if {person} watches"),
        Condition::Approves(person) => format!("if {person} approves too"),
        Condition::OnCall(person) => format!("if {person} is on call then"),
        Condition::Traffic(percent) => format!("if traffic is under {percent} % of the weekly peak then"),
        Condition::Tests => "if the tests of the commit are green".to_owned(),
        Condition::After(time) => format!("if it begins no earlier than {}", at(*time)),
        Condition::Before(time) => format!("if it begins before {}", at(*time)),
    }
}

/// The same without clocks: for the record's readers.
pub fn exact(condition: &Condition) -> String {
    match condition {
        Condition::After(at) => format!("if it begins no earlier than {}", at.rfc3339()),
        Condition::Before(at) => format!("if it begins before {}", at.rfc3339()),
        Condition::Watches(person) => format!("if {person} watches"),
        Condition::Approves(person) => format!("if {person} approves too"),
        Condition::OnCall(person) => format!("if {person} is on call then"),
        Condition::Traffic(percent) => format!("if traffic is under {percent} % of the weekly peak then"),
        Condition::Tests => "if the tests of the commit are green".to_owned(),
    }
}

/// What stands in the list of a form.
pub fn choice(name: &str) -> &'static str {
    match name {
        "watches" => "somebody watches it",
        "approves" => "somebody approves, too",
        "on-call" => "somebody is on call when it begins",
        "traffic" => "traffic is under a share of the weekly peak",
        "tests" => "the tests of the commit are green",
        "after" => "it begins no earlier than a time",
        _ => "it begins before a time",
    }
}

/// "grace: if lin watches, not yet".
pub fn waits(person: &Person, condition: &Condition) -> String {
    format!("{person}: {}, not yet", exact(condition))
}

/// " On a condition: grace: if lin watches, not yet.", where approvals wait for theirs.
pub fn all(tally: &Tally) -> String {
    let waits: Vec<String> = tally.unmet.iter().map(|(person, condition)| waits(person, condition)).collect();
    if waits.is_empty() { String::new() } else { format!(" On a condition: {}.", waits.join("; ")) }
}

/// The same as a sentence, for the gate.
pub fn does_not_count(person: &Person, condition: &Condition, row: &PlanRow, settings: &Settings, now: Time) -> String {
    format!("The approval of {person} does not count yet: it holds {}.", says(condition, row, settings, now))
}

/// In the thread, when it is given.
pub fn given(row: &PlanRow, word: &Word, only_if: &OnlyIf, settings: &Settings, now: Time) -> Message {
    let zone = zone(settings, &row.plan.service, &row.plan.environment);
    let condition = says(&only_if.condition, row, settings, now);
    let mut spans = vec![
        Span::person(&word.person),
        Span::plain(format!(" approves revision {}{}, ", word.revision, in_role(word))),
        Span::strong(condition),
        Span::plain(format!(", {}. It counts while that holds.", says::time(word.at, zone, now))),
    ];
    let mut buttons = Vec::new();
    if let Condition::Watches(person) = &only_if.condition {
        spans.extend([Span::plain(" "), Span::person(person), Span::plain(", do you?")]);
        buttons.push(button(format!("watch {}", row.plan.id), "I watch it"));
    }
    buttons.push(button(format!("approve-if {} --back yes", row.plan.id), "Take the approval back"));
    Message { buttons, ..Message::spans(Some(Mark::Approve), spans) }
}

/// In the thread, when a condition is met or lost.
pub fn turned(turned: &Turned, progress: &str) -> Message {
    let Turned { person, only_if, by } = turned;
    let (mark, says) = match only_if.met {
        Some(_) => (Mark::Approve, format!("'s condition is met: {by}. The approval counts. {progress}")),
        None => {
            (Mark::Caution, format!("'s condition is no longer met: {by}. The approval does not count. {progress}"))
        }
    };
    Message::spans(Some(mark), vec![Span::person(person), Span::plain(says)])
}

/// One line for a card.
pub fn line(word: &Word, only_if: &OnlyIf, row: &PlanRow, settings: &Settings, now: Time) -> Line {
    let condition = says(&only_if.condition, row, settings, now);
    let (mark, state) = match &only_if.met {
        Some((_, by)) => (Mark::Approve, format!("; met, {by}")),
        None => (Mark::Unknown, "; not yet".to_owned()),
    };
    let says = format!(": yes{}, {condition}{state}", in_role(word));
    Line { mark: Some(mark), spans: vec![Span::person(&word.person), Span::plain(says)], code: None }
}

/// For the record's readers, behind an approval: ", if lin watches (met at …: lin watches)".
pub fn in_record(only_if: &OnlyIf, at: &impl Fn(Time) -> String) -> String {
    let state = match &only_if.met {
        Some((met, by)) => format!("met at {}: {by}", at(*met)),
        None => "not met".to_owned(),
    };
    format!(", {} ({state})", exact(&only_if.condition))
}

/// Who watches, in one line.
pub fn watching(watchers: &[Watcher]) -> Line {
    let mut spans = vec![Span::plain("Watching: ")];
    for (i, watcher) in watchers.iter().enumerate() {
        if i > 0 {
            spans.push(Span::plain(", "));
        }
        spans.push(Span::person(&watcher.person));
    }
    Line { mark: Some(Mark::Info), spans, code: None }
}

pub fn joined(row: &PlanRow, person: &Person) -> Message {
    let says = format!(" watches the deployment of {}.", row.plan.id);
    let buttons = vec![button(format!("watch {} --back yes", row.plan.id), "I no longer watch")];
    Message { buttons, ..Message::spans(Some(Mark::Info), vec![Span::person(person), Span::plain(says)]) }
}

pub fn left(row: &PlanRow, person: &Person) -> Message {
    let says = format!(" no longer watches the deployment of {}.", row.plan.id);
    Message::spans(Some(Mark::Info), vec![Span::person(person), Span::plain(says)])
}

/// Somebody said again what was said before. `watches`: how it stands.
pub fn nothing_new(row: &PlanRow, watches: bool) -> String {
    match watches {
        true => format!("You watch the deployment of `{}` already.", row.plan.id),
        false => format!("You do not watch the deployment of `{}`.", row.plan.id),
    }
}

pub fn approved_already(row: &PlanRow) -> String {
    format!("You approved revision {} of `{}` already, without a condition.", row.revision, row.plan.id)
}

pub fn none_to_take_back(plan: &PlanId) -> String {
    format!(
        "No approval of yours on a condition stands on `{plan}`. A reaction is taken back by taking it off the card."
    )
}

pub fn no_second_step(row: &PlanRow) -> String {
    format!(
        "`{}` asks every approver for a second step, and that cannot wait for a condition: approve once it holds.",
        row.plan.id
    )
}

pub fn somebody_else() -> String {
    "A condition names somebody else: what you do yourself you can just do.".to_owned()
}

pub fn no_member(person: &Person) -> String {
    format!("@{person} is no member, and can neither watch nor approve.")
}

pub fn may_not_approve(person: &Person) -> String {
    format!("@{person} cannot approve this plan, so that could never be met.")
}

pub fn over(at: &str) -> String {
    format!("{at} is past: that could never be met.")
}

fn button(id: String, says: &str) -> Button {
    Button { id, says: says.to_owned(), style: ButtonStyle::Plain }
}
