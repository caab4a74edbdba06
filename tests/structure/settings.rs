//! The settings that ship: the realistic team reads as it stands, on a machine that has none of its secrets.

use std::collections::BTreeSet;

use tidegate::config::{Settings, SourceSettings};
use tidegate::source::SourceKind;

use crate::code::root;

#[test]
fn the_example_reads_without_its_secrets() {
    let settings = Settings::load(&root().join("config/example.toml")).unwrap_or_else(|wrong| panic!("{wrong:#}"));
    assert!(settings.service.len() >= 3 && settings.environment.len() >= 2 && settings.people.len() >= 4);
}

/// The example is the definition of every section: whoever looks for a key finds it used there.
#[test]
fn the_example_shows_every_section_and_every_kind_of_source() {
    let settings = Settings::load(&root().join("config/example.toml")).unwrap_or_else(|wrong| panic!("{wrong:#}"));
    let text = std::fs::read_to_string(root().join("config/example.toml")).expect("the example is there");
    let example: toml::Table = toml::from_str(&text).expect("the example is TOML");
    let defaults: toml::Table = {
        let text = std::fs::read_to_string(root().join("config/default.toml")).expect("the defaults are there");
        toml::from_str(&text).expect("the defaults are TOML")
    };
    for section in defaults.keys().map(String::as_str).chain(["source", "service", "environment", "people"]) {
        assert!(example.contains_key(section), "config/example.toml does not show [{section}]");
    }
    let shown: BTreeSet<&str> = settings.source.iter().map(|source| source.kind.word()).collect();
    let known: BTreeSet<&str> = SourceKind::WORDS.iter().copied().collect();
    let missing: Vec<_> = known.difference(&shown).collect();
    assert!(missing.is_empty(), "config/example.toml does not show the kinds of source {missing:?}");
}

/// Whoever sets up a source finds it in the table and, in the table's order, under a heading of its own with settings that
/// read; and every link within the page leads somewhere.
#[test]
fn the_page_of_the_sources_has_a_row_and_a_section_for_every_kind() {
    let page = std::fs::read_to_string(root().join("docs/sources.md")).expect("the page is there");
    let row = |line: &str| Some(line.strip_prefix("| `")?.split_once("` |")?.0.to_owned());
    let rows: Vec<String> = page.lines().take_while(|line| !line.starts_with("## ")).filter_map(row).collect();
    let mut known: Vec<&str> = SourceKind::WORDS.to_vec();
    known.sort_unstable();
    let mut sorted: Vec<&str> = rows.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    assert_eq!(sorted, known, "the table of docs/sources.md");

    let mut sections: Vec<String> = Vec::new();
    for section in page.split("\n## ").skip(1) {
        let blocks: Vec<&str> =
            section.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        let Some(stanza) = blocks.iter().find(|block| block.starts_with("[[source]]")) else { continue };
        let table: toml::Table = toml::from_str(stanza).unwrap_or_else(|wrong| panic!("{wrong}: {stanza}"));
        let settings: SourceSettings =
            table["source"][0].clone().try_into().unwrap_or_else(|wrong| panic!("{wrong}: {stanza}"));
        sections.push(settings.kind.word().to_owned());
    }
    assert_eq!(sections, rows, "the sections of docs/sources.md, in the order of its table");

    let slug = |heading: &str| -> String {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || *c == '-').collect()
    };
    let headings: BTreeSet<String> = page
        .lines()
        .filter(|line| line.starts_with("##"))
        .map(|line| slug(line.trim_start_matches('#').trim()))
        .collect();
    for link in page.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(headings.contains(link), "docs/sources.md links to #{link}, which is no heading of it");
    }
}

/// What the README shows is what a newcomer pastes.
#[test]
fn the_settings_in_the_readme_read() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the README is there");
    let blocks: Vec<&str> = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty(), "the README shows no settings");
    for block in blocks {
        Settings::read(block, "README.md", root().into()).unwrap_or_else(|wrong| panic!("{wrong:#}"));
    }
}

/// What a section may hold is asked of the loader: it names the known keys when it meets an unknown one. Each must be
/// written out in the example, in use or as a comment.
#[test]
fn the_example_writes_out_every_key() {
    let example = std::fs::read_to_string(root().join("config/example.toml")).expect("the example is there");
    let sections = [
        "sign-in",
        "team",
        "store",
        "chat",
        "chat.console",
        "service.x",
        "service.x.health",
        "environment.x",
        "environment.x.target",
        "people.x",
        "policy",
        "policy.bands",
        "policy.threshold.x",
        "policy.category.x",
        "hold",
        "gate",
        "watch",
        "ledger",
        "web",
    ];
    let lists = ["policy.approval", "policy.override", "policy.obligation", "gate.tokens", "ledger.anchor"];
    let tables = sections.map(|section| format!("[{section}]\nzzz = 1\n"));
    let entries = lists.map(|list| format!("[[{list}]]\nzzz = 1\n"));
    for text in tables.iter().chain(&entries) {
        let refusal =
            format!("{:#}", Settings::read(text, "test", root().into()).expect_err("an unknown key is refused"));
        let keys = refusal.split_once("It has: ").unwrap_or_else(|| panic!("no known keys are named: {refusal}")).1;
        for key in keys.trim_end_matches('.').split(", ") {
            written_out(&example, key, text.lines().next().unwrap_or_default());
        }
    }
    // The keys of a source depend on its kind.
    for kind in SourceKind::WORDS {
        for key in SourceKind::keys(kind).unwrap_or_default() {
            written_out(&example, key, &format!("a source of kind {kind}"));
        }
    }
}

fn written_out(example: &str, key: &str, section: &str) {
    let there = example.lines().any(|line| {
        let line = line.trim_start_matches("# ");
        let named = line.strip_prefix(key).is_some_and(|rest| rest.starts_with(" = "));
        named
            || line.contains(&format!(" {key} = "))
            || (line.starts_with('[') && line.split(['.', '[', ']']).any(|part| part == key))
    });
    assert!(there, "config/example.toml does not write out `{key}` of {section}");
}
