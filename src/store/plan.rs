//! Plans and their revisions.

use anyhow::Context;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, Tx, said};
use crate::advice::Advice;
use crate::advice::facts::Facts;
use crate::clock::Time;
use crate::name::{Channel, Environment, Person, PlanId, Service};
use crate::plan::{Plan, State};

/// A plan with where it stands.
#[derive(Clone, Debug)]
pub struct PlanRow {
    pub plan: Plan,
    pub state: State,
    /// The newest revision; 0 while the first is being gathered.
    pub revision: i64,
    pub platform: String,
    pub channel: Channel,
    pub changed_at: Time,
    /// Who asked to start while the typed confirmation was missing, and when.
    pub asked: Option<(Time, Person)>,
    pub confirmed: Option<(Time, Person)>,
    pub started: Option<(Time, Person)>,
    /// Who settled a contested category, and when.
    pub category: Option<(Time, Person)>,
    /// Who found the plan sound as it is worded, and when.
    pub reviewed: Option<(Time, Person)>,
    /// When the facts were last gathered.
    pub refreshed_at: Option<Time>,
    /// Since when something material differs from the brief that humans saw.
    pub stale_at: Option<Time>,
}

impl PlanRow {
    /// A plan that is only looked at.
    pub fn unrecorded(plan: Plan) -> PlanRow {
        PlanRow {
            changed_at: plan.made_at,
            plan,
            state: State::Advised,
            revision: 0,
            platform: "terminal".to_owned(),
            channel: Channel::new(""),
            asked: None,
            confirmed: None,
            started: None,
            category: None,
            reviewed: None,
            refreshed_at: None,
            stale_at: None,
        }
    }

    /// Why its plan must be read by somebody else before anybody may approve it, while nobody has found it sound.
    pub fn awaits_review<'a>(&self, revision: &'a Revision) -> Option<&'a str> {
        revision.advice.asked.review.as_deref().filter(|_| self.reviewed.is_none())
    }
}

/// One numbered revision of a plan's brief.
#[derive(Clone, Debug)]
pub struct Revision {
    pub number: i64,
    pub at: Time,
    /// `sha256:…` over the canonical brief.
    pub brief: String,
    pub commit: Option<String>,
    pub plan: Plan,
    pub facts: Facts,
    pub advice: Advice,
    /// What made it: the first brief, or what changed.
    pub reason: String,
}

/// A revision as it is stored, unread: what a brief's hash is recomputed from.
#[derive(Clone, Debug)]
pub struct StoredRevision {
    pub brief: String,
    pub commit: Option<String>,
    pub plan: String,
    pub facts: String,
    pub advice: String,
}

pub(super) const PLAN_COLUMNS: &str =
    "body, state, revision, platform, channel, changed_at, confirmed_at, confirmed_by, started_at, \
    started_by, category_at, category_by, refreshed_at, stale_at, asked_at, asked_by,
    reviewed_at, reviewed_by";

/// A select of plans; the rest is ours, never from outside.
fn select_plans(rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("select {PLAN_COLUMNS} from plan {rest}"))
}

const OPEN: &str = "state in ('draft', 'advised', 'approved', 'held', 'objected', 'started', 'watching')";

impl Store {
    pub async fn plan(&self, id: &PlanId) -> anyhow::Result<Option<PlanRow>> {
        let row = sqlx::query(select_plans("where id = $1"))
            .bind(id.as_str())
            .fetch_optional(self.reader())
            .await
            .map_err(said)?;
        row.as_ref().map(plan_row).transpose()
    }

    /// Plans that are not over, newest first.
    pub async fn open_plans(&self) -> anyhow::Result<Vec<PlanRow>> {
        let rows = sqlx::query(select_plans(&format!("where {OPEN} order by made_at desc limit 500")))
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
        rows.iter().map(plan_row).collect()
    }

    /// All plans, newest first, at most `most`.
    pub async fn plans(&self, most: i64) -> anyhow::Result<Vec<PlanRow>> {
        let rows = sqlx::query(select_plans("order by made_at desc limit $1"))
            .bind(most)
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
        rows.iter().map(plan_row).collect()
    }

    /// The plans whose names follow `after`, in the order of their names, at most `most`.
    pub async fn plan_ids(&self, after: &str, most: i64) -> anyhow::Result<Vec<PlanId>> {
        let rows: Vec<(String,)> = sqlx::query_as("select id from plan where id > $1 order by id limit $2")
            .bind(after)
            .bind(most)
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
        Ok(rows.into_iter().map(|(id,)| PlanId::new(id)).collect())
    }

    /// The plans on a platform that wait for words.
    pub async fn waiting_plans(&self, platform: &str) -> anyhow::Result<Vec<PlanId>> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "select id from plan where platform = $1 and state in ('draft', 'advised', 'approved', 'held', 'objected')",
        )
        .bind(platform)
        .fetch_all(self.reader())
        .await
        .map_err(said)?;
        Ok(rows.into_iter().map(|(id,)| PlanId::new(id)).collect())
    }

    pub async fn revision(&self, plan: &PlanId, number: i64) -> anyhow::Result<Option<Revision>> {
        let row =
            sqlx::query(REVISION).bind(plan.as_str()).bind(number).fetch_optional(self.reader()).await.map_err(said)?;
        row.as_ref().map(revision_row).transpose()
    }

    /// The numbers of a plan's revisions, in order.
    pub async fn revision_numbers(&self, plan: &PlanId) -> anyhow::Result<Vec<i64>> {
        let rows: Vec<(i64,)> = sqlx::query_as("select number from revision where plan = $1 order by number")
            .bind(plan.as_str())
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
        Ok(rows.into_iter().map(|(number,)| number).collect())
    }

    /// A revision as it is stored.
    pub async fn stored_revision(&self, plan: &PlanId, number: i64) -> anyhow::Result<Option<StoredRevision>> {
        let row =
            sqlx::query(REVISION).bind(plan.as_str()).bind(number).fetch_optional(self.reader()).await.map_err(said)?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(StoredRevision {
            brief: row.try_get("brief")?,
            commit: row.try_get("commit_sha")?,
            plan: row.try_get("plan_body")?,
            facts: row.try_get("facts")?,
            advice: row.try_get("advice")?,
        }))
    }

    /// How many plans there ever were.
    pub async fn plan_count(&self) -> anyhow::Result<i64> {
        let (count,): (i64,) =
            sqlx::query_as("select count(*) from plan").fetch_one(self.reader()).await.map_err(said)?;
        Ok(count)
    }
}

const REVISION: &str = "select number, at, brief, commit_sha, plan_body, facts, advice, reason
    from revision where plan = $1 and number = $2";

impl Tx {
    pub async fn insert_plan(&mut self, plan: &Plan, platform: &str, channel: &Channel) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query(
            "insert into plan (id, service, environment, kind, version, commit_sha, set_digest, person, state, revision,
                body, platform, channel, made_at, changed_at, start_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, 'draft', 0, $9, $10, $11, $12, $13, $14)",
        )
        .bind(plan.id.as_str())
        .bind(plan.service.as_str())
        .bind(plan.environment.as_str())
        .bind(plan.kind.as_str())
        .bind(&plan.version)
        .bind(&plan.commit)
        .bind(plan.set_digest())
        .bind(plan.by.as_str())
        .bind(serde_json::to_string(plan)?)
        .bind(platform)
        .bind(channel.as_str())
        .bind(plan.made_at.ms())
        .bind(now.ms())
        .bind(plan.when.start(now).ms())
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    pub async fn plan(&mut self, id: &PlanId) -> anyhow::Result<Option<PlanRow>> {
        let row = sqlx::query(select_plans("where id = $1"))
            .bind(id.as_str())
            .fetch_optional(self.conn())
            .await
            .map_err(said)?;
        row.as_ref().map(plan_row).transpose()
    }

    /// Plans that are not over, newest first.
    pub async fn open_plans(&mut self) -> anyhow::Result<Vec<PlanRow>> {
        let rows = sqlx::query(select_plans(&format!("where {OPEN} order by made_at desc limit 500")))
            .fetch_all(self.conn())
            .await
            .map_err(said)?;
        rows.iter().map(plan_row).collect()
    }

    /// Plans for a target, newest first, of the last 200.
    pub async fn plans_for(&mut self, service: &Service, environment: &Environment) -> anyhow::Result<Vec<PlanRow>> {
        let rows = sqlx::query(select_plans("where service = $1 and environment = $2 order by made_at desc limit 200"))
            .bind(service.as_str())
            .bind(environment.as_str())
            .fetch_all(self.conn())
            .await
            .map_err(said)?;
        rows.iter().map(plan_row).collect()
    }

    /// Plans for a target that are not over, newest first.
    pub async fn open_plans_for(
        &mut self,
        service: &Service,
        environment: &Environment,
    ) -> anyhow::Result<Vec<PlanRow>> {
        let rows = sqlx::query(select_plans(&format!(
            "where service = $1 and environment = $2 and {OPEN} order by made_at desc"
        )))
        .bind(service.as_str())
        .bind(environment.as_str())
        .fetch_all(self.conn())
        .await
        .map_err(said)?;
        rows.iter().map(plan_row).collect()
    }

    /// Writes a plan back with where it stands now.
    pub async fn update_plan(&mut self, row: &PlanRow) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query(
            "update plan set body = $1, state = $2, revision = $3, version = $4, commit_sha = $5, set_digest = $6,
                changed_at = $7, start_at = $8, confirmed_at = $9, confirmed_by = $10, started_at = $11, started_by = $12,
                category_at = $13, category_by = $14, refreshed_at = $15, stale_at = $16, kind = $17,
                asked_at = $18, asked_by = $19, reviewed_at = $20, reviewed_by = $21
             where id = $22",
        )
        .bind(serde_json::to_string(&row.plan)?)
        .bind(row.state.as_str())
        .bind(row.revision)
        .bind(&row.plan.version)
        .bind(&row.plan.commit)
        .bind(row.plan.set_digest())
        .bind(now.ms())
        .bind(row.plan.when.start(now).ms())
        .bind(row.confirmed.as_ref().map(|c| c.0.ms()))
        .bind(row.confirmed.as_ref().map(|c| c.1.to_string()))
        .bind(row.started.as_ref().map(|c| c.0.ms()))
        .bind(row.started.as_ref().map(|c| c.1.to_string()))
        .bind(row.category.as_ref().map(|c| c.0.ms()))
        .bind(row.category.as_ref().map(|c| c.1.to_string()))
        .bind(row.refreshed_at.map(Time::ms))
        .bind(row.stale_at.map(Time::ms))
        .bind(row.plan.kind.as_str())
        .bind(row.asked.as_ref().map(|c| c.0.ms()))
        .bind(row.asked.as_ref().map(|c| c.1.to_string()))
        .bind(row.reviewed.as_ref().map(|c| c.0.ms()))
        .bind(row.reviewed.as_ref().map(|c| c.1.to_string()))
        .bind(row.plan.id.as_str())
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    pub async fn insert_revision(&mut self, plan: &PlanId, revision: &Revision) -> anyhow::Result<()> {
        sqlx::query(
            "insert into revision (plan, number, at, brief, commit_sha, plan_body, facts, advice, score, reason)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(plan.as_str())
        .bind(revision.number)
        .bind(revision.at.ms())
        .bind(&revision.brief)
        .bind(&revision.commit)
        .bind(serde_json::to_string(&revision.plan)?)
        .bind(serde_json::to_string(&revision.facts)?)
        .bind(serde_json::to_string(&revision.advice)?)
        .bind(i64::from(revision.advice.score.value))
        .bind(&revision.reason)
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    pub async fn revision(&mut self, plan: &PlanId, number: i64) -> anyhow::Result<Option<Revision>> {
        let row =
            sqlx::query(REVISION).bind(plan.as_str()).bind(number).fetch_optional(self.conn()).await.map_err(said)?;
        row.as_ref().map(revision_row).transpose()
    }
}

pub(super) fn plan_row(row: &AnyRow) -> anyhow::Result<PlanRow> {
    let body: String = row.try_get("body")?;
    let state: String = row.try_get("state")?;
    let channel: String = row.try_get("channel")?;
    Ok(PlanRow {
        plan: serde_json::from_str(&body).context("a stored plan does not read")?,
        state: State::parse(&state).context("a stored plan has an unknown state")?,
        revision: row.try_get("revision")?,
        platform: row.try_get("platform")?,
        channel: Channel::new(channel),
        changed_at: Time::from_ms(row.try_get("changed_at")?),
        asked: act(row, "asked_at", "asked_by")?,
        confirmed: act(row, "confirmed_at", "confirmed_by")?,
        started: act(row, "started_at", "started_by")?,
        category: act(row, "category_at", "category_by")?,
        reviewed: act(row, "reviewed_at", "reviewed_by")?,
        refreshed_at: row.try_get::<Option<i64>, _>("refreshed_at")?.map(Time::from_ms),
        stale_at: row.try_get::<Option<i64>, _>("stale_at")?.map(Time::from_ms),
    })
}

/// When and by whom, where it happened.
fn act(row: &AnyRow, at: &str, by: &str) -> anyhow::Result<Option<(Time, Person)>> {
    let at: Option<i64> = row.try_get(at)?;
    let by: Option<String> = row.try_get(by)?;
    Ok(at.zip(by).map(|(at, by)| (Time::from_ms(at), Person::new(by))))
}

pub(super) fn revision_row(row: &AnyRow) -> anyhow::Result<Revision> {
    let (plan, facts, advice): (String, String, String) =
        (row.try_get("plan_body")?, row.try_get("facts")?, row.try_get("advice")?);
    Ok(Revision {
        number: row.try_get("number")?,
        at: Time::from_ms(row.try_get("at")?),
        brief: row.try_get("brief")?,
        commit: row.try_get("commit_sha")?,
        plan: serde_json::from_str(&plan).context("a stored revision's plan does not read")?,
        facts: serde_json::from_str(&facts).context("a stored revision's facts do not read")?,
        advice: serde_json::from_str(&advice).context("a stored revision's advice does not read")?,
        reason: row.try_get("reason")?,
    })
}
