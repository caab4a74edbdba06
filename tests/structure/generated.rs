//! What is written once and shown elsewhere: the README's commands, the list of checks, the settings with their
//! defaults. `TIDEGATE_REGENERATE=1 cargo test --test structure` rewrites the copies.

// The one switch of this test is read from the environment: a test program has no settings.
#![allow(clippy::disallowed_methods)]

use std::fmt::Write as _;
use std::fs;

use tidegate::advice::checks;
use tidegate::command::{self, Spec};
use tidegate::config::Settings;

use crate::code::root;

#[test]
fn the_readme_lists_the_commands_as_they_are() {
    let mut table = String::from("| command | does |\n|---|---|\n");
    for spec in command::ALL.iter() {
        let _ = writeln!(table, "| `{}` | {}.{} |", spec.usage(), cell(&spec.says), options(spec));
    }
    keep("README.md", "commands", &table);
}

#[test]
fn the_documents_list_the_checks_as_they_are() {
    let settings = Settings::read("", "the defaults", root().into()).expect("the defaults read");
    let mut table = String::from("| code | asks | when critical |\n|---|---|---|\n");
    for check in checks::ALL {
        let blocks = if settings.policy.blockers.iter().any(|code| code == check.code) { "stops the gate" } else { "" };
        let _ = writeln!(table, "| `{}` | {} | {blocks} |", check.code, cell(&sentence(check.asks)));
    }
    keep("docs/checks.md", "checks", &table);
    for code in &settings.policy.blockers {
        assert!(
            checks::ALL.iter().any(|check| check.code == code),
            "policy.blockers names `{code}`, which no check has"
        );
    }
}

#[test]
fn the_documents_tell_the_settings_as_they_are() {
    keep("docs/settings.md", "settings", &explained(include_str!("../../config/default.toml")));
}

#[test]
fn settings_are_told_with_their_comments() {
    let told = explained(
        "# All of it.\n\n# Who.\n[team]\n# Its name,\n# in full.\nname = \"x\"\nzone = \"UTC\"\n\n[policy.bands]\nhigh = 75\n",
    );
    let expected = "## `[team]`\n\nWho.\n\nIts name, in full.\n\n```toml\nname = \"x\"\nzone = \"UTC\"\n```\n\n## `[policy.bands]`\n\n```toml\nhigh = 75\n```\n";
    assert_eq!(told, expected);
}

#[test]
fn a_copy_that_differs_is_found() {
    let text = "above\n<!-- a -->\nold\n<!-- /a -->\nbelow\n";
    assert_eq!(replaced(text, "a", "new\n").as_deref(), Some("above\n<!-- a -->\nnew\n<!-- /a -->\nbelow\n"));
    assert_eq!(replaced(text, "b", "new\n"), None);
}

/// Options, named only: `help COMMAND` and the forms explain each.
fn options(spec: &Spec) -> String {
    let other = spec.options_of.as_deref().and_then(Spec::named);
    let of_other = |name: &str| other.is_some_and(|other| other.options.iter().any(|option| option.name == name));
    let own = spec.options.iter().filter(|option| !of_other(&option.name));
    let mut says: String = own.map(|option| format!(" `--{}`", option.name)).collect();
    if let Some(other) = other {
        let _ = write!(says, " and the options of `{}`", other.name);
    }
    says
}

/// A settings file as a page: a heading for each section, its comments as words, its keys as they stand.
fn explained(text: &str) -> String {
    let mut page = String::new();
    let mut words: Vec<&str> = Vec::new();
    let mut keys = String::new();
    let mut begun = false;
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix('#') {
            block(&mut page, &mut keys);
            words.push(comment.trim());
        } else if line.starts_with('[') {
            block(&mut page, &mut keys);
            let _ = write!(page, "{}## `{line}`\n\n", if begun { "\n" } else { "" });
            begun = true;
            say(&mut page, &mut words);
        } else if line.trim().is_empty() {
            block(&mut page, &mut keys);
            // Words before an empty line speak of the file, not of what follows.
            words.clear();
        } else {
            say(&mut page, &mut words);
            let _ = writeln!(keys, "{line}");
        }
    }
    block(&mut page, &mut keys);
    page
}

fn say(page: &mut String, words: &mut Vec<&str>) {
    if !words.is_empty() {
        let gap = if page.ends_with("```\n") { "\n" } else { "" };
        let _ = write!(page, "{gap}{}\n\n", words.join(" "));
        words.clear();
    }
}

fn block(page: &mut String, keys: &mut String) {
    if !keys.is_empty() {
        let gap = if page.ends_with("```\n") { "\n" } else { "" };
        let _ = write!(page, "{gap}```toml\n{keys}```\n");
        keys.clear();
    }
}

fn sentence(asks: &str) -> String {
    let mut letters = asks.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Compares what stands between `<!-- mark -->` and `<!-- /mark -->` with what should, or writes it when asked to.
fn keep(path: &str, mark: &str, fresh: &str) {
    let file = root().join(path);
    let text = fs::read_to_string(&file).unwrap_or_else(|why| panic!("could not read {path}: {why}"));
    let wanted =
        replaced(&text, mark, fresh).unwrap_or_else(|| panic!("{path} has no <!-- {mark} --> … <!-- /{mark} -->"));
    if text == wanted {
        return;
    }
    if std::env::var_os("TIDEGATE_REGENERATE").is_some() {
        fs::write(&file, wanted).unwrap_or_else(|why| panic!("could not write {path}: {why}"));
        return;
    }
    let differs = text.lines().zip(wanted.lines()).find(|(is, should)| is != should);
    let (is, should) = differs.unwrap_or(("(its end)", "(its end)"));
    panic!(
        "{path} is not what its source says; `TIDEGATE_REGENERATE=1 cargo test --test structure` rewrites it.\n  there: {is}\n wanted: {should}"
    );
}

fn replaced(text: &str, mark: &str, fresh: &str) -> Option<String> {
    let (open, close) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let from = text.find(&open)? + open.len();
    let to = from + text.get(from..)?.find(&close)?;
    Some(format!("{}{fresh}{}", &text[..from], &text[to..]))
}
