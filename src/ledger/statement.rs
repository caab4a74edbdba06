//! What a handler has to say to the ledger: who did what to which plan, why, on what evidence.

use serde_json::{Map, Value};

use super::{Actor, Entry, Evidence, Kind, PlanRef, PolicyRef, Salt};
use crate::app::App;
use crate::clock::Time;
use crate::event::From;
use crate::name::{Person, Role};
use crate::people::account::{KnownBy, known_by};
use crate::store::plan::PlanRow;

/// One thing for the record; the store gives it its number, time and hashes.
#[derive(Clone, Debug)]
pub struct Statement {
    /// A dotted name: `plan.made`, `word.given`.
    pub kind: String,
    actor: Actor,
    pub plan: Option<PlanRef>,
    evidence: Evidence,
    policy: Option<PolicyRef>,
    verdict: Option<String>,
    data: Map<String, Value>,
    /// Free text by name: kept beside the chain, the entry holds a salted commitment.
    texts: Vec<(String, String)>,
}

/// What became of a statement: its number, and the signed checkpoint after it.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub seq: i64,
    pub checkpoint: String,
}

impl Statement {
    /// Something that Tidegate itself did, until [`Statement::by`] says who else.
    pub fn new(kind: &str) -> Statement {
        Statement {
            kind: kind.to_owned(),
            actor: Actor::system("tidegate"),
            plan: None,
            evidence: Evidence::default(),
            policy: None,
            verdict: None,
            data: Map::new(),
            texts: Vec::new(),
        }
    }

    /// Somebody did it, on a platform.
    #[must_use]
    pub fn by(mut self, from: &From, person: Option<&Person>, role: Option<&Role>) -> Statement {
        let mut actor = Actor::user(&from.platform, from.workspace(), &from.user);
        if let Some(person) = person {
            actor = actor.person(person.as_str());
        }
        if let Some(role) = role {
            actor = actor.role(role.as_str());
        }
        self.actor = actor;
        self.evidence.platform = Some(from.platform.clone());
        self.evidence.channel = Some(from.channel.to_string());
        self
    }

    #[must_use]
    pub fn by_system(mut self, name: &str) -> Statement {
        self.actor = Actor::system(name);
        self
    }

    /// An operator did it on the command line of the machine that holds the key; who says so is `person`.
    #[must_use]
    pub fn by_operator(mut self, person: &Person) -> Statement {
        self.actor = Actor::user("cli", "operator", person.as_str()).person(person.as_str());
        self
    }

    #[must_use]
    pub fn of(mut self, row: &PlanRow, brief: Option<&str>) -> Statement {
        let plan = &row.plan;
        self.plan = Some(PlanRef {
            id: plan.id.to_string(),
            revision: u64::try_from(row.revision).ok(),
            brief: brief.map(str::to_owned),
            commit: plan.commit.clone(),
            change: plan.set_digest(),
            artifact: None,
            service: Some(plan.service.to_string()),
            environment: Some(plan.environment.to_string()),
            version: plan.version.clone(),
        });
        self
    }

    /// The arrival that it answers and the message that it was said on.
    #[must_use]
    pub fn evidence(mut self, event: &str, message: Option<&str>) -> Statement {
        self.evidence.event_id = Some(event.to_owned());
        self.evidence.message = message.map(str::to_owned);
        self
    }

    #[must_use]
    pub fn policy(mut self, digest: &str, rule: Option<&str>, quorum: Option<u32>) -> Statement {
        let quorum = quorum.map(|n| n.to_string());
        self.policy = Some(PolicyRef { digest: digest.to_owned(), rule: rule.map(str::to_owned), quorum });
        self
    }

    #[must_use]
    pub fn verdict(mut self, verdict: &str) -> Statement {
        self.verdict = Some(verdict.to_owned());
        self
    }

    /// One fact; absent ones are left out, as the format asks.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Statement {
        let value = value.into();
        if !value.is_null() {
            self.data.insert(name.to_owned(), value);
        }
        self
    }

    /// Free text, where there is any.
    #[must_use]
    pub fn text(mut self, name: &str, text: Option<&str>) -> Statement {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.texts.push((name.to_owned(), text.to_owned()));
        }
        self
    }

    /// By what the account that acted is known to be its person's: `settings`, or `code` or `email` with the entry of the
    /// link and its time.
    #[must_use]
    pub fn known(self, app: &App) -> Statement {
        let (Some(platform), Some(user), Some(_)) = (&self.actor.provider, &self.actor.user, &self.actor.person) else {
            return self;
        };
        if self.data.contains_key("known_by") {
            return self;
        }
        let Some(known) = known_by(app, platform, user) else { return self };
        let record = self.with("known_by", known.as_str());
        match known {
            KnownBy::Settings => record,
            KnownBy::Link(link) => record.with("known_entry", link.entry).with("known_since", link.since.ms()),
        }
    }

    /// The entry, with a salt for each text.
    pub fn entry(self, at: Time) -> anyhow::Result<Entry> {
        let mut entry = Entry::new(Kind::parse(&self.kind)?, at, self.actor);
        entry.plan = self.plan;
        entry.evidence = (self.evidence != Evidence::default()).then_some(self.evidence);
        entry.policy = self.policy;
        entry.verdict = self.verdict;
        entry.data = self.data;
        for (name, body) in self.texts {
            let mut salt = [0u8; 32];
            getrandom::fill(&mut salt).map_err(|_| anyhow::anyhow!("the operating system gives no random bytes"))?;
            entry = entry.text(&name, body, Salt(salt));
        }
        Ok(entry)
    }
}
