//! What stands where: the top level, the rooms of `src/`, the settings of lints that keep the invariants.

use std::collections::BTreeSet;
use std::fs;

use crate::code::{self, root};

/// What DESIGN puts at the top level, and the usual files beside it. What is hidden (`.git`, `.ci`) and what git ignores
/// is not looked at.
const TOP: &[&str] = &["Cargo.toml", "src", "commands", "migrations", "config", "tests", "README.md"];
const BESIDE: &[&str] = &[
    "Cargo.lock",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "benches",
    "clippy.toml",
    "deny.toml",
    "docs",
    "pipelines",
    "proptest-regressions",
    "rustfmt.toml",
];
const IGNORED: &[&str] = &["target"];

/// The rooms of the house, as DESIGN draws them; some are built later.
const ROOMS: &[&str] = &[
    "main", "lib", "app", "event", "clock", "name", "http", "config", "cli", "command", "plan", "source", "advice",
    "target", "people", "hold", "approval", "gate", "deploy", "ledger", "audit", "learn", "reader", "message",
    "wording", "picture", "chat", "webhook", "web", "work", "store",
];

#[test]
fn the_top_level_is_what_a_newcomer_was_told() {
    let found = names("");
    for name in TOP {
        assert!(found.contains(*name), "{name} is missing at the top level: the README's reader looks for it there");
    }
    let known: BTreeSet<&str> = TOP.iter().chain(BESIDE).chain(IGNORED).copied().collect();
    let strange: Vec<_> = found
        .iter()
        .filter(|name| !name.starts_with('.') && !name.contains(".db") && !known.contains(name.as_str()))
        .collect();
    assert!(
        strange.is_empty(),
        "{strange:?} at the top level: put it into a folder that is there, or name it in tests/structure/house.rs"
    );
}

#[test]
fn every_room_is_on_the_map() {
    let strange: Vec<_> =
        names("src").into_iter().filter(|name| !ROOMS.contains(&name.trim_end_matches(".rs"))).collect();
    assert!(
        strange.is_empty(),
        "{strange:?} in src/: a new room is drawn on the map first (docs/architecture.md, tests/structure/house.rs)"
    );
    let map = read("docs/architecture.md");
    for name in names("src") {
        let room = name.trim_end_matches(".rs");
        assert!(
            map.contains(&format!("`{room}/`")) || map.contains(&format!("`{room}.rs`")),
            "docs/architecture.md does not say what `{name}` is for"
        );
    }
}

/// A file that no module declares is not compiled: it rots unseen.
#[test]
fn every_file_is_a_module_of_its_folder() {
    let files = &*code::SRC;
    let declares = code::compiled(r"\bmod\s+(\w+)\s*[;{]");
    let declared: BTreeSet<(&str, &str)> = files
        .iter()
        .flat_map(|file| {
            declares
                .captures_iter(&file.bare)
                .map(|found| (file.path.as_str(), found.get(1).map_or("", |name| name.as_str())))
        })
        .collect();
    let orphans: Vec<&str> = files
        .iter()
        .map(|file| file.path.as_str())
        .filter(|path| !matches!(*path, "src/lib.rs" | "src/main.rs"))
        .filter(|path| {
            let module = path.trim_end_matches(".rs").trim_end_matches("/mod");
            let (folder, name) = module.rsplit_once('/').expect("a file of src/ has a folder");
            let homes = if folder == "src" {
                vec!["src/lib.rs".to_owned(), "src/main.rs".to_owned()]
            } else {
                vec![format!("{folder}.rs"), format!("{folder}/mod.rs")]
            };
            !homes.iter().any(|home| declared.contains(&(home.as_str(), name)))
        })
        .collect();
    assert!(orphans.is_empty(), "declared by nobody: {orphans:?}");
}

/// The rules that clippy keeps, so that nobody takes one out unseen.
#[test]
fn clippy_keeps_its_share_of_the_invariants() {
    let manifest: toml::Table = toml::from_str(&read("Cargo.toml")).expect("Cargo.toml reads");
    for lint in ["unwrap_used", "dbg_macro", "todo", "unimplemented", "print_stdout"] {
        let level = manifest["lints"]["clippy"].get(lint).and_then(toml::Value::as_str);
        assert!(matches!(level, Some("warn" | "deny" | "forbid")), "clippy::{lint} is not asked for in Cargo.toml");
    }
    assert_eq!(
        manifest["lints"]["rust"]["unsafe_code"].as_str(),
        Some("forbid"),
        "unsafe code is not forbidden in Cargo.toml"
    );
    let clippy = read("clippy.toml");
    for method in [
        "chrono::Utc::now",
        "std::time::SystemTime::now",
        "reqwest::Client::builder",
        "std::env::var",
        "std::process::Command::new",
    ] {
        assert!(clippy.contains(&format!("\"{method}\"")), "{method} is not disallowed in clippy.toml");
    }
    let ci = read(".ci/run");
    assert!(
        ci.contains("--all-targets -- -D warnings"),
        "lints are only kept where warnings fail: .ci/run runs clippy with -D warnings"
    );
}

/// One provider of TLS, ring: with two linked, which one a connection uses is chance, and rustls panics.
#[test]
fn no_second_tls_is_linked() {
    let lock = read("Cargo.lock");
    for package in ["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys"] {
        assert!(
            !lock.contains(&format!("name = \"{package}\"\n")),
            "{package} is in Cargo.lock; ring is the one TLS provider"
        );
        assert!(read("deny.toml").contains(&format!("\"{package}\"")), "deny.toml does not deny {package}");
    }
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(folder)).expect("a folder of the package");
    entries.map(|entry| entry.expect("an entry of a folder").file_name().to_string_lossy().into_owned()).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("could not read {path}: {why}"))
}
