//! What GitHub's scanners found: open alerts of code scanning at the commit, and secrets that were committed.
//!
//! Alerts are kept by branch and not by commit, so it is looked up first which commits were scanned. A literal secret is
//! neither asked for nor read.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::refs::Head;
use super::{Github, Scanning};
use crate::advice::facts::{Change, Finding, FindingKind};
use crate::clock::Time;
use crate::message::{is_web, tame};
use crate::source::code::brings::{is_new, kind_of};
use crate::source::rest::{Asked, Failed, PAGE, refused};
use crate::source::{Answer, Ask, CannotSay, Learned};

/// So many of the newest scans are looked through for the commit.
const MOST_SCANS: usize = 200;
/// So many alerts of a kind are read.
const MOST_ALERTS: usize = 300;
/// So many findings are told.
const MOST: usize = 200;

/// One scan of one commit, by one tool for one part of the code.
#[derive(Debug, Deserialize)]
struct Scan {
    #[serde(rename = "ref")]
    branch: String,
    commit_sha: String,
    created_at: Time,
    #[serde(default)]
    category: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    tool: Tool,
}

#[derive(Debug, Default, Deserialize)]
struct Tool {
    #[serde(default)]
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Alert {
    created_at: Time,
    #[serde(default)]
    fixed_at: Option<Time>,
    #[serde(default)]
    html_url: Option<String>,
    rule: Rule,
    #[serde(default)]
    tool: Tool,
    #[serde(default)]
    most_recent_instance: Option<Instance>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    security_severity_level: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Instance {
    #[serde(default)]
    commit_sha: Option<String>,
    #[serde(default)]
    location: Option<Location>,
}

#[derive(Debug, Deserialize)]
struct Location {
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    start_line: Option<u32>,
}

/// Without the field that holds the secret itself, which is hidden anyway.
#[derive(Debug, Deserialize)]
struct Leak {
    created_at: Time,
    #[serde(default)]
    html_url: Option<String>,
    #[serde(default)]
    secret_type: Option<String>,
    #[serde(default)]
    first_location_detected: Option<Place>,
    #[serde(default)]
    has_more_locations: Option<bool>,
}

/// Where a secret stood; without a path it was not in the code but in an issue, a comment or the wiki.
#[derive(Debug, Deserialize)]
struct Place {
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    commit_sha: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

/// What was found, and what could not be looked at.
type Found = (Vec<Finding>, Vec<String>);

impl Github {
    pub(super) async fn findings(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let (head, base) = (self.head(ask).await?, self.base(ask).await?);
        let change = ask.change.as_deref();
        let looked = self.scanning.iter().map(|scanning| async {
            match scanning {
                Scanning::Code => self.code_alerts(&head, base.as_ref(), change).await,
                Scanning::Secrets => self.secret_alerts(base.as_ref(), change).await,
            }
        });
        let looked: Vec<Result<Found, CannotSay>> = futures::future::join_all(looked).await;
        if looked.iter().all(Result::is_err) {
            let why: Vec<String> = looked.into_iter().filter_map(Result::err).map(|why| why.0).collect();
            return Err(CannotSay::because(format!("tells nothing of findings: {}", why.join("; "))));
        }
        let (mut found, mut incomplete) = (Vec::new(), Vec::new());
        for looked in looked {
            match looked {
                Ok((more, gaps)) => {
                    found.extend(more);
                    incomplete.extend(gaps);
                }
                Err(why) => incomplete.push(why.0),
            }
        }
        found.sort_by_cached_key(|f| (f.new == Some(false), f.path.clone(), f.id.clone()));
        if found.len() > MOST {
            incomplete.push(format!("only the first {MOST} of {} findings are told", found.len()));
            found.truncate(MOST);
        }
        Ok(Answer { learned: Learned::Findings(found), at: ask.now, link: head.html_url, incomplete })
    }

    async fn code_alerts(&self, head: &Head, base: Option<&Head>, change: Option<&Change>) -> Result<Found, CannotSay> {
        const WHAT: &str = "code scanning";
        let (scans, _) = self.list::<Scan>(&["code-scanning", "analyses"], &[], MOST_SCANS, WHAT).await?;
        let mut incomplete = Vec::new();
        let here: Vec<&Scan> = scans.iter().filter(|scan| scan.commit_sha == head.sha).collect();
        let branch = here.iter().find(|scan| scan.branch.starts_with("refs/heads/")).or(here.first());
        let branch = branch.map(|scan| scan.branch.as_str());
        if here.is_empty() {
            let newest = scans.first().map(|scan| format!("; the newest is of {}", short(&scan.commit_sha)));
            incomplete.push(format!("code scanning has no scan of this commit{}", newest.unwrap_or_default()));
        }
        let parts = |commit: &str| -> BTreeSet<(String, String)> {
            let scans = scans.iter().filter(|scan| scan.commit_sha == commit);
            scans.map(|scan| (scan.tool.name.clone().unwrap_or_default(), scan.category.clone())).collect()
        };
        if let Some(base) = base.filter(|_| !here.is_empty()) {
            for (tool, part) in parts(&base.sha).difference(&parts(&head.sha)).take(3) {
                let (tool, part) = (tame(tool, 40), tame(part, 80));
                incomplete
                    .push(format!("{tool} scanned what runs and not yet this commit (`{}`)", part.replace('`', "'")));
            }
        }
        if let Some(scan) = here.iter().find(|scan| !scan.error.trim().is_empty()) {
            let tool = tame(scan.tool.name.as_deref().unwrap_or("a scanner"), 40);
            incomplete.push(format!("{tool} ended its scan of this commit with an error"));
        }
        let on_branch: Vec<(&str, &str)> = branch.map(|branch| ("ref", branch)).into_iter().collect();
        let state = |state: &'static str, sort: &'static str| {
            let mut query = on_branch.clone();
            query.extend([("state", state), ("sort", sort), ("direction", "desc")]);
            query
        };
        let path = ["code-scanning", "alerts"];
        let (mut alerts, more) = self.list::<Alert>(&path, &state("open", "created"), MOST_ALERTS, WHAT).await?;
        if more {
            incomplete.push(format!("only the newest {MOST_ALERTS} alerts of code scanning were read"));
        }
        let scanned = here.iter().map(|scan| scan.created_at).max();
        let newer =
            |scan: &&Scan| Some(scan.branch.as_str()) == branch && scanned.is_some_and(|at| scan.created_at > at);
        if scans.iter().find(newer).is_some_and(|scan| scan.commit_sha != head.sha) {
            // What later commits mended stands open in this one, and what they brought does not.
            let (fixed, _) = self.list::<Alert>(&path, &state("fixed", "updated"), PAGE, WHAT).await?;
            alerts.extend(fixed.into_iter().filter(|alert| alert.fixed_at > scanned));
            alerts.retain(|alert| Some(alert.created_at) <= scanned);
        }
        let told = alerts.into_iter().filter_map(|alert| code_finding(alert, &head.sha, change));
        Ok((told.collect(), incomplete))
    }

    async fn secret_alerts(&self, base: Option<&Head>, change: Option<&Change>) -> Result<Found, CannotSay> {
        let query = [("state", "open"), ("hide_secret", "true"), ("sort", "created"), ("direction", "desc")];
        let path = ["secret-scanning", "alerts"];
        let (leaks, more) = self.list::<Leak>(&path, &query, MOST_ALERTS, "secret scanning").await?;
        let incomplete =
            more.then(|| format!("only the newest {MOST_ALERTS} alerts of secret scanning were read")).into_iter();
        let told = leaks.into_iter().map(|leak| secret_finding(leak, base, change));
        Ok((told.collect(), incomplete.collect()))
    }

    /// What a feature lists that a repository may not have; and whether there was more. A failure names the feature.
    async fn list<T: DeserializeOwned>(
        &self,
        rest: &[&str],
        query: &[(&str, &str)],
        most: usize,
        feature: &str,
    ) -> Result<(Vec<T>, bool), CannotSay> {
        let path = self.path(rest);
        let per_page = PAGE.to_string();
        let mut all: Vec<T> = Vec::new();
        for page in 1..=most.div_ceil(PAGE) {
            let page = page.to_string();
            let mut query = query.to_vec();
            query.extend([("per_page", per_page.as_str()), ("page", page.as_str())]);
            let received = self.api.send(Asked { path: &path, query: &query, ..Asked::default() }).await?;
            if received.succeeded().is_err() {
                let refusal: Option<Refusal> = serde_json::from_slice(&received.body).ok();
                let said = refusal.map(|refusal| refusal.message.to_lowercase()).unwrap_or_default();
                let status = received.status.as_u16();
                let off = ["not enabled", "disabled", "must be enabled"].iter().any(|words| said.contains(words));
                let why = match (status, refused(received.status, &received.headers)) {
                    (403 | 404, _) if off => format!("{feature} is not enabled for this repository ({status})"),
                    (404, _) if said.contains("no analysis") => {
                        format!("{feature} never scanned this repository (404)")
                    }
                    (_, Failed::Missing) => {
                        format!("{feature} is not enabled for this repository, or the credential may not read it (404)")
                    }
                    (_, Failed::Says(why)) => format!("{feature}: {why}"),
                };
                return Err(CannotSay(why));
            }
            let found: Vec<T> = self.api.read(&received)?;
            let last = found.len() < PAGE;
            all.extend(found);
            if last {
                return Ok((all, false));
            }
        }
        all.truncate(most);
        Ok((all, true))
    }
}

/// None where the rule says that it is not meant as a finding.
fn code_finding(alert: Alert, head: &str, change: Option<&Change>) -> Option<Finding> {
    let severity = match (alert.rule.security_severity_level.as_deref(), alert.rule.severity.as_deref()) {
        (Some(level @ ("critical" | "high" | "medium" | "low")), _) => Some(level),
        (_, Some("error")) => Some("high"),
        (_, Some("warning")) => Some("medium"),
        (_, Some("note")) => Some("low"),
        (_, Some("none")) => return None,
        _ => None,
    };
    let instance = alert.most_recent_instance;
    let at_head = instance.as_ref().and_then(|instance| instance.commit_sha.as_deref()) == Some(head);
    let location = instance.and_then(|instance| instance.location);
    let path = location.as_ref().and_then(|location| location.path.as_deref()).filter(|path| !path.is_empty());
    // The lines of another commit have other numbers.
    let line = location.as_ref().and_then(|location| location.start_line).filter(|_| at_head);
    let tool = alert.tool.name.unwrap_or_default();
    let kind = kind_of(&tool);
    Some(Finding {
        kind,
        id: tame(alert.rule.id.as_deref().filter(|id| !id.is_empty()).unwrap_or(&tool), 100),
        // A scanner of secrets may quote what it found.
        title: match kind {
            FindingKind::Secret => String::new(),
            _ => tame(alert.rule.description.as_deref().unwrap_or_default(), 160),
        },
        severity: severity.map(str::to_owned),
        new: path.and_then(|path| is_new(change, path, line)),
        path: path.map(|path| tame(path, 500)),
        package: None,
        link: link(alert.html_url),
    })
}

fn secret_finding(leak: Leak, base: Option<&Head>, change: Option<&Change>) -> Finding {
    let place = leak.first_location_detected;
    let path = place.as_ref().and_then(|place| place.path.as_deref());
    let commit = place.as_ref().and_then(|place| place.commit_sha.as_deref());
    let brought = change.zip(commit).is_some_and(|(change, commit)| change.commits.iter().any(|c| c.sha == commit));
    let alone = leak.has_more_locations == Some(false);
    let whole =
        change.is_some_and(|change| change.base.is_some() && change.commits.len() >= change.commit_count as usize);
    let new = match (&place, path) {
        _ if brought => Some(true),
        (Some(_), None) if alone => Some(false),
        (Some(_), _) if alone && whole => Some(false),
        (Some(_), Some(path)) => is_new(change, path, None),
        (Some(_), None) => None,
        // An older server tells no place: what was found before what runs was made is not of this change.
        (None, _) => base.is_some_and(|base| leak.created_at < base.commit.at()).then_some(false),
    };
    Finding {
        kind: FindingKind::Secret,
        id: tame(leak.secret_type.as_deref().filter(|id| !id.is_empty()).unwrap_or("secret"), 100),
        title: String::new(),
        severity: None,
        new,
        path: path.map(|path| tame(path, 500)),
        package: None,
        link: link(leak.html_url),
    }
}

fn link(address: Option<String>) -> Option<String> {
    address.filter(|address| is_web(address) && address.len() <= 500)
}

fn short(commit: &str) -> String {
    tame(commit.get(..12).unwrap_or(commit), 12)
}
