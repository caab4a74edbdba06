//! `windows`: the next good windows for a target, with their picture.

use super::Call;
use crate::advice::facts::Facts;
use crate::advice::{Context, Windows};
use crate::app::App;
use crate::name::{Environment, Person, PlanId, Service};
use crate::plan::{Kind, Plan, brief};
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    if !call.arguments.missing().is_empty() {
        return call.answer(super::form::for_command(call)).await;
    }
    let service = call.service(call.arguments.get("service").unwrap_or_default())?;
    let environment = call.environment(call.arguments.get("environment").unwrap_or_default())?;
    let (plan, facts, windows) = search(call.app, &call.person, service, environment).await;
    let now = call.now;
    let strip = crate::picture::strip_of(&plan, &facts, &windows, &call.settings, now);
    let picture = format!("strip-{}", crate::name::new_id(now));
    let mut tx = call.begin().await?;
    tx.insert_picture(&picture, &strip.light, &strip.dark).await?;
    super::whisper(
        &mut tx,
        call.from,
        None,
        wording::brief::windows(&plan, &windows, &picture, &strip.alt, &call.settings, now),
    )
    .await?;
    tx.commit().await
}

/// The windows for a target without a change: what timing alone says.
pub async fn search(app: &App, person: &Person, service: Service, environment: Environment) -> (Plan, Facts, Windows) {
    let settings = app.settings();
    let now = app.clock.now();
    let plan = Plan {
        id: PlanId::new("windows"),
        kind: Kind::Config,
        ..Plan::bare(service, environment, person.clone(), now)
    };
    let facts = brief::gather(app, &settings, &plan).await;
    let windows = crate::advice::windows(Context { plan: &plan, facts: &facts, settings: &settings, now });
    (plan, facts, windows)
}
