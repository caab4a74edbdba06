//! A brief that records nothing: what the terminal's `plan` shows.

use serde_json::Value;

use super::{BadCommand, parse};
use crate::advice::Context;
use crate::app::App;
use crate::event::From;
use crate::name::{Person, PlanId};
use crate::plan::{Plan, State, brief, view};
use crate::store::Claim;

/// Reads a `plan` command, gathers and advises, and returns the brief as JSON with its text under `text`.
pub async fn preview(app: &App, user: Option<&Person>, text: &str) -> anyhow::Result<Value> {
    let settings = app.settings();
    let arguments = parse(text, &settings.chat.command)?;
    let missing = arguments.missing();
    if arguments.spec.name != "plan" {
        return Err(BadCommand("Only `plan` has a brief.".to_owned()).into());
    }
    if let Some(first) = missing.first() {
        return Err(BadCommand(format!("The {} is missing. Usage: `{}`.", first.name, arguments.spec.usage())).into());
    }
    let person = user.cloned().unwrap_or_else(|| Person::new("you"));
    let from = From::new("terminal", person.to_string(), settings.chat.channel.clone());
    let claim = Claim::unheld();
    let now = app.clock.now();
    let call =
        super::Call { app, claim: &claim, from: &from, person, arguments, settings: settings.clone(), at: now, now };
    let mut plan: Plan = super::plan::read(&call).await?;
    plan.id = PlanId::new(format!("{}-preview", plan.service));
    let facts = brief::gather(app, &settings, &plan).await;
    let advice =
        crate::advice::advise(Context { plan: &plan, facts: &facts, settings: &settings, now: app.clock.now() });
    let hash = brief::hash(&plan, &facts, &advice)?;
    let mut shown = view::shown(&plan, 0, Some(&hash), Some(&advice), Vec::new(), State::Draft);
    let row = crate::store::plan::PlanRow::unrecorded(plan.clone());
    let revision = crate::store::plan::Revision {
        number: 0,
        at: now,
        brief: hash,
        commit: plan.commit.clone(),
        plan,
        facts,
        advice,
        reason: String::new(),
    };
    let tally = crate::approval::tally(&revision.advice.approvals.needs, &[], 0, |_, _| false);
    let mut text = crate::wording::brief::main(&row, &revision, &tally, &settings, now).text();
    text.push_str("\n\n");
    text.push_str(&crate::wording::evidence::evidence(&row, &revision, now).text());
    if let Some(object) = shown.as_object_mut() {
        object.insert("text".to_owned(), Value::String(text));
    }
    Ok(shown)
}
