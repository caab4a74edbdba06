//! What kinds of entries there are: an open list of dotted names, the known ones as constants.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// A dotted lower-case name of at most 64 bytes: `word.given`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Kind(Cow<'static, str>);

/// Says what a kind looks like.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is not a kind of entry: lower-case words of letters, digits and underscores, joined by dots, 64 at most"
)]
pub struct NotAKind(pub String);

macro_rules! kinds {
    ($($name:ident = $text:literal, $says:literal;)*) => {
        impl Kind {
            $(#[doc = $says] pub const $name: Kind = Kind(Cow::Borrowed($text));)*

            /// Every kind that Tidegate itself writes, with what it means.
            pub const KNOWN: &'static [(&'static str, &'static str)] = &[$(($text, $says)),*];
        }
    };
}

kinds! {
    PLAN_MADE = "plan.made", "Somebody made a plan.";
    PLAN_AMENDED = "plan.amended", "Somebody changed a plan: a new revision.";
    PLAN_REVISED = "plan.revised", "Something that matters changed around a plan: a new revision of its brief.";
    PLAN_REFUSED = "plan.refused", "A plan was refused, for example for a version that does not exist.";
    PLAN_CANCELLED = "plan.cancelled", "Somebody called a plan off.";
    PLAN_EXPIRED = "plan.expired", "A plan's time went by.";
    WORD_GIVEN = "word.given", "Somebody approved, objected or asked to hold, and it counts.";
    WORD_WITHDRAWN = "word.withdrawn", "Somebody took their word back.";
    WORD_VOIDED = "word.voided", "A word no longer counts, because what it was given for changed.";
    WORD_REASON = "word.reason", "The reason of an objection, as its author wrote or edited it.";
    CONDITION_MET = "condition.met", "What an approval depends on holds now: the approval counts.";
    CONDITION_LOST = "condition.lost", "What an approval depends on no longer holds: the approval does not count.";
    WATCHER_JOINED = "watcher.joined", "Somebody said that they watch a plan's deployment.";
    WATCHER_LEFT = "watcher.left", "Somebody said that they no longer watch it.";
    WORD_REFUSED = "word.refused", "A word did not count, and why.";
    STEP_ASKED = "step.asked", "Somebody reacted, and was asked to confirm the approval before it counts.";
    STEP_ENDED = "step.ended", "An approval that was to be confirmed was not, and why.";
    START_ASKED = "start.asked", "A named person asked to begin a plan whose confirmation was missing.";
    START = "start", "A named person began a plan.";
    CONFIRM = "confirm", "A person confirmed the target by typing its name.";
    DEPLOYMENT_STARTED = "deployment.started", "A deployment began, as a webhook or a person tells.";
    DEPLOYMENT_SUCCEEDED = "deployment.succeeded", "A deployment came through.";
    DEPLOYMENT_FAILED = "deployment.failed", "A deployment failed.";
    DEPLOYMENT_ROLLED_BACK = "deployment.rolled_back", "A deployment was rolled back.";
    WATCH_BEGUN = "watch.begun", "The watch over a deployment began.";
    WATCH_ENDED = "watch.ended", "The watch over a deployment ended.";
    ALERT_RAISED = "alert.raised", "The watch alerted humans.";
    ALERT_ACKNOWLEDGED = "alert.acknowledged", "Somebody looks at an alert.";
    ALERT_RECOVERED = "alert.recovered", "What an alert was about is well again.";
    OUTCOME_PROPOSED = "outcome.proposed", "The watch proposed an outcome.";
    OUTCOME_GIVEN = "outcome.given", "A named person said what became of a deployment.";
    GATE_ANSWERED = "gate.answered", "The gate answered a pipeline.";
    JOB_WAITS = "job.waits", "A platform holds a job until the gate answers.";
    JOB_ANSWERED = "job.answered", "What a platform that holds a job is to be told was decided, or taken back.";
    JOB_TOLD = "job.told", "The platform took the answer, or will not take it.";
    RISK_SETTLED = "risk.settled", "An eligible person settled a doubted risk category.";
    RISK_CORRECTED = "risk.corrected", "An eligible person corrected the risk or category that was declared.";
    REVIEW_GIVEN = "review.given", "Somebody other than planner and authors found a plan sound, or asked for changes.";
    REVIEW_REFUSED = "review.refused", "A review of a plan did not count, and why.";
    POLICY_CHANGED = "policy.changed", "Other rules came into force.";
    POLICY_APPROVED = "policy.approved", "Somebody approved the rules in force.";
    MESSAGE_REPOSTED = "message.reposted", "A message was found deleted on its platform and was posted again.";
    KEY_ROTATED = "key.rotated", "Another key signs checkpoints from here on.";
    INSTANCE_STARTED = "instance.started", "Tidegate started: its version, the key that signs, the clock it goes by.";
    CLOCK_DRIFTED = "clock.drifted", "The clock differs from the one it is compared with by more than the limit, or agrees again.";
    HOLD_PLACED = "hold.placed", "Somebody ordered that texts be kept: nothing in that scope may be erased.";
    HOLD_LIFTED = "hold.lifted", "Somebody lifted such an order.";
    LOG_RESTORED = "log.restored", "The ledger was restored from a backup: a new epoch.";
    CHECKPOINT_ANCHORED = "checkpoint.anchored", "A checkpoint was left outside the database.";
    TEXT_ERASED = "text.erased", "Free text beside an older entry was removed.";
    OVERRIDE = "override", "Somebody goes on in spite of a named blocker.";
    DEADLINE_MISSED = "deadline.missed", "Approvals were not given by the time at which they were needed.";
    LOCK = "lock", "Somebody asks others to wait.";
    UNLOCK = "unlock", "A lock ended.";
    FREEZE = "freeze", "A freeze was added, changed or lifted.";
    DELEGATE = "delegate", "An approver named a deputy, or a deputy's time ended.";
    IDENTITY_ASKED = "identity.asked", "Somebody asked for a one-time code that makes another account theirs.";
    IDENTITY_REFUSED = "identity.refused", "A one-time code, or the asking for one, was refused, and why.";
    IDENTITY_LINKED = "identity.linked", "An account is a person's from here on: by a one-time code, or by a confirmed address.";
    IDENTITY_ENDED = "identity.ended", "An account that was linked is that person's no more.";
    NOTE = "note", "Somebody left, changed or retired a note.";
    OBLIGATION = "obligation", "A review, root cause, remediation or report is owed, or was given.";
}

impl Kind {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes any name of the right form; a kind unknown today may come from a later Tidegate.
    pub fn parse(text: &str) -> Result<Kind, NotAKind> {
        if !Kind::is_one(text) {
            return Err(NotAKind(text.chars().take(80).collect()));
        }
        Ok(Kind(Cow::Owned(text.to_owned())))
    }

    /// Whether a text has the form of a kind.
    pub(super) fn is_one(text: &str) -> bool {
        let word = |word: &[u8]| {
            word.first().is_some_and(u8::is_ascii_lowercase)
                && word.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_')
        };
        text.len() <= 64 && text.as_bytes().split(|byte| *byte == b'.').all(word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Kind, D::Error> {
        Kind::parse(&Cow::<str>::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_kind_has_the_form_of_one_and_stands_once() {
        for (at, (text, says)) in Kind::KNOWN.iter().enumerate() {
            assert_eq!(Kind::parse(text).unwrap().as_str(), *text);
            assert!(says.ends_with('.'));
            assert!(Kind::KNOWN[..at].iter().all(|(other, _)| other != text));
        }
    }

    #[test]
    fn a_name_of_another_form_is_refused() {
        for bad in ["", ".", "a.", "Plan.made", "plan made", "1.a", "plan..made", "plän", &"a".repeat(65)] {
            assert!(Kind::parse(bad).is_err(), "{bad}");
        }
        assert!(Kind::parse("quarantine.lifted_2").is_ok());
    }
}
