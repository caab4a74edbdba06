//! Maintenance windows, under way and to come. They name no services.

use serde::Deserialize;

use super::{IncidentIo, MOST, Next};
use crate::advice::facts::{CalendarEvent, Means};
use crate::clock::Time;
use crate::message::tame;
use crate::source::rest::{Failed, readable};
use crate::source::tracker::unread;
use crate::source::{Answer, Ask, CannotSay, Learned};

#[derive(Debug, Deserialize)]
struct Page {
    maintenance_windows: Vec<serde_json::Value>,
    #[serde(default)]
    pagination_meta: Option<Next>,
}

#[derive(Debug, Deserialize)]
struct Told {
    id: String,
    #[serde(default)]
    name: Option<String>,
    start_at: Time,
    end_at: Time,
    #[serde(default)]
    archived_at: Option<Time>,
    #[serde(default)]
    lead: Option<Actor>,
}

#[derive(Debug, Deserialize)]
struct Actor {
    #[serde(default)]
    user: Option<User>,
}

#[derive(Debug, Deserialize)]
struct User {
    #[serde(default)]
    name: Option<String>,
}

impl IncidentIo {
    pub(super) async fn maintenance(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let (active, upcoming) = futures::try_join!(self.windows("active"), self.windows("upcoming"))?;
        let mut incomplete = Vec::new();
        let mut events: Vec<CalendarEvent> = Vec::new();
        for (told, gaps) in [active, upcoming] {
            incomplete.extend(gaps);
            let within = |told: &Told| told.archived_at.is_none() && told.start_at < ask.to && told.end_at > ask.from;
            events.extend(told.into_iter().filter(within).map(|told| self.event(told)));
        }
        // One that began between the two questions is in both answers.
        events.sort_by(|a, b| (a.start, &a.uid).cmp(&(b.start, &b.uid)));
        events.dedup_by(|next, kept| next.uid == kept.uid);
        Ok(Answer { learned: Learned::Calendar(events), at: ask.now, link: None, incomplete })
    }

    async fn windows(&self, status: &str) -> Result<(Vec<Told>, Vec<String>), Failed> {
        let (mut all, mut odd, mut incomplete) = (Vec::new(), 0, Vec::new());
        let mut after: Option<String> = None;
        loop {
            let mut query = vec![("status", status), ("page_size", "50")];
            query.extend(after.as_deref().map(|after| ("after", after)));
            let page: Page = self.rest.get_object(&["v1", "maintenance_windows"], &query).await?;
            let empty = page.maintenance_windows.is_empty();
            let (read, odd_ones) = readable::<Told>(page.maintenance_windows);
            all.extend(read);
            odd += odd_ones;
            after = Next::after(page.pagination_meta).filter(|_| !empty);
            if after.is_none() {
                break;
            }
            if all.len() + odd >= MOST {
                incomplete.push("has more maintenance windows than were read".to_owned());
                break;
            }
        }
        incomplete.extend(unread(odd, "maintenance window"));
        Ok((all, incomplete))
    }

    fn event(&self, told: Told) -> CalendarEvent {
        let name = told.name.as_deref().map(|name| tame(name, 120)).filter(|name| !name.is_empty());
        CalendarEvent {
            uid: format!("incident-io-{}", tame(&told.id, 100)),
            start: told.start_at,
            end: told.end_at,
            all_day: false,
            summary: name.unwrap_or_else(|| "Maintenance".to_owned()),
            means: Means::Maintenance,
            services: self.services.clone(),
            environments: self.environments.clone(),
            owner: told.lead.and_then(|lead| lead.user).and_then(|user| user.name).map(|name| tame(&name, 80)),
            person: None,
        }
    }
}
