//! `tidegate approve`: the emergency path when the chat is down. Exit 0 counted, 1 not, 2 cannot tell.

use std::io::BufRead;

use anyhow::Context;
use clap::Args;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::ask::Instance;
use super::{Place, tell};
use crate::chat::terminal::{self, Spoken};
use crate::name::PlanId;

/// Where a person's own token is looked for before it is asked for.
const TOKEN: &str = "TIDEGATE_PERSON_TOKEN";

#[derive(Debug, Args)]
pub struct ApproveArgs {
    #[command(flatten)]
    place: Place,
    /// A plan's handle
    plan: String,
    /// The reason for approving past the chat
    #[arg(long)]
    why: String,
}

pub async fn run(args: ApproveArgs) -> anyhow::Result<u8> {
    let id = PlanId::new(args.plan.to_lowercase());
    let mut typed = std::io::stdin().lock().lines();
    let mut line = |asks: &str| -> anyhow::Result<String> {
        tell(asks);
        Ok(typed.next().transpose().context("could not read what was typed")?.unwrap_or_default().trim().to_owned())
    };
    let instance = args.place.instance().await?;
    let view = match &instance {
        Instance::Running(server) => server.get(&format!("/api/plans/{id}"), &[]).await?,
        Instance::Own(app) => {
            let row = app.store.plan(&id).await?.with_context(|| format!("there is no plan `{id}`"))?;
            let revision = app.store.revision(&id, row.revision).await?;
            let words = app.store.words(&id).await?;
            let (overrides, watchers) = (app.store.overrides(&id).await?, app.store.watchers(&id).await?);
            let steps = app.store.steps(&id).await?;
            crate::plan::view::full(&row, revision.as_ref(), &words, &overrides, &steps, &watchers)
        }
    };
    let brief = view.get("brief").and_then(Value::as_str).context("the plan has no brief yet")?.to_owned();
    for says in what_is_approved(&view) {
        tell(&says);
    }
    tell("This goes past the chat. It is recorded with your name and the reason, and the thread is told.");
    let token = match crate::config::environment_variable(TOKEN) {
        Some(token) => token,
        None => line("Your own token (the one for the console):")?,
    };
    if line(&format!("Type {id} to approve:"))? != id.as_str() {
        tell("That is not the plan. Nothing was approved.");
        return Ok(1);
    }
    let step = view.pointer("/asked/second_step").is_some_and(|step| !step.is_null());
    let service = view.pointer("/plan/service").and_then(Value::as_str).unwrap_or_default();
    let typed = match step {
        true => {
            let typed = line("This category asks for a second step. Type the service's name:")?;
            if typed != service {
                tell("That is not the service. Nothing was approved.");
                return Ok(1);
            }
            Some(typed)
        }
        false => None,
    };
    let spoken = match instance {
        Instance::Running(server) => {
            let body = json!({ "plan": id, "brief": brief, "why": args.why, "typed": typed });
            match server.post_as("/api/approve", &body, SecretString::from(token)).await? {
                Ok(answer) => Spoken::Counts(answer.get("says").and_then(Value::as_str).unwrap_or_default().to_owned()),
                Err(says) => Spoken::Not(says),
            }
        }
        Instance::Own(app) => {
            let Some(person) = crate::web::whose(&app.settings(), token.trim()) else {
                tell("Nobody in the settings has this token. Nothing was approved.");
                return Ok(1);
            };
            let spoken = terminal::approve(&app, &person, &id, &brief, &args.why, typed.as_deref()).await?;
            app.store.close().await;
            spoken
        }
    };
    match spoken {
        Spoken::Counts(says) => {
            tell(&format!("Approved. {says}"));
            Ok(0)
        }
        Spoken::Not(says) => {
            tell(&says);
            Ok(1)
        }
    }
}

/// What is approved, in lines: target, commit, risk, what blocks and what is critical, needs, the way back.
fn what_is_approved(view: &Value) -> Vec<String> {
    let text = |path: &str| view.pointer(path).and_then(Value::as_str).unwrap_or("not stated").to_owned();
    let mut lines = vec![
        format!(
            "{} {} → {}, planned by {}: revision {}, {}",
            text("/plan/service"),
            view.pointer("/plan/version").and_then(Value::as_str).unwrap_or("(a change of values)"),
            text("/plan/environment"),
            text("/plan/by"),
            view.get("revision").map(ToString::to_string).unwrap_or_default(),
            text("/brief")
        ),
        format!("Commit: {}", view.pointer("/plan/commit").and_then(Value::as_str).unwrap_or("none")),
        format!("Risk: {} of 100", view.pointer("/score/value").map(ToString::to_string).unwrap_or_default()),
        format!("Why: {}", text("/plan/why")),
        format!("The way back: {}", text("/plan/rollback")),
    ];
    let flags = view.get("flags").and_then(Value::as_array).into_iter().flatten();
    let grave = flags.filter(|flag| flag.get("level").and_then(Value::as_str) == Some("critical"));
    lines.extend(grave.filter_map(|flag| flag.get("says").and_then(Value::as_str)).map(|says| format!("! {says}")));
    let needed = view.pointer("/approvals/needed").and_then(Value::as_array).into_iter().flatten();
    lines.extend(needed.filter_map(Value::as_str).map(|need| format!("Needed: {need}")));
    lines
}
