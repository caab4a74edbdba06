//! Each kind of source against the real system, or a pretend one that holds every request against the vendor's description;
//! and every fault, for all of them.

mod alertmanager;
mod argocd;
mod caldav;
mod checked;
mod circleci;
mod codecov;
mod database;
mod database_server;
mod datadog;
mod faults;
mod flagd;
pub(super) mod github;
pub(super) mod gitlab;
mod google_calendar;
mod incident_io;
mod jenkins;
mod jira;
mod jsm;
mod launchdarkly;
mod lcov;
mod linear;
mod microsoft_365;
mod osv;
pub(super) mod pagerduty;
mod prometheus;
mod sarif;
mod scraped;
mod sentry;
mod statuspage;
mod unleash;
mod zendesk;

use tidegate::advice::facts::{Change, Direction, PackageChange, Version};

use crate::harness::source;
use crate::harness::vendor::{Pretend, Vendor};

/// A source that is asked over HTTP, for the faults that all share.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub kind: &'static str,
    /// Its `[[source]]`, without the name; `{address}` and `{secret}` are filled in.
    pub stanza: &'static str,
}

impl Case {
    fn filled(&self, address: &str, secret: &str) -> String {
        self.stanza.replace("{address}", address).replace("{secret}", secret)
    }
}

/// A pretend server of a kind that is well, and the `[[source]]` that reads it.
pub struct Standing {
    pub kind: &'static str,
    pub stanza: String,
    pub server: Box<dyn Pretend>,
}

impl Standing {
    fn new<W: Send + 'static>(case: &Case, server: Vendor<W>, secret: &str) -> Standing {
        Standing { kind: case.kind, stanza: case.filled(&server.address, secret), server: Box::new(server) }
    }
}

/// A change of these packages: ecosystem, name, version before and after (empty: none).
pub fn change_of(packages: &[[&str; 4]]) -> Change {
    let version = |name: &str| Version { name: name.to_owned(), commit: name.repeat(20), at: source::now() };
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let packages = packages.iter().map(|[ecosystem, name, from, to]| PackageChange {
        name: (*name).to_owned(),
        ecosystem: (*ecosystem).to_owned(),
        from: some(from),
        to: some(to),
    });
    Change {
        base: Some(version("v1")),
        head: version("v2"),
        direction: Direction::Forward,
        commits: Vec::new(),
        commit_count: 0,
        files: Vec::new(),
        file_count: 0,
        migrations: Vec::new(),
        migrations_at_head: Vec::new(),
        flags: Vec::new(),
        packages: packages.collect(),
        owners: None,
        owned: None,
    }
}

/// Every kind that is asked over HTTP.
const ALL: &[Case] = &[
    alertmanager::CASE,
    argocd::CASE,
    caldav::CASE,
    circleci::CASE,
    codecov::CASE,
    datadog::CASE,
    flagd::CASE,
    github::CASE,
    gitlab::CASE,
    google_calendar::CASE,
    incident_io::CASE,
    jenkins::CASE,
    jira::CASE,
    jsm::CASE,
    launchdarkly::CASE,
    linear::CASE,
    microsoft_365::CASE,
    osv::CASE,
    pagerduty::CASE,
    prometheus::CASE,
    sentry::CASE,
    statuspage::CASE,
    unleash::CASE,
    zendesk::CASE,
];
