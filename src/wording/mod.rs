//! Every sentence said to people, as functions. Calm, exact, short; sentence case, no blame. What a check says stands
//! beside the check.

pub mod audit;
pub mod brief;
pub mod card;
pub mod check;
pub mod condition;
pub mod deadline;
pub mod deploy;
pub mod deputy;
pub mod discord;
pub mod evidence;
pub mod help;
pub mod hold;
pub mod home;
pub mod identity;
pub mod job;
pub mod ledger;
pub mod obligation;
pub mod overriding;
pub mod policy;
pub mod refusal;
pub mod second_step;
pub mod status;
pub mod team;
pub mod why;

use chrono_tz::Tz;

use crate::advice::NeedView;
use crate::approval::Word;
use crate::config::Settings;
use crate::name::{Environment, Service};

/// "2 × payments-lead (payments is high-risk)".
pub fn need(view: &NeedView) -> String {
    let who = who(view);
    if view.because.is_empty() { who } else { format!("{who} ({})", view.because) }
}

/// Who is needed, without why: "vp-engineering", "2 × payments-lead", "1: lin", "1 of the owners of src/pay/: lin, rae".
pub fn who(view: &NeedView) -> String {
    if view.need.person.is_some() || view.owned.is_some() {
        return crate::advice::policy::says_need(view);
    }
    match (view.need.count, &view.need.role) {
        (1, Some(role)) => role.to_string(),
        (count, Some(role)) => format!("{count} × {role}"),
        (1, None) => "anyone who may approve".to_owned(),
        (count, None) => format!("{count} who may approve"),
    }
}

/// " as vp-engineering for grace".
pub fn in_role(word: &Word) -> String {
    let role = word.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
    let lender = word.lender.as_ref().map(|lender| format!(" for {lender}")).unwrap_or_default();
    let medium = if word.platform == crate::people::TERMINAL { " in the terminal" } else { "" };
    format!("{role}{lender}{medium}{}", second_step::confirmed(word.confirmed))
}

/// The zone in which a target's times are said.
pub fn zone(settings: &Settings, service: &Service, environment: &Environment) -> Tz {
    let of_environment = settings.environment.get(environment).and_then(|e| e.zone);
    let of_service = settings.service.get(service).and_then(|s| s.zone);
    of_environment.or(of_service).unwrap_or(settings.team.zone)
}

/// The first seven characters of a commit.
pub fn short(commit: &str) -> String {
    commit.chars().take(7).collect()
}
