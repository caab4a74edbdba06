//! The tools that we can read, as data. A new tool is one entry in one of these lists.

mod cloud;
mod data;
mod deploy;
mod kube;
mod wrap;

use super::aim::{Effect, Value};
use super::axis::Axis;

pub(super) use data::expand_address;
pub(super) use wrap::{LOCAL, SCRIPTS, WRAPPERS, Wrapper};

/// Every tool that we can read, by family.
pub(super) const TOOLS: &[&[Tool]] = &[kube::TOOLS, cloud::TOOLS, deploy::TOOLS, data::TOOLS];

/// How one tool is told where to go. Phrases are subcommands, separated by commas; `*` ends a word that may go on.
pub(super) struct Tool {
    /// Its names; the first is the one that we use.
    pub names: &'static [&'static str],
    /// What a person would say is missing: "cluster".
    pub place_word: &'static str,
    /// What decides where it goes: any one of these names the place.
    pub place: &'static [Axis],
    /// What should be named as well, where the settings list it.
    pub within: &'static [Axis],
    /// Options that name something.
    pub flags: &'static [(&'static str, Axis)],
    /// Other options that take the next word as their value, separated by spaces.
    pub takes: &'static str,
    /// Variables that name something, those that win first.
    pub vars: &'static [(&'static str, Axis)],
    pub changes: &'static str,
    pub reads: &'static str,
    pub local: &'static str,
    /// Options that make it only look.
    pub dry: &'static [&'static str],
    /// The word after this phrase names something.
    pub operands: &'static [(&'static str, Axis)],
    /// Phrases that change where later commands aim.
    pub moves: &'static [Move],
    /// How many leading words can be a phrase.
    pub depth: usize,
    /// What it does where no phrase matches.
    pub otherwise: Effect,
    /// Used for much else: without settings for it, an unnamed place is unknown, not a fault.
    pub soft: bool,
    /// What a list cannot say.
    pub look: Option<fn(&Args, &mut Look)>,
}

/// A phrase that changes where later commands aim.
pub(super) struct Move {
    pub phrase: &'static str,
    /// The word after the phrase means this.
    pub operand: Option<Axis>,
    /// Options of this phrase that mean something else than the tool's own.
    pub flags: &'static [(&'static str, Axis)],
}

/// A command's arguments, read by its tool's entry.
pub(super) struct Args {
    /// Words that are neither options nor their values.
    pub operands: Vec<Value>,
    /// Options with their values, where they take one.
    pub options: Vec<(String, Option<Value>)>,
    /// Every word, in order.
    pub words: Vec<Value>,
    /// What comes in from a here-document.
    pub input: Option<String>,
}

/// What a tool's own function found.
#[derive(Default)]
pub(super) struct Look {
    pub named: Vec<(Axis, Value)>,
    pub effect: Option<Effect>,
}

/// What every entry begins from.
pub(super) const PLAIN: Tool = Tool {
    names: &[],
    place_word: "target",
    place: &[],
    within: &[],
    flags: &[],
    takes: "",
    vars: &[],
    changes: "",
    reads: "",
    local: "",
    dry: &["--dry-run"],
    operands: &[],
    moves: &[],
    depth: 64,
    otherwise: Effect::Unclear,
    soft: false,
    look: None,
};

/// The entry of a tool by any of its names.
pub(super) fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().flat_map(|family| family.iter()).find(|tool| tool.names.contains(&name))
}

impl Args {
    /// The value of an option, by any of these names.
    pub fn option(&self, names: &[&str]) -> Option<&Value> {
        self.options.iter().filter(|(name, _)| names.contains(&name.as_str())).find_map(|(_, value)| value.as_ref())
    }

    pub fn has(&self, names: &[&str]) -> bool {
        self.options.iter().any(|(name, _)| names.contains(&name.as_str()))
    }

    pub fn operand(&self, at: usize) -> Option<&str> {
        self.operands.get(at).and_then(known)
    }
}

/// The value, where it is known.
pub(super) fn known(value: &Value) -> Option<&str> {
    match value {
        Value::Known(text) => Some(text),
        Value::Unknowable(_) => None,
    }
}

impl Tool {
    /// Sorts words into options, their values and operands.
    pub fn sort(&self, words: Vec<Value>, input: Option<String>) -> Args {
        let mut args = Args { operands: Vec::new(), options: Vec::new(), words: words.clone(), input };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let Some(text) = known(&word).map(str::to_owned) else {
                // `--context=$CONTEXT` is an option whose value is unknown.
                match &word {
                    Value::Unknowable(raw) => match raw.trim_matches('`').split_once('=') {
                        Some((name, rest)) if name.starts_with('-') => {
                            let value = Value::Unknowable(format!("`{}`", rest.trim_matches(['"', '\''])));
                            args.options.push((name.to_owned(), Some(value)));
                        }
                        _ => args.operands.push(word),
                    },
                    Value::Known(_) => args.operands.push(word),
                }
                continue;
            };
            if text == "--" {
                break;
            }
            if !text.starts_with('-') || text.len() == 1 {
                args.operands.push(word);
            } else if let Some((name, value)) = text.split_once('=').filter(|(name, _)| name.len() > 1) {
                args.options.push((name.to_owned(), Some(Value::Known(value.to_owned()))));
            } else if self.takes_value(&text) {
                args.options.push((text, words.next()));
            } else if let Some((name, value)) = self.attached(&text) {
                args.options.push((name.to_owned(), Some(Value::Known(value.to_owned()))));
            } else {
                args.options.push((text, None));
            }
        }
        args
    }

    /// What the axis of an option is, whether written with one dash or two.
    pub fn axis_of(&self, option: &str) -> Option<Axis> {
        self.flags.iter().find(|(flag, _)| same_option(flag, option)).map(|(_, axis)| *axis)
    }

    fn takes_value(&self, option: &str) -> bool {
        let on_move = || self.moves.iter().flat_map(|step| step.flags).any(|(flag, _)| same_option(flag, option));
        self.axis_of(option).is_some() || self.takes.split(' ').any(|flag| same_option(flag, option)) || on_move()
    }

    /// `-nprod` as `-n` and `prod`.
    fn attached<'a>(&self, text: &'a str) -> Option<(&'a str, &'a str)> {
        if text.starts_with("--") || text.len() < 3 || !text.is_char_boundary(2) {
            return None;
        }
        let (short, value) = text.split_at(2);
        self.flags.iter().any(|(flag, _)| *flag == short).then_some((short, value))
    }

    /// What these arguments do, and the words after the phrase that says so.
    pub fn effect<'a>(&self, args: &'a Args) -> (Effect, Option<&'static Move>, &'a [Value]) {
        let texts: Vec<&str> = args.operands.iter().map(|value| known(value).unwrap_or("")).collect();
        for start in 0..texts.len().min(self.depth) {
            let here = &texts[start..];
            let lists = [(self.changes, Effect::Changes), (self.reads, Effect::Reads), (self.local, Effect::Local)];
            let step =
                self.moves.iter().filter_map(|step| Some((matched(step.phrase, here)?, Effect::Moves, Some(step))));
            let longest = lists
                .into_iter()
                .filter_map(|(list, effect)| {
                    Some((
                        list.split(", ")
                            .filter(|phrase| !phrase.is_empty())
                            .filter_map(|phrase| matched(phrase, here))
                            .max()?,
                        effect,
                        None,
                    ))
                })
                .chain(step)
                .max_by_key(|(length, _, _)| *length);
            if let Some((length, effect, step)) = longest {
                let after = &args.operands[start + length..];
                let dry = effect == Effect::Changes && self.is_dry(args);
                return (if dry { Effect::Reads } else { effect }, step, after);
            }
        }
        let dry = self.otherwise != Effect::Local && self.is_dry(args);
        (if dry { Effect::Reads } else { self.otherwise }, None, &args.operands)
    }

    fn is_dry(&self, args: &Args) -> bool {
        args.options.iter().any(|(name, value)| {
            self.dry.contains(&name.as_str())
                && !matches!(value.as_ref().map(known), Some(None | Some("none" | "false" | "0")))
        })
    }

    /// What the operands after certain phrases name.
    pub fn named_operands(&self, args: &Args) -> Vec<(Axis, Value)> {
        let texts: Vec<&str> = args.operands.iter().map(|value| known(value).unwrap_or("")).collect();
        let find =
            |phrase: &str| (0..texts.len().min(self.depth)).find_map(|at| Some(at + matched(phrase, &texts[at..])?));
        self.operands
            .iter()
            .filter_map(|(phrase, axis)| Some((*axis, args.operands.get(find(phrase)?)?.clone())))
            .collect()
    }

    /// How to name `value` on `axis`, as an instruction: "add `--context prod-us`".
    pub fn spell(&self, axis: Axis, value: &str) -> Option<String> {
        let value = if value.contains(|c: char| c.is_whitespace() || "'\"$;&|<>()".contains(c)) {
            format!("'{}'", value.replace('\'', ""))
        } else {
            value.to_owned()
        };
        let flags = || self.flags.iter().filter(|(_, of)| *of == axis).map(|(flag, _)| *flag);
        if let Some(flag) = flags().find(|flag| flag.starts_with("--")).or_else(|| flags().next()) {
            let joint = if !flag.starts_with("--") && flag.len() > 2 { "=" } else { " " };
            return Some(format!("add `{flag}{joint}{value}`"));
        }
        if let Some((variable, _)) = self.vars.iter().find(|(_, of)| *of == axis) {
            return Some(format!("put `{variable}={value}` before it"));
        }
        let step = self.moves.iter().find(|step| step.operand == Some(axis))?;
        Some(format!("run `{} {} {value}` before it", self.names[0], step.phrase))
    }
}

/// How many words of `here` the phrase takes, if it matches at their start.
fn matched(phrase: &str, here: &[&str]) -> Option<usize> {
    let mut length = 0;
    if phrase.is_empty() {
        return Some(0);
    }
    for word in phrase.split(' ') {
        let typed = here.get(length)?;
        let fits = match word.strip_suffix('*') {
            Some(start) => typed.starts_with(start),
            None => word == *typed,
        };
        if !fits {
            return None;
        }
        length += 1;
    }
    Some(length)
}

/// Whether two spellings are one option: `-chdir` is `--chdir`, but `-n` is not `--n`.
fn same_option(flag: &str, typed: &str) -> bool {
    let (name, other) = (flag.trim_start_matches('-'), typed.trim_start_matches('-'));
    !name.is_empty() && name == other && (name.len() > 1 || flag == typed)
}
