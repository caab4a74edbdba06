//! Answers that look like a yes are decided anew where nothing can come between them and their record: whatever has been
//! asked while the last ones were being written is decided and recorded in one transaction.

use tokio::sync::{mpsc, oneshot};

use super::{Answer, Request, answer};
use crate::app::App;
use crate::name::PlanId;
use crate::plan::show::Heard;

/// How many answers are recorded in one transaction at most.
const GROUP: usize = 32;

/// A pipeline that looks as if it could be told yes.
#[derive(Debug)]
struct Asked {
    app: App,
    plan: PlanId,
    request: Request,
    heard: Heard,
    answer: oneshot::Sender<Result<Option<Answer>, String>>,
}

/// Where yes is said; clones share one line.
#[derive(Clone, Debug)]
pub struct Yes {
    line: mpsc::Sender<Asked>,
}

impl Yes {
    pub fn open() -> Yes {
        let (line, mut asking) = mpsc::channel::<Asked>(1024);
        tokio::spawn(async move {
            let mut group = Vec::with_capacity(GROUP);
            while asking.recv_many(&mut group, GROUP).await > 0 {
                let asked = std::mem::take(&mut group);
                match decided(&asked).await {
                    Ok(answers) => {
                        for (asked, answer) in asked.into_iter().zip(answers) {
                            // Whoever asked may be gone; what was recorded stays.
                            let _ = asked.answer.send(Ok(answer));
                        }
                    }
                    // One that fails takes nobody else's answer away.
                    Err(_) => {
                        for asked in asked {
                            let alone = decided(std::slice::from_ref(&asked)).await;
                            let answer = alone.map(|answers| answers.into_iter().next().flatten());
                            let _ = asked.answer.send(answer.map_err(|error| format!("{error:#}")));
                        }
                    }
                }
            }
        });
        Yes { line }
    }
}

/// The answer as it is decided under the writer, recorded where it is a yes to a pipeline that now goes on. None where the
/// plan is gone.
pub(super) async fn decide(
    app: &App,
    plan: &PlanId,
    request: &Request,
    heard: Heard,
) -> anyhow::Result<Option<Answer>> {
    let (to, answer) = oneshot::channel();
    let asked = Asked { app: app.clone(), plan: plan.clone(), request: request.clone(), heard, answer: to };
    app.yes.line.send(asked).await.map_err(|_| anyhow::anyhow!("the gate is closed"))?;
    answer.await?.map_err(|error| anyhow::anyhow!(error))
}

async fn decided(group: &[Asked]) -> anyhow::Result<Vec<Option<Answer>>> {
    let Some(Asked { app, .. }) = group.first() else { return Ok(Vec::new()) };
    let mut answers = Vec::with_capacity(group.len());
    let mut tx = app.store.begin(app.clock.now()).await?;
    for Asked { app, plan, request, heard, .. } in group {
        let Some(row) = tx.plan(plan).await? else {
            answers.push(None);
            continue;
        };
        let answer = answer(app, &mut tx, &row, request, *heard).await?;
        if answer.approved && request.plan.is_none() | row.started.is_some() {
            let record = crate::ledger::Statement::new("gate.answered")
                .by_system("gate")
                .of(&row, answer.brief.as_deref())
                .verdict(answer.verdict.as_str());
            tx.record(app, record).await?;
        }
        answers.push(Some(answer));
    }
    tx.commit().await?;
    Ok(answers)
}
