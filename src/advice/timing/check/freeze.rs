//! `timing.freeze`: a freeze in force, or starting before the watch would end; its reason, owner and end.

use super::{Look, needs};
use crate::advice::timing::Code;
use crate::advice::timing::calendar::Entry;
use crate::advice::{Flag, FlagLevel};
use crate::clock::{DAY, Millis};

pub fn flag(look: &Look<'_, '_>) -> Flag {
    let line = look.line;
    let freezes = &line.calendar.freezes;
    let (zone, now) = (line.zone, line.ctx.now);
    let found: Vec<Entry<'_>> = freezes.during(look.at, look.watched()).collect();
    let Some(first) = found.first() else {
        if let Some(unknown) = line.ctx.facts.freezes.unknown.first() {
            return look
                .unknown_because(format!("Freezes unknown: {} {}.", unknown.source, unknown.reason), Vec::new());
        }
        if let Some(gap) = &line.calendar_gap {
            return look.unknown("Freezes", gap);
        }
        if let Some(past) = line.calendar.excepted.during(look.at, look.done()).next() {
            let says = format!("The freeze {} ({}) lets this through.", past.title(), past.origin());
            return look.flag(FlagLevel::Info, says, vec![past.because(zone, now)]);
        }
        let next = freezes.next(look.at).filter(|entry| entry.stretch().0 - look.at < 14 * DAY);
        let says = match next {
            Some(entry) => {
                format!("No freeze before {} ({}, {}).", look.time(entry.stretch().0), entry.title(), entry.origin())
            }
            None => format!("No freeze while it would be deployed and watched (until {}).", look.time(look.watched())),
        };
        return look.flag(FlagLevel::Pass, says, next.iter().map(|entry| entry.because(zone, now)).collect());
    };
    let in_force = first.stretch().0 < look.done();
    let more = match found.len() {
        1 => String::new(),
        n => format!(", and {} more", n - 1),
    };
    let (start, end) = first.stretch();
    let what = format!("{} ({}){more}", first.title(), first.origin());
    let needs =
        needs(line, Code::Freeze).map_or(String::new(), |roles| format!(" Going on in spite of it needs {roles}."));
    let (level, says) = if !in_force {
        let says = format!("A freeze starts {}, before the watch would end: {what}.", look.time(start));
        (FlagLevel::Caution, says)
    } else if start <= look.at {
        (FlagLevel::Critical, format!("Frozen until {}: {what}.{needs}", look.time(end)))
    } else {
        (FlagLevel::Critical, format!("Frozen {}: {what}.{needs}", look.range(start, end)))
    };
    let mut flag = look.flag(level, says, found.iter().take(10).map(|entry| entry.because(zone, now)).collect());
    flag.would_help = look.wait_until(thawed(look));
    flag
}

/// The first moment from which a deployment and its watch would meet no freeze.
fn thawed(look: &Look<'_, '_>) -> Option<Millis> {
    let line = look.line;
    let mut at = look.at;
    while at <= line.last {
        match line.calendar.freezes.time.within(at, line.watched_until(at).max(at + 1)).next() {
            None => return Some(at),
            // Freezes are apart, so each step passes one of them.
            Some((start, _)) => at = line.calendar.freezes.time.holding(start)?.1,
        }
    }
    None
}
