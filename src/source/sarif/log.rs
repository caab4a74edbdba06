//! A SARIF log, as far as it is read.

use serde::Deserialize;
use serde_json::Value;

use crate::advice::facts::{Finding, FindingKind};
use crate::message::tame;
use crate::source::code::brings::kind_of;

#[derive(Debug, Deserialize)]
pub struct Log {
    #[serde(default)]
    version: String,
    runs: Vec<Run>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    #[serde(default)]
    results: Option<Vec<ResultOf>>,
    #[serde(default)]
    version_control_provenance: Vec<Provenance>,
}

#[derive(Debug, Deserialize)]
struct Tool {
    driver: Driver,
}

#[derive(Debug, Deserialize)]
struct Driver {
    #[serde(default)]
    name: String,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default)]
    id: String,
    #[serde(default)]
    short_description: Option<Text>,
    #[serde(default)]
    default_configuration: Option<Configuration>,
    #[serde(default)]
    properties: Option<Value>,
    #[serde(default)]
    help_uri: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Configuration {
    #[serde(default)]
    level: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Text {
    #[serde(default)]
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Provenance {
    #[serde(default)]
    revision_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResultOf {
    #[serde(default)]
    rule_id: Option<String>,
    #[serde(default)]
    rule_index: Option<i64>,
    #[serde(default)]
    rule: Option<Reference>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    level: Option<String>,
    #[serde(default)]
    message: Option<Text>,
    #[serde(default)]
    locations: Vec<Location>,
    #[serde(default)]
    baseline_state: Option<String>,
    #[serde(default)]
    suppressions: Vec<Suppression>,
}

#[derive(Debug, Deserialize)]
struct Reference {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    index: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Suppression {
    #[serde(default)]
    status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(default)]
    physical_location: Option<Physical>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    #[serde(default)]
    artifact_location: Option<Artifact>,
    #[serde(default)]
    region: Option<Region>,
}

#[derive(Debug, Deserialize)]
struct Artifact {
    #[serde(default)]
    uri: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    #[serde(default)]
    start_line: Option<u32>,
}

/// A finding, and the line that it begins in.
#[derive(Debug)]
pub struct Told {
    pub finding: Finding,
    pub line: Option<u32>,
}

impl Log {
    /// The error says why not, as a fragment.
    pub fn read(bytes: &[u8]) -> Result<Log, &'static str> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let log: Log = serde_json::from_slice(bytes).map_err(|_| "it is not in the format of SARIF")?;
        if log.version.starts_with("2.1") { Ok(log) } else { Err("it is of another version of SARIF than 2.1.0") }
    }

    /// The commit that it is about, where it says one.
    pub fn commit(&self) -> Option<String> {
        let all = self.runs.iter().flat_map(|run| &run.version_control_provenance);
        all.filter_map(|provenance| provenance.revision_id.clone()).next()
    }

    /// What was found and is neither suppressed nor gone.
    pub fn findings(&self) -> Vec<Told> {
        let results = self.runs.iter().flat_map(|run| run.results.iter().flatten().map(move |result| (run, result)));
        results.filter_map(|(run, result)| told(run, result)).collect()
    }
}

fn told(run: &Run, result: &ResultOf) -> Option<Told> {
    let kind = result.kind.as_deref().unwrap_or("fail");
    let accepted = |s: &Suppression| s.status.as_deref().is_none_or(|status| status == "accepted");
    let gone = result.baseline_state.as_deref() == Some("absent");
    if gone || !matches!(kind, "fail" | "review" | "open") || result.suppressions.iter().any(accepted) {
        return None;
    }
    let index = result.rule_index.or(result.rule.as_ref().and_then(|rule| rule.index));
    let id = result.rule_id.as_deref().or(result.rule.as_ref().and_then(|rule| rule.id.as_deref()));
    let rules = &run.tool.driver.rules;
    let by_index = index.and_then(|index| rules.get(usize::try_from(index).ok()?));
    let rule = by_index.or_else(|| rules.iter().find(|rule| Some(rule.id.as_str()) == id));
    let severity = severity(result, rule)?;
    let place = result.locations.iter().find_map(|location| location.physical_location.as_ref());
    let path = place.and_then(|place| place.artifact_location.as_ref()?.uri.as_deref()).map(path);
    let description = rule.and_then(|rule| rule.short_description.as_ref()).map(|text| text.text.as_str());
    let message = result.message.as_ref().map(|message| message.text.as_str());
    let title = description.into_iter().chain(message).find(|text| !text.trim().is_empty()).unwrap_or_default();
    let id = id.or(rule.map(|rule| rule.id.as_str())).filter(|id| !id.is_empty()).unwrap_or(&run.tool.driver.name);
    let link = rule.and_then(|rule| rule.help_uri.clone()).filter(|link| link.starts_with("https://"));
    let finding = Finding {
        kind: kind_of(&run.tool.driver.name),
        id: tame(id, 100),
        // A scanner of secrets may quote what it found.
        title: if kind_of(&run.tool.driver.name) == FindingKind::Secret { String::new() } else { tame(title, 160) },
        severity: severity.map(str::to_owned),
        path,
        package: None,
        new: match result.baseline_state.as_deref() {
            Some("new") => Some(true),
            Some("unchanged" | "updated") => Some(false),
            _ => None,
        },
        link: link.filter(|link| link.len() <= 500),
    };
    Some(Told { finding, line: place.and_then(|place| place.region.as_ref()?.start_line) })
}

/// By the score that CodeQL and others give a rule (section on `security-severity` in GitHub's documentation of SARIF), or by
/// the level. The outer None: it is not meant as a finding.
fn severity(result: &ResultOf, rule: Option<&Rule>) -> Option<Option<&'static str>> {
    let score = rule.and_then(|rule| rule.properties.as_ref()?.get("security-severity"));
    let score = score.and_then(|score| score.as_f64().or_else(|| score.as_str()?.parse().ok()));
    if let Some(score) = score.filter(|score| score.is_finite()) {
        let word = match score {
            9.0.. => "critical",
            7.0.. => "high",
            4.0.. => "medium",
            _ => "low",
        };
        return Some(Some(word));
    }
    let own = rule.and_then(|rule| rule.default_configuration.as_ref()?.level.as_deref());
    match result.level.as_deref().or(own).unwrap_or("warning") {
        "error" => Some(Some("high")),
        "warning" => Some(Some("medium")),
        "note" => Some(Some("low")),
        "none" => None,
        _ => Some(None),
    }
}

/// A path as the repository has it, as far as that can be told.
fn path(uri: &str) -> String {
    let plain = uri.strip_prefix("file://").unwrap_or(uri);
    tame(&plain.trim_start_matches("./").replace("%20", " "), 500)
}
