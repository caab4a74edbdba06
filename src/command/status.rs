//! `status`: what waits, is under way, is watched, is locked or frozen; where one can deploy.

use std::collections::BTreeMap;

use super::Call;
use crate::hold::Scope;
use crate::name::{Environment, Service};
use crate::plan::second_step;
use crate::store::hold::{FreezeRow, LockRow, Place};
use crate::store::plan::PlanRow;
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let of = call.arguments.get("of");
    let service = of.filter(|text| call.settings.service.contains_key(*text)).map(Service::new);
    let environment = of.filter(|text| call.settings.environment.contains_key(*text)).map(Environment::new);
    if let (Some(typed), None, None) = (of, &service, &environment) {
        call.service(typed)?;
    }
    let fits = |s: &Service, e: &Environment| {
        service.as_ref().is_none_or(|x| x == s) && environment.as_ref().is_none_or(|x| x == e)
    };
    let plans: Vec<_> = call
        .app
        .store
        .open_plans()
        .await?
        .into_iter()
        .filter(|row| fits(&row.plan.service, &row.plan.environment))
        .collect();
    let watched: Vec<_> = call
        .app
        .store
        .watched(call.now)
        .await?
        .into_iter()
        .filter(|row| fits(&row.deployment.service, &row.deployment.environment))
        .collect();
    let owed: Vec<_> = call
        .app
        .store
        .open_obligations(200)
        .await?
        .into_iter()
        .filter(|owed| fits(&owed.service, &owed.environment))
        .collect();
    let mut deputies = call.app.store.deputies().await?;
    deputies.retain(|deputy| deputy.is_active(call.now));
    let (mut overridden, mut unconfirmed) = (BTreeMap::new(), BTreeMap::new());
    for row in &plans {
        let standing = call.app.store.overrides(&row.plan.id).await?.into_iter().filter(|given| given.stands());
        overridden.insert(row.plan.id.clone(), standing.map(|given| given.code).collect());
        let steps = second_step::open(&call.app.store.steps(&row.plan.id).await?, &row.plan.id, row.revision);
        unconfirmed.insert(row.plan.id.clone(), steps.into_iter().map(|step| step.person).collect());
    }
    let mut unmet = std::collections::BTreeMap::new();
    for row in plans.iter().filter(|row| row.state.waits()) {
        let words = call.app.store.words(&row.plan.id).await?;
        let standing = words.iter().filter(|word| word.revision == row.revision && word.stands());
        let waits = standing.filter_map(|word| {
            let only_if = word.only_if.as_ref().filter(|only_if| only_if.met.is_none())?;
            Some(wording::condition::waits(&word.person, &only_if.condition))
        });
        unmet.insert(row.plan.id.clone(), waits.collect());
    }
    let (locks, freezes, queues) = holds(call, &plans, service.as_ref(), environment.as_ref()).await?;
    let holds = wording::hold::status(&locks, &freezes, &queues, &call.settings, call.now);
    let going_on = wording::status::GoingOn {
        plans: &plans,
        overridden: &overridden,
        unconfirmed: &unconfirmed,
        unmet: &unmet,
        deputies: &deputies,
        watched: &watched,
        owed: &owed,
        holds,
    };
    let mut message = wording::status::status(of, going_on, &call.settings, call.now);
    wording::hold::offers(&mut message, &locks, &freezes, call.now);
    call.answer(message).await
}

type Queues = Vec<(Environment, Vec<(Place, PlanRow)>)>;

/// The locks and freezes that touch what is asked about, and the queues, each in its order.
async fn holds(
    call: &Call<'_>,
    plans: &[PlanRow],
    service: Option<&Service>,
    environment: Option<&Environment>,
) -> anyhow::Result<(Vec<LockRow>, Vec<FreezeRow>, Queues)> {
    let asked = Scope { service: service.cloned(), environment: environment.cloned() };
    let (mut locks, mut freezes) = (call.app.store.locks().await?, call.app.store.freezes().await?);
    locks.retain(|row| row.lock.stands(call.now) && row.lock.scope.touches(&asked));
    freezes.retain(|row| row.freeze.entry.end > call.now && row.freeze.scope().touches(&asked));
    for row in &mut locks {
        row.lock.left = crate::hold::has_gone(call.app, &call.settings, row).await;
    }
    let places = call.app.store.places().await?;
    let named = call.settings.environment.iter().filter(|(_, settings)| settings.queue).map(|(name, _)| name);
    let queues = named.map(|name| {
        let here: Vec<Place> = places.iter().filter(|place| place.environment == *name).cloned().collect();
        let line = crate::hold::line(&here, plans);
        (name.clone(), line.into_iter().map(|(place, row)| (place.clone(), row.clone())).collect())
    });
    Ok((locks, freezes, queues.collect()))
}
