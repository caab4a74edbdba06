//! What stands in the way when nothing in the horizon is good.

use super::check::rule;
use super::search::Tried;
use super::windows::horizon;
use super::{Fit, Timeline};
use crate::advice::says;
use crate::clock::{DAY, Time};

/// "nothing good in the next 48 h (freeze “Black Friday” until Mon 30 Nov 09:00 PST, owner: Finance; calendar company)".
pub fn in_the_way(line: &Timeline<'_>, tried: &[Tried], first_good: Option<&Tried>) -> String {
    let now = line.ctx.now.ms();
    let until = first_good.map_or(line.horizon_end(), |first| first.at);
    let all = Fit::ALLOWED.with(Fit::UNFROZEN).with(Fit::ATTENDED).with(Fit::PLANNER).with(Fit::QUIET);
    // How many moments fail a condition at all, and how many fail it alone.
    let fails = |condition: Fit| tried.iter().filter(|tried| !tried.cost.fit.has(condition)).count();
    let alone = |condition: Fit| {
        tried.iter().any(|tried| !tried.cost.fit.has(condition) && tried.cost.fit.with(condition).has(all))
    };
    let mut said: Vec<String> = Vec::new();
    if fails(Fit::UNFROZEN) > 0 {
        // The one that lasts longest is the one that matters.
        let freezes = line.calendar.freezes.during(now, until.max(now + DAY));
        if let Some(entry) = freezes.max_by_key(|entry| entry.stretch().1) {
            let end = says::time(Time::from_ms(entry.stretch().1), line.zone, line.ctx.now);
            said.push(format!("freeze {} until {end}, {}", entry.title(), entry.origin()));
        }
    }
    for entry in line.calendar.holidays.during(now, until).take(2) {
        said.push(format!("public holiday {}, {}", entry.title(), entry.when(line.zone, line.ctx.now)));
    }
    if alone(Fit::ALLOWED) || said.is_empty() && fails(Fit::ALLOWED) > 0 {
        said.extend(rule(line).map(|rule| format!("allowed only {rule}")));
    }
    if alone(Fit::QUIET) {
        let limit = says::share(f64::from(line.load.caution) / 1000.0);
        said.push(format!("traffic over {limit} of peak in the hours left"));
    }
    if alone(Fit::ATTENDED) || said.is_empty() && fails(Fit::ATTENDED) > 0 {
        said.push("nobody who would notice at work".to_owned());
    }
    if alone(Fit::PLANNER) {
        said.push(format!("{} not at work", line.desks[line.planner].name));
    }
    let why = if said.is_empty() { String::new() } else { format!(" ({})", said.join("; ")) };
    match first_good {
        Some(_) => format!("nothing good in {}{why}", horizon(line)),
        None => format!("nothing good within 90 days{why}"),
    }
}
