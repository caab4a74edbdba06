//! Names that mean commits: tags, branches and hashes. A name is looked up anew each time, because tags move.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use gix::ObjectId;
use gix::objs::Kind;

use super::objects::{Objects, Trouble};
use crate::advice::facts::{Version, Versions};
use crate::clock::Time;
use crate::message::tame;

/// So many tags are looked at.
const MOST_TAGS: usize = 20_000;
/// So many versions are told.
const MOST_KNOWN: usize = 200;
/// Longer names are nobody's.
pub(super) const LONGEST_NAME: usize = 200;
/// An abbreviated hash has at least so many digits, as git itself abbreviates.
const SHORTEST_HASH: usize = 7;
/// So many near names are told.
const MOST_NEAR: usize = 3;

/// The commits behind tag objects, with their times. Objects never change, so this stays true.
#[derive(Debug, Default)]
pub(super) struct Peeled(Mutex<HashMap<ObjectId, Option<(ObjectId, i64)>>>);

/// What a name turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Commit(ObjectId),
    Nothing,
    /// It could mean several commits: a sentence.
    Several(String),
}

/// How a service's tags are told apart in a repository of several services.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefixes<'a> {
    pub own: Option<&'a str>,
    /// Those of other services in the same repository.
    pub others: &'a [&'a str],
}

/// The service's versions, newest first, named without the prefix; and what could not be read of them.
pub(super) fn known(
    objects: &Objects<'_>,
    prefixes: Prefixes<'_>,
    peeled: &Peeled,
) -> Result<(Vec<Version>, Vec<String>), Trouble> {
    let unreadable = || Trouble::Says("has references that cannot be read".to_owned());
    let references = objects.repository.references().map_err(|_| unreadable())?;
    let (mut found, mut broken, mut more) = (Vec::new(), 0usize, false);
    for (count, reference) in references.tags().map_err(|_| unreadable())?.enumerate() {
        objects.go_on()?;
        if count >= MOST_TAGS {
            more = true;
            break;
        }
        let Ok(reference) = reference else {
            broken += 1;
            continue;
        };
        let full = reference.name().as_bstr();
        let Some(name) = full.strip_prefix(b"refs/tags/").and_then(|name| std::str::from_utf8(name).ok()) else {
            broken += 1;
            continue;
        };
        let Some(name) = of_service(name, prefixes).filter(|name| is_clean(name)) else { continue };
        match reference.try_id().map(|id| peel(objects, id.detach(), peeled)) {
            Some(Ok(Some((commit, seconds)))) => found.push((seconds, name.to_owned(), commit)),
            Some(Err(trouble @ (Trouble::Closed | Trouble::TooLong))) => return Err(trouble),
            Some(Ok(None)) => {}
            Some(Err(_)) | None => broken += 1,
        }
    }
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| natural(&b.1).cmp(&natural(&a.1))).then_with(|| a.1.cmp(&b.1)));
    let mut incomplete = Vec::new();
    if broken > 0 {
        incomplete.push(format!("{broken} tags cannot be read"));
    }
    if more {
        incomplete.push(format!("only the first {MOST_TAGS} tags were looked at"));
    }
    let version = |(seconds, name, commit): (i64, String, ObjectId)| Version {
        name,
        commit: commit.to_string(),
        at: Time::from_ms(seconds.saturating_mul(1_000)),
    };
    Ok((found.into_iter().take(MOST_KNOWN).map(version).collect(), incomplete))
}

/// Finds what a name means: a tag of the service (with its prefix), any tag by its full name, a branch here, a branch of
/// `origin`, a hash. Where two of these disagree the first is taken, and `doubts` says so.
pub(super) fn find(
    objects: &Objects<'_>,
    name: &str,
    prefixes: Prefixes<'_>,
    doubts: &mut Vec<String>,
) -> Result<Found, Trouble> {
    if name.is_empty() || name.len() > LONGEST_NAME || !is_clean(name) {
        return Ok(Found::Nothing);
    }
    let own = prefixes.own.map(|prefix| ("tag", format!("refs/tags/{prefix}{name}")));
    let places = [
        ("tag", format!("refs/tags/{name}")),
        ("branch", format!("refs/heads/{name}")),
        ("branch of origin", format!("refs/remotes/origin/{name}")),
    ];
    let mut first: Option<(&str, ObjectId)> = None;
    for (what, reference_name) in own.into_iter().chain(places) {
        let Some(id) = reference(objects, &reference_name)? else { continue };
        let Some(commit) = objects.peel(id)? else { continue };
        match first {
            None => first = Some((what, commit)),
            Some((taken, other)) if other != commit => doubts.push(format!(
                "`{}` is a {taken} and also a {what} on another commit: the {taken} was taken",
                tame(name, LONGEST_NAME)
            )),
            Some(_) => {}
        }
    }
    if let Some((_, commit)) = first {
        return Ok(Found::Commit(commit));
    }
    by_hash(objects, name)
}

/// Where a reference points to, by its full name and nothing else.
pub(super) fn reference(objects: &Objects<'_>, full: &str) -> Result<Option<ObjectId>, Trouble> {
    let Ok(name) = gix::refs::FullName::try_from(full) else { return Ok(None) };
    let found = objects
        .repository
        .try_find_reference(name.as_ref())
        .map_err(|_| Trouble::Says(format!("has a reference `{}` that cannot be read", tame(full, LONGEST_NAME))))?;
    let Some(mut found) = found.filter(|found| found.name().as_bstr() == full) else { return Ok(None) };
    // A symbolic reference is followed; one that leads nowhere means nothing.
    if let Some(id) = found.try_id() {
        return Ok(Some(id.detach()));
    }
    Ok(found.follow_to_object().ok().map(gix::Id::detach))
}

/// Versions whose names a person may have meant: other letters' case, with or without the `v`, a slip of the finger. None
/// of them is ever taken silently.
pub fn near_names(versions: &Versions, name: &str) -> Vec<String> {
    let bare = |text: &str| {
        let lower = text.to_lowercase();
        lower.strip_prefix('v').map(str::to_owned).unwrap_or(lower)
    };
    let wanted = bare(name);
    let mut near: Vec<(usize, usize, &str)> = versions
        .known
        .iter()
        .enumerate()
        .filter(|(_, version)| version.name != name)
        .filter_map(|(order, version)| {
            let known = bare(&version.name);
            let tail = known.rsplit('/').next().unwrap_or(&known);
            let tail = tail.strip_prefix('v').unwrap_or(tail);
            let distance =
                if known == wanted || tail == wanted { 0 } else { strsim::damerau_levenshtein(&known, &wanted) };
            (distance <= 2 && distance * 3 <= wanted.len()).then_some((distance, order, version.name.as_str()))
        })
        .collect();
    near.sort_unstable();
    // Where a name differs in its dress only, others are no better.
    if near.first().is_some_and(|(distance, ..)| *distance == 0) {
        near.retain(|(distance, ..)| *distance == 0);
    }
    near.into_iter().take(MOST_NEAR).map(|(_, _, name)| name.to_owned()).collect()
}

fn by_hash(objects: &Objects<'_>, name: &str) -> Result<Found, Trouble> {
    let longest = objects.repository.object_hash().len_in_hex();
    if name.len() < SHORTEST_HASH || name.len() > longest || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Found::Nothing);
    }
    // Hexadecimal digits are numbers: their case says nothing.
    let digits = name.to_ascii_lowercase();
    if digits.len() == longest {
        let Ok(id) = ObjectId::from_hex(digits.as_bytes()) else { return Ok(Found::Nothing) };
        return match objects.kind(id)? {
            Some(_) => Ok(objects.peel(id)?.map_or(Found::Nothing, Found::Commit)),
            None => Ok(Found::Nothing),
        };
    }
    let Ok(prefix) = gix::hash::Prefix::from_hex(&digits) else { return Ok(Found::Nothing) };
    let mut candidates = HashSet::new();
    objects
        .repository
        .objects
        .lookup_prefix(prefix, Some(&mut candidates))
        .map_err(|_| Trouble::Says("has an object database that cannot be searched".to_owned()))?;
    let mut commits = Vec::new();
    for id in candidates {
        if objects.kind(id)? == Some(Kind::Commit) {
            commits.push(id);
        }
    }
    Ok(match commits.as_slice() {
        [] => Found::Nothing,
        [one] => Found::Commit(*one),
        several => Found::Several(format!("`{digits}` begins {} commits: more digits are needed", several.len())),
    })
}

fn peel(objects: &Objects<'_>, id: ObjectId, peeled: &Peeled) -> Result<Option<(ObjectId, i64)>, Trouble> {
    let kept =
        |map: &Mutex<HashMap<_, _>>| map.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&id).copied();
    if let Some(known) = kept(&peeled.0) {
        return Ok(known);
    }
    let found = match objects.peel(id)? {
        Some(commit) => Some((commit, objects.node(commit)?.seconds)),
        None => None,
    };
    let mut map = peeled.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if map.len() >= 2 * MOST_TAGS {
        map.clear();
    }
    map.insert(id, found);
    Ok(found)
}

/// The name of a tag as this service's people say it, if it is this service's.
fn of_service<'t>(tag: &'t str, prefixes: Prefixes<'_>) -> Option<&'t str> {
    match prefixes.own {
        Some(own) => tag.strip_prefix(own).filter(|rest| !rest.is_empty()),
        None => (!prefixes.others.iter().any(|other| tag.starts_with(other))).then_some(tag),
    }
}

fn is_clean(name: &str) -> bool {
    name.len() <= LONGEST_NAME && tame(name, LONGEST_NAME) == name
}

/// A key by which `v1.10` comes after `v1.9`: runs of digits count as numbers.
pub(super) fn natural(text: &str) -> Vec<(u128, String)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let words = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(words);
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, after) = after.split_at(digits);
        parts.push((0, word.to_owned()));
        parts.push((number.parse().unwrap_or(if number.is_empty() { 0 } else { u128::MAX }), String::new()));
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(names: &[&str]) -> Versions {
        let version = |name: &&str| Version { name: (*name).to_owned(), commit: String::new(), at: Time::from_ms(0) };
        Versions { known: names.iter().map(version).collect(), resolved: Vec::new() }
    }

    #[test]
    fn near_names_are_those_that_a_person_may_have_meant() {
        let known = versions(&["v2.14.0", "v2.13.2", "v2.13.1", "v1.0.0"]);
        assert_eq!(near_names(&known, "V2.14.0"), ["v2.14.0"]);
        assert_eq!(near_names(&known, "2.13.2")[0], "v2.13.2");
        assert_eq!(near_names(&known, "v2.41.0")[0], "v2.14.0");
        assert_eq!(near_names(&known, "release-candidate"), Vec::<String>::new());
        assert_eq!(near_names(&versions(&["checkout/v1"]), "v1"), ["checkout/v1"]);
    }

    #[test]
    fn numbers_in_names_count_as_numbers() {
        assert!(natural("v1.10") > natural("v1.9"));
        assert!(natural("V10__a") > natural("V9__b"));
        assert!(natural(&"9".repeat(60)) > natural("1"));
    }
}
