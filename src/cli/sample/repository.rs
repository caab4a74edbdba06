//! Makes a real git repository from a declared story: the same story always gives the same hashes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::objs::tree::EntryKind;
use gix::refs::store::WriteReflog;
use gix::refs::transaction::{PreviousValue, RefEdit};

use crate::clock::Time;

/// A repository to be made. HEAD is `branch`; commits without a branch of their own are on it.
#[derive(Clone, Debug)]
pub struct RepositoryStory {
    pub branch: String,
    pub commits: Vec<CommitStory>,
}

/// One commit: who, when, what. A file without content is removed. Texts are bytes, because git's are.
#[derive(Clone, Debug)]
pub struct CommitStory {
    pub author: String,
    pub email: String,
    pub at: Time,
    pub message: Vec<u8>,
    pub files: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Lightweight tags, or annotated where the name begins with `+`.
    pub tags: Vec<String>,
    /// The branch that it stands on; a branch that does not exist begins at the head of the story's branch.
    pub on: Option<String>,
    /// Branches that it merges.
    pub merges: Vec<String>,
}

impl RepositoryStory {
    /// A story on `main`.
    pub fn new(commits: Vec<CommitStory>) -> RepositoryStory {
        RepositoryStory { branch: "main".to_owned(), commits }
    }
}

impl CommitStory {
    pub fn new(author: &str, email: &str, at: Time, message: impl Into<Vec<u8>>) -> CommitStory {
        CommitStory {
            author: author.to_owned(),
            email: email.to_owned(),
            at,
            message: message.into(),
            files: Vec::new(),
            tags: Vec::new(),
            on: None,
            merges: Vec::new(),
        }
    }

    /// Adds or changes a file.
    pub fn file(mut self, path: impl Into<Vec<u8>>, content: impl Into<Vec<u8>>) -> CommitStory {
        self.files.push((path.into(), Some(content.into())));
        self
    }

    /// Removes a file.
    pub fn without(mut self, path: impl Into<Vec<u8>>) -> CommitStory {
        self.files.push((path.into(), None));
        self
    }

    pub fn tag(mut self, name: &str) -> CommitStory {
        self.tags.push(name.to_owned());
        self
    }

    pub fn on(mut self, branch: &str) -> CommitStory {
        self.on = Some(branch.to_owned());
        self
    }

    pub fn merging(mut self, branch: &str) -> CommitStory {
        self.merges.push(branch.to_owned());
        self
    }
}

/// Makes a bare repository at `path`, which must not exist or be empty.
pub fn make(path: &Path, story: &RepositoryStory) -> anyhow::Result<()> {
    std::fs::create_dir_all(path).with_context(|| format!("make the folder {}", path.display()))?;
    let options =
        gix::open::Options::isolated().config_overrides([format!("init.defaultBranch={}", story.branch).into_bytes()]);
    let kind = gix::create::Kind::Bare;
    let repository = gix::ThreadSafeRepository::init_opts(path, kind, gix::create::Options::default(), options)
        .with_context(|| format!("make a git repository at {}", path.display()))?;
    let repository = writable(repository.to_thread_local());
    for commit in &story.commits {
        let branch = commit.on.as_deref().unwrap_or(&story.branch);
        write_commit(&repository, branch, Some(&story.branch), commit)?;
    }
    Ok(())
}

/// Adds a commit to a branch of an existing repository and tells its hash. A branch that does not exist begins at HEAD;
/// the story's own branch, if it names one, comes first.
pub fn add_commit(path: &Path, branch: &str, commit: &CommitStory) -> anyhow::Result<String> {
    let repository = open(path)?;
    let head = repository.head_name()?.map(|name| name.shorten().to_string());
    let branch = commit.on.as_deref().unwrap_or(branch);
    Ok(write_commit(&repository, branch, head.as_deref(), commit)?.to_string())
}

/// Puts a lightweight tag on a commit, also when it stands elsewhere now.
pub fn move_tag(path: &Path, tag: &str, commit: &str) -> anyhow::Result<()> {
    let id = ObjectId::from_hex(commit.as_bytes()).context("read the commit's hash")?;
    set_reference(&open(path)?, &format!("refs/tags/{tag}"), id)
}

fn open(path: &Path) -> anyhow::Result<gix::Repository> {
    let repository = gix::open::Options::isolated()
        .open(path)
        .with_context(|| format!("open the git repository at {}", path.display()))?;
    Ok(writable(repository.to_thread_local()))
}

/// Without logs of references: they would want a committer and the machine's time.
fn writable(mut repository: gix::Repository) -> gix::Repository {
    repository.refs.write_reflog = WriteReflog::Disable;
    repository
}

fn write_commit(
    repository: &gix::Repository,
    branch: &str,
    root: Option<&str>,
    story: &CommitStory,
) -> anyhow::Result<ObjectId> {
    let mut parents = Vec::new();
    if let Some(tip) = tip(repository, branch)? {
        parents.push(tip);
    } else if let Some(root) = root {
        parents.extend(tip(repository, root)?);
    }
    for merged in &story.merges {
        let Some(tip) = tip(repository, merged)? else {
            bail!("the story merges `{merged}`, which does not exist yet")
        };
        parents.push(tip);
    }
    let tree = write_tree(repository, &parents, story)?;
    let who = signature(story);
    let commit = gix::objs::Commit {
        tree,
        parents: parents.into_iter().collect(),
        author: who.clone(),
        committer: who.clone(),
        encoding: None,
        message: story.message.as_slice().into(),
        extra_headers: Vec::new(),
    };
    let id = repository.write_object(&commit)?.detach();
    set_reference(repository, &format!("refs/heads/{branch}"), id)?;
    for tag in &story.tags {
        let target = match tag.strip_prefix('+') {
            None => id,
            Some(name) => write_annotated(repository, name, id, &who)?,
        };
        set_reference(repository, &format!("refs/tags/{}", tag.trim_start_matches('+')), target)?;
    }
    Ok(id)
}

fn write_tree(repository: &gix::Repository, parents: &[ObjectId], story: &CommitStory) -> anyhow::Result<ObjectId> {
    let first = match parents.first() {
        Some(parent) => repository.find_commit(*parent)?.tree_id()?.detach(),
        None => ObjectId::empty_tree(repository.object_hash()),
    };
    let mut editor = repository.edit_tree(first)?;
    for merged in parents.iter().skip(1) {
        // What a merged branch added or changed is taken; whatever else a merge does, the story says.
        let base = match repository.merge_base(parents[0], *merged)? {
            Some(base) => files(repository, base.detach())?,
            None => BTreeMap::new(),
        };
        for (path, entry) in files(repository, *merged)? {
            if base.get(&path) != Some(&entry) {
                editor.upsert(path.as_bstr(), entry.0, entry.1)?;
            }
        }
    }
    for (path, content) in &story.files {
        let path: &BStr = path.as_bstr();
        match content {
            Some(content) => {
                let blob = repository.write_blob(content)?;
                editor.upsert(path, EntryKind::Blob, blob)?;
            }
            None => {
                editor.remove(path)?;
            }
        }
    }
    Ok(editor.write()?.detach())
}

fn files(repository: &gix::Repository, commit: ObjectId) -> anyhow::Result<BTreeMap<BString, (EntryKind, ObjectId)>> {
    let entries = repository.find_commit(commit)?.tree()?.traverse().breadthfirst.files()?;
    let files = entries.into_iter().filter(|entry| !entry.mode.is_tree());
    Ok(files.map(|entry| (entry.filepath, (entry.mode.kind(), entry.oid))).collect())
}

fn write_annotated(
    repository: &gix::Repository,
    name: &str,
    target: ObjectId,
    who: &gix::actor::Signature,
) -> anyhow::Result<ObjectId> {
    let tag = gix::objs::Tag {
        target,
        target_kind: gix::objs::Kind::Commit,
        name: name.into(),
        tagger: Some(who.clone()),
        message: format!("{name}\n").into(),
        signature: None,
    };
    Ok(repository.write_object(&tag)?.detach())
}

fn signature(story: &CommitStory) -> gix::actor::Signature {
    gix::actor::Signature {
        name: story.author.as_str().into(),
        email: story.email.as_str().into(),
        time: gix::date::Time { seconds: story.at.ms().div_euclid(1_000), offset: 0 },
    }
}

fn tip(repository: &gix::Repository, branch: &str) -> anyhow::Result<Option<ObjectId>> {
    let name = format!("refs/heads/{branch}");
    let Some(mut reference) = repository.try_find_reference(name.as_str())? else { return Ok(None) };
    Ok(Some(reference.peel_to_id()?.detach()))
}

fn set_reference(repository: &gix::Repository, name: &str, id: ObjectId) -> anyhow::Result<()> {
    let name: gix::refs::FullName = name.try_into().with_context(|| format!("use `{name}` as a name in git"))?;
    repository
        .edit_references_as([RefEdit::update(name.clone(), id, PreviousValue::Any, "")], None)
        .with_context(|| format!("set {}", name.as_bstr()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story() -> RepositoryStory {
        let at = Time::from_ms(1_760_000_000_000);
        RepositoryStory::new(vec![
            CommitStory::new("Ada", "ada@sample.test", at, "Begin\n").file("README.md", "hello\n").tag("v1"),
            CommitStory::new("Grace", "grace@sample.test", at.plus(1_000), "Add a file\n")
                .file("src/deep/a.rs", "fn a() {}\n")
                .tag("+v2"),
            CommitStory::new("Ada", "ada@sample.test", at.plus(2_000), "Remove it\n").without("src/deep/a.rs"),
        ])
    }

    #[test]
    fn the_same_story_gives_the_same_hashes() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one.git"), folder.path().join("two.git"));
        make(&one, &story()).unwrap();
        make(&two, &story()).unwrap();
        let head = |path: &Path| gix::open(path).unwrap().head_id().unwrap().detach();
        assert_eq!(head(&one), head(&two));
        // What the git program itself makes of the same story.
        assert_eq!(head(&one).to_string(), "095752ba5410640856cdbe3a7aa72605f86386ea");
    }

    #[test]
    fn a_tag_can_be_moved_and_a_branch_can_grow() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repository.git");
        make(&path, &story()).unwrap();
        let more =
            CommitStory::new("Lin", "lin@sample.test", Time::from_ms(1_760_000_010_000), "More\n").file("b", "b\n");
        let id = add_commit(&path, "topic", &more).unwrap();
        move_tag(&path, "v1", &id).unwrap();
        let repository = gix::open(&path).unwrap();
        let tag = repository.find_reference("refs/tags/v1").unwrap().into_fully_peeled_id().unwrap().to_string();
        assert_eq!(tag, id);
        assert_eq!(repository.find_reference("topic").unwrap().peel_to_commit().unwrap().parent_ids().count(), 1);
    }
}
