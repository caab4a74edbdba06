//! `freeze`: what is frozen here, beside what calendars say; adds and lifts.

use super::{BadCommand, Call};
use crate::clock::DAY;
use crate::command::time::{Lean, parse_time};
use crate::config::PersonKind;
use crate::hold::Except;
use crate::wording;

/// A freeze that is longer is a mistake in the year.
const LONGEST: i64 = 366 * DAY;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    match call.arguments.get("act").unwrap_or("list").to_lowercase().as_str() {
        "add" => add(call).await,
        "lift" => {
            members_only(call).await?;
            let id = call.arguments.get("of").map(|id| id.trim_matches('`').to_lowercase());
            let id =
                id.ok_or_else(|| call.refuse("Which freeze? `freeze list` shows them: `freeze lift freeze-3`."))?;
            crate::hold::lift_freeze(call, &id, call.arguments.get("why")).await
        }
        _ => {
            let rows = call.app.store.freezes().await?;
            let open: Vec<_> = rows.into_iter().filter(|row| row.freeze.entry.end > call.now).collect();
            call.answer(wording::hold::freezes(&open, &call.settings, call.now)).await
        }
    }
}

async fn add(call: &Call<'_>) -> anyhow::Result<()> {
    members_only(call).await?;
    let args = &call.arguments;
    let example = "`freeze add production --from \"Wed 18:00\" --to \"Mon 09:00\" --why \"Black Friday\"`";
    let (Some(of), Some(to), Some(why)) = (args.get("of"), args.get("to"), args.get("why")) else {
        return Err(call.refuse(format!("A freeze needs to know what, until when and why: {example}.")));
    };
    let scope = call.scope(of)?;
    let from = match args.get("from") {
        Some(text) => call.time(text, Lean::Future)?,
        None => call.now,
    };
    let end = match call.time(to, Lean::Future)? {
        // "Mon 09:00" for a freeze from "Wed 18:00" is the Monday after that Wednesday.
        end if end <= from => {
            parse_time(to, from.max(call.now), call.settings.team.zone, Lean::Future).map_err(BadCommand)?
        }
        end => end,
    };
    if end <= from || end <= call.now {
        return Err(call.refuse("A freeze ends after it begins, and not in the past."));
    }
    if end.since(from) > LONGEST {
        return Err(call.refuse("A freeze holds for at most a year."));
    }
    let except = Except::read(&args.list("except"), &call.settings).map_err(|word| {
        BadCommand(format!(
            "`{word}` is neither `hotfix` nor a service nor a category: `--except \"hotfix, docs-site\"`."
        ))
    })?;
    crate::hold::add_freeze(call, scope, (from.max(call.now), end), why, except).await
}

/// Everybody may look at the list; what changes something is for members.
async fn members_only(call: &Call<'_>) -> anyhow::Result<()> {
    let speaker = crate::people::speaker_now(call.app, call.from, &call.person).await?;
    let kind = speaker.map(|speaker| speaker.kind).unwrap_or_default();
    if kind != PersonKind::Member {
        return Err(call.refuse(wording::refusal::may_only_look(kind)));
    }
    Ok(())
}
