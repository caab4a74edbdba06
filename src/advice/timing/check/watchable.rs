//! `timing.watchable`: is somebody at work who would notice, over the watch and in the days after it? Evening, weekend,
//! public holiday, end of the quarter.

use super::Look;
use crate::advice::timing::calendar::Entry;
use crate::advice::timing::people::free_time;
use crate::advice::{Because, Flag, FlagLevel, says};
use crate::clock::{DAY, HOUR, Millis};

pub fn flag(look: &Look<'_, '_>) -> Flag {
    let line = look.line;
    let missed = line.look - line.attended.measure(look.at, look.looked());
    let after = line.attended.measure(look.done(), look.done() + 48 * HOUR);
    let ends = Ends::of(look);
    let mut because: Vec<Because> = Vec::new();
    let mut parts: Vec<String> = Vec::new();

    if missed > 0 {
        parts.push(unattended(look, &mut because));
    } else {
        let until = line.attended.holding(look.at).map_or(look.looked(), |(_, end)| end);
        parts.push(format!("{} at work until {}", who(look, look.at), look.time(until)));
    }
    if after < 8 * HOUR {
        let left = if after == 0 { "no".to_owned() } else { says::span(after) + " of" };
        parts.push(format!("{left} working time is left in the 48 h after it, when slow signals show"));
    }
    let holiday = holiday_ahead(look);
    if let Some(entry) = &holiday {
        let long = if is_long_weekend(look, entry) { ", a long weekend" } else { "" };
        let when = entry.when(line.zone, line.ctx.now);
        parts.push(format!("public holiday ahead: {}, {when} ({}{long})", entry.title(), entry.origin()));
        because.push(entry.because(line.zone, line.ctx.now));
    }
    if let Some(end) = &ends {
        parts.push(end.says(look));
        because.extend(end.because(look));
    }
    let mut level = if missed > 0 || after < 8 * HOUR || matches!(ends, Some(Ends::Marked(_))) {
        FlagLevel::Caution
    } else if ends.is_some() || holiday.is_some() {
        FlagLevel::Info
    } else {
        FlagLevel::Pass
    };
    let mut says = says::capital(&parts.join("; "));
    if let Some(gap) = &line.calendar_gap {
        // Working hours without public holidays are no all-clear.
        says.push_str(&format!("; public holidays unknown: {}", gap.reason));
        because.extend(gap.because.iter().cloned());
        if level < FlagLevel::Unknown {
            level = FlagLevel::Unknown;
        }
    }
    says.push('.');
    because.dedup();
    let mut flag = look.flag(level, says, because);
    if missed > 0 {
        let fits = |(start, end): &(Millis, Millis)| end - start >= line.look;
        flag.would_help =
            look.wait_until(line.attended.within(look.at + 1, look.at + 14 * DAY).find(fits).map(|s| s.0));
    }
    flag
}

/// How the deployment or its watch lies outside the hours of those who would notice.
fn unattended(look: &Look<'_, '_>, because: &mut Vec<Because>) -> String {
    let line = look.line;
    let (from, to) = (look.at, look.looked());
    // Where the first uncovered time begins.
    let begins = line.attended.holding(from).map_or(from, |(_, end)| end.min(to));
    let back = line.attended.next(begins).map(|(start, _)| start).filter(|start| *start <= line.last);
    let until = back.map(|at| format!(" until {}", look.time(at))).unwrap_or_default();
    let holiday = line.calendar.holidays.during(begins, to).next();
    let why = match holiday {
        Some(entry) => {
            because.push(entry.because(line.zone, line.ctx.now));
            let bridge = if is_long_weekend(look, &entry) { ", a long weekend" } else { "" };
            format!("public holiday {}, {}{bridge}", entry.title(), entry.origin())
        }
        None => evenings(look, begins),
    };
    let from = if begins > look.at { format!("from {} on", look.time(begins)) } else { "then".to_owned() };
    format!("nobody who would notice is at work {from}{until} ({why})")
}

/// The next public holiday: within the 48 h of slow signals, or within four days where it makes a long weekend.
fn holiday_ahead<'a>(look: &Look<'_, 'a>) -> Option<Entry<'a>> {
    let done = look.done();
    let entry = look.line.calendar.holidays.next(look.looked()).filter(|entry| entry.stretch().0 < done + 4 * DAY)?;
    (entry.stretch().0 < done + 48 * HOUR || is_long_weekend(look, &entry)).then_some(entry)
}

/// Whose free time it is: "Lin's evening", "evening".
fn evenings(look: &Look<'_, '_>, at: Millis) -> String {
    let line = look.line;
    let mut seats = line.named.clone();
    seats.extend(line.rota.at(at).map(|(_, duty)| duty.seat));
    seats.dedup();
    let whose: Vec<String> = seats
        .iter()
        .map(|seat| &line.desks[*seat])
        .map(|desk| format!("{}'s {}", desk.name, free_time(at, desk.zone)))
        .collect();
    if whose.is_empty() { format!("the team's {}", free_time(at, line.zone)) } else { says::some(&whose, 3) }
}

/// Those who would notice and are at work: "Lin is", "Lin and Grace are", "the team is".
fn who(look: &Look<'_, '_>, at: Millis) -> String {
    let line = look.line;
    let mut seats = line.named.clone();
    if let Some((_, duty)) = line.rota.at(at).filter(|(_, duty)| !seats.contains(&duty.seat)) {
        seats.push(duty.seat);
    }
    let there = seats.iter().map(|seat| &line.desks[*seat]).filter(|desk| desk.work.holding(at).is_some());
    let names: Vec<&str> = there.map(|desk| desk.name.as_str()).collect();
    match names.as_slice() {
        [] => "the team is".to_owned(),
        [one] => format!("{one} is"),
        more => format!("{} are", says::some(more, 3)),
    }
}

/// Whether a public holiday makes a weekend long: nobody of the team works for three days or more around it.
fn is_long_weekend(look: &Look<'_, '_>, holiday: &Entry<'_>) -> bool {
    let (start, end) = holiday.stretch();
    let work = &look.line.team_work;
    let resumes = work.next(end).map_or(end, |(start, _)| start);
    // The last work before it: looked for in the four days before.
    let stopped = work.within(start - 4 * DAY, start).last().map_or(start - 4 * DAY, |(_, end)| end);
    resumes - stopped >= 3 * DAY + 8 * HOUR
}

/// The end of the quarter: marked in a calendar, or by the date alone.
enum Ends<'a> {
    Marked(Entry<'a>),
    ByDate,
}

impl<'a> Ends<'a> {
    fn of(look: &Look<'_, 'a>) -> Option<Ends<'a>> {
        let line = look.line;
        let marked = line.calendar.quarter_ends.during(look.at, look.watched()).next();
        marked.map(Ends::Marked).or_else(|| line.quarter.holding(look.at).map(|_| Ends::ByDate))
    }

    fn says(&self, look: &Look<'_, '_>) -> String {
        match self {
            Ends::Marked(entry) => {
                let when = entry.when(look.line.zone, look.line.ctx.now);
                format!("it is the end of the quarter: {}, {when} ({})", entry.title(), entry.origin())
            }
            Ends::ByDate => "the quarter ends in these days".to_owned(),
        }
    }

    fn because(&self, look: &Look<'_, '_>) -> Option<Because> {
        match self {
            Ends::Marked(entry) => Some(entry.because(look.line.zone, look.line.ctx.now)),
            Ends::ByDate => None,
        }
    }
}
