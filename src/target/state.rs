//! What a shell has in mind between two commands, and how branches, loops and subshells change or undo it.

use std::collections::{BTreeMap, BTreeSet};

use super::aim::Value;
use super::axis::Axis;
use super::expand::worked_out;
use super::shell::{Word, is_name};

/// How deep brackets, branches and loops may nest.
pub(super) const MOST_FRAMES: usize = 32;
/// The most variables that are kept in mind.
const MOST_VARIABLES: usize = 256;

/// What a shell has in mind between two commands.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Shell {
    pub variables: BTreeMap<String, Variable>,
    /// Where `cd` went, with the line.
    pub directory: Option<(Value, usize)>,
    /// What moved where tools aim, in files that outlive this shell.
    pub moved: BTreeMap<Axis, Moved>,
    /// What may have set anything, unseen.
    pub clouded: Option<String>,
    /// After `set -a`.
    pub exports_all: bool,
    /// Functions that were defined; their bodies were read where they stand.
    pub functions: BTreeSet<String>,
}

#[derive(Clone, PartialEq)]
pub(super) struct Variable {
    pub value: Value,
    pub exported: bool,
}

/// Set by an earlier command.
#[derive(Clone, PartialEq)]
pub(super) struct Moved {
    pub value: Value,
    pub line: usize,
    pub text: String,
    /// The directory that it holds in, for what is kept by directory.
    pub directory: Option<Value>,
}

/// What a bracket, branch or loop goes back to.
pub(super) enum Frame {
    /// `( … )`: variables end with it.
    Subshell(Shell),
    /// `if`, `for`, `while`: what differs afterwards is not known.
    Maybe(Shell, Vec<Shell>),
    Case(Shell),
    Group,
}

/// Takes off words of the shell's own grammar, and keeps its frames.
pub(super) fn reserved(words: &mut Vec<(usize, Word)>, frames: &mut Vec<Frame>, shell: &mut Shell) {
    let mut taken = 0;
    loop {
        if taken > 0 {
            words.drain(..1);
        }
        taken += 1;
        if taken > 2 * MOST_FRAMES {
            words.clear();
            return;
        }
        let Some(first) = words.first().map(|(_, word)| word.raw.clone()) else { return };
        match first.as_str() {
            "if" | "while" | "until" if frames.len() < MOST_FRAMES => {
                frames.push(Frame::Maybe(shell.clone(), Vec::new()))
            }
            "{" if frames.len() < MOST_FRAMES => frames.push(Frame::Group),
            "if" | "while" | "until" | "{" => {}
            "then" | "do" | "!" => {}
            "else" | "elif" => {
                if let Some(Frame::Maybe(before, others)) = frames.last_mut() {
                    if others.len() < 16 {
                        others.push(shell.clone());
                    }
                    *shell = before.clone();
                }
            }
            "fi" | "done" | "esac" | "}" => {
                match frames.pop() {
                    Some(Frame::Maybe(before, mut others)) => {
                        others.push(before);
                        doubt(shell, &others);
                    }
                    Some(Frame::Case(before)) => doubt(shell, &[before]),
                    Some(other @ Frame::Subshell(_)) => frames.push(other),
                    Some(Frame::Group) | None => {}
                }
                words.clear();
                return;
            }
            "for" | "select" => {
                let before = shell.clone();
                let values: Vec<Value> = words
                    .iter()
                    .skip(3)
                    .filter_map(|(_, word)| worked_out(word, shell).pop())
                    .map(|argument| argument.value)
                    .collect();
                if let Some(name) = words.get(1).map(|(_, word)| word.raw.clone()).filter(|name| is_name(name)) {
                    let value = match values.as_slice() {
                        [only] => only.clone(),
                        _ => Value::Unknowable(format!("`${name}`, which changes with each turn of a loop")),
                    };
                    set_variable(shell, name, value, false);
                }
                frames.push(Frame::Maybe(before, Vec::new()));
                words.clear();
                return;
            }
            "case" => {
                frames.push(Frame::Case(shell.clone()));
                words.clear();
                return;
            }
            "function" => {
                if let Some((_, name)) = words.get(1) {
                    shell.functions.insert(name.raw.clone());
                }
                let opens = words.last().is_some_and(|(_, word)| word.raw == "{");
                if opens {
                    frames.push(Frame::Group);
                }
                words.clear();
                return;
            }
            _ => return,
        }
    }
}

/// Leaves a subshell: variables are as before, files stay written.
pub(super) fn leave(shell: &mut Shell, earlier: Shell) {
    let moved = std::mem::take(&mut shell.moved);
    *shell = Shell { moved, ..earlier };
}

/// What differs from any of the other ways that it may have gone is not known any more.
pub(super) fn doubt(shell: &mut Shell, others: &[Shell]) {
    for other in others {
        let names: BTreeSet<String> = shell.variables.keys().chain(other.variables.keys()).cloned().collect();
        for name in names {
            if shell.variables.get(&name) != other.variables.get(&name) {
                let value = Value::Unknowable(format!("`${name}`, which is set on one of several ways"));
                set_variable(shell, name, value, true);
            }
        }
        let axes: BTreeSet<_> = shell.moved.keys().chain(other.moved.keys()).copied().collect();
        for axis in axes {
            if shell.moved.get(&axis) != other.moved.get(&axis)
                && let Some(mut moved) = shell.moved.get(&axis).or_else(|| other.moved.get(&axis)).cloned()
            {
                moved.value = Value::Unknowable(format!("`{}`, which may not have run", moved.text));
                shell.moved.insert(axis, moved);
            }
        }
        if shell.directory != other.directory {
            let line = shell.directory.as_ref().or(other.directory.as_ref()).map_or(1, |(_, line)| *line);
            shell.directory = Some((Value::Unknowable("a `cd` that may not have run".to_owned()), line));
        }
        shell.clouded = shell.clouded.take().or_else(|| other.clouded.clone());
    }
}

pub(super) fn set_variable(shell: &mut Shell, name: String, value: Value, exported: bool) {
    if shell.variables.len() < MOST_VARIABLES || shell.variables.contains_key(&name) {
        shell.variables.insert(name, Variable { value, exported });
    }
}
