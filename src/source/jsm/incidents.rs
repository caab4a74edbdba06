//! Alerts: those that fire now; and those that are grave enough to be incidents, or marked as blocking, open and of late.

use serde::Deserialize;

use super::Jsm;
use crate::advice::facts::{Alert, AlertState, Incident};
use crate::clock::{DAY, Millis, Time};
use crate::message::tame;
use crate::name::Service;
use crate::source::tracker::settled;
use crate::source::{Answer, Ask, CannotSay, Learned};

/// Alerts are searched by when they began: one that began this long before may have ended in the time looked at.
const LEAD: Millis = 7 * DAY;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    id: String,
    #[serde(default)]
    tiny_id: Option<String>,
    #[serde(default)]
    message: Option<String>,
    status: String,
    #[serde(default)]
    priority: Option<String>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    entity: Option<String>,
    #[serde(default)]
    responders: Option<Vec<Responder>>,
    created_at: Time,
    #[serde(default)]
    updated_at: Option<Time>,
    #[serde(default)]
    close_time: Option<Time>,
    #[serde(default)]
    snoozed: Option<bool>,
    #[serde(default)]
    snoozed_until: Option<Time>,
}

#[derive(Debug, Deserialize)]
struct Responder {
    #[serde(default)]
    id: Option<String>,
}

impl Told {
    fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().flatten().map(|tag| tag.trim())
    }

    fn is_closed(&self) -> bool {
        self.status == "closed"
    }
}

impl Jsm {
    /// What is open on the service, whatever its priority.
    pub(super) async fn alerts(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let query = [("query", "status:open"), ("sort", "createdAt"), ("order", "desc")];
        let (told, incomplete) = self.list::<Told>(&["alerts"], &query, "open alert").await?;
        let ours = told.into_iter().filter(|told| !told.is_closed() && self.affected(told, ask).contains(&ask.service));
        let alerts = ours.map(|told| Alert {
            state: AlertState::Firing,
            name: tame(told.message.as_deref().unwrap_or_default(), 200),
            severity: told.priority.as_deref().map(|priority| tame(priority, 40)),
            summary: None,
            since: told.created_at,
            silenced: told.snoozed_until.filter(|until| told.snoozed == Some(true) && *until > ask.now),
            link: None,
        });
        Ok(Answer { learned: Learned::Alerts(alerts.collect()), at: ask.now, link: None, incomplete })
    }

    pub(super) async fn incidents(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let (from, to) = (ask.from.plus(-LEAD).ms().to_string(), ask.to.ms().to_string());
        let newest = [("sort", "createdAt"), ("order", "desc")];
        let open = [[("query", "status:open")].as_slice(), &newest].concat();
        let closed = [("query", "status:closed"), ("from", from.as_str()), ("to", to.as_str())];
        let closed = [closed.as_slice(), &newest].concat();
        let (open, closed) = futures::try_join!(
            self.list::<Told>(&["alerts"], &open, "open alert"),
            self.list::<Told>(&["alerts"], &closed, "closed alert")
        )?;
        let mut incomplete = Vec::new();
        let mut found: Vec<Incident> = Vec::new();
        for (told, gaps) in [open, closed] {
            incomplete.extend(gaps);
            found.extend(told.iter().filter_map(|told| self.incident(told, ask)));
        }
        Ok(Answer { learned: Learned::Incidents(settled(found, ask)), at: ask.now, link: None, incomplete })
    }

    /// An alert as an incident, where it is one: grave enough, on a service of ours; or marked as blocking, whatever else.
    fn incident(&self, told: &Told, ask: &Ask) -> Option<Incident> {
        let blocks = !self.keys.blocks.is_empty() && told.tags().any(|tag| tag.eq_ignore_ascii_case(&self.keys.blocks));
        let priority = told.priority.as_deref();
        // A priority that is not told may be any.
        let grave =
            priority.is_none_or(|found| self.keys.priorities.iter().any(|known| known.eq_ignore_ascii_case(found)));
        let services = self.affected(told, ask);
        if !blocks && (!grave || services.is_empty()) {
            return None;
        }
        let closed = || told.close_time.or(told.updated_at).unwrap_or(told.created_at);
        Some(Incident {
            id: format!("#{}", tame(told.tiny_id.as_deref().unwrap_or(&told.id), 40)),
            title: tame(told.message.as_deref().unwrap_or_default(), 300),
            services,
            severity: priority.map(|priority| tame(priority, 40)),
            opened: told.created_at,
            resolved: told.is_closed().then(closed),
            blocks,
            follow_ups: 0,
            link: None,
        })
    }

    fn affected(&self, told: &Told, ask: &Ask) -> Vec<Service> {
        let teams = told.responders.iter().flatten().filter_map(|responder| responder.id.as_deref());
        let names: Vec<&str> = told.tags().chain(told.entity.as_deref()).chain(teams).collect();
        let mut services = self.keys.map.ours(names.iter().copied());
        let bare = |tag: &str| tag.strip_prefix("service:").unwrap_or(tag).trim().to_lowercase();
        let own = |name: &&Service| {
            !self.keys.map.has(name) && told.tags().any(|tag| bare(tag) == name.as_str().to_lowercase())
        };
        services.extend(ask.settings.service.keys().filter(own).cloned());
        services.sort();
        services.dedup();
        services
    }
}
