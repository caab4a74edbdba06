//! What a platform's own page of the bot shows a person.

use crate::config::Settings;
use crate::message::{Block, Line, Message, Span, tame};
use crate::name::Person;
use crate::store::plan::PlanRow;

/// What waits for this person, and what they planned, each with the address of its message where there is one.
pub fn home(
    person: Option<&Person>,
    waiting: &[(PlanRow, Option<String>)],
    planned: &[(PlanRow, Option<String>)],
    settings: &Settings,
) -> Message {
    let mut blocks = Vec::new();
    if person.is_none() {
        let says = "The settings do not know you yet: ask whoever runs Tidegate to add your user under `[people]`.";
        blocks.push(Block::Line(Line::plain(says)));
    }
    for (title, plans, none) in [
        ("Waits for you", waiting, "Nothing waits for your word."),
        ("Planned by you", planned, "You have no plan under way."),
    ] {
        blocks.push(Block::Title { text: title.to_owned(), context: String::new() });
        match plans {
            [] => blocks.push(Block::Line(Line::plain(none))),
            plans => blocks.push(Block::List {
                says: String::new(),
                lines: plans.iter().map(|(row, link)| line(row, link.as_deref())).collect(),
                folded: false,
            }),
        }
    }
    blocks.push(Block::Line(Line::plain(format!("`{} help` says what can be typed.", settings.chat.command))));
    Message { blocks, ..Message::default() }
}

fn line(row: &PlanRow, link: Option<&str>) -> Line {
    let plan = &row.plan;
    let name = plan.id.to_string();
    let name = link.map_or_else(|| Span::strong(name.clone()), |link| Span::linked(name.clone(), link));
    let rest = format!(
        ": {} {} → {}, {}, by {}",
        plan.service,
        tame(&plan.what(), 40),
        plan.environment,
        row.state.as_str(),
        plan.by
    );
    Line { spans: vec![name, Span::plain(rest)], ..Line::default() }
}
