//! `[[source]]`: a system that can answer questions.

use serde::Deserialize;

use super::Span;
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
    #[serde(flatten)]
    pub kind: SourceKind,
}
