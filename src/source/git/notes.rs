//! Git notes in which tools attest what they wrote: `refs/notes/ai`, format `authorship/3.0.0`.

use gix::ObjectId;
use gix::objs::Kind;

use super::names;
use super::objects::{Objects, Trouble};

const REFERENCE: &str = "refs/notes/ai";
/// A larger note is not read.
const LARGEST: u64 = 1 << 20;

/// Whether the note of a commit attests AI-written lines. Sessions begin with `s_`, older prompts are 16 hex digits, humans
/// begin with `h_`.
pub(super) fn tool(objects: &Objects<'_>, commit: ObjectId) -> Result<Option<String>, Trouble> {
    let Some(notes) = names::reference(objects, REFERENCE)? else { return Ok(None) };
    let Some(notes) = objects.peel(notes)? else { return Ok(None) };
    let mut folder = objects.node(notes)?.tree;
    let hex = commit.to_string();
    let mut rest = hex.as_str();
    // Notes are files named after the commit; in large trees the first digits are folders, two by two.
    for _ in 0..4 {
        let entries = objects.folder(folder)?;
        if let Some(file) = entries.iter().find(|entry| entry.name == rest.as_bytes()) {
            let Some(bytes) = objects.bytes(file.id, Kind::Blob, LARGEST)? else { return Ok(None) };
            return Ok(attests(&String::from_utf8_lossy(&bytes)).then(|| "AI, by git note".to_owned()));
        }
        let (two, more) = rest.split_at(2);
        match entries.iter().find(|entry| entry.name == two.as_bytes()) {
            Some(below) if below.kind == gix::objs::tree::EntryKind::Tree => folder = below.id,
            _ => return Ok(None),
        }
        rest = more;
    }
    Ok(None)
}

fn attests(note: &str) -> bool {
    let attestation = note.split("\n---").next().unwrap_or(note);
    note.contains("authorship/")
        && attestation.lines().any(|line| {
            let Some(key) = line.strip_prefix("  ").and_then(|line| line.split_whitespace().next()) else {
                return false;
            };
            key.starts_with("s_") || (key.len() == 16 && key.bytes().all(|byte| byte.is_ascii_hexdigit()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_attest_and_humans_do_not() {
        let json = "\n---\n{\"schema_version\": \"authorship/3.0.0\"}";
        assert!(attests(&format!("src/a.rs\n  s_8f2c 1-4{json}")));
        assert!(attests(&format!("src/a.rs\n  0123456789abcdef 1-4{json}")));
        assert!(!attests(&format!("src/a.rs\n  h_8f2c 1-4{json}")));
        assert!(!attests("reviewed by s_omebody"));
    }
}
