//! `timing.soak`: is the last deployment of this service, or of what it depends on, still being watched?

use super::Look;
use crate::advice::facts::{Doing, Other};
use crate::advice::timing::gap::because;
use crate::advice::{Flag, FlagLevel};
use crate::message::tame;

pub fn flag(look: &Look<'_, '_>) -> Flag {
    let line = look.line;
    let others = &line.others;
    let service = &line.ctx.plan.service;
    let needs = line.ctx.settings.service.get(service).map(|set| set.depends_on.as_slice()).unwrap_or_default();
    let (at, done) = (look.at, look.done());
    let still = |other: &Other| {
        let near = other.service == *service || needs.contains(&other.service);
        near && other.doing == Doing::Watched && other.start.ms() < done && other.end.ms() > at
    };
    let mut found: Vec<_> = others.list.iter().filter(|(_, other, _)| still(other)).collect();
    // The service itself before what it depends on, and what is watched longest first.
    found.sort_by_key(|(_, other, _)| (other.service != *service, -other.end.ms()));
    let Some((_, first, _)) = found.first() else {
        if let Some(gap) = &others.gap {
            return look.unknown("Other deployments", gap);
        }
        let below = if needs.is_empty() { "" } else { " or of what it depends on" };
        let says = format!("No deployment of {service}{below} is still being watched.");
        let looked = line.ctx.facts.others.known.iter().take(10).map(|fact| because(fact, "nothing near is watched"));
        return look.flag(FlagLevel::Pass, says, looked.collect());
    };
    let more = if found.len() > 1 { format!(", and {} more", found.len() - 1) } else { String::new() };
    let says = format!("{} is still being watched until {}{more}.", named(first), look.time(first.end.ms()));
    let grounds = found.iter().take(10).map(|(fact, other, _)| because(*fact, named(other))).collect();
    let mut flag = look.flag(FlagLevel::Caution, says, grounds);
    flag.would_help = look.wait_until(found.iter().map(|(_, other, _)| other.end.ms()).max());
    flag
}

/// "checkout v2.13.2 (checkout-86, by Grace)".
fn named(other: &Other) -> String {
    let version = other.version.as_deref().map(|version| format!(" {}", tame(version, 40))).unwrap_or_default();
    let by = other.by.as_ref().map(|by| format!(", by {}", tame(by.as_str(), 40))).unwrap_or_default();
    format!("{}{version} ({}{by})", other.service, tame(&other.id, 60))
}
