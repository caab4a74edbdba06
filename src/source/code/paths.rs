//! Which paths belong to what, and how a path from a repository is written down.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// The longest path that is shown, in characters.
const LONGEST: usize = 500;

/// Globs of the settings. `*` stays inside a folder, `**` does not; a plain name means everything below it.
#[derive(Debug)]
pub(in crate::source) struct Globs {
    set: GlobSet,
    /// The folders in which a match can lie, where that is known.
    roots: Vec<String>,
    /// Patterns that are not globs.
    pub bad: Vec<String>,
}

impl Globs {
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Globs {
        let mut builder = GlobSetBuilder::new();
        let (mut roots, mut bad) = (Vec::new(), Vec::new());
        for pattern in patterns {
            let clean = pattern.trim_start_matches("./").trim_end_matches('/');
            let mut forms = vec![clean.to_owned()];
            if !clean.contains(['*', '?', '[', '{']) {
                forms.push(format!("{clean}/**"));
            }
            for form in forms {
                match GlobBuilder::new(&form).literal_separator(true).build() {
                    Ok(glob) => {
                        builder.add(glob);
                    }
                    Err(_) => bad.push(pattern.to_owned()),
                }
            }
            roots.push(root(clean).to_owned());
        }
        let set = builder.build().unwrap_or_else(|_| GlobSet::empty());
        Globs { set, roots, bad }
    }

    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    pub fn matches(&self, path: &[u8]) -> bool {
        let path = String::from_utf8_lossy(path);
        self.set.is_match(Path::new(path.as_ref()))
    }

    /// The folders in which matches lie, each once; the empty text is the whole repository.
    pub fn folders(&self) -> std::collections::BTreeSet<&str> {
        self.roots.iter().map(String::as_str).collect()
    }

    /// Whether a match may lie in this folder or below it.
    pub fn may_lie_below(&self, folder: &[u8]) -> bool {
        let folder = String::from_utf8_lossy(folder);
        self.roots.iter().any(|root| {
            let (short, long) =
                if root.len() < folder.len() { (root.as_str(), &*folder) } else { (&*folder, root.as_str()) };
            short.is_empty() || short == long || long.strip_prefix(short).is_some_and(|rest| rest.starts_with('/'))
        })
    }
}

/// The part of a pattern that holds no wildcard, to its last folder.
fn root(pattern: &str) -> &str {
    let plain = pattern.find(['*', '?', '[', '{', '\\']).map_or(pattern, |at| &pattern[..at]);
    plain.rfind('/').map_or("", |at| &plain[..at])
}

/// A path as text: bytes that are not text, control characters and characters that change how text reads are written as
/// escapes, so that nothing is lost and nothing happens.
pub(in crate::source) fn path_text(path: &[u8]) -> String {
    let mut out = String::new();
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || reads_otherwise(c) {
                let _ = write!(out, "{}", c.escape_unicode());
            } else {
                out.push(c);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
        if out.len() > 4 * LONGEST {
            break;
        }
    }
    match out.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &out[..at]),
        None => out,
    }
}

/// The last part of a path.
pub(in crate::source) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Text of a file, if it is one: a file with a NUL near its beginning is binary, as git sees it.
pub(in crate::source) fn text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    (!is_binary(bytes)).then(|| String::from_utf8_lossy(bytes))
}

pub(in crate::source) fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(8_000).any(|&byte| byte == 0)
}

fn reads_otherwise(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{061c}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_in_its_folder_and_a_plain_name_means_all_below_it() {
        let globs = Globs::new(["services/checkout", "migrations/*.sql", "docs/**"]);
        for inside in ["services/checkout/src/main.rs", "migrations/0001_a.sql", "docs/a/b.md", "services/checkout"] {
            assert!(globs.matches(inside.as_bytes()), "{inside}");
        }
        for outside in ["services/checkout-admin/x", "migrations/old/0001_a.sql", "other"] {
            assert!(!globs.matches(outside.as_bytes()), "{outside}");
        }
        assert!(Globs::new(["a/[b"]).bad == ["a/[b"]);
    }

    #[test]
    fn folders_are_entered_only_where_a_match_may_lie() {
        let globs = Globs::new(["db/migrate/*.rb", "apps/*/migrations/*.py"]);
        for folder in ["db", "db/migrate", "apps", "apps/shop/migrations"] {
            assert!(globs.may_lie_below(folder.as_bytes()), "{folder}");
        }
        for folder in ["dbx", "src", "application"] {
            assert!(!globs.may_lie_below(folder.as_bytes()), "{folder}");
        }
    }

    #[test]
    fn a_path_of_hostile_bytes_is_written_with_escapes() {
        assert_eq!(path_text(b"a\xff\nb"), "a\\xff\\u{a}b");
        assert_eq!(path_text("x\u{202e}gpj.exe".as_bytes()), "x\\u{202e}gpj.exe");
        assert_eq!(path_text(&vec![b'a'; 5_000]).chars().count(), LONGEST + 1);
    }
}
