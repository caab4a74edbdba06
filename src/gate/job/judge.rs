//! What the gate makes of a job that waits.

use super::Job;
use crate::app::App;
use crate::gate::{self, Answer};
use crate::plan::State;
use crate::plan::show::Heard;
use crate::source::Decision;
use crate::store::Tx;
use crate::store::plan::PlanRow;
use crate::wording;

/// What ends the wait with a no: humans said so, or the time that they gave is over. Everything else may still change.
const ENDS: [&str; 5] = ["plan.cancelled", "plan.expired", "plan.used", "plan.window-over", "approval.objected"];

/// What is to be told of a job at this moment.
#[derive(Debug)]
pub struct Judged {
    /// None: it waits on.
    pub decision: Option<Decision>,
    pub plan: Option<PlanRow>,
    pub answer: Answer,
    /// The answer in one sentence or a few, for the platform's page.
    pub says: String,
}

/// Whether a plan is one that a job can wait for, and not one that is over.
pub fn is_meant(row: &PlanRow) -> bool {
    row.state.waits() || row.state == State::Started
}

/// Judges a job in this transaction, by the plan that was found for it.
pub async fn judge(app: &App, tx: &mut Tx, job: &Job, found: Option<&PlanRow>, heard: Heard) -> anyhow::Result<Judged> {
    let row = match found {
        Some(found) => tx.plan(&found.plan.id).await?,
        None => None,
    };
    // One that was over before the job came is not what it waits for.
    let row = row.filter(|row| is_meant(row) || job.plan.as_ref() == Some(&row.plan.id));
    let answer = match &row {
        Some(row) => gate::decide(app, tx, row, Some(&job.request()), heard).await?,
        None => Answer::no_plan(true),
    };
    let ends = answer.reasons.iter().any(|reason| ENDS.contains(&reason.code.as_str()));
    let late = tx.now >= job.until;
    let decision = match (answer.approved, ends || late) {
        (true, _) => Some(Decision::Approved),
        (false, true) => Some(Decision::Rejected),
        (false, false) => None,
    };
    let says = wording::job::comment(job, &answer, decision, late && !ends, &app.settings());
    Ok(Judged { decision, plan: row, answer, says })
}
