//! The brief: the channel's one message, the evidence in its thread, the windows.

use super::{need, short, zone};
use crate::advice::{Advice, Band, Confidence, Flag, FlagLevel, Slot, Windows, says};
use crate::approval::Tally;
use crate::clock::Time;
use crate::config::Settings;
use crate::message::{Block, Button, ButtonStyle, Level, Line, Mark, Message, Span, tame};
use crate::name::Person;
use crate::plan::{Plan, State, When};
use crate::store::plan::{PlanRow, Revision};

/// While the facts are gathered.
pub fn gathering(row: &PlanRow, settings: &Settings, now: Time) -> Message {
    Message {
        blocks: vec![title(row, settings, now), Block::Line(Line::plain("Gathering what is known…"))],
        level: Level::Info,
        footer: Some(footer(&row.plan)),
        ..Message::default()
    }
}

/// The channel's message, as things stand.
pub fn main(row: &PlanRow, revision: &Revision, tally: &Tally, settings: &Settings, now: Time) -> Message {
    let advice = &revision.advice;
    let mut blocks = vec![title(row, settings, now)];
    blocks.push(Block::Line(counts(advice)));
    for flag in shown(advice) {
        blocks.push(Block::Line(flag_line(flag)));
    }
    if row.state.waits() {
        blocks.extend(window_lines(&row.plan, advice, settings, now));
    }
    blocks.push(Block::Line(standing(row, advice, tally)));
    let level = match (row.state, advice.score.band) {
        (State::Cancelled | State::Expired, _) => Level::Quiet,
        (State::Settled | State::Approved, _) => Level::Good,
        _ if !advice.blockers.is_empty() => Level::Critical,
        (_, Band::High) => Level::Critical,
        (_, Band::Elevated) => Level::Caution,
        _ => Level::Info,
    };
    Message { blocks, level, footer: Some(footer(&row.plan)), ..Message::default() }
}

fn title(row: &PlanRow, settings: &Settings, now: Time) -> Block {
    let plan = &row.plan;
    let zone = zone(settings, &plan.service, &plan.environment);
    let when = match plan.when {
        When::Now => "now".to_owned(),
        When::At { at } => says::time(at, zone, now),
        When::Window { start, end } => says::range(start, end, zone, now),
    };
    let state = match row.state {
        State::Draft | State::Advised => String::new(),
        state => format!(" · {}", state.as_str()),
    };
    Block::Title {
        text: format!("{} {} → {}", plan.service, tame(&plan.what(), 60), plan.environment),
        context: format!("planned by @{} for {when} · {}{state}", plan.by, plan.id),
    }
}

/// "1 blocker · 3 cautions · 1 unknown · 14 clear — risk 62 of 100, elevated (confidence: fair)".
fn counts(advice: &Advice) -> Line {
    let count = |level| advice.flags.iter().filter(|f| f.level == level && !advice.blockers.contains(&f.code)).count();
    let mut parts = Vec::new();
    let mut add = |n: usize, mark: Mark, one: &str, many: &str| {
        if n > 0 {
            parts.push(format!("{} {n} {}", mark.emoji(), if n == 1 { one } else { many }));
        }
    };
    add(advice.blockers.len(), Mark::Critical, "blocker", "blockers");
    add(count(FlagLevel::Critical), Mark::Critical, "critical", "critical");
    add(count(FlagLevel::Caution), Mark::Caution, "caution", "cautions");
    add(count(FlagLevel::Unknown), Mark::Unknown, "unknown", "unknown");
    add(count(FlagLevel::Pass), Mark::Pass, "clear", "clear");
    let score = &advice.score;
    Line {
        mark: None,
        spans: vec![
            Span::plain(format!("{} — ", parts.join(" · "))),
            Span::strong(format!("risk {} of 100, {}", score.value, band(score.band))),
            Span::plain(format!(" (confidence: {})", confidence(score.confidence))),
        ],
        code: None,
    }
}

/// Blockers first, then what is worst; at most eight, the rest is in the thread.
fn shown(advice: &Advice) -> Vec<&Flag> {
    let mut flags: Vec<&Flag> =
        advice.flags.iter().filter(|f| f.level >= FlagLevel::Unknown || advice.blockers.contains(&f.code)).collect();
    flags.sort_by_key(|f| {
        let rank = match f.level {
            _ if advice.blockers.contains(&f.code) => 0,
            FlagLevel::Critical => 1,
            FlagLevel::Caution => 2,
            _ => 3,
        };
        (rank, -f.points)
    });
    flags.truncate(10);
    flags
}

fn flag_line(flag: &Flag) -> Line {
    let mark = match flag.level {
        FlagLevel::Pass => Mark::Pass,
        FlagLevel::Info => Mark::Info,
        FlagLevel::Unknown => Mark::Unknown,
        FlagLevel::Caution => Mark::Caution,
        FlagLevel::Critical => Mark::Critical,
    };
    Line { mark: Some(mark), spans: vec![Span::plain(flag.says.clone())], code: Some(flag.code.clone()) }
}

/// The better window, and a sooner one with what it costs; or that there is none, and when the first good one is.
fn window_lines(plan: &Plan, advice: &Advice, settings: &Settings, now: Time) -> Vec<Block> {
    let zone = zone(settings, &plan.service, &plan.environment);
    let windows = &advice.windows;
    let mut lines = Vec::new();
    let Some(best) = windows.windows.first() else {
        return vec![Block::Line(Line::marked(Mark::Window, "No good window in the next 90 days."))];
    };
    if let Some(first) = windows.none_before {
        let span = says::span(windows.horizon_end.since(now));
        let text = format!("Nothing good in the next {span}. The first good one is {}.", says::range(first, best.end, zone, now));
        lines.push(slot_line("", &text, best));
    } else if best.good && best.score < advice.score.value {
        lines.push(slot_line("Better: ", &says::range(best.start, best.end, zone, now), best));
    } else if best.good {
        lines.push(slot_line("Good: ", &says::range(best.start, best.end, zone, now), best));
    }
    if let Some(sooner) = windows.windows.iter().find(|w| !w.good && w.start < best.start) {
        let costs = if sooner.costs.is_empty() { String::new() } else { format!(", but {}", sooner.costs.join(", ")) };
        let text = format!("Sooner: {}, risk {}{costs}.", says::range(sooner.start, sooner.end, zone, now), sooner.score);
        lines.push(Block::Line(Line { mark: None, spans: vec![Span::quiet(text)], code: None }));
    }
    lines
}

fn slot_line(lead: &str, when: &str, slot: &Slot) -> Block {
    let mut because = slot.reasons.clone();
    because.truncate(4);
    let spans = vec![
        Span::strong(format!("{lead}{when}")),
        Span::plain(format!(" — risk {}: {}.", slot.score, because.join(", "))),
    ];
    Block::Line(Line { mark: Some(Mark::Window), spans, code: None })
}

/// Where it stands with the humans.
fn standing(row: &PlanRow, advice: &Advice, tally: &Tally) -> Line {
    let (given, asked) = tally.counts(&advice.approvals.needs);
    let text = match row.state {
        State::Cancelled => "Cancelled.".to_owned(),
        State::Expired => "Expired: nobody began it in time.".to_owned(),
        State::Settled => "Carried out; its outcome is in the record.".to_owned(),
        State::Watching => "Deployed; being watched. Events are in the thread.".to_owned(),
        State::Started => match &row.started {
            Some((_, by)) => format!("Started by @{by}."),
            None => "Started by the pipeline; nobody said start.".to_owned(),
        },
        State::Objected => format!("{} objected. The plan waits until that is withdrawn.", people(&tally.objected_by)),
        State::Held => format!("{} asked to hold.", people(&tally.held_by)),
        _ if row.plan.kind.has_version() && row.plan.commit.is_none() => {
            "The version could not be looked up yet, so nobody can approve it.".to_owned()
        }
        _ if asked == 0 => "No approval is asked for.".to_owned(),
        _ if tally.missing.is_empty() => format!("Approvals {given} of {asked}: approved."),
        _ => {
            let missing: Vec<String> = tally.missing.iter().map(need).collect();
            format!("Approvals {given} of {asked}. Missing: {}. The card is in the thread.", missing.join("; "))
        }
    };
    Line { mark: None, spans: vec![Span::plain(text)], code: None }
}

/// The evidence, check by check, with source, link and age.
pub fn evidence(row: &PlanRow, revision: &Revision, settings: &Settings, now: Time) -> Message {
    let advice = &revision.advice;
    let mut blocks = vec![Block::Title { text: format!("Evidence, revision {}", row.revision), context: revision.brief.chars().take(19).collect() }];
    let mut flags: Vec<&Flag> = advice.flags.iter().collect();
    flags.sort_by_key(|f| std::cmp::Reverse(f.level));
    let notable: Vec<Line> = flags.iter().filter(|f| f.level != FlagLevel::Pass).flat_map(|f| evidence_lines(f, now)).collect();
    let clear: Vec<Line> = flags.iter().filter(|f| f.level == FlagLevel::Pass).flat_map(|f| evidence_lines(f, now)).collect();
    blocks.push(Block::List { says: String::new(), lines: notable, folded: false });
    blocks.push(Block::List { says: format!("{} clear", clear.iter().filter(|l| l.mark.is_some()).count()), lines: clear, folded: true });
    blocks.push(score_list(advice));
    if !advice.impact.is_empty() {
        let lines = advice.impact.iter().map(|says| Line::plain(says.clone())).collect();
        blocks.push(Block::List { says: "Who and what will notice".to_owned(), lines, folded: false });
    }
    let mut buttons = Vec::new();
    if !advice.mitigations.is_empty() {
        let lines = advice.mitigations.iter().take(8).map(|m| Line::plain(format!("{} ({:+})", m.says, m.delta))).collect();
        blocks.push(Block::List { says: "What would lower it".to_owned(), lines, folded: false });
    }
    if let (Some(draft), None) = (&advice.rollback_draft, &row.plan.rollback) {
        blocks.push(Block::List { says: "A rollback plan from the facts, to adopt if it is right".to_owned(), lines: vec![Line::plain(draft.clone())], folded: false });
        buttons.push(Button { id: format!("adopt-rollback {}", row.plan.id), says: "Adopt this rollback plan".to_owned(), style: ButtonStyle::Primary });
    }
    let _ = settings;
    Message { blocks, buttons, ..Message::default() }
}

fn evidence_lines(flag: &Flag, now: Time) -> Vec<Line> {
    let mut lines = vec![flag_line(flag)];
    if flag.of > 0
        && let Some(first) = lines.first_mut()
    {
        first.spans.push(Span::quiet(format!(" +{} of {}", flag.points, flag.of)));
    }
    for because in flag.because.iter().take(6) {
        let text = format!("{}: {}", because.source, because.says);
        let mut span = match &because.link {
            Some(link) => Span::linked(text, link),
            None => Span::plain(text),
        };
        span.style = crate::message::Style::Quiet;
        lines.push(Line { mark: None, spans: vec![span, Span::quiet(format!(" · {}", says::ago(because.at, now)))], code: None });
    }
    if let Some(help) = &flag.would_help {
        lines.push(Line { mark: None, spans: vec![Span::quiet(format!("Would help: {} ({:+})", help.says, help.delta))], code: None });
    }
    lines
}

/// The points that add up to the score.
fn score_list(advice: &Advice) -> Block {
    let score = &advice.score;
    let mut lines: Vec<Line> = score
        .points
        .iter()
        .filter(|p| p.points != 0)
        .map(|p| Line { mark: None, spans: vec![Span::strong(format!("{:+} ", p.points)), Span::plain(p.says.clone()), Span::quiet(format!(" · {} of {}", p.code, p.of))], code: None })
        .collect();
    if let Some(rate) = &score.rate {
        lines.push(Line::plain(format!(
            "Of changes like this, {} needed a fix ({} of {}; likely between {} and {}).",
            says::share(f64::from(rate.rate.bad) / f64::from(rate.rate.n.max(1))),
            rate.rate.bad,
            rate.rate.n,
            says::share(rate.low),
            says::share(rate.high)
        )));
    } else {
        lines.push(Line::plain("History cannot say how often changes like this needed a fix."));
    }
    if !score.missing.is_empty() {
        lines.push(Line::plain(format!("Not seen: {}.", score.missing.join("; "))));
    }
    Block::List { says: format!("Risk {} of 100, model {}", score.value, score.model), lines, folded: true }
}

/// The picture of the next days with the windows to take.
pub fn picture(id: &str, alt: &str, advice: &Advice) -> Message {
    let _ = advice;
    Message { blocks: vec![picture_block(id, alt)], ..Message::default() }
}

/// A picture by its id.
pub fn picture_block(id: &str, alt: &str) -> Block {
    Block::Picture { light: format!("/pictures/{id}.svg"), dark: format!("/pictures/{id}.svg?theme=dark"), alt: alt.to_owned() }
}

/// A new revision of a brief that humans had seen: what changed, and whose word needs another look.
pub fn changed(revision: &Revision, whom: &[Person]) -> Message {
    let mut spans = vec![Span::strong(format!("Revision {}", revision.number)), Span::plain(format!(": {}.", revision.reason))];
    spans.extend(super::card::look_again(whom));
    Message { level: Level::Caution, ..Message::spans(Some(Mark::Caution), spans) }
}

/// The answer to `windows`.
pub fn windows(plan: &Plan, windows: &Windows, picture: &str, alt: &str, settings: &Settings, now: Time) -> Message {
    let zone = zone(settings, &plan.service, &plan.environment);
    let mut blocks = vec![Block::Title { text: format!("Windows for {} in {}", plan.service, plan.environment), context: format!("now: risk {}", windows.now.score) }];
    if let Some(first) = windows.none_before {
        let span = says::span(windows.horizon_end.since(now));
        blocks.push(Block::Line(Line::marked(Mark::Caution, format!("Nothing good in the next {span}. The first good one begins {}.", says::time(first, zone, now)))));
    }
    if windows.windows.is_empty() {
        blocks.push(Block::Line(Line::marked(Mark::Caution, "No good window in the next 90 days.")));
    }
    for (i, slot) in windows.windows.iter().enumerate() {
        let text = format!("{}. {}", i + 1, says::range(slot.start, slot.end, zone, now));
        let mut rest = format!(" — risk {}: {}", slot.score, slot.reasons.join(", "));
        if !slot.costs.is_empty() {
            rest.push_str(&format!("; but {}", slot.costs.join(", ")));
        }
        let mark = if slot.good { Mark::Pass } else { Mark::Info };
        blocks.push(Block::Line(Line { mark: Some(mark), spans: vec![Span::strong(text), Span::plain(rest)], code: None }));
    }
    blocks.push(picture_block(picture, alt));
    Message { blocks, ..Message::default() }
}

/// A line that programs can read.
pub fn footer(plan: &Plan) -> String {
    let commit = plan.commit.as_deref().map_or_else(|| "-".to_owned(), short);
    format!("{} · {} · {commit} · {}", plan.service, plan.environment, plan.by)
}

fn people(people: &[Person]) -> String {
    people.iter().map(|p| format!("@{p}")).collect::<Vec<_>>().join(" and ")
}

pub fn band(band: Band) -> &'static str {
    match band {
        Band::Low => "low",
        Band::Moderate => "moderate",
        Band::Elevated => "elevated",
        Band::High => "high",
    }
}

pub fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Good => "good",
        Confidence::Fair => "fair",
        Confidence::Poor => "poor",
    }
}
