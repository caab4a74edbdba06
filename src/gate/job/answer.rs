//! The answer to a job that waits: judged anew before each attempt, recorded, told until the platform takes it.

use super::asked::{about, say_of};
use super::judge::{Judged, is_meant, judge};
use super::{End, Job};
use crate::app::App;
use crate::clock::{DAY, MINUTE, Millis, SECOND};
use crate::event::Due;
use crate::gate;
use crate::plan::show::{self, Heard};
use crate::source::{CannotSay, Decision, Review, Untold};
use crate::store::plan::PlanRow;
use crate::store::{Claim, Tx};
use crate::wording;

/// Without news of its plan a job is looked at this often: windows open and locks end by themselves.
const LOOK: Millis = MINUTE;

/// Reports of what a job waits for; GitHub takes ten of one deployment.
const MOST_REPORTS: i64 = 9;

/// An answer that is not taken for so long is told of; after this much longer than the job would have waited it is lost.
const PATIENCE: Millis = 5 * MINUTE;
const GIVEN_UP: Millis = DAY;

/// Looks at a job, and answers it where there is an answer.
pub async fn due(app: &App, claim: &Claim, id: &str) -> anyhow::Result<()> {
    // A look that asks nobody outside: most find that it waits on.
    let mut tx = app.store.begin_finishing(claim, app.clock.now()).await?;
    let Some(job) = tx.job(id).await?.filter(|job| job.ended.is_none()) else { return tx.commit().await };
    let found = gate::find(&mut tx, &job.request()).await?;
    let judged = judge(app, &mut tx, &job, found.as_ref(), Heard::All).await?;
    if judged.decision.is_none() {
        return wait(app, tx, job, judged).await;
    }
    drop(tx);
    let Some(decided) = decide(app, claim, id, found).await? else { return Ok(()) };
    let (decision, comment) = decided;
    let told = tell(app, &job, Some(decision), comment).await;
    finish(app, claim, id, decision, told).await
}

/// The whole look, as a pipeline's question gets it, and the decision on record before anybody is told; None: it waits on.
async fn decide(
    app: &App,
    claim: &Claim,
    id: &str,
    found: Option<PlanRow>,
) -> anyhow::Result<Option<(Decision, String)>> {
    let told = match &found {
        Some(found) => {
            gate::look_again(app, found).await?;
            crate::chat::bring_up_to_date(app, found).await?
        }
        None => true,
    };
    let heard = if told { Heard::All } else { Heard::Terminal };
    let mut tx = app.store.begin(app.clock.now()).await?;
    let Some(mut job) = tx.job(id).await? else { return Ok(None) };
    let judged = judge(app, &mut tx, &job, found.as_ref(), heard).await?;
    let sure = match (&judged.plan, judged.decision) {
        (Some(row), Some(Decision::Approved)) if !told => gate::rests_on_terminal(&mut tx, row, &judged.answer).await?,
        _ => true,
    };
    let Some(decision) = judged.decision.filter(|_| sure) else {
        drop(tx);
        let mut tx = app.store.begin_finishing(claim, app.clock.now()).await?;
        // What it was told that it waits for may have been written meanwhile.
        let job = tx.job(id).await?.unwrap_or(job);
        wait(app, tx, job, judged).await?;
        return Ok(None);
    };
    if job.decided != Some(decision) {
        job.decided = Some(decision);
        bind(&mut job, &judged);
        tx.update_job(&job).await?;
        let codes: Vec<String> = judged.answer.reasons.iter().map(|reason| reason.code.clone()).collect();
        let record = match &judged.plan {
            Some(row) => about("job.answered", &job, None).of(row, judged.answer.brief.as_deref()),
            None => about("job.answered", &job, None),
        };
        tx.record(app, record.verdict(decision.as_str()).with("reasons", codes)).await?;
        tx.commit().await?;
    }
    Ok(Some((decision, judged.says)))
}

/// It waits on: whoever looks at the job reads for what, and it is looked at again.
async fn wait(app: &App, mut tx: Tx, mut job: Job, judged: Judged) -> anyhow::Result<()> {
    if job.decided.take().is_some() {
        // Its platform could not be told in time, and now it would be told wrongly.
        tx.record(app, about("job.answered", &job, judged.plan.as_ref()).verdict("withdrawn")).await?;
    }
    let new = bind(&mut job, &judged);
    if let (true, Some(row)) = (new, &judged.plan) {
        let message = wording::job::waits(&job, &app.settings(), tx.now);
        show::in_thread(&mut tx, row, message).await?;
    }
    if job.said.as_deref() != Some(judged.says.as_str()) && job.reports < MOST_REPORTS {
        job.said = Some(judged.says);
        job.reports += 1;
        tx.due(&Due::JobReport { job: job.id.clone() }, tx.now).await?;
    }
    (job.failures, job.failing_since) = (0, None);
    tx.update_job(&job).await?;
    tx.due(&job.due(), tx.now.plus(LOOK).min(job.until.max(tx.now.plus(SECOND)))).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// Remembers for which plan it waits; true where that is news.
fn bind(job: &mut Job, judged: &Judged) -> bool {
    let plan = judged.plan.as_ref().filter(|row| is_meant(row)).map(|row| row.plan.id.clone());
    let new = plan.is_some() && plan != job.plan;
    job.plan = plan.or(job.plan.take());
    new
}

/// Tells a platform what a job still waits for. What does not get through is told with the next change.
pub async fn report(app: &App, claim: &Claim, id: &str) -> anyhow::Result<()> {
    let job = app.store.job(id).await?.filter(|job| job.ended.is_none() && job.decided.is_none());
    let told = match job.as_ref().and_then(|job| Some((job, job.said.clone()?))) {
        Some((job, says)) => tell(app, job, None, says).await,
        None => Ok(()),
    };
    let mut tx = app.store.begin_finishing(claim, app.clock.now()).await?;
    if let (Err(why), Some(mut job)) = (&told, tx.job(id).await?) {
        tracing::warn!(job = id, source = job.source.as_str(), error = %why, "what a job waits for could not be told");
        match why {
            // Another would be refused too.
            Untold::Over(_) | Untold::Denied(_) => job.reports = MOST_REPORTS,
            Untold::Later(_) => {
                job.reports -= 1;
                job.said = None;
            }
        }
        tx.update_job(&job).await?;
    }
    tx.commit().await
}

async fn tell(app: &App, job: &Job, decision: Option<Decision>, comment: String) -> Result<(), Untold> {
    let sources = app.sources();
    let Some(source) = sources.iter().find(|source| *source.name() == job.source) else {
        return Err(Untold::Denied(CannotSay::because("is no longer in the settings")));
    };
    let run = u64::try_from(job.run).unwrap_or_default();
    source.review(&Review { run, gate: job.gate.clone(), decision, comment }, app.clock.now()).await
}

/// Records what became of the answer, and sets it to be tried again where it did not get through.
async fn finish(
    app: &App,
    claim: &Claim,
    id: &str,
    decision: Decision,
    told: Result<(), Untold>,
) -> anyhow::Result<()> {
    let settings = app.settings();
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(mut job) = tx.job(id).await? else { return tx.commit().await };
    let end = match &told {
        Ok(()) => Some(End::Taken),
        Err(Untold::Over(_)) => Some(End::Refused),
        Err(_) if now >= job.until.plus(GIVEN_UP) => Some(End::Lost),
        Err(_) => None,
    };
    let why = told.as_ref().err().map(ToString::to_string).unwrap_or_default();
    if let Some(end) = end {
        job.ended = Some((end, now));
        let plan = match &job.plan {
            Some(plan) => tx.plan(plan).await?,
            None => None,
        };
        let record = about("job.told", &job, plan.as_ref()).verdict(end.as_str()).with("answer", decision.as_str());
        let record = record.with("because", (end != End::Taken).then(|| why.clone()));
        tx.record(app, record).await?;
        say_of(app, &mut tx, &job, wording::job::ended(&job, end, decision, &why, &settings)).await?;
    } else {
        tracing::warn!(
            job = id,
            source = job.source.as_str(),
            error = why,
            "an answer was not taken; it is tried again"
        );
        let since = *job.failing_since.get_or_insert(now);
        let loud = matches!(told, Err(Untold::Denied(_))) || now.since(since) >= PATIENCE;
        if loud && job.warned_at.is_none() {
            job.warned_at = Some(now);
            say_of(app, &mut tx, &job, wording::job::failing(&job, decision, &why, &settings, now)).await?;
        }
        tx.due(&job.due(), now.plus(pause(job.failures))).await?;
        job.failures += 1;
    }
    tx.update_job(&job).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

fn pause(failures: i64) -> Millis {
    ((5 * SECOND) << failures.clamp(0, 6)).min(5 * MINUTE)
}
