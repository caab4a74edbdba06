//! Unleash: its webhook integration, which signs nothing but sends the `Authorization` that is set for it.
//!
//! <https://docs.getunleash.io/reference/integrations/webhook>: without a template the body is the event.

use serde_json::Value;

use super::{Delivery, Room, Sender, Told, name_at, text};
use crate::source::SourceKind;

pub const SENDER: Sender = Sender {
    kind: "unleash",
    proves: |delivery, secret| {
        delivery.carries("authorization", "Bearer ", secret) || delivery.carries("authorization", "", secret)
    },
    id: |_, body| name_at(body, "/id"),
    read,
};

fn read(_: &Delivery<'_>, body: &Value, room: &Room<'_>) -> Told {
    let event = text(body, "/type");
    let SourceKind::Unleash(keys) = &room.source.kind else { return Told::other(event) };
    if !["feature-", "segment-", "change-"].iter().any(|begins| event.starts_with(begins)) {
        return Told::other(event);
    }
    let project = text(body, "/project");
    // A segment belongs to no project, or to one.
    match project.is_empty() || project == keys.project() {
        true => room.news("a flag that changed", room.services(), None),
        false => Told::Unread("it is about another project than this source's".to_owned()),
    }
}
