//! The command line: a file per subcommand.
//!
//! What programs read goes to standard output alone; words for people go to standard error. Exit codes: 0 yes or done,
//! 1 no, 2 cannot tell or did not work.

mod approve;
mod ask;
mod audit;
mod calendar;
mod check;
mod confirm;
pub mod evidence;
mod gate;
mod init;
mod manifest;
mod people;
mod plan;
pub mod sample;
pub mod serve;
mod windows;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// An advisor for deployments that lives in your team's chat. It reads the tide; a person holds the helm.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Where an instance is.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// The settings file; without it `tidegate.toml` in this folder, if there is one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where everything of an instance lives: store, keys, caches
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The sample company, or your own settings, on the console: nothing to set up
    Try {
        #[command(flatten)]
        place: Place,
        /// The clock begins here: 2026-11-20T16:30-08:00
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// Where to listen; port 0 is any
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<std::net::SocketAddr>,
        /// Another store than the settings name
        #[arg(long, value_name = "URL")]
        store: Option<String>,
        /// Connects to the chats that the settings name too, instead of the console alone
        #[arg(long)]
        chats: bool,
    },
    /// The bot: console, webhooks, gate
    Serve {
        #[command(flatten)]
        place: Place,
        /// Where to listen
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<std::net::SocketAddr>,
    },
    /// The same brief in the terminal; records nothing
    Plan(plan::PlanArgs),
    /// The next good windows
    Windows(windows::WindowsArgs),
    /// What a pipeline asks: exit 0 approved, 1 not (yet), 2 cannot tell
    Gate(gate::GateArgs),
    /// The emergency path when the chat is down: approves as the person whose token it is, and says so aloud
    Approve(approve::ApproveArgs),
    /// Who is who: every person's accounts, and by what each is known; ends the link of one
    People(people::PeopleArgs),
    /// Compares what this shell aims at with the plan's target; runs nothing
    Confirm(confirm::ConfirmArgs),
    /// Writes a first tidegate.toml from what it finds: repositories, CODEOWNERS, kube contexts, GitHub, PagerDuty, …
    Init(init::InitArgs),
    /// Reads the settings and asks each source one real question
    Check {
        #[command(flatten)]
        place: Place,
    },
    /// What to paste or register so that a platform lets Tidegate in
    Manifest {
        /// The platform
        platform: manifest::Platform,
        #[command(flatten)]
        place: Place,
    },
    /// What the calendar source makes of a file or an address
    Calendar(calendar::CalendarArgs),
    /// The record: verify, show, export
    Audit {
        #[command(subcommand)]
        command: audit::AuditCommand,
    },
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => {
            eprintln!("tidegate: could not start: {why}");
            return ExitCode::from(2);
        }
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Try { place, at, listen, store, chats } => serve::trying(place, at, listen, store, chats).await,
            Command::Serve { place, listen } => serve::serving(place, listen).await,
            Command::Plan(args) => plan::run(args).await,
            Command::Windows(args) => windows::run(args).await,
            Command::Gate(args) => gate::run(args).await,
            Command::Approve(args) => approve::run(args).await,
            Command::People(args) => people::run(args).await,
            Command::Confirm(args) => confirm::run(args).await,
            Command::Init(args) => init::run(args).await,
            Command::Check { place } => check::run(place).await,
            Command::Manifest { platform, place } => manifest::run(platform, place),
            Command::Calendar(args) => calendar::run(args).await,
            Command::Audit { command } => audit::run(command).await,
        }
    });
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tell(&format!("tidegate: {error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Writes to standard output; a reader that went away is no failure of ours. Programs get every byte; a terminal gets
/// nothing that would move its cursor.
#[allow(clippy::print_stdout)]
pub fn print(text: &str) {
    use std::io::{IsTerminal, Write};
    let mut out = std::io::stdout().lock();
    let _ = if out.is_terminal() { writeln!(out, "{}", still(text)) } else { writeln!(out, "{text}") };
    let _ = out.flush();
}

/// Says something to a person, on standard error.
pub fn tell(text: &str) {
    eprintln!("{}", still(text));
}

/// Control and direction-changing characters as their numbers, in the way of JSON, so that JSON stays what it is.
pub(crate) fn still(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if (c.is_control() && c != '\n' && c != '\t') || crate::message::is_invisible(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_shown_escape_sequences_as_their_numbers() {
        assert_eq!(still("a\u{1b}[2J\tb\u{9b}\n\u{202e}"), "a\\u001b[2J\tb\\u009b\n\\u202e");
        let json = serde_json::json!({ "said": "\u{9b}\u{e0041}\u{1b}" });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&still(&json.to_string())).unwrap(), json);
    }
}
