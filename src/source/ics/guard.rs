//! Looks at a calendar's raw text before any parser does: is it a calendar at all, is it of a bearable size, does it
//! end where it should, and does each recurrence rule say what a lenient parser would make of it.

use std::borrow::Cow;

use super::Limits;
use super::rule::Rule;

/// Why a text cannot be read as a calendar at all. The sentences are for whoever set up the feed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("It is empty, which is not the same as a calendar without events.")]
    Empty,
    #[error("It is a web page, not a calendar. The address may want a sign-in first.")]
    WebPage,
    #[error("It does not begin with BEGIN:VCALENDAR, so it is not a calendar.")]
    NotACalendar,
    #[error("It is larger than {0} bytes, the most that is read.")]
    TooLarge(usize),
    #[error("It has more than {0} entries, the most that is read.")]
    TooManyEntries(usize),
    #[error("It could not be read: the parser gave up on it.")]
    ParserFailed,
}

/// What the look at the raw text found.
#[derive(Debug, Default)]
pub struct Found {
    /// For each `BEGIN:VEVENT` in order: what is wrong with its recurrence rules, if anything.
    pub rule_problems: Vec<Option<String>>,
    /// What is wrong with the text as a whole.
    pub problems: Vec<String>,
}

/// Checks the raw text in one pass, in time and memory proportional to its length.
pub fn inspect(text: &str, limits: &Limits) -> Result<Found, Unreadable> {
    if text.len() > limits.bytes {
        return Err(Unreadable::TooLarge(limits.bytes));
    }
    let text = text.trim_start_matches('\u{feff}').trim_start();
    recognise(text)?;
    let mut found = Found::default();
    let mut open: Vec<Component> = Vec::new();
    let (mut entries, mut crossed, mut outside) = (0_usize, false, false);
    for line in logical_lines(text) {
        let Some((name, value)) = property(&line) else {
            outside |= open.is_empty();
            continue;
        };
        if name.eq_ignore_ascii_case("BEGIN") {
            entries += 1;
            if entries > limits.entries {
                return Err(Unreadable::TooManyEntries(limits.entries));
            }
            let is_event = value.trim().eq_ignore_ascii_case("VEVENT");
            let event = is_event.then(|| {
                found.rule_problems.push(None);
                found.rule_problems.len() - 1
            });
            crossed |= is_event && open.iter().rev().take(4).any(|outer| outer.event.is_some());
            open.push(Component { name: bounded(value.trim()), event });
        } else if name.eq_ignore_ascii_case("END") {
            match open.pop() {
                Some(component) => crossed |= !component.name.eq_ignore_ascii_case(value.trim()),
                None => outside = true,
            }
        } else if open.is_empty() {
            outside = true;
        } else if name.eq_ignore_ascii_case("RRULE") || name.eq_ignore_ascii_case("EXRULE") {
            let event = open.last().and_then(|component| component.event);
            if let (Some(event), Err(reason)) = (event, Rule::parse(value, limits)) {
                found.rule_problems[event].get_or_insert(reason);
            }
        }
    }
    if !open.is_empty() {
        found.problems.push("It breaks off before its end, so entries may be missing.".into());
    }
    if crossed {
        found.problems.push("Its BEGIN and END lines do not match, so entries may be missing or wrong.".into());
    }
    if outside {
        found.problems.push("It has lines outside of the calendar, which were not read.".into());
    }
    Ok(found)
}

#[derive(Debug)]
struct Component {
    name: String,
    event: Option<usize>,
}

fn recognise(text: &str) -> Result<(), Unreadable> {
    if text.is_empty() {
        return Err(Unreadable::Empty);
    }
    let begins = |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    if begins("BEGIN:VCALENDAR") {
        Ok(())
    } else if begins("<!doctype") || begins("<html") || begins("<?xml") || begins("<head") || begins("<script") {
        Err(Unreadable::WebPage)
    } else {
        Err(Unreadable::NotACalendar)
    }
}

/// Lines with their folded continuations; any of CRLF, LF and CR ends a line, as the parser has it. Only the start of
/// lines that matter here is kept, so one endless line costs nothing.
fn logical_lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut physical = text.split(['\n', '\r']).filter(|line| !line.is_empty()).peekable();
    std::iter::from_fn(move || {
        let mut line = Cow::Borrowed(physical.next()?);
        while let Some(more) = physical.peek().and_then(|next| next.strip_prefix([' ', '\t'])) {
            if line.len() < 8_192 {
                line.to_mut().push_str(more);
            }
            physical.next();
        }
        Some(line)
    })
}

/// A line's property name and value; parameters are skipped, quoted ones too.
fn property(line: &str) -> Option<(&str, &str)> {
    let name = line.find([':', ';']).map(|end| &line[..end])?;
    let mut quoted = false;
    let colon = line.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == ':' && !quoted
    });
    Some((name, colon.map_or("", |(at, _)| &line[at + 1..])))
}

fn bounded(name: &str) -> String {
    name.chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str) -> Result<Found, Unreadable> {
        inspect(text, &Limits::default())
    }

    #[test]
    fn a_sign_in_page_is_not_an_empty_calendar() {
        assert_eq!(look("<!DOCTYPE html><html></html>").unwrap_err(), Unreadable::WebPage);
        assert_eq!(look(" \r\n").unwrap_err(), Unreadable::Empty);
        assert_eq!(look("{\"error\": 1}").unwrap_err(), Unreadable::NotACalendar);
        assert!(look("\u{feff}BEGIN:VCALENDAR\nEND:VCALENDAR\n").unwrap().problems.is_empty());
    }

    #[test]
    fn a_calendar_that_breaks_off_says_so() {
        assert_eq!(look("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\n").unwrap().problems.len(), 1);
        assert_eq!(look("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\nEND:VEVENT\n").unwrap().problems.len(), 1);
        assert_eq!(look("BEGIN:VCALENDAR\nEND:VCALENDAR\n502 Bad Gateway\n").unwrap().problems.len(), 1);
    }

    #[test]
    fn rules_are_read_across_folds_and_numbered_by_event() {
        let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n\
                    RRULE:FREQ=DAI\r\n LY;INTERVAL=0\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let found = look(text).unwrap();
        assert_eq!(found.rule_problems[0], None);
        assert!(found.rule_problems[1].as_ref().unwrap().contains("INTERVAL"));
    }

    #[test]
    fn too_much_is_refused_before_it_is_parsed() {
        let deep = format!("BEGIN:VCALENDAR\n{}", "BEGIN:VEVENT\n".repeat(100_000));
        assert_eq!(look(&deep).unwrap_err(), Unreadable::TooManyEntries(20_000));
        let long = format!("BEGIN:VCALENDAR\nSUMMARY:{}", "x".repeat(20_000_000));
        assert_eq!(look(&long).unwrap_err(), Unreadable::TooLarge(5_000_000));
    }
}
