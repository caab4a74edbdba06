//! Incidents by the category of their status: those that are not over, and those that ended in the time looked at.

use serde::Deserialize;

use super::{IncidentIo, MOST, Next};
use crate::advice::facts::Incident;
use crate::clock::Time;
use crate::message::tame;
use crate::name::Service;
use crate::source::rest::{Failed, readable};
use crate::source::tracker::{link, settled, unread};
use crate::source::{Answer, Ask, CannotSay, Learned};

/// The most that is asked for at once.
const PAGE: usize = 250;
/// Categories of status in which an incident is not over.
const OPEN: [&str; 3] = ["triage", "live", "paused"];
/// Those in which it is; declined, merged and canceled ones never were.
const OVER: [&str; 2] = ["learning", "closed"];

#[derive(Debug, Deserialize)]
struct Page {
    incidents: Vec<serde_json::Value>,
    #[serde(default)]
    pagination_meta: Option<Next>,
}

#[derive(Debug, Deserialize)]
struct Told {
    id: String,
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    name: Option<String>,
    incident_status: Status,
    #[serde(default)]
    severity: Option<Named>,
    created_at: Time,
    #[serde(default)]
    updated_at: Option<Time>,
    #[serde(default)]
    permalink: Option<String>,
    /// `private`: not for everybody's eyes.
    #[serde(default)]
    visibility: Option<String>,
    #[serde(default)]
    custom_field_entries: Option<Vec<Field>>,
    #[serde(default)]
    incident_timestamp_values: Option<Vec<Stamp>>,
}

#[derive(Debug, Deserialize)]
struct Status {
    category: String,
}

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Field {
    custom_field: Named,
    #[serde(default)]
    values: Option<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
struct Value {
    #[serde(default)]
    value_option: Option<Choice>,
    #[serde(default)]
    value_catalog_entry: Option<Entry>,
    #[serde(default)]
    value_text: Option<String>,
}

/// An option of a field with fixed ones.
#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    external_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Stamp {
    incident_timestamp: Named,
    #[serde(default)]
    value: Option<Moment>,
}

#[derive(Debug, Deserialize)]
struct Moment {
    #[serde(default)]
    value: Option<Time>,
}

impl Value {
    /// What it says, the most readable first.
    fn words(&self) -> Vec<&str> {
        let choice = self.value_option.iter().flat_map(|choice| [&choice.value, &choice.id]);
        let entry = self.value_catalog_entry.iter().flat_map(|entry| [&entry.name, &entry.external_id, &entry.id]);
        let all = choice.chain(entry).chain([&self.value_text]).filter_map(|word| word.as_deref());
        all.filter(|word| !word.trim().is_empty()).collect()
    }
}

impl Told {
    /// The values of a field, by its name or id: the words of each, the most readable first.
    fn values(&self, field: &str) -> Vec<Vec<&str>> {
        let named = |found: &&Field| {
            let names = [found.custom_field.id.as_deref(), found.custom_field.name.as_deref()];
            names.into_iter().flatten().any(|name| name.eq_ignore_ascii_case(field.trim()))
        };
        let fields = self.custom_field_entries.iter().flatten().filter(named);
        fields
            .flat_map(|field| field.values.iter().flatten())
            .map(Value::words)
            .filter(|words| !words.is_empty())
            .collect()
    }

    /// The moment whose name holds one of the words, of the first word that has any.
    fn moment(&self, words: &[&str]) -> Option<Time> {
        words.iter().find_map(|word| {
            let mut stamps = self.incident_timestamp_values.iter().flatten();
            let named = |stamp: &&Stamp| {
                stamp.incident_timestamp.name.as_deref().is_some_and(|name| name.to_lowercase().contains(word))
            };
            stamps.find(named)?.value.as_ref()?.value
        })
    }
}

impl IncidentIo {
    pub(super) async fn incidents(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let day = ask.from.utc().format("%Y-%m-%d").to_string();
        let category = |category| ("status_category[one_of]", category);
        let open = OPEN.map(category);
        let over = [category(OVER[0]), category(OVER[1]), ("updated_at[gte]", day.as_str())];
        let (open, over) = futures::try_join!(self.list(&open, "open incident"), self.list(&over, "ended incident"))?;
        let mut incomplete = Vec::new();
        let mut found: Vec<(String, Incident)> = Vec::new();
        for (told, gaps) in [open, over] {
            incomplete.extend(gaps);
            found.extend(told.into_iter().map(|told| (told.id.clone(), self.incident(&told, ask))));
        }
        incomplete.extend(self.count_follow_ups(&mut found, ask).await);
        let found = found.into_iter().map(|(_, incident)| incident).collect();
        Ok(Answer { learned: Learned::Incidents(settled(found, ask)), at: ask.now, link: None, incomplete })
    }

    async fn list(&self, filter: &[(&str, &str)], what: &str) -> Result<(Vec<Told>, Vec<String>), Failed> {
        let size = PAGE.to_string();
        let (mut all, mut odd, mut incomplete) = (Vec::new(), 0, Vec::new());
        let mut after: Option<String> = None;
        loop {
            let mut query = filter.to_vec();
            query.extend([("page_size", size.as_str()), ("sort_by", "created_at_newest_first")]);
            query.extend(after.as_deref().map(|after| ("after", after)));
            let page: Page = self.rest.get_object(&["v2", "incidents"], &query).await?;
            let empty = page.incidents.is_empty();
            let (read, odd_ones) = readable::<Told>(page.incidents);
            all.extend(read);
            odd += odd_ones;
            after = Next::after(page.pagination_meta).filter(|_| !empty);
            if after.is_none() {
                break;
            }
            if all.len() + odd >= MOST {
                incomplete.push(format!("has more than {MOST} {what}s, of which only these were read"));
                break;
            }
        }
        incomplete.extend(unread(odd, what));
        Ok((all, incomplete))
    }

    fn incident(&self, told: &Told, ask: &Ask) -> Incident {
        let is_over = OVER.contains(&told.incident_status.category.as_str());
        let ended = || told.moment(&["resolved", "fixed", "closed"]).or(told.updated_at).unwrap_or(told.created_at);
        let began = told.moment(&["impact started", "started"]).filter(|at| *at < told.created_at);
        let title = match told.visibility.as_deref() {
            Some("private") => "A private incident".to_owned(),
            _ => tame(told.name.as_deref().unwrap_or_default(), 300),
        };
        let marks = told.values(self.keys.blocks.field());
        let blocks = marks.iter().flatten().any(|value| self.keys.blocks.is_value(value));
        let severity = told.severity.as_ref().and_then(|severity| severity.name.as_deref());
        Incident {
            id: tame(told.reference.as_deref().unwrap_or(&told.id), 40),
            title,
            services: self.affected(told, ask),
            severity: severity.map(|name| tame(name, 40)),
            opened: began.unwrap_or(told.created_at),
            resolved: is_over.then(ended),
            blocks,
            follow_ups: 0,
            link: link(told.permalink.clone()),
        }
    }

    /// The services that the field names. One that is none of ours stays what it is called there, so that an incident
    /// elsewhere is not taken for one on every service.
    fn affected(&self, told: &Told, ask: &Ask) -> Vec<Service> {
        let Some(field) = &self.keys.field else { return Vec::new() };
        let mut services: Vec<Service> = Vec::new();
        for words in told.values(field) {
            let mut meant = self.keys.map.ours(words.iter().copied());
            let own = |name: &&Service| {
                !self.keys.map.has(name) && words.iter().any(|word| word.trim().eq_ignore_ascii_case(name.as_str()))
            };
            meant.extend(ask.settings.service.keys().filter(own).cloned());
            if meant.is_empty() {
                meant.extend(words.first().map(|word| Service::new(tame(word, 80))));
            }
            services.extend(meant);
        }
        services.sort();
        services.dedup();
        services
    }
}
