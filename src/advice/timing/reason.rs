//! What speaks for a stretch of time and against it, and what it would cost: fragments that can follow each other after
//! a colon ("traffic 38 % of peak, Lin on call and at work until 18:00, nothing else planned").

use super::calendar::Entries;
use super::check::{needs, rule};
use super::people::{Desk, free_time};
use super::search::Terms;
use super::spans::Stretch;
use super::{Code, Fit, SlotCost, Timeline};
use crate::advice::facts::Doing;
use crate::advice::says;
use crate::clock::{HOUR, Millis, Time};
use crate::config::CheckMode;
use crate::message::tame;

pub fn reasons(line: &Timeline<'_>, stretch: Stretch, cost: &SlotCost, terms: Terms) -> Vec<String> {
    let mut said = Vec::new();
    let shown = |code| line.mode(code) == CheckMode::On;
    if !cost.fit.has(Fit::NEAR) {
        return vec!["too far ahead to be judged".to_owned()];
    }
    if shown(Code::Freeze) {
        said.extend(freezes(line, stretch));
    }
    if shown(Code::Window) && cost.fit.has(Fit::ALLOWED) {
        said.extend(rule(line).map(|rule| format!("inside the allowed window ({rule})")));
    }
    if shown(Code::PeakTraffic) {
        said.push(traffic(line, stretch, terms));
    }
    if shown(Code::Watchable) || shown(Code::OnCall) {
        said.push(attendance(line, stretch.0));
    }
    if shown(Code::OnCall) {
        said.extend(on_call(line, stretch, cost));
    }
    if shown(Code::Watchable) {
        said.extend(after_it(line, stretch));
        if !terms.planner && !cost.fit.has(Fit::PLANNER) {
            let desk = &line.desks[line.planner];
            said.push(format!(
                "{}, as every allowed hour: somebody at work would start it",
                free_time_of(desk, stretch.0)
            ));
        }
    }
    if shown(Code::People) {
        said.extend(people(line, stretch));
    }
    said.push(others(line, stretch));
    said
}

/// What a stretch would cost: an override by somebody, somebody's free time.
pub fn costs(line: &Timeline<'_>, at: Millis, cost: &SlotCost) -> Vec<String> {
    let mut said = Vec::new();
    let needing =
        |code| needs(line, code).map_or("no role may override that".to_owned(), |roles| format!("needs {roles}"));
    if !cost.fit.has(Fit::UNFROZEN) {
        said.push(format!("in a freeze ({})", needing(Code::Freeze)));
    }
    if !cost.fit.has(Fit::ALLOWED) {
        said.push(format!("outside the allowed window ({})", needing(Code::Window)));
    }
    // The first moment at which somebody would have to stay, and whose time that is.
    let mut whose: Vec<&Desk<'_>> = Vec::new();
    let mut from = at;
    if !cost.fit.has(Fit::PLANNER) {
        whose.push(&line.desks[line.planner]);
        from = line.desks[line.planner].work.holding(at).map_or(at, |(_, end)| end);
    }
    if !cost.fit.has(Fit::ATTENDED) {
        let until = line.attended.holding(at).map_or(at, |(_, end)| end);
        from = if whose.is_empty() { until } else { from.min(until) };
        let named = line.named.iter().map(|seat| &line.desks[*seat]);
        let on_call = line.rota.at(until).map(|(_, duty)| &line.desks[duty.seat]);
        for desk in named.chain(on_call) {
            if whose.iter().all(|known| known.person != desk.person) {
                whose.push(desk);
            }
        }
        if whose.is_empty() {
            said.push(format!("in people's {}", free(line, from, line.zone)));
        }
    }
    if !whose.is_empty() {
        let times: Vec<String> =
            whose.iter().map(|desk| format!("{}'s {}", desk.name, free(line, from, desk.zone))).collect();
        let into = if from > at { "reaches into" } else { "in" };
        said.push(format!("{into} {}", says::some(&times, 3)));
    }
    said
}

fn freezes(line: &Timeline<'_>, (start, end): Stretch) -> Option<String> {
    let found = line.calendar.freezes.during(start, end + line.watch).next();
    match (found, &line.calendar_gap) {
        (Some(entry), _) => {
            let (from, until) = entry.stretch();
            let range = says::range(Time::from_ms(from), Time::from_ms(until), line.zone, line.ctx.now);
            Some(format!("freeze {}, {range} ({})", entry.title(), entry.origin()))
        }
        (None, Some(gap)) => Some(format!("freezes and absences unknown: {}", gap.reason)),
        (None, None) => None,
    }
}

fn traffic(line: &Timeline<'_>, (start, end): Stretch, terms: Terms) -> String {
    let share = |share: u32| says::share(f64::from(share) / 1000.0);
    let most = line.load.most((start, end.max(start + 1)));
    match most {
        Some((most, _)) if terms.limit.is_some() && most >= line.load.caution => {
            format!("traffic {} of peak, which is as low as it gets in hours that are allowed and at work", share(most))
        }
        Some((most, _)) => format!("traffic {} of peak", share(most)),
        None => match &line.load.gap {
            Some(gap) => format!("traffic unknown: {}", gap.reason),
            None => "traffic unknown for these hours".to_owned(),
        },
    }
}

/// "Lin on call and at work until 18:00", "Lin on call, in their evening", "the team at work until 18:00".
fn attendance(line: &Timeline<'_>, at: Millis) -> String {
    let until = |end: Millis| match says::day(Time::from_ms(end), line.zone, line.ctx.now) {
        day if day == says::day(Time::from_ms(at), line.zone, line.ctx.now) => {
            says::clock(Time::from_ms(end), line.zone)
        }
        day => format!("{day} {}", says::clock(Time::from_ms(end), line.zone)),
    };
    let named = line.named.iter().map(|seat| &line.desks[*seat]);
    let there = named.clone().find_map(|desk| Some((desk, desk.work.holding(at)?)));
    if let Some((_, duty)) = line.rota.at(at) {
        let desk = &line.desks[duty.seat];
        if let Some((_, end)) = desk.work.holding(at) {
            return format!("{} on call and at work until {}", desk.name, until(end));
        }
        let besides = there.map(|(other, (_, end))| format!("; {} at work until {}", other.name, until(end)));
        let free = free(line, at, desk.zone);
        return format!("{} on call, in their {free}{}", desk.name, besides.unwrap_or_default());
    }
    match there {
        Some((desk, (_, end))) => format!("{} at work until {}", desk.name, until(end)),
        None if line.named.is_empty() => match line.team_work.holding(at) {
            Some((_, end)) => format!("the team at work until {}", until(end)),
            None => format!("nobody at work ({})", free(line, at, line.zone)),
        },
        None => {
            let times: Vec<String> =
                named.map(|desk| format!("{}'s {}", desk.name, free(line, at, desk.zone))).collect();
            format!("nobody who would notice at work ({})", says::some(&times, 3))
        }
    }
}

fn on_call(line: &Timeline<'_>, (start, end): Stretch, cost: &SlotCost) -> Option<String> {
    if cost.duty.is_none() {
        return match &line.on_call_gap {
            Some(gap) => Some(format!("on-call unknown: {}", gap.reason)),
            None if start >= line.rota.known_until => Some("on-call not yet known".to_owned()),
            None => Some("nobody on call".to_owned()),
        };
    }
    let (from, to) = line.rota.hand_over(start, end + line.watch)?;
    let (from, name) = (&line.desks[from.seat].name, &line.desks[to.seat].name);
    Some(format!("{from} hands over to {name} at {}", says::time(Time::from_ms(to.start), line.zone, line.ctx.now)))
}

/// A working day, nearly.
const MOST_OF_A_DAY: Millis = 8 * HOUR;

fn after_it(line: &Timeline<'_>, (start, end): Stretch) -> Option<String> {
    let left = line.attended.measure(end, end + 48 * HOUR);
    if line.calendar.quarter_ends.time.overlaps(start, end + line.watch) {
        return Some("end of the quarter".to_owned());
    }
    match left {
        0 => Some("no working time in the 48 h after it".to_owned()),
        1..MOST_OF_A_DAY => Some(format!("only {} of working time in the 48 h after it", says::span(left))),
        _ => None,
    }
}

fn people(line: &Timeline<'_>, (start, end): Stretch) -> Vec<String> {
    let to = end + line.look - line.length;
    let absent = line.absences.iter().filter(|(.., time)| time.overlaps(start, to));
    let words = |points: i32| if points > 1 { "out of office" } else { "in a meeting" };
    absent
        .take(4)
        .map(|(seat, points, time)| {
            let (from, until) = time.within(start, to).next().unwrap_or((start, to));
            let (from, until) = (Time::from_ms(from), Time::from_ms(until));
            let when = says::range(from, until, line.zone, line.ctx.now);
            format!("{} {} {when}", line.desks[*seat].name, words(*points))
        })
        .collect()
}

/// What gives the points of launches and of other deployments at a moment.
pub fn nearby(line: &Timeline<'_>, code: Code, at: Millis) -> String {
    let stretch = (at, at + line.length);
    let (said, gap) = match code {
        Code::Launch => (launches(line, stretch), &line.calendar_gap),
        _ => (moving(line, stretch).into_iter().collect(), &line.others.gap),
    };
    match (said.is_empty(), gap) {
        (false, _) => format!("At the same time: {}.", said.join(", ")),
        (true, Some(gap)) => format!("Who else moves is unknown: {}.", gap.reason),
        (true, None) => "Nothing at the same time.".to_owned(),
    }
}

/// Launches, other deployments and what is still watched; "nothing else planned" where all of that is known to be clear.
fn others(line: &Timeline<'_>, stretch: Stretch) -> String {
    let mut said = launches(line, stretch);
    said.extend(moving(line, stretch));
    if said.is_empty() {
        return match &line.others.gap {
            Some(gap) => format!("other deployments unknown: {}", gap.reason),
            None if line.calendar_gap.is_some() => "no other deployment planned".to_owned(),
            None => "nothing else planned".to_owned(),
        };
    }
    said.join(", ")
}

fn launches(line: &Timeline<'_>, (start, end): Stretch) -> Vec<String> {
    let kinds = [
        (&line.calendar.launches, "launch or campaign"),
        (&line.calendar.demos, "demo or training"),
        (&line.calendar.maintenance, "maintenance"),
    ];
    let first = |(entries, word): &(&Entries<'_>, &str)| {
        let entry = entries.during(start, end + line.watch).next()?;
        Some(format!("{word} {} ({})", entry.title(), entry.when(line.zone, line.ctx.now)))
    };
    kinds.iter().filter_map(first).collect()
}

/// The nearest deployment that meets a stretch, and how many more: "ledger-12 planned and 1 more".
fn moving(line: &Timeline<'_>, (start, end): Stretch) -> Option<String> {
    let until = end + line.watch;
    let list = line.others.list.iter().filter(|(_, other, _)| other.start.ms() < until && other.end.ms() > start);
    let met: Vec<_> = list.collect();
    let (_, first, _) = met.iter().max_by_key(|(.., near)| *near)?;
    let doing = match first.doing {
        Doing::Planned => "planned",
        Doing::UnderWay => "under way",
        Doing::Watched => "still watched",
    };
    let more = if met.len() > 1 { format!(" and {} more", met.len() - 1) } else { String::new() };
    Some(format!("{} {doing}{more}", tame(&first.id, 60)))
}

fn free_time_of(desk: &Desk<'_>, at: Millis) -> String {
    format!("in {}'s {}", desk.name, free_time(at, desk.zone))
}

fn free(line: &Timeline<'_>, at: Millis, zone: chrono_tz::Tz) -> &'static str {
    if line.calendar.holidays.time.holding(at).is_some() { "public holiday" } else { free_time(at, zone) }
}
