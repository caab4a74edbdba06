//! Asks every source at once, each with its deadline; failure becomes a fact.
//!
//! One source's silence, error or panic never touches another's answer, and the order of the answers is by the sources'
//! names, whoever was first. What lasts is bounded twice: by each source's own deadline and by the brief's.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::join_all;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;

use super::{Answer, Ask, CannotSay, Learned, Opened, Question, Series};
use crate::advice::facts::{Asked, Deployment, Fact, Facts, Unknown};
use crate::clock::{Clock, Time};
use crate::config::Settings;
use crate::message::tame;
use crate::name::SourceName;

/// What one source said.
pub type Said = (SourceName, Result<Answer, CannotSay>);

/// The longest reason that is kept, in characters.
const LONGEST_REASON: usize = 300;

/// All that was gathered: what goes into the brief as it is, and what the history is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gathered {
    pub facts: Facts,
    pub deployments: Asked<Vec<Deployment>>,
    pub series: Asked<Series>,
}

/// When the whole brief must be there, counted from now.
pub fn brief_deadline(settings: &Settings) -> Instant {
    Instant::now() + settings.policy.brief_timeout.std()
}

/// Asks all sources all `questions` at once; each question is `template` with that question. What was learned is added
/// to `into`, so that a second round (the change needs the running version) goes on where the first one ended.
pub async fn gather(
    into: &mut Gathered,
    sources: &[Arc<Opened>],
    template: &Ask,
    questions: &[Question],
    clock: &Clock,
    until: Instant,
) {
    let asks: Vec<Ask> = questions.iter().map(|&question| Ask { question, ..template.clone() }).collect();
    let rounds = join_all(asks.iter().map(|ask| ask_all_until(sources, ask, clock, until))).await;
    for (ask, said) in asks.iter().zip(rounds) {
        keep(into, ask.question, said, clock.now());
    }
}

/// Asks one question of every source that concerns it, within the time that a whole brief may take.
pub async fn ask_all(sources: &[Arc<Opened>], ask: &Ask, clock: &Clock) -> Vec<Said> {
    ask_all_until(sources, ask, clock, brief_deadline(&ask.settings)).await
}

/// Asks one question of every source that concerns it, all at once. The answers are in order of the sources' names.
///
/// A source that does not answer in its time, fails, panics or answers another question has an error, and nothing else
/// is delayed beyond `until`.
pub async fn ask_all_until(sources: &[Arc<Opened>], ask: &Ask, clock: &Clock, until: Instant) -> Vec<Said> {
    let mut asked: Vec<&Arc<Opened>> = sources
        .iter()
        .filter(|source| source.answers().contains(&ask.question) && source.concerns(&ask.service, &ask.environment))
        .collect();
    asked.sort_by(|a, b| a.name().cmp(b.name()));
    let ask = Arc::new(ask.clone());
    let started = clock.now();
    let answers = join_all(asked.iter().map(|source| ask_one(Arc::clone(source), Arc::clone(&ask), until))).await;
    let took = clock.now().since(started);
    tracing::debug!(question = ask.question.as_str(), sources = asked.len(), took_ms = took, "asked the sources");
    asked.into_iter().map(|source| source.name().clone()).zip(answers).collect()
}

/// The answers to a question as typed facts. `pick` takes the variant that answers the question and gives any other
/// back as None, which makes the source unknown.
pub fn asked<T>(said: Vec<Said>, at: Time, pick: fn(Learned) -> Option<T>) -> Asked<T> {
    let mut asked = Asked::default();
    for (source, said) in said {
        let read = said.map_err(|why| tame(&why.0, LONGEST_REASON)).and_then(|answer| {
            let Answer { learned, at, link, incomplete } = answer;
            let value = pick(learned).ok_or_else(|| "answered a question that was not asked".to_owned())?;
            Ok(Fact { source: source.clone(), link, at, value, incomplete })
        });
        match read {
            Ok(fact) => asked.known.push(fact),
            Err(reason) => asked.unknown.push(Unknown { source, reason, at }),
        }
    }
    asked
}

/// Takes the answers to one question to where they belong.
fn keep(into: &mut Gathered, question: Question, said: Vec<Said>, at: Time) {
    macro_rules! pick {
        ($place:expr, $variant:ident) => {
            add(
                &mut $place,
                asked(said, at, |learned| match learned {
                    Learned::$variant(value) => Some(value),
                    _ => None,
                }),
            )
        };
    }
    match question {
        Question::Calendar => pick!(into.facts.calendar, Calendar),
        Question::OnCall => pick!(into.facts.on_call, OnCall),
        Question::Incidents => pick!(into.facts.incidents, Incidents),
        Question::Deployments => pick!(into.deployments, Deployments),
        Question::Versions => pick!(into.facts.versions, Versions),
        Question::Change => {
            let change = asked(said, at, |learned| match learned {
                Learned::Change(change) => Some(*change),
                _ => None,
            });
            add(&mut into.facts.change, change);
        }
        Question::Migrations => pick!(into.facts.migrations, Migrations),
        Question::Load => pick!(into.facts.load, Load),
        Question::Health => pick!(into.facts.health, Health),
        Question::Series => pick!(into.series, Series),
        Question::Reviews => pick!(into.facts.reviews, Reviews),
        Question::Builds => pick!(into.facts.builds, Builds),
        Question::Flags => pick!(into.facts.flags, Flags),
        Question::Findings => pick!(into.facts.findings, Findings),
        Question::Coverage => pick!(into.facts.coverage, Coverage),
        Question::Ticket => pick!(into.facts.ticket, Ticket),
        Question::Alerts => pick!(into.facts.alerts, Alerts),
        Question::Support => pick!(into.facts.support, Support),
    }
}

fn add<T>(to: &mut Asked<T>, more: Asked<T>) {
    to.known.extend(more.known);
    to.unknown.extend(more.unknown);
}

/// Asks in a task of its own, so that a panic stays there; the task is ended when nobody waits for it any more.
async fn ask_one(source: Arc<Opened>, ask: Arc<Ask>, until: Instant) -> Result<Answer, CannotSay> {
    let started = Instant::now();
    if started >= until {
        return Err(CannotSay::because("was not asked, because the time for the whole brief was up"));
    }
    let patience = patience(&ask.settings, source.name());
    let deadline = until.min(started + patience);
    let task = Task(tokio::spawn(async move { source.ask(&ask).await }));
    match tokio::time::timeout_at(deadline, task).await {
        Ok(Ok(said)) => said,
        Ok(Err(ended)) if ended.is_panic() => Err(CannotSay::because("failed inside Tidegate (please report it)")),
        Ok(Err(_)) => Err(CannotSay::because("was stopped before it answered")),
        Err(_) => Err(CannotSay::because(format!("did not answer in {}", says_length(deadline - started)))),
    }
}

/// How long a source is waited for.
fn patience(settings: &Settings, name: &SourceName) -> Duration {
    let own = settings.source.iter().find(|source| source.name == *name).and_then(|source| source.timeout);
    own.unwrap_or(settings.policy.source_timeout).std()
}

fn says_length(length: Duration) -> String {
    let ms = length.as_millis();
    if ms < 995 {
        return format!("{} ms", (ms + 5) / 10 * 10);
    }
    let tenths = (ms + 50) / 100;
    if tenths.is_multiple_of(10) { format!("{} s", tenths / 10) } else { format!("{}.{} s", tenths / 10, tenths % 10) }
}

/// A task that ends with its owner.
struct Task(JoinHandle<Result<Answer, CannotSay>>);

impl Future for Task {
    type Output = Result<Result<Answer, CannotSay>, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests;
