//! What is offered while an option is typed: from the settings and from our own store, so that it is there at once.

use serde_json::{Value, json};

use super::render::text::clean;
use crate::app::App;
use crate::command::{ALL, ArgumentKind, Spec};
use crate::config::Settings;
use crate::name::Service;

/// Discord shows so many.
const MOST: usize = 25;

/// The choices for one option of a subcommand; `service` is what its neighbour holds.
pub async fn choices(
    app: &App,
    command: &str,
    option: &str,
    typed: &str,
    service: Option<&str>,
) -> anyhow::Result<Vec<Value>> {
    let settings = app.settings();
    let argument = Spec::named(command)
        .and_then(|spec| spec.arguments.iter().chain(&spec.options).find(|argument| argument.name == option));
    let Some(argument) = argument else { return Ok(Vec::new()) };
    let offered = match argument.kind {
        ArgumentKind::Version => versions(app, service).await?,
        ArgumentKind::Plan => plans(app).await?,
        kind => return Ok(nearest(known(&settings, kind, typed), last_word(kind, typed))),
    };
    Ok(nearest(offered, typed))
}

/// What the settings know, as value and what is shown.
fn known(settings: &Settings, kind: ArgumentKind, typed: &str) -> Vec<(String, String)> {
    let same = |names: Vec<String>| names.into_iter().map(|name| (name.clone(), name)).collect();
    let services = || settings.service.keys().map(ToString::to_string).collect::<Vec<_>>();
    let environments = || settings.environment.keys().map(ToString::to_string).collect::<Vec<_>>();
    match kind {
        ArgumentKind::Service => same(services()),
        ArgumentKind::Environment => same(environments()),
        ArgumentKind::ServiceOrEnvironment => same([services(), environments()].concat()),
        ArgumentKind::Category => same(settings.policy.category.keys().cloned().collect()),
        ArgumentKind::Command => same(ALL.iter().map(|spec| spec.name.clone()).collect()),
        ArgumentKind::People => {
            // Each choice is the whole list so far with one more name.
            let before = &typed[..typed.len() - last_word(kind, typed).len()];
            settings.people.keys().map(|name| (format!("{before}{name}"), name.to_string())).collect()
        }
        _ => Vec::new(),
    }
}

fn last_word(kind: ArgumentKind, typed: &str) -> &str {
    match kind {
        ArgumentKind::People => typed.rsplit([',', ' ']).next().unwrap_or(typed),
        _ => typed,
    }
}

async fn versions(app: &App, service: Option<&str>) -> anyhow::Result<Vec<(String, String)>> {
    let service = service.map(Service::new);
    let mut found: Vec<String> = Vec::new();
    let planned = app.store.plans(100).await?.into_iter();
    let planned = planned.filter(|row| service.as_ref().is_none_or(|service| row.plan.service == *service));
    let deployed = app.store.deployments(service.as_ref(), 50).await?.into_iter();
    for version in planned.filter_map(|row| row.plan.version).chain(deployed.filter_map(|row| row.deployment.version)) {
        if !found.contains(&version) {
            found.push(version);
        }
    }
    Ok(found.into_iter().map(|version| (version.clone(), version)).collect())
}

async fn plans(app: &App) -> anyhow::Result<Vec<(String, String)>> {
    let mut rows = app.store.plans(200).await?;
    // Those that still matter first; within each, the newest.
    rows.sort_by_key(|row| row.state.is_over());
    let says = |row: &crate::store::plan::PlanRow| {
        let version = row.plan.version.as_deref().unwrap_or_default();
        let plan = &row.plan;
        format!("{} · {} {version} → {} · {}", plan.id, plan.service, plan.environment, row.state.as_str())
    };
    Ok(rows.iter().map(|row| (row.plan.id.to_string(), says(row))).collect())
}

/// Those that begin with what was typed, then those that hold it; what Discord would refuse is left out.
fn nearest(offered: Vec<(String, String)>, typed: &str) -> Vec<Value> {
    let typed = typed.trim().to_lowercase();
    let rank = |(value, says): &(String, String)| {
        let says = says.to_lowercase();
        if value.to_lowercase().starts_with(&typed) || says.starts_with(&typed) {
            Some(0)
        } else {
            says.contains(&typed).then_some(1)
        }
    };
    let mut ranked: Vec<(u8, (String, String))> =
        offered.into_iter().filter_map(|one| Some((rank(&one)?, one))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let fits =
        |(value, says): &(String, String)| (1..=100).contains(&super::render::length(value)) && !says.trim().is_empty();
    let choices = ranked.into_iter().map(|(_, one)| one).filter(fits).take(MOST);
    choices.map(|(value, says)| json!({ "name": clean(says.trim(), 100), "value": value })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(names: &[&str]) -> Vec<(String, String)> {
        names.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect()
    }

    #[test]
    fn what_begins_with_the_typed_comes_first() {
        let found = nearest(pairs(&["ledger", "checkout", "search", "old-check"]), "che");
        let values: Vec<&str> = found.iter().filter_map(|one| one["value"].as_str()).collect();
        assert_eq!(values, ["checkout", "old-check"]);
    }

    #[test]
    fn no_more_and_no_longer_than_discord_takes() {
        let many: Vec<String> = (0..200).map(|i| format!("v{i}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(nearest(pairs(&many), "").len(), 25);
        assert_eq!(nearest(pairs(&[&"x".repeat(500)]), "").len(), 0);
    }
}
