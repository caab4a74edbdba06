//! Which templates apply to a plan, which parts of it they miss, and what else they ask for.

use crate::advice::Asked;
use crate::advice::view::View;
use crate::config::{Part, TemplateSettings};
use crate::message::tame;
use crate::plan::{Plan, Risk};

/// The templates that apply, with their names, in order.
pub fn applying<'a>(view: &'a View<'_>) -> impl Iterator<Item = (&'a str, &'a TemplateSettings)> {
    let templates = view.settings.policy.template.iter();
    templates.filter(|(_, template)| applies(view, template)).map(|(name, template)| (name.as_str(), template))
}

fn applies(view: &View<'_>, template: &TemplateSettings) -> bool {
    let plan = view.plan;
    let of_category = template.categories.is_empty() && !template.high_category
        || template.categories.iter().any(|name| view.category.is(name))
        || template.high_category && view.category.is_high();
    of_category
        && template.environment.as_ref().is_none_or(|only| *only == plan.environment)
        && (template.services.is_empty() || template.services.contains(&plan.service))
        && template.risk.is_none_or(|least| plan.risk.unwrap_or(Risk::High) >= least)
}

/// The parts of a template that the plan does not fill in, each once, in order.
pub fn missing(plan: &Plan, template: &TemplateSettings) -> Vec<Part> {
    let mut parts: Vec<Part> = template.requires.iter().copied().filter(|part| !has(plan, *part)).collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}

fn has(plan: &Plan, part: Part) -> bool {
    let text = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
    match part {
        Part::Why => text(&plan.why),
        Part::WhyNow => text(&plan.why_now),
        Part::How => text(&plan.how),
        Part::Validate => text(&plan.validate),
        Part::Rollback => text(&plan.rollback),
        Part::RollbackIf => text(&plan.rollback_if),
        Part::Success => text(&plan.success),
        Part::Tell => plan.tell.iter().any(|whom| !whom.trim().is_empty()),
        Part::Watch => !plan.watch.is_empty(),
        Part::Respond => !plan.respond.is_empty(),
        Part::Risk => plan.risk.is_some(),
        Part::Category => plan.category.is_some(),
    }
}

/// A part as people call it.
pub fn says(part: Part) -> &'static str {
    match part {
        Part::Why => "a reason",
        Part::WhyNow => "why now",
        Part::How => "the commands",
        Part::Validate => "validation steps",
        Part::Rollback => "a rollback procedure",
        Part::RollbackIf => "conditions for the rollback",
        Part::Success => "success criteria",
        Part::Tell => "stakeholders to tell",
        Part::Watch => "who watches",
        Part::Respond => "who responds",
        Part::Risk => "a declared risk",
        Part::Category => "a declared category",
    }
}

/// Why a template asks, in the settings' words or by its name.
pub fn because(name: &str, template: &TemplateSettings) -> String {
    match template.because.trim() {
        "" => format!("the template {}", tame(name, 60)),
        because => tame(because, 160),
    }
}

/// What all templates that apply ask for together. Where several ask for a review, whoever one of them names may give it
/// only if all do: the strictest is the one that a person set down.
pub fn asked(view: &View<'_>) -> Asked {
    let mut asked = Asked::default();
    let mut reasons: Vec<String> = Vec::new();
    for (name, template) in applying(view) {
        asked.executor_apart |= template.executor_apart;
        if !template.review {
            continue;
        }
        reasons.push(because(name, template));
        if asked.reviewers.is_empty() {
            asked.reviewers = template.reviewers.clone();
        } else if !template.reviewers.is_empty() {
            asked.reviewers.retain(|role| template.reviewers.contains(role));
            if asked.reviewers.is_empty() {
                // Nobody is named by both: either will do rather than none.
                asked.reviewers = template.reviewers.clone();
            }
        }
    }
    asked.review = (!reasons.is_empty()).then(|| reasons.join("; "));
    asked
}
