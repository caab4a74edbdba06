//! The sample company that `tidegate try` runs on: Harbor, which does not exist. Its repository, calendars, history and
//! databases are made at the first start, its services answer on loopback, and everything is read by the same sources as
//! in earnest. What is planted in it stands in `docs/sample.md`.

mod calendars;
mod code;
mod coming;
mod database;
mod day;
mod dice;
mod ical;
mod metrics;
mod records;
mod release;
pub mod repository;
mod server;
mod source_text;
mod theme;
mod town;
mod traffic;
mod tries;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::database::Ran;
use self::release::{NEWEST_MIGRATION, Release, migration_path};
use self::repository::RepositoryStory;
use self::server::Server;
use self::town::Town;
use self::traffic::Mood;
use crate::clock::{Clock, DAY, HOUR, Time};
use crate::config::Settings;

/// The settings of the sample, with places to be filled in.
const SETTINGS: &str = include_str!("../../../config/sample/tidegate.toml");

/// What was made is made anew when it is older than this: calendars and versions would lie too far back.
const STALE_AFTER: i64 = 21 * DAY;

/// Harbor's services, running, with switches to make them misbehave. They stop when this is dropped.
#[derive(Debug)]
pub struct World {
    town: Arc<Town>,
    server: Server,
    tries: Vec<String>,
}

impl World {
    /// Turns a switch, by its id: `checkout-errors`, `ledger-down`, `checkout-staging-slow`, `everything-well`. False:
    /// there is no such switch.
    pub fn act(&self, id: &str) -> bool {
        if id == "everything-well" {
            for (service, _) in SWITCHED {
                for environment in ["staging", "production"] {
                    self.town.turn(service, environment, Mood::Well);
                }
            }
            return true;
        }
        let Some((place, mood)) = id.rsplit_once('-') else { return false };
        let Some(mood) = Mood::ALL.into_iter().find(|known| known.as_str() == mood) else { return false };
        match place.strip_suffix("-staging") {
            Some(service) => self.town.turn(service, "staging", mood),
            None => self.town.turn(place, "production", mood),
        }
    }

    /// The switches for the console: `[{"id", "says"}]`.
    pub fn list(&self) -> Value {
        let all = SWITCHED.iter().flat_map(|(service, moods)| {
            moods
                .iter()
                .map(move |mood| json!({"id": format!("{service}-{}", mood.as_str()), "says": says(service, *mood)}))
        });
        let well = json!({"id": "everything-well", "says": "Make everything well again"});
        Value::Array(all.chain([well]).collect())
    }

    /// What to type first, in an order that tells a story.
    pub fn tries(&self) -> Vec<String> {
        self.tries.clone()
    }

    /// Where Harbor's services answer.
    pub fn address(&self) -> std::net::SocketAddr {
        self.server.address
    }
}

/// Services with switches on the console; `act` knows every mood of every service.
const SWITCHED: [(&str, &[Mood]); 6] = [
    ("checkout", &[Mood::Errors, Mood::Slow, Mood::Down, Mood::Silent, Mood::Well]),
    ("ledger", &[Mood::Errors, Mood::Down, Mood::Well]),
    ("search", &[Mood::Slow, Mood::Well]),
    ("storefront", &[Mood::Errors, Mood::Well]),
    ("notifications", &[Mood::Errors, Mood::Well]),
    ("docs-site", &[Mood::Down, Mood::Well]),
];

fn says(service: &str, mood: Mood) -> String {
    match mood {
        Mood::Well => format!("{service} works again"),
        Mood::Errors => format!("{service} answers with errors"),
        Mood::Slow => format!("{service} answers slowly"),
        Mood::Down => format!("{service} is down"),
        Mood::Silent => format!("{service} sends no metrics"),
    }
}

/// Makes what is missing under `DATA/sample`, starts the services, and reads the settings. A second start finds what the
/// first one made; calendars are written anew, so that every start has something ahead.
pub async fn build(data: &Path, clock: &Clock) -> anyhow::Result<(Settings, World)> {
    let folder = std::path::absolute(data).context("find the data folder")?.join("sample");
    let now = clock.now();
    std::fs::create_dir_all(folder.join("records")).with_context(|| format!("make the folder {}", folder.display()))?;
    if !is_made(&folder, now) {
        make(&folder, now).await?;
    }
    for (file, text) in calendars::calendars(now) {
        put(&folder.join("calendars").join(file), &text)?;
    }
    let town = Arc::new(Town::open(&folder.join("turns.jsonl"), clock.clone()));
    let server = server::start(town.clone()).await?;
    let settings = settings(&folder, &server)?;
    let tries = tries::tries(now);
    Ok((settings, World { town, server, tries }))
}

fn settings(folder: &Path, server: &Server) -> anyhow::Result<Settings> {
    let place = folder.to_str().context("the data folder's name is not Unicode")?;
    let services = format!("http://{}", server.address);
    let text = SETTINGS
        .replace("{data}", &place.replace('\\', "\\\\").replace('"', "\\\""))
        .replace("{metrics}", &format!("{services}/metrics"))
        .replace("{probe}", &services);
    Settings::read(&text, "config/sample/tidegate.toml", folder.to_owned())
}

/// When the folder was made.
#[derive(Debug, Serialize, Deserialize)]
struct Made {
    format: u32,
    at: Time,
}

const FORMAT: u32 = 1;

fn is_made(folder: &Path, now: Time) -> bool {
    let text = std::fs::read_to_string(folder.join("made.json")).unwrap_or_default();
    let Ok(made) = serde_json::from_str::<Made>(&text) else { return false };
    made.format == FORMAT && made.at <= now.plus(12 * HOUR) && now.since(made.at) < STALE_AFTER
}

/// Makes everything but the calendars. `made.json` comes last, so that a start that was cut short begins again.
async fn make(folder: &Path, now: Time) -> anyhow::Result<()> {
    let (repository, orders, staging) =
        (folder.join("harbor.git"), folder.join("orders.db"), folder.join("orders-staging.db"));
    clear(&folder.join("made.json"))?;
    for old in [&repository, &orders, &staging] {
        clear(old)?;
    }
    let path = repository.clone();
    let (releases, story) = tokio::task::spawn_blocking(move || -> anyhow::Result<(Vec<Release>, RepositoryStory)> {
        let releases = release::releases(now);
        let story = code::story(&releases, now);
        repository::make(&path, &story).context("make the sample repository")?;
        Ok((releases, story))
    })
    .await
    .context("the making of the sample repository was cut short")??;
    let commits = tagged(&repository)?;
    let deployments = records::deployments(&releases, &commits, now);
    put(&folder.join("records/deployments.jsonl"), &records::lines(&deployments)?)?;
    put(&folder.join("records/incidents.jsonl"), &records::lines(&records::incidents(&deployments, now))?)?;

    let ran = ran(&story, &releases, now);
    // Migration 47 ran in production ahead of its version; staging has all of them.
    let in_production: Vec<Ran> =
        ran.iter().filter(|ran| ran.number <= i64::from(NEWEST_MIGRATION) + 1).cloned().collect();
    database::write(&orders, &in_production).await?;
    database::write(&staging, &ran).await?;
    put(&folder.join("made.json"), &serde_json::to_string(&Made { format: FORMAT, at: now })?)
}

/// The commits of all tags, by the tags' names.
fn tagged(repository: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let repository = gix::open::Options::isolated().open(repository)?.to_thread_local();
    let mut commits = BTreeMap::new();
    for reference in repository.references()?.tags()? {
        let reference = reference.map_err(|error| anyhow::anyhow!("read the sample's tags: {error}"))?;
        let name = reference.name().shorten().to_string();
        commits.insert(name, reference.into_fully_peeled_id()?.to_string());
    }
    Ok(commits)
}

/// Every migration of the story as it last stood, with the time at which production ran it.
fn ran(story: &RepositoryStory, releases: &[Release], now: Time) -> Vec<Ran> {
    let mut texts: BTreeMap<&[u8], &[u8]> = BTreeMap::new();
    for (path, text) in story.commits.iter().flat_map(|commit| &commit.files) {
        if let (true, Some(text)) = (path.starts_with(b"migrations/"), text) {
            texts.insert(path, text);
        }
    }
    let in_production = |number: u32| releases.iter().find(|r| r.migration == Some(number)).map(|r| r.production);
    (1..=NEWEST_MIGRATION + 2)
        .filter_map(|number| {
            let path = migration_path(number);
            let text = texts.get(path.as_bytes())?;
            let stem = path.rsplit('/').next()?.trim_end_matches(".sql");
            let name = stem.split_once('_').map_or(stem, |(_, name)| name).replace('_', " ");
            // Older than the history: a fortnight apart, before it begins.
            let before = now.plus(-i64::try_from(release::DAYS_BACK).unwrap_or(0) * DAY);
            let older = before.plus(-14 * DAY * i64::from(NEWEST_MIGRATION.saturating_sub(number)));
            let at = match number {
                ..=NEWEST_MIGRATION => in_production(number).unwrap_or(older),
                _ => code::working_days_before(now, 1, 16, 40),
            };
            Some(Ran { number: i64::from(number), name, text: String::from_utf8_lossy(text).into_owned(), at })
        })
        .collect()
}

fn put(file: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("make the folder {}", folder.display()))?;
    }
    std::fs::write(file, text).with_context(|| format!("write {}", file.display()))
}

/// Removes a file or folder that this module made; one that is not there is fine.
fn clear(path: &Path) -> anyhow::Result<()> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
