//! Alertmanager: its webhook receiver, with the secret as a bearer token (`http_config.authorization`). It signs nothing.
//!
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>. The same alerts are told again every
//! `repeat_interval`: a group in the same state is one event.

use serde_json::Value;

use super::{Delivery, Room, Sender, Told, text};
use crate::ledger::sha256;
use crate::name::{Environment, Service};
use crate::source::SourceKind;

pub const SENDER: Sender = Sender {
    kind: "alertmanager",
    proves: |delivery, secret| delivery.carries("authorization", "Bearer ", secret),
    id: |_, body| Some(state(body)),
    read,
};

/// What a group's state is made of: who it is, and which alerts fire or are over since when.
fn state(body: &Value) -> String {
    let alerts = body.pointer("/alerts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut all: Vec<[&str; 3]> = alerts
        .iter()
        .map(|alert| [text(alert, "/fingerprint"), text(alert, "/status"), text(alert, "/startsAt")])
        .collect();
    all.sort_unstable();
    sha256(serde_json::json!([text(body, "/receiver"), text(body, "/groupKey"), all]).to_string().as_bytes())
}

fn read(_: &Delivery<'_>, body: &Value, room: &Room<'_>) -> Told {
    let SourceKind::Alertmanager(keys) = &room.source.kind else { return Told::other("alertmanager") };
    let Some(alerts) = body.pointer("/alerts").and_then(Value::as_array) else {
        return Told::Unread("it holds no alerts".to_owned());
    };
    let (service_label, environment_label) = keys.labels();
    let known = room.services();
    let mut services: Vec<Service> = Vec::new();
    let mut environments: Vec<Environment> = Vec::new();
    let mut everywhere = false;
    for labels in alerts.iter().filter_map(|alert| alert.get("labels")) {
        let label = |name: &str| labels.get(name).and_then(Value::as_str).unwrap_or_default();
        let Some(service) = known.iter().find(|known| known.as_str() == label(service_label)) else { continue };
        services.push(service.clone());
        match label(environment_label) {
            "" => everywhere = true,
            name => environments.extend(room.environment(name)),
        }
    }
    services.sort();
    services.dedup();
    environments.sort();
    environments.dedup();
    if services.is_empty() {
        return Told::Stray(format!("no alert's label `{service_label}` names a service that the settings know"));
    }
    match room.news("an alert", services, None) {
        Told::News(news) if !everywhere && environments.is_empty() => {
            let service = news.services.first().map(ToString::to_string).unwrap_or_default();
            Told::Stray(format!("its alerts of `{service}` are of environments that the settings do not know"))
        }
        Told::News(mut news) => {
            if !everywhere {
                news.environments = environments;
            }
            Told::News(news)
        }
        other => other,
    }
}
