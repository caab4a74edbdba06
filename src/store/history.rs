//! What the past says, in a fixed number of indexed reads, however long the past is.

use sqlx::Row;

use super::deployment::{deployment_row, target};
use super::{Store, said};
use crate::advice::facts::{Deployment, Rate};
use crate::name::{Environment, Service};

const COLUMNS: &str = "select d.id, d.external_id, d.service, d.environment, d.version, d.commit_sha, d.plan, d.actor, d.status, \
    d.at, d.finished_at, d.outcome, d.cause, d.incident, d.outcome_by, d.outcome_at, d.proposed, d.link, d.shape, d.source, \
    d.watch_until, d.watch_body from deployment d ";

impl Store {
    /// The last deployments to a target that were not rolled back before they were done, newest first.
    pub async fn recent(
        &self,
        service: &Service,
        environment: &Environment,
        most: i64,
    ) -> anyhow::Result<Vec<Deployment>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where d.service = $1 and d.environment = $2 order by d.at desc limit $3"
        )))
        .bind(service.as_str())
        .bind(environment.as_str())
        .bind(most)
        .fetch_all(self.reader())
        .await
        .map_err(said)?;
        rows.iter().map(|row| Ok(deployment_row(row)?.deployment)).collect()
    }

    /// What runs in a target: the newest deployment there that succeeded and was not rolled back.
    pub async fn running(&self, service: &Service, environment: &Environment) -> anyhow::Result<Option<Deployment>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where d.service = $1 and d.environment = $2 and d.status = 'succeeded'
             and (d.outcome is null or d.outcome <> 'rolled_back') order by d.at desc limit 1"
        )))
        .bind(service.as_str())
        .bind(environment.as_str())
        .fetch_optional(self.reader())
        .await
        .map_err(said)?;
        row.as_ref().map(|row| Ok(deployment_row(row)?.deployment)).transpose()
    }

    /// A running total of outcomes: scope `all`, `target`, `category` or `ai`.
    pub async fn outcome_rate(&self, scope: &str, name: &str) -> anyhow::Result<Rate> {
        let row = sqlx::query("select bad, n from outcome_total where scope = $1 and name = $2")
            .bind(scope)
            .bind(name)
            .fetch_optional(self.reader())
            .await
            .map_err(said)?;
        let Some(row) = row else { return Ok(Rate::default()) };
        let (bad, n): (i64, i64) = (row.try_get("bad")?, row.try_get("n")?);
        Ok(Rate { bad: u32::try_from(bad).unwrap_or(0), n: u32::try_from(n).unwrap_or(0) })
    }

    pub async fn target_rate(&self, service: &Service, environment: &Environment) -> anyhow::Result<Rate> {
        self.outcome_rate("target", &target(service, environment)).await
    }

    /// Deployments with a known outcome that touched one of these paths: the newest ten of each path.
    pub async fn touching(&self, paths: &[String]) -> anyhow::Result<Vec<Deployment>> {
        let mut found: std::collections::BTreeMap<String, Deployment> = std::collections::BTreeMap::new();
        for path in paths.iter().take(40) {
            let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
                "{COLUMNS} join (select deployment from deployment_path where path = $1 order by at desc limit 10) p
                 on p.deployment = d.id where d.outcome is not null"
            )))
            .bind(path)
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
            for row in &rows {
                let deployment = deployment_row(row)?.deployment;
                found.insert(deployment.id.clone(), deployment);
            }
        }
        Ok(found.into_values().collect())
    }

    /// The newest deployments in an environment with a known outcome, whatever the service.
    pub async fn recent_outcomes(&self, environment: &Environment, most: i64) -> anyhow::Result<Vec<Deployment>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where d.environment = $1 and d.outcome is not null order by d.at desc limit $2"
        )))
        .bind(environment.as_str())
        .bind(most)
        .fetch_all(self.reader())
        .await
        .map_err(said)?;
        rows.iter().map(|row| Ok(deployment_row(row)?.deployment)).collect()
    }

    /// When a version was last deployed in an environment, and what became of it.
    pub async fn deployed_before(
        &self,
        service: &Service,
        environment: &Environment,
        version: &str,
        commit: Option<&str>,
    ) -> anyhow::Result<Option<Deployment>> {
        // Two reads of an index each: one with an `or` would read all of the target's past.
        let mut newest: Option<Deployment> = None;
        for (column, wanted) in [("version", Some(version)), ("commit_sha", commit)] {
            let Some(wanted) = wanted else { continue };
            let row = sqlx::query(sqlx::AssertSqlSafe(format!(
                "{COLUMNS} where d.service = $1 and d.environment = $2 and d.{column} = $3
                 and d.status = 'succeeded' order by d.at desc limit 1"
            )))
            .bind(service.as_str())
            .bind(environment.as_str())
            .bind(wanted)
            .fetch_optional(self.reader())
            .await
            .map_err(said)?;
            if let Some(row) = row {
                let found = deployment_row(&row)?.deployment;
                if newest.as_ref().is_none_or(|known| known.at < found.at) {
                    newest = Some(found);
                }
            }
        }
        Ok(newest)
    }
}
