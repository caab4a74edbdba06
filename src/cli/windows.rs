//! `tidegate windows`: the next good windows for a target.

use clap::Args;
use serde_json::Value;

use super::ask::Instance;
use super::{Place, print};
use crate::name::{Environment, Person, Service};

#[derive(Debug, Args)]
pub struct WindowsArgs {
    #[command(flatten)]
    place: Place,
    service: String,
    environment: String,
    #[arg(long)]
    json: bool,
}

pub async fn run(args: WindowsArgs) -> anyhow::Result<u8> {
    let found: Value = match args.place.instance().await? {
        Instance::Running(server) => {
            server.get(&format!("/api/services/{}/windows", args.service), &[("environment", args.environment)]).await?
        }
        Instance::Own(app) => {
            let settings = app.settings();
            let (service, environment) = (Service::new(args.service), Environment::new(args.environment));
            anyhow::ensure!(settings.service.contains_key(&service), "there is no service `{service}`");
            anyhow::ensure!(settings.environment.contains_key(&environment), "there is no environment `{environment}`");
            let zone = crate::wording::zone(&settings, &service, &environment);
            let (_, _, windows) = crate::command::search_windows(&app, &Person::new("you"), service, environment).await;
            crate::plan::view::windows(&windows, zone)
        }
    };
    if args.json {
        print(&found.to_string());
        return Ok(0);
    }
    if let Some(first) = found.get("none_before_says").and_then(Value::as_str) {
        print(&format!("Nothing good before {first}."));
    }
    for (i, window) in found.get("windows").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let text = |name: &str| window.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let list = |name: &str| {
            window
                .get(name)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let costs = list("costs");
        let costs = if costs.is_empty() { String::new() } else { format!("; but {costs}") };
        print(&format!(
            "{}. {}, risk {}: {}{costs}",
            i + 1,
            text("says"),
            window.get("score").and_then(Value::as_u64).unwrap_or(0),
            list("reasons")
        ));
    }
    Ok(0)
}
