//! One change as the ledger tells it, read from its entries alone: what was planned, who said what, what was deployed, and
//! what an auditor would ask about.

use serde::Serialize;

use crate::audit::cause_of;
use crate::clock::Time;
use crate::config::After;
use crate::ledger::Record;

/// Everything that the ledger says of one plan, or of one deployment that had none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Case {
    /// The plan's handle; None for a deployment without one.
    pub plan: Option<String>,
    pub service: String,
    pub environment: String,
    pub version: Option<String>,
    /// The commit of the newest revision.
    pub commit: Option<String>,
    /// The digest of a change without a commit.
    pub change: Option<String>,
    pub kind: Option<String>,
    pub risk_declared: Option<String>,
    pub category_declared: Option<String>,
    pub score: Option<i64>,
    /// Codes that stopped the gate, and all flags at caution or above, in the newest brief.
    pub blockers: Vec<String>,
    pub flags: Vec<String>,
    /// What the rules asked for.
    pub needs: Vec<String>,
    pub planned_by: Option<Act>,
    pub revision: u64,
    pub brief: Option<String>,
    /// The rules that the newest brief was judged by.
    pub policy: Option<String>,
    pub words: Vec<Given>,
    pub refused_words: u32,
    pub overrides: Vec<Act>,
    pub emergencies: Vec<Act>,
    pub category_settled: Option<Act>,
    pub confirmed: Option<Act>,
    pub started: Option<Act>,
    pub deployments: Vec<Deployed>,
    pub alerts: u32,
    pub outcome: Option<Act>,
    pub cause: Option<String>,
    /// `cancelled` or `expired`, where it is.
    pub over: Option<Act>,
    pub owed: u32,
    pub given: u32,
    /// Deadlines that passed before it was given.
    pub late: u32,
    pub first_entry: u64,
    pub last_entry: u64,
    /// How many people the rules asked for.
    #[serde(skip)]
    pub quorum: u32,
}

/// Who did something, when, and by which entry.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Act {
    pub by: Option<String>,
    pub role: Option<String>,
    pub at: Time,
    pub entry: u64,
    /// What it was: a blocker's code, an outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
}

/// A word on a brief.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Given {
    pub word: String,
    pub by: String,
    pub role: Option<String>,
    pub at: Time,
    pub platform: Option<String>,
    pub revision: u64,
    pub brief: Option<String>,
    /// What it depends on, as it was recorded: `watches lin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Whether that is met; true where it depends on nothing.
    pub met: bool,
    /// Whether it was neither taken back nor voided.
    pub stands: bool,
    pub entry: u64,
}

/// A deployment as it was told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Deployed {
    pub id: String,
    /// The last that was told of it: `started`, `succeeded`, `failed`, `rolled_back`.
    pub status: String,
    pub began: Time,
    pub ended: Option<Time>,
    pub actor: Option<String>,
    pub commit: Option<String>,
    /// Whether humans had approved its plan when it was first told of.
    pub approved: bool,
    /// Whether a human had said start by then.
    pub started: bool,
    /// Whether it is the commit that was approved; None where either is not known.
    pub same_commit: Option<bool>,
    pub entry: u64,
}

/// What an auditor asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    Override,
    Emergency,
    Unplanned,
    Unapproved,
    OtherCommit,
    /// A human began it, and no deployment was seen.
    StartedNotDeployed,
    /// Humans approved it, and nobody began it.
    ApprovedNotDeployed,
}

impl Finding {
    pub const ALL: [Finding; 7] = [
        Finding::Override,
        Finding::Emergency,
        Finding::Unplanned,
        Finding::Unapproved,
        Finding::OtherCommit,
        Finding::StartedNotDeployed,
        Finding::ApprovedNotDeployed,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Finding::Override => "override",
            Finding::Emergency => "emergency",
            Finding::Unplanned => "unplanned",
            Finding::Unapproved => "unapproved",
            Finding::OtherCommit => "other_commit",
            Finding::StartedNotDeployed => "started_not_deployed",
            Finding::ApprovedNotDeployed => "approved_not_deployed",
        }
    }
}

impl Case {
    /// The case that these entries tell, in their order.
    pub fn of<'r>(records: impl IntoIterator<Item = &'r Record>) -> Case {
        let mut case = Case::default();
        for record in records {
            case.take(record);
        }
        case
    }

    /// What it is called: the plan's handle, or the deployment's id.
    pub fn name(&self) -> &str {
        let deployment = || self.deployments.first().map(|deployed| deployed.id.as_str());
        self.plan.as_deref().or_else(deployment).unwrap_or_default()
    }

    /// When it began: when it was planned, or first deployed.
    pub fn at(&self) -> Time {
        let deployed = self.deployments.first().map(|deployed| deployed.began);
        self.planned_by.as_ref().map(|act| act.at).or(deployed).unwrap_or_default()
    }

    /// Approvals that stand on the newest revision, and whose condition, where they have one, is met.
    pub fn approvals(&self) -> impl Iterator<Item = &Given> {
        let approves = |word: &&Given| word.stands && word.met && word.word == "approve";
        self.words.iter().filter(approves).filter(|word| word.revision == self.revision)
    }

    /// As many people approved as the rules asked for, by count, and nobody objects. Who had to be of which role was judged
    /// when it was deployed, and is in that entry.
    pub fn is_approved(&self) -> bool {
        let mut people: Vec<&str> = self.approvals().map(|word| word.by.as_str()).collect();
        people.sort_unstable();
        people.dedup();
        let objected = self.words.iter().any(|word| word.stands && word.word == "object");
        self.quorum > 0 && people.len() >= self.quorum as usize && !objected
    }

    /// What an auditor asks about, most pressing first.
    pub fn findings(&self) -> Vec<Finding> {
        let deployed = !self.deployments.is_empty();
        let any = |wrong: &dyn Fn(&Deployed) -> bool| self.deployments.iter().any(wrong);
        let holds = |finding: &Finding| match finding {
            Finding::Override => !self.overrides.is_empty(),
            Finding::Emergency => !self.emergencies.is_empty(),
            Finding::Unplanned => self.plan.is_none() && deployed,
            Finding::Unapproved => self.plan.is_some() && any(&|one| !one.approved && !one.started),
            Finding::OtherCommit => any(&|one| one.same_commit == Some(false)),
            Finding::StartedNotDeployed => !deployed && self.started.is_some(),
            Finding::ApprovedNotDeployed => !deployed && self.started.is_none() && self.is_approved(),
        };
        Finding::ALL.into_iter().filter(holds).collect()
    }

    fn take(&mut self, record: &Record) {
        let text = |name: &str| record.data.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        let list = |name: &str| -> Vec<String> {
            let values = record.data.get(name).and_then(|value| value.as_array()).into_iter().flatten();
            values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
        };
        let act = |what: Option<String>| {
            let by = record.actor.person.clone().or_else(|| record.actor.system.clone());
            Act { by, role: record.actor.role.clone(), at: Time::from_ms(record.at), entry: record.seq, what }
        };
        if self.first_entry == 0 {
            self.first_entry = record.seq;
        }
        self.last_entry = record.seq;
        let revision = record.plan.as_ref().and_then(|plan| plan.revision).unwrap_or(0);
        if let Some(plan) = &record.plan {
            self.plan = Some(plan.id.clone());
            self.service = plan.service.clone().unwrap_or_default();
            self.environment = plan.environment.clone().unwrap_or_default();
            self.version.clone_from(&plan.version);
            self.commit.clone_from(&plan.commit);
            self.change.clone_from(&plan.change);
        } else if self.service.is_empty() {
            self.service = text("service").unwrap_or_default();
            self.environment = text("environment").unwrap_or_default();
            self.version = text("version");
            self.commit = text("commit");
        }
        let kind = record.kind.as_str();
        match kind {
            "plan.made" => self.planned_by = Some(act(None)),
            "plan.revised" => {
                self.revision = revision;
                self.brief = record.plan.as_ref().and_then(|plan| plan.brief.clone());
                self.policy = record.policy.as_ref().map(|policy| policy.digest.clone());
                let quorum = record.policy.as_ref().and_then(|policy| policy.quorum.as_deref());
                self.quorum = quorum.and_then(|quorum| quorum.parse().ok()).unwrap_or(0);
                self.score = record.data.get("score").and_then(serde_json::Value::as_i64);
                (self.blockers, self.needs) = (list("blockers"), list("needs"));
                (self.kind, self.risk_declared) = (text("kind"), text("risk_declared"));
                self.category_declared = text("category_declared");
                let flags = record.data.get("flags").and_then(|value| value.as_array()).into_iter().flatten();
                let of =
                    |flag: &serde_json::Value, name: &str| flag.get(name).and_then(|v| v.as_str()).map(str::to_owned);
                self.flags = flags
                    .filter(|flag| matches!(of(flag, "level").as_deref(), Some("caution" | "critical")))
                    .filter_map(|flag| of(flag, "code"))
                    .collect();
            }
            "plan.amended" | "word.voided" => self.words.iter_mut().for_each(|word| word.stands = false),
            "word.given" => self.words.push(Given {
                word: text("word").unwrap_or_default(),
                by: record.actor.person.clone().unwrap_or_default(),
                role: record.actor.role.clone(),
                at: Time::from_ms(record.at),
                platform: record.evidence.as_ref().and_then(|evidence| evidence.platform.clone()),
                revision,
                brief: record.plan.as_ref().and_then(|plan| plan.brief.clone()),
                condition: text("condition"),
                met: text("condition").is_none(),
                stands: true,
                entry: record.seq,
            }),
            "word.withdrawn" => {
                let by = text("of").or_else(|| record.actor.person.clone()).unwrap_or_default();
                let word = text("word").unwrap_or_default();
                let same = |given: &&mut Given| given.revision == revision && given.word == word && given.by == by;
                self.words.iter_mut().filter(same).for_each(|given| given.stands = false);
            }
            "condition.met" | "condition.lost" => {
                let (by, condition) = (text("of").unwrap_or_default(), text("condition"));
                let same = |given: &&mut Given| given.revision == revision && given.by == by && given.stands;
                let of = self.words.iter_mut().filter(same).filter(|given| given.condition == condition);
                of.for_each(|given| given.met = kind == "condition.met");
            }
            "word.refused" => self.refused_words += 1,
            "risk.settled" => self.category_settled = Some(act(record.verdict.clone())),
            "confirm" => self.confirmed = Some(act(None)),
            "start" => self.started = Some(act(None)),
            "alert.raised" => self.alerts += 1,
            "outcome.given" => (self.outcome, self.cause) = (Some(act(text("outcome"))), text("cause")),
            "plan.cancelled" => self.over = Some(act(Some("cancelled".to_owned()))),
            "plan.expired" => self.over = Some(act(Some("expired".to_owned()))),
            "obligation" => match record.verdict.as_deref() {
                Some("owed") => self.owed += 1,
                Some("given") => self.given += 1,
                Some("overdue") => self.late += 1,
                _ => {}
            },
            _ => {
                if let Some(status) = kind.strip_prefix("deployment.") {
                    self.deployed(record, status);
                }
            }
        }
        match cause_of(record).map(|cause| cause.after) {
            Some(After::Override) => self.overrides.push(act(text("code"))),
            Some(After::Emergency) => self.emergencies.push(act(text("word"))),
            _ => {}
        }
    }

    fn deployed(&mut self, record: &Record, status: &str) {
        let text = |name: &str| record.data.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        let Some(id) = text("deployment") else { return };
        let at = text("deployed_at").and_then(|at| Time::parse_rfc3339(&at)).unwrap_or(Time::from_ms(record.at));
        let ended = (status != "started").then_some(at);
        let actor = record.actor.person.clone().or_else(|| text("actor"));
        let commit = text("deployed_commit").or_else(|| text("commit"));
        let one = match self.deployments.iter_mut().position(|deployed| deployed.id == id) {
            Some(at) => &mut self.deployments[at],
            None => {
                let approved = record.data.get("approved").and_then(serde_json::Value::as_bool) == Some(true);
                self.deployments.push(Deployed {
                    id,
                    status: String::new(),
                    began: at,
                    ended: None,
                    actor: None,
                    commit: None,
                    approved,
                    started: self.started.is_some(),
                    same_commit: None,
                    entry: record.seq,
                });
                let last = self.deployments.len() - 1;
                &mut self.deployments[last]
            }
        };
        if one.status.is_empty() || status != "started" {
            status.clone_into(&mut one.status);
        }
        one.ended = ended.or(one.ended);
        one.actor = actor.or(one.actor.take());
        one.commit = commit.or(one.commit.take());
        // Either may be written short.
        let same = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && (a.starts_with(b) || b.starts_with(a));
        if self.plan.is_some()
            && let (Some(deployed), Some(planned)) = (&one.commit, &self.commit)
        {
            one.same_commit = Some(same(deployed, planned));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn entry(seq: u64, kind: &str, by: &str, data: Value) -> Record {
        let mut value = json!({ "v": 1, "origin": "o", "epoch": 1, "seq": seq, "prev": "0".repeat(64), "at": seq * 1000,
            "kind": kind, "actor": { "person": by }, "data": data,
            "plan": { "id": "shop-1", "service": "shop", "environment": "production", "revision": 1, "commit": "abcdef012345" } });
        if kind == "plan.revised" {
            value["policy"] = json!({ "digest": "sha256:00", "quorum": "1" });
        }
        serde_json::from_value(value).unwrap()
    }

    fn planned() -> Vec<Record> {
        let revised = json!({ "score": 12, "blockers": [], "needs": ["lead"], "flags":
            [{ "code": "a", "level": "pass" }, { "code": "b", "level": "caution" }] });
        vec![entry(1, "plan.made", "ada", json!({})), entry(2, "plan.revised", "ada", revised)]
    }

    fn deployed(seq: u64, status: &str, data: Value) -> Record {
        let mut all = json!({ "deployment": "d-1", "approved": true });
        all.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        entry(seq, &format!("deployment.{status}"), "ci", all)
    }

    #[test]
    fn a_change_that_went_as_it_should_finds_nothing() {
        let mut all = planned();
        all.push(entry(3, "word.given", "lin", json!({ "word": "approve" })));
        all.push(entry(4, "start", "ada", json!({})));
        all.push(deployed(5, "started", json!({ "deployed_commit": "abcdef0" })));
        all.push(deployed(6, "succeeded", json!({})));
        let case = Case::of(&all);
        assert_eq!(case.findings(), []);
        assert_eq!((case.flags.as_slice(), case.score), (["b".to_owned()].as_slice(), Some(12)));
        let one = &case.deployments[0];
        assert_eq!((one.status.as_str(), one.same_commit, one.started), ("succeeded", Some(true), true));
    }

    #[test]
    fn another_commit_than_the_approved_one_is_found() {
        let mut all = planned();
        all.push(deployed(3, "started", json!({ "deployed_commit": "999999" })));
        assert_eq!(Case::of(&all).findings(), [Finding::OtherCommit]);
    }

    #[test]
    fn what_was_deployed_unapproved_stays_so_whatever_comes_after() {
        let mut all = planned();
        all.push(deployed(3, "started", json!({ "approved": false })));
        all.push(deployed(4, "succeeded", json!({ "approved": true })));
        assert_eq!(Case::of(&all).findings(), [Finding::Unapproved]);
    }

    #[test]
    fn what_was_begun_or_approved_and_never_deployed_is_found() {
        let mut all = planned();
        all.push(entry(3, "word.given", "lin", json!({ "word": "approve" })));
        assert_eq!(Case::of(&all).findings(), [Finding::ApprovedNotDeployed]);
        all.push(entry(4, "start", "ada", json!({})));
        assert_eq!(Case::of(&all).findings(), [Finding::StartedNotDeployed]);
        let withdrawn = entry(4, "word.withdrawn", "lin", json!({ "word": "approve" }));
        assert_eq!(Case::of(all[..3].iter().chain([&withdrawn])).findings(), []);
    }

    #[test]
    fn overrides_come_first() {
        let mut all = planned();
        all.push(entry(3, "override", "grace", json!({ "code": "timing.window" })));
        all.push(deployed(4, "started", json!({ "approved": false })));
        let case = Case::of(&all);
        assert_eq!(case.findings(), [Finding::Override, Finding::Unapproved]);
        assert_eq!(case.overrides[0].what.as_deref(), Some("timing.window"));
    }
}
