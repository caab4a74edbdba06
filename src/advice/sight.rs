//! What could be seen and what could not: an answer that is missing, broken, empty or has gaps is never an all-clear.

use crate::advice::Because;
use crate::advice::facts::{Asked, Direction, Fact};
use crate::advice::view::View;
use crate::message::tame;

/// What a check needs to know, as people call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Change,
    Versions,
    Migrations,
    Incidents,
    Calendar,
    OnCall,
    Load,
    Health,
    Reviews,
    Builds,
    Flags,
    Findings,
    Coverage,
    Ticket,
    Alerts,
    Support,
    History,
    Others,
}

impl Topic {
    pub const ALL: [Topic; 18] = [
        Topic::Change,
        Topic::Versions,
        Topic::Migrations,
        Topic::Incidents,
        Topic::Calendar,
        Topic::OnCall,
        Topic::Load,
        Topic::Health,
        Topic::Reviews,
        Topic::Builds,
        Topic::Flags,
        Topic::Findings,
        Topic::Coverage,
        Topic::Ticket,
        Topic::Alerts,
        Topic::Support,
        Topic::History,
        Topic::Others,
    ];

    /// The subject of "… unknown".
    pub fn says(self) -> &'static str {
        match self {
            Topic::Change => "The change",
            Topic::Versions => "Versions",
            Topic::Migrations => "Migrations that ran",
            Topic::Incidents => "Incidents",
            Topic::Calendar => "Calendars",
            Topic::OnCall => "On-call",
            Topic::Load => "Traffic",
            Topic::Health => "Health",
            Topic::Reviews => "Reviews",
            Topic::Builds => "Builds",
            Topic::Flags => "Feature flags",
            Topic::Findings => "Findings of scanners",
            Topic::Coverage => "Coverage",
            Topic::Ticket => "The ticket",
            Topic::Alerts => "Alerts",
            Topic::Support => "What users told support",
            Topic::History => "History",
            Topic::Others => "Other deployments",
        }
    }

    /// The kinds of source that would tell.
    fn would_tell(self) -> &'static str {
        match self {
            Topic::Change | Topic::Versions => "a `git` source would tell",
            Topic::Migrations => "a `database` source would tell",
            Topic::Incidents => "a `jsonl` file of incidents or a tracker would tell",
            Topic::Calendar => "an `ics` source would tell",
            Topic::OnCall => "an `ics` or `jsonl` rota would tell",
            Topic::Load => "a `prometheus` source would tell",
            Topic::Health => "a `prometheus` source or an `http` probe would tell",
            Topic::Reviews | Topic::Builds | Topic::Findings => "a code host such as `github` would tell",
            Topic::Coverage => "`codecov` or files of LCOV would tell",
            Topic::Flags => "`launchdarkly`, `unleash` or `flagd` would tell",
            Topic::Ticket => "your tracker would tell",
            Topic::Alerts => "an `alertmanager` would tell",
            Topic::Support => "your support desk would tell",
            Topic::History => "deployments recorded here or a `jsonl` file would tell",
            Topic::Others => "Tidegate's own record would tell",
        }
    }

    /// How much its absence weighs on confidence.
    fn weight(self) -> u32 {
        match self {
            Topic::Change => 4,
            Topic::Others | Topic::Support => 0,
            _ => 1,
        }
    }
}

/// Why a question has no whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    pub topic: Topic,
    /// A fragment: "pagerduty did not answer in 2 s".
    pub reason: String,
    pub because: Vec<Because>,
}

impl Gap {
    /// "Incidents unknown: pagerduty did not answer in 2 s."
    pub fn says(&self) -> String {
        format!("{} unknown: {}.", self.topic.says(), self.reason)
    }

    /// The fragment of a list of what is missing: "incidents: pagerduty did not answer in 2 s".
    pub fn missing(&self) -> String {
        let subject = self.topic.says().trim_start_matches("The ");
        let mut letters = subject.chars();
        let first = letters.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
        format!("{first}{}: {}", letters.as_str(), self.reason)
    }
}

/// What stands in the way of a whole answer to a question; None where everything that was asked answered, in full, and
/// with something in it.
pub fn gap(view: &View<'_>, topic: Topic) -> Option<Gap> {
    match topic {
        Topic::Change => look(topic, view.change, "tells of no commit and no file", |change| {
            change.commits.is_empty() && change.files.is_empty() && change.direction != Direction::Same
        }),
        Topic::Versions => look(topic, view.versions, "knows no version", |versions| {
            versions.known.is_empty() && versions.resolved.iter().all(|(_, commit)| commit.is_none())
        }),
        Topic::Migrations => {
            let expected = view.change.known.iter().any(|change| {
                change.value.base.is_some() && change.value.migrations_at_head.len() > change.value.migrations.len()
            });
            look(topic, view.migrations, "lists no migration as run", |state| expected && state.applied.is_empty())
        }
        Topic::Incidents => look(topic, view.incidents, "lists no incident at all", |list| list.is_empty()),
        Topic::Calendar => look(topic, view.calendar, "holds no entry in the time looked at", |list| list.is_empty()),
        Topic::OnCall => look(topic, view.on_call, "names nobody", |list| list.is_empty()),
        Topic::Load => look(topic, view.load, "has no traffic of earlier weeks", |load| load.peak().is_none()),
        Topic::Health => look(topic, view.health, "has no data", |health| {
            health.errors.is_none() && health.latency_ms.is_none() && health.last_data.is_none()
        }),
        Topic::Reviews => look(topic, view.reviews, "", |_| false),
        Topic::Builds => look(topic, view.builds, "knows no build of this commit", |builds| {
            builds.builds.is_empty() && builds.runs.is_empty()
        }),
        Topic::Flags => look(topic, view.flags, "", |_| false),
        Topic::Findings => look(topic, view.findings, "", |_| false),
        Topic::Coverage => look(topic, view.coverage, "", |_| false),
        Topic::Ticket => look(topic, view.ticket, "", |_| false),
        Topic::Alerts => look(topic, view.alerts, "", |_| false),
        Topic::Support => look(topic, view.support, "counts nothing", |support| support.days.is_empty()),
        Topic::History => look(topic, view.history, "records no deployment of this service here", |history| {
            history.recent.is_empty() && history.running.is_none() && history.service_rate.n == 0
        }),
        Topic::Others => look(topic, view.others, "", |_| false),
    }
}

/// Everything that could not be seen and matters to this plan, with how much it weighs on confidence.
pub fn gaps(view: &View<'_>) -> Vec<(Gap, u32)> {
    let versioned = view.plan.kind.has_version();
    let migrates = view.change.known.iter().any(|change| !change.value.migrations.is_empty())
        || view.service().is_some_and(|service| service.migrations.is_some());
    let matters = |topic: &Topic| match topic {
        Topic::Change | Topic::Versions => versioned,
        Topic::Migrations => versioned && migrates,
        // Not every team has such a system; one that has, and cannot be seen, is a gap.
        Topic::Reviews => versioned && !view.reviews.is_unasked(),
        Topic::Builds => versioned && !view.builds.is_unasked(),
        Topic::Flags => !view.flags.is_unasked(),
        Topic::Findings => versioned && !view.findings.is_unasked(),
        Topic::Coverage => versioned && !view.coverage.is_unasked(),
        Topic::Ticket => !view.ticket.is_unasked(),
        Topic::Alerts => !view.alerts.is_unasked(),
        Topic::Support => !view.support.is_unasked(),
        _ => true,
    };
    Topic::ALL.into_iter().filter(matters).filter_map(|t| gap(view, t).map(|gap| (gap, t.weight()))).collect()
}

fn look<T>(topic: Topic, asked: &Asked<T>, emptiness: &str, empty: impl Fn(&T) -> bool) -> Option<Gap> {
    if asked.is_unasked() {
        let reason = format!("no source is set up ({})", topic.would_tell());
        return Some(Gap { topic, reason, because: Vec::new() });
    }
    let mut reasons: Vec<Because> = Vec::new();
    for unknown in &asked.unknown {
        let says = tame(&unknown.reason, 200);
        reasons.push(Because { source: unknown.source.clone(), says, link: None, at: unknown.at });
    }
    let reason_of = |fact: &Fact<T>, says: String| Because {
        source: fact.source.clone(),
        says,
        link: fact.link.clone(),
        at: fact.at,
    };
    for fact in &asked.known {
        if let Some(first) = fact.incomplete.iter().min() {
            let more = match fact.incomplete.len() {
                1 => String::new(),
                n => format!(" and {} more", n - 1),
            };
            reasons.push(reason_of(fact, format!("answered with gaps ({}{more})", tame(first, 160))));
        }
    }
    if !asked.known.is_empty() && asked.known.iter().all(|fact| empty(&fact.value)) {
        reasons.extend(asked.known.iter().map(|fact| reason_of(fact, emptiness.to_owned())));
    }
    if reasons.is_empty() {
        return None;
    }
    reasons.sort_by(|a, b| (&a.source, &a.says).cmp(&(&b.source, &b.says)));
    let fragments: Vec<String> = reasons.iter().map(|b| format!("{} {}", b.source, b.says)).collect();
    let reason = match fragments.as_slice() {
        [first, second] => format!("{first}; {second}"),
        [first, second, rest @ ..] if !rest.is_empty() => format!("{first}; {second}; {} more", rest.len()),
        other => other.concat(),
    };
    Some(Gap { topic, reason, because: reasons })
}
