//! The blocks of a message as embeds, within the budget of all embeds together.

use serde_json::{Value, json};

use super::text::{Users, clean, escape, fence, length, line};
use super::{PICTURE, Place, colour};
use crate::message::{Block, Message};

/// Of Discord's 6,000; the rest is room for what a shortened message adds.
const BUDGET: usize = 5_300;
const DESCRIPTION: usize = 3_900;
const TITLE: usize = 256;
const FIELD_NAME: usize = 256;
const FIELD: usize = 1_000;
const FIELDS: usize = 25;
const FOOTER: usize = 300;
const EMBEDS: usize = 9;
/// A sign without ink: Discord refuses an embed that holds nothing.
pub const BLANK: &str = "\u{2800}";

/// The embeds, and what does not fit into them.
#[derive(Debug)]
pub struct Body {
    pub embeds: Vec<Value>,
    pub picture: Option<(String, String)>,
    pub shortened: bool,
}

/// One thing to be shown, before it is known whether all fits.
#[derive(Debug)]
enum Piece {
    Title(String),
    Line(String),
    /// A line of a list, by the list's number: the first to give way.
    Item(usize, String),
    /// Where a list's "and so many more" stands.
    Rest(usize, usize),
    Field(String, String),
    Picture,
}

pub fn embeds(message: &Message, place: Place, users: &Users) -> Body {
    let (mut pieces, picture) = pieces(message, place, users);
    let footer = message
        .footer
        .as_deref()
        .map(|text| clean(text, FOOTER).replace('@', "@\u{200b}"))
        .filter(|text| !text.trim().is_empty());
    let budget = BUDGET - footer.as_deref().map_or(0, length);
    let folded = pieces.iter().any(|piece| matches!(piece, Piece::Rest(_, more) if *more > 0));
    let shortened = shorten(&mut pieces, budget) || folded;
    let rest = match place {
        Place::Channel => crate::wording::discord::more_in_thread,
        Place::Thread => crate::wording::discord::more_attached,
    };
    let mut embeds = assemble(pieces, rest);
    if embeds.is_empty() {
        embeds.push(json!({ "description": BLANK }));
    }
    for embed in embeds.iter_mut().filter_map(Value::as_object_mut) {
        embed.insert("color".to_owned(), json!(colour(message.level)));
    }
    if let (Some(footer), Some(last)) = (footer, embeds.last_mut().and_then(Value::as_object_mut)) {
        last.insert("footer".to_owned(), json!({ "text": footer }));
    }
    Body { embeds, picture, shortened }
}

fn pieces(message: &Message, place: Place, users: &Users) -> (Vec<Piece>, Option<(String, String)>) {
    let mut pieces = Vec::new();
    let mut picture = None;
    let mut lists = 0;
    for block in &message.blocks {
        match block {
            Block::Title { text, context } => {
                pieces.push(Piece::Title(clean(text.trim(), TITLE)));
                if !context.trim().is_empty() {
                    pieces.push(Piece::Line(format!("-# {}", escape(&clean(context.trim(), 300)))));
                }
            }
            Block::Line(said) => {
                // What is said after a list is no part of it.
                if matches!(pieces.last(), Some(Piece::Rest(..))) {
                    gap(&mut pieces);
                }
                pieces.push(Piece::Line(line(said, users)));
            }
            Block::List { says, lines, folded } => {
                heading(&mut pieces, says);
                let folded = *folded && place == Place::Channel && lines.len() > 1;
                let shown = if folded { 0 } else { lines.len() };
                pieces.extend(lines.iter().take(shown).map(|said| Piece::Item(lists, line(said, users))));
                pieces.push(Piece::Rest(lists, lines.len() - shown));
                lists += 1;
            }
            Block::Facts { pairs } => pieces.extend(pairs.iter().map(|(name, value)| {
                let shown = |text: &str, most| match escape(&clean(text.trim(), most / 2)) {
                    text if text.trim().is_empty() => "–".to_owned(),
                    text => text,
                };
                Piece::Field(shown(name, FIELD_NAME), shown(value, FIELD))
            })),
            Block::Quote { text } => {
                let mut quoted = text.lines().filter(|l| !l.trim().is_empty());
                for one in quoted.by_ref().take(12) {
                    pieces.push(Piece::Item(lists, format!("> {}", escape(&clean(one, 500)))));
                }
                pieces.push(Piece::Rest(lists, quoted.count()));
                lists += 1;
            }
            Block::Code { says, text } => {
                heading(&mut pieces, says);
                pieces.push(Piece::Line(fence(text, 1_500)));
            }
            Block::Picture { light, alt, .. } => {
                if picture.is_none() {
                    pieces.push(Piece::Picture);
                    picture = Some((picture_id(light), alt.clone()));
                } else {
                    pieces.push(Piece::Line(escape(&clean(alt, 500))));
                }
            }
            Block::Divider => gap(&mut pieces),
        }
    }
    (pieces, picture)
}

/// What stands above a list or a listing, a line apart from what was said before.
fn heading(pieces: &mut Vec<Piece>, says: &str) {
    if !says.trim().is_empty() {
        gap(pieces);
        pieces.push(Piece::Line(format!("**{}**", escape(&clean(says.trim(), 300)))));
    }
}

/// An empty line, unless there is one or a new embed begins anyway.
fn gap(pieces: &mut Vec<Piece>) {
    let said = pieces.iter().rev().find(|piece| !matches!(piece, Piece::Rest(_, 0)));
    let open = match said {
        Some(Piece::Line(text)) => !text.is_empty(),
        Some(Piece::Item(..) | Piece::Rest(..)) => true,
        Some(Piece::Title(_) | Piece::Field(..) | Piece::Picture) | None => false,
    };
    if open {
        pieces.push(Piece::Line(String::new()));
    }
}

/// `/pictures/ID.svg?theme=dark` is the stored picture `ID`.
fn picture_id(address: &str) -> String {
    let file = address.rsplit('/').next().unwrap_or(address);
    file.split(['.', '?']).next().unwrap_or(file).to_owned()
}

fn cost(piece: &Piece) -> usize {
    match piece {
        Piece::Title(text) | Piece::Line(text) | Piece::Item(_, text) => length(text) + 1,
        Piece::Rest(_, 0) | Piece::Picture => 0,
        Piece::Rest(..) => 60,
        Piece::Field(name, value) => length(name) + length(value) + 1,
    }
}

/// Takes lines away until all fits: from the list that is longest, last line first; then whatever is last. Says whether
/// anything went.
fn shorten(pieces: &mut Vec<Piece>, budget: usize) -> bool {
    let mut shortened = false;
    while pieces.iter().map(cost).sum::<usize>() > budget {
        shortened = true;
        let mut sizes: std::collections::BTreeMap<usize, usize> = std::collections::BTreeMap::new();
        for piece in pieces.iter() {
            if let Piece::Item(list, text) = piece {
                *sizes.entry(*list).or_default() += length(text);
            }
        }
        let longest = sizes.into_iter().max_by_key(|(_, size)| *size).map(|(list, _)| list);
        let Some(list) = longest else {
            let last = pieces.iter().rposition(|piece| matches!(piece, Piece::Line(_) | Piece::Field(..)));
            match last {
                Some(last) => drop(pieces.remove(last)),
                None => drop(pieces.pop()),
            }
            continue;
        };
        if let Some(last) = pieces.iter().rposition(|piece| matches!(piece, Piece::Item(of, _) if *of == list)) {
            pieces.remove(last);
        }
        for piece in pieces.iter_mut() {
            if let Piece::Rest(of, more) = piece
                && *of == list
            {
                *more += 1;
            }
        }
    }
    shortened
}

#[derive(Debug, Default)]
struct Embed {
    title: Option<String>,
    lines: Vec<String>,
    size: usize,
    fields: Vec<Value>,
    picture: bool,
}

fn assemble(pieces: Vec<Piece>, rest: fn(usize) -> String) -> Vec<Value> {
    let mut done: Vec<Embed> = Vec::new();
    let mut open = Embed::default();
    for piece in pieces {
        let text = match piece {
            Piece::Title(text) => {
                if open.title.is_some() || open.is_begun() {
                    done.push(std::mem::take(&mut open));
                }
                open.title = Some(text).filter(|text| !text.trim().is_empty());
                continue;
            }
            Piece::Field(name, value) => {
                if open.fields.len() == FIELDS || open.picture {
                    done.push(std::mem::take(&mut open));
                }
                open.fields.push(json!({ "name": name, "value": value, "inline": length(&value) <= 40 }));
                continue;
            }
            Piece::Picture => {
                open.picture = true;
                continue;
            }
            Piece::Rest(_, 0) => continue,
            Piece::Rest(_, more) => rest(more),
            Piece::Line(text) | Piece::Item(_, text) => text,
        };
        // What is said after fields or a picture stands below them.
        let size = length(&text) + 1;
        if !open.fields.is_empty() || open.picture || open.size + size > DESCRIPTION {
            done.push(std::mem::take(&mut open));
        }
        open.size += size;
        open.lines.push(text);
    }
    if open.title.is_some() || open.is_begun() {
        done.push(open);
    }
    done.truncate(EMBEDS);
    done.into_iter().map(Embed::into_json).collect()
}

impl Embed {
    fn is_begun(&self) -> bool {
        self.picture || !self.fields.is_empty() || self.lines.iter().any(|line| !line.trim().is_empty())
    }

    fn into_json(self) -> Value {
        let mut embed = serde_json::Map::new();
        if let Some(title) = self.title {
            embed.insert("title".to_owned(), json!(escape_title(&title)));
        }
        let description = self.lines.join("\n");
        if !description.trim().is_empty() {
            embed.insert("description".to_owned(), json!(description.trim_matches('\n')));
        }
        if !self.fields.is_empty() {
            embed.insert("fields".to_owned(), json!(self.fields));
        }
        if self.picture {
            embed.insert("image".to_owned(), json!({ "url": format!("attachment://{PICTURE}") }));
        }
        Value::Object(embed)
    }
}

/// Titles take markdown too; one that grows too long by its escapes loses its end.
fn escape_title(text: &str) -> String {
    let mut most = TITLE;
    loop {
        let escaped = escape(&clean(text, most));
        if length(&escaped) <= TITLE {
            return escaped;
        }
        most -= 16;
    }
}
