//! Which packages a change adds, raises, lowers or takes away, from the lock files before and after it.
//!
//! Packages from elsewhere than their ecosystem's registry (a folder, a repository) are no releases that anybody could warn
//! of, and are left out.

mod between;
mod lines;
mod maven;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

pub(in crate::source) use self::between::between;
use super::paths::file_name;
use crate::advice::facts::PackageChange;

/// Larger lock files are not read, in bytes.
pub(in crate::source) const LARGEST: usize = 16 << 20;
/// So many lock files of one change are read.
pub(in crate::source) const MOST_FILES: usize = 20;
/// So many packages that differ are told.
const MOST: usize = 1_000;
/// Longer names and versions are not those of a package.
const LONGEST: usize = 214;

/// A kind of lock file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Lock {
    Cargo,
    Npm,
    Yarn,
    Pnpm,
    GoSum,
    Requirements,
    /// `poetry.lock`, `uv.lock`, `pdm.lock`: TOML with `[[package]]`.
    Python,
    Pipfile,
    Gemfile,
    Composer,
    Gradle,
    /// `pom.xml`, which locks nothing but says what is wanted, most often exactly.
    Maven,
}

/// The packages that a lock file names, each with its versions; several of one package can be locked.
type Locked = BTreeMap<String, BTreeSet<String>>;

impl Lock {
    /// The kind of a path; None: it is no lock file, or of a kind that is not read.
    pub fn of(path: &str) -> Option<Lock> {
        let name = file_name(path).to_ascii_lowercase();
        Some(match name.as_str() {
            "cargo.lock" => Lock::Cargo,
            "package-lock.json" | "npm-shrinkwrap.json" => Lock::Npm,
            "yarn.lock" => Lock::Yarn,
            "pnpm-lock.yaml" => Lock::Pnpm,
            "go.sum" => Lock::GoSum,
            "poetry.lock" | "uv.lock" | "pdm.lock" => Lock::Python,
            "pipfile.lock" => Lock::Pipfile,
            "gemfile.lock" => Lock::Gemfile,
            "composer.lock" => Lock::Composer,
            "gradle.lockfile" => Lock::Gradle,
            "pom.xml" => Lock::Maven,
            other if other.starts_with("requirements") && other.ends_with(".txt") => Lock::Requirements,
            _ => return None,
        })
    }

    /// Its ecosystem as OSV calls it (https://ossf.github.io/osv-schema/#defined-ecosystems).
    fn ecosystem(self) -> &'static str {
        match self {
            Lock::Cargo => "crates.io",
            Lock::Npm | Lock::Yarn | Lock::Pnpm => "npm",
            Lock::GoSum => "Go",
            Lock::Requirements | Lock::Python | Lock::Pipfile => "PyPI",
            Lock::Gemfile => "RubyGems",
            Lock::Composer => "Packagist",
            Lock::Gradle | Lock::Maven => "Maven",
        }
    }

    /// None: the text is not what the name promises.
    fn read(self, text: &str) -> Option<Locked> {
        if text.trim().is_empty() {
            return Some(Locked::new());
        }
        let pairs = match self {
            Lock::Cargo => tree::cargo(text)?,
            Lock::Npm => tree::npm(text)?,
            Lock::Python => tree::python(text)?,
            Lock::Pipfile => tree::pipfile(text)?,
            Lock::Composer => tree::composer(text)?,
            Lock::Maven => maven::pom(text)?,
            Lock::Yarn => lines::yarn(text),
            Lock::Pnpm => lines::pnpm(text),
            Lock::GoSum => lines::go_sum(text),
            Lock::Requirements => lines::requirements(text),
            Lock::Gemfile => lines::gemfile(text),
            Lock::Gradle => lines::gradle(text),
        };
        let mut locked = Locked::new();
        for (name, version) in pairs {
            if is_plain(&name) && is_plain(&version) {
                locked.entry(name).or_default().insert(version);
            }
        }
        Some(locked)
    }
}

/// What differs between a lock file's text before and after; an empty text is a file that is not there. The error says why
/// it cannot be told, as a fragment.
pub(in crate::source) fn compare(path: &str, before: &str, after: &str) -> Result<Vec<PackageChange>, String> {
    let Some(lock) = Lock::of(path) else { return Err("it is of a kind that is not read".to_owned()) };
    let not_read = |text| lock.read(text).ok_or_else(|| "it is not what its name promises".to_owned());
    let (before, after) = (not_read(before)?, not_read(after)?);
    let none = BTreeSet::new();
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        let (old, new) = (before.get(name).unwrap_or(&none), after.get(name).unwrap_or(&none));
        let mut gone: Vec<&String> = old.difference(new).collect();
        gone.sort_by_key(|version| numbers(version));
        let mut come: Vec<&String> = new.difference(old).collect();
        come.sort_by_key(|version| numbers(version));
        // The highest that went is taken for what the highest that came replaces, and so on down.
        for at in 0..gone.len().max(come.len()) {
            let nth = |list: &[&String]| list.len().checked_sub(at + 1).map(|n| list[n].clone());
            found.push(PackageChange {
                name: name.clone(),
                ecosystem: lock.ecosystem().to_owned(),
                from: nth(&gone),
                to: nth(&come),
            });
        }
    }
    Ok(found)
}

/// Puts together what several lock files said: each package once, bounded. The second part says what was left out.
pub(in crate::source) fn joined(mut found: Vec<PackageChange>) -> (Vec<PackageChange>, Option<String>) {
    // What came first: where the bound cuts, what went away is lost before what came.
    found.sort_by(|a, b| {
        let key =
            |p: &PackageChange| (p.to.is_none(), p.ecosystem.clone(), p.name.clone(), p.from.clone(), p.to.clone());
        key(a).cmp(&key(b))
    });
    found.dedup();
    let cut =
        (found.len() > MOST).then(|| format!("only the first {MOST} packages of {} that differ are told", found.len()));
    found.truncate(MOST);
    (found, cut)
}

/// The numbers of a version, to tell higher from lower where that is obvious.
fn numbers(version: &str) -> (Vec<u64>, String) {
    let plain = version.split(['-', '+']).next().unwrap_or(version);
    (plain.split('.').map(|part| part.parse().unwrap_or(0)).collect(), version.to_owned())
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'`')
}

/// A Python name as the index compares it (PEP 503).
fn python_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

#[cfg(test)]
mod tests;
