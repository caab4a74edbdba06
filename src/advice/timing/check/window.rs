//! `timing.window`: inside the allowed deployment window? Who may override, and how?

use super::Look;
use crate::advice::timing::gap::settings;
use crate::advice::timing::{Code, Timeline};
use crate::advice::{Because, Flag, FlagLevel, says};
use crate::message::tame;

pub fn flag(look: &Look<'_, '_>) -> Option<Flag> {
    let line = look.line;
    let (allowed, _) = line.allowed.as_ref()?;
    let environment = &line.ctx.plan.environment;
    let rule = rule(line)?;
    let because = vec![Because {
        source: settings(),
        says: format!("deployments to {environment} are allowed {rule}"),
        link: None,
        at: line.ctx.now,
    }];
    let next = allowed.next(look.at + 1).map(|(start, _)| start).filter(|start| *start <= line.last);
    let needs = needs(line, Code::Window)
        .map_or("No role may override it.".to_owned(), |roles| format!("Going on in spite of it needs {roles}."));
    let mut flag = match allowed.holding(look.at) {
        Some((_, end)) if look.done() <= end => {
            let says = match end - look.at {
                ..=604_800_000 => format!("Inside the allowed window ({rule}), which closes {}.", look.time(end)),
                _ => format!("Inside the allowed window ({rule})."),
            };
            return Some(look.flag(FlagLevel::Pass, says, because));
        }
        Some((_, end)) => {
            let says = format!(
                "The allowed window ({rule}) closes {}, before the deployment would be done ({}). {needs}",
                look.time(end),
                look.time(look.done())
            );
            look.flag(FlagLevel::Caution, says, because)
        }
        None => {
            let opens = next.map_or("does not open within 90 days".to_owned(), |at| format!("opens {}", look.time(at)));
            let says = format!("Outside the allowed window ({rule}): it {opens}. {needs}");
            look.flag(FlagLevel::Critical, says, because)
        }
    };
    flag.would_help = look.wait_until(next);
    Some(flag)
}

/// The rule as people write it, with its zone: `Mon–Thu 10:00–16:00 PST`.
pub fn rule(line: &Timeline<'_>) -> Option<String> {
    let (_, zone) = line.allowed.as_ref()?;
    let set = line.ctx.settings.environment.get(&line.ctx.plan.environment)?;
    let rules: Vec<String> = set.window.iter().take(4).map(crate::config::WeekHours::says).collect();
    Some(format!("{} {}", says::list(&rules), says::zone_name(line.ctx.now, *zone)))
}

/// The roles that may override a code here: "vp or release-manager".
pub fn needs(line: &Timeline<'_>, code: Code) -> Option<String> {
    let here = &line.ctx.plan.environment;
    let rules = line.ctx.settings.policy.overrides.iter();
    let ours = rules.filter(|rule| {
        rule.codes.iter().any(|c| c == code.as_str()) && rule.environment.as_ref().is_none_or(|there| there == here)
    });
    let mut roles: Vec<String> = ours.flat_map(|rule| &rule.roles).map(|role| tame(role.as_str(), 60)).collect();
    roles.sort();
    roles.dedup();
    (!roles.is_empty()).then(|| format!("an override by {}", says::any_of(&roles)))
}
