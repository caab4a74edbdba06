//! Slash commands: their specs (`commands/*.toml`), their arguments, and a file for each.
//!
//! Adding a command: one spec, one file here, one line in [`spec::ALL`] and one in [`run`].

mod amend;
mod approve_if;
pub mod arguments;
mod cancel;
mod changed;
mod delegate;
mod finished;
mod followup;
pub mod form;
mod freeze;
mod help;
mod link;
mod lock;
mod lookup;
mod offer;
mod outcome;
mod overriding;
pub mod plan;
mod policy;
mod preview;
mod review;
mod risk;
mod rolledback;
pub mod spec;
mod start;
mod status;
mod take;
pub mod time;
mod unlock;
mod verify;
mod watch;
mod why;
mod windows;

pub use arguments::{Arguments, BadCommand, parse};
pub use form::{form_errors, form_wanted};
pub use offer::{Beside, Offer, offers};
pub use preview::preview;
pub use spec::{ALL, Argument, ArgumentKind, Spec};
pub use start::{begin, confirm};
pub use windows::search as search_windows;

use std::sync::Arc;

use crate::app::App;
use crate::clock::Time;
use crate::config::{PersonKind, Settings};
use crate::event::From;
use crate::message::Message;
use crate::name::{Person, PlanId};
use crate::store::plan::{PlanRow, Revision};
use crate::store::{Claim, Tx};
use crate::wording;
use crate::work::Send;

/// One command by one person, ready to be carried out.
#[derive(Debug)]
pub struct Call<'a> {
    pub app: &'a App,
    pub claim: &'a Claim,
    pub from: &'a From,
    pub person: Person,
    pub arguments: Arguments,
    pub settings: Arc<Settings>,
    /// When it was typed.
    pub at: Time,
    pub now: Time,
}

/// Reads a command and carries it out; whatever does not read is answered in one sentence, to its author alone.
pub async fn run(app: &App, claim: &Claim, from: &From, text: &str, at: Time) -> anyhow::Result<()> {
    let settings = app.settings();
    let read = parse(text, &settings.chat.command);
    run_parsed(app, claim, from, read, at).await
}

/// Carries out a command whose arguments came as text or from a form.
pub async fn run_parsed(
    app: &App,
    claim: &Claim,
    from: &From,
    read: Result<Arguments, BadCommand>,
    at: Time,
) -> anyhow::Result<()> {
    let settings = app.settings();
    let now = app.clock.now();
    let refused = |says: String| answer(app, claim, from, wording::refusal::plain(&says));
    let Some(person) = crate::event::person_of(&settings, from) else {
        if let Ok(arguments) = read
            && arguments.spec.name == "link"
        {
            return link::stranger(app, claim, from, arguments.get("what").unwrap_or_default()).await;
        }
        return refused(wording::refusal::stranger(&from.user)).await;
    };
    let arguments = match read {
        Ok(arguments) => arguments,
        Err(BadCommand(says)) => return refused(says).await,
    };
    if arguments.spec.changes {
        let Some(speaker) = crate::people::speaker_now(app, from, &person).await? else {
            return refused(wording::refusal::stranger(&from.user)).await;
        };
        let kind = speaker.kind;
        if kind != PersonKind::Member {
            return refused(wording::refusal::may_only_look(kind)).await;
        }
    }
    let call = Call { app, claim, from, person, arguments, settings, at, now };
    let done = match call.arguments.spec.name.as_str() {
        "plan" => plan::run(&call).await,
        "amend" => amend::run(&call).await,
        "take" => take::run(&call).await,
        "changed" => changed::run(&call).await,
        "windows" => windows::run(&call).await,
        "status" => status::run(&call).await,
        "start" => start::run(&call).await,
        "finished" => finished::run(&call).await,
        "rolledback" => rolledback::run(&call).await,
        "outcome" => outcome::run(&call).await,
        "override" => overriding::run(&call).await,
        "delegate" => delegate::run(&call).await,
        "link" => link::run(&call).await,
        "followup" => followup::run(&call).await,
        "cancel" => cancel::run(&call).await,
        "review" => review::run(&call).await,
        "risk" => risk::run(&call).await,
        "approve-if" => approve_if::run(&call).await,
        "watch" => watch::run(&call).await,
        "lock" => lock::run(&call).await,
        "unlock" => unlock::run(&call).await,
        "freeze" => freeze::run(&call).await,
        "why" => why::run(&call).await,
        "policy" => policy::run(&call).await,
        "verify" => verify::run(&call).await,
        _ => help::run(&call).await,
    };
    match done {
        Err(error) => match error.downcast::<BadCommand>() {
            Ok(BadCommand(says)) => answer(app, claim, from, wording::refusal::plain(&says)).await,
            Err(error) => Err(error),
        },
        done => done,
    }
}

/// Answers one person alone and is done.
pub async fn answer(app: &App, claim: &Claim, from: &From, message: Message) -> anyhow::Result<()> {
    let mut tx = app.store.begin_finishing(claim, app.clock.now()).await?;
    whisper(&mut tx, from, None, message).await?;
    tx.commit().await
}

/// A message that one person alone sees, in the channel or in a thread.
pub async fn whisper(tx: &mut Tx, from: &From, thread: Option<String>, message: Message) -> anyhow::Result<()> {
    let note = Send::to(&from.platform, &from.channel, message).thread(thread).only_for(Some(from.user.clone()));
    tx.send(&Send { answer: from.answer.clone(), ..note }).await
}

impl Call<'_> {
    /// Refuses with one sentence: `return Err(call.refuse("…"))`.
    pub fn refuse(&self, says: impl Into<String>) -> anyhow::Error {
        BadCommand(says.into()).into()
    }

    /// A plan that waits, as it stands in this transaction, with the brief that is of it; None: it is gone.
    pub async fn waiting(&self, tx: &mut Tx, id: &PlanId) -> anyhow::Result<Option<(PlanRow, Revision)>> {
        let Some(row) = tx.plan(id).await? else { return Ok(None) };
        if !row.state.waits() {
            return Err(self.refuse(wording::refusal::over(&row)));
        }
        // While an amendment is being gathered the newest brief is of the plan as it was.
        match tx.revision(id, row.revision).await?.filter(|revision| revision.plan == row.plan) {
            Some(revision) => Ok(Some((row, revision))),
            None => Err(self.refuse(wording::refusal::still_gathering(&row))),
        }
    }

    pub async fn begin(&self) -> anyhow::Result<Tx> {
        let mut tx = self.app.store.begin_finishing(self.claim, self.now).await?;
        if !crate::people::link::still(self.app, &mut tx, self.from, &self.person).await? {
            return Err(self.refuse(wording::refusal::stranger(&self.from.user)));
        }
        Ok(tx)
    }

    /// Answers the caller alone and is done.
    pub async fn answer(&self, message: Message) -> anyhow::Result<()> {
        answer(self.app, self.claim, self.from, message).await
    }
}
