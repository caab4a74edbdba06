//! Which entries of the ledger oblige somebody to something.

use crate::config::After;
use crate::ledger::Record;
use crate::name::{Environment, Person, PlanId, Service};

/// What an entry obliges to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub after: After,
    pub plan: Option<PlanId>,
    pub deployment: Option<String>,
    pub service: Service,
    pub environment: Environment,
    /// Whose act it was: a review of it is somebody else's.
    pub by: Option<Person>,
    /// What it is known by: the same cause told twice obliges once.
    pub key: String,
}

/// Whether entries of this kind may oblige at all; most do not, and cost nothing.
pub fn may_oblige(kind: &str) -> bool {
    kind == "override"
        || kind == "outcome.given"
        || kind == "word.given"
        || kind.starts_with("deployment.")
        || kind.starts_with("emergency")
        || kind.starts_with("approval.emergency")
}

/// What an entry obliges to, if to anything.
pub fn cause_of(record: &Record) -> Option<Cause> {
    let text = |name: &str| record.data.get(name).and_then(|value| value.as_str());
    let flag = |name: &str| record.data.get(name).and_then(serde_json::Value::as_bool);
    let kind = record.kind.as_str();
    if !may_oblige(kind) {
        return None;
    }
    // An approval that was given in the terminal came by the emergency path.
    let emergency = kind.contains("emergency")
        || flag("emergency") == Some(true)
        || kind == "word.given" && text("medium") == Some("terminal");
    let after = match kind {
        // One that was refused, or that ended, is no act in spite of anything.
        "override" if !matches!(record.verdict.as_deref(), None | Some("given")) => return None,
        "override" => After::Override,
        "outcome.given" => match text("outcome")? {
            "incident" => After::Incident,
            "rolled_back" => After::RolledBack,
            _ => return None,
        },
        "deployment.rolled_back" => After::RolledBack,
        _ if kind.starts_with("deployment.") && flag("planned") == Some(false) => After::Unplanned,
        _ if kind.starts_with("deployment.") && flag("approved") == Some(false) => After::Unapproved,
        _ if emergency => After::Emergency,
        _ => return None,
    };
    let plan = record.plan.as_ref();
    let deployment = text("deployment").map(str::to_owned);
    let subject = plan.map(|plan| plan.id.clone()).or_else(|| deployment.clone())?;
    let key = match after {
        // Each of these is an act of its own.
        After::Override | After::Emergency => format!("{subject}:{}:{}", after.as_str(), record.seq),
        _ => format!("{subject}:{}", after.as_str()),
    };
    let service = plan.and_then(|plan| plan.service.as_deref()).or_else(|| text("service"))?;
    let environment = plan.and_then(|plan| plan.environment.as_deref()).or_else(|| text("environment"))?;
    Some(Cause {
        after,
        plan: plan.map(|plan| PlanId::new(plan.id.as_str())),
        deployment,
        service: Service::new(service),
        environment: Environment::new(environment),
        by: matches!(after, After::Override | After::Emergency)
            .then(|| record.actor.person.as_deref().map(Person::new))
            .flatten(),
        key,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn record(kind: &str, data: Value, planned: bool) -> Record {
        let plan = planned.then(|| json!({ "id": "shop-1", "service": "shop", "environment": "production" }));
        let mut value = json!({ "v": 1, "origin": "o", "epoch": 1, "seq": 7, "prev": "0".repeat(64), "at": 1, "kind": kind,
            "actor": { "person": "ada" }, "data": data });
        if let Some(plan) = plan {
            value["plan"] = plan;
        }
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_override_obliges_each_time_and_not_its_giver() {
        let cause = cause_of(&record("override", json!({ "code": "timing.window" }), true)).unwrap();
        assert_eq!((cause.after, cause.key.as_str()), (After::Override, "shop-1:override:7"));
        assert_eq!(cause.by, Some(Person::new("ada")));
    }

    #[test]
    fn an_override_that_was_refused_or_ended_obliges_nobody() {
        for verdict in ["refused", "void"] {
            let mut one = record("override", json!({ "code": "timing.window" }), true);
            one.verdict = Some(verdict.to_owned());
            assert_eq!(cause_of(&one), None);
        }
    }

    #[test]
    fn a_way_back_told_twice_obliges_once() {
        let hook = cause_of(&record("deployment.rolled_back", json!({ "deployment": "d-1" }), true)).unwrap();
        let person = cause_of(&record("outcome.given", json!({ "outcome": "rolled_back" }), true)).unwrap();
        assert_eq!(hook.key, person.key);
        assert_eq!(cause_of(&record("outcome.given", json!({ "outcome": "clean" }), true)), None);
    }

    #[test]
    fn a_deployment_without_plan_or_approval_obliges() {
        let data = json!({ "deployment": "d-1", "planned": false, "service": "shop", "environment": "production" });
        let cause = cause_of(&record("deployment.started", data, false)).unwrap();
        assert_eq!((cause.after, cause.key.as_str()), (After::Unplanned, "d-1:unplanned"));
        let data = json!({ "deployment": "d-1", "approved": false });
        assert_eq!(cause_of(&record("deployment.started", data, true)).unwrap().after, After::Unapproved);
        let data = json!({ "deployment": "d-1", "approved": true });
        assert_eq!(cause_of(&record("deployment.started", data, true)), None);
    }

    #[test]
    fn the_emergency_path_obliges_however_it_is_told() {
        assert_eq!(cause_of(&record("emergency.approved", json!({}), true)).unwrap().after, After::Emergency);
        for told in
            [json!({ "word": "approve", "emergency": true }), json!({ "word": "approve", "medium": "terminal" })]
        {
            assert_eq!(cause_of(&record("word.given", told, true)).unwrap().after, After::Emergency);
        }
        assert_eq!(cause_of(&record("word.given", json!({ "word": "approve" }), true)), None);
    }
}
