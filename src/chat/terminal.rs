//! The emergency path, when the chat is down: an approval in the terminal by a person with a token of their own. The same
//! people may, for the same brief; the record names the medium, and the thread hears of it when the chat is back.

use crate::app::App;
use crate::approval::WordKind;
use crate::config::SecondStep;
use crate::event::From;
use crate::message::tame;
use crate::name::{Person, PlanId, new_id};
use crate::people::{self, TERMINAL};
use crate::plan::second_step::Confirmation;
use crate::plan::word::{self, Given, Said};
use crate::wording;

/// How long the chat may think about who somebody is, before the settings alone tell it.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// It counts; one sentence says how the approvals stand.
    Counts(String),
    /// It does not; one sentence says why.
    Not(String),
}

/// Approves the brief with this hash, if it is still the one that asks. `typed`: the service's name, where a second step is
/// asked for.
pub async fn approve(
    app: &App,
    person: &Person,
    id: &PlanId,
    brief: &str,
    why: &str,
    typed: Option<&str>,
) -> anyhow::Result<Spoken> {
    let not = |says: String| Ok(Spoken::Not(says));
    if why.trim().chars().count() < 3 {
        return not("The emergency path needs a reason.".to_owned());
    }
    let Some(seen) = app.store.plan(id).await? else {
        return not(format!("There is no plan `{}`.", tame(id.as_str(), 60)));
    };
    crate::gate::look_again(app, &seen).await?;
    let mut speaker = people::speaker_on(app, person, &seen.plan).await?;
    // Where the chat answers, whom it calls a guest or deactivated is one here, too; where it is down, the settings tell.
    let asked = tokio::time::timeout(PATIENCE, people::kind_now(app, &seen.platform, person)).await;
    if let (Some(speaker), Ok(Ok(kind))) = (&mut speaker, asked) {
        speaker.kind = kind;
    }
    let settings = app.settings();
    let now = app.clock.now();
    let mut tx = app.store.begin(now).await?;
    let Some(mut row) = tx.plan(id).await? else { return not(format!("There is no plan `{id}`.")) };
    if !row.state.waits() {
        return not(wording::refusal::over(&row));
    }
    let Some(revision) = tx.revision(id, row.revision).await?.filter(|r| row.stale_at.is_none() && r.plan == row.plan)
    else {
        return not(wording::overriding::no_brief(&row));
    };
    if revision.brief != brief {
        return not(format!("The brief of `{id}` changed meanwhile: read revision {} first.", row.revision));
    }
    let from = From::new(TERMINAL, person.as_str(), row.channel.clone());
    let event = new_id(now);
    let typed = typed.is_some_and(|typed| typed.trim() == row.plan.service.as_str());
    let asked = typed && revision.advice.asked.second_step.is_some();
    let confirmed = asked.then_some(Confirmation { how: SecondStep::Typed, step: None, proof: None });
    let said = Said {
        from: &from,
        kind: WordKind::Approve,
        at: now,
        event: &event,
        message: None,
        read_back: false,
        why: Some(why),
        confirmed: confirmed.as_ref(),
        only_if: None,
    };
    let given = word::give(app, &mut tx, &settings, &mut row, &revision, speaker.as_ref(), &said).await?;
    tx.commit().await?;
    app.wake();
    Ok(match given {
        Given::Counts(tally) => Spoken::Counts(wording::card::progress(&row, &tally)),
        Given::Already | Given::Asked => {
            Spoken::Not(format!("You approved revision {} of `{id}` already.", row.revision))
        }
        Given::Not(says) => Spoken::Not(says),
    })
}
