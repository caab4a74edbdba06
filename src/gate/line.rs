//! Questions that come together are answered together: one look at the store for all of them, or one turn at its writer.
//!
//! An answer that looks like a yes is decided anew where nothing can come between it and its record: whatever has been
//! asked while the last ones were being written is decided and recorded in one transaction.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};

use super::{Answer, Request};
use crate::app::App;
use crate::ledger::{Statement, evidence};
use crate::name::PlanId;
use crate::plan::show::Heard;
use crate::store::plan::PlanRow;

/// How many questions are answered in one transaction at most.
const GROUP: usize = 32;
/// How many groups are looked up at once: others read, too.
const LOOKS: usize = 2;

/// What a pipeline asks about a plan.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub plan: PlanId,
    pub request: Request,
    pub heard: Heard,
}

/// The answer, and the plan that it is about.
#[derive(Debug)]
pub(super) struct Told {
    pub row: PlanRow,
    pub answer: Answer,
}

/// One who waits for an answer.
#[derive(Debug)]
struct Waiting {
    app: App,
    asked: Asked,
    answer: oneshot::Sender<Result<Option<Told>, String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// By a look that holds nobody up. A yes of it is not one yet, and carries no evidence.
    Looking,
    /// Under the writer, recorded where it is a yes to a pipeline that now goes on.
    Deciding,
}

/// Where questions wait for an answer; clones share the lines.
#[derive(Clone, Debug)]
pub struct Lines {
    looking: mpsc::Sender<Waiting>,
    deciding: mpsc::Sender<Waiting>,
}

impl Lines {
    pub fn open() -> Lines {
        Lines { looking: line(How::Looking, LOOKS), deciding: line(How::Deciding, 1) }
    }

    /// The answer as the store stands now. None where the plan is not stored.
    pub(super) async fn look(&self, app: &App, asked: &Asked) -> anyhow::Result<Option<Told>> {
        answer_from(&self.looking, app, asked).await
    }

    /// The answer as it is decided under the writer.
    pub(super) async fn decide(&self, app: &App, asked: &Asked) -> anyhow::Result<Option<Told>> {
        answer_from(&self.deciding, app, asked).await
    }
}

async fn answer_from(line: &mpsc::Sender<Waiting>, app: &App, asked: &Asked) -> anyhow::Result<Option<Told>> {
    let (to, answer) = oneshot::channel();
    let waiting = Waiting { app: app.clone(), asked: asked.clone(), answer: to };
    line.send(waiting).await.map_err(|_| anyhow::anyhow!("the gate is closed"))?;
    answer.await?.map_err(|error| anyhow::anyhow!(error))
}

fn line(how: How, workers: usize) -> mpsc::Sender<Waiting> {
    let (line, asking) = mpsc::channel::<Waiting>(1024);
    let asking = Arc::new(Mutex::new(asking));
    for _ in 0..workers {
        let asking = asking.clone();
        tokio::spawn(async move {
            let mut group = Vec::with_capacity(GROUP);
            while asking.lock().await.recv_many(&mut group, GROUP).await > 0 {
                // In a task of its own: a fault in one group's answers ends those, and not the line.
                let _ = tokio::spawn(serve(std::mem::take(&mut group), how)).await;
            }
        });
    }
    line
}

async fn serve(group: Vec<Waiting>, how: How) {
    match answered(&group, how).await {
        Ok(answers) => {
            for (waiting, answer) in group.into_iter().zip(answers) {
                // Whoever asked may be gone; what was recorded stays.
                let _ = waiting.answer.send(Ok(answer));
            }
        }
        // One that fails takes nobody else's answer away.
        Err(_) => {
            for waiting in group {
                let alone = answered(std::slice::from_ref(&waiting), how).await;
                let answer = alone.map(|answers| answers.into_iter().next().flatten());
                let _ = waiting.answer.send(answer.map_err(|error| format!("{error:#}")));
            }
        }
    }
}

async fn answered(group: &[Waiting], how: How) -> anyhow::Result<Vec<Option<Told>>> {
    let Some(Waiting { app, .. }) = group.first() else { return Ok(Vec::new()) };
    let now = app.clock.now();
    let mut tx = match how {
        How::Looking => app.store.look(now).await?,
        How::Deciding => app.store.begin(now).await?,
    };
    let plans: BTreeSet<PlanId> = group.iter().map(|waiting| waiting.asked.plan.clone()).collect();
    let mut standings = tx.standings(&Vec::from_iter(plans)).await?;
    for standing in standings.values_mut() {
        super::as_now(standing, app, now);
    }
    let mut answers = Vec::with_capacity(group.len());
    let mut records = Vec::new();
    for Waiting { app, asked, .. } in group {
        let Some(standing) = standings.get(&asked.plan) else {
            answers.push(None);
            continue;
        };
        let (row, answer) = (&standing.row, super::answer(app, &mut tx, standing, asked).await?);
        if how == How::Deciding && answer.approved && (asked.request.plan.is_none() || row.started.is_some()) {
            let statement = Statement::new("gate.answered").by_system("gate").of(row, answer.brief.as_deref());
            records.push(statement.verdict(answer.verdict.as_str()));
        }
        answers.push(Some(Told { row: row.clone(), answer }));
    }
    tx.record_all(app, records).await?;
    // A yes that is decided anew gets its evidence there.
    let is_last = |told: &Told| how == How::Deciding || !told.answer.approved;
    let last = answers.iter().flatten().filter(|told| is_last(told)).map(|told| told.row.plan.id.clone());
    let last: BTreeSet<PlanId> = last.collect();
    let (checkpoint, proven) = evidence(&mut tx, &app.signer, &Vec::from_iter(last)).await?;
    tx.commit().await?;
    for Told { row, answer } in answers.iter_mut().flatten().filter(|told| is_last(told)) {
        answer.checkpoint = Some(checkpoint.note.clone());
        answer.proof = proven.get(&row.plan.id).cloned();
    }
    Ok(answers)
}
