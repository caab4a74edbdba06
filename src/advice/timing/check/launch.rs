//! `coordination.launch`: another team's launch, a campaign, a demo, a training, planned maintenance.

use super::Look;
use crate::advice::facts::Means;
use crate::advice::timing::calendar::Entry;
use crate::advice::{Flag, FlagLevel, says};

pub fn flag(look: &Look<'_, '_>) -> Flag {
    let line = look.line;
    let (zone, now) = (line.zone, line.ctx.now);
    let calendar = &line.calendar;
    let kinds = [&calendar.launches, &calendar.demos, &calendar.maintenance];
    let found: Vec<Entry<'_>> = kinds.iter().flat_map(|kind| kind.during(look.at, look.watched())).collect();
    if found.is_empty() {
        if let Some(gap) = &line.calendar_gap {
            return look.unknown("Launches and campaigns", gap);
        }
        let says = "No launch, campaign, demo or training while it would be deployed and watched.".to_owned();
        return look.flag(FlagLevel::Pass, says, Vec::new());
    }
    let named: Vec<String> = found
        .iter()
        .map(|entry| format!("{} {} ({}, {})", kind(entry), entry.title(), entry.when(zone, now), entry.origin()))
        .collect();
    let says = format!("At the same time: {}.", says::some(&named, 3));
    let mut flag = look.flag(FlagLevel::Caution, says, found.iter().take(10).map(|e| e.because(zone, now)).collect());
    flag.would_help = look.wait_until(found.iter().map(|entry| entry.stretch().1).max());
    flag
}

fn kind(entry: &Entry<'_>) -> &'static str {
    match entry.event.means {
        Means::Launch => "launch",
        Means::Campaign => "campaign",
        Means::Demo => "demo",
        Means::Training => "training",
        _ => "maintenance",
    }
}
