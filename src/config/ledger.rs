//! `[ledger]`: under which name checkpoints are signed, who keeps copies of them, how long texts are kept.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Secret, Span};
use crate::name::Channel;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LedgerSettings {
    /// The name under which checkpoints are signed: `tidegate.example.com/deployments`.
    pub origin: String,
    /// Places outside the database that get a copy of each checkpoint.
    #[serde(default)]
    pub anchor: Vec<AnchorSettings>,
    /// How soon after a decision they get it.
    pub anchor_every: Span,
    /// How often they get one when nothing happened.
    pub anchor_at_least: Span,
    /// How long free texts are kept; for ever where it is left out.
    #[serde(default)]
    pub retain_texts: Option<Span>,
    /// By how much the clock may differ from the database's, or jump, before that is put on record.
    pub clock_drift: Span,
}

/// One place that gets checkpoints.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AnchorSettings {
    pub kind: AnchorKind,
    /// Under which it is spoken of; the kind, where it is left out.
    #[serde(default)]
    pub name: Option<String>,
    /// A file, or a git repository on this machine; relative to the data folder.
    #[serde(default)]
    pub path: Option<PathBuf>,
    /// The reference that gets a commit.
    #[serde(default)]
    pub reference: Option<String>,
    /// The chat of the channel: `slack`, `discord`, `console`.
    #[serde(default)]
    pub platform: Option<String>,
    #[serde(default)]
    pub channel: Option<Channel>,
    /// Where it is posted to.
    #[serde(default)]
    pub url: Option<url::Url>,
    /// Signs what is posted, as Standard Webhooks say.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// How soon after a decision this place gets a copy.
    #[serde(default)]
    pub every: Option<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnchorKind {
    File,
    Git,
    Channel,
    Webhook,
}

impl AnchorKind {
    pub const fn word(self) -> &'static str {
        match self {
            AnchorKind::File => "file",
            AnchorKind::Git => "git",
            AnchorKind::Channel => "channel",
            AnchorKind::Webhook => "webhook",
        }
    }
}

impl AnchorSettings {
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.kind.word())
    }

    /// What this kind of place cannot do without.
    fn lacks(&self) -> Option<&'static str> {
        match self.kind {
            AnchorKind::File | AnchorKind::Git if self.path.is_none() => Some("path"),
            AnchorKind::Channel if self.channel.is_none() => Some("channel"),
            AnchorKind::Webhook if self.url.is_none() => Some("url"),
            AnchorKind::Webhook if self.secret.is_none() => Some("secret"),
            _ => None,
        }
    }
}

impl LedgerSettings {
    /// What is wrong with the places, by index.
    pub(super) fn wrong(&self) -> Option<(usize, String)> {
        self.anchor.iter().enumerate().find_map(|(i, anchor)| {
            let name = anchor.name();
            if let Some(key) = anchor.lacks() {
                return Some((i, format!("the anchor `{name}` of kind `{}` needs `{key}`", anchor.kind.word())));
            }
            let twice = self.anchor[..i].iter().any(|other| other.name() == name);
            twice.then(|| (i, format!("two anchors are called `{name}`: give them names")))
        })
    }
}
