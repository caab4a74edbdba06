//! The brief: the channel's one message, the windows, what a new revision changed.

use super::{evidence, short, who, zone};
use crate::advice::{Advice, Band, Confidence, Flag, FlagLevel, Slot, Windows, says};
use crate::approval::Tally;
use crate::clock::{MINUTE, Time};
use crate::config::Settings;
use crate::message::{Block, Level, Line, Mark, Message, Span, tame};
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
    let (flags, left) = shown(advice);
    blocks.extend(flags.into_iter().map(|flag| Block::Line(flag_line(flag))));
    if left > 0 {
        let more = format!("{left} more caution{} in the thread.", if left == 1 { "" } else { "s" });
        blocks.push(Block::Line(Line { mark: None, spans: vec![Span::quiet(more)], code: None }));
    }
    blocks.extend(unknown_line(advice).map(Block::Line));
    if row.state.waits() {
        blocks.extend(window_lines(&row.plan, advice, settings, now));
    }
    blocks.push(Block::Line(standing(row, tally)));
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

/// How many flags the channel hears of, unless more of them are critical.
const SHOWN: usize = 6;

/// Blockers first, then what is worst, at most [`SHOWN`] unless more are critical; and how many cautions are left for
/// the thread.
fn shown(advice: &Advice) -> (Vec<&Flag>, i64) {
    let rank = |flag: &Flag| match flag.level {
        _ if advice.blockers.contains(&flag.code) => 0,
        FlagLevel::Critical => 1,
        _ => 2,
    };
    let mut flags: Vec<&Flag> =
        advice.flags.iter().filter(|f| f.level >= FlagLevel::Caution || advice.blockers.contains(&f.code)).collect();
    flags.sort_by_key(|f| (rank(f), -f.points));
    let grave = flags.iter().filter(|f| rank(f) < 2).count();
    let most = grave.max(SHOWN);
    let left = flags.len().saturating_sub(most);
    flags.truncate(most);
    (flags, i64::try_from(left).unwrap_or(0))
}

/// Everything unknown in one line: "Unknown: traffic and health (no source set up); incidents (pagerduty did not answer
/// in 2 s)."
fn unknown_line(advice: &Advice) -> Option<Line> {
    let (gaps, others) = evidence::gaps(advice);
    let blocking = |code: &String| advice.blockers.contains(code);
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for gap in &gaps {
        let reason = gap.reason.strip_prefix("no source is set up").map_or(gap.reason, |_| "no source set up");
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, subjects)) => subjects.extend(&gap.subjects),
            None => reasons.push((reason.to_owned(), gap.subjects.clone())),
        }
    }
    let mut parts: Vec<String> = reasons
        .iter()
        .take(3)
        .enumerate()
        .map(|(i, (reason, subjects))| {
            let said = evidence::subjects(subjects);
            let said = if i == 0 { said } else { evidence::lower_first(&said) };
            format!("{said} ({reason})")
        })
        .collect();
    let left = others.iter().filter(|flag| !blocking(&flag.code)).count() + reasons.len().saturating_sub(3);
    match (parts.len(), left) {
        (0, 0) => return None,
        (0, 1) => return others.first().map(|flag| flag_line(flag)),
        (0, n) => parts.push(format!("{n} things, named in the thread")),
        (_, 0) => {}
        (_, n) => parts.push(format!("{n} more in the thread")),
    }
    Some(Line::marked(Mark::Unknown, format!("Unknown: {}.", evidence::lower_first(&parts.join("; ")))))
}

fn flag_line(flag: &Flag) -> Line {
    Line { mark: Some(mark(flag.level)), spans: vec![Span::plain(flag.says.clone())], code: Some(flag.code.clone()) }
}

/// The sign of a flag's level.
pub(super) fn mark(level: FlagLevel) -> Mark {
    match level {
        FlagLevel::Pass => Mark::Pass,
        FlagLevel::Info => Mark::Info,
        FlagLevel::Unknown => Mark::Unknown,
        FlagLevel::Caution => Mark::Caution,
        FlagLevel::Critical => Mark::Critical,
    }
}

/// The better window, and a sooner one with what it costs; or that there is none, and when the first good one is.
fn window_lines(plan: &Plan, advice: &Advice, settings: &Settings, now: Time) -> Vec<Block> {
    let zone = zone(settings, &plan.service, &plan.environment);
    let windows = &advice.windows;
    let Some(best) = windows.windows.first() else {
        return vec![Block::Line(Line::marked(Mark::Window, "No good window in the next 90 days."))];
    };
    let mut lines = Vec::new();
    let when = says::range(best.start, best.end, zone, now);
    if windows.none_before.is_some() {
        lines.push(slot_line(&format!("{} First good: ", nothing_good(windows, now)), &when, best));
    } else if best.good {
        lines.push(slot_line(if best.score < advice.score.value { "Better: " } else { "Good: " }, &when, best));
    }
    // One that begins now and is no better than now is what the message is about already.
    let tells = |slot: &&Slot| slot.score < advice.score.value || slot.start.since(now) > 30 * MINUTE;
    if let Some(sooner) = windows.windows.iter().filter(|w| !w.good && w.start < best.start).find(tells) {
        let costs = if sooner.costs.is_empty() { String::new() } else { format!(", but {}", sooner.costs.join(", ")) };
        let text =
            format!("Sooner: {}, risk {}{costs}.", says::range(sooner.start, sooner.end, zone, now), sooner.score);
        lines.push(Block::Line(Line { mark: None, spans: vec![Span::quiet(text)], code: None }));
    }
    lines
}

const OBSTACLE: &str = "the first good one: ";

/// "Nothing good in the next 48 h (freeze “Black Friday” until …)."
fn nothing_good(windows: &Windows, now: Time) -> String {
    let first = windows.windows.first().and_then(|slot| slot.reasons.first());
    match first.and_then(|reason| reason.strip_prefix(OBSTACLE)) {
        Some(says) if says.starts_with("nothing good") => format!("N{}.", &says[1..]),
        Some(says) => format!("Nothing good in the next {}: {says}.", says::span(windows.horizon_end.since(now))),
        None => format!("Nothing good in the next {}.", says::span(windows.horizon_end.since(now))),
    }
}

/// What speaks for a slot, without what its being told says already.
fn reasons(slot: &Slot) -> impl Iterator<Item = &str> {
    slot.reasons.iter().map(String::as_str).filter(|reason| !reason.starts_with(OBSTACLE))
}

fn slot_line(lead: &str, when: &str, slot: &Slot) -> Block {
    // The details stand in the thread, beside the picture.
    let brief =
        |reason: &str| reason.split_once(" unknown: ").map_or(reason.to_owned(), |(what, _)| format!("{what} unknown"));
    let telling = reasons(slot).filter(|reason| !reason.starts_with("inside the allowed window"));
    let because: Vec<String> = telling.map(brief).take(3).collect();
    let rest = if because.is_empty() { String::new() } else { format!(": {}", because.join(", ")) };
    let spans = vec![Span::plain(lead), Span::strong(when), Span::plain(format!(" — risk {}{rest}.", slot.score))];
    Block::Line(Line { mark: Some(Mark::Window), spans, code: None })
}

/// Where it stands with the humans.
fn standing(row: &PlanRow, tally: &Tally) -> Line {
    let (given, asked) = tally.counts();
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
            let missing: Vec<String> = tally.missing.iter().map(who).collect();
            let waits = super::condition::all(tally);
            format!(
                "Approvals {given} of {asked}. Missing: {}.{waits} The card is in the thread.",
                says::list(&missing)
            )
        }
    };
    Line { mark: None, spans: vec![Span::plain(text)], code: None }
}

/// The picture of the next days with the windows to take, under a line that says what matters in it.
pub fn picture(id: &str, alt: &str, row: &PlanRow, advice: &Advice, settings: &Settings, now: Time) -> Message {
    let zone = zone(settings, &row.plan.service, &row.plan.environment);
    let span = says::span(advice.windows.horizon_end.since(now));
    let best = advice.windows.windows.first().filter(|slot| slot.good);
    let context = match best {
        Some(slot) => format!("first good window {}", says::range(slot.start, slot.end, zone, now)),
        None => "no good window".to_owned(),
    };
    let title = Block::Title { text: format!("The next {}", span.replace("2 days", "48 hours")), context };
    Message { blocks: vec![title, picture_block(id, alt)], ..Message::default() }
}

/// A picture by its id.
pub fn picture_block(id: &str, alt: &str) -> Block {
    Block::Picture {
        light: format!("/pictures/{id}.svg"),
        dark: format!("/pictures/{id}.svg?theme=dark"),
        alt: alt.to_owned(),
    }
}

/// A new revision of a brief that humans had seen: what changed, and whose word needs another look.
pub fn changed(revision: &Revision, whom: &[Person]) -> Message {
    let mut spans =
        vec![Span::strong(format!("Revision {}", revision.number)), Span::plain(format!(": {}.", revision.reason))];
    spans.extend(super::card::look_again(whom));
    Message { level: Level::Caution, ..Message::spans(Some(Mark::Caution), spans) }
}

/// The answer to `windows`.
pub fn windows(plan: &Plan, windows: &Windows, picture: &str, alt: &str, settings: &Settings, now: Time) -> Message {
    let zone = zone(settings, &plan.service, &plan.environment);
    let mut blocks = vec![Block::Title {
        text: format!("Windows for {} in {}", plan.service, plan.environment),
        context: format!("now: risk {}", windows.now.score),
    }];
    if let Some(first) = windows.none_before {
        let text =
            format!("{} The first good one begins {}.", nothing_good(windows, now), says::time(first, zone, now));
        blocks.push(Block::Line(Line::marked(Mark::Caution, text)));
    }
    if windows.windows.is_empty() {
        blocks.push(Block::Line(Line::marked(Mark::Caution, "No good window in the next 90 days.")));
    }
    for (i, slot) in windows.windows.iter().enumerate() {
        let text = format!("{}. {}", i + 1, says::range(slot.start, slot.end, zone, now));
        let mut rest = format!(" — risk {}: {}", slot.score, reasons(slot).collect::<Vec<_>>().join(", "));
        if !slot.costs.is_empty() {
            rest.push_str(&format!("; but {}", slot.costs.join(", ")));
        }
        let mark = if slot.good { Mark::Pass } else { Mark::Info };
        blocks.push(Block::Line(Line {
            mark: Some(mark),
            spans: vec![Span::strong(text), Span::plain(rest)],
            code: None,
        }));
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
