//! What scanners found in the change: code, secrets, containers.

use crate::advice::checks::Answer;
use crate::advice::checks::advisory::rank;
use crate::advice::facts::{Fact, Finding, FindingKind};
use crate::advice::sight::{Topic, gap};
use crate::advice::view::View;
use crate::advice::{Because, FlagLevel, says};
use crate::message::tame;

/// Whose findings are about packages alone; `change.dependencies` tells them.
const PACKAGES_ALONE: &str = "osv";

pub fn security(view: &View<'_>) -> Option<Answer> {
    const OF: i32 = 6;
    if !view.plan.kind.has_version() || !anybody_scans(view) {
        return None;
    }
    let all = view.findings.known.iter().flat_map(|fact| fact.value.iter().map(move |finding| (fact, finding)));
    let mut found: Vec<(&Fact<Vec<Finding>>, &Finding)> =
        all.filter(|(_, finding)| finding.kind != FindingKind::Dependency).collect();
    found.sort_by_key(|(_, f)| (std::cmp::Reverse(level(f)), rank(f), f.path.clone(), f.id.clone()));
    let (new, old): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, finding)| finding.new != Some(false));
    let rests = new.iter().take(8).map(|(fact, finding)| Because {
        source: fact.source.clone(),
        says: tame(&format!("{}: {}", told(finding), finding.title), 200),
        link: finding.link.clone(),
        at: fact.at,
    });
    let rests: Vec<Because> = rests.collect();
    let before = match i64::try_from(old.len()).unwrap_or(i64::MAX) {
        0 => String::new(),
        n => format!(" {} stood there before.", says::count(n, "finding")),
    };
    let Some(level) = new.iter().map(|(_, finding)| level(finding)).max() else {
        let says = format!("Scanners found nothing that this change brings.{before}");
        return Some(Answer::pass(says).unless(gap(view, Topic::Findings)).likelihood(0, OF));
    };
    let named: Vec<String> = new.iter().map(|(_, finding)| told(finding)).collect();
    let secret = new.iter().any(|(_, finding)| finding.kind == FindingKind::Secret);
    let advice = if secret { " A secret that was committed counts as known: exchange it." } else { "" };
    let certain = new.iter().all(|(_, finding)| finding.new == Some(true));
    let where_ = if certain { "in this change" } else { "in files that this change touches" };
    let says = format!("Scanners found {} {where_}.{advice}{before}", says::some(&named, 3));
    let points = match level {
        FlagLevel::Critical => OF,
        FlagLevel::Caution => 3,
        _ => 1,
    };
    Some(Answer::at(level, says).because(rests).likelihood(points, OF))
}

/// Whether any source of findings is set up that looks at more than packages.
fn anybody_scans(view: &View<'_>) -> bool {
    let packages_alone = |name: &crate::name::SourceName| {
        view.settings.source.iter().any(|source| source.name == *name && source.kind.word() == PACKAGES_ALONE)
    };
    let known = view.findings.known.iter().map(|fact| &fact.source);
    known.chain(view.findings.unknown.iter().map(|unknown| &unknown.source)).any(|name| !packages_alone(name))
}

/// What a finding is worth; one of which nobody can tell whether it is new is no more than a caution.
fn level(finding: &Finding) -> FlagLevel {
    let level = match (finding.kind, finding.severity.as_deref()) {
        (FindingKind::Secret, _) | (_, Some("critical")) => FlagLevel::Critical,
        (_, Some("low")) => FlagLevel::Info,
        _ => FlagLevel::Caution,
    };
    if finding.new == Some(true) { level } else { level.min(FlagLevel::Caution) }
}

fn told(finding: &Finding) -> String {
    let what = match finding.kind {
        FindingKind::Secret => "a secret ",
        _ => "",
    };
    let severity = finding.severity.as_deref().map(|word| format!(" ({})", tame(word, 20))).unwrap_or_default();
    let path =
        finding.path.as_deref().map(|path| format!(" in `{}`", tame(path, 80).replace('`', "'"))).unwrap_or_default();
    format!("{what}{}{severity}{path}", tame(&finding.id, 80))
}
