//! How large and how tangled the change is, and whether tests came with it.

use crate::advice::checks::{Answer, coverage};
use crate::advice::facts::FileStatus;
use crate::advice::model::{self, Measures};
use crate::advice::paths::{is_source, is_test};
use crate::advice::sight::{Topic, gap};
use crate::advice::view::{View, because, newest};
use crate::advice::{FlagLevel, says};
use crate::message::tame;

/// Points that lines and files can add.
const SIZE_OF: i32 = 36;
/// Points that spread and restless files can add.
const TANGLE_OF: i32 = 12;
/// A flag or configuration change has no diff; it is counted like a release of a few lines.
const NO_DIFF: i32 = 8;

pub fn size(view: &View<'_>) -> Option<Answer> {
    if !view.plan.kind.has_version() {
        let what = says::count(i64::try_from(view.plan.set.len()).unwrap_or(0), "value");
        let says = format!(
            "A {} change of {what} has no diff to measure; it counts like a few lines.",
            view.plan.kind.as_str()
        );
        return Some(Answer::info(says).likelihood(NO_DIFF, SIZE_OF));
    }
    let Some(fact) = newest(view.change) else {
        let points = model::points(Measures::usual().size(), 0, SIZE_OF);
        return Some(Answer::gap(gap(view, Topic::Change)?).likelihood(points, SIZE_OF));
    };
    let change = &fact.value;
    let measures = Measures::of(change);
    let lines = (measures.added + measures.deleted) as u32;
    let what = format!(
        "{} in {} and {}",
        says::count(lines, "line"),
        says::count(change.file_count, "file"),
        says::count(change.commit_count, "commit")
    );
    let mut sizes: Vec<u32> = view.the_history().map(|history| history.sizes.clone()).unwrap_or_default();
    sizes.retain(|size| *size > 0);
    sizes.sort_unstable();
    let (caution, critical) = view.limits("change.size", 0.9, f64::INFINITY);
    let answer = if sizes.len() >= 10 {
        let share = sizes.partition_point(|size| *size < lines) as f64 / sizes.len() as f64;
        let level = level(share, caution, critical, FlagLevel::Pass);
        let past = says::count(i64::try_from(sizes.len()).unwrap_or(0), "change");
        let than = if share >= 0.5 { share } else { 1.0 - share };
        let word = if share >= 0.5 { "larger" } else { "no larger" };
        Answer::at(level, format!("{what}: {word} than {} of this service's last {past}.", says::share(than)))
    } else {
        let past = match sizes.len() {
            0 => "no past change of this service is known by its size".to_owned(),
            n => format!(
                "{} of this service, too few to compare with",
                says::count(i64::try_from(n).unwrap_or(0), "past change")
            ),
        };
        Answer::info(format!("{what}; {past}."))
    };
    let answer = answer.because([because(fact, what)]).unless(gap(view, Topic::Change));
    Some(answer.likelihood(model::points(measures.size(), 0, SIZE_OF), SIZE_OF))
}

pub fn complexity(view: &View<'_>) -> Option<Answer> {
    if !view.plan.kind.has_version() {
        return None;
    }
    let Some(fact) = newest(view.change) else {
        let points = model::points(Measures::usual().tangle(), 0, TANGLE_OF);
        return Some(Answer::gap(gap(view, Topic::Change)?).likelihood(points, TANGLE_OF));
    };
    let change = &fact.value;
    let measures = Measures::of(change);
    let mut spread = format!("Spread over {}", says::count(measures.folders as u32, "folder"));
    let restless = change.files.iter().filter_map(|file| Some((file.churn?, &file.path)));
    // The most restless file; the first by name where several are.
    let restless = restless.min_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1))).filter(|(churn, _)| *churn > 0);
    if let Some((churn, path)) = restless {
        spread.push_str(&format!(
            "; `{}` changed {} in the 180 days before",
            tame(path, 80),
            if churn == 1 { "once".to_owned() } else { format!("{churn} times") }
        ));
    }
    let quiet =
        change.files.iter().filter(|f| f.status != FileStatus::Added && f.age_days.is_some_and(|age| age > 730));
    let quiet = quiet.count();
    if quiet > 0 {
        let have = if quiet == 1 { "has" } else { "have" };
        spread.push_str(&format!("; {} {have} not been touched for two years", says::count(quiet as i64, "file")));
    }
    let points = model::points(measures.tangle(), 0, TANGLE_OF);
    let (caution, critical) = view.limits("change.complexity", 9.0, f64::INFINITY);
    let covered = coverage::touched(view);
    let level = level(f64::from(points), caution, critical, FlagLevel::Pass).max(covered.level);
    let says = format!("{spread}.{}", covered.says);
    let answer = Answer::at(level, says).because([because(fact, spread)]).because(covered.because);
    Some(answer.unless(gap(view, Topic::Change)).likelihood(points, TANGLE_OF))
}

pub fn tests_missing(view: &View<'_>) -> Option<Answer> {
    const OF: i32 = 3;
    if !view.plan.kind.has_version() {
        return None;
    }
    let Some(fact) = newest(view.change) else { return Some(Answer::gap(gap(view, Topic::Change)?)) };
    let change = &fact.value;
    let alive = || change.files.iter().filter(|file| file.status != FileStatus::Removed);
    let source: Vec<_> = alive().filter(|file| is_source(&file.path)).collect();
    let tests = alive().filter(|file| is_test(&file.path)).count();
    let lines: u32 = source.iter().fold(0, |sum, file| sum.saturating_add(file.added.unwrap_or(0)));
    if source.is_empty() {
        return Some(Answer::pass("No source code changed.").unless(gap(view, Topic::Change)));
    }
    let what = says::count(i64::try_from(source.len()).unwrap_or(0), "source file");
    let moved = coverage::moved(view);
    let missing = gap(view, Topic::Change).or_else(|| coverage::unseen(view));
    if tests > 0 {
        let tests = says::count(i64::try_from(tests).unwrap_or(0), "test file");
        let says = format!("{what} changed, and {tests} with them.");
        let answer = Answer::at(moved.level, format!("{says}{}", moved.says)).because([because(fact, says)]);
        return Some(answer.because(moved.because).unless(missing).likelihood(moved.points, OF));
    }
    let (caution, critical) = view.limits("tests.missing", 20.0, f64::INFINITY);
    let inside = if source.iter().any(|file| file.path.ends_with(".rs")) {
        " (tests inside source files are not seen)"
    } else {
        ""
    };
    let says = format!("{what} changed ({}), and no test file{inside}.", says::count(lines, "new line"));
    let level = level(f64::from(lines), caution, critical, FlagLevel::Info).max(moved.level);
    let points = if level >= FlagLevel::Caution { OF } else { 1 };
    let answer = Answer::at(level, format!("{says}{}", moved.says)).because([because(fact, says)]);
    Some(answer.because(moved.because).unless(missing).likelihood(points, OF))
}

/// The level that a value reaches.
pub(super) fn level(value: f64, caution: f64, critical: f64, below: FlagLevel) -> FlagLevel {
    if value >= critical {
        FlagLevel::Critical
    } else if value >= caution {
        FlagLevel::Caution
    } else {
        below
    }
}
