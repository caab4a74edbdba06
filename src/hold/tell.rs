//! Who hears of a lock or a freeze: the channel once, in a message that is edited; the plans that wait, in their threads; a
//! person by themselves.

use super::Scope;
use crate::app::App;
use crate::event::Due;
use crate::message::Message;
use crate::name::{Channel, Person};
use crate::people;
use crate::plan::show;
use crate::store::Tx;
use crate::store::plan::PlanRow;
use crate::work::Send;

/// The channel's message about one lock or freeze, edited as it goes on.
pub async fn channel(
    tx: &mut Tx,
    (platform, channel): (&str, &Channel),
    key: String,
    says: Message,
) -> anyhow::Result<()> {
    tx.send(&Send::to(platform, channel, says).key(key)).await
}

/// One person by themselves, where the platform knows them.
pub async fn person(
    app: &App,
    tx: &mut Tx,
    (platform, channel): (&str, &Channel),
    whom: &Person,
    says: Message,
) -> anyhow::Result<()> {
    let Some(user) = people::user_on(&app.settings(), platform, whom) else { return Ok(()) };
    tx.send(&Send::to(platform, channel, says).direct(user)).await
}

/// The plans that wait for something in `scope`, without those of one person: a line in each thread, and its message
/// brought up to date. `look`: their facts are gathered anew.
pub async fn plans(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    without: Option<&Person>,
    look: bool,
    says: impl Fn(&PlanRow) -> Message,
) -> anyhow::Result<()> {
    let waits =
        |row: &PlanRow| row.state.waits() && row.revision > 0 && scope.covers(&row.plan.service, &row.plan.environment);
    for row in tx.open_plans().await?.iter().filter(|row| waits(row) && Some(&row.plan.by) != without) {
        show::in_thread(tx, row, says(row)).await?;
        if let Some(revision) = tx.revision(&row.plan.id, row.revision).await? {
            show::main(app, tx, row, &revision).await?;
        }
        if look {
            tx.due(&Due::Advise { plan: row.plan.id.clone() }, tx.now).await?;
        }
    }
    Ok(())
}
