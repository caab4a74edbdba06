//! The auditor's answer: who, what, when, why, how, the way back, every flag, approval and alert, from the record.

use super::{short, zone};
use crate::advice::facts::Deployment;
use crate::advice::{FlagLevel, says};
use crate::approval::overriding::Override;
use crate::approval::{Word, WordKind};
use crate::audit::Obligation;
use crate::audit::rules::Rules;
use crate::clock::Time;
use crate::config::Settings;
use crate::ledger::Verdict;
use crate::message::{Block, Line, Mark, Message, Span, tame};
use crate::name::{PlanId, SourceName};
use crate::plan::When;
use crate::store::deployment::{Alert, DeploymentRow};
use crate::store::ledger::StoredEntry;
use crate::store::plan::{PlanRow, Revision};

/// Everything that is known of one plan.
#[derive(Debug)]
pub struct Story<'a> {
    pub row: &'a PlanRow,
    pub revision: Option<&'a Revision>,
    pub words: &'a [Word],
    pub deployment: Option<&'a DeploymentRow>,
    pub alerts: &'a [Alert],
    /// With the reason that was given, unless it was erased.
    pub overrides: &'a [(Override, Option<String>)],
    /// What is or was owed after it.
    pub owed: &'a [Obligation],
    /// The accounts with which people acted on it, and by what each was known then.
    pub accounts: &'a [Acted],
    /// The rules that decisions were made under.
    pub rules: &'a [Rules],
    pub entries: &'a [StoredEntry],
}

/// An account with which somebody acted, and by what it was known to be theirs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acted {
    pub person: String,
    /// "slack T1/U7".
    pub account: String,
    /// `settings`, `code`, `email`; None: recorded before this was.
    pub known_by: Option<String>,
    /// Of a link: since when, and by which entry.
    pub link: Option<(Time, i64)>,
}

pub fn plan(story: &Story<'_>, settings: &Settings, now: Time) -> Message {
    let plan = &story.row.plan;
    let zone = zone(settings, &plan.service, &plan.environment);
    let exact = |at: Time| at.at(zone).format("%-d %B %Y %H:%M:%S %Z").to_string();
    let text = |value: &Option<String>| value.as_deref().map_or("not stated".to_owned(), |t| tame(t, 600));
    let when = match plan.when {
        When::Now => "as soon as approved".to_owned(),
        When::At { at } => exact(at),
        When::Window { start, end } => says::range(start, end, zone, now),
    };
    let mut pairs = vec![
        ("What".to_owned(), format!("{} {} → {}", plan.service, tame(&plan.what(), 80), plan.environment)),
        (
            "Commit".to_owned(),
            plan.commit.clone().unwrap_or_else(|| plan.set_digest().unwrap_or_else(|| "not resolved".to_owned())),
        ),
        ("Who planned".to_owned(), format!("{} at {}", plan.by, exact(plan.made_at))),
        ("When planned for".to_owned(), when),
        ("Why".to_owned(), text(&plan.why)),
        ("Why now".to_owned(), text(&plan.why_now)),
        ("How".to_owned(), text(&plan.how)),
        ("Validation".to_owned(), text(&plan.validate)),
        ("Rollback plan".to_owned(), text(&plan.rollback)),
        ("Rollback if".to_owned(), text(&plan.rollback_if)),
        (
            "Risk declared".to_owned(),
            plan.risk.map_or("not declared, which counts as high".to_owned(), |r| r.as_str().to_owned()),
        ),
        ("Category declared".to_owned(), plan.category.clone().unwrap_or_else(|| "not declared".to_owned())),
        ("State".to_owned(), story.row.state.as_str().to_owned()),
    ];
    if let Some((at, by)) = &story.row.category {
        pairs.push(("Doubt settled".to_owned(), format!("{by} at {}", exact(*at))));
    }
    if let Some((at, by)) = &story.row.reviewed {
        pairs.push(("Plan reviewed".to_owned(), format!("{by} found it sound at {}", exact(*at))));
    }
    if let Some((at, by)) = &story.row.confirmed {
        pairs.push(("Environment confirmed".to_owned(), format!("{by} typed its name at {}", exact(*at))));
    }
    if let Some((at, by)) = &story.row.started {
        pairs.push(("Executor".to_owned(), format!("{by} started it at {}", exact(*at))));
    }
    if let Some(row) = story.deployment {
        let actor = row.actor.as_deref().map(|a| format!(", by {}", tame(a, 60))).unwrap_or_default();
        pairs.push((
            "Deployed".to_owned(),
            format!(
                "{} ({}), {}{actor}",
                exact(row.deployment.at),
                row.deployment.id,
                row.status.as_str().replace('_', " ")
            ),
        ));
        if let Some(outcome) = row.deployment.outcome {
            let by = row.outcome_by.as_ref().map(|p| format!(", says {p}")).unwrap_or_default();
            let at = row.outcome_at.map(|at| format!(" at {}", exact(at))).unwrap_or_default();
            pairs.push(("Outcome".to_owned(), format!("{}{by}{at}", outcome.as_str().replace('_', " "))));
        }
    }
    let mut blocks = vec![
        Block::Title { text: format!("Why {}", plan.id), context: format!("revision {}", story.row.revision) },
        Block::Facts { pairs },
    ];
    let words: Vec<Line> = story.words.iter().map(|word| word_line(word, &exact)).collect();
    blocks.push(Block::List {
        says: if words.is_empty() {
            "No approval, objection or hold was given".to_owned()
        } else {
            "Approvals, objections, holds".to_owned()
        },
        lines: words,
        folded: false,
    });
    if !story.accounts.is_empty() {
        let lines = who_is_who(story.accounts, zone);
        blocks.push(Block::List { says: "Who is who, and by what they were known".to_owned(), lines, folded: false });
    }
    if !story.overrides.is_empty() {
        let lines = story.overrides.iter().map(|(given, why)| override_line(given, why.as_deref(), &exact)).collect();
        blocks.push(Block::List { says: "Overrides".to_owned(), lines, folded: false });
    }
    if let Some(revision) = story.revision {
        let advice = &revision.advice;
        let flags: Vec<Line> = advice
            .flags
            .iter()
            .filter(|f| f.level != FlagLevel::Pass)
            .map(|f| Line {
                mark: Some(match f.level {
                    FlagLevel::Critical => Mark::Critical,
                    FlagLevel::Caution => Mark::Caution,
                    FlagLevel::Info => Mark::Info,
                    _ => Mark::Unknown,
                }),
                spans: vec![Span::plain(f.says.clone())],
                code: Some(f.code.clone()),
            })
            .collect();
        blocks.push(Block::List {
            says: format!(
                "Flags that were shown; risk {} of 100, {} clear",
                advice.score.value,
                advice.flags.len() - flags.len()
            ),
            lines: flags,
            folded: false,
        });
    }
    if !story.alerts.is_empty() {
        let lines = story
            .alerts
            .iter()
            .map(|a| {
                let end = a.recovered_at.map_or("not recovered".to_owned(), |at| format!("recovered {}", exact(at)));
                let taken =
                    a.taken.as_ref().map(|(at, by)| format!(", taken by {by} at {}", exact(*at))).unwrap_or_default();
                Line::plain(format!("{}: {}{taken}, {end}", exact(a.opened_at), tame(&a.signal, 80)))
            })
            .collect();
        blocks.push(Block::List { says: "Alerts".to_owned(), lines, folded: false });
    }
    if !story.owed.is_empty() {
        let mut owed: Vec<&Obligation> = story.owed.iter().collect();
        owed.sort_by_key(|one| (!one.is_overdue(now), one.given.is_some(), one.due_at));
        let lines = owed.iter().map(|one| super::obligation::line(one, settings, now)).collect();
        blocks.push(Block::List { says: "Owed afterwards".to_owned(), lines, folded: false });
    }
    if !story.rules.is_empty() {
        let lines = story.rules.iter().map(|rules| super::policy::line(rules, &exact)).collect();
        blocks.push(Block::List { says: "The rules that it was decided under".to_owned(), lines, folded: false });
    }
    let entries = story.entries.iter().map(|e| Line::plain(format!("#{} {} {}", e.seq, exact(e.at), e.kind))).collect();
    blocks.push(Block::List {
        says: format!("The ledger, {} entries", story.entries.len()),
        lines: entries,
        folded: true,
    });
    Message { blocks, ..Message::default() }
}

/// "grace: slack T1/U7 by the settings; discord 42 by a code since 3 November 2026 (entry 17)", a person a line.
fn who_is_who(accounts: &[Acted], zone: chrono_tz::Tz) -> Vec<Line> {
    let mut people: Vec<(&str, Vec<String>)> = Vec::new();
    for acted in accounts {
        let mut says = tame(&acted.account, 80);
        if let Some(known_by) = &acted.known_by {
            says.push_str(&format!(" {}", super::identity::how(known_by)));
        }
        if let Some((since, entry)) = acted.link {
            says.push_str(&format!(" since {} (entry {entry})", since.at(zone).format("%-d %B %Y")));
        }
        match people.iter_mut().find(|(person, _)| *person == acted.person) {
            Some((_, all)) => all.push(says),
            None => people.push((&acted.person, vec![says])),
        }
    }
    people.into_iter().map(|(person, all)| Line::plain(format!("{}: {}", tame(person, 60), all.join("; ")))).collect()
}

fn word_line(word: &Word, exact: &impl Fn(Time) -> String) -> Line {
    let (mark, verb) = match word.kind {
        WordKind::Approve => (Mark::Approve, "approved"),
        WordKind::Object => (Mark::Object, "objected to"),
        WordKind::Hold => (Mark::Hold, "held"),
    };
    let role = super::in_role(word);
    let mut text = format!(
        "{} {verb} revision {}{role} at {}, brief {}",
        word.person,
        word.revision,
        exact(word.at),
        short_brief(&word.brief)
    );
    if let Some(only_if) = &word.only_if {
        text.push_str(&super::condition::in_record(only_if, exact));
    }
    if let Some(at) = word.withdrawn_at {
        text.push_str(&format!("; taken back at {}", exact(at)));
    }
    if let Some(at) = word.voided_at {
        let why = word.void_reason.as_deref().unwrap_or("no reason kept");
        text.push_str(&format!("; void since {}: {}", exact(at), tame(why, 200)));
    }
    Line { mark: Some(mark), spans: vec![Span::plain(text)], code: None }
}

fn override_line(given: &Override, why: Option<&str>, exact: &impl Fn(Time) -> String) -> Line {
    let bound = given.bound.as_deref().map_or_else(|| "no commit".to_owned(), short);
    let why = why.map_or_else(|| "its reason was erased".to_owned(), |why| format!("\"{}\"", tame(why, 400)));
    let mut text = format!("{} as {} at {}, for {bound}: {why}", given.person, given.role, exact(given.at));
    if let Some(at) = given.used_at {
        text.push_str(&format!("; the start at {} relied on it", exact(at)));
    }
    if let Some(at) = given.over_at {
        let why = given.over_reason.as_deref().unwrap_or("no reason kept");
        text.push_str(&format!("; over since {}: {}", exact(at), tame(why, 200)));
    }
    Line { mark: Some(Mark::Caution), spans: vec![Span::plain(text)], code: Some(given.code.clone()) }
}

fn short_brief(brief: &str) -> String {
    brief.trim_start_matches("sha256:").chars().take(12).collect()
}

/// A deployment that nobody planned.
pub fn unplanned(row: &DeploymentRow, settings: &Settings) -> Message {
    let who = row.actor.as_deref().map_or("not told".to_owned(), |a| tame(a, 60));
    let plan = "none: it was deployed without one".to_owned();
    outside(&row.deployment, vec![("Who".to_owned(), who), ("Plan".to_owned(), plan)], row.source.clone(), settings)
}

/// A deployment that only a source knows of.
pub fn told(deployment: &Deployment, source: &SourceName, settings: &Settings) -> Message {
    let plan = "none here: it is not in this record".to_owned();
    outside(deployment, vec![("Plan".to_owned(), plan)], source.to_string(), settings)
}

fn outside(d: &Deployment, more: Vec<(String, String)>, told_by: String, settings: &Settings) -> Message {
    let zone = zone(settings, &d.service, &d.environment);
    let exact = |at: Time| at.at(zone).format("%-d %B %Y %H:%M:%S %Z").to_string();
    let version = d.version.as_deref().map_or("an unknown version".to_owned(), |v| tame(v, 60));
    let mut pairs = vec![
        ("What".to_owned(), format!("{} {version} → {}", d.service, d.environment)),
        ("Commit".to_owned(), d.commit.as_deref().map_or("not told".to_owned(), short)),
        ("When".to_owned(), exact(d.at)),
    ];
    pairs.extend(more);
    pairs.push(("Told by".to_owned(), told_by));
    if let Some(outcome) = d.outcome {
        let incident = d.incident.as_deref().map(|i| format!(", {}", tame(i, 40))).unwrap_or_default();
        pairs.push(("Outcome".to_owned(), format!("{}{incident}", outcome.as_str().replace('_', " "))));
    }
    Message {
        blocks: vec![
            Block::Title { text: format!("Why {}", tame(&d.id, 60)), context: String::new() },
            Block::Facts { pairs },
        ],
        ..Message::default()
    }
}

pub fn nothing(at: Time, settings: &Settings, now: Time) -> Message {
    Message::line(
        Mark::Info,
        format!(
            "Nothing was deployed in the day before {}, as far as the record knows.",
            says::time(at, settings.team.zone, now)
        ),
    )
}

/// The answer to `verify`.
pub fn verified(verdict: &Verdict, plan: Option<&(PlanId, Verdict)>, checkpoint: &str) -> Message {
    let mark = |ok: bool| if ok { Mark::Pass } else { Mark::Critical };
    let mut blocks = vec![Block::Line(Line::marked(mark(verdict.ok), verdict.says.clone()))];
    blocks.extend(verdict.remarks.iter().map(|says| Block::Line(Line::marked(Mark::Caution, tame(says, 300)))));
    if let Some((plan, proved)) = plan {
        blocks.push(Block::Line(Line::marked(mark(proved.ok), format!("{plan}: {}", proved.says))));
        blocks.push(Block::Line(Line::plain(format!(
            "The proof as a file, good without this server: `tidegate audit prove {plan}`, or `/api/ledger/proof?plan={plan}`; `tidegate audit verify FILE --key PUBLIC` judges it."
        ))));
    }
    blocks.push(Block::Code { says: String::new(), text: checkpoint.to_owned() });
    Message { blocks, ..Message::default() }
}
