//! Known advisories for the packages that a change brings, as far as somebody looked them up.

use crate::advice::facts::{Fact, Finding, FindingKind, PackageChange};
use crate::advice::sight::{Gap, Topic, gap};
use crate::advice::view::View;
use crate::advice::{Because, FlagLevel, says};
use crate::message::tame;

/// Who looks up advisories, by the word in the settings.
const LOOKS_UP: &str = "osv";

/// What was looked up.
pub struct Looked<'a> {
    found: Vec<(&'a Fact<Vec<Finding>>, &'a Finding)>,
    /// Whether anybody is set up to look; and whether all of them told everything.
    asked: bool,
    whole: bool,
}

pub fn look<'a>(view: &View<'a>) -> Looked<'a> {
    let looks_up = |name: &crate::name::SourceName| {
        view.settings.source.iter().any(|source| source.name == *name && source.kind.word() == LOOKS_UP)
    };
    let known = || view.findings.known.iter().filter(|fact| looks_up(&fact.source));
    let silent = view.findings.unknown.iter().any(|unknown| looks_up(&unknown.source));
    let all = view.findings.known.iter().flat_map(|fact| fact.value.iter().map(move |finding| (fact, finding)));
    let mut found: Vec<_> = all.filter(|(_, finding)| finding.kind == FindingKind::Dependency).collect();
    found.sort_by_key(|(_, f)| (rank(f), f.package.clone(), f.id.clone()));
    Looked {
        found,
        asked: silent || known().next().is_some(),
        whole: !silent && known().all(|fact| fact.incomplete.is_empty()),
    }
}

impl Looked<'_> {
    /// What comes with the change: how bad, the sentence, and what it rests on.
    pub fn brings(&self) -> Option<(FlagLevel, String, Vec<Because>)> {
        let new: Vec<_> = self.found.iter().filter(|(_, finding)| finding.new != Some(false)).collect();
        let level = new.iter().map(|(_, finding)| level(finding)).max()?;
        let named: Vec<String> = new.iter().map(|(_, finding)| told(finding)).collect();
        let which = if named.len() == 1 { "a known advisory" } else { "known advisories" };
        let says = format!("Brings {which}: {}.", says::some(&named, 3));
        let rests = new.iter().take(8).map(|(fact, finding)| Because {
            source: fact.source.clone(),
            says: tame(&format!("{} {}", told(finding), finding.title), 200),
            link: finding.link.clone(),
            at: fact.at,
        });
        Some((level, says, rests.collect()))
    }

    /// What else is said of advisories, as a sentence.
    pub fn says(&self) -> String {
        if !self.asked {
            return "Known advisories were not looked up.".to_owned();
        }
        if !self.whole {
            return "Known advisories could not all be looked up.".to_owned();
        }
        match i64::try_from(self.found.len()).unwrap_or(i64::MAX) {
            0 => "No known advisory speaks of them.".to_owned(),
            n => format!(
                "{} of them {} there before.",
                says::count(n, "known advisory"),
                if n == 1 { "was" } else { "were" }
            ),
        }
    }

    /// What keeps the silence about advisories from being an all-clear; where nobody is set up to look, the sentence says so.
    pub fn gap(&self, view: &View<'_>) -> Option<Gap> {
        if self.asked && !self.whole { gap(view, Topic::Findings) } else { None }
    }
}

/// `time 0.1.44`
pub fn named(package: &PackageChange) -> String {
    let version = package.to.as_deref().unwrap_or_default();
    format!("{} {}", tame(&package.name, 60), tame(version, 30))
}

fn told(finding: &Finding) -> String {
    let package = finding.package.as_deref().map(|package| format!("{} ", tame(package, 80))).unwrap_or_default();
    let severity = finding.severity.as_deref().map(|word| format!(", {}", tame(word, 20))).unwrap_or_default();
    format!("{package}({}{severity})", tame(&finding.id, 60))
}

fn level(finding: &Finding) -> FlagLevel {
    match finding.severity.as_deref() {
        Some("critical") => FlagLevel::Critical,
        Some("low") => FlagLevel::Info,
        _ => FlagLevel::Caution,
    }
}

/// The gravest first; one of unknown severity stands between high and medium.
pub fn rank(finding: &Finding) -> u8 {
    match finding.severity.as_deref() {
        Some("critical") => 0,
        Some("high") => 1,
        None => 2,
        Some("medium") => 3,
        Some(_) => 4,
    }
}
