//! Incidents: all that are open, however old, and those that were resolved in the time looked at.

use serde::Deserialize;

use super::{List, PagerDuty, Reference};
use crate::advice::facts::Incident;
use crate::clock::{DAY, Millis, Time};
use crate::message::tame;
use crate::source::called::around;
use crate::source::tracker::{is_marked, link, settled};
use crate::source::{Answer, Ask, CannotSay, Learned};

/// The longest span that PagerDuty searches is six months.
const LONGEST: Millis = 180 * DAY;
/// PagerDuty searches by when an incident began: one that began this long before may have ended in the time looked at.
const LEAD: Millis = 30 * DAY;

#[derive(Debug, Deserialize)]
struct Told {
    #[serde(default)]
    incident_number: Option<u64>,
    id: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    summary: Option<String>,
    status: String,
    #[serde(default)]
    urgency: Option<String>,
    #[serde(default)]
    priority: Option<Reference>,
    #[serde(default)]
    service: Option<Reference>,
    created_at: Time,
    #[serde(default)]
    resolved_at: Option<Time>,
    #[serde(default)]
    last_status_change_at: Option<Time>,
    #[serde(default)]
    html_url: Option<String>,
}

impl PagerDuty {
    pub(super) async fn incidents(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let near = around(&ask.settings, &ask.service);
        let ids = self.keys.map.of_all(&near);
        let mut incomplete: Vec<String> = self.unmapped(&ask.service).into_iter().collect();
        let mut found: Vec<(String, Incident)> = Vec::new();
        if !ids.is_empty() {
            let since = ask.from.plus(-LEAD).max(ask.to.plus(-LONGEST));
            if ask.from < since {
                incomplete.push("searches no further back than six months".to_owned());
            }
            let (since, until) = (since.rfc3339(), ask.to.rfc3339());
            let services: Vec<(&str, &str)> = ids.iter().map(|id| ("service_ids[]", *id)).collect();
            let newest = ("sort_by", "created_at:desc");
            let open = [("statuses[]", "triggered"), ("statuses[]", "acknowledged"), ("date_range", "all"), newest];
            let open = [services.as_slice(), &open].concat();
            let past = [("statuses[]", "resolved"), ("since", &since), ("until", &until), ("time_zone", "UTC"), newest];
            let past = [services.as_slice(), &past].concat();
            let (open, past) = futures::try_join!(
                self.list::<Told>("incidents", &open, "open incident"),
                self.list::<Told>("incidents", &past, "resolved incident")
            )?;
            for List { entries, incomplete: gaps } in [open, past] {
                incomplete.extend(gaps);
                found.extend(entries.into_iter().map(|told| (told.id.clone(), self.incident(told))));
            }
            incomplete.extend(self.mark_by_field(&mut found).await);
        }
        let found = found.into_iter().map(|(_, incident)| incident).collect();
        Ok(Answer { learned: Learned::Incidents(settled(found, ask)), at: ask.now, link: None, incomplete })
    }

    fn incident(&self, told: Told) -> Incident {
        let title = told.title.or(told.summary).unwrap_or_default();
        let service = told.service.and_then(|service| service.id);
        let urgency = told.urgency.map(|urgency| format!("{} urgency", tame(&urgency, 20)));
        let priority = told.priority.and_then(|priority| priority.summary).filter(|priority| !priority.is_empty());
        let resolved = (told.status == "resolved").then(|| told.resolved_at.or(told.last_status_change_at));
        let by_priority = priority.as_ref().is_some_and(|priority| {
            self.keys.blocks_priorities.iter().any(|blocks| blocks.trim().eq_ignore_ascii_case(priority.trim()))
        });
        Incident {
            id: told.incident_number.map_or_else(|| tame(&told.id, 40), |number| format!("#{number}")),
            blocks: is_marked(&title, &self.keys.blocks) || by_priority,
            title: tame(&title, 300),
            services: self.keys.map.ours(service.as_deref()),
            severity: priority.map(|priority| tame(&priority, 40)).or(urgency),
            opened: told.created_at,
            resolved: resolved.map(|at| at.unwrap_or(told.created_at)),
            follow_ups: 0,
            link: link(told.html_url),
        }
    }
}
