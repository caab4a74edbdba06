//! A git repository on this machine, bare or not: each checkpoint is a commit on a reference of its own. Whoever fetches
//! or mirrors the repository has copies that nobody here can take back.

use std::path::Path;

use anyhow::Context;
use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::tree::EntryKind;
use gix::refs::store::WriteReflog;
use gix::refs::transaction::{PreviousValue, RefEdit};

use crate::clock::Time;
use crate::config::AnchorSettings;

/// The file in the commit's tree.
const FILE: &str = "checkpoint";

pub fn reference(place: &AnchorSettings) -> String {
    place.reference.clone().unwrap_or_else(|| "refs/heads/tidegate-checkpoints".to_owned())
}

pub fn open(path: &Path) -> anyhow::Result<gix::Repository> {
    let repository = gix::open::Options::isolated()
        .open(path)
        .with_context(|| format!("could not open the git repository {}", path.display()))?;
    let mut repository = repository.to_thread_local();
    // A log of the reference would want the machine's time and a committer of its own.
    repository.refs.write_reflog = WriteReflog::Disable;
    Ok(repository)
}

pub fn commit(path: &Path, reference: &str, note: &str, size: u64, now: Time) -> anyhow::Result<()> {
    let repository = open(path)?;
    let tip = tip(&repository, reference)?;
    let blob = repository.write_blob(note).context("could not write into the git repository")?;
    let mut tree = repository.edit_tree(ObjectId::empty_tree(repository.object_hash()))?;
    tree.upsert(FILE, EntryKind::Blob, blob)?;
    let tree = tree.write().context("could not write into the git repository")?.detach();
    let who = gix::actor::Signature {
        name: "Tidegate".into(),
        email: "tidegate@localhost".into(),
        time: gix::date::Time { seconds: now.ms().div_euclid(1_000), offset: 0 },
    };
    let commit = gix::objs::Commit {
        tree,
        parents: tip.into_iter().collect(),
        author: who.clone(),
        committer: who,
        encoding: None,
        message: format!("The record had {size} entries\n\n{note}").into(),
        extra_headers: Vec::new(),
    };
    let id = repository.write_object(&commit).context("could not write into the git repository")?.detach();
    let name: gix::refs::FullName =
        reference.try_into().with_context(|| format!("`{reference}` is no name of a reference in git"))?;
    // Somebody else's commit in between is not lost: then this fails and is tried again.
    let expected = match tip {
        Some(tip) => PreviousValue::MustExistAndMatch(gix::refs::Target::Object(tip)),
        None => PreviousValue::MustNotExist,
    };
    repository
        .edit_references_as([RefEdit::update(name.clone(), id, expected, "")], None)
        .with_context(|| format!("could not set {}", name.as_bstr()))?;
    Ok(())
}

/// The checkpoint of the newest commit.
pub fn newest(path: &Path, reference: &str) -> Option<String> {
    let repository = open(path).ok()?;
    let tip = tip(&repository, reference).ok()??;
    let tree = repository.find_commit(tip).ok()?.tree().ok()?;
    let entry = tree.lookup_entry_by_path(FILE).ok()??;
    let blob = entry.object().ok()?;
    Some(blob.data.to_str_lossy().into_owned())
}

fn tip(repository: &gix::Repository, reference: &str) -> anyhow::Result<Option<ObjectId>> {
    let Some(mut found) = repository.try_find_reference(reference)? else { return Ok(None) };
    Ok(Some(found.peel_to_id()?.detach()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_checkpoint_is_a_commit_behind_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.git");
        gix::init_bare(&path).unwrap();
        let reference = "refs/heads/tidegate-checkpoints";
        assert_eq!(newest(&path, reference), None);
        for size in 1..=3 {
            commit(&path, reference, &format!("note {size}\n"), size, Time::from_ms(1_800_000_000_000)).unwrap();
            assert_eq!(newest(&path, reference).unwrap(), format!("note {size}\n"));
        }
        let repository = open(&path).unwrap();
        let tip = tip(&repository, reference).unwrap().unwrap();
        assert_eq!(repository.rev_walk([tip]).all().unwrap().count(), 3);
        assert!(commit(&folder.path().join("none.git"), reference, "x", 1, Time::from_ms(0)).is_err());
    }
}
