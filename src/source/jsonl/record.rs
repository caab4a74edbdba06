//! One line as a fact. Names of fields are read leniently, because every system exports its own; values are not.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::stream::Bad;
use crate::advice::facts::{Cause, Deployment, Incident, Outcome, Shape, Shift};
use crate::clock::Time;
use crate::config::Settings;
use crate::message::{is_web, tame};
use crate::name::{Environment, Person, Service};

const LONGEST_NAME: usize = 200;
const LONGEST_TITLE: usize = 300;
const LONGEST_LINK: usize = 2_000;
const LONGEST_PATH: usize = 500;
const MOST_FILES: usize = 50;
const MOST_WORDS: usize = 20;
const MOST_SERVICES: usize = 100;
/// Below this a number is seconds since 1970, above it milliseconds: the year 5138 against March 1973.
const SECONDS_END: f64 = 1e11;
/// Names of a deployment's id.
const ID: [&str; 4] = ["id", "deployment", "deployment_id", "run"];

/// What a line says of a deployment.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    Deployed(Box<Deployment>),
    /// It failed before it changed anything, or was cancelled: the one with this id, where the line names one.
    Nothing(Option<String>),
}

pub(super) fn deployment(line: &[u8]) -> Result<Told, Bad> {
    let record = Record::read(line)?;
    let status =
        record.text(&["status", "state", "result", "conclusion"], LONGEST_NAME)?.map(|text| text.to_lowercase());
    let said = record.text(&["outcome"], LONGEST_NAME)?;
    let mut outcome = said.as_deref().map(|said| parse_outcome(said).ok_or_else(|| says_outcome(said))).transpose()?;
    match status.as_deref() {
        Some("failed" | "failure" | "error" | "cancelled" | "canceled" | "skipped") if outcome.is_none() => {
            return Ok(Told::Nothing(record.text(&ID, LONGEST_NAME)?));
        }
        Some(status) => outcome = outcome.or_else(|| parse_outcome(status).filter(|outcome| outcome.is_bad())),
        None => {}
    }
    let cause = record.text(&["cause"], LONGEST_NAME)?;
    let cause = cause.map(|text| Cause::parse(&text).ok_or_else(|| says_cause(&text))).transpose()?;
    let service = record.must(&["service", "app", "application", "component"])?;
    let environment = record.must(&["environment", "env", "stage"])?;
    let version = record.text(&["version", "tag", "release", "ref"], LONGEST_NAME)?;
    let at = record.must_time(&["at", "time", "timestamp", "started", "started_at", "deployed_at", "created_at"])?;
    let id = record.text(&ID, LONGEST_NAME)?;
    let id = id.unwrap_or_else(|| format!("{service}/{environment}/{}", at.rfc3339()));
    Ok(Told::Deployed(Box::new(Deployment {
        id,
        service: Service::new(service),
        environment: Environment::new(environment),
        version,
        commit: record.text(&["commit", "sha", "revision", "commit_sha"], LONGEST_NAME)?,
        at,
        finished: record.time(&["finished", "finished_at", "ended", "ended_at", "completed_at"])?,
        outcome,
        cause,
        incident: record.text(&["incident", "incident_id"], LONGEST_NAME)?,
        link: record.link()?,
        shape: shape(&record)?,
    })))
}

pub(super) fn incident(line: &[u8]) -> Result<Incident, Bad> {
    let record = Record::read(line)?;
    let services = record.list(&["services", "service", "affected", "components"], MOST_SERVICES, LONGEST_NAME)?;
    Ok(Incident {
        id: record.must(&["id", "incident", "number", "reference", "key"])?,
        title: record.text(&["title", "summary", "name", "description"], LONGEST_TITLE)?.unwrap_or_default(),
        services: services.into_iter().map(Service::new).collect(),
        severity: record.text(&["severity", "sev", "priority", "urgency", "impact"], LONGEST_NAME)?,
        opened: record.must_time(&["opened", "opened_at", "at", "started", "started_at", "created_at"])?,
        resolved: record.time(&["resolved", "resolved_at", "ended", "ended_at", "closed", "closed_at"])?,
        blocks: record.flag(&["blocks", "blocking", "blocks_deployments"])?.unwrap_or(false),
        follow_ups: record.count(&["follow_ups", "followups", "open_follow_ups", "actions"])?.unwrap_or(0),
        link: record.link()?,
    })
}

pub(super) fn shift(line: &[u8], people: &People) -> Result<Shift, Bad> {
    let record = Record::read(line)?;
    let who = record.must(&["person", "who", "user", "name", "email"])?;
    let start = record.must_time(&["start", "from", "start_at", "starts", "begin"])?;
    let end = record.time(&["end", "to", "until", "end_at", "ends"])?;
    if end.is_some_and(|end| end <= start) {
        return Err("ends before it starts".to_owned());
    }
    let level = record.count(&["level", "escalation_level", "tier"])?.unwrap_or(1);
    Ok(Shift {
        person: people.person(&who),
        service: record.text(&["service", "app", "application", "component"], LONGEST_NAME)?.map(Service::new),
        start,
        end,
        level: u8::try_from(level).map_err(|_| "has a `level` above 255".to_owned())?,
    })
}

/// People of the settings by every name that a schedule may use for them.
#[derive(Debug)]
pub(super) struct People(BTreeMap<String, Person>);

impl People {
    pub fn of(settings: &Settings) -> People {
        let mut names = BTreeMap::new();
        for (person, about) in &settings.people {
            let full = about.name.iter();
            for name in about.on_call.iter().chain(&about.email).chain(full) {
                names.entry(name.to_lowercase()).or_insert_with(|| person.clone());
            }
        }
        for person in settings.people.keys() {
            names.insert(person.as_str().to_lowercase(), person.clone());
        }
        People(names)
    }

    fn person(&self, name: &str) -> Person {
        self.0.get(&name.to_lowercase()).cloned().unwrap_or_else(|| Person::new(name))
    }
}

/// Of the record's own `shape`, or beside the other fields.
fn shape(record: &Record) -> Result<Shape, Bad> {
    let own = match record.0.get("shape") {
        Some(Value::Object(shape)) => Some(Record(shape.clone())),
        Some(Value::Null) | None => None,
        Some(_) => return Err("has a `shape` that is not an object".to_owned()),
    };
    let from = own.as_ref().unwrap_or(record);
    let hour = from.count(&["hour"])?;
    if hour.is_some_and(|hour| hour > 167) {
        return Err("has an `hour` that is not of a week (0 to 167)".to_owned());
    }
    Ok(Shape {
        kind: from.text(&["kind"], LONGEST_NAME)?,
        category: from.text(&["category"], LONGEST_NAME)?,
        files: from.list(&["files", "paths"], MOST_FILES, LONGEST_PATH)?,
        lines: from.count(&["lines", "changed_lines"])?.unwrap_or(0),
        migration: from.flag(&["migration"])?.unwrap_or(false),
        dependencies: from.flag(&["dependencies"])?.unwrap_or(false),
        config: from.flag(&["config"])?.unwrap_or(false),
        ai: from.flag(&["ai"])?,
        words: from.list(&["words"], MOST_WORDS, LONGEST_NAME)?.into_iter().map(|word| word.to_lowercase()).collect(),
        load_pct: from.count(&["load_pct"])?,
        hour,
    })
}

fn parse_outcome(text: &str) -> Option<Outcome> {
    match text.to_lowercase().replace(['-', ' '], "_").as_str() {
        "rollback" | "reverted" => Some(Outcome::RolledBack),
        "ok" | "good" | "success" | "succeeded" => Some(Outcome::Clean),
        other => Outcome::parse(other),
    }
}

fn says_outcome(said: &str) -> Bad {
    let known: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
    format!("has the outcome `{said}`; known are {}", known.join(", "))
}

fn says_cause(said: &str) -> Bad {
    let known: Vec<&str> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
    format!("has the cause `{said}`; known are {}", known.join(", "))
}

/// A JSON object, asked by the names that a field may have. An empty text and null count as absent.
struct Record(Map<String, Value>);

impl Record {
    fn read(line: &[u8]) -> Result<Record, Bad> {
        match serde_json::from_slice(line) {
            Ok(Value::Object(fields)) => Ok(Record(fields)),
            Ok(_) => Err("is not a JSON object".to_owned()),
            Err(error) if error.is_eof() => Err("ends in the middle of its JSON".to_owned()),
            Err(error) => Err(format!("is not JSON (column {})", error.column())),
        }
    }

    fn get(&self, names: &[&'static str]) -> Option<(&'static str, &Value)> {
        names.iter().find_map(|name| {
            let value = self.0.get(*name).filter(|value| !value.is_null() && value.as_str() != Some(""))?;
            Some((*name, value))
        })
    }

    fn text(&self, names: &[&'static str], most: usize) -> Result<Option<String>, Bad> {
        let Some((name, value)) = self.get(names) else { return Ok(None) };
        let text = match value {
            Value::String(text) => tame(text, most),
            Value::Number(number) => number.to_string(),
            _ => return Err(format!("has a `{name}` that is not text")),
        };
        Ok((!text.is_empty()).then_some(text))
    }

    fn must(&self, names: &[&'static str]) -> Result<String, Bad> {
        self.text(names, LONGEST_NAME)?.ok_or_else(|| says_missing(names))
    }

    fn time(&self, names: &[&'static str]) -> Result<Option<Time>, Bad> {
        let Some((name, value)) = self.get(names) else { return Ok(None) };
        let time = match value {
            Value::String(text) => Time::parse_rfc3339(text.trim()),
            Value::Number(number) => number.as_f64().filter(|number| *number >= 0.0).map(|number| {
                let ms = if number < SECONDS_END { number * 1_000.0 } else { number };
                Time::from_ms(ms as i64)
            }),
            _ => None,
        };
        match time {
            Some(time) => Ok(Some(time)),
            None => Err(format!("has a `{name}` that is no time (write 2026-11-24T18:00:00Z)")),
        }
    }

    fn must_time(&self, names: &[&'static str]) -> Result<Time, Bad> {
        self.time(names)?.ok_or_else(|| says_missing(names))
    }

    fn flag(&self, names: &[&'static str]) -> Result<Option<bool>, Bad> {
        match self.get(names) {
            None => Ok(None),
            Some((_, Value::Bool(flag))) => Ok(Some(*flag)),
            Some((name, _)) => Err(format!("has a `{name}` that is neither true nor false")),
        }
    }

    /// A number of things; a list counts by its length.
    fn count(&self, names: &[&'static str]) -> Result<Option<u32>, Bad> {
        let Some((name, value)) = self.get(names) else { return Ok(None) };
        let count = match value {
            Value::Array(list) => u32::try_from(list.len()).ok(),
            other => other.as_u64().and_then(|count| u32::try_from(count).ok()),
        };
        count.map(Some).ok_or_else(|| format!("has a `{name}` that is not a whole number"))
    }

    /// A list of texts; a single text is a list of one.
    fn list(&self, names: &[&'static str], most: usize, longest: usize) -> Result<Vec<String>, Bad> {
        let Some((name, value)) = self.get(names) else { return Ok(Vec::new()) };
        let wrong = || format!("has a `{name}` that is not a list of texts");
        match value {
            Value::String(text) => Ok(vec![tame(text, longest)]),
            Value::Array(list) => list
                .iter()
                .take(most)
                .map(|item| item.as_str().map(|text| tame(text, longest)).ok_or_else(wrong))
                .collect(),
            _ => Err(wrong()),
        }
    }

    fn link(&self) -> Result<Option<String>, Bad> {
        let link = self.text(&["link", "url", "html_url", "permalink"], LONGEST_LINK)?;
        Ok(link.filter(|link| is_web(link)))
    }
}

fn says_missing(names: &[&'static str]) -> Bad {
    format!("has no `{}`", names.first().unwrap_or(&"field"))
}
