//! `status`: what waits, is under way or is watched; where one can deploy.

use super::Call;
use crate::name::{Environment, Service};
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
    call.answer(wording::status::status(of, &plans, &watched, &owed, &call.settings, call.now)).await
}
