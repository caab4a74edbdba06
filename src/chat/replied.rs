//! A reply in a thread: the environment's name confirms; a reason goes with an objection; everything else is theirs. What
//! was kept stays as it was written: an edit is kept beside it, and never confirms or commands anything.

use crate::app::App;
use crate::approval::WordKind;
use crate::clock::Time;
use crate::event::From;
use crate::ledger::{Record, Statement};
use crate::name::Person;
use crate::plan::show;
use crate::store::Claim;
use crate::store::plan::PlanRow;
use crate::wording;

/// A reply as it was told.
#[derive(Clone, Debug)]
pub struct Reply {
    pub from: From,
    pub thread: String,
    pub text: String,
    /// The platform's id of it.
    pub message: Option<String>,
    /// It is the new text of one that was written before.
    pub edited: bool,
    pub at: Time,
}

pub async fn replied(app: &App, claim: &Claim, reply: &Reply) -> anyhow::Result<()> {
    let Reply { from, thread, text, at, .. } = reply;
    let message = reply.message.as_deref();
    let settings = app.settings();
    let posted = app.store.posted_as(&from.platform, thread).await?;
    let plan = posted.and_then(|posted| posted.plan);
    let row = match plan {
        Some(plan) => app.store.plan(&plan).await?,
        None => None,
    };
    let person = crate::people::behind(&settings, &from.platform, &from.user);
    let (Some(row), Some(person)) = (row, person) else {
        return app.store.begin_finishing(claim, app.clock.now()).await?.commit().await;
    };
    let text = text.trim();
    if reply.edited {
        return reworded(app, claim, reply, &row, &person).await;
    }
    // A command works in a thread too, where the platform lets it through.
    if text.starts_with(&settings.chat.command) {
        return crate::command::run(app, claim, from, text, *at).await;
    }
    let protected = settings.environment.get(&row.plan.environment).is_some_and(|e| e.protected);
    let is_name = text.eq_ignore_ascii_case(row.plan.environment.as_str());
    if is_name && protected && row.confirmed.is_none() && !row.state.is_over() {
        return crate::command::confirm(app, claim, from, &person, &row, text).await;
    }
    let mut tx = app.store.begin_finishing(claim, app.clock.now()).await?;
    let words = tx.words(&row.plan.id).await?;
    let objects = words.iter().any(|w| w.person == person && w.kind == WordKind::Object && w.stands());
    if objects {
        tx.record(
            app,
            Statement::new("word.reason")
                .by(from, Some(&person), None)
                .of(&row, None)
                .evidence(&claim.id, message)
                .text("reason", Some(text)),
        )
        .await?;
        show::in_thread(&mut tx, &row, wording::card::reason_kept(&person)).await?;
    }
    tx.commit().await
}

/// Keeps the new text of a reason beside the one that was kept, where there is one.
async fn reworded(app: &App, claim: &Claim, reply: &Reply, row: &PlanRow, person: &Person) -> anyhow::Result<()> {
    let entries = app.store.ledger_of(&row.plan.id).await?;
    let kept = entries.iter().filter(|entry| entry.kind == "word.reason").any(|entry| {
        Record::parse(&entry.bytes).is_ok_and(|record| {
            let of = record.evidence.and_then(|evidence| evidence.message);
            reply.message.is_some() && of == reply.message && record.actor.person.as_deref() == Some(person.as_str())
        })
    });
    let mut tx = app.store.begin_finishing(claim, app.clock.now()).await?;
    if kept {
        let record = Statement::new("word.reason")
            .by(&reply.from, Some(person), None)
            .of(row, None)
            .evidence(&claim.id, reply.message.as_deref())
            .with("edited", true)
            .text("reason", Some(reply.text.trim()));
        tx.record(app, record).await?;
        show::in_thread(&mut tx, row, wording::card::reason_edited(person)).await?;
    }
    tx.commit().await
}
