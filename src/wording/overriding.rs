//! What is said of overrides.

use super::{short, zone};
use crate::advice::says;
use crate::approval::overriding::{Block, Denied, Override};
use crate::clock::Time;
use crate::config::Settings;
use crate::message::{Line, Mark, Message, Span, tame};
use crate::store::plan::PlanRow;

/// To everybody in the thread: that this is an override, by whom, of what, why and how long it holds.
pub fn given(row: &PlanRow, given: &Override, block: &Block, why: &str, settings: &Settings, now: Time) -> Message {
    let plan = &row.plan;
    let zone = zone(settings, &plan.service, &plan.environment);
    let until = says::time(given.at.plus(settings.policy.approval_expires.ms()), zone, now);
    let bound = match &plan.commit {
        Some(commit) => format!("commit {}", short(commit)),
        None => "this change".to_owned(),
    };
    let spans = vec![
        Span::person(&given.person),
        Span::plain(", this is an override: as "),
        Span::strong(given.role.to_string()),
        Span::plain(format!(
            " you go on with {} in spite of what blocks it. {} Your reason: \"{}\". It holds for {bound} until {until}, \
             and ends when the blocker gets worse or you no longer hold the role.",
            plan.id,
            tame(&block.says, 300),
            tame(why, 400)
        )),
    ];
    let mut message = Message::spans(Some(Mark::Caution), spans);
    if let Some(crate::message::Block::Line(line)) = message.blocks.first_mut() {
        line.code = Some(given.code.clone());
    }
    message
}

/// One line for a card or a list.
pub fn line(given: &Override) -> Line {
    Line {
        mark: Some(Mark::Caution),
        spans: vec![
            Span::plain("Overridden by "),
            Span::person(&given.person),
            Span::plain(format!(" as {}", given.role)),
        ],
        code: Some(given.code.clone()),
    }
}

pub fn ended(row: &PlanRow, given: &Override, reason: &str) -> Message {
    let mut spans = vec![Span::plain(format!("The override of {} on {} by ", given.code, row.plan.id))];
    spans.push(Span::person(&given.person));
    spans.push(Span::plain(format!(" no longer holds: {}.", tame(reason, 300))));
    Message::spans(Some(Mark::Caution), spans)
}

pub fn no_rule(row: &PlanRow, code: &str, settings: &Settings) -> String {
    let here = |only: &Option<crate::name::Environment>| only.as_ref().is_none_or(|e| *e == row.plan.environment);
    let rules = settings.policy.overrides.iter().filter(|rule| here(&rule.environment));
    let mut codes: Vec<&str> = rules.flat_map(|rule| rule.codes.iter().map(String::as_str)).collect();
    codes.sort_unstable();
    codes.dedup();
    let may = match codes.as_slice() {
        [] => "Nothing may be overridden there.".to_owned(),
        codes => format!("There one may override {}.", codes.join(", ")),
    };
    format!("No role may override `{}` in {}. {may}", tame(code, 60), row.plan.environment)
}

pub fn no_reason(row: &PlanRow, code: &str) -> String {
    format!("An override needs a reason: `override {} {} --why …`.", row.plan.id, tame(code, 60))
}

pub fn no_brief(row: &PlanRow) -> String {
    format!("The facts of `{}` are being gathered; try again in a moment.", row.plan.id)
}

pub fn denied(row: &PlanRow, code: &str, denied: &Denied, settings: &Settings) -> String {
    let code = tame(code, 60);
    match denied {
        Denied::NoRule => no_rule(row, &code, settings),
        Denied::NoRole(roles) => {
            let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            format!("`{code}` is overridden by {}.", roles.join(" or "))
        }
        Denied::DutyUnknown(why) => {
            let why = super::refusal::duty_unknown(why);
            format!("`{code}` is overridden by whoever is on call; {why}")
        }
        Denied::Own => format!("You planned or wrote this, and `{code}` is overridden by somebody who did neither."),
    }
}

pub fn nothing_needs_it(row: &PlanRow, code: &str, blocks: &[Block]) -> String {
    let codes: Vec<&str> = blocks.iter().map(|block| block.code.as_str()).collect();
    let others = match codes.as_slice() {
        [] => "Nothing blocks it".to_owned(),
        codes => format!("What blocks it: {}", codes.join(", ")),
    };
    format!("Nothing needs it: `{}` does not block `{}`. {others}.", tame(code, 60), row.plan.id)
}

pub fn already(row: &PlanRow, given: &Override) -> String {
    format!("`{}` on `{}` is overridden already, by @{}.", given.code, row.plan.id, given.person)
}
