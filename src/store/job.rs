//! Jobs that platforms hold until they are told whether they may deploy.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, Tx, said};
use crate::clock::Time;
use crate::gate::job::{End, Job};
use crate::name::{Environment, PlanId, Service, SourceName};
use crate::source::Decision;

const COLUMNS: &str = "select id, source, repository, run, gate, deployment, service, environment, commit_sha, reference, \
     link, asked_at, until, plan, decided, said, reports, failures, failing_since, warned_at, ended, ended_at from job";

impl Store {
    pub async fn job(&self, id: &str) -> anyhow::Result<Option<Job>> {
        let found = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} where id = $1")))
            .bind(id)
            .fetch_optional(self.reader())
            .await
            .map_err(said)?;
        found.as_ref().map(job_row).transpose()
    }

    /// A page of all jobs, by id.
    pub async fn jobs_from(&self, after: &str, most: i64) -> anyhow::Result<Vec<Job>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} where id > $1 order by id limit $2")))
            .bind(after)
            .bind(most)
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
        rows.iter().map(job_row).collect()
    }
}

impl Tx {
    pub async fn job(&mut self, id: &str) -> anyhow::Result<Option<Job>> {
        let found = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} where id = $1")))
            .bind(id)
            .fetch_optional(self.conn())
            .await
            .map_err(said)?;
        found.as_ref().map(job_row).transpose()
    }

    /// The jobs that wait to deploy this.
    pub async fn jobs_waiting(&mut self, service: &Service, environment: &Environment) -> anyhow::Result<Vec<String>> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "select id from job where service = $1 and environment = $2 and ended is null order by id limit 100",
        )
        .bind(service.as_str())
        .bind(environment.as_str())
        .fetch_all(self.conn())
        .await
        .map_err(said)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Adds a job; false: it is known already.
    pub async fn insert_job(&mut self, job: &Job) -> anyhow::Result<bool> {
        let done = sqlx::query(
            "insert into job (id, source, repository, run, gate, deployment, service, environment, commit_sha, reference,
                 link, asked_at, until, reports, failures)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0)
             on conflict (source, run, gate, deployment) do nothing",
        )
        .bind(&job.id)
        .bind(job.source.as_str())
        .bind(&job.repository)
        .bind(job.run)
        .bind(&job.gate)
        .bind(&job.deployment)
        .bind(job.service.as_str())
        .bind(job.environment.as_str())
        .bind(&job.commit)
        .bind(&job.reference)
        .bind(&job.link)
        .bind(job.asked_at.ms())
        .bind(job.until.ms())
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(done.rows_affected() == 1)
    }

    /// Stores how a job stands; what it is stays as it was told.
    pub async fn update_job(&mut self, job: &Job) -> anyhow::Result<()> {
        sqlx::query(
            "update job set plan = $1, decided = $2, said = $3, reports = $4, failures = $5, failing_since = $6,
                 warned_at = $7, ended = $8, ended_at = $9 where id = $10",
        )
        .bind(job.plan.as_ref().map(PlanId::as_str))
        .bind(job.decided.map(Decision::as_str))
        .bind(&job.said)
        .bind(job.reports)
        .bind(job.failures)
        .bind(job.failing_since.map(Time::ms))
        .bind(job.warned_at.map(Time::ms))
        .bind(job.ended.map(|(end, _)| end.as_str()))
        .bind(job.ended.map(|(_, at)| at.ms()))
        .bind(&job.id)
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }
}

fn job_row(row: &AnyRow) -> anyhow::Result<Job> {
    let text = |name: &str| row.try_get::<Option<String>, _>(name);
    let time = |name: &str| row.try_get::<Option<i64>, _>(name).map(|at| at.map(Time::from_ms));
    let (decided, ended) = (text("decided")?, text("ended")?);
    Ok(Job {
        id: row.try_get("id")?,
        source: SourceName::new(row.try_get::<String, _>("source")?),
        repository: row.try_get("repository")?,
        run: row.try_get("run")?,
        gate: row.try_get("gate")?,
        deployment: row.try_get("deployment")?,
        service: Service::new(row.try_get::<String, _>("service")?),
        environment: Environment::new(row.try_get::<String, _>("environment")?),
        commit: row.try_get("commit_sha")?,
        reference: text("reference")?,
        link: text("link")?,
        asked_at: Time::from_ms(row.try_get("asked_at")?),
        until: Time::from_ms(row.try_get("until")?),
        plan: text("plan")?.map(PlanId::new),
        decided: decided.as_deref().and_then(Decision::parse),
        said: text("said")?,
        reports: row.try_get("reports")?,
        failures: row.try_get("failures")?,
        failing_since: time("failing_since")?,
        warned_at: time("warned_at")?,
        ended: ended.as_deref().and_then(End::parse).zip(time("ended_at")?),
    })
}
