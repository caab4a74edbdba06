//! When a new look at a waiting plan matters: rules by code and threshold, not by a hash.

use crate::advice::facts::Facts;
use crate::advice::{Advice, FlagLevel};
use crate::plan::Plan;

/// What changed in a way that humans must look at again; sentences. Empty: the brief that they saw still holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub says: Vec<String>,
    /// The version leads to another commit now: what was approved no longer exists.
    pub commit: bool,
}

/// Compares a waiting brief with a fresh look at the same plan. `drifted` is what the brief's own facts say by now: a
/// window that closes or a known freeze that begins is no news, and the gate judges the hour anyway.
pub fn changes(
    old: (&Plan, &Facts, &Advice),
    drifted: &Advice,
    new: (&Plan, &Facts, &Advice),
    score_step: u32,
) -> Changes {
    let mut changes = Changes::default();
    let ((old_plan, old_facts, old), (new_plan, new_facts, new)) = (old, new);
    if new_plan.commit != old_plan.commit && new_plan.commit.is_some() {
        changes.commit = true;
        let short = |commit: &Option<String>| {
            commit.as_deref().map_or("nothing known".to_owned(), |c| c.chars().take(7).collect())
        };
        changes.says.push(format!(
            "{} is now commit {}, it was {}",
            new_plan.version.as_deref().unwrap_or("the version"),
            short(&new_plan.commit),
            short(&old_plan.commit)
        ));
    }
    let foreseen: Vec<&String> = drifted.blockers.iter().filter(|code| !old.blockers.contains(code)).collect();
    // A lock asks to wait and ends by itself: it is told and judged at once, and no approval needs another look for it.
    let lasting = new.blockers.iter().filter(|code| *code != "coordination.lock");
    for code in lasting.filter(|code| !old.blockers.contains(code) && !foreseen.contains(code)) {
        let says = new.flags.iter().find(|f| f.code == *code).map_or(code.as_str(), |f| f.says.trim_end_matches('.'));
        changes.says.push(format!("new blocker: {says}"));
    }
    let open = |facts: &Facts| -> Vec<String> {
        facts
            .incidents
            .known
            .iter()
            .flat_map(|f| &f.value)
            .filter(|i| i.resolved.is_none())
            .map(|i| i.id.clone())
            .collect()
    };
    let (before, after) = (open(old_facts), open(new_facts));
    let concerned = new.flags.iter().any(|f| f.code == "incident.open" && f.level >= FlagLevel::Caution);
    for incident in after.iter().filter(|id| concerned && !before.contains(id)) {
        changes.says.push(format!("new incident: {}", crate::message::tame(incident, 40)));
    }
    for code in ["timing.freeze", "migration.state", "migration.hazard"] {
        let critical = |advice: &Advice| {
            advice.flags.iter().find(|f| f.code == code && f.level == FlagLevel::Critical).map(|f| f.says.clone())
        };
        if let (Some(says), None, None) = (critical(new), critical(old), critical(drifted))
            && !new.blockers.iter().any(|b| b == code)
        {
            changes.says.push(says.trim_end_matches('.').to_owned());
        }
    }
    // While the hour alone shuts the gate, what the hour costs is not asked about again.
    let known = if foreseen.is_empty() { old.score.value } else { old.score.value.max(drifted.score.value) };
    if new.score.value >= known + score_step.max(1) {
        changes.says.push(format!("risk rose from {} to {}", old.score.value, new.score.value));
    }
    changes
}
