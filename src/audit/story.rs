//! The story of one plan, gathered from the store for `why`, the terminal, the page and the pack.

use std::collections::BTreeSet;

use crate::audit::rules;
use crate::clock::Time;
use crate::config::Settings;
use crate::ledger::Record;
use crate::message::Message;
use crate::name::PlanId;
use crate::store::Store;
use crate::store::ledger::StoredEntry;
use crate::wording;
use crate::wording::why::Acted;

/// What is told of a plan, in words. None where there is no such plan.
pub async fn story(store: &Store, settings: &Settings, id: &PlanId, now: Time) -> anyhow::Result<Option<Message>> {
    let Some(row) = store.plan(id).await? else { return Ok(None) };
    let revision = store.revision(id, row.revision).await?;
    let words = store.words(id).await?;
    let deployment = store.deployment_of(id).await?;
    let alerts = match &deployment {
        Some(deployment) => store.alerts(&deployment.deployment.id).await?,
        None => Vec::new(),
    };
    let entries = store.ledger_of(id).await?;
    let mut judged = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in &entries {
        let Some(policy) = Record::parse(&entry.bytes).ok().and_then(|record| record.policy) else { continue };
        // What is owed is asked for by rules, not decided under them.
        if entry.kind != "obligation" && seen.insert(policy.digest.clone()) {
            judged.push(rules::behind(store, &policy.digest, entry.seq).await?);
        }
    }
    let owed = store.obligations_of(id).await?;
    let mut overrides = Vec::new();
    for given in store.overrides(id).await? {
        let texts = store.ledger_texts(given.entry, given.entry).await?;
        let why = texts.into_iter().find(|(_, text)| text.name == "why").and_then(|(_, text)| text.kept);
        overrides.push((given, why.map(|(_, body)| body)));
    }
    let story = wording::why::Story {
        row: &row,
        revision: revision.as_ref(),
        words: &words,
        deployment: deployment.as_ref(),
        alerts: &alerts,
        overrides: &overrides,
        owed: &owed,
        accounts: &accounts(&entries),
        rules: &judged,
        entries: &entries,
    };
    Ok(Some(wording::why::plan(&story, settings, now)))
}

/// The accounts that people acted with, as the entries themselves say.
fn accounts(entries: &[StoredEntry]) -> Vec<Acted> {
    let mut found = BTreeSet::new();
    for record in entries.iter().filter_map(|entry| Record::parse(&entry.bytes).ok()) {
        let actor = &record.actor;
        let (Some(person), Some(platform), Some(user)) = (&actor.person, &actor.provider, &actor.user) else {
            continue;
        };
        let number = |name: &str| record.data.get(name).and_then(serde_json::Value::as_i64);
        found.insert(Acted {
            person: person.clone(),
            account: format!("{platform} {user}"),
            known_by: record.data.get("known_by").and_then(|by| by.as_str()).map(str::to_owned),
            link: number("known_since").map(Time::from_ms).zip(number("known_entry")),
        });
    }
    found.into_iter().collect()
}
