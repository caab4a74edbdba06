//! Reading objects of a repository that may be huge, damaged or hostile: sizes are looked at before anything is loaded,
//! and everything stops when it takes too long or the source is closed.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gix::ObjectId;
use gix::objs::tree::EntryKind;
use gix::objs::{CommitRef, Kind, TreeRefIter};

/// A larger object is not read; the repository is opened with this limit.
pub(super) const LARGEST: u64 = 16 << 20;
/// So many folders are remembered, so that walking along a history reads most of them once.
const TREES_KEPT: usize = 4_000;
/// So many entries in all, whatever their folders' number.
const ENTRIES_KEPT: usize = 100_000;
/// So many commits are remembered.
const NODES_KEPT: usize = 20_000;
/// No answer takes longer than this, also when nobody waits for it any more: what it finds is kept for the next time.
const LONGEST: Duration = Duration::from_secs(60);

/// Why an object could not be had. Fragments that go on after the source's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error("lacks the object {0}: the clone is partial or damaged")]
    Missing(ObjectId),
    #[error("has a damaged object {0}: run `git fsck` there")]
    Damaged(ObjectId),
    #[error("has an object {0} that is too large to read")]
    Huge(ObjectId),
    #[error("was not read to the end within {} s", LONGEST.as_secs())]
    TooLong,
    #[error("was closed while it was read")]
    Closed,
    #[error("{0}")]
    Says(String),
}

/// What walks need of a commit.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub tree: ObjectId,
    pub parents: Vec<ObjectId>,
    /// When it was committed, seconds since 1970.
    pub seconds: i64,
    /// Its parents exist but are not in this clone.
    pub cut: bool,
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub name: Vec<u8>,
    pub kind: EntryKind,
    pub id: ObjectId,
}

/// Entries in order of their plain names.
pub(super) type Folder = Rc<Vec<Entry>>;

/// A repository, opened for one answer.
pub(super) struct Objects<'a> {
    pub repository: &'a gix::Repository,
    closed: &'a AtomicBool,
    until: Instant,
    shallow: HashSet<ObjectId>,
    folders: RefCell<(HashMap<ObjectId, Folder>, usize)>,
    nodes: RefCell<HashMap<ObjectId, Node>>,
}

impl<'a> Objects<'a> {
    pub fn new(repository: &'a gix::Repository, closed: &'a AtomicBool) -> Result<Objects<'a>, Trouble> {
        let shallow = repository
            .shallow_commits()
            .map_err(|_| Trouble::Says("has a `shallow` file that cannot be read".to_owned()))?
            .map(|commits| commits.iter().copied().collect())
            .unwrap_or_default();
        let until = Instant::now() + LONGEST;
        Ok(Objects { repository, closed, until, shallow, folders: RefCell::default(), nodes: RefCell::default() })
    }

    /// Whether the history ends early in this clone.
    pub fn is_shallow(&self) -> bool {
        !self.shallow.is_empty()
    }

    /// Fails as soon as the answer is of no use any more.
    pub fn go_on(&self) -> Result<(), Trouble> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(Trouble::Closed);
        }
        if Instant::now() > self.until { Err(Trouble::TooLong) } else { Ok(()) }
    }

    /// The kind of an object; None: there is no such object.
    pub fn kind(&self, id: ObjectId) -> Result<Option<Kind>, Trouble> {
        let header = self.repository.try_find_header(id).map_err(|_| Trouble::Damaged(id))?;
        Ok(header.map(|header| header.kind()))
    }

    /// The bytes of an object of a kind, or None if it is larger than `most`.
    pub fn bytes(&self, id: ObjectId, kind: Kind, most: u64) -> Result<Option<Vec<u8>>, Trouble> {
        self.go_on()?;
        let header = self.repository.try_find_header(id).map_err(|_| Trouble::Damaged(id))?;
        let header = header.ok_or(Trouble::Missing(id))?;
        if header.size() > most {
            return Ok(None);
        }
        self.whole(id, kind).map(Some)
    }

    /// The bytes of an object of a kind. The size is not looked at before, which takes as long as reading: the limit on
    /// memory with which the repository was opened holds.
    fn whole(&self, id: ObjectId, kind: Kind) -> Result<Vec<u8>, Trouble> {
        self.go_on()?;
        match self.repository.try_find_object(id) {
            Ok(Some(mut object)) if object.kind == kind => Ok(std::mem::take(&mut object.data)),
            Ok(Some(_)) => Err(Trouble::Damaged(id)),
            Ok(None) => Err(Trouble::Missing(id)),
            Err(_) => match self.repository.try_find_header(id) {
                Ok(Some(header)) if header.size() > LARGEST => Err(Trouble::Huge(id)),
                _ => Err(Trouble::Damaged(id)),
            },
        }
    }

    /// The bytes of a commit.
    pub fn commit_bytes(&self, id: ObjectId) -> Result<Vec<u8>, Trouble> {
        self.whole(id, Kind::Commit)
    }

    /// A commit as walks see it.
    pub fn node(&self, id: ObjectId) -> Result<Node, Trouble> {
        if let Some(node) = self.nodes.borrow().get(&id) {
            return Ok(node.clone());
        }
        let node = self.read_node(id)?;
        let mut kept = self.nodes.borrow_mut();
        if kept.len() >= NODES_KEPT {
            kept.clear();
        }
        kept.insert(id, node.clone());
        Ok(node)
    }

    fn read_node(&self, id: ObjectId) -> Result<Node, Trouble> {
        let bytes = self.commit_bytes(id)?;
        let commit = CommitRef::from_bytes(&bytes, id.kind()).map_err(|_| Trouble::Damaged(id))?;
        let parsed = |hex: &[u8]| ObjectId::from_hex(hex).map_err(|_| Trouble::Damaged(id));
        let mut parents = Vec::new();
        for parent in &commit.parents {
            parents.push(parsed(parent)?);
        }
        let cut = self.shallow.contains(&id) && !parents.is_empty();
        if cut {
            parents.clear();
        }
        Ok(Node { tree: parsed(commit.tree)?, parents, seconds: seconds_of(commit.committer), cut })
    }

    /// The entries of a folder.
    pub fn folder(&self, id: ObjectId) -> Result<Folder, Trouble> {
        if let Some(folder) = self.folders.borrow().0.get(&id) {
            return Ok(Rc::clone(folder));
        }
        let mut entries = Vec::new();
        if !id.is_empty_tree() {
            let bytes = self.whole(id, Kind::Tree)?;
            for entry in TreeRefIter::from_bytes(&bytes, id.kind()) {
                let entry = entry.map_err(|_| Trouble::Damaged(id))?;
                entries.push(Entry {
                    name: entry.filename.to_vec(),
                    kind: entry.mode.kind(),
                    id: entry.oid.to_owned(),
                });
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries.dedup_by(|a, b| a.name == b.name);
        let folder = Rc::new(entries);
        let mut kept = self.folders.borrow_mut();
        if kept.0.len() >= TREES_KEPT || kept.1 + folder.len() > ENTRIES_KEPT {
            *kept = (HashMap::new(), 0);
        }
        kept.1 += folder.len();
        kept.0.insert(id, Rc::clone(&folder));
        Ok(folder)
    }

    /// Follows annotated tags to a commit; None if what is found is not a commit.
    pub fn peel(&self, mut id: ObjectId) -> Result<Option<ObjectId>, Trouble> {
        // Tags of tags exist; a chain of them that is longer than this was made to be walked.
        for _ in 0..8 {
            match self.kind(id)? {
                Some(Kind::Commit) => return Ok(Some(id)),
                Some(Kind::Tag) => {
                    let bytes = self.whole(id, Kind::Tag)?;
                    let tag = gix::objs::TagRef::from_bytes(&bytes, id.kind()).map_err(|_| Trouble::Damaged(id))?;
                    id = ObjectId::from_hex(tag.target).map_err(|_| Trouble::Damaged(id))?;
                }
                Some(_) => return Ok(None),
                None => return Err(Trouble::Missing(id)),
            }
        }
        Ok(None)
    }
}

/// The seconds in the line of an author or committer: `Ada <ada@…> 1760000000 +0000`. A line without a time counts as
/// 1970, so that it is walked last.
pub(super) fn seconds_of(line: &[u8]) -> i64 {
    let after = line.iter().rposition(|&byte| byte == b'>').map_or(line, |at| &line[at + 1..]);
    let text = std::str::from_utf8(after).unwrap_or_default();
    text.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
