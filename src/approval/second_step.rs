//! The second step: where a category asks for it, an approval counts only once its giver has confirmed it beside the
//! reaction. Pure; the store keeps what is pending.

use serde::{Deserialize, Serialize};

use crate::advice::Asked;
use crate::approval::WordKind;
use crate::clock::Time;
use crate::config::SecondStep;
use crate::name::{Person, PlanId};

/// Whether a word counts as it was given. `confirmed`: how its giver confirmed it; `past_the_chat`: in the terminal, the
/// emergency path, where nobody can be sent to sign in and the typed word stands for any step.
pub fn suffices(
    kind: WordKind,
    asked: &Asked,
    confirmed: Option<SecondStep>,
    past_the_chat: bool,
) -> Result<(), SecondStep> {
    let Some(step) = asked.second_step.as_ref().filter(|_| kind == WordKind::Approve) else { return Ok(()) };
    match confirmed {
        Some(how) if how >= step.how || past_the_chat => Ok(()),
        _ => Err(step.how),
    }
}

/// An approval whose giver has yet to confirm it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub id: String,
    pub plan: PlanId,
    pub revision: i64,
    /// The hash of the brief that its giver reacted to.
    pub brief: String,
    pub person: Person,
    pub how: SecondStep,
    /// Where the reaction was given, by whom there, and on which message.
    pub platform: String,
    pub user: String,
    pub message: Option<String>,
    pub asked_at: Time,
    pub ends_at: Time,
    pub ended: Option<(Time, Ended)>,
}

/// What an OpenID provider said of a fresh sign-in, as it goes on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    pub issuer: String,
    /// `sha256:…` over the issuer and its name for the person.
    pub subject: String,
    /// When they signed in, as the provider says.
    pub auth_time: Time,
    #[serde(default)]
    pub acr: Option<String>,
    #[serde(default)]
    pub amr: Vec<String>,
}

/// A sign-in that waits for its approval to be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    pub at: Time,
    /// `sha256:…` of the browser's secret.
    pub browser: String,
    pub proof: Proof,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The approval counts.
    Confirmed,
    /// The reaction was taken away.
    Withdrawn,
    Expired,
    /// When it was confirmed its giver could not approve any more.
    Refused,
    /// The brief that it was for is no longer what is asked.
    Void,
}

impl Ended {
    pub const ALL: [Ended; 5] = [Ended::Confirmed, Ended::Withdrawn, Ended::Expired, Ended::Refused, Ended::Void];

    pub fn as_str(self) -> &'static str {
        match self {
            Ended::Confirmed => "confirmed",
            Ended::Withdrawn => "withdrawn",
            Ended::Expired => "expired",
            Ended::Refused => "refused",
            Ended::Void => "void",
        }
    }

    pub fn parse(text: &str) -> Option<Ended> {
        Ended::ALL.into_iter().find(|ended| ended.as_str() == text)
    }
}

impl Step {
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether the reaction behind it was answered and still lies on the card, as far as is known: finding it there once
    /// more asks nothing anew.
    pub fn holds_the_reaction(&self) -> bool {
        matches!(self.ended, None | Some((_, Ended::Expired)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_one_word() {
        for ended in Ended::ALL {
            assert_eq!(Ended::parse(ended.as_str()), Some(ended));
        }
    }
}
