//! Every check that Tidegate asks, in one list. A check is one pure function over a brief; it answers with one flag, or
//! with none where it does not apply. Adding one: a function in a file here, and a line in [`ALL`].

mod advisory;
mod answer;
mod approval;
mod blast;
mod builds;
mod contents;
mod coordination;
mod coverage;
mod dependency;
mod firing;
mod flag;
mod health;
mod history;
mod incident;
mod lock;
mod migration;
mod plan;
mod reviews;
mod security;
mod server;
mod size;
mod support;
mod target;
mod template;
mod users;

pub use answer::Answer;
pub use blast::impact;
pub use history::LEAST;

use std::cell::OnceCell;

use crate::advice::timing::Timeline;
use crate::advice::view::View;
use crate::advice::{Approvals, Context, Flag, FlagLevel, Part, Points};
use crate::config::CheckMode;

/// One check.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Stable; never reworded once released.
    pub code: &'static str,
    /// The question, for help and settings.
    pub asks: &'static str,
    pub answer: By,
}

/// Who answers a check.
#[derive(Clone, Copy, Debug)]
pub enum By {
    /// The plan and its facts.
    Brief(fn(&View<'_>) -> Option<Answer>),
    /// The moment at which it would begin: `advice::timing`.
    Moment,
    /// What the policy makes of everything else; gives no points.
    Policy(fn(&View<'_>, &Approvals) -> Option<Answer>),
}

/// The list, in the order in which flags are shown.
pub const ALL: &[Check] = &[
    // Technical: could it break?
    brief("tests.status", "did every required build pass at the exact commit?", builds::status),
    brief("tests.main-branch", "how often do the builds of the main branch pass?", builds::main_branch),
    brief("tests.missing", "source changed and no test changed, or less of it covered?", size::tests_missing),
    brief("review.approved", "who approved this change, as it is now?", reviews::approved),
    brief("review.depth", "was it read, by time and comments?", reviews::depth),
    brief("change.size", "how large is it, against this service's own past?", size::size),
    brief("change.category", "what kind of change is it?", contents::category),
    brief(
        "change.complexity",
        "how far is it spread, over how restless files, and do tests run the new lines?",
        size::complexity,
    ),
    brief("change.blast-radius", "what fails if this fails?", blast::radius),
    brief("change.security", "what did scanners find in it?", security::security),
    brief("change.dependencies", "which libraries move, and does an advisory speak of them?", contents::dependencies),
    brief("change.ai", "which share declares AI assistance, and what became of such changes here?", contents::ai),
    brief("history.similar", "what became of the most alike deployments?", history::similar),
    brief("history.service", "how often did this service need a fix?", history::service),
    brief("migration.state", "which migrations already ran here, and is one missing?", migration::state),
    brief("migration.hazard", "what would each statement do to a busy table?", migration::hazard),
    brief("flag.state", "are the flags that it reads here, and on or off?", flag::state),
    brief("dependency.versions", "are the services that it needs here, at the needed version?", dependency::versions),
    brief("health.now", "is the service unhealthy already?", health::now),
    brief("health.monitored", "would anyone notice?", health::monitored),
    brief("incident.recent", "which incidents of the last days touch it?", incident::recent),
    brief("incident.open", "which incidents are open around it?", incident::open),
    // Timing: is now a good time?
    moment("timing.window", "inside the allowed window?"),
    moment("timing.freeze", "is a freeze in force, or about to begin?"),
    moment("timing.peak-traffic", "how busy is it then?"),
    moment("timing.watchable", "how many working hours are left to notice?"),
    moment("timing.on-call", "who is on call during the watch?"),
    moment("timing.people", "are planner, reviewer and on-call there?"),
    moment("timing.soak", "is the last deployment still being watched?"),
    // Coordination: who else is moving?
    brief("coordination.lock", "did somebody ask others to wait, why and until when?", lock::lock),
    brief("coordination.in-flight", "what else is under way or planned nearby?", coordination::in_flight),
    brief("coordination.launch", "a launch, a campaign, a demo, a training nearby?", coordination::launch),
    brief("coordination.informed", "are those named whom the policy wants told?", coordination::informed),
    // Compliance: could we explain it to an auditor?
    brief("target.environment", "does the environment exist?", target::environment),
    brief("target.version", "which commit is it, is it newer, did it run well before?", target::version),
    brief("plan.reason", "why, and where is that written?", plan::reason),
    brief("plan.rollback", "is there a way back that can work?", plan::rollback),
    brief("plan.rollback-conditions", "when would it be taken back?", plan::rollback_conditions),
    brief("plan.care", "why now, who watches, who responds?", plan::care),
    brief("plan.success", "what would show that it worked?", plan::success),
    brief("plan.template", "does it contain what a plan of its kind must?", template::template),
    brief("plan.commands", "do the commands name their target, and is it this environment?", plan::commands),
    policy("approval.needed", "who must approve, and who could?", approval::needed),
    policy("approval.separation", "is anyone left who is neither planner nor author?", approval::separation),
    brief("risk.declared", "which risk did a human declare, and does it look so?", approval::risk_declared),
    // Experience: will people notice, and like it?
    brief("users.visible", "what that people see is touched?", users::visible),
    brief("users.reached", "how many people meet it?", users::reached),
    brief("users.midway", "what may people be in the middle of?", users::midway),
    moment("users.quiet-hour", "when are the fewest people there?"),
    brief("users.support", "which support articles describe what changes?", users::support),
    brief("users.last-time", "what did users tell support after the last deployments?", support::last_time),
];

const fn brief(code: &'static str, asks: &'static str, answer: fn(&View<'_>) -> Option<Answer>) -> Check {
    Check { code, asks, answer: By::Brief(answer) }
}

const fn moment(code: &'static str, asks: &'static str) -> Check {
    Check { code, asks, answer: By::Moment }
}

const fn policy(code: &'static str, asks: &'static str, answer: fn(&View<'_>, &Approvals) -> Option<Answer>) -> Check {
    Check { code, asks, answer: By::Policy(answer) }
}

/// Whether a check is on, off or in shadow.
pub fn mode(view: &View<'_>, code: &str) -> CheckMode {
    view.settings.policy.checks.get(code).copied().unwrap_or(CheckMode::On)
}

/// The flags of all checks that the plan and its facts answer, without those that are off.
pub fn ask(view: &View<'_>) -> Vec<(Flag, Part)> {
    let answers = ALL.iter().filter_map(|check| match check.answer {
        By::Brief(answer) if mode(view, check.code) != CheckMode::Off => Some((check.code, answer(view)?)),
        _ => None,
    });
    answers.map(|(code, answer)| answer.into_flag(code)).collect()
}

/// Whether a check that the policy lets stop the gate does, or may, at the moment at which the plan would begin.
pub fn may_stop(view: &View<'_>, ctx: &Context<'_>) -> bool {
    let blockers = &view.settings.policy.blockers;
    let brief = OnceCell::new();
    ALL.iter()
        .filter(|check| blockers.iter().any(|code| code == check.code) && mode(view, check.code) == CheckMode::On)
        .any(|check| {
            match check.answer {
                By::Brief(answer) => {
                    answer(view).is_some_and(|answer| answer.into_flag(check.code).0.level == FlagLevel::Critical)
                }
                By::Moment => brief
                    .get_or_init(|| Timeline::brief(ctx).moment(view.begin))
                    .flags
                    .iter()
                    .any(|flag| flag.code == check.code && flag.level == FlagLevel::Critical),
                // Rests on the score, and so on all the others.
                By::Policy(_) => true,
            }
        })
}

/// The flag of one check that the plan and its facts answer.
pub fn answer(view: &View<'_>, code: &str) -> Option<Flag> {
    ALL.iter().find(|check| check.code == code).and_then(|check| match check.answer {
        By::Brief(answer) => Some(answer(view)?.into_flag(check.code).0),
        _ => None,
    })
}

/// The flags of the checks that the policy's own reckoning answers.
pub fn ask_policy(view: &View<'_>, approvals: &Approvals) -> Vec<(Flag, Part)> {
    let answers = ALL.iter().filter_map(|check| match check.answer {
        By::Policy(answer) if mode(view, check.code) != CheckMode::Off => Some((check.code, answer(view, approvals)?)),
        _ => None,
    });
    answers.map(|(code, answer)| answer.into_flag(code)).collect()
}

/// What the flags add to the score: those that show. A check in shadow adds nothing.
pub fn points(view: &View<'_>, flags: &[(Flag, Part)]) -> Vec<Points> {
    let shown = flags.iter().filter(|(flag, _)| flag.points != 0 && mode(view, &flag.code) == CheckMode::On);
    shown
        .map(|(flag, part)| Points {
            code: flag.code.clone(),
            part: *part,
            says: flag.says.clone(),
            points: flag.points,
            of: flag.of,
        })
        .collect()
}
