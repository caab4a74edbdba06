//! What is offered while an argument is typed: from the settings, our own store and, for versions, the sources.
//!
//! Somebody is typing: whatever does not answer at once is left out, and nothing is remembered about it.

use std::time::Duration;

use tokio::time::Instant;

use super::{ALL, ArgumentKind, Spec};
use crate::app::App;
use crate::config::Settings;
use crate::name::{Environment, Service};
use crate::plan::brief::sources_for;
use crate::source::{Ask, Learned, Question, ask_all_until};

/// How long sources may think about versions; platforms wait three seconds for the whole answer.
const PATIENCE: Duration = Duration::from_millis(1_000);
/// How many versions are kept before those that fit are looked for.
const MOST_VERSIONS: usize = 2_000;

/// One value, and what is shown for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub value: String,
    pub says: String,
}

/// What stands in the other fields, as far as it narrows what fits here.
#[derive(Clone, Debug, Default)]
pub struct Beside<'a> {
    pub service: Option<&'a str>,
    pub environment: Option<&'a str>,
}

/// The values for one argument of a command that fit what was typed, the best first.
pub async fn offers(
    app: &App,
    command: &str,
    argument: &str,
    typed: &str,
    beside: &Beside<'_>,
) -> anyhow::Result<Vec<Offer>> {
    let settings = app.settings();
    let argument = Spec::named(command)
        .and_then(|spec| spec.arguments.iter().chain(&spec.options).find(|known| known.name == argument));
    let Some(argument) = argument else { return Ok(Vec::new()) };
    let (offered, typed) = match argument.kind {
        ArgumentKind::Version => (versions(app, beside).await?, typed),
        ArgumentKind::Plan => (plans(app).await?, typed),
        kind => (known(&settings, kind, typed), last_word(kind, typed)),
    };
    Ok(nearest(offered, typed))
}

/// What the settings know.
fn known(settings: &Settings, kind: ArgumentKind, typed: &str) -> Vec<Offer> {
    let services = || settings.service.keys().map(ToString::to_string).collect::<Vec<_>>();
    let environments = || settings.environment.keys().map(ToString::to_string).collect::<Vec<_>>();
    match kind {
        ArgumentKind::Service => same(services()),
        ArgumentKind::Environment => same(environments()),
        ArgumentKind::ServiceOrEnvironment => same([services(), environments()].concat()),
        ArgumentKind::Category => same(settings.policy.category.keys().cloned().collect()),
        ArgumentKind::Command => same(ALL.iter().map(|spec| spec.name.clone()).collect()),
        ArgumentKind::People => {
            // Each value is the whole list so far with one more name.
            let before = &typed[..typed.len() - last_word(kind, typed).len()];
            let offer = |name: &crate::name::Person| Offer { value: format!("{before}{name}"), says: name.to_string() };
            settings.people.keys().map(offer).collect()
        }
        _ => Vec::new(),
    }
}

fn same(names: Vec<String>) -> Vec<Offer> {
    names.into_iter().map(|name| Offer { value: name.clone(), says: name }).collect()
}

fn last_word(kind: ArgumentKind, typed: &str) -> &str {
    match kind {
        ArgumentKind::People => typed.rsplit([',', ' ']).next().unwrap_or(typed),
        _ => typed,
    }
}

/// What the sources know of the service, newest first; then what was planned or deployed before.
async fn versions(app: &App, beside: &Beside<'_>) -> anyhow::Result<Vec<Offer>> {
    let service = beside.service.map(str::trim).filter(|name| !name.is_empty()).map(Service::new);
    let mut found: Vec<String> = match &service {
        Some(service) => told(app, service, beside.environment).await,
        None => Vec::new(),
    };
    let planned = app.store.plans(100).await?.into_iter();
    let planned = planned.filter(|row| service.as_ref().is_none_or(|service| row.plan.service == *service));
    let deployed = app.store.deployments(service.as_ref(), 50).await?.into_iter();
    found.extend(planned.filter_map(|row| row.plan.version).chain(deployed.filter_map(|row| row.deployment.version)));
    let mut seen = std::collections::HashSet::new();
    found.retain(|version| seen.insert(version.clone()));
    Ok(same(found))
}

async fn told(app: &App, service: &Service, environment: Option<&str>) -> Vec<String> {
    let settings = app.settings();
    if !settings.service.contains_key(service) {
        return Vec::new();
    }
    // Sources that know versions know them for every environment; the one that is named, or any.
    let named = environment.map(|name| Environment::new(name.trim())).filter(|e| settings.environment.contains_key(e));
    let Some(environment) = named.or_else(|| settings.environment.keys().next().cloned()) else { return Vec::new() };
    let sources = sources_for(app, &settings, service, &environment);
    let now = app.clock.now();
    let ask = Ask::of(Question::Versions, &settings, service, &environment, now);
    let said = ask_all_until(&sources, &ask, &app.clock, Instant::now() + PATIENCE).await;
    let answers = said.into_iter().filter_map(|(_, answer)| answer.ok());
    let versions = answers.filter_map(|answer| match answer.learned {
        Learned::Versions(versions) => Some(versions.known),
        _ => None,
    });
    versions.flatten().map(|version| version.name).take(MOST_VERSIONS).collect()
}

async fn plans(app: &App) -> anyhow::Result<Vec<Offer>> {
    let mut rows = app.store.plans(200).await?;
    // Those that still matter first; within each, the newest.
    rows.sort_by_key(|row| row.state.is_over());
    let offer = |row: &crate::store::plan::PlanRow| {
        let version = row.plan.version.as_deref().unwrap_or_default();
        let plan = &row.plan;
        let says = format!("{} · {} {version} → {} · {}", plan.id, plan.service, plan.environment, row.state.as_str());
        Offer { value: row.plan.id.to_string(), says }
    };
    Ok(rows.iter().map(offer).collect())
}

/// Those that begin with what was typed, then those that hold it.
fn nearest(offered: Vec<Offer>, typed: &str) -> Vec<Offer> {
    let typed = typed.trim().to_lowercase();
    let rank = |offer: &Offer| {
        let says = offer.says.to_lowercase();
        if offer.value.to_lowercase().starts_with(&typed) || says.starts_with(&typed) {
            Some(0)
        } else {
            says.contains(&typed).then_some(1)
        }
    };
    let mut ranked: Vec<(u8, Offer)> = offered.into_iter().filter_map(|one| Some((rank(&one)?, one))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_the_typed_comes_first() {
        let names = ["ledger", "checkout", "search", "old-check"].map(str::to_owned).to_vec();
        let found = nearest(same(names), " CHE");
        let values: Vec<&str> = found.iter().map(|one| one.value.as_str()).collect();
        assert_eq!(values, ["checkout", "old-check"]);
    }

    #[test]
    fn one_more_person_is_added_to_those_before() {
        let settings = Settings::read("[people.ada]\n[people.grace]\n", "test", ".".into()).unwrap();
        let found = known(&settings, ArgumentKind::People, "ada, gr");
        let found = nearest(found, last_word(ArgumentKind::People, "ada, gr"));
        assert_eq!(found, [Offer { value: "ada, grace".to_owned(), says: "grace".to_owned() }]);
    }
}
