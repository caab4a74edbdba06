//! Feature flags: those that the change reads, and those that a plan turns. Are they there, and on or off?

use crate::advice::checks::Answer;
use crate::advice::checks::size::level;
use crate::advice::says;
use crate::advice::sight::{Topic, gap};
use crate::advice::toggle::{self, Found};
use crate::advice::view::{View, because};
use crate::advice::{Because, FlagLevel};
use crate::clock::DAY;
use crate::message::tame;
use crate::plan::{Kind, Setting};

/// Most flags that are said by name.
const MOST: usize = 4;

pub fn state(view: &View<'_>) -> Option<Answer> {
    match view.plan.kind {
        Kind::Flag => turned(view),
        Kind::Release | Kind::Migration => read(view),
        Kind::Config => None,
    }
}

/// What is told of one flag; the gravest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Missing,
    Archived,
    Differs,
    Unseen,
    On,
    Off,
}

#[derive(Debug)]
struct Line {
    told: Told,
    /// Name and the rest: "`new-cart` is off".
    says: String,
    because: Option<Because>,
}

/// The flags that the change reads.
fn read(view: &View<'_>) -> Option<Answer> {
    const OF: i32 = 3;
    let names = toggle::mentioned(view);
    if names.is_empty() {
        return None;
    }
    let shown: Vec<String> = names.iter().map(|name| format!("`{}`", tame(name, 60))).collect();
    let environment = &view.plan.environment;
    if view.flags.is_unasked() {
        let why = gap(view, Topic::Flags)?.reason;
        let whether = if shown.len() == 1 { "that is" } else { "they are" };
        let which = says::some(&shown, MOST);
        let says = format!("The change reads {which}; whether {whether} off in {environment} is unknown: {why}.");
        return Some(Answer::unknown(says));
    }
    let mut lines: Vec<Line> = names.iter().zip(&shown).map(|(name, shown)| line(view, name, shown)).collect();
    lines.sort_by(|a, b| (&a.told, &a.says).cmp(&(&b.told, &b.says)));
    let says = match lines.as_slice() {
        [one] => {
            let rest = one.says.strip_prefix(&shown[0]).unwrap_or(&one.says).trim_start();
            format!("The change reads {}, which in {environment} {rest}.", shown[0])
        }
        many => {
            let all: Vec<&str> = many.iter().map(|line| line.says.as_str()).collect();
            let n = says::count(i64::try_from(many.len()).unwrap_or(0), "flag");
            format!("The change reads {n}; in {environment} {}.", says::some(&all, MOST))
        }
    };
    let points = if missing(&lines) > 0 { OF } else { 0 };
    Some(judged(view, &lines, says, FlagLevel::Pass).unless(gap(view, Topic::Change)).likelihood(points, OF))
}

/// The flags that the plan turns.
fn turned(view: &View<'_>) -> Option<Answer> {
    let environment = &view.plan.environment;
    if view.plan.set.is_empty() {
        return None;
    }
    if view.flags.is_unasked() {
        let why = gap(view, Topic::Flags)?.reason;
        let names: Vec<String> = view.plan.set.iter().map(|set| format!("`{}`", tame(&set.name, 60))).collect();
        let says = format!("What {} does in {environment} now is unknown: {why}.", says::some(&names, MOST));
        return Some(Answer::unknown(says));
    }
    let mut lines: Vec<Line> = view.plan.set.iter().map(|set| turned_line(view, set)).collect();
    lines.sort_by(|a, b| (&a.told, &a.says).cmp(&(&b.told, &b.says)));
    let all: Vec<&str> = lines.iter().map(|line| line.says.as_str()).collect();
    let says = format!("In {environment} {}.", all.iter().take(MOST).copied().collect::<Vec<_>>().join("; "));
    // What stands as expected is told, not praised: it is about to change.
    Some(judged(view, &lines, says, FlagLevel::Info))
}

fn judged(view: &View<'_>, lines: &[Line], says: String, clear: FlagLevel) -> Answer {
    let has = |told: Told| lines.iter().any(|line| line.told == told);
    let gap = gap(view, Topic::Flags);
    let below = if has(Told::Archived) || has(Told::Differs) {
        FlagLevel::Caution
    } else if has(Told::Unseen) && gap.is_none() {
        FlagLevel::Unknown
    } else if has(Told::On) {
        FlagLevel::Info
    } else {
        clear
    };
    let (caution, critical) = view.limits("flag.state", 1.0, f64::INFINITY);
    let reached = level(f64::from(missing(lines)), caution, critical, below);
    let evidence = lines.iter().filter_map(|line| line.because.clone());
    Answer::at(reached.max(below), says).because(evidence).unless(gap)
}

/// How many are known to no provider.
fn missing(lines: &[Line]) -> u32 {
    u32::try_from(lines.iter().filter(|line| line.told == Told::Missing).count()).unwrap_or(u32::MAX)
}

fn line(view: &View<'_>, name: &str, shown: &str) -> Line {
    match toggle::look_up(view, name) {
        Found::Here(fact, state) => {
            let lately = state.changed.filter(|at| *at <= view.now && view.now.since(*at) < DAY);
            let lately = lately.map(|at| format!(" (changed {})", says::ago(at, view.now))).unwrap_or_default();
            let says = format!("{shown} {}{lately}", toggle::is(state));
            let told = match (state.archived, toggle::is_off(state), state.on.is_some() || state.default.is_some()) {
                (true, ..) => Told::Archived,
                (_, true, _) => Told::Off,
                (_, false, true) => Told::On,
                (_, false, false) => Told::Unseen,
            };
            let because = because(fact, says.clone());
            let link = state.link.clone().or(because.link.clone());
            Line { told, says, because: Some(Because { link, ..because }) }
        }
        Found::Nowhere => {
            let asked = view.flags.known.iter().map(|fact| &fact.source).min();
            let fact = view.flags.known.iter().find(|fact| Some(&fact.source) == asked);
            let because = fact.map(|fact| because(fact, format!("{shown} is not there")));
            Line { told: Told::Missing, says: format!("{shown} is known to no provider"), because }
        }
        Found::Unseen => Line { told: Told::Unseen, says: format!("{shown} is not told of"), because: None },
    }
}

fn turned_line(view: &View<'_>, set: &Setting) -> Line {
    let (name, after) = (format!("`{}`", tame(&set.name, 60)), tame(&set.after, 40));
    let found = toggle::look_up(view, &set.name);
    let Line { told, says, because } = line(view, &set.name, &name);
    let Found::Here(_, state) = found else { return Line { told, says, because } };
    if state.archived {
        return Line { told, says, because };
    }
    let now = toggle::present(state);
    let moved = set.before.as_ref().filter(|before| **before != now);
    let (told, rest) = match (toggle::does(state, &set.after), moved) {
        (Some(true), _) => (Told::On, format!(": that is what the plan would set (`{after}`)")),
        (_, Some(before)) => (Told::Differs, format!(", but was `{}` when this was planned", tame(before, 40))),
        _ if told == Told::Unseen => (told, String::new()),
        _ => (Told::Off, format!("; the plan sets it to `{after}`")),
    };
    Line { told, says: format!("{says}{rest}"), because }
}
