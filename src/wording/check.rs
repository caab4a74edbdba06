//! What `tidegate check` says of an answer, in a few words: enough to see that it is the right system that speaks.

use chrono_tz::Tz;

use super::short;
use crate::advice::facts::{AlertState, Load, Shift, Version};
use crate::advice::says;
use crate::clock::Time;
use crate::message::tame;
use crate::name::Role;
use crate::source::{Learned, Question};

/// The longest that a name from outside may be.
const LONGEST: usize = 60;

/// An answer: "3 known, the newest v1.1.0 of 10 Nov 2026".
pub fn learned(learned: &Learned, now: Time, zone: Tz) -> String {
    let day = |at: Time| at.at(zone).format("%-d %b %Y").to_string();
    let name = |text: &str| format!("`{}`", tame(text, LONGEST));
    match learned {
        Learned::Calendar(events) => {
            let next = events.iter().filter(|event| event.end > now).min_by_key(|event| event.start);
            let next = next.map(|event| format!("{} from {}", name(&event.summary), day(event.start)));
            first(count(events.len(), "entry", "entries"), "the next", next)
        }
        Learned::OnCall(shifts) => on_call(shifts, now),
        Learned::Incidents(incidents) => {
            let open = incidents.iter().filter(|incident| incident.resolved.is_none()).count();
            let newest = incidents.iter().max_by_key(|incident| incident.opened).map(|incident| name(&incident.title));
            first(format!("{} lately, {open} open", incidents.len()), "the newest", newest)
        }
        Learned::Deployments(deployments) => {
            let newest = deployments.iter().max_by_key(|deployment| deployment.at).map(|deployment| {
                let what = deployment.version.as_deref().map(name);
                let what = what.or_else(|| deployment.commit.as_deref().map(|commit| name(&short(commit))));
                format!("{} on {}", what.unwrap_or_else(|| "without a version".to_owned()), day(deployment.at))
            });
            first(count(deployments.len(), "deployment", "deployments"), "the newest", newest)
        }
        Learned::Versions(versions) => {
            let newest = versions.known.iter().max_by_key(|version| version.at);
            let newest = newest.map(|version| format!("{} of {}", name(&version.name), day(version.at)));
            first(count(versions.known.len(), "version", "versions"), "the newest", newest)
        }
        Learned::Change(change) => {
            let named = |version: &Version| match version.name == version.commit {
                true => format!("`{}`", short(&version.commit)),
                false => name(&version.name),
            };
            let from = change.base.as_ref().map_or("nothing".to_owned(), named);
            let (commits, files) = (change.commit_count as usize, change.file_count as usize);
            let what = format!("{}, {}", count(commits, "commit", "commits"), count(files, "file", "files"));
            format!("{from} to {}: {what}", named(&change.head))
        }
        Learned::Migrations(state) => {
            let newest = state.applied.last().map(|migration| name(&migration.version));
            let what = format!(
                "{} ran by {}",
                count(state.applied.len(), "migration", "migrations"),
                tame(&state.tool, LONGEST)
            );
            first(what, "the last", newest)
        }
        Learned::Load(load) => of_load(load),
        Learned::Health(health) => {
            let errors = health.errors.map(|share| format!("{:.2} % errors", share * 100.0));
            let latency = health.latency_ms.map(|ms| format!("{ms:.0} ms"));
            let requests = health.requests.map(|count| format!("{count:.0} requests"));
            let all: Vec<String> = errors.into_iter().chain(latency).chain(requests).collect();
            if all.is_empty() { "it measured nothing lately".to_owned() } else { all.join(", ") }
        }
        Learned::Series(series) => match series.minutes.last() {
            Some(last) => {
                format!("{} with data, the last {}", count(series.minutes.len(), "minute", "minutes"), day(last.at))
            }
            None => "no minute with data".to_owned(),
        },
        Learned::Reviews(reviews) => {
            let newest = reviews.requests.last().map(|request| name(&request.id));
            let what =
                format!("{} behind `{}`", count(reviews.requests.len(), "request", "requests"), short(&reviews.commit));
            first(what, "the last", newest)
        }
        Learned::Builds(builds) => {
            let runs = count(builds.runs.len(), "run", "runs");
            let at = if builds.commit.is_empty() { String::new() } else { format!(" of `{}`", short(&builds.commit)) };
            format!("{}{at}, {runs} of the main branch", count(builds.builds.len(), "build", "builds"))
        }
        Learned::Flags(flags) => {
            let all = flags.iter().map(|flag| match (flag.defined, flag.on) {
                (false, _) => format!("there is no flag {}", name(&flag.name)),
                (true, Some(true)) => format!("{} is on", name(&flag.name)),
                (true, Some(false)) => format!("{} is off", name(&flag.name)),
                (true, None) => format!("{} is decided by the code", name(&flag.name)),
            });
            let all: Vec<String> = all.take(3).collect();
            if all.is_empty() { "no flag".to_owned() } else { all.join(", ") }
        }
        Learned::Findings(findings) => {
            let newest = findings.first().map(|finding| name(&finding.id));
            first(count(findings.len(), "finding", "findings"), "among them", newest)
        }
        Learned::Coverage(coverage) => {
            let touched = coverage.touched.map(|covered| format!("{} of {} new lines run", covered.lines, covered.of));
            let project = coverage.project.map(|percent| format!("{percent:.1} % of the project"));
            let all: Vec<String> = touched.into_iter().chain(project).collect();
            if all.is_empty() { "it tells no coverage".to_owned() } else { all.join(", ") }
        }
        Learned::Ticket(ticket) if ticket.exists => format!("{} is {}", name(&ticket.key), name(&ticket.status)),
        Learned::Ticket(ticket) => format!("there is no ticket {} that the credential may see", name(&ticket.key)),
        Learned::Alerts(alerts) => {
            let firing = alerts.iter().filter(|alert| alert.state == AlertState::Firing).count();
            let newest = alerts.iter().max_by_key(|alert| alert.since).map(|alert| name(&alert.name));
            first(format!("{}, {firing} firing", count(alerts.len(), "alert", "alerts")), "the newest", newest)
        }
        Learned::Support(support) => {
            let all: u64 = support.days.iter().map(|(_, count)| u64::from(*count)).sum();
            format!("{all} {} in {}", tame(&support.unit, LONGEST), count(support.days.len(), "day", "days"))
        }
    }
}

/// What is lost where nobody answers a question.
pub fn lost(question: Question) -> &'static str {
    match question {
        Question::Calendar => "freezes, launches and holidays are unknown",
        Question::OnCall => "who is called, and who is at work, is unknown",
        Question::Incidents => "open incidents are unknown",
        Question::Deployments => "only what pipelines and people report is known of earlier deployments",
        Question::Versions => "no version can be planned",
        Question::Change => "what a version changes is unknown",
        Question::Migrations => "which migrations ran is unknown",
        Question::Load => "whether it is a busy hour is unknown",
        Question::Health => "whether it is well now is unknown",
        Question::Series => "nothing can be watched after a deployment",
        Question::Reviews => "who read the change is unknown",
        Question::Builds => "whether the builds passed is unknown",
        Question::Flags => "whether feature flags are on is unknown",
        Question::Findings => "known advisories and scanners' findings are unknown",
        Question::Coverage => "how much of the change tests run is unknown",
        Question::Ticket => "whether the ticket behind a plan exists is unknown",
        Question::Alerts => "what fires now is unknown",
        Question::Support => "what users told support is unknown",
    }
}

/// The permission that a refused question wants, as docs/sources.md lists it, where one alone decides.
pub fn permission(kind: &str, question: Question) -> Option<&'static str> {
    Some(match (kind, question) {
        ("github", Question::Versions | Question::Change) => "Metadata and Contents, read-only",
        ("github", Question::Reviews) => "Pull requests, read-only",
        ("github", Question::Builds) => "Checks, Commit statuses and Actions, read-only",
        ("github", Question::Deployments) => "Deployments, read-only",
        ("github", Question::Incidents) => "Issues, read-only",
        ("gitlab", Question::Calendar) => "the scope `read_api` and the role Maintainer",
        ("gitlab", _) => "the scope `read_api`",
        ("pagerduty", _) => "a read-only API key of the account",
        ("jira", _) => "the scope `read:jira-work`, and the account's own view of the project",
        ("jsm", Question::Incidents) => "the scope `read:ops-alert:jira-service-management`",
        ("jsm", _) => "the scope `read:ops-config:jira-service-management`",
        ("datadog", _) => "an application key with `timeseries_query`",
        ("google-calendar", _) => "a calendar that is shared with the service account",
        ("microsoft-365", _) => "`Calendars.ReadBasic` as an application, with an administrator's consent",
        ("argocd", _) => "`applications, get` for the project",
        ("linear", _) => "an API key with the permission Read",
        ("zendesk", _) => "an agent's API token, or an OAuth token with the scope `read`",
        ("unleash", _) => "the role Viewer",
        _ => return None,
    })
}

/// What a source needs to tell who is in a team.
pub fn permission_for_teams(kind: &str) -> Option<&'static str> {
    match kind {
        "github" => Some("the organisation's permission Members, read-only (a classic token: `read:org`)"),
        "gitlab" => Some("the scope `read_api`, and that its account sees the group"),
        _ => None,
    }
}

/// To whom a team gives a role; `strangers`: how many of its members are nobody's in the settings.
pub fn gives(role: &Role, team: &str, people: &[&str], strangers: usize) -> String {
    let whom = if people.is_empty() { "nobody of `[people]`".to_owned() } else { says::some(people, 12) };
    let others = match strangers {
        0 => String::new(),
        1 => "; one member more is not known by any of `logins`".to_owned(),
        n => format!("; {n} members more are not known by any of `logins`"),
    };
    format!("gives {role} by {}: {whom}{others}", tame(team, 100))
}

fn on_call(shifts: &[Shift], now: Time) -> String {
    let is_now = |shift: &&Shift| shift.start <= now && shift.end.is_none_or(|end| end > now);
    let mut people: Vec<String> =
        shifts.iter().filter(is_now).map(|shift| tame(shift.person.as_str(), LONGEST)).collect();
    people.sort();
    people.dedup();
    let who = if people.is_empty() { "nobody".to_owned() } else { people.join(", ") };
    format!("{}, now {who}", count(shifts.len(), "shift", "shifts"))
}

fn of_load(load: &Load) -> String {
    let hours = load.week.iter().flatten().count();
    let now =
        load.now.map_or("nothing now".to_owned(), |(_, value)| format!("{value:.1} {} now", tame(&load.unit, LONGEST)));
    format!(
        "{now}, {} of the week known from {}",
        count(hours, "hour", "hours"),
        count(load.weeks as usize, "week", "weeks")
    )
}

fn first(what: String, which: &str, one: Option<String>) -> String {
    match one {
        Some(one) => format!("{what}, {which} {one}"),
        None => what,
    }
}

fn count(number: usize, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}
