//! `timing.people`: planner and watchers out of office or in meetings. Whatever else stands in somebody's calendar stays
//! there: what an absence is for is nobody's business here.

use super::Look;
use crate::advice::timing::calendar::{Entries, Entry};
use crate::advice::{Because, Flag, FlagLevel, says};

pub fn flag(look: &Look<'_, '_>) -> Flag {
    let line = look.line;
    let mut seats = vec![line.planner];
    seats.extend(line.named.iter().filter(|seat| **seat != line.planner));
    let mut found: Vec<String> = Vec::new();
    let mut grounds: Vec<Because> = Vec::new();
    let mut until = None;
    for seat in &seats {
        let desk = &line.desks[*seat];
        let Some(own) = line.calendar.people.get(desk.person) else { continue };
        let mut met = |entries: &Entries<'_>, words: &str| {
            let Some(entry) = longest(entries, look) else { return false };
            let when = entry.when(line.zone, line.ctx.now);
            found.push(format!("{} is {words} ({when})", desk.name));
            grounds.push(entry.rests(format!("{}: {words}, {when}", desk.name)));
            until = until.max(Some(entry.stretch().1));
            true
        };
        let _ = met(&own.away, "out of office") || met(&own.meetings, "in a meeting");
    }
    if !found.is_empty() {
        let level = if look.cost.part(look.code) > 1 { FlagLevel::Caution } else { FlagLevel::Info };
        let mut flag = look.flag(level, format!("{}.", says::some(&found, 4)), grounds);
        flag.would_help = look.wait_until(until);
        return flag;
    }
    if let Some(gap) = &line.calendar_gap {
        return look.unknown("Absences", gap);
    }
    if !line.unseen.is_empty() {
        let says = format!("Absences unknown: no calendar tells of {}'s time.", says::some(&line.unseen, 3));
        return look.unknown_because(says, Vec::new());
    }
    let names: Vec<&str> = seats.iter().map(|seat| line.desks[*seat].name.as_str()).collect();
    let be = if names.len() == 1 { "is" } else { "are" };
    let says = format!("{} {be} neither out of office nor in a meeting.", says::some(&names, 4));
    look.flag(FlagLevel::Pass, says, Vec::new())
}

/// Of several entries at once the one that ends last is told.
fn longest<'a>(entries: &Entries<'a>, look: &Look<'_, '_>) -> Option<Entry<'a>> {
    entries.during(look.at, look.looked()).max_by_key(|entry| entry.stretch().1)
}
