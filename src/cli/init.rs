//! `tidegate init`: a first tidegate.toml from what is found on this machine and, where a token is at hand, from what code
//! hosts, PagerDuty and Argo CD say. Everything in it is a proposal, for a person to edit.

mod draft;
mod environments;
mod owners;
mod page;
mod people;
mod place;
mod services;
mod systems;
mod toml;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use self::draft::{Draft, Finds, draft, owners_of};
use self::page::counted;
use self::systems::{About, Reached, System};
use super::{print, tell};
use crate::clock::{Clock, DAY, Time};
use crate::config::Settings;
use crate::target::kube_contexts;

/// The most of a kubeconfig that is looked at, in bytes.
const MOST: u64 = 4 * 1024 * 1024;
/// Who wrote a commit since works on it.
const LATELY: i64 = 90 * DAY;

#[derive(Debug, Args)]
pub struct InitArgs {
    /// Where to look: a repository, or a folder with several; without it this folder
    folders: Vec<PathBuf>,
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "tidegate.toml")]
    config: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// Print it instead of writing it
    #[arg(long)]
    stdout: bool,
    /// Also ask this system, at this address: github, gitlab, pagerduty or argocd, `=URL` where it is not the vendor's own.
    /// Without it, those whose token is in the environment are asked
    #[arg(long, value_name = "KIND[=URL]")]
    source: Vec<String>,
    /// Ask nobody over the network
    #[arg(long, conflicts_with = "source")]
    offline: bool,
}

pub async fn run(args: InitArgs) -> anyhow::Result<u8> {
    if !args.stdout && !args.force && args.config.symlink_metadata().is_ok() {
        tell(&format!(
            "{} is there already, and nothing was changed. `--stdout` prints a proposal beside it; `--force` replaces it.",
            args.config.display()
        ));
        return Ok(1);
    }
    let now = Clock::system().now();
    let home = match args.config.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    anyhow::ensure!(home.is_dir(), "there is no folder {}", home.display());
    let mut finds = Finds { zone: zone(), ..Finds::default() };
    finds.reached = if args.offline { Vec::new() } else { reached(&args.source, &mut finds.notes)? };
    look(&args.folders, &home, now, &mut finds).await?;
    let about = About {
        repositories: finds.places.iter().filter_map(|place| place.host.clone()).collect(),
        owners: owners_of(&finds.places),
        since: Some(now.plus(-LATELY)),
    };
    if !finds.reached.is_empty() {
        let names: Vec<&str> = finds.reached.iter().map(|one| one.system.name).collect();
        tell(&format!("Asking {} …", names.join(", ")));
        finds.told = systems::ask(&finds.reached, &about, &home).await;
    }
    let draft = draft(finds);
    let text = page::page(&draft, now);
    let settings = Settings::read(&text, "the proposal", home.clone());
    let sound = settings.and_then(|settings| crate::source::build(&settings, &Clock::system()).map(|_| settings));
    let settings = sound.context(
        "what was found makes no settings that can be read, which is a fault of Tidegate (please report it)",
    )?;
    if args.stdout {
        print(text.trim_end());
    } else {
        write(&args.config, &text, args.force)?;
    }
    report(&draft, &settings, &args);
    Ok(0)
}

/// Looks at the repositories and kubeconfigs of this machine.
async fn look(folders: &[PathBuf], home: &Path, now: Time, finds: &mut Finds) -> anyhow::Result<()> {
    let here = [PathBuf::from(".")];
    let folders = if folders.is_empty() { &here } else { folders };
    let mut paths: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let found = place::repositories(folder);
        if found.is_empty() {
            finds.notes.push(format!("In {} there is no git repository.", folder.display()));
        }
        paths.extend(found);
    }
    paths.sort();
    paths.dedup();
    let (home, reached) = (home.to_owned(), finds.reached.clone());
    let read = tokio::task::spawn_blocking(move || {
        let all = paths.into_iter().map(|path| {
            let place = place::read(&path, &home, now.plus(-LATELY), &reached);
            (path, place)
        });
        all.collect::<Vec<_>>()
    });
    for (path, place) in read.await.context("a repository could not be read")? {
        match place {
            Ok(place) => finds.places.push(place),
            Err(why) => finds.notes.push(format!("{} {why}.", path.display())),
        }
    }
    let cwd = std::env::current_dir().context("the current folder cannot be read")?;
    match kube_contexts(variable, contents, &cwd, &variable("HOME").map(PathBuf::from).unwrap_or_default()) {
        Ok(contexts) => finds.contexts = contexts,
        Err(why) => finds.notes.push(format!("The kubeconfig {why}.")),
    }
    Ok(())
}

/// The systems that can be asked: those that were named, or those whose token and address are in the environment.
fn reached(named: &[String], notes: &mut Vec<String>) -> anyhow::Result<Vec<Reached>> {
    let mut all = Vec::new();
    for text in named {
        let (kind, url) = match text.split_once('=') {
            Some((kind, url)) => (kind, Some(url)),
            None => (text.as_str(), None),
        };
        let Some(system) = systems::ALL.into_iter().find(|system| system.kind == kind) else {
            let kinds: Vec<&str> = systems::ALL.iter().map(|system| system.kind).collect();
            bail!("`--source {}`: init can ask {}", crate::message::tame(text, 60), kinds.join(", "));
        };
        let Some(url) = url.map(str::to_owned).or_else(|| address(&system)) else {
            bail!("`--source {kind}` needs an address: `--source {kind}=https://{kind}.example.com`");
        };
        let Some(token) = token(&system) else {
            bail!("`--source {kind}` needs a token in {} (a read-only one is enough)", system.tokens.join(" or "));
        };
        let Some(url) = web(&url) else {
            bail!("`--source {kind}=…` names no web address, or one that holds a password or a query");
        };
        all.push(Reached { system, url, token });
    }
    if named.is_empty() {
        for system in systems::ALL {
            let Some(token) = token(&system) else { continue };
            match address(&system).map(|url| web(&url)) {
                Some(Some(url)) => all.push(Reached { system, url, token }),
                _ => notes.push(format!(
                    "{} was not asked: there is a token in {token} and no address; `--source {}=URL` gives one.",
                    system.name, system.kind
                )),
            }
        }
    }
    Ok(all)
}

/// The variable that holds a system's token.
fn token(system: &System) -> Option<String> {
    system.tokens.iter().find(|name| variable(name).is_some()).map(|name| (*name).to_owned())
}

fn address(system: &System) -> Option<String> {
    let own = system.addresses.iter().find_map(|name| variable(name));
    own.or_else(|| system.address.map(str::to_owned))
}

/// An address as it is asked: a bare host means https, and a password in it is no address.
fn web(text: &str) -> Option<url::Url> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = url::Url::parse(&whole).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    (matches!(url.scheme(), "http" | "https") && url.host().is_some() && plain).then_some(url)
}

/// This machine's zone, and where it says so; UTC says nothing about where people are.
fn zone() -> Option<(String, String)> {
    let linked = std::fs::read_link("/etc/localtime")
        .ok()
        .and_then(|link| link.to_str().and_then(|link| link.split_once("zoneinfo/")).map(|(_, zone)| zone.to_owned()));
    let told = std::fs::read_to_string("/etc/timezone").ok().map(|text| text.trim().to_owned());
    let all = [(variable("TZ"), "TZ"), (linked, "/etc/localtime"), (told, "/etc/timezone")];
    let mut known = all.into_iter().filter_map(|(zone, from)| {
        let zone: chrono_tz::Tz = zone?.trim_start_matches(':').parse().ok()?;
        Some((zone.name().to_owned(), format!("this machine's zone by {from}")))
    });
    known.find(|(zone, _)| zone.contains('/') && !zone.starts_with("Etc/"))
}

#[allow(clippy::disallowed_methods)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn contents(path: &Path) -> Option<String> {
    let about = std::fs::metadata(path).ok()?;
    if !about.is_file() || about.len() > MOST {
        return None;
    }
    std::fs::read_to_string(path).ok()
}

/// Writes the file: a new one, or whole in place of the old one.
fn write(file: &Path, text: &str, force: bool) -> anyhow::Result<()> {
    let says = || format!("could not write {}", file.display());
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    if !force {
        let mut new = options.open(file).with_context(says)?;
        return new.write_all(text.as_bytes()).with_context(says);
    }
    // Beside it first, so that what is there stays until the new one is whole.
    let mut name = file.file_name().context("the file has no name")?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = file.with_file_name(name);
    let mut new = options.open(&beside).with_context(says)?;
    new.write_all(text.as_bytes()).with_context(says)?;
    std::fs::rename(&beside, file).with_context(says)
}

/// What was found and what comes next, for the person who reads it.
fn report(draft: &Draft, settings: &Settings, args: &InitArgs) {
    let file = args.config.display();
    let all = [
        counted(settings.service.len(), "service", "services"),
        counted(settings.environment.len(), "environment", "environments"),
        counted(settings.people.len(), "person", "people"),
        counted(settings.source.len(), "source", "sources"),
    ];
    let done = if args.stdout { "Proposed".to_owned() } else { format!("Wrote {file}") };
    tell(&format!("{done}: {}. All of it is a proposal: nobody has a role yet.", all.join(", ")));
    for note in &draft.notes {
        tell(&format!("Not seen: {note}"));
    }
    let asked = |kind: &str| draft.reached.iter().any(|one| one.system.kind == kind);
    let unasked: Vec<String> = systems::ALL
        .iter()
        .filter(|system| !asked(system.kind))
        .map(|system| format!("{} ({})", system.name, system.tokens.first().copied().unwrap_or_default()))
        .collect();
    if !unasked.is_empty() {
        let why = if args.offline { "offline was asked for" } else { "no token is set" };
        tell(&format!("Not asked, because {why}: {}.", unasked.join(", ")));
    }
    let tag = draft.services.first().and_then(|service| {
        let place = draft.places.get(service.place)?;
        let prefix = service.found.tag_prefix.as_ref().map_or("", |(prefix, _)| prefix.as_str());
        place.survey.tags.iter().find_map(|tag| tag.strip_prefix(prefix)).map(|tag| (service.found.name.clone(), tag))
    });
    let (service, version) = match &tag {
        Some((service, tag)) => (service.as_str(), crate::message::tame(tag, 60)),
        None => (settings.service.keys().next().map_or("SERVICE", |name| name.as_str()), "HEAD".to_owned()),
    };
    tell("Next:");
    tell(&format!("  1. Read and correct {file}: services, owners, people. Give the roles that your rules ask for."));
    tell(&format!("  2. tidegate check --config {file}    asks each source, and says what is missing"));
    tell(&format!("  3. tidegate try --config {file}      then type: /deploy plan {service} production {version}"));
}
