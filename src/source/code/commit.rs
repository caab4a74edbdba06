//! One commit as a fact: its title, its authors, whether it mends a fault, what it declares.

use super::declared::{self, Words};
use crate::advice::facts::Commit;
use crate::clock::Time;
use crate::message::tame;

/// The longest title, in characters.
const LONGEST_TITLE: usize = 300;
/// The longest e-mail address (RFC 3696, with its erratum).
pub(in crate::source) const LONGEST_EMAIL: usize = 254;
/// So much of a message is read, in bytes.
pub(in crate::source) const LONGEST_MESSAGE: usize = 64 << 10;
/// So many co-authors are kept.
const MOST_CO_AUTHORS: usize = 20;

/// Words that say that something was broken.
const FIX_WORDS: [&str; 22] = [
    "fix",
    "fixes",
    "fixed",
    "fixing",
    "bugfix",
    "hotfix",
    "bug",
    "bugs",
    "revert",
    "reverts",
    "reverted",
    "regression",
    "crash",
    "crashes",
    "broken",
    "repair",
    "repairs",
    "mend",
    "mends",
    "panic",
    "leak",
    "deadlock",
];
/// Words that say that what was mended was no fault of the program.
const NOT_A_FAULT: [&str; 7] = ["typo", "typos", "lint", "clippy", "wording", "spelling", "comment"];

/// A commit as its words say. The person behind the address is found later, because settings change and commits do not.
pub(in crate::source) fn commit(sha: String, words: &Words<'_>, at: Time) -> Commit {
    let message = words.message.trim_start();
    let title = tame(message.lines().next().unwrap_or_default(), LONGEST_TITLE);
    Commit {
        sha,
        fix: mends(&title),
        title,
        co_authors: co_authors(message, words.author_email),
        email: words.author_email.to_owned(),
        author: None,
        at,
        ai: declared::mark(words),
    }
}

/// Whether a title says that it mends a fault.
fn mends(title: &str) -> bool {
    let lower = title.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let found = words.clone().any(|word| FIX_WORDS.contains(&word));
    found && !words.any(|word| NOT_A_FAULT.contains(&word))
}

/// Addresses of the people who share the authorship.
fn co_authors(message: &str, author: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in message.lines() {
        let Some((key, value)) = declared::trailer(line) else { continue };
        if !key.eq_ignore_ascii_case("co-authored-by") {
            continue;
        }
        let (name, address) = declared::name_and_address(value);
        let address = tame(address, LONGEST_EMAIL);
        let known = address.eq_ignore_ascii_case(author) || found.contains(&address);
        if address.contains('@') && !known && !declared::is_nobody(name, &address) {
            found.push(address);
        }
        if found.len() >= MOST_CO_AUTHORS {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_that_mends_is_told_by_whole_words() {
        for title in ["Fix double capture", "fix(payments): round half up", "Revert \"Add retries\"", "Hotfix: crash"] {
            assert!(mends(title), "{title}");
        }
        for title in ["Add a fixture", "Use the prefix", "Fix typo in README", "Debugging aids", "Fix clippy warnings"]
        {
            assert!(!mends(title), "{title}");
        }
    }

    #[test]
    fn co_authors_are_people() {
        let message = "Title\n\nCo-authored-by: Grace <grace@sample.test>\nCo-authored-by: Claude <noreply@anthropic.com>\n\
                       Co-authored-by: Ada <ADA@sample.test>\nCo-authored-by: nonsense\n";
        assert_eq!(co_authors(message, "ada@sample.test"), ["grace@sample.test"]);
    }
}
