//! `[[source]]`: a system that can answer questions.

use serde::Deserialize;

use super::{Secret, Span};
use crate::name::{Environment, Service, SourceName};
use crate::source::{Question, SourceKind};

/// What every source has, and what its kind adds.
#[derive(Clone, Debug, Deserialize)]
pub struct SourceSettings {
    pub name: SourceName,
    /// What it is asked; by default everything that its kind can answer.
    #[serde(default)]
    pub answers: Option<Vec<Question>>,
    /// How long it is waited for. Default: `policy.source-timeout`.
    #[serde(default)]
    pub timeout: Option<Span>,
    /// How long its answers are good for the next who ask the same. Default: `policy.source-keep`.
    #[serde(default)]
    pub keep: Option<Span>,
    /// Services that it speaks of; empty means all.
    #[serde(default)]
    pub services: Vec<Service>,
    /// Environments that it speaks of; empty means all.
    #[serde(default)]
    pub environments: Vec<Environment>,
    /// What its system proves itself by at `POST /hooks/KIND`; two while one takes the other's place.
    #[serde(default)]
    pub webhook: Option<Secrets>,
    #[serde(flatten)]
    pub kind: SourceKind,
}

/// One secret, or two while one takes the other's place.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "a secret is `{ env = \"NAME\" }` or `{ file = \"PATH\" }`, or a list of two of them")]
pub enum Secrets {
    One(Secret),
    Several(Vec<Secret>),
}

impl Secrets {
    pub fn list(&self) -> &[Secret] {
        match self {
            Secrets::One(secret) => std::slice::from_ref(secret),
            Secrets::Several(secrets) => secrets,
        }
    }
}
