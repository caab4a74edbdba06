//! Deployments that happened, what became of them, and the alerts of their watches.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, Tx, said};
use crate::advice::facts::{Cause, Deployment, Outcome};
use crate::clock::Time;
use crate::name::{Environment, Person, PlanId, Service};

/// How far a deployment got, as told by a webhook or a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Started,
    Succeeded,
    Failed,
    RolledBack,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Started => "started",
            Status::Succeeded => "succeeded",
            Status::Failed => "failed",
            Status::RolledBack => "rolled_back",
        }
    }

    fn parse(text: &str) -> Status {
        match text {
            "started" => Status::Started,
            "succeeded" => Status::Succeeded,
            "failed" => Status::Failed,
            _ => Status::RolledBack,
        }
    }
}

/// A deployment with where it stands.
#[derive(Clone, Debug)]
pub struct DeploymentRow {
    pub deployment: Deployment,
    /// The sender's own id.
    pub external_id: String,
    /// Who told: `hook`, `person`, `import`, or a source's name.
    pub source: String,
    pub plan: Option<PlanId>,
    pub actor: Option<String>,
    pub status: Status,
    pub outcome_by: Option<Person>,
    pub outcome_at: Option<Time>,
    pub proposed: Option<Outcome>,
    pub watch_until: Option<Time>,
    /// The watch's own memory, as JSON.
    pub watch_body: Option<String>,
}

const COLUMNS: &str = "select id, external_id, service, environment, version, commit_sha, plan, actor, status, at, finished_at, \
    outcome, cause, incident, outcome_by, outcome_at, proposed, link, shape, source, watch_until, watch_body from deployment ";

fn select(rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("{COLUMNS}{rest}"))
}

impl Store {
    pub async fn deployment(&self, id: &str) -> anyhow::Result<Option<DeploymentRow>> {
        let row = sqlx::query(select("where id = $1")).bind(id).fetch_optional(self.reader()).await.map_err(said)?;
        row.as_ref().map(deployment_row).transpose()
    }

    /// The newest deployments, of one service or of all, newest first.
    pub async fn deployments(&self, service: Option<&Service>, most: i64) -> anyhow::Result<Vec<DeploymentRow>> {
        let query = match service {
            Some(service) => sqlx::query(select("where service = $1 order by at desc limit $2"))
                .bind(service.as_str().to_owned())
                .bind(most),
            None => sqlx::query(select("order by at desc limit $1")).bind(most),
        };
        let rows = query.fetch_all(self.reader()).await.map_err(said)?;
        rows.iter().map(deployment_row).collect()
    }

    /// Deployments that began between two moments, oldest first, at most `most`.
    pub async fn deployments_between(&self, from: Time, to: Time, most: i64) -> anyhow::Result<Vec<DeploymentRow>> {
        let rows = sqlx::query(select("where at >= $1 and at < $2 order by at limit $3"))
            .bind(from.ms())
            .bind(to.ms())
            .bind(most)
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
        rows.iter().map(deployment_row).collect()
    }

    /// The newest deployment of a plan.
    pub async fn deployment_of(&self, plan: &PlanId) -> anyhow::Result<Option<DeploymentRow>> {
        let row = sqlx::query(select("where plan = $1 order by at desc limit 1"))
            .bind(plan.as_str())
            .fetch_optional(self.reader())
            .await
            .map_err(said)?;
        row.as_ref().map(deployment_row).transpose()
    }

    /// Deployments whose watch is not over.
    pub async fn watched(&self, now: Time) -> anyhow::Result<Vec<DeploymentRow>> {
        // Ordered by what is searched: ordered by time, SQLite would read the whole past in that order.
        let rows = sqlx::query(select("where watch_until > $1 order by watch_until limit 200"))
            .bind(now.ms())
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
        let mut watched: Vec<DeploymentRow> = rows.iter().map(deployment_row).collect::<anyhow::Result<_>>()?;
        watched.sort_by_key(|row| row.deployment.at);
        Ok(watched)
    }

    /// The alerts of a deployment, oldest first.
    pub async fn alerts(&self, deployment: &str) -> anyhow::Result<Vec<Alert>> {
        let rows = sqlx::query(ALERTS).bind(deployment).fetch_all(self.reader()).await.map_err(said)?;
        rows.iter().map(alert_row).collect::<Result<_, sqlx::Error>>().map_err(said)
    }
}

/// Something that looked worse after a deployment.
#[derive(Clone, Debug)]
pub struct Alert {
    pub id: String,
    pub deployment: String,
    /// `errors`, `latency`, or the planner's own condition.
    pub signal: String,
    pub opened_at: Time,
    pub recovered_at: Option<Time>,
    pub taken: Option<(Time, Person)>,
    /// What was measured, as JSON.
    pub body: String,
}

const ALERTS: &str = "select id, deployment, signal, opened_at, recovered_at, taken_by, taken_at, body from alert
    where deployment = $1 order by opened_at, id";

impl Tx {
    /// Writes a deployment with its paths; the same sender's id again is left alone. False: it was known.
    pub async fn insert_deployment(&mut self, row: &DeploymentRow) -> anyhow::Result<bool> {
        let deployment = &row.deployment;
        let done = sqlx::query(
            "insert into deployment (id, external_id, service, environment, version, commit_sha, plan, actor, status, at,
                finished_at, outcome, cause, incident, outcome_by, outcome_at, proposed, link, shape, source, watch_until, watch_body)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
             on conflict (source, external_id) do nothing",
        )
        .bind(&deployment.id)
        .bind(&row.external_id)
        .bind(deployment.service.as_str())
        .bind(deployment.environment.as_str())
        .bind(&deployment.version)
        .bind(&deployment.commit)
        .bind(row.plan.as_ref().map(PlanId::as_str))
        .bind(&row.actor)
        .bind(row.status.as_str())
        .bind(deployment.at.ms())
        .bind(deployment.finished.map(Time::ms))
        .bind(deployment.outcome.map(Outcome::as_str))
        .bind(deployment.cause.map(Cause::as_str))
        .bind(&deployment.incident)
        .bind(row.outcome_by.as_ref().map(Person::as_str))
        .bind(row.outcome_at.map(Time::ms))
        .bind(row.proposed.map(Outcome::as_str))
        .bind(&deployment.link)
        .bind(serde_json::to_string(&deployment.shape)?)
        .bind(&row.source)
        .bind(row.watch_until.map(Time::ms))
        .bind(&row.watch_body)
        .execute(self.conn())
        .await
        .map_err(said)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        for path in deployment.shape.files.iter().take(50) {
            sqlx::query(
                "insert into deployment_path (path, at, deployment) values ($1, $2, $3) on conflict do nothing",
            )
            .bind(path)
            .bind(deployment.at.ms())
            .bind(&deployment.id)
            .execute(self.conn())
            .await
            .map_err(said)?;
        }
        self.count_outcome(deployment, None).await?;
        Ok(true)
    }

    pub async fn deployment(&mut self, id: &str) -> anyhow::Result<Option<DeploymentRow>> {
        let row = sqlx::query(select("where id = $1")).bind(id).fetch_optional(self.conn()).await.map_err(said)?;
        row.as_ref().map(deployment_row).transpose()
    }

    /// The newest deployments of a target since a moment, newest first.
    pub async fn deployments_since(
        &mut self,
        (service, environment): (&Service, &Environment),
        since: Time,
    ) -> anyhow::Result<Vec<DeploymentRow>> {
        let rows =
            sqlx::query(select("where service = $1 and environment = $2 and at >= $3 order by at desc limit 20"))
                .bind(service.as_str())
                .bind(environment.as_str())
                .bind(since.ms())
                .fetch_all(self.conn())
                .await
                .map_err(said)?;
        rows.iter().map(deployment_row).collect()
    }

    /// The deployment that a sender calls `external_id`.
    pub async fn deployment_called(
        &mut self,
        source: &str,
        external_id: &str,
    ) -> anyhow::Result<Option<DeploymentRow>> {
        let row = sqlx::query(select("where source = $1 and external_id = $2"))
            .bind(source)
            .bind(external_id)
            .fetch_optional(self.conn())
            .await
            .map_err(said)?;
        row.as_ref().map(deployment_row).transpose()
    }

    /// The newest deployment of a plan.
    pub async fn deployment_of(&mut self, plan: &PlanId) -> anyhow::Result<Option<DeploymentRow>> {
        let row = sqlx::query(select("where plan = $1 order by at desc limit 1"))
            .bind(plan.as_str())
            .fetch_optional(self.conn())
            .await
            .map_err(said)?;
        row.as_ref().map(deployment_row).transpose()
    }

    /// Writes back what may change: status, end, outcome, watch. `before` is the outcome that was counted.
    pub async fn update_deployment(&mut self, row: &DeploymentRow, before: Option<Outcome>) -> anyhow::Result<()> {
        let deployment = &row.deployment;
        sqlx::query(
            "update deployment set status = $1, finished_at = $2, outcome = $3, cause = $4, incident = $5, outcome_by = $6,
                outcome_at = $7, proposed = $8, watch_until = $9, watch_body = $10, plan = $11, link = $12, version = $13,
                commit_sha = $14, actor = $15
             where id = $16",
        )
        .bind(row.status.as_str())
        .bind(deployment.finished.map(Time::ms))
        .bind(deployment.outcome.map(Outcome::as_str))
        .bind(deployment.cause.map(Cause::as_str))
        .bind(&deployment.incident)
        .bind(row.outcome_by.as_ref().map(Person::as_str))
        .bind(row.outcome_at.map(Time::ms))
        .bind(row.proposed.map(Outcome::as_str))
        .bind(row.watch_until.map(Time::ms))
        .bind(&row.watch_body)
        .bind(row.plan.as_ref().map(PlanId::as_str))
        .bind(&deployment.link)
        .bind(&deployment.version)
        .bind(&deployment.commit)
        .bind(&row.actor)
        .bind(&deployment.id)
        .execute(self.conn())
        .await
        .map_err(said)?;
        self.count_outcome(deployment, before).await
    }

    /// Keeps the running totals right when an outcome becomes known or changes.
    async fn count_outcome(&mut self, deployment: &Deployment, before: Option<Outcome>) -> anyhow::Result<()> {
        if deployment.outcome == before {
            return Ok(());
        }
        let count = |outcome: Option<Outcome>| outcome.map_or((0, 0), |o| (i64::from(o.is_bad()), 1));
        let (new, old) = (count(deployment.outcome), count(before));
        let (bad, n) = (new.0 - old.0, new.1 - old.1);
        let mut scopes = vec![("all", String::new()), ("target", target(&deployment.service, &deployment.environment))];
        if let Some(category) = &deployment.shape.category {
            scopes.push(("category", category.clone()));
        }
        match deployment.shape.ai {
            Some(true) => scopes.push(("ai", "declared".to_owned())),
            Some(false) => scopes.push(("ai", "undeclared".to_owned())),
            None => {}
        }
        for (scope, name) in scopes {
            sqlx::query(
                "insert into outcome_total (scope, name, bad, n) values ($1, $2, $3, $4)
                 on conflict (scope, name) do update set bad = outcome_total.bad + excluded.bad, n = outcome_total.n + excluded.n",
            )
            .bind(scope)
            .bind(name)
            .bind(bad)
            .bind(n)
            .execute(self.conn())
            .await
            .map_err(said)?;
        }
        Ok(())
    }

    pub async fn alerts(&mut self, deployment: &str) -> anyhow::Result<Vec<Alert>> {
        let rows = sqlx::query(ALERTS).bind(deployment).fetch_all(self.conn()).await.map_err(said)?;
        rows.iter().map(alert_row).collect::<Result<_, sqlx::Error>>().map_err(said)
    }

    pub async fn alert(&mut self, id: &str) -> anyhow::Result<Option<Alert>> {
        let row = sqlx::query(
            "select id, deployment, signal, opened_at, recovered_at, taken_by, taken_at, body from alert where id = $1",
        )
        .bind(id)
        .fetch_optional(self.conn())
        .await
        .map_err(said)?;
        row.as_ref().map(alert_row).transpose().map_err(said)
    }

    /// Writes an alert, or what became of it.
    pub async fn put_alert(&mut self, alert: &Alert, plan: Option<&PlanId>) -> anyhow::Result<()> {
        sqlx::query(
            "insert into alert (id, deployment, plan, signal, opened_at, recovered_at, taken_by, taken_at, body)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             on conflict (id) do update set recovered_at = excluded.recovered_at, taken_by = excluded.taken_by,
                taken_at = excluded.taken_at, body = excluded.body",
        )
        .bind(&alert.id)
        .bind(&alert.deployment)
        .bind(plan.map(PlanId::as_str))
        .bind(&alert.signal)
        .bind(alert.opened_at.ms())
        .bind(alert.recovered_at.map(Time::ms))
        .bind(alert.taken.as_ref().map(|t| t.1.as_str()))
        .bind(alert.taken.as_ref().map(|t| t.0.ms()))
        .bind(&alert.body)
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }
}

/// The name under which a target's totals are kept.
pub(super) fn target(service: &Service, environment: &Environment) -> String {
    format!("{service}/{environment}")
}

pub(super) fn deployment_row(row: &AnyRow) -> anyhow::Result<DeploymentRow> {
    let (service, environment, status): (String, String, String) =
        (row.try_get("service")?, row.try_get("environment")?, row.try_get("status")?);
    let (outcome, cause, proposed): (Option<String>, Option<String>, Option<String>) =
        (row.try_get("outcome")?, row.try_get("cause")?, row.try_get("proposed")?);
    let (plan, outcome_by): (Option<String>, Option<String>) = (row.try_get("plan")?, row.try_get("outcome_by")?);
    let shape: String = row.try_get("shape")?;
    let time = |name: &str| row.try_get::<Option<i64>, _>(name).map(|at| at.map(Time::from_ms));
    Ok(DeploymentRow {
        deployment: Deployment {
            id: row.try_get("id")?,
            service: Service::new(service),
            environment: Environment::new(environment),
            version: row.try_get("version")?,
            commit: row.try_get("commit_sha")?,
            at: Time::from_ms(row.try_get("at")?),
            finished: time("finished_at")?,
            outcome: outcome.as_deref().and_then(Outcome::parse),
            cause: cause.as_deref().and_then(Cause::parse),
            incident: row.try_get("incident")?,
            link: row.try_get("link")?,
            shape: serde_json::from_str(&shape)?,
        },
        external_id: row.try_get("external_id")?,
        source: row.try_get("source")?,
        plan: plan.map(PlanId::new),
        actor: row.try_get("actor")?,
        status: Status::parse(&status),
        outcome_by: outcome_by.map(Person::new),
        outcome_at: time("outcome_at")?,
        proposed: proposed.as_deref().and_then(Outcome::parse),
        watch_until: time("watch_until")?,
        watch_body: row.try_get("watch_body")?,
    })
}

fn alert_row(row: &AnyRow) -> Result<Alert, sqlx::Error> {
    let (taken_at, taken_by): (Option<i64>, Option<String>) = (row.try_get("taken_at")?, row.try_get("taken_by")?);
    Ok(Alert {
        id: row.try_get("id")?,
        deployment: row.try_get("deployment")?,
        signal: row.try_get("signal")?,
        opened_at: Time::from_ms(row.try_get("opened_at")?),
        recovered_at: row.try_get::<Option<i64>, _>("recovered_at")?.map(Time::from_ms),
        taken: taken_at.zip(taken_by).map(|(at, by)| (Time::from_ms(at), Person::new(by))),
        body: row.try_get("body")?,
    })
}
