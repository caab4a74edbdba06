//! Overrides: a named person goes on in spite of a named blocker. Each is bound to the commit and to what the blocker said
//! when it was given, and its giver must hold the role also when it is used.

use std::collections::BTreeSet;

use super::role::ON_CALL;
use super::{Duty, Speaker, is_author};
use crate::advice::Flag;
use crate::advice::facts::Change;
use crate::advice::policy::may_override;
use crate::clock::{Millis, Time};
use crate::config::{PersonKind, Settings};
use crate::message::tame;
use crate::name::{Person, Role};
use crate::plan::Plan;

/// The code under which an objection can be overridden, where a rule names it.
pub const OBJECTED: &str = "plan.objected";
/// The code under which a hold can be overridden, where a rule names it.
pub const HELD: &str = "plan.held";

/// An override as it was given, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    pub id: String,
    pub revision: i64,
    /// The code of the blocker.
    pub code: String,
    /// The commit, or the digest of the change.
    pub bound: Option<String>,
    /// What the blocker rested on when it was given.
    pub facts: BTreeSet<String>,
    pub person: Person,
    pub role: Role,
    /// Its entry in the ledger, which holds the reason.
    pub entry: i64,
    pub at: Time,
    /// When a start relied on it.
    pub used_at: Option<Time>,
    pub over_at: Option<Time>,
    pub over_reason: Option<String>,
}

/// What stands in the way now, by code, with what it says and what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub code: String,
    pub says: String,
    pub facts: BTreeSet<String>,
}

impl Block {
    pub fn of(flag: &Flag) -> Block {
        Block { code: flag.code.clone(), says: flag.says.clone(), facts: facts_of(flag) }
    }
}

/// Why an override does not hold (any more).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It was ended or voided.
    Over,
    /// It was given for another commit or change.
    Commit,
    /// Older than an approval may be.
    Expired,
    /// Its giver holds none of the roles, or is no member any more.
    Role,
    /// The blocker rests on something that its giver did not see.
    Worse(String),
}

impl Gone {
    /// Why, for the record and for people.
    pub fn says(&self) -> String {
        match self {
            Gone::Over => "it was ended".to_owned(),
            Gone::Commit => "it was given for another commit".to_owned(),
            Gone::Expired => "it is older than an approval may be".to_owned(),
            Gone::Role => "whoever gave it no longer holds the role".to_owned(),
            Gone::Worse(fact) => format!("the blocker got worse: {fact}"),
        }
    }
}

impl Override {
    pub fn stands(&self) -> bool {
        self.over_at.is_none()
    }

    /// Whether it holds for the plan at this moment. `block` is the blocker as it is now; None: only what does not
    /// depend on it is asked.
    pub fn holds(&self, plan: &Plan, block: Option<&Block>, settings: &Settings, now: Time) -> Result<(), Gone> {
        if !self.stands() {
            return Err(Gone::Over);
        }
        if self.bound != bound(plan) {
            return Err(Gone::Commit);
        }
        if now.since(self.at) > holds_for(settings) {
            return Err(Gone::Expired);
        }
        self.has_role(plan, settings)?;
        match block.and_then(|block| block.facts.difference(&self.facts).next()) {
            Some(new) => Err(Gone::Worse(new.clone())),
            None => Ok(()),
        }
    }

    /// Whether its giver is a member and holds one of the roles that may override this code, as the settings are now.
    pub fn has_role(&self, plan: &Plan, settings: &Settings) -> Result<(), Gone> {
        let known = settings.people.get(&self.person).filter(|known| known.kind == PersonKind::Member);
        let roles = may_override(settings, &self.code, &plan.environment);
        // Hand-overs are ordinary: what somebody said while on call stays said.
        let was_on_call = self.role.as_str() == ON_CALL && roles.contains(&&self.role);
        match known.is_some_and(|known| was_on_call || known.roles.iter().any(|role| roles.contains(&role))) {
            true => Ok(()),
            false => Err(Gone::Role),
        }
    }
}

/// How long an override holds: as long as an approval.
fn holds_for(settings: &Settings) -> Millis {
    settings.policy.approval_expires.ms()
}

/// What an override is bound to: the commit, or the digest of the change.
pub fn bound(plan: &Plan) -> Option<String> {
    plan.commit.clone().or_else(|| plan.set_digest())
}

/// What a flag rests on, in words that change only when the facts do. A window has none: that it is closed cannot get
/// worse. What the clock and the calendar say is told by each entry; everything else by its one sentence.
pub fn facts_of(flag: &Flag) -> BTreeSet<String> {
    let each =
        || flag.because.iter().map(|because| tame(&format!("{}: {}", because.source, because.says), 300)).collect();
    match flag.code.as_str() {
        "timing.window" => BTreeSet::new(),
        // Without the times: they are said as seen from today.
        "timing.freeze" => {
            let title = |says: &str| says.rsplit_once(", ").map_or(says.to_owned(), |(title, _)| title.to_owned());
            flag.because
                .iter()
                .map(|because| tame(&format!("{}: {}", because.source, title(&because.says)), 300))
                .collect()
        }
        code if code.starts_with("incident.") || code.starts_with("timing.") => each(),
        _ => BTreeSet::from([tame(&flag.says, 300)]),
    }
}

/// Why somebody may not override a code here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// No rule lets anybody override it here.
    NoRule,
    /// A role that they do not hold.
    NoRole(Vec<Role>),
    /// Whether they are on call could not be told; why.
    DutyUnknown(String),
    /// Their own plan or change, and no rule of theirs says that this is well.
    Own,
}

/// The role in which somebody may override a code on this plan.
pub fn may_go_on(
    speaker: &Speaker,
    code: &str,
    plan: &Plan,
    change: Option<&Change>,
    settings: &Settings,
) -> Result<Role, Denied> {
    let rules = || {
        let all = settings.policy.overrides.iter();
        let here = all.filter(|rule| rule.environment.as_ref().is_none_or(|only| *only == plan.environment));
        here.filter(|rule| rule.codes.iter().any(|c| c == code))
    };
    if rules().next().is_none() {
        return Err(Denied::NoRule);
    }
    let own = speaker.roles_now();
    let held = |roles: &[Role]| roles.iter().find(|role| own.contains(role)).cloned();
    let Some(role) = rules().find_map(|rule| held(&rule.roles)) else {
        let mut roles: Vec<Role> = rules().flat_map(|rule| rule.roles.clone()).collect();
        roles.sort();
        roles.dedup();
        return Err(match &speaker.duty {
            Duty::Unknown(why) if roles.iter().any(|role| role.as_str() == ON_CALL) => Denied::DutyUnknown(why.clone()),
            _ => Denied::NoRole(roles),
        });
    };
    let own = speaker.person == plan.by || change.is_some_and(|change| is_author(&speaker.person, change, settings));
    if settings.policy.separation && own {
        return rules().filter(|rule| rule.own).find_map(|rule| held(&rule.roles)).ok_or(Denied::Own);
    }
    Ok(role)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_ms(1_000_000_000);

    fn settings(more: &str) -> Settings {
        let text = format!(
            "[people.grace]\nroles = [\"vp-engineering\"]\n[people.lin]\n[environment.production]\n[service.shop]\n{more}"
        );
        Settings::read(&text, "test", ".".into()).unwrap()
    }

    fn plan(commit: &str) -> Plan {
        Plan {
            id: "shop-1".into(),
            version: Some("v1".to_owned()),
            commit: Some(commit.to_owned()),
            ..Plan::bare("shop".into(), "production".into(), "ada".into(), NOW)
        }
    }

    fn given(facts: &[&str]) -> Override {
        Override {
            id: "1".to_owned(),
            revision: 1,
            code: "timing.freeze".to_owned(),
            bound: Some("abc".to_owned()),
            facts: facts.iter().map(|f| (*f).to_owned()).collect(),
            person: "grace".into(),
            role: "vp-engineering".into(),
            entry: 1,
            at: NOW,
            used_at: None,
            over_at: None,
            over_reason: None,
        }
    }

    fn block(facts: &[&str]) -> Block {
        Block {
            code: "timing.freeze".to_owned(),
            says: String::new(),
            facts: facts.iter().map(|f| (*f).to_owned()).collect(),
        }
    }

    #[test]
    fn an_override_holds_for_its_commit_its_facts_its_time_and_its_role() {
        let settings = settings("");
        let (own, seen) = (given(&["a", "b"]), block(&["a"]));
        let holds = |plan: &Plan, block: &Block, now| own.holds(plan, Some(block), &settings, now);
        assert_eq!(holds(&plan("abc"), &seen, NOW), Ok(()), "a blocker that lost a fact is no worse");
        assert_eq!(holds(&plan("abd"), &seen, NOW), Err(Gone::Commit));
        assert_eq!(holds(&plan("abc"), &block(&["a", "c"]), NOW), Err(Gone::Worse("c".to_owned())));
        assert_eq!(holds(&plan("abc"), &seen, NOW.plus(-crate::clock::DAY)), Ok(()), "a clock that steps back");
        assert_eq!(holds(&plan("abc"), &seen, NOW.plus(crate::clock::DAY)), Err(Gone::Expired));
        assert_eq!(
            Override { over_at: Some(NOW), ..own.clone() }.holds(&plan("abc"), None, &settings, NOW),
            Err(Gone::Over)
        );
        for lost in ["roles = []", "kind = \"guest\"\nroles = [\"vp-engineering\"]"] {
            let text = format!("[people.grace]\n{lost}\n[environment.production]\n");
            let after = Settings::read(&text, "test", ".".into()).unwrap();
            assert_eq!(own.holds(&plan("abc"), Some(&seen), &after, NOW), Err(Gone::Role), "{lost}");
        }
    }

    #[test]
    fn nobody_overrides_for_their_own_plan_unless_a_rule_says_so() {
        let plan = Plan { by: "grace".into(), ..plan("abc") };
        let grace = |roles: &[&str]| Speaker {
            person: "grace".into(),
            kind: PersonKind::Member,
            roles: roles.iter().map(|r| Role::from(*r)).collect(),
            duty: Duty::Off,
        };
        let may =
            |roles: &[&str], code: &str, settings: &Settings| may_go_on(&grace(roles), code, &plan, None, settings);
        let strict = settings("");
        assert_eq!(may(&["vp-engineering"], "timing.window", &strict), Err(Denied::Own));
        assert_eq!(may(&["lead"], "timing.window", &strict), Err(Denied::NoRole(vec!["vp-engineering".into()])));
        assert_eq!(may(&["vp-engineering"], "plan.objected", &strict), Err(Denied::NoRule));
        let own =
            settings("[[policy.override]]\ncodes = [\"timing.window\"]\nroles = [\"vp-engineering\"]\nown = true\n");
        assert_eq!(may(&["vp-engineering"], "timing.window", &own), Ok("vp-engineering".into()));
    }
}
