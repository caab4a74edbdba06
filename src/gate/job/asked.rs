//! A job begins to wait: it is recorded, and whom it concerns hears of it.

use super::Job;
use crate::app::App;
use crate::clock::Time;
use crate::config::{Settings, Span};
use crate::gate;
use crate::ledger::Statement;
use crate::message::Message;
use crate::name::{SourceName, new_id};
use crate::plan::show;
use crate::source::SourceKind;
use crate::store::plan::PlanRow;
use crate::store::{Claim, Tx};
use crate::webhook::{Target, Waits};
use crate::wording;
use crate::work::Send;

/// Takes what a platform told. The same job again is known already.
pub async fn waits(app: &App, claim: &Claim, told: &Waits, at: Time) -> anyhow::Result<()> {
    let settings = app.settings();
    let now = app.clock.now();
    let (service, environment) = match &told.target {
        Target::Known(service, environment) => (service, environment),
        Target::Unknown(why) => {
            let mut tx = app.store.begin_finishing(claim, now).await?;
            // A job waits for nothing here: whoever keeps the settings hears of it once.
            let key = format!("job-unknown:{}:{}", told.source, told.gate);
            let message = wording::job::unknown(&told.source, &told.repository, &told.gate, why);
            say(app, &mut tx, Some(key), message).await?;
            return tx.commit().await;
        }
    };
    let wait = wait_of(&settings, &told.source).map_or(0, Span::ms);
    let job = Job {
        id: new_id(now).to_lowercase(),
        source: told.source.clone(),
        repository: told.repository.clone(),
        run: i64::try_from(told.run)?,
        gate: told.gate.clone(),
        deployment: told.deployment.clone(),
        service: service.clone(),
        environment: environment.clone(),
        commit: told.commit.clone(),
        reference: told.reference.clone(),
        link: told.link.clone(),
        asked_at: at,
        until: at.plus(wait),
        plan: None,
        decided: None,
        said: None,
        reports: 0,
        failures: 0,
        failing_since: None,
        warned_at: None,
        ended: None,
    };
    let mut tx = app.store.begin_finishing(claim, now).await?;
    if !tx.insert_job(&job).await? {
        return tx.commit().await;
    }
    let plan = gate::find(&mut tx, &job.request()).await?.filter(super::judge::is_meant);
    let record = about("job.waits", &job, plan.as_ref())
        .by_system(&format!("hook:{}", job.source))
        .evidence(&claim.id, None)
        .with("repository", job.repository.clone())
        .with("run", job.run)
        .with("gate", job.gate.clone())
        .with("deployment_id", job.deployment.clone())
        .with("service", job.service.as_str())
        .with("environment", job.environment.as_str())
        .with("job_commit", job.commit.clone())
        .with("reference", job.reference.clone())
        .with("asked", job.asked_at.ms())
        .with("until", job.until.ms());
    tx.record(app, record).await?;
    if plan.is_none() {
        let key = format!("job:{}", job.id);
        say(app, &mut tx, Some(key), wording::job::unplanned(&job, &settings, now)).await?;
    }
    tx.due(&job.due(), now).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// How long a source's jobs wait; None where its settings answer none (any more).
pub(super) fn wait_of(settings: &Settings, source: &SourceName) -> Option<Span> {
    let found = settings.source.iter().find(|known| known.name == *source)?;
    match &found.kind {
        SourceKind::Github(keys) => keys.protection().map(|rule| rule.wait),
        _ => None,
    }
}

/// What every entry about a job says.
pub(super) fn about(kind: &str, job: &Job, plan: Option<&PlanRow>) -> Statement {
    let record = Statement::new(kind).by_system("gate").with("job", job.id.clone()).with("source", job.source.as_str());
    match plan {
        Some(plan) => record.of(plan, None),
        None => record,
    }
}

/// In the thread of the plan that it waits for, or where things are said that belong to no conversation.
pub(super) async fn say_of(app: &App, tx: &mut Tx, job: &Job, message: Message) -> anyhow::Result<()> {
    let plan = match &job.plan {
        Some(plan) => tx.plan(plan).await?,
        None => None,
    };
    match plan {
        Some(plan) => show::in_thread(tx, &plan, message).await,
        None => say(app, tx, None, message).await,
    }
}

async fn say(app: &App, tx: &mut Tx, key: Option<String>, message: Message) -> anyhow::Result<()> {
    tx.send(&Send::home(app, message).key(key)).await
}
