//! `coordination.in-flight`: deployments under way or planned nearby, in the same environment.

use super::{Look, soak};
use crate::advice::facts::{Doing, Other};
use crate::advice::timing::gap::because;
use crate::advice::{Flag, FlagLevel};

pub fn flag(look: &Look<'_, '_>) -> Flag {
    let line = look.line;
    let environment = &line.ctx.plan.environment;
    let (at, watched) = (look.at, look.watched());
    let meets = |other: &Other| other.doing != Doing::Watched && other.start.ms() < watched && other.end.ms() > at;
    let mut found: Vec<_> = line.others.list.iter().filter(|(_, other, _)| meets(other)).collect();
    found.sort_by_key(|(.., near)| -near);
    if found.is_empty() {
        if let Some(gap) = &line.others.gap {
            return look.unknown("Other deployments", gap);
        }
        return look.flag(FlagLevel::Pass, format!("Nothing else moves in {environment} then."), Vec::new());
    }
    let said = |doing: Doing| {
        let of: Vec<&Other> = found.iter().map(|(_, other, _)| *other).filter(|other| other.doing == doing).collect();
        (!of.is_empty()).then(|| soak::list(&of))
    };
    let under_way = said(Doing::UnderWay).map(|list| format!("under way: {list}"));
    let planned = said(Doing::Planned).map(|list| format!("planned: {list}"));
    let parts: Vec<String> = under_way.into_iter().chain(planned).collect();
    let says = format!("Others move in {environment} then; {}.", parts.join("; "));
    let level = if look.cost.part(look.code) > 2 { FlagLevel::Caution } else { FlagLevel::Info };
    let grounds = found.iter().take(10).map(|(fact, other, _)| because(*fact, soak::named(other))).collect();
    let mut flag = look.flag(level, says, grounds);
    flag.would_help = look.wait_until(found.iter().map(|(_, other, _)| other.end.ms()).max());
    flag
}
