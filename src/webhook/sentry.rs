//! Sentry: `Sentry-Hook-Signature`, an HMAC over the body by the integration's client secret.
//!
//! <https://docs.sentry.io/integrations/integration-platform/webhooks/>. Its timestamp is not signed, so that it proves nothing
//! and is not looked at.

use serde_json::Value;

use super::signature::is_hmac;
use super::{Delivery, Room, Sender, Told, text};
use crate::source::SourceKind;

pub const SENDER: Sender = Sender {
    kind: "sentry",
    proves: |delivery, secret| {
        delivery.one("sentry-hook-signature").is_some_and(|hex| is_hmac(secret, &[delivery.body], hex))
    },
    id: |delivery, _| delivery.one("request-id").map(str::to_owned),
    read,
};

fn read(delivery: &Delivery<'_>, body: &Value, room: &Room<'_>) -> Told {
    let resource = delivery.one("sentry-hook-resource").unwrap_or_default();
    let SourceKind::Sentry(keys) = &room.source.kind else { return Told::other(resource) };
    let projects: Vec<&str> = match resource {
        "installation" => return Told::Greeting,
        "issue" => vec![text(body, "/data/issue/project/slug")],
        "metric_alert" => {
            let all = body.pointer("/data/metric_alert/projects").and_then(Value::as_array);
            all.into_iter().flatten().filter_map(Value::as_str).collect()
        }
        // An event names its project by a number, which the settings do not hold.
        "event_alert" => Vec::new(),
        other => return Told::other(other),
    };
    let named: Vec<&str> = projects.into_iter().filter(|project| !project.is_empty()).collect();
    let concerns = |project: &&str, service: &crate::name::Service| keys.project_of(service) == **project;
    let mut services = room.services();
    if !named.is_empty() {
        services.retain(|service| named.iter().any(|project| concerns(project, service)));
    }
    room.news("an issue", services, None)
}
