//! A line of an export. Those that are written as ours are read the short way; every other one as any JSON is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::hash::Hash;
use super::scan::plain;
use super::text::StoredText;

/// An entry's line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line<'a> {
    pub seq: u64,
    #[serde(borrow)]
    pub leaf: Cow<'a, str>,
    #[serde(borrow)]
    pub bytes: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts: Option<BTreeMap<String, Option<Kept>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashes: Option<Vec<Hash>>,
}

/// A text that was not erased.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub salt: String,
    pub body: String,
}

impl<'a> Line<'a> {
    /// Reads an entry's line; None if it is none. `space` is for the entry's bytes, so that one allocation does for all.
    pub fn read(text: &'a str, space: &'a mut String) -> Option<Line<'a>> {
        match short(text, space) {
            Some((seq, leaf, texts)) => {
                Some(Line { seq, leaf: leaf.into(), bytes: Cow::Borrowed(space), texts, hashes: None })
            }
            None => serde_json::from_str(text).ok(),
        }
    }

    /// The texts beside the entry, as the verifier takes them.
    pub fn take_texts(&mut self) -> Option<Vec<StoredText>> {
        let texts = self.texts.take()?;
        Some(texts.into_iter().map(stored).collect())
    }
}

/// As the verifier takes it.
pub(super) fn stored((name, kept): (String, Option<Kept>)) -> StoredText {
    StoredText { name, kept: kept.map(|kept| (kept.salt, kept.body)) }
}

type Texts = Option<BTreeMap<String, Option<Kept>>>;

/// Number, leaf and texts of a line in exactly the form in which we write them, and the entry's bytes into `bytes`. None for
/// any other form, whether it is a line or not.
fn short<'a>(text: &'a str, bytes: &mut String) -> Option<(u64, &'a str, Texts)> {
    let text = text.strip_prefix("{\"seq\":")?;
    let (number, text) = text.split_once(",\"leaf\":\"")?;
    let is_number = !number.starts_with('0') && number.len() < 20 && number.bytes().all(|b| b.is_ascii_digit());
    let seq = number.parse().ok().filter(|_| is_number)?;
    let (leaf, text) = text.split_at_checked(plain(text.as_bytes()))?;
    let text = unescape(text.strip_prefix("\",\"bytes\":\"")?, bytes)?;
    let Some(texts) = text.strip_prefix(",\"texts\":") else {
        return (text == "}").then_some((seq, leaf, None));
    };
    let texts = texts.strip_suffix('}')?;
    let texts = if texts == "{}" { BTreeMap::new() } else { serde_json::from_str(texts).ok()? };
    Some((seq, leaf, Some(texts)))
}

/// Reads a JSON string behind its first quote, where nothing but quotes and backslashes is escaped. What follows it.
fn unescape<'a>(mut text: &'a str, into: &mut String) -> Option<&'a str> {
    into.clear();
    loop {
        let (run, rest) = text.split_at_checked(plain(text.as_bytes()))?;
        into.push_str(run);
        text = match rest.as_bytes() {
            [b'"', ..] => return rest.get(1..),
            [b'\\', escaped @ (b'"' | b'\\'), ..] => {
                into.push(char::from(*escaped));
                rest.get(2..)?
            }
            _ => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts() -> impl Strategy<Value = Texts> {
        let kept = ("[0-9a-f]{0,4}", "\\PC{0,6}").prop_map(|(salt, body)| Kept { salt, body });
        prop::option::of(prop::collection::btree_map("[a-z]{1,4}", prop::option::of(kept), 0..3))
    }

    fn written() -> impl Strategy<Value = String> {
        let bytes = prop_oneof!["\\{\"[a-z]{1,4}\":\"[\\PC\n\\\\\"]{0,12}\"\\}", "\\PC{0,16}"];
        (1..1u64 << 62, "[0-9a-f]{4}", bytes, texts()).prop_map(|(seq, leaf, bytes, texts)| {
            serde_json::to_string(&Line { seq, leaf: leaf.into(), bytes: bytes.into(), texts, hashes: None }).unwrap()
        })
    }

    /// Where the short way reads a line, it reads what any JSON reader does.
    fn agrees(text: &str) -> Result<bool, TestCaseError> {
        let mut space = String::new();
        let Some((seq, leaf, texts)) = short(text, &mut space) else { return Ok(false) };
        let quick = Line { seq, leaf: leaf.into(), bytes: Cow::Borrowed(&space), texts, hashes: None };
        let slow = serde_json::from_str::<Line<'_>>(text);
        prop_assert!(slow.is_ok(), "{text}");
        prop_assert_eq!(slow.unwrap(), quick);
        Ok(true)
    }

    proptest! {
        #[test]
        fn the_short_way_reads_what_we_write_as_any_reader_does(text in written()) {
            // What is escaped otherwise than quotes and backslashes is read the long way.
            let long = ["\\n", "\\u", "\\b", "\\f", "\\r", "\\t"].iter().any(|escape| text.contains(escape));
            prop_assert!(agrees(&text)? || long, "{}", text);
        }

        #[test]
        fn what_was_altered_is_read_as_any_reader_reads_it_or_not_at_all(
            text in written(), at in any::<prop::sample::Index>(), new in "[ \u{1}-\u{1f}0-9a-f\"\\\\{}\\[\\],:u]{0,3}"
        ) {
            let mut text = text;
            let at = at.index(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
                text.replace_range(at..=at, &new);
            }
            agrees(&text)?;
        }
    }

    #[test]
    fn a_line_in_another_form_is_still_read() {
        let mut space = String::new();
        let text = r#"{"leaf":"ab","seq":7, "bytes":"\u007b}"}"#;
        let line = Line::read(text, &mut space).unwrap();
        assert_eq!((line.seq, &*line.leaf, &*line.bytes), (7, "ab", "{}"));
        assert_eq!(Line::read(r#"{"seq":7,"leaf":"ab","bytes":"","seq":8}"#, &mut space), None);
    }
}
