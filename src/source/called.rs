//! What a system outside calls our services and our people.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::config::Settings;
use crate::message::tame;
use crate::name::{Person, Service};

/// Services of ours, each with one name or several that it has in the other system.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Called(BTreeMap<Service, Names>);

/// One name, or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Names {
    One(String),
    Many(Vec<String>),
}

impl Names {
    pub fn list(&self) -> &[String] {
        match self {
            Names::One(name) => std::slice::from_ref(name),
            Names::Many(names) => names,
        }
    }
}

impl Called {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has(&self, service: &Service) -> bool {
        self.0.contains_key(service)
    }

    /// The names that a service has there.
    pub fn of(&self, service: &Service) -> &[String] {
        self.0.get(service).map(Names::list).unwrap_or_default()
    }

    /// The names there of several services, each once.
    pub fn of_all(&self, services: &BTreeSet<Service>) -> BTreeSet<&str> {
        services.iter().flat_map(|service| self.of(service)).map(String::as_str).collect()
    }

    /// Our services of which one of these names speaks, whatever their case.
    pub fn ours<'n>(&self, theirs: impl IntoIterator<Item = &'n str>) -> Vec<Service> {
        let theirs: BTreeSet<String> = theirs.into_iter().map(str::to_lowercase).collect();
        let named = |names: &Names| names.list().iter().any(|name| theirs.contains(&name.to_lowercase()));
        self.0.iter().filter(|(_, names)| named(names)).map(|(service, _)| service.clone()).collect()
    }
}

/// The service, all that it needs and all that need it: whose incidents matter to it.
pub fn around(settings: &Settings, service: &Service) -> BTreeSet<Service> {
    let near = settings.needs(service).into_iter().chain(settings.needed_by(service));
    near.chain([service]).cloned().collect()
}

/// The person of ours with this e-mail address, or who is called by this name on call; else the name as it was given, and
/// the address only where there is no name.
pub fn person(settings: &Settings, email: Option<&str>, name: Option<&str>) -> Option<Person> {
    let same = |a: &str, b: &str| a.trim().to_lowercase() == b.trim().to_lowercase();
    let by_email = email
        .and_then(|email| settings.people.iter().find(|(_, about)| about.email.iter().any(|known| same(known, email))));
    let by_name = || {
        let name = name?;
        settings.people.iter().find(|(person, about)| {
            same(person.as_str(), name)
                || about.name.as_deref().is_some_and(|full| same(full, name))
                || about.on_call.iter().any(|alias| same(alias, name))
        })
    };
    if let Some((person, _)) = by_email.or_else(by_name) {
        return Some(person.clone());
    }
    let text = name.filter(|name| !name.trim().is_empty()).or(email)?;
    Some(Person::new(tame(text, 80))).filter(|person| !person.as_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::settings;

    #[test]
    fn what_matters_to_a_service_reaches_through_all_that_it_needs_and_all_that_need_it() {
        let settings = settings(
            "[service.shop]\ndepends-on = ['checkout']\n[service.checkout]\ndepends-on = ['ledger']\n\
             [service.ledger]\n[service.search]\ndepends-on = ['shop']\n[service.mail]\ndepends-on = ['ledger']",
        );
        let near: Vec<Service> = around(&settings, &Service::new("checkout")).into_iter().collect();
        assert_eq!(near, ["checkout", "ledger", "search", "shop"].map(Service::new));
    }

    #[test]
    fn people_are_known_by_their_address_before_their_name() {
        let settings = settings(
            "[people.ada]\nemail = ['ada@harbor.test']\n[people.lin]\nname = 'Lin Park'\non-call = ['Second seat']",
        );
        let who = |email, name| person(&settings, email, name).map(|person| person.to_string());
        assert_eq!(who(Some("Ada@Harbor.test"), Some("Lin Park")).as_deref(), Some("ada"));
        assert_eq!(who(None, Some("second seat")).as_deref(), Some("lin"));
        assert_eq!(who(Some("x@y.test"), Some("Ext  \u{202e}Ops")).as_deref(), Some("Ext Ops"), "tamed");
        assert_eq!(who(None, None), None);
    }
}
