//! `tidegate people`: who is who, by what each account is known; and the end of a link.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::ask::Instance;
use super::{Place, print, tell};
use crate::clock::Time;
use crate::ledger::Act;
use crate::name::Person;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct PeopleArgs {
    #[command(flatten)]
    place: Place,
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<PeopleCommand>,
}

#[derive(Debug, Subcommand)]
enum PeopleCommand {
    /// Ends the link of an account: it is nobody's from then on, and both sides are told
    Unlink {
        #[command(flatten)]
        place: Place,
        /// slack/TEAM/USER or discord/USER
        account: String,
        /// Who you are: a person of the settings
        #[arg(long, value_name = "PERSON")]
        by: String,
        /// The reason, for the record
        #[arg(long)]
        why: String,
    },
}

pub async fn run(args: PeopleArgs) -> anyhow::Result<u8> {
    if let Some(PeopleCommand::Unlink { place, account, by, why }) = args.command {
        return super::audit::acts(&place, &Act::Unlink { by: Person::new(by), why, account }).await;
    }
    let told = match args.place.instance().await? {
        Instance::Running(server) => server.get("/api/people", &[]).await?,
        Instance::Own(app) => {
            let listed = crate::people::register::register(&app).await?;
            app.store.close().await;
            serde_json::json!({ "people": listed })
        }
    };
    if args.json {
        print(&told.to_string());
        return Ok(0);
    }
    let people = told.get("people").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    people.iter().flat_map(lines).for_each(|line| print(&line));
    if people.is_empty() {
        tell("The settings know nobody: add people under [people.NAME].");
    }
    Ok(0)
}

/// "grace, member: lead", and an account a line.
fn lines(person: &Value) -> Vec<String> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |name: &str| person.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let roles: Vec<String> = list("roles").iter().filter_map(|role| role.as_str().map(str::to_owned)).collect();
    let roles = if roles.is_empty() { "no role".to_owned() } else { roles.join(", ") };
    let mut lines = vec![format!("{}, {}: {roles}", text(person, "person"), text(person, "kind"))];
    for account in list("accounts") {
        let how = crate::wording::identity::how(&text(&account, "known_by"));
        let day = |at: Time| at.at(chrono_tz::Tz::UTC).format("%-d %B %Y").to_string();
        let since = Time::parse_rfc3339(&text(&account, "since")).map(|at| format!(" since {}", day(at)));
        let entry = account.get("entry").and_then(Value::as_i64).map(|entry| format!(", entry {entry}"));
        let name = text(&account, "account");
        lines.push(format!("  {name} {how}{}{}", since.unwrap_or_default(), entry.unwrap_or_default()));
    }
    lines
}
