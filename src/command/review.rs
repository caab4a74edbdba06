//! `review`: somebody else than planner and authors says whether a plan is sound as it is written.

use super::Call;
use crate::approval::may_review;
use crate::ledger::Statement;
use crate::plan::show;
use crate::{people, wording};

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    if !call.arguments.missing().is_empty() {
        return call.answer(super::form::for_command(call)).await;
    }
    let seen = call.plan().await?;
    let sound = call.arguments.get("finding") == Some("sound");
    let note = call.arguments.get("note").map(str::trim).filter(|note| !note.is_empty());
    let speaker = people::speaker_now_on(call.app, call.from, &call.person, &seen.plan).await?;
    let mut tx = call.begin().await?;
    let Some((mut row, revision)) = call.waiting(&mut tx, &seen.plan.id).await? else { return tx.commit().await };
    let asked = &revision.advice.asked;
    if asked.review.is_none() {
        return Err(call.refuse(wording::refusal::no_review_asked(&row)));
    }
    let change = revision.facts.change.first().map(|fact| &fact.value);
    let role = match may_review(speaker.as_ref(), &row.plan, change, &asked.reviewers, &call.settings) {
        Ok(role) => role,
        Err(refusal) => {
            let record = Statement::new("review.refused").by(call.from, Some(&call.person), None);
            let record = record.of(&row, Some(&revision.brief)).evidence(&call.claim.id, None);
            tx.record(call.app, record.with("because", wording::refusal::code(&refusal))).await?;
            let says = wording::refusal::review(&refusal, &call.person);
            super::whisper(&mut tx, call.from, Some(show::main_key(&row.plan.id)), wording::refusal::plain(&says))
                .await?;
            return tx.commit().await;
        }
    };
    if !sound && note.is_none() {
        drop(tx);
        return call.answer(super::form::for_command(call)).await;
    }
    row.reviewed = sound.then(|| (call.now, call.person.clone()));
    tx.update_plan(&row).await?;
    let record = Statement::new("review.given")
        .by(call.from, Some(&call.person), role.as_ref())
        .of(&row, Some(&revision.brief))
        .evidence(&call.claim.id, None)
        .verdict(if sound { "sound" } else { "changes" })
        .text("note", note);
    let entry = tx.record(call.app, record).await?;
    show::in_thread(&mut tx, &row, wording::card::reviewed(&row, &call.person, sound, note)).await?;
    show::card(&mut tx, &row, &revision, &call.settings, &entry).await?;
    show::main(call.app, &mut tx, &row, &revision).await?;
    tx.commit().await
}
