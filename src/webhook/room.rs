//! One source and the settings around it: what a sender's words mean here.

use crate::clock::Time;
use crate::config::{Settings, SourceSettings};
use crate::message::{is_web, tame};
use crate::name::{Environment, Service};
use crate::source::Question;
use crate::store::deployment::Status;

use super::{News, Report, Told};

/// The eyes with which a delivery is read.
#[derive(Clone, Copy, Debug)]
pub struct Room<'a> {
    pub settings: &'a Settings,
    pub source: &'a SourceSettings,
}

/// A deployment as its sender tells it, before anybody knows whether the settings know its target.
#[derive(Clone, Debug)]
pub struct Deployed<'a> {
    /// The id that reading the same system gives it.
    pub id: String,
    pub status: Status,
    pub service: Result<Service, String>,
    pub environment: &'a str,
    pub version: Option<&'a str>,
    pub commit: Option<&'a str>,
    pub actor: Option<&'a str>,
    pub at: Option<Time>,
    pub url: Option<&'a str>,
}

impl Room<'_> {
    /// The services that the source speaks of.
    pub fn services(&self) -> Vec<Service> {
        let all = &self.source.services;
        self.settings.service.keys().filter(|service| all.is_empty() || all.contains(service)).cloned().collect()
    }

    /// The services whose code the source holds: those that name it, or else those that name no repository. Of one that is not
    /// asked about changes these are all that it speaks of, because their code is read elsewhere.
    pub fn services_of_code(&self) -> Vec<Service> {
        if self.source.answers.as_ref().is_some_and(|answers| !answers.contains(&Question::Change)) {
            return self.services();
        }
        let of = |service: &Service| self.settings.service.get(service).and_then(|about| about.repository.as_ref());
        let (own, free): (Vec<Service>, Vec<Service>) = self
            .services()
            .into_iter()
            .filter(|service| of(service).is_none_or(|repository| *repository == self.source.name))
            .partition(|service| of(service).is_some());
        if own.is_empty() { free } else { own }
    }

    /// What matters to these services matters to all that need them, and all that they need.
    pub fn around(&self, services: &[Service]) -> Vec<Service> {
        let near = services.iter().flat_map(|service| crate::source::around(self.settings, service));
        near.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// Our name of an environment that is called so.
    pub fn environment(&self, name: &str) -> Option<Environment> {
        let all = &self.source.environments;
        let known = self.settings.environment.keys().find(|known| known.as_str() == name)?;
        (all.is_empty() || all.contains(known)).then(|| known.clone())
    }

    /// The one service of a repository that a deployment is of: the one that it names, or the only one there is.
    pub fn deployed_service(&self, named: Option<&str>) -> Result<Service, String> {
        let services = self.services_of_code();
        match (named, services.as_slice()) {
            (Some(named), _) => services
                .iter()
                .find(|service| service.as_str() == named)
                .cloned()
                .ok_or_else(|| format!("no service `{}` has its code here", tame(named, 60))),
            (None, [one]) => Ok(one.clone()),
            (None, []) => Err("no service has its code here".to_owned()),
            (None, _) => Err("several services have their code here, and the deployment does not say which".to_owned()),
        }
    }

    /// Something new about these services.
    pub fn news(&self, what: &str, services: Vec<Service>, environment: Option<Environment>) -> Told {
        if services.is_empty() {
            return Told::Stray("it is about none of the services that the settings know".to_owned());
        }
        let (source, what) = (self.source.name.clone(), what.to_owned());
        let environments = environment.into_iter().collect();
        Told::News(Box::new(News { source, what, services, environments, deployment: None }))
    }

    /// A deployment, where the settings know its service and its environment.
    pub fn deployment(&self, told: Deployed<'_>) -> Told {
        let service = match told.service {
            Ok(service) => service,
            Err(why) => return Told::Stray(why),
        };
        let Some(environment) = self.environment(told.environment) else {
            let name = tame(told.environment, 60);
            return Told::Stray(format!("the settings have no environment `{name}` for this source"));
        };
        let some = |text: Option<&str>, most: usize| text.map(|text| tame(text, most)).filter(|text| !text.is_empty());
        let report = Report {
            id: told.id,
            status: told.status,
            service: service.clone(),
            environment: environment.clone(),
            version: some(told.version, 250),
            commit: some(told.commit, 64),
            actor: some(told.actor, 100),
            at: told.at,
            url: told.url.filter(|url| is_web(url) && url.len() <= 500).map(str::to_owned),
            plan: None,
        };
        if let Err(why) = report.check() {
            return Told::Unread(why);
        }
        match self.news("a deployment", vec![service], Some(environment)) {
            Told::News(mut news) => {
                news.deployment = Some(report);
                Told::News(news)
            }
            other => other,
        }
    }
}
