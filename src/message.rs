//! Platform-neutral messages: what is said, never how a platform draws it.
//!
//! A message is a list of blocks. Words from outside (a commit title, a calendar entry) travel as spans of plain text
//! or as [`Block::Quote`]; renderers escape every span, so nothing that others wrote can ring, render or pose as ours.

use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::name::Person;

/// One message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub blocks: Vec<Block>,
    pub level: Level,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
    /// Reactions that the bot puts under its own message, for people to click.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<String>,
    /// A line that programs can read: service, environment, commit, person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// Fields to fill in, for platforms that have forms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
}

/// How much a message wants to be looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    #[default]
    Quiet,
    Info,
    Good,
    Caution,
    Critical,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Block {
    Title {
        text: String,
        context: String,
    },
    Line(Line),
    List {
        says: String,
        lines: Vec<Line>,
        folded: bool,
    },
    Facts {
        pairs: Vec<(String, String)>,
    },
    /// What somebody else wrote, shown as their words.
    Quote {
        text: String,
    },
    /// A listing; folded behind `says` where that is not empty.
    Code {
        #[serde(default, skip_serializing_if = "String::is_empty")]
        says: String,
        text: String,
    },
    Picture {
        light: String,
        dark: String,
        alt: String,
    },
    Divider,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    pub spans: Vec<Span>,
    /// The code of the check that speaks, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// A sign before a line. Platforms show an emoji or a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    Critical,
    Caution,
    Info,
    Pass,
    Unknown,
    Window,
    Approve,
    Object,
    Hold,
    Start,
    Finish,
    Back,
    Watch,
    Alert,
    Recovered,
    Note,
}

impl Mark {
    /// The emoji that stands for the mark in plain text.
    pub fn emoji(self) -> &'static str {
        match self {
            Mark::Critical => "⛔",
            Mark::Caution => "⚠️",
            Mark::Info => "ℹ️",
            Mark::Pass => "✅",
            Mark::Unknown => "❔",
            Mark::Window => "🕗",
            Mark::Approve => "✅",
            Mark::Object => "⛔",
            Mark::Hold => "✋",
            Mark::Start => "🚀",
            Mark::Finish => "🏁",
            Mark::Back => "⏪",
            Mark::Watch => "👀",
            Mark::Alert => "🔴",
            Mark::Recovered => "🟢",
            Mark::Note => "📝",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Span {
    pub text: String,
    #[serde(default, skip_serializing_if = "Style::is_plain")]
    pub style: Style,
    /// An http or https address; anything else is dropped by [`Span::linked`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// A moment that platforms may show in the reader's own zone; `text` says it in the team's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
    /// A person of ours; the only way to mention anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    #[default]
    Plain,
    Strong,
    Code,
    Quiet,
}

impl Style {
    fn is_plain(&self) -> bool {
        *self == Style::Plain
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    pub id: String,
    pub says: String,
    #[serde(default)]
    pub style: ButtonStyle,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ButtonStyle {
    #[default]
    Plain,
    Primary,
    Danger,
}

/// Fields to fill in; submitted under `id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    pub id: String,
    pub title: String,
    pub says: String,
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    pub kind: FieldKind,
    pub label: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    #[serde(default)]
    pub value: String,
    #[serde(default)]
    pub options: Vec<FieldOption>,
    #[serde(default)]
    pub required: bool,
    /// Whether values are offered while it is typed (see `command::offer`); anything else may still be typed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offered: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    Text,
    Long,
    Select,
    Choice,
    Time,
    Check,
    Person,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldOption {
    pub value: String,
    pub says: String,
}

impl Span {
    pub fn plain(text: impl Into<String>) -> Span {
        Span { text: text.into(), ..Span::default() }
    }

    pub fn strong(text: impl Into<String>) -> Span {
        Span { text: text.into(), style: Style::Strong, ..Span::default() }
    }

    pub fn code(text: impl Into<String>) -> Span {
        Span { text: text.into(), style: Style::Code, ..Span::default() }
    }

    pub fn quiet(text: impl Into<String>) -> Span {
        Span { text: text.into(), style: Style::Quiet, ..Span::default() }
    }

    pub fn person(person: &Person) -> Span {
        Span { text: format!("@{person}"), person: Some(person.clone()), ..Span::default() }
    }

    /// Text that leads somewhere; an address that is not http or https is left out.
    pub fn linked(text: impl Into<String>, link: &str) -> Span {
        Span { text: text.into(), link: is_web(link).then(|| link.to_owned()), ..Span::default() }
    }
}

impl Line {
    pub fn plain(text: impl Into<String>) -> Line {
        Line { spans: vec![Span::plain(text)], ..Line::default() }
    }

    pub fn marked(mark: Mark, text: impl Into<String>) -> Line {
        Line { mark: Some(mark), spans: vec![Span::plain(text)], code: None }
    }

    fn text(&self) -> String {
        let words: String = self.spans.iter().map(|span| span.text.as_str()).collect();
        match self.mark {
            Some(mark) => format!("{} {}", mark.emoji(), shown(&words)),
            None => shown(&words),
        }
    }
}

impl Message {
    /// A message of one line.
    pub fn line(mark: Mark, text: impl Into<String>) -> Message {
        Message { blocks: vec![Block::Line(Line::marked(mark, text))], ..Message::default() }
    }

    /// A message of one line of spans.
    pub fn spans(mark: Option<Mark>, spans: Vec<Span>) -> Message {
        Message { blocks: vec![Block::Line(Line { mark, spans, code: None })], ..Message::default() }
    }

    /// The message as plain text: what the terminal shows, and the fallback of every platform.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for block in &self.blocks {
            block.write_text(&mut out);
        }
        if let Some(footer) = &self.footer {
            out.push_str(&shown(footer));
        }
        out.truncate(out.trim_end().len());
        out
    }
}

impl Block {
    fn write_text(&self, out: &mut String) {
        match self {
            Block::Title { text, context } if context.is_empty() => push(out, "", &shown(text)),
            Block::Title { text, context } => push(out, "", &format!("{} · {}", shown(text), shown(context))),
            Block::Line(said) => push(out, "", &said.text()),
            Block::List { says, lines, .. } => {
                let signed = lines.iter().any(|said| said.mark.is_some());
                if !says.is_empty() {
                    gap(out);
                    push(out, "", &shown(says));
                }
                for said in lines {
                    let indent = if says.is_empty() { "" } else { "  " };
                    // In a list of signs, a line without one belongs to the line above it.
                    let under = if signed && said.mark.is_none() { "   " } else { "" };
                    push(out, &format!("{indent}{under}"), &said.text());
                }
            }
            Block::Facts { pairs } => {
                for (name, value) in pairs {
                    push(out, "", &format!("{}: {}", shown(name), shown(value)));
                }
            }
            Block::Quote { text } => text.lines().for_each(|quoted| push(out, "> ", &shown(quoted))),
            Block::Code { says, text } => {
                if !says.is_empty() {
                    gap(out);
                    push(out, "", &shown(says));
                }
                // As it is, to be copied: a checkpoint with spaces before its lines would not verify.
                text.lines().for_each(|listed| push(out, "", &shown(listed)));
            }
            Block::Picture { alt, .. } => push(out, "", &shown(alt)),
            Block::Divider => gap(out),
        }
    }
}

fn push(out: &mut String, indent: &str, text: &str) {
    if !text.is_empty() {
        out.push_str(indent);
        out.push_str(text);
    }
    out.push('\n');
}

/// An empty line, unless there is one or nothing stands above it.
fn gap(out: &mut String) {
    if !out.is_empty() && !out.ends_with("\n\n") {
        out.push('\n');
    }
}

/// One line of plain text: nothing in it moves a terminal's cursor, colours it, or turns the direction of reading.
fn shown(text: &str) -> String {
    let kept = text.chars().filter_map(|c| match c {
        '\n' | '\r' | '\t' => Some(' '),
        c if c.is_control() || is_invisible(c) => None,
        c => Some(c),
    });
    kept.collect()
}

/// Whether a text is an address on the web, which people may be led to.
pub fn is_web(link: &str) -> bool {
    link.starts_with("https://") || link.starts_with("http://")
}

/// Makes text from outside safe to stand in a line of ours: one line, no control or direction-changing characters, at
/// most `most` characters with an ellipsis.
pub fn tame(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() {
            gap = count > 0;
            continue;
        }
        if c.is_control() || is_invisible(c) {
            continue;
        }
        if gap {
            out.push(' ');
            count += 1;
            gap = false;
        }
        if count >= most {
            out.push('…');
            break;
        }
        out.push(c);
        count += 1;
    }
    out
}

/// Zero-width and bidirectional formatting characters: they can make text read as something that it is not.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{061c}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_tamed() {
        assert_eq!(tame("  a\u{202e}b\nc\t d\u{0} ", 10), "ab c d");
        assert_eq!(tame("abcdef", 3), "abc…");
    }

    #[test]
    fn a_link_that_is_not_http_is_left_out() {
        assert_eq!(Span::linked("x", "javascript:alert(1)").link, None);
    }

    #[test]
    fn nothing_of_others_moves_the_terminal() {
        let text = "a\u{1b}[2J\u{9b}31mb\rc\u{202e}d\u{7}";
        let message = Message {
            blocks: vec![
                Block::Line(Line::plain(text)),
                Block::Quote { text: text.to_owned() },
                Block::Code { says: text.to_owned(), text: text.to_owned() },
            ],
            ..Message::default()
        };
        assert_eq!(message.text(), "a[2J31mb cd\n> a[2J31mb cd\n\na[2J31mb cd\na[2J31mb cd");
    }

    #[test]
    fn what_belongs_to_a_heading_stands_below_it() {
        let lines = vec![Line::marked(Mark::Caution, "Large."), Line::plain("harbor · just now")];
        let list = Block::List { says: "The change".into(), lines, folded: false };
        let message = Message { blocks: vec![Block::Line(Line::plain("Evidence")), list], ..Message::default() };
        assert_eq!(message.text(), "Evidence\n\nThe change\n  ⚠️ Large.\n     harbor · just now");
    }

    #[test]
    fn a_message_reads_as_plain_text() {
        let message = Message::line(Mark::Pass, "All clear.");
        assert_eq!(message.text(), "✅ All clear.");
    }
}
