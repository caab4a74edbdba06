//! Everything stored that bears on the verdict on a plan: of many plans in a few questions, which mostly find nothing.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::hold::{FreezeRow, LockRow};
use super::plan::{PLAN_COLUMNS, PlanRow, Revision, plan_row, revision_row};
use super::{Tx, listed, said};
use crate::approval::Word;
use crate::approval::condition::Watcher;
use crate::approval::deputy::Deputy;
use crate::approval::overriding::Override;
use crate::approval::second_step::Step;
use crate::name::PlanId;

/// A plan, its newest brief and what there is beside it.
#[derive(Clone, Debug)]
pub struct Standing {
    pub row: PlanRow,
    /// None while the first is being gathered.
    pub revision: Option<Arc<Revision>>,
    pub said: Said,
    /// Second steps that were asked for, where the brief asks for one.
    pub steps: Vec<Step>,
    /// Locks on anything that nobody ended.
    pub locks: Vec<LockRow>,
    /// Freezes of anything that were neither lifted nor said to be over.
    pub freezes: Vec<FreezeRow>,
}

/// What people said about a plan, and who lent whom a role.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub words: Vec<Word>,
    pub overrides: Vec<Override>,
    pub deputies: Vec<Deputy>,
    /// Who watches; read where an approval may depend on it.
    pub watchers: Vec<Watcher>,
}

/// Whether there is any.
#[derive(Clone, Copy, Debug)]
struct There {
    /// Words and overrides on the plan, standing or not.
    words: bool,
    overrides: bool,
    /// Deputies, locks and freezes of anybody and anything.
    deputies: bool,
    locks: bool,
    freezes: bool,
}

/// Beside the plan `p`. Numbers, because the databases' truths differ.
const THERE: &str = "case when exists (select 1 from word where word.plan = p.id) then 1 else 0 end as words,
    case when exists (select 1 from overriding where overriding.plan = p.id) then 1 else 0 end as overrides,
    case when exists (select 1 from deputy where deputy.ended_at is null) then 1 else 0 end as deputies,
    case when exists (select 1 from target_lock where target_lock.ended_at is null) then 1 else 0 end as locks,
    case when exists (select 1 from target_freeze where target_freeze.ended_at is null) then 1 else 0 end as freezes";

impl Tx {
    /// The plans that are stored among these, as they stand in this transaction.
    pub async fn standings(&mut self, plans: &[PlanId]) -> anyhow::Result<HashMap<PlanId, Standing>> {
        let (places, ids) = listed(plans);
        let query = format!("select {PLAN_COLUMNS}, {THERE} from plan p where p.id in ({places})");
        let mut query = sqlx::query(sqlx::AssertSqlSafe(query));
        for id in ids {
            query = query.bind(id.as_str());
        }
        let rows = query.fetch_all(self.conn()).await.map_err(said)?;
        let mut found = Vec::with_capacity(rows.len());
        let mut there = Vec::with_capacity(rows.len());
        for row in &rows {
            let plan = plan_row(row)?;
            there.push((plan.plan.id.clone(), there_row(row)?));
            found.push(plan);
        }
        let mut briefs = self.briefs(&found).await?;
        let mut said = self.said_of(&there).await?;
        let any = |of: fn(&There) -> bool| there.iter().any(|(_, there)| of(there));
        let locks = if any(|there| there.locks) { self.locks().await? } else { Vec::new() };
        let freezes = if any(|there| there.freezes) { self.freezes().await? } else { Vec::new() };
        let mut standings = HashMap::with_capacity(found.len());
        for row in found {
            let id = row.plan.id.clone();
            let revision = briefs.remove(&id);
            let asks = revision.as_ref().is_some_and(|revision| revision.advice.asked.second_step.is_some());
            let steps = if asks { self.steps(&id).await? } else { Vec::new() };
            let (said, locks, freezes) = (said.remove(&id).unwrap_or_default(), locks.clone(), freezes.clone());
            standings.insert(id, Standing { row, revision, said, steps, locks, freezes });
        }
        Ok(standings)
    }

    /// One plan, with what its row is about to say.
    pub async fn standing(&mut self, row: &PlanRow) -> anyhow::Result<Standing> {
        let found = self.standings(std::slice::from_ref(&row.plan.id)).await?.remove(&row.plan.id);
        Ok(match found {
            Some(standing) => Standing { row: row.clone(), ..standing },
            None => Standing::of(row.clone()),
        })
    }

    /// The newest briefs of plans, where they have one.
    async fn briefs(&mut self, plans: &[PlanRow]) -> anyhow::Result<HashMap<PlanId, Arc<Revision>>> {
        let mut briefs = HashMap::with_capacity(plans.len());
        let mut others = Vec::new();
        for row in plans.iter().filter(|row| row.revision > 0) {
            match self.kept.brief(&row.plan.id, row.revision) {
                Some(brief) => drop(briefs.insert(row.plan.id.clone(), brief)),
                None => others.push(row.plan.id.clone()),
            }
        }
        if others.is_empty() {
            return Ok(briefs);
        }
        let (places, ids) = listed(&others);
        let query = format!(
            "select r.plan as plan, r.number as number, r.at as at, r.brief as brief, r.commit_sha as commit_sha,
                r.plan_body as plan_body, r.facts as facts, r.advice as advice, r.reason as reason,
                length(r.plan_body) + length(r.facts) + length(r.advice) as size
             from revision r join plan p on p.id = r.plan and p.revision = r.number where r.plan in ({places})"
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(query));
        for id in ids {
            query = query.bind(id.as_str());
        }
        for row in query.fetch_all(self.conn()).await.map_err(said)? {
            let plan = PlanId::new(row.try_get::<String, _>("plan").map_err(said)?);
            let brief = Arc::new(revision_row(&row)?);
            if self.looks {
                let size = usize::try_from(row.try_get::<i64, _>("size").map_err(said)?)?;
                self.kept.keep_brief(&plan, &brief, size);
            }
            briefs.insert(plan, brief);
        }
        Ok(briefs)
    }

    /// What people said about a plan, as it stands in this transaction.
    pub async fn said(&mut self, plan: &PlanId) -> anyhow::Result<Said> {
        let query = format!("select {THERE} from plan p where p.id = $1");
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(plan.as_str());
        let Some(row) = query.fetch_optional(self.conn()).await.map_err(said)? else { return Ok(Said::default()) };
        let there = [(plan.clone(), there_row(&row)?)];
        Ok(self.said_of(&there).await?.remove(plan).unwrap_or_default())
    }

    async fn said_of(&mut self, plans: &[(PlanId, There)]) -> anyhow::Result<HashMap<PlanId, Said>> {
        let mut said: HashMap<PlanId, Said> = HashMap::with_capacity(plans.len());
        let spoken: Vec<PlanId> = plans.iter().filter(|(_, there)| there.words).map(|(id, _)| id.clone()).collect();
        for (plan, word) in self.words_of(&spoken).await? {
            said.entry(plan).or_default().words.push(word);
        }
        let lent = plans.iter().any(|(_, there)| there.deputies);
        let deputies = if lent { self.deputies().await? } else { Vec::new() };
        for (plan, there) in plans {
            let said = said.entry(plan.clone()).or_default();
            said.deputies.clone_from(&deputies);
            if said.words.iter().any(|word| word.only_if.is_some()) {
                said.watchers = self.watchers(plan).await?;
            }
            if there.overrides {
                said.overrides = self.overrides(plan).await?;
            }
        }
        Ok(said)
    }
}

impl Standing {
    /// A plan with nothing beside it.
    fn of(row: PlanRow) -> Standing {
        Standing {
            row,
            revision: None,
            said: Said::default(),
            steps: Vec::new(),
            locks: Vec::new(),
            freezes: Vec::new(),
        }
    }
}

fn there_row(row: &AnyRow) -> anyhow::Result<There> {
    let any = |name: &str| row.try_get::<i64, _>(name).map(|there| there == 1).map_err(said);
    Ok(There {
        words: any("words")?,
        overrides: any("overrides")?,
        deputies: any("deputies")?,
        locks: any("locks")?,
        freezes: any("freezes")?,
    })
}
