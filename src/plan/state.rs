//! The states of a plan, and which may follow which.

use serde::{Deserialize, Serialize};

/// Where a plan stands. `approved` is reached again and lost again as words are given, withdrawn and voided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Made; its facts are being gathered.
    Draft,
    /// Its brief is shown; humans may speak.
    Advised,
    Approved,
    /// Somebody looks and asks to wait.
    Held,
    Objected,
    /// A named human began it.
    Started,
    /// Deployed; the watch looks at production.
    Watching,
    /// It has an outcome.
    Settled,
    Cancelled,
    Expired,
}

/// What may move a plan from one state to another, apart from the words of approvers, which [`State::spoken`] settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    Advise,
    Start,
    Deploy,
    Settle,
    Cancel,
    Expire,
}

impl State {
    pub const ALL: [State; 10] = [
        State::Draft,
        State::Advised,
        State::Approved,
        State::Held,
        State::Objected,
        State::Started,
        State::Watching,
        State::Settled,
        State::Cancelled,
        State::Expired,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Draft => "draft",
            State::Advised => "advised",
            State::Approved => "approved",
            State::Held => "held",
            State::Objected => "objected",
            State::Started => "started",
            State::Watching => "watching",
            State::Settled => "settled",
            State::Cancelled => "cancelled",
            State::Expired => "expired",
        }
    }

    pub fn parse(text: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether humans may still say yes or no to it.
    pub fn waits(self) -> bool {
        matches!(self, State::Draft | State::Advised | State::Approved | State::Held | State::Objected)
    }

    /// Whether nothing can happen to it any more.
    pub fn is_over(self) -> bool {
        matches!(self, State::Settled | State::Cancelled | State::Expired)
    }

    /// The state after `transition`, or None where it makes no sense.
    pub fn after(self, transition: Transition) -> Option<State> {
        match transition {
            Transition::Advise if self.waits() => Some(State::Advised),
            Transition::Start if self.waits() => Some(State::Started),
            // A pipeline may deploy what nobody started here; the record says so.
            Transition::Deploy if self.waits() || self == State::Started => Some(State::Watching),
            Transition::Settle if matches!(self, State::Started | State::Watching | State::Settled) => {
                Some(State::Settled)
            }
            Transition::Cancel if self.waits() => Some(State::Cancelled),
            Transition::Expire if self.waits() => Some(State::Expired),
            _ => None,
        }
    }

    /// The state of a waiting plan after somebody spoke: an objection comes before a hold, a hold before approval.
    pub fn spoken(self, objected: bool, held: bool, approved: bool) -> State {
        match self {
            State::Advised | State::Approved | State::Held | State::Objected => match (objected, held, approved) {
                (true, _, _) => State::Objected,
                (_, true, _) => State::Held,
                (_, _, true) => State::Approved,
                _ => State::Advised,
            },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_stays_over() {
        for state in [State::Cancelled, State::Expired] {
            for step in [Transition::Advise, Transition::Start, Transition::Deploy, Transition::Cancel] {
                assert_eq!(state.after(step), None);
            }
        }
    }

    #[test]
    fn an_objection_outweighs_every_approval() {
        assert_eq!(State::Approved.spoken(true, true, true), State::Objected);
        assert_eq!(State::Objected.spoken(false, false, true), State::Approved);
        assert_eq!(State::Started.spoken(true, false, false), State::Started);
    }

    #[test]
    fn every_state_has_one_word() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
    }
}
