//! Pasted text, split the way a POSIX shell splits it: words with their quoting resolved, operators, here-documents.
//!
//! Nothing is ever run or expanded here. What only a running shell could know (a variable, a substitution) stays a
//! part of its word, by name.

/// How deep brackets may nest in one word; deeper ones are not read.
const DEEPEST: usize = 24;

/// A word, an operator or the body of a here-document, with the line that it begins on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub line: usize,
    pub kind: TokenKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    Word(Word),
    /// `;`, `&`, `&&`, `||`, `|`, `(`, `)` or a line's end, `\n`.
    Op(&'static str),
    /// Where input comes from or output goes to.
    Redirect(Word),
    /// The text between `<<EOF` and `EOF`.
    HereDocument(String),
    /// From here on, the line cannot be read: why, as a fragment.
    Broken(&'static str),
}

/// One word, as written and as parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Word {
    pub raw: String,
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    /// Literal text, quoting resolved.
    Text(String),
    /// `$NAME`, `${NAME}`.
    Variable(String),
    /// `$(…)`, backticks or `<(…)`: the commands within.
    Commands(String),
    /// Anything else that a shell would work out: `${NAME:-default}`, `$((1 + 2))`.
    Other,
}

impl Word {
    /// The word itself, where nothing in it depends on a running shell.
    pub fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

/// Splits `text`. Never fails: what cannot be read is a [`TokenKind::Broken`], after which the next line is tried, a
/// few times.
pub(super) fn split(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, line: 1, tokens: Vec::new(), awaited: Vec::new(), broken: 0 };
    lexer.run();
    lexer.tokens
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
    /// Here-documents that begin at the next line: where they go, their ends, whether tabs before it are ignored.
    awaited: Vec<(usize, String, bool)>,
    broken: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn push(&mut self, line: usize, kind: TokenKind) {
        self.tokens.push(Token { line, kind });
    }

    fn skip(&mut self, bytes: usize) {
        self.line += self.text.as_bytes()[self.at..self.at + bytes].iter().filter(|&&byte| byte == b'\n').count();
        self.at += bytes;
    }

    fn run(&mut self) {
        const OPERATORS: [&str; 11] = ["&&", "||", ";;", "|&", ";", "|", "(", ")", "&>>", "&>", "&"];
        while let Some(next) = self.rest().chars().next() {
            let rest = self.rest();
            if next == '\n' {
                self.push(self.line, TokenKind::Op("\n"));
                self.skip(1);
                self.here_documents();
            } else if rest.starts_with("\\\n") {
                self.skip(2);
            } else if next.is_whitespace() {
                self.skip(next.len_utf8());
            } else if next == '#' {
                self.skip(rest.find('\n').unwrap_or(rest.len()));
            } else if let Some(length) = redirect(rest) {
                self.redirect(length);
            } else if let Some(op) = OPERATORS.into_iter().find(|op| rest.starts_with(op)) {
                self.push(
                    self.line,
                    TokenKind::Op(if op == "|&" {
                        "|"
                    } else if op == ";;" {
                        ";"
                    } else {
                        op
                    }),
                );
                self.skip(op.len());
            } else {
                let before = self.at;
                if let Some((line, word)) = self.word() {
                    self.push(line, TokenKind::Word(word));
                }
                if self.at == before {
                    break;
                }
            }
        }
    }

    /// A redirection of `length` bytes and its target.
    fn redirect(&mut self, length: usize) {
        let operator = &self.rest()[..length];
        let (here, tabs) = (operator.ends_with("<<") || operator.ends_with("<<-"), operator.ends_with('-'));
        self.skip(length);
        let blank = self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        self.skip(blank);
        if self.rest().starts_with(['\n', ';', '|', '&', ')']) || self.rest().is_empty() {
            return;
        }
        if let Some((line, word)) = self.word() {
            if here {
                let end = word.parts.iter().map(|part| match part {
                    Part::Text(text) => text.as_str(),
                    _ => "",
                });
                if self.awaited.len() < 8 {
                    self.awaited.push((self.tokens.len(), end.collect(), tabs));
                    // Its body follows on the next lines and is put here then.
                    self.push(line, TokenKind::HereDocument(String::new()));
                }
            } else {
                self.push(line, TokenKind::Redirect(word));
            }
        }
    }

    fn here_documents(&mut self) {
        for (token, end, tabs) in std::mem::take(&mut self.awaited) {
            let (start, line) = (self.at, self.line);
            let mut stop = self.text.len();
            let mut closed = false;
            while !closed && !self.rest().is_empty() {
                stop = self.at;
                let length = self.rest().find('\n').map_or(self.rest().len(), |at| at + 1);
                let content = self.rest()[..length].trim_end_matches('\n');
                self.skip(length);
                closed = (if tabs { content.trim_start_matches('\t') } else { content }) == end;
            }
            let stop = if closed { stop } else { self.at };
            self.tokens[token] = Token { line, kind: TokenKind::HereDocument(self.text[start..stop].to_owned()) };
            if !closed {
                self.push(line, TokenKind::Broken("a here-document that does not end"));
            }
        }
    }

    /// Reads one word; None where it cannot be read: a [`TokenKind::Broken`] stands in its place.
    fn word(&mut self) -> Option<(usize, Word)> {
        let (start, line) = (self.at, self.line);
        let mut parts: Vec<Part> = Vec::new();
        let mut text: Option<String> = None;
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        let broken = loop {
            let rest = &self.text[at..];
            let Some(next) = rest.chars().next() else { break None };
            match next {
                '\'' => match rest[1..].find('\'') {
                    Some(length) => {
                        text.get_or_insert_default().push_str(&rest[1..1 + length]);
                        at += length + 2;
                    }
                    None => break Some("a quote that does not close"),
                },
                '"' => match double_quoted(&rest[1..]) {
                    Ok((inner, length)) => {
                        text.get_or_insert_default();
                        for part in inner {
                            add(&mut parts, &mut text, part);
                        }
                        at += length + 1;
                    }
                    Err(why) => break Some(why),
                },
                '\\' => {
                    let escaped = rest[1..].chars().next();
                    if let Some(escaped) = escaped.filter(|&escaped| escaped != '\n') {
                        text.get_or_insert_default().push(escaped);
                    }
                    at += 1 + escaped.map_or(0, char::len_utf8);
                }
                '$' | '`' => match expansion(rest) {
                    Ok((part, length)) => {
                        add(&mut parts, &mut text, part);
                        at += length;
                    }
                    Err(why) => break Some(why),
                },
                '<' | '>' if bytes.get(at + 1) == Some(&b'(') => match closing(&rest[1..], '(', ')') {
                    Some(length) => {
                        add(&mut parts, &mut text, Part::Commands(rest[2..length].to_owned()));
                        at += 1 + length;
                    }
                    None => break Some("a bracket that does not close, or brackets too deep"),
                },
                ';' | '|' | '&' | '(' | ')' | '<' | '>' => break None,
                _ if next.is_whitespace() => break None,
                _ => {
                    text.get_or_insert_default().push(next);
                    at += next.len_utf8();
                }
            }
        };
        if let Some(why) = broken {
            self.push(line, TokenKind::Broken(why));
            self.broken += 1;
            // The next line may be sound; a text that breaks again and again is not looked at further.
            let to_next = self.text[at..].find('\n').map_or(self.text.len(), |length| at + length);
            self.skip(to_next - self.at);
            if self.broken > 8 {
                self.skip(self.text.len() - self.at);
            }
            return None;
        }
        if let Some(text) = text {
            parts.push(Part::Text(text));
        }
        let raw = self.text[start..at].replace("\\\n", "");
        self.skip(at - start);
        Some((line, Word { raw, parts }))
    }
}

fn add(parts: &mut Vec<Part>, text: &mut Option<String>, part: Part) {
    match part {
        Part::Text(more) => text.get_or_insert_default().push_str(&more),
        other => {
            if let Some(text) = text.take().filter(|text| !text.is_empty()) {
                parts.push(Part::Text(text));
            }
            parts.push(other);
        }
    }
}

/// The length of a redirection operator at the start of `rest`, its number included.
fn redirect(rest: &str) -> Option<usize> {
    const OPERATORS: [&str; 10] = ["<<<", "<<-", "<<", ">>", "<&", ">&", ">|", "<>", "<", ">"];
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 2 {
        return None;
    }
    if let Some(both) = ["&>>", "&>"].into_iter().find(|op| rest.starts_with(op)) {
        return Some(both.len());
    }
    let after = &rest[digits..];
    if after.starts_with("<(") || after.starts_with(">(") {
        return None;
    }
    OPERATORS.into_iter().find(|op| after.starts_with(op)).map(|op| digits + op.len())
}

/// What stands between double quotes: `rest` begins after the first one; the length includes the last.
fn double_quoted(rest: &str) -> Result<(Vec<Part>, usize), &'static str> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut at = 0;
    loop {
        let here = &rest[at..];
        match here.chars().next().ok_or("a quote that does not close")? {
            '"' => {
                parts.push(Part::Text(text));
                return Ok((parts, at + 1));
            }
            '\\' => {
                let escaped = here[1..].chars().next().ok_or("a quote that does not close")?;
                match escaped {
                    '\n' => {}
                    '"' | '\\' | '$' | '`' => text.push(escaped),
                    other => text.extend(['\\', other]),
                }
                at += 1 + escaped.len_utf8();
            }
            '$' | '`' => {
                let (part, length) = expansion(here)?;
                match part {
                    Part::Text(more) => text.push_str(&more),
                    part => {
                        parts.push(Part::Text(std::mem::take(&mut text)));
                        parts.push(part);
                    }
                }
                at += length;
            }
            other => {
                text.push(other);
                at += other.len_utf8();
            }
        }
    }
}

/// What begins with `$` or a backtick: the part and how many bytes it takes.
fn expansion(rest: &str) -> Result<(Part, usize), &'static str> {
    const OPEN: &str = "a bracket that does not close, or brackets too deep";
    if let Some(inner) = rest.strip_prefix('`') {
        let length = inner.find('`').ok_or("a backtick that does not close")?;
        return Ok((Part::Commands(inner[..length].to_owned()), length + 2));
    }
    let after = &rest[1..];
    if after.starts_with("((") {
        return Ok((Part::Other, 1 + closing(after, '(', ')').ok_or(OPEN)?));
    }
    if after.starts_with('(') {
        let length = closing(after, '(', ')').ok_or(OPEN)?;
        return Ok((Part::Commands(after[1..length - 1].to_owned()), 1 + length));
    }
    if after.starts_with('{') {
        let length = closing(after, '{', '}').ok_or(OPEN)?;
        let inner = &after[1..length - 1];
        let part = if is_name(inner) { Part::Variable(inner.to_owned()) } else { Part::Other };
        return Ok((part, 1 + length));
    }
    if let Some(inner) = after.strip_prefix('\'') {
        let length = inner.find('\'').ok_or("a quote that does not close")?;
        return Ok((Part::Other, length + 3));
    }
    let name = after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
    if name > 0 {
        return Ok((Part::Variable(after[..name].to_owned()), 1 + name));
    }
    match after.chars().next() {
        Some(special @ ('@' | '*' | '#' | '?' | '$' | '!' | '-')) => Ok((Part::Other, 1 + special.len_utf8())),
        _ => Ok((Part::Text("$".to_owned()), 1)),
    }
}

/// The length up to and with the bracket that closes the one at the start of `rest`; quotes are respected.
fn closing(rest: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0;
    let mut quote = None;
    let mut chars = rest.char_indices();
    while let Some((at, next)) = chars.next() {
        match (quote, next) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => {
                chars.next();
            }
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(next),
            (None, _) if next == open => {
                depth += 1;
                if depth > DEEPEST {
                    return None;
                }
            }
            (None, _) if next == close => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + next.len_utf8());
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether `text` can be a variable's name.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        split(text)
            .into_iter()
            .map(|token| match token.kind {
                TokenKind::Word(word) => word.literal().map_or_else(|| format!("?{}", word.raw), str::to_owned),
                TokenKind::Op(op) => format!("<{op}>"),
                TokenKind::Redirect(word) => format!(">{}", word.raw),
                TokenKind::HereDocument(body) => format!("<<{body}"),
                TokenKind::Broken(why) => format!("!{why}"),
            })
            .collect()
    }

    #[test]
    fn quotes_and_continued_lines_are_resolved() {
        assert_eq!(words("a 'b c' \"d\\\"e\" f\\ g \\\n  h'i'j"), ["a", "b c", "d\"e", "f g", "hij"]);
        assert_eq!(words("a # a comment 'with a quote\nb#c"), ["a", "<\n>", "b#c"]);
    }

    #[test]
    fn operators_stand_alone() {
        assert_eq!(words("a&&b||c;d|e&"), ["a", "<&&>", "b", "<||>", "c", "<;>", "d", "<|>", "e", "<&>"]);
        assert_eq!(words("a >out 2>&1 < in &> all"), ["a", ">out", ">1", ">in", ">all"]);
    }

    #[test]
    fn what_only_a_shell_knows_stays_unknown() {
        assert_eq!(
            words("a $B ${C} \"x-$D\" $(e f) `g` ${H:-i}"),
            ["a", "?$B", "?${C}", "?\"x-$D\"", "?$(e f)", "?`g`", "?${H:-i}"]
        );
        assert_eq!(words("apply -f <(kustomize build .)"), ["apply", "-f", "?<(kustomize build .)"]);
    }

    #[test]
    fn here_documents_are_one_piece() {
        assert_eq!(words("a -f - <<EOF | b\nx: 'y\nEOF\nc"), ["a", "-f", "-", "<<x: 'y\n", "<|>", "b", "<\n>", "c"]);
    }

    #[test]
    fn an_open_quote_is_said_and_the_next_line_is_still_read() {
        assert_eq!(words("ok\na don't\nb"), ["ok", "<\n>", "a", "!a quote that does not close", "<\n>", "b"]);
        assert_eq!(words("a $(b"), ["a", "!a bracket that does not close, or brackets too deep"]);
    }
}
