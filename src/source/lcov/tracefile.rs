//! A tracefile of LCOV, as far as it is read: which lines can be run, and how often they were.
//!
//! <https://github.com/linux-test-project/lcov/blob/master/man/geninfo.1>, section FILES: `SF:path`, `DA:line,count`,
//! `end_of_record`. Functions and branches are left out.

use std::collections::{BTreeMap, HashMap};

/// So many files are kept of all tracefiles together.
const MOST_FILES: usize = 50_000;
/// So many lines are kept of all tracefiles together.
const MOST_LINES: usize = 5_000_000;
/// Longer paths are none.
const LONGEST_PATH: usize = 4_096;

/// By path, and by line: whether it was run.
#[derive(Debug, Default)]
pub struct Trace {
    files: HashMap<String, BTreeMap<u32, bool>>,
    lines: usize,
}

impl Trace {
    /// Adds a tracefile: a line that any test ran is covered. The error says why it is none, as a fragment.
    pub fn add(&mut self, text: &str) -> Result<(), &'static str> {
        let mut path: Option<&str> = None;
        let (mut records, mut ended) = (0_usize, true);
        for line in text.lines().map(str::trim) {
            if let Some(named) = line.strip_prefix("SF:") {
                (path, ended) = (Some(named.trim()).filter(|named| named.len() <= LONGEST_PATH), false);
                records += 1;
            } else if line == "end_of_record" {
                (path, ended) = (None, true);
            } else if let (Some(path), Some(told)) = (path, line.strip_prefix("DA:")) {
                let mut told = told.split(',');
                let number = told.next().and_then(|number| number.trim().parse::<u32>().ok());
                let count = told.next().and_then(|count| count.trim().parse::<f64>().ok());
                let (Some(number), Some(count)) = (number, count) else { return Err("it is not in LCOV's format") };
                self.cover(path, number, count > 0.0)?;
            }
        }
        match (records, ended) {
            (0, _) => Err("it is not in LCOV's format"),
            (_, false) => Err("it ends in the middle of a file"),
            _ => Ok(()),
        }
    }

    fn cover(&mut self, path: &str, line: u32, ran: bool) -> Result<(), &'static str> {
        if !self.files.contains_key(path) {
            if self.files.len() >= MOST_FILES {
                return Err("there are too many files in it");
            }
            self.files.insert(path.to_owned(), BTreeMap::new());
        }
        let Some(lines) = self.files.get_mut(path) else { return Ok(()) };
        let known = lines.entry(line).or_insert_with(|| {
            self.lines += 1;
            false
        });
        *known |= ran;
        if self.lines > MOST_LINES { Err("there are too many lines in it") } else { Ok(()) }
    }

    /// The lines of a file of the repository: paths in a tracefile are often those of the machine that built it. Where
    /// several end alike, the shortest is meant.
    pub fn of(&self, path: &str) -> Option<&BTreeMap<u32, bool>> {
        let same = |known: &str| known.strip_suffix(path).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
        let known = self.files.keys().filter(|known| same(known));
        known.min_by_key(|known| (known.len(), known.as_str())).and_then(|known| self.files.get(known))
    }

    /// Lines that were run, and lines that can be.
    pub fn total(&self) -> (usize, usize) {
        let all = self.files.values().flat_map(BTreeMap::values);
        all.fold((0, 0), |(ran, of), line| (ran + usize::from(*line), of + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_several_tests_are_joined() {
        let mut trace = Trace::default();
        trace.add("TN:a\nSF:/build/src/a.c\nFN:1,f\nDA:1,0\nDA:2,3,hash\nBRDA:1,0,0,-\nLF:9\nend_of_record\n").unwrap();
        trace.add("SF:/build/src/a.c\r\nDA:1,2\r\nDA:3,-1\r\nend_of_record\r\n").unwrap();
        assert_eq!(trace.total(), (2, 3));
        let lines: Vec<_> = trace.of("src/a.c").unwrap().iter().map(|(n, ran)| (*n, *ran)).collect();
        assert_eq!(lines, [(1, true), (2, true), (3, false)]);
        assert!(trace.of("rc/a.c").is_none() && trace.of("b.c").is_none());
    }

    #[test]
    fn what_is_no_tracefile_is_said() {
        let add = |text: &str| Trace::default().add(text);
        for text in ["", "<html>", "SF:a\nDA:x,1\nend_of_record", "SF:a\nDA:1\nend_of_record"] {
            assert_eq!(add(text), Err("it is not in LCOV's format"), "{text}");
        }
        assert_eq!(add("SF:a\nDA:1,1\n"), Err("it ends in the middle of a file"));
    }
}
