//! What one entry says: who did what to which plan, on what evidence, under which policy.
//!
//! [`Entry`] is what happened, as the caller tells it; [`Record`] is the same once it has its place in the chain, and is
//! what stands in the ledger byte for byte. Free text never enters: it is committed to by a salted hash ([`Text`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::canonical;
use super::hash::Hash;
use super::kind::Kind;
use super::text::{Salt, Text};
use crate::clock::Time;

/// The version of the format. There is no second one.
pub const VERSION: u32 = 1;

/// What happened, before it has its place in the ledger.
#[derive(Clone, Debug)]
pub struct Entry {
    pub kind: Kind,
    pub at: Time,
    pub actor: Actor,
    pub plan: Option<PlanRef>,
    pub evidence: Option<Evidence>,
    pub policy: Option<PolicyRef>,
    pub verdict: Option<String>,
    pub supersedes: Option<u64>,
    pub data: Map<String, Value>,
    pub texts: Vec<Text>,
}

/// An entry in its place: what the stored bytes say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub v: u32,
    /// The ledger, without its epoch: `tidegate.example/01JD…`.
    pub origin: String,
    /// Rises by one with each restore from a backup.
    pub epoch: u64,
    /// 1 for the first entry.
    pub seq: u64,
    /// The leaf of the entry before; 64 zeros for the first.
    pub prev: Hash,
    /// Milliseconds since 1970, UTC; never less than the entry before says.
    pub at: i64,
    /// What the clock said, if that was before the entry before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<i64>,
    pub kind: Kind,
    pub actor: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// The entry whose word this one takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<u64>,
    /// What this kind of entry says besides: strings, integers, booleans, lists, objects.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
    /// SHA-256 of salt and text, by the text's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub commitments: BTreeMap<String, Hash>,
}

/// Who did it: an identity on a platform with the person behind it and the role that counted, or the part of the system
/// that spoke. A name to show is free text and belongs among the commitments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
}

impl Actor {
    /// A part of the system: `watch`, `clock`, `webhook.github`.
    pub fn system(name: impl Into<String>) -> Actor {
        Actor { system: Some(name.into()), ..Actor::default() }
    }

    /// Somebody on a platform.
    pub fn user(provider: impl Into<String>, workspace: impl Into<String>, user: impl Into<String>) -> Actor {
        Actor {
            provider: Some(provider.into()),
            workspace: Some(workspace.into()),
            user: Some(user.into()),
            ..Actor::default()
        }
    }

    /// The person behind the identity.
    #[must_use]
    pub fn person(mut self, person: impl Into<String>) -> Actor {
        self.person = Some(person.into());
        self
    }

    /// The role that counted.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Actor {
        self.role = Some(role.into());
        self
    }
}

/// Which plan, and exactly what of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRef {
    /// The handle: `checkout-87`.
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The brief's hash: `sha256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brief: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The digest of a change without a commit: a flag or a configuration, before and after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Where the word was spoken, so that it can be looked up on the platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// When the platform says it happened, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_at: Option<i64>,
    /// How it reached us: `socket`, `http`, `read-back`, `console`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// SHA-256 of the raw delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_sha256: Option<String>,
}

/// The rules in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRef {
    /// The hash of the whole policy: `sha256:…`.
    pub digest: String,
    /// The rule that applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What it asked for: `2, one of them payments-lead`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<String>,
}

impl Entry {
    pub fn new(kind: Kind, at: Time, actor: Actor) -> Entry {
        Entry {
            kind,
            at,
            actor,
            plan: None,
            evidence: None,
            policy: None,
            verdict: None,
            supersedes: None,
            data: Map::new(),
            texts: Vec::new(),
        }
    }

    #[must_use]
    pub fn plan(mut self, plan: PlanRef) -> Entry {
        self.plan = Some(plan);
        self
    }

    #[must_use]
    pub fn evidence(mut self, evidence: Evidence) -> Entry {
        self.evidence = Some(evidence);
        self
    }

    #[must_use]
    pub fn policy(mut self, policy: PolicyRef) -> Entry {
        self.policy = Some(policy);
        self
    }

    #[must_use]
    pub fn verdict(mut self, verdict: impl Into<String>) -> Entry {
        self.verdict = Some(verdict.into());
        self
    }

    #[must_use]
    pub fn supersedes(mut self, seq: u64) -> Entry {
        self.supersedes = Some(seq);
        self
    }

    /// One thing that this kind of entry says; nothing is written for null.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Entry {
        let value = value.into();
        if !value.is_null() {
            self.data.insert(name.to_owned(), value);
        }
        self
    }

    /// Free text, kept beside the entry under `name`; the entry holds the hash of salt and text. The salt is 32 random
    /// bytes, another for each text.
    #[must_use]
    pub fn text(mut self, name: &str, body: impl Into<String>, salt: Salt) -> Entry {
        self.texts.push(Text { name: name.to_owned(), salt, body: body.into() });
        self
    }

    /// That free texts of an older entry were removed. Recorded in the same transaction that removes text and salt.
    pub fn texts_erased(at: Time, actor: Actor, seq: u64, names: &[&str]) -> Entry {
        Entry::new(Kind::TEXT_ERASED, at, actor).with("entry", seq).with("names", names.to_vec())
    }
}

impl Record {
    /// Reads stored bytes, which must be in canonical form and of version 1.
    pub fn parse(bytes: &str) -> Result<Record, NotARecord> {
        canonical::check(bytes)?;
        let record: Record = serde_json::from_str(bytes).map_err(|e| NotARecord::Shape(e.to_string()))?;
        match record.v {
            VERSION => Ok(record),
            other => Err(NotARecord::Version(other)),
        }
    }

    /// What a text named `names` of an erasing entry refers to: the entry and the texts' names.
    pub fn erases(&self) -> Option<(u64, Vec<&str>)> {
        if self.kind != Kind::TEXT_ERASED {
            return None;
        }
        let names = self.data.get("names")?.as_array()?.iter().filter_map(Value::as_str).collect();
        Some((self.data.get("entry")?.as_u64()?, names))
    }
}

/// Why bytes are not an entry.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotARecord {
    #[error(transparent)]
    Form(#[from] canonical::NotCanonical),
    #[error("the entry does not have the shape of one: {0}")]
    Shape(String),
    #[error("the entry is of format {0}; this Tidegate reads format 1")]
    Version(u32),
}
