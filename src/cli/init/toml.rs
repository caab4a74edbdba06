//! Settings as text: values that can hold anything, and tables that may be proposed as comments.

use std::fmt::Write as _;

use crate::message::{is_invisible, tame};

/// A longer line of a comment is cut.
const LONGEST_SAID: usize = 400;

/// A value of the settings.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    List(Vec<String>),
    Table(Vec<(String, Value)>),
    /// A secret, by the variable that holds it.
    Env(String),
    True,
}

/// One line: a key with its value, and what is said beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    key: &'static str,
    value: Value,
    says: Option<String>,
    /// Written as a comment, for a person to take or leave.
    doubtful: bool,
}

/// A table with what is said above it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stanza {
    heading: Heading,
    says: Vec<String>,
    entries: Vec<Entry>,
    doubtful: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Heading {
    /// `[a.b]`
    Table(Vec<String>),
    /// `[[a]]`
    Entry(&'static str),
}

impl Value {
    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(text.into())
    }

    /// As TOML on one line.
    fn written(&self) -> String {
        match self {
            Value::Text(text) => quoted(text),
            Value::List(list) => {
                let all: Vec<String> = list.iter().map(|text| quoted(text)).collect();
                format!("[{}]", all.join(", "))
            }
            Value::Table(pairs) => {
                let all: Vec<String> =
                    pairs.iter().map(|(name, value)| format!("{} = {}", key(name), value.written())).collect();
                format!("{{ {} }}", all.join(", "))
            }
            Value::Env(name) => format!("{{ env = {} }}", quoted(name)),
            Value::True => "true".to_owned(),
        }
    }
}

impl Stanza {
    /// `[a.b]`.
    pub fn table<'a>(path: impl IntoIterator<Item = &'a str>) -> Stanza {
        let path = path.into_iter().map(str::to_owned).collect();
        Stanza { heading: Heading::Table(path), says: Vec::new(), entries: Vec::new(), doubtful: false }
    }

    /// `[[source]]`, of a kind and with a name.
    pub fn source(kind: &str, name: &str) -> Stanza {
        let heading = Heading::Entry("source");
        let stanza = Stanza { heading, says: Vec::new(), entries: Vec::new(), doubtful: false };
        stanza.with("kind", Value::text(kind)).with("name", Value::text(name))
    }

    /// Says something above the table.
    pub fn says(mut self, text: impl Into<String>) -> Stanza {
        self.says.push(text.into());
        self
    }

    pub fn with(self, key: &'static str, value: Value) -> Stanza {
        self.entry(key, value, None, false)
    }

    /// The same with where it comes from.
    pub fn because(self, key: &'static str, value: Value, says: impl Into<String>) -> Stanza {
        self.entry(key, value, Some(says.into()), false)
    }

    /// As a comment: it may be meant.
    pub fn perhaps(self, key: &'static str, value: Value, says: impl Into<String>) -> Stanza {
        self.entry(key, value, Some(says.into()), true)
    }

    fn entry(mut self, key: &'static str, value: Value, says: Option<String>, doubtful: bool) -> Stanza {
        self.entries.push(Entry { key, value, says, doubtful });
        self
    }

    /// The whole table as a comment.
    pub fn doubtful(mut self) -> Stanza {
        self.doubtful = true;
        self
    }

    pub fn write(&self, out: &mut String) {
        for line in &self.says {
            remark(out, line);
        }
        let off = if self.doubtful { "# " } else { "" };
        let heading = match &self.heading {
            Heading::Table(path) => {
                let path: Vec<String> = path.iter().map(|part| key(part)).collect();
                format!("[{}]", path.join("."))
            }
            Heading::Entry(name) => format!("[[{name}]]"),
        };
        let _ = writeln!(out, "{off}{heading}");
        for entry in &self.entries {
            let off = if self.doubtful || entry.doubtful { "# " } else { "" };
            let says = entry.says.as_ref().map(|says| format!("   # {}", tame(says, LONGEST_SAID))).unwrap_or_default();
            let _ = writeln!(out, "{off}{} = {}{says}", entry.key, entry.value.written());
        }
        out.push('\n');
    }
}

/// A line of comment.
pub fn remark(out: &mut String, text: &str) {
    let text = tame(text, LONGEST_SAID);
    let _ = if text.is_empty() { writeln!(out, "#") } else { writeln!(out, "# {text}") };
}

/// A key, quoted where it has to be.
fn key(text: &str) -> String {
    let bare = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { text.to_owned() } else { quoted(text) }
}

/// A basic string: whatever could end it, or read as something that it is not, is an escape.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() || is_invisible(c) => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_written_is_read_as_the_same(
            name in "\\PC{1,20}|[\\x00-\\x7f]{1,20}", says in "(\\PC|\n|\r|\\[evil\\]){0,40}", text in "(\\PC|[\\x00-\\x1f]|\u{202e}|\"){0,40}",
        ) {
            let stanza = Stanza::table(["people", name.as_str()])
                .says(says.clone())
                .because("name", Value::text(text.clone()), says.clone())
                .perhaps("email", Value::List(vec![text.clone()]), says.clone());
            let mut out = String::new();
            stanza.write(&mut out);
            stanza.clone().doubtful().write(&mut out);
            let read: toml::Table = toml::from_str(&out).unwrap();
            prop_assert_eq!(read.len(), 1);
            let people = read["people"].as_table().unwrap();
            prop_assert_eq!(people.len(), 1);
            let about = people[&name].as_table().unwrap();
            prop_assert_eq!(about.len(), 1);
            prop_assert_eq!(about["name"].as_str(), Some(text.as_str()));
        }
    }
}
