//! A service's place in a repository: its paths, its migrations, the flags that its code mentions.

use std::collections::BTreeSet;

use regex::bytes::{Regex, RegexBuilder};

use super::paths::Globs;
use crate::config::Settings;
use crate::message::tame;
use crate::name::Service;

/// So many flags are told.
const MOST_FLAGS: usize = 100;
/// The longest name of a flag, in characters.
const LONGEST_FLAG: usize = 100;
/// The longest name of a version that is said.
const LONGEST_NAME: usize = 250;
/// Lines longer than this are not searched for flags.
const LONGEST_LINE: usize = 2_000;
/// So many paths are named in a sentence.
const MOST_NAMED: usize = 3;

/// What the settings say about a service's place in the repository.
#[derive(Debug)]
pub(in crate::source) struct Place {
    pub(in crate::source) own: Globs,
    /// Paths of the other services in the same repository.
    pub(in crate::source) others: Globs,
    pub(in crate::source) migrations: Option<Globs>,
    pub(in crate::source) flags: Vec<Regex>,
    /// What of the settings could not be used.
    pub(in crate::source) bad: Vec<String>,
    /// The same text means the same place.
    pub key: String,
}

impl Place {
    pub fn of(settings: &Settings, service: &Service) -> Place {
        let about = settings.service.get(service);
        let repository = about.and_then(|about| about.repository.as_ref());
        let neighbours =
            settings.service.iter().filter(|(name, other)| *name != service && other.repository.as_ref() == repository);
        let others: Vec<&str> = neighbours.flat_map(|(_, other)| other.paths.iter().map(String::as_str)).collect();
        let paths = about.map(|about| about.paths.as_slice()).unwrap_or_default();
        let migrations = about.and_then(|about| about.migrations.as_deref());
        let patterns = &settings.policy.flag_patterns;
        let own_globs = Globs::new(paths.iter().map(String::as_str));
        let migration_globs = migrations.map(|pattern| Globs::new([pattern]));
        let (mut flags, mut bad) = (Vec::new(), Vec::new());
        for pattern in own_globs.bad.iter().chain(migration_globs.iter().flat_map(|globs| &globs.bad)) {
            bad.push(format!("the setting `{}` is no pattern of paths", tame(pattern, LONGEST_FLAG)));
        }
        for pattern in patterns {
            match RegexBuilder::new(pattern).size_limit(1 << 20).build() {
                Ok(regex) => flags.push(regex),
                Err(_) => {
                    bad.push(format!("the flag pattern `{}` is no regular expression", tame(pattern, LONGEST_FLAG)))
                }
            }
        }
        let key = format!("{:?}", (service, paths, &others, migrations, patterns));
        Place { own: own_globs, others: Globs::new(others), migrations: migration_globs, flags, bad, key }
    }
}

/// What stands before the version in the service's tags.
pub(in crate::source) fn tag_prefix<'s>(settings: &'s Settings, service: &Service) -> Option<&'s str> {
    settings.service.get(service)?.tag_prefix.as_deref().filter(|prefix| !prefix.is_empty())
}

/// What is said of a version that is not there.
pub(in crate::source) fn says_no_version(wanted: &str) -> String {
    format!("knows no version `{}`", tame(wanted, LONGEST_NAME))
}

/// What is said where the repository does not hold what runs.
pub(in crate::source) fn says_runs_elsewhere(running: &str) -> String {
    format!("what runs now, `{}`, is not in this repository", tame(running, LONGEST_NAME))
}

/// Whether several services live in the repository of this one.
pub(in crate::source) fn is_shared(settings: &Settings, service: &Service) -> bool {
    let repository = settings.service.get(service).and_then(|about| about.repository.as_ref());
    settings.service.values().filter(|about| about.repository.as_ref() == repository).count() > 1
}

pub(in crate::source) fn find_flags(patterns: &[Regex], line: &[u8], found: &mut BTreeSet<String>) {
    if line.len() > LONGEST_LINE || found.len() >= MOST_FLAGS {
        return;
    }
    for pattern in patterns {
        for captures in pattern.captures_iter(line) {
            let Some(name) = captures.get(1).or_else(|| captures.get(0)) else { continue };
            let name = tame(&String::from_utf8_lossy(name.as_bytes()), LONGEST_FLAG);
            if !name.is_empty() && found.len() < MOST_FLAGS {
                found.insert(name);
            }
        }
    }
}

/// Files that no service claims may matter to every service: a lock file, shared code.
pub(in crate::source) fn says_unclaimed(mut paths: Vec<String>) -> Option<String> {
    if paths.is_empty() {
        return None;
    }
    paths.sort();
    let count = paths.len();
    let named: Vec<String> = paths.iter().take(MOST_NAMED).map(|path| format!("`{path}`")).collect();
    let more = if count > MOST_NAMED { ", …" } else { "" };
    let (files, belong) = if count == 1 { ("file", "belongs") } else { ("files", "belong") };
    Some(format!("{count} changed {files} {belong} to no service's paths: {}{more}", named.join(", ")))
}
