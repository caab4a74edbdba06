//! What the shell that somebody sits at aims at: the contexts, accounts and workspaces that a command takes when it
//! names none. Read from variables and from the contents of the tools' own files; nothing is run, nothing is written.

mod clouds;
mod ini;
mod kube;
mod others;
pub(crate) mod yaml;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use self::kube::KubeContext;
use super::axis::Axis;

/// The most bytes of a file that are read.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What a shell aims at.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Ambient {
    /// In the order in which it was looked at; an axis that nothing sets is not in here.
    pub seen: Vec<Seen>,
}

/// One coordinate that a shell sets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Seen {
    pub axis: Axis,
    /// The tool that obeys it: `kubectl`.
    pub tool: &'static str,
    /// The value, or why it cannot be told, as a fragment: "is no YAML (line 3)".
    pub value: Result<String, String>,
    /// Another name of the same thing: the id of a subscription beside its name.
    pub also: Option<String>,
    /// Where it stands: `AWS_PROFILE`, `/home/ada/.kube/config`.
    pub from: String,
}

impl Ambient {
    /// What was seen on this axis.
    pub fn on(&self, axis: Axis) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(move |seen| seen.axis == axis)
    }

    /// The value on this axis, where one is known.
    pub fn value(&self, axis: Axis) -> Option<&str> {
        self.on(axis).find_map(|seen| seen.value.as_deref().ok())
    }
}

/// Looks around: `env` gives a variable's value, `read` the contents of a file or None where there is none that can be
/// read. `cwd` and `home` are absolute.
pub fn look(
    env: impl Fn(&str) -> Option<String>,
    read: impl Fn(&Path) -> Option<String>,
    cwd: &Path,
    home: &Path,
) -> Ambient {
    let mut around = Around { env: &env, read: &read, cwd, home, seen: Vec::new() };
    kube::look(&mut around);
    clouds::look(&mut around);
    others::look(&mut around);
    Ambient { seen: around.seen }
}

/// Every context of the kubeconfigs that `kubectl` would read, with its namespace; Err, as a fragment, where one of them
/// cannot be read.
pub fn kube_contexts(
    env: impl Fn(&str) -> Option<String>,
    read: impl Fn(&Path) -> Option<String>,
    cwd: &Path,
    home: &Path,
) -> Result<Vec<KubeContext>, String> {
    kube::contexts(&Around { env: &env, read: &read, cwd, home, seen: Vec::new() })
}

/// What can be asked, and what was seen so far.
struct Around<'a> {
    env: &'a dyn Fn(&str) -> Option<String>,
    read: &'a dyn Fn(&Path) -> Option<String>,
    cwd: &'a Path,
    home: &'a Path,
    seen: Vec<Seen>,
}

impl Around<'_> {
    /// A variable, unless it is empty.
    fn env(&self, name: &str) -> Option<String> {
        (self.env)(name).filter(|value| !value.is_empty())
    }

    /// A file's contents; Err, as a fragment, where it is too large.
    fn file(&self, path: &Path) -> Option<Result<String, String>> {
        let text = (self.read)(path)?;
        Some(if text.len() > MOST_BYTES { Err("is larger than 4 MiB".to_owned()) } else { Ok(text) })
    }

    /// A file's contents, where they can be had.
    fn text(&self, path: &Path) -> Option<String> {
        self.file(path)?.ok()
    }

    /// A folder named by a variable, or else one below home.
    fn folder(&self, variable: &str, below_home: &str) -> PathBuf {
        self.env(variable).map_or_else(|| self.home.join(below_home), |path| self.path(&path))
    }

    /// A path as a shell means it.
    fn path(&self, text: &str) -> PathBuf {
        match text.strip_prefix("~/") {
            Some(rest) => self.home.join(rest),
            None => self.cwd.join(text),
        }
    }

    fn add(&mut self, axis: Axis, tool: &'static str, value: Result<String, String>, from: impl Into<String>) {
        let value = value.map(|value| value.chars().filter(|c| !c.is_control()).take(512).collect());
        self.seen.push(Seen { axis, tool, value, also: None, from: from.into() });
    }

    /// The first of these variables that is set.
    fn add_env(&mut self, axis: Axis, tool: &'static str, variables: &[&str]) -> bool {
        let set = variables.iter().find_map(|name| Some((*name, self.env(name)?)));
        if let Some((name, value)) = set {
            self.add(axis, tool, Ok(value), name);
            return true;
        }
        false
    }
}

/// A path for people.
fn shown(path: &Path) -> String {
    path.display().to_string().chars().filter(|c| !c.is_control()).take(200).collect()
}
