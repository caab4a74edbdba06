//! What is said of deadlines.

use super::{need, zone};
use crate::advice::says;
use crate::approval::Tally;
use crate::clock::Time;
use crate::config::Settings;
use crate::message::{Mark, Message, Span, tame};
use crate::name::Person;
use crate::store::plan::PlanRow;

/// "Approvals are needed by Tue 10:00."
pub fn line(row: &PlanRow, by: Time, settings: &Settings, now: Time) -> String {
    let at = at(row, by, settings, now);
    if by > now { format!("Approvals are needed by {at}.") } else { format!("Approvals were needed by {at}.") }
}

/// In the thread: what is missing and who could give it.
pub fn reminds(row: &PlanRow, tally: &Tally, whom: &[Person], by: Time, settings: &Settings, now: Time) -> Message {
    let missing: Vec<String> = tally.missing.iter().map(need).collect();
    let mut spans = vec![Span::plain(format!("{} Missing: {}.", line(row, by, settings, now), missing.join("; ")))];
    for (i, person) in whom.iter().enumerate() {
        spans.push(Span::plain(if i == 0 { " Who can: " } else { ", " }));
        spans.push(Span::person(person));
    }
    Message::spans(Some(if by > now { Mark::Note } else { Mark::Caution }), spans)
}

/// To one who could approve.
pub fn in_person(row: &PlanRow, by: Time, settings: &Settings, now: Time) -> Message {
    let plan = &row.plan;
    let at = at(row, by, settings, now);
    let when = if by > now { format!("is needed by {at}") } else { format!("was needed by {at} and is still missing") };
    Message::spans(
        Some(Mark::Approve),
        vec![
            Span::plain("Your word "),
            Span::plain(when),
            Span::plain(" on "),
            Span::strong(format!("{} {} → {}", plan.service, tame(&plan.what(), 60), plan.environment)),
            Span::plain(format!(" (`{}`, planned by @{}). The card is in the plan's thread.", plan.id, plan.by)),
        ],
    )
}

fn at(row: &PlanRow, by: Time, settings: &Settings, now: Time) -> String {
    says::time(by, zone(settings, &row.plan.service, &row.plan.environment), now)
}
