//! Settings: a file per section, layered over the embedded defaults (`config/default.toml`).
//!
//! Everything that people write is refused where it is not understood: unknown keys, unknown names, impossible values.

mod chat;
mod environment;
mod hold;
mod ledger;
mod load;
mod people;
mod policy;
mod rest;
mod roles;
mod service;
mod sign_in;
mod source;
mod span;
mod team;
mod template;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use chat::{ChatSettings, ConsoleSettings, DiscordGuild, DiscordSettings, SlackSettings, SlackWorkspace};
pub use environment::{EnvironmentSettings, Mode, Start};
pub use hold::HoldSettings;
pub use ledger::{AnchorKind, AnchorSettings, LedgerSettings};
pub use people::{PersonKind, PersonSettings};
pub use policy::{
    After, ApprovalRule, Bands, CategorySettings, CheckMode, Need, ObligationRule, OverrideRule, Owed, Policy,
    SecondStep, Threshold,
};
pub use rest::{GateSettings, StoreSettings, Token, WatchSettings, WebSettings};
pub use service::{HealthQueries, ServiceSettings};
pub use sign_in::SignInSettings;
pub use source::{Secrets, SourceSettings};
pub use span::{Secret, Span, environment_variable, scratch_folder};
pub use team::{Team, WeekHours};
pub use template::{Part, TemplateSettings};

use crate::name::{Environment, Person, Service};

/// The current settings: a snapshot that a reload replaces whole.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    pub team: Team,
    pub store: StoreSettings,
    pub chat: ChatSettings,
    #[serde(default)]
    pub source: Vec<SourceSettings>,
    #[serde(default)]
    pub service: BTreeMap<Service, ServiceSettings>,
    #[serde(default)]
    pub environment: BTreeMap<Environment, EnvironmentSettings>,
    pub policy: Policy,
    #[serde(default)]
    pub people: BTreeMap<Person, PersonSettings>,
    pub gate: GateSettings,
    pub hold: HoldSettings,
    pub watch: WatchSettings,
    pub ledger: LedgerSettings,
    pub web: WebSettings,
    /// The OpenID provider at which approvals are confirmed.
    #[serde(default)]
    pub sign_in: Option<SignInSettings>,
    /// The folder that paths in the settings are relative to.
    #[serde(skip)]
    pub base: std::path::PathBuf,
    /// Who is in the teams that code owners' files name (`harbor/payments`, in small letters), as their hosts told last.
    #[serde(skip)]
    pub teams: BTreeMap<String, std::collections::BTreeSet<Person>>,
}
