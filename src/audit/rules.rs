//! The rules in force: recorded when they change, with their whole text, what is off or in shadow, and who approved them.
//!
//! Settings are a file; whoever runs Tidegate puts them in force, and no process can know who edited it. So the record says
//! what it can: which rules judge from when on, and the word of the people whom the rules themselves ask for it.

use anyhow::Context;

use crate::advice::policy_digest;
use crate::app::App;
use crate::clock::Time;
use crate::config::{CheckMode, Settings};
use crate::event::From;
use crate::ledger::{MAX_TEXT, Record, Statement};
use crate::message::Message;
use crate::name::{Person, Role};
use crate::store::{Claim, Store, Tx};
use crate::wording;
use crate::work::Send;

/// How many changes of the rules are looked through for one digest.
const FAR: i64 = 200;

/// The rules behind one digest, as the ledger has them.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Rules {
    pub digest: String,
    /// When they came into force, and by which entry; None where the ledger does not say.
    pub since: Option<(Time, i64)>,
    pub off: Vec<String>,
    pub shadow: Vec<String>,
    pub approved: Vec<Approved>,
}

/// Somebody's word for rules.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Approved {
    pub by: Person,
    pub role: Option<Role>,
    pub at: Time,
    pub entry: i64,
}

/// Puts on record which rules judge from now on, where they are not the ones recorded last; and asks those for their word
/// whom the rules name. `when`: `start` or `reload`.
pub async fn put_in_force(app: &App, settings: &Settings, when: &str) -> anyhow::Result<()> {
    let digest = policy_digest(settings);
    let mut tx = app.store.begin(app.clock.now()).await?;
    let last = tx.newest_of_kind("policy.changed", 1).await?;
    let before = last.first().and_then(|entry| Record::parse(&entry.bytes).ok()).and_then(|record| of(&record));
    if before.as_deref() == Some(digest.as_str()) {
        return tx.commit().await;
    }
    let named = |wanted: CheckMode| -> Vec<String> {
        settings.policy.checks.iter().filter(|(_, mode)| **mode == wanted).map(|(code, _)| code.clone()).collect()
    };
    let text = serde_json_canonicalizer::to_string(&settings.policy).context("the policy has no canonical form")?;
    let record = Statement::new("policy.changed")
        .with("before", before)
        .with("after", digest)
        .with("when", when)
        .with("off", named(CheckMode::Off))
        .with("shadow", named(CheckMode::Shadow))
        .text("policy", Some(&text).filter(|text| text.len() <= MAX_TEXT).map(String::as_str));
    tx.record(app, record).await?;
    if !settings.policy.approved_by.is_empty() {
        say(app, &mut tx, wording::policy::asks(settings)).await?;
    }
    tx.commit().await
}

/// A named person's word for the rules in force.
pub async fn approve(app: &App, claim: &Claim, from: &From, person: &Person, role: &Role) -> anyhow::Result<()> {
    let settings = app.settings();
    let digest = policy_digest(&settings);
    let now = app.clock.now();
    let seen = in_force(&app.store, &settings).await?;
    let mut tx = app.store.begin_finishing(claim, now).await?;
    if let Some(word) = seen.approved.iter().find(|word| word.by == *person) {
        let says = wording::policy::approved_already(word, &settings, now);
        crate::command::whisper(&mut tx, from, None, wording::refusal::plain(&says)).await?;
        return tx.commit().await;
    }
    let record = Statement::new("policy.approved")
        .by(from, Some(person), Some(role))
        .evidence(&claim.id, None)
        .policy(&digest, None, None)
        .with("after", digest.clone());
    tx.record(app, record).await?;
    say(app, &mut tx, wording::policy::approved(person, role, &digest)).await?;
    tx.commit().await
}

/// The rules as they are now.
pub async fn in_force(store: &Store, settings: &Settings) -> anyhow::Result<Rules> {
    behind(store, &policy_digest(settings), i64::MAX).await
}

/// The rules of a digest as they stood at an entry.
pub async fn behind(store: &Store, digest: &str, seq: i64) -> anyhow::Result<Rules> {
    let mut rules = Rules { digest: digest.to_owned(), ..Rules::default() };
    for entry in store.newest_of_kind("policy.changed", seq, FAR).await? {
        let Ok(record) = Record::parse(&entry.bytes) else { continue };
        if of(&record).as_deref() != Some(digest) {
            continue;
        }
        let list = |name: &str| -> Vec<String> {
            let values = record.data.get(name).and_then(|value| value.as_array()).into_iter().flatten();
            values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
        };
        rules.since = Some((entry.at, entry.seq));
        (rules.off, rules.shadow) = (list("off"), list("shadow"));
        break;
    }
    for entry in store.newest_of_kind("policy.approved", seq, FAR).await?.into_iter().rev() {
        let Ok(record) = Record::parse(&entry.bytes) else { continue };
        if of(&record).as_deref() != Some(digest) {
            continue;
        }
        let Some(by) = record.actor.person else { continue };
        let role = record.actor.role.map(Role::new);
        rules.approved.push(Approved { by: Person::new(by), role, at: entry.at, entry: entry.seq });
    }
    Ok(rules)
}

/// The digest that an entry about rules is about.
fn of(record: &Record) -> Option<String> {
    record.data.get("after").and_then(|value| value.as_str()).map(str::to_owned)
}

async fn say(app: &App, tx: &mut Tx, message: Message) -> anyhow::Result<()> {
    tx.send(&Send::home(app, message)).await
}
