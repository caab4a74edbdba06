//! `tidegate plan`: the same brief in the terminal. It records nothing.

use clap::Args;
use serde_json::Value;

use super::ask::Instance;
use super::{Place, print};
use crate::name::Person;

#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    place: Place,
    service: String,
    environment: String,
    version: Option<String>,
    /// The reason: a ticket, a requirement
    #[arg(long)]
    why: Option<String>,
    /// The way back
    #[arg(long)]
    rollback: Option<String>,
    /// When: now, tomorrow 10:00
    #[arg(long)]
    when: Option<String>,
    /// The commands that will be run
    #[arg(long)]
    how: Option<String>,
    /// release, flag, config or migration
    #[arg(long)]
    kind: Option<String>,
    /// For a flag or configuration plan: name=value
    #[arg(long)]
    set: Vec<String>,
    /// low, standard or high
    #[arg(long)]
    risk: Option<String>,
    /// Who plans
    #[arg(long)]
    user: Option<String>,
    #[arg(long)]
    json: bool,
}

pub async fn run(args: PlanArgs) -> anyhow::Result<u8> {
    let mut words = vec!["plan".to_owned(), args.service, args.environment];
    words.extend(args.version);
    let options = [
        ("why", args.why),
        ("rollback", args.rollback),
        ("when", args.when),
        ("how", args.how),
        ("kind", args.kind),
        ("risk", args.risk),
    ];
    for (name, value) in options.into_iter().filter_map(|(name, value)| value.map(|v| (name, v))) {
        words.extend([format!("--{name}"), value]);
    }
    for value in args.set {
        words.extend(["--set".to_owned(), value]);
    }
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{}\"", word.replace('"', "'"))).collect();
    let text = quoted.join(" ");
    let brief: Value = match args.place.instance().await? {
        Instance::Running(server) => {
            server.post("/api/preview", &serde_json::json!({ "text": text, "user": args.user })).await?
        }
        Instance::Own(app) => crate::command::preview(&app, args.user.map(Person::new).as_ref(), &text).await?,
    };
    if args.json {
        print(&brief.to_string());
    } else {
        print(brief.get("text").and_then(Value::as_str).unwrap_or_default());
    }
    Ok(0)
}
