//! What is owed after a change: said when it comes up, before its time and when it is over it.

use crate::advice::says;
use crate::audit::Obligation;
use crate::clock::Time;
use crate::config::{After, Owed, Settings};
use crate::message::{Block, Button, ButtonStyle, Level, Line, Mark, Message, Span, tame};
use crate::name::{Person, Role};

/// "Root cause".
pub fn what(owed: Owed) -> &'static str {
    match owed {
        Owed::Review => "Review",
        Owed::RootCause => "Root cause",
        Owed::Remediation => "Remediation",
        Owed::Report => "Report",
    }
}

/// "after an override".
pub fn after(after: After) -> &'static str {
    match after {
        After::Override => "after an override",
        After::Emergency => "after an emergency approval",
        After::Incident => "after an incident",
        After::RolledBack => "after it was rolled back",
        After::Unplanned => "after a deployment without a plan",
        After::Unapproved => "after a deployment without approval",
    }
}

/// "lead (lin, noor)", "ada".
pub fn owner(owed: &Obligation, settings: &Settings) -> String {
    let people: Vec<String> = owed.owners(settings).iter().take(6).map(ToString::to_string).collect();
    match (&owed.person, &owed.role) {
        (Some(person), _) => person.to_string(),
        (None, Some(role)) if role.as_str() == "owners" && !people.is_empty() => people.join(", "),
        (None, Some(role)) if people.is_empty() => format!("{role}, which nobody holds"),
        (None, Some(role)) => format!("{role} ({})", people.join(", ")),
        (None, None) => "nobody".to_owned(),
    }
}

/// One obligation as it stands: "Review after an override: owed by lead (lin), due tomorrow 10:00".
pub fn line(owed: &Obligation, settings: &Settings, now: Time) -> Line {
    let zone = super::zone(settings, &owed.service, &owed.environment);
    let due = says::time(owed.due_at, zone, now);
    let what = format!("{} {}", what(owed.what), after(owed.after));
    match &owed.given {
        Some((at, by)) => {
            let late = if *at > owed.due_at { ", late" } else { "" };
            let mut spans = vec![Span::plain(format!("{what}: given by {by} at {}{late}", says::time(*at, zone, now)))];
            if let Some(link) = &owed.link {
                spans.push(Span::plain(", "));
                spans.push(Span::linked(tame(link, 120), link));
            }
            Line { mark: Some(Mark::Pass), spans, code: None }
        }
        None if owed.is_overdue(now) => {
            let text = format!("{what}: overdue since {due}, owed by {}", owner(owed, settings));
            Line::marked(Mark::Critical, text)
        }
        None => Line::marked(Mark::Hold, format!("{what}: owed by {}, due {due}", owner(owed, settings))),
    }
}

/// Everything owed after one change, in one message that is edited.
pub fn list(subject: &str, all: &[Obligation], settings: &Settings, now: Time) -> Message {
    let open: Vec<&Obligation> = all.iter().filter(|owed| owed.given.is_none()).collect();
    let overdue = open.iter().any(|owed| owed.is_overdue(now));
    let says = match open.len() {
        0 => "Everything owed was given".to_owned(),
        _ => "Owed after this change".to_owned(),
    };
    let mut kinds: Vec<Owed> = open.iter().map(|owed| owed.what).collect();
    kinds.sort();
    kinds.dedup();
    let button = |owed: Owed| Button {
        id: format!("followup {subject} {}", owed.as_str()),
        says: format!("Give the {}", what(owed).to_lowercase()),
        style: ButtonStyle::Plain,
    };
    Message {
        blocks: vec![Block::List {
            says,
            lines: all.iter().map(|owed| line(owed, settings, now)).collect(),
            folded: false,
        }],
        level: if overdue { Level::Caution } else { Level::Quiet },
        buttons: kinds.into_iter().map(button).collect(),
        ..Message::default()
    }
}

/// To the owners, before its time and at it.
pub fn reminder(owed: &Obligation, owners: &[Person], settings: &Settings, now: Time) -> Message {
    let zone = super::zone(settings, &owed.service, &owed.environment);
    let due = says::time(owed.due_at, zone, now);
    let mut spans: Vec<Span> = Vec::new();
    for owner in owners.iter().take(6) {
        spans.push(Span::person(owner));
        spans.push(Span::plain(" "));
    }
    let what = what(owed.what).to_lowercase();
    let command = format!("{} followup {} {}", settings.chat.command, owed.subject(), owed.what.as_str());
    let (mark, level, text) = if now >= owed.due_at {
        (Mark::Critical, Level::Caution, format!("The {what} {} was due {due} and was not given.", after(owed.after)))
    } else {
        (Mark::Hold, Level::Info, format!("The {what} {} is due {due}.", after(owed.after)))
    };
    spans.push(Span::plain(text));
    spans.push(Span::plain(" "));
    spans.push(Span::code(command));
    spans.push(Span::plain(" takes a link or a few words."));
    Message { level, ..Message::spans(Some(mark), spans) }
}

/// Somebody gave it.
pub fn given(
    person: &Person,
    owed: Owed,
    subject: &str,
    link: Option<&str>,
    text: Option<&str>,
    gave: &[Obligation],
    now: Time,
) -> Message {
    let late = if gave.iter().any(|owed| owed.is_overdue(now)) { ", after its time" } else { "" };
    let mut spans = vec![
        Span::person(person),
        Span::plain(format!(" gave the {} for {subject}{late}.", what(owed).to_lowercase())),
    ];
    if let Some(link) = link {
        spans.push(Span::plain(" "));
        spans.push(Span::linked(tame(link, 160), link));
    }
    let mut message = Message::spans(Some(Mark::Pass), spans);
    if let Some(text) = text {
        message.blocks.push(Block::Quote { text: tame(text, 2_000) });
    }
    message
}

/// Why nothing was given.
pub fn not_given(
    subject: &str,
    owed: Owed,
    all: &[Obligation],
    of_others: Option<&Obligation>,
    person: &Person,
    settings: &Settings,
) -> String {
    let name = what(owed).to_lowercase();
    if let Some(other) = of_others {
        if other.not_by.as_ref() == Some(person) {
            return format!("The {name} is of your own act, so it is somebody else's: {}.", owner(other, settings));
        }
        return format!("The {name} for `{subject}` is owed by {}.", owner(other, settings));
    }
    if all.iter().any(|one| one.what == owed) {
        return format!("The {name} for `{subject}` was given already.");
    }
    let open: Vec<&str> = all.iter().filter(|one| one.given.is_none()).map(|one| one.what.as_str()).collect();
    match open.as_slice() {
        [] => format!("Nothing is owed for `{subject}`."),
        open => format!("No {name} is owed for `{subject}`. Owed: {}.", open.join(", ")),
    }
}

/// The role of an obligation for tables: `lead`, or the person.
pub fn owner_word(person: Option<&Person>, role: Option<&Role>) -> String {
    person.map(ToString::to_string).or_else(|| role.map(ToString::to_string)).unwrap_or_default()
}
