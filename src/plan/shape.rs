//! The shape of a plan's change, as history keeps and compares it.

use chrono::{Datelike, Timelike};

use crate::advice::facts::{AiMark, Facts, Shape};
use crate::config::Settings;
use crate::plan::Plan;

/// What the change touches and is, from its facts.
pub fn of(plan: &Plan, facts: &Facts, settings: &Settings) -> Shape {
    let change = facts.change.first().map(|fact| &fact.value);
    let files: Vec<String> =
        change.map(|c| c.files.iter().take(50).map(|f| f.path.clone()).collect()).unwrap_or_default();
    let lines = change.map_or(0, |c| {
        c.files
            .iter()
            .map(|f| f.added.unwrap_or(0).saturating_add(f.deleted.unwrap_or(0)))
            .fold(0u32, u32::saturating_add)
    });
    let at = plan.when.start(plan.made_at);
    let there = at.at(settings.team.zone);
    let load = facts.load.first().map(|fact| &fact.value);
    let category =
        plan.category.clone().or_else(|| crate::advice::seen_categories(plan, facts, settings).into_iter().next());
    Shape {
        kind: Some(plan.kind.as_str().to_owned()),
        category,
        lines,
        migration: change.is_some_and(|c| !c.migrations.is_empty()),
        dependencies: files.iter().any(|f| is_lock_file(f)),
        config: files.iter().any(|f| is_config(f)),
        ai: change.map(|c| c.commits.iter().any(|commit| matches!(commit.ai, AiMark::Declared { .. }))),
        words: change.map(|c| words(c.commits.iter().map(|commit| commit.title.as_str()))).unwrap_or_default(),
        load_pct: load.and_then(|l| l.usual(at)).map(|share| (share * 100.0).round().clamp(0.0, 1000.0) as u32),
        hour: Some(there.weekday().num_days_from_monday() * 24 + there.hour()),
        files,
    }
}

fn is_lock_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(
        name,
        "Cargo.lock"
            | "package-lock.json"
            | "yarn.lock"
            | "pnpm-lock.yaml"
            | "go.sum"
            | "poetry.lock"
            | "Gemfile.lock"
            | "uv.lock"
            | "composer.lock"
    )
}

fn is_config(path: &str) -> bool {
    [".yaml", ".yml", ".toml", ".tf", ".env", ".ini", ".conf"].iter().any(|end| path.ends_with(end))
}

/// The telling words of commit titles: lower case, no little words, at most 20.
fn words<'a>(titles: impl Iterator<Item = &'a str>) -> Vec<String> {
    const LITTLE: [&str; 24] = [
        "the", "and", "for", "with", "from", "into", "that", "this", "when", "not", "add", "fix", "use", "make",
        "update", "remove", "change", "merge", "bump", "new", "all", "its", "more", "set",
    ];
    let mut found: Vec<String> = Vec::new();
    for title in titles {
        for word in title.split(|c: char| !c.is_alphanumeric()) {
            let word = word.to_lowercase();
            if word.chars().count() >= 3
                && !LITTLE.contains(&word.as_str())
                && !word.chars().all(|c| c.is_ascii_digit())
                && !found.contains(&word)
            {
                found.push(word);
            }
            if found.len() == 20 {
                return found;
            }
        }
    }
    found
}
