//! `delegate`: names a deputy for a while, or ends one.

use super::Call;
use super::time::Lean;
use crate::approval::deputy::Deputy;
use crate::config::PersonKind;
use crate::event::Due;
use crate::ledger::Statement;
use crate::name::{Role, new_id};
use crate::people;
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let settings = &call.settings;
    let named = call.people("to")?;
    let [to] = named.as_slice() else { return Err(call.refuse("Name one person: `delegate lin --until …`.")) };
    if call.arguments.get("end").is_some() {
        return end(call, to).await;
    }
    if *to == call.person {
        return Err(call.refuse(wording::deputy::not_oneself()));
    }
    if people::kind_now(call.app, &call.from.platform, to).await? != PersonKind::Member {
        return Err(call.refuse(wording::deputy::no_member(to)));
    }
    let own: &[Role] = settings.people.get(&call.person).map(|known| known.roles.as_slice()).unwrap_or_default();
    if own.is_empty() {
        return Err(call.refuse(wording::deputy::nothing_to_lend()));
    }
    let role = match call.arguments.get("role") {
        None => None,
        Some(typed) => match own.iter().find(|role| role.as_str() == typed) {
            Some(role) => Some(role.clone()),
            None => return Err(call.refuse(wording::deputy::not_your_role(typed, own))),
        },
    };
    let longest = settings.policy.longest_delegation;
    let Some(until) = call.arguments.get("until") else { return Err(call.refuse(wording::deputy::no_end(longest))) };
    let until = call.time(until, Lean::Future)?;
    if until <= call.now {
        return Err(call.refuse("That is in the past."));
    }
    if until.since(call.now) > longest.ms() {
        return Err(call.refuse(wording::deputy::too_long(longest)));
    }
    let mut tx = call.begin().await?;
    let known = tx.deputies().await?;
    let same = known.iter().find(|d| d.lender == call.person && d.is_active(tx.now) && d.overlaps(role.as_ref()));
    if let Some(same) = same {
        let says = wording::deputy::already(same, settings, call.now);
        super::whisper(&mut tx, call.from, None, wording::refusal::plain(&says)).await?;
        return tx.commit().await;
    }
    let deputy = Deputy {
        id: new_id(tx.now),
        lender: call.person.clone(),
        person: to.clone(),
        role,
        since: tx.now,
        until,
        platform: call.from.platform.clone(),
        channel: call.from.channel.clone(),
        ended_at: None,
        ended_reason: None,
    };
    tx.insert_deputy(&deputy).await?;
    let record = Statement::new("delegate")
        .by(call.from, Some(&call.person), None)
        .evidence(&call.claim.id, None)
        .verdict("given")
        .with("deputy", deputy.id.clone())
        .with("to", to.to_string())
        .with("role", deputy.role.as_ref().map(ToString::to_string))
        .with("until", until.ms())
        .text("why", call.arguments.get("why"));
    tx.record(call.app, record).await?;
    tx.due(&Due::Deputy { deputy: deputy.id.clone() }, until).await?;
    people::deputy::say(&mut tx, &deputy, wording::deputy::named(&deputy, settings, call.now)).await?;
    tx.commit().await
}

async fn end(call: &Call<'_>, to: &crate::name::Person) -> anyhow::Result<()> {
    let mut tx = call.begin().await?;
    let known = tx.deputies().await?;
    let ours: Vec<&Deputy> = known.iter().filter(|d| d.lender == call.person && d.person == *to).collect();
    if ours.is_empty() {
        let says = wording::deputy::none_to_end(to);
        super::whisper(&mut tx, call.from, None, wording::refusal::plain(&says)).await?;
    }
    for deputy in ours {
        let record = Statement::new("delegate").by(call.from, Some(&call.person), None).evidence(&call.claim.id, None);
        people::deputy::end(call.app, &mut tx, deputy, record, "its lender ended it").await?;
    }
    tx.commit().await
}
