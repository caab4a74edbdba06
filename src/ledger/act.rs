//! What an operator does to the ledger from the command line of the machine that holds its key: each act is an entry.
//!
//! The command line has no sign-in: who may read the key file may act, and `by` is their word for who they are. It must be
//! a person of the settings, so that the record names nobody who does not exist.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::command::BadCommand;
use crate::config::{PersonKind, Settings};
use crate::name::Person;

use super::erase::What;
use super::hold::{Scope, holds};
use super::{Actor, Salt, Statement};

/// One act.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Act {
    /// Another key signs from here on.
    Rotate {
        by: Person,
        why: String,
    },
    /// Texts go: of one entry (all, or those named), or whatever a person wrote.
    Erase {
        by: Person,
        why: String,
        #[serde(default)]
        entry: Option<i64>,
        #[serde(default)]
        person: Option<Person>,
        #[serde(default)]
        names: Vec<String>,
    },
    /// Nothing in a scope may be erased from here on.
    HoldAdd {
        by: Person,
        why: String,
        scope: String,
    },
    HoldLift {
        by: Person,
        why: String,
        scope: String,
    },
    /// An account that was linked is that person's no more.
    Unlink {
        by: Person,
        why: String,
        account: String,
    },
}

impl Act {
    fn who(&self) -> (&Person, &str) {
        match self {
            Act::Rotate { by, why }
            | Act::Erase { by, why, .. }
            | Act::HoldAdd { by, why, .. }
            | Act::HoldLift { by, why, .. }
            | Act::Unlink { by, why, .. } => (by, why),
        }
    }
}

/// Does it, records it, and says what was done: `says` for people, the rest for programs.
pub async fn act(app: &App, act: &Act) -> anyhow::Result<Value> {
    let (by, why) = act.who();
    operator(&app.settings(), by, why)?;
    match act {
        Act::Rotate { by, why } => rotate(app, by, why).await,
        Act::Erase { by, why, entry: Some(seq), person: None, names } => {
            super::erase::erase(app, What::Entry(*seq, names), by, why).await
        }
        Act::Erase { by, why, entry: None, person: Some(person), .. } => {
            super::erase::erase(app, What::Of(person), by, why).await
        }
        Act::Erase { .. } => Err(BadCommand("Name either an entry or a person.".to_owned()).into()),
        Act::HoldAdd { by, why, scope } => hold(app, by, why, scope, true).await,
        Act::HoldLift { by, why, scope } => hold(app, by, why, scope, false).await,
        Act::Unlink { by, why, account } => {
            let (linked, says) = crate::people::link::end_by_operator(app, by, why, account).await?;
            Ok(json!({ "linked": linked, "account": account, "says": says }))
        }
    }
}

/// Refuses an operator whom the settings do not know as a member, or who gives no reason.
pub(super) fn operator(settings: &Settings, by: &Person, why: &str) -> Result<(), BadCommand> {
    match settings.people.get(by) {
        None => return Err(BadCommand(format!("The settings know no person `{by}`: say who you are with --by."))),
        Some(person) if person.kind != PersonKind::Member => {
            return Err(BadCommand(format!("`{by}` is not a member, and only members act on the record.")));
        }
        Some(_) => {}
    }
    if why.trim().is_empty() {
        return Err(BadCommand("Say why with --why: the reason stands in the record.".to_owned()));
    }
    Ok(())
}

async fn hold(app: &App, by: &Person, why: &str, scope: &str, place: bool) -> anyhow::Result<Value> {
    let scope = Scope::parse(scope).map_err(|why| BadCommand(why.to_string()))?;
    let mut tx = app.store.begin(app.clock.now()).await?;
    let there = holds(&app.store).await?.iter().any(|hold| hold.scope == scope);
    let (kind, says) = match (place, there) {
        (true, true) => return Err(BadCommand(format!("There is a hold on {scope} already.")).into()),
        (false, false) => return Err(BadCommand(format!("There is no hold on {scope}.")).into()),
        (true, false) => ("hold.placed", "nothing in its scope can be erased until it is lifted"),
        (false, true) => ("hold.lifted", "what it covered may be erased again"),
    };
    let statement = Statement::new(kind).by_operator(by).with("scope", scope.to_string()).text("why", Some(why));
    let receipt = tx.record(app, statement).await?;
    tx.commit().await?;
    let done = if place { "places a hold on" } else { "lifts the hold on" };
    Ok(json!({ "seq": receipt.seq, "scope": scope.to_string(), "checkpoint": receipt.checkpoint,
        "says": format!("Entry {} {done} {scope}: {says}.", receipt.seq) }))
}

async fn rotate(app: &App, by: &Person, why: &str) -> anyhow::Result<Value> {
    let (old, now) = (app.signer.public(), app.clock.now());
    let next = app.signer.prepare()?;
    let actor = Actor::user("cli", "operator", by.as_str()).person(by.as_str());
    let mut salt = [0u8; 32];
    getrandom::fill(&mut salt).map_err(|_| anyhow::anyhow!("the operating system gives no random bytes"))?;
    let mut tx = app.store.begin(now).await?;
    let entry = app.signer.hand_over(&next, now, actor).text("why", why, Salt(salt));
    let receipt = tx.append(&app.signer, entry, Some(&next)).await?;
    tx.commit().await?;
    app.signer.take_over(next)?;
    let new = app.signer.public();
    Ok(json!({
        "seq": receipt.seq, "old": old.to_string(), "new": new.to_string(), "first": app.signer.first().to_string(),
        "checkpoint": receipt.checkpoint,
        "says": format!(
            "Entry {} hands over to a new key, signed by both. Checkpoints up to entry {} stay good under the old key, later ones are signed by {new}. Other replicas need the new ledger.key.",
            receipt.seq, receipt.seq - 1
        ),
    }))
}
