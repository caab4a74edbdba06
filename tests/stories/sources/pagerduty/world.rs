//! A pretend PagerDuty: it filters and pages as PagerDuty's documentation says, the month that it keeps to included.

use serde_json::{Value, json};

use tidegate::clock::{DAY, Time};

use crate::harness::source::now;
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

pub const TOKEN: &str = "u+story-key";

const MANNERS: Manners = Manners {
    prefix: "",
    credential: ("authorization", "Token token=u+story-key"),
    headers: &[
        ("accept", "application/vnd.pagerduty+json;version=2, application/json;q=0.9"),
        ("content-type", "application/json"),
    ],
    open: &[],
};

/// Each laid over PagerDuty's example.
#[derive(Debug, Default)]
pub struct World {
    pub incidents: Vec<Value>,
    pub shifts: Vec<Value>,
    pub windows: Vec<Value>,
    /// Of a custom field, by the id of its incident.
    pub fields: Vec<(&'static str, Value)>,
    /// Answered when custom fields are asked for, if set.
    pub no_fields: Option<u16>,
}

pub type PagerDuty = Vendor<World>;

pub async fn open(world: World) -> PagerDuty {
    static DESCRIBED: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| {
        serde_json::from_str(include_str!("../../../data/pagerduty/openapi.json")).unwrap()
    });
    Vendor::open(&DESCRIBED, MANNERS, world, answer).await
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    let example = asked.operation.example();
    if asked.id() == "getIncidentFieldValues" {
        if let Some(status) = world.no_fields {
            return Reply::status(status);
        }
        let own = world.fields.iter().filter(|(of, _)| *of == asked.value("id"));
        let told = own.map(|(_, story)| laid_over(example["custom_fields"][0].clone(), story.clone()));
        return Reply::ok(json!({ "custom_fields": told.collect::<Vec<Value>>() }));
    }
    let (key, told) = match asked.id() {
        "listIncidents" => ("incidents", &world.incidents),
        "listOnCalls" => ("oncalls", &world.shifts),
        _ => ("maintenance_windows", &world.windows),
    };
    let all = told.iter().map(|story| laid_over(example[key][0].clone(), story.clone()));
    let found: Vec<Value> = all.filter(|entry| is_meant(asked, entry)).collect();
    let number = |name: &str, usual: usize| asked.query(name).and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (offset, limit) = (number("offset", 0), number("limit", 25));
    let page: Vec<Value> = found.iter().skip(offset).take(limit).cloned().collect();
    let more = offset + page.len() < found.len();
    Reply::ok(json!({ key: page, "limit": limit, "offset": offset, "more": more, "total": null }))
}

fn is_meant(asked: &Asked, entry: &Value) -> bool {
    let among = |name: &str, value: &Value| {
        let wanted = asked.queries(name);
        wanted.is_empty() || value.as_str().is_some_and(|value| wanted.contains(&value))
    };
    let time = |text: &Value| text.as_str().and_then(Time::parse_rfc3339);
    let bound = |name: &str, usual: Time| asked.query(name).and_then(Time::parse_rfc3339).unwrap_or(usual);
    match asked.id() {
        "listIncidents" => {
            let (since, until) = (bound("since", now().plus(-30 * DAY)), bound("until", now()));
            assert!(until.since(since) <= 184 * DAY, "PagerDuty refuses more than six months");
            let created = time(&entry["created_at"]).is_none_or(|at| at >= since && at <= until);
            among("service_ids[]", &entry["service"]["id"])
                && among("statuses[]", &entry["status"])
                && (asked.query("date_range") == Some("all") || created)
        }
        "listOnCalls" => {
            let (since, until) = (bound("since", now()), bound("until", now()));
            among("schedule_ids[]", &entry["schedule"]["id"])
                && among("escalation_policy_ids[]", &entry["escalation_policy"]["id"])
                && time(&entry["start"]).is_none_or(|start| start < until)
                && time(&entry["end"]).is_none_or(|end| end > since)
        }
        _ => {
            let services = entry["services"].as_array().unwrap();
            let over = time(&entry["end_time"]).is_some_and(|end| end <= now());
            services.iter().any(|service| among("service_ids[]", &service["id"]))
                && !(asked.query("filter") == Some("open") && over)
        }
    }
}
