//! OSV: known advisories for the packages that a change adds, raises or lowers.
//!
//! Asked at <https://api.osv.dev> (shapes: <https://google.github.io/osv.dev/api/>), which learns names and versions of public
//! packages and nothing else; or read from a file of advisories where nothing may be asked outside.

mod cvss;
mod local;
mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::bail;
use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use serde::Deserialize;
use serde_json::json;

use self::record::Record;
use super::rest::{Asked, Body, Credential, Rest, fixed};
use super::{Answer, Ask, CannotSay, Kind, Learned, Opening, Question, Source};
use crate::advice::facts::{Change, Finding, FindingKind, PackageChange};
use crate::message::tame;

/// So many packages are asked about at once; OSV takes 1,000.
const BATCH: usize = 500;
/// So many advisories are read; more are named alone.
const MOST_READ: usize = 30;
const AT_ONCE: usize = 8;
/// So many findings are told.
const MOST: usize = 200;

/// Known advisories for the packages that a change brings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// The API, where it is not OSV's own.
    #[serde(default = "osv")]
    url: url::Url,
    /// Advisories in OSV's format instead of the API: a file with one a line, or a folder of `.json` files.
    #[serde(default)]
    file: Option<PathBuf>,
}

impl Kind for Keys {
    fn can_answer(&self) -> Vec<Question> {
        vec![Question::Findings]
    }

    /// A file is at hand whenever it is asked.
    fn keeps(&self) -> bool {
        self.file.is_none()
    }

    fn open(&self, opening: &Opening<'_>) -> anyhow::Result<Arc<dyn Source>> {
        if let Some(file) = &self.file {
            if self.url != osv() {
                bail!("set `url` or `file`, not both");
            }
            return Ok(Arc::new(Osv::File(opening.folder.join(file))));
        }
        Ok(Arc::new(Osv::Api(Box::new(Rest::open(opening, "OSV", &self.url, Credential::None)?))))
    }
}

#[derive(Debug)]
enum Osv {
    Api(Box<Rest>),
    File(PathBuf),
}

/// The ids of the advisories that speak of one version of a package.
type Spoken = BTreeMap<(String, String, String), BTreeSet<String>>;

#[derive(Deserialize)]
struct Batch {
    results: Vec<Option<Found>>,
}

#[derive(Default, Deserialize)]
struct Found {
    #[serde(default)]
    vulns: Vec<Named>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

impl Source for Osv {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, CannotSay>> {
        Box::pin(async move {
            let packages = of_change(ask.change.as_deref())?;
            let mut incomplete = Vec::new();
            let found = match self {
                _ if packages.is_empty() => Vec::new(),
                Osv::Api(api) => asked(api, packages, &mut incomplete).await?,
                Osv::File(path) => {
                    let (path, all) = (path.clone(), packages.to_vec());
                    let read = tokio::task::spawn_blocking(move || local::read(&path, &all)).await;
                    let read =
                        read.map_err(|_| CannotSay::because("failed inside Tidegate while it read the file"))??;
                    incomplete.extend(read.incomplete);
                    findings(packages, &read.spoken, &read.records)
                }
            };
            let found = bounded(found, &mut incomplete);
            Ok(Answer { learned: Learned::Findings(found), at: ask.now, link: None, incomplete })
        })
    }
}

/// The packages that the change touches.
fn of_change(change: Option<&Change>) -> Result<&[PackageChange], CannotSay> {
    let change = change.ok_or_else(|| CannotSay::because("was not told what changes"))?;
    if change.base.is_none() {
        return Err(CannotSay::because("cannot tell which packages change: it is not known what runs now"));
    }
    Ok(&change.packages)
}

async fn asked(
    api: &Rest,
    packages: &[PackageChange],
    incomplete: &mut Vec<String>,
) -> Result<Vec<Finding>, CannotSay> {
    let versions = versions(packages);
    let mut spoken = Spoken::new();
    for batch in versions.chunks(BATCH) {
        let queries: Vec<_> = batch
            .iter()
            .map(|(ecosystem, name, version)| {
                json!({ "package": { "ecosystem": ecosystem, "name": name }, "version": version })
            })
            .collect();
        let body = Some(Body::Json(json!({ "queries": queries })));
        let said: Batch = api.ask(Asked { path: &["v1", "querybatch"], body, ..Asked::default() }).await?;
        if said.results.len() != batch.len() {
            return Err(CannotSay::because("answered about other packages than it was asked for"));
        }
        for (key, found) in batch.iter().zip(said.results) {
            let found = found.unwrap_or_default();
            if found.next_page_token.is_some() {
                incomplete.push(format!("not all advisories for {} were read", tame(&key.1, 80)));
            }
            let ids = found.vulns.into_iter().map(|named| named.id).filter(|id| record::is_id(id));
            spoken.insert(key.clone(), ids.collect());
        }
    }
    let ids = worth_reading(packages, &spoken);
    if ids.len() > MOST_READ {
        incomplete.push(format!("only {MOST_READ} of {} advisories were read", ids.len()));
    }
    let reading = stream::iter(ids.into_iter().take(MOST_READ)).map(|id| async move {
        let read = api.get::<Record>(&["v1", "vulns", &id], &[]).await;
        (id, read)
    });
    let read: Vec<_> = reading.buffered(AT_ONCE).collect().await;
    let mut records = BTreeMap::new();
    for (id, read) in read {
        match read {
            Ok(record) => {
                records.insert(id, record);
            }
            Err(failed) => {
                incomplete.push(format!("the advisory {id} could not be read: it {}", CannotSay::from(failed).0))
            }
        }
    }
    Ok(findings(packages, &spoken, &records))
}

/// Every version that came or went, each once.
fn versions(packages: &[PackageChange]) -> Vec<(String, String, String)> {
    let each = packages.iter().flat_map(|package| {
        let came = package.to.iter();
        // What only went away matters to nobody.
        let went = package.from.iter().filter(|_| package.to.is_some());
        came.chain(went).map(|version| (package.ecosystem.clone(), package.name.clone(), version.clone()))
    });
    each.collect::<BTreeSet<_>>().into_iter().collect()
}

fn of<'s>(spoken: &'s Spoken, package: &PackageChange, version: Option<&String>) -> Option<&'s BTreeSet<String>> {
    spoken.get(&(package.ecosystem.clone(), package.name.clone(), version?.clone()))
}

/// The ids that speak of what comes, those that come with the change first.
fn worth_reading(packages: &[PackageChange], spoken: &Spoken) -> Vec<String> {
    let (mut new, mut old) = (Vec::new(), Vec::new());
    for package in packages {
        let before = of(spoken, package, package.from.as_ref());
        for id in of(spoken, package, package.to.as_ref()).into_iter().flatten() {
            let was_there = before.is_some_and(|before| before.contains(id));
            if was_there { &mut old } else { &mut new }.push(id.clone());
        }
    }
    let mut seen = BTreeSet::new();
    new.into_iter().chain(old).filter(|id| seen.insert(id.clone())).collect()
}

/// One finding for each advisory and package; the names that several databases give one advisory are joined.
fn findings(packages: &[PackageChange], spoken: &Spoken, records: &BTreeMap<String, Record>) -> Vec<Finding> {
    let mut found = Vec::new();
    for package in packages {
        let Some(version) = &package.to else { continue };
        let before = of(spoken, package, package.from.as_ref());
        let mut told: Vec<(&String, Option<&Record>)> = of(spoken, package, Some(version))
            .into_iter()
            .flatten()
            .map(|id| (id, records.get(id)))
            .filter(|(_, record)| record.is_none_or(|record| record.withdrawn.is_none()))
            .collect();
        // Whoever says how bad it is speaks for the others.
        told.sort_by_key(|(id, record)| (record.is_none_or(|record| record.severity().is_none()), (*id).clone()));
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for (id, record) in told {
            let aliases = record.map(|record| record.aliases.as_slice()).unwrap_or_default();
            let all: Vec<&str> = aliases.iter().map(String::as_str).chain([id.as_str()]).collect();
            let known = all.iter().any(|name| names.contains(name));
            names.extend(all);
            if known {
                continue;
            }
            found.push(Finding {
                kind: FindingKind::Dependency,
                id: id.clone(),
                title: record.map(|record| tame(record.title(), 160)).unwrap_or_default(),
                severity: record.and_then(Record::severity).map(str::to_owned),
                path: None,
                package: Some(format!("{} {}", tame(&package.name, 120), tame(version, 60))),
                new: Some(!before.is_some_and(|before| before.contains(id))),
                link: Some(format!("https://osv.dev/vulnerability/{id}")),
            });
        }
    }
    found
}

/// New ones and grave ones first.
fn bounded(mut found: Vec<Finding>, incomplete: &mut Vec<String>) -> Vec<Finding> {
    let rank = |finding: &Finding| match finding.severity.as_deref() {
        Some("critical") => 0,
        Some("high") => 1,
        None => 2,
        Some("medium") => 3,
        Some(_) => 4,
    };
    found.sort_by_cached_key(|f| (f.new != Some(true), rank(f), f.package.clone(), f.id.clone()));
    found.dedup_by(|a, b| a.id == b.id && a.package == b.package);
    if found.len() > MOST {
        incomplete.push(format!("only the first {MOST} of {} advisories are told", found.len()));
        found.truncate(MOST);
    }
    found
}

fn osv() -> url::Url {
    fixed("https://api.osv.dev")
}
