//! Cuts SQL into statements and tokens: just enough to see what a statement is about, in three dialects.
//!
//! Comments are blanked (so that no comment can switch a linter off), and so is the way down where one file holds both
//! ways. Nothing here recurses: hostile text costs time in proportion to its length and no stack.

/// Whose rules of quoting hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Postgres,
    Mysql,
    Sqlite,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A keyword or an unquoted name.
    Word,
    /// A quoted name.
    Name,
    Number,
    /// A string, quotes included.
    Text,
    /// A dollar-quoted string, or the like, whose inside may be code.
    Body,
    Symbol,
}

#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    /// Where it begins, in bytes.
    pub at: usize,
}

impl Token<'_> {
    pub fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Symbol) && self.text.eq_ignore_ascii_case(word)
    }

    pub fn end(&self) -> usize {
        self.at + self.text.len()
    }
}

/// One statement without its semicolon; never empty.
#[derive(Clone, Debug)]
pub struct Statement<'a> {
    pub tokens: Vec<Token<'a>>,
}

impl Statement<'_> {
    pub fn start(&self) -> usize {
        self.tokens.first().map_or(0, |token| token.at)
    }

    pub fn end(&self) -> usize {
        self.tokens.last().map_or(0, Token::end)
    }
}

/// Blanks comments and the way down; as long as `sql`, so that positions stay true. The error says what never ends.
pub fn blank(sql: &str, dialect: Dialect) -> Result<String, String> {
    let bytes = sql.as_bytes();
    let mut out = sql.as_bytes().to_vec();
    let mut down_from: Option<usize> = None;
    let mut at = 0;
    while at < bytes.len() {
        if is_line_comment(bytes, at, dialect) {
            let end = sql[at..].find('\n').map_or(bytes.len(), |n| at + n);
            match direction(&sql[at..end]) {
                Some(Way::Down) => down_from = down_from.or(Some(at)),
                Some(Way::Up) => {
                    if let Some(from) = down_from.take() {
                        wipe(&mut out, from, at);
                    }
                }
                None => {}
            }
            wipe(&mut out, at, end);
            at = end;
        } else if bytes[at..].starts_with(b"/*") {
            // What MySQL runs and others take for a comment: only its marks are blanked.
            if dialect == Dialect::Mysql && bytes.get(at + 2) == Some(&b'!') {
                let digits = bytes[at + 3..].iter().take_while(|b| b.is_ascii_digit()).count();
                let close = sql[at..].find("*/").map(|n| at + n).ok_or("a comment never ends")?;
                wipe(&mut out, at, at + 3 + digits);
                wipe(&mut out, close, close + 2);
                at += 3 + digits;
                continue;
            }
            let end = comment_end(bytes, at, dialect).ok_or("a comment never ends")?;
            wipe(&mut out, at, end);
            at = end;
        } else if dialect == Dialect::Mysql && out[at] == b' ' && bytes[at..].starts_with(b"*/") {
            at += 2;
        } else if let Some(end) = quoted_end(sql, at, dialect)? {
            at = end;
        } else {
            at += 1;
        }
    }
    if let Some(from) = down_from {
        wipe(&mut out, from, bytes.len());
    }
    String::from_utf8(out).map_err(|_| "it is not text".to_owned())
}

/// Cuts blanked SQL into statements.
pub fn statements(sql: &str, dialect: Dialect) -> Result<Vec<Statement<'_>>, String> {
    let mut statements = Vec::new();
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(c) = sql[at..].chars().next() {
        let token = if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        } else if let Some(end) = quoted_end(sql, at, dialect)? {
            Token { kind: quoted_kind(c, dialect), text: &sql[at..end], at }
        } else if c.is_alphabetic() || c == '_' || c == '@' {
            let rest = sql[at..].find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '@')));
            Token { kind: Kind::Word, text: &sql[at..rest.map_or(sql.len(), |n| at + n)], at }
        } else if c.is_ascii_digit() {
            let rest = sql[at..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
            Token { kind: Kind::Number, text: &sql[at..rest.map_or(sql.len(), |n| at + n)], at }
        } else {
            Token { kind: Kind::Symbol, text: &sql[at..at + c.len_utf8()], at }
        };
        at = token.end();
        if token.is(";") && depth == 0 {
            if !tokens.is_empty() {
                statements.push(Statement { tokens: std::mem::take(&mut tokens) });
            }
            continue;
        }
        tokens.push(token);
        if holds_body(&tokens) {
            depth = body_depth(&tokens, depth);
        }
    }
    if !tokens.is_empty() {
        statements.push(Statement { tokens });
    }
    Ok(statements)
}

/// Whether the statement makes a trigger or routine, whose body may hold semicolons.
fn holds_body(tokens: &[Token<'_>]) -> bool {
    let makes = ["trigger", "procedure", "function", "event"];
    tokens.first().is_some_and(|token| token.is("create"))
        && tokens.iter().take(8).any(|token| makes.iter().any(|word| token.is(word)))
}

/// How deep in `begin … end` the newest token is.
fn body_depth(tokens: &[Token<'_>], depth: usize) -> usize {
    let [.., before, last] = tokens else { return depth };
    if before.is("end") {
        // `end if`, `end loop` and the like close what was never counted; `end case` what was.
        return if ["if", "loop", "while", "repeat"].iter().any(|word| last.is(word)) { depth + 1 } else { depth };
    }
    if last.is("begin") || last.is("case") {
        depth + 1
    } else if last.is("end") {
        depth.saturating_sub(1)
    } else {
        depth
    }
}

enum Way {
    Up,
    Down,
}

/// Which way a comment says that what follows goes (goose, sql-migrate, dbmate, node-pg-migrate, MyBatis, Play).
fn direction(comment: &str) -> Option<Way> {
    let text: String = comment.trim_start_matches(['-', '#', ' ', '\t', '/', '!', '@', '+']).to_ascii_lowercase();
    let text = text.trim();
    let says = |words: &[&str]| words.iter().any(|word| text == *word || text.starts_with(&format!("{word} ")));
    if says(&["goose down", "migrate down", "migrate:down", "down migration", "undo", "downs"]) {
        Some(Way::Down)
    } else if says(&["goose up", "migrate up", "migrate:up", "up migration", "ups"]) {
        Some(Way::Up)
    } else {
        None
    }
}

fn is_line_comment(bytes: &[u8], at: usize, dialect: Dialect) -> bool {
    let rest = &bytes[at..];
    match dialect {
        Dialect::Mysql => {
            rest.starts_with(b"#")
                || (rest.starts_with(b"--") && rest.get(2).is_none_or(|b| b.is_ascii_whitespace() || *b == 0))
        }
        _ => rest.starts_with(b"--"),
    }
}

fn comment_end(bytes: &[u8], from: usize, dialect: Dialect) -> Option<usize> {
    let mut at = from + 2;
    let mut depth = 1;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else if dialect == Dialect::Postgres && bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else {
            at += 1;
        }
    }
    None
}

fn quoted_kind(first: char, dialect: Dialect) -> Kind {
    match first {
        '$' => Kind::Body,
        '`' | '[' => Kind::Name,
        '"' if dialect != Dialect::Mysql => Kind::Name,
        _ => Kind::Text,
    }
}

/// Where the quoted thing that begins here ends; None where none begins.
fn quoted_end(sql: &str, at: usize, dialect: Dialect) -> Result<Option<usize>, String> {
    let bytes = sql.as_bytes();
    let before = at.checked_sub(1).map(|n| bytes[n]);
    let after_word = before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80);
    match bytes[at] {
        b'\'' => {
            let escapes = dialect == Dialect::Mysql
                || dialect == Dialect::Postgres
                    && matches!(before, Some(b'e' | b'E'))
                    && !at.checked_sub(2).map(|n| bytes[n]).is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
            closing(bytes, at, b'\'', escapes).map(Some).ok_or_else(|| never_ends("a string", sql, at))
        }
        b'"' => closing(bytes, at, b'"', dialect == Dialect::Mysql)
            .map(Some)
            .ok_or_else(|| never_ends("a quoted name", sql, at)),
        b'`' if dialect != Dialect::Postgres => {
            closing(bytes, at, b'`', false).map(Some).ok_or_else(|| never_ends("a quoted name", sql, at))
        }
        b'[' if dialect == Dialect::Sqlite => Ok(sql[at..].find(']').map(|n| at + n + 1)),
        b'$' if dialect == Dialect::Postgres && !after_word => {
            let tag = bytes[at + 1..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
            let starts_with_digit = bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
            if starts_with_digit || bytes.get(at + 1 + tag) != Some(&b'$') {
                return Ok(None);
            }
            let (open, body) = (&sql[at..at + tag + 2], at + tag + 2);
            let end = sql[body..].find(open).map(|n| body + n + open.len());
            end.map(Some).ok_or_else(|| never_ends("a code block", sql, at))
        }
        _ => Ok(None),
    }
}

fn closing(bytes: &[u8], open: usize, quote: u8, escapes: bool) -> Option<usize> {
    let mut at = open + 1;
    while at < bytes.len() {
        if escapes && bytes[at] == b'\\' {
            at += 2;
        } else if bytes[at] == quote {
            if bytes.get(at + 1) != Some(&quote) {
                return Some(at + 1);
            }
            at += 2;
        } else {
            at += 1;
        }
    }
    None
}

fn never_ends(what: &str, sql: &str, at: usize) -> String {
    format!("{what} that begins in line {} never ends", line(sql, at))
}

/// The line of a position, from 1.
pub fn line(sql: &str, at: usize) -> usize {
    sql.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1
}

fn wipe(out: &mut [u8], from: usize, to: usize) {
    for byte in out.iter_mut().take(to).skip(from).filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}
