//! Just enough YAML for the files of command line tools: maps, lists and scalars of the first document, within bounds.

use saphyr_parser::{Event, Parser};

/// The most values and the deepest nesting that are read.
const MOST: usize = 100_000;
const DEEPEST: usize = 32;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Yaml {
    Text(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
    /// An alias, which is never followed.
    Alias,
}

impl Yaml {
    /// The value of a key in a map.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        match self {
            Yaml::Map(pairs) => pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a key in a map, unless it is empty or null.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Yaml::Text(text)) if !text.is_empty() && text != "null" && text != "~" => Some(text),
            _ => None,
        }
    }

    /// The entries of a list under a key.
    pub fn list(&self, key: &str) -> &[Yaml] {
        match self.get(key) {
            Some(Yaml::List(list)) => list,
            _ => &[],
        }
    }
}

/// The first document; an empty map for an empty text, Err with a fragment for what is no YAML.
pub(crate) fn parse(text: &str) -> Result<Yaml, String> {
    // What is open, innermost last: a map with its waiting key, or a list.
    let mut open: Vec<(Yaml, Option<String>)> = Vec::new();
    let mut count = 0;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| format!("is no YAML (line {})", error.marker().line()))?;
        count += 1;
        if count > MOST || open.len() > DEEPEST {
            return Err("is larger or deeper than we read".to_owned());
        }
        let done = match event {
            Event::Scalar(text, ..) => Yaml::Text(text.into_owned()),
            Event::Alias(_) => Yaml::Alias,
            Event::SequenceStart(..) => {
                open.push((Yaml::List(Vec::new()), None));
                continue;
            }
            Event::MappingStart(..) => {
                open.push((Yaml::Map(Vec::new()), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some((done, _)) => done,
                None => return Err("is no YAML".to_owned()),
            },
            Event::DocumentEnd | Event::StreamEnd => return Ok(Yaml::Map(Vec::new())),
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => continue,
        };
        match open.last_mut() {
            Some((Yaml::List(list), _)) => list.push(done),
            Some((Yaml::Map(pairs), key)) => match (key.take(), done) {
                (Some(key), value) => pairs.push((key, value)),
                (None, Yaml::Text(text)) => *key = Some(text),
                (None, _) => *key = Some(String::new()),
            },
            _ => return Ok(done),
        }
    }
    Ok(Yaml::Map(Vec::new()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn block_flow_and_json_are_read_alike() {
        let block = parse("a: x\nb:\n- c: 'y z'\n  d: null\n").expect("yaml");
        assert_eq!(block.text("a"), Some("x"));
        assert_eq!(block.list("b")[0].text("c"), Some("y z"));
        assert_eq!(block.list("b")[0].text("d"), None);
        assert_eq!(parse("{\"a\": \"x\", \"b\": [{\"c\": \"y z\", \"d\": null}]}").expect("json"), block);
    }

    #[test]
    fn what_is_broken_or_endless_is_refused() {
        assert!(parse("a: [1, 2").is_err());
        assert!(parse("a:\n\t- b: {").is_err());
        assert!(parse(&"[".repeat(10_000)).is_err());
        assert!(parse(&"- a\n".repeat(200_000)).is_err());
        assert_eq!(parse("").expect("nothing"), Yaml::Map(Vec::new()));
    }

    #[test]
    fn aliases_are_not_followed() {
        let yaml = parse("a: &x [1, 1]\nb: [*x, *x]\n").expect("yaml");
        assert_eq!(yaml.list("b"), [Yaml::Alias, Yaml::Alias]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[ -~\n\t&*{}\\[\\]:,é|>'\"-]{0,200}") {
            let _ = parse(&text);
        }
    }
}
