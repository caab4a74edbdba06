//! Help, generated from the specs.

use crate::command::{ArgumentKind, Spec};
use crate::message::{Block, Line, Message, Span};

pub fn all(command: &str, specs: &[Spec]) -> Message {
    let lines = specs
        .iter()
        .map(|spec| Line {
            mark: None,
            spans: vec![Span::code(format!("{command} {}", spec.usage())), Span::plain(format!(" — {}", spec.says))],
            code: None,
        })
        .collect();
    Message {
        blocks: vec![
            Block::Title {
                text: "Tidegate reads the tide; a person holds the helm".to_owned(),
                context: String::new(),
            },
            Block::List { says: String::new(), lines, folded: false },
            Block::Line(Line::plain(
                "On a plan's card: ✅ approve, ⛔ object, ✋ hold; taking a reaction back withdraws the word. 🚀 starts, 🏁 finished, ⏪ rolled back, 👀 takes an alert.",
            )),
        ],
        ..Message::default()
    }
}

pub fn one(command: &str, spec: &Spec) -> Message {
    let mut blocks = vec![
        Block::Title { text: format!("{command} {}", spec.usage()), context: String::new() },
        Block::Line(Line::plain(format!("{}.", spec.says))),
    ];
    let line = |name: String, says: &str, choices: &[String]| {
        let choices = if choices.is_empty() { String::new() } else { format!(" ({})", choices.join(", ")) };
        Line { mark: None, spans: vec![Span::code(name), Span::plain(format!(" {says}{choices}"))], code: None }
    };
    let arguments: Vec<Line> =
        spec.arguments.iter().map(|a| line(a.name.to_uppercase(), &a.says, &a.choices)).collect();
    let options: Vec<Line> = spec
        .options
        .iter()
        .map(|o| {
            let value = match o.kind {
                ArgumentKind::Flag => "",
                ArgumentKind::Set => " name=new",
                _ => " …",
            };
            line(format!("--{}{value}", o.name), &o.says, &o.choices)
        })
        .collect();
    for (says, lines) in [("Arguments", arguments), ("Options", options)] {
        if !lines.is_empty() {
            blocks.push(Block::List { says: says.to_owned(), lines, folded: false });
        }
    }
    Message { blocks, ..Message::default() }
}
