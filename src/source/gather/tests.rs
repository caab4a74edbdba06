use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::Instant;

use super::super::tests::{ask, settings as settings_with_seconds};
use super::*;
use crate::advice::facts::Health;
use crate::clock::MINUTE;
use crate::name::{Environment, Service};
use crate::source::Source;

/// Half a second instead of two: these tests wait in earnest.
fn settings(more: &str) -> Arc<Settings> {
    let mut settings = Arc::unwrap_or_clone(settings_with_seconds(more));
    settings.policy.source_timeout = crate::config::Span::from_ms(500);
    Arc::new(settings)
}

/// What a source of the pretend world does when it is asked.
#[derive(Clone, Debug)]
enum Does {
    Answers,
    Empty,
    AnswersAfter(Duration),
    AnswersAfterOthers,
    Hangs,
    Panics,
    Fails(&'static str),
    AnswersAnotherQuestion,
}

#[derive(Debug)]
struct Pretend {
    does: Does,
    inside: Arc<AtomicUsize>,
    most: Arc<Mutex<usize>>,
}

impl Source for Pretend {
    fn knows(&self, service: &Service, _: &Environment) -> bool {
        service.as_str() == "checkout"
    }

    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
            let _leave = Leave(Arc::clone(&self.inside));
            let most = self.most.lock().map(|most| (*most).max(inside)).unwrap();
            *self.most.lock().unwrap() = most;
            let answer = |learned| Ok(Answer { learned, at: ask.now, link: None, incomplete: Vec::new() });
            let health = Health { errors: Some(0.01), ..Health::default() };
            match self.does {
                Does::Answers => answer(Learned::Health(health)),
                Does::Empty => answer(Learned::Incidents(Vec::new())),
                Does::AnswersAfter(time) => {
                    tokio::time::sleep(time).await;
                    answer(Learned::Health(health))
                }
                // By turns and not by the clock: a busy machine must not make it late.
                Does::AnswersAfterOthers => {
                    for _ in 0..50 {
                        tokio::task::yield_now().await;
                    }
                    answer(Learned::Health(health))
                }
                Does::Hangs => futures::future::pending().await,
                Does::Panics => panic!("a fault in a source"),
                Does::Fails(why) => Err(CannotSay::because(why)),
                Does::AnswersAnotherQuestion => answer(Learned::Calendar(Vec::new())),
            }
        })
    }
}

struct Leave(Arc<AtomicUsize>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn source(name: &str, does: Does) -> Arc<Opened> {
    opened(name, Pretend { does, inside: Arc::default(), most: Arc::default() }, 4)
}

fn opened(name: &str, pretend: Pretend, at_once: usize) -> Arc<Opened> {
    let answers = vec![Question::Incidents, Question::Health];
    Arc::new(Opened::new(SourceName::new(name), answers, Arc::new(pretend), at_once))
}

fn in_a_while() -> Instant {
    Instant::now() + Duration::from_secs(4)
}

async fn health(sources: &[Arc<Opened>]) -> Asked<Health> {
    let settings = settings("");
    let mut gathered = Gathered::default();
    let ask = ask(Question::Health, &settings);
    gather(&mut gathered, sources, &ask, &[Question::Health], &Clock::system(), in_a_while()).await;
    gathered.facts.health
}

fn reasons<T>(asked: &Asked<T>) -> Vec<(&str, &str)> {
    asked.unknown.iter().map(|unknown| (unknown.source.as_str(), unknown.reason.as_str())).collect()
}

#[tokio::test]
async fn one_sources_failure_never_touches_another() {
    let started = Instant::now();
    let asked = health(&[
        source("z-good", Does::Answers),
        source("hanging", Does::Hangs),
        source("hanging-2", Does::Hangs),
        source("hanging-3", Does::Hangs),
        source("hanging-4", Does::Hangs),
        source("panicking", Does::Panics),
        source("expired", Does::Fails("has a certificate that expired on 1 Nov")),
        source("rubbish", Does::AnswersAnotherQuestion),
        source("a-later", Does::AnswersAfterOthers),
    ])
    .await;
    let known: Vec<&str> = asked.known.iter().map(|fact| fact.source.as_str()).collect();
    assert_eq!(known, ["a-later", "z-good"], "in order of their names, not of their answers");
    assert_eq!(
        reasons(&asked),
        [
            ("expired", "has a certificate that expired on 1 Nov"),
            ("hanging", "did not answer in 500 ms"),
            ("hanging-2", "did not answer in 500 ms"),
            ("hanging-3", "did not answer in 500 ms"),
            ("hanging-4", "did not answer in 500 ms"),
            ("panicking", "failed inside Tidegate (please report it)"),
            ("rubbish", "answered a question that was not asked"),
        ]
    );
    assert!(!asked.is_whole());
    assert!(started.elapsed() < Duration::from_millis(1_900), "all at once, not one after the other");
}

#[tokio::test]
async fn an_empty_answer_is_an_answer() {
    let settings = settings("");
    let mut gathered = Gathered::default();
    let sources = [source("tracker", Does::Empty)];
    let ask = ask(Question::Incidents, &settings);
    gather(&mut gathered, &sources, &ask, &[Question::Incidents], &Clock::system(), in_a_while()).await;
    assert_eq!(gathered.facts.incidents.first().map(|fact| fact.value.len()), Some(0));
    assert!(gathered.facts.calendar.is_unasked());
}

#[tokio::test]
async fn a_sources_own_deadline_comes_from_its_settings() {
    let settings = settings(
        "[[source]]\nname = \"patient\"\nkind = \"git\"\npath = \"x\"\ntimeout = \"10s\"\n\
         [[source]]\nname = \"hasty\"\nkind = \"git\"\npath = \"x\"\ntimeout = \"250ms\"\n",
    );
    let slow = Does::AnswersAfter(Duration::from_millis(900));
    let sources = [source("patient", slow.clone()), source("hasty", slow.clone()), source("usual", slow)];
    let said = ask_all(&sources, &ask(Question::Health, &settings), &Clock::system()).await;
    let asked = asked(said, Time::from_ms(0), |learned| match learned {
        Learned::Health(health) => Some(health),
        _ => None,
    });
    assert_eq!(asked.known.len(), 1);
    assert_eq!(reasons(&asked), [("hasty", "did not answer in 250 ms"), ("usual", "did not answer in 500 ms")]);
}

#[tokio::test]
async fn the_briefs_deadline_comes_before_a_sources_own() {
    let settings = settings("[[source]]\nname = \"slow\"\nkind = \"git\"\npath = \"x\"\ntimeout = \"20s\"\n");
    let sources = [source("slow", Does::Hangs)];
    let ask = ask(Question::Health, &settings);
    // Long enough that what a busy machine takes away from it is lost in the rounding.
    let until = Instant::now() + Duration::from_secs(2);
    let first = ask_all_until(&sources, &ask, &Clock::system(), until).await;
    assert_eq!(first[0].1, Err(CannotSay::because("did not answer in 2 s")));
    let second = ask_all_until(&sources, &ask, &Clock::system(), until).await;
    assert_eq!(second[0].1, Err(CannotSay::because("was not asked, because the time for the whole brief was up")));
}

#[tokio::test]
async fn who_is_not_concerned_is_not_asked() {
    let settings = settings("");
    let mut elsewhere = ask(Question::Health, &settings);
    elsewhere.service = Service::new("search");
    let sources = [source("one", Does::Panics)];
    assert!(ask_all(&sources, &elsewhere, &Clock::system()).await.is_empty());
    let other = ask(Question::Calendar, &settings);
    assert!(ask_all(&sources, &other, &Clock::system()).await.is_empty());
}

#[tokio::test]
async fn a_limited_source_answers_so_many_at_a_time_and_is_left_by_those_who_gave_up() {
    let (inside, most) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<usize>>::default());
    let does = Does::AnswersAfter(Duration::from_millis(800));
    let pretend = Pretend { does, inside: Arc::clone(&inside), most: Arc::clone(&most) };
    let sources = [opened("narrow", pretend, 2)];
    let settings = settings("[[source]]\nname = \"narrow\"\nkind = \"git\"\npath = \"x\"\ntimeout = \"2s\"\n");
    let ask = ask(Question::Health, &settings);
    let clock = Clock::system();
    let all = join_all((0..8).map(|_| ask_all(&sources, &ask, &clock))).await;
    let answered = all.iter().filter(|said| said[0].1.is_ok()).count();
    assert_eq!(answered, 4, "two at a time for 800 ms, within two seconds");
    assert_eq!(*most.lock().unwrap(), 2);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(inside.load(Ordering::SeqCst), 0, "whoever gave up is gone");
}

#[test]
fn a_reason_from_outside_is_tamed() {
    let said = vec![(SourceName::new("x"), Err(CannotSay::because(format!("said\n\u{202e}{}", "a".repeat(1_000)))))];
    let asked: Asked<()> = asked(said, Time::from_ms(MINUTE), |_| None);
    assert!(asked.unknown[0].reason.starts_with("said a"));
    assert!(asked.unknown[0].reason.chars().count() <= LONGEST_REASON + 1);
}

#[test]
fn lengths_are_said_shortly() {
    for (ms, says) in [(2_000, "2 s"), (2_500, "2.5 s"), (250, "250 ms"), (10_040, "10 s")] {
        assert_eq!(says_length(Duration::from_millis(ms)), says);
    }
}
