//! What a source said lately, kept for a moment, so that ten plans in a minute do not ask ten times, and who asks the same at
//! the same time waits for one answer. Failures are not kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::{Answer, Ask, CannotSay, Question};
use crate::clock::{MINUTE, Millis};
use crate::name::{Environment, Service};

/// So many answers are kept of one source.
const MOST: usize = 64;

/// The answers of one source.
#[derive(Debug)]
pub struct Kept {
    /// Zero: nothing is kept.
    keep: Duration,
    said: Mutex<Vec<Said>>,
    /// How often the system told something new of a service by itself, as far as is known here.
    heard: Mutex<BTreeMap<Service, i64>>,
}

#[derive(Debug)]
struct Said {
    about: About,
    until: Instant,
    answer: Arc<OnceCell<Answer>>,
}

/// What a question is about. Two questions a minute apart look at nearly the same time; that time moves with them.
#[derive(Clone, Debug, PartialEq)]
struct About {
    question: Question,
    service: Service,
    environment: Environment,
    version: Option<String>,
    running: Option<String>,
    names: Vec<String>,
    /// Base and head of the change, and how many packages and files it is known to touch.
    change: Option<(Option<String>, String, usize, usize)>,
    from: Millis,
    to: Millis,
}

impl Kept {
    pub fn for_a_while(keep: Duration) -> Kept {
        Kept { keep, said: Mutex::default(), heard: Mutex::default() }
    }

    /// Forgets what was said of a service, and what is being asked just now, where the system has told something new since.
    pub fn heard(&self, service: &Service, times: i64) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let known = heard.entry(service.clone()).or_default();
        if times > *known {
            *known = times;
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            said.retain(|said| said.about.service != *service);
        }
    }

    /// The answer that is kept, or the one that `asking` gets.
    pub async fn or<F>(&self, ask: &Ask, asking: F) -> Result<Answer, CannotSay>
    where
        F: Future<Output = Result<Answer, CannotSay>>,
    {
        // The watch looks at what is new; the gate wants to know what is so now.
        if self.keep.is_zero() || ask.fresh || ask.question == Question::Series {
            return asking.await;
        }
        let cell = self.cell(about(ask), Instant::now());
        cell.get_or_try_init(|| asking).await.cloned()
    }

    fn cell(&self, about: About, now: Instant) -> Arc<OnceCell<Answer>> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|said| said.until > now);
        if let Some(said) = said.iter().find(|said| said.about == about) {
            return Arc::clone(&said.answer);
        }
        if said.len() >= MOST {
            said.remove(0);
        }
        let answer = Arc::<OnceCell<Answer>>::default();
        said.push(Said { about, until: now + self.keep, answer: Arc::clone(&answer) });
        answer
    }
}

fn about(ask: &Ask) -> About {
    let minutes = |span: Millis| span.div_euclid(MINUTE);
    About {
        question: ask.question,
        service: ask.service.clone(),
        environment: ask.environment.clone(),
        version: ask.version.clone(),
        running: ask.running.clone(),
        names: ask.names.clone(),
        change: ask.change.as_ref().map(|change| {
            let base = change.base.as_ref().map(|base| base.commit.clone());
            (base, change.head.commit.clone(), change.packages.len(), change.files.len())
        }),
        from: minutes(ask.from.since(ask.now)),
        to: minutes(ask.to.since(ask.now)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::tests::{ask, settings};
    use super::*;
    use crate::clock::SECOND;
    use crate::source::Learned;

    /// Says how often it was asked.
    async fn asked(kept: &Kept, ask: &Ask, times: &AtomicUsize, fails: bool) -> Result<Answer, CannotSay> {
        let asking = async {
            times.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(50)).await;
            if fails {
                return Err(CannotSay::because("is down"));
            }
            Ok(Answer { learned: Learned::Incidents(Vec::new()), at: ask.now, link: None, incomplete: Vec::new() })
        };
        kept.or(ask, asking).await
    }

    #[tokio::test]
    async fn the_same_question_is_asked_once_in_its_time_and_says_its_age() {
        let (kept, times) = (Kept::for_a_while(Duration::from_millis(600)), AtomicUsize::new(0));
        let first = ask(Question::Incidents, &settings(""));
        let later = |seconds: i64| {
            let moved = first.now.plus(seconds * SECOND);
            let by = moved.since(first.now);
            Ask { now: moved, from: first.from.plus(by), to: first.to.plus(by), ..first.clone() }
        };
        let all = futures::future::join_all((0..10).map(|_| asked(&kept, &first, &times, false))).await;
        assert!(all.iter().all(Result::is_ok));
        assert_eq!(times.load(Ordering::SeqCst), 1, "ten at once wait for one answer");
        let again = asked(&kept, &later(10), &times, false).await.unwrap();
        assert_eq!((again.at, times.load(Ordering::SeqCst)), (first.now, 1), "it is as old as it is");
        let other = Ask { version: Some("v2".to_owned()), ..first.clone() };
        asked(&kept, &other, &times, false).await.unwrap();
        assert_eq!(times.load(Ordering::SeqCst), 2);
        let fresh = Ask { fresh: true, ..first.clone() };
        asked(&kept, &fresh, &times, false).await.unwrap();
        assert_eq!(times.load(Ordering::SeqCst), 3);
        tokio::time::sleep(Duration::from_millis(600)).await;
        asked(&kept, &later(20), &times, false).await.unwrap();
        assert_eq!(times.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn news_makes_old_answers_count_no_more_also_those_under_way() {
        let (kept, times) = (Kept::for_a_while(Duration::from_secs(60)), AtomicUsize::new(0));
        let about = ask(Question::Incidents, &settings(""));
        asked(&kept, &about, &times, false).await.unwrap();
        kept.heard(&about.service, 1);
        asked(&kept, &about, &times, false).await.unwrap();
        assert_eq!(times.load(Ordering::SeqCst), 2);
        kept.heard(&about.service, 1);
        kept.heard(&"another".into(), 7);
        asked(&kept, &about, &times, false).await.unwrap();
        assert_eq!(times.load(Ordering::SeqCst), 2, "the same news once more is no news");
        let slow = Ask { version: Some("v2".to_owned()), ..about.clone() };
        let late = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            kept.heard(&about.service, 2);
            asked(&kept, &slow, &times, false).await
        };
        let (before, after) = tokio::join!(asked(&kept, &slow, &times, false), late);
        assert!(before.is_ok() && after.is_ok());
        assert_eq!(times.load(Ordering::SeqCst), 4, "what was asked before the news does not answer after it");
    }

    #[tokio::test]
    async fn a_failure_is_not_kept_and_who_gives_up_takes_nothing_from_others() {
        let (kept, times) = (Kept::for_a_while(Duration::from_millis(600)), AtomicUsize::new(0));
        let ask = ask(Question::Incidents, &settings(""));
        assert!(asked(&kept, &ask, &times, true).await.is_err());
        let hasty = tokio::time::timeout(Duration::from_millis(10), asked(&kept, &ask, &times, false));
        let (hasty, patient) = tokio::join!(hasty, asked(&kept, &ask, &times, false));
        assert!(hasty.is_err() && patient.is_ok());
    }
}
