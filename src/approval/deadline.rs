//! Until when approvals are needed: as the planner says, or so long before the plan's own time.

use crate::clock::Time;
use crate::config::Settings;
use crate::plan::{Plan, When};

/// The deadline of a plan's approvals; None: it begins when it is approved, and nobody said until when.
pub fn needed_by(plan: &Plan, settings: &Settings) -> Option<Time> {
    if plan.needed_by.is_some() {
        return plan.needed_by;
    }
    if plan.when == When::Now {
        return None;
    }
    let start = plan.when.start(plan.made_at);
    let before = start.plus(-settings.policy.approved_before.ms());
    // A plan that is made later than that is needed by its own time.
    Some(if before > plan.made_at { before } else { start })
}

/// When those who could approve are reminded before it.
pub fn remind_at(needed_by: Time, settings: &Settings) -> Time {
    needed_by.plus(-settings.policy.remind_before.ms())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{HOUR, MINUTE};

    #[test]
    fn approvals_are_needed_before_the_plans_own_time_or_when_the_planner_says() {
        let settings = Settings::read("", "test", ".".into()).unwrap();
        let made = Time::from_ms(1_000_000_000);
        let plan = |when: When, needed: Option<Time>| -> Plan {
            serde_json::from_value(serde_json::json!({
                "id": "shop-1", "kind": "release", "service": "shop", "environment": "production", "by": "ada",
                "when": when, "made_at": made, "needed_by": needed,
            }))
            .unwrap()
        };
        let at = |minutes: i64| made.plus(minutes * MINUTE);
        assert_eq!(needed_by(&plan(When::Now, None), &settings), None);
        assert_eq!(needed_by(&plan(When::Now, Some(at(5))), &settings), Some(at(5)));
        assert_eq!(needed_by(&plan(When::At { at: at(240) }, None), &settings), Some(at(210)));
        assert_eq!(needed_by(&plan(When::At { at: at(20) }, None), &settings), Some(at(20)));
        assert_eq!(remind_at(at(210), &settings), at(210).plus(-HOUR));
    }
}
