//! Words worked out as far as they can be without running anything, and programs that only run others taken off.

use super::aim::Value;
use super::paste;
use super::shell::{Part, Word, is_name};
use super::state::Shell;
use super::tools::{WRAPPERS, Wrapper, known};

/// The longest value and word that are kept.
const LONGEST_VALUE: usize = 4096;
const LONGEST_WORD: usize = 64 * 1024;

/// The machine that a nested command runs on.
#[derive(Clone)]
pub(super) struct Remote {
    pub host: Value,
    pub line: usize,
    pub text: String,
}

/// One command, its words worked out as far as they can be.
pub(super) struct Command<'a> {
    pub line: usize,
    /// For showing.
    pub text: String,
    pub arguments: Vec<Argument>,
    /// Variables set for this command alone.
    pub prefix: Vec<(String, Value)>,
    pub input: Option<String>,
    pub remote: Option<&'a Remote>,
}

/// A word worked out, and its text for reading it as a command again.
#[derive(Clone)]
pub(super) struct Argument {
    pub value: Value,
    pub text: String,
}

/// `NAME=value` as name and value.
pub(super) fn assignment(word: &Word, shell: &Shell) -> Option<(String, Value)> {
    let name = word.raw.split('=').next().filter(|name| name.len() < word.raw.len() && is_name(name))?;
    let mut rest = word.clone();
    match rest.parts.first_mut() {
        Some(Part::Text(text)) => *text = text.get(name.len() + 1..)?.to_owned(),
        _ => return None,
    }
    rest.raw = word.raw[name.len() + 1..].to_owned();
    Some((name.to_owned(), value_of(&rest, shell)))
}

/// The words that one word becomes: several for an unquoted variable that holds several.
pub(super) fn worked_out(word: &Word, shell: &Shell) -> Vec<Argument> {
    let value = value_of(word, shell);
    if let ([Part::Variable(_)], Value::Known(text)) = (word.parts.as_slice(), &value)
        && !word.raw.starts_with('"')
        && text.contains(char::is_whitespace)
    {
        let words = text.split_whitespace().take(64);
        return words.map(|word| Argument { value: Value::Known(word.to_owned()), text: word.to_owned() }).collect();
    }
    let text = word.parts.iter().map(|part| match part {
        Part::Text(text) => text.clone(),
        Part::Variable(name) => match shell.variables.get(name).map(|variable| &variable.value) {
            Some(Value::Known(text)) => text.clone(),
            _ => format!("${name}"),
        },
        Part::Commands(_) | Part::Other => "$_".to_owned(),
    });
    vec![Argument { text: text.collect::<String>().chars().take(LONGEST_WORD).collect(), value }]
}

pub(super) fn value_of(word: &Word, shell: &Shell) -> Value {
    let mut text = String::new();
    for part in &word.parts {
        match part {
            Part::Text(more) => text.push_str(more),
            Part::Variable(name) => match shell.variables.get(name).map(|variable| &variable.value) {
                Some(Value::Known(more)) if text.len() + more.len() <= LONGEST_VALUE => text.push_str(more),
                Some(Value::Unknowable(why)) if word.parts.len() == 1 => return Value::Unknowable(why.clone()),
                _ => return unknowable(word),
            },
            Part::Commands(_) | Part::Other => return unknowable(word),
        }
    }
    Value::Known(text)
}

pub(super) fn unknowable(word: &Word) -> Value {
    Value::Unknowable(format!("`{}`", paste::shown([word].into_iter()).chars().take(80).collect::<String>()))
}

/// Takes off `sudo`, `env`, `aws-vault exec prod --` and the like. Some: what sets variables that we cannot see.
pub(super) fn unwrap(command: &mut Command, shell: &Shell) -> Option<String> {
    let mut clouded = None;
    for _ in 0..16 {
        let texts: Vec<Option<&str>> = command.arguments.iter().map(|argument| known(&argument.value)).collect();
        let Some(Some(first)) = texts.first() else { break };
        let name = base(first);
        let fits = |wrapper: &&Wrapper| {
            wrapper.name == name
                && (wrapper.subcommand.is_empty() || texts.get(1).copied().flatten() == Some(wrapper.subcommand))
        };
        let Some(wrapper) = WRAPPERS.iter().find(fits) else { break };
        let mut at = if wrapper.subcommand.is_empty() { 1 } else { 2 };
        let mut prefix = Vec::new();
        let mut operands = wrapper.operands.iter();
        while let Some(argument) = command.arguments.get(at) {
            let text = known(&argument.value).unwrap_or("");
            if text == "--" {
                at += 1;
                break;
            }
            if text.starts_with('-') && text.len() > 1 {
                at += if wrapper.takes.split(' ').any(|flag| flag == text) { 2 } else { 1 };
            } else if let Some((name, value)) =
                text.split_once('=').filter(|(name, _)| name.len() < 128 && is_name(name))
            {
                prefix.push((name.to_owned(), Value::Known(value.to_owned())));
                at += 1;
            } else if let Some(name) =
                argument.text.split('=').next().filter(|name| name.len() < argument.text.len() && is_name(name))
            {
                prefix.push((name.to_owned(), argument.value.clone()));
                at += 1;
            } else if let Some(operand) = operands.next() {
                if operand.is_some() {
                    prefix.push(("AWS_PROFILE".to_owned(), argument.value.clone()));
                }
                at += 1;
            } else {
                break;
            }
        }
        if at >= command.arguments.len() {
            break;
        }
        if wrapper.clouds {
            clouded = Some(format!("`{} {}`", wrapper.name, wrapper.subcommand).replace(" `", "`"));
        }
        command.prefix.extend(prefix);
        command.arguments.drain(..at);
    }
    clouded.or_else(|| shell.clouded.clone()).filter(|_| shell.clouded.is_none())
}

/// The host without user, scheme and port.
pub(super) fn host_alone(value: Value) -> Value {
    match value {
        Value::Known(text) => {
            let text = text.strip_prefix("ssh://").unwrap_or(&text);
            let host = text.rsplit('@').next().unwrap_or(text);
            let host = match host.split_once(':') {
                Some((name, port)) if !name.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
                _ => host,
            };
            Value::Known(host.to_owned())
        }
        unknowable => unknowable,
    }
}

/// A path from where we are; what is unknown stays so.
pub(super) fn join(from: Option<&Value>, to: &Value) -> Value {
    let Value::Known(to) = to else { return to.clone() };
    if to == "-" {
        return Value::Unknowable("`cd -`".to_owned());
    }
    let from = match from {
        _ if to.starts_with(['/', '~']) => "",
        Some(Value::Known(from)) => from,
        Some(unknowable) => return unknowable.clone(),
        None => "",
    };
    let mut steps: Vec<&str> = Vec::new();
    for step in from.split('/').chain(to.split('/')).filter(|step| !step.is_empty() && *step != ".") {
        if step == ".." && steps.last().is_some_and(|last| *last != "..") {
            steps.pop();
        } else {
            steps.push(step);
        }
        if steps.len() > 64 {
            return Value::Unknowable("a path too deep to follow".to_owned());
        }
    }
    let root = if to.starts_with('/') || (from.starts_with('/') && !to.starts_with('~')) { "/" } else { "" };
    Value::Known(format!("{root}{}", steps.join("/")))
}

/// The program's name without its path.
pub(super) fn base(typed: &str) -> &str {
    let name = typed.rsplit('/').next().unwrap_or(typed);
    name.strip_suffix(".exe").unwrap_or(name)
}
