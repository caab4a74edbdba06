//! `changed`: what changed on a service and around it, for whoever is on call.

use super::Call;
use crate::clock::HOUR;
use crate::config::Span;
use crate::deploy::elsewhere;
use crate::name::Service;
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let service = call.service(call.arguments.get("service").unwrap_or_default())?;
    let since = match call.arguments.get("since") {
        None => Span::from_ms(2 * HOUR),
        Some(text) => Span::parse(text).ok_or_else(|| {
            call.refuse(format!("`{}` is not a length of time (write `2h`, `1d`).", crate::message::tame(text, 40)))
        })?,
    };
    let from = call.now.plus(-since.ms());
    let near = neighbours(call, &service);
    let now = call.now.plus(1);
    let own = call.app.store.deployments_between(from, now, 500).await?;
    let told = elsewhere(call.app, &near, (from, now), &own).await;
    let deployments: Vec<_> = own.into_iter().filter(|row| near.contains(&row.deployment.service)).collect();
    let plans: Vec<_> =
        call.app.store.open_plans().await?.into_iter().filter(|row| near.contains(&row.plan.service)).collect();
    let incidents = incidents(call, &service, from).await;
    call.answer(wording::status::changed(
        &service,
        since,
        &deployments,
        &told,
        &plans,
        &incidents,
        &call.settings,
        call.now,
    ))
    .await
}

/// The service, what it needs, and what needs it.
fn neighbours(call: &Call<'_>, service: &Service) -> Vec<Service> {
    let mut near = vec![service.clone()];
    if let Some(known) = call.settings.service.get(service) {
        near.extend(known.depends_on.iter().cloned());
    }
    near.extend(
        call.settings.service.iter().filter(|(_, s)| s.depends_on.contains(service)).map(|(name, _)| name.clone()),
    );
    near
}

async fn incidents(
    call: &Call<'_>,
    service: &Service,
    from: crate::clock::Time,
) -> crate::advice::facts::Asked<Vec<crate::advice::facts::Incident>> {
    use crate::source::{Ask, Learned, Question};
    let Some(environment) = call.settings.environment.keys().next_back() else { return Default::default() };
    let ask = Ask { from, ..Ask::of(Question::Incidents, &call.settings, service, environment, call.now) };
    let said = crate::plan::brief::ask(call.app, &ask).await;
    crate::source::gather::asked(
        said,
        call.now,
        |learned| if let Learned::Incidents(v) = learned { Some(v) } else { None },
    )
}
