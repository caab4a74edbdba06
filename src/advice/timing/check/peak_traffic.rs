//! `timing.peak-traffic`: the load now and over the watch, against the weekly profile; when it drops.

use super::Look;
use crate::advice::facts::Load;
use crate::advice::timing::gap::because;
use crate::advice::{Because, Flag, FlagLevel, says};
use crate::message::tame;

pub fn flag(look: &Look<'_, '_>) -> Flag {
    let load = &look.line.load;
    let Some(fact) = load.fact else {
        return match &load.gap {
            Some(gap) => look.unknown("Traffic", gap),
            None => look.unknown_because("Traffic unknown.".to_owned(), Vec::new()),
        };
    };
    let grounds = grounds(&fact.value);
    let because: Vec<Because> = vec![because(fact, grounds)];
    let Some((most, peaks)) = load.most((look.at, look.looked())) else {
        let hours = look.range(look.at, look.looked());
        let says = format!("Traffic unknown: {} has no earlier data for all of {hours}.", fact.source);
        return look.unknown_because(says, because);
    };
    let share = |thousandths: u32| says::share(f64::from(thousandths) / 1000.0);
    let at_start = load.at(look.at).unwrap_or(most);
    let measured = look.is_now() && load.measured.is_some();
    let is = if measured { "is" } else { "is usually" };
    let level = match most {
        most if most >= load.critical => FlagLevel::Critical,
        most if most >= load.caution => FlagLevel::Caution,
        _ => FlagLevel::Pass,
    };
    let falls = (level != FlagLevel::Pass).then(|| load.falls_below(load.caution, peaks, look.line.look)).flatten();
    let mut says = format!("Traffic {is} at {} of the weekly peak ({})", share(at_start), look.time(look.at));
    if most > at_start {
        says.push_str(&format!(" and rises to {} at {}, within the watch", share(most), look.time(peaks)));
    }
    if level != FlagLevel::Pass {
        says.push_str("; it ");
        let limit = share(load.caution);
        says.push_str(&match falls {
            Some(at) => format!("falls below {limit} at {}", look.time(at)),
            None => format!("does not fall below {limit} for long enough in any week"),
        });
    }
    says.push('.');
    let mut flag = look.flag(level, says, because);
    flag.would_help = look.wait_until(falls);
    flag
}

/// What the share rests on: "120 requests per second now; the usual week peaks at 140 (median of 4 weeks)".
fn grounds(load: &Load) -> String {
    let unit = tame(&load.unit, 40);
    let now = load.now.map(|(_, value)| format!("{} {unit} now; ", says::value(value))).unwrap_or_default();
    let peak = load.peak().map(says::value).unwrap_or_default();
    format!("{now}the usual week peaks at {peak} {unit} (median of {})", says::count(load.weeks, "week"))
}
