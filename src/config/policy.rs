//! `[policy]`: what is asked for, by service, environment, category and risk.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Span, TemplateSettings};
use crate::name::{Environment, Person, Role, Service};
use crate::plan::Risk;

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    /// How far ahead windows are suggested.
    pub horizon: Span,
    /// How long a source is waited for, unless it says otherwise.
    pub source_timeout: Span,
    /// How long what a server said is good for the next who ask the same.
    pub source_keep: Span,
    /// How long the whole brief may take; what comes later comes by edit.
    pub brief_timeout: Span,
    /// How long an approval holds.
    pub approval_expires: Span,
    /// How long a plan waits before it expires.
    pub plan_expires: Span,
    /// How long a deployment needs in a window, its watch not counted.
    pub deployment_length: Span,
    /// How often a waiting plan's facts are gathered anew.
    pub refresh_every: Span,
    /// A score higher than the approved one by this much makes a new revision.
    pub score_step: u32,
    /// How long before a plan's own time its approvals are needed.
    #[serde(default = "half_an_hour")]
    pub approved_before: Span,
    /// How long before that those who could give them are reminded.
    #[serde(default = "an_hour")]
    pub remind_before: Span,
    /// How long an approval waits for its giver to confirm it, where a second step is asked for.
    #[serde(default = "half_an_hour")]
    pub second_step_expires: Span,
    /// For how long a deputy may be named.
    #[serde(default = "two_weeks")]
    pub longest_delegation: Span,
    /// Whether planner and authors may not be the only approvers.
    pub separation: bool,
    /// From which score a band begins: moderate, elevated, high.
    pub bands: Bands,
    /// Codes that stop the gate when critical, unless they are overridden.
    pub blockers: Vec<String>,
    /// Checks that are turned off or run unseen: `"timing.people" = "off"`.
    #[serde(default)]
    pub checks: BTreeMap<String, CheckMode>,
    /// Numbers that checks compare with: `"timing.peak-traffic" = { caution = 0.7, critical = 0.9 }`.
    #[serde(default)]
    pub threshold: BTreeMap<String, Threshold>,
    #[serde(default)]
    pub category: BTreeMap<String, CategorySettings>,
    #[serde(default)]
    pub approval: Vec<ApprovalRule>,
    /// What plans of some kind must contain.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub template: BTreeMap<String, TemplateSettings>,
    #[serde(default, rename = "override")]
    pub overrides: Vec<OverrideRule>,
    /// What is owed after something happened, by whom and until when.
    #[serde(default, rename = "obligation")]
    pub obligations: Vec<ObligationRule>,
    /// Roles whose members are asked to approve these rules when they come into force; nobody is asked where it is empty.
    #[serde(default)]
    pub approved_by: Vec<Role>,
    /// Patterns of feature flags in added lines, each with one capture group.
    #[serde(default)]
    pub flag_patterns: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bands {
    pub moderate: u32,
    pub elevated: u32,
    pub high: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckMode {
    On,
    Off,
    /// Computed, recorded and counted, not shown.
    Shadow,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Threshold {
    #[serde(default)]
    pub caution: Option<f64>,
    #[serde(default)]
    pub critical: Option<f64>,
}

/// A kind of change, told by paths and words.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CategorySettings {
    pub says: String,
    /// Globs of paths.
    pub paths: Vec<String>,
    /// Words in commit titles and plan texts.
    pub words: Vec<String>,
    /// High-risk categories ask for more.
    pub high: bool,
    /// A category of little consequence (docs, copy): lowers nothing, but is said.
    pub light: bool,
    /// What is declared so is said to lie behind flags that are off: it is doubted unless their provider bears that out.
    pub flags_off: bool,
    /// When several match, the one with the greatest weight names the change.
    pub weight: u32,
    /// What an approval takes beside the reaction, where one is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_step: Option<SecondStep>,
}

/// How an approval is confirmed where a reaction is not enough. The later one is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondStep {
    /// A form says once more what is approved, and the service's name is typed.
    Typed,
    /// The same after a fresh sign-in at the OpenID provider.
    SignIn,
}

impl SecondStep {
    pub const ALL: [SecondStep; 2] = [SecondStep::Typed, SecondStep::SignIn];

    pub fn as_str(self) -> &'static str {
        match self {
            SecondStep::Typed => "typed",
            SecondStep::SignIn => "sign-in",
        }
    }

    pub fn parse(text: &str) -> Option<SecondStep> {
        SecondStep::ALL.into_iter().find(|step| step.as_str() == text)
    }
}

/// Who must approve when. Every rule that applies adds its needs; the same need is asked once, with the greatest count.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ApprovalRule {
    /// Says why, for people: "payments is high-risk".
    pub because: String,
    pub environment: Option<Environment>,
    pub service: Option<Service>,
    pub category: Option<String>,
    /// Any category marked `high`.
    pub high_category: Option<bool>,
    /// The declared risk at or above this; undeclared counts as high.
    pub risk: Option<Risk>,
    /// The score at or above this.
    pub score: Option<u32>,
    /// Any of these flags at caution or above.
    pub flags: Vec<String>,
    /// Any of these codes stops the gate now; `"*"` is any at all.
    pub blockers: Vec<String>,
    /// The change has so many lines, added and deleted, or more; a change that nobody could read counts as larger.
    pub size: Option<u32>,
    /// Outside the allowed window, when it would begin; the gate judges the hour again.
    pub outside_window: Option<bool>,
    /// Only for hotfixes, or not for them.
    pub hotfix: Option<bool>,
    /// The incident that the hotfix is for is open, as a source tells.
    pub open_incident: Option<bool>,
    /// Where this rule applies, its needs take the place of all others'.
    pub instead: bool,
    pub needs: Vec<Need>,
}

/// So many people of a role, or one person by name; neither means anyone who may approve.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Need {
    #[serde(default)]
    pub role: Option<Role>,
    /// This person, and nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    #[serde(default = "one")]
    pub count: u32,
}

impl Need {
    /// The same people, whatever their number.
    pub fn is_like(&self, other: &Need) -> bool {
        self.role == other.role && self.person == other.person
    }

    /// Whether anyone who may approve meets it.
    pub fn is_anyone(&self) -> bool {
        self.role.is_none() && self.person.is_none()
    }
}

impl Policy {
    /// Whether a rule asks for a role, or lets it do something.
    pub fn names(&self, role: &str) -> bool {
        let needs = self.approval.iter().flat_map(|rule| &rule.needs).filter_map(|need| need.role.as_ref());
        let overriders = self.overrides.iter().flat_map(|rule| &rule.roles);
        let reviewers = self.template.values().flat_map(|template| &template.reviewers);
        needs.chain(overriders).chain(reviewers).any(|named| named.as_str() == role)
    }
}

fn half_an_hour() -> Span {
    Span::from_ms(30 * crate::clock::MINUTE)
}

fn an_hour() -> Span {
    Span::from_ms(crate::clock::HOUR)
}

fn two_weeks() -> Span {
    Span::from_ms(14 * crate::clock::DAY)
}

fn one() -> u32 {
    1
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OverrideRule {
    /// The codes that may be overridden.
    pub codes: Vec<String>,
    #[serde(default)]
    pub environment: Option<Environment>,
    pub roles: Vec<Role>,
    /// Whether planner and authors may override for their own change, where separation is asked.
    #[serde(default)]
    pub own: bool,
}

/// What is owed once something has happened.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ObligationRule {
    pub after: After,
    pub what: Owed,
    /// Counted from the entry in the ledger that it follows from.
    pub within: Span,
    /// `planner`, `owners` (of the service), or a role.
    #[serde(default = "planner")]
    pub owner: String,
    /// In this environment alone.
    #[serde(default)]
    pub environment: Option<Environment>,
}

fn planner() -> String {
    "planner".to_owned()
}

/// What obligations follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum After {
    /// Somebody went on in spite of a named blocker.
    Override,
    /// Somebody approved by the emergency path.
    Emergency,
    /// The outcome is an incident.
    Incident,
    /// It was rolled back.
    RolledBack,
    /// It was deployed without a plan.
    Unplanned,
    /// It was deployed although its plan was not approved.
    Unapproved,
}

/// What can be owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owed {
    Review,
    RootCause,
    Remediation,
    Report,
}

impl After {
    pub const ALL: [After; 6] =
        [After::Override, After::Emergency, After::Incident, After::RolledBack, After::Unplanned, After::Unapproved];

    pub fn as_str(self) -> &'static str {
        match self {
            After::Override => "override",
            After::Emergency => "emergency",
            After::Incident => "incident",
            After::RolledBack => "rolled_back",
            After::Unplanned => "unplanned",
            After::Unapproved => "unapproved",
        }
    }

    pub fn parse(text: &str) -> Option<After> {
        After::ALL.into_iter().find(|after| after.as_str() == text)
    }
}

impl Owed {
    pub const ALL: [Owed; 4] = [Owed::Review, Owed::RootCause, Owed::Remediation, Owed::Report];

    pub fn as_str(self) -> &'static str {
        match self {
            Owed::Review => "review",
            Owed::RootCause => "root-cause",
            Owed::Remediation => "remediation",
            Owed::Report => "report",
        }
    }

    pub fn parse(text: &str) -> Option<Owed> {
        let bare = |word: &str| word.to_lowercase().replace(['_', '-'], "");
        Owed::ALL.into_iter().find(|owed| bare(owed.as_str()) == bare(text))
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.to_string())
    }
}
