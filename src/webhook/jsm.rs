//! Jira Service Management operations (what was Opsgenie): its outgoing webhook, which signs nothing but sends the headers
//! that are set for it, so that the secret is a bearer token.
//!
//! <https://support.atlassian.com/opsgenie/docs/opsgenie-edge-connector-alert-action-data/>: `action`, and the alert.

use serde_json::Value;

use super::{Delivery, Room, Sender, Told, text};

pub const SENDER: Sender = Sender {
    kind: "jsm",
    proves: |delivery, secret| delivery.carries("authorization", "Bearer ", secret),
    id: |_, _| None,
    read,
};

/// What changes whether an alert is an incident that is open, how grave it is, or whose.
const READ: &[&str] = &[
    "Create",
    "Close",
    "Delete",
    "Acknowledge",
    "UnAcknowledge",
    "Snooze",
    "SnoozeEnded",
    "AddTags",
    "RemoveTags",
    "UpdatePriority",
    "UpdateMessage",
];

fn read(_: &Delivery<'_>, body: &Value, room: &Room<'_>) -> Told {
    let action = text(body, "/action");
    match READ.contains(&action) {
        // Tags, entities and teams name services in several ways: the alert itself tells, when it is read.
        true => room.news("an alert", room.services(), None),
        false => Told::other(action),
    }
}
