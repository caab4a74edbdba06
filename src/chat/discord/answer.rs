//! What an interaction gives for answering its author alone: good for 15 minutes, kept nowhere but with what is under way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::clock::{MINUTE, Time};

/// Discord takes answers for 15 minutes; the last one is left for the way there.
const GOOD_FOR: i64 = 14 * MINUTE;
/// So many interactions are remembered at once.
const MOST: usize = 4_096;

/// One interaction's way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub application: String,
    pub token: String,
    pub until: Time,
    /// Whether a private "thinking" stands there that the first answer replaces.
    pub waits: bool,
}

/// Which "thinking" was replaced, and which private messages can still be edited.
#[derive(Debug, Default)]
pub struct Answers {
    filled: Mutex<BTreeSet<(Time, String)>>,
    private: Mutex<BTreeMap<String, Answer>>,
}

impl Answer {
    pub fn new(application: &str, token: &str, now: Time, waits: bool) -> Answer {
        Answer { application: application.to_owned(), token: token.to_owned(), until: now.plus(GOOD_FOR), waits }
    }

    /// As it travels in [`crate::event::From::answer`].
    pub fn written(&self) -> String {
        format!("{}:{}:{}:{}", self.application, self.until.ms(), u8::from(self.waits), self.token)
    }

    pub fn read(written: &str) -> Option<Answer> {
        let mut parts = written.splitn(4, ':');
        let application = parts.next().filter(|id| is_id(id))?.to_owned();
        let until = Time::from_ms(parts.next()?.parse().ok()?);
        let waits = parts.next()? == "1";
        let token = parts.next().filter(|token| is_token(token))?.to_owned();
        Some(Answer { application, token, until, waits })
    }

    /// The path under which answers are posted.
    pub fn path(&self) -> String {
        format!("webhooks/{}/{}", self.application, self.token)
    }
}

impl Answers {
    /// True once for each interaction that waits: whoever gets it replaces the "thinking".
    pub fn fill(&self, answer: &Answer) -> bool {
        let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        while filled.len() >= MOST {
            filled.pop_first();
        }
        answer.waits && filled.insert((answer.until, answer.token.clone()))
    }

    pub fn is_filled(&self, answer: &Answer) -> bool {
        let key = (answer.until, answer.token.clone());
        self.filled.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    /// The answer did not arrive: the "thinking" still stands.
    pub fn unfill(&self, answer: &Answer) {
        let key = (answer.until, answer.token.clone());
        self.filled.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }

    /// Notes that a private message can be edited while its interaction lives.
    pub fn keep(&self, message: &str, answer: &Answer) {
        let mut private = self.private.lock().unwrap_or_else(PoisonError::into_inner);
        private.retain(|_, kept| kept.until.plus(GOOD_FOR) > answer.until);
        if private.len() < MOST {
            private.insert(message.to_owned(), answer.clone());
        }
    }

    pub fn of(&self, message: &str, now: Time) -> Option<Answer> {
        let private = self.private.lock().unwrap_or_else(PoisonError::into_inner);
        private.get(message).filter(|answer| answer.until > now).cloned()
    }
}

/// A snowflake: digits.
pub fn is_id(id: &str) -> bool {
    (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit())
}

fn is_token(token: &str) -> bool {
    (1..=1_024).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let answer = Answer::new("42", "aW50.x-_", Time::from_ms(1_000), true);
        assert_eq!(Answer::read(&answer.written()), Some(answer));
        assert_eq!(Answer::read("42:1:1:../../users"), None);
        assert_eq!(Answer::read("x"), None);
    }

    #[test]
    fn one_answer_replaces_the_thinking_and_later_ones_follow_it() {
        let answers = Answers::default();
        let answer = Answer::new("42", "t", Time::from_ms(1_000), true);
        assert!(answers.fill(&answer) && !answers.fill(&answer));
        answers.unfill(&answer);
        assert!(answers.fill(&answer));
        assert!(!answers.fill(&Answer::new("42", "u", Time::from_ms(1_000), false)));
    }

    #[test]
    fn a_private_message_can_be_edited_while_its_interaction_lives() {
        let answers = Answers::default();
        let now = Time::from_ms(1_000);
        answers.keep("7", &Answer::new("42", "t", now, true));
        assert!(answers.of("7", now).is_some());
        assert!(answers.of("7", now.plus(15 * MINUTE)).is_none());
    }
}
