//! Each kind of source against the real system, or a pretend one that holds every request against the vendor's description;
//! and every fault, for all of them.

mod caldav;
mod database;
mod faults;
mod github;
mod gitlab;
mod incident_io;
mod jira;
mod jsm;
mod linear;
mod pagerduty;
mod google_calendar;
mod microsoft_365;
mod prometheus;
mod statuspage;

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
    github::CASE,
    gitlab::CASE,
    incident_io::CASE,
    jira::CASE,
    jsm::CASE,
    linear::CASE,
    pagerduty::CASE,
    prometheus::CASE,
    statuspage::CASE,
];
const ALL: &[Case] = &[github::CASE, incident_io::CASE, jsm::CASE, pagerduty::CASE, prometheus::CASE, statuspage::CASE];
const ALL: &[Case] = &[github::CASE, jira::CASE, prometheus::CASE];
const ALL: &[Case] = &[github::CASE, gitlab::CASE, jira::CASE, prometheus::CASE];
const ALL: &[Case] = &[github::CASE, gitlab::CASE, jira::CASE, linear::CASE, prometheus::CASE];
const ALL: &[Case] = &[caldav::CASE, github::CASE, prometheus::CASE];
const ALL: &[Case] = &[caldav::CASE, github::CASE, google_calendar::CASE, prometheus::CASE];
const ALL: &[Case] = &[caldav::CASE, github::CASE, google_calendar::CASE, microsoft_365::CASE, prometheus::CASE];
