//! PagerDuty: services with their escalation policies, schedules, users.
//!
//! <https://developer.pagerduty.com/api-reference/>: a read-only API key; lists are paged by `limit`, `offset`, `more`.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{PagerDuty, Told, failure};
use crate::source::rest::{Rest, readable};

const NAME: &str = "PagerDuty";
const PAGE: usize = 100;
/// So many entries of one list are read.
const MOST: usize = 500;

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(alias = "services", alias = "schedules", alias = "users")]
    entries: Vec<serde_json::Value>,
    #[serde(default)]
    more: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Service {
    id: String,
    name: String,
    #[serde(default)]
    escalation_policy: Option<Reference>,
}

#[derive(Debug, Deserialize)]
struct Reference {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Schedule {
    id: String,
    #[serde(default)]
    name: String,
}

#[derive(Debug, Deserialize)]
struct User {
    email: String,
    #[serde(default)]
    name: String,
}

pub async fn told(rest: Rest) -> Told {
    let rest = rest
        .header("accept", "application/vnd.pagerduty+json;version=2, application/json;q=0.9")
        .header("content-type", "application/json");
    let mut told = Told::default();
    let services = all::<Service>(&rest, "services", &mut told.notes).await;
    let schedules = all::<Schedule>(&rest, "schedules", &mut told.notes).await;
    let users = all::<User>(&rest, "users", &mut told.notes).await;
    let policy = |service: &Service| service.escalation_policy.as_ref().map(|policy| policy.id.clone());
    told.pagerduty = services.is_some().then(|| PagerDuty {
        services: services
            .unwrap_or_default()
            .into_iter()
            .map(|s| (s.id.clone(), s.name.clone(), policy(&s)))
            .collect(),
        schedules: schedules.unwrap_or_default().into_iter().map(|s| (s.id, s.name)).collect(),
        users: users.unwrap_or_default().into_iter().map(|user| (user.email, user.name)).collect(),
    });
    told
}

/// A list, page by page; None where it could not be had.
async fn all<T: DeserializeOwned>(rest: &Rest, what: &str, notes: &mut Vec<String>) -> Option<Vec<T>> {
    let limit = PAGE.to_string();
    let (mut all, mut odd) = (Vec::new(), 0);
    for offset in (0..MOST).step_by(PAGE) {
        let offset = offset.to_string();
        let query = [("limit", limit.as_str()), ("offset", offset.as_str())];
        let page = match rest.get_object::<Page>(&[what], &query).await {
            Ok(page) => page,
            Err(failed) => {
                notes.push(failure(NAME, what, failed));
                return None;
            }
        };
        let more = page.more.unwrap_or(false) && !page.entries.is_empty();
        let (read, unread) = readable(page.entries);
        all.extend(read);
        odd += unread;
        if !more {
            break;
        }
        if all.len() + odd >= MOST {
            notes.push(format!("{NAME} has more {what} than the {MOST} that were read."));
        }
    }
    if odd > 0 {
        notes.push(format!("{NAME}: {odd} {what} could not be read."));
    }
    Some(all)
}
