//! The advice: a pure function from a plan and its facts to flags, a score, windows and mitigations.
//!
//! `(plan, facts, settings, now) → advice`: no clock, no I/O, no randomness. That is what makes everything else cheap:
//! replaying last quarter under other rules, scoring every slot of the next days, saying what each mitigation would
//! change, and proving that the advice shown was the advice computed.

mod advise;
pub mod category;
pub mod checks;
pub mod condition;
pub mod facts;
pub mod hazard;
mod mitigation;
pub mod model;
pub mod paths;
pub mod policy;
pub mod rollback;
pub mod rules;
pub mod says;
mod schema;
mod score;
pub mod server;
mod sight;
mod template;
pub mod timing;
pub mod toggle;
mod view;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use advise::{advise, answer, seen_categories, stops, windows};
pub use policy::policy_digest;

use crate::advice::facts::Owned;
use crate::clock::Time;
use crate::config::{Need, SecondStep, Settings};
use crate::name::{Person, Role, SourceName};
use crate::plan::Plan;
use facts::{Facts, Rate};

/// What a check sees: the plan, everything that was learned for it, the rules, and the moment that is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub plan: &'a Plan,
    pub facts: &'a Facts,
    pub settings: &'a Settings,
    /// The moment of the advice; a plan for later is judged at its own time, `plan.when.start(now)`.
    pub now: Time,
}

/// What Tidegate has to say about a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// In the order of the visible list of checks; those in shadow are in `shadow`.
    pub flags: Vec<Flag>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadow: Vec<Flag>,
    /// Codes that policy makes stop the gate.
    pub blockers: Vec<String>,
    pub score: Score,
    pub windows: Windows,
    pub mitigations: Vec<Mitigation>,
    pub approvals: Approvals,
    /// What templates and categories ask for beside the parts of the plan.
    #[serde(default, skip_serializing_if = "Asked::is_nothing")]
    pub asked: Asked,
    /// The kind of change: what paths, words and settings say, beside what the planner declared.
    pub category: CategoryView,
    /// A rollback plan from facts, for the planner to adopt; None where facts do not carry one.
    pub rollback_draft: Option<String>,
    /// The worst plausible effect, in one sentence.
    pub impact: Vec<String>,
}

/// What the templates and categories that apply ask for beside the parts of the plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Somebody reviews the plan itself before anybody approves it: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<String>,
    /// Who may review it; empty means every member but planner and authors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviewers: Vec<Role>,
    /// Nobody who approved may start it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executor_apart: bool,
    /// What an approval takes beside the reaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_step: Option<AskedStep>,
}

/// A second step, and the categories that ask for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedStep {
    pub how: SecondStep,
    /// "payments", "payments and security".
    pub because: String,
}

impl Asked {
    fn is_nothing(&self) -> bool {
        *self == Asked::default()
    }
}

/// One answer of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flag {
    /// Stable: `timing.peak-traffic`.
    pub code: String,
    pub level: FlagLevel,
    /// One sentence with the measured value in it.
    pub says: String,
    #[serde(default)]
    pub because: Vec<Because>,
    /// What it adds to the score.
    pub points: i32,
    /// Of how many possible.
    pub of: i32,
    #[serde(default)]
    pub would_help: Option<Mitigation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlagLevel {
    Pass,
    Info,
    Unknown,
    Caution,
    Critical,
}

/// What a flag rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Because {
    pub source: SourceName,
    pub says: String,
    #[serde(default)]
    pub link: Option<String>,
    pub at: Time,
}

/// The cheapest thing that would clear a flag, and what it does to the score (negative: less risk).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mitigation {
    pub says: String,
    pub delta: i32,
}

/// The risk: shown points that add up to the value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// 0 to 100.
    pub value: u32,
    pub band: Band,
    pub confidence: Confidence,
    /// What could not be seen, as fragments, where confidence is less than good.
    pub missing: Vec<String>,
    /// `bad` of `n` changes like this needed a fix; None where history cannot say.
    pub rate: Option<RateView>,
    /// The points, by what gave them; their sum, held between 0 and 100, is the value.
    pub points: Vec<Points>,
    /// Which weights: `prior-1` before anything was learned.
    pub model: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Points {
    pub code: String,
    pub part: Part,
    pub says: String,
    pub points: i32,
    pub of: i32,
}

/// Points of likelihood (log-odds) and of consequence (log scale).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    Likelihood,
    Consequence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Band {
    Low,
    Moderate,
    Elevated,
    High,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    Poor,
    Fair,
    Good,
}

/// A rate with its interval (Wilson, 90 %), shares of 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateView {
    #[serde(flatten)]
    pub rate: Rate,
    pub low: f64,
    pub high: f64,
}

/// The windows that were found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Windows {
    pub horizon_end: Time,
    /// The score of beginning at the plan's own time.
    pub now: Slot,
    /// The best first; at most 5.
    pub windows: Vec<Slot>,
    /// When nothing in the horizon is good: the start of the first good one after it.
    pub none_before: Option<Time>,
}

/// A stretch of time to deploy in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    pub start: Time,
    pub end: Time,
    pub score: u32,
    /// Sentences: what speaks for and against it.
    pub reasons: Vec<String>,
    /// Inside allowed hours, no freeze, costs nobody their evening.
    pub good: bool,
    /// What it would cost people, or need (an override by a role): sentences.
    pub costs: Vec<String>,
}

/// Who must approve, by which calculation, and who could.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Approvals {
    pub needs: Vec<NeedView>,
    /// Who could give at least one of them now.
    pub eligible: Vec<Person>,
    /// What is needed besides if it begins outside the allowed window.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<NeedView>,
    /// Why a rule that somebody may count on does not apply; sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeedView {
    #[serde(flatten)]
    pub need: Need,
    /// "payments is high-risk".
    pub because: String,
    /// Whose word is meant, where owners of the code are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned: Option<Owned>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CategoryView {
    pub declared: Option<String>,
    /// What paths, words and settings say, the weightiest first.
    pub seen: Vec<String>,
    /// Whether the declared word is doubted: it waits for an eligible person to settle it.
    pub contested: bool,
    /// Why, in one sentence.
    pub doubt: Option<String>,
}
