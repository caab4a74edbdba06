//! What a handler has to say to the ledger: who did what to which plan, why, on what evidence.

use serde_json::{Map, Value};

use crate::event::From;
use crate::name::{Person, PlanId, Role};

/// One thing for the record; the store gives it its number, time and hashes.
#[derive(Clone, Debug, Default)]
pub struct Statement {
    /// A dotted name: `plan.made`, `word.given`.
    pub kind: String,
    pub actor: Actor,
    pub plan: Option<PlanRef>,
    pub evidence: Evidence,
    pub policy: Option<PolicyRef>,
    pub verdict: Option<String>,
    /// Facts of this kind of entry: strings, whole numbers, true and false, lists and objects of them.
    pub data: Map<String, Value>,
    /// Free text by name: kept beside the chain, the entry holds a salted commitment.
    pub texts: Vec<(String, String)>,
}

/// Who acted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Actor {
    /// Tidegate itself: a timer, a refresh.
    #[default]
    Tidegate,
    /// Another system: `hook:ci`.
    System(String),
    Person { platform: String, user: String, person: Option<Person>, role: Option<Role> },
}

/// Which plan, at which revision, exactly.
#[derive(Clone, Debug, Default)]
pub struct PlanRef {
    pub id: Option<PlanId>,
    pub revision: Option<i64>,
    pub brief: Option<String>,
    pub commit: Option<String>,
    pub service: String,
    pub environment: String,
    pub version: Option<String>,
}

/// Where it can be looked up outside.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    pub platform: Option<String>,
    pub channel: Option<String>,
    pub message: Option<String>,
    pub event: Option<String>,
}

/// Which rules were in force.
#[derive(Clone, Debug)]
pub struct PolicyRef {
    pub digest: String,
    pub rule: Option<String>,
    pub quorum: Option<i64>,
}

impl Statement {
    pub fn new(kind: &str) -> Statement {
        Statement { kind: kind.to_owned(), ..Statement::default() }
    }

    /// Somebody did it, on a platform.
    pub fn by(mut self, from: &From, person: Option<&Person>, role: Option<&Role>) -> Statement {
        self.actor = Actor::Person {
            platform: from.platform.clone(),
            user: from.user.clone(),
            person: person.cloned(),
            role: role.cloned(),
        };
        self.evidence.platform = Some(from.platform.clone());
        self.evidence.channel = Some(from.channel.to_string());
        self
    }

    pub fn by_system(mut self, name: &str) -> Statement {
        self.actor = Actor::System(name.to_owned());
        self
    }

    pub fn of(mut self, row: &crate::store::plan::PlanRow, brief: Option<&str>) -> Statement {
        self.plan = Some(PlanRef {
            id: Some(row.plan.id.clone()),
            revision: Some(row.revision),
            brief: brief.map(str::to_owned),
            commit: row.plan.commit.clone(),
            service: row.plan.service.to_string(),
            environment: row.plan.environment.to_string(),
            version: row.plan.version.clone(),
        });
        self
    }

    /// The arrival that it answers and the message that it was said on.
    pub fn evidence(mut self, event: &str, message: Option<&str>) -> Statement {
        self.evidence.event = Some(event.to_owned());
        self.evidence.message = message.map(str::to_owned);
        self
    }

    pub fn policy(mut self, digest: &str, rule: Option<&str>, quorum: Option<u32>) -> Statement {
        self.policy = Some(PolicyRef {
            digest: digest.to_owned(),
            rule: rule.map(str::to_owned),
            quorum: quorum.map(i64::from),
        });
        self
    }

    pub fn verdict(mut self, verdict: &str) -> Statement {
        self.verdict = Some(verdict.to_owned());
        self
    }

    /// One fact; absent ones are left out, as the format asks.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Statement {
        let value = value.into();
        if !value.is_null() {
            self.data.insert(name.to_owned(), value);
        }
        self
    }

    /// Free text, where there is any.
    pub fn text(mut self, name: &str, text: Option<&str>) -> Statement {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.texts.push((name.to_owned(), text.to_owned()));
        }
        self
    }
}
