//! Maintenance windows: while one lasts, its services open no incidents and call nobody.

use serde::Deserialize;

use super::{PagerDuty, Reference};
use crate::advice::facts::{CalendarEvent, Means};
use crate::clock::Time;
use crate::message::tame;
use crate::source::called::around;
use crate::source::{Answer, Ask, CannotSay, Learned};

#[derive(Debug, Deserialize)]
struct Told {
    id: String,
    start_time: Time,
    end_time: Time,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    services: Vec<Reference>,
    #[serde(default)]
    created_by: Option<Reference>,
}

impl PagerDuty {
    pub(super) async fn maintenance(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let near = around(&ask.settings, &ask.service);
        let ids = self.keys.map.of_all(&near);
        let mut incomplete: Vec<String> = self.unmapped(&ask.service).into_iter().collect();
        let mut events = Vec::new();
        if !ids.is_empty() {
            // `open` are those under way and those to come.
            let mut query = vec![("filter", "open")];
            query.extend(ids.iter().map(|id| ("service_ids[]", *id)));
            let list = self.list::<Told>("maintenance_windows", &query, "maintenance window").await?;
            incomplete.extend(list.incomplete);
            let within = |told: &Told| told.start_time < ask.to && told.end_time > ask.from;
            events.extend(list.entries.into_iter().filter(within).map(|told| self.event(told)));
        }
        Ok(Answer { learned: Learned::Calendar(events), at: ask.now, link: None, incomplete })
    }

    fn event(&self, told: Told) -> CalendarEvent {
        let words = [told.description, told.summary].into_iter().flatten().find(|words| !words.trim().is_empty());
        let summary = words.map_or_else(|| "Maintenance".to_owned(), |words| tame(&words, 120));
        CalendarEvent {
            uid: format!("pagerduty-{}", tame(&told.id, 100)),
            start: told.start_time,
            end: told.end_time,
            all_day: false,
            summary,
            means: Means::Maintenance,
            services: self.keys.map.ours(told.services.iter().filter_map(|service| service.id.as_deref())),
            environments: Vec::new(),
            owner: told.created_by.and_then(|by| by.summary).map(|name| tame(&name, 80)),
            person: None,
        }
    }
}
