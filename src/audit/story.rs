//! The story of one plan, gathered from the store for `why`, the terminal, the page and the pack.

use std::collections::BTreeSet;

use crate::audit::rules;
use crate::clock::Time;
use crate::config::Settings;
use crate::ledger::Record;
use crate::message::Message;
use crate::name::PlanId;
use crate::store::Store;
use crate::wording;

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
        rules: &judged,
        entries: &entries,
    };
    Ok(Some(wording::why::plan(&story, settings, now)))
}
