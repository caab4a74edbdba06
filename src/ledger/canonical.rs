//! The one form an entry can have: RFC 8785, narrowed to what no two programs read differently.
//!
//! Strings, booleans, arrays, objects, and integers below 2⁵³ in size; no floats, no null (what is absent is left out), no
//! U+0000, keys of printable ASCII. [`check`] decides in one pass, without building anything, whether bytes have that
//! form; it accepts exactly what [`encode`] could have written, which a property test keeps.

use serde::Serialize;
use serde_json::Value;

use super::scan::plain;

/// Bytes of one entry at most.
pub const MAX_ENTRY: usize = 64 * 1024;
/// Bytes of one string at most, as written.
pub const MAX_STRING: usize = 8 * 1024;
/// Bytes of one key at most.
pub const MAX_KEY: usize = 64;
/// Objects and arrays within each other at most.
pub const MAX_DEPTH: usize = 8;
/// Members of one object or array at most.
pub const MAX_MEMBERS: usize = 1024;
/// Integers are smaller than this in size, so that every JSON reader keeps them exactly.
pub const MAX_INTEGER: i64 = 1 << 53;

/// Why a value may not stand in the ledger, or why bytes are not in canonical form; `at` is the byte where it shows.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotCanonical {
    #[error("{0} may not stand in the ledger: {1}")]
    Value(String, &'static str),
    #[error("byte {at}: {why}")]
    Bytes { at: usize, why: &'static str },
}

/// The canonical bytes of a value, or the part of it that may not stand in the ledger.
pub fn encode(value: &impl Serialize) -> Result<String, NotCanonical> {
    let unfit = |_| NotCanonical::Value("the entry".to_owned(), "it cannot be written as JSON");
    let value = serde_json::to_value(value).map_err(unfit)?;
    // A map's keys are in order, and what may stand in the ledger has but one short form: this is canonical nearly always,
    // which is found out in less time than it takes to make it so.
    let text = value.to_string();
    if check(&text).is_ok() {
        return Ok(text);
    }
    admit(&value, "", 0)?;
    let text = serde_json_canonicalizer::to_string(&value).map_err(unfit)?;
    check(&text)?;
    Ok(text)
}

/// Whether this is one object in canonical form.
pub fn check(text: &str) -> Result<(), NotCanonical> {
    members(text, |_, _| ())
}

/// Checks the whole text and hands over each member of the outermost object: key, and value as written.
pub fn members<'a>(text: &'a str, mut each: impl FnMut(&'a str, &'a str)) -> Result<(), NotCanonical> {
    if text.len() > MAX_ENTRY {
        return Err(NotCanonical::Bytes { at: MAX_ENTRY, why: "the entry is too long" });
    }
    let mut scan = Scan { text, at: 0 };
    scan.object(1, &mut each)?;
    if scan.at < text.len() { Err(scan.no("something follows the entry")) } else { Ok(()) }
}

/// Refuses what would lose meaning on the way into canonical form (1.0 would become 1, 2⁵³+1 would become 2⁵³).
fn admit(value: &Value, path: &str, depth: usize) -> Result<(), NotCanonical> {
    let no = |why| Err(NotCanonical::Value(if path.is_empty() { "the entry" } else { path }.to_owned(), why));
    match value {
        Value::Null => no("null is written by leaving the field out"),
        Value::Bool(_) => Ok(()),
        Value::Number(n) => match n.as_i64() {
            Some(n) if n.unsigned_abs() < MAX_INTEGER.unsigned_abs() => Ok(()),
            _ => no("a number is an integer below 2^53"),
        },
        Value::String(text) if text.contains('\0') => no("U+0000 is refused"),
        Value::String(text) if text.len() > MAX_STRING => no("the text is too long"),
        Value::String(_) => Ok(()),
        Value::Array(_) | Value::Object(_) if depth >= MAX_DEPTH => no("it is nested too deeply"),
        Value::Array(items) if items.len() > MAX_MEMBERS => no("it has too many items"),
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(i, item)| admit(item, &format!("{path}[{i}]"), depth + 1))
        }
        Value::Object(members) if members.len() > MAX_MEMBERS => no("it has too many members"),
        Value::Object(members) => members.iter().try_for_each(|(key, item)| {
            if !is_key(key) {
                return no("a key is 1 to 64 printable ASCII characters other than space, quote and backslash");
            }
            admit(item, &if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, depth + 1)
        }),
    }
}

fn is_key(key: &str) -> bool {
    (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(is_key_byte)
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn no(&self, why: &'static str) -> NotCanonical {
        NotCanonical::Bytes { at: self.at, why }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expect(&mut self, byte: u8, why: &'static str) -> Result<(), NotCanonical> {
        if self.peek() != Some(byte) {
            return Err(self.no(why));
        }
        self.at += 1;
        Ok(())
    }

    fn object(&mut self, depth: usize, each: &mut impl FnMut(&'a str, &'a str)) -> Result<(), NotCanonical> {
        self.open(b'{', depth)?;
        if self.closes(b'}') {
            return Ok(());
        }
        let mut before = "";
        for _ in 0..MAX_MEMBERS {
            let key = self.key()?;
            // Keys are ASCII, so the order of bytes is the order of UTF-16 units that RFC 8785 asks for.
            if key <= before {
                return Err(self.no("keys are sorted and stand once"));
            }
            before = key;
            self.expect(b':', "a colon follows a key")?;
            let from = self.at;
            self.value(depth)?;
            each(key, &self.text[from..self.at]);
            if self.closes(b'}') {
                return Ok(());
            }
            self.expect(b',', "a comma or the end of the object follows")?;
        }
        Err(self.no("the object has too many members"))
    }

    fn array(&mut self, depth: usize) -> Result<(), NotCanonical> {
        self.open(b'[', depth)?;
        if self.closes(b']') {
            return Ok(());
        }
        for _ in 0..MAX_MEMBERS {
            self.value(depth)?;
            if self.closes(b']') {
                return Ok(());
            }
            self.expect(b',', "a comma or the end of the list follows")?;
        }
        Err(self.no("the list has too many items"))
    }

    fn open(&mut self, bracket: u8, depth: usize) -> Result<(), NotCanonical> {
        if depth > MAX_DEPTH {
            return Err(self.no("it is nested too deeply"));
        }
        self.expect(bracket, "an object or a list begins here")
    }

    fn closes(&mut self, bracket: u8) -> bool {
        let closes = self.peek() == Some(bracket);
        self.at += usize::from(closes);
        closes
    }

    fn value(&mut self, depth: usize) -> Result<(), NotCanonical> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.object(depth + 1, &mut |_, _| ()),
            Some(b'[') => self.array(depth + 1),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            _ => Err(self.no("a string, an integer, true, false, a list or an object stands here")),
        }
    }

    fn word(&mut self, word: &'static str) -> Result<(), NotCanonical> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.no("true or false stands here"));
        }
        self.at += word.len();
        Ok(())
    }

    fn integer(&mut self) -> Result<(), NotCanonical> {
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let from = self.at;
        let mut n: i64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            n = n * 10 + i64::from(digit - b'0');
            self.at += 1;
            if n >= MAX_INTEGER {
                return Err(self.no("an integer is below 2^53"));
            }
            if self.at - from > 1 && self.text.as_bytes()[from] == b'0' {
                return Err(self.no("an integer has no leading zero"));
            }
        }
        if self.at == from || (negative && n == 0) {
            return Err(self.no("an integer stands here"));
        }
        if let Some(b'.' | b'e' | b'E') = self.peek() {
            return Err(self.no("a number is an integer"));
        }
        Ok(())
    }

    fn key(&mut self) -> Result<&'a str, NotCanonical> {
        self.expect(b'"', "a key begins with a quote")?;
        let from = self.at;
        self.at += self.text.as_bytes()[from..].iter().take_while(|byte| is_key_byte(**byte)).count();
        let key = &self.text[from..self.at];
        if key.is_empty() || key.len() > MAX_KEY {
            return Err(self.no("a key is 1 to 64 printable ASCII characters"));
        }
        self.expect(b'"', "a key is printable ASCII")?;
        Ok(key)
    }

    fn string(&mut self) -> Result<(), NotCanonical> {
        self.at += 1;
        let from = self.at;
        // What the string is long once read; escapes are longer as written.
        let mut length = 0;
        loop {
            let run = plain(&self.text.as_bytes()[self.at..]);
            (self.at, length) = (self.at + run, length + run);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.no("a control character is escaped")),
                None => return Err(self.no("the string has no end")),
            }
            length += 1;
        }
        if length > MAX_STRING {
            return Err(NotCanonical::Bytes { at: from, why: "the string is too long" });
        }
        self.at += 1;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), NotCanonical> {
        let rest = &self.text.as_bytes()[self.at + 1..];
        match rest {
            [b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r', ..] => self.at += 2,
            // \u is left for the control characters without a short form, in lower case, U+0000 excepted.
            [b'u', b'0', b'0', b'0', b'1'..=b'7' | b'b' | b'e' | b'f', ..]
            | [b'u', b'0', b'0', b'1', b'0'..=b'9' | b'a'..=b'f', ..] => self.at += 6,
            _ => return Err(self.no("this escape is not the canonical one")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// The slow definition: it parses, every value is allowed, and writing it again gives the same bytes.
    fn is_canonical_by_rewriting(text: &str) -> bool {
        let Ok(value) = serde_json::from_str::<Value>(text) else { return false };
        value.is_object()
            && admit(&value, "", 0).is_ok()
            && serde_json_canonicalizer::to_string(&value).is_ok_and(|again| again == text)
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            (-MAX_INTEGER + 1..MAX_INTEGER).prop_map(Value::from),
            "[\u{1}-\u{ff}\u{2028}\u{e000}\u{10000}\"\\\\]{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[!#-Z^-~]{1,6}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn object() -> impl Strategy<Value = Value> {
        prop::collection::btree_map("[!#-Z^-~]{1,6}", value(), 0..4)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn whatever_is_encoded_is_canonical(value in object()) {
            let text = encode(&value).unwrap();
            prop_assert_eq!(check(&text), Ok(()));
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }

        #[test]
        fn one_pass_agrees_with_parsing_and_writing_again(
            value in object(), at in any::<prop::sample::Index>(), new in "[ \u{0}-\u{1f}0-9a-fA-F\"\\\\{}\\[\\],:.\\-tunl]{0,2}"
        ) {
            let mut text = encode(&value).unwrap();
            let at = at.index(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
                text.replace_range(at..=at, &new);
            }
            prop_assert_eq!(check(&text).is_ok(), is_canonical_by_rewriting(&text), "{}", text);
        }

        #[test]
        fn nothing_from_outside_makes_it_panic(text in "\\PC{0,64}") {
            prop_assert_eq!(check(&text).is_ok(), is_canonical_by_rewriting(&text));
        }
    }

    #[test]
    fn what_two_programs_could_read_differently_is_refused() {
        for bad in [
            r#"{"a":1.0}"#,
            r#"{"a":1e3}"#,
            r#"{"a":-0}"#,
            r#"{"a":01}"#,
            r#"{"a":9007199254740992}"#,
            r#"{"a":null}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"b":1,"a":2}"#,
            r#"{"a": 1}"#,
            r#"{"a":"\u0000"}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\u0041"}"#,
            r#"{"a":"\/"}"#,
            r#"{"a":"\u001F"}"#,
            r#"{"é":1}"#,
            r#"{"":1}"#,
            r#"[1]"#,
            r#""a""#,
            r#"{"a":1}x"#,
            r#"{"a":1"#,
            r#"{"a":tru}"#,
            "{\"a\":\"\t\"}",
            "",
            "{",
            "{\"a\":\"\\",
        ] {
            assert!(check(bad).is_err(), "{bad}");
            assert!(!is_canonical_by_rewriting(bad), "{bad}");
        }
        assert!(check(&format!("{}1{}", r#"{"a":"#.repeat(9), "}".repeat(9))).is_err());
        assert!(check(&format!("{}1{}", r#"{"a":"#.repeat(8), "}".repeat(8))).is_ok());
    }

    #[test]
    fn an_unfit_value_is_named_by_its_path() {
        let said = |value: Value| encode(&value).unwrap_err().to_string();
        assert_eq!(
            said(json!({"data": {"points": [1, 0.5]}})),
            "data.points[1] may not stand in the ledger: a number is an integer below 2^53"
        );
        assert!(said(json!({"why": null})).starts_with("why "));
        assert!(said(json!({"a": 9_007_199_254_740_993_i64})).starts_with("a "));
        assert!(said(json!({"a": u64::MAX})).starts_with("a "));
        assert!(said(json!({"a": "x".repeat(MAX_STRING + 1)})).starts_with("a "));
        assert!(said(json!({"a": "\0"})).starts_with("a "));
    }
}
