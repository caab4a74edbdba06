//! Refusals: one sentence, to the person concerned alone, with what would work.

use crate::advice::Approvals;
use crate::approval::Refusal;
use crate::config::PersonKind;
use crate::gate::Answer;
use crate::message::{Mark, Message, Span, tame};
use crate::name::Person;
use crate::store::plan::PlanRow;

pub fn plain(says: &str) -> Message {
    Message::line(Mark::Info, says)
}

/// A refusal with the way to where the word would count.
pub fn with_link(says: &str, link: Option<&str>) -> Message {
    let mut spans = vec![Span::plain(says)];
    if let Some(link) = link {
        spans.push(Span::plain(" "));
        spans.push(Span::linked("Open the card", link));
    }
    Message::spans(Some(Mark::Info), spans)
}

pub fn stranger(user: &str) -> String {
    format!(
        "I do not know you, {}. Where I know you, `link` gives a code that makes this account yours; or ask whoever keeps Tidegate's settings to add you to `[people]`.",
        tame(user, 40)
    )
}

pub fn may_only_look(kind: PersonKind) -> String {
    let who = match kind {
        PersonKind::Guest => "Guests",
        PersonKind::Bot => "Bots",
        PersonKind::Deactivated => "Deactivated accounts",
        PersonKind::Member => "You",
    };
    format!("{who} may look (`status`, `windows`, `why`), not plan or change.")
}

pub fn over(row: &PlanRow) -> String {
    format!("`{}` is {} and no longer waits for anything.", row.plan.id, row.state.as_str())
}

pub fn not_yours(row: &PlanRow) -> String {
    format!("`{}` is @{}'s plan; they or an owner of {} can change it.", row.plan.id, row.plan.by, row.plan.service)
}

/// Why a word does not count, and who can give one.
pub fn word(refusal: &Refusal, person: Option<&Person>, user: &str, approvals: &Approvals) -> String {
    let name = person.map_or_else(|| tame(user, 40), ToString::to_string);
    let who = eligible(approvals);
    match refusal {
        Refusal::Stranger => format!("Not counted: I do not know you, {name}.{who}"),
        Refusal::Bot => format!("Not counted: bots never approve.{who}"),
        Refusal::Guest => format!("Not counted, {name}: guests do not approve.{who}"),
        Refusal::Deactivated => format!("Not counted, {name}: the account is deactivated.{who}"),
        Refusal::Planner => format!("Not counted, {name}: this asks for someone other than the planner.{who}"),
        Refusal::Author => {
            format!("Not counted, {name}: you wrote one of its commits, and this asks for someone else.{who}")
        }
        Refusal::NoRole(roles) => format!("Not counted, {name}: this asks for {}.{who}", roles.join(" or ")),
        Refusal::DutyUnknown(why) => format!("Not counted, {name}: {}", duty_unknown(why)),
    }
}

/// The stable code of a refusal, for the record.
pub fn code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Stranger => "stranger",
        Refusal::Bot => "bot",
        Refusal::Guest => "guest",
        Refusal::Deactivated => "deactivated",
        Refusal::Planner => "planner",
        Refusal::Author => "author",
        Refusal::NoRole(_) => "role",
        Refusal::DutyUnknown(_) => "duty-unknown",
    }
}

/// `why`: a fragment that begins with the source's name.
pub fn duty_unknown(why: &str) -> String {
    format!("whether you are on call now could not be told: {}. Try again in a moment.", tame(why, 300))
}

fn eligible(approvals: &Approvals) -> String {
    let people: Vec<String> = approvals.eligible.iter().map(|p| format!("@{p}")).collect();
    match people.len() {
        0 => " Nobody known can approve it now.".to_owned(),
        _ => format!(" {} can approve now.", people.join(" and ")),
    }
}

pub fn older_card(row: &PlanRow, number: i64) -> String {
    format!(
        "Not counted: that card asks for revision {number}; the plan is at revision {}. The current card is the newest one in the thread of `{}`.",
        row.revision, row.plan.id
    )
}

pub fn not_on_the_card(row: &PlanRow) -> String {
    format!(
        "Not counted: reactions count on the card of revision {} in the thread of `{}`, where it says what is approved.",
        row.revision.max(1),
        row.plan.id
    )
}

pub fn unresolved(row: &PlanRow) -> String {
    format!(
        "Not counted: the version of `{}` could not be looked up yet, so nobody can say what would be approved.",
        row.plan.id
    )
}

pub fn may_not_start(row: &PlanRow) -> String {
    format!(
        "`{}` is started by @{}, by an owner of {}, or by whoever responds to it.",
        row.plan.id, row.plan.by, row.plan.service
    )
}

pub fn cannot_read_words(row: &PlanRow) -> String {
    let plan = &row.plan.id;
    format!("The chat could not be asked whether the words on the card of `{plan}` still stand. Try again in a moment.")
}

pub fn already_started(row: &PlanRow) -> String {
    match &row.started {
        Some((_, by)) => format!("`{}` was started by @{by}.", row.plan.id),
        None => format!("`{}` is under way.", row.plan.id),
    }
}

pub fn cannot_start(row: &PlanRow, answer: &Answer) -> String {
    let reasons: Vec<&str> = answer.reasons.iter().map(|r| r.says.as_str()).collect();
    format!("`{}` cannot start ({}): {}", row.plan.id, answer.verdict.as_str(), reasons.join(" "))
}

pub fn only_planner_confirms(row: &PlanRow) -> String {
    format!("@{} planned `{}` and confirms it.", row.plan.by, row.plan.id)
}

pub fn wrong_name(row: &PlanRow) -> String {
    format!("That is not the name. `{}` goes to {}: type exactly that.", row.plan.id, row.plan.environment)
}

pub fn still_gathering(row: &PlanRow) -> String {
    format!("The brief of `{}` is still being gathered. Try again in a moment.", row.plan.id)
}

pub fn no_review_asked(row: &PlanRow) -> String {
    format!("No review of the plan `{}` is asked for; approvals are given on its card.", row.plan.id)
}

pub fn unreviewed(row: &PlanRow) -> String {
    let plan = &row.plan.id;
    format!("Not counted: the plan itself is reviewed first (`review {plan} sound`), then it can be approved.")
}

/// Why somebody's review of a plan does not count.
pub fn review(refusal: &Refusal, person: &Person) -> String {
    match refusal {
        Refusal::Planner => format!("Not counted, {person}: somebody other than the planner reviews the plan."),
        Refusal::Author => {
            format!("Not counted, {person}: you wrote one of its commits; somebody else reviews the plan.")
        }
        Refusal::NoRole(roles) => format!("Not counted, {person}: {} reviews this plan.", roles.join(" or ")),
        Refusal::DutyUnknown(why) => format!("Not counted, {person}: {}", duty_unknown(why)),
        _ => format!("Not counted, {person}: only members review plans."),
    }
}

pub fn executor_apart(row: &PlanRow) -> String {
    format!("`{}` is started by somebody who did not approve it: you did.", row.plan.id)
}

pub fn own_risk(row: &PlanRow) -> String {
    let plan = &row.plan.id;
    format!("You declared it: `amend {plan} --risk …` changes your own word. Others correct it with `risk {plan} …`.")
}

pub fn may_not_settle(approvals: &Approvals) -> String {
    format!("An eligible person other than planner and authors settles this.{}", eligible(approvals))
}
