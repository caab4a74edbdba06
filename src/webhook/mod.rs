//! What other systems tell us: a file per sender.
//!
//! A delivery to `POST /hooks/KIND` is proved over its raw bytes by a secret of the `[[source]]` whose system sends it, read
//! by that source's own keys, stored, and only then acknowledged. It tells of a deployment, which is taken as a pipeline's
//! report, or of news: then whatever the source said before is forgotten, and what waits for it is looked at anew.

mod alertmanager;
mod argocd;
pub mod deployments;
mod github;
mod gitlab;
mod incident_io;
mod jsm;
mod launchdarkly;
pub mod news;
mod pagerduty;
mod room;
mod sentry;
pub mod signature;
mod unleash;
mod waits;

use axum::http::HeaderMap;
use serde_json::Value;

pub use self::deployments::Report;
pub use self::news::News;
pub use self::room::Room;
pub use self::waits::{Target, Waits};

use crate::clock::Time;

/// Every sender. Adding one: a file here, and its line.
pub const ALL: &[Sender] = &[
    alertmanager::SENDER,
    argocd::SENDER,
    github::SENDER,
    gitlab::SENDER,
    incident_io::SENDER,
    jsm::SENDER,
    launchdarkly::SENDER,
    pagerduty::SENDER,
    sentry::SENDER,
    unleash::SENDER,
];

/// A system that sends webhooks in a format of its own.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// The kind of source that it is; also its word in the address.
    pub kind: &'static str,
    /// Whether a delivery proves that its sender knows the secret. Nothing of the body has been read by then.
    pub proves: fn(&Delivery<'_>, &str) -> bool,
    /// The sender's own id of a delivery, the same when it is delivered again; None: the body stands for itself.
    pub id: fn(&Delivery<'_>, &Value) -> Option<String>,
    /// What a delivery tells, seen with the eyes of one source.
    pub read: fn(&Delivery<'_>, &Value, &Room<'_>) -> Told,
}

/// The sender of a kind of source, where that kind sends anything.
pub fn sender(kind: &str) -> Option<&'static Sender> {
    ALL.iter().find(|sender| sender.kind == kind)
}

/// One delivery as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
    pub now: Time,
}

impl Delivery<'_> {
    /// The value of a header that is there exactly once: two of a kind are somebody's trick.
    pub fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none())?.to_str().ok()
    }

    /// Whether the secret came as it is in a header, after `before`. Compared in constant time.
    pub fn carries(&self, name: &str, before: &str, secret: &str) -> bool {
        let given = self.one(name).and_then(|value| value.strip_prefix(before));
        given.is_some_and(|given| signature::same(given, secret))
    }
}

/// What a delivery tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// The sender wants to know whether anybody is there.
    Greeting,
    /// Nothing that is read; why, for the sender's list of deliveries.
    Unread(String),
    /// Something about what the settings do not know: whoever keeps them should hear of it.
    Stray(String),
    News(Box<News>),
    /// A job waits until the gate answers.
    Waits(Box<Waits>),
}

impl Told {
    /// An event of a kind that is not read.
    fn other(event: &str) -> Told {
        Told::Unread(format!("`{}` is not read here", crate::message::tame(event, 60)))
    }
}

/// A text at a place (`/a/b`), empty where there is none.
fn text<'v>(value: &'v Value, at: &str) -> &'v str {
    value.pointer(at).and_then(Value::as_str).unwrap_or_default()
}

/// A text or a whole number at a place, as text.
fn name_at(value: &Value, at: &str) -> Option<String> {
    match value.pointer(at)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}
