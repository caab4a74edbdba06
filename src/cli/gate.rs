//! `tidegate gate`: what a pipeline asks. Exit 0 approved and clear, 1 not (yet), 2 cannot tell.

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

use super::ask::Instance;
use super::{Place, print};
use crate::config::Span;
use crate::gate::{Request, ask};
use crate::name::{Environment, PlanId, Service};

#[derive(Debug, Args)]
pub struct GateArgs {
    #[command(flatten)]
    place: Place,
    /// A plan's handle
    plan: Option<String>,
    #[arg(long)]
    service: Option<String>,
    #[arg(long)]
    environment: Option<String>,
    #[arg(long)]
    version: Option<String>,
    #[arg(long)]
    commit: Option<String>,
    /// The digest of a flag or configuration change
    #[arg(long)]
    change: Option<String>,
    /// The stated rollback is what will be run
    #[arg(long)]
    rollback: bool,
    /// Wait for a yes, at most so long: 2h
    #[arg(long, value_name = "SPAN")]
    wait: Option<String>,
    #[arg(long)]
    json: bool,
}

pub async fn run(args: GateArgs) -> anyhow::Result<u8> {
    if args.plan.is_none() && (args.service.is_none() || args.environment.is_none()) {
        anyhow::bail!("name a plan, or --service, --environment and --version");
    }
    let wait = match &args.wait {
        None => 0,
        Some(text) => {
            Span::parse(text)
                .ok_or_else(|| anyhow::anyhow!("--wait: `{text}` is not a length of time (write `30m`, `2h`)"))?
                .ms()
                / 1_000
        }
    };
    let answer = asked(&args, wait).await?;
    let verdict = answer.get("verdict").and_then(Value::as_str).unwrap_or("unknown").to_owned();
    if args.json {
        print(&answer.to_string());
    }
    let reasons = answer
        .get("reasons")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|r| r.get("says").and_then(Value::as_str));
    super::tell(&format!("{verdict}: {}", reasons.collect::<Vec<_>>().join(" ")));
    Ok(match verdict.as_str() {
        "approved" => 0,
        "unknown" => 2,
        _ => 1,
    })
}

async fn asked(args: &GateArgs, wait: i64) -> anyhow::Result<Value> {
    match args.place.instance().await? {
        Instance::Running(server) => {
            let mut query: Vec<(&str, String)> = Vec::new();
            let given = [
                ("plan", &args.plan),
                ("service", &args.service),
                ("environment", &args.environment),
                ("version", &args.version),
                ("commit", &args.commit),
                ("change", &args.change),
            ];
            query.extend(given.into_iter().filter_map(|(name, value)| value.clone().map(|v| (name, v))));
            if args.rollback {
                query.push(("rollback", "1".to_owned()));
            }
            // The server holds a request for two minutes at most; a longer wait asks again.
            let mut left = wait;
            loop {
                let now = left.clamp(0, 100);
                let mut query = query.clone();
                query.push(("wait", now.to_string()));
                let answer = server.get("/api/gate", &query).await?;
                left -= 100;
                let waits = answer.get("waits").and_then(Value::as_bool) == Some(true);
                if !waits || left <= 0 {
                    return Ok(answer);
                }
            }
        }
        Instance::Own(app) => {
            let request = Request {
                plan: args.plan.as_ref().map(|id| PlanId::new(id.to_lowercase())),
                service: args.service.clone().map(Service::new),
                environment: args.environment.clone().map(Environment::new),
                version: args.version.clone(),
                commit: args.commit.clone(),
                change: args.change.clone(),
                rollback: args.rollback,
            };
            let mut answer = ask(&app, &request, |_, _| true).await?.context("the gate did not answer its own user")?;
            answer.signed = Some(crate::gate::signed(&app.signer, &request, &answer, app.clock.now())?);
            Ok(serde_json::to_value(answer)?)
        }
    }
}
