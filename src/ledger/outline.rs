//! What verification needs of an entry, read in the same pass that checks its form: nothing is built, nothing is copied.

use std::borrow::Cow;

use super::canonical::{self, NotCanonical};
use super::entry::VERSION;
use super::hash::Hash;
use super::kind::Kind;

/// The fields that tie an entry to its place.
#[derive(Debug)]
pub(super) struct Outline<'a> {
    pub origin: Cow<'a, str>,
    pub epoch: u64,
    pub seq: u64,
    pub prev: Hash,
    pub at: i64,
    pub kind: Cow<'a, str>,
    /// The plan's handle.
    pub plan: Option<Cow<'a, str>>,
    /// The commitments as written.
    pub commitments: Option<&'a str>,
}

/// Why bytes are not an entry.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAnOutline {
    #[error("{0}")]
    Form(String),
    #[error("format {0}")]
    Version(u64),
}

impl<'a> Outline<'a> {
    pub fn read(bytes: &'a str) -> Result<Outline<'a>, NotAnOutline> {
        let (mut v, mut origin, mut epoch, mut seq, mut prev, mut at, mut kind) = Default::default();
        let (mut plan, mut commitments) = (None, None);
        canonical::members(bytes, |key, raw| match key {
            "v" => v = number(raw),
            "origin" => origin = string(raw),
            "epoch" => epoch = number(raw),
            "seq" => seq = number(raw),
            "prev" => prev = string(raw).and_then(|text| text.parse::<Hash>().ok()),
            "at" => at = raw.parse::<i64>().ok(),
            "kind" => kind = string(raw).filter(|kind| Kind::is_one(kind)),
            "plan" => plan = Some(raw),
            "commitments" => commitments = Some(raw),
            _ => {}
        })?;
        match v {
            Some(v) if v == u64::from(VERSION) => {}
            Some(v) => return Err(NotAnOutline::Version(v)),
            None => return Err(lacks("v")),
        }
        Ok(Outline {
            origin: origin.ok_or_else(|| lacks("origin"))?,
            epoch: epoch.ok_or_else(|| lacks("epoch"))?,
            seq: seq.ok_or_else(|| lacks("seq"))?,
            prev: prev.ok_or_else(|| lacks("prev"))?,
            at: at.ok_or_else(|| lacks("at"))?,
            kind: kind.ok_or_else(|| lacks("kind"))?,
            plan: plan.and_then(id),
            commitments,
        })
    }
}

impl From<NotCanonical> for NotAnOutline {
    fn from(why: NotCanonical) -> NotAnOutline {
        NotAnOutline::Form(why.to_string())
    }
}

fn lacks(field: &str) -> NotAnOutline {
    NotAnOutline::Form(format!("its `{field}` is not one"))
}

fn id(plan: &str) -> Option<Cow<'_, str>> {
    let mut id = None;
    // The plan was checked as part of the entry; a second look at this small piece costs less than a general visitor.
    canonical::members(plan, |key, raw| {
        if key == "id" {
            id = string(raw);
        }
    })
    .ok()?;
    id
}

fn number(raw: &str) -> Option<u64> {
    raw.parse().ok()
}

fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}
