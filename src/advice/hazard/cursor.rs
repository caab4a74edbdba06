//! Walks over the tokens of one statement.

use super::token::{Kind, Statement, Token};
use crate::message::tame;

#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a, 't> {
    tokens: &'t [Token<'a>],
}

impl<'a, 't> Cursor<'a, 't> {
    pub fn new(statement: &'t Statement<'a>) -> Cursor<'a, 't> {
        Cursor { tokens: &statement.tokens }
    }

    pub fn peek(&self) -> Option<&'t Token<'a>> {
        self.tokens.first()
    }

    pub fn take(&mut self) -> Option<&'t Token<'a>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    pub fn rest(&self) -> &'t [Token<'a>] {
        self.tokens
    }

    pub fn sees(&self, words: &str) -> bool {
        let mut tokens = self.tokens.iter();
        words.split(' ').all(|word| tokens.next().is_some_and(|token| token.is(word)))
    }

    /// Takes these words if they come next.
    pub fn eat(&mut self, words: &str) -> bool {
        let sees = self.sees(words);
        if sees {
            self.tokens = &self.tokens[words.split(' ').count()..];
        }
        sees
    }

    /// Takes the first of these that comes next, as often as one does.
    pub fn skip(&mut self, words: &[&str]) {
        while words.iter().any(|words| self.eat(words)) {}
    }

    /// Takes a name with its schema, unquoted: `public.orders`.
    pub fn name(&mut self) -> Option<String> {
        let mut name = plain(self.peek().filter(|token| is_name(token))?);
        self.take();
        while self.sees(".") && self.tokens.get(1).is_some_and(is_name) {
            self.take();
            if let Some(token) = self.take() {
                name.push('.');
                name.push_str(&plain(token));
            }
        }
        Some(tame(&name, 80))
    }

    /// Takes names with commas between.
    pub fn names(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(name) = self.name() {
            names.push(name);
            self.eat("*");
            if names.len() == 50 || !self.eat(",") {
                break;
            }
            self.eat("only");
        }
        names
    }

    /// Whether these words come anywhere outside brackets.
    pub fn has(&self, words: &str) -> bool {
        let mut depth = 0_usize;
        (0..self.tokens.len()).any(|at| {
            let token = &self.tokens[at];
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth = depth.saturating_sub(1);
            }
            depth == 0 && Cursor { tokens: &self.tokens[at..] }.sees(words)
        })
    }

    /// What comes after these words, outside brackets.
    pub fn after(&self, words: &str) -> Option<Cursor<'a, 't>> {
        let mut depth = 0_usize;
        for at in 0..self.tokens.len() {
            let token = &self.tokens[at];
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth = depth.saturating_sub(1);
            }
            let mut cursor = Cursor { tokens: &self.tokens[at..] };
            if depth == 0 && cursor.eat(words) {
                return Some(cursor);
            }
        }
        None
    }

    /// The parts between commas that stand outside brackets.
    pub fn parts(&self) -> Vec<Cursor<'a, 't>> {
        let mut parts = Vec::new();
        let (mut depth, mut from) = (0_usize, 0);
        for (at, token) in self.tokens.iter().enumerate() {
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth = depth.saturating_sub(1);
            } else if token.is(",") && depth == 0 {
                parts.push(Cursor { tokens: &self.tokens[from..at] });
                from = at + 1;
            }
        }
        parts.push(Cursor { tokens: &self.tokens[from..] });
        parts
    }

    /// The tokens as text, up to the first of these words.
    pub fn text_until(&self, stops: &[&str]) -> String {
        let mut out = String::new();
        let mut end = None;
        for token in self.tokens.iter().take(40) {
            if stops.iter().any(|stop| token.is(stop)) {
                break;
            }
            if end.is_some_and(|end| end < token.at) {
                out.push(' ');
            }
            out.push_str(token.text);
            end = Some(token.end());
        }
        tame(&out.replace('`', "'"), 60)
    }
}

fn is_name(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Word | Kind::Name)
}

fn plain(token: &Token<'_>) -> String {
    let text = match token.kind {
        Kind::Name => token.text.get(1..token.text.len().saturating_sub(1)).unwrap_or_default(),
        _ => token.text,
    };
    text.replace('`', "'")
}
