//! `[policy.template.NAME]`: what a plan of some kind must contain, and whether somebody reviews the plan itself before
//! anybody approves it.

use serde::{Deserialize, Serialize};

use crate::name::{Environment, Role, Service};
use crate::plan::Risk;

/// Every template that applies adds what it asks for. One without any condition applies to every plan.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TemplateSettings {
    /// Why, for people: "payments are regulated".
    pub because: String,
    pub environment: Option<Environment>,
    pub services: Vec<Service>,
    /// Any of these categories, as declared or as seen.
    pub categories: Vec<String>,
    /// Any category marked `high`.
    pub high_category: bool,
    /// The declared risk at or above this; undeclared counts as high.
    pub risk: Option<Risk>,
    /// Parts of the plan that must be filled in.
    pub requires: Vec<Part>,
    /// Whether a missing part stops the gate (where the policy's blockers name `plan.template`).
    pub stops: bool,
    /// Whether somebody else than planner and authors reviews the plan before anybody approves it.
    pub review: bool,
    /// Who may review; empty means every member.
    pub reviewers: Vec<Role>,
    /// Whether nobody who approved may start it.
    pub executor_apart: bool,
}

/// A part of a plan that a person fills in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The reason.
    Why,
    /// Why at this time: the timing's justification.
    WhyNow,
    /// The commands to be run.
    How,
    /// The steps that show that it works.
    Validate,
    /// The rollback procedure.
    Rollback,
    /// The conditions that call for it.
    RollbackIf,
    /// The success criteria.
    Success,
    /// The stakeholders who are told.
    Tell,
    /// Who watches.
    Watch,
    /// Who responds.
    Respond,
    Risk,
    Category,
}
