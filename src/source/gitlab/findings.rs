//! What the scanners of the commit's pipelines found, compared with the pipelines of what runs.
//!
//! GitLab tells it in its tier Ultimate alone (<https://docs.gitlab.com/api/vulnerability_findings/>).

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Gitlab, link};
use crate::advice::facts::{Change, Finding, FindingKind};
use crate::message::tame;
use crate::source::code::brings::is_new;
use crate::source::rest::Failed;
use crate::source::{Answer, Ask, CannotSay, Learned};

/// So many findings of a pipeline are read.
const MOST: usize = 300;
/// So many pipelines of a commit are looked at, the newest first.
const MOST_PIPELINES: usize = 3;

#[derive(Debug, Deserialize)]
struct Pipeline {
    id: u64,
    status: String,
}

#[derive(Debug, Deserialize)]
struct Found {
    #[serde(default)]
    uuid: Option<String>,
    #[serde(default)]
    project_fingerprint: Option<String>,
    #[serde(default)]
    report_type: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    dismissal_feedback: Option<serde_json::Value>,
    #[serde(default)]
    identifiers: Vec<Identifier>,
    #[serde(default)]
    location: Option<Location>,
}

#[derive(Debug, Deserialize)]
struct Identifier {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Location {
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    start_line: Option<u32>,
    #[serde(default)]
    dependency: Option<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    #[serde(default)]
    package: Option<Package>,
    #[serde(default)]
    version: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Package {
    #[serde(default)]
    name: Option<String>,
}

impl Found {
    /// What stays the same from pipeline to pipeline.
    fn key(&self) -> Option<&str> {
        self.uuid.as_deref().or(self.project_fingerprint.as_deref()).filter(|key| !key.is_empty())
    }

    fn stands(&self) -> bool {
        self.dismissal_feedback.is_none() && !matches!(self.state.as_deref(), Some("dismissed" | "resolved"))
    }
}

impl Gitlab {
    pub(super) async fn findings(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let (head, base) = (self.head(ask).await?, self.base(ask).await?);
        let mut incomplete = Vec::new();
        let Some(found) = self.found(&head.id, &mut incomplete).await? else {
            return Err(CannotSay::because("has no finished pipeline of this commit, so nothing was scanned"));
        };
        let before = match &base {
            // What could not be read there makes nothing here uncertain: it is told as new.
            Some(base) => self.found(&base.id, &mut Vec::new()).await?,
            None => None,
        };
        let scanned: Option<BTreeSet<&str>> =
            before.as_ref().map(|before| before.iter().map(|found| found.report_type.as_str()).collect());
        let known: BTreeSet<&str> = before.iter().flatten().filter_map(Found::key).collect();
        let change = ask.change.as_deref();
        let told = found.iter().filter(|found| found.stands()).map(|found| {
            let compared = match (found.key(), &scanned) {
                (Some(key), Some(_)) if known.contains(key) => Some(false),
                // Without a finding of its kind there it is not known whether that kind was scanned at all.
                (Some(_), Some(scanned)) if scanned.contains(found.report_type.as_str()) => Some(true),
                _ => None,
            };
            finding(found, compared, change)
        });
        let mut told: Vec<Finding> = told.collect();
        told.sort_by_cached_key(|f| (f.new == Some(false), f.path.clone(), f.id.clone()));
        Ok(Answer { learned: Learned::Findings(told), at: ask.now, link: link(head.web_url), incomplete })
    }

    /// What the pipelines of a commit found; None: none has finished.
    async fn found(&self, commit: &str, incomplete: &mut Vec<String>) -> Result<Option<Vec<Found>>, CannotSay> {
        let query = [("sha", commit), ("order_by", "id"), ("sort", "desc")];
        let (pipelines, _) = self.api.pages::<Pipeline>(&self.path(&["pipelines"]), &query, 100).await?;
        let over = |pipeline: &&Pipeline| matches!(pipeline.status.as_str(), "success" | "failed");
        if pipelines.iter().any(|pipeline| !over(&pipeline) && !is_dropped(&pipeline.status)) {
            incomplete.push("a pipeline of this commit is not over".to_owned());
        }
        let over: Vec<&Pipeline> = pipelines.iter().filter(over).collect();
        if over.len() > MOST_PIPELINES {
            incomplete.push(format!("only the newest {MOST_PIPELINES} pipelines of the commit were looked at"));
        }
        if over.iter().take(MOST_PIPELINES).any(|pipeline| pipeline.status == "failed") {
            incomplete.push("a pipeline of this commit failed; a scan may be missing".to_owned());
        }
        let mut all: Vec<Found> = Vec::new();
        for pipeline in over.iter().take(MOST_PIPELINES) {
            let id = pipeline.id.to_string();
            let path = self.path(&["vulnerability_findings"]);
            let query = [("pipeline_id", id.as_str()), ("scope", "all")];
            let (found, more) = self.api.pages::<Found>(&path, &query, MOST).await.map_err(|failed| match failed {
                Failed::Says(why) if why.0.contains("lacks a permission") => CannotSay::because(
                    "tells no findings (403): GitLab does so in the tier Ultimate alone, to developers of the project",
                ),
                Failed::Missing => CannotSay::because(
                    "has no findings at this address (404): GitLab tells them in the tier Ultimate alone",
                ),
                Failed::Says(why) => why,
            })?;
            if more {
                incomplete.push(format!("only the first {MOST} findings of a pipeline were read"));
            }
            for found in found {
                if found.key().is_none_or(|key| all.iter().all(|known| known.key() != Some(key))) {
                    all.push(found);
                }
            }
        }
        Ok((!over.is_empty()).then_some(all))
    }
}

/// Whether a pipeline ended without having run.
fn is_dropped(status: &str) -> bool {
    matches!(status, "canceled" | "canceling" | "skipped")
}

fn finding(found: &Found, compared: Option<bool>, change: Option<&Change>) -> Finding {
    let kind = match found.report_type.as_str() {
        "secret_detection" => FindingKind::Secret,
        "dependency_scanning" => FindingKind::Dependency,
        "container_scanning" | "cluster_image_scanning" => FindingKind::Container,
        _ => FindingKind::Code,
    };
    let location = found.location.as_ref();
    let path = location.and_then(|location| location.file.as_deref()).filter(|path| !path.is_empty());
    let line = location.and_then(|location| location.start_line);
    let first = found.identifiers.first();
    let id = first.and_then(|identifier| identifier.name.as_deref()).or(found.name.as_deref()).unwrap_or_default();
    let severity = match found.severity.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("critical") => Some("critical"),
        Some("high") => Some("high"),
        Some("medium") => Some("medium"),
        Some("low" | "info") => Some("low"),
        _ => None,
    };
    let package = location.and_then(|location| location.dependency.as_ref()).and_then(|dependency| {
        let name = dependency.package.as_ref()?.name.as_deref()?;
        Some(tame(&format!("{name} {}", dependency.version.as_deref().unwrap_or_default()), 200))
    });
    Finding {
        kind,
        id: tame(if id.is_empty() { &found.report_type } else { id }, 100),
        // A scanner of secrets may quote what it found.
        title: match kind {
            FindingKind::Secret => String::new(),
            _ => tame(found.name.as_deref().unwrap_or_default(), 160),
        },
        severity: severity.map(str::to_owned),
        new: compared.or_else(|| is_new(change, path?, line)),
        path: path.map(|path| tame(path, 500)),
        package,
        link: link(first.and_then(|identifier| identifier.url.clone())).filter(|link| link.len() <= 500),
    }
}
