//! LaunchDarkly: `X-LD-Signature`, an HMAC over the body, which is an entry of the audit log.
//!
//! <https://launchdarkly.com/docs/home/infrastructure/webhooks>,
//! <https://launchdarkly.com/docs/api/webhooks>. Deliveries may come in any order.

use serde_json::Value;

use super::signature::is_hmac;
use super::{Delivery, Room, Sender, Told, text};
use crate::source::SourceKind;

pub const SENDER: Sender = Sender {
    kind: "launchdarkly",
    proves: |delivery, secret| delivery.one("x-ld-signature").is_some_and(|hex| is_hmac(secret, &[delivery.body], hex)),
    id: |_, body| Some(text(body, "/_id").to_owned()),
    read,
};

fn read(_: &Delivery<'_>, body: &Value, room: &Room<'_>) -> Told {
    let kind = text(body, "/kind");
    let SourceKind::Launchdarkly(keys) = &room.source.kind else { return Told::other(kind) };
    if !["flag", "segment", "environment"].contains(&kind) {
        return Told::other(kind);
    }
    // `proj/harbor:env/production:flag/new-checkout`, with tags after a semicolon.
    let accesses = body.pointer("/accesses").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let targets = body.pointer("/target/resources").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut resources =
        accesses.iter().map(|access| text(access, "/resource")).chain(targets.iter().filter_map(Value::as_str));
    let project = format!("proj/{}", keys.project());
    let is_own = |resource: &str| resource.split([':', ';']).next() == Some(project.as_str());
    match resources.any(is_own) {
        true => room.news("a flag that changed", room.services(), None),
        false => Told::Unread("it is about another project than this source's".to_owned()),
    }
}
