//! Maintenance of the whole site: while it lasts, integrations and policies are off, and nobody may be called.

use serde::Deserialize;

use super::Jsm;
use crate::advice::facts::{CalendarEvent, Means};
use crate::clock::Time;
use crate::message::tame;
use crate::source::{Answer, Ask, CannotSay, Learned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    description: Option<String>,
    start_date: Time,
    end_date: Time,
}

impl Jsm {
    pub(super) async fn maintenance(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let (told, incomplete) = self.list::<Told>(&["maintenances"], &[], "maintenance").await?;
        let within = |told: &Told| {
            told.status.as_deref() != Some("cancelled") && told.start_date < ask.to && told.end_date > ask.from
        };
        let events = told.into_iter().filter(within).map(|told| self.event(told)).collect();
        Ok(Answer { learned: Learned::Calendar(events), at: ask.now, link: None, incomplete })
    }

    fn event(&self, told: Told) -> CalendarEvent {
        let description = told.description.as_deref().map(|text| tame(text, 120)).filter(|text| !text.is_empty());
        CalendarEvent {
            uid: format!("jsm-{}", tame(&told.id, 100)),
            start: told.start_date,
            end: told.end_date,
            all_day: false,
            summary: description.unwrap_or_else(|| "Maintenance".to_owned()),
            means: Means::Maintenance,
            services: self.services.clone(),
            environments: self.environments.clone(),
            owner: None,
            person: None,
        }
    }
}
