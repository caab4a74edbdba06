//! `[[source]]`: a system that can answer questions.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::{Secret, Span};
use crate::advice::facts::Means;
use crate::name::{Environment, Person, Service, SourceName};
use crate::source::Question;

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
    /// Services that it speaks of; empty means all.
    #[serde(default)]
    pub services: Vec<Service>,
    /// Environments that it speaks of; empty means all.
    #[serde(default)]
    pub environments: Vec<Environment>,
    #[serde(flatten)]
    pub kind: SourceKind,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum SourceKind {
    /// A repository on disk.
    Git {
        path: PathBuf,
        /// A regular page of the repository, for links: `https://…/commit/{commit}`.
        #[serde(default)]
        link: Option<String>,
    },
    /// A repository on GitHub or a GitHub Enterprise server.
    Github {
        /// `owner/name`.
        repository: String,
        /// The API; of an Enterprise server `https://HOST/api/v3`.
        #[serde(default = "github")]
        url: url::Url,
        #[serde(default)]
        token: Option<Secret>,
        /// Issues with this label are incidents.
        #[serde(default = "incident")]
        incident_label: String,
    },
    /// Calendars: files or addresses.
    Ics {
        /// A file, a folder of files, or an http(s) address.
        from: String,
        /// What its entries mean; without it their words decide.
        #[serde(default)]
        means: Option<Means>,
        /// Whose calendar it is, for entries that take a person's time.
        #[serde(default)]
        person: Option<Person>,
        /// On-call rotations are calendars too: each entry's title names who is called.
        #[serde(default)]
        on_call: bool,
        #[serde(default)]
        refresh: Option<Span>,
        #[serde(default)]
        token: Option<Secret>,
    },
    /// Deployments, incidents and on-call from files with one JSON object a line.
    Jsonl {
        #[serde(default)]
        deployments: Option<PathBuf>,
        #[serde(default)]
        incidents: Option<PathBuf>,
        #[serde(default)]
        on_call: Option<PathBuf>,
    },
    Prometheus {
        url: url::Url,
        #[serde(default)]
        token: Option<Secret>,
        /// Requests per second; `{service}` and `{environment}` are filled in.
        #[serde(default)]
        requests: Option<String>,
        #[serde(default)]
        errors: Option<String>,
        #[serde(default)]
        latency: Option<String>,
        #[serde(default)]
        link: Option<String>,
    },
    /// Asks a URL and looks at status and latency.
    Http {
        /// `service/environment` to what is asked.
        probe: BTreeMap<String, HttpProbe>,
        #[serde(default)]
        every: Option<Span>,
    },
    /// Migration state in a database, read only.
    Database {
        url: Secret,
        /// The tool whose table is read; found out if absent.
        #[serde(default)]
        tool: Option<String>,
        /// The table, where it does not have the tool's usual name.
        #[serde(default)]
        table: Option<String>,
    },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HttpProbe {
    pub url: url::Url,
    /// Statuses that are well; default 200 to 399.
    #[serde(default)]
    pub expect: Option<Vec<u16>>,
}

fn github() -> url::Url {
    #[allow(clippy::expect_used)]
    url::Url::parse("https://api.github.com").expect("a constant that reads")
}

fn incident() -> String {
    "incident".to_owned()
}
