//! The text of a command to its arguments: quotes, options, "did you mean".

use std::collections::BTreeMap;

use super::spec::{ALL, Argument, ArgumentKind, Spec};

/// The longest text of a whole command, in bytes, and of one value, in characters.
const LONGEST_COMMAND: usize = 32 * 1024;
const LONGEST_VALUE: usize = 4_000;

/// A command as typed, split into its parts; what the parts mean is looked up later.
#[derive(Clone, Debug)]
pub struct Arguments {
    pub spec: &'static Spec,
    pub values: BTreeMap<String, Vec<String>>,
}

/// Why a command does not read: one sentence for whoever typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadCommand(pub String);

impl Arguments {
    /// The value of an argument or option; empty ones count as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.first().map(String::as_str).map(str::trim).filter(|value| !value.is_empty())
    }

    /// Every value of an option that may be given several times.
    pub fn all(&self, name: &str) -> &[String] {
        self.values.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// A value split at commas and blanks, without a leading `@`.
    pub fn names(&self, name: &str) -> Vec<String> {
        let split = |text: &String| -> Vec<String> {
            text.split([',', ' ', '\n']).map(|name| name.trim().trim_start_matches('@').to_owned()).collect()
        };
        self.all(name).iter().flat_map(split).filter(|name| !name.is_empty()).collect()
    }

    /// A value split at commas.
    pub fn list(&self, name: &str) -> Vec<String> {
        let split = |text: &String| -> Vec<String> { text.split(',').map(|part| part.trim().to_owned()).collect() };
        self.all(name).iter().flat_map(split).filter(|part| !part.is_empty()).collect()
    }

    /// The arguments that must be given and were not.
    pub fn missing(&self) -> Vec<&'static Argument> {
        self.spec.arguments.iter().filter(|argument| !argument.optional && self.get(&argument.name).is_none()).collect()
    }
}

/// Reads `/deploy plan checkout production v2.14.0 --why "…"`, with or without the command's own name in front.
pub fn parse(text: &str, command: &str) -> Result<Arguments, BadCommand> {
    let bad = |says: String| Err(BadCommand(says));
    if text.len() > LONGEST_COMMAND {
        return bad(format!(
            "That is {} characters long; a command may have {LONGEST_COMMAND}. Put long texts behind a link.",
            text.chars().count()
        ));
    }
    if let Some(c) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return bad(format!(
            "The command holds a control character (U+{:04X}). Type it again without it.",
            u32::from(c)
        ));
    }
    let text = plain_quotes(text.trim());
    let rest = text.strip_prefix(command).unwrap_or(&text);
    let words = match shell_words::split(&keep_apostrophes(rest)) {
        Ok(words) => words,
        Err(_) => return bad("A quote is opened and not closed.".to_owned()),
    };
    let mut words = words.into_iter().map(|word| word.replace(APOSTROPHE, "'"));
    let Some(name) = words.next() else {
        return Ok(Arguments { spec: Spec::named("help").unwrap_or(&ALL[0]), values: BTreeMap::new() });
    };
    let Some(spec) = Spec::named(&name.to_lowercase()) else {
        let hint = nearest(&name.to_lowercase(), ALL.iter().map(|spec| spec.name.as_str()))
            .map(|near| format!(" Did you mean `{near}`?"))
            .unwrap_or_default();
        let name = crate::message::tame(&name, 40);
        return bad(format!("There is no command `{name}`.{hint} `{command} help` lists them."));
    };
    let values = sort_words(spec, words)?;
    Ok(Arguments { spec, values })
}

/// Gives each word its place: an option's value, the next argument, or more of a text that was not quoted.
fn sort_words(
    spec: &'static Spec,
    words: impl Iterator<Item = String>,
) -> Result<BTreeMap<String, Vec<String>>, BadCommand> {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut option: Option<(&Argument, Vec<String>)> = None;
    let mut places = spec.arguments.iter().peekable();
    for word in words {
        if let Some(typed) =
            word.strip_prefix("--").filter(|typed| typed.starts_with(|c: char| c.is_ascii_alphabetic()))
        {
            if let Some(full) = option.take() {
                put(&mut values, full)?;
            }
            let (name, value) = match typed.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (typed, None),
            };
            let Some(found) =
                spec.options.iter().chain(&spec.arguments).find(|option| option.name == name.to_lowercase())
            else {
                return Err(unknown_option(spec, name));
            };
            if found.kind == ArgumentKind::Flag && value.is_none() {
                put(&mut values, (found, vec!["yes".to_owned()]))?;
                continue;
            }
            option = Some((found, value.into_iter().collect()));
            continue;
        }
        match &mut option {
            Some((_, value)) if value.is_empty() => value.push(word),
            // Arguments may follow an option: what a place still waits for goes there.
            _ if places.peek().is_some_and(|place| place.kind == ArgumentKind::Rest) => {
                if let Some(place) = places.peek() {
                    values.entry(place.name.clone()).or_default().push(word);
                }
            }
            _ if places.peek().is_some_and(|place| values.contains_key(&place.name)) => {
                places.next();
                return Err(BadCommand(format!("`{}` is given twice.", crate::message::tame(&word, 60))));
            }
            _ if places.peek().is_some() => {
                if let Some(place) = places.next() {
                    values.insert(place.name.clone(), vec![word]);
                }
            }
            Some((open, value)) if takes_more(open.kind) => value.push(word),
            _ => {
                let word = crate::message::tame(&word, 60);
                return Err(BadCommand(format!(
                    "`{word}` is one word too many. Usage: `{}`. Put a text of several words in quotes.",
                    spec.usage()
                )));
            }
        }
    }
    if let Some(full) = option {
        put(&mut values, full)?;
    }
    for places in spec.arguments.iter().filter(|place| place.kind == ArgumentKind::Rest) {
        if let Some(words) = values.get_mut(&places.name) {
            *words = vec![words.join(" ")];
        }
    }
    for (name, value) in &values {
        for value in value {
            let length = value.chars().count();
            if length > LONGEST_VALUE {
                return Err(BadCommand(format!(
                    "`{name}` is {length} characters long; it may have {LONGEST_VALUE}. Put long texts behind a link."
                )));
            }
        }
    }
    check_choices(spec, &values)?;
    Ok(values)
}

fn takes_more(kind: ArgumentKind) -> bool {
    matches!(
        kind,
        ArgumentKind::Text
            | ArgumentKind::Long
            | ArgumentKind::Time
            | ArgumentKind::People
            | ArgumentKind::List
            | ArgumentKind::Span
    )
}

fn put(
    values: &mut BTreeMap<String, Vec<String>>,
    (option, words): (&Argument, Vec<String>),
) -> Result<(), BadCommand> {
    if words.is_empty() {
        return Err(BadCommand(format!("`--{}` needs a value: {}.", option.name, lower_first(&option.says))));
    }
    let value = words.join(" ");
    let known = values.entry(option.name.clone()).or_default();
    if !known.is_empty() && !option.many {
        return Err(BadCommand(format!("`--{}` is given twice.", option.name)));
    }
    known.push(value);
    Ok(())
}

fn check_choices(spec: &Spec, values: &BTreeMap<String, Vec<String>>) -> Result<(), BadCommand> {
    for argument in spec.arguments.iter().chain(&spec.options).filter(|a| a.kind == ArgumentKind::Choice) {
        for value in values.get(&argument.name).map(Vec::as_slice).unwrap_or_default() {
            let bare = |word: &str| word.to_lowercase().replace(['_', '-'], "");
            let plain = bare(value);
            if !argument.choices.iter().any(|choice| bare(choice) == plain) {
                let hint = nearest(&plain, argument.choices.iter().map(String::as_str))
                    .map(|near| format!(" Did you mean `{near}`?"))
                    .unwrap_or_default();
                return Err(BadCommand(format!(
                    "`{}` is no {}.{hint} It is one of {}.",
                    crate::message::tame(value, 60),
                    argument.label.to_lowercase(),
                    argument.choices.join(", ")
                )));
            }
        }
    }
    Ok(())
}

fn unknown_option(spec: &Spec, name: &str) -> BadCommand {
    let hint = match nearest(name, spec.options.iter().map(|option| option.name.as_str())) {
        Some(near) => format!(" Did you mean `--{near}`?"),
        None if spec.options.is_empty() => " It takes no options.".to_owned(),
        None => {
            let names: Vec<String> = spec.options.iter().map(|option| format!("--{}", option.name)).collect();
            format!(" It takes {}.", names.join(", "))
        }
    };
    BadCommand(format!("`{}` has no option `--{}`.{hint}", spec.name, crate::message::tame(name, 40)))
}

/// The name nearest to what was typed, if any is near: by edit distance, or because one begins with the other.
pub fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    if typed.is_empty() || typed.len() > 80 {
        return None;
    }
    names
        .map(|name| {
            let begins = typed.len() >= 3 && (name.starts_with(&typed) || typed.starts_with(name));
            let distance = strsim::damerau_levenshtein(&typed, &name.to_lowercase());
            (if begins { distance.min(1) } else { distance }, name)
        })
        .filter(|(distance, name)| *distance <= (name.len().max(typed.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Chats turn quotes and dashes into typographic ones; commands mean the plain ones.
fn plain_quotes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '“' | '”' | '„' | '«' | '»' => out.push('"'),
            '‘' | '’' => out.push('\''),
            '—' => out.push_str("--"),
            '\u{a0}' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// Stands for an apostrophe inside a word while quotes are read; from the private use area, so that nobody types it.
const APOSTROPHE: &str = "\u{e000}";

/// An apostrophe inside a word (`don't`) or inside double quotes opens no quote, and a backslash is a backslash.
fn keep_apostrophes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before: Option<char> = None;
    let mut double = false;
    for c in text.chars() {
        match c {
            '"' => {
                double = !double;
                out.push(c);
            }
            '\'' if double || before.is_some_and(char::is_alphanumeric) && !out.ends_with('=') && !in_single(&out) => {
                out.push_str(APOSTROPHE);
            }
            '\\' if before != Some('\\') => out.push_str("\\\\"),
            '\\' => {}
            other => out.push(other),
        }
        before = Some(c);
    }
    out
}

/// Whether a single quote stands open at the end of `text`.
fn in_single(text: &str) -> bool {
    let mut single = false;
    let mut double = false;
    for c in text.chars() {
        match c {
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            _ => {}
        }
    }
    single
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Arguments {
        parse(text, "/deploy").unwrap()
    }

    #[test]
    fn a_plan_reads_with_its_options() {
        let read = read(r#"/deploy plan checkout production v2.14.0 --why PAY-481 --rollback "redeploy v2.13.2""#);
        assert_eq!(read.get("service"), Some("checkout"));
        assert_eq!(read.get("version"), Some("v2.14.0"));
        assert_eq!(read.get("why"), Some("PAY-481"));
        assert_eq!(read.get("rollback"), Some("redeploy v2.13.2"));
    }

    #[test]
    fn typographic_quotes_and_dashes_are_what_chats_make_of_plain_ones() {
        assert_eq!(read("plan a b —why “it’s late”").get("why"), Some("it's late"));
    }

    #[test]
    fn a_text_without_quotes_goes_on_until_the_next_option() {
        let read = read("plan checkout production v1 --why fix the thing, don't wait --risk low");
        assert_eq!(read.get("why"), Some("fix the thing, don't wait"));
        assert_eq!(read.get("risk"), Some("low"));
    }

    #[test]
    fn a_flag_takes_no_value_with_it() {
        let read = read("lock --steal shop --why it burns");
        assert_eq!((read.get("steal"), read.get("of")), (Some("yes"), Some("shop")));
        assert_eq!(read.get("why"), Some("it burns"));
        assert!(parse("lock shop --steal --steal", "/deploy").unwrap_err().0.contains("given twice"));
    }

    #[test]
    fn options_may_come_first() {
        let read = read("plan --why PAY-1 checkout production v1");
        assert_eq!((read.get("service"), read.get("version")), (Some("checkout"), Some("v1")));
    }

    #[test]
    fn what_is_near_is_offered() {
        let says = |text| parse(text, "/deploy").unwrap_err().0;
        assert!(says("/deploy paln a b").contains("Did you mean `plan`?"));
        assert!(says("plan a b c --rolback x").contains("Did you mean `--rollback`?"));
        assert!(says("plan a b c --risk hihg").contains("Did you mean `high`?"));
        assert!(says("plan a b c --why").contains("needs a value"));
        assert!(says("plan a b c \"x").contains("not closed"));
        assert!(says("start a b").contains("one word too many"));
    }

    #[test]
    fn a_gigantic_or_broken_argument_is_one_clear_sentence() {
        assert!(parse(&format!("plan a b c --why {}", "x".repeat(100_000)), "/deploy").is_err());
        assert!(parse("plan a b c --why \u{7}", "/deploy").unwrap_err().0.contains("U+0007"));
    }

    #[test]
    fn why_takes_a_time_of_several_words() {
        assert_eq!(read("why 15 March 15:47").get("of"), Some("15 March 15:47"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let _ = parse(&text, "/deploy");
        }
    }
}
