//! Jobs that a platform holds follow from the ledger: what each would deploy, and what was answered.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::gate::job::{End, Job};
use crate::ledger::{Damage, Finding, Record, Verdict};
use crate::source::Decision;
use crate::store::{Store, is_of_the_database};

const PAGE: i64 = 500;

/// What the ledger says of one job.
#[derive(Debug, Default)]
struct Told {
    seq: u64,
    what: Vec<Value>,
    decided: Option<String>,
    ended: Option<String>,
}

/// Every difference between the ledger and the table; where there are very many, the first.
pub async fn compare(store: &Store, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    for kind in ["job.waits", "job.answered", "job.told"] {
        let mut after = 0;
        loop {
            let page = store.ledger_of_kind(kind, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            // What does not read was named by the chain's own verification.
            page.iter()
                .filter_map(|entry| Record::parse(&entry.bytes).ok())
                .for_each(|record| apply(&mut told, &record));
        }
    }
    let mut after = String::new();
    loop {
        let page = match store.jobs_from(&after, PAGE).await {
            Err(error) if !is_of_the_database(&error) => {
                let says = "What the store holds of jobs that wait does not read.";
                findings.push(Finding::new(None, Damage::Projection, says.to_owned()));
                return Ok(());
            }
            page => page?,
        };
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        for job in &page {
            let entry = told.remove(&job.id);
            let says = match &entry {
                None => format!("The store has a job `{}` that waits, which no entry told of.", job.id),
                Some(told) if told.what != what(job) => {
                    format!("What the job `{}` would deploy, or where, differs between store and ledger.", job.id)
                }
                Some(told)
                    if told.decided.as_deref() != job.decided.map(Decision::as_str)
                        || told.ended.as_deref() != job.ended.map(|(end, _)| End::as_str(end)) =>
                {
                    format!("What the job `{}` was answered differs between store and ledger.", job.id)
                }
                Some(_) => continue,
            };
            findings.push(Finding::new(entry.map(|told| told.seq), Damage::Projection, says));
            if findings.len() > Verdict::MOST {
                return Ok(());
            }
        }
    }
    for (id, entry) in told.into_iter().take(Verdict::MOST) {
        let says = format!("The ledger tells of a job `{id}` that the store lacks.");
        findings.push(Finding::new(entry.seq, Damage::Projection, says));
    }
    Ok(())
}

fn what(job: &Job) -> Vec<Value> {
    vec![
        json!(job.source.as_str()),
        json!(job.repository),
        json!(job.run),
        json!(job.gate),
        json!(job.deployment),
        json!(job.service.as_str()),
        json!(job.environment.as_str()),
        json!(job.commit),
        json!(job.asked_at.ms()),
        json!(job.until.ms()),
    ]
}

fn apply(told: &mut BTreeMap<String, Told>, record: &Record) {
    let get = |name: &str| record.data.get(name).cloned().unwrap_or_default();
    let id = get("job").as_str().unwrap_or_default().to_owned();
    match record.kind.as_str() {
        "job.waits" => {
            let names = ["source", "repository", "run", "gate", "deployment_id", "service", "environment"];
            let names = names.into_iter().chain(["job_commit", "asked", "until"]);
            told.insert(id, Told { seq: record.seq, what: names.map(get).collect(), decided: None, ended: None });
        }
        kind => {
            let Some(one) = told.get_mut(&id) else { return };
            one.seq = record.seq;
            let verdict = record.verdict.clone();
            match kind {
                "job.answered" => one.decided = verdict.filter(|verdict| verdict != "withdrawn"),
                _ => one.ended = verdict,
            }
        }
    }
}
