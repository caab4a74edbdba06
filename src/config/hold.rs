//! `[hold]`: locks, freezes and queues.

use serde::Deserialize;

use super::Span;
use crate::name::Role;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HoldSettings {
    /// How long a lock holds where nobody says.
    pub lock_for: Span,
    /// How long a lock may hold at most.
    pub lock_longest: Span,
    /// How long before its end the owner of a lock is asked whether it is still needed.
    pub lock_asks: Span,
    /// Who may unlock what others locked.
    #[serde(default)]
    pub unlock: Vec<Role>,
    /// Who may add and lift freezes.
    #[serde(default)]
    pub freeze: Vec<Role>,
    /// How long whoever is first in a queue has to begin, before the turn is the next one's.
    pub turn: Span,
}
