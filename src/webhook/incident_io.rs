//! incident.io: Standard Webhooks, by way of Svix.
//!
//! <https://docs.incident.io/api-reference/webhooks>. A delivery names the incident; of a private one it tells the id alone.

use serde_json::Value;

use super::signature::is_standard;
use super::{Delivery, Room, Sender, Told, text};

pub const SENDER: Sender = Sender {
    kind: "incident-io",
    proves: |delivery, secret| is_standard(delivery, "webhook", secret) || is_standard(delivery, "svix", secret),
    id: |delivery, _| delivery.one("webhook-id").or_else(|| delivery.one("svix-id")).map(str::to_owned),
    read,
};

fn read(_: &Delivery<'_>, body: &Value, room: &Room<'_>) -> Told {
    let event = text(body, "/event_type");
    let what = event.split_once('.').map_or(event, |(_, what)| what);
    // Which services it concerns, and concerned before, only the incident itself tells.
    match what.starts_with("incident_") {
        true => room.news("an incident", room.services(), None),
        false => Told::other(event),
    }
}
