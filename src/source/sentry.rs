//! Sentry: issues that are new in what runs or came back, and how many sessions crash.
//!
//! Read only. <https://docs.sentry.io/api/events/list-an-organizations-issues/>,
//! <https://docs.sentry.io/api/releases/retrieve-release-health-session-statistics/>.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use serde::Deserialize;

use super::metrics::{Values, measure};
use super::rest::{Asked, Credential, Failed, Rest, fixed};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::{Alert, AlertState, Health};
use crate::advice::says;
use crate::clock::{HOUR, Time};
use crate::config::Secret;
use crate::message::{is_web, tame};
use crate::name::{Service, SourceName};

const SESSIONS: &str = "sum(session)";
const CRASH_FREE: &str = "crash_free_rate(session)";

/// An organisation on sentry.io or on a server of one's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    organization: String,
    /// Of another region or server: `https://de.sentry.io`.
    #[serde(default = "sentry")]
    url: url::Url,
    token: Secret,
    /// The project of a service; `{service}` is filled in.
    #[serde(default = "of_service")]
    project: String,
    /// What a version is called as a release; `{service}` and `{version}` are filled in.
    #[serde(default = "of_version")]
    release: String,
    /// `{environment}` is filled in.
    #[serde(default = "of_environment")]
    environment: String,
}

impl Keys {
    /// The project of a service.
    pub fn project_of(&self, service: &Service) -> String {
        self.project.replace("{service}", service.as_str())
    }
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Alerts, Question::Health]
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        let is_slug = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.organization.is_empty() || !self.organization.chars().all(is_slug) {
            bail!("`organization` is the short name that stands in Sentry's addresses");
        }
        let api = Rest::open(opening, "Sentry", &self.url, Credential::Bearer(self.token.clone()))?;
        Ok(Arc::new(Sentry { name: opening.settings.name.clone(), keys: self.clone(), api }))
    }
}

struct Sentry {
    name: SourceName,
    keys: Keys,
    api: Rest,
}

impl fmt::Debug for Sentry {
    /// The name alone: an address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sentry").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issue {
    id: String,
    #[serde(default)]
    short_id: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    level: Option<String>,
    first_seen: Time,
    last_seen: Time,
    /// A number, written as text.
    #[serde(default)]
    count: Option<String>,
    #[serde(default)]
    user_count: Option<i64>,
    #[serde(default)]
    permalink: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Sessions {
    /// When each step begins.
    intervals: Vec<Time>,
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
struct Group {
    #[serde(default)]
    series: BTreeMap<String, Vec<Option<f64>>>,
}

impl Sentry {
    /// What was new in the release that runs, and what came back, of the last day.
    async fn issues(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let release = ask.running.as_deref().map_or_else(|| "latest".to_owned(), |version| self.release(ask, version));
        let new = format!("is:unresolved lastSeen:-24h firstRelease:{}", quoted(&release));
        let back = "is:unresolved is:regressed lastSeen:-24h";
        let (new, back) = futures::try_join!(self.found(ask, &new), self.found(ask, back))?;
        let mut incomplete = Vec::new();
        if new.1 || back.1 {
            incomplete.push("only the first 100 issues of a kind were read".to_owned());
        }
        let mut alerts: Vec<Alert> = new.0.iter().map(|issue| alert(issue, "new", issue.first_seen)).collect();
        let known = |issue: &&Issue| !new.0.iter().any(|other| other.id == issue.id);
        // Since when it is back is not told: it was when it was last seen.
        alerts.extend(back.0.iter().filter(known).map(|issue| alert(issue, "came back", issue.last_seen)));
        alerts.sort_by(|a, b| (a.since, &a.name).cmp(&(b.since, &b.name)));
        Ok(Answer { learned: Learned::Alerts(alerts), at: ask.now, link: None, incomplete })
    }

    /// The first hundred issues of a query, and whether there are more.
    async fn found(&self, ask: &Ask, query: &str) -> Result<(Vec<Issue>, bool), CannotSay> {
        let (project, environment) = (self.project(ask), self.environment(ask));
        let query = [
            ("project", project.as_str()),
            ("environment", &environment),
            ("query", query),
            ("statsPeriod", "14d"),
            ("sort", "date"),
            ("limit", "100"),
        ];
        let path = self.path("issues");
        let asked = Asked { path: &path, query: &query, ..Asked::default() };
        let (issues, headers) = self.api.ask_page(asked).await.map_err(|failed| missing(failed, &project))?;
        let links = headers.get("link").and_then(|link| link.to_str().ok()).unwrap_or_default();
        let more = links.split(',').any(|link| link.contains("rel=\"next\"") && link.contains("results=\"true\""));
        Ok((issues, more))
    }

    /// The share of sessions that crash: hours, of the last week.
    async fn health(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let (project, environment) = (self.project(ask), self.environment(ask));
        let query = [
            ("project", project.as_str()),
            ("environment", &environment),
            ("field", SESSIONS),
            ("field", CRASH_FREE),
            ("statsPeriod", "8d"),
            ("interval", "1h"),
        ];
        let told: Sessions =
            self.api.get(&self.path("sessions"), &query).await.map_err(|failed| missing(failed, &project))?;
        let (sessions, crashed) = told.values(ask.now);
        let recent = |values: &Values| Values {
            // The hour that runs has hardly begun at times: the one before belongs to it.
            points: values.points.iter().copied().filter(|(at, _)| ask.now.since(*at) < 3 * HOUR / 2).collect(),
            ..Values::default()
        };
        let (now, now_crashed) = (recent(&sessions), recent(&crashed));
        let last = sessions.points.iter().rev().find(|(_, count)| *count > 0.0);
        let health = Health {
            errors: measure::error_share(&now, &now_crashed),
            requests: (!now.points.is_empty()).then(|| now.points.iter().map(|(_, count)| count).sum()),
            usual_errors: measure::usual_errors(&sessions, &crashed, ask.now),
            counts: Some("sessions crash".to_owned()),
            last_data: last.map(|(at, _)| at.plus(HOUR / 2).min(ask.now)),
            ..Health::default()
        };
        Ok(Answer { learned: Learned::Health(health), at: ask.now, link: None, incomplete: Vec::new() })
    }

    fn path(&self, what: &'static str) -> [&str; 6] {
        ["api", "0", "organizations", &self.keys.organization, what, ""]
    }

    fn project(&self, ask: &Ask) -> String {
        self.keys.project_of(&ask.service)
    }

    fn environment(&self, ask: &Ask) -> String {
        self.keys.environment.replace("{environment}", ask.environment.as_str())
    }

    fn release(&self, ask: &Ask, version: &str) -> String {
        self.keys.release.replace("{service}", ask.service.as_str()).replace("{version}", version)
    }
}

impl Source for Sentry {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            match ask.question {
                Question::Alerts => self.issues(ask).await,
                Question::Health => self.health(ask).await,
                other => Err(CannotSay::unasked(other)),
            }
        })
    }
}

impl Sessions {
    /// Sessions, and those that crashed, at the middle of each hour that began; hours without any have none that crashed.
    fn values(&self, now: Time) -> (Values, Values) {
        let mut all: BTreeMap<Time, (f64, f64)> = BTreeMap::new();
        for group in &self.groups {
            let of =
                |name: &str, at: usize| group.series.get(name).and_then(|series| series.get(at)).copied().flatten();
            for (at, begins) in self.intervals.iter().enumerate().filter(|(_, begins)| **begins <= now) {
                let count = of(SESSIONS, at).filter(|count| count.is_finite() && *count >= 0.0);
                let free = of(CRASH_FREE, at).filter(|free| (0.0..=1.0).contains(free));
                if let (Some(count), true) = (count, free.is_some() || count == Some(0.0)) {
                    let held = all.entry(begins.plus(HOUR / 2)).or_default();
                    *held = (held.0 + count, held.1 + count * (1.0 - free.unwrap_or(1.0)));
                }
            }
        }
        let points = |which: fn(&(f64, f64)) -> f64| all.iter().map(|(at, held)| (*at, which(held))).collect();
        let of = |points| Values { points, ..Values::default() };
        (of(points(|held| held.0)), of(points(|held| held.1)))
    }
}

fn alert(issue: &Issue, how: &str, since: Time) -> Alert {
    let title = tame(issue.title.as_deref().unwrap_or("without a title"), 160);
    let times = issue.count.as_deref().and_then(|count| count.parse::<i64>().ok());
    let times = times.map(|times| format!(", {}", says::count(times, "event"))).unwrap_or_default();
    let users = issue.user_count.filter(|users| *users > 0);
    let users = users.map(|users| format!(", {}", says::count(users, "user"))).unwrap_or_default();
    Alert {
        name: tame(issue.short_id.as_deref().unwrap_or(&issue.id), 60),
        state: AlertState::Firing,
        severity: issue.level.as_deref().map(|level| tame(level, 20)),
        summary: Some(format!("{how}: {title}{times}{users}")),
        since,
        silenced: None,
        link: issue.permalink.clone().filter(|link| is_web(link)),
    }
}

/// A 404 is about the project or the environment as often as about the organisation.
fn missing(failed: Failed, project: &str) -> CannotSay {
    match failed {
        Failed::Missing => {
            let project = tame(project, 60);
            CannotSay::because(format!("knows no project `{project}` with this environment, or may not see it (404)"))
        }
        Failed::Says(why) => why,
    }
}

/// A value of a search, which ends at its quotes.
fn quoted(value: &str) -> String {
    if value == "latest" {
        return value.to_owned();
    }
    let plain: String = value.chars().filter(|c| !c.is_control()).collect();
    format!("\"{}\"", plain.replace('\\', "\\\\").replace('"', "\\\""))
}

fn sentry() -> url::Url {
    fixed("https://sentry.io")
}

fn of_service() -> String {
    "{service}".to_owned()
}

fn of_version() -> String {
    "{version}".to_owned()
}

fn of_environment() -> String {
    "{environment}".to_owned()
}
