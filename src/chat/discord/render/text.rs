//! Words into Discord's markdown: everything from a span is shown as it is, nothing of it acts.

use std::collections::BTreeMap;

use crate::message::{Line, Span, Style, is_invisible};
use crate::name::Person;

/// Of one span at most so much is shown; nobody reads more in a line.
const LONGEST_SPAN: usize = 700;
/// A line that came out longer than this is said in plain words.
const LONGEST_LINE: usize = 1_800;

/// What Discord calls people of ours: user ids by person.
pub type Users = BTreeMap<Person, String>;

/// Discord's own count is nowhere written; UTF-16 units are never fewer than characters.
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// One line without control, direction-changing and invisible characters, at most `most` long, spaces kept.
pub fn clean(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut left = most;
    for c in text.chars() {
        let c = match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() || is_invisible(c) => continue,
            c => c,
        };
        if c.len_utf16() >= left {
            out.push('…');
            break;
        }
        left -= c.len_utf16();
        out.push(c);
    }
    out
}

/// Text that shows as it is: no markup, mention, link or timestamp comes alive. A backslash before a sign is not shown.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut begun = false;
    let mut numbers = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' | '*' | '_' | '~' | '|' | '`' | '>' | '#' | '[' | ']' | '(' | ')' | '<' => {
                out.push('\\');
                out.push(c);
            }
            // `@everyone` is read before markdown is: a gap of no width keeps it words.
            '@' => out.push_str("@\u{200b}"),
            ':' if chars.peek() == Some(&'/') => out.push_str("\\:"),
            '-' | '+' if !begun => {
                out.push('\\');
                out.push(c);
            }
            '.' if numbers => out.push_str("\\."),
            c => out.push(c),
        }
        numbers = c.is_ascii_digit() && (numbers || !begun);
        begun |= !c.is_whitespace();
    }
    out
}

/// A text of several lines, at most `most` long, not cut behind a backslash.
pub fn cut(text: &str, most: usize) -> String {
    let mut left = most;
    let mut out: String = text
        .chars()
        .take_while(|c| {
            left = left.saturating_sub(c.len_utf16());
            left > 0
        })
        .collect();
    out.truncate(out.trim_end_matches('\\').len());
    out
}

/// A line of ours: its sign, then its spans.
pub fn line(line: &Line, users: &Users) -> String {
    let mark = line.mark.map(|mark| format!("{} ", mark.emoji())).unwrap_or_default();
    let spans: String = line.spans.iter().map(|one| span(one, users)).collect();
    if length(&spans) > LONGEST_LINE {
        let plain: String = line.spans.iter().map(|span| span.text.as_str()).collect();
        return format!("{mark}{}", escape(&clean(&plain, LONGEST_LINE / 2)));
    }
    let quiet = !line.spans.is_empty() && line.spans.iter().all(|span| span.style == Style::Quiet);
    if quiet && mark.is_empty() && !spans.trim().is_empty() { format!("-# {spans}") } else { format!("{mark}{spans}") }
}

fn span(span: &Span, users: &Users) -> String {
    if let Some(user) = span.person.as_ref().and_then(|person| users.get(person)) {
        return format!("<@{user}>");
    }
    if let Some(at) = span.time {
        return format!("<t:{}:f>", at.ms().div_euclid(1_000));
    }
    let text = clean(&span.text, LONGEST_SPAN);
    if text.trim().is_empty() {
        return text;
    }
    if let Some(link) = span.link.as_deref().and_then(address) {
        return format!("[{}](<{link}>)", escape(text.trim()));
    }
    match span.style {
        Style::Code => code(&text),
        Style::Strong => {
            let (before, after) = (&text[..text.len() - text.trim_start().len()], &text[text.trim_end().len()..]);
            format!("{before}**{}**{after}", escape(text.trim()))
        }
        Style::Plain | Style::Quiet => with_code(&text),
    }
}

/// Our sentences put names and commands between backticks. Where these come in pairs that Discord reads as we mean them,
/// what stands between is code, in which nothing acts.
fn with_code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let last = parts.len() - 1;
    let fit = |(at, part): (usize, &&str)| match at % 2 {
        1 => !part.trim().is_empty(),
        _ => at == 0 || at == last || !part.is_empty(),
    };
    if !last.is_multiple_of(2) || !parts.iter().enumerate().all(fit) {
        return escape(text);
    }
    parts.iter().enumerate().map(|(at, part)| if at % 2 == 1 { code(part) } else { escape(part) }).collect()
}

/// Inside a code span nothing acts but the sign that ends it.
fn code(text: &str) -> String {
    format!("`{}`", text.trim().replace('`', "ˋ").replace('@', "@\u{200b}"))
}

/// Several lines in a fence that they cannot close, at most `most` long.
pub fn fence(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut left = most.saturating_sub(10);
    for c in text.chars() {
        let c = match c {
            '`' => 'ˋ',
            '\n' => '\n',
            '\t' => ' ',
            c if c.is_control() || is_invisible(c) => continue,
            c => c,
        };
        if c.len_utf16() >= left {
            out.push('…');
            break;
        }
        left -= c.len_utf16();
        out.push(c);
        if c == '@' && left > 1 {
            out.push('\u{200b}');
            left -= 1;
        }
    }
    format!("```\n{}\n```", out.trim_end())
}

/// An address that can stand in a link without ending it.
fn address(link: &str) -> Option<String> {
    let url = url::Url::parse(link).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let mut out = String::new();
    for c in url.as_str().chars() {
        match c {
            '(' => out.push_str("%28"),
            ')' => out.push_str("%29"),
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '@' => out.push_str("%40"),
            '\\' => out.push_str("%5C"),
            c if c.is_whitespace() || c.is_control() || is_invisible(c) => return None,
            c => out.push(c),
        }
    }
    (out.len() <= 500).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;

    #[test]
    fn markup_from_outside_is_shown_and_does_nothing() {
        assert_eq!(escape("**x** _y_ ~~z~~"), "\\*\\*x\\*\\* \\_y\\_ \\~\\~z\\~\\~");
        assert_eq!(escape("# head"), "\\# head");
        assert_eq!(escape("- item 1. x"), "\\- item 1. x");
        assert_eq!(escape("1. item"), "1\\. item");
        assert_eq!(escape("v2.14.0-rc1"), "v2.14.0-rc1");
        assert_eq!(escape("[a](https://b)"), "\\[a\\]\\(https\\://b\\)");
        assert_eq!(escape("<@123> <t:1:R>"), "\\<@\u{200b}123\\> \\<t:1:R\\>");
        assert!(!escape("@everyone @here").contains("@everyone"));
    }

    #[test]
    fn commands_between_backticks_are_code() {
        assert_eq!(with_code("type `/deploy *x*` now_"), "type `/deploy *x*` now\\_");
        assert_eq!(with_code("`a`"), "`a`");
        for odd in ["a ` b", "``a``", "`a``b`", "` `"] {
            assert_eq!(with_code(odd), escape(odd));
        }
    }

    #[test]
    fn a_person_of_ours_is_mentioned_and_others_are_words() {
        let users = Users::from([(Person::new("ada"), "100".to_owned())]);
        let said = Line { mark: None, spans: vec![Span::person(&Person::new("ada"))], code: None };
        assert_eq!(line(&said, &users), "<@100>");
        assert_eq!(line(&said, &Users::new()), "@\u{200b}ada");
    }

    #[test]
    fn a_time_is_shown_in_the_readers_zone() {
        let span = Span { time: Some(Time::from_ms(1_700_000_000_500)), ..Span::plain("today") };
        assert_eq!(line(&Line { spans: vec![span], ..Line::default() }, &Users::new()), "<t:1700000000:f>");
    }

    #[test]
    fn a_fence_cannot_be_closed_from_inside() {
        assert_eq!(fence("a\n```\nb", 100).matches("```").count(), 2);
        assert!(length(&fence(&"x".repeat(5_000), 300)) <= 300);
    }

    #[test]
    fn a_link_cannot_be_ended_by_its_address() {
        let span = Span::linked("a", "https://example.com/x)(y>z");
        assert_eq!(
            line(&Line { spans: vec![span], ..Line::default() }, &Users::new()),
            "[a](<https://example.com/x%29%28y%3Ez>)"
        );
    }
}
