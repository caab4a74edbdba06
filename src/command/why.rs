//! `why`: the auditor's question, answered from the record.

use super::Call;
use crate::advice::facts::Deployment;
use crate::clock::DAY;
use crate::command::time::Lean;
use crate::deploy::elsewhere;
use crate::name::PlanId;
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let Some(of) = call.arguments.get("of").map(str::to_owned) else {
        return Err(
            call.refuse("Why what? Give a plan's handle, a deployment's id, or a time such as `15 March 15:47`.")
        );
    };
    let of = of.trim_matches('`');
    if let Some(plan) = call.app.store.plan(&PlanId::new(of.to_lowercase())).await? {
        return answer_plan(call, &plan.plan.id).await;
    }
    if let Some(deployment) = call.app.store.deployment(of).await? {
        return match &deployment.plan {
            Some(plan) => answer_plan(call, plan).await,
            None => call.answer(wording::why::unplanned(&deployment, &call.settings)).await,
        };
    }
    let at = match call.time(of, Lean::Past) {
        Ok(at) => at,
        Err(_) => {
            let of = crate::message::tame(of, 60);
            return Err(call.refuse(format!("`{of}` is no plan, no deployment and no time that I can read.")));
        }
    };
    // Whatever began last before the moment, within a day, is what was going on.
    let around = (at.plus(-DAY), at.plus(60_000));
    let near = call.app.store.deployments_between(around.0, around.1, 500).await?;
    let services: Vec<_> = call.settings.service.keys().cloned().collect();
    let told = elsewhere(call.app, &services, around, &near).await;
    let others = told.known.iter().flat_map(|fact| fact.value.iter().map(move |d: &Deployment| (&fact.source, d)));
    let newest = others.max_by_key(|(_, d)| d.at);
    if let Some((source, deployment)) = newest.filter(|(_, d)| near.last().is_none_or(|own| own.deployment.at < d.at)) {
        return call.answer(wording::why::told(deployment, source, &call.settings)).await;
    }
    match near.last() {
        None => call.answer(wording::why::nothing(at, &call.settings, call.now)).await,
        Some(found) => match &found.plan {
            Some(plan) => answer_plan(call, plan).await,
            None => call.answer(wording::why::unplanned(found, &call.settings)).await,
        },
    }
}

async fn answer_plan(call: &Call<'_>, id: &PlanId) -> anyhow::Result<()> {
    match crate::audit::story(&call.app.store, &call.settings, id, call.now).await? {
        Some(story) => call.answer(story).await,
        None => Err(call.refuse(format!("There is no plan `{id}`."))),
    }
}
