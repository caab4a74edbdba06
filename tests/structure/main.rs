//! The house in order: what `DESIGN` promises about the code, read from the code itself, and what is generated from
//! one definition, compared with it.
//!
//! `TIDEGATE_REGENERATE=1 cargo test --test structure` rewrites the generated parts.

mod code;
mod generated;
mod house;
mod rules;
mod settings;

use code::File;

#[test]
fn every_file_keeps_every_rule() {
    let files = &*code::SRC;
    assert!(files.len() > 100, "only {} files were found under src/", files.len());
    let mut broken = String::new();
    for rule in rules::ALL {
        let found: Vec<String> = files
            .iter()
            .flat_map(|file| {
                (rule.broken)(file).into_iter().map(|(line, what)| format!("  {}:{line}: {what}\n", file.path))
            })
            .collect();
        if !found.is_empty() {
            broken.push_str(&format!("\n{}:\n{}", rule.says, found.concat()));
        }
    }
    assert!(broken.is_empty(), "{broken}");
}

#[test]
fn every_rule_finds_its_offence_and_lets_its_neighbour_pass() {
    for rule in rules::ALL {
        let (path, text) = rule.offence;
        assert!(!(rule.broken)(&File::new(path, text)).is_empty(), "cannot fail: {}", rule.says);
        let (path, text) = rule.fine;
        assert_eq!((rule.broken)(&File::new(path, text)), [], "finds what is fine: {}", rule.says);
    }
}

#[test]
fn tests_and_benches_are_of_a_size_to_be_read() {
    for file in code::files("tests").iter().chain(&code::files("benches")) {
        assert_eq!(rules::too_long(file), [], "{}: one idea per file; split it by noun", file.path);
    }
}
