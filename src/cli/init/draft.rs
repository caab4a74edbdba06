//! What is proposed, put together from everything that was found: each thing once, and what belongs together.

use std::collections::BTreeMap;

use super::environments::{Guessed, canonical, environments};
use super::owners::Owner;
use super::people::{self, people, person_of};
use super::place::Place;
use super::services::{self, services};
use super::systems::{Reached, Told};
use crate::source::git::Author;
use crate::target::KubeContext;

/// All of it.
#[derive(Debug)]
pub struct Draft {
    pub places: Vec<Place>,
    pub services: Vec<Service>,
    pub environments: Guessed,
    pub people: Vec<people::Found>,
    /// What a PagerDuty account calls the services: service, ids, escalation policies.
    pub paged: Vec<(String, Vec<String>, Vec<String>)>,
    /// Applications of Argo CD: `service/environment` and name.
    pub applications: Vec<(String, String)>,
    pub reached: Vec<Reached>,
    pub told: Told,
    pub zone: Option<(String, String)>,
    /// What could not be seen, as whole sentences.
    pub notes: Vec<String>,
}

/// A service with what is known around it.
#[derive(Clone, Debug)]
pub struct Service {
    pub found: services::Found,
    /// The index of its repository.
    pub place: usize,
    /// People of ours that own it, by CODEOWNERS.
    pub owners: Vec<String>,
    /// Teams whose members nobody told.
    pub teams: Vec<String>,
    /// Who wrote most of what changed lately, where nobody is said to own it.
    pub busiest: Option<String>,
}

/// What was found before it is put together.
#[derive(Debug, Default)]
pub struct Finds {
    pub places: Vec<Place>,
    pub contexts: Vec<KubeContext>,
    pub reached: Vec<Reached>,
    pub told: Told,
    pub zone: Option<(String, String)>,
    pub notes: Vec<String>,
}

pub fn draft(finds: Finds) -> Draft {
    let Finds { mut places, contexts, reached, told, zone, mut notes } = finds;
    let surveys: Vec<_> = places.iter().map(|place| place.survey.clone()).collect();
    // Two clones of the same name are told apart.
    for at in 1..places.len() {
        let taken = |name: &str| places[..at].iter().any(|other| other.name == name);
        if taken(&places[at].name) {
            let name = places[at].name.clone();
            let free = (2..1_000).map(|n| format!("{name}-{n}")).find(|name| !taken(name));
            places[at].name = free.unwrap_or(name);
        }
    }
    let mut authors: BTreeMap<(String, String), Author> = BTreeMap::new();
    for author in surveys.iter().flat_map(|survey| &survey.authors) {
        let known = authors.entry((author.email.to_lowercase(), author.name.clone()));
        known.and_modify(|known| known.commits += author.commits).or_insert_with(|| author.clone());
    }
    let mut authors: Vec<Author> = authors.into_values().collect();
    authors.sort_by(|a, b| b.commits.cmp(&a.commits).then_with(|| a.email.cmp(&b.email)));
    let named = owners_of(&places);
    let members = told.teams.values().flatten().map(|login| Owner::Login(login.clone()));
    let owners: Vec<Owner> =
        named.into_iter().filter(|owner| !matches!(owner, Owner::Team(_))).chain(members).collect();
    let mut people = people(&authors, &owners, &told.logins);
    for (email, name) in told.pagerduty.iter().flat_map(|told| &told.users) {
        let known = people.iter_mut().find(|person| person.emails.iter().any(|own| own.eq_ignore_ascii_case(email)));
        if let Some(person) = known {
            person.says.push(format!("a user of PagerDuty, as {name}"));
        }
    }
    let mut all = Vec::new();
    for (at, place) in places.iter().enumerate() {
        let (found, incomplete) = services(&place.name, &place.survey);
        notes.extend(incomplete.into_iter().map(|what| format!("{}: {what}.", place.path)));
        notes.extend(place.survey.incomplete.iter().map(|what| format!("{}: {what}.", place.path)));
        all.extend(found.into_iter().map(|found| owned(found, at, place, &people, &told)));
    }
    tell_apart(&mut all, &places);
    let sure: Vec<&str> = all.iter().filter(|s: &&Service| s.found.sure).map(|s| s.found.name.as_str()).collect();
    let guessed = environments(&contexts, &surveys, &told);
    let paged = paged(&sure, &told);
    let applications = applications(&sure, &guessed, &told);
    notes.extend(told.notes.iter().cloned());
    Draft { services: all, environments: guessed, people, paged, applications, places, reached, told, zone, notes }
}

/// Everybody whom the CODEOWNERS of these repositories name.
pub fn owners_of(places: &[Place]) -> Vec<Owner> {
    let mut all: Vec<Owner> = places.iter().flat_map(|place| place.owners.all().cloned()).collect();
    all.sort();
    all.dedup();
    all
}

fn owned(found: services::Found, at: usize, place: &Place, people: &[people::Found], told: &Told) -> Service {
    let (mut owners, mut teams) = (Vec::new(), Vec::new());
    for owner in place.owners.of(&found.folder) {
        let logins = match owner {
            Owner::Team(team) => match told.teams.get(team) {
                Some(members) => members.iter().map(|login| Owner::Login(login.clone())).collect(),
                None => {
                    teams.push(team.clone());
                    continue;
                }
            },
            one => vec![one.clone()],
        };
        owners.extend(logins.iter().filter_map(|owner| person_of(people, owner)).map(|person| person.key.clone()));
    }
    owners.sort();
    owners.dedup();
    let busiest =
        place.survey.authors.first().and_then(|author| person_of(people, &Owner::Email(author.email.clone())));
    Service { found, place: at, owners, teams, busiest: busiest.map(|person| person.key.clone()) }
}

/// A service's name is used once, over all repositories: the second one takes its repository's name before it.
fn tell_apart(all: &mut [Service], places: &[Place]) {
    for at in 1..all.len() {
        let taken = |name: &str| all[..at].iter().any(|other| other.found.name == name);
        if taken(&all[at].found.name) {
            let name = format!("{}-{}", places[all[at].place].name, all[at].found.name);
            let numbered = (2..1_000).map(|n| format!("{name}-{n}"));
            let free = [name.clone()].into_iter().chain(numbered).find(|name| !taken(name));
            all[at].found.name = free.unwrap_or(name);
        }
    }
}

/// The words of a name that tell services apart: without environments, and without words that every service has.
fn words(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words
        .filter(|word| canonical(word).is_none() && !matches!(*word, "service" | "svc" | "app"))
        .map(str::to_owned)
        .collect()
}

fn paged(services: &[&str], told: &Told) -> Vec<(String, Vec<String>, Vec<String>)> {
    let Some(pagerduty) = &told.pagerduty else { return Vec::new() };
    let mut found = Vec::new();
    for service in services {
        let same = |(_, name, _): &&(String, String, Option<String>)| {
            words(name) == words(service) && canonical(name).is_none_or(|environment| environment == "production")
        };
        let known: Vec<_> = pagerduty.services.iter().filter(same).filter(|(id, ..)| is_id(id)).collect();
        if !known.is_empty() {
            let mut policies: Vec<String> =
                known.iter().filter_map(|(.., policy)| policy.clone()).filter(|id| is_id(id)).collect();
            policies.sort();
            policies.dedup();
            found.push(((*service).to_owned(), known.iter().map(|(id, ..)| id.clone()).collect(), policies));
        }
    }
    found
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 60 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn applications(services: &[&str], guessed: &Guessed, told: &Told) -> Vec<(String, String)> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for application in &told.applications {
        let about =
            [application.name.as_str(), &application.destination, application.namespace.as_deref().unwrap_or("")];
        let environment = about.iter().find_map(|text| canonical(text));
        let known = environment.filter(|name| guessed.found.iter().any(|environment| environment.name == *name));
        let service = services.iter().find(|service| words(service) == words(&application.name));
        let fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        if let (Some(environment), Some(service)) = (known, service)
            && application.name.chars().all(fit)
        {
            found.entry(format!("{service}/{environment}")).or_default().push(application.name.clone());
        }
    }
    // Several that look alike (a region each) are for a person to choose from.
    found
        .into_iter()
        .filter_map(|(place, mut names)| (names.len() == 1).then(|| Some((place, names.pop()?))).flatten())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::init::systems::{Application, PagerDuty};

    #[test]
    fn systems_services_are_matched_by_their_words_alone() {
        let service = |id: &str, name: &str| (id.to_owned(), name.to_owned(), Some("PESC".to_owned()));
        let pagerduty = PagerDuty {
            services: vec![
                service("P1", "Checkout Service (Production)"),
                service("P2", "checkout-staging"),
                service("P3", "Checkout Web"),
                service("P;4", "checkout"),
            ],
            ..PagerDuty::default()
        };
        let told = Told { pagerduty: Some(pagerduty), ..Told::default() };
        let paged = paged(&["checkout", "ledger"], &told);
        assert_eq!(paged, [("checkout".to_owned(), vec!["P1".to_owned()], vec!["PESC".to_owned()])]);
    }

    #[test]
    fn an_application_is_matched_where_one_alone_fits() {
        let application = |name: &str, destination: &str| Application {
            name: name.to_owned(),
            destination: destination.to_owned(),
            namespace: None,
        };
        let told = Told {
            applications: vec![
                application("checkout", "prod-cluster"),
                application("ledger-prod-us", "x"),
                application("search-production", "x"),
                application("search-prod", "x"),
            ],
            ..Told::default()
        };
        let guessed = environments(&[], &[], &told);
        let found = applications(&["checkout", "search", "ledger"], &guessed, &told);
        assert_eq!(found, [("checkout/production".to_owned(), "checkout".to_owned())]);
    }
}
