//! What a repository on disk is like, for `tidegate init`: where it comes from, its tags and files, and who works on it.

use std::collections::{BTreeMap, BinaryHeap, HashSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use gix::ObjectId;
use gix::objs::tree::EntryKind;
use gix::objs::{CommitRef, Kind};

use super::commit::who;
use super::names::{self, Peeled, Prefixes};
use super::objects::{Objects, Trouble, seconds_of};
use super::tree;
use crate::clock::Time;
use crate::source::CannotSay;
use crate::source::code::declared::is_nobody;
use crate::source::code::paths::path_text;

/// So many files of a tree are listed.
const MOST_FILES: usize = 200_000;
/// So many files are read.
const MOST_TEXTS: usize = 500;
/// A larger file is not read.
const LARGEST_TEXT: u64 = 256 << 10;
/// So many commits are looked at for their authors.
const MOST_COMMITS: usize = 5_000;
const MOST_REMOTES: usize = 20;
/// Where a repository says which addresses are one person's.
const MAILMAP: &str = ".mailmap";

/// What is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// Name and address of each remote, `origin` first. An address may hold a password: it is for reading, not for showing.
    pub remotes: Vec<(String, String)>,
    /// The newest tags first.
    pub tags: Vec<String>,
    /// Paths at HEAD.
    pub files: Vec<String>,
    /// The texts that were asked for, by path.
    pub texts: BTreeMap<String, String>,
    /// Who wrote commits since the time that was asked about, by name and address, those of most commits first. Names and
    /// addresses are those of `.mailmap`, where it has them; bots and tools are left out.
    pub authors: Vec<Author>,
    /// What could not be seen.
    pub incomplete: Vec<String>,
}

/// One name with one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    pub name: String,
    pub email: String,
    pub commits: usize,
}

/// Looks at the repository at `path`: authors since `since`, and the texts of small files whose path is `wanted`.
///
/// # Errors
/// Where there is no repository that can be read.
pub fn survey(path: &Path, since: Time, wanted: impl Fn(&str) -> bool) -> Result<Survey, CannotSay> {
    let says = |trouble: Trouble| CannotSay::because(trouble.to_string());
    let repository = super::opened(path).map_err(|_| CannotSay::because("is no git repository that can be read"))?;
    let closed = AtomicBool::new(false);
    let objects = Objects::new(&repository, &closed).map_err(says)?;
    let mut survey = Survey { remotes: remotes(&repository), ..Survey::default() };
    let (known, incomplete) =
        names::known(&objects, Prefixes { own: None, others: &[] }, &Peeled::default()).map_err(says)?;
    survey.tags = known.into_iter().map(|version| version.name).collect();
    survey.incomplete = incomplete;
    let Ok(head) = repository.head_id() else {
        survey.incomplete.push("it has no commit yet".to_owned());
        return Ok(survey);
    };
    let head = head.detach();
    if let Err(trouble) = files(&objects, head, wanted, &mut survey) {
        survey.incomplete.push(trouble.to_string());
    }
    if let Err(trouble) = authors(&objects, head, since, &mut survey) {
        survey.incomplete.push(trouble.to_string());
    }
    Ok(survey)
}

fn remotes(repository: &gix::Repository) -> Vec<(String, String)> {
    let config = repository.config_snapshot();
    let sections = config.plumbing().sections_by_name("remote").into_iter().flatten();
    let named = sections.filter_map(|section| {
        let name = section.header().subsection_name()?.to_string();
        let url = section.value("url")?.to_string();
        Some((name, url))
    });
    let mut remotes: Vec<(String, String)> = named.take(MOST_REMOTES).collect();
    remotes.sort_by_key(|(name, _)| name != "origin");
    remotes
}

fn files(
    objects: &Objects<'_>,
    head: ObjectId,
    wanted: impl Fn(&str) -> bool,
    survey: &mut Survey,
) -> Result<(), Trouble> {
    let root = objects.node(head)?.tree;
    let (found, whole) = tree::files(objects, root, MOST_FILES, |_| true, |_| true)?;
    if !whole {
        survey.incomplete.push(format!("only {MOST_FILES} of its files were looked at"));
    }
    for (path, side) in found {
        // A path that is no plain text names nothing that settings could name.
        let Ok(path) = String::from_utf8(path) else { continue };
        if path_text(path.as_bytes()) != path {
            continue;
        }
        if (path == MAILMAP || wanted(&path))
            && survey.texts.len() < MOST_TEXTS
            && matches!(side.kind, EntryKind::Blob | EntryKind::BlobExecutable)
        {
            let text = objects.bytes(side.id, Kind::Blob, LARGEST_TEXT);
            if let Ok(Some(text)) = text {
                survey.texts.insert(path.clone(), String::from_utf8_lossy(&text).into_owned());
            }
        }
        survey.files.push(path);
    }
    Ok(())
}

/// Walks back from `head` by time of commit.
fn authors(objects: &Objects<'_>, head: ObjectId, since: Time, survey: &mut Survey) -> Result<(), Trouble> {
    let mailmap = gix_mailmap::Snapshot::from_bytes(survey.texts.get(MAILMAP).map_or(b"", |text| text.as_bytes()));
    let mut counts: BTreeMap<(String, String), (String, usize)> = BTreeMap::new();
    let mut open = BinaryHeap::from([(objects.node(head)?.seconds, head)]);
    let mut seen = HashSet::from([head]);
    let mut looked = 0;
    while let Some((seconds, id)) = open.pop() {
        if seconds.saturating_mul(1_000) < since.ms() {
            break;
        }
        looked += 1;
        if looked > MOST_COMMITS {
            survey
                .incomplete
                .push(format!("only the newest {MOST_COMMITS} commits were looked at for who works on it"));
            break;
        }
        let bytes = objects.commit_bytes(id)?;
        let commit = CommitRef::from_bytes(&bytes, id.kind()).map_err(|_| Trouble::Damaged(id))?;
        let (name, email) = of_mailmap(&mailmap, who(commit.author));
        if !is_nobody(&name, &email) && seconds_of(commit.author) != 0 {
            let entry = counts.entry((email.to_lowercase(), name.clone())).or_insert((email, 0));
            entry.1 += 1;
        }
        for parent in objects.node(id)?.parents {
            if seen.insert(parent) {
                match objects.node(parent) {
                    Ok(node) => open.push((node.seconds, parent)),
                    Err(trouble @ (Trouble::Closed | Trouble::TooLong)) => return Err(trouble),
                    Err(trouble) => survey.incomplete.push(trouble.to_string()),
                }
            }
        }
    }
    let authors = counts.into_iter().map(|((_, name), (email, commits))| Author { name, email, commits });
    survey.authors = authors.collect();
    survey.authors.sort_by(|a, b| b.commits.cmp(&a.commits).then_with(|| a.email.cmp(&b.email)));
    Ok(())
}

fn of_mailmap(mailmap: &gix_mailmap::Snapshot, (name, email): (String, String)) -> (String, String) {
    let signature = gix::actor::SignatureRef { name: name.as_bytes().into(), email: email.as_bytes().into(), time: "" };
    match mailmap.try_resolve_ref(signature) {
        Some(known) => {
            let text = |bytes: &gix::bstr::BStr| crate::message::tame(&bytes.to_string(), 250);
            (known.name.map_or(name, text), known.email.map_or(email, text))
        }
        None => (name, email),
    }
}
