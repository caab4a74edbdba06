//! SARIF 2.1.0: what scanners of code wrote into files (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/>).

mod log;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Deserialize;

use self::log::Log;
use super::code::brings::is_new;
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::{Change, Finding};
use crate::clock::Time;
use crate::message::tame;

/// So many files of a folder are read.
const MOST_FILES: usize = 20;
/// A larger one is not read, in bytes.
const LARGEST: u64 = 32 << 20;
/// So many findings are told.
const MOST: usize = 200;

/// Findings of scanners, from files in SARIF 2.1.0.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// A `.sarif` file, or a folder of them, one for each tool.
    path: PathBuf,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Findings]
    }

    /// The files are at hand whenever they are asked for.
    fn keeps(&self) -> bool {
        false
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        Ok(Arc::new(Sarif { path: opening.folder.join(&self.path) }))
    }
}

#[derive(Debug)]
struct Sarif {
    path: PathBuf,
}

impl Source for Sarif {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            let (path, change, now) = (self.path.clone(), ask.change.clone(), ask.now);
            let work = tokio::task::spawn_blocking(move || answer(&path, change.as_deref(), now));
            work.await.unwrap_or_else(|_| Err(CannotSay::because("failed inside Tidegate while it read the files")))
        })
    }
}

fn answer(path: &Path, change: Option<&Change>, now: Time) -> Result<Answer, CannotSay> {
    let (files, mut incomplete) = files(path)?;
    let mut found: Vec<Finding> = Vec::new();
    let mut oldest = now;
    for file in &files {
        let name = tame(&file.file_name().unwrap_or_default().to_string_lossy(), 80);
        let unread = |why: &str| format!("`{name}` could not be read: {why}");
        let about = std::fs::metadata(file).map_err(|error| CannotSay::because(why(&error)))?;
        if about.len() > LARGEST {
            incomplete.push(unread(&format!("it is larger than {} MB", LARGEST >> 20)));
            continue;
        }
        let bytes = std::fs::read(file).map_err(|error| CannotSay::because(why(&error)))?;
        match Log::read(&bytes) {
            Ok(log) => {
                if let Some(commit) =
                    log.commit().filter(|commit| change.is_some_and(|change| !same(commit, &change.head.commit)))
                {
                    incomplete.push(format!("`{name}` is about another commit, {}", tame(&commit, 12)));
                }
                let mut told = log.findings();
                for told in &mut told {
                    let path = told.finding.path.as_deref();
                    let new = || is_new(change, path?, told.line);
                    told.finding.new = told.finding.new.or_else(new);
                }
                found.extend(told.into_iter().map(|told| told.finding));
            }
            Err(reason) => incomplete.push(unread(reason)),
        }
        if let Some(written) = about.modified().ok().and_then(time) {
            oldest = oldest.min(written);
        }
    }
    if files.len() == incomplete.len()
        && found.is_empty()
        && !files.is_empty()
        && incomplete.iter().all(|why| why.contains("could not be read"))
    {
        return Err(CannotSay::because("holds no file in SARIF 2.1.0 that can be read"));
    }
    found.sort_by_cached_key(|f| (f.new == Some(false), f.path.clone(), f.id.clone()));
    if found.len() > MOST {
        incomplete.push(format!("only the first {MOST} of {} findings are told", found.len()));
        found.truncate(MOST);
    }
    Ok(Answer { learned: Learned::Findings(found), at: oldest, link: None, incomplete })
}

/// The file, or the `.sarif` and `.sarif.json` files of the folder, in order of their names.
fn files(path: &Path) -> Result<(Vec<PathBuf>, Vec<String>), CannotSay> {
    if !path.is_dir() {
        return Ok((vec![path.to_owned()], Vec::new()));
    }
    let entries = std::fs::read_dir(path).map_err(|error| CannotSay::because(why(&error)))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            name.ends_with(".sarif") || name.ends_with(".sarif.json")
        })
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(CannotSay::because("holds no file whose name ends in `.sarif`"));
    }
    let mut incomplete = Vec::new();
    if files.len() > MOST_FILES {
        incomplete.push(format!("only the first {MOST_FILES} of {} files were read", files.len()));
        files.truncate(MOST_FILES);
    }
    Ok((files, incomplete))
}

/// Whether two names of a commit mean the same: one may be short.
fn same(a: &str, b: &str) -> bool {
    a.len() >= 7 && b.len() >= 7 && (a.starts_with(b) || b.starts_with(a))
}

fn why(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "found no such file or folder",
        std::io::ErrorKind::PermissionDenied => "may not read its files",
        _ => "could not read its files",
    }
}

fn time(at: std::time::SystemTime) -> Option<Time> {
    let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Time::from_ms(i64::try_from(since.as_millis()).ok()?))
}
