//! What the change is made of: its category, its libraries, its declared AI assistance.

use crate::advice::checks::{Answer, advisory};
use crate::advice::facts::{AiMark, Rate};
use crate::advice::model::{self, wilson};
use crate::advice::paths::{is_lock_file, is_manifest};
use crate::advice::says;
use crate::advice::sight::{Topic, gap};
use crate::advice::view::{View, because, newest};
use crate::message::tame;

pub fn category(view: &View<'_>) -> Option<Answer> {
    const OF: i32 = 6;
    let category = &view.category;
    let points = if category.is_high() { OF } else { 0 };
    let evidence = newest(view.change).map(|fact| because(fact, "the paths and titles of the change"));
    if let (Some(doubt), Some(_)) = (&category.view.doubt, &category.view.declared) {
        return Some(Answer::caution(doubt.clone()).because(evidence).consequence(points, OF));
    }
    let seen: Vec<String> = category
        .seen
        .iter()
        .take(3)
        .map(|seen| format!("{}{} ({})", seen.name, if seen.high { ", high-risk" } else { "" }, seen.why))
        .collect();
    let declared = category.view.declared.as_ref().map(|name| format!("declared as {}", tame(name, 40)));
    let missing = if view.plan.kind.has_version() { gap(view, Topic::Change) } else { None };
    let broken = view.paths.broken.first().map(|pattern| tame(pattern, 60));
    let answer = match (declared, seen.as_slice()) {
        (None, []) => Answer::info("No path or word of the change matches a category."),
        (None, seen) => Answer::info(format!("Looks like {}.", seen.join("; "))),
        (Some(declared), []) => Answer::info(format!("{}; nothing seen speaks against it.", says::capital(&declared))),
        (Some(declared), seen) => {
            Answer::info(format!("{}; looks like {}.", says::capital(&declared), seen.join("; ")))
        }
    };
    let answer = answer.because(evidence).unless(missing);
    let answer = match broken {
        Some(pattern) => {
            Answer::unknown(format!("The category is not certain: the pattern `{pattern}` cannot be read."))
        }
        None => answer,
    };
    Some(answer.consequence(points, OF))
}

pub fn dependencies(view: &View<'_>) -> Option<Answer> {
    const OF: i32 = 5;
    if !view.plan.kind.has_version() {
        return None;
    }
    let Some(fact) = newest(view.change) else { return Some(Answer::gap(gap(view, Topic::Change)?)) };
    let change = &fact.value;
    let mut named: Vec<&str> =
        change.files.iter().map(|f| f.path.as_str()).filter(|path| is_lock_file(path) || is_manifest(path)).collect();
    named.sort_unstable();
    let locked = change.packages.iter().filter_map(|package| {
        let (from, to) = (package.from.clone()?, package.to.clone()?);
        Some(Leap { name: package.name.clone(), major: is_major(&from, &to), from, to })
    });
    let mut leaps: Vec<Leap> = locked.collect();
    if leaps.is_empty() {
        leaps = change.commits.iter().filter_map(|commit| leap(&commit.title)).collect();
    }
    leaps.sort();
    leaps.dedup();
    let added: Vec<String> = change.packages.iter().filter(|p| p.from.is_none()).map(advisory::named).collect();
    let looked = advisory::look(view);
    if named.is_empty() && leaps.is_empty() && change.packages.is_empty() {
        return Some(Answer::pass("No library moves.").unless(gap(view, Topic::Change)));
    }
    let evidence = because(fact, named.iter().map(|path| tame(path, 80)).collect::<Vec<_>>().join(", "));
    if let Some((level, says, rests)) = looked.brings() {
        return Some(Answer::at(level, says).because([evidence]).because(rests).likelihood(OF, OF));
    }
    let rest = looked.says();
    let major: Vec<String> = leaps.iter().filter(|leap| leap.major).map(Leap::says).collect();
    if !major.is_empty() {
        let says = format!("A major upgrade: {}. {rest}", says::some(&major, 3));
        return Some(Answer::caution(says).because([evidence]).likelihood(OF, OF));
    }
    let moved: Vec<String> = leaps.iter().map(Leap::says).collect();
    let files: Vec<String> = named.iter().map(|path| format!("`{}`", tame(path, 80))).collect();
    let mut what: Vec<String> = Vec::new();
    if !moved.is_empty() {
        what.push(says::some(&moved, 3));
    }
    if !added.is_empty() {
        what.push(format!("added {}", says::some(&added, 3)));
    }
    if what.is_empty() && !change.packages.is_empty() {
        let gone = i64::try_from(change.packages.len()).unwrap_or(i64::MAX);
        what.push(format!("{} taken away", says::count(gone, "package")));
    }
    let manifest = named.iter().any(|path| is_manifest(path));
    let what = match (what.is_empty(), manifest) {
        (false, _) if change.packages.is_empty() => {
            format!("{}; no major upgrade is named in the titles", what.join("; "))
        }
        (false, _) => format!("{}; no major upgrade", what.join("; ")),
        (true, true) => {
            format!("{} changed; which libraries were added or raised is not read from it", says::some(&files, 3))
        }
        (true, false) => format!("{} changed; no package in it did", says::some(&files, 3)),
    };
    let says = format!("Libraries move: {what}. {rest}");
    let blind = looked.gap(view).or_else(|| gap(view, Topic::Change));
    Some(Answer::info(says).because([evidence]).unless(blind).likelihood(2, OF))
}

/// "Bump serde from 1.0.3 to 2.0.0", as dependency bots write it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Leap {
    name: String,
    from: String,
    to: String,
    major: bool,
}

impl Leap {
    fn says(&self) -> String {
        format!("{} {} → {}", tame(&self.name, 60), tame(&self.from, 30), tame(&self.to, 30))
    }
}

fn leap(title: &str) -> Option<Leap> {
    let words: Vec<&str> = title.split_whitespace().take(40).collect();
    let from = words.windows(4).position(|w| w[0] == "from" && w[2] == "to")?;
    let number =
        |text: &str| text.trim_start_matches(['v', '^', '~', '=']).split(['.', '-']).next()?.parse::<u64>().ok();
    let (old, new) = (words[from + 1], words[from + 3]);
    number(old)?;
    number(new)?;
    let name = words.get(from.checked_sub(1)?)?.trim_matches('`').to_owned();
    Some(Leap { name, from: old.to_owned(), to: new.to_owned(), major: is_major(old, new) })
}

/// Whether what breaks may break: the first number rose, or below 1.0 the second (semver.org, item 4).
fn is_major(old: &str, new: &str) -> bool {
    let major_of = |text: &str| {
        let mut parts = text.trim_start_matches(['v', '^', '~', '=']).split('.');
        let first: u64 = parts.next()?.parse().ok()?;
        Some(if first == 0 { (0, parts.next()?.parse::<u64>().ok()?) } else { (first, 0) })
    };
    matches!((major_of(old), major_of(new)), (Some(a), Some(b)) if b > a)
}

pub fn ai(view: &View<'_>) -> Option<Answer> {
    const OF: i32 = 4;
    if !view.plan.kind.has_version() {
        return None;
    }
    let Some(fact) = newest(view.change) else { return Some(Answer::gap(gap(view, Topic::Change)?)) };
    let commits = &fact.value.commits;
    let people = commits.iter().filter(|commit| commit.ai != AiMark::Bot).count();
    let declared = commits.iter().filter(|commit| matches!(commit.ai, AiMark::Declared { .. })).count();
    let share = match (declared, people) {
        (_, 0) => return Some(Answer::info("No commit was made by a person.").unless(gap(view, Topic::Change))),
        (0, n) => format!("None of {} declares AI assistance, which proves nothing", says::count(n as i64, "commit")),
        (declared, n) => format!(
            "{declared} of {} ({}) {} AI assistance",
            says::count(n as i64, "commit"),
            says::share(declared as f64 / n as f64),
            if declared == 1 { "declares" } else { "declare" }
        ),
    };
    let evidence = because(fact, share.clone());
    let known = newest(view.history);
    let rates = known.map(|fact| (fact.value.ai_rate, fact.value.not_ai_rate));
    let (with, without) = rates.unwrap_or_default();
    if with.n == 0 || without.n == 0 {
        return Some(
            Answer::info(format!("{share}; your own record cannot compare such changes yet.")).because([evidence]),
        );
    }
    let numbers = format!(
        "here {} of {} changes that declare it needed a fix ({}), {} of {} others ({})",
        with.bad,
        with.n,
        interval(with),
        without.bad,
        without.n,
        interval(without)
    );
    let evidence = [Some(evidence), known.map(|fact| because(fact, numbers.clone()))].into_iter().flatten();
    let enough = with.n >= 10 && without.n >= 10;
    let worse = enough && wilson(with).0 > wilson(without).1;
    let better = enough && wilson(with).1 < wilson(without).0;
    if worse && declared > 0 {
        let gap = model::log_odds(model::shrunk(with, 0.15)) - model::log_odds(model::shrunk(without, 0.15));
        let points = model::points(gap * declared as f64 / people as f64, 0, OF);
        let says = format!("{share}; {numbers}: more often, beyond chance.");
        return Some(Answer::caution(says).because(evidence).likelihood(points, OF));
    }
    let verdict = match (worse, better) {
        (true, _) => "more often, beyond chance",
        (_, true) => "less often, beyond chance",
        _ => "no difference that chance does not explain",
    };
    Some(Answer::info(format!("{share}; {numbers}: {verdict}.")).because(evidence).likelihood(0, OF))
}

/// "3–22 %": the interval of 90 %.
pub(super) fn interval(rate: Rate) -> String {
    let (low, high) = wilson(rate);
    format!("{:.0}–{:.0} %", low * 100.0, high * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_upgrades_are_read_from_titles() {
        assert!(leap("Bump serde from 1.0.3 to 2.0.0").unwrap().major);
        assert!(leap("chore(deps): bump axum from 0.7.9 to 0.8.0").unwrap().major);
        assert!(!leap("Bump serde from 1.0.3 to 1.2.0 in /web").unwrap().major);
        assert_eq!(leap("Move the button from left to right"), None);
        assert_eq!(leap("from 1 to 2"), None);
    }
}
