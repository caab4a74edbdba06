//! Deputies: an approver lends roles to somebody for a while. What is lent counts only while its lender holds it, never for
//! the lender's own plans or commits, and cannot be lent on: only roles of one's own are looked at.

use super::somebody_else;
use crate::advice::facts::Change;
use crate::clock::Time;
use crate::config::{PersonKind, Settings};
use crate::name::{Channel, Person, Role};
use crate::plan::Plan;

/// One person stands in for another until a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Deputy {
    pub id: String,
    pub lender: Person,
    pub person: Person,
    /// One role; None: every role that the lender holds.
    pub role: Option<Role>,
    pub since: Time,
    pub until: Time,
    /// Where it was said, and where its end is said.
    pub platform: String,
    pub channel: Channel,
    pub ended_at: Option<Time>,
    pub ended_reason: Option<String>,
}

impl Deputy {
    pub fn is_active(&self, now: Time) -> bool {
        self.ended_at.is_none() && self.since <= now && now < self.until
    }

    /// Whether both lend the same role.
    pub fn overlaps(&self, role: Option<&Role>) -> bool {
        self.role.is_none() || role.is_none() || self.role.as_ref() == role
    }
}

/// The roles that somebody may speak in for others on this plan, each with its lender.
pub fn lent(
    person: &Person,
    deputies: &[Deputy],
    plan: &Plan,
    change: Option<&Change>,
    settings: &Settings,
    now: Time,
) -> Vec<(Role, Person)> {
    let of_them = deputies.iter().filter(|deputy| deputy.person == *person && deputy.is_active(now));
    of_them
        .filter(|deputy| somebody_else(&deputy.lender, plan, change, settings).is_ok())
        .filter_map(|deputy| {
            let lender = settings.people.get(&deputy.lender).filter(|known| known.kind == PersonKind::Member)?;
            Some((deputy, lender))
        })
        .flat_map(|(deputy, lender)| {
            let roles = lender.roles.iter().filter(|role| deputy.role.as_ref().is_none_or(|only| only == *role));
            roles.map(|role| (role.clone(), deputy.lender.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_ms(1_000_000);

    fn deputy(lender: &str, person: &str, role: Option<&str>) -> Deputy {
        Deputy {
            id: "1".to_owned(),
            lender: lender.into(),
            person: person.into(),
            role: role.map(Role::from),
            since: NOW,
            until: NOW.plus(1_000),
            platform: "console".to_owned(),
            channel: Channel::new("deploys"),
            ended_at: None,
            ended_reason: None,
        }
    }

    fn roles(deputies: &[Deputy], person: &str, by: &str, now: Time) -> Vec<String> {
        let text = "[people.grace]\nroles = [\"vp\", \"lead\"]\n[people.lin]\nroles = [\"dev\"]\n[people.noor]\n";
        let settings = Settings::read(text, "test", ".".into()).unwrap();
        let plan: Plan = serde_json::from_value(serde_json::json!({
            "id": "shop-1", "kind": "release", "service": "shop", "environment": "production", "by": by,
            "when": { "is": "now" }, "made_at": NOW,
        }))
        .unwrap();
        let lent = lent(&person.into(), deputies, &plan, None, &settings, now);
        lent.into_iter().map(|(role, lender)| format!("{role} for {lender}")).collect()
    }

    #[test]
    fn a_role_is_lent_while_it_runs_and_never_on() {
        let one = [deputy("grace", "lin", Some("vp"))];
        assert_eq!(roles(&one, "lin", "ada", NOW), ["vp for grace"]);
        assert_eq!(roles(&one, "lin", "ada", NOW.plus(-1)), [""; 0], "a clock that stepped back");
        assert_eq!(roles(&one, "lin", "ada", NOW.plus(1_000)), [""; 0]);
        assert_eq!(roles(&[deputy("grace", "lin", None)], "lin", "ada", NOW), ["vp for grace", "lead for grace"]);
        let chain = [deputy("grace", "lin", None), deputy("lin", "noor", None)];
        assert_eq!(roles(&chain, "noor", "ada", NOW), ["dev for lin"]);
        assert_eq!(roles(&one, "lin", "grace", NOW), [""; 0], "not for the lender's own plan");
        assert_eq!(roles(&[deputy("gone", "lin", None)], "lin", "ada", NOW), [""; 0]);
    }
}
