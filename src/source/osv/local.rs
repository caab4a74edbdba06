//! Advisories from a file with one a line, or from a folder of `.json` files as OSV publishes them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::record::{Record, is_id};
use super::{Spoken, versions};
use crate::advice::facts::PackageChange;
use crate::source::CannotSay;

/// So many advisories are looked at.
const MOST: usize = 50_000;
/// A longer one is not read, in bytes.
const LONGEST: u64 = 4 << 20;

/// What the advisories say of the packages.
#[derive(Debug, Default)]
pub struct Told {
    pub spoken: Spoken,
    pub records: BTreeMap<String, Record>,
    pub incomplete: Vec<String>,
}

pub fn read(path: &Path, packages: &[PackageChange]) -> Result<Told, CannotSay> {
    /// Ecosystem and name, to the versions that are asked about.
    type Names<'a> = BTreeMap<(&'a str, String), Vec<&'a (String, String, String)>>;
    let asked = versions(packages);
    let mut names = Names::new();
    for key in &asked {
        names.entry((key.0.as_str(), key.1.to_ascii_lowercase())).or_default().push(key);
    }
    let mut told = Told::default();
    let (mut seen, mut unread, mut doubtful) = (0_usize, 0_usize, BTreeSet::new());
    let mut look = |bytes: &[u8]| {
        let Ok(record) = serde_json::from_slice::<Record>(bytes) else {
            unread += 1;
            return;
        };
        let about: Vec<_> =
            record.packages().filter_map(|(e, name)| names.get(&(e, name.to_ascii_lowercase()))).flatten().collect();
        for key in about {
            match record.affects(&key.0, &key.1, &key.2) {
                Some(true) if is_id(&record.id) => {
                    told.spoken.entry((*key).clone()).or_default().insert(record.id.clone());
                    told.records.insert(record.id.clone(), record.clone());
                }
                Some(_) => {}
                None => {
                    doubtful.insert(record.id.clone());
                }
            }
        }
    };
    let is_folder = path.is_dir();
    let whole = if is_folder { each_file(path, &mut seen, &mut look) } else { each_line(path, &mut seen, &mut look) }
        .map_err(|error| CannotSay::because(why(&error)))?;
    if !whole {
        told.incomplete.push(format!("only the first {MOST} advisories were looked at"));
    }
    if unread > 0 {
        told.incomplete.push(format!("{unread} of its {seen} advisories could not be read"));
    }
    if seen == 0 {
        return Err(CannotSay::because("holds no advisory"));
    }
    if let Some(first) = doubtful.first() {
        let count = doubtful.len();
        told.incomplete.push(format!("versions of {count} advisories cannot be compared, such as {}", tamed(first)));
    }
    Ok(told)
}

/// Each `.json` file; false where there are more than are looked at.
fn each_file(path: &Path, seen: &mut usize, look: &mut impl FnMut(&[u8])) -> std::io::Result<bool> {
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        if *seen >= MOST {
            return Ok(false);
        }
        *seen += 1;
        let mut bytes = Vec::new();
        File::open(&path)?.take(LONGEST).read_to_end(&mut bytes)?;
        look(&bytes);
    }
    Ok(true)
}

/// Each line that is not empty; false where there are more than are looked at.
fn each_line(path: &Path, seen: &mut usize, look: &mut impl FnMut(&[u8])) -> std::io::Result<bool> {
    let mut file = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        if file.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(true);
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        if *seen >= MOST {
            return Ok(false);
        }
        *seen += 1;
        look(&line);
    }
}

fn why(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "found no file or folder of advisories there",
        std::io::ErrorKind::PermissionDenied => "may not read its advisories",
        _ => "could not read its advisories",
    }
}

fn tamed(text: &str) -> String {
    crate::message::tame(text, 60)
}
