//! Public status pages of what a service depends on: incidents that are open and that were, maintenance ahead and under way.
//!
//! Read only, without a credential. Shapes from the documentation that every page on Atlassian Statuspage publishes at
//! `/api/v2`; others (incident.io, Instatus) answer the same questions in the same shapes.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use serde::Deserialize;

use super::rest::{Credential, Failed, Rest, readable};
use super::tracker::{is_marked, link, settled, unread};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::{CalendarEvent, Incident, Means};
use crate::clock::Time;
use crate::message::tame;
use crate::name::{Environment, Service};

/// A page lists so many incidents of the past.
const LISTED: usize = 50;

/// A provider's status page.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// The page as a browser opens it: `https://www.githubstatus.com`.
    page: url::Url,
    /// Names or ids of the components that matter, groups included; none: all of the page.
    #[serde(default)]
    components: Vec<String>,
    /// The service of ours that stands for the provider, so that those with it in `depends-on` see it as their neighbour.
    /// Without it, what the page tells concerns the `services` of this source.
    #[serde(default)]
    service: Option<Service>,
    /// An incident with this in its title blocks deployments.
    #[serde(default = "mark")]
    blocks: String,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Incidents, Question::Calendar]
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        if self.page.path().contains("/api/") {
            bail!("`page` is the page as a browser opens it, without /api");
        }
        let rest = Rest::open(opening, "a status page", &self.page, Credential::None)?;
        let services = match &self.service {
            Some(service) => vec![service.clone()],
            None => opening.settings.services.clone(),
        };
        let environments = opening.settings.environments.clone();
        Ok(Arc::new(Statuspage { keys: self.clone(), services, environments, rest }))
    }
}

struct Statuspage {
    keys: Keys,
    /// Whom what it tells concerns; none: all.
    services: Vec<Service>,
    environments: Vec<Environment>,
    rest: Rest,
}

impl fmt::Debug for Statuspage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statuspage").field("rest", &self.rest).finish_non_exhaustive()
    }
}

impl Source for Statuspage {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            match ask.question {
                Question::Incidents => self.incidents(ask).await,
                Question::Calendar => self.maintenance(ask).await,
                other => Err(CannotSay::unasked(other)),
            }
        })
    }
}

#[derive(Debug, Deserialize)]
struct Summary {
    page: Page,
    components: Vec<Component>,
    /// Unresolved ones.
    incidents: Vec<serde_json::Value>,
    /// Ahead and under way.
    #[serde(default)]
    scheduled_maintenances: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Past {
    incidents: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Component {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    status: Option<String>,
    /// The group that it stands in.
    #[serde(default)]
    group_id: Option<String>,
    /// Whether it is a group.
    #[serde(default)]
    group: Option<bool>,
    #[serde(default)]
    updated_at: Option<Time>,
}

/// An incident, or a maintenance with its time.
#[derive(Debug, Deserialize)]
struct Entry {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    impact: Option<String>,
    #[serde(default)]
    created_at: Option<Time>,
    #[serde(default)]
    started_at: Option<Time>,
    #[serde(default)]
    resolved_at: Option<Time>,
    #[serde(default)]
    updated_at: Option<Time>,
    #[serde(default)]
    scheduled_for: Option<Time>,
    #[serde(default)]
    scheduled_until: Option<Time>,
    #[serde(default)]
    shortlink: Option<String>,
    #[serde(default)]
    components: Option<Vec<Component>>,
    #[serde(default)]
    incident_updates: Option<Vec<Update>>,
}

#[derive(Debug, Deserialize)]
struct Update {
    #[serde(default)]
    affected_components: Option<Vec<Affected>>,
}

#[derive(Debug, Deserialize)]
struct Affected {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

impl Entry {
    /// Names and ids of the components that it names anywhere.
    fn affected(&self) -> impl Iterator<Item = &str> {
        let own = self.components.iter().flatten().flat_map(|c| [c.id.as_deref(), c.name.as_deref()]);
        let updates =
            self.incident_updates.iter().flatten().flat_map(|update| update.affected_components.iter().flatten());
        own.chain(updates.flat_map(|c| [c.code.as_deref(), c.name.as_deref()])).flatten()
    }

    fn is_over(&self) -> bool {
        matches!(self.status.as_deref(), Some("resolved" | "postmortem" | "completed"))
    }
}

impl Statuspage {
    async fn incidents(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let (summary, past) = futures::join!(
            self.rest.get::<Summary>(&["api", "v2", "summary.json"], &[]),
            self.rest.get::<Past>(&["api", "v2", "incidents.json"], &[])
        );
        let summary = summary?;
        let mut incomplete = Vec::new();
        let wanted = self.wanted(&summary.components, &mut incomplete);
        let (open, odd) = readable::<Entry>(summary.incidents);
        let (past, past_odd, listed) = match past {
            Ok(past) => {
                let listed = past.incidents.len();
                let (past, odd) = readable::<Entry>(past.incidents);
                (past, odd, listed)
            }
            Err(Failed::Missing) => {
                incomplete.push("tells of no incidents of the past".to_owned());
                (Vec::new(), 0, 0)
            }
            Err(Failed::Says(why)) => return Err(why),
        };
        if listed >= LISTED && past.iter().filter_map(|entry| entry.created_at).all(|at| at > ask.from) {
            incomplete.push(format!("lists the last {listed} incidents alone"));
        }
        incomplete.extend(unread(odd + past_odd, "incident"));
        let concerns = |entry: &Entry| wanted.as_ref().is_none_or(|wanted| touches(entry, wanted));
        let told: Vec<Entry> = open.into_iter().chain(past).filter(concerns).collect();
        let provider = self.provider(&summary.page);
        // A component may be down before anybody has written an incident about it.
        let explained: BTreeSet<&str> =
            told.iter().filter(|entry| !entry.is_over()).flat_map(Entry::affected).collect();
        let silent = summary.components.iter().filter(|component| {
            let named = [component.id.as_deref(), component.name.as_deref()].into_iter().flatten();
            component.group != Some(true)
                && component.status.as_deref().is_some_and(is_degraded)
                && wanted.as_ref().is_none_or(|wanted| named.clone().any(|name| wanted.contains(&name.to_lowercase())))
                && !named.clone().any(|name| explained.contains(name))
        });
        let mut found: Vec<Incident> = silent.map(|component| self.degraded(component, &provider, ask.now)).collect();
        let page = link(summary.page.url);
        found.extend(told.iter().map(|entry| self.incident(entry, &provider, ask.now)));
        Ok(Answer { learned: Learned::Incidents(settled(found, ask)), at: ask.now, link: page, incomplete })
    }

    async fn maintenance(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let summary: Summary = self.rest.get(&["api", "v2", "summary.json"], &[]).await?;
        let mut incomplete = Vec::new();
        let wanted = self.wanted(&summary.components, &mut incomplete);
        let (entries, mut odd) = readable::<Entry>(summary.scheduled_maintenances);
        let provider = self.provider(&summary.page);
        let mut events = Vec::new();
        for entry in entries {
            let (Some(start), Some(end)) = (entry.scheduled_for, entry.scheduled_until) else {
                odd += 1;
                continue;
            };
            let concerns = wanted.as_ref().is_none_or(|wanted| touches(&entry, wanted));
            // One under way may last longer than was planned.
            let end = if entry.status.as_deref() == Some("scheduled") { end } else { end.max(ask.now) };
            if entry.is_over() || !concerns || start >= ask.to || end <= ask.from || end <= start {
                continue;
            }
            events.push(CalendarEvent {
                uid: format!("statuspage-{}", tame(&entry.id, 100)),
                start,
                end,
                all_day: false,
                summary: titled(&provider, entry.name.as_deref().unwrap_or("maintenance")),
                means: Means::Maintenance,
                services: self.services.clone(),
                environments: self.environments.clone(),
                owner: Some(provider.clone()),
                person: None,
            });
        }
        incomplete.extend(unread(odd, "maintenance"));
        Ok(Answer { learned: Learned::Calendar(events), at: ask.now, link: link(summary.page.url), incomplete })
    }

    /// Ids and names, in lower case, of the components that matter, with those in their groups; None: all of the page. One
    /// that the page does not have is told, for nothing would ever be heard of it.
    fn wanted(&self, components: &[Component], incomplete: &mut Vec<String>) -> Option<BTreeSet<String>> {
        if self.keys.components.is_empty() {
            return None;
        }
        let mut wanted = BTreeSet::new();
        for name in &self.keys.components {
            let name = name.trim().to_lowercase();
            let is = |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().to_lowercase() == name);
            let mut found = components.iter().filter(|c| is(&c.id) || is(&c.name)).peekable();
            if found.peek().is_none() {
                incomplete.push(format!("has no component `{}`", tame(&name, 60)));
            }
            for component in found {
                let below = components.iter().filter(|c| c.group_id.is_some() && c.group_id == component.id);
                let names = below.chain([component]).flat_map(|c| [&c.id, &c.name]).flatten();
                wanted.extend(names.map(|text| text.trim().to_lowercase()));
            }
        }
        Some(wanted)
    }

    fn incident(&self, entry: &Entry, provider: &str, now: Time) -> Incident {
        let name = entry.name.as_deref().unwrap_or_default();
        let opened = entry.started_at.or(entry.created_at).unwrap_or(now);
        Incident {
            id: tame(&entry.id, 40),
            title: titled(provider, name),
            services: self.services.clone(),
            severity: entry.impact.as_deref().filter(|impact| *impact != "none").map(|impact| tame(impact, 40)),
            opened,
            resolved: entry.is_over().then(|| entry.resolved_at.or(entry.updated_at).unwrap_or(opened)),
            blocks: is_marked(name, &self.keys.blocks),
            follow_ups: 0,
            link: link(entry.shortlink.clone()),
        }
    }

    /// What is told of a component that is not well and that no incident explains.
    fn degraded(&self, component: &Component, provider: &str, now: Time) -> Incident {
        let name = component.name.as_deref().unwrap_or("a component");
        let status = component.status.as_deref().unwrap_or_default().replace('_', " ");
        Incident {
            id: tame(component.id.as_deref().unwrap_or(name), 40),
            title: titled(provider, &format!("{name}: {status}")),
            services: self.services.clone(),
            severity: Some(tame(&status, 40)),
            opened: component.updated_at.unwrap_or(now).min(now),
            resolved: None,
            blocks: false,
            follow_ups: 0,
            link: link(Some(self.keys.page.to_string())),
        }
    }

    /// The provider as people call it.
    fn provider(&self, page: &Page) -> String {
        let name = page.name.as_deref().map(|name| tame(name, 60)).filter(|name| !name.is_empty());
        name.or_else(|| self.keys.page.host_str().map(str::to_owned)).unwrap_or_else(|| "a provider".to_owned())
    }
}

/// Whether an entry is about one of the components; one that names none may be about any.
fn touches(entry: &Entry, wanted: &BTreeSet<String>) -> bool {
    let mut affected = entry.affected().peekable();
    affected.peek().is_none() || affected.any(|name| wanted.contains(&name.trim().to_lowercase()))
}

fn is_degraded(status: &str) -> bool {
    matches!(status, "degraded_performance" | "partial_outage" | "major_outage")
}

/// "GitHub (outside): Slow pushes".
fn titled(provider: &str, title: &str) -> String {
    tame(&format!("{provider} (outside): {title}"), 300)
}

fn mark() -> String {
    "[blocks deployments]".to_owned()
}
