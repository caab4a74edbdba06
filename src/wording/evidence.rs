//! The evidence in a plan's thread: every check that answered, by family, with source, link and age; what is not known,
//! by reason; the points that add up; what would lower them.

use std::collections::BTreeSet;

use super::brief::mark;
use crate::advice::{Advice, Because, Flag, FlagLevel, Mitigation, says};
use crate::clock::Time;
use crate::message::{Block, Button, ButtonStyle, Line, Mark, Message, Span, Style};
use crate::store::plan::{PlanRow, Revision};

/// The families in the order in which they are told, each with the first words of its checks' codes.
const FAMILIES: &[(&str, &[&str])] = &[
    ("The plan", &["plan", "target", "approval", "risk", "policy"]),
    ("The change", &["change", "tests", "dependency", "flags"]),
    ("Migrations", &["migration"]),
    ("The time", &["timing"]),
    ("Others at work", &["coordination"]),
    ("Incidents and health", &["incident", "health"]),
    ("History", &["history"]),
    ("Users", &["users"]),
];

/// The evidence, check by check.
pub fn evidence(row: &PlanRow, revision: &Revision, now: Time) -> Message {
    let advice = &revision.advice;
    let context = revision.brief.chars().take(19).collect();
    let mut blocks = vec![Block::Title { text: format!("Evidence, revision {}", row.revision), context }];
    blocks.extend(families(advice, now));
    blocks.extend(unknown(advice, now));
    let clear: Vec<&Flag> = advice.flags.iter().filter(|f| f.level == FlagLevel::Pass).collect();
    if !clear.is_empty() {
        let lines = clear.iter().flat_map(|flag| flag_lines(flag, now)).collect();
        blocks.push(Block::List { says: format!("{} clear", clear.len()), lines, folded: true });
    }
    blocks.push(points(advice));
    if !advice.impact.is_empty() {
        let lines = advice.impact.iter().map(|says| Line::plain(says.clone())).collect();
        blocks.push(list("Who and what will notice", lines));
    }
    let (lowering, asked): (Vec<&Mitigation>, Vec<&Mitigation>) = advice.mitigations.iter().partition(|m| m.delta < 0);
    for (says, mitigations) in [("What would lower it", lowering), ("Asked for, without effect on the score", asked)] {
        if !mitigations.is_empty() {
            blocks.push(list(says, mitigations.iter().take(8).map(|m| Line::plain(effect(m))).collect()));
        }
    }
    let mut buttons = Vec::new();
    if let (Some(draft), None) = (&advice.rollback_draft, &row.plan.rollback) {
        blocks.push(list("A rollback plan from the facts, to adopt if it is right", vec![Line::plain(draft.clone())]));
        let id = format!("adopt-rollback {}", row.plan.id);
        buttons.push(Button { id, says: "Adopt this rollback plan".to_owned(), style: ButtonStyle::Primary });
    }
    Message { blocks, buttons, ..Message::default() }
}

/// What is not known for one reason: "Traffic" and "Health", "no source is set up (a `prometheus` source would tell)".
#[derive(Debug)]
pub struct Gap<'a> {
    pub reason: &'a str,
    pub subjects: Vec<&'a str>,
    flags: Vec<&'a Flag>,
}

/// The unknown flags that say no more than "… unknown: reason.", by reason; and those that say it in their own words.
pub fn gaps(advice: &Advice) -> (Vec<Gap<'_>>, Vec<&Flag>) {
    let mut gaps: Vec<Gap<'_>> = Vec::new();
    let mut others = Vec::new();
    for flag in advice.flags.iter().filter(|f| f.level == FlagLevel::Unknown) {
        let Some((subject, reason)) = told(&flag.says) else {
            others.push(flag);
            continue;
        };
        match gaps.iter_mut().find(|gap| gap.reason == reason) {
            Some(gap) => {
                if !gap.subjects.contains(&subject) {
                    gap.subjects.push(subject);
                }
                gap.flags.push(flag);
            }
            None => gaps.push(Gap { reason, subjects: vec![subject], flags: vec![flag] }),
        }
    }
    (gaps, others)
}

fn told(says: &str) -> Option<(&str, &str)> {
    let (subject, reason) = says.split_once(" unknown: ")?;
    let plain = !subject.ends_with(" is") && !subject.ends_with(" are") && subject.chars().count() <= 40;
    plain.then_some((subject, reason.trim_end_matches('.')))
}

/// "Traffic, health and the quiet hour": only the first keeps its capital.
pub fn subjects(gap: &[&str]) -> String {
    let lowered: Vec<String> = gap
        .iter()
        .enumerate()
        .map(|(i, subject)| if i > 0 { lower_first(subject) } else { (*subject).to_owned() })
        .collect();
    says::list(&lowered)
}

/// With a small first letter, to go on in a sentence.
pub fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn families(advice: &Advice, now: Time) -> Vec<Block> {
    let told = |flag: &&Flag| flag.level != FlagLevel::Pass && flag.level != FlagLevel::Unknown;
    let mut known: Vec<&Flag> = advice.flags.iter().filter(told).collect();
    known.sort_by_key(|f| (std::cmp::Reverse(f.level), -f.points));
    let family = |flag: &Flag| {
        let first = flag.code.split('.').next().unwrap_or_default();
        FAMILIES.iter().position(|(_, codes)| codes.contains(&first)).unwrap_or(FAMILIES.len())
    };
    let names = FAMILIES.iter().map(|(name, _)| *name).chain(["Besides"]);
    let block = |(i, name): (usize, &str)| {
        let lines: Vec<Line> = known.iter().filter(|f| family(f) == i).flat_map(|f| flag_lines(f, now)).collect();
        (!lines.is_empty()).then(|| list(name, lines))
    };
    names.enumerate().filter_map(block).collect()
}

fn unknown(advice: &Advice, now: Time) -> Option<Block> {
    let (gaps, others) = gaps(advice);
    let mut lines: Vec<Line> = Vec::new();
    for gap in gaps {
        let mut spans = vec![Span::plain(format!("{} unknown: {}.", subjects(&gap.subjects), gap.reason))];
        let codes: Vec<String> = gap.flags.iter().map(|f| format!("{}{}", f.code, share(f))).collect();
        if let [flag] = gap.flags.as_slice() {
            lines.extend(flag_lines(flag, now));
            continue;
        }
        spans.push(Span::quiet(format!(" {}", codes.join(", "))));
        lines.push(Line { mark: Some(Mark::Unknown), spans, code: None });
        let seen: Vec<&Because> = gap.flags.iter().flat_map(|f| &f.because).collect();
        let distinct: BTreeSet<(&str, &str)> = seen.iter().map(|b| (b.source.as_str(), b.says.as_str())).collect();
        for (source, says) in distinct {
            if let Some(because) = seen.iter().find(|b| b.source.as_str() == source && b.says == says) {
                lines.push(because_line(because, "", now));
            }
        }
    }
    lines.extend(others.into_iter().flat_map(|flag| flag_lines(flag, now)));
    (!lines.is_empty()).then(|| list("Not known", lines))
}

fn flag_lines(flag: &Flag, now: Time) -> Vec<Line> {
    let mut first = vec![Span::plain(flag.says.clone())];
    if flag.of > 0 && flag.points != 0 {
        first.push(Span::quiet(share(flag)));
    }
    let mut lines = vec![Line { mark: Some(mark(flag.level)), spans: first, code: Some(flag.code.clone()) }];
    lines.extend(flag.because.iter().take(6).map(|because| because_line(because, &flag.says, now)));
    if let Some(help) = &flag.would_help {
        lines.push(Line { mark: None, spans: vec![Span::quiet(format!("Would help: {}", effect(help)))], code: None });
    }
    lines
}

/// Where it was seen and how long ago; what was seen only if the flag does not say it already.
fn because_line(because: &Because, said: &str, now: Time) -> Line {
    let doubled = said.contains(because.says.trim_end_matches('.'));
    let text = if doubled { because.source.to_string() } else { format!("{}: {}", because.source, because.says) };
    let mut span = match &because.link {
        Some(link) => Span::linked(text, link),
        None => Span::plain(text),
    };
    span.style = Style::Quiet;
    Line { mark: None, spans: vec![span, Span::quiet(format!(" · {}", says::ago(because.at, now)))], code: None }
}

/// The points that add up to the score, the largest first.
fn points(advice: &Advice) -> Block {
    let score = &advice.score;
    let mut given: Vec<_> = score.points.iter().filter(|p| p.points != 0).collect();
    given.sort_by_key(|p| -p.points);
    let line = |p: &&crate::advice::Points| {
        let of = if p.of > 0 { format!(" of {} · ", p.of) } else { " · ".to_owned() };
        let spans = vec![Span::strong(signed(p.points)), Span::quiet(of), Span::plain(p.says.clone())];
        Line { mark: None, spans, code: Some(p.code.clone()) }
    };
    let mut lines: Vec<Line> = given.iter().map(line).collect();
    lines.push(Line::plain(match &score.rate {
        Some(rate) => format!(
            "Of changes like this, {} needed a fix ({} of {}; likely between {} and {}).",
            says::share(f64::from(rate.rate.bad) / f64::from(rate.rate.n.max(1))),
            rate.rate.bad,
            rate.rate.n,
            says::share(rate.low),
            says::share(rate.high)
        ),
        None => "History cannot say how often changes like this needed a fix.".to_owned(),
    }));
    if !score.missing.is_empty() {
        lines.push(Line::plain(format!("Not seen: {}.", score.missing.join("; "))));
    }
    Block::List {
        says: format!("How risk {} of 100 adds up (model {})", score.value, score.model),
        lines,
        folded: true,
    }
}

fn list(says: &str, lines: Vec<Line>) -> Block {
    Block::List { says: says.to_owned(), lines, folded: false }
}

/// "Add a test of what changed (−3)".
fn effect(mitigation: &Mitigation) -> String {
    let mut letters = mitigation.says.chars();
    let says: String = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    match mitigation.delta {
        0 => says,
        delta => format!("{says} ({})", signed(delta)),
    }
}

/// " +9 of 14".
fn share(flag: &Flag) -> String {
    if flag.of > 0 && flag.points != 0 { format!(" {} of {}", signed(flag.points), flag.of) } else { String::new() }
}

/// "+3", "−10".
fn signed(n: i32) -> String {
    if n < 0 { format!("−{}", n.unsigned_abs()) } else { format!("+{n}") }
}
