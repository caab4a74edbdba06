//! What a lock or a freeze is about: a service, an environment, one service in one environment, or everything.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::Settings;
use crate::name::{Environment, Service};

/// None stands for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
}

/// Why words name no scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoScope {
    /// A service and an environment have this name.
    Both,
    /// This part is the name of no service.
    Service(String),
    /// This part is the name of no environment.
    Environment(String),
    /// The name of neither.
    Neither,
}

impl Scope {
    /// One service in one environment.
    pub fn target(service: &Service, environment: &Environment) -> Scope {
        Scope { service: Some(service.clone()), environment: Some(environment.clone()) }
    }

    /// Whether a deployment of this service to this environment is of it.
    pub fn covers(&self, service: &Service, environment: &Environment) -> bool {
        self.service.as_ref().is_none_or(|own| own == service)
            && self.environment.as_ref().is_none_or(|own| own == environment)
    }

    /// Whether all of `other` is of it.
    pub fn contains(&self, other: &Scope) -> bool {
        (self.service.is_none() || self.service == other.service)
            && (self.environment.is_none() || self.environment == other.environment)
    }

    /// Whether any deployment is of both.
    pub fn touches(&self, other: &Scope) -> bool {
        let meets = |a: Option<&str>, b: Option<&str>| a.is_none() || b.is_none() || a == b;
        meets(self.service.as_ref().map(Service::as_str), other.service.as_ref().map(Service::as_str))
            && meets(
                self.environment.as_ref().map(Environment::as_str),
                other.environment.as_ref().map(Environment::as_str),
            )
    }

    /// One text for each scope, as commands and the record write it: `shop/production`, `shop/*`, `*/production`.
    pub fn key(&self) -> String {
        let service = self.service.as_ref().map_or("*", Service::as_str);
        let environment = self.environment.as_ref().map_or("*", Environment::as_str);
        format!("{service}/{environment}")
    }

    /// Reads `shop`, `production`, `shop/production`, `shop/*`, `*/production`; and `all` or `*/*`, which is everything.
    /// Names may hold a slash.
    pub fn read(text: &str, settings: &Settings) -> Result<Scope, NoScope> {
        let text = text.trim().trim_matches('`');
        let service = settings.service.contains_key(text).then(|| Service::new(text));
        let environment = settings.environment.contains_key(text).then(|| Environment::new(text));
        match (service, environment) {
            (Some(_), Some(_)) => return Err(NoScope::Both),
            (None, None) => {}
            (service, environment) => return Ok(Scope { service, environment }),
        }
        if matches!(text, "all" | "everything") {
            return Ok(Scope::default());
        }
        let halves: Vec<(&str, &str)> = text.match_indices('/').map(|(at, _)| (&text[..at], &text[at + 1..])).collect();
        let known = |(service, environment): &(&str, &str)| {
            (*service == "*" || settings.service.contains_key(*service))
                && (*environment == "*" || settings.environment.contains_key(*environment))
        };
        if let Some((service, environment)) = halves.iter().find(|half| known(half)) {
            return Ok(Scope {
                service: (*service != "*").then(|| Service::new(*service)),
                environment: (*environment != "*").then(|| Environment::new(*environment)),
            });
        }
        match halves.first() {
            Some((service, _)) if *service != "*" && !settings.service.contains_key(*service) => {
                Err(NoScope::Service((*service).to_owned()))
            }
            Some((_, environment)) => Err(NoScope::Environment((*environment).to_owned())),
            None => Err(NoScope::Neither),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.service, &self.environment) {
            (Some(service), Some(environment)) => write!(f, "{service} in {environment}"),
            (Some(service), None) => write!(f, "{service}"),
            (None, Some(environment)) => write!(f, "{environment}"),
            (None, None) => f.write_str("everything"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let text =
            "[service.shop]\n[service.\"web/shop\"]\n[service.both]\n[environment.production]\n[environment.both]\n";
        Settings::read(text, "tidegate.toml", std::path::PathBuf::new()).unwrap()
    }

    #[test]
    fn every_way_of_writing_a_scope_reads_and_is_written_one_way() {
        for (text, key) in [
            ("shop", "shop/*"),
            ("production", "*/production"),
            ("`shop/production`", "shop/production"),
            ("web/shop", "web/shop/*"),
            ("web/shop/production", "web/shop/production"),
            ("both/*", "both/*"),
            ("*/both", "*/both"),
            ("all", "*/*"),
        ] {
            let scope = Scope::read(text, &settings()).unwrap();
            assert_eq!(scope.key(), key, "{text}");
            assert_eq!(Scope::read(&scope.key(), &settings()), Ok(scope));
        }
    }

    #[test]
    fn what_is_no_scope_says_which_part() {
        let wrong = |text: &str| Scope::read(text, &settings()).unwrap_err();
        assert_eq!(wrong("both"), NoScope::Both);
        assert_eq!(wrong("shpo"), NoScope::Neither);
        assert_eq!(wrong("shpo/production"), NoScope::Service("shpo".to_owned()));
        assert_eq!(wrong("shop/prod"), NoScope::Environment("prod".to_owned()));
        assert_eq!(wrong(""), NoScope::Neither);
    }

    #[test]
    fn a_wider_scope_contains_a_narrower_and_covers_its_targets() {
        let read = |text: &str| Scope::read(text, &settings()).unwrap();
        let (shop, production, one) = (read("shop"), read("production"), read("shop/production"));
        assert!(shop.contains(&one) && production.contains(&one) && !one.contains(&production));
        assert!(shop.touches(&production) && !shop.contains(&production));
        assert!(!shop.touches(&read("web/shop")));
        let (service, environment) = (Service::new("shop"), Environment::new("production"));
        assert!([&shop, &production, &one].iter().all(|scope| scope.covers(&service, &environment)));
        assert!(!read("both/*").covers(&service, &environment));
    }
}
