//! `timing.on-call`: who is on call during the watch, is it their working day, does a hand-over fall into it?

use super::Look;
use crate::advice::timing::on_call::Duty;
use crate::advice::timing::people::free_time;
use crate::advice::{Because, Flag, FlagLevel};
use crate::clock::Millis;

pub fn flag(look: &Look<'_, '_>) -> Flag {
    let line = look.line;
    let rota = &line.rota;
    let because: Vec<Because> = on_call_facts(look);
    if rota.duties.is_empty() {
        return match &line.on_call_gap {
            Some(gap) => look.unknown("On-call", gap),
            None => look.unknown_because("On-call unknown: no shift is for this service.".to_owned(), because),
        };
    }
    if look.at >= rota.known_until {
        let says = format!("On-call unknown: the rota ends {}.", look.time(rota.known_until));
        return look.unknown_because(says, because);
    }
    let to = look.looked().min(rota.known_until);
    let (level, says, until) = match (rota.at(look.at), rota.hand_over(look.at, look.watched())) {
        (None, _) => nobody(look, look.at, to),
        (Some((_, duty)), _) if !rota.covered.covers(look.at, to) => nobody(look, duty.end, to),
        (Some((_, duty)), hand_over) => somebody(look, duty, hand_over, to),
    };
    // A rota with gaps of its own cannot tell that nobody is there, nor that all is well.
    let gap = line.on_call_gap.as_ref();
    let level = if gap.is_some() && level == FlagLevel::Pass { FlagLevel::Unknown } else { level };
    let says = match gap {
        Some(gap) => format!("{says}; and the rest is unknown: {}.", gap.reason),
        None => format!("{says}."),
    };
    let mut flag = look.flag(level, says, because);
    flag.would_help = look.wait_until(until);
    flag
}

type Answer = (FlagLevel, String, Option<Millis>);

fn nobody(look: &Look<'_, '_>, from: Millis, to: Millis) -> Answer {
    let line = look.line;
    let next = line.rota.duties.get(line.rota.duties.partition_point(|duty| duty.start < from));
    let says = match next {
        Some(duty) => {
            let name = &line.desks[duty.seat].name;
            format!("Nobody is on call {} ({name} is next)", look.range(from, duty.start))
        }
        None => format!("Nobody is on call from {} on", look.time(from)),
    };
    let level = if from <= look.at && next.is_none_or(|duty| duty.start >= to) {
        FlagLevel::Critical
    } else {
        FlagLevel::Caution
    };
    (level, says, next.map(|duty| duty.start))
}

fn somebody(look: &Look<'_, '_>, duty: Duty, hand_over: Option<(Duty, Duty)>, to: Millis) -> Answer {
    let line = look.line;
    let desk = &line.desks[duty.seat];
    let name = &desk.name;
    let on_call = match duty.end {
        end if end > line.last => format!("{name} is on call"),
        end => format!("{name} is on call until {}", look.time(end)),
    };
    let away = line.calendar.people.get(desk.person).and_then(|own| own.away.during(look.at, to).next());
    let work = desk.work.holding(look.at);
    let mut until = None;
    let (mut level, mut says) = match (away, work) {
        (Some(entry), _) => {
            let when = entry.when(line.zone, line.ctx.now);
            (FlagLevel::Caution, format!("{on_call}, yet out of office ({when}, {})", entry.origin()))
        }
        (None, Some((_, end))) => (FlagLevel::Pass, format!("{on_call} and at work until {}", look.time(end))),
        (None, None) if line.calendar.holidays.during(look.at, to).next().is_some() => {
            (FlagLevel::Caution, format!("{on_call}, on a public holiday"))
        }
        (None, None) => (FlagLevel::Caution, format!("{on_call}, in their {}", free_time(look.at, desk.zone))),
    };
    if work.is_none() {
        until = line.rota.at_work.next(look.at).map(|(start, _)| start);
    } else if line.rota.at_work.measure(look.at, to) < to - look.at {
        level = FlagLevel::Caution;
        says.push_str(", before the first hours of the watch are over");
    }
    if let Some((_, next)) = hand_over {
        level = FlagLevel::Caution;
        let name = &line.desks[next.seat].name;
        says.push_str(&format!("; a hand-over to {name} falls into the watch ({})", look.time(next.start)));
        until = until.or(Some(next.start));
    }
    (level, says, until)
}

fn on_call_facts(look: &Look<'_, '_>) -> Vec<Because> {
    use crate::advice::timing::gap::because;
    let shifts = |n: usize| crate::advice::says::count(i64::try_from(n).unwrap_or(i64::MAX), "shift");
    look.line.ctx.facts.on_call.known.iter().take(10).map(|fact| because(fact, shifts(fact.value.len()))).collect()
}
