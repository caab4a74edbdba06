//! PagerDuty, webhooks of version 3: `X-PagerDuty-Signature` holds an HMAC over the body for each secret that counts.
//!
//! <https://developer.pagerduty.com/docs/verifying-webhook-signatures>,
//! <https://developer.pagerduty.com/docs/webhooks-overview>. Who delivers again keeps the event's id.

use serde_json::Value;

use super::signature::is_hmac;
use super::{Delivery, Room, Sender, Told, text};
use crate::message::tame;
use crate::source::SourceKind;

pub const SENDER: Sender = Sender {
    kind: "pagerduty",
    proves: |delivery, secret| {
        let given = delivery.one("x-pagerduty-signature").unwrap_or_default();
        given
            .split(',')
            .filter_map(|one| one.trim().strip_prefix("v1="))
            .any(|hex| is_hmac(secret, &[delivery.body], hex))
    },
    id: |_, body| Some(text(body, "/event/id").to_owned()),
    read,
};

/// Events that change what the incidents are, or how grave.
const READ: &[&str] = &[
    "incident.triggered",
    "incident.acknowledged",
    "incident.unacknowledged",
    "incident.reopened",
    "incident.resolved",
    "incident.priority_updated",
    "incident.service_updated",
];

fn read(_: &Delivery<'_>, body: &Value, room: &Room<'_>) -> Told {
    let event = text(body, "/event/event_type");
    if event == "pagey.ping" {
        return Told::Greeting;
    }
    let SourceKind::Pagerduty(keys) = &room.source.kind else { return Told::other(event) };
    if !READ.contains(&event) {
        return Told::other(event);
    }
    let service = text(body, "/event/data/service/id");
    match keys.ours(service) {
        // The one that it was taken from is not told: it may be any.
        _ if event == "incident.service_updated" => room.news("an incident", room.around(&room.services()), None),
        services if services.is_empty() => {
            Told::Stray(format!("`map` names no service for PagerDuty's `{}`", tame(service, 40)))
        }
        services => room.news("an incident", room.around(&services), None),
    }
}
