//! Who works on the repositories. One person's addresses are joined only where something says so: `.mailmap`, a code
//! host's login. The same name alone says nothing: it is mentioned, for a person to judge.

use std::collections::{BTreeMap, BTreeSet};

use super::owners::Owner;
use super::services::name_of;
use crate::source::git::Author;

/// So many people are proposed.
const MOST: usize = 60;

/// A person as they are proposed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What the settings call them.
    pub key: String,
    pub name: Option<String>,
    pub emails: Vec<String>,
    pub logins: Vec<String>,
    pub commits: usize,
    /// Addresses with the same name, which may be theirs.
    pub perhaps: Vec<String>,
    /// What else is known: what other systems call them.
    pub says: Vec<String>,
}

/// The people behind authors and owners. `logins` tells which login a code host gives an address (in lower case).
pub fn people(authors: &[Author], owners: &[Owner], logins: &BTreeMap<String, String>) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for author in authors {
        let email = author.email.to_lowercase();
        let usable = is_address(&author.email);
        let login = login_of(&email).or_else(|| logins.get(&email).cloned());
        let known = found.iter_mut().find(|person| {
            person.emails.iter().any(|known| known.eq_ignore_ascii_case(&email))
                || login.as_ref().is_some_and(|login| has(&person.logins, login))
        });
        match known {
            Some(person) => {
                person.commits += author.commits;
                if usable && !has(&person.emails, &author.email) {
                    person.emails.push(author.email.clone());
                }
                if let Some(login) = login.filter(|login| !has(&person.logins, login)) {
                    person.logins.push(login);
                }
            }
            None => found.push(Found {
                name: Some(author.name.clone()).filter(|name| !name.is_empty()),
                emails: Vec::from_iter(usable.then(|| author.email.clone())),
                logins: Vec::from_iter(login),
                commits: author.commits,
                ..Found::default()
            }),
        }
    }
    found.retain(|person| !person.emails.is_empty() || !person.logins.is_empty());
    found.sort_by_key(|person| std::cmp::Reverse(person.commits));
    join_names(&mut found);
    found.truncate(MOST);
    for owner in owners {
        let new = match owner {
            Owner::Login(login) if !found.iter().any(|person| has(&person.logins, login)) => {
                Found { logins: vec![login.clone()], ..Found::default() }
            }
            Owner::Email(email) if !found.iter().any(|person| has(&person.emails, email)) => {
                Found { emails: vec![email.clone()], ..Found::default() }
            }
            _ => continue,
        };
        if found.len() < 2 * MOST {
            let says = "owns code by CODEOWNERS, and wrote no commit in the last 90 days under a name that leads there";
            found.push(Found { says: vec![says.to_owned()], ..new });
        }
    }
    name_all(&mut found);
    found
}

/// The person that an owner is.
pub fn person_of<'f>(found: &'f [Found], owner: &Owner) -> Option<&'f Found> {
    found.iter().find(|person| match owner {
        Owner::Login(login) => has(&person.logins, login),
        Owner::Email(email) => has(&person.emails, email),
        Owner::Team(_) => false,
    })
}

/// Whoever has the same name as somebody before them is mentioned there.
fn join_names(found: &mut Vec<Found>) {
    let mut kept: Vec<Found> = Vec::new();
    for person in found.drain(..) {
        let same = |known: &&mut Found| {
            known.name.as_ref().zip(person.name.as_ref()).is_some_and(|(a, b)| a.to_lowercase() == b.to_lowercase())
        };
        match kept.iter_mut().find(same) {
            Some(known) => known.perhaps.extend(person.emails.into_iter().chain(person.logins)),
            None => kept.push(person),
        }
    }
    *found = kept;
}

/// Short names that people would choose: the login, the first name, the address before the `@`; each once.
fn name_all(found: &mut [Found]) {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for person in found {
        let name = person.name.as_deref().unwrap_or_default();
        let first = name.split_whitespace().next().unwrap_or_default();
        let local = person.emails.first().and_then(|email| email.split('@').next()).unwrap_or_default();
        let login = person.logins.first().map(String::as_str).unwrap_or_default();
        let wanted = [first, login, local, name].map(|text| name_of(&text.to_lowercase()));
        let base = wanted.iter().find(|name| !name.is_empty()).cloned().unwrap_or_else(|| "somebody".to_owned());
        let free = wanted.into_iter().find(|name| !name.is_empty() && !taken.contains(name));
        let numbered = || (2..1_000).map(|n| format!("{base}-{n}")).find(|name| !taken.contains(name));
        person.key = free.or_else(numbered).unwrap_or(base);
        taken.insert(person.key.clone());
    }
}

/// The login in an address that a code host made: `123+ada@users.noreply.github.com`, `123-ada@users.noreply.gitlab.com`.
fn login_of(email: &str) -> Option<String> {
    let (local, divided) = match email.split_once("@users.noreply.") {
        Some((local, "github.com")) => (local, '+'),
        Some((local, "gitlab.com")) => (local, '-'),
        _ => return None,
    };
    let login = match local.split_once(divided) {
        Some((number, login)) if number.bytes().all(|byte| byte.is_ascii_digit()) => login,
        _ => local,
    };
    (!login.is_empty()).then(|| login.to_owned())
}

fn is_address(text: &str) -> bool {
    let parts = text.split_once('@').filter(|(local, host)| !local.is_empty() && host.contains('.'));
    parts.is_some_and(|(_, host)| !host.ends_with(".local") && !host.contains('@'))
        && !text.contains(char::is_whitespace)
}

fn has(list: &[String], text: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(name: &str, email: &str, commits: usize) -> Author {
        Author { name: name.to_owned(), email: email.to_owned(), commits }
    }

    fn keys(found: &[Found]) -> Vec<&str> {
        found.iter().map(|person| person.key.as_str()).collect()
    }

    #[test]
    fn addresses_are_joined_by_login_and_never_by_name() {
        let authors = [
            by("Ada Byron", "ada@shop.test", 5),
            by("ada", "7+ada-b@users.noreply.github.com", 3),
            by("Grace Hopper", "grace@shop.test", 9),
            by("grace hopper", "grace@elsewhere.test", 1),
        ];
        let logins = BTreeMap::from([("ada@shop.test".to_owned(), "ada-b".to_owned())]);
        let found = people(&authors, &[], &logins);
        assert_eq!(keys(&found), ["grace", "ada"]);
        assert_eq!(
            (&found[0].emails, &found[0].perhaps),
            (&vec!["grace@shop.test".to_owned()], &vec!["grace@elsewhere.test".to_owned()])
        );
        assert_eq!(found[1].emails, ["ada@shop.test", "7+ada-b@users.noreply.github.com"]);
        assert_eq!((found[1].commits, &found[1].logins), (8, &vec!["ada-b".to_owned()]));
    }

    #[test]
    fn owners_without_commits_are_people_too_and_names_are_taken_once() {
        let owners = [
            Owner::Login("lin".to_owned()),
            Owner::Team("shop/all".to_owned()),
            Owner::Email("x@shop.test".to_owned()),
        ];
        let authors = [
            by("Lin Chen", "lin@shop.test", 2),
            by("Lin Park", "lin.park@shop.test", 1),
            by("", "root@machine.local", 9),
        ];
        let found = people(&authors, &owners, &BTreeMap::new());
        assert_eq!(keys(&found), ["lin", "lin.park", "lin-2", "x"]);
        assert_eq!(person_of(&found, &owners[0]).map(|person| person.key.as_str()), Some("lin-2"));
        assert_eq!(person_of(&found, &owners[1]), None);
    }
}
