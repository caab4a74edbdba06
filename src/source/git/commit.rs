//! A commit of the repository, read into a fact.

use gix::ObjectId;
use gix::objs::CommitRef;

use super::objects::{Objects, Trouble, seconds_of};
use crate::advice::facts::{AiMark, Commit};
use crate::clock::Time;
use crate::message::tame;
use crate::source::code::commit::{LONGEST_EMAIL, LONGEST_MESSAGE, commit as of_words};
use crate::source::code::declared::Words;

pub(super) fn commit(objects: &Objects<'_>, id: ObjectId) -> Result<Commit, Trouble> {
    let bytes = objects.commit_bytes(id)?;
    let commit = CommitRef::from_bytes(&bytes, id.kind()).map_err(|_| Trouble::Damaged(id))?;
    let message = String::from_utf8_lossy(&commit.message[..commit.message.len().min(LONGEST_MESSAGE)]);
    let (author_name, author_email) = who(commit.author);
    let (committer_name, committer_email) = who(commit.committer);
    let words = Words {
        author_name: &author_name,
        author_email: &author_email,
        committer_name: &committer_name,
        committer_email: &committer_email,
        message: message.trim_start(),
    };
    // When it came into this history: a rebased commit may have been written long before.
    let at = Time::from_ms(seconds_of(commit.committer).saturating_mul(1_000));
    let mut read = of_words(id.to_string(), &words, at);
    if read.ai == AiMark::Undeclared
        && let Some(tool) = super::notes::tool(objects, id)?
    {
        read.ai = AiMark::Declared { tool };
    }
    Ok(read)
}

/// Name and address of an author's line.
pub(super) fn who(line: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(line);
    let (name, rest) = text.split_once('<').unwrap_or((&text, ""));
    let email = rest.rsplit_once('>').map_or(rest, |(email, _)| email);
    (tame(name, LONGEST_EMAIL), tame(email, LONGEST_EMAIL))
}
