//! All patterns of paths that the settings give for one service, compiled once.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::config::Settings;
use crate::name::Service;

/// What a pattern of paths tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// The change belongs to this category.
    Category(String),
    /// People see it.
    Visible,
    /// This support article describes it.
    Support(String),
}

/// Patterns and what they mean. `*` crosses folders, as people expect of `*.md`.
#[derive(Clone, Debug, Default)]
pub struct PathBook {
    set: GlobSet,
    meanings: Vec<Meaning>,
    /// Patterns that could not be understood: what they would have told is unknown.
    pub broken: Vec<String>,
}

type Patterns = Vec<(String, Meaning)>;

/// Books by what they were made from. Compiling takes longer than all the rest of what the gate asks of a brief, and every
/// advice about a service asks for the same book.
static MADE: RwLock<BTreeMap<Patterns, Arc<PathBook>>> = RwLock::new(BTreeMap::new());
/// More books than this belong to settings that are no longer in force.
const MOST: usize = 256;

impl PathBook {
    /// The book of a service; the same settings give the same one.
    pub fn of(settings: &Settings, service: &Service) -> Arc<PathBook> {
        let patterns = patterns(settings, service);
        if let Some(made) = MADE.read().unwrap_or_else(PoisonError::into_inner).get(&patterns) {
            return made.clone();
        }
        let book = Arc::new(PathBook::new(&patterns));
        let mut made = MADE.write().unwrap_or_else(PoisonError::into_inner);
        if made.len() >= MOST {
            made.clear();
        }
        made.insert(patterns, book.clone());
        book
    }

    fn new(patterns: &Patterns) -> PathBook {
        let mut book = PathBook::default();
        let mut builder = GlobSetBuilder::new();
        for (pattern, meaning) in patterns {
            match GlobBuilder::new(pattern).build() {
                Ok(glob) => {
                    builder.add(glob);
                    book.meanings.push(meaning.clone());
                }
                Err(_) => book.broken.push(pattern.clone()),
            }
        }
        match builder.build() {
            Ok(set) => book.set = set,
            Err(_) => {
                book.meanings.clear();
                book.broken.push("all of them together".to_owned());
            }
        }
        book
    }

    /// What a path means; each meaning once, in the order of their names.
    pub fn meanings(&self, path: &str) -> Vec<&Meaning> {
        let mut found: Vec<&Meaning> =
            self.set.matches(path).into_iter().filter_map(|index| self.meanings.get(index)).collect();
        found.sort();
        found.dedup();
        found
    }
}

fn patterns(settings: &Settings, service: &Service) -> Patterns {
    let mut patterns = Patterns::new();
    for (name, category) in &settings.policy.category {
        patterns.extend(category.paths.iter().map(|p| (p.clone(), Meaning::Category(name.clone()))));
    }
    if let Some(service) = settings.service.get(service) {
        patterns.extend(service.visible.iter().map(|p| (p.clone(), Meaning::Visible)));
        for (article, paths) in &service.support {
            patterns.extend(paths.iter().map(|p| (p.clone(), Meaning::Support(article.clone()))));
        }
    }
    patterns
}

/// Whether a path is a test, by the habits of the common languages.
pub fn is_test(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let in_folder = folders
        .split('/')
        .any(|folder| matches!(folder, "test" | "tests" | "__tests__" | "spec" | "specs" | "e2e" | "testdata"));
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let named = stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem.ends_with("_spec")
        || stem == "tests"
        || name.contains(".test.")
        || name.contains(".spec.")
        || (name.ends_with(".java") || name.ends_with(".kt") || name.ends_with(".cs"))
            && (stem.ends_with("test") || stem.ends_with("tests"));
    in_folder || named
}

/// Whether a path is source code of a program.
pub fn is_source(path: &str) -> bool {
    const SOURCE: [&str; 40] = [
        "rs", "go", "py", "rb", "js", "jsx", "ts", "tsx", "mjs", "cjs", "vue", "svelte", "java", "kt", "kts", "scala",
        "clj", "groovy", "c", "h", "cc", "cpp", "hpp", "cs", "fs", "swift", "m", "php", "pl", "ex", "exs", "erl", "hs",
        "ml", "lua", "dart", "zig", "jl", "r", "sh",
    ];
    extension(path).is_some_and(|ext| SOURCE.contains(&ext.as_str())) && !is_test(path)
}

/// Whether a path names what a library is pinned to.
pub fn is_lock_file(path: &str) -> bool {
    const LOCKS: [&str; 17] = [
        "cargo.lock",
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "bun.lock",
        "poetry.lock",
        "pdm.lock",
        "uv.lock",
        "pipfile.lock",
        "gemfile.lock",
        "composer.lock",
        "go.sum",
        "mix.lock",
        "pubspec.lock",
        "gradle.lockfile",
        "packages.lock.json",
    ];
    LOCKS.contains(&file_name(path).as_str())
}

/// Whether a path names which libraries are wanted.
pub fn is_manifest(path: &str) -> bool {
    const MANIFESTS: [&str; 13] = [
        "cargo.toml",
        "package.json",
        "pyproject.toml",
        "requirements.txt",
        "pipfile",
        "gemfile",
        "composer.json",
        "go.mod",
        "mix.exs",
        "pubspec.yaml",
        "build.gradle",
        "build.gradle.kts",
        "pom.xml",
    ];
    MANIFESTS.contains(&file_name(path).as_str())
}

/// Whether a path looks like something that people see, by its name alone.
pub fn looks_visible(path: &str) -> bool {
    const EXTENSIONS: [&str; 12] =
        ["html", "css", "scss", "less", "vue", "svelte", "jsx", "tsx", "erb", "haml", "mjml", "strings"];
    const FOLDERS: [&str; 9] =
        ["i18n", "locales", "locale", "templates", "emails", "mailers", "screens", "components", "views"];
    let lower = path.to_ascii_lowercase();
    let named = matches!(file_name(path).split('.').next(), Some("openapi" | "swagger"));
    named
        || extension(path).is_some_and(|ext| EXTENSIONS.contains(&ext.as_str()))
        || lower.split('/').rev().skip(1).any(|folder| FOLDERS.contains(&folder))
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase()
}

fn extension(path: &str) -> Option<String> {
    let name = file_name(path);
    name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, ext)| ext.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_told_from_source_by_their_names() {
        for path in ["tests/cart.rs", "src/cart_test.go", "web/cart.spec.ts", "src/CartTest.java", "test_cart.py"] {
            assert!(is_test(path) && !is_source(path), "{path}");
        }
        for path in ["src/contest.rs", "src/latest.py", "cart.ts", "src/attestation/mod.rs"] {
            assert!(is_source(path), "{path}");
        }
        assert!(!is_source("README.md") && !is_source(".gitignore"));
    }

    #[test]
    fn lock_files_and_manifests_are_known_by_name() {
        assert!(is_lock_file("web/package-lock.json") && is_manifest("web/package.json"));
        assert!(!is_lock_file("src/lock.rs"));
    }
}
