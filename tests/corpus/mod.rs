//! One corpus of neutral messages, `tests/data/messages`, before everything that draws them: what comes out is kept in
//! `tests/snapshots/PLATFORM/MESSAGE.snap`, and was looked at by a person.
//!
//! A message without its four snapshots fails; so does a snapshot without its message. After a change that is meant,
//! `INSTA_UPDATE=always cargo test --test main corpus::` writes them anew: read what differs before it is kept.

mod console;
mod laws;
mod outline;
mod pictures;
mod small_png;

use std::path::{Path, PathBuf};

use serde_json::json;
use tidegate::chat::{discord, slack};
use tidegate::message::Message;
use tidegate::name::Person;

use outline::outline;

/// Every message of the corpus, by its file's name.
pub fn messages() -> Vec<(String, Message)> {
    let mut found: Vec<(String, Message)> = names(&root().join("tests/data/messages"), "json")
        .into_iter()
        .map(|name| {
            let text = std::fs::read_to_string(root().join(format!("tests/data/messages/{name}.json"))).unwrap();
            let message = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{name}.json: {why}"));
            (name, message)
        })
        .collect();
    assert!(found.len() >= 20, "the corpus has only {} messages", found.len());
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// A message as Slack is sent it. Ada, Lin and Rae have users there; every picture is uploaded.
pub fn for_slack(message: &Message) -> slack::render::Rendered {
    let user = |person: &Person| match person.as_str() {
        "ada" => Some("U0ADA".to_owned()),
        "lin" => Some("U0LIN".to_owned()),
        "rae" => Some("U0RAE".to_owned()),
        _ => None,
    };
    let picture = |_: &str| Some("F0PICTURE".to_owned());
    slack::render::render(message, &slack::render::With { user: &user, picture: &picture })
}

/// A message as Discord is sent it, in its place: a plan's message in the channel, the rest in its thread.
pub fn for_discord(name: &str, message: &Message) -> discord::render::Rendered {
    let users = discord::render::Users::from([
        (Person::new("ada"), "100000000000000001".to_owned()),
        (Person::new("lin"), "100000000000000002".to_owned()),
        (Person::new("rae"), "100000000000000003".to_owned()),
    ]);
    let place = if name == "plan" || name == "plan-settled" {
        discord::render::Place::Channel
    } else {
        discord::render::Place::Thread
    };
    discord::render::render(message, place, &users)
}

/// Compares with the snapshots of a platform, each of which must have its message.
fn compare(platform: &str, drawn: impl Iterator<Item = (String, String)>) {
    let folder = root().join("tests/snapshots").join(platform);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut known = Vec::new();
    let mut different = Vec::new();
    for (name, text) in drawn {
        let shown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            settings.bind(|| insta::assert_snapshot!(name.clone(), text));
        }));
        if shown.is_err() {
            different.push(name.clone());
        }
        known.push(name);
    }
    assert!(
        different.is_empty(),
        "{platform} draws these otherwise than their snapshots, or they have none: {different:?}"
    );
    let kept = names(&folder, "snap");
    let lost: Vec<_> = kept.iter().filter(|name| !known.contains(name)).collect();
    assert!(lost.is_empty(), "snapshots of {platform} without a message: {lost:?}");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn names(folder: &Path, ending: &str) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let paths = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == ending));
    paths.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn slack_draws_every_message_as_reviewed() {
    compare(
        "slack",
        messages().into_iter().map(|(name, message)| {
            let drawn = for_slack(&message);
            (name, outline(&json!({ "blocks": drawn.blocks, "text": drawn.text })))
        }),
    );
}

#[test]
fn discord_draws_every_message_as_reviewed() {
    compare(
        "discord",
        messages().into_iter().map(|(name, message)| {
            let drawn = for_discord(&name, &message);
            let mut text = outline(&drawn.payload(true));
            if let Some(whole) = &drawn.whole {
                text.push_str(&format!("all.txt: {} lines\n", whole.lines().count()));
            }
            (name, text)
        }),
    );
}

#[test]
fn the_terminal_shows_every_message_as_reviewed() {
    compare("terminal", messages().into_iter().map(|(name, message)| (name, message.text())));
}
