//! Rust files as text: without comments, without the contents of strings, without test modules; and the paths that
//! they name. Enough to keep rules about who may use what, without a parser.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::Regex;

/// All of `src/`, read once.
pub static SRC: LazyLock<Vec<File>> = LazyLock::new(|| files("src"));

/// A file of `src/`, as the rules look at it.
#[derive(Debug)]
pub struct File {
    /// Relative to the package, with `/`: `src/advice/score.rs`.
    pub path: String,
    /// As it stands.
    pub text: String,
    /// Comments and the contents of strings are blank; every line keeps its number and length in characters.
    pub bare: String,
    /// `bare` with test modules blank too; all of it in a file that only tests see.
    pub code: String,
    /// Every path that `code` names, with its line: `use a::{b, c::d}` names `a::b` and `a::c::d`.
    pub paths: Vec<(usize, String)>,
    /// What `cfg(test)` stands on, with its line: `mod tests`, or the beginning of something else.
    pub test_items: Vec<(usize, String)>,
}

impl File {
    pub fn new(path: &str, text: &str) -> File {
        let bare = blank_comments_and_strings(text);
        let (code, test_items) = blank_test_modules(&bare);
        let paths = paths(&code);
        File { path: path.to_owned(), text: text.to_owned(), bare, code, paths, test_items }
    }

    /// Only tests see it: nothing in it is bound by rules about production code.
    fn seen_by_tests_alone(mut self) -> File {
        self.code = self.bare.chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
        self.paths.clear();
        self
    }

    /// Lines of `code` in which `pattern` matches.
    pub fn lines_with(&self, pattern: &'static str) -> Vec<(usize, String)> {
        let pattern = compiled(pattern);
        let lines = self.code.lines().enumerate().filter(|(_, line)| pattern.is_match(line));
        lines.map(|(at, line)| (at + 1, line.trim().to_owned())).collect()
    }

    /// Named paths that contain these segments one after the other: `clock::Clock` in `crate::clock::Clock::now`.
    pub fn naming(&self, segments: &str) -> Vec<(usize, String)> {
        let wanted = format!("::{segments}::");
        self.paths.iter().filter(|(_, path)| format!("::{path}::").contains(&wanted)).cloned().collect()
    }

    /// Named paths that begin with these segments.
    pub fn beginning_with(&self, segments: &str) -> Vec<(usize, String)> {
        let wanted = format!("{segments}::");
        self.paths.iter().filter(|(_, path)| format!("{path}::").starts_with(&wanted)).cloned().collect()
    }
}

/// The folder of the package.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder of the package, in order of path. Files that are test modules by their declaration
/// (`#[cfg(test)] mod tests;`) have no code.
pub fn files(folder: &str) -> Vec<File> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    let files: Vec<File> = found
        .iter()
        .map(|path| {
            let text =
                fs::read_to_string(path).unwrap_or_else(|why| panic!("could not read {}: {why}", path.display()));
            File::new(&relative(path), &text)
        })
        .collect();
    let of_tests: Vec<String> = files.iter().flat_map(declared_test_modules).collect();
    let is_of_tests = |file: &File| {
        let stem = file.path.trim_end_matches(".rs").trim_end_matches("/mod");
        of_tests.iter().any(|module| stem == module || stem.starts_with(&format!("{module}/")))
    };
    files.into_iter().map(|file| if is_of_tests(&file) { file.seen_by_tests_alone() } else { file }).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|why| panic!("could not read {}: {why}", folder.display()));
    for entry in entries {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

pub fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// The places, without `.rs`, of the modules that a file declares for tests alone.
fn declared_test_modules(file: &File) -> Vec<String> {
    let stem = file.path.trim_end_matches(".rs");
    let folder = match stem.rsplit_once('/') {
        Some((folder, "mod" | "lib" | "main")) => folder,
        _ => stem,
    };
    let declared = file.test_items.iter().filter_map(|(_, item)| item.strip_prefix("mod ")?.strip_suffix(';'));
    declared.map(|name| format!("{folder}/{}", name.trim())).collect()
}

/// Comments, and what stands in strings and character literals, replaced by blanks.
fn blank_comments_and_strings(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        let end = match (c, next) {
            ('/', Some('/')) => until(&chars, at, |rest| rest[0] == '\n'),
            ('/', Some('*')) => end_of_block_comment(&chars, at),
            ('"', _) => end_of_string(&chars, at),
            ('r', Some('"' | '#')) if !in_word(&chars, at) => end_of_raw_string(&chars, at).unwrap_or(at),
            ('\'', _) => end_of_char(&chars, at).unwrap_or(at),
            _ => at,
        };
        if end == at {
            out.push(c);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|&c| blank(c)));
            at = end;
        }
    }
    out
}

fn until(chars: &[char], from: usize, stop: impl Fn(&[char]) -> bool) -> usize {
    (from..chars.len()).find(|&at| stop(&chars[at..])).unwrap_or(chars.len())
}

fn end_of_block_comment(chars: &[char], from: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = from;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

fn end_of_string(chars: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// `r"…"`, `r#"…"#`; None for a raw identifier (`r#type`).
fn end_of_raw_string(chars: &[char], from: usize) -> Option<usize> {
    let hashes = chars[from + 1..].iter().take_while(|&&c| c == '#').count();
    let open = from + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let closes = |rest: &[char]| rest[0] == '"' && rest.len() > hashes && rest[1..=hashes].iter().all(|&c| c == '#');
    Some((until(chars, open + 1, closes) + 1 + hashes).min(chars.len()))
}

/// `'x'`, `'\n'`, `'\u{1f600}'`; None for a lifetime.
fn end_of_char(chars: &[char], from: usize) -> Option<usize> {
    match (chars.get(from + 1)?, chars.get(from + 2)) {
        ('\\', _) => Some((until(chars, from + 3, |rest| rest[0] == '\'') + 1).min(chars.len())),
        (_, Some('\'')) => Some(from + 3),
        _ => None,
    }
}

fn in_word(chars: &[char], at: usize) -> bool {
    at.checked_sub(1)
        .and_then(|before| chars.get(before))
        .is_some_and(|c| (c.is_alphanumeric() || *c == '_') && *c != 'b')
}

/// Blanks `#[cfg(test)] mod name { … }` and tells what every `cfg(test)` stands on.
fn blank_test_modules(bare: &str) -> (String, Vec<(usize, String)>) {
    let marked = compiled(r"#\s*!?\s*\[\s*cfg\s*\(\s*test\s*\)\s*\]");
    let attribute = compiled(r"^\s*#\s*\[[^\]]*\]");
    let module = compiled(r"^\s*(?:pub\s*(?:\([^)]*\)\s*)?)?(mod\s+\w+)\s*([;{])");
    let mut code = bare.to_owned();
    let mut items = Vec::new();
    for mark in marked.find_iter(bare) {
        let line = bare[..mark.start()].matches('\n').count() + 1;
        let mut item = mark.end();
        while let Some(more) = attribute.find(&bare[item..]) {
            item += more.end();
        }
        let Some(found) = module.captures(&bare[item..]) else {
            let words = bare[item..].trim_start().lines().next().unwrap_or_default();
            items.push((line, words.chars().take(60).collect()));
            continue;
        };
        let name = found[1].split_whitespace().collect::<Vec<_>>().join(" ");
        let opens = item + found.get(0).map_or(0, |all| all.end());
        if &found[2] == ";" {
            items.push((line, format!("{name};")));
            continue;
        }
        items.push((line, name));
        let end = end_of_braces(bare, opens);
        let blanks: String = bare[mark.start()..end]
            .chars()
            .map(|c| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) })
            .collect();
        code.replace_range(mark.start()..end, &blanks);
    }
    (code, items)
}

/// The end of a block whose opening brace lies before `from`.
fn end_of_braces(bare: &str, from: usize) -> usize {
    let mut depth = 1_usize;
    for (at, c) in bare[from..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return from + at + 1;
        }
    }
    bare.len()
}

/// Every path that is imported or written out.
fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let lines = Lines::of(code);
    let import = compiled(r"\buse\s+([^;]+);");
    for import in import.captures_iter(code) {
        let tree = import.get(1).expect("the pattern has one group");
        expand(&lines, tree.start(), tree.as_str(), "", &mut found);
    }
    let written = compiled(r"\b[A-Za-z_]\w*(?:\s*::\s*[A-Za-z_]\w*)+");
    for path in written.find_iter(code) {
        found.push((lines.at(path.start()), path.as_str().split_whitespace().collect()));
    }
    found.sort();
    found.dedup();
    found
}

/// `a::{b, c::{d, e as f}}` → `a::b`, `a::c::d`, `a::c::e`.
fn expand(lines: &Lines, from: usize, tree: &str, before: &str, found: &mut Vec<(usize, String)>) {
    let skipped = tree.len() - tree.trim_start().len();
    let line = lines.at(from + skipped);
    let tree_from = from + skipped;
    let tree = tree.trim();
    let join = |end: &str| if before.is_empty() { end.to_owned() } else { format!("{before}::{end}") };
    if let Some((head, rest)) = tree.split_once('{') {
        let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
        let head_path: String = head.split_whitespace().collect();
        let head_path = join(head_path.trim_start_matches("::").trim_end_matches("::"));
        let mut depth = 0_usize;
        let mut start = 0;
        for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    if !inner[start..at].trim().is_empty() {
                        expand(lines, tree_from + head.len() + 1 + start, &inner[start..at], &head_path, found);
                    }
                    start = at + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let path: String = tree.split(" as ").next().unwrap_or(tree).split_whitespace().collect();
    let path = path.trim_start_matches("::");
    // `use std::fs::{self}` names `std::fs`.
    found.push((line, if path == "self" && !before.is_empty() { before.to_owned() } else { join(path) }));
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Lines {
        Lines([0].into_iter().chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    fn at(&self, place: usize) -> usize {
        self.0.partition_point(|&begins| begins <= place)
    }
}

/// Each pattern is compiled once and shared: there are hundreds of files.
pub fn compiled(pattern: &'static str) -> Arc<Regex> {
    static COMPILED: Mutex<BTreeMap<&str, Arc<Regex>>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    compiled.entry(pattern).or_insert_with(|| Arc::new(Regex::new(pattern).expect("a pattern of ours"))).clone()
}

#[test]
fn comments_and_strings_are_not_code() {
    let file = File::new(
        "src/x.rs",
        "// std::fs\nlet a = \"std::fs \\\" std::env\"; /* a /* b */ std::env */ std::net::x();\nlet r = r#\"std::fs\"#; let c = '\"'; fn f<'a>(x: &'a str) { std::io::y() }\n",
    );
    let named: Vec<&str> = file.paths.iter().map(|(_, path)| path.as_str()).collect();
    assert_eq!(named, ["std::net::x", "std::io::y"]);
    assert_eq!(file.bare.lines().count(), 3);
}

#[test]
fn imports_are_taken_apart() {
    let file = File::new(
        "src/x.rs",
        "use std::{\n    fmt,\n    fs::{self, File as F},\n};\npub use crate::clock::{Clock, Time};\n",
    );
    let named: Vec<(usize, &str)> = file.paths.iter().map(|(line, path)| (*line, path.as_str())).collect();
    for expected in
        [(2, "std::fmt"), (3, "std::fs"), (3, "std::fs::File"), (5, "crate::clock::Clock"), (5, "crate::clock::Time")]
    {
        assert!(named.contains(&expected), "{expected:?} in {named:?}");
    }
}

#[test]
fn test_modules_are_not_production_code() {
    let text = "fn a() {}\n#[cfg(test)]\n#[allow(clippy::unwrap_used)]\nmod tests {\n    fn b() { std::fs::read(\"}\"); }\n}\nfn c() { std::env::args(); }\n#[cfg(test)]\nmod corpus;\n#[cfg(test)]\nfn hook() {}\n";
    let file = File::new("src/x.rs", text);
    assert!(file.beginning_with("std::fs").is_empty());
    assert_eq!(file.beginning_with("std::env"), [(7, "std::env::args".to_owned())]);
    let items: Vec<&str> = file.test_items.iter().map(|(_, item)| item.as_str()).collect();
    assert_eq!(items, ["mod tests", "mod corpus;", "fn hook() {}"]);
    assert_eq!(declared_test_modules(&file), ["src/x/corpus"]);
    assert_eq!(declared_test_modules(&File::new("src/x/mod.rs", text)), ["src/x/corpus"]);
}
