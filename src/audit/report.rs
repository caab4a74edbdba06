//! Whether the record of a period is complete: every deployment that was seen beside every plan that was approved, both
//! ways; what went around the rules; what is overdue. Read from the ledger's entries, one change at a time.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use anyhow::Context;
use serde::Serialize;

use crate::audit::{Act, Case, Finding, Obligation, Period};
use crate::clock::Time;
use crate::ledger::{Record, Signer};
use crate::name::PlanId;
use crate::store::Store;
use crate::store::audit::Stretch;

/// Changes that are named for one finding; the rest is counted.
const NAMED: usize = 1_000;
/// Plans read at once.
const PAGE: i64 = 200;

/// What is complete in a period, and what is not.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub period: Period,
    /// The part of the ledger that belongs to the period.
    pub stretch: Stretch,
    /// Entries of the whole ledger, and the first number that is missing in the period's part, if one is.
    pub size: u64,
    pub first_gap: Option<i64>,
    pub plans: u64,
    pub deployments: u64,
    /// Changes about which nothing was found.
    pub clear: u64,
    pub findings: Vec<Found>,
    pub overdue: Vec<Due>,
    pub owed: u64,
    pub given: u64,
    /// Entries about the rules and the record itself: rules that changed and were approved, keys, restores, erased texts.
    pub record: Vec<Noted>,
    pub checkpoint: String,
    pub key: String,
}

/// The changes about which one thing was found.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    pub code: Finding,
    pub count: u64,
    /// At most a thousand.
    pub changes: Vec<Change>,
}

/// A change in one line.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    pub name: String,
    pub at: Time,
    pub service: String,
    pub environment: String,
    pub version: Option<String>,
    pub by: Option<String>,
    /// What exactly: the blocker that was overridden, the two commits.
    pub what: Option<String>,
    pub entry: u64,
}

/// What was owed and not given in time.
#[derive(Clone, Debug, Serialize)]
pub struct Due {
    pub obligation: String,
    pub change: String,
    pub what: String,
    pub after: String,
    pub owner: String,
    pub due: Time,
    pub given: Option<Time>,
}

/// An entry about the rules or the record.
#[derive(Clone, Debug, Serialize)]
pub struct Noted {
    pub entry: u64,
    pub at: Time,
    pub kind: String,
    pub by: Option<String>,
    pub digest: Option<String>,
}

/// Reads a store as it is at one moment.
pub async fn report(store: &Store, signer: &Signer, period: Period, now: Time) -> anyhow::Result<Report> {
    let head = store.ledger_head().await?.context("the store holds no ledger")?;
    let stretch = store.stretch(period.from, period.to, i64::try_from(head.size())?).await?;
    let mut found: BTreeMap<Finding, Found> =
        Finding::ALL.into_iter().map(|code| (code, Found { code, count: 0, changes: Vec::new() })).collect();
    let (mut plans, mut deployments, mut clear) = (0, 0, 0);
    let mut cases = Cases::new(store, stretch);
    while let Some(case) = cases.next().await? {
        plans += u64::from(case.plan.is_some());
        deployments += case.deployments.len() as u64;
        let findings = case.findings();
        clear += u64::from(findings.is_empty());
        for code in findings {
            let Some(list) = found.get_mut(&code) else { continue };
            for change in changes(&case, code) {
                list.count += 1;
                if list.changes.len() < NAMED {
                    list.changes.push(change);
                }
            }
        }
    }
    let (mut overdue, mut owed, mut given) = (Vec::new(), 0, 0);
    for one in store.obligations_between(period.from, period.to, 100_000).await? {
        (owed, given) = (owed + 1, given + u64::from(one.given.is_some()));
        let late = one.given.as_ref().is_some_and(|(at, _)| *at > one.due_at);
        if (one.is_overdue(now) || late) && overdue.len() < NAMED {
            overdue.push(due(&one));
        }
    }
    let first_gap = match stretch.entries {
        0 => None,
        entries if stretch.last - stretch.first + 1 == entries => None,
        _ => store.first_gap(stretch.first, stretch.last).await?,
    };
    Ok(Report {
        period,
        stretch,
        size: head.size(),
        first_gap,
        plans,
        deployments,
        clear,
        findings: found.into_values().collect(),
        overdue,
        owed,
        given,
        record: noted(store, stretch).await?,
        checkpoint: crate::ledger::checkpoint_now(store, signer).await?.note,
        key: signer.public().to_string(),
    })
}

/// The changes that a stretch of the ledger is about, each whole, in the order in which they first appear in it; those
/// that were deployed without a plan last.
#[derive(Debug)]
pub struct Cases<'s> {
    store: &'s Store,
    stretch: Stretch,
    plans: std::vec::IntoIter<(i64, String)>,
    after: i64,
    unplanned: std::vec::IntoIter<Record>,
    planned: bool,
    /// Deployments that were told already, by a hash of their id.
    seen: HashSet<u64>,
}

impl<'s> Cases<'s> {
    pub fn new(store: &'s Store, stretch: Stretch) -> Cases<'s> {
        Cases {
            store,
            stretch,
            plans: Vec::new().into_iter(),
            after: 0,
            unplanned: Vec::new().into_iter(),
            planned: true,
            seen: HashSet::new(),
        }
    }

    pub async fn next(&mut self) -> anyhow::Result<Option<Case>> {
        while self.planned && self.stretch.entries > 0 {
            if let Some((seq, plan)) = self.plans.next() {
                self.after = seq;
                return Ok(Some(of_plan(self.store, &PlanId::new(plan)).await?));
            }
            let page = self.store.plans_in(self.stretch, self.after, PAGE).await?;
            if page.is_empty() {
                (self.planned, self.after) = (false, 0);
            }
            self.plans = page.into_iter();
        }
        while self.stretch.entries > 0 {
            for record in self.unplanned.by_ref() {
                let id = record.data.get("deployment").and_then(|id| id.as_str()).unwrap_or_default();
                let mut hasher = DefaultHasher::new();
                id.hash(&mut hasher);
                if self.seen.insert(hasher.finish()) {
                    return Ok(Some(self.without_plan(&record, id).await?));
                }
            }
            let page = self.store.unplanned_in(self.stretch, self.after, PAGE).await?;
            let Some(last) = page.last() else { break };
            self.after = last.seq;
            let records: Vec<Record> = page.iter().filter_map(|entry| Record::parse(&entry.bytes).ok()).collect();
            self.unplanned = records.into_iter();
        }
        Ok(None)
    }

    /// A deployment without a plan: its first entry, and how it stands now.
    async fn without_plan(&self, record: &Record, id: &str) -> anyhow::Result<Case> {
        let mut case = Case::of([record]);
        if let Some(row) = self.store.deployment(id).await?
            && let Some(deployed) = case.deployments.first_mut()
        {
            row.status.as_str().clone_into(&mut deployed.status);
            deployed.ended = row.deployment.finished;
            case.outcome = row.deployment.outcome.map(|outcome| Act {
                by: row.outcome_by.as_ref().map(ToString::to_string),
                at: row.outcome_at.unwrap_or_default(),
                what: Some(outcome.as_str().to_owned()),
                ..Act::default()
            });
        }
        Ok(case)
    }
}

/// Everything that the ledger says of one plan.
pub async fn of_plan(store: &Store, plan: &PlanId) -> anyhow::Result<Case> {
    let entries = store.ledger_of(plan).await?;
    let records: Vec<Record> = entries.iter().filter_map(|entry| Record::parse(&entry.bytes).ok()).collect();
    Ok(Case::of(&records))
}

/// The lines of one finding about one change: an override is a line of its own.
fn changes(case: &Case, code: Finding) -> Vec<Change> {
    let line = |at: Time, by: Option<String>, what: Option<String>, entry: u64| Change {
        name: case.name().to_owned(),
        at,
        service: case.service.clone(),
        environment: case.environment.clone(),
        version: case.version.clone(),
        by,
        what,
        entry,
    };
    let of_act = |act: &Act| line(act.at, act.by.clone(), act.what.clone(), act.entry);
    match code {
        Finding::Override => case.overrides.iter().map(of_act).collect(),
        Finding::Emergency => case.emergencies.iter().map(of_act).collect(),
        Finding::Unplanned | Finding::Unapproved | Finding::OtherCommit => {
            let wrong = case.deployments.iter().filter(|one| match code {
                Finding::Unapproved => !one.approved && !one.started,
                Finding::OtherCommit => one.same_commit == Some(false),
                _ => true,
            });
            let what = |deployed: Option<&String>| match code {
                Finding::OtherCommit => {
                    let text = |commit: Option<&String>| commit.map_or("?", String::as_str).to_owned();
                    Some(format!("{} instead of {}", text(deployed), text(case.commit.as_ref())))
                }
                _ => None,
            };
            wrong.map(|one| line(one.began, one.actor.clone(), what(one.commit.as_ref()), one.entry)).collect()
        }
        Finding::StartedNotDeployed => case.started.iter().map(of_act).collect(),
        Finding::ApprovedNotDeployed => {
            let what = case.over.as_ref().and_then(|over| over.what.clone());
            let last = case.approvals().last();
            last.map(|word| line(word.at, Some(word.by.clone()), what, word.entry)).into_iter().collect()
        }
    }
}

fn due(owed: &Obligation) -> Due {
    Due {
        obligation: owed.id.clone(),
        change: owed.subject().to_owned(),
        what: owed.what.as_str().to_owned(),
        after: owed.after.as_str().to_owned(),
        owner: crate::wording::obligation::owner_word(owed.person.as_ref(), owed.role.as_ref()),
        due: owed.due_at,
        given: owed.given.as_ref().map(|given| given.0),
    }
}

/// Entries of a stretch about the rules and the record itself.
async fn noted(store: &Store, stretch: Stretch) -> anyhow::Result<Vec<Noted>> {
    let mut noted = Vec::new();
    for kind in ["policy.changed", "policy.approved", "key.rotated", "log.restored", "text.erased"] {
        let mut after = stretch.first - 1;
        while noted.len() < 10 * NAMED {
            let page = store.ledger_of_kind(kind, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for record in page.iter().filter(|e| e.seq <= stretch.last).filter_map(|e| Record::parse(&e.bytes).ok()) {
                noted.push(Noted {
                    entry: record.seq,
                    at: Time::from_ms(record.at),
                    kind: record.kind.to_string(),
                    digest: record.data.get("after").and_then(|digest| digest.as_str()).map(str::to_owned),
                    by: record.actor.person.or(record.actor.system),
                });
            }
            if after > stretch.last {
                break;
            }
        }
    }
    noted.sort_by_key(|one| one.entry);
    Ok(noted)
}
