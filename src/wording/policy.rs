//! The rules themselves: which are in force, since when, and whose word there is for them.

use crate::advice::says;
use crate::audit::rules::{Approved, Rules};
use crate::clock::Time;
use crate::config::Settings;
use crate::message::{Block, Button, ButtonStyle, Line, Mark, Message, Span};
use crate::name::{Person, Role};

/// The first twelve characters of a digest.
pub fn short(digest: &str) -> &str {
    let bare = digest.trim_start_matches("sha256:");
    bare.get(..12).unwrap_or(bare)
}

/// The answer to `policy`.
pub fn in_force(rules: &Rules, settings: &Settings, now: Time) -> Message {
    let zone = settings.team.zone;
    let since = match rules.since {
        Some((at, seq)) => format!("{}, entry #{seq}", says::time(at, zone, now)),
        None => "the record does not say".to_owned(),
    };
    let pairs = vec![
        ("Digest".to_owned(), rules.digest.clone()),
        ("In force since".to_owned(), since),
        ("Approved by".to_owned(), approved_by(rules, settings, now)),
        ("Checks that are off".to_owned(), list(&rules.off)),
        ("Checks in shadow".to_owned(), list(&rules.shadow)),
    ];
    let title = Block::Title { text: "The rules in force".to_owned(), context: String::new() };
    Message { blocks: vec![title, Block::Facts { pairs }], ..Message::default() }
}

/// "grace as vp-engineering, today 11:04"; or that nobody did, or was asked.
fn approved_by(rules: &Rules, settings: &Settings, now: Time) -> String {
    if !rules.approved.is_empty() {
        let word = |word: &Approved| {
            let role = word.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
            format!("{}{role}, {}", word.by, says::time(word.at, settings.team.zone, now))
        };
        return rules.approved.iter().map(word).collect::<Vec<_>>().join("; ");
    }
    if settings.policy.approved_by.is_empty() {
        "nobody is asked to (approved-by under [policy])".to_owned()
    } else {
        "nobody yet".to_owned()
    }
}

/// One line of the story of a plan: the rules that a decision was made under.
pub fn line(rules: &Rules, exact: &dyn Fn(Time) -> String) -> Line {
    let since = rules.since.map_or("since when, the record does not say".to_owned(), |(at, seq)| {
        format!("in force since {} (#{seq})", exact(at))
    });
    let approved: Vec<String> = rules
        .approved
        .iter()
        .map(|word| {
            let role = word.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
            format!("{}{role} at {} (#{})", word.by, exact(word.at), word.entry)
        })
        .collect();
    let approved = if approved.is_empty() {
        "nobody's word for them".to_owned()
    } else {
        format!("approved by {}", approved.join(", "))
    };
    let mut text = format!("Rules {}, {since}; {approved}", short(&rules.digest));
    for (name, codes) in [("off", &rules.off), ("in shadow", &rules.shadow)] {
        if !codes.is_empty() {
            text.push_str(&format!("; {name}: {}", codes.join(", ")));
        }
    }
    Line::plain(text)
}

/// Other rules are in force, and somebody's word is asked for them.
pub fn asks(settings: &Settings) -> Message {
    let asked = &settings.policy.approved_by;
    let people = settings.people.iter().filter(|(_, p)| p.roles.iter().any(|role| asked.contains(role)));
    let mut spans: Vec<Span> = Vec::new();
    for (person, _) in people.take(6) {
        spans.push(Span::person(person));
        spans.push(Span::plain(" "));
    }
    let digest = crate::advice::policy_digest(settings);
    spans.push(Span::plain(format!(
        "Other rules are in force, {}. The word of {} for them is asked: ",
        short(&digest),
        roles(asked)
    )));
    spans.push(Span::code(format!("{} policy approve", settings.chat.command)));
    let button =
        Button { id: "policy approve".to_owned(), says: "Approve these rules".to_owned(), style: ButtonStyle::Plain };
    Message { buttons: vec![button], ..Message::spans(Some(Mark::Note), spans) }
}

pub fn approved(person: &Person, role: &Role, digest: &str) -> Message {
    let text = format!(" approved the rules {} as {role}.", short(digest));
    Message::spans(Some(Mark::Approve), vec![Span::person(person), Span::plain(text)])
}

pub fn approved_already(word: &Approved, settings: &Settings, now: Time) -> String {
    format!("You approved these rules {}, entry #{}.", says::time(word.at, settings.team.zone, now), word.entry)
}

pub fn not_yours(asked: &[Role]) -> String {
    format!("The rules are approved by {}.", roles(asked))
}

fn roles(roles: &[Role]) -> String {
    roles.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

fn list(codes: &[String]) -> String {
    if codes.is_empty() { "none".to_owned() } else { codes.join(", ") }
}
