//! Jobs that a platform holds until the gate answers: what people in the chat hear, and what stands at the job.

use super::{short, zone};
use crate::advice::says;
use crate::clock::Time;
use crate::config::Settings;
use crate::gate::Answer;
use crate::gate::job::{End, Job};
use crate::message::{Level, Mark, Message, Span, tame};
use crate::name::SourceName;
use crate::source::Decision;

/// The longest text at a job, in characters.
const LONGEST: usize = 1_000;

/// A job waits for this plan.
pub fn waits(job: &Job, settings: &Settings, now: Time) -> Message {
    let until = says::time(job.until, zone(settings, &job.service, &job.environment), now);
    let mut spans = vec![Span::plain("A job of "), run(job)];
    spans.push(Span::plain(format!(
        " waits for this plan. It goes on when the gate says yes, at the latest by {until}."
    )));
    Message::spans(Some(Mark::Hold), spans)
}

/// A job waits, and nobody planned what it would deploy.
pub fn unplanned(job: &Job, settings: &Settings, now: Time) -> Message {
    let until = says::time(job.until, zone(settings, &job.service, &job.environment), now);
    let mut spans = owners(job, settings);
    let reference = job.reference.as_deref().map(|name| format!(" ({})", tame(name, 60))).unwrap_or_default();
    spans.push(Span::plain("A job of "));
    spans.push(run(job));
    spans.push(Span::plain(format!(
        " waits for {} in {}, {}{reference}, and nobody planned it. Plan it, or it is refused at {until}.",
        tame(job.service.as_str(), 60),
        tame(job.environment.as_str(), 60),
        short(&job.commit),
    )));
    Message { level: Level::Caution, ..Message::spans(Some(Mark::Caution), spans) }
}

/// A job waits for what the settings do not know.
pub fn unknown(source: &SourceName, repository: &str, gate: &str, why: &str) -> Message {
    let says = format!(
        "A job of {} waits at its environment `{}`, and cannot be answered: {}. Until the settings say what it is \
         (`protection.map` of the source {}), its jobs wait for nothing.",
        tame(repository, 100),
        tame(gate, 60),
        tame(why, 200),
        source
    );
    Message { level: Level::Caution, ..Message::line(Mark::Caution, says) }
}

/// What became of the answer.
pub fn ended(job: &Job, end: End, decision: Decision, why: &str, settings: &Settings) -> Message {
    let source = tame(job.source.as_str(), 60);
    let word = decision.as_str();
    let (mark, level, what) = match (end, decision) {
        (End::Taken, Decision::Approved) => (Mark::Pass, Level::Info, " was let through.".to_owned()),
        (End::Taken, Decision::Rejected) => (Mark::Object, Level::Info, " was refused.".to_owned()),
        (End::Refused, _) => {
            let after = if job.failures > 0 { "; an earlier answer may have come through" } else { "" };
            (
                Mark::Caution,
                Level::Caution,
                format!(" was to be told \"{word}\", but {source} {}{after}.", tame(why, 200)),
            )
        }
        (End::Lost, _) => {
            let says = format!(" was never told \"{word}\": {source} {}. It is not tried any more.", tame(why, 200));
            (Mark::Critical, Level::Critical, says)
        }
    };
    let mut spans = if end == End::Taken { Vec::new() } else { owners(job, settings) };
    spans.extend([Span::plain("The job of "), run(job), Span::plain(what)]);
    Message { level, ..Message::spans(Some(mark), spans) }
}

/// The platform does not take the answer.
pub fn failing(job: &Job, decision: Decision, why: &str, settings: &Settings, now: Time) -> Message {
    let since = says::time(job.failing_since.unwrap_or(now), zone(settings, &job.service, &job.environment), now);
    let mut spans = owners(job, settings);
    spans.extend([
        Span::plain("The job of "),
        run(job),
        Span::plain(format!(
            " should be told \"{}\", and cannot be since {since}: {} {}. It is tried again.",
            decision.as_str(),
            tame(job.source.as_str(), 60),
            tame(why, 200)
        )),
    ]);
    Message { level: Level::Caution, ..Message::spans(Some(Mark::Caution), spans) }
}

/// What stands at the job: the verdict and its reasons.
pub fn comment(job: &Job, answer: &Answer, decision: Option<Decision>, late: bool, settings: &Settings) -> String {
    let reasons: Vec<String> = answer.reasons.iter().map(|reason| tame(&reason.says, 300)).collect();
    let reasons = reasons.join(" ");
    let plan = answer.plan.as_deref().map(|plan| format!(" (plan {plan})")).unwrap_or_default();
    let commit = short(&job.commit);
    let text = match decision {
        Some(Decision::Approved) => {
            let by: Vec<String> = answer
                .approvals
                .iter()
                .map(|given| match &given.role {
                    Some(role) => format!("{} ({role})", given.by),
                    None => given.by.to_string(),
                })
                .collect();
            let by = if by.is_empty() { String::new() } else { format!(" Approved by {}.", by.join(", ")) };
            format!("Commit {commit}{plan}: {reasons}{by}")
        }
        Some(Decision::Rejected) if late => {
            let until = job.until.at(zone(settings, &job.service, &job.environment)).format("%Y-%m-%d %H:%M %Z");
            format!("Nobody decided on commit {commit}{plan} by {until}. {reasons}")
        }
        Some(Decision::Rejected) => format!("Commit {commit}{plan}: {reasons}"),
        None => format!("Commit {commit}{plan} waits: {reasons}"),
    };
    tame(&text, LONGEST)
}

fn owners(job: &Job, settings: &Settings) -> Vec<Span> {
    let owners = settings.service.get(&job.service).map(|service| service.owners.as_slice()).unwrap_or_default();
    owners.iter().flat_map(|owner| [Span::person(owner), Span::plain(" ")]).collect()
}

fn run(job: &Job) -> Span {
    let says = format!("{} (run {})", tame(&job.repository, 100), job.run);
    match &job.link {
        Some(link) => Span::linked(says, link),
        None => Span::plain(says),
    }
}
