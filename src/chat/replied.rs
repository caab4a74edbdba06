//! A reply in a thread: the environment's name confirms; a reason goes with an objection; everything else is theirs.

use crate::app::App;
use crate::approval::WordKind;
use crate::clock::Time;
use crate::event::From;
use crate::ledger::Statement;
use crate::plan::show;
use crate::store::Claim;
use crate::wording;

pub async fn replied(app: &App, claim: &Claim, from: &From, thread: &str, text: &str, at: Time) -> anyhow::Result<()> {
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
    // A command works in a thread too, where the platform lets it through.
    if text.starts_with(&settings.chat.command) {
        return crate::command::run(app, claim, from, text, at).await;
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
                .evidence(&claim.id, None)
                .text("reason", Some(text)),
        )
        .await?;
        show::in_thread(&mut tx, &row, wording::card::reason_kept(&person)).await?;
    }
    tx.commit().await
}
