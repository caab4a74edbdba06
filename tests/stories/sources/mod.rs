//! Each kind of source against the real system, or a pretend one that holds every request against the vendor's description;
//! and every fault, for all of them.

mod alertmanager;
mod caldav;
mod argocd;
mod circleci;
mod database;
mod datadog;
mod database_server;
mod faults;
mod flagd;
mod github;
mod gitlab;
mod google_calendar;
mod incident_io;
mod incident_io;
mod jira;
mod jira;
mod jsm;
mod jsm;
mod launchdarkly;
mod linear;
mod linear;
mod microsoft_365;
mod pagerduty;
mod jenkins;
mod prometheus;
mod scraped;
mod sentry;
mod statuspage;
mod zendesk;
mod unleash;

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

/// Every kind that is asked over HTTP.
const ALL: &[Case] = &[
    alertmanager::CASE,
    caldav::CASE,
    datadog::CASE,
    github::CASE,
    gitlab::CASE,
    google_calendar::CASE,
    incident_io::CASE,
    jira::CASE,
    jsm::CASE,
    linear::CASE,
    microsoft_365::CASE,
    pagerduty::CASE,
    prometheus::CASE,
    sentry::CASE,
    statuspage::CASE,
];
const ALL: &[Case] = &[github::CASE, prometheus::CASE, alertmanager::CASE, sentry::CASE, datadog::CASE];
const ALL: &[Case] = &[argocd::CASE, github::CASE, prometheus::CASE];
const ALL: &[Case] = &[argocd::CASE, github::CASE, prometheus::CASE, zendesk::CASE];
const ALL: &[Case] = &[argocd::CASE, circleci::CASE, github::CASE, prometheus::CASE, zendesk::CASE];
const ALL: &[Case] = &[argocd::CASE, circleci::CASE, github::CASE, jenkins::CASE, prometheus::CASE, zendesk::CASE];
const ALL: &[Case] = &[github::CASE, incident_io::CASE, jsm::CASE, pagerduty::CASE, prometheus::CASE, statuspage::CASE];
const ALL: &[Case] = &[github::CASE, jira::CASE, prometheus::CASE];
const ALL: &[Case] = &[github::CASE, gitlab::CASE, jira::CASE, prometheus::CASE];
const ALL: &[Case] = &[github::CASE, gitlab::CASE, jira::CASE, linear::CASE, prometheus::CASE];
const ALL: &[Case] = &[github::CASE, prometheus::CASE, launchdarkly::CASE];
const ALL: &[Case] = &[github::CASE, prometheus::CASE, launchdarkly::CASE, unleash::CASE];
const ALL: &[Case] = &[github::CASE, prometheus::CASE, launchdarkly::CASE, unleash::CASE, flagd::CASE];
    flagd::CASE,
    github::CASE,
    gitlab::CASE,
    incident_io::CASE,
    jira::CASE,
    jsm::CASE,
    launchdarkly::CASE,
    linear::CASE,
    pagerduty::CASE,
    prometheus::CASE,
    statuspage::CASE,
    unleash::CASE,
];
