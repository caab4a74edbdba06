//! Jobs that a platform holds until its own gate is answered: GitHub's deployment protection rules.
//!
//! A job is stored when it is told, looked at again whenever its plan moves, and answered once humans have decided. Nothing
//! in its row lets it through: the verdict is made anew right before each attempt to answer, so that an answer that waits
//! for its platform never outlives what it was made from.

mod answer;
mod asked;
mod judge;

pub use answer::{due, report};
pub use asked::waits;

use super::Request;
use crate::clock::Time;
use crate::event::Due;
use crate::name::{Environment, PlanId, Service, SourceName};
use crate::plan::Plan;
use crate::source::Decision;
use crate::store::Tx;

/// A job that waits, or waited.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub id: String,
    pub source: SourceName,
    /// `owner/name`.
    pub repository: String,
    /// The platform's number of the run.
    pub run: i64,
    /// The environment, as the platform calls it.
    pub gate: String,
    /// The platform's id of the deployment.
    pub deployment: String,
    pub service: Service,
    pub environment: Environment,
    pub commit: String,
    pub reference: Option<String>,
    /// Where people see it.
    pub link: Option<String>,
    pub asked_at: Time,
    /// When it is refused if nobody decided.
    pub until: Time,
    /// The plan that it was seen to wait for.
    pub plan: Option<PlanId>,
    /// What the platform is to be told, as it was recorded last.
    pub decided: Option<Decision>,
    /// What the platform was told that it still waits for.
    pub said: Option<String>,
    /// How often it was told so.
    pub reports: i64,
    /// Attempts to answer in vain, since when, and when its owners were told of that.
    pub failures: i64,
    pub failing_since: Option<Time>,
    pub warned_at: Option<Time>,
    pub ended: Option<(End, Time)>,
}

/// What became of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The platform took it.
    Taken,
    /// The platform no longer waited for it.
    Refused,
    /// The platform could not be told for so long that nobody tries any more.
    Lost,
}

impl End {
    pub fn as_str(self) -> &'static str {
        match self {
            End::Taken => "taken",
            End::Refused => "refused",
            End::Lost => "lost",
        }
    }

    pub fn parse(text: &str) -> Option<End> {
        [End::Taken, End::Refused, End::Lost].into_iter().find(|end| end.as_str() == text)
    }
}

impl Job {
    /// What a pipeline would ask in its place.
    fn request(&self) -> Request {
        Request {
            service: Some(self.service.clone()),
            environment: Some(self.environment.clone()),
            commit: Some(self.commit.clone()),
            ..Request::default()
        }
    }

    fn due(&self) -> Due {
        Due::Job { job: self.id.clone() }
    }
}

/// A plan moved: jobs that wait for the same target are looked at now.
pub async fn stir(tx: &mut Tx, plan: &Plan) -> anyhow::Result<()> {
    for job in tx.jobs_waiting(&plan.service, &plan.environment).await? {
        tx.sooner(&Due::Job { job }, tx.now).await?;
    }
    Ok(())
}
