//! `override`: goes on in spite of a named blocker, if the role allows it; loud, by name and with a reason.

use super::Call;
use crate::approval::overriding::{Denied, Override, bound, may_go_on};
use crate::ledger::Statement;
use crate::name::new_id;
use crate::people;
use crate::plan::{overriding, show};
use crate::wording;

/// The shortest reason that says anything.
const SHORTEST: usize = 3;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let seen = call.plan().await?;
    if !seen.state.waits() {
        return Err(call.refuse(wording::refusal::over(&seen)));
    }
    let code = call.arguments.get("code").unwrap_or_default().trim_matches('`').to_lowercase();
    let code = code.as_str();
    let settings = &call.settings;
    let roles = crate::advice::policy::may_override(settings, code, &seen.plan.environment);
    if roles.is_empty() {
        return Err(call.refuse(wording::overriding::no_rule(&seen, code, settings)));
    }
    let Some(speaker) = people::speaker_on(call.app, &call.person, &seen.plan).await? else {
        return Err(call.refuse(wording::refusal::stranger(&call.from.user)));
    };
    let why = call.arguments.get("why").filter(|why| why.chars().count() >= SHORTEST);
    let Some(why) = why else { return Err(call.refuse(wording::overriding::no_reason(&seen, code))) };
    let mut tx = call.begin().await?;
    let Some(mut row) = tx.plan(&seen.plan.id).await?.filter(|row| row.state.waits()) else {
        return tx.commit().await;
    };
    let refused = async |mut tx: crate::store::Tx, says: String| {
        super::whisper(&mut tx, call.from, None, wording::refusal::plain(&says)).await?;
        tx.commit().await
    };
    let Some(revision) =
        tx.revision(&row.plan.id, row.revision).await?.filter(|r| row.stale_at.is_none() && r.plan == row.plan)
    else {
        return refused(tx, wording::overriding::no_brief(&row)).await;
    };
    let change = revision.facts.change.first().map(|fact| &fact.value);
    let role = match may_go_on(&speaker, code, &row.plan, change, settings) {
        Ok(role) => role,
        Err(denied) => {
            let because = match denied {
                Denied::NoRule => "rule",
                Denied::NoRole(_) => "role",
                Denied::DutyUnknown(_) => "duty-unknown",
                Denied::Own => "own",
            };
            let record = Statement::new("override")
                .by(call.from, Some(&call.person), None)
                .of(&row, Some(&revision.brief))
                .evidence(&call.claim.id, None)
                .verdict("refused");
            tx.record(call.app, record.with("code", code).with("because", because)).await?;
            return refused(tx, wording::overriding::denied(&row, code, &denied, settings)).await;
        }
    };
    let blocks = overriding::blocks(&mut tx, &row, &revision, settings).await?;
    let Some(block) = blocks.iter().find(|block| block.code == code) else {
        return refused(tx, wording::overriding::nothing_needs_it(&row, code, &blocks)).await;
    };
    let earlier = tx.overrides(&row.plan.id).await?;
    if let Some(given) = overriding::against(&earlier, block, &row, settings, tx.now) {
        return refused(tx, wording::overriding::already(&row, given)).await;
    }
    // What no longer holds makes room for this one.
    overriding::end(call.app, &mut tx, &row, |given| (given.code == code).then(|| "another took its place".to_owned()))
        .await?;
    let facts: Vec<String> = block.facts.iter().cloned().collect();
    let digest = crate::advice::policy_digest(settings);
    let record = Statement::new("override")
        .by(call.from, Some(&call.person), Some(&role))
        .of(&row, Some(&revision.brief))
        .evidence(&call.claim.id, None)
        .policy(&digest, Some(code), None)
        .verdict("given");
    let entry = tx.record(call.app, record.with("code", code).with("facts", facts).text("why", Some(why))).await?;
    let given = Override {
        id: new_id(tx.now),
        revision: row.revision,
        code: code.to_owned(),
        bound: bound(&row.plan),
        facts: block.facts.clone(),
        person: call.person.clone(),
        role,
        entry: entry.seq,
        at: tx.now,
        used_at: None,
        over_at: None,
        over_reason: None,
    };
    tx.insert_override(&row.plan.id, &given).await?;
    crate::plan::word::settle(call.app, &mut tx, &mut row, &revision, settings).await?;
    show::in_thread(&mut tx, &row, wording::overriding::given(&row, &given, block, why, settings, call.now)).await?;
    show::card(&mut tx, &row, &revision, settings, &entry).await?;
    tx.commit().await
}
