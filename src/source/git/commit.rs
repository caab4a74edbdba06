//! One commit as a fact: its title, its authors, whether it mends a fault, what it declares.

use gix::ObjectId;
use gix::objs::CommitRef;

use super::declared::{self, Words};
use super::objects::{Objects, Trouble, seconds_of};
use crate::advice::facts::{AiMark, Commit};
use crate::clock::Time;
use crate::message::tame;

/// The longest title, in characters.
const LONGEST_TITLE: usize = 300;
/// The longest e-mail address (RFC 3696, with its erratum).
const LONGEST_EMAIL: usize = 254;
/// So much of a message is read, in bytes.
const LONGEST_MESSAGE: usize = 64 << 10;
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

/// Reads a commit. The person behind the address is found later, because settings change and commits do not.
pub(super) fn commit(objects: &Objects<'_>, id: ObjectId) -> Result<Commit, Trouble> {
    let bytes = objects.commit_bytes(id)?;
    let commit = CommitRef::from_bytes(&bytes, id.kind()).map_err(|_| Trouble::Damaged(id))?;
    let message = String::from_utf8_lossy(&commit.message[..commit.message.len().min(LONGEST_MESSAGE)]);
    let message = message.trim_start();
    let (author_name, author_email) = who(commit.author);
    let (committer_name, committer_email) = who(commit.committer);
    let words = Words {
        author_name: &author_name,
        author_email: &author_email,
        committer_name: &committer_name,
        committer_email: &committer_email,
        message,
    };
    let title = tame(message.lines().next().unwrap_or_default(), LONGEST_TITLE);
    let mut ai = declared::mark(&words);
    if ai == AiMark::Undeclared
        && let Some(tool) = super::notes::tool(objects, id)?
    {
        ai = AiMark::Declared { tool };
    }
    Ok(Commit {
        sha: id.to_string(),
        fix: mends(&title),
        title,
        co_authors: co_authors(message, &author_email),
        email: author_email,
        author: None,
        // When it came into this history: a rebased commit may have been written long before.
        at: Time::from_ms(seconds_of(commit.committer).saturating_mul(1_000)),
        ai,
    })
}

/// Whether a title says that it mends a fault.
pub(super) fn mends(title: &str) -> bool {
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

/// Name and address of an author's line.
fn who(line: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(line);
    let (name, rest) = text.split_once('<').unwrap_or((&text, ""));
    let email = rest.rsplit_once('>').map_or(rest, |(email, _)| email);
    (tame(name, LONGEST_EMAIL), tame(email, LONGEST_EMAIL))
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
