//! What auditors read: completeness in sentences, the pack's cover, entries and proofs each in one plain sentence.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use crate::advice::says;
use crate::audit::{Case, Finding, Period, Report, Wanted};
use crate::clock::Time;
use crate::config::{After, Owed, Settings};
use crate::ledger::{Kind, Record, StoredText};
use crate::message::{Block, Line, Mark, Message, Span, tame};
use crate::name::PlanId;
use crate::store::plan::Revision;

/// What a finding is called over a list of changes.
pub fn finding(finding: Finding) -> &'static str {
    match finding {
        Finding::Override => "Overrides: somebody went on in spite of a named blocker",
        Finding::Emergency => "Emergency approvals",
        Finding::Unplanned => "Deployed without a plan",
        Finding::Unapproved => "Deployed although the plan was not approved",
        Finding::OtherCommit => "Another commit was deployed than the approved one",
        Finding::StartedNotDeployed => "Begun by a human, and no deployment was seen",
        Finding::ApprovedNotDeployed => "Approved, and never begun",
    }
}

/// The same in a word or two.
pub fn tag(finding: Finding) -> &'static str {
    match finding {
        Finding::Override => "override",
        Finding::Emergency => "emergency",
        Finding::Unplanned => "no plan",
        Finding::Unapproved => "not approved",
        Finding::OtherCommit => "other commit",
        Finding::StartedNotDeployed => "not deployed",
        Finding::ApprovedNotDeployed => "not begun",
    }
}

/// "1 to 30 November 2026", "all time".
pub fn period(period: &Period, zone: Tz) -> String {
    let day = |at: Time| at.at(zone).format("%-d %B %Y").to_string();
    let midnight = |at: Time| at.at(zone).format("%H:%M:%S").to_string() == "00:00:00";
    // A period of whole days ends with its last day, not with the midnight after it.
    if period.from != Period::EVER.from && period.to != Period::EVER.to && midnight(period.from) && midnight(period.to)
    {
        return format!("{} to {}", day(period.from), day(period.to.plus(-1)));
    }
    let at = |at: Time| at.at(zone).format("%-d %B %Y %H:%M").to_string();
    match (period.from == Period::EVER.from, period.to == Period::EVER.to) {
        (true, true) => "all time".to_owned(),
        (true, false) => format!("until {}", at(period.to)),
        (false, true) => format!("since {}", at(period.from)),
        (false, false) => format!("{} to {}", at(period.from), at(period.to)),
    }
}

/// The report: what went around the rules first, then what is overdue, then both ways of incompleteness.
pub fn report(report: &Report, settings: &Settings, now: Time) -> Vec<Block> {
    let zone = settings.team.zone;
    let exact = |at: Time| at.at(zone).format("%-d %b %Y %H:%M:%S").to_string();
    let gap = match report.first_gap {
        None => "none: every number from first to last has its entry".to_owned(),
        Some(seq) => format!("entry {seq} is missing"),
    };
    let stretch = match report.stretch.entries {
        0 => "none in this period".to_owned(),
        n => format!("{n}, #{} to #{} of {}", report.stretch.first, report.stretch.last, report.size),
    };
    let mut blocks = vec![
        Block::Title { text: "Completeness".to_owned(), context: period(&report.period, zone) },
        Block::Facts {
            pairs: vec![
                ("Changes planned".to_owned(), report.plans.to_string()),
                ("Deployments seen".to_owned(), report.deployments.to_string()),
                ("Nothing to ask about".to_owned(), report.clear.to_string()),
                ("Owed afterwards".to_owned(), format!("{}, of which {} were given", report.owed, report.given)),
                ("Entries".to_owned(), stretch),
                ("Gaps in the sequence".to_owned(), gap),
            ],
        },
    ];
    let list = |found: &crate::audit::Found| -> Block {
        let line = |change: &crate::audit::Change| {
            let version = change.version.as_deref().map(|v| format!(" {}", tame(v, 60))).unwrap_or_default();
            let by = change.by.as_deref().map(|by| format!(", by {}", tame(by, 60))).unwrap_or_default();
            let what = change.what.as_deref().map(|what| format!(": {}", tame(what, 160))).unwrap_or_default();
            Line::marked(
                if found.code < Finding::StartedNotDeployed { Mark::Critical } else { Mark::Caution },
                format!(
                    "{} {}{version} → {}, {}{by}{what} (#{})",
                    change.name,
                    change.service,
                    change.environment,
                    exact(change.at),
                    change.entry
                ),
            )
        };
        let mut lines: Vec<Line> = found.changes.iter().map(line).collect();
        let left = found.count.saturating_sub(lines.len() as u64);
        if left > 0 {
            lines.push(Line::plain(format!("and {left} more; the table has them all")));
        }
        if lines.is_empty() {
            lines.push(Line::marked(Mark::Pass, "None."));
        }
        Block::List { says: finding(found.code).to_owned(), lines, folded: false }
    };
    let (acts, rest): (Vec<_>, Vec<_>) =
        report.findings.iter().partition(|found| matches!(found.code, Finding::Override | Finding::Emergency));
    blocks.extend(acts.into_iter().map(list));
    let overdue = |due: &crate::audit::Due| {
        let what = Owed::parse(&due.what).map_or("", super::obligation::what);
        let after = After::parse(&due.after).map_or("", super::obligation::after);
        let state = match due.given {
            Some(at) => format!("given late, {}", exact(at)),
            None => "not given".to_owned(),
        };
        let text = format!("{}: {what} {after}, owed by {}, due {}, {state}", due.change, due.owner, exact(due.due));
        Line::marked(if due.given.is_some() { Mark::Caution } else { Mark::Critical }, text)
    };
    let mut lines: Vec<Line> = report.overdue.iter().map(overdue).collect();
    if lines.is_empty() {
        lines.push(Line::marked(Mark::Pass, "None."));
    }
    blocks.push(Block::List { says: "Owed and not given in time".to_owned(), lines, folded: false });
    blocks.extend(rest.into_iter().map(list));
    let noted = |one: &crate::audit::Noted| {
        let by = one.by.as_deref().map(|by| format!(", by {}", tame(by, 60))).unwrap_or_default();
        let digest =
            one.digest.as_deref().map(|digest| format!(" {}", super::policy::short(digest))).unwrap_or_default();
        Line::plain(format!("#{} {} {}{digest}{by}", one.entry, exact(one.at), kind_says(&one.kind)))
    };
    if !report.record.is_empty() {
        let lines = report.record.iter().map(noted).collect();
        blocks.push(Block::List { says: "The rules and the record itself".to_owned(), lines, folded: false });
    }
    let made = format!("Made {} from the entries alone. What it is of is bound by the checkpoint:", exact(now));
    blocks.push(Block::Line(Line::plain(made)));
    blocks.push(Block::Code { says: String::new(), text: report.checkpoint.clone() });
    blocks
}

/// The report as a message, for the terminal.
pub fn report_message(of: &Report, settings: &Settings, now: Time) -> Message {
    Message { blocks: report(of, settings, now), ..Message::default() }
}

pub fn pack_title(wanted: &Wanted, settings: &Settings, now: Time) -> String {
    let zone = settings.team.zone;
    match wanted {
        Wanted::Plan(plan) => format!("Evidence for {plan}"),
        Wanted::Period(of) => format!("Evidence, {}", period(of, zone)),
        Wanted::Everything => format!("Evidence, everything until {}", now.at(zone).format("%-d %B %Y")),
    }
}

/// What a pack is, and how it is checked.
pub fn pack_cover(wanted: &Wanted, checkpoint: &str, key: &str, settings: &Settings, now: Time) -> Vec<Block> {
    let zone = settings.team.zone;
    let made = now.at(zone).format("%-d %B %Y %H:%M:%S %Z").to_string();
    let (export, file) = match wanted {
        Wanted::Plan(plan) => (format!("tidegate audit export --plan {plan}"), format!("{plan}.jsonl")),
        Wanted::Period(of) => {
            let side = |name: &str, at: Time, ever: Time| {
                if at == ever { String::new() } else { format!(" --{name} {}", at.rfc3339()) }
            };
            let (from, to) = (side("from", of.from, Period::EVER.from), side("to", of.to, Period::EVER.to));
            (format!("tidegate audit export{from}{to}"), "record.jsonl".to_owned())
        }
        Wanted::Everything => ("tidegate audit export".to_owned(), "record.jsonl".to_owned()),
    };
    vec![
        Block::Facts {
            pairs: vec![
                ("Made".to_owned(), made),
                ("Team".to_owned(), tame(&settings.team.name, 120)),
                ("Public key".to_owned(), key.to_owned()),
            ],
        },
        Block::Code {
            says: "The checkpoint over the whole ledger at that moment, signed".to_owned(),
            text: checkpoint.to_owned(),
        },
        Block::Code {
            says: "How to check it, offline, with nothing but the public key from somewhere else than this paper"
                .to_owned(),
            text: format!("{export} > {file}\ntidegate audit verify {file} --key \"{key}\""),
        },
        Block::Line(Line::plain(
            "Or save the lines at the end of a change as a file and verify that: they are the same. The checkpoint binds every \
             entry, and a copy of it stands wherever a decision was shown: on the plan's card and in the pipeline's log.",
        )),
    ]
}

/// A deployment that has no plan.
pub fn without_plan(case: &Case, settings: &Settings) -> Vec<Block> {
    let zone = settings.team.zone;
    let exact = |at: Time| at.at(zone).format("%-d %B %Y %H:%M:%S %Z").to_string();
    let mut pairs = vec![
        (
            "What".to_owned(),
            format!(
                "{} {} → {}",
                case.service,
                case.version.as_deref().map_or("an unknown version".to_owned(), |v| tame(v, 60)),
                case.environment
            ),
        ),
        ("Plan".to_owned(), "none: it was deployed without one".to_owned()),
    ];
    for one in &case.deployments {
        let by = one.actor.as_deref().map(|actor| format!(", by {}", tame(actor, 60))).unwrap_or_default();
        pairs.push(("Deployed".to_owned(), format!("{}, {}{by}", exact(one.began), one.status.replace('_', " "))));
        pairs.push(("Commit".to_owned(), one.commit.as_deref().map_or("not told".to_owned(), |c| tame(c, 80))));
        pairs.push(("Entry".to_owned(), format!("#{}", one.entry)));
    }
    if let Some(outcome) = case.outcome.as_ref().and_then(|outcome| outcome.what.as_deref()) {
        pairs.push(("Outcome".to_owned(), outcome.replace('_', " ")));
    }
    vec![Block::Title { text: case.name().to_owned(), context: String::new() }, Block::Facts { pairs }]
}

/// Over the brief: which one it is, and what its hash says.
pub fn as_seen(revision: &Revision) -> Block {
    Block::Title {
        text: format!("The brief as it was seen, revision {}", revision.number),
        context: format!("{}; its hash stands in the entry that made the revision", revision.brief),
    }
}

/// Every entry of a change in a sentence, with its texts.
pub fn entries(records: &[Record], texts: &BTreeMap<i64, Vec<StoredText>>, zone: Tz) -> Block {
    let line = |record: &Record| {
        let at = Time::from_ms(record.at).at(zone).format("%-d %b %Y %H:%M:%S %Z").to_string();
        let mut spans = vec![
            Span::strong(format!("#{}", record.seq)),
            Span::plain(format!(" {at}, {}: {}", who(record), kind_says(record.kind.as_str()))),
        ];
        for (name, value) in &record.data {
            if let Some(value) = shown(value) {
                spans.push(Span::quiet(format!(" {name}: {value};")));
            }
        }
        let beside = i64::try_from(record.seq).ok().and_then(|seq| texts.get(&seq));
        for text in beside.into_iter().flatten() {
            let body = match &text.kept {
                Some((_, body)) => format!(" {}: “{}”", text.name, tame(body, 300)),
                None => format!(" {}: erased", text.name),
            };
            spans.push(Span::plain(body));
        }
        Line { spans, ..Line::default() }
    };
    let lines = records.iter().map(line).collect();
    Block::List { says: format!("Every entry about it, {}", records.len()), lines, folded: false }
}

/// The proof in one plain sentence.
pub fn proof_says(plan: &PlanId, entries: usize, size: u64) -> Vec<Block> {
    vec![
        Block::Title { text: format!("The proof for {plan}"), context: String::new() },
        Block::Line(Line::plain(format!(
            "Each line below holds one of the {entries} entries exactly as it was recorded, the texts that belong to it, and the \
             hashes that lead from it to the root of the ledger of {size} entries: if a single character of an entry or a text \
             were different, they would not lead there."
        ))),
        Block::Line(Line::plain(
            "The last line is the checkpoint: the root and how many entries there were, signed. Whoever holds any other \
             checkpoint of this ledger, from a card or a pipeline's log, can ask whether the one continues the other.",
        )),
        Block::Code { says: String::new(), text: format!("tidegate audit verify {plan}.jsonl --key \"NAME+ID+KEY\"") },
    ]
}

/// "grace as vp-engineering", "the clock".
fn who(record: &Record) -> String {
    let actor = &record.actor;
    let role = actor.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
    match (&actor.person, &actor.system, &actor.user) {
        (Some(person), ..) => format!("{person}{role}"),
        (None, Some(system), _) => format!("{} itself", tame(system, 60)),
        (None, None, Some(user)) => format!("somebody whom the settings do not know ({})", tame(user, 60)),
        _ => "nobody named".to_owned(),
    }
}

/// What a kind of entry means, in a sentence; a kind that is not known by its name.
pub fn kind_says(kind: &str) -> String {
    Kind::KNOWN
        .iter()
        .find(|(name, _)| *name == kind)
        .map_or_else(|| format!("{kind}."), |(_, says)| (*says).to_owned())
}

/// A fact of an entry in a few words; lists of objects stay in the lines below.
fn shown(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(tame(text, 160)),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(yes) => Some(if *yes { "yes" } else { "no" }.to_owned()),
        serde_json::Value::Array(all) => {
            let texts: Option<Vec<&str>> = all.iter().map(|one| one.as_str()).collect();
            texts.filter(|texts| !texts.is_empty()).map(|texts| tame(&texts.join(", "), 300))
        }
        _ => None,
    }
}

/// The report in a few lines: what to ask about first, or that there is nothing.
pub fn summary(report: &Report, settings: &Settings) -> Vec<Block> {
    let mut lines: Vec<Line> = Vec::new();
    for found in report.findings.iter().filter(|found| found.count > 0) {
        let names: Vec<&str> = found.changes.iter().take(8).map(|change| change.name.as_str()).collect();
        let more = if found.count > 8 { " and more" } else { "" };
        let mark = if found.code < Finding::StartedNotDeployed { Mark::Critical } else { Mark::Caution };
        lines
            .push(Line::marked(mark, format!("{}: {} ({}{more})", finding(found.code), found.count, names.join(", "))));
    }
    let open = report.overdue.iter().filter(|due| due.given.is_none()).count();
    if open > 0 {
        lines.push(Line::marked(Mark::Critical, format!("Owed and overdue: {open}")));
    }
    match report.first_gap {
        Some(seq) => lines.push(Line::marked(Mark::Critical, format!("Entry {seq} is missing."))),
        None => lines.push(Line::marked(Mark::Pass, "No gap in the sequence of entries.")),
    }
    let says = format!(
        "{} and {}, {}",
        says::count(i64::try_from(report.plans).unwrap_or(i64::MAX), "plan"),
        says::count(i64::try_from(report.deployments).unwrap_or(i64::MAX), "deployment"),
        period(&report.period, settings.team.zone)
    );
    vec![Block::List { says, lines, folded: false }]
}

/// "succeeded, clean", "cancelled", "begun".
pub fn came_of(case: &Case) -> String {
    let mut parts: Vec<String> = Vec::new();
    if let Some(one) = case.deployments.last() {
        parts.push(one.status.replace('_', " "));
    } else if let Some(over) = case.over.as_ref().and_then(|over| over.what.clone()) {
        parts.push(over);
    } else if case.started.is_some() {
        parts.push("begun".to_owned());
    }
    if let Some(outcome) = case.outcome.as_ref().and_then(|outcome| outcome.what.as_deref()) {
        parts.push(outcome.replace('_', " "));
    }
    parts.join(", ")
}
