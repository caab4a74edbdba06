//! State tables are projections of the ledger: rebuilt from it here plan by plan, and compared with what the store says.

mod hold;
mod identity;
mod job;

use std::collections::{BTreeMap, BTreeSet};

use super::{Damage, Finding, Record, Verdict};
use crate::approval::Word;
use crate::approval::condition::Watcher;
use crate::approval::overriding::Override;
use crate::approval::second_step::Step;
use crate::clock::Time;
use crate::config::SecondStep;
use crate::name::{Person, PlanId};
use crate::plan::{Plan, brief};
use crate::store::plan::{PlanRow, StoredRevision};
use crate::store::{Store, is_of_the_database};

/// Plans looked at together; memory does not grow with how many there are.
const PAGE: i64 = 500;

/// Words that stand (revision, kind, person, role in which it counted), and when they were given or recorded.
type Standing = BTreeMap<(u64, String, String, String), i64>;

/// Conditions on approvals that stand, by revision and person, and whether each is met.
type Conditions = BTreeMap<(u64, String), (String, bool)>;

/// Overrides by code and person: role, commit or change, facts, and when they were recorded.
type Overrides = BTreeMap<(String, String), (String, Option<String>, BTreeSet<String>, i64)>;

/// What the ledger says of one plan.
#[derive(Debug, Default)]
struct Told {
    standing: Standing,
    conditions: Conditions,
    /// Who watches, and when that was recorded.
    watchers: BTreeMap<String, i64>,
    started: Option<(i64, String)>,
    confirmed: Option<(i64, String)>,
    settled: Option<(i64, String)>,
    reviewed: Option<(i64, String)>,
    revision: u64,
    /// Entry, brief and commit of each revision.
    revisions: BTreeMap<u64, (u64, Option<String>, Option<String>)>,
    /// The newest revision is not of the plan as it was amended last.
    amended: bool,
    over: Option<&'static str>,
    /// Overrides that stand: code and person; role, what they are bound to and what they rest on; when.
    overrides: Overrides,
    /// Second steps that are open: person, brief, how, and until when.
    steps: BTreeMap<String, (String, String, String, i64)>,
    outcome: Option<String>,
    last: u64,
}

/// Every difference between the ledger and the tables that follow from it; where there are very many, the first.
pub async fn compare(store: &Store) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut after = String::new();
    loop {
        let page = store.plan_ids(&after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.to_string();
        for id in &page {
            of_plan(store, id, &mut findings).await?;
            if findings.len() > Verdict::MOST {
                return Ok(findings);
            }
        }
    }
    deputies(store, &mut findings).await?;
    for (id, seq) in store.entries_without_plan(i64::try_from(Verdict::MOST)?).await? {
        let says = format!("The ledger knows the plan `{id}`, the store does not.");
        findings.push(Finding::new(u64::try_from(seq).ok(), Damage::Projection, says));
    }
    hold::compare(store, &mut findings).await?;
    identity::compare(store, &mut findings).await?;
    job::compare(store, &mut findings).await?;
    Ok(findings)
}

/// Whether those who stand in for others are those that were named, in the same roles and until the same time.
async fn deputies(store: &Store, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let mut told: BTreeMap<String, (u64, [String; 3], Option<i64>)> = BTreeMap::new();
    for entry in store.ledger_of_kind("delegate", 0, i64::MAX).await? {
        let Ok(record) = Record::parse(&entry.bytes) else { continue };
        let text = |name: &str| record.data.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        if record.verdict.as_deref() == Some("given") {
            let words = [record.actor.person.clone().unwrap_or_default(), text("to"), text("role")];
            let until = record.data.get("until").and_then(serde_json::Value::as_i64);
            told.insert(text("deputy"), (record.seq, words, until));
        } else {
            told.remove(&text("deputy"));
        }
    }
    let mut wrong = |seq: Option<u64>, says: String| findings.push(Finding::new(seq, Damage::Projection, says));
    let stored = match store.deputies().await {
        Err(error) if !is_of_the_database(&error) => {
            wrong(None, "A deputy does not read.".to_owned());
            return Ok(());
        }
        stored => stored?,
    };
    for deputy in stored {
        let role = deputy.role.as_ref().map(ToString::to_string).unwrap_or_default();
        let words = [deputy.lender.to_string(), deputy.person.to_string(), role];
        match told.remove(&deputy.id) {
            Some((_, said, until)) if said == words && until == Some(deputy.until.ms()) => {}
            found => {
                let says = format!("The store has {} as deputy of {}, as no entry named them.", words[1], words[0]);
                wrong(found.map(|(seq, ..)| seq), says);
            }
        }
    }
    for (seq, [lender, person, _], _) in told.into_values() {
        wrong(Some(seq), format!("An entry named {person} as deputy of {lender}, whom the store lacks."));
    }
    Ok(())
}

async fn of_plan(store: &Store, id: &PlanId, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let Some(told) = rebuild(store, id).await? else {
        findings.push(Finding::new(None, Damage::Projection, format!("The plan `{id}` is in no entry.")));
        return Ok(());
    };
    let mut wrong = |says: String| findings.push(Finding::new(told.last, Damage::Projection, says));
    let row = match store.plan(id).await {
        Err(error) if !is_of_the_database(&error) => {
            wrong(format!("What the store holds of the plan `{id}` does not read."));
            return Ok(());
        }
        row => row?,
    };
    let Some(row) = row else { return Ok(()) };
    match standing(store, id).await {
        Err(error) if !is_of_the_database(&error) => wrong(format!("A word on `{id}` does not read.")),
        stored => words(id, &stored?, &told.standing, &mut wrong),
    }
    // What does not read was named above.
    if let Ok(stored) = store.words(id).await {
        conditions(id, &stored, &told.conditions, &mut wrong);
    }
    watchers(id, &store.watchers(id).await?, &told.watchers, &mut wrong);
    acts(&row, &told, &mut wrong);
    match store.steps(id).await {
        Err(error) if !is_of_the_database(&error) => wrong(format!("A second step on `{id}` does not read.")),
        stored => steps(id, &stored?, &told, &mut wrong),
    }
    match store.overrides(id).await {
        Err(error) if !is_of_the_database(&error) => wrong(format!("An override on `{id}` does not read.")),
        stored => overrides(id, &stored?, &told.overrides, &mut wrong),
    }
    if let (Some(outcome), Some(deployment)) = (&told.outcome, store.deployment_of(id).await?)
        && deployment.deployment.outcome.map(crate::advice::facts::Outcome::as_str) != Some(outcome.as_str())
    {
        wrong(format!("The outcome of `{id}` differs between store and ledger."));
    }
    revisions(store, &row, &told, findings).await
}

fn words(id: &PlanId, stored: &Standing, told: &Standing, wrong: &mut impl FnMut(String)) {
    let word = |kind: &str, person: &str, role: &str| match role {
        "" => format!("a word ({kind}) of {person}"),
        role => format!("a word ({kind}) of {person} as {role}"),
    };
    for (key, at) in stored {
        let (revision, kind, person, role) = key;
        let word = word(kind, person, role);
        match told.get(key) {
            None => wrong(format!("The store counts {word} on revision {revision} of `{id}` that no entry gave.")),
            // A later word counts longer.
            Some(recorded) if at > recorded => {
                wrong(format!("The store dates {word} on revision {revision} of `{id}` later than its entry."));
            }
            Some(_) => {}
        }
    }
    for (revision, kind, person, role) in told.keys().filter(|key| !stored.contains_key(key)) {
        let word = word(kind, person, role);
        wrong(format!("An entry gave {word} on revision {revision} of `{id}` that the store lacks."));
    }
}

/// Whether each approval that stands depends on what was recorded, and is met or not as was recorded.
fn conditions(id: &PlanId, stored: &[Word], told: &Conditions, wrong: &mut impl FnMut(String)) {
    let standing = stored.iter().filter(|word| word.stands());
    let stored: Conditions = standing
        .filter_map(|word| {
            let only_if = word.only_if.as_ref()?;
            let key = (u64::try_from(word.revision).unwrap_or(0), word.person.to_string());
            Some((key, (only_if.condition.written(), only_if.met.is_some())))
        })
        .collect();
    let keys: BTreeSet<_> = stored.keys().chain(told.keys()).collect();
    for key in keys.into_iter().filter(|key| stored.get(*key) != told.get(*key)) {
        let (revision, person) = key;
        wrong(format!(
            "What the approval of {person} on revision {revision} of `{id}` depends on, or whether that is met, differs between store and ledger."
        ));
    }
}

/// Whether those who watch are those who said so.
fn watchers(id: &PlanId, stored: &[Watcher], told: &BTreeMap<String, i64>, wrong: &mut impl FnMut(String)) {
    for watcher in stored {
        if told.get(watcher.person.as_str()).is_none_or(|recorded| watcher.since.ms() > *recorded) {
            wrong(format!("The store has {} watch `{id}`, as no entry says.", watcher.person));
        }
    }
    for person in told.keys().filter(|person| stored.iter().all(|watcher| watcher.person.as_str() != **person)) {
        wrong(format!("An entry has {person} watch `{id}`, whom the store lacks."));
    }
}

/// Whether the overrides that stand are those that were recorded, for the same commit and the same facts.
fn overrides(id: &PlanId, stored: &[Override], told: &Overrides, wrong: &mut impl FnMut(String)) {
    let mut seen = BTreeSet::new();
    for given in stored.iter().filter(|given| given.stands()) {
        let key = (given.code.clone(), given.person.to_string());
        let same = told.get(&key).is_some_and(|(role, bound, facts, at)| {
            *role == given.role.to_string() && *bound == given.bound && *facts == given.facts && given.at.ms() <= *at
        });
        if !same {
            wrong(format!("The store has an override of {} on `{id}` by {} that no entry gave so.", key.0, key.1));
        }
        seen.insert(key);
    }
    for (code, person) in told.keys().filter(|key| !seen.contains(*key)) {
        wrong(format!("An entry gave an override of {code} on `{id}` by {person} that the store lacks."));
    }
}

/// Whether the approvals that wait to be confirmed are those of which the ledger says so.
fn steps(id: &PlanId, stored: &[Step], told: &Told, wrong: &mut impl FnMut(String)) {
    let open: BTreeMap<&str, &Step> =
        stored.iter().filter(|step| step.is_open()).map(|step| (step.id.as_str(), step)).collect();
    for (step, found) in &open {
        let same = told.steps.get(*step).is_some_and(|(person, brief, how, until)| {
            found.person.as_str() == person
                && found.brief == *brief
                && found.how.as_str() == how
                && found.ends_at.ms() == *until
        });
        if !same {
            wrong(format!("The store waits for {} to confirm an approval of `{id}` as no entry asked.", found.person));
        }
    }
    for (_, (person, ..)) in told.steps.iter().filter(|(step, _)| !open.contains_key(step.as_str())) {
        wrong(format!("An entry asked {person} to confirm an approval of `{id}` that the store does not wait for."));
    }
}

/// Who started, confirmed and settled it, at which revision it is, and whether it is over.
fn acts(row: &PlanRow, told: &Told, wrong: &mut impl FnMut(String)) {
    let id = &row.plan.id;
    let same = |stored: &Option<(Time, Person)>, told: &Option<(i64, String)>| match (stored, told) {
        (None, None) => true,
        // An entry is never earlier than the act that it records.
        (Some((at, by)), Some((recorded, person))) => by.as_str() == person && at.ms() <= *recorded,
        _ => false,
    };
    if !same(&row.started, &told.started) {
        wrong(format!("Who started `{id}`, or when, differs between store and ledger."));
    }
    if !same(&row.confirmed, &told.confirmed) {
        wrong(format!("Who confirmed `{id}`, or when, differs between store and ledger."));
    }
    if !same(&row.category, &told.settled) {
        wrong(format!("Who settled the doubt about the risk of `{id}` differs between store and ledger."));
    }
    if !same(&row.reviewed, &told.reviewed) {
        wrong(format!("Who found the plan `{id}` sound, or when, differs between store and ledger."));
    }
    if u64::try_from(row.revision).ok() != Some(told.revision) {
        wrong(format!("The store has `{id}` at revision {}, the ledger at {}.", row.revision, told.revision));
    }
    if let Some(over) = told.over
        && row.state.as_str() != over
    {
        wrong(format!("The store has `{id}` as {}, the ledger as {over}.", row.state.as_str()));
    }
}

/// Whether every stored brief is the one whose hash was recorded: the gate decides from its facts and its needs.
async fn revisions(store: &Store, row: &PlanRow, told: &Told, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let id = &row.plan.id;
    let stored = store.revision_numbers(id).await?;
    for number in &stored {
        if u64::try_from(*number).is_ok_and(|number| told.revisions.contains_key(&number)) {
            continue;
        }
        let says = format!("The store has a revision {number} of `{id}` that no entry made.");
        findings.push(Finding::new(told.last, Damage::Projection, says));
    }
    for (number, (seq, brief, commit)) in &told.revisions {
        let found = store.stored_revision(id, i64::try_from(*number)?).await?;
        let says = match found {
            None => Some(format!("An entry made revision {number} of `{id}` that the store lacks.")),
            Some(found) => {
                let newest = *number == told.revision && !told.amended;
                forged(&found, brief.as_deref(), commit.as_deref(), newest.then_some(&row.plan))
                    .map(|what| format!("{what} of revision {number} of `{id}` is not what was recorded."))
            }
        };
        findings.extend(says.map(|says| Finding::new(*seq, Damage::Projection, says)));
    }
    Ok(())
}

/// What of a stored revision differs from its entry, if anything does.
fn forged(
    found: &StoredRevision,
    brief: Option<&str>,
    commit: Option<&str>,
    plan: Option<&Plan>,
) -> Option<&'static str> {
    if Some(found.brief.as_str()) != brief {
        return Some("The brief's hash");
    }
    if found.commit.as_deref() != commit {
        return Some("The commit");
    }
    let recomputed = brief::hash_of_stored(&found.plan, &found.facts, &found.advice).ok();
    if recomputed.as_deref() != brief {
        return Some("The brief (plan, facts or advice)");
    }
    // The plan as it stands is the one that its newest brief speaks of.
    let same = |plan: &Plan| serde_json::from_str::<Plan>(&found.plan).is_ok_and(|of_brief| of_brief == *plan);
    plan.filter(|plan| !same(plan)).map(|_| "The plan itself, or the plan")
}

async fn standing(store: &Store, id: &PlanId) -> anyhow::Result<Standing> {
    let words = store.words(id).await?;
    let word = |w: &crate::approval::Word| {
        let role = w.role.as_ref().map(ToString::to_string).unwrap_or_default();
        let lender = w.lender.as_ref().map(|lender| lender.as_str());
        let role = in_role(role, lender, w.on_call_at.is_some(), w.confirmed.map(SecondStep::as_str));
        let revision = u64::try_from(w.revision).unwrap_or(0);
        ((revision, w.kind.as_str().to_owned(), w.person.to_string(), role), w.at.ms())
    };
    Ok(words.iter().filter(|w| w.stands()).map(word).collect())
}

/// The role, for whom it was spoken in, whether on call, and how that was confirmed.
fn in_role(role: String, lender: Option<&str>, on_call: bool, confirmed: Option<&str>) -> String {
    let lender = lender.map(|lender| format!(" for {lender}")).unwrap_or_default();
    let on_call = if on_call { ", on call" } else { "" };
    let confirmed = confirmed.map(|how| format!(", confirmed ({how})")).unwrap_or_default();
    format!("{role}{lender}{on_call}{confirmed}")
}

/// What the ledger says of a plan; None where no entry is about it.
async fn rebuild(store: &Store, id: &PlanId) -> anyhow::Result<Option<Told>> {
    let mut told = None;
    for entry in store.ledger_of(id).await? {
        // What does not read was named by the chain's own verification.
        let Ok(record) = Record::parse(&entry.bytes) else { continue };
        if record.plan.as_ref().is_some_and(|plan| plan.id == id.as_str()) {
            apply(told.get_or_insert_with(Told::default), &record);
        }
    }
    Ok(told)
}

fn apply(told: &mut Told, record: &Record) {
    let text = |name: &str| record.data.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let person = record.actor.person.clone();
    let revision = record.plan.as_ref().and_then(|p| p.revision).unwrap_or(0);
    told.last = record.seq;
    match record.kind.to_string().as_str() {
        "plan.revised" => {
            let bound = record.plan.as_ref().map(|plan| (plan.brief.clone(), plan.commit.clone())).unwrap_or_default();
            told.revisions.insert(revision, (record.seq, bound.0, bound.1));
            told.revision = revision;
            told.amended = false;
        }
        "plan.amended" => {
            told.standing.clear();
            told.conditions.clear();
            told.watchers.clear();
            told.confirmed = None;
            told.settled = None;
            told.reviewed = None;
            told.amended = true;
        }
        "word.voided" => {
            told.standing.clear();
            told.conditions.clear();
        }
        "word.given" => {
            let role = record.actor.role.clone().unwrap_or_default();
            let data = |name: &str| record.data.get(name).and_then(|v| v.as_str());
            let role = in_role(role, data("for"), data("on_call_at").is_some(), data("confirmed"));
            let by = person.unwrap_or_default();
            told.steps.remove(&text("step"));
            if record.data.contains_key("condition") {
                told.conditions.insert((revision, by.clone()), (text("condition"), false));
            }
            told.standing.insert((revision, text("word"), by, role), record.at);
        }
        "step.asked" => {
            let brief = record.plan.as_ref().and_then(|plan| plan.brief.clone()).unwrap_or_default();
            let until = record.data.get("until").and_then(serde_json::Value::as_i64).unwrap_or_default();
            told.steps.insert(text("step"), (person.unwrap_or_default(), brief, text("how"), until));
        }
        "step.ended" => drop(told.steps.remove(&text("step"))),
        "condition.met" | "condition.lost" => {
            if let Some((_, met)) = told.conditions.get_mut(&(revision, text("of"))) {
                *met = record.kind.as_str() == "condition.met";
            }
        }
        "watcher.joined" => drop(told.watchers.insert(person.unwrap_or_default(), record.at)),
        "watcher.left" => drop(told.watchers.remove(&person.unwrap_or_default())),
        "word.withdrawn" => {
            // Whose word it was, where somebody else, or nobody, took it back.
            let of = Some(text("of")).filter(|of| !of.is_empty());
            let (kind, person) = (text("word"), of.or(person).unwrap_or_default());
            told.standing.retain(|(on, said, by, _), _| (*on, said, by) != (revision, &kind, &person));
            if kind == "approve" {
                told.conditions.remove(&(revision, person));
            }
        }
        "override" => match record.verdict.as_deref() {
            Some("given") => {
                let listed = record.data.get("facts").and_then(|v| v.as_array()).into_iter().flatten();
                let facts = listed.filter_map(|v| v.as_str()).map(str::to_owned).collect();
                let bound = record.plan.as_ref().and_then(|plan| plan.commit.clone().or_else(|| plan.change.clone()));
                let role = record.actor.role.clone().unwrap_or_default();
                let key = (text("code"), person.unwrap_or_default());
                told.overrides.insert(key, (role, bound, facts, record.at));
            }
            Some("void") => drop(told.overrides.remove(&(text("code"), text("of")))),
            _ => {}
        },
        "start" => told.started = person.map(|person| (record.at, person)),
        "confirm" => told.confirmed = person.map(|person| (record.at, person)),
        "risk.settled" => told.settled = person.map(|person| (record.at, person)),
        "risk.corrected" => {
            told.settled = person.map(|person| (record.at, person));
            told.confirmed = None;
            told.amended = true;
        }
        "review.given" => {
            let sound = record.verdict.as_deref() == Some("sound");
            told.reviewed = person.filter(|_| sound).map(|person| (record.at, person));
        }
        "plan.cancelled" => told.over = Some("cancelled"),
        "plan.expired" => told.over = Some("expired"),
        "outcome.given" => told.outcome = Some(text("outcome")),
        _ => {}
    }
}
