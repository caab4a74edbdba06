//! `[service.NAME]`: what is deployed, and what is known about it.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use serde::Deserialize;

use super::Settings;
use crate::name::{Person, Service, SourceName};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ServiceSettings {
    /// One sentence: what it does for whom.
    pub says: Option<String>,
    /// The `git` source (or code host) that holds its code.
    pub repository: Option<SourceName>,
    /// Globs of the paths that belong to it, where a repository holds several services; empty means all.
    pub paths: Vec<String>,
    /// What stands before the version in this service's tags: `checkout/` for `checkout/v2.14.0`.
    pub tag_prefix: Option<String>,
    pub owners: Vec<Person>,
    /// The category of every change to it, where its nature alone says so: `payments`.
    pub category: Option<String>,
    pub depends_on: Vec<Service>,
    /// Databases and queues that it shares with others, by name.
    pub shares: Vec<String>,
    /// Glob of its migrations: `migrations/*.sql`.
    pub migrations: Option<String>,
    /// Tables known to be large, with a rough number of rows.
    pub tables: std::collections::BTreeMap<String, u64>,
    pub zone: Option<Tz>,
    /// Share of customers who meet it, in per cent.
    pub customers_pct: Option<u32>,
    /// Share of revenue that passes through it, in per cent.
    pub revenue_pct: Option<u32>,
    /// Globs of paths that people see when they change: screens, strings, e-mails, API contracts.
    pub visible: Vec<String>,
    /// What people may be in the middle of, in one sentence, and for how long.
    pub midway: Option<String>,
    /// Support articles: a title or link, and globs of the paths that they describe.
    pub support: std::collections::BTreeMap<String, Vec<String>>,
    pub health: HealthQueries,
    /// Whom the policy wants told of a deployment, by words.
    pub tell: Vec<String>,
}

impl Settings {
    /// All that a service needs, itself left out, directly or through others.
    pub fn needs(&self, service: &Service) -> BTreeSet<&Service> {
        reach(service, |of| self.service.get(of).into_iter().flat_map(|about| &about.depends_on).collect())
    }

    /// All that need a service, itself left out, directly or through others.
    pub fn needed_by(&self, service: &Service) -> BTreeSet<&Service> {
        reach(service, |of| {
            let dependants = self.service.iter().filter(|(_, about)| about.depends_on.contains(of));
            dependants.map(|(name, _)| name).collect()
        })
    }
}

fn reach<'s>(from: &Service, next: impl Fn(&Service) -> Vec<&'s Service>) -> BTreeSet<&'s Service> {
    let mut found: BTreeSet<&Service> = BTreeSet::new();
    let mut left = next(from);
    while let Some(service) = left.pop() {
        if service != from && found.insert(service) {
            left.extend(next(service));
        }
    }
    found
}

/// Queries in the language of the metrics source; `{service}` and `{environment}` are filled in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct HealthQueries {
    /// Requests per second.
    pub requests: Option<String>,
    /// Failed requests per second.
    pub errors: Option<String>,
    /// Usual latency in seconds.
    pub latency: Option<String>,
    /// The target for the share of good requests, in per cent: `99.9`.
    pub target_pct: Option<f64>,
}
