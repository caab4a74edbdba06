//! `tidegate manifest`: what to paste or register so that a platform lets Tidegate in.

use clap::ValueEnum;

use super::{Place, print};
use crate::chat::discord;
use crate::chat::slack::manifest;

/// A platform that wants to be told what Tidegate may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Platform {
    Slack,
    Discord,
}

/// The manifest on standard output; the reasons of its permissions beside it.
pub fn run(platform: Platform, place: Place) -> anyhow::Result<u8> {
    let settings = place.settings()?;
    match platform {
        Platform::Slack => {
            eprintln!("Paste this at https://api.slack.com/apps → Create New App → From a manifest. It asks for:");
            for scope in manifest::scopes(&settings) {
                eprintln!("  {:<18} {}", scope.name, scope.why);
            }
            if manifest::lacks_address(&settings) {
                eprintln!(
                    "Signed HTTP needs the address that Slack reaches: set `url` under [web] and print it again."
                );
            }
            print(&serde_json::to_string_pretty(&manifest::manifest(&settings))?);
        }
        Platform::Discord => {
            eprintln!("Nothing is to be pasted: `tidegate serve` registers the command where it differs. It is this:");
            print(&serde_json::to_string_pretty(&discord::commands::manifest(&settings))?);
        }
    }
    Ok(0)
}
