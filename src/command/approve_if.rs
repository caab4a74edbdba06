//! `approve-if`: an approval on a condition from a list. Whoever may approve may say it; it counts while the condition holds.

use super::time::Lean;
use super::{BadCommand, Call, form, whisper};
use crate::approval::condition::Condition;
use crate::approval::deputy::Deputy;
use crate::approval::{Speaker, WordKind, may_speak_also_for};
use crate::config::PersonKind;
use crate::event::Due;
use crate::name::Person;
use crate::people;
use crate::plan::show;
use crate::plan::word::{self, Given, Said};
use crate::store::plan::{PlanRow, Revision};
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    if !call.arguments.missing().is_empty() {
        return call.answer(form::for_command(call)).await;
    }
    let seen = call.plan().await?;
    if !seen.state.waits() {
        return Err(call.refuse(wording::refusal::over(&seen)));
    }
    if lacks(call) {
        return call.answer(form::approve_if(call, &seen)).await;
    }
    let back = call.arguments.get("back").is_some();
    let condition = if back { None } else { Some(read(call).map_err(|(_, wrong)| wrong)?) };
    let speaker = people::speaker_now_on(call.app, call.from, &call.person, &seen.plan).await?;
    // Who else would have to approve, and whether they could.
    let other = match &condition {
        Some(Condition::Approves(person)) => people::speaker_on(call.app, person, &seen.plan).await?,
        _ => None,
    };
    let mut tx = call.begin().await?;
    let Some((mut row, revision)) = call.waiting(&mut tx, &seen.plan.id).await? else { return tx.commit().await };
    let said = Said {
        from: call.from,
        kind: WordKind::Approve,
        at: call.at,
        event: &call.claim.id,
        message: None,
        read_back: false,
        why: None,
        only_if: condition.as_ref(),
        confirmed: None,
    };
    let Some(condition) = &condition else {
        let words = tx.words(&row.plan.id).await?;
        let own = |word: &&crate::approval::Word| word.person == call.person && word.revision == row.revision;
        if !words.iter().filter(own).any(|word| word.stands() && word.only_if.is_some()) {
            return Err(call.refuse(wording::condition::none_to_take_back(&row.plan.id)));
        }
        word::withdraw(call.app, &mut tx, &call.settings, &mut row, &revision, &call.person, &said).await?;
        return tx.commit().await;
    };
    let deputies = tx.deputies().await?;
    if let Some(says) = stands_in_the_way(call, condition, &row, &revision, (other.as_ref(), &deputies)) {
        return Err(call.refuse(says));
    }
    let given = word::give(call.app, &mut tx, &call.settings, &mut row, &revision, speaker.as_ref(), &said).await?;
    let thread = Some(show::main_key(&row.plan.id));
    match given {
        // Outside systems are asked at once, and when the clock alone turns it.
        Given::Counts(_) => tx.due(&Due::Advise { plan: row.plan.id.clone() }, call.now).await?,
        Given::Already => {
            let says = wording::condition::approved_already(&row);
            whisper(&mut tx, call.from, thread, wording::refusal::plain(&says)).await?;
        }
        // Refused above: where a second step is asked for there are no conditions.
        Given::Asked => {}
        Given::Not(says) => whisper(&mut tx, call.from, thread, wording::refusal::plain(&says)).await?,
    }
    tx.commit().await
}

/// Whether it says neither on which condition nor that one is taken back.
pub fn lacks(call: &Call<'_>) -> bool {
    call.arguments.get("condition").is_none() && call.arguments.get("back").is_none()
}

/// The condition as it was typed or filled in; else what is wrong with which field.
pub fn read(call: &Call<'_>) -> Result<Condition, (&'static str, BadCommand)> {
    let bad = |field, says: &str| (field, BadCommand(says.to_owned()));
    let person = || {
        let people = call.people("who").map_err(|wrong| ("who", wrong))?;
        match people.as_slice() {
            [] => Err(bad("who", "Who? Name one person.")),
            [person] if *person == call.person => Err(("who", BadCommand(wording::condition::somebody_else()))),
            [person] if !is_member(call, person) => Err(("who", BadCommand(wording::condition::no_member(person)))),
            [person] => Ok(person.clone()),
            _ => Err(bad("who", "Name one person.")),
        }
    };
    let time = || {
        let typed = call.arguments.get("time").ok_or_else(|| bad("time", "When? Give a time such as 15:00."))?;
        let at = call.time(typed, Lean::Future).map_err(|wrong| ("time", wrong))?;
        // The record and the list write whole seconds.
        let at = crate::clock::Time::from_ms(at.ms().div_euclid(1_000) * 1_000);
        if at > call.now { Ok(at) } else { Err(("time", BadCommand(wording::condition::over(typed)))) }
    };
    match call.arguments.get("condition").unwrap_or_default().to_lowercase().as_str() {
        "watches" => person().map(Condition::Watches),
        "approves" => person().map(Condition::Approves),
        "on-call" => person().map(Condition::OnCall),
        "tests" => Ok(Condition::Tests),
        "after" => time().map(Condition::After),
        "before" => time().map(Condition::Before),
        "traffic" => {
            let typed = call.arguments.get("under").map(|typed| typed.trim_end_matches('%').trim());
            let percent = typed.and_then(|typed| typed.parse().ok()).filter(|percent| (1..=100).contains(percent));
            percent.map(Condition::Traffic).ok_or_else(|| bad("under", "Under how many per cent? From 1 to 100."))
        }
        _ => Err(("condition", BadCommand(format!("A condition is one of {}.", Condition::NAMES.join(", "))))),
    }
}

/// Why this approval cannot be given here, beyond who may approve.
fn stands_in_the_way(
    call: &Call<'_>,
    condition: &Condition,
    row: &PlanRow,
    revision: &Revision,
    (other, deputies): (Option<&Speaker>, &[Deputy]),
) -> Option<String> {
    let read = call.arguments.get("revision").map(|typed| typed.parse::<i64>().unwrap_or(0));
    // What its giver saw is what was there when it was said.
    if read.is_some_and(|read| read != row.revision) || revision.at > call.at {
        return Some(wording::refusal::older_card(row, read.unwrap_or(row.revision - 1)));
    }
    // The second step would have to carry the condition, and be asked again when that turns.
    if revision.advice.asked.second_step.is_some() {
        return Some(wording::condition::no_second_step(row));
    }
    let Condition::Approves(person) = condition else { return None };
    let settings = &call.settings;
    let change = revision.facts.change.first().map(|fact| &fact.value);
    let needs = show::needs_now(row, revision, settings, call.now);
    may_speak_also_for(WordKind::Approve, other, &row.plan, change, &needs, deputies, settings, call.now)
        .is_err()
        .then(|| wording::condition::may_not_approve(person))
}

fn is_member(call: &Call<'_>, person: &Person) -> bool {
    call.settings.people.get(person).is_some_and(|known| known.kind == PersonKind::Member)
}
