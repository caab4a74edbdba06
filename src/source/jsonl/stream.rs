//! A file read line by line, with bounds on everything.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use crate::message::tame;

/// A larger file is not read.
const LARGEST: u64 = 200 << 20;
/// A longer line is not read.
const LONGEST_LINE: usize = 1 << 20;
/// So many bad lines are named; the others are counted.
const MOST_NAMED: usize = 5;
const LONGEST_REASON: usize = 160;

/// Why a file cannot be read, as a fragment.
#[derive(Debug)]
pub(super) struct Unread(pub String);

impl From<Unread> for crate::source::CannotSay {
    fn from(unread: Unread) -> crate::source::CannotSay {
        crate::source::CannotSay(unread.0)
    }
}

/// Why a line cannot be read, as a fragment.
pub(super) type Bad = String;

/// The lines of a file.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    name: String,
    stamp: (u64, Option<SystemTime>),
    reader: BufReader<std::io::Take<File>>,
    closed: &'a AtomicBool,
    named: Vec<String>,
    bad: usize,
}

impl<'a> Lines<'a> {
    pub fn open(path: &Path, closed: &'a AtomicBool) -> Result<Lines<'a>, Unread> {
        let shown = path.display();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let cannot = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => Unread(format!("found no file at `{shown}`")),
            std::io::ErrorKind::PermissionDenied => Unread(format!("may not read `{shown}`")),
            _ => Unread(format!("cannot read `{shown}`")),
        };
        let file = File::open(path).map_err(cannot)?;
        let about = file.metadata().map_err(cannot)?;
        if !about.is_file() {
            return Err(Unread(format!("found no file at `{shown}`, but something else")));
        }
        if about.len() > LARGEST {
            return Err(Unread(format!("cannot read `{shown}`, which is larger than {} MB", LARGEST >> 20)));
        }
        Ok(Lines {
            name: tame(&name, 100),
            stamp: (about.len(), about.modified().ok()),
            // What is appended meanwhile is for the next time.
            reader: BufReader::with_capacity(64 << 10, file.take(about.len())),
            closed,
            named: Vec::new(),
            bad: 0,
        })
    }

    /// Length and time of change when the file was opened.
    pub fn stamp(&self) -> (u64, Option<SystemTime>) {
        self.stamp
    }

    /// Shows every line that is not empty to `read`; one that it refuses is noted.
    pub fn each(&mut self, mut read: impl FnMut(&[u8]) -> Result<(), Bad>) -> Result<(), Unread> {
        let mut line = Vec::new();
        let mut number = 0usize;
        loop {
            if self.closed.load(Ordering::Relaxed) {
                return Err(Unread("was closed while it was read".to_owned()));
            }
            line.clear();
            let most = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
            let failed = |_| Unread(format!("stopped in the middle of `{}`: it cannot be read further", self.name));
            let length = (&mut self.reader).take(most).read_until(b'\n', &mut line).map_err(failed)?;
            if length == 0 {
                return Ok(());
            }
            number += 1;
            if length == LONGEST_LINE && line.last() != Some(&b'\n') {
                self.skip_line().map_err(|_| Unread(format!("cannot read `{}` to its end", self.name)))?;
                self.note(number, "is longer than 1 MB");
                continue;
            }
            let text = line.trim_ascii();
            let text = if number == 1 { text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text) } else { text };
            if text.is_empty() {
                continue;
            }
            if let Err(why) = read(text) {
                self.note(number, &why);
            }
        }
    }

    /// What could not be read, for people.
    pub fn incomplete(self, capped: Option<usize>) -> Vec<String> {
        let mut incomplete = self.named;
        let unnamed = self.bad - incomplete.len();
        if unnamed > 0 {
            incomplete.push(format!("{} has {unnamed} more lines that cannot be read", self.name));
        }
        if let Some(most) = capped {
            incomplete.push(format!("{} holds more than the newest {most} that were kept", self.name));
        }
        incomplete
    }

    fn note(&mut self, number: usize, why: &str) {
        self.bad += 1;
        if self.named.len() < MOST_NAMED {
            self.named.push(format!("{} line {number} {}", self.name, tame(why, LONGEST_REASON)));
        }
    }

    fn skip_line(&mut self) -> std::io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let (length, ended) = match buffer.iter().position(|&byte| byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), false),
            };
            self.reader.consume(length);
            if ended {
                return Ok(());
            }
        }
    }
}
