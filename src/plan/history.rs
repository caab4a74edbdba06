//! The past of a target: our own store, and what deployment files tell.

use crate::advice::facts::{Asked, Deployment, History, Outcome};
use crate::app::App;
use crate::config::Settings;
use crate::name::{Environment, Service};

/// What is known of a target before anything is known of the change. `told` is what files of deployments say.
pub async fn past(
    app: &App,
    settings: &Settings,
    (service, environment): (&Service, &Environment),
    (version, commit): (Option<&str>, Option<&str>),
    told: &Asked<Vec<Deployment>>,
) -> History {
    let now = app.clock.now();
    let all = told.known.iter().flat_map(|fact| &fact.value);
    let all_told: &[Deployment] = &all.clone().cloned().collect::<Vec<_>>();
    let mut told: Vec<Deployment> =
        all.filter(|d| d.service == *service && d.environment == *environment && d.at <= now).cloned().collect();
    told.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    let mut history = match stored(app, settings, service, environment, version, commit).await {
        Ok(history) => history,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "could not read the history");
            History::default()
        }
    };
    elsewhere(&mut history, settings, (service, environment), (version, commit), all_told);
    join(&mut history, told);
    history
}

/// What files tell of other targets: the services that this one needs, and the environment that comes before.
fn elsewhere(
    history: &mut History,
    settings: &Settings,
    (service, environment): (&Service, &Environment),
    (version, commit): (Option<&str>, Option<&str>),
    told: &[Deployment],
) {
    let newest = |service: &Service, environment: &Environment, fits: &dyn Fn(&Deployment) -> bool| {
        let own = told.iter().filter(|d| d.service == *service && d.environment == *environment && fits(d));
        own.filter(|d| d.outcome != Some(Outcome::RolledBack)).max_by_key(|d| d.at).cloned()
    };
    for (needed, runs) in history.dependencies.iter_mut().filter(|(_, runs)| runs.is_none()) {
        *runs = newest(needed, environment, &|_| true).and_then(|d| d.version);
    }
    let after = settings.environment.get(environment).and_then(|e| e.after.as_ref());
    if let (None, Some(after)) = (&history.before, after) {
        let wanted = |d: &Deployment| {
            (version.is_some() && d.version.as_deref() == version)
                || (commit.is_some() && d.commit.as_deref() == commit)
        };
        history.before = newest(service, after, &wanted);
    }
}

async fn stored(
    app: &App,
    settings: &Settings,
    service: &Service,
    environment: &Environment,
    version: Option<&str>,
    commit: Option<&str>,
) -> anyhow::Result<History> {
    let recent = app.store.recent(service, environment, 50).await?;
    let known = settings.service.get(service);
    let mut dependencies = Vec::new();
    for needed in known.map(|s| s.depends_on.as_slice()).unwrap_or_default() {
        let running = app.store.running(needed, environment).await?;
        dependencies.push((needed.clone(), running.and_then(|d| d.version)));
    }
    let after = settings.environment.get(environment).and_then(|e| e.after.as_ref());
    let before = match (after, version) {
        (Some(after), Some(version)) => app.store.deployed_before(service, after, version, commit).await?,
        _ => None,
    };
    Ok(History {
        running: app.store.running(service, environment).await?,
        last_good: recent.iter().find(|d| d.outcome == Some(Outcome::Clean)).cloned(),
        sizes: recent.iter().map(|d| d.shape.lines).filter(|lines| *lines > 0).collect(),
        recent,
        service_rate: app.store.target_rate(service, environment).await?,
        team_rate: app.store.outcome_rate("all", "").await?,
        ai_rate: app.store.outcome_rate("ai", "declared").await?,
        not_ai_rate: app.store.outcome_rate("ai", "undeclared").await?,
        before,
        dependencies,
        ..History::default()
    })
}

/// Joins what files tell to what is stored; a deployment that both know counts once.
fn join(history: &mut History, told: Vec<Deployment>) {
    let new: Vec<Deployment> =
        told.into_iter().filter(|d| !history.recent.iter().any(|known| known.is_also(d))).collect();
    for deployment in &new {
        if let Some(outcome) = deployment.outcome {
            for rate in [&mut history.service_rate, &mut history.team_rate] {
                rate.n += 1;
                rate.bad += u32::from(outcome.is_bad());
            }
        }
    }
    let runs = |d: &&Deployment| d.outcome != Some(Outcome::RolledBack);
    if let Some(newest) = new.iter().find(runs)
        && history.running.as_ref().is_none_or(|running| running.at < newest.at)
    {
        history.running = Some(newest.clone());
    }
    history.recent.extend(new);
    history.recent.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    history.recent.truncate(50);
    history.sizes = history.recent.iter().map(|d| d.shape.lines).filter(|lines| *lines > 0).collect();
    history.last_good = history.recent.iter().find(|d| d.outcome == Some(Outcome::Clean)).cloned();
}
