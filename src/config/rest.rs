//! The small sections: `[store]`, `[gate]`, `[watch]`, `[web]`.

use serde::Deserialize;

use super::{Secret, Span};
use crate::name::{Environment, Person, Role, Service};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreSettings {
    /// `sqlite://tidegate.db` (relative to the data folder) or `postgres://…`.
    #[serde(default)]
    pub url: Option<String>,
    /// Where the URL is, when it holds a password.
    #[serde(default)]
    pub url_from: Option<Secret>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GateSettings {
    /// The longest that `wait` may hold a request.
    pub longest_wait: Span,
    /// Flags that make the verdict `blocked` even when approved; default: the policy's blockers.
    #[serde(default)]
    pub tokens: Vec<Token>,
}

/// Who may ask over HTTP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Token {
    pub name: String,
    pub token: Secret,
    /// `gate`, `read`, `hooks`.
    pub may: Vec<String>,
    #[serde(default)]
    pub services: Vec<Service>,
    #[serde(default)]
    pub environments: Vec<Environment>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WatchSettings {
    /// How long a deployment is watched.
    pub length: Span,
    /// How often it is looked at.
    pub every: Span,
    /// How often sources are asked for deployments that nobody told.
    pub find_every: Span,
    /// Fewer requests than this, before or after, say nothing.
    pub least_requests: u32,
    /// Who hears if nobody takes an alert.
    #[serde(default)]
    pub escalate_to: Vec<Role>,
    pub escalate_after: Span,
    /// People who may settle an outcome beside planner and owners.
    #[serde(default)]
    pub outcome_by: Vec<Person>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WebSettings {
    pub listen: std::net::SocketAddr,
    /// The address that people reach it by, for links.
    #[serde(default)]
    pub url: Option<url::Url>,
}
