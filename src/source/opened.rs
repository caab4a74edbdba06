//! A source as it is set up: its name, what and whom it is asked about, and how many questions at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::Semaphore;

use super::kept::Kept;
use super::{Answer, Ask, CannotSay, Opening, Question, Review, Source, Untold};
use crate::clock::Time;
use crate::name::{Environment, Role, Service, SourceName};

/// So many questions are put to one source at once; waiting counts as part of its deadline.
const AT_ONCE: usize = 4;
/// How long one is waited for that was opened without settings.
const PATIENCE: Duration = Duration::from_secs(10);

/// A source that can be asked.
#[derive(Debug)]
pub struct Opened {
    name: SourceName,
    answers: Vec<Question>,
    services: Vec<Service>,
    environments: Vec<Environment>,
    source: Arc<dyn Source>,
    turns: Semaphore,
    kept: Kept,
    /// How long an answer is waited for.
    patience: Duration,
    /// The teams by which it gives roles; None: it tells of no teams.
    roles: Option<BTreeMap<Role, Vec<String>>>,
}

/// Opens one source of the settings.
///
/// # Errors
/// Where its keys make no sense, or it is to answer what its kind cannot.
pub fn open(opening: &Opening<'_>) -> anyhow::Result<Opened> {
    let settings = opening.settings;
    let (name, kind) = (&settings.name, settings.kind.kind());
    let source = kind.open(opening).with_context(|| format!("the source `{name}`"))?;
    let can = kind.can_answer();
    let answers = settings.answers.clone().unwrap_or_else(|| can.clone());
    if let Some(question) = answers.iter().find(|question| !can.contains(question)) {
        let can: Vec<String> = can.iter().map(|question| format!("`{}`", question.as_str())).collect();
        let (asked, can) = (question.as_str(), can.join(", "));
        bail!("the source `{name}` cannot answer `{asked}`: as it is set up it can answer {can}");
    }
    Ok(Opened {
        services: settings.services.clone(),
        environments: settings.environments.clone(),
        kept: Kept::for_a_while(if kind.keeps() { opening.keep } else { Duration::ZERO }),
        patience: opening.patience,
        roles: kind.roles().cloned(),
        ..Opened::new(name.clone(), answers, source, AT_ONCE)
    })
}

impl Opened {
    /// A source that speaks of every service in every environment, and keeps nothing.
    pub fn new(name: SourceName, answers: Vec<Question>, source: Arc<dyn Source>, at_once: usize) -> Opened {
        let turns = Semaphore::new(at_once.max(1));
        let kept = Kept::for_a_while(Duration::ZERO);
        let (services, environments) = (Vec::new(), Vec::new());
        Opened { name, answers, services, environments, source, turns, kept, patience: PATIENCE, roles: None }
    }

    /// Its name in the settings.
    pub fn name(&self) -> &SourceName {
        &self.name
    }

    /// The questions that it was set up to answer.
    pub fn answers(&self) -> &[Question] {
        &self.answers
    }

    /// Whether it has anything to say about this service and environment; one that has not is not asked.
    pub fn concerns(&self, service: &Service, environment: &Environment) -> bool {
        (self.services.is_empty() || self.services.contains(service))
            && (self.environments.is_empty() || self.environments.contains(environment))
            && self.source.knows(service, environment)
    }

    /// The teams by which it gives roles; None: it tells of no teams.
    pub fn roles(&self) -> Option<&BTreeMap<Role, Vec<String>>> {
        self.roles.as_ref()
    }

    /// Who is in a team, by their logins there; waits no longer than for any answer.
    pub async fn members(&self, team: &str, now: Time) -> Result<Vec<String>, CannotSay> {
        let asking = async {
            let _turn = self.turns.acquire().await.map_err(|_| CannotSay::because("was shut down"))?;
            self.source.members(team, now).await
        };
        let late = || CannotSay::because(format!("did not answer in {} s", self.patience.as_secs_f32()));
        tokio::time::timeout(self.patience, asking).await.unwrap_or_else(|_| Err(late()))
    }

    /// Forgets what it said of a service before its system told something new by itself for the `times`-th time.
    pub fn heard(&self, service: &Service, times: i64) {
        self.kept.heard(service, times);
    }

    /// Asks. The caller holds the deadline; dropping the future is harmless.
    pub async fn ask(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let asking = async {
            let _turn = self.turns.acquire().await.map_err(|_| CannotSay::because("was shut down"))?;
            self.source.ask(ask).await
        };
        self.kept.or(ask, asking).await
    }

    /// Tells its platform's own gate about a job that waits there.
    pub async fn review(&self, review: &Review, now: Time) -> Result<(), Untold> {
        self.source.review(review, now).await
    }

    /// What it could tell its platform's gate, or why it could not; None where the settings ask for nothing of the kind.
    pub async fn could_review(&self, now: Time) -> Option<Result<String, CannotSay>> {
        self.source.could_review(now).await
    }
}
