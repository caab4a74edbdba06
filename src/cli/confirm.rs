//! `tidegate confirm`: is this shell aimed at where the plan goes? It compares, asks for the name, and runs nothing.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::Value;

use super::Place;
use super::ask::Instance;
use crate::name::{Environment, PlanId};
use crate::target::{DifferenceKind, Target, agrees, compare, concerns, look, read};

/// The most of a file that is looked at.
const MOST: u64 = 4 * 1024 * 1024;

#[derive(Debug, Args)]
pub struct ConfirmArgs {
    #[command(flatten)]
    place: Place,
    /// A plan's handle
    plan: String,
    /// Do not ask to type the environment's name (for scripts that asked already)
    #[arg(long)]
    yes: bool,
}

pub async fn run(args: ConfirmArgs) -> anyhow::Result<u8> {
    let (environment, how) = plan_of(&args).await?;
    let settings = args.place.settings()?;
    let targets: BTreeMap<Environment, Target> =
        settings.environment.iter().map(|(name, e)| (name.clone(), e.target.clone())).collect();
    anyhow::ensure!(
        targets.contains_key(&environment),
        "the settings here know no environment `{environment}`: give --config"
    );
    let ambient = look(variable, contents, &working_folder()?, &home());
    let aims = how.as_deref().map(read);
    let only = aims.as_deref().and_then(concerns);
    let differences = compare(&ambient, &environment, &targets, only.as_ref());
    for difference in &differences {
        let mark = match difference.kind {
            DifferenceKind::Agrees | DifferenceKind::Shared => "ok  ",
            DifferenceKind::Differs => "NO  ",
            _ => "?   ",
        };
        super::tell(&format!("{mark}{}", difference.says));
    }
    if !agrees(&differences) {
        eprintln!("This shell is not aimed at {environment}. Nothing was run.");
        return Ok(1);
    }
    if args.yes {
        return Ok(0);
    }
    eprint!("Type {environment} to confirm: ");
    std::io::stderr().flush()?;
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed).context("could not read what was typed")?;
    if typed.trim() == environment.as_str() {
        return Ok(0);
    }
    eprintln!("That is not the name. Nothing was run.");
    Ok(1)
}

/// The plan's environment and commands.
async fn plan_of(args: &ConfirmArgs) -> anyhow::Result<(Environment, Option<String>)> {
    let id = PlanId::new(args.plan.to_lowercase());
    match args.place.instance().await? {
        Instance::Running(server) => {
            let view = server.get(&format!("/api/plans/{id}"), &[]).await?;
            let text = |path: &str| view.pointer(path).and_then(Value::as_str).map(str::to_owned);
            let environment = text("/plan/environment").context("the server's answer names no environment")?;
            Ok((Environment::new(environment), text("/plan/how")))
        }
        Instance::Own(app) => {
            let row = app.store.plan(&id).await?.with_context(|| format!("there is no plan `{id}`"))?;
            Ok((row.plan.environment, row.plan.how))
        }
    }
}

#[allow(clippy::disallowed_methods)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn working_folder() -> anyhow::Result<PathBuf> {
    std::env::current_dir().context("the current folder cannot be read")
}

fn home() -> PathBuf {
    variable("HOME").map(PathBuf::from).unwrap_or_default()
}

fn contents(path: &Path) -> Option<String> {
    let about = std::fs::metadata(path).ok()?;
    if !about.is_file() || about.len() > MOST {
        return None;
    }
    std::fs::read_to_string(path).ok()
}
