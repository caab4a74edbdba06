//! One command as an aim: what it is, whether it changes something, and what it names of the place that it goes to.

use serde::Serialize;

use super::axis::Axis;

/// One command, and where it aims.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Aim {
    /// The line that it begins on; the first is 1.
    pub line: usize,
    /// The command as written, on one line, secrets masked, at most 160 characters.
    pub text: String,
    /// The tool as we call it: `kubectl` for every name of kubectl; what was typed where we do not know it.
    pub tool: String,
    pub effect: Effect,
    /// What the command names of its place, by itself or by what was typed before it.
    pub named: Vec<Named>,
    /// What would decide where it goes and is left to the shell that it will be run in.
    pub leaves: Vec<Axis>,
    /// What may set the place unseen: a fragment such as "`source .env` on line 1".
    pub clouded: Option<String>,
    /// Why it cannot be told what this aims at.
    pub trouble: Option<Trouble>,
}

/// What a command does to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    Changes,
    /// Looks, plans or compares.
    Reads,
    /// Changes where later commands of this shell aim: `kubectl config use-context`.
    Moves,
    /// Nothing outside the machine that it is typed on: `git commit`, `docker build`.
    Local,
    /// A tool we know, used in a way that we do not: it may change something.
    Unclear,
}

/// One coordinate that a command names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Named {
    pub axis: Axis,
    pub value: Value,
    pub by: By,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    Known(String),
    /// Decided only while it runs; why, as a fragment: "`$CONTEXT`".
    Unknowable(String),
}

/// How a command names it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// In the command itself.
    Argument,
    /// By a variable of this name, set before the command or on an earlier line.
    Variable(String),
    /// By an earlier command.
    Earlier { line: usize, text: String },
}

/// Why it cannot be told what a command aims at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// A script, a make target or the like: what it does stands elsewhere.
    Script,
    /// A program that is not in our list, or prose.
    Unfamiliar,
    /// The command's name is a variable or a substitution.
    Nameless,
    /// Quotes or brackets that do not close; a fragment.
    Unclosed(String),
    /// Characters that do not show, or that a chat program put in place of what was typed; a fragment.
    Characters(String),
    /// The text is longer than we read; how long it is, in bytes.
    TooLong(usize),
    /// More commands, or deeper ones, than we read.
    TooMany,
}

impl Aim {
    /// What it names on this axis, if anything.
    pub fn names(&self, axis: Axis) -> Option<&Value> {
        self.named.iter().find(|named| named.axis == axis).map(|named| &named.value)
    }
}
