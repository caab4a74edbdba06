//! Harbor's past as files with one JSON object a line, in the form that `docs/jsonl.md` describes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{Datelike, Timelike};

use super::code::in_staging;
use super::coming::COMING;
use super::day::ZONE;
use super::release::{DAYS_SINCE_482, Release, load_pct};
use crate::advice::facts::{Deployment, Incident, Outcome, Shape};
use crate::clock::{DAY, HOUR, MINUTE, Time};
use crate::name::{Environment, Service};

/// The incident to be found.
pub const REMEMBERED: &str = "#482";

/// Deployments to staging and production, oldest first. `commits` are the hashes of those versions that the repository
/// knows, by tag.
pub fn deployments(releases: &[Release], commits: &BTreeMap<String, String>, now: Time) -> Vec<Deployment> {
    let mut all = Vec::new();
    for release in releases {
        let shape = shape(release);
        let commit = commits.get(&format!("{}{}", release.prefix, release.version)).cloned();
        let deployment = |environment: &str, at: Time| Deployment {
            id: String::new(),
            service: Service::new(release.service),
            environment: Environment::new(environment),
            version: Some(release.version.clone()),
            commit: commit.clone(),
            at,
            finished: Some(at.plus(6 * MINUTE + i64::from(release.lines % 9) * MINUTE)),
            outcome: Some(Outcome::Clean),
            cause: None,
            incident: None,
            link: None,
            shape: Shape { load_pct: None, hour: hour_of_week(at), ..shape.clone() },
        };
        all.push(deployment("staging", release.staging));
        let mut production = deployment("production", release.production);
        production.outcome = Some(release.outcome);
        production.cause = release.cause;
        production.shape.load_pct = Some(load_pct(release));
        all.push(production);
    }
    for coming in COMING {
        let Some(at) = in_staging(coming, now) else { continue };
        all.push(Deployment {
            id: String::new(),
            service: Service::new(coming.service),
            environment: Environment::new("staging"),
            version: Some(coming.version.to_owned()),
            commit: commits.get(&format!("{}{}", coming.prefix, coming.version)).cloned(),
            at,
            finished: Some(at.plus(9 * MINUTE)),
            outcome: Some(Outcome::Clean),
            cause: None,
            incident: None,
            link: None,
            shape: Shape { kind: Some("release".to_owned()), hour: hour_of_week(at), ..Shape::default() },
        });
    }
    all.sort_by(|a, b| (a.at, &a.service).cmp(&(b.at, &b.service)));
    for (n, deployment) in (9_000u32..).zip(&mut all) {
        deployment.id = format!("ci-{n}");
        deployment.link = Some(format!("https://harbor.example/ci/runs/{n}"));
    }
    let mut numbers = Numbers::new(now);
    for deployment in all.iter_mut().rev().filter(|d| d.outcome == Some(Outcome::Incident)) {
        deployment.incident = Some(numbers.at(deployment.at));
    }
    all
}

/// Incidents: those that deployments led to, those that nobody deployed, and one that is open and blocks nothing.
pub fn incidents(deployments: &[Deployment], now: Time) -> Vec<Incident> {
    let mut all: Vec<Incident> = Vec::new();
    for deployment in deployments {
        let Some(id) = &deployment.incident else { continue };
        let opened = deployment.at.plus(17 * MINUTE);
        let remembered = id == REMEMBERED;
        let title = match deployment.service.as_str() {
            _ if remembered => "Card captures time out; orders locked by a migration",
            "checkout" => "Checkout answers slowly after a deployment",
            "ledger" => "Postings fail after a deployment",
            "search" => "Search finds nothing new",
            "storefront" => "Pages stay white for some customers",
            _ => "Messages are late after a deployment",
        };
        let services = if remembered {
            vec![Service::new("checkout"), Service::new("ledger")]
        } else {
            vec![deployment.service.clone()]
        };
        all.push(incident(
            id,
            title,
            services,
            if remembered { "sev1" } else { "sev2" },
            opened,
            if remembered { 94 } else { 41 },
        ));
    }
    // What nobody deployed: weather, carriers, certificates.
    let others = [
        (401, "search", "A node of the index lost its disk", "sev3"),
        (333, "checkout", "The card network declines everything", "sev1"),
        (287, "storefront", "The certificate of harbor.example ran out", "sev1"),
        (204, "notifications", "The mail provider refuses us", "sev2"),
        (147, "ledger", "A bank's file came twice", "sev2"),
        (76, "storefront", "The content network is slow in Europe", "sev3"),
        (24, "search", "Suggestions are empty for an hour", "sev3"),
    ];
    for (days_ago, service, title, severity) in others {
        let opened = now.plus(-days_ago * DAY - 5 * HOUR);
        all.push(incident("", title, vec![Service::new(service)], severity, opened, 55));
    }
    let mut open = incident(
        "",
        "Texts arrive late (carrier)",
        vec![Service::new("notifications")],
        "sev3",
        now.plus(-20 * HOUR),
        0,
    );
    open.resolved = None;
    all.push(open);
    all.sort_by_key(|incident| incident.opened);

    // Numbers given to deployments stand; the others get theirs in between.
    let mut numbers = Numbers::new(now);
    numbers.taken.extend(all.iter().filter_map(|incident| number_of(&incident.id)));
    for incident in all.iter_mut().rev().filter(|incident| incident.id.is_empty()) {
        incident.id = numbers.at(incident.opened);
    }
    for incident in &mut all {
        incident.link = Some(format!("https://harbor.example/incidents/{}", incident.id.trim_start_matches('#')));
        incident.follow_ups = if incident.id == REMEMBERED { 2 } else { 0 };
    }
    all
}

/// One JSON object a line.
pub fn lines<T: serde::Serialize>(records: &[T]) -> anyhow::Result<String> {
    let mut out = String::new();
    for record in records {
        let _ = writeln!(out, "{}", serde_json::to_string(record)?);
    }
    Ok(out)
}

fn incident(id: &str, title: &str, services: Vec<Service>, severity: &str, opened: Time, minutes: i64) -> Incident {
    Incident {
        id: id.to_owned(),
        title: title.to_owned(),
        services,
        severity: Some(severity.to_owned()),
        opened,
        resolved: Some(opened.plus(minutes * MINUTE)),
        blocks: false,
        follow_ups: 0,
        link: None,
    }
}

fn shape(release: &Release) -> Shape {
    Shape {
        kind: Some("release".to_owned()),
        category: release.category.map(str::to_owned),
        files: release.files.clone(),
        lines: release.lines,
        migration: release.migration.is_some(),
        dependencies: release.dependencies,
        config: release.files.iter().any(|file| file.ends_with(".toml")),
        ai: Some(release.ai),
        words: words(&release.title),
        load_pct: None,
        hour: None,
    }
}

fn words(title: &str) -> Vec<String> {
    let all = title.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    all.filter(|word| word.len() > 3 && !matches!(word.as_str(), "that" | "with" | "from" | "what" | "when")).collect()
}

/// The hour of the week in Harbor's zone, Monday 00:00 being 0.
fn hour_of_week(at: Time) -> Option<u32> {
    let local = at.at(ZONE);
    Some(local.weekday().num_days_from_monday() * 24 + local.hour())
}

fn number_of(id: &str) -> Option<i64> {
    id.strip_prefix('#')?.parse().ok()
}

/// Incidents are numbered as time goes on, three in four days; the one of a month ago is 482.
struct Numbers {
    now: Time,
    taken: std::collections::BTreeSet<i64>,
}

impl Numbers {
    fn new(now: Time) -> Numbers {
        Numbers { now, taken: std::collections::BTreeSet::new() }
    }

    fn at(&mut self, at: Time) -> String {
        let days = self.now.since(at).div_euclid(DAY) - i64::try_from(DAYS_SINCE_482).unwrap_or(0);
        // The week in which it happened belongs to it alone.
        let mut number = match days {
            -1..=7 => 482,
            8.. => 482 - (days - 7) * 3 / 4 - 1,
            _ => 482 - days * 3 / 4,
        };
        while !self.taken.insert(number) {
            number -= 1;
        }
        format!("#{number}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sample::release::releases;

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn incident_482_is_the_capture_of_last_month_on_any_day() {
        for day in 0..60 {
            let now = at("2026-01-03T20:00:00Z").plus(day * 6 * DAY);
            let deployments = deployments(&releases(now), &BTreeMap::new(), now);
            let led: Vec<&Deployment> =
                deployments.iter().filter(|d| d.incident.as_deref() == Some(REMEMBERED)).collect();
            assert_eq!(led.len(), 1, "{}", now.rfc3339());
            let shape = &led[0].shape;
            assert!(shape.migration && shape.load_pct > Some(80) && shape.files[0] == "payments/capture.rs", "{led:?}");
            assert!((30..=40).contains(&now.since(led[0].at).div_euclid(DAY)));
            let incidents = incidents(&deployments, now);
            let it = incidents.iter().find(|i| i.id == REMEMBERED).unwrap();
            assert!(it.resolved.is_some() && it.follow_ups == 2);
            let mut ids: Vec<i64> = incidents.iter().map(|i| number_of(&i.id).unwrap()).collect();
            assert!(ids.iter().all(|id| *id > 0));
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), incidents.len(), "each number once");
        }
    }

    #[test]
    fn one_incident_is_open_and_blocks_nothing() {
        let now = at("2026-11-21T00:30:00Z");
        let incidents = incidents(&deployments(&releases(now), &BTreeMap::new(), now), now);
        let open: Vec<&Incident> = incidents.iter().filter(|i| i.resolved.is_none()).collect();
        assert_eq!(open.len(), 1);
        assert!(!open[0].blocks && open[0].services == [Service::new("notifications")]);
    }

    #[test]
    fn there_are_about_twelve_hundred_deployments_none_of_them_ahead() {
        let now = at("2026-11-21T00:30:00Z");
        let all = deployments(&releases(now), &BTreeMap::new(), now);
        assert!((1_050..=1_400).contains(&all.len()), "{}", all.len());
        assert!(all.iter().all(|d| d.at < now && d.finished < Some(now)));
        assert_eq!(lines(&all).unwrap().lines().count(), all.len());
    }
}
