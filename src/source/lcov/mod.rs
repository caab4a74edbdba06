//! LCOV: which lines tests ran, from the tracefiles that a build wrote.
//!
//! A tracefile does not say which commit it is of. Where the path holds `{commit}` the name does; elsewhere a file that was
//! written before the commit was made cannot be of it.

mod tracefile;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Deserialize;

use self::tracefile::Trace;
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::{Change, Coverage, Covered, FileStatus};
use crate::advice::paths::is_source;
use crate::clock::{DAY, Time};
use crate::config::Span;
use crate::message::tame;

/// So many files of a folder are read.
const MOST_FILES: usize = 20;
/// A larger one is not read, in bytes.
const LARGEST: u64 = 64 << 20;
/// Where the settings name no age.
const OLDEST: i64 = 7 * DAY;

/// Coverage from tracefiles of LCOV.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// A file, or a folder of `.info` files; `{commit}` is filled in.
    path: PathBuf,
    /// Files that are older are not read; 7 days.
    #[serde(default)]
    max_age: Option<Span>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Coverage]
    }

    /// The files are at hand whenever they are asked for.
    fn keeps(&self) -> bool {
        false
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        let oldest = self.max_age.map_or(OLDEST, |age| age.ms());
        Ok(Arc::new(Lcov { path: opening.folder.join(&self.path), oldest }))
    }
}

#[derive(Debug)]
struct Lcov {
    path: PathBuf,
    /// In milliseconds.
    oldest: i64,
}

impl Source for Lcov {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            let (path, oldest, change, now) = (self.path.clone(), self.oldest, ask.change.clone(), ask.now);
            let work = tokio::task::spawn_blocking(move || answer(&path, oldest, change.as_deref(), now));
            work.await.unwrap_or_else(|_| Err(CannotSay::because("failed inside Tidegate while it read the files")))
        })
    }
}

fn answer(path: &Path, oldest: i64, change: Option<&Change>, now: Time) -> Result<Answer, CannotSay> {
    let Some(change) = change else {
        return Err(CannotSay::because("cannot tell which lines matter: what changes is not known"));
    };
    let mut incomplete = Vec::new();
    let (trace, written) = read(path, &change.head.commit, &mut incomplete)?;
    let named = is_named(path);
    if now.since(written) > oldest {
        return Err(CannotSay::because(format!(
            "holds coverage that is {} days old, which is too old",
            now.since(written) / DAY
        )));
    }
    if !named && written < change.head.at {
        return Err(CannotSay::because("holds coverage from before the commit was made"));
    }
    let share = |trace: &Trace| {
        let (ran, of) = trace.total();
        (of > 0).then(|| 100.0 * ran as f64 / of as f64)
    };
    let project = share(&trace);
    // What runs has a file of its own where files are named by commit; without it there is nothing to compare with.
    let base = change.base.as_ref().filter(|_| named);
    let before =
        base.and_then(|base| read(path, &base.commit, &mut Vec::new()).ok()).and_then(|(trace, _)| share(&trace));
    let delta = project.zip(before).map(|(now, before)| now - before);
    let touched = touched(&trace, change, &mut incomplete);
    let coverage = Coverage { touched, project, delta };
    Ok(Answer { learned: Learned::Coverage(coverage), at: written, link: None, incomplete })
}

/// The new lines that can be run, and how many of them were.
fn touched(trace: &Trace, change: &Change, incomplete: &mut Vec<String>) -> Option<Covered> {
    let mut covered = Covered::default();
    let (mut absent, mut unknown) = (Vec::new(), 0_usize);
    for file in change.files.iter().filter(|file| file.status != FileStatus::Removed) {
        let (Some(lines), source) = (trace.of(&file.path), is_source(&file.path)) else {
            if is_source(&file.path) && file.added != Some(0) {
                absent.push(format!("`{}`", tame(&file.path, 80).replace('`', "'")));
            }
            continue;
        };
        let Some(new) = &file.new_lines else {
            unknown += usize::from(source);
            continue;
        };
        for (first, last) in new.iter().filter(|(first, last)| first <= last) {
            for ran in lines.range(first..=last).map(|(_, ran)| *ran) {
                covered.of = covered.of.saturating_add(1);
                covered.lines = covered.lines.saturating_add(u32::from(ran));
            }
        }
    }
    if !absent.is_empty() {
        let more = if absent.len() > 3 { format!(" and {} more", absent.len() - 3) } else { String::new() };
        incomplete.push(format!("no coverage is told of {}{more}", absent[..absent.len().min(3)].join(", ")));
    }
    if unknown > 0 {
        incomplete.push(format!("which lines are new is not known of {unknown} of the files"));
    }
    if change.files.len() < change.file_count as usize {
        incomplete.push("not all files of the change are known".to_owned());
    }
    Some(covered)
}

/// Reads the file, or all files of the folder, of one commit; and when the oldest of them was written.
fn read(path: &Path, commit: &str, incomplete: &mut Vec<String>) -> Result<(Trace, Time), CannotSay> {
    let plain = commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_named(path) && !plain {
        return Err(CannotSay::because("names files by commit, and the commit is not known"));
    }
    let path = PathBuf::from(path.to_string_lossy().replace("{commit}", commit));
    let mut trace = Trace::default();
    let mut oldest: Option<Time> = None;
    for file in files(&path, incomplete)? {
        let name = tame(&file.file_name().unwrap_or_default().to_string_lossy(), 80);
        let about = std::fs::metadata(&file).map_err(|error| CannotSay::because(why(&error)))?;
        if about.len() > LARGEST {
            incomplete.push(format!("`{name}` could not be read: it is larger than {} MB", LARGEST >> 20));
            continue;
        }
        let bytes = std::fs::read(&file).map_err(|error| CannotSay::because(why(&error)))?;
        if let Err(reason) = trace.add(&String::from_utf8_lossy(&bytes)) {
            incomplete.push(format!("`{name}` could not be read: {reason}"));
            continue;
        }
        let written = about.modified().ok().and_then(time).unwrap_or(Time::from_ms(0));
        oldest = Some(oldest.map_or(written, |known| known.min(written)));
    }
    let oldest = oldest.ok_or_else(|| CannotSay::because("holds no tracefile of LCOV that can be read"))?;
    Ok((trace, oldest))
}

/// Whether files say in their names which commit they are of.
fn is_named(path: &Path) -> bool {
    path.to_string_lossy().contains("{commit}")
}

/// The file, or the `.info` files of the folder, in order of their names.
fn files(path: &Path, incomplete: &mut Vec<String>) -> Result<Vec<PathBuf>, CannotSay> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|error| CannotSay::because(why(&error)))?;
    let is = |path: &PathBuf| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("info"));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is).collect();
    files.sort();
    if files.is_empty() {
        return Err(CannotSay::because("holds no file whose name ends in `.info`"));
    }
    if files.len() > MOST_FILES {
        incomplete.push(format!("only the first {MOST_FILES} of {} files were read", files.len()));
        files.truncate(MOST_FILES);
    }
    Ok(files)
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
